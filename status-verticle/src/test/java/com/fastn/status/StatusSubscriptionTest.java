package com.fastn.status;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fastn.context.status.ClusterStatus;
import com.fastn.status.stream.StreamFrame;
import com.fastn.status.stream.StreamFrame.Content;
import io.vertx.core.Completable;
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
                        String address = said.body().getString(StreamWire.ADDRESS);
                        if (address != null) {
                            readers.add(address);
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
            ReaderScene reader = new ReaderScene(vertx, "late");
            reader.open();
            await().atMost(LONG).until(reader::isOpen);
            reader.secondsUntil(() -> !held.isEmpty());

            for (int second = 1; second <= 6; second++) {
                reader.second();
                assertThat(reader.silence()).as("after %d s", second).isLessThan(ClusterFeed.UP_FOR);
            }
            assertThat(readers).hasSize(1);
            assertThat(closed).isEmpty();

            holds.set(false);
            held.forEach(Runnable::run);
            await().atMost(LONG).until(() -> readers.size() == 2 && reader.isOpen());
            assertThat(readers).doesNotHaveDuplicates();
            await().atMost(LONG).until(() -> !closed.isEmpty());
            assertThat(closed)
                    .extracting(said -> said.getString(StreamWire.STREAM))
                    .containsExactly("of 1");
            reader.close();
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
                String address = said.body().getString(StreamWire.ADDRESS);
                boolean begins = said.body().getBoolean(StreamWire.RESTART, false);
                if (address != null) {
                    reads.set(address);
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
                if (address != null || begins) {
                    int of = epoch.incrementAndGet();
                    for (long sequence : new long[] {1, 3}) {
                        StreamFrame frame = new StreamFrame(of, sequence, Content.OTHER, false, new byte[0]);
                        vertx.eventBus().send(reads.get(), Buffer.buffer(), StreamWire.headers("of " + opened, frame));
                    }
                }
            });
            Waiting.result(writer.completion());
            ReaderScene reader = new ReaderScene(vertx, "late");
            reader.open();
            reader.secondsUntil(() -> reader.trouble() != null);
            String why = reader.trouble();
            assertThat(why).contains("does not come whole: frame ");

            int begun = epoch.get();
            reader.secondsUntil(() -> epoch.get() >= begun + 2);
            reader.second();
            assertThat(reader.trouble()).isEqualTo(why);

            knowsNothing.set(true);
            reader.secondsUntil(() -> opened.get() == 2 && reader.isOpen());
            assertThat(reader.trouble()).isEqualTo(why);
            reader.close();
        } finally {
            Waiting.result(vertx.close());
        }
    }
}
