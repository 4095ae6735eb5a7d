package com.fastn.context.vertx;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.Registration;
import io.vertx.core.Vertx;
import io.vertx.core.internal.ContextInternal;
import io.vertx.junit5.VertxExtension;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith({OwnTree.class, VertxExtension.class})
class EventLoopDelaysTest {
    private static final Duration LATE = Duration.ofMillis(50);

    private static ContextInternal place(Front verticle) {
        return (ContextInternal) verticle.place();
    }

    @Test
    void aLoopThatIsHeldUpIsLateFromThatMomentOnAndTheOthersAreNot(Vertx vertx) {
        FastnVertx fastn = FastnVertx.install(vertx);
        Front held = Front.deploy(vertx);
        Front free = Front.deploy(vertx);
        while (place(free).nettyEventLoop() == place(held).nettyEventLoop()) {
            free = Front.deploy(vertx);
        }
        String name = nameOf(held);
        String freeName = nameOf(free);
        CountDownLatch goOn = new CountDownLatch(1);
        try (Registration first = fastn.measureEventLoops();
                Registration second = fastn.measureEventLoops()) {
            Waiting.until(() -> fastn.eventLoopDelays().stream()
                            .filter(loop ->
                                    loop.loop().equals(name) || loop.loop().equals(freeName))
                            .count()
                    == 2);
            CountDownLatch begun = new CountDownLatch(1);
            held.place().runOnContext(now -> {
                begun.countDown();
                awaits(goOn);
            });
            // Until then it may be late by itself for a moment.
            Waiting.until(() -> begun.getCount() == 0);
            Waiting.until(() -> isLate(fastn, name));
            Waiting.until(() -> !isLate(fastn, freeName));
            assertThat(isLate(fastn, name)).isTrue();
            goOn.countDown();
            Waiting.until(() -> !isLate(fastn, name));
            assertThat(of(fastn, name).longest()).isGreaterThanOrEqualTo(LATE);
            second.close();
            second.close();
            assertThat(fastn.eventLoopDelays()).isNotEmpty();
            assertThat(first).isNotNull();
        } finally {
            goOn.countDown();
        }
        assertThat(fastn.eventLoopDelays()).isEmpty();
    }

    @Test
    void whileNobodyMeasuresNothingIsKnownAndLoopsOfNobodyAreNotAsked(Vertx vertx) {
        FastnVertx fastn = FastnVertx.install(vertx);
        assertThat(fastn.eventLoopDelays()).isEmpty();
        try (Registration measuring = fastn.measureEventLoops()) {
            assertThat(fastn.eventLoopDelays()).isEmpty();
            assertThat(measuring).isNotNull();
        }
    }

    private static String nameOf(Front verticle) {
        CompletableFuture<String> name = new CompletableFuture<>();
        verticle.place()
                .runOnContext(now -> name.complete(Thread.currentThread().getName()));
        return Waiting.result(name);
    }

    private static EventLoopDelay of(FastnVertx fastn, String loop) {
        return fastn.eventLoopDelays().stream()
                .filter(delay -> delay.loop().equals(loop))
                .findFirst()
                .orElseThrow();
    }

    private static boolean isLate(FastnVertx fastn, String loop) {
        return of(fastn, loop).latest().compareTo(LATE) >= 0;
    }

    private static void awaits(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
