package com.fastn.status;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fastn.context.ManualTicker;
import com.fastn.context.vertx.FastnVertx;
import io.vertx.core.Context;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.WorkerExecutor;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class StreamServiceTest {
    private static final Duration LONG = Duration.ofSeconds(60);

    private final Vertx vertx = Vertx.vertx();

    @AfterEach
    void close() {
        Waiting.result(vertx.close());
    }

    @Test
    void D6_aReaderThatAsksForTheWholeOverAndOverIsToldItNowAndThen() {
        FastnVertx.install(vertx);
        Waiting.result(vertx.deployVerticle(
                new StatusVerticle(new StatusOptions().setHttp(false).setDescriptors(false))));
        Set<String> epochs = ConcurrentHashMap.newKeySet();
        String reader = StreamWire.READER_PREFIX + "greedy";
        vertx.eventBus()
                .<Buffer>consumer(reader, frame -> epochs.add(frame.headers().get("fastn-epoch")));
        JsonObject stream = ask("fastn.status.subscribe", new JsonObject().put(StreamWire.ADDRESS, reader));
        await().atMost(LONG).until(() -> epochs.contains("1"));

        long begun = System.nanoTime();
        JsonObject restart = new JsonObject()
                .put(StreamWire.STREAM, stream.getString(StreamWire.STREAM))
                .put(StreamWire.RESTART, true);
        for (int i = 0; i < 300; i++) {
            ask(stream.getString(StreamWire.CONTROL), restart);
        }
        // The first at once, and what was asked for too early later, without another word.
        await().atMost(LONG).until(() -> epochs.contains("3"));
        // Before the time is taken, after which another one may come.
        Set<String> told = Set.copyOf(epochs);
        long most = 2 + Duration.ofNanos(System.nanoTime() - begun).dividedBy(StreamService.RESTART_PACE);
        assertThat(told).contains("2").hasSizeLessThanOrEqualTo((int) most);
    }

    /** With the clock and the timers in hand: a session lasts for its lease, and for as long as it is renewed. */
    private final class ByHand {
        final ManualTicker ticker = new ManualTicker(Fixtures.NOW);
        final HandTimers timers = new HandTimers(vertx, ticker);
        final FastnVertx fastn = FastnVertx.install(vertx);
        final WorkerExecutor worker = vertx.createSharedWorkerExecutor("by-hand", 1);
        final LocalStatus local = new LocalStatus(fastn.runtime(), null, List.of());
        final NodeDirectory directory = new NodeDirectory(fastn.node(), 1, Duration.ofHours(1), ticker);
        final Watches watches = new Watches(timers.vertx(), worker, local, directory, new PeerBytes(ticker), ticker);
        final StreamService service = new StreamService(
                timers.vertx(), worker, fastn.node(), local, watches, ClusterTrust.of(vertx, true), ticker);
        final Context loop = vertx.getOrCreateContext();

        JsonObject open(String reader) {
            return open(reader, Map.of());
        }

        JsonObject open(String reader, Map<String, ?> part) {
            Map<String, Object> body = new HashMap<>(part);
            body.put(StreamWire.ADDRESS, StreamWire.READER_PREFIX + reader);
            return on(() -> service.open(body, false, true));
        }

        void renew(JsonObject stream) {
            on(() -> service.control(Map.of(StreamWire.STREAM, stream.getString(StreamWire.STREAM))));
        }

        void advance(Duration time) {
            ticker.advance(time);
            on(() -> {
                timers.goOff();
                return null;
            });
        }

        <T> T on(Supplier<T> step) {
            Promise<T> done = Promise.promise();
            loop.runOnContext(now -> {
                try {
                    done.complete(step.get());
                } catch (BadQueryException e) {
                    done.fail(e);
                }
            });
            return Waiting.result(done.future());
        }
    }

    @Test
    void D6_aStreamWhoseLeaseIsOverEndsAndOneThatIsRenewedDoesNot() {
        ByHand hand = new ByHand();
        JsonObject silent = hand.open("silent");
        JsonObject renewed = hand.open("renewed");
        assertThat(silent.getLong(StreamWire.LEASE_MILLIS)).isEqualTo(StreamService.LEASE.toMillis());
        hand.advance(StreamService.LEASE);
        hand.renew(renewed);
        assertThat(hand.service.count()).isEqualTo(2);

        hand.advance(Duration.ofMillis(1));
        assertThat(hand.service.count()).isEqualTo(1);
        assertThatThrownBy(() -> hand.renew(silent)).hasMessageContaining("there is no such stream here any more");
        hand.renew(renewed);

        hand.advance(StreamService.LEASE.plusMillis(1));
        assertThat(hand.service.count()).isZero();
        assertThat(hand.timers.count()).as("nobody watching: no timer").isZero();
    }

    @Test
    void S22_ofOneNodeSixtyFourPartsAreToldAtMostHoweverManyFollowEach() {
        ByHand hand = new ByHand();
        for (int i = 0; i < 64; i++) {
            hand.open("of part " + i, Map.of("path", "global.part-" + i));
        }
        Map<String, ?> more = Map.of("path", "global.more");
        assertThatThrownBy(() -> hand.open("too many", more))
                .hasMessageContaining("64 parts of this node's tree are told by streams already");
        assertThat(hand.service.count()).isEqualTo(64);

        hand.open("whole");
        hand.open("another reader of a part", Map.of("path", "global.part-7"));
        hand.open("of part 63", more);
        assertThatThrownBy(() -> hand.open("too many", Map.of("depth", 2))).hasMessageContaining("64 parts");
    }

    @Test
    void D6_whoOpensAStreamAnewBecauseTheAnswerCameTooLateLeavesNoneBehind() {
        ByHand hand = new ByHand();
        JsonObject late = hand.open("patient");
        for (int i = 0; i < 5; i++) {
            JsonObject next = hand.open("patient");
            assertThat(hand.service.count()).isEqualTo(1);
            JsonObject former = late;
            assertThatThrownBy(() -> hand.renew(former)).hasMessageContaining("there is no such stream here any more");
            hand.renew(next);
            late = next;
        }
        assertThat(hand.timers.count()).isPositive();
        hand.on(() -> {
            hand.service.stop();
            return null;
        });
        assertThat(hand.timers.count()).isZero();
    }

    private JsonObject ask(String address, JsonObject body) {
        return Waiting.result(vertx.eventBus().<JsonObject>request(address, body))
                .body();
    }
}
