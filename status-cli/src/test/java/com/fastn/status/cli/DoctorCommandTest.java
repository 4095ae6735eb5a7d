package com.fastn.status.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.status.StatusJson;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.context.status.WarningSeverity;
import com.fastn.status.cli.CommandLineRun.Result;
import java.net.URI;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DoctorCommandTest {
    @TempDir
    Path folder;

    private CommandLineRun command;

    @BeforeEach
    void emptyFolder() {
        command = new CommandLineRun(folder);
    }

    @Test
    void whatIsWrongIsSaidWithWhatToDo() {
        StatusSnapshot warned = Fixtures.warned("alice", WarningSeverity.CRITICAL);
        try (FakeNode alice =
                FakeNode.of(warned, Fixtures.cluster(Fixtures.up("alice", "front"), Fixtures.silent("bob")))) {
            command.node("alice", alice.url());
            Result result = command.run("doctor");
            assertThat(result.exitCode()).isEqualTo(ExitCode.ERROR);
            assertThat(result.out())
                    .contains("port: answers in")
                    .contains("ok    event loop:")
                    .contains("ok    status: is told in")
                    .contains("ok    versions: its answers are understood")
                    .contains("WRONG clock: is")
                    .contains("WRONG warning odd: something is odd")
                    .contains("next: fastn status --path global.front")
                    .contains("WRONG cluster: 1 of 2 nodes answered")
                    .contains("WRONG node bob: did not answer within 1000 ms")
                    .contains("ok    TLS: none");
        }
    }

    @Test
    void aNodeThatSaysSomethingElseIsOfAnotherVersion() {
        try (FakeNode alice = FakeNode.saying(
                200,
                StatusJson.write(Fixtures.snapshot("alice", "front"))
                        .replace("\"min_schema\":1", "\"min_schema\":9"))) {
            command.node("alice", alice.url());
            Result result = command.run("doctor");
            assertThat(result.exitCode()).isEqualTo(ExitCode.ERROR);
            assertThat(result.out()).contains("WRONG versions:");
        }
    }

    @Test
    void aNodeThatIsGoneIsWrongAndTheOthersAreLookedAtAllTheSame() {
        try (FakeNode bob = FakeNode.hung()) {
            command.node("alice", "http://127.0.0.1:1");
            command.node("bob", bob.url());
            Result result = command.run("doctor", "--timeout=200ms");
            assertThat(result.exitCode()).isEqualTo(ExitCode.ERROR);
            assertThat(result.out())
                    .contains("WRONG port: its process lives, but nothing listens")
                    .contains("WRONG port: its process lives, but its status port did not answer within 200 ms");
        }
    }

    @Test
    void onlyWhatStaysOnThisMachineNeedsNoTls() {
        for (String here : new String[] {"127.0.0.1", "localhost", "[::1]", "127.8.9.10"}) {
            assertThat(DoctorCommand.staysHere(configured("http://" + here + ":8077")))
                    .as(here)
                    .isTrue();
        }
        for (String elsewhere : new String[] {"status.example", "192.0.2.7", "127.0.0.1.status.example"}) {
            assertThat(DoctorCommand.staysHere(configured("http://" + elsewhere + ":8077")))
                    .as(elsewhere)
                    .isFalse();
        }
    }

    private RemoteNode configured(String url) {
        return new RemoteNode("prod", URI.create(url), null, null, folder.resolve("config.toml"));
    }

    @Test
    void whereNobodyIsItIsSaid() {
        assertThat(command.run("doctor").exitCode()).isEqualTo(ExitCode.UNREACHABLE);
    }
}
