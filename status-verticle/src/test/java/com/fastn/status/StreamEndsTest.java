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
import io.vertx.core.eventbus.MessageConsumer;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How a reader's streams begin and end, and what of them is left at the writer. */
@Timeout(120)
class StreamEndsTest {
    private static final Duration LONG = Duration.ofSeconds(60);
    private static final NodeIdentity BOB = new NodeIdentity("bob", "bbbb-1");

    // One event loop, so that what is registered on another context comes in the order of all the rest.
    private final Vertx vertx = Vertx.vertx(new VertxOptions().setEventLoopPoolSize(1));
    private final HandTimers timers = new HandTimers(vertx);
    private final Context loop = vertx.getOrCreateContext();
    private final WorkerExecutor worker = vertx.createSharedWorkerExecutor("ends", 1);
    private final ManualTicker ticker = new ManualTicker(Fixtures.NOW);
    private final List<Throwable> troubles = new CopyOnWriteArrayList<>();
    private final List<Throwable> unhandled = new CopyOnWriteArrayList<>();
    private final StatusSubscription subscription = new StatusSubscription(
            timers.vertx(),
            worker,
            "ends.open",
            new JsonObject(),
            view -> {},
            troubles::add,
            1,
            new PeerBytes(ticker),
            ticker);

    private final MessageConsumer<JsonObject> writer = vertx.eventBus().consumer("ends.control");
    private final List<Message<JsonObject>> asked = new CopyOnWriteArrayList<>();
    /** The streams that the writer was told to close. */
    private final List<String> closed = new CopyOnWriteArrayList<>();

    private volatile Consumer<Message<JsonObject>> onAsked = question -> open(question, 10_000);
    private volatile long sent;
    private volatile boolean gone;

    @BeforeEach
    void listen() {
        Waiting.result(vertx.eventBus()
                .<JsonObject>consumer("ends.open", question -> {
                    asked.add(question);
                    onAsked.accept(question);
                })
                .completion());
        writer.handler(said -> {
            if (said.body().getBoolean(StreamWire.CLOSE, false)) {
                closed.add(said.body().getString(StreamWire.STREAM));
            }
            if (gone && said.body().containsKey(StreamWire.STREAM)) {
                said.fail(BadQueryException.GONE, "there is no such stream here any more; open another");
            } else if (said.replyAddress() != null) {
                said.reply(StreamWire.reply()
                        .put(StreamWire.EPOCH, Math.min(sent, 1))
                        .put(StreamWire.SENT, sent));
            }
        });
        Waiting.result(writer.completion());
        loop.exceptionHandler(unhandled::add);
        onLoop(() -> {
            subscription.trySeldomWhenDown();
            subscription.open();
            return null;
        });
    }

    @AfterEach
    void close() {
        Waiting.result(vertx.close());
        assertThat(unhandled).isEmpty();
    }

    @Test
    void S16_aReaderThatIsClosedClosesItsStream() {
        opened(1);
        end();
        await().atMost(LONG).until(() -> closed.equals(List.of("stream 1")));
    }

    @Test
    void S16_aStreamThatIsOpenedForAReaderThatWasClosedMeanwhileIsClosed() {
        opened(1);
        onAsked = question -> {};
        ticker.advance(Duration.ofSeconds(11));
        tick();
        await().atMost(LONG).until(() -> asked.size() == 2);
        end();
        assertThat(closed).isEmpty();
        open(asked.get(1), 10_000);
        await().atMost(LONG).until(() -> closed.equals(List.of("stream 2")));
    }

    @Test
    void S16_aReaderThatListensAtAnotherAddressClosesTheStreamThatWentToTheFormerOne() {
        opened(1);
        // Frames that never come.
        sent = 2;
        for (int second = 0; second < 20 && asked.size() < 2; second++) {
            ticker.advance(Duration.ofSeconds(1));
            tick();
        }
        await().atMost(LONG).until(() -> asked.size() == 2);
        assertThat(address(1)).isNotEqualTo(address(0));
        await().atMost(LONG).until(() -> closed.equals(List.of("stream 1")));
        opened(2);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{}",
                "{\"stream\": \"s\"}",
                "{\"control\": \"ends.control\", \"lease_ms\": 10000}",
                "{\"stream\": 1, \"control\": \"ends.control\", \"lease_ms\": 10000}",
                "{\"stream\": \"s\", \"control\": [], \"lease_ms\": 10000}",
                "{\"stream\": \"s\", \"control\": \"\", \"lease_ms\": 10000}"
            })
    void S15_anAnswerThatOpensNoStreamIsAFailureAndIsAskedForAgain(String answer) {
        opened(1);
        onAsked = question -> question.reply(new JsonObject(answer));
        ticker.advance(Duration.ofSeconds(11));
        tick();
        await().atMost(LONG).until(() -> !troubles.isEmpty());
        assertThat(requireNonNull(onLoop(subscription::trouble))).contains("opens no stream");
        assertThat(onLoop(subscription::isOpen)).isFalse();
        assertThat(onLoop(subscription::silence)).as("it has spoken").isZero();

        onAsked = question -> open(question, 10_000);
        tick();
        await().atMost(LONG).until(() -> onLoop(subscription::isOpen));
        assertThat(onLoop(subscription::trouble)).isNull();
    }

    @ParameterizedTest
    @ValueSource(strings = {"\"soon\"", "-1", "0", "9223372036854775807", "1e300", "null", "{}"})
    void S15_aLeaseThatMakesNoSenseIsTakenForOneThatDoes(String lease) {
        opened(1);
        Object parsed = new JsonObject("{\"lease\": " + lease + "}").getValue("lease");
        onAsked = question -> open(question, parsed);
        ticker.advance(Duration.ofSeconds(11));
        tick();
        opened(2);
        for (int second = 0; second < 5; second++) {
            ticker.advance(Duration.ofSeconds(1));
            tick();
        }
        assertThat(asked).as("it is renewed").hasSize(2);
        assertThat(troubles).isEmpty();
    }

    /** Its lease may be longer than what is known of it is kept. */
    @Test
    void S16_D7_whoWasDownForLessThanItsLeaseTellsTheWholeAnew() {
        opened(1);
        onAsked = question -> question.fail(BadQueryException.TOO_MANY, "not now");
        ticker.advance(Duration.ofSeconds(11));
        for (int refusals = 1; refusals <= 2; refusals++) {
            int so = refusals;
            tick();
            await().atMost(LONG).until(() -> troubles.size() == so);
        }
        onAsked = question -> open(question, 600_000);
        tick();
        opened(4);
        tell("stream 4");
        await().atMost(LONG).until(() -> onLoop(() -> subscription.view() != null));

        ticker.advance(NodeDirectory.STALE_FOR.plusMillis(1));
        tick();
        opened(5);
        assertThat(onLoop(() -> subscription.view() == null)).isTrue();
        tell("stream 5");
        await().atMost(LONG).until(() -> onLoop(() -> subscription.view() != null));
    }

    @Test
    void D9_whoWantsANewerReaderIsNotShownByWhatItToldBeforeAndIsLeftNoStream() {
        opened(1);
        tell("stream 1");
        await().atMost(LONG).until(() -> onLoop(() -> subscription.view() != null));
        onAsked =
                question -> question.reply(answer(question, 10_000).put(StreamWire.MIN_SCHEMA, StreamWire.VERSION + 1));
        gone = true;
        tick();
        await().atMost(LONG).until(() -> closed.equals(List.of("stream 2")));
        assertThat(onLoop(subscription::view)).isNull();
        assertThat(requireNonNull(onLoop(subscription::trouble))).contains("upgrade needed on this side");
        assertThat(onLoop(subscription::isOpen)).isFalse();
    }

    @Test
    void D7_whereTheWriterHasLeftTheClusterAnotherOneIsAskedBeforeTheLeaseIsOver() {
        opened(1);
        Waiting.result(writer.unregister());
        for (int second = 1; second <= 2; second++) {
            int failures = second;
            assertThat(asked).hasSize(1);
            ticker.advance(Duration.ofSeconds(1));
            onLoop(() -> {
                timers.goOff();
                return null;
            });
            await().atMost(LONG).until(() -> troubles.size() == failures);
        }
        opened(2);
        assertThat(troubles).allSatisfy(trouble -> assertThat(trouble).hasMessageContaining("No handlers"));
    }

    @Test
    void S15_aStreamThatBeginsAnewInVainIsToldUntilItIsWhole() {
        opened(1);
        AtomicLong epoch = new AtomicLong();
        await().atMost(LONG).until(() -> {
            StreamFrame nonsense =
                    new StreamFrame(epoch.incrementAndGet(), 1, StreamFrame.Content.NODES, true, new byte[] {'{'});
            vertx.eventBus().send(address(0), Buffer.buffer(nonsense.body()), StreamWire.headers("stream 1", nonsense));
            tick();
            return !troubles.isEmpty();
        });
        assertThat(epoch.get()).as("once is no trouble").isGreaterThan(1);
        assertThat(troubles)
                .singleElement()
                .satisfies(trouble -> assertThat(trouble).hasMessageContaining("begins anew again and again"));
        assertThat(requireNonNull(onLoop(subscription::trouble))).contains("begins anew again and again");

        Outbox whole = new Outbox();
        while (whole.epoch() <= epoch.get()) {
            whole.restart();
        }
        tell("stream 1", whole);
        await().atMost(LONG).until(() -> onLoop(() -> subscription.view() != null));
        assertThat(onLoop(subscription::trouble)).isNull();
    }

    // --- the writer

    private void open(Message<JsonObject> question, @Nullable Object lease) {
        question.reply(answer(question, lease));
    }

    private JsonObject answer(Message<JsonObject> question, @Nullable Object lease) {
        return StreamWire.reply()
                .put(StreamWire.STREAM, "stream " + (asked.indexOf(question) + 1))
                .put(StreamWire.CONTROL, "ends.control")
                .put(StreamWire.LEASE_MILLIS, lease);
    }

    private String address(int index) {
        return asked.get(index).body().getString(StreamWire.ADDRESS);
    }

    private void tell(String stream) {
        tell(stream, new Outbox());
    }

    private void tell(String stream, Outbox outbox) {
        NodeStatus row = new NodeStatus(
                BOB, NodeState.UP, Duration.ZERO, null, null, Fixtures.snapshot(BOB, 1, Fixtures.context(1, "global")));
        for (StreamFrame frame : outbox.tell(new ClusterStatus(Fixtures.NOW, "bob", List.of(row)))) {
            vertx.eventBus()
                    .send(address(asked.size() - 1), Buffer.buffer(frame.body()), StreamWire.headers(stream, frame));
        }
    }

    // --- the reader

    private void opened(int streams) {
        await().atMost(LONG).until(() -> asked.size() == streams && onLoop(subscription::isOpen));
    }

    private void end() {
        onLoop(() -> {
            subscription.close();
            return null;
        });
    }

    /** A tick, and what comes of it has come. */
    private void tick() {
        onLoop(() -> {
            timers.goOff();
            return null;
        });
        for (int i = 0; i < 5; i++) {
            Waiting.result(vertx.eventBus().request("ends.control", new JsonObject()));
            onLoop(() -> null);
            Waiting.result(worker.executeBlocking(() -> null));
        }
    }

    private <T extends @Nullable Object> T onLoop(Supplier<T> step) {
        return Turns.on(loop, step);
    }
}
