package com.fastn.status;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fastn.context.ContextRuntime;
import com.fastn.context.ManualTicker;
import com.fastn.context.Registration;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.context.vertx.FastnVertx;
import com.fastn.status.stream.Outbox;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.WorkerExecutor;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonObject;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A reader that renews its lease and never says that it has read anything, while its node goes on working. */
@Timeout(300)
class SlowStreamReaderTest {
    private static final int CHANGES = 100_000;
    /** A look a second, by the ticker; more changes than that are never told one by one. */
    private static final int CHANGES_A_LOOK = 5;

    /**
     * What was told last, what comes next, and the newest of the watch; the rest is on its way through a worker. Each look
     * makes one more, 20,000 of them.
     */
    private static final int MOST_SNAPSHOTS = 8;

    private final Vertx vertx = Vertx.vertx();
    private final ManualTicker ticker = new ManualTicker(Fixtures.NOW);
    private final HandTimers timers = new HandTimers(vertx, ticker);
    private final FastnVertx fastn = FastnVertx.install(vertx);
    private final ContextRuntime runtime = fastn.runtime();
    /** One thread, so that what is done on it is done in order. */
    private final WorkerExecutor worker = vertx.createSharedWorkerExecutor("looks", 1);

    private final Context loop = vertx.getOrCreateContext();
    private final LocalStatus local = new LocalStatus(runtime, null, List.of());
    private final NodeDirectory directory =
            new NodeDirectory(fastn.node(), BootTime.of(fastn.node()), Duration.ofHours(1), ticker);
    private final Watches watches =
            new Watches(timers.vertx(), worker, local, directory, new PeerBytes(ticker), ticker);
    private final StreamService service = new StreamService(
            timers.vertx(), worker, fastn.node(), local, watches, ClusterTrust.of(vertx, true), ticker);

    private final List<WeakReference<StatusSnapshot>> looks = new ArrayList<>();
    private final AtomicInteger frames = new AtomicInteger();
    private final AtomicLong frameBytes = new AtomicLong();

    @AfterEach
    void close() {
        Waiting.result(vertx.close());
    }

    @Test
    void D6_aReaderThatNeverGrantsCreditsCostsTheSameAfterAHundredThousandChanges() {
        String reader = StreamWire.READER_PREFIX + "slow";
        Waiting.result(vertx.eventBus()
                .<Buffer>consumer(reader, frame -> {
                    frames.incrementAndGet();
                    frameBytes.addAndGet(frame.body().length());
                })
                .completion());
        JsonObject question = new JsonObject().put(StreamWire.ADDRESS, reader);
        JsonObject opened = onLoop(() -> Future.succeededFuture(service.open(question.getMap(), false, true)));
        Registration watching = onLoop(() -> Future.succeededFuture(
                watches.node(StatusQuery.all(), row -> looks.add(new WeakReference<>(row.snapshot())))));
        JsonObject renewal = new JsonObject()
                .put(StreamWire.STREAM, opened.getString(StreamWire.STREAM))
                .put(StreamWire.EPOCH, 1)
                .put(StreamWire.ACKNOWLEDGED, 0);
        int rounds = CHANGES / CHANGES_A_LOOK;
        onLoop(() -> {
            Promise<Void> done = Promise.promise();
            round(rounds, renewal, done);
            return done.future();
        });

        assertThat(onLoop(() -> Future.succeededFuture(service.count())))
                .as("its lease holds")
                .isEqualTo(1);
        assertThat(runtime.status().globalContext().totalCounters()).containsEntry("told_to_nobody", (long) CHANGES);
        assertThat(looks).as("it was looked at all the time").hasSizeGreaterThan(rounds / 2);
        assertThat(frames.get()).isBetween(1, Outbox.CREDIT_FRAMES);
        assertThat(frameBytes.get()).isLessThanOrEqualTo(Outbox.CREDIT_BYTES + Outbox.MOST_FRAME_BYTES);
        await().atMost(Duration.ofSeconds(60)).untilAsserted(() -> {
            System.gc();
            assertThat(looks.stream().filter(look -> look.get() != null))
                    .as("snapshots that are held, of %d", looks.size())
                    .hasSizeLessThanOrEqualTo(MOST_SNAPSHOTS);
        });
        onLoop(() -> {
            watching.close();
            service.stop();
            return Future.succeededFuture();
        });
    }

    /** A second by the ticker: something changes, it is looked at, and the reader renews its lease. */
    private void round(int left, JsonObject renewal, Promise<Void> done) {
        if (left == 0) {
            done.complete();
            return;
        }
        for (int i = 0; i < CHANGES_A_LOOK; i++) {
            runtime.root().incrementTotal("told_to_nobody");
        }
        ticker.advance(NodeWatch.PACE);
        timers.goOff();
        service.control(renewal.getMap());
        // After what the look does, and then after what the stream makes of it.
        worker.executeBlocking(() -> null, false)
                .compose(looked -> worker.executeBlocking(() -> null, false))
                .onSuccess(told -> round(left - 1, renewal, done));
    }

    private <T> T onLoop(Supplier<Future<T>> step) {
        CompletableFuture<T> done = new CompletableFuture<>();
        loop.runOnContext(now -> {
            try {
                step.get().onSuccess(done::complete).onFailure(done::completeExceptionally);
            } catch (RuntimeException e) {
                done.completeExceptionally(e);
            }
        });
        return done.join();
    }
}
