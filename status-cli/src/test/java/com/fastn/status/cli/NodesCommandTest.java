package com.fastn.status.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.status.NodeIdentity;
import com.fastn.context.status.NodeState;
import com.fastn.context.status.NodeStatus;
import com.fastn.context.status.StatusJson;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.status.cli.CommandLineRun.Result;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NodesCommandTest {
    private static final StatusSnapshot ALICE = Fixtures.snapshot("alice", "front");

    @TempDir
    Path folder;

    @Test
    void nodesOfThisMachineOfTheirClusterAndOfTheConfigurationAreRows() {
        CommandLineRun command = new CommandLineRun(folder);
        try (FakeNode alice =
                        FakeNode.of(ALICE, Fixtures.cluster(Fixtures.up("alice", "front"), Fixtures.silent("bob")));
                FakeNode zoe =
                        FakeNode.of(Fixtures.snapshot("zoe", "other"), Fixtures.cluster(Fixtures.up("zoe", "other")))) {
            command.node("alice", alice.url());
            command.node("zoe", zoe.url());
            command.config("[nodes.prod]\nurl = \"http://127.0.0.1:1\"\n");
            Result result = command.run("nodes");
            assertThat(result.exitCode()).isEqualTo(ExitCode.PARTIAL);
            assertThat(result.out().lines().toList())
                    .satisfiesExactly(
                            line -> assertThat(line).startsWith("ALIAS  STATE  CONTEXTS"),
                            line -> assertThat(line)
                                    .startsWith("alice  up     2")
                                    .contains(alice.url()),
                            line -> assertThat(line)
                                    .startsWith("bob    stale  12")
                                    .contains("through the cluster"),
                            line -> assertThat(line)
                                    .startsWith("zoe    up     2")
                                    .contains(zoe.url()),
                            line -> assertThat(line).startsWith("prod   down   -"),
                            line -> assertThat(line).isEmpty(),
                            line -> assertThat(line).isEqualTo("bob: did not answer within 1000 ms"),
                            line -> assertThat(line).isEqualTo("prod: nothing listens at http://127.0.0.1:1"));
            assertThat(command.onATerminal(100, 40)
                            .with("COLUMNS", "100")
                            .run("nodes")
                            .out())
                    .as("in 100 columns")
                    .contains("nothing listens at http://127.0.0.1:1");
            Result json = command.run("nodes", "--json");
            assertThat(StatusJson.readCluster(json.out()).nodes()).hasSize(4).allMatch(row -> row.snapshot() == null);
        }
    }

    @Test
    void onANarrowScreenColumnsAreLeftOutAndTheAddressIsNotCut() {
        CommandLineRun command = new CommandLineRun(folder);
        try (FakeNode alice = FakeNode.of(ALICE, Fixtures.cluster(Fixtures.up("alice", "front")))) {
            command.node("alice", alice.url());
            for (int width : new int[] {60, 80, 120}) {
                String table = command.run("nodes", "--width=" + width).out();
                assertThat(table)
                        .as("%d columns", width)
                        .contains("ALIAS", "WARNINGS", alice.url())
                        .doesNotContain("…");
                assertThat(table.contains("PID")).as(table).isEqualTo(width > 60);
            }
            assertThat(command.run("nodes").out()).contains("INCARNATION");
            assertThat(command.run("nodes", "--width=20").out().lines()).allMatch(line -> line.length() <= 20);
        }
    }

    @Test
    void oneNodeIsOneRow() {
        CommandLineRun command = new CommandLineRun(folder);
        try (FakeNode alice = FakeNode.of(ALICE, Fixtures.cluster(Fixtures.up("alice", "front")))) {
            command.node("alice", alice.url());
            Result result = command.run("nodes", "alice");
            assertThat(result.exitCode()).isEqualTo(ExitCode.OK);
            assertThat(result.out().lines()).hasSize(2);
            assertThat(alice.asked()).containsExactly("depth=1&format=json");
        }
    }

    @Test
    void eachThatIsNamedIsARowWithItsOwnReason() {
        CommandLineRun command = new CommandLineRun(folder);
        command.config("[nodes.alice]\nurl = \"http://127.0.0.1:1\"\n[nodes.bob]\nurl = \"http://127.0.0.1:2\"\n");
        Result result = command.run("nodes", "alice", "--ascii", "bob");
        assertThat(result.exitCode()).isEqualTo(ExitCode.UNREACHABLE);
        assertThat(result.out().lines().toList())
                .satisfiesExactly(
                        line -> assertThat(line).startsWith("ALIAS"),
                        line -> assertThat(line).startsWith("alice  down").contains("http://127.0.0.1:1"),
                        line -> assertThat(line).startsWith("bob    down").contains("http://127.0.0.1:2"),
                        line -> assertThat(line).isEmpty(),
                        line -> assertThat(line).isEqualTo("alice: nothing listens at http://127.0.0.1:1"),
                        line -> assertThat(line).isEqualTo("bob: nothing listens at http://127.0.0.1:2"));
    }

    @Test
    void aNameThatNobodyKnowsIsAnErrorAndNoRow() {
        CommandLineRun command = new CommandLineRun(folder);
        try (FakeNode alice = FakeNode.saying(404, "no node is called nosuch\n")) {
            command.node("alice", alice.url());
            command.config("[nodes.prod]\nurl = \"http://127.0.0.1:1\"\n");
            Result result = command.run("nodes", "prod,nosuch");
            assertThat(result.exitCode()).isEqualTo(ExitCode.ERROR);
            assertThat(result.out()).isEmpty();
            assertThat(result.err()).contains("nosuch").doesNotContain("mistake of the command");
        }
    }

    @Test
    void allAreAskedAtOnceSoThatSeveralHungOnesCostOneTimeout() {
        for (boolean beside : new boolean[] {false, true}) {
            CommandLineRun command = new CommandLineRun(folder);
            // Each answers when it knows that the others are being asked, and so none where they take turns.
            CountDownLatch asked = new CountDownLatch(3);
            try (FakeNode alice = FakeNode.of(ALICE, Fixtures.cluster(Fixtures.up("alice", "front")));
                    FakeNode bob = FakeNode.meeting(asked, Fixtures.snapshot("bob", "stock"));
                    FakeNode carol = FakeNode.meeting(asked, Fixtures.snapshot("carol", "till"));
                    FakeNode dave = FakeNode.meeting(asked, Fixtures.snapshot("dave", "mail"))) {
                if (beside) {
                    command.node("alice", alice.url());
                }
                command.config("[nodes.bob]\nurl = \"%s\"\n[nodes.carol]\nurl = \"%s\"\n[nodes.dave]\nurl = \"%s\"\n"
                        .formatted(bob.url(), carol.url(), dave.url()));
                Result result = command.run("nodes", "--timeout=60s");
                assertThat(result.exitCode()).as(result.out()).isEqualTo(ExitCode.OK);
                assertThat(result.out().lines().skip(1).map(NodesCommandTest::aliasAndState))
                        .as(beside ? "beside a node of this machine" : "alone")
                        .containsExactlyElementsOf(
                                beside
                                        ? List.of("alice up", "bob up", "carol up", "dave up")
                                        : List.of("bob up", "carol up", "dave up"));
            }
        }
    }

    @Test
    void D4_nodesThatShareAnAliasHaveAnswered() {
        CommandLineRun command = new CommandLineRun(folder);
        NodeStatus one = Fixtures.up("twin", "front");
        NodeStatus shared =
                new NodeStatus(one.node(), NodeState.CONFLICT, one.age(), one.reason(), one.summary(), one.snapshot());
        NodeStatus other = new NodeStatus(
                new NodeIdentity("twin", "19a0-other"),
                NodeState.CONFLICT,
                one.age(),
                one.reason(),
                one.summary(),
                one.snapshot());
        try (FakeNode twin = FakeNode.of(Fixtures.snapshot("twin", "front"), Fixtures.cluster(shared, other))) {
            command.node("twin", twin.url());
            Result result = command.run("nodes");
            assertThat(result.out().lines().skip(1).map(NodesCommandTest::aliasAndState))
                    .containsExactly("twin conflict", "twin conflict");
            assertThat(result.exitCode()).isEqualTo(ExitCode.PARTIAL);
            assertThat(command.run("status", "--cluster").exitCode()).isEqualTo(ExitCode.PARTIAL);
        }
    }

    @Test
    void withoutAnyNodeItIsSaidWhatToDo() {
        Result result = new CommandLineRun(folder).run("nodes");
        assertThat(result.exitCode()).isEqualTo(ExitCode.UNREACHABLE);
        assertThat(result.err()).contains("no node is found").contains("fastn info");
    }

    private static String aliasAndState(String row) {
        String[] cells = row.split(" +", 3);
        return cells[0] + " " + cells[1];
    }
}
