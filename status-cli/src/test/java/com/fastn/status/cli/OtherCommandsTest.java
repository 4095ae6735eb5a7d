package com.fastn.status.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.status.cli.CommandLineRun.Result;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code fastn info}, {@code fastn completion}, {@code fastn warm-up} and what all commands share. */
class OtherCommandsTest {
    private static final Pattern OPTION = Pattern.compile("(?<=[ \\[,])--[a-z-]+");

    @TempDir
    Path folder;

    private CommandLineRun command;

    @BeforeEach
    void emptyFolder() {
        command = new CommandLineRun(folder);
    }

    @Test
    void everyPlaceThatIsUsedIsTold() {
        command.node("alice", "http://127.0.0.1:7");
        Path config = command.config("[nodes.prod]\nurl = \"https://prod.example\"\ntoken_file = \"t\"\n");
        Path token = command.file("config/fastn/t", "secret", "rw-r--r--");
        Result result = command.run("info");
        assertThat(result.exitCode()).isEqualTo(ExitCode.OK);
        assertThat(result.out())
                .contains(folder.toString())
                .contains("alice")
                .contains("http://127.0.0.1:7")
                .contains(config.toString())
                .contains("https://prod.example")
                .contains(token.toString())
                .contains("others than its owner can read")
                .doesNotContain("secret\n");
    }

    @Test
    void aConfigurationThatIsWrongDoesNotHideTheRest() {
        command.config("[nodes.prod");
        assertThat(command.run("info").out()).contains("line 1").contains("colours");
    }

    @Test
    void aShellIsTaughtEveryCommandAndOption() throws IOException, InterruptedException {
        for (String shell : new String[] {"bash", "zsh"}) {
            Result result = command.run("completion", shell);
            assertThat(result.exitCode()).isEqualTo(ExitCode.OK);
            assertThat(result.out()).contains("--fail-on", "replay", "--watch").doesNotContain("warm-up");
        }
        Path script =
                command.file("fastn.bash", command.run("completion", "bash").out(), "rw-------");
        Process bash = new ProcessBuilder(
                        "bash",
                        "-c",
                        "source " + script + " && COMP_WORDS=(fastn sta) COMP_CWORD=1 && _complete_fastn && echo"
                                + " \"${COMPREPLY[@]}\"")
                .redirectErrorStream(true)
                .start();
        String said = new String(bash.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
        assertThat(bash.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(said.strip()).isEqualTo("status");
    }

    @Test
    void whatTheLauncherLoadsForItsArchiveIsAWholeLook() throws IOException {
        Result result = command.run("warm-up");
        assertThat(result).isEqualTo(new Result(ExitCode.OK, "", ""));
        try (var left = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
            assertThat(left.filter(path -> path.getFileName().toString().startsWith("fastn-warm-up")))
                    .isEmpty();
        }
    }

    @Test
    void everyCommandHasHelpAndExplainsWhatItDoesNotUnderstand() {
        for (String name : new String[] {
            "status", "top", "explain", "episodes", "nodes", "record", "replay", "doctor", "info", "completion"
        }) {
            Result help = command.run(name, "--help");
            assertThat(help.exitCode()).as(name).isEqualTo(ExitCode.OK);
            assertThat(help.out()).startsWith("Usage: fastn " + name);
            Result wrong = command.run(name, "--wrong");
            assertThat(wrong.exitCode()).as(name).isEqualTo(ExitCode.USAGE);
            assertThat(wrong.err()).contains("fastn " + name + " --help").doesNotContain("\tat ");
        }
        assertThat(command.run("--help").out())
                .contains("status", "top", "replay")
                .doesNotContain("warm-up");
    }

    @Test
    void theGuideNamesEveryCommandAndOption() throws IOException {
        String guide = Files.readString(Path.of("../docs/command.md"));
        for (String name : new String[] {
            "status", "top", "explain", "episodes", "nodes", "record", "replay", "doctor", "info", "completion"
        }) {
            assertThat(guide).contains("`fastn " + name);
            command.run(name, "--help").out().lines().forEach(line -> {
                Matcher option = OPTION.matcher(line);
                while (option.find()) {
                    assertThat(guide).as("fastn " + name).contains(option.group());
                }
            });
        }
    }

    @Test
    void withoutATerminalTopSaysWhatToUse() {
        Result result = command.run("top");
        assertThat(result.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(result.err()).contains("fastn status -w");
    }
}
