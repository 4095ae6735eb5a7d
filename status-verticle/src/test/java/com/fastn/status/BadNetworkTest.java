package com.fastn.status;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fastn.context.ManualTicker;
import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.NodeIdentity;
import com.fastn.context.status.NodeState;
import com.fastn.context.status.NodeStatus;
import com.fastn.status.stream.Outbox;
import com.fastn.status.stream.StreamFrame;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.WorkerExecutor;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.Message;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.eventbus.ReplyFailure;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.function.Supplier;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A reader of a stream whose network loses, doubles, delays and reorders messages, holds them back while it is cut, and whose
 * process stands still now and then, and which then loses nothing and is later and later; all by a clock that the test moves and a
 * seed. {@code -Dfastn.bad.networks=200} tries more.
 */
@Timeout(300)
class BadNetworkTest {
    private static final Duration LONG = Duration.ofSeconds(60);
    private static final int STEPS_OF_A_SECOND = 4;
    private static final Duration STEP = Duration.ofSeconds(1).dividedBy(STEPS_OF_A_SECOND);
    private static final int SECONDS = 90;
    /** Rule D7: a second until the reader asks, as long as a status is shown that is known to be old, and a second to notice. */
    private static final int OLDEST_SECONDS = 8;

    /** More than a status may be old. */
    private static final int LATEST_SECONDS = 10;
    /** A second is late by half a second more than the one before, so that there is no silence. */
    private static final int RISE_SECONDS = 2 * LATEST_SECONDS;

    private static final int LEASE_SECONDS = 10;
    private static final NodeIdentity BOB = new NodeIdentity("bob", "bbbb-1");

    // One event loop, so that what is registered on another context comes in the order of all the rest.
    private final Vertx vertx = Vertx.vertx(new VertxOptions().setEventLoopPoolSize(1));
    private final HandTimers timers = new HandTimers(vertx);
    private final Context loop = vertx.getOrCreateContext();
    // One thread, so that what is done after something comes after it.
    private final WorkerExecutor worker = vertx.createSharedWorkerExecutor("bad", 1);
    private final ManualTicker ticker = new ManualTicker(Fixtures.NOW);
    private final PeerBytes bytes = new PeerBytes(ticker);
    private final StatusSubscription subscription = new StatusSubscription(
            timers.vertx(), worker, "bad.open", new JsonObject(), view -> {}, trouble -> {}, 1, bytes, ticker);

    /** What the reader said since the last step. */
    private final Queue<Message<JsonObject>> said = new ConcurrentLinkedQueue<>();

    private CountDownLatch workerHeld = new CountDownLatch(1);
    // The network
    private final List<Carried> underWay = new ArrayList<>();
    private Random random = new Random();
    private int step;
    private int cutUntil;
    private boolean cutHolds;
    private int stillUntil;
    private boolean good;
    private int laterFrom = Integer.MAX_VALUE;
    // The writer
    private final List<Long> toldAt = new ArrayList<>();
    private int streams;
    private String reader = "";
    private @Nullable Session session;

    /** A message, and the step at which it comes. */
    private record Carried(int at, boolean toReader, Runnable comes) {}

    private static final class Session {
        final String name;
        final Outbox outbox = new Outbox();
        long epoch;
        long sent;
        int heard;

        Session(String name, int heard) {
            this.name = name;
            this.heard = heard;
        }
    }

    @AfterEach
    void close() {
        workerHeld.countDown();
        Waiting.result(vertx.close());
    }

    static LongStream seeds() {
        return LongStream.rangeClosed(1, Integer.getInteger("fastn.bad.networks", 3));
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void D1_D7_whatIsShownIsOfTheLastSecondsAndInTheEndTheNewest(long seed) {
        random = new Random(seed);
        onLoop(() -> {
            // There, so that what is said first comes first.
            for (String address : List.of("bad.open", "bad.control")) {
                vertx.eventBus().<JsonObject>consumer(address, message -> {
                    if (message.body().isEmpty()) {
                        // Of this test, to know that what was sent before has come.
                        message.reply(null);
                    } else {
                        said.add(message);
                    }
                });
            }
            subscription.open();
            return null;
        });
        await().atMost(LONG).until(() -> !said.isEmpty());
        int shown = 0;
        while (step < SECONDS * STEPS_OF_A_SECOND) {
            shown += step(seed) ? 1 : 0;
        }
        assertThat(shown).as("steps in which a status was shown").isGreaterThan(SECONDS / 2);

        good = true;
        cutUntil = step;
        stillUntil = step;
        steps(10, seed);
        laterFrom = step;
        steps(RISE_SECONDS, seed);
        for (int i = 0; i < 4 * STEPS_OF_A_SECOND; i++) {
            assertThat(step(seed))
                    .as("seed %d, step %d: shown as of now", seed, step)
                    .isFalse();
        }

        laterFrom = Integer.MAX_VALUE;
        // What is under way yet comes in the midst of what is told now.
        steps(15, seed);
        for (int i = 0; i < 15 * STEPS_OF_A_SECOND; i++) {
            assertThat(step(seed)).as("seed %d, step %d: shown", seed, step).isTrue();
        }
        assertThat(onLoop(this::version)).isGreaterThanOrEqualTo(toldAt.get(step - 2 * STEPS_OF_A_SECOND));
    }

    private void steps(int seconds, long seed) {
        for (int i = 0; i < seconds * STEPS_OF_A_SECOND; i++) {
            step(seed);
        }
    }

    /** {@return whether a status was shown} */
    private boolean step(long seed) {
        step++;
        ticker.advance(STEP);
        if (!good) {
            misfortune();
        }
        write();
        boolean stands = step < stillUntil;
        boolean tick = !stands && (step % STEPS_OF_A_SECOND == 0 || step == stillUntil);
        boolean tickFirst = random.nextBoolean();
        // What comes together is read together, however fast the worker is; else the seed would not say what happens.
        holdWorker();
        if (tick && tickFirst) {
            tick();
        }
        for (Carried carried : due(stands)) {
            carried.comes().run();
            if (random.nextInt(3) == 0) {
                settle();
                holdWorker();
            }
        }
        if (tick && !tickFirst) {
            tick();
        }
        settle();
        hearReader();
        if (stands) {
            return false;
        }
        long version = onLoop(() -> subscription.silence().compareTo(ClusterFeed.UP_FOR) <= 0 ? version() : -1L);
        if (version < 0) {
            return false;
        }
        int before = Math.max(0, step - OLDEST_SECONDS * STEPS_OF_A_SECOND);
        assertThat(version)
                .as("seed %d, step %d: what is shown as of now", seed, step)
                .isGreaterThanOrEqualTo(before == 0 ? 0 : toldAt.get(before - 1));
        return true;
    }

    /** Every now and then the network is cut, and then loses or holds back what is sent, or the reader's process stands still. */
    private void misfortune() {
        if (step >= cutUntil + 8 * STEPS_OF_A_SECOND && random.nextInt(20) == 0) {
            cutUntil = step + random.nextInt(16 * STEPS_OF_A_SECOND);
            cutHolds = random.nextBoolean();
        } else if (step >= stillUntil + 8 * STEPS_OF_A_SECOND && random.nextInt(40) == 0) {
            stillUntil = step + random.nextInt(16 * STEPS_OF_A_SECOND);
        }
    }

    private void carry(boolean toReader, Runnable comes) {
        if (good) {
            int late = Math.max(0, step - laterFrom) / 2;
            underWay.add(new Carried(step + Math.min(late, LATEST_SECONDS * STEPS_OF_A_SECOND), toReader, comes));
        } else if (step < cutUntil) {
            if (cutHolds) {
                underWay.add(new Carried(cutUntil, toReader, comes));
            }
        } else if (random.nextInt(25) != 0) {
            int late = random.nextInt(6) == 0 ? random.nextInt(5) : 0;
            underWay.add(new Carried(step + late, toReader, comes));
        }
    }

    private List<Carried> due(boolean stands) {
        List<Carried> due = new ArrayList<>(underWay.stream()
                .filter(carried -> carried.at() <= step && !(carried.toReader() && stands))
                .toList());
        underWay.removeAll(due);
        due.sort(Comparator.comparingInt(Carried::at));
        return due;
    }

    // --- the writer

    /** Once a second something is new. */
    private void write() {
        boolean isNew = step % STEPS_OF_A_SECOND == 1;
        long version = toldAt.isEmpty() ? 0 : toldAt.get(toldAt.size() - 1);
        toldAt.add(isNew ? version + 1 : version);
        Session open = session;
        if (open != null && step - open.heard > LEASE_SECONDS * STEPS_OF_A_SECOND) {
            session = null;
        } else if (isNew && open != null) {
            tell(open);
        }
    }

    private void tell(Session open) {
        NodeStatus row = new NodeStatus(
                BOB,
                NodeState.UP,
                Duration.ZERO,
                null,
                null,
                Fixtures.snapshot(BOB, toldAt.get(toldAt.size() - 1), Fixtures.context(1, "global")));
        String to = reader;
        for (StreamFrame frame : open.outbox.tell(new ClusterStatus(Fixtures.NOW, "bob", List.of(row)))) {
            open.epoch = frame.epoch();
            open.sent = frame.sequence();
            Runnable comes =
                    () -> vertx.eventBus().send(to, Buffer.buffer(frame.body()), StreamWire.headers(open.name, frame));
            carry(true, comes);
            if (!good && random.nextInt(10) == 0) {
                carry(true, comes);
            }
        }
    }

    private void hearReader() {
        for (Message<JsonObject> message = said.poll(); message != null; message = said.poll()) {
            Message<JsonObject> question = message;
            boolean[] answered = new boolean[1];
            carry(false, () -> {
                Object answer = answer(question.body());
                if (question.replyAddress() != null) {
                    carry(true, () -> {
                        if (!answered[0]) {
                            answered[0] = true;
                            question.reply(answer);
                        }
                    });
                }
            });
            if (question.replyAddress() != null) {
                // As the bus would, by another clock. Where the process stands still that comes after what lies there.
                underWay.add(new Carried(step + STEPS_OF_A_SECOND, true, () -> {
                    if (!answered[0]) {
                        answered[0] = true;
                        question.reply(new ReplyException(ReplyFailure.TIMEOUT, "timed out"));
                    }
                }));
            }
        }
    }

    private Object answer(JsonObject body) {
        if (body.containsKey(StreamWire.ADDRESS)) {
            reader = body.getString(StreamWire.ADDRESS);
            Session opened = new Session("stream " + ++streams, step);
            session = opened;
            JsonObject answer = StreamWire.reply()
                    .put(StreamWire.STREAM, opened.name)
                    .put(StreamWire.CONTROL, "bad.control")
                    .put(StreamWire.LEASE_MILLIS, LEASE_SECONDS * 1_000);
            // What it tells at first takes a snapshot, and comes after the answer where nothing is reordered.
            underWay.add(new Carried(step + 1, false, () -> tell(opened)));
            return answer;
        }
        Session open = session;
        if (open == null || !open.name.equals(body.getString(StreamWire.STREAM))) {
            return new ReplyException(ReplyFailure.RECIPIENT_FAILURE, BadQueryException.GONE, "no such stream");
        }
        if (body.getBoolean(StreamWire.CLOSE, false)) {
            session = null;
            return StreamWire.reply();
        }
        open.heard = step;
        open.outbox.acknowledge(body.getLong(StreamWire.EPOCH), body.getLong(StreamWire.ACKNOWLEDGED));
        JsonObject answer = StreamWire.reply().put(StreamWire.EPOCH, open.epoch).put(StreamWire.SENT, open.sent);
        if (body.getBoolean(StreamWire.RESTART, false)) {
            open.outbox.restart();
            tell(open);
        }
        return answer;
    }

    // --- the reader

    private void tick() {
        onLoop(() -> {
            timers.goOff();
            return null;
        });
    }

    private void holdWorker() {
        CountDownLatch held = workerHeld;
        var unused = worker.executeBlocking(
                () -> {
                    held.await();
                    return null;
                },
                false);
    }

    /** Until what has come is read, and what the reader says is with the network. */
    private void settle() {
        // What has come is with the reader before it reads.
        onLoop(() -> null);
        workerHeld.countDown();
        workerHeld = new CountDownLatch(1);
        for (int i = 0; i < 2; i++) {
            onLoop(() -> null);
            Waiting.result(worker.executeBlocking(() -> null));
            onLoop(() -> null);
            if (bytes.kept() != 0) {
                await().atMost(LONG).pollInterval(Duration.ofMillis(1)).until(() -> bytes.kept() == 0);
                Waiting.result(worker.executeBlocking(() -> null));
                onLoop(() -> null);
            }
            Waiting.result(vertx.eventBus().request("bad.open", new JsonObject()));
            Waiting.result(vertx.eventBus().request("bad.control", new JsonObject()));
        }
    }

    /** {@return the version that is shown, -1 where no status is} */
    private long version() {
        ClusterStatus view = subscription.view();
        return view == null
                ? -1
                : requireNonNull(view.nodes().get(0).snapshot()).version();
    }

    private <T extends @Nullable Object> T onLoop(Supplier<T> work) {
        return Turns.on(loop, work);
    }
}
