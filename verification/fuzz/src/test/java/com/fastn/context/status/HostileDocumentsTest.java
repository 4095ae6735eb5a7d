package com.fastn.context.status;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Each check is run twice: with our reader, where it holds, and with one that has no limits, where it has to fail. */
class HostileDocumentsTest {
    private static final com.sun.management.ThreadMXBean THREADS =
            (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
    private static final long MOST_ALLOCATED = 8 << 20;
    private static final Duration LONGEST = Duration.ofMillis(50);

    private static final JsonMapper UNLIMITED = new JsonMapper(JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(Integer.MAX_VALUE)
                    .maxNumberLength(Integer.MAX_VALUE)
                    .maxStringLength(Integer.MAX_VALUE)
                    .maxNameLength(Integer.MAX_VALUE)
                    .build())
            .build());

    private static JsonNode unlimited(byte[] json) {
        try {
            return UNLIMITED.readTree(json);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Map<String, byte[]> bombs() {
        String good = StatusJson.write(Seeds.snapshot());
        Map<String, String> bombs = new LinkedHashMap<>();
        bombs.put("brackets", "[".repeat(1_000_000));
        bombs.put("braces", "{\"a\":".repeat(200_000));
        bombs.put("a depth bomb in a datum", inData(good, "[".repeat(100_000) + "]".repeat(100_000)));
        bombs.put("a long number", inData(good, "1".repeat(100_000)));
        bombs.put("a long fraction", inData(good, "0." + "1".repeat(100_000)));
        bombs.put("a long text", inData(good, "\"" + "x".repeat(1_000_000) + "\""));
        bombs.put("a long name", good.replace("\"version\"", "\"" + "x".repeat(1_000_000) + "\":1,\"version\""));
        bombs.put(
                "many keys",
                inData(
                        good,
                        IntStream.range(0, 300_000)
                                .mapToObj(i -> "\"" + i + "\":1")
                                .collect(Collectors.joining(",", "{", "}"))));
        bombs.put("keys of one hash", inData(good, collisions()));
        bombs.put("no number", inData(good, "NaN"));
        bombs.put("a document of four megabytes", good.replace("\"alice\"", "\"" + "y".repeat(4_000_000) + "\""));
        Map<String, byte[]> bytes = new LinkedHashMap<>();
        bombs.forEach((name, bomb) -> bytes.put(name, bomb.getBytes(StandardCharsets.UTF_8)));
        return bytes;
    }

    private static String inData(String good, String value) {
        String with = good.replaceFirst("\"data\":\\{", "\"data\":{\"x\":" + value + ",");
        assertThat(with).hasSizeGreaterThan(good.length());
        return with.replace(",}", "}");
    }

    /** "Aa" and "BB" have the same hash, and so has whatever is made of them. */
    private static String collisions() {
        List<String> names = new ArrayList<>(List.of(""));
        for (int i = 0; i < 15; i++) {
            names = names.stream()
                    .flatMap(name -> java.util.stream.Stream.of(name + "Aa", name + "BB"))
                    .toList();
        }
        return names.stream().map(name -> "\"" + name + "\":1").collect(Collectors.joining(",", "{", "}"));
    }

    @Test
    void S13_aBombIsRefusedBeforeItCostsMuch() {
        Map<String, byte[]> bombs = bombs();
        bombs.forEach((name, bomb) -> {
            isCheapAndRefused(name, StatusJson::readSnapshot, bomb);
            isCheapAndRefused(name + ", in a cluster", StatusJson::readCluster, inCluster(bomb));
        });
        for (String name : List.of("a long number", "a long text", "a long name", "many keys")) {
            assertThat(isRefusedCheaply(HostileDocumentsTest::unlimited, requireNonNull(bombs.get(name))))
                    .as("the check has to notice a reader without limits: %s", name)
                    .isFalse();
        }
        for (String name : List.of("many keys", "a document of four megabytes")) {
            byte[] bomb = requireNonNull(bombs.get(name));
            assertThatThrownBy(() -> isCheapAndRefused(name, HostileDocumentsTest::refusedTooLate, bomb))
                    .as("the check has to notice a reader that reads all of it first: %s", name)
                    .isInstanceOf(AssertionError.class)
                    .hasMessageContaining("to be less than");
        }
        assertThat(StatusJson.readCluster(
                                inCluster(StatusJson.write(Seeds.snapshot()).getBytes(StandardCharsets.UTF_8)))
                        .nodes())
                .as("what is no bomb is read in a cluster")
                .hasSize(1);
    }

    private static Object refusedTooLate(byte[] json) {
        JsonNode all = unlimited(json);
        throw new StatusFormatException(
                StatusFormatException.Kind.TOO_LARGE, "document", "it has " + all.size() + " keys", "ask for less");
    }

    private static byte[] inCluster(byte[] snapshot) {
        String cluster =
                "{\"kind\":\"cluster_status\",\"schema\":1,\"min_schema\":1,\"timestamp\":\"2026-01-01T00:00:00Z\","
                        + "\"answered_by\":\"a\",\"nodes\":[{\"node\":{\"alias\":\"a\",\"incarnation\":\"i\"},\"state\":\"up\",\"status\":"
                        + new String(snapshot, StandardCharsets.UTF_8) + "}]}";
        return cluster.getBytes(StandardCharsets.UTF_8);
    }

    private static void isCheapAndRefused(String name, Function<byte[], Object> reader, byte[] bomb) {
        // Once for the classes that it loads.
        assertThatThrownBy(() -> reader.apply(bomb)).as(name).isInstanceOf(StatusFormatException.class);
        long before = allocated();
        assertThatThrownBy(() -> reader.apply(bomb)).as(name).isInstanceOf(StatusFormatException.class);
        assertThat(allocated() - before).as(name).isLessThan(MOST_ALLOCATED);
        assertThat(shortest(reader, bomb)).as(name).isLessThanOrEqualTo(LONGEST);
    }

    /**
     * The machine of a test is busy, so it is the time of the processor that counts, and the best of some tries; what a bomb
     * costs, it costs in all of them.
     */
    private static Duration shortest(Function<byte[], Object> reader, byte[] bomb) {
        Duration shortest = Duration.ofDays(1);
        for (int i = 0; i < 20 && shortest.compareTo(LONGEST) > 0; i++) {
            long began = THREADS.getCurrentThreadCpuTime();
            try {
                Object unused = reader.apply(bomb);
            } catch (StatusFormatException e) {
                // As it should be.
            }
            Duration took = Duration.ofNanos(THREADS.getCurrentThreadCpuTime() - began);
            shortest = took.compareTo(shortest) < 0 ? took : shortest;
        }
        return shortest;
    }

    private static boolean isRefusedCheaply(Function<byte[], Object> reader, byte[] bomb) {
        try {
            isCheapAndRefused("a bomb", reader, bomb);
            return true;
        } catch (AssertionError e) {
            return false;
        }
    }

    private static long allocated() {
        return THREADS.getCurrentThreadAllocatedBytes();
    }

    @Test
    void S14_whatIsCompressedIsNotUnpacked() throws IOException {
        ByteArrayOutputStream packed = new ByteArrayOutputStream();
        try (GZIPOutputStream zip = new GZIPOutputStream(packed)) {
            for (int i = 0; i < 64; i++) {
                zip.write(new byte[1 << 20]);
            }
        }
        byte[] bomb = packed.toByteArray();
        isCheapAndRefused("a zip bomb", StatusJson::readSnapshot, bomb);
        // It refuses what it finds inside, so that nothing but what it costs is wrong with it.
        assertThatThrownBy(
                        () -> isCheapAndRefused("a zip bomb", bytes -> StatusJson.readSnapshot(unpacked(bytes)), bomb))
                .as("the check has to notice a reader that unpacks")
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("to be less than");
    }

    private static byte[] unpacked(byte[] bytes) {
        try (GZIPInputStream zip = new GZIPInputStream(new ByteArrayInputStream(bytes))) {
            return zip.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A document that cannot be true, and what has to become of it. */
    private record Hostile(String json, @Nullable String clamped, String expected) {
        /** It is refused, and the sentence has these words. */
        static Hostile refused(String json, String words) {
            return new Hostile(json, null, words);
        }

        /** It is read, and has this value there. */
        static Hostile clamped(String json, String pointer, String value) {
            return new Hostile(json, pointer, value);
        }
    }

    private static List<Hostile> hostile(String good) {
        String root = "/global_context/";
        // The longest time that a long holds in nanoseconds.
        String longest = "9223372036854";
        String duration = "\"duration_ms\":\\d+";
        String timestamp = "\"timestamp\":\"[^\"]*\"";
        return List.of(
                Hostile.clamped(good.replaceFirst(duration, "\"duration_ms\":-5000"), root + "duration_ms", "0"),
                Hostile.clamped(
                        good.replaceFirst(duration, "\"duration_ms\":9223372036854775807"),
                        root + "duration_ms",
                        longest),
                Hostile.clamped(good.replaceFirst(duration, "\"duration_ms\":1e400"), root + "duration_ms", longest),
                Hostile.clamped(
                        good.replaceFirst("\"last_activity_ms\":\\d+", "\"last_activity_ms\":-9223372036854775808"),
                        root + "last_activity_ms",
                        "0"),
                Hostile.clamped(good.replaceFirst("\"kind\":\"root\"", "\"kind\":\"king\""), root + "kind", "other"),
                Hostile.clamped(
                        good.replaceFirst("\"folded_children\":0", "\"folded_children\":-7"),
                        root + "children/0/folded_children",
                        "0"),
                Hostile.clamped(good.replaceFirst("\"waiters\":1", "\"waiters\":-1"), "/active_locks/0/waiters", "0"),
                Hostile.refused(
                        good.replaceFirst("\"state\":\"active\"", "\"state\":\"undead\""),
                        "state is undead, which is not known"),
                Hostile.refused(
                        good.replaceFirst(timestamp, "\"timestamp\":\"tomorrow\""),
                        "timestamp is tomorrow, which is no RFC 3339 time"),
                Hostile.refused(
                        good.replaceFirst(timestamp, "\"timestamp\":\"+999999999-12-31T23:59:59Z\""),
                        "which is no RFC 3339 time"),
                Hostile.refused(
                        good.replaceFirst(timestamp, "\"timestamp\":\"-999999999-01-01T00:00:00Z\""),
                        "which is no RFC 3339 time"),
                Hostile.refused(good.replaceFirst("\"id\":1", "\"id\":null"), "id is not an integer"),
                Hostile.refused(
                        good.replaceFirst("\"children\":\\[", "\"children\":[null,"), "a child is not an object"),
                Hostile.refused(good.replaceFirst("\"children\":\\[", "\"children\":[[],"), "a child is not an object"),
                Hostile.refused(
                        good.replaceFirst("\"min_schema\":1", "\"min_schema\":99"),
                        "it wants a newer reader than schema 1"));
    }

    @Test
    void S15_whatCannotBeIsClampedOrRefused() {
        String good = StatusJson.write(Seeds.snapshot());
        UnaryOperator<String> believesEverything =
                text -> unlimited(text.getBytes(StandardCharsets.UTF_8)).toString();
        for (Hostile document : hostile(good)) {
            assertThat(document.json()).as("it differs").isNotEqualTo(good);
            isTamed(document, text -> StatusJson.write(StatusJson.readSnapshot(text)));
            assertThatThrownBy(() -> isTamed(document, believesEverything))
                    .as("the check has to notice a reader that believes everything: %s", document)
                    .isInstanceOf(AssertionError.class);
        }
    }

    private static void isTamed(Hostile document, UnaryOperator<String> reader) {
        String read;
        try {
            read = reader.apply(document.json());
        } catch (StatusFormatException refused) {
            assertThat(document.clamped())
                    .as("refused, and it can be read: %s", refused)
                    .isNull();
            assertThat(refused).hasMessageContaining(document.expected());
            return;
        }
        assertThat(document.clamped()).as("believed: %s", read).isNotNull();
        assertThat(unlimited(read.getBytes(StandardCharsets.UTF_8))
                        .at(requireNonNull(document.clamped()))
                        .asText())
                .as(document.json())
                .isEqualTo(document.expected());
    }
}
