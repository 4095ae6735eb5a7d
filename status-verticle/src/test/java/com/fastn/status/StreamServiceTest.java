package com.fastn.status;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fastn.context.vertx.FastnVertx;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class StreamServiceTest {
    private static final Duration LONG = Duration.ofSeconds(30);

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
        long most = 2 + Duration.ofNanos(System.nanoTime() - begun).dividedBy(StreamService.RESTART_PACE);
        assertThat(epochs).contains("2").hasSizeLessThanOrEqualTo((int) most);
    }

    private JsonObject ask(String address, JsonObject body) {
        return Waiting.result(vertx.eventBus().<JsonObject>request(address, body))
                .body();
    }
}
