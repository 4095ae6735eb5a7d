package com.fastn.status;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fastn.context.ContextRuntime;
import com.fastn.context.ManualTicker;
import com.fastn.context.status.ClusterStatus;
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
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a reader shows of a writer that it hears again after a silence, by a clock, timers and a bus that the test moves. */
@Timeout(120)
@SuppressWarnings("MustBeClosedChecker") // the runtimes end with the test
class HeardAgainTest {
    private static final Duration LONG = Duration.ofSeconds(60);
    private static final Duration SHORT_SILENCE = ClusterFeed.UP_FOR;
    private static final Duration LONG_SILENCE = ClusterFeed.UP_FOR.plusMillis(1);
    private static final Duration LEASE = Duration.ofSeconds(10);
    private static final long MOST = 1 << 20;
    private static final String NOT_YET = "it was silent, and its status of now has not arrived yet";

    // One event loop, so that what is registered on another context comes in the order of all the rest.
    private final Vertx vertx = Vertx.vertx(new VertxOptions().setEventLoopPoolSize(1));
    private final HandTimers timers = new HandTimers(vertx);
    private final Context loop = vertx.getOrCreateContext();
    // One thread, so that what is done after something comes after it.
    private final WorkerExecutor worker = vertx.createSharedWorkerExecutor("again", 1);
    private final ManualTicker ticker = new ManualTicker(Fixtures.NOW);
    private final PeerBytes bytes = new PeerBytes(MOST, ticker);
    private final List<Throwable> troubles = new CopyOnWriteArrayList<>();
    private final List<ClusterStatus> views = new CopyOnWriteArrayList<>();
    private final StatusSubscription subscription = new StatusSubscription(
            timers.vertx(), worker, "again.open", new JsonObject(), views::add, troubles::add, 1, bytes, ticker);

    // The writer
    private volatile ContextRuntime bob = ContextRuntime.builder().alias("bob").build();
    private volatile Outbox outbox = new Outbox();
    private volatile String reader = "";
    private final AtomicInteger streams = new AtomicInteger();
    private volatile long sentEpoch;
    private volatile long sent;
    private volatile long acknowledged;
    private volatile boolean keepsAnswers;
    private volatile boolean saysHowFar = true;
    private volatile boolean ended;
    private final List<Message<JsonObject>> unanswered = new CopyOnWriteArrayList<>();

    @BeforeEach
    void open() {
        Waiting.result(vertx.eventBus()
                .<JsonObject>consumer("again.open", this::onAsked)
                .completion());
        Waiting.result(vertx.eventBus()
                .<JsonObject>consumer("again.control", this::onAsked)
                .completion());
        onLoop(() -> {
            subscription.open();
            return null;
        });
        await().atMost(LONG).until(() -> onLoop(subscription::isOpen));
        serve(1);
        deliver(tell());
        await().atMost(LONG).until(() -> orders() == 1);
        tick();
    }

    @AfterEach
    void close() {
        Waiting.result(vertx.close());
        bob.close();
    }

    @Test
    void D7_aShortSilenceLeavesTheStatusWhereItIs() {
        serve(1);
        List<StreamFrame> lost = tell();
        assertThat(lost).hasSize(1);
        ticker.advance(SHORT_SILENCE);
        tick();
        assertThat(orders()).isEqualTo(1);
    }

    @Test
    void D7_afterALongSilenceOfAWriterThatToldNothingNewItsStatusIsShownAgain() {
        ticker.advance(LONG_SILENCE);
        tick();
        assertThat(orders()).isEqualTo(1);
        assertThat(trouble()).isNull();
        assertThat(views).as("it is told that this is of now").hasSize(2);
    }

    @Test
    void D7_afterALongSilenceOfAWriterThatHasToldMoreTheStatusOfBeforeIsNotShown() {
        serve(1);
        List<StreamFrame> late = tell();
        ticker.advance(LONG_SILENCE);
        tick();
        assertThat(view()).isNull();
        assertThat(trouble()).isEqualTo(NOT_YET);
        assertThat(onLoop(subscription::isOpen)).isTrue();

        deliver(late);
        await().atMost(LONG).until(() -> orders() == 2);
        assertThat(trouble()).isNull();
        assertThat(troubles).isEmpty();
    }

    @Test
    void D7_framesOfTheTimeOfTheSilenceAreNotShownBeforeTheWriterHasSaidHowFarItIs() {
        serve(1);
        List<StreamFrame> old = tell();
        serve(1);
        List<StreamFrame> newest = tell();
        ticker.advance(LONG_SILENCE);
        deliver(old);
        settle();
        assertThat(view()).isNull();
        assertThat(trouble()).isEqualTo(NOT_YET);

        tick();
        assertThat(view()).isNull();
        deliver(newest);
        await().atMost(LONG).until(() -> orders() == 3);
    }

    @Test
    void D7_framesThatComeBeforeTheWriterSaysHowFarItIsAreShownThen() {
        serve(1);
        ticker.advance(LONG_SILENCE);
        deliver(tell());
        settle();
        assertThat(view()).isNull();
        assertThat(views).hasSize(1);
        tick();
        assertThat(orders()).isEqualTo(2);
        assertThat(views).hasSize(2);
    }

    @Test
    void D7_framesThatComeWhileNothingIsAnsweredMayBeOldAndAreNotShownForLong() {
        keepsAnswers = true;
        for (int second = 1; second <= 6; second++) {
            ticker.advance(Duration.ofSeconds(1));
            serve(1);
            deliver(tell());
            settle();
            assertThat(orders()).as("after %d s", second).isEqualTo(1 + second);
            tick();
        }
        int shown = views.size();
        ticker.advance(Duration.ofSeconds(1));
        serve(1);
        deliver(tell());
        settle();
        assertThat(view()).isNull();
        assertThat(trouble()).isEqualTo(NOT_YET);
        assertThat(views).hasSize(shown);

        keepsAnswers = false;
        tick();
        assertThat(orders()).isEqualTo(8);
        assertThat(views).hasSize(shown + 1);
        ticker.advance(Duration.ofSeconds(1));
        serve(1);
        deliver(tell());
        settle();
        assertThat(orders()).isEqualTo(9);
    }

    @Test
    void D1_D7_whatIsNotShownYetHoldsUpNoWriterThatWaitsUntilItIsTakenUp() {
        onLoop(() -> {
            subscription.acknowledgeByHand();
            return null;
        });
        serve(1);
        ticker.advance(LONG_SILENCE);
        deliver(tell());
        settle();
        assertThat(views).hasSize(1);
        assertThat(acknowledged).isEqualTo(sent);
        tick();
        assertThat(views).hasSize(2);

        serve(1);
        deliver(tell());
        settle();
        assertThat(views).hasSize(3);
        assertThat(acknowledged).isLessThan(sent);
        onLoop(() -> {
            subscription.takeUp();
            return null;
        });
        settle();
        assertThat(acknowledged).isEqualTo(sent);
    }

    @Test
    void D1_D7_framesThatComeTwiceAfterASilenceDoNoHarm() {
        serve(1);
        List<StreamFrame> first = tell();
        serve(1);
        List<StreamFrame> second = tell();
        ticker.advance(LONG_SILENCE);
        tick();
        deliver(first);
        deliver(first);
        settle();
        deliver(first);
        settle();
        assertThat(view()).isNull();
        deliver(second);
        deliver(second);
        await().atMost(LONG).until(() -> orders() == 3);
        tick();
        assertThat(orders()).isEqualTo(3);
        assertThat(onLoop(subscription::gaps)).isZero();
    }

    @Test
    void D1_D7_whereFramesOfTheSilenceAreLostTheNewBeginningIsShown() {
        serve(1);
        List<StreamFrame> lost = tell();
        assertThat(lost).hasSize(1);
        ticker.advance(LONG_SILENCE);
        serve(1);
        deliver(tell());
        await().atMost(LONG).until(() -> onLoop(subscription::gaps) == 1);
        assertThat(view()).isNull();
        // It asks for a new beginning at once, or with a renewal.
        for (int i = 0; i < 3; i++) {
            tick();
        }
        await().atMost(LONG).until(() -> orders() == 3);
        assertThat(trouble()).isNull();
    }

    @Test
    void D1_D7_whereAllFramesOfTheSilenceAreLostTheNewBeginningIsShown() {
        serve(1);
        List<StreamFrame> lost = tell();
        assertThat(lost).hasSize(1);
        ticker.advance(LONG_SILENCE);
        tick();
        assertThat(view()).isNull();
        for (int i = 0; i < 4; i++) {
            tick();
        }
        await().atMost(LONG).until(() -> orders() == 2);
        assertThat(outbox.epoch()).isEqualTo(2);
    }

    @Test
    void D7_statusThatDoesNotComeAfterASilenceIsSaidNotToCome() {
        serve(1);
        List<StreamFrame> lost = tell();
        assertThat(lost).hasSize(1);
        ticker.advance(LONG_SILENCE);
        tick();
        assertThat(trouble()).isEqualTo(NOT_YET);
        keepsAnswers = true;
        ticker.advance(SHORT_SILENCE.plusMillis(1));
        tick();
        assertThat(view()).isNull();
        assertThat(trouble()).contains("has not come for more than 3 s");
        assertThat(troubles).hasSize(1);
    }

    @Test
    void D7_anAnswerThatLayThereWhileTheReaderStoodStillSaysNothingOfNow() {
        keepsAnswers = true;
        tick();
        keepsAnswers = false;
        serve(1);
        List<StreamFrame> late = tell();
        ticker.advance(LONG_SILENCE);
        // It was given before the frame was told.
        unanswered.get(0).reply(howFar(1, sent - late.size()));
        settle();
        assertThat(view()).isNull();
        assertThat(trouble()).isEqualTo(NOT_YET);

        tick();
        assertThat(view()).isNull();
        deliver(late);
        await().atMost(LONG).until(() -> orders() == 2);
    }

    @Test
    void D7_aStreamThatIsOpenedAnewAfterALongSilenceIsShownByItsFirstWhole() {
        serve(1);
        List<StreamFrame> lost = tell();
        assertThat(lost).hasSize(1);
        ticker.advance(LEASE.plusMillis(1));
        tick();
        await().atMost(LONG).until(() -> streams.get() == 2 && onLoop(subscription::isOpen));
        assertThat(view()).isNull();
        assertThat(trouble()).isEqualTo(NOT_YET);
        List<StreamFrame> whole = tell();
        assertThat(whole).hasSize(2);
        deliver(whole.subList(0, 1));
        settle();
        assertThat(view()).isNull();
        deliver(whole.subList(1, 2));
        await().atMost(LONG).until(() -> orders() == 2);
        assertThat(trouble()).isNull();
    }

    @Test
    void D7_aStreamThatWasOpenedWhileTheReaderStoodStillIsShownWhenItsWriterSaysHowFarItIs() {
        ticker.advance(LEASE.plusMillis(1));
        keepsAnswers = true;
        tick();
        keepsAnswers = false;
        ticker.advance(LONG_SILENCE);
        opened(unanswered.get(0));
        await().atMost(LONG).until(() -> onLoop(subscription::isOpen));
        deliver(tell());
        settle();
        assertThat(view()).isNull();
        tick();
        assertThat(orders()).isEqualTo(1);
    }

    @Test
    void D7_aStreamThatIsOpenedAnewAfterAShortSilenceShowsTheStatusOfBeforeMeanwhile() {
        ended = true;
        ticker.advance(SHORT_SILENCE);
        tick();
        await().atMost(LONG).until(() -> streams.get() == 2 && onLoop(subscription::isOpen));
        assertThat(orders()).isEqualTo(1);
    }

    @Test
    void D3_D7_aWriterThatBeganAnotherLifeIsShownByThat() {
        bob.close();
        ended = true;
        ContextRuntime young = ContextRuntime.builder().alias("bob").build();
        bob = young;
        serve(5);
        ticker.advance(LONG_SILENCE);
        tick();
        await().atMost(LONG).until(() -> streams.get() == 2 && onLoop(subscription::isOpen));
        assertThat(view()).isNull();
        deliver(tell());
        await().atMost(LONG).until(() -> orders() == 5);
        assertThat(requireNonNull(view()).nodes()).extracting(NodeStatus::node).containsExactly(young.node());
    }

    @Test
    void D7_aSecondSilenceIsAnotherOne() {
        serve(1);
        List<StreamFrame> first = tell();
        ticker.advance(LONG_SILENCE);
        tick();
        serve(1);
        List<StreamFrame> second = tell();
        ticker.advance(LONG_SILENCE);
        deliver(first);
        settle();
        assertThat(view()).as("what the first answer wanted").isNull();
        tick();
        deliver(second);
        await().atMost(LONG).until(() -> orders() == 3);
    }

    @Test
    void D7_whatIsToldInPartIsNotAllThatTheWriterHasTold() {
        serve(1);
        List<StreamFrame> told = new CopyOnWriteArrayList<>(tell());
        StreamFrame first = told.get(told.size() - 1);
        ticker.advance(LONG_SILENCE);
        // As of a writer that had no credit for the rest.
        deliver(List.of(new StreamFrame(first.epoch(), first.sequence(), first.content(), false, first.body())));
        settle();
        tick();
        assertThat(view()).isNull();
        serve(1);
        deliver(tell());
        await().atMost(LONG).until(() -> orders() == 3);
    }

    @Test
    void D9_ofAWriterThatDoesNotSayHowFarItIsAnAnswerIsEnough() {
        saysHowFar = false;
        serve(1);
        List<StreamFrame> lost = tell();
        assertThat(lost).hasSize(1);
        ticker.advance(LONG_SILENCE);
        tick();
        assertThat(orders()).isEqualTo(1);
    }

    @Test
    void D1_S16_aHoleInAStreamOfAReaderThatHadNoRoomBeforeIsMendedAtOnce() {
        long others = MOST - bytes.held();
        assertThat(bytes.hold(others, 0)).isTrue();
        bob.root().setData("note", "a".repeat(2_000));
        deliver(tell());
        await().atMost(LONG).until(() -> !troubles.isEmpty());
        assertThat(trouble()).contains("its status is left out");

        ended = true;
        tick();
        await().atMost(LONG).until(() -> streams.get() == 2 && onLoop(subscription::isOpen));
        assertThat(bytes.hold(0, others)).isTrue();
        deliver(tell());
        await().atMost(LONG).until(() -> orders() == 1);
        // What acknowledges that is at the writer before it tells more.
        settle();
        serve(1);
        assertThat(tell()).as("lost").hasSize(1);
        serve(1);
        deliver(tell());
        await().atMost(LONG).until(() -> orders() == 3);
        assertThat(outbox.epoch()).isEqualTo(2);
    }

    // --- the writer

    private void onAsked(Message<JsonObject> asked) {
        if (asked.body().isEmpty()) {
            // Of this test, to know that what was sent before has come.
            asked.reply(null);
        } else if (keepsAnswers) {
            unanswered.add(asked);
        } else if (asked.body().containsKey(StreamWire.ADDRESS)) {
            opened(asked);
        } else if (ended || !name().equals(asked.body().getString(StreamWire.STREAM))) {
            asked.fail(BadQueryException.GONE, "there is no such stream here any more; open another");
        } else {
            acknowledged = asked.body().getLong(StreamWire.ACKNOWLEDGED);
            outbox.acknowledge(asked.body().getLong(StreamWire.EPOCH), acknowledged);
            JsonObject answer = howFar(sentEpoch, sent);
            if (asked.body().getBoolean(StreamWire.RESTART, false)) {
                outbox.restart();
                deliver(tell());
            }
            if (asked.replyAddress() != null) {
                asked.reply(answer);
            }
        }
    }

    private JsonObject howFar(long epoch, long sequence) {
        JsonObject answer = StreamWire.reply().put(StreamWire.STREAM, name());
        return saysHowFar ? answer.put(StreamWire.EPOCH, epoch).put(StreamWire.SENT, sequence) : answer;
    }

    private void opened(Message<JsonObject> asked) {
        streams.incrementAndGet();
        ended = false;
        outbox = new Outbox();
        sentEpoch = 0;
        sent = 0;
        reader = asked.body().getString(StreamWire.ADDRESS);
        asked.reply(StreamWire.reply()
                .put(StreamWire.STREAM, name())
                .put(StreamWire.CONTROL, "again.control")
                .put(StreamWire.LEASE_MILLIS, LEASE.toMillis()));
    }

    private String name() {
        return "stream " + streams.get();
    }

    private void serve(int orders) {
        for (int i = 0; i < orders; i++) {
            bob.root().incrementTotal("orders");
        }
    }

    /** {@return what the writer sends now} */
    private List<StreamFrame> tell() {
        NodeStatus row = new NodeStatus(bob.node(), NodeState.UP, Duration.ZERO, null, null, bob.status());
        List<StreamFrame> frames = outbox.tell(new ClusterStatus(Fixtures.NOW, "bob", List.of(row)));
        StreamFrame last = frames.get(frames.size() - 1);
        sentEpoch = last.epoch();
        sent = last.sequence();
        return frames;
    }

    private void deliver(List<StreamFrame> frames) {
        for (StreamFrame frame : frames) {
            vertx.eventBus().send(reader, Buffer.buffer(frame.body()), StreamWire.headers(name(), frame));
        }
    }

    // --- the reader

    /** A tick, and what comes of it has come. */
    private void tick() {
        onLoop(() -> {
            timers.goOff();
            return null;
        });
        settle();
    }

    /** Until what is under way on the bus, on the loop and on the worker is done. */
    private void settle() {
        for (int i = 0; i < 5; i++) {
            Waiting.result(vertx.eventBus().request("again.control", new JsonObject()));
            onLoop(() -> null);
            Waiting.result(worker.executeBlocking(() -> null));
        }
    }

    private @Nullable ClusterStatus view() {
        return onLoop(subscription::view);
    }

    private @Nullable String trouble() {
        return onLoop(subscription::trouble);
    }

    /** {@return the orders that are shown, -1 where no status is} */
    private long orders() {
        ClusterStatus view = view();
        return view == null ? -1 : view.totalCounters().getOrDefault("orders", 0L);
    }

    private <T extends @Nullable Object> T onLoop(Supplier<T> step) {
        return Turns.on(loop, step);
    }
}
