package com.fastn.status;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fastn.context.ManualTicker;
import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.NodeIdentity;
import com.fastn.context.status.NodeState;
import com.fastn.context.status.NodeStatus;
import com.fastn.context.vertx.Addresses;
import com.fastn.status.stream.Outbox;
import com.fastn.status.stream.StreamFrame;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What handlers of an application do does not get in the way of its stream. */
@Timeout(120)
class StreamHandlersTest {
    private static final Duration LONG = Duration.ofSeconds(60);
    private static final NodeIdentity BOB = new NodeIdentity("bob", "bbbb-1");

    // One event loop, so that what is registered on another context comes in the order of all the rest.
    private final Vertx vertx = Vertx.vertx(new VertxOptions().setEventLoopPoolSize(1));
    private final List<Throwable> unhandled = new CopyOnWriteArrayList<>();
    private final List<String> readers = new CopyOnWriteArrayList<>();
    private final List<ClusterStatus> told = new CopyOnWriteArrayList<>();
    private final List<String> closed = new CopyOnWriteArrayList<>();
    private final Outbox outbox = new Outbox();
    private final AtomicInteger renewals = new AtomicInteger();
    private volatile boolean gone;
    private volatile boolean saysHowFar;
    private volatile long sent;

    @BeforeEach
    void listen() {
        vertx.exceptionHandler(unhandled::add);
        Waiting.result(vertx.eventBus()
                .<JsonObject>consumer(Addresses.STATUS_SUBSCRIBE, asked -> {
                    gone = false;
                    asked.reply(StreamWire.reply()
                            .put(StreamWire.STREAM, "of bob")
                            .put(StreamWire.CONTROL, "handlers.control")
                            // Longer than a machine that does much beside stands still: this writer goes on with its
                            // numbers.
                            .put(StreamWire.LEASE_MILLIS, 600_000));
                    readers.add(asked.body().getString(StreamWire.ADDRESS));
                })
                .completion());
        Waiting.result(vertx.eventBus()
                .<JsonObject>consumer("handlers.control", said -> {
                    if (said.body().getBoolean(StreamWire.CLOSE, false)) {
                        closed.add(said.body().getString(StreamWire.STREAM));
                    }
                    if (gone) {
                        said.fail(BadQueryException.GONE, "there is no such stream here any more; open another");
                    } else if (said.replyAddress() != null) {
                        renewals.incrementAndGet();
                        JsonObject reply = StreamWire.reply();
                        said.reply(
                                sent == 0
                                        ? reply
                                        : reply.put(StreamWire.EPOCH, 1).put(StreamWire.SENT, sent));
                    }
                })
                .completion());
    }

    @AfterEach
    void close() {
        Waiting.result(vertx.close());
    }

    @Test
    void aStreamWhoseExceptionHandlerThrowsIsOpenedAnewAllTheSame() {
        StatusStream stream = new StatusStream(vertx, new JsonObject());
        stream.exceptionHandler(trouble -> {
            throw new IllegalStateException("planted", trouble);
        });
        stream.handler(told::add);
        await().atMost(LONG).until(() -> renewals.get() > 0);
        int before = readers.size();
        gone = true;
        await().atMost(LONG).until(() -> readers.size() > before);
        assertThat(unhandled).extracting(Throwable::getMessage).containsOnly("planted");
        stream.handler(null);
    }

    @Test
    void S16_theStreamOfAVerticleThatIsUndeployedEndsAndIsClosedAtTheWriter() {
        AtomicInteger ends = new AtomicInteger();
        String deployed = Waiting.result(vertx.deployVerticle(new VerticleBase() {
            @Override
            public Future<?> start() {
                new StatusStream(vertx, new JsonObject())
                        .endHandler(ended -> ends.incrementAndGet())
                        .handler(told::add);
                return Future.succeededFuture();
            }
        }));
        await().atMost(LONG).until(() -> renewals.get() > 0);
        Waiting.result(vertx.undeploy(deployed));
        await().atMost(LONG).until(() -> ends.get() == 1 && closed.equals(List.of("of bob")));
        assertThat(unhandled).isEmpty();
    }

    @Test
    void aStreamWhoseHandlerThrowsTellsWhatComesNext() {
        // By its clock there is never a silence, after which it would tell the last status once more.
        StatusStream stream = new StatusStream(vertx, new JsonObject(), new ManualTicker(Fixtures.NOW));
        stream.handler(status -> {
            told.add(status);
            throw new IllegalStateException("planted");
        });
        await().atMost(LONG).until(() -> renewals.get() > 0);
        for (int version = 1; version <= 3; version++) {
            int so = version;
            tell(version);
            await().atMost(LONG).until(() -> told.size() == so);
        }
        await().atMost(LONG).until(() -> unhandled.size() == 3);
        assertThat(unhandled).extracting(Throwable::getMessage).containsOnly("planted");
        stream.handler(null);
    }

    @Test
    void D7_aStreamThatWasPausedIsNotToldWhatWasSoBeforeASilence() {
        saysHowFar = true;
        HandTimers timers = new HandTimers(vertx);
        ManualTicker ticker = new ManualTicker(Fixtures.NOW);
        Context loop = vertx.getOrCreateContext();
        StatusStream stream = Turns.on(loop, () -> new StatusStream(timers.vertx(), new JsonObject(), ticker));
        stream.pause().handler(told::add);
        await().atMost(LONG).until(() -> readers.size() == 1);
        settle(loop);
        stream.fetch(1);
        tell(1);
        await().atMost(LONG).until(() -> told.size() == 1);
        tell(2);
        settle(loop);

        ticker.advance(ClusterFeed.UP_FOR.plusMillis(1));
        stream.resume();
        settle(loop);
        assertThat(told).as("the silence lasts").hasSize(1);
        tell(3);
        settle(loop);
        assertThat(told).hasSize(1);
        var unused = Turns.on(loop, () -> {
            timers.goOff();
            return true;
        });
        await().atMost(LONG).until(() -> told.size() == 2);
        assertThat(requireNonNull(told.get(1).nodes().get(0).snapshot()).version())
                .isEqualTo(3);
        assertThat(unhandled).isEmpty();
        stream.handler(null);
    }

    private void settle(Context loop) {
        for (int i = 0; i < 5; i++) {
            Waiting.result(vertx.eventBus().request("handlers.control", new JsonObject()));
            var unused = Turns.on(loop, () -> true);
            Waiting.result(vertx.executeBlocking(() -> null));
        }
    }

    private void tell(long version) {
        NodeStatus row = new NodeStatus(
                BOB,
                NodeState.UP,
                Duration.ZERO,
                null,
                null,
                Fixtures.snapshot(BOB, version, Fixtures.context(1, "global")));
        for (StreamFrame frame : outbox.tell(new ClusterStatus(Fixtures.NOW, "bob", List.of(row)))) {
            sent = saysHowFar ? frame.sequence() : 0;
            vertx.eventBus().send(readers.get(0), Buffer.buffer(frame.body()), StreamWire.headers("of bob", frame));
        }
    }
}
