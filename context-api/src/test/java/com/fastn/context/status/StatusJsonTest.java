package com.fastn.context.status;

import static com.fastn.context.Golden.golden;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class StatusJsonTest {
    @Test
    void theFormIsThatOfTheGoldenFile() {
        golden("seed-4-system.json").matches(StatusJson.writePretty(Scenes.system()));
        golden("recent.json").matches(StatusJson.writePretty(Scenes.recent()));
        golden("cluster.json").matches(StatusJson.writePretty(Scenes.cluster()));
    }

    @Test
    void whatIsWrittenIsRead() {
        for (StatusSnapshot scene :
                List.of(Scenes.briefTree(), Scenes.locks(), Scenes.counters(), Scenes.system(), Scenes.recent())) {
            assertThat(StatusJson.readSnapshot(StatusJson.write(scene))).isEqualTo(scene);
            assertThat(StatusJson.readSnapshot(StatusJson.writePretty(scene))).isEqualTo(scene);
        }
        ClusterStatus cluster = Scenes.cluster();
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        StatusJson.write(cluster, out);
        assertThat(StatusJson.readCluster(out.toByteArray())).isEqualTo(cluster);
        assertThat(out.toString(StandardCharsets.UTF_8)).isEqualTo(StatusJson.write(cluster));
    }

    @Test
    void recentContextsAreLeftOutWhereThereAreNoneAndReadWithCare() {
        assertThat(StatusJson.write(Scenes.locks())).doesNotContain("recent");
        String json = StatusJson.write(Scenes.recent());
        assertThat(StatusJson.readSnapshot(json.replace("\"duration_ms\":2300", "\"duration_ms\":-5"))
                        .recent()
                        .get(0)
                        .duration())
                .isZero();
        assertThat(StatusJson.readSnapshot(json.replace("\"kind\":\"task\"", "\"kind\":\"dream\""))
                        .recent()
                        .get(0)
                        .kind())
                .isEqualTo(ContextKind.OTHER);
        assertRefused(json.replace("\"completed\"", "\"vanished\""), StatusFormatException.Kind.MALFORMED);
        assertRefused(json.replace("\"ended_at\"", "\"ended\""), StatusFormatException.Kind.MALFORMED);
    }

    @Test
    void whoCalledWhatEndedIsReadWithCareAndIsMissingWhereAnOlderNodeTellsOfIt() {
        StatusSnapshot scene = Scenes.recent();
        String json = StatusJson.write(scene);
        String caller =
                "\"caller\":{\"node\":\"bob\",\"incarnation\":\"1-b\",\"context_id\":88,\"path\":\"global.front\"}";
        String trace = "\"trace_id\":\"4bf92f3577b34da6a3ce929d0e0e4736\"";
        assertThat(json).containsOnlyOnce("," + caller).containsOnlyOnce("," + trace);

        FinishedContext older = ended(json.replace("," + caller, "").replace("," + trace, ""));
        assertThat(older.caller()).isNull();
        assertThat(older.traceId()).isNull();
        assertThat(ended(json.replace(caller, "\"caller\":null").replace(trace, "\"trace_id\":null")))
                .isEqualTo(older);
        // What a newer node says besides is skipped.
        assertThat(ended(json.replace(caller, caller.replace("}", ",\"zone\":{\"a\":[1]}},\"span\":7"))))
                .isEqualTo(scene.recent().get(1));

        for (String hostile : List.of(
                "\"caller\":7",
                "\"caller\":[]",
                "\"caller\":\"bob\"",
                "\"caller\":{}",
                caller.replace("88", "\"x\""),
                caller.replace("88", "1e400"),
                caller.replace("\"bob\"", "null"),
                caller.replace("\"global.front\"", "{}"))) {
            assertRefused(json.replace(caller, hostile), StatusFormatException.Kind.MALFORMED);
        }
        assertRefused(json.replace(trace, "\"trace_id\":{}"), StatusFormatException.Kind.MALFORMED);
        String odd = "\\u0000\\u001b[31m\\n";
        CallerLink read = requireNonNull(
                ended(json.replace("\"global.front\"", "\"" + odd + "\"")).caller());
        assertThat(read.path()).isEqualTo("\u0000\u001b[31m\n");
    }

    private static FinishedContext ended(String json) {
        return StatusJson.readSnapshot(json).recent().get(1);
    }

    @Test
    void randomSnapshotsComeBackEqual() {
        long seed = new Random().nextLong();
        System.out.println("StatusJsonTest seed " + seed);
        for (int i = 0; i < 400; i++) {
            StatusSnapshot snapshot = new RandomStatus(seed + i).snapshot();
            assertThat(StatusJson.readSnapshot(StatusJson.write(snapshot)))
                    .as("seed %d", seed + i)
                    .isEqualTo(snapshot);
        }
    }

    @Test
    void largeIntegersStandAsTextBesideTheNumber_M2() {
        long large = (1L << 53) + 1;
        Row row = new Row(1, "x", ContextKind.ROOT)
                .total("n", large)
                .data("d", large)
                .metric("m", MetricValue.counter(large));
        String json = StatusJson.write(Scenes.of(row));
        assertThat(json)
                .contains("\"n\":9007199254740993,\"n_text\":\"9007199254740993\"")
                .contains("\"d\":9007199254740993,\"d_text\":\"9007199254740993\"")
                .contains("\"value\":9007199254740993,\"value_text\":\"9007199254740993\"");
        assertThat(StatusJson.readSnapshot(json)).isEqualTo(Scenes.of(row));
        assertThat(StatusJson.write(Scenes.of(new Row(1, "x", ContextKind.ROOT).total("n", large - 2))))
                .doesNotContain("_text");
    }

    @Test
    void everyPrefixOfADocumentIsRefused() {
        String json = StatusJson.write(Scenes.cluster());
        for (int end = 0; end < json.length(); end++) {
            String start = json.substring(0, end);
            assertThatThrownBy(() -> StatusJson.readCluster(start)).isInstanceOf(StatusFormatException.class);
        }
    }

    @Test
    void damagedDocumentsAreReadOrRefusedAndNothingElse() {
        long seed = new Random().nextLong();
        System.out.println("StatusJsonTest damage seed " + seed);
        Random random = new Random(seed);
        byte[] json = StatusJson.write(Scenes.cluster()).getBytes(StandardCharsets.UTF_8);
        for (int i = 0; i < 5_000; i++) {
            byte[] damaged = json.clone();
            for (int hits = 1 + random.nextInt(4); hits > 0; hits--) {
                damaged[random.nextInt(damaged.length)] =
                        (byte) "{}[]\",:0-9nte\u0000\u00ff".charAt(random.nextInt(15));
            }
            try {
                assertThat(StatusJson.readCluster(damaged).toString()).isNotEmpty();
            } catch (StatusFormatException refused) {
                assertThat(refused.next()).isNotEmpty();
            }
        }
    }

    @Test
    void hostileDocumentsAreRefused_S13() {
        assertRefused("[".repeat(1_000_000), StatusFormatException.Kind.MALFORMED);
        assertRefused("{\"x\":" + "[".repeat(500_000), StatusFormatException.Kind.TOO_LARGE);
        assertRefused("{\"version\":" + "9".repeat(1_000) + "}", StatusFormatException.Kind.TOO_LARGE);
        assertRefused("{\"version\":" + "9".repeat(30) + "}", StatusFormatException.Kind.MALFORMED);
        assertRefused("{\"timestamp\":\"" + "a".repeat(70_000) + "\"}", StatusFormatException.Kind.TOO_LARGE);
        assertRefused("{\"" + "a".repeat(5_000) + "\":1}", StatusFormatException.Kind.TOO_LARGE);
        assertRefused("{\"x\":[" + "0,".repeat(300_000) + "0]}", StatusFormatException.Kind.TOO_LARGE);
        assertRefused(" ".repeat((1 << 20) + 1), StatusFormatException.Kind.TOO_LARGE);
        for (String bad : List.of(
                "",
                "null",
                "{}",
                "[]",
                "NaN",
                "{\"version\":NaN}",
                "{\"node\":[]}",
                "{\"warnings\":{}}",
                "{\"global_context\":7}",
                "{\"timestamp\":\"yesterday\"}",
                "{\"kind\":\"cluster_status\"}",
                StatusJson.write(Scenes.system()) + "{}")) {
            assertRefused(bad, StatusFormatException.Kind.MALFORMED);
        }
        assertThatThrownBy(() -> StatusJson.readSnapshot(new byte[] {'{', (byte) 0xff, '}'}))
                .isInstanceOf(StatusFormatException.class);
    }

    @Test
    void aRefusalQuotesNoControls() {
        assertThatThrownBy(() -> StatusJson.readSnapshot("{\"timestamp\":\"\\u001b[2J\"}"))
                .hasMessageContaining("\\u{1b}")
                .hasMessageNotContaining("\u001b");
    }

    @Test
    void aTreeIsReadToItsDepthLimitAndNoDeeper() {
        String json =
                StatusJson.write(Scenes.of(new Row(1, "x", ContextKind.ROOT)).withGlobalContext(chain(1_000)));
        assertThat(StatusJson.readSnapshot(json).globalContext().children()).hasSize(1);
        String deeper =
                StatusJson.write(Scenes.of(new Row(1, "x", ContextKind.ROOT)).withGlobalContext(chain(1_001)));
        assertRefused(deeper, StatusFormatException.Kind.TOO_LARGE);
        assertThat(StatusJson.readSnapshot(deeper, StatusJson.ReadLimits.DEFAULT.withMaxTreeDepth(1_001)))
                .isNotNull();
    }

    @Test
    void aTreeAMillionDeepIsWritten_C6() {
        StatusSnapshot deep = Scenes.of(new Row(1, "x", ContextKind.ROOT)).withGlobalContext(chain(1_000_000));
        CountingOutput out = new CountingOutput();
        StatusJson.write(deep, out);
        assertThat(out.written).isGreaterThan(100_000_000);
    }

    @Test
    void unknownFieldsAreIgnoredAndANewerSchemaAsksForAnUpgrade_D9() {
        StatusSnapshot scene = Scenes.system();
        String json = StatusJson.write(scene);
        String newer = json.replace("\"schema\":1,", "\"schema\":2,\"later\":{\"a\":[1,{}]},")
                .replace("\"stuck\":", "\"new\":null,\"stuck\":");
        assertThat(StatusJson.readSnapshot(newer)).isEqualTo(scene);
        assertRefused(json.replace("\"min_schema\":1", "\"min_schema\":2"), StatusFormatException.Kind.UPGRADE_NEEDED);
    }

    @Test
    void aNodeOfANewerSchemaIsARowAndNotAFailure_D9() {
        String json = StatusJson.write(Scenes.cluster());
        int second = json.lastIndexOf("\"min_schema\":1");
        String mixed = json.substring(0, second) + "\"min_schema\":2" + json.substring(second + 14);
        NodeStatus bob = StatusJson.readCluster(mixed).nodes().get(1);
        assertThat(bob.snapshot()).isNull();
        assertThat(bob.reason()).contains("upgrade needed");
    }

    @Test
    void negativeDurationsBecomeZero_S15() {
        String json =
                StatusJson.write(Scenes.locks()).replace("\"waiting_duration_ms\":8100", "\"waiting_duration_ms\":-5");
        assertThat(StatusJson.readSnapshot(json).lockWaiters().get(0).waitingDuration())
                .isZero();
    }

    @Test
    void countersBelowZeroBecomeZeroAndTheSumOverNodesIsThatOfWhatWasCounted_S15() {
        StatusSnapshot honest = Scenes.of(
                new Row(1, "root", ContextKind.ROOT).total("orders", 3).below("orders", 3, 0));
        String json = StatusJson.write(honest).replace("\"orders\":3", "\"orders\":-5");
        StatusSnapshot hostile = StatusJson.readSnapshot(json);
        assertThat(json).contains("-5");
        assertThat(hostile.globalContext().totalCounters()).containsEntry("orders", 0L);
        assertThat(hostile.globalContext().subtreeTotalCounters()).containsEntry("orders", 0L);
        assertThat(totals(hostile, honest)).containsExactly(Map.entry("orders", 3L));

        StatusSnapshot most = Scenes.of(new Row(1, "root", ContextKind.ROOT).below("orders", Long.MAX_VALUE, 0));
        assertThat(totals(most, honest)).as("M1").containsExactly(Map.entry("orders", Long.MAX_VALUE));
        StatusSnapshot below = Scenes.of(new Row(1, "root", ContextKind.ROOT).below("orders", -5, 0));
        assertThat(totals(below, honest))
                .as("a sum that is negative is no overflow")
                .containsExactly(Map.entry("orders", -2L));
    }

    private static Map<String, Long> totals(StatusSnapshot... snapshots) {
        return new ClusterStatus(
                        Scenes.NOON,
                        "alice",
                        Arrays.stream(snapshots)
                                .map(each -> new NodeStatus(each.node(), NodeState.UP, Duration.ZERO, null, null, each))
                                .toList())
                .totalCounters();
    }

    @Test
    void whatCannotBeSaidInTheLimitsIsSaidShorter() {
        Map<String, Object> data = new HashMap<>();
        Object nested = "core";
        for (int i = 0; i < 100; i++) {
            nested = List.of(nested);
        }
        data.put("nested", nested);
        data.put("digits", new BigInteger("9".repeat(100)));
        data.put("odd", Arrays.asList(null, 1.5f, Double.NaN, new BigDecimal("1E+400"), '\ud800'));
        Row row = new Row(1, "x", ContextKind.ROOT)
                .data("all", data)
                .note("n".repeat(100_000))
                .data("k".repeat(9_000), 1)
                .metric("half", MetricValue.text("\udc00!"))
                .metric("none", MetricValue.gauge(Double.NEGATIVE_INFINITY));
        ContextStatus read =
                StatusJson.readSnapshot(StatusJson.write(Scenes.of(row))).globalContext();
        assertThat((String) read.data().get("note")).hasSize(65_536).endsWith("... (100000 characters)");
        assertThat((Map<?, ?>) read.data().get("all")).isNotNull();
        assertThat(read.metrics())
                .containsEntry("half", MetricValue.text("\ufffd!"))
                .containsEntry("none", MetricValue.gauge(Double.NEGATIVE_INFINITY));
    }

    private static ContextStatus chain(int depth) {
        ContextStatus leaf = new Row(0, "x", ContextKind.OTHER).status();
        ContextStatus chain = leaf;
        for (int i = 1; i < depth; i++) {
            chain = leaf.withChildren(List.of(chain), FoldedChildren.NONE);
        }
        return chain;
    }

    private static void assertRefused(String json, StatusFormatException.Kind kind) {
        assertThatThrownBy(() -> StatusJson.readSnapshot(json))
                .isInstanceOfSatisfying(
                        StatusFormatException.class, e -> assertThat(e.kind()).isEqualTo(kind));
    }

    private static final class CountingOutput extends java.io.OutputStream {
        private long written;

        @Override
        public void write(int b) {
            written++;
        }

        @Override
        public void write(byte[] bytes, int offset, int length) {
            written += length;
        }
    }

    /** A snapshot out of a seed, with odd names and every optional part there or not. */
    private static final class RandomStatus {
        private final Random random;
        private int left = 40;

        RandomStatus(long seed) {
            random = new Random(seed);
        }

        StatusSnapshot snapshot() {
            Row root = row(0);
            List<LockStatus> locks = new ArrayList<>();
            List<LockWaiter> waiters = new ArrayList<>();
            List<StatusWarning> warnings = new ArrayList<>();
            for (int i = random.nextInt(4); i > 0; i--) {
                LockType type = one(LockType.values());
                boolean counted = type == LockType.SEMAPHORE;
                locks.add(new LockStatus(
                        name(),
                        number(),
                        type,
                        type == LockType.RW_LOCK && random.nextBoolean() ? LockMode.READ : LockStatus.usualMode(type),
                        counted ? random.nextInt(9) : 1,
                        counted ? random.nextInt(99) : 1,
                        name(),
                        number(),
                        path(),
                        time(),
                        number(),
                        random.nextInt(9),
                        random.nextBoolean(),
                        random.nextBoolean() ? null : name(),
                        random.nextBoolean()));
                LockMode mode = one(LockMode.values());
                waiters.add(new LockWaiter(
                        name(),
                        number(),
                        path(),
                        name(),
                        number(),
                        mode,
                        mode == LockMode.PERMITS ? random.nextInt(9) : 1,
                        random.nextInt(5),
                        time(),
                        random.nextBoolean(),
                        random.nextBoolean() ? null : name()));
                warnings.add(new StatusWarning(
                        name(),
                        one(WarningSeverity.values()),
                        name(),
                        path().toString(),
                        random.nextInt(3),
                        random.nextBoolean() ? null : name(),
                        maybe() ? null : time()));
            }
            return new StatusSnapshot(
                    new NodeIdentity(name(), name()),
                    Scenes.NOON.plusNanos(random.nextLong() >> 8),
                    number(),
                    random.nextBoolean() ? null : metrics(),
                    root.status(),
                    locks,
                    waiters,
                    warnings,
                    maybe() ? List.of(finished(), finished(), finished()) : List.of(),
                    maybe() ? Map.of(name(), baseline(), name() + "2", baseline()) : Map.of(),
                    maybe() ? List.of(windows(), windows()) : List.of(),
                    maybe() ? causes() : Causes.NONE);
        }

        private Causes causes() {
            ContextRef context =
                    new ContextRef(new NodeIdentity(name(), name()), number(), path().toString(), name(), name());
            DeadlockReport.Hold hold = new DeadlockReport.Hold(
                    name(),
                    number(),
                    LockType.SEMAPHORE,
                    LockMode.PERMITS,
                    random.nextInt(9),
                    random.nextInt(9),
                    time(),
                    random.nextBoolean(),
                    maybe() ? name() : null,
                    maybe() ? context : null);
            DeadlockReport.Party party = new DeadlockReport.Party(
                    context,
                    List.of(hold, hold),
                    name(),
                    number(),
                    LockType.RW_LOCK,
                    time(),
                    maybe() ? time() : null,
                    maybe() ? name() : null);
            return new Causes(
                    List.of(new DeadlockReport(
                            random.nextBoolean(), Scenes.NOON, List.of(party, party), 2, maybe() ? time() : null)),
                    List.of(new BlockedPlace(
                            CauseKind.POOL,
                            name(),
                            time(),
                            name(),
                            List.of(3L, 4L),
                            List.of(),
                            random.nextInt(9),
                            random.nextInt(3))),
                    List.of(new WaitEpisode(
                            Scenes.NOON,
                            maybe() ? Scenes.NOON : null,
                            time(),
                            CauseKind.EVENT_LOOP,
                            name(),
                            context,
                            name(),
                            random.nextInt(9))));
        }

        private OperationBaseline baseline() {
            return new OperationBaseline(1 + random.nextInt(1_000), time(), time(), time());
        }

        private CounterWindows windows() {
            return new CounterWindows(
                    path(),
                    name(),
                    number() >>> 1,
                    number() >>> 1,
                    number() >>> 1,
                    number() >>> 1,
                    number() >>> 1,
                    random.nextDouble(),
                    time());
        }

        private FinishedContext finished() {
            return new FinishedContext(
                    number(),
                    path(),
                    name(),
                    one(ContextKind.values()),
                    Scenes.NOON.plusNanos(random.nextLong() >> 8),
                    Scenes.NOON.plusNanos(random.nextLong() >> 8),
                    time(),
                    switch (random.nextInt(3)) {
                        case 0 -> new FinishedContext.Completed();
                        case 1 -> new FinishedContext.Failed(name());
                        default ->
                            new FinishedContext.Cancelled(
                                    new CancelReason(one(CancelReason.Kind.values()), name(), name()));
                    },
                    Map.of(name(), count()),
                    maybe() ? new CallerLink(name(), name(), number(), path().toString(), random.nextBoolean()) : null,
                    maybe() ? name() : null);
        }

        private SystemMetrics metrics() {
            return new SystemMetrics(
                    maybe() ? null : random.nextDouble(),
                    maybe() ? null : number(),
                    null,
                    maybe() ? null : number(),
                    0L,
                    maybe() ? null : number(),
                    null,
                    maybe() ? null : List.of(random.nextDouble(), random.nextGaussian(), 0.0),
                    maybe() ? null : time(),
                    new SystemMetrics.Ages(maybe() ? null : time(), null, time(), maybe() ? null : time(), null),
                    maybe()
                            ? null
                            : new SystemMetrics.Jvm(
                                    number(),
                                    maybe() ? null : number(),
                                    number(),
                                    time(),
                                    random.nextInt(99),
                                    time(),
                                    number(),
                                    name()),
                    maybe()
                            ? null
                            : new SystemMetrics.Container(maybe() ? null : 1.5, maybe() ? null : number(), null));
        }

        private Row row(int depth) {
            left--;
            Row row = new Row(number(), name(), one(ContextKind.values()))
                    .label(name())
                    .age(random.nextInt(1_000_000) / 1000.0 + "s")
                    .active(random.nextInt(10) + "s")
                    .state(one(ContextState.values()))
                    .folded(random.nextInt(3));
            if (maybe()) {
                row.folded(3, 3 + random.nextInt(9), random.nextInt(100) + "s", random.nextInt(4));
            }
            if (maybe()) {
                row.active(name(), "3s").onThread().cancelled(name()).calledBy(path().toString(), number(), name());
            }
            if (maybe()) {
                row.trouble(one(ContextTrouble.values()));
            }
            row.metric("c" + name(), MetricValue.counter(number()))
                    .metric("b" + name(), MetricValue.bytes(number()))
                    .metric("g", MetricValue.gauge(maybe() ? number() : random.nextGaussian()))
                    .metric("d", MetricValue.duration(time()))
                    .metric("t", MetricValue.text(name()));
            row.inside(name(), "2s", random.nextBoolean())
                    .total(name(), count())
                    .live(name(), random.nextInt(5))
                    .below(name(), count(), count());
            row.data(name(), datum(0)).data(name(), datum(0));
            while (left > 0 && depth < 8 && random.nextInt(3) > 0) {
                row.with(row(depth + 1));
            }
            return row;
        }

        private Object datum(int depth) {
            return switch (random.nextInt(depth > 3 ? 6 : 8)) {
                case 0 -> name();
                case 1 -> random.nextBoolean();
                case 2 -> random.nextInt();
                case 3 -> (1L << 40) + random.nextInt() + (maybe() ? 1L << 60 : 0);
                case 4 ->
                    maybe()
                            ? BigInteger.TWO.pow(64 + random.nextInt(30))
                            : new BigDecimal("0.12345678901234567890123" + (1 + random.nextInt(9)));
                case 5 -> random.nextGaussian();
                case 6 -> Arrays.asList(datum(depth + 1), null, datum(depth + 1));
                default -> Map.of("k" + name(), datum(depth + 1));
            };
        }

        private String name() {
            StringBuilder name = new StringBuilder();
            for (int i = random.nextInt(8); i >= 0; i--) {
                String odd = "a.\\\"_#/{}é日\u0000\u202e\n\u001b ";
                name.append(
                        maybe()
                                ? Character.toString(0x1f600 + random.nextInt(50))
                                : odd.substring(random.nextInt(odd.length()), odd.length()));
            }
            return name.toString();
        }

        private ContextPath path() {
            return ContextPath.of(name(), name());
        }

        private long number() {
            return random.nextLong() >> random.nextInt(64);
        }

        private long count() {
            return Math.max(0, number());
        }

        private Duration time() {
            return Duration.ofMillis(Math.abs(number() >> 12));
        }

        private boolean maybe() {
            return random.nextInt(3) == 0;
        }

        private <T> T one(T[] values) {
            return values[random.nextInt(values.length)];
        }
    }
}
