package com.fastn.context.engine;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fastn.context.FastnContext;
import com.fastn.context.status.MetricValue;
import com.fastn.context.status.StatusJson;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
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

    @Test
    @Timeout(60) // four million elements otherwise
    void aValueThatRepeatsItselfIsCutAndTheRestIsCounted() {
        Object nested = List.of("leaf");
        for (int i = 0; i < 22; i++) {
            nested = List.of(nested, nested);
        }
        tree.root.setData("twice", nested);

        assertThat(elements(value("twice"))).isLessThan(PlainValues.MOST_ELEMENTS + 100);
        assertThat(json("twice").toString()).contains("\"leaf\"").contains("(+1 more)");
        assertCutOnce();
    }

    @Test
    void whatIsBeyondTheElementsOfAValueIsCutAndCounted() {
        tree.root.setData("list", Collections.nCopies(PlainValues.MOST_ELEMENTS, 1));
        tree.root.setData("json", JSON.valueToTree(Collections.nCopies(PlainValues.MOST_ELEMENTS, 1)));
        assertThat(tree.runtime.misuses()).isEmpty();
        assertThat(tree.root.getData("list")).hasSize(PlainValues.MOST_ELEMENTS);

        tree.root.setData("list", Collections.nCopies(PlainValues.MOST_ELEMENTS + 5, 1));
        assertThat(tree.root.getData("list")).hasSize(PlainValues.MOST_ELEMENTS + 1);
        assertThat(json("list").get(PlainValues.MOST_ELEMENTS)).hasToString("\"(+5 more)\"");
        assertCutOnce();

        Map<String, Object> map = new LinkedHashMap<>();
        for (int i = 0; i < PlainValues.MOST_ELEMENTS + 7; i++) {
            map.put("k" + i, i);
        }
        tree.root.setData("map", map);
        tree.root.setData("json", JSON.valueToTree(map));
        for (String key : List.of("map", "json")) {
            assertThat(tree.root.getData(key)).hasSize(PlainValues.MOST_ELEMENTS + 1);
            assertThat(json(key).get(PlainValues.MORE).asInt()).isEqualTo(7);
        }
    }

    @Test
    void whatIsBeyondTheTextOfAValueIsCutAndCounted() {
        int most = PlainValues.MOST_CHARACTERS;
        tree.root.setData("text", "x".repeat(most));
        tree.root.setData("short", List.of("a", "b"));
        assertThat(tree.runtime.misuses()).isEmpty();
        assertThat(value("text")).isEqualTo("x".repeat(most));

        tree.root.setData("text", "x".repeat(most - 1) + "\ud83d\ude00" + "y".repeat(10));
        assertThat(value("text")).isEqualTo("x".repeat(most - 1) + "(+12 more characters)");
        assertCutOnce();

        tree.root.setData("list", List.of("x".repeat(most - 2), "abcd", "e", "f"));
        assertThat(value("list")).isEqualTo(List.of("x".repeat(most - 2), "ab(+2 more characters)", "(+2 more)"));
        tree.root.setData("map", Map.of("k".repeat(10_000_000), 1));
        assertThat(value("map")).isEqualTo(Map.of(PlainValues.MORE, 1L));

        tree.root.addMetric("text", "x".repeat(10_000_000));
        assertThat(tree.runtime.status().globalContext().metrics().get("text"))
                .hasToString("Text[value=" + "x".repeat(most) + "(+" + (10_000_000 - most) + " more characters)]");
    }

    @Test
    void aCutValueIsReadAgainFromItsJson() throws Exception {
        tree.root.setData("text", "x".repeat(1_000_000));
        tree.root.setData("number", BigInteger.ONE.shiftLeft(PlainValues.MOST_BITS - 1));
        var back = StatusJson.readSnapshot(StatusJson.write(tree.runtime.status()));

        assertThat(back.globalContext().data().get("text")).isEqualTo(value("text"));
        assertThat(back.globalContext().data().get("number"))
                .hasToString(BigInteger.ONE.shiftLeft(PlainValues.MOST_BITS - 1).toString());
    }

    @Test
    @Timeout(60) // to write the digits of this one takes long
    void aNumberIsKeptExactlyOrItsSizeIsSaid() {
        BigInteger large = BigInteger.ONE.shiftLeft(4_000_000);
        tree.root.setData("large", large);
        tree.root.setData("long", new BigDecimal(large, 3));
        tree.root.setData("far", new BigDecimal(BigInteger.ONE, -2_000_000_000));
        assertThat(value("large")).isEqualTo("(an integer of 4000001 bits)");
        assertThat(value("long")).isEqualTo("(a decimal number of 4000001 bits with scale 3)");
        assertThat(value("far")).isEqualTo("(a decimal number of 1 bits with scale -2000000000)");
        assertCutOnce();

        List<BigInteger> many = Collections.nCopies(9_000, BigInteger.ONE.shiftLeft(PlainValues.MOST_BITS - 1));
        tree.root.setData("many", many);
        assertThat(json("many").toString().length()).isLessThan(4 * PlainValues.MOST_CHARACTERS);
    }

    @Test
    void whatIsKeptOfANumberIsNoCodeOfTheUser() {
        class Odd extends BigInteger {
            private static final long serialVersionUID = 1;

            Odd() {
                super("17");
            }

            @Override
            public boolean equals(Object other) {
                throw new AssertionError("called under a monitor");
            }

            @Override
            public int hashCode() {
                return 0;
            }
        }
        class OddDecimal extends BigDecimal {
            private static final long serialVersionUID = 1;

            OddDecimal() {
                super("1.50");
            }

            @Override
            public boolean equals(Object other) {
                throw new AssertionError("called under a monitor");
            }

            @Override
            public int hashCode() {
                return 0;
            }
        }
        for (int i = 0; i < 2; i++) {
            tree.root.setData("integer", new Odd());
            tree.root.setData("decimal", new OddDecimal());
        }
        assertThat(value("integer")).isExactlyInstanceOf(BigInteger.class).isEqualTo(new BigInteger("17"));
        assertThat(value("decimal")).isExactlyInstanceOf(BigDecimal.class).isEqualTo(new BigDecimal("1.50"));
    }

    @Test
    void aContextKeepsSoManyKeysAndCountsTheOthers() {
        ContextNode context = tree.open("context");
        int most = NodeExtras.MOST_KEYS;
        var builder = tree.root.child("built");
        for (int i = 0; i < most + 3; i++) {
            context.setData("k" + i, i);
            context.addMetric("k" + i, i);
            context.setSetting("k" + i, i);
            builder.withData("k" + i, i).withMetric("k" + i, i).withSetting("k" + i, i);
        }
        FastnContext built = builder.open();
        for (FastnContext each : List.of(context, built)) {
            var status = each.subtreeStatus().globalContext();
            assertThat(status.data()).hasSize(most);
            assertThat(status.metrics()).hasSize(most);
            assertThat(each.setting("k" + (most - 1))).isEqualTo(most - 1);
            assertThat(each.setting("k" + most)).isNull();
            assertThat(each.getData("k" + most)).isNull();
        }
        assertThat(tree.runtime.misuses())
                .singleElement()
                .asString()
                .startsWith("18x a context was given more than 2000 data keys, metrics or settings");

        // What is there may still change, and what is taken away leaves room.
        context.setData("k0", "new");
        assertThat(context.getData("k0")).hasToString("\"new\"");
        context.setSetting("k0", null);
        context.setSetting("k" + most, "new");
        assertThat(context.setting("k" + most)).isEqualTo("new");
    }

    @Test
    void M6_theKeyOfASettingIsMadeSafeToo() {
        String huge = "k".repeat(10_000_000);
        FastnContext context = tree.root.child("context").withSetting(huge, 1).open();
        assertThat(context.setting(huge)).isEqualTo(1);
        assertThat(((ContextNode) context).ownSettings("k").keySet())
                .singleElement()
                .satisfies(key -> assertThat(key).hasSizeLessThan(300));
        context.setSetting(huge, 2);
        assertThat(context.setting(huge)).isEqualTo(2);
    }

    @Test
    void anErrorAboutAHugeKeyIsShort() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> tree.root.setData("k".repeat(10_000_000), new Object()))
                .satisfies(e -> assertThat(e.getMessage()).hasSizeLessThan(1_000));
    }

    private JsonNode json(String key) {
        return requireNonNull(tree.root.getData(key));
    }

    private @Nullable Object value(String key) {
        return tree.runtime.status().globalContext().data().get(key);
    }

    private static int elements(@Nullable Object value) {
        int number = 0;
        if (value instanceof List<?> list) {
            for (Object element : list) {
                number += 1 + elements(element);
            }
        }
        return number;
    }

    private void assertCutOnce() {
        assertThat(tree.runtime.misuses())
                .singleElement()
                .asString()
                .contains("x a datum or metric was larger than 10000 elements, 60000 characters");
    }
}
