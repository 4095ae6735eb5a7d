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
            isCheapAndRefused(name, StatusJson::readCluster, bomb);
        });
        for (String name : List.of("a long number", "a long text", "a long name", "many keys")) {
            assertThat(isRefusedCheaply(HostileDocumentsTest::unlimited, requireNonNull(bombs.get(name))))
                    .as("the check has to notice a reader without limits: %s", name)
                    .isFalse();
        }
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
        assertThat(isRefusedCheaply(bytes -> unlimited(unpacked(bytes)), bomb))
                .as("the check has to notice a reader that unpacks")
                .isFalse();
    }

    private static byte[] unpacked(byte[] bytes) {
        try (GZIPInputStream zip = new GZIPInputStream(new ByteArrayInputStream(bytes))) {
            return zip.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void S15_whatCannotBeIsClampedOrRefused() {
        String good = StatusJson.write(Seeds.snapshot());
        List<String> hostile = List.of(
                good.replaceFirst("\"duration_ms\":\\d+", "\"duration_ms\":-5000"),
                good.replaceFirst("\"last_activity_ms\":\\d+", "\"last_activity_ms\":-9223372036854775808"),
                good.replaceFirst("\"duration_ms\":\\d+", "\"duration_ms\":9223372036854775807"),
                good.replaceFirst("\"duration_ms\":\\d+", "\"duration_ms\":1e400"),
                good.replaceFirst("\"state\":\"active\"", "\"state\":\"undead\""),
                good.replaceFirst("\"kind\":\"root\"", "\"kind\":\"king\""),
                good.replaceFirst("\"timestamp\":\"[^\"]*\"", "\"timestamp\":\"tomorrow\""),
                good.replaceFirst("\"timestamp\":\"[^\"]*\"", "\"timestamp\":\"+999999999-12-31T23:59:59Z\""),
                good.replaceFirst("\"id\":1", "\"id\":null"),
                good.replaceFirst("\"children\":\\[", "\"children\":[null,"),
                good.replaceFirst("\"children\":\\[", "\"children\":[[],"),
                good.replaceFirst("\"min_schema\":1", "\"min_schema\":99"));
        assertThat(hostile.contains(good)).isFalse();
        for (int i = 0; i < hostile.size(); i++) {
            assertThat(isTamed(hostile.get(i), text -> StatusJson.write(StatusJson.readSnapshot(text))))
                    .as("document %d", i)
                    .isTrue();
        }
        UnaryOperator<String> believesEverything =
                text -> unlimited(text.getBytes(StandardCharsets.UTF_8)).toString();
        assertThat(isTamed(hostile.get(0), believesEverything))
                .as("the check has to notice a reader that believes everything")
                .isFalse();
    }

    private static boolean isTamed(String json, UnaryOperator<String> reader) {
        String read;
        try {
            read = reader.apply(json);
        } catch (StatusFormatException refused) {
            return true;
        }
        return !read.matches("(?s).*_ms\":-.*") && !read.contains("[null,");
    }
}
