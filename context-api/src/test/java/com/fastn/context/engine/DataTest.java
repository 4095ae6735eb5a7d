package com.fastn.context.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fastn.context.FastnContext;
import com.fastn.context.status.MetricValue;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Data, metrics and settings of a context. */
class DataTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @RegisterExtension
    final TestTree tree = new TestTree();

    static Stream<Arguments> values() throws Exception {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("list", Arrays.asList("a", 1, null));
        map.put("empty", Map.of());
        return Stream.of(
                Arguments.of("text", "\"text\""),
                Arguments.of(true, "true"),
                Arguments.of(null, "null"),
                Arguments.of((byte) 1, "1"),
                Arguments.of((short) 2, "2"),
                Arguments.of(3, "3"),
                Arguments.of((1L << 53) + 1, "9007199254740993"),
                Arguments.of(new AtomicInteger(4), "4"),
                Arguments.of(new AtomicLong(5), "5"),
                Arguments.of(1.5f, "1.5"),
                Arguments.of(-0.25, "-0.25"),
                Arguments.of(new BigInteger("123456789012345678901234567890"), "123456789012345678901234567890"),
                Arguments.of(new BigDecimal("1.25"), "1.25"),
                Arguments.of(List.of(), "[]"),
                Arguments.of(map, "{\"list\":[\"a\",1,null],\"empty\":{}}"),
                Arguments.of(JSON.readTree("{\"a\":[1,2.5,true,null,\"x\"]}"), "{\"a\":[1,2.5,true,null,\"x\"]}"));
    }

    @ParameterizedTest
    @MethodSource("values")
    void whatJsonCanSayIsStored(@Nullable Object value, String json) {
        FastnContext context =
                tree.root.child("context").withData("built", value).open();
        context.setData("set", value);

        assertThat(context.getData("set")).hasToString(json);
        assertThat(context.getData("built")).hasToString(json);
        assertThat(context.subtreeStatus().globalContext().data()).containsOnlyKeys("built", "set");
    }

    static Stream<Arguments> refused() {
        List<Object> itself = new ArrayList<>();
        itself.add(itself);
        Map<Object, Object> numbered = new HashMap<>();
        numbered.put(1, "one");
        return Stream.of(
                Arguments.of(new Object(), "data \"key\" is a java.lang.Object, which is no JSON value"),
                Arguments.of('c', "data \"key\" is a java.lang.Character"),
                Arguments.of(Thread.State.NEW, "java.lang.Thread$State"),
                Arguments.of(new byte[] {1}, "data \"key\" is a [B"),
                Arguments.of(Duration.ZERO, "java.time.Duration"),
                Arguments.of(List.of(Map.of("inner", new Object())), "data \"key.inner\" is a java.lang.Object"),
                Arguments.of(numbered, "data \"key\" has a map key that is no String: java.lang.Integer"),
                Arguments.of(Double.NaN, "data \"key\" is NaN, which JSON cannot say"),
                Arguments.of(Float.NEGATIVE_INFINITY, "data \"key\" is -Infinity, which JSON cannot say"),
                Arguments.of(JsonNodeFactory.instance.pojoNode(new Object()), "POJONode"),
                Arguments.of(JsonNodeFactory.instance.binaryNode(new byte[1]), "BinaryNode"),
                Arguments.of(itself, "nested deeper than 64 levels (does it contain itself?)"));
    }

    @ParameterizedTest
    @MethodSource("refused")
    void whatJsonCannotSayIsRefusedWithTheReason(Object value, String reason) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> tree.root.setData("key", value))
                .withMessageContaining(reason);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> tree.root.child("child").withData("key", value))
                .withMessageContaining(reason);
        assertThat(tree.root.getData("key")).isNull();
    }

    @Test
    void aStoredValueIsACopy() {
        List<Object> list = new ArrayList<>(List.of("a"));
        tree.root.setData("list", list);
        list.add("b");

        assertThat(tree.root.getData("list")).hasToString("[\"a\"]");
    }

    @Test
    void theLastValueOfAKeyWinsAndTheOrderStays() {
        tree.root.setData("b", 1);
        tree.root.setData("a", 2);
        tree.root.setData("b", 3);

        assertThat(tree.runtime.status().globalContext().data()).hasToString("{b=3, a=2}");
    }

    @Test
    void aStoredNullIsNotNothing() {
        tree.root.setData("key", null);

        assertThat(tree.root.getData("key")).isEqualTo(NullNode.getInstance());
        assertThat(tree.root.getData("other")).isNull();
    }

    @Test
    void theFiveKindsOfMetricsAreShownInTheirOrder() {
        FastnContext context = tree.root
                .child("context")
                .withMetric("requests", 45)
                .withMetric("load", 0.5)
                .withMetric("age", Duration.ofSeconds(3))
                .withMetric("phase", "warm-up")
                .withMetric("processed", MetricValue.bytes(15_200_000))
                .open();
        assertThat(context.subtreeStatus().globalContext().metrics())
                .containsExactly(
                        Map.entry("requests", MetricValue.counter(45)),
                        Map.entry("load", MetricValue.gauge(0.5)),
                        Map.entry("age", MetricValue.duration(Duration.ofSeconds(3))),
                        Map.entry("phase", MetricValue.text("warm-up")),
                        Map.entry("processed", MetricValue.bytes(15_200_000)));

        context.addMetric("requests", 46);
        context.addMetric("load", 0.75);
        context.addMetric("age", Duration.ofSeconds(4));
        context.addMetric("phase", "steady");
        context.addMetric("processed", MetricValue.bytes(1));
        assertThat(context.subtreeStatus().globalContext().metrics())
                .containsExactly(
                        Map.entry("requests", MetricValue.counter(46)),
                        Map.entry("load", MetricValue.gauge(0.75)),
                        Map.entry("age", MetricValue.duration(Duration.ofSeconds(4))),
                        Map.entry("phase", MetricValue.text("steady")),
                        Map.entry("processed", MetricValue.bytes(1)));
    }

    @Test
    void settingsAreInheritedAndTheNearestWins() {
        FastnContext service =
                tree.root.child("service").withSetting("colour", "blue").open();
        FastnContext session = tree.open(service, "session");
        FastnContext request = session.child("request")
                .withSetting("colour", "red")
                .withSetting("size", 3)
                .open();
        FastnContext step = tree.open(request, "step");

        assertThat(session.setting("colour")).isEqualTo("blue");
        assertThat(step.setting("colour")).isEqualTo("red");
        assertThat(step.setting("size")).isEqualTo(3);
        assertThat(session.setting("size")).isNull();
        assertThat(tree.root.setting("colour")).isNull();
    }

    @Test
    void aSettingMayBeSetLaterAndTakenBack() {
        FastnContext service =
                tree.root.child("service").withSetting("colour", "blue").open();
        FastnContext session = tree.open(service, "session");
        session.setSetting("colour", "red");
        assertThat(session.setting("colour")).isEqualTo("red");
        assertThat(service.setting("colour")).isEqualTo("blue");

        session.setSetting("colour", null);
        assertThat(session.setting("colour")).isEqualTo("blue");
    }

    @Test
    void aSettingIsFoundInAnAncestorThatHasEnded() {
        FastnContext service =
                tree.root.child("service").withSetting("colour", "blue").open();
        FastnContext session = tree.open(service, "session");
        service.close();

        assertThat(session.setting("colour")).isEqualTo("blue");
    }
}
