package com.fastn.status.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.status.StatusSnapshot;
import com.fastn.status.cli.CommandLineRun.Result;
import java.nio.file.Path;
import java.util.List;
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

    /** Each line of what is offered, run as it stands, is a command that knows who is meant. */
    @Test
    void whatIsOfferedWhereSeveralNodesRunIsOfTheSameCommandAndItsRemarksStandInOneColumn() {
        command.node("alice", "http://127.0.0.1:1");
        command.node("a-longer-one", "http://127.0.0.1:2");
        for (String name : new String[] {"status", "top", "episodes"}) {
            Result choice = command.onATerminal(80, 24).run(name);
            assertThat(choice.exitCode()).isEqualTo(ExitCode.USAGE);
            List<String> offers = choice.err()
                    .lines()
                    .filter(line -> line.startsWith("          fastn "))
                    .toList();
            assertThat(offers).hasSize(3).allSatisfy(line -> assertThat(line).startsWith("          fastn " + name));
            assertThat(offers.get(2)).contains("fastn " + name + " --cluster ");
            assertThat(offers)
                    .extracting(line -> line.indexOf('#'))
                    .containsOnly(offers.get(0).indexOf('#'));
        }
        command.node("alice", "19a0-another", "http://127.0.0.1:3", 77);
        assertThat(command.run("doctor", "alice").err())
                .contains("  fastn doctor  ")
                .doesNotContain("--cluster");
        assertThat(command.run("explain", "--on", "alice").err())
                .contains("  fastn explain  ")
                .doesNotContain("--cluster");
        assertThat(command.run("explain", "order 17", "--on", "alice").err())
                .contains("  fastn explain 'order 17'  ", "  fastn explain 'order 17' --on ");
        assertThat(command.run("record", folder.resolve("a b").toString()).err())
                .contains("fastn record '" + folder.resolve("a b") + "' 19a0-alice ")
                .doesNotContain("FILE");
    }

    @Test
    void theRemarksOfNodesOfTheConfigurationStandInOneColumn() {
        command.config("[nodes.prod]\nurl = \"https://a\"\n[nodes.production]\nurl = \"https://b\"\n");
        assertThat(command.run("status").err().lines().filter(line -> line.contains("#")))
                .hasSize(2)
                .extracting(line -> line.indexOf('#'))
                .containsOnly(10 + "fastn status production    ".length());
    }
}
