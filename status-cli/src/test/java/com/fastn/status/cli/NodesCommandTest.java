package com.fastn.status.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.status.StatusJson;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.status.cli.CommandLineRun.Result;
import java.nio.file.Path;
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
                                    .contains("through the cluster")
                                    .contains("did not answer within 1000 ms"),
                            line -> assertThat(line)
                                    .startsWith("zoe    up     2")
                                    .contains(zoe.url()),
                            line -> assertThat(line)
                                    .startsWith("prod   down   -")
                                    .contains("nothing listens at http://127.0.0.1:1"));
            Result json = command.run("nodes", "--json");
            assertThat(StatusJson.readCluster(json.out()).nodes()).hasSize(4).allMatch(row -> row.snapshot() == null);
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
    void withoutAnyNodeItIsSaidWhatToDo() {
        Result result = new CommandLineRun(folder).run("nodes");
        assertThat(result.exitCode()).isEqualTo(ExitCode.UNREACHABLE);
        assertThat(result.err()).contains("no node is found").contains("fastn info");
    }
}
