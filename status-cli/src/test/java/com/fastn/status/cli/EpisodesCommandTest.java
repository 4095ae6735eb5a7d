package com.fastn.status.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.status.CauseKind;
import com.fastn.context.status.ContextRef;
import com.fastn.context.status.StatusJson;
import com.fastn.context.status.WaitEpisode;
import com.fastn.status.cli.CommandLineRun.Result;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EpisodesCommandTest {
    private static final WaitEpisode OVER = new WaitEpisode(
            Instant.parse("2026-02-03T04:05:06Z"),
            Instant.parse("2026-02-03T04:05:36Z"),
            Duration.ofSeconds(30),
            CauseKind.LOCK,
            "till}]\u001b[2J",
            new ContextRef(Fixtures.identity("alice"), 7, "global.audit", "audit", "audit"),
            "holds it",
            12);

    @TempDir
    Path folder;

    private CommandLineRun command;

    @BeforeEach
    void emptyFolder() {
        command = new CommandLineRun(folder);
    }

    private static FakeNode remembering(WaitEpisode... episodes) {
        StringBuilder list = new StringBuilder();
        for (WaitEpisode episode : episodes) {
            list.append(list.isEmpty() ? "" : ",").append(StatusJson.write(episode));
        }
        return FakeNode.answering(Map.of(
                "/status/episodes",
                "{\"kind\":\"episodes\",\"schema\":1,\"min_schema\":1,\"count\":%d,\"more\":[{}],\"episodes\":[%s]}"
                        .formatted(episodes.length, list)));
    }

    @Test
    void episodesAreRows() {
        try (FakeNode alice = remembering(OVER, OVER)) {
            command.node("alice", alice.url());
            Result result = command.run("episodes");
            assertThat(result.exitCode()).isEqualTo(ExitCode.OK);
            assertThat(result.out().lines()).hasSize(3);
            assertThat(result.out())
                    .contains("alice  2026-02-03T04:05:06Z  30s")
                    .contains("12")
                    .contains("till}]\\u{1b}[2J")
                    .contains("over")
                    .doesNotContain("\u001b");
            Result json = command.run("episodes", "--json");
            assertThat(json.out().lines().map(StatusJson::readEpisode)).containsExactly(OVER, OVER);
        }
    }

    @Test
    void ofSeveralNodesTooTheNewestIsFirst() {
        try (FakeNode alice = remembering(on("second", 40L), on("fourth", 20L));
                FakeNode bob = remembering(on("first", null), on("third", 30L))) {
            command.node("alice", alice.url());
            command.node("bob", bob.url());
            Result json = command.run("episodes", "--cluster", "--json");
            assertThat(json.out()
                            .lines()
                            .map(line -> StatusJson.readEpisode(line).name()))
                    .containsExactly("first", "second", "third", "fourth");
            assertThat(command.run("episodes", "--cluster").out())
                    .containsSubsequence("bob", "first", "alice", "second", "bob", "third", "alice", "fourth");
        }
    }

    private static WaitEpisode on(String lock, @Nullable Long end) {
        return new WaitEpisode(
                OVER.start(),
                end == null ? null : OVER.start().plusSeconds(end),
                Duration.ofSeconds(end == null ? 50 : end),
                OVER.kind(),
                lock,
                OVER.root(),
                OVER.rootText(),
                1);
    }

    @Test
    void whereNothingWasStuckThatIsSaid() {
        try (FakeNode alice = remembering()) {
            command.node("alice", alice.url());
            assertThat(command.run("episodes")).isEqualTo(new Result(ExitCode.OK, "nothing was stuck\n", ""));
        }
    }

    @Test
    void aNodeThatCannotBeAskedIsToldBesideTheOthers() {
        try (FakeNode alice = remembering(OVER)) {
            command.node("alice", alice.url());
            command.node("bob", "http://127.0.0.1:1");
            Result result = command.run("episodes", "--cluster");
            assertThat(result.exitCode()).isEqualTo(ExitCode.PARTIAL);
            assertThat(result.out()).contains("alice");
            assertThat(result.err()).contains("node \"bob\" does not answer");
        }
    }

    @Test
    void anAnswerThatIsNoneIsNotBelieved() {
        for (String body :
                new String[] {"", "[]", "{}", "{\"episodes\":7}", "{\"episodes\":[{\"kind\":\"x\"}]}", "{\"episodes\":["
                }) {
            try (FakeNode alice = FakeNode.answering(Map.of("/status/episodes", body))) {
                command.node("alice", "19a0-alice", alice.url(), 77);
                Result result = command.run("episodes");
                assertThat(result.exitCode()).as(body).isEqualTo(ExitCode.ERROR);
                assertThat(result.err()).contains("is not understood").doesNotContain("\tat ");
            }
        }
    }
}
