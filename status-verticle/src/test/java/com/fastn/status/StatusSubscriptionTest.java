package com.fastn.status;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fastn.context.ManualTicker;
import com.fastn.context.status.ClusterStatus;
import com.fastn.status.stream.StreamFrame;
import com.fastn.status.stream.StreamFrame.Content;
import io.vertx.core.Completable;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.MessageConsumer;
import io.vertx.core.json.JsonObject;
import io.vertx.core.spi.cluster.RegistrationInfo;
import io.vertx.spi.cluster.hazelcast.HazelcastClusterManager;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class StatusSubscriptionTest {
    private static final Duration LONG = Duration.ofSeconds(60);

    @Test
    void aReaderWhoseRegistrationNeverEndsTriesAnotherOne() {
        AtomicBoolean swallowed = new AtomicBoolean();
        try (TestCluster cluster = TestCluster.of(1, config -> new HazelcastClusterManager(config) {
            @Override
            public void addRegistration(String address, RegistrationInfo registration, Completable<Void> added) {
                if (address.startsWith(StreamWire.READER_PREFIX) && swallowed.compareAndSet(false, true)) {
                    // As it was seen after two halves of a cluster had come together again.
                    return;
                }
                super.addRegistration(address, registration, added);
            }
        })) {
            Vertx vertx = cluster.node(0);
            Waiting.result(vertx.deployVerticle(new StatusVerticle(
                    new StatusOptions().setHttp(false).setSystemMetrics(false).setDescriptors(false))));
            List<ClusterStatus> heard = new CopyOnWriteArrayList<>();
            List<Throwable> troubles = new CopyOnWriteArrayList<>();
            StatusClient.create(vertx).stream().exceptionHandler(troubles::add).handler(heard::add);
            await().atMost(LONG).until(() -> !heard.isEmpty());
            assertThat(swallowed).isTrue();
            assertThat(troubles)
                    .anySatisfy(trouble ->
                            assertThat(trouble).hasMessageContaining("the cluster manager did not say within 5 s"));
        }
    }

    @Test
    void D7_aNodeThatAnswersIsNotSilentWhileAnotherAddressOfItsReaderIsRegistered() {
        AtomicInteger registered = new AtomicInteger();
        AtomicBoolean holds = new AtomicBoolean(true);
        Queue<Runnable> held = new ConcurrentLinkedQueue<>();
        try (TestCluster cluster = TestCluster.of(1, config -> new HazelcastClusterManager(config) {
            @Override
            public void addRegistration(String address, RegistrationInfo registration, Completable<Void> added) {
                if (address.startsWith(StreamWire.READER_PREFIX) && registered.incrementAndGet() > 1 && holds.get()) {
                    held.add(() -> super.addRegistration(address, registration, added));
                } else {
                    super.addRegistration(address, registration, added);
                }
            }
        })) {
            Vertx vertx = cluster.node(0);
            List<String> readers = new CopyOnWriteArrayList<>();
            List<JsonObject> closed = new CopyOnWriteArrayList<>();
            Waiting.result(vertx.eventBus()
                    .<JsonObject>consumer("late", said -> {
                        String reader = said.body().getString(StreamWire.ADDRESS);
                        if (reader != null) {
                            readers.add(reader);
                        }
                        if (said.body().getBoolean(StreamWire.CLOSE, false)) {
                            closed.add(said.body());
                        }
                        if (said.replyAddress() != null) {
                            // Frames that never come.
                            said.reply(StreamWire.reply()
                                    .put(StreamWire.STREAM, "of " + readers.size())
                                    .put(StreamWire.CONTROL, "late")
                                    .put(StreamWire.LEASE_MILLIS, 10_000)
                                    .put(StreamWire.EPOCH, 1)
                                    .put(StreamWire.SENT, 2));
                        }
                    })
                    .completion());
            HandTimers timers = new HandTimers(vertx);
            ManualTicker ticker = new ManualTicker(Fixtures.NOW);
            Context loop = vertx.getOrCreateContext();
            StatusSubscription subscription = new StatusSubscription(
                    timers.vertx(),
                    null,
                    "late",
                    new JsonObject(),
                    view -> {},
                    trouble -> {},
                    1,
                    new PeerBytes(ticker),
                    ticker);
            run(loop, subscription::open);
            await().atMost(LONG).until(() -> Turns.on(loop, subscription::isOpen));
            await().atMost(LONG).until(() -> {
                second(vertx, loop, timers, ticker);
                return !held.isEmpty();
            });

            for (int second = 1; second <= 6; second++) {
                second(vertx, loop, timers, ticker);
                assertThat(Turns.on(loop, subscription::silence))
                        .as("after %d s", second)
                        .isLessThan(ClusterFeed.UP_FOR);
            }
            assertThat(readers).hasSize(1);
            assertThat(closed).isEmpty();

            holds.set(false);
            held.forEach(Runnable::run);
            await().atMost(LONG).until(() -> readers.size() == 2 && Turns.on(loop, subscription::isOpen));
            assertThat(readers).doesNotHaveDuplicates();
            await().atMost(LONG).until(() -> !closed.isEmpty());
            assertThat(closed)
                    .extracting(said -> said.getString(StreamWire.STREAM))
                    .containsExactly("of 1");
            run(loop, subscription::close);
        }
    }

    @Test
    void D2_whyAStreamDoesNotComeWholeIsToldInTheSameWordsAsLongAsItDoesNot() {
        Vertx vertx = Vertx.vertx();
        try {
            AtomicInteger opened = new AtomicInteger();
            AtomicInteger epoch = new AtomicInteger();
            AtomicBoolean knowsNothing = new AtomicBoolean();
            AtomicReference<String> reads = new AtomicReference<>("");
            MessageConsumer<JsonObject> writer = vertx.eventBus().consumer("late");
            writer.handler(said -> {
                String reader = said.body().getString(StreamWire.ADDRESS);
                boolean begins = said.body().getBoolean(StreamWire.RESTART, false);
                if (reader != null) {
                    reads.set(reader);
                    opened.incrementAndGet();
                    epoch.set(0);
                } else if (said.body().containsKey(StreamWire.STREAM) && knowsNothing.compareAndSet(true, false)) {
                    said.fail(404, "no such stream");
                    return;
                }
                if (said.replyAddress() != null) {
                    said.reply(StreamWire.reply()
                            .put(StreamWire.STREAM, "of " + opened)
                            .put(StreamWire.CONTROL, "late")
                            .put(StreamWire.LEASE_MILLIS, 600_000));
                }
                if (reader != null || begins) {
                    int of = epoch.incrementAndGet();
                    for (long sequence : new long[] {1, 3}) {
                        StreamFrame frame = new StreamFrame(of, sequence, Content.OTHER, false, new byte[0]);
                        vertx.eventBus().send(reads.get(), Buffer.buffer(), StreamWire.headers("of " + opened, frame));
                    }
                }
            });
            Waiting.result(writer.completion());
            HandTimers timers = new HandTimers(vertx);
            ManualTicker ticker = new ManualTicker(Fixtures.NOW);
            Context loop = vertx.getOrCreateContext();
            StatusSubscription subscription = new StatusSubscription(
                    timers.vertx(),
                    null,
                    "late",
                    new JsonObject(),
                    view -> {},
                    trouble -> {},
                    1,
                    new PeerBytes(ticker),
                    ticker);
            run(loop, subscription::open);
            await().atMost(LONG).until(() -> {
                second(vertx, loop, timers, ticker);
                return Turns.on(loop, subscription::trouble) != null;
            });
            String why = Turns.on(loop, subscription::trouble);
            assertThat(why).contains("does not come whole: frame ");

            int begun = epoch.get();
            await().atMost(LONG).until(() -> {
                second(vertx, loop, timers, ticker);
                return epoch.get() >= begun + 2;
            });
            second(vertx, loop, timers, ticker);
            assertThat(Turns.on(loop, subscription::trouble)).isEqualTo(why);

            knowsNothing.set(true);
            await().atMost(LONG).until(() -> {
                second(vertx, loop, timers, ticker);
                return opened.get() == 2 && Turns.on(loop, subscription::isOpen);
            });
            assertThat(Turns.on(loop, subscription::trouble)).isEqualTo(why);
            run(loop, subscription::close);
        } finally {
            Waiting.result(vertx.close());
        }
    }

    /** A second, and what comes of it has come, mostly. */
    private static void second(Vertx vertx, Context loop, HandTimers timers, ManualTicker ticker) {
        ticker.advance(Duration.ofSeconds(1));
        run(loop, timers::goOff);
        for (int i = 0; i < 5; i++) {
            Waiting.result(vertx.eventBus().request("late", new JsonObject()));
            run(loop, () -> {});
            Waiting.result(vertx.executeBlocking(() -> null));
        }
    }

    private static void run(Context loop, Runnable turn) {
        var unused = Turns.on(loop, () -> {
            turn.run();
            return true;
        });
    }
}
