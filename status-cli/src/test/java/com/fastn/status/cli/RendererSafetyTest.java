package com.fastn.status.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.ContextKind;
import com.fastn.context.status.ContextPath;
import com.fastn.context.status.ContextStatus;
import com.fastn.context.status.FoldedChildren;
import com.fastn.context.status.LockStatus;
import com.fastn.context.status.LockType;
import com.fastn.context.status.LockWaiter;
import com.fastn.context.status.NodeIdentity;
import com.fastn.context.status.NodeState;
import com.fastn.context.status.NodeStatus;
import com.fastn.context.status.NodeSummary;
import com.fastn.context.status.Sanitizer;
import com.fastn.context.status.StatusJson;
import com.fastn.context.status.StatusRenderer;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.context.status.StatusWarning;
import com.fastn.context.status.WarningSeverity;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Rule S6: whatever a node, a context or a lock is called, a terminal obeys nothing but our own colours and moves. */
class RendererSafetyTest {
    private static final Pattern OUR_COLOURS = Pattern.compile("\u001b\\[(0|1|2|7|1;34|3[123467])m");
    private static final int PER_NAME = 32;
    private static final int LONGEST_OF_A_DESCRIPTOR = 500;

    private static final List<String> ATTACKS = List.of(
            "\u001b[2J\u001b[H",
            "\u001b]0;title\u0007",
            "\u001b]8;;http://evil.example\u001b\\click\u001b]8;;\u001b\\",
            "\u001b]52;c;ZWNobyBoaQ==\u0007",
            "\u001bP$q\"p\u001b\\",
            "\u001b[6n",
            "\u001b[c",
            "\u001b[5i",
            "\u001b[?1049h",
            "\u001b[?2004l",
            "\u001b[20t\u001b[21t",
            "\u001bc",
            "\u001b#8",
            "\u001b(0",
            "\u009b31m\u009d0;x\u009c\u0090q\u009c",
            "\u0007\b\b\b\u007f",
            "a\rroot@host# rm",
            "a\nfastn: all is well",
            "a\u2028b\u2029c\u0085d\u000bd\fe",
            "\u202egnp.exe\u202c",
            "\u2066\u2067\u2068x\u2069",
            "\u200b\u200c\u200d\u2060\ufeff",
            "\udb40\udc41\udb40\udc7f",
            "e\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301",
            "\u0301alone",
            "\ud800",
            "\udc00\ud800",
            "\ufff9anchor\ufffahidden\ufffb",
            "\u3164\u115f\u1160\uffa0",
            "\u0000",
            "%s%n%x",
            "${jndi:ldap://x}",
            "\\u001b[31m",
            "\ud83d\udc68\u200d\ud83d\udc69\u200d\ud83d\udc67",
            "\u26a0\ufe0f\ufe0f\ufe0f",
            "x".repeat(5_000),
            "\u4e2d".repeat(300),
            "");

    static Stream<List<String>> names() {
        List<List<String>> batches = new ArrayList<>();
        List<String> batch = new ArrayList<>();
        for (int first = 0; first <= Character.MAX_CODE_POINT; first += PER_NAME) {
            int[] points = IntStream.range(first, Math.min(first + PER_NAME, Character.MAX_CODE_POINT + 1))
                    .toArray();
            batch.add(new String(points, 0, points.length));
            if (batch.size() == 4_096) {
                batches.add(batch);
                batch = new ArrayList<>();
            }
        }
        batches.add(batch);
        batches.add(ATTACKS);
        batches.add(madeUp());
        return batches.stream();
    }

    /** Every kind of sequence with every kind of parameter and end, whole, torn, and with what hides it before it or in it. */
    private static List<String> madeUp() {
        List<String> names = new ArrayList<>();
        for (String begin : List.of(
                "\u001b[", "\u009b", "\u001b]", "\u009d", "\u001bP", "\u0090", "\u001bX", "\u001b^", "\u001b_",
                "\u009e", "\u001b(", "\u001b#", "\u001b", "\u001bN", "\u008f")) {
            for (String parameter : List.of(
                    "",
                    "0",
                    "2",
                    "?1049",
                    "?2004",
                    "38;5;1",
                    "999999999",
                    "8;;http://e",
                    "52;c;ZQ==",
                    "0;x",
                    ">",
                    "!")) {
                for (String end :
                        List.of("", "m", "J", "H", "h", "l", "n", "c", "t", "i", "q", "\u0007", "\u001b\\", "\u009c")) {
                    names.add(begin + parameter + end);
                }
                for (String cover : List.of(
                        "\u202e",
                        "\u2066",
                        "\u200b",
                        "\u200d",
                        "\ufeff",
                        "\ud800",
                        "\udc00",
                        "\udb40\udc41",
                        "\u2028",
                        "\r",
                        "\n",
                        "\b",
                        "\u0000",
                        "\u007f",
                        "\ufe0f",
                        "\u0301")) {
                    names.add(cover + begin + parameter + "m");
                    names.add(begin + cover + parameter + "H" + cover);
                }
            }
        }
        return names;
    }

    @Test
    void S6_theCorpusIsOfThousandsAndTheCheckRefusesEachThatIsNotCleaned() {
        assertThat(madeUp()).hasSizeGreaterThan(5_000);
        for (String attack : madeUp()) {
            // The letters of one that is torn are harmless.
            String foreign = attack.replace("\n", "");
            if (foreign.codePoints().anyMatch(c -> c < 0x20 || (c >= 0x7f && c < 0xa0))) {
                assertThatThrownBy(() -> assertPlain(attack.replace("\n", "\r")))
                        .isInstanceOf(AssertionError.class);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "1", "2", "7", "1;34", "31"})
    void S6_theCheckRefusesOneOfOurColoursThatANameBringsAlong(String colour) {
        String leaked = "a\u001b[" + colour + "mb";
        assertThatThrownBy(() -> assertPlain(leaked)).isInstanceOf(AssertionError.class);
        assertThatThrownBy(() -> assertOfOurColoursAlone(leaked, "a" + leaked)).isInstanceOf(AssertionError.class);
        assertThatThrownBy(() -> assertOfOurColoursAlone(leaked, leaked)).isInstanceOf(AssertionError.class);
    }

    @Test
    void S6_everyCommandIsHarmlessWhateverANodeSays(@TempDir Path folder) throws IOException {
        List<String> names = new ArrayList<>(ATTACKS);
        for (int i = 0; i < madeUp().size(); i += 97) {
            names.add(madeUp().get(i));
        }
        StatusSnapshot snapshot = called(names);
        for (int i = 0; i < names.size(); i += 5) {
            String attack = names.get(i);
            NodeIdentity self = new NodeIdentity(attack, "life" + attack);
            StatusSnapshot told = new StatusSnapshot(
                    self,
                    snapshot.timestamp(),
                    1,
                    null,
                    snapshot.globalContext(),
                    snapshot.activeLocks(),
                    snapshot.lockWaiters(),
                    snapshot.warnings());
            ClusterStatus cluster = Fixtures.cluster(
                    new NodeStatus(self, NodeState.UP, Duration.ZERO, attack, NodeSummary.of(told), told),
                    new NodeStatus(
                            new NodeIdentity(attack + "2", attack), NodeState.DOWN, Duration.ZERO, attack, null, null));
            CommandLineRun command =
                    new CommandLineRun(folder).onATerminal(80, 24).with("NO_COLOR", "1");
            Path recording = folder.resolve("night.ndjson");
            Files.writeString(recording, StatusJson.write(told) + "\n" + StatusJson.write(cluster) + "\n");
            try (FakeNode alice = FakeNode.of(told, cluster)) {
                command.node("alice", "life", alice.url(), 4_711);
                for (String[] arguments : new String[][] {
                    {"status"},
                    {"status", "--cluster", "--json"},
                    {"explain"},
                    {"explain", attack.isEmpty() ? "x" : attack.replace("-", "_")},
                    {"nodes"},
                    {"episodes"},
                    {"doctor"},
                    {"info"},
                    {"replay", recording.toString(), "--json"},
                }) {
                    CommandLineRun.Result result = command.run(arguments);
                    assertPlain(result.out());
                    assertPlain(result.err());
                }
                CommandLineRun.Result coloured = command.run("status", "--color=always");
                assertOfOurColoursAlone(
                        coloured.out(), command.run("status", "--color=never").out());
                assertPlain(coloured.err());
            }
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        Terminal terminal = new Terminal(true, true, false, 80);
        try (LiveScreen screen = new LiveScreen(new PrintStream(out, true, StandardCharsets.UTF_8))) {
            screen.show(terminal.renderer().render(snapshot), new Size(80, 24));
        }
        // The emulator refuses whatever is not ours.
        assertThat(new TerminalEmulator(80, 24)
                        .feed(out.toString(StandardCharsets.UTF_8))
                        .widest())
                .isLessThanOrEqualTo(80);
    }

    @Test
    void S6_everyCommandIsHarmlessWhateverADescriptorAndTheConfigurationSay(@TempDir Path folder) {
        for (int i = 0; i < ATTACKS.size(); i++) {
            String attack = ATTACKS.get(i);
            String other = ATTACKS.get((i + 1) % ATTACKS.size());
            CommandLineRun command =
                    new CommandLineRun(folder).onATerminal(80, 24).with("NO_COLOR", "1");
            descriptor(command, 4_711, attack, "http://127.0.0.1:1/" + attack);
            descriptor(command, 4_713, other, "http://127.0.0.1:2?" + other);
            // Those two are refused, for something is behind their port. Of these one has to be chosen, by its alias.
            descriptor(command, 4_712, attack, "http://127.0.0.1:1");
            descriptor(command, 4_714, "other", "http://127.0.0.1:2");
            // A configuration that is refused would be all that is told.
            command.config("");
            CommandLineRun.Result choice = command.run("status");
            assertPlain(choice.err());
            if (attack.length() < LONGEST_OF_A_DESCRIPTOR) {
                assertThat(choice.err()).contains("run one of");
            }
            command.config(
                    "[nodes.\"%s\"]\nurl = \"https://127.0.0.1:1/%s\"\n".formatted(escaped(attack), escaped(attack)));
            assertAllHarmless(command);
            command.config("[nodes.\"%s\"]\nurl = \"https://127.0.0.1:1\"\nca = \"%s\"\ntoken_file = \"%s\"\n"
                    .formatted(escaped(attack), escaped(attack), escaped(other)));
            assertAllHarmless(command);
        }
    }

    @Test
    void S6_theAddressOfADescriptorHidesNothingBehindItsHostAndPort(@TempDir Path folder) {
        for (String hidden : new String[] {"/\u202eevil", "?\u202eevil", "#\u202eevil", "/path"}) {
            CommandLineRun command = new CommandLineRun(folder);
            descriptor(command, 4_711, "alice", "http://127.0.0.1:1" + hidden);
            descriptor(command, 4_712, "bob", "http://127.0.0.1:2/");
            CommandLineRun.Result result = command.run("status");
            assertPlain(result.err());
            assertThat(result.err())
                    .as(hidden)
                    .contains("its url is not a http address of this machine")
                    .contains("node \"bob\" does not answer");
        }
    }

    @Test
    void S6_whatANodeSaysInsteadOfAStatusIsHarmless(@TempDir Path folder) {
        for (String attack : ATTACKS) {
            CommandLineRun command =
                    new CommandLineRun(folder).onATerminal(80, 24).with("NO_COLOR", "1");
            for (int status : new int[] {400, 404, 409, 503}) {
                try (FakeNode node = FakeNode.saying(status, attack)) {
                    command.node("alice", "life", node.url(), 4_711);
                    assertAllHarmless(command);
                }
            }
            try (FakeNode node = FakeNode.refusing(escaped(attack))) {
                command.node("alice", "life", node.url(), 4_711);
                for (String[] arguments : new String[][] {{"status", "-w"}, {"status", "-w", "--json"}}) {
                    CommandLineRun.Result result = command.run(arguments);
                    assertThat(result.exitCode()).isEqualTo(ExitCode.ERROR);
                    assertPlain(result.out());
                    assertPlain(result.err());
                }
            }
        }
    }

    private static void descriptor(CommandLineRun command, long pid, String alias, String url) {
        command.descriptor(
                pid + ".json",
                "{\"schema\":1,\"pid\":%d,\"alias\":\"%s\",\"url\":\"%s\",\"incarnation\":\"life%d%s\",\"started\":\"%s\"}"
                        .formatted(pid, escaped(alias), escaped(url), pid, escaped(alias), escaped(alias)),
                "rw-------");
    }

    /** As JSON and TOML both have it. Of what is no character neither takes anything. */
    private static String escaped(String text) {
        StringBuilder escaped = new StringBuilder();
        text.codePoints()
                .filter(c -> Character.getType(c) != Character.SURROGATE)
                .flatMap(c -> Character.toString(c).chars())
                .forEach(c -> escaped.append(
                        Character.isSurrogate((char) c) ? String.valueOf((char) c) : "\\u%04x".formatted(c)));
        return escaped.toString();
    }

    private static void assertAllHarmless(CommandLineRun command) {
        for (String[] arguments : new String[][] {
            {"status"},
            {"status", "--cluster"},
            {"status", "life4711,life4712"},
            {"nodes"},
            {"explain"},
            {"episodes", "--cluster"},
            {"doctor"},
            {"info"},
        }) {
            CommandLineRun.Result result = command.run(arguments);
            assertPlain(result.out());
            assertPlain(result.err());
        }
    }

    @ParameterizedTest(name = "batch {index}")
    @MethodSource("names")
    void S6_onlyOurOwnSequencesComeOutOfTheDrawing(List<String> names) {
        StatusSnapshot snapshot = called(names);
        String drawn = StatusRenderer.ansi(0).render(snapshot);
        assertOfOurColoursAlone(drawn, StatusRenderer.plain().render(snapshot));
        // No name began a line of its own.
        assertThat(drawn.lines().filter(line -> line.contains("── "))).hasSize(names.size());
        StatusRenderer plain = StatusRenderer.plain().withWidth(60);
        for (boolean ascii : new boolean[] {false, true}) {
            StatusRenderer narrow = StatusRenderer.ansi(60);
            String cut = (ascii ? narrow.ascii() : narrow).render(snapshot);
            assertOfOurColoursAlone(cut, (ascii ? plain.ascii() : plain).render(snapshot));
            cut.lines().forEach(line -> {
                TerminalEmulator row = new TerminalEmulator(70, 2).feed(line);
                assertThat(row.isColoured()).as(line).isFalse();
                assertThat(row.scrolled()).isZero();
            });
        }
        assertThat(StatusRenderer.ansi(60).ascii().render(snapshot).chars()).allMatch(c -> c < 0x7f);
    }

    @ParameterizedTest(name = "batch {index}")
    @MethodSource("names")
    void S6_onlyWhatCanBeReadComesOutOfEverythingElse(List<String> names) {
        Terminal terminal = new Terminal(true, true, false, 0);
        Table table = new Table("NAME");
        TopView top = new TopView(terminal);
        TopView plainTop = new TopView(new Terminal(true, false, false, 0));
        for (String name : names) {
            table.row(name);
            assertPlain(Printable.line(name));
            assertPlain(Shell.quoted(name));
        }
        assertPlain(table.drawn(terminal));
        StatusSnapshot snapshot = called(names);
        for (TopView each : List.of(top, plainTop)) {
            each.news(new Answer.OfNode(snapshot).rows());
            each.press(Key.of(Key.Kind.DOWN));
        }
        assertHarmless(top.drawn(new Size(100, 20_000)));
        assertPlain(plainTop.drawn(new Size(100, 20_000)));
        top.press(Key.of('d'));
        plainTop.press(Key.of('d'));
        assertHarmless(top.drawn(new Size(100, 40)));
        assertPlain(plainTop.drawn(new Size(100, 40)));
        String json = Sanitizer.json(StatusJson.write(snapshot));
        assertThat(json.chars()).noneMatch(c -> c < 0x20 || (c >= 0x7f && c < 0xa0));
        assertPlain(json);
    }

    @Test
    void S6_aTroubleIsHarmlessTheMessageOfWhichComesFromOutside() {
        for (String attack : ATTACKS) {
            NodeIdentity node = new NodeIdentity(attack, attack);
            ClusterStatus cluster = new ClusterStatus(
                    Instant.EPOCH,
                    attack,
                    List.of(new NodeStatus(node, NodeState.DOWN, Duration.ZERO, attack, null, null)));
            assertOfOurColoursAlone(
                    StatusRenderer.ansi(80).render(cluster),
                    StatusRenderer.plain().withWidth(80).render(cluster));
            new Answer.OfCluster(cluster).gaps().forEach(RendererSafetyTest::assertPlain);
        }
    }

    /** Of what has our colours nobody can tell whether one came from a name; without them there is none at all. */
    private static void assertPlain(String output) {
        if (output.indexOf('\u001b') >= 0) {
            throw new AssertionError("an escape comes out where there are no colours");
        }
        assertHarmless(output);
    }

    private static void assertOfOurColoursAlone(String coloured, String plain) {
        assertHarmless(coloured);
        assertPlain(plain);
        assertThat(OUR_COLOURS.matcher(coloured).replaceAll("")).isEqualTo(plain);
    }

    private static void assertHarmless(String output) {
        String rest = OUR_COLOURS.matcher(output).replaceAll("");
        rest.codePoints().forEach(c -> {
            int type = Character.getType(c);
            boolean harmless = c == '\n'
                    || (c >= 0x20
                            && type != Character.CONTROL
                            && type != Character.FORMAT
                            && type != Character.LINE_SEPARATOR
                            && type != Character.PARAGRAPH_SEPARATOR
                            && type != Character.SURROGATE);
            if (!harmless) {
                throw new AssertionError("U+" + Integer.toHexString(c) + " comes out");
            }
        });
    }

    private static StatusSnapshot called(List<String> names) {
        ContextPath root = ContextPath.of(List.of("global"));
        List<ContextStatus> children = new ArrayList<>();
        List<LockStatus> locks = new ArrayList<>();
        List<LockWaiter> waiters = new ArrayList<>();
        List<StatusWarning> warnings = new ArrayList<>();
        for (int i = 0; i < names.size(); i++) {
            String name = names.get(i);
            ContextPath path = root.child(name);
            children.add(Fixtures.context(2 + i, name, path, ContextKind.TASK));
            if (i % 16 == 0) {
                Duration some = Duration.ofSeconds(1);
                // Ids of contexts that are not drawn, so that each line of the tree is one name.
                locks.add(new LockStatus(name, i, LockType.MUTEX, name, -2 - i, path, some, 1, 0, true));
                waiters.add(new LockWaiter(name, -2 - i, path, name, i, some, true));
                warnings.add(new StatusWarning("odd", WarningSeverity.CRITICAL, name, path.toString(), name));
            }
        }
        StatusSnapshot calm = Fixtures.snapshot(names.get(names.size() - 1), "x");
        return new StatusSnapshot(
                calm.node(),
                calm.timestamp(),
                1,
                null,
                Fixtures.context(1, "global", root, ContextKind.ROOT).withChildren(children, FoldedChildren.NONE),
                locks,
                waiters,
                warnings);
    }
}
