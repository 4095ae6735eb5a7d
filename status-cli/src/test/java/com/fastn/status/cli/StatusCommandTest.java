package com.fastn.status.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.NodeState;
import com.fastn.context.status.NodeStatus;
import com.fastn.context.status.StatusJson;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.context.status.WarningSeverity;
import com.fastn.status.cli.CommandLineRun.Result;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StatusCommandTest {
    private static final StatusSnapshot ALICE = Fixtures.snapshot("alice", "front");
    private static final StatusSnapshot BOB = Fixtures.snapshot("bob", "inventory");
    private static final ClusterStatus BOTH =
            Fixtures.cluster(Fixtures.up("alice", "front"), Fixtures.up("bob", "inventory"));

    @TempDir
    Path folder;

    private CommandLineRun command;

    @BeforeEach
    void emptyFolder() {
        command = new CommandLineRun(folder);
    }

    @Test
    void theOnlyNodeOfThisMachineIsShown() {
        try (FakeNode alice = FakeNode.of(ALICE, BOTH)) {
            command.node("alice", alice.url());
            Result result = command.run("status");
            assertThat(result).isEqualTo(new Result(ExitCode.OK, ALICE.toString(), ""));
            assertThat(alice.asked()).containsExactly("lines=60&format=json");
        }
    }

    @Test
    void ofSeveralNodesNoneIsChosenAndTheCommandsToRunAreNamed() {
        try (FakeNode alice = FakeNode.of(ALICE, BOTH);
                FakeNode bob = FakeNode.of(BOB, BOTH)) {
            command.node("alice", alice.url());
            command.node("bob", bob.url());
            Result result = command.run("status");
            assertThat(result.exitCode()).isEqualTo(ExitCode.USAGE);
            assertThat(result.out()).isEmpty();
            assertThat(result.err())
                    .contains("2 nodes run on this machine")
                    .contains("fastn status alice ")
                    .contains("fastn status bob ")
                    .contains("fastn status --cluster")
                    .contains(bob.url());
            assertThat(alice.asked()).isEmpty();
        }
    }

    @Test
    void aNodeOfThisMachineIsAskedDirectlyByItsAliasOrTheBeginningOfItsIncarnation() {
        try (FakeNode alice = FakeNode.of(ALICE, BOTH);
                FakeNode bob = FakeNode.of(BOB, BOTH)) {
            command.node("alice", alice.url());
            command.node("bob", bob.url());
            assertThat(command.run("status", "bob")).isEqualTo(new Result(ExitCode.OK, BOB.toString(), ""));
            assertThat(command.run("status", "19a0-b").out()).isEqualTo(BOB.toString());
            assertThat(alice.asked()).isEmpty();
            assertThat(bob.asked()).containsExactly("lines=60&format=json", "lines=60&format=json");
        }
    }

    @Test
    void D4_anAliasThatTwoNodesOfThisMachineShareIsNotGuessedAt() {
        try (FakeNode alice = FakeNode.of(ALICE, BOTH)) {
            command.node("alice", "19a0-one", alice.url(), 11);
            command.node("alice", "19a0-two", alice.url(), 12);
            Result result = command.run("status", "alice");
            assertThat(result.exitCode()).isEqualTo(ExitCode.USAGE);
            assertThat(result.err())
                    .contains("2 nodes of this machine go by \"alice\"")
                    .contains("fastn status 19a0-one ")
                    .contains("fastn status 19a0-two ");
        }
    }

    @Test
    void nodesElsewhereAreAskedThroughANodeOfThisMachine() {
        ClusterStatus chosen = Fixtures.cluster(Fixtures.up("bob", "inventory"), Fixtures.up("carol", "payment"));
        try (FakeNode alice = FakeNode.of(ALICE, chosen)) {
            command.node("alice", alice.url());
            for (String[] names : new String[][] {{"bob,carol"}, {"bob", "carol"}}) {
                Result result =
                        names.length == 1 ? command.run("status", names[0]) : command.run("status", names[0], names[1]);
                assertThat(result).isEqualTo(new Result(ExitCode.OK, chosen.toString(), ""));
            }
            assertThat(alice.asked())
                    .containsOnly("nodes=bob,carol&lines=60&format=json")
                    .hasSize(2);
        }
    }

    @Test
    void namesAreEncodedOnTheirWay() {
        try (FakeNode alice = FakeNode.of(ALICE, BOTH)) {
            command.node("alice", alice.url());
            command.run("status", "a&b=c d,ü");
            assertThat(alice.asked()).containsExactly("nodes=a%26b%3Dc+d,%C3%BC&lines=60&format=json");
        }
    }

    @Test
    void theClusterIsAskedThroughOneNode() {
        try (FakeNode alice = FakeNode.of(ALICE, BOTH);
                FakeNode bob = FakeNode.of(BOB, BOTH)) {
            command.node("alice", alice.url());
            command.node("bob", bob.url());
            for (String option : new String[] {"--cluster", "--all"}) {
                assertThat(command.run("status", option)).isEqualTo(new Result(ExitCode.OK, BOTH.toString(), ""));
            }
            assertThat(alice.asked()).containsOnly("scope=cluster&lines=60&format=json");
            assertThat(bob.asked()).isEmpty();
        }
    }

    @Test
    void aNodeThatIsNotListedByItsNeighbourIsOfAnotherClusterAndAskedToo() {
        ClusterStatus first = Fixtures.cluster(Fixtures.up("alice", "front"));
        ClusterStatus second = Fixtures.cluster(Fixtures.up("zoe", "other"));
        try (FakeNode alice = FakeNode.of(ALICE, first);
                FakeNode zoe = FakeNode.of(Fixtures.snapshot("zoe", "other"), second)) {
            command.node("alice", alice.url());
            command.node("zoe", zoe.url());
            Result result = command.run("status", "--cluster");
            assertThat(result).isEqualTo(new Result(ExitCode.OK, first + "\n" + second, ""));
            assertThat(command.run("status", "--cluster", "--json").out().lines())
                    .hasSize(2);
        }
    }

    @Test
    void whenOneNodeIsHungTheNextOneIsAskedForTheCluster() {
        ClusterStatus withHung = Fixtures.cluster(Fixtures.silent("alice"), Fixtures.up("bob", "inventory"));
        try (FakeNode alice = FakeNode.hung();
                FakeNode bob = FakeNode.of(BOB, withHung)) {
            command.node("alice", alice.url());
            command.node("bob", bob.url());
            // All of it goes by for the one, and a busy machine has as much for each step of the other.
            Result result = command.byAClockThatStandsStill().run("status", "--cluster", "--timeout", "6s");
            assertThat(result.exitCode()).isEqualTo(ExitCode.PARTIAL);
            assertThat(result.out()).isEqualTo(withHung.toString());
            assertThat(result.err()).isEqualTo("fastn: 1 of 2 nodes did not answer: alice\n");
        }
    }

    @Test
    void aNodeThatItsClusterCannotHearIsAskedAtItsOwnPort() {
        ClusterStatus withoutBob = Fixtures.cluster(Fixtures.up("alice", "front"), Fixtures.silent("bob"));
        try (FakeNode alice = FakeNode.of(ALICE, withoutBob);
                FakeNode bob = FakeNode.of(BOB, BOTH)) {
            command.node("alice", alice.url());
            command.node("bob", bob.url());
            Result result = command.run("status", "--cluster");
            assertThat(result.exitCode()).isEqualTo(ExitCode.OK);
            assertThat(result.out())
                    .contains("inventory")
                    .contains("did not answer within 1000 ms; its status port on this machine did");
            assertThat(bob.asked()).containsExactly("lines=60&format=json");
        }
    }

    @Test
    void D4_liveNodesThatShareAnAliasMakeTheExitCodeSaySo() {
        NodeStatus one = Fixtures.up("bob", "inventory");
        NodeStatus two = new NodeStatus(
                one.node(), NodeState.CONFLICT, one.age(), "two live nodes", one.summary(), one.snapshot());
        try (FakeNode alice = FakeNode.of(ALICE, Fixtures.cluster(Fixtures.up("alice", "front"), two))) {
            command.node("alice", alice.url());
            Result result = command.run("status", "--cluster");
            assertThat(result.exitCode()).isEqualTo(ExitCode.PARTIAL);
            assertThat(result.err()).contains("live nodes share an alias: bob");
        }
    }

    @Test
    void jsonIsTheStatusOnOneLineAndReadableOnATerminal() {
        try (FakeNode alice = FakeNode.of(ALICE, BOTH)) {
            command.node("alice", alice.url());
            Result result = command.run("status", "--json");
            assertThat(result.out()).endsWith("}\n").doesNotContain("\u001b");
            assertThat(result.out().lines()).hasSize(1);
            assertThat(StatusJson.readSnapshot(result.out())).isEqualTo(ALICE);
            assertThat(StatusJson.readCluster(
                            command.run("status", "--cluster", "--json").out()))
                    .isEqualTo(BOTH);
            assertThat(command.onATerminal().run("status", "--json").out().lines())
                    .hasSizeGreaterThan(10);
        }
    }

    @Test
    void S6_jsonCarriesNothingThatATerminalObeysAndKeepsItsMeaning() {
        StatusSnapshot hostile = Fixtures.snapshot("alice", "x\u001b]8;;y\u0007\u009b31m\u202e\u200b\u2028\r\nz");
        try (FakeNode alice = FakeNode.of(hostile, BOTH)) {
            command.node("alice", alice.url());
            String json = command.run("status", "--json").out();
            assertThat(json.strip().chars()).allMatch(c -> c >= 0x20 && c < 0x7f);
            assertThat(StatusJson.readSnapshot(json)).isEqualTo(hostile);
        }
    }

    @Test
    void coloursGoToTerminalsAndWhereTheyAreAskedFor() {
        try (FakeNode alice = FakeNode.of(ALICE, BOTH)) {
            command.node("alice", alice.url());
            assertThat(command.run("status", "--color", "always").out()).contains("\u001b[");
            assertThat(command.run("status").out()).doesNotContain("\u001b");
            assertThat(command.onATerminal().run("status").out()).contains("\u001b[");
            assertThat(command.run("status", "--color=never").out()).doesNotContain("\u001b");
            assertThat(command.run("status", "--width=24").out()).contains("…");
        }
    }

    @Test
    void whatPartIsWantedIsAskedFor() {
        try (FakeNode alice = FakeNode.of(ALICE, BOTH)) {
            command.node("alice", alice.url());
            command.run("status", "--path", "global.a b", "--depth=2", "--recent");
            assertThat(alice.asked()).containsExactly("path=global.a+b&depth=2&recent=true&lines=60&format=json");
            command.run("status", "--cluster", "--depth=1");
            assertThat(alice.asked()).contains("scope=cluster&depth=1&lines=60&format=json");
        }
    }

    @Test
    void aFilterKeepsWhatFitsWithThoseAboveAndBelow() {
        StatusSnapshot many = Fixtures.snapshot("alice", 30);
        try (FakeNode alice = FakeNode.of(many, BOTH)) {
            command.node("alice", alice.url());
            assertThat(command.run("status", "--filter", "TASK-2").out().lines().filter(l -> l.contains("task-")))
                    .hasSize(11)
                    .allMatch(line -> line.contains("task-2"));
            assertThat(command.run("status", "--filter", "nothing").out())
                    .contains("global")
                    .doesNotContain("task");
            assertThat(command.run("status", "--filter", "global").out().lines().filter(l -> l.contains("task-")))
                    .hasSize(30);
        }
    }

    @Test
    void M10_aTreeHasSixtyLinesUnlessMoreAreAskedFor() {
        try (FakeNode alice = FakeNode.of(Fixtures.snapshot("alice", 200), BOTH)) {
            command.node("alice", alice.url());
            String usual = command.run("status").out();
            assertThat(usual.lines().filter(line -> line.contains("task-"))).hasSizeBetween(50, 60);
            assertThat(usual).containsPattern("\\+1[45]\\d more");
            assertThat(command.run("status", "--lines=20").out().lines().filter(line -> line.contains("task-")))
                    .hasSizeBetween(10, 20);
            assertThat(command.run("status", "--lines=0").out().lines().filter(line -> line.contains("task-")))
                    .hasSize(200);
        }
    }

    @Test
    void siblingsAreSortedAndTheRestIsCounted() {
        StatusSnapshot many = Fixtures.snapshot("alice", 12);
        try (FakeNode alice = FakeNode.of(many, BOTH)) {
            command.node("alice", alice.url());
            String byName = command.run("status", "--sort=name").out();
            assertThat(byName.indexOf("task-10")).isBetween(byName.indexOf("task-1 "), byName.indexOf("task-2 "));
            assertThat(command.run("status", "--limit=3").out())
                    .contains("+9 more")
                    .doesNotContain("task-7");
            Result json = command.run("status", "--limit=3", "--json");
            assertThat(StatusJson.readSnapshot(json.out())
                            .globalContext()
                            .foldedChildren()
                            .count())
                    .isEqualTo(9);
        }
    }

    @Test
    void partsOfTheDrawingAreHadAlone() {
        StatusSnapshot warned = Fixtures.warned("alice", WarningSeverity.WARNING);
        try (FakeNode alice = FakeNode.of(warned, BOTH)) {
            command.node("alice", alice.url());
            assertThat(command.run("status", "--warnings").out())
                    .contains("something is odd")
                    .doesNotContain("front (");
            assertThat(command.run("status", "--locks").out())
                    .doesNotContain("something is odd")
                    .doesNotContain("front (");
        }
    }

    @Test
    void aScriptLearnsOfWarningsByTheExitCode() {
        StatusSnapshot warned = Fixtures.warned("alice", WarningSeverity.WARNING);
        try (FakeNode alice = FakeNode.of(warned, BOTH)) {
            command.node("alice", alice.url());
            assertThat(command.run("status").exitCode()).isEqualTo(ExitCode.OK);
            assertThat(command.run("status", "--fail-on", "warning").exitCode()).isEqualTo(ExitCode.WARNED);
            assertThat(command.run("status", "--fail-on", "critical").exitCode())
                    .isEqualTo(ExitCode.OK);
        }
        StatusSnapshot critical = Fixtures.warned("alice", WarningSeverity.CRITICAL);
        try (FakeNode alice = FakeNode.of(critical, BOTH)) {
            command.node("alice", "19a0-alice", alice.url(), 4_000);
            assertThat(command.run("status", "--fail-on", "critical").exitCode())
                    .isEqualTo(ExitCode.WARNED);
        }
    }

    @Test
    void ofSeveralNamedNodesADeadOneIsARow() {
        try (FakeNode alice = FakeNode.of(ALICE, BOTH);
                FakeNode bob = FakeNode.of(BOB, BOTH)) {
            command.node("alice", alice.url());
            command.node("bob", bob.url());
            command.config("[nodes.prod]\nurl = \"http://127.0.0.1:1\"\n");
            Result result = command.run("status", "alice,bob,prod");
            assertThat(result.exitCode()).isEqualTo(ExitCode.PARTIAL);
            assertThat(result.out())
                    .contains("● alice  up")
                    .contains("● bob  up")
                    .contains("○ prod  down: nothing listens at http://127.0.0.1:1");
            assertThat(result.err()).isEqualTo("fastn: 1 of 3 nodes did not answer: prod\n");
        }
    }

    @Test
    void formatsAreThoseOfTheirNames() {
        try (FakeNode alice = FakeNode.of(ALICE, BOTH)) {
            command.node("alice", alice.url());
            command.onATerminal();
            assertThat(command.run("status", "--format=ndjson").out().lines()).hasSize(1);
            assertThat(command.run("status", "--format=json").out().lines()).hasSizeGreaterThan(10);
            assertThat(command.run("status", "--format=text", "--color=never").out())
                    .isEqualTo(ALICE.toString());
            assertThat(command.run("status", "--ascii", "--color=never").out()).contains("`-- front");
            assertThat(command.with("LANG", "C").run("status", "--color=never").out())
                    .contains("`-- front");
        }
    }

    @Test
    void theTokenOfADescriptorOpensThePort() {
        try (FakeNode alice = FakeNode.of(ALICE, BOTH).withToken("abc")) {
            command.descriptor(
                    "alice.json",
                    "{\"pid\":1,\"alias\":\"alice\",\"url\":\"%s\",\"incarnation\":\"i-1\",\"token_file\":\"%s\"}"
                            .formatted(alice.url(), command.file("token", "abc", "rw-------")),
                    "rw-------");
            assertThat(command.run("status").exitCode()).isEqualTo(ExitCode.OK);
        }
    }

    @Test
    void aMistakeOfTheCommandIsASentenceUnlessMoreIsAskedFor() {
        command.mistakenIn("FASTN_RUNTIME_DIR");
        Result result = command.run("status");
        assertThat(result.exitCode()).isEqualTo(ExitCode.ERROR);
        assertThat(result.err()).contains("--debug").doesNotContain("\tat ");
        assertThat(command.run("status", "--debug").err()).contains("\tat ");
    }

    @Test
    void theDescriptorOfADeadProcessIsNoNode() {
        try (FakeNode alice = FakeNode.of(ALICE, BOTH)) {
            command.deadNode("zombie", alice.url());
            command.node("alice", alice.url());
            assertThat(command.run("status")).isEqualTo(new Result(ExitCode.OK, ALICE.toString(), ""));
        }
    }

    @Test
    void aDescriptorWhoseProcessIdAnotherProcessHasByNowIsNoNode() {
        Instant before = Instant.parse("2026-02-03T03:59:58Z");
        Instant after = Instant.parse("2026-02-03T05:00:00Z");
        String free = "http://127.0.0.1:1";
        try (FakeNode bob = FakeNode.of(BOB, BOTH)) {
            command.nodeWhoseProcessStarted(after, "alice", free);
            command.nodeWhoseProcessStarted(before, "bob", bob.url());
            assertThat(command.run("status")).isEqualTo(new Result(ExitCode.OK, BOB.toString(), ""));
            command.nodeWhoseProcessStarted(after, "carol", bob.url());
            assertThat(command.run("status").err())
                    .as("a clock that was set makes a process look young, and its port is open")
                    .contains("2 nodes run on this machine");
        }
    }

    @Test
    void S20_aDescriptorThatOthersCanReadIsRefusedWithASentence() {
        try (FakeNode alice = FakeNode.of(ALICE, BOTH)) {
            Path file = command.node("alice", alice.url());
            for (String permissions : new String[] {"rw-r-----", "rw----r--", "rw--w----"}) {
                setPermissions(file, permissions);
                Result result = command.run("status");
                assertThat(result.exitCode()).as(permissions).isEqualTo(ExitCode.UNREACHABLE);
                assertThat(result.err()).contains("chmod 600 " + file).contains("no node is found on this machine");
            }
            assertThat(alice.asked()).isEmpty();
        }
    }

    @Test
    void S20_aFolderThatOthersCanWriteIsNotBelieved() throws IOException {
        try (FakeNode alice = FakeNode.of(ALICE, BOTH)) {
            Path runtime = Files.createDirectory(folder.resolve("fastn"));
            Files.move(command.node("alice", alice.url()), runtime.resolve("alice.json"));
            command.without("FASTN_RUNTIME_DIR").with("XDG_RUNTIME_DIR", folder.toString());
            setPermissions(runtime, "rwx------");
            assertThat(command.run("status").exitCode()).isEqualTo(ExitCode.OK);
            setPermissions(runtime, "rwx-w----");
            Result result = command.run("status");
            assertThat(result.exitCode()).isEqualTo(ExitCode.UNREACHABLE);
            assertThat(result.err()).contains("can be written by others").contains("chmod 700 " + runtime);
            command.with("FASTN_RUNTIME_DIR", runtime.toString());
            Result named = command.run("status");
            assertThat(named.exitCode()).isEqualTo(ExitCode.UNREACHABLE);
            assertThat(named.err()).contains("can be written by others").contains("chmod 700 " + runtime);
        }
    }

    @Test
    void aDescriptorThatPointsAwayFromThisMachineIsRefused() {
        for (String url : new String[] {
            "http://203.0.113.7:80", "http://127.0.0.1.example:80", "file:///etc/passwd", "https://203.0.113.7:1", "::"
        }) {
            command.node("alice", "x", url, 77);
            Result result = command.run("status");
            assertThat(result.exitCode()).as(url).isEqualTo(ExitCode.UNREACHABLE);
            assertThat(result.err()).as(url).contains("77.json is not used, because its url");
        }
    }

    @Test
    void garbageInTheFolderIsNamedAndDoesNoHarm() {
        try (FakeNode alice = FakeNode.of(ALICE, BOTH)) {
            command.node("alice", alice.url());
            command.descriptor("half.json", "{\"alias\":\"bo", "rw-------");
            command.descriptor("empty.json", "", "rw-------");
            command.descriptor("big.json", "[" + " ".repeat(100_000) + "]", "rw-------");
            command.descriptor(
                    "odd.json",
                    "{\"pid\":1,\"alias\":\"odd\",\"url\":\"http://127.0.0.1:1\",\"incarnation\":\"odd\",\"ca_file\":\"\\u0000\"}",
                    "rw-------");
            command.descriptor(".hidden.json.tmp", "x", "rw-r--r--");
            command.descriptor("notes.txt", "x", "rw-r--r--");
            Result result = command.run("status");
            assertThat(result.exitCode()).isEqualTo(ExitCode.OK);
            assertThat(result.out()).isEqualTo(ALICE.toString());
            assertThat(result.err().lines())
                    .hasSize(4)
                    .anyMatch(line -> line.contains("is not used, because it names a file that there cannot be"))
                    .anyMatch(line -> line.contains("half.json"))
                    .anyMatch(line -> line.contains("empty.json"))
                    .anyMatch(line -> line.contains("big.json"));
        }
    }

    @Test
    void withoutAnyNodeItIsSaidWhereOneWasLookedForAndWhatToDo() {
        Result result = command.run("status");
        assertThat(result.exitCode()).isEqualTo(ExitCode.UNREACHABLE);
        assertThat(result.out()).isEmpty();
        assertThat(result.err())
                .contains("no node is found on this machine")
                .contains(folder.toString())
                .contains("StatusVerticle");
    }

    @Test
    void aNodeWhosePortIsGoneIsUnreachable() {
        Path file = command.node("alice", "http://127.0.0.1:1");
        for (String[] arguments : new String[][] {{"status"}, {"status", "--cluster"}, {"status", "bob"}}) {
            Result result = command.run(arguments);
            assertThat(result.exitCode()).isEqualTo(ExitCode.UNREACHABLE);
            assertThat(result.err())
                    .contains("node \"alice\" does not answer")
                    .contains("nothing listens at")
                    .contains("rm " + file);
        }
    }

    @Test
    void aHungNodeIsGivenUpAfterTheTimeout() {
        try (FakeNode alice = FakeNode.hung()) {
            command.node("alice", alice.url());
            Result result = command.run("status", "--timeout=150ms");
            assertThat(result.exitCode()).isEqualTo(ExitCode.UNREACHABLE);
            assertThat(result.err()).contains("did not answer within 150 ms").contains("--timeout");
        }
    }

    @Test
    void anUnknownNameIsRefusedWithWhatTheNodeSaysAboutIt() {
        try (FakeNode alice = FakeNode.saying(404, "unknown node \"carl\u001b[2J\"; did you mean \"carol\"?\n")) {
            command.node("alice", alice.url());
            Result result = command.run("status", "carl");
            assertThat(result.exitCode()).isEqualTo(ExitCode.ERROR);
            assertThat(result.err())
                    .startsWith("fastn: unknown node \"carl\\u{1b}[2J\"\n  why:  ")
                    .contains("did you mean \"carol\"?")
                    .contains("fastn status --cluster")
                    .contains("\\u{1b}")
                    .doesNotContain("\u001b");
        }
    }

    @Test
    void besideANodeThatAnsweredTheUnknownOneIsTheTrouble() {
        try (FakeNode alice = FakeNode.saying(404, "unknown node \"nobody\"; known are alice\n")) {
            command.node("alice", alice.url());
            for (String names : new String[] {"nobody", "alice,nobody"}) {
                assertThat(command.run("status", names).err()).as(names).isEqualTo("""
                                fastn: unknown node "nobody"
                                  why:  node "alice", which was asked for it, says: known are alice
                                  next: fastn status --cluster shows every node by its name
                                """);
            }
        }
    }

    @Test
    void whatEachNodeRemembersForItselfIsAskedOfNoCluster() {
        try (FakeNode alice = FakeNode.of(ALICE, BOTH)) {
            command.node("alice", alice.url());
            for (String watch : new String[] {"--watch", "--depth=1"}) {
                Result all = command.run("status", "--cluster", "--recent", watch);
                assertThat(all.exitCode()).as(watch).isEqualTo(ExitCode.USAGE);
                assertThat(all.err()).contains("--recent is what each node remembers for itself");
                Result through = command.run("status", "carol", "--recent", watch);
                assertThat(through.exitCode()).as(watch).isEqualTo(ExitCode.USAGE);
                assertThat(through.err()).contains("\"carol\" names one that only its cluster knows");
            }
            assertThat(alice.asked()).isEmpty();
        }
    }

    @Test
    void aQuestionThatANodeDoesNotUnderstandIsNoUnknownName() {
        try (FakeNode alice = FakeNode.saying(400, "unknown parameter \"depth\"\n")) {
            command.node("alice", alice.url());
            Result result = command.run("status", "--cluster", "--depth=1");
            assertThat(result.exitCode()).isEqualTo(ExitCode.ERROR);
            assertThat(result.err()).contains("unknown parameter \"depth\"").doesNotContain("every node by its name");
        }
    }

    @Test
    void whatIsNotOpenIsAnsweredWithHowToSeeWhatIs() {
        try (FakeNode alice = FakeNode.saying(404, "nothing is open at \"global.typo\" on alice\n")) {
            command.node("alice", alice.url());
            assertThat(command.run("status", "--path=global.typo").err())
                    .contains("next: fastn status alice shows which paths are open");
            assertThat(command.run("status", "--cluster", "--path=global.typo").err())
                    .contains("next: fastn status --cluster shows which paths are open");
        }
    }

    @Test
    void anAnswerThatIsNoStatusIsNotBelieved() {
        for (String body :
                new String[] {"", "hello", "{}", "[]", StatusJson.write(ALICE).substring(0, 200)}) {
            try (FakeNode alice = FakeNode.saying(200, body)) {
                command.node("alice", "19a0-alice", alice.url(), 77);
                Result result = command.run("status");
                assertThat(result.exitCode()).as(body).isEqualTo(ExitCode.ERROR);
                assertThat(result.out()).isEmpty();
                assertThat(result.err()).contains("the answer of node \"alice\" is not understood");
            }
        }
    }

    @Test
    void anEndlessAnswerIsNotRead() {
        try (FakeNode alice = FakeNode.saying(200, " ".repeat(StatusPorts.LARGEST_ANSWER + 1))) {
            command.node("alice", alice.url());
            Result result = command.run("status", "--timeout=1m");
            assertThat(result.exitCode()).isEqualTo(ExitCode.ERROR);
            assertThat(result.err()).contains("larger than 4 MiB");
        }
    }

    @Test
    void S6_anAliasThatATerminalWouldObeyIsSpelledOut() {
        command.node("a\\u001b[2J", "19a0-one", "http://127.0.0.1:1", 21);
        command.node("b\\u202e", "19a0-two", "http://127.0.0.1:1", 22);
        assertThat(command.run("status").err()).doesNotContain("\u001b").doesNotContain("\u202e");
    }

    @Test
    void whatIsNotUnderstoodIsSaidWithTheNextCommand() {
        for (String[] arguments : new String[][] {
            {"status", "--colour"},
            {"status", "--timeout=soon"},
            {"status", "--timeout=0s"},
            {"status", "--width=wide"},
            {"status", "--width=-1"},
            {"status", "--cluster", "alice"},
            {"status", "alice,,bob"},
            {"status", "--depth=0"},
            {"status", "--limit=0"},
            {"status", "--lines=-1"},
            {"status", "--sort=size"},
            {"status", "--path="},
            {"status", "--format=xml"},
            {"status", "--json", "--format=text"},
            {"status", "--json", "--locks"},
            {"status", "--fail-on=info"},
            {"status", "-w", "--fail-on=warning"},
        }) {
            Result result = command.run(arguments);
            assertThat(result.exitCode()).as(String.join(" ", arguments)).isEqualTo(ExitCode.USAGE);
            assertThat(result.out()).isEmpty();
            assertThat(result.err()).startsWith("fastn: ").contains("fastn status --help");
        }
        assertThat(command.run("stauts").err()).contains("status");
        assertThat(command.run().exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(command.run("status", "--help").exitCode()).isEqualTo(ExitCode.OK);
        assertThat(command.run("status", "--help").out()).contains("Exit codes:");
        assertThat(command.run("--version").out()).startsWith("fastn ");
    }

    private static void setPermissions(Path path, String permissions) {
        try {
            Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(permissions));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
