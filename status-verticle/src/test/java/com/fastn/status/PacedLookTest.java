package com.fastn.status;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fastn.context.ManualTicker;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class PacedLookTest {
    private static final Duration LONG = Duration.ofSeconds(60);

    private final Vertx vertx = Vertx.vertx();
    private volatile Runnable changes = () -> {};
    private final Context context = vertx.getOrCreateContext();
    private final ManualTicker ticker = new ManualTicker(Fixtures.NOW);
    private final List<Promise<Integer>> looks = new CopyOnWriteArrayList<>();
    private final List<Integer> found = new CopyOnWriteArrayList<>();

    @AfterEach
    void close() {
        Waiting.result(vertx.close());
    }

    @Test
    void thereIsNoSecondLookBeforeTheFirstIsAnsweredAndNoneIsForgotten() {
        PacedLook<Integer> paced = paced(false);
        onContext(paced::start);
        assertThat(looks).hasSize(1);
        // However long it takes.
        ticker.advance(NodeWatch.PACE.multipliedBy(10));
        onContext(paced::ask);
        changes.run();
        onContext(() -> {});
        assertThat(looks).hasSize(1);

        looks.get(0).complete(7);
        await().atMost(LONG).until(() -> looks.size() == 2);
        looks.get(1).complete(8);
        await().atMost(LONG).until(() -> found.equals(List.of(7, 8)));
        onContext(() -> {});
        assertThat(looks).as("nobody asked again").hasSize(2);
    }

    @Test
    void twoLooksAreASecondApart() {
        PacedLook<Integer> paced = paced(false);
        onContext(paced::start);
        looks.get(0).complete(7);
        await().atMost(LONG).until(() -> !found.isEmpty());
        long began = System.nanoTime();
        // In one turn of the context, in which no timer goes off however long it takes.
        onContext(() -> {
            changes.run();
            paced.ask();
            assertThat(looks).hasSize(1);
        });
        await().atMost(LONG).until(() -> looks.size() == 2);
        assertThat(Duration.ofNanos(System.nanoTime() - began)).isGreaterThanOrEqualTo(NodeWatch.PACE.minusMillis(50));
    }

    @Test
    void itGoesOnByItselfForAsLongAsWhatIsFoundSaysSoAndEndsWhenItIsStopped() {
        PacedLook<Integer> paced = paced(true);
        onContext(paced::start);
        looks.get(0).fail("nobody knows");
        await().atMost(LONG).until(() -> looks.size() == 2);
        onContext(paced::stop);
        looks.get(1).complete(8);
        onContext(() -> {});
        onContext(() -> {});
        assertThat(found).as("a failure, and nothing after the end").containsExactly(-1);
    }

    private PacedLook<Integer> paced(boolean goesOn) {
        CompletableFuture<PacedLook<Integer>> made = new CompletableFuture<>();
        context.runOnContext(now -> made.complete(new PacedLook<>(
                vertx,
                told -> {
                    changes = told;
                    return () -> changes = () -> {};
                },
                this::look,
                answer -> {
                    found.add(answer.succeeded() ? answer.result() : -1);
                    return goesOn;
                },
                ticker)));
        return made.join();
    }

    private Future<Integer> look() {
        Promise<Integer> answer = Promise.promise();
        looks.add(answer);
        return answer.future();
    }

    private void onContext(Runnable step) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        context.runOnContext(now -> {
            try {
                step.run();
                done.complete(null);
            } catch (Throwable t) {
                done.completeExceptionally(t);
            }
        });
        done.join();
    }
}
