package com.fastn.status.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.status.StatusJson;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.context.status.WarningSeverity;
import com.fastn.status.cli.CommandLineRun.Result;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DoctorCommandTest {
    @TempDir
    Path folder;

    private CommandLineRun command;

    @BeforeEach
    void emptyFolder() {
        // What a busy machine takes longer for is no finding.
        command = new CommandLineRun(folder).byAClockThatStandsStill();
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
    void onANarrowScreenWhatToDoGoesOnBelowAndIsNotCut() {
        StatusSnapshot warned = Fixtures.warned("alice", WarningSeverity.CRITICAL);
        try (FakeNode alice =
                FakeNode.of(warned, Fixtures.cluster(Fixtures.up("alice", "front"), Fixtures.silent("bob")))) {
            command.node("alice", alice.url());
            for (int width = 40; width <= 120; width += 20) {
                Result result = command.run("doctor", "--width=" + width);
                int columns = width;
                assertThat(result.out().lines()).as("%d", width).allMatch(line -> line.length() <= columns);
                assertThat(result.out().replaceAll("\\s+", " "))
                        .contains(
                                "next: run fastn doctor on its machine; if it is well there, look at the network between them")
                        .doesNotContain("…");
            }
        }
    }

    @Test
    void whatTheNodeFindsInItselfIsToldWithWhatToDo() {
        String checks = """
            {"kind":"node_checks","schema":1,"min_schema":1,"well":false,"more":[{"a":[1]}],"checks":[
             {"what":"members","well":true,"found":"2 members, this one is reached at 10.0.0.5:4711"},
             {"what":"addresses","well":true,"found":"fastn.status is answered on 2 of 2 members"},
             {"what":"contexts","well":false,"found":"\\u001b[31mlost after a timer","next":"look for it","new":{}}]}
            """;
        String status = StatusJson.write(Fixtures.snapshot("alice", "front"));
        try (FakeNode alice =
                FakeNode.answering(Map.of("/health", "{}", "/status", status, "/status/checks", checks))) {
            command.node("alice", alice.url());
            Result result = command.run("doctor");
            assertThat(result.exitCode()).isEqualTo(ExitCode.ERROR);
            assertThat(result.out())
                    .contains("ok    members: 2 members, this one is reached at 10.0.0.5:4711")
                    .contains("ok    addresses: fastn.status is answered on 2 of 2 members")
                    .contains("WRONG contexts: \\u{1b}[31mlost after a timer\n        next: look for it")
                    .doesNotContain("own checks");
        }
        try (FakeNode older = FakeNode.answering(Map.of("/health", "{}", "/status", status))) {
            command.node("older", older.url());
            assertThat(command.run("doctor", "older").out())
                    .contains("ok    own checks: the node is of an older version");
        }
        for (String strange :
                List.of("[]", "{}", "{\"checks\":1}", "{\"checks\":[{", "{\"min_schema\":2,\"checks\":[]}")) {
            String alias = "odd-" + Integer.toHexString(strange.hashCode());
            try (FakeNode odd =
                    FakeNode.answering(Map.of("/health", "{}", "/status", status, "/status/checks", strange))) {
                command.node(alias, odd.url());
                assertThat(command.run("doctor", alias).out()).as(strange).contains("WRONG own checks: ");
            }
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
