package com.fastn.status;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.fastn.context.status.NodeWaits;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.DecodeException;
import io.vertx.core.json.JsonObject;

/** What nodes say to each other over the event bus, where anybody may say it (rule S15). */
class BusWordsFuzzTest {
    @FuzzTest
    void aHelloOrWhatANodeWaitsForIsReadOrRefused(byte[] body) {
        try {
            Hello hello = Hello.of(new JsonObject(Buffer.buffer(body)).getMap());
            assertThat(hello.bootedMillis()).isNotNegative();
            assertThat(Hello.of(hello.toMap())).isEqualTo(hello);
        } catch (IllegalArgumentException | DecodeException refused) {
            // As it should.
        }
        try {
            NodeWaits waits = NodeWaitsJson.read(Buffer.buffer(body));
            assertThat(NodeWaitsJson.read(NodeWaitsJson.write(waits).toBuffer()).node())
                    .isEqualTo(waits.node());
        } catch (IllegalArgumentException refused) {
            // As it should.
        }
    }
}
