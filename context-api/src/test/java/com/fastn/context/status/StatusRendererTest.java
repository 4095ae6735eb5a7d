package com.fastn.context.status;

import static com.fastn.context.Golden.golden;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.status.StatusRenderer.Part;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class StatusRendererTest {
    private static final Pattern OUR_COLOURS = Pattern.compile("\u001b\\[(0|1|2|1;34|3[123467])m");

    @Test
    void briefIsTheSeedsFirstDisplay() {
        golden("seed-1-brief.txt").matches(StatusRenderer.plain().brief().render(Scenes.briefTree()));
    }

    @Test
    void locksAndTimingAreTheSeedsSecondDisplay() {
        golden("seed-2-locks.txt").matches(StatusRenderer.plain().render(Scenes.locks()));
    }

    @Test
    void countersAreTheSeedsThirdDisplay() {
        golden("seed-3-counters.txt").matches(StatusRenderer.plain().render(Scenes.counters()));
    }

    @Test
    void theMachineIsTheSeedsFourthDisplay() {
        golden("seed-4-system.txt").matches(StatusRenderer.plain().render(Scenes.system()));
    }

    @Test
    void aSilentNodeOfTheClusterIsShownWithItsReasonAndLastKnownSummary() {
        golden("cluster.txt").matches(StatusRenderer.plain().render(Scenes.cluster()));
    }

    @Test
    void whoWaitsForAReplyIsShownWithWhoServesItWhereBothSidesAreKnown() {
        Row handler = new Row(3, "message", ContextKind.MESSAGE).calledBy("global.req", 88, "alice");
        Row second = new Row(4, "message", ContextKind.MESSAGE).calledBy("global.req", 89, "alice");
        Row third = new Row(5, "message", ContextKind.MESSAGE).calledBy("global.req", 89, "alice");
        Row told = new Row(6, "message", ContextKind.MESSAGE).sentBy("global.req", 90, "alice");
        NodeStatus bob = answered("bob", "1-b", handler, second, third, told);
        NodeStatus alice = answered(
                "alice",
                "1-a",
                new Row(88, "req", ContextKind.REQUEST).inside("request to bank.pay", "8s", true),
                new Row(89, "req", ContextKind.REQUEST).inside("request to bank.pay", "1s", false),
                new Row(90, "req", ContextKind.REQUEST));

        String drawn = StatusRenderer.plain().render(new ClusterStatus(Scenes.NOON, "alice", List.of(alice, bob)));
        assertThat(row(drawn, "req#88 ")).endsWith(" 8s) served by message#3@bob ⚠️ STUCK");
        assertThat(row(drawn, "req#89 ")).contains(" served by message#4@bob and 1 more");
        assertThat(row(drawn, "req#90 ")).as("it waits for nobody").doesNotContain("served");
        assertThat(row(drawn, "message#3 ")).contains("called by req#88@alice");

        String alone = StatusRenderer.plain().render(new ClusterStatus(Scenes.NOON, "alice", List.of(alice)));
        assertThat(alone).as("the other side is not known").doesNotContain("served by");
    }

    private static NodeStatus answered(String alias, String incarnation, Row... rows) {
        StatusSnapshot snapshot = new StatusSnapshot(
                new NodeIdentity(alias, incarnation),
                Scenes.NOON,
                1,
                null,
                new Row(1, "global", ContextKind.ROOT).with(rows).status(),
                List.of(),
                List.of(),
                List.of());
        return new NodeStatus(snapshot.node(), NodeState.UP, Duration.ZERO, null, null, snapshot);
    }

    private static String row(String drawn, String of) {
        return drawn.lines().filter(line -> line.contains(of)).findFirst().orElseThrow();
    }

    @Test
    void contextsThatEndedAreShownWithHowTheyEnded() {
        golden("recent.txt").matches(StatusRenderer.plain().render(Scenes.recent()));
        golden("recent-60.ansi").matches(StatusRenderer.ansi(60).render(Scenes.recent()));
        assertThat(StatusRenderer.ansi(200).render(Scenes.recent()))
                .contains(
                        ", \u001b[2mcalled by global.front@bob\u001b[0m, \u001b[2mtrace 4bf92f3577b34da6a3ce929d0e0e4736\u001b[0m)");
    }

    @Test
    void coloursAreTheSeeds() {
        golden("seed-4-system.ansi").matches(StatusRenderer.ansi(0).render(Scenes.system()));
        golden("cluster-60.ansi").matches(StatusRenderer.ansi(60).render(Scenes.cluster()));
    }

    @Test
    void whereNothingButAsciiIsShownNothingElseIsDrawn() {
        String drawn = StatusRenderer.plain().ascii().render(Scenes.cluster());
        golden("cluster-ascii.txt").matches(drawn);
        assertThat(drawn.chars()).allMatch(c -> c < 0x80);
        String narrow = StatusRenderer.ansi(60).ascii().render(Scenes.cluster());
        assertThat(narrow.chars()).allMatch(c -> c < 0x80);
        assertThat(narrow).contains("...");
        assertThat(narrow.lines()).allMatch(line -> DisplayWidth.of(line) <= 60);
    }

    @Test
    void aPartIsDrawnWithoutTheOthers() {
        String locks = StatusRenderer.plain().only(Set.of(Part.LOCKS)).render(Scenes.locks());
        assertThat(locks).contains("Active Locks", "Lock Waiters").doesNotContain("├──", "Warnings:");
        String warnings = StatusRenderer.plain().only(Set.of(Part.WARNINGS)).render(Scenes.locks());
        assertThat(warnings).contains("Warnings:").doesNotContain("├──", "Active Locks");
    }

    @Test
    void contextsOfOnePathShowItsCountersOnceAsThoseOfAll() {
        Row root = new Row(1, "global", ContextKind.ROOT)
                .age("1s")
                .with(
                        new Row(2, "req", ContextKind.REQUEST).age("2s").total("requests", 7),
                        new Row(3, "req", ContextKind.REQUEST).age("1s").total("requests", 7),
                        new Row(4, "job", ContextKind.TASK).age("9s").total("pages", 1));
        assertThat(StatusRenderer.plain().render(Scenes.of(root)).lines().skip(2))
                .containsExactly(
                        "",
                        "global (1s uptime, active 0s ago)",
                        "├── req#2 (2s running)",
                        "│   └── All req: Total: 7 requests",
                        "├── req#3 (1s running)",
                        "└── job (9s running)",
                        "    └── Total: 1 page");
    }

    @Test
    void whatAContextCanBeIsSaidInItsRow() {
        Row root = new Row(1, "global", ContextKind.ROOT)
                .age("1s")
                .with(
                        new Row(2, "req", ContextKind.REQUEST)
                                .age("12.3s")
                                .active("12.3s")
                                .inside("retry", "12.3s", true)
                                .inside("db-query", "0.2s", false),
                        new Row(3, "req", ContextKind.REQUEST)
                                .age("1.2s")
                                .inside("db-query", "1.2s", false)
                                .calledBy("global.http.req", 88, "alice"),
                        new Row(4, "job", ContextKind.TASK)
                                .age("9s")
                                .active("5s")
                                .cancelled("operator asked")
                                .state(ContextState.CLOSING),
                        new Row(5, "meter", ContextKind.OTHER)
                                .age("3d 1s")
                                .metric("fill_ratio", MetricValue.gauge(0.756))
                                .metric("requests", MetricValue.counter(1))
                                .metric("state", MetricValue.text("warming up")),
                        new Row(6, "quiet", ContextKind.OTHER).age("0.9s").active("0.9s"))
                .folded(1);
        golden("rows.txt").matches(StatusRenderer.plain().render(Scenes.of(root)));
    }

    @Test
    void ageAloneIsNeverCalledADeadlock_L15() {
        String drawn = StatusRenderer.plain().render(Scenes.locks());
        assertThat(drawn).contains("STUCK").doesNotContainIgnoringCase("deadlock");
    }

    @Test
    void whatIsNotKnownIsAQuestionMark() {
        SystemMetrics nothing = new SystemMetrics(
                null, null, null, null, null, null, null, null, null, SystemMetrics.Ages.UNKNOWN, null, null);
        assertThat(SystemLines.of(nothing))
                .containsExactly("System: CPU ? | RAM ? | Disk ? | Load ?", "Network: ↓ ? ↑ ? | Uptime ?");
    }

    @Test
    void anOldFigureCarriesItsAge() {
        SystemMetrics old = new SystemMetrics(
                12.3,
                null,
                null,
                null,
                null,
                null,
                null,
                null,
                null,
                new SystemMetrics.Ages(Duration.ofSeconds(95), null, null, null, null),
                null,
                null);
        assertThat(SystemLines.of(old).get(0)).startsWith("System: CPU 12.3% 1m 35s ago | ");
    }

    @Test
    void noCodePointBringsAControlIntoTheOutput_S6() {
        for (int first = 0; first <= Character.MAX_CODE_POINT; first += 64) {
            StringBuilder name = new StringBuilder();
            for (int c = first; c < first + 64; c++) {
                name.appendCodePoint(c).append('x');
            }
            assertOnlyOurControls(StatusRenderer.ansi(0).render(hostile(name.toString())));
        }
    }

    @Test
    void attackStringsStayInTheirRow_S6() {
        List<String> attacks = List.of(
                "\u001b[2J\u001b[H",
                "\u009b31m",
                "\u001b]8;;http://evil\u0007x\u001b]8;;\u0007",
                "a\r\nFAKE",
                "\u202egpj.exe",
                "x\u2028y",
                "z\u200b\u200d\ufeff",
                "\ud800",
                "\udc00\ud800",
                "\u0000",
                "\u007f",
                "\u0085",
                "\udb40\udc41",
                "e" + "\u0301".repeat(50));
        for (String attack : attacks) {
            String drawn = StatusRenderer.ansi(0).render(hostile(attack));
            assertOnlyOurControls(drawn);
            assertThat(drawn).contains("\\u{");
            assertThat(drawn.lines())
                    .hasSameSizeAs(
                            StatusRenderer.ansi(0).render(hostile("a")).lines().toList());
        }
    }

    @Test
    void noLineIsWiderThanTheScreenAndNoColourStaysOpen() {
        for (int width = 1; width <= 130; width++) {
            for (String drawn : List.of(
                    StatusRenderer.ansi(width).render(Scenes.cluster()),
                    StatusRenderer.ansi(width).render(hostile("日本語⚠️e\u0301🔒".repeat(20))))) {
                for (String line : drawn.split("\n", -1)) {
                    assertThat(DisplayWidth.of(line)).isLessThanOrEqualTo(width);
                    assertThat(OUR_COLOURS.matcher(line).replaceAll("")).doesNotContain("\u001b");
                    int last = line.lastIndexOf('\u001b');
                    assertThat(last < 0 || line.startsWith(Ink.RESET, last)).isTrue();
                }
            }
        }
    }

    @Test
    void aNarrowScreenCutsNamesOfLocksAndKeepsHowLong() {
        for (StatusRenderer narrow : List.of(
                StatusRenderer.ansi(60),
                StatusRenderer.plain().withWidth(60),
                StatusRenderer.ansi(60).ascii())) {
            String drawn = OUR_COLOURS.matcher(narrow.render(Scenes.locks())).replaceAll("");
            assertThat(row(drawn, " held by a")).contains("(12.3s").endsWith(" LONG HELD");
            assertThat(row(drawn, " held by http")).endsWith("(0.2s)");
            assertThat(row(drawn, " waiting for \"s")).contains("(8.1s").endsWith(" STUCK");
            assertThat(row(drawn, "WAITING \"s")).contains("(8.1s").endsWith(" STUCK");
            assertThat(drawn.lines()).allMatch(line -> DisplayWidth.of(line) <= 60);
        }
        String wide = StatusRenderer.plain().withWidth(200).render(Scenes.locks());
        assertThat(wide).isEqualTo(StatusRenderer.plain().render(Scenes.locks()));
    }

    @Test
    void aNarrowScreenKeepsTheMark() {
        String drawn = StatusRenderer.ansi(50).render(Scenes.locks());
        assertThat(OUR_COLOURS.matcher(drawn).replaceAll("").lines())
                .anyMatch(line -> line.contains("… waiting for \"") && line.endsWith(" ⚠️ STUCK"));
    }

    @Test
    void aTreeAMillionDeepIsDrawn_C6() {
        ContextStatus deep = new Row(0, "x", ContextKind.OTHER).status();
        ContextStatus leaf = deep;
        for (int i = 0; i < 1_000_000; i++) {
            deep = leaf.withChildren(List.of(deep), FoldedChildren.NONE);
        }
        String drawn = StatusRenderer.plain()
                .brief()
                .render(Scenes.of(new Row(1, "r", ContextKind.ROOT)).withGlobalContext(deep));
        assertThat(drawn.chars().filter(c -> c == '\n').count()).isEqualTo(1_000_001);
        assertThat(drawn).endsWith("[1000000] x (0s)\n");
    }

    @Test
    void counterWindowsAreDrawnBelowTheTree() {
        StatusSnapshot snapshot = Scenes.recent()
                .withCounterWindows(List.of(new CounterWindows(
                        ContextPath.of("global", "web"),
                        "requests",
                        2,
                        45,
                        234,
                        1_100,
                        1_247,
                        2.04,
                        Duration.ofDays(2))));
        String line = " - global.web requests: 1,247 total | 1,100 last day | 234 last hour | 45 last minute"
                + " | 2.04/sec current, rising\n";
        assertThat(StatusRenderer.plain().render(snapshot)).contains("\nCounter Windows (1):\n" + line);
        assertThat(StatusRenderer.plain().brief().render(snapshot)).doesNotContain("last hour");
    }

    @Test
    void theTrendOfACounterIsSaidWhereItRisesOrFalls() {
        assertThat(windowsLine(234, Duration.ofDays(2))).endsWith("/sec current, rising");
        assertThat(windowsLine(2_700, Duration.ofDays(2))).endsWith("/sec current");
        assertThat(windowsLine(9_000, Duration.ofDays(2))).endsWith("/sec current, falling");
        assertThat(windowsLine(234, Duration.ofSeconds(90))).as("too young").endsWith("/sec current");
    }

    private static String windowsLine(long lastHour, Duration watched) {
        StatusSnapshot snapshot = Scenes.recent()
                .withCounterWindows(List.of(new CounterWindows(
                        ContextPath.of("global", "web"), "requests", 2, 45, lastHour, 10_000, 10_000, 2.04, watched)));
        return StatusRenderer.plain()
                .ascii()
                .render(snapshot)
                .lines()
                .filter(line -> line.contains("last minute"))
                .findFirst()
                .orElseThrow();
    }

    private static StatusSnapshot hostile(String text) {
        Row root = new Row(1, text, ContextKind.ROOT)
                .note(text)
                .cancelled(text)
                .active(text, "1s")
                .inside(text, "1s", true)
                .metric(text, MetricValue.text(text))
                .total(text, 2)
                .live(text, 3)
                .calledBy(text, 1, text)
                .with(new Row(2, text, ContextKind.TASK).active(text, "2s"), new Row(3, text, ContextKind.TASK));
        return new StatusSnapshot(
                new NodeIdentity(text, text),
                Scenes.NOON,
                1,
                new SystemMetrics(
                        null,
                        null,
                        null,
                        null,
                        null,
                        null,
                        null,
                        null,
                        null,
                        SystemMetrics.Ages.UNKNOWN,
                        new SystemMetrics.Jvm(1, null, 1, Duration.ZERO, 1, Duration.ZERO, 1, text),
                        null),
                root.status(),
                List.of(Scenes.lock(text, 1, text, 1, "1s", 1, true)),
                List.of(new LockWaiter(text, 1, ContextPath.of(text), text, 2, Duration.ZERO, true)),
                List.of(new StatusWarning(text, WarningSeverity.INFO, text, text, text)),
                List.of(
                        Scenes.calledBy(
                                new CallerLink(text, text, 1, text),
                                text,
                                Scenes.ended(1, text, "1s", new FinishedContext.Completed())),
                        Scenes.ended(2, text, "1s", new FinishedContext.Failed(text)),
                        Scenes.ended(
                                3,
                                text,
                                "1s",
                                new FinishedContext.Cancelled(
                                        new CancelReason(CancelReason.Kind.REQUESTED, text, text)))),
                Map.of(text, new OperationBaseline(9, Duration.ZERO, Duration.ZERO, Duration.ZERO)),
                List.of(new CounterWindows(ContextPath.of(text), text, 1, 2, 3, 4, 5, 0.1, Duration.ZERO)),
                Causes.NONE);
    }

    private static void assertOnlyOurControls(String drawn) {
        String bare = OUR_COLOURS.matcher(drawn).replaceAll("");
        boolean clean = bare.codePoints().allMatch(c -> c == '\n' || isHarmless(c));
        assertThat(clean).as(bare).isTrue();
    }

    private static boolean isHarmless(int c) {
        int type = Character.getType(c);
        return type != Character.CONTROL
                && type != Character.FORMAT
                && type != Character.SURROGATE
                && type != Character.LINE_SEPARATOR
                && type != Character.PARAGRAPH_SEPARATOR;
    }
}
