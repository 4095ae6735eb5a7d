package com.fastn.status.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.Explainer;
import com.fastn.context.status.NodeState;
import com.fastn.context.status.NodeStatus;
import com.fastn.context.status.NodeSummary;
import com.fastn.context.status.StatusJson;
import com.fastn.context.status.StatusRenderer;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.status.cli.CommandLineRun.Result;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ExplainCommandTest {
    /** In it, stderr-stream waits for a lock that stdout-handler holds. */
    private static final StatusSnapshot STUCK = Fixtures.seed();

    @TempDir
    Path folder;

    private CommandLineRun command;

    @BeforeEach
    void emptyFolder() {
        command = new CommandLineRun(folder);
    }

    private static ClusterStatus cluster(NodeStatus... others) {
        NodeStatus stuck =
                new NodeStatus(STUCK.node(), NodeState.UP, Duration.ZERO, null, NodeSummary.of(STUCK), STUCK);
        return others.length == 0 ? Fixtures.cluster(stuck) : Fixtures.cluster(stuck, others[0]);
    }

    @Test
    void allThatIsStuckIsExplained() {
        try (FakeNode alice = FakeNode.of(STUCK, cluster())) {
            command.node("alice", alice.url());
            Result result = command.run("explain");
            assertThat(result)
                    .isEqualTo(new Result(
                            ExitCode.OK,
                            StatusRenderer.plain()
                                    .render(Explainer.of(cluster()).explainAll().get(0)),
                            ""));
            assertThat(result.out().lines().findFirst().orElseThrow()).contains("stdout-handler");
            assertThat(alice.asked()).containsExactly("scope=cluster&format=json");
            assertThat(StatusJson.readExplanation(
                            command.run("explain", "--json").out()))
                    .isEqualTo(Explainer.of(cluster()).explainAll().get(0));
        }
    }

    @Test
    void onANarrowScreenNothingOfAnExplanationIsCut() {
        try (FakeNode alice = FakeNode.of(STUCK, cluster())) {
            command.node("alice", alice.url());
            String whole = command.run("explain").out().replaceAll("\\s+", " ");
            for (int width = 40; width < 100; width += 10) {
                int columns = width;
                String narrow = command.run("explain", "--width=" + width).out();
                assertThat(narrow.lines()).as("%d columns", width).allMatch(line -> line.length() <= columns);
                assertThat(narrow.replaceAll("\\s+", " ")).isEqualTo(whole);
            }
            assertThat(command.run("explain", "--width=40", "--color=always").out())
                    .contains("\u001b[")
                    .doesNotContain("…");
        }
    }

    @Test
    void anIdThatSeveralNodesHaveIsNotGuessedAt() {
        ClusterStatus both = Fixtures.cluster(Fixtures.up("alice", "front"), Fixtures.up("bob", "stock"));
        try (FakeNode alice = FakeNode.of(Fixtures.snapshot("alice", "front"), both)) {
            command.node("alice", alice.url());
            Result result = command.run("explain", "#2");
            assertThat(result.exitCode()).isEqualTo(ExitCode.USAGE);
            assertThat(result.out()).isEmpty();
            assertThat(result.err())
                    .contains("2 nodes have a context #2")
                    .contains("fastn explain 2 --on alice")
                    .contains("fastn explain 2 --on bob");
            assertThat(command.run("explain", "2", "--on", "alice").err()).doesNotContain("2 nodes have");
        }
    }

    @Test
    void oneContextIsExplainedByItsNameOrItsId() {
        try (FakeNode alice = FakeNode.of(STUCK, cluster())) {
            command.node("alice", alice.url());
            String byName =
                    command.run("explain", "stderr-stream", "--on", "alice").out();
            assertThat(byName).contains("session-output-lock").contains("stdout-handler");
            assertThat(command.run("explain", "5", "--on=alice").out()).isEqualTo(byName);
            assertThat(command.run("explain", "#5", "--on=alice").out()).isEqualTo(byName);
            Result unknown = command.run("explain", "nobody");
            assertThat(unknown.exitCode()).isEqualTo(ExitCode.ERROR);
            assertThat(unknown.err()).contains("\"nobody\"").contains("next: fastn status --cluster --filter nobody\n");
            assertThat(command.run("explain", "nobody", "--on", "alice").err())
                    .contains("next: fastn status alice --filter nobody\n");
        }
    }

    @Test
    void aNodeThatIsSilentMakesTheAnswerPartial() {
        try (FakeNode alice = FakeNode.of(STUCK, cluster(Fixtures.silent("bob")))) {
            command.node("alice", alice.url());
            Result result = command.run("explain");
            assertThat(result.exitCode()).isEqualTo(ExitCode.PARTIAL);
            assertThat(result.err()).contains("1 of 2 nodes did not answer: bob");
        }
    }

    @Test
    void whatIsNotFoundMayBeOnANodeThatIsSilent() {
        try (FakeNode alice = FakeNode.of(STUCK, cluster(Fixtures.silent("bob")))) {
            command.node("alice", alice.url());
            Result result = command.run("explain", "settle");
            assertThat(result.exitCode()).isEqualTo(ExitCode.ERROR);
            assertThat(result.err())
                    .startsWith("fastn: 1 of 2 nodes did not answer: bob")
                    .contains("\"settle\"; it may have ended, or is on bob, which did not answer");
        }
    }

    @Test
    void severalNodesAreNamedOneAfterTheOther() {
        try (FakeNode alice = FakeNode.of(STUCK, cluster())) {
            command.node("alice", alice.url());
            command.config("[nodes.bob]\nurl = \"http://127.0.0.1:1\"\n");
            Result result = command.run("explain", "--on", "alice", "--on", "bob");
            assertThat(result.exitCode()).isEqualTo(ExitCode.PARTIAL);
            assertThat(result.out()).contains("stdout-handler");
            assertThat(result.err()).contains("1 of 2 nodes did not answer: bob");
        }
    }

    @Test
    void whereNothingIsStuckThatIsSaid() {
        StatusSnapshot calm = Fixtures.snapshot("alice", "front");
        try (FakeNode alice = FakeNode.of(calm, Fixtures.cluster(Fixtures.up("alice", "front")))) {
            command.node("alice", alice.url());
            assertThat(command.run("explain")).isEqualTo(new Result(ExitCode.OK, "nothing is stuck\n", ""));
        }
    }
}
