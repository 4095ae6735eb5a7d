package com.fastn.status.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.status.StatusSnapshot;
import com.fastn.status.cli.CommandLineRun.Result;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TargetsTest {
    private static final StatusSnapshot ALICE = Fixtures.snapshot("alice", "front");

    @TempDir
    Path folder;

    private CommandLineRun command;

    @BeforeEach
    void emptyFolder() {
        command = new CommandLineRun(folder);
    }

    @Test
    void aNodeThatIsNamedTwiceIsMeantOnce() {
        try (FakeNode alice = FakeNode.of(ALICE, Fixtures.cluster(Fixtures.up("alice", "front")))) {
            command.node("alice", alice.url());
            command.config("[nodes.prod]\nurl = \"%s\"\n".formatted(alice.url()));
            Result once = new Result(ExitCode.OK, ALICE.toString(), "");
            assertThat(command.run("status", "alice,alice")).isEqualTo(once);
            assertThat(command.run("status", "alice", Fixtures.incarnation("alice"), "alice"))
                    .as("by its alias and its incarnation")
                    .isEqualTo(once);
            assertThat(command.run("status", "prod,prod")).isEqualTo(once);
            assertThat(command.run("nodes", "alice,alice").out().lines()).hasSize(2);
        }
    }

    @Test
    void ofNamesThatOnlyTheClusterKnowsEachIsAskedForOnce() {
        try (FakeNode alice = FakeNode.of(ALICE, Fixtures.cluster(Fixtures.up("bob", "stock")))) {
            command.node("alice", alice.url());
            Result result = command.run("status", "bob,bob,alice,alice");
            assertThat(result.exitCode()).isEqualTo(ExitCode.OK);
            assertThat(alice.asked()).singleElement().asString().startsWith("nodes=bob,alice&");
        }
    }
}
