package com.fastn.status;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fastn.context.status.LockType;
import com.fastn.context.status.NodeIdentity;
import com.fastn.context.status.NodeWaits;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NodeWaitsJsonTest {
    private static final List<NodeWaits.Kind> KINDS = List.of(NodeWaits.Kind.values());
    private static final List<LockType> TYPES = List.of(LockType.values());

    private static NodeWaits waits(int resources) {
        List<NodeWaits.Resource> all = new ArrayList<>();
        List<NodeWaits.Member> members = new ArrayList<>();
        for (int i = 0; i < resources; i++) {
            members.add(new NodeWaits.Member(i, "global.task-" + i, "task " + i, "task-" + i, i % 2 == 0));
            all.add(new NodeWaits.Resource(
                    KINDS.get(i % 3),
                    "key-" + i,
                    "lock \"" + i + "\"",
                    i,
                    TYPES.get(i % 3),
                    i + 1,
                    List.of(new NodeWaits.Hold(2L * i, i, 1, Duration.ofMillis(i), i % 2 == 0)),
                    List.of(new NodeWaits.Wait(
                            2L * i + 1,
                            i,
                            1,
                            Duration.ofMillis(i),
                            i % 2 == 0 ? null : Duration.ofSeconds(i),
                            List.of(2L * i, (1L << 53) + 1)))));
        }
        return new NodeWaits(new NodeIdentity("alice", "alice-1"), all, members, false, List.of("key-1", "a \"lock\""));
    }

    @Test
    void whatIsWrittenIsReadAgain() {
        NodeWaits told = waits(12);
        assertThat(NodeWaitsJson.read(NodeWaitsJson.write(told).toBuffer())).isEqualTo(told);
    }

    @Test
    void S13_whatIsTooMuchIsCutAndThatIsSaid() {
        NodeWaits told = waits(5_000);
        Buffer written = NodeWaitsJson.write(told).toBuffer();
        assertThat(written.length()).isLessThanOrEqualTo(Answers.MOST_WIRE_BYTES);
        NodeWaits read = NodeWaitsJson.read(written);
        assertThat(read.cut()).isTrue();
        assertThat(read.resources())
                .isNotEmpty()
                .isEqualTo(told.resources().subList(0, read.resources().size()));
        assertThat(read.contexts()).hasSameSizeAs(read.resources());
    }

    private static NodeWaits holding(int locks) {
        NodeWaits told = waits(12);
        List<String> held = IntStream.range(0, locks)
                .mapToObj(i -> "order-" + (100_000 + i))
                .toList();
        return new NodeWaits(told.node(), told.resources(), told.contexts(), false, held);
    }

    @Test
    void D8_aNodeTellsOfThousandsOfLocksOfTheClusterThatItHolds() {
        NodeWaits told = holding(5_000);
        Buffer written = NodeWaitsJson.write(told).toBuffer();
        assertThat(written.length()).isLessThanOrEqualTo(Answers.MOST_WIRE_BYTES);
        assertThat(NodeWaitsJson.read(written)).isEqualTo(told);
    }

    @Test
    void S13_ofTooManyLocksOfTheClusterNoneIsToldWhichIsAnotherThingThanThatNoneIsHeld() {
        NodeWaits told = holding(20_000);
        Buffer written = NodeWaitsJson.write(told).toBuffer();
        assertThat(written.length()).isLessThanOrEqualTo(Answers.MOST_WIRE_BYTES);
        NodeWaits read = NodeWaitsJson.read(written);
        assertThat(read.sharedHeld()).isNull();
        assertThat(read.cut()).as("all who wait are told").isFalse();
        assertThat(read.resources()).isEqualTo(told.resources());
        assertThat(NodeWaitsJson.read(NodeWaitsJson.write(holding(0)).toBuffer())
                        .sharedHeld())
                .isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "[]",
                "7",
                "{}",
                "{\"node\":7}",
                "{\"schema\":9,\"min_schema\":9,\"node\":{\"alias\":\"a\",\"incarnation\":\"a\"}}",
                "{\"min_schema\":1,\"node\":{\"alias\":\"\",\"incarnation\":\"a\"}}",
                "{\"min_schema\":1,\"node\":{\"alias\":\"a\",\"incarnation\":\"a\"},\"resources\":[7]}",
                "{\"min_schema\":1,\"node\":{\"alias\":\"a\",\"incarnation\":\"a\"},\"contexts\":{}}",
                "{\"min_schema\":1,\"node\":{\"alias\":\"a\",\"incarnation\":\"a\"},\"shared_held\":[7]}",
                "{\"min_schema\":1,\"node\":{\"alias\":\"a\",\"incarnation\":\"a\"},\"shared_held\":\"all\"}"
            })
    void S15_whatIsNoAnswerIsRefused(String text) {
        assertThatThrownBy(() -> NodeWaitsJson.read(Buffer.buffer(text))).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void S15_whateverBytesComeTheyAreReadOrRefused() {
        Random random = new Random(7);
        byte[] good = NodeWaitsJson.write(waits(3)).toBuffer().getBytes();
        for (int i = 0; i < 20_000; i++) {
            byte[] bad = good.clone();
            for (int changes = 1 + random.nextInt(3); changes > 0; changes--) {
                bad[random.nextInt(bad.length)] = (byte) random.nextInt(128);
            }
            try {
                assertThat(NodeWaitsJson.read(Buffer.buffer(bad))).isNotNull();
            } catch (IllegalArgumentException refused) {
                assertThat(refused).hasMessageNotContaining("null");
            }
        }
    }

    @Test
    void S13_whatIsNestedWithoutEndIsRefused() {
        String deep = "{\"min_schema\":1,\"node\":" + "[".repeat(50_000);
        assertThatThrownBy(() -> NodeWaitsJson.read(Buffer.buffer(deep))).isInstanceOf(IllegalArgumentException.class);
        JsonObject numbers = NodeWaitsJson.write(waits(1));
        numbers.getJsonArray("resources")
                .getJsonObject(0)
                .put(
                        "holds",
                        new JsonArray()
                                .add(new JsonObject()
                                        .put("number", 1)
                                        .put("context_id", 1)
                                        .put("units", Long.MAX_VALUE)
                                        .put("held_ms", -1)));
        assertThatThrownBy(() -> NodeWaitsJson.read(numbers.toBuffer()))
                .hasMessageContaining("\"held_ms\" is no number from 0 on");
    }
}
