package com.fastn.status.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.fastn.context.Ticker;
import com.fastn.status.cli.CommandLineRun.Result;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
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
    void whatMeansNothingToACommandIsMisuseAndNotPassedOverInSilence() {
        command.node("alice", "http://127.0.0.1:1");
        for (String[] arguments : new String[][] {
            {"doctor", "--cluster"},
            {"doctor", "--all"},
            {"status", "--json", "--lines=20"},
            {"status", "-w", "--format=ndjson", "--lines=0"},
            {"replay", "night.ndjson", "--json", "--lines=20"},
        }) {
            Result result = command.run(arguments);
            assertThat(result.exitCode()).as(String.join(" ", arguments)).isEqualTo(ExitCode.USAGE);
            assertThat(result.err().lines()).hasSizeBetween(2, 3);
        }
        assertThat(command.run("doctor", "--help").out()).contains("--timeout").doesNotContain("--cluster");
        assertThat(command.run("status", "--json", "--lines=20").err()).contains("--depth");
    }

    @Test
    void aWidthThatThereCannotBeIsMisuseOfInfoToo() {
        Result result = command.run("info", "--width=-5");
        assertThat(result.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(result.err()).contains("--width is a number of columns from 0 to 10000, not -5");
    }

    @Test
    void whereTheArchiveOfClassesWillBeIsTold() {
        assertThat(command.with("XDG_CACHE_HOME", "/cache").run("info").out()).contains("made in /cache/fastn");
        assertThat(command.with("FASTN_CACHE_DIR", "/other").run("info").out()).contains("made in /other/fastn");
    }

    @Test
    void aPathIsToldWholeHoweverLongItIsAndNarrowTheTerminal() {
        String cache = "/cache/" + "a-long-name/".repeat(20) + "end";
        command.with("XDG_CACHE_HOME", cache).with("COLUMNS", "60").onATerminal(60, 24);
        assertThat(command.run("info").out())
                .contains("made in " + cache + "/fastn beside")
                .contains("FASTN_NO_ARCHIVE=1 leaves it out\n");
        assertThat(command.run("info", "--width=60").out().lines())
                .allSatisfy(line -> assertThat(line.length()).isLessThanOrEqualTo(60));
    }

    @Test
    void everyCommandTellsTheVersion() {
        String version = command.run("--version").out();
        assertThat(version).startsWith("fastn ");
        for (String name : new String[] {"status", "top", "explain", "replay", "info", "completion"}) {
            assertThat(command.run(name, "--version")).as(name).isEqualTo(new Result(ExitCode.OK, version, ""));
        }
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
        assertThat(completed(script, "fastn sta")).isEqualTo("status");
        assertThat(completed(script, "fastn status --color a"))
                .as("as the guide writes it")
                .isEqualTo("auto always");
        assertThat(completed(script, "fastn status --fail-on w")).isEqualTo("warning");
        assertThat(completed(script, "fastn completion z")).isEqualTo("zsh");
    }

    @Test
    void aShellIsToldOfTheNodesHereAndOfTheConfigurationAndOfNothingElse() {
        command.node("bob", "http://127.0.0.1:1");
        command.node("$(touch x)", "http://127.0.0.1:2");
        command.config("""
                [nodes.prod]
                url = "https://prod.example:8443"
                [nodes.bob]
                url = "https://bob.example:1"
                [nodes."`id`"]
                url = "https://id.example:1"
                """);
        assertThat(command.run("aliases")).isEqualTo(new Result(ExitCode.OK, "bob\nprod\n", ""));
        command.config("[nodes.prod");
        assertThat(command.run("aliases")).as("without the wrong file").isEqualTo(new Result(ExitCode.OK, "bob\n", ""));
        command.with("FASTN_CONFIG", "/nowhere/at/all").with("FASTN_RUNTIME_DIR", "/nowhere");
        assertThat(command.run("aliases")).isEqualTo(new Result(ExitCode.OK, "", ""));
        assertThat(command.run("--help").out()).doesNotContain("aliases ");
    }

    @Test
    void aShellCompletesAliasesWhereANodeIsMeant() throws IOException, InterruptedException {
        // What the script asks, for the command is not on the path here.
        String fastn = "fastn() { [ \"$*\" = aliases ] && printf 'alice\\nalbert\\nprod\\n'; }\n";
        Path script = command.file(
                "fastn.bash", fastn + command.run("completion", "bash").out(), "rw-------");
        for (String name : new String[] {"status", "top", "episodes", "nodes", "doctor"}) {
            assertThat(completed(script, "fastn " + name + " al")).as(name).isEqualTo("alice albert");
        }
        assertThat(completed(script, "fastn status prod,ali")).isEqualTo("prod,alice");
        assertThat(completed(script, "fastn explain --on pr")).isEqualTo("prod");
        assertThat(completed(script, "fastn status --color al")).isEqualTo("always");
        assertThat(completed(script, "fastn status --filter al")).isEmpty();
        assertThat(completed(script, "fastn explain al")).as("a context").isEmpty();
        assertThat(completed(script, "fastn pr")).as("a command").isEmpty();
    }

    private static String completed(Path script, String words) throws IOException, InterruptedException {
        int last = words.split(" ").length - 1;
        Process bash = new ProcessBuilder(
                        "bash",
                        "-c",
                        // What sets how a shell completes is there only while it does.
                        "compopt() { :; }; source " + script + " && COMP_WORDS=(" + words + ") COMP_CWORD=" + last
                                + " && _fastn_with_aliases; echo \"${COMPREPLY[@]}\"")
                .redirectErrorStream(true)
                .start();
        String said = new String(bash.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
        assertThat(bash.waitFor(60, TimeUnit.SECONDS)).isTrue();
        return said.strip();
    }

    @Test
    void zshCompletesCommandsAndOptionsAndStillWhatItCompletedBefore() throws IOException, InterruptedException {
        assumeThat(List.of(Path.of("/bin/zsh"), Path.of("/usr/bin/zsh")))
                .as("zsh, which is asked to complete")
                .anyMatch(Files::isExecutable);
        command.file("fastn.zsh", command.run("completion", "zsh").out(), "rw-------");
        // Another zsh, on a terminal of its own, and what it makes of each beginning when tab is pressed.
        Path asking = command.file("asking.zsh", """
                zmodload zsh/zpty
                zpty shell zsh -f -i
                zpty -w shell "autoload -U compinit && compinit -u -D && compdef _files mine && source $HOME/fastn.zsh"
                zpty -w shell 'fastn() { print -r -- got $* end }'
                for beginning in 'fastn repl' 'fastn status --fail-o' 'fastn status --color au'; do
                  zpty -w -n shell "$beginning"$'\\t\\n'
                  zpty -r shell said '*got*end*' && print -r -- "$said"
                done
                zpty -w shell 'fastn "$_comps[mine]" of mine'
                zpty -r shell said '*got*of mine end*' && print -r -- "$said"
                zpty -d shell
                """, "rw-------");
        ProcessBuilder builder = new ProcessBuilder("zsh", "-f", asking.toString()).redirectErrorStream(true);
        builder.environment().put("HOME", folder.toString());
        builder.environment().put("ZDOTDIR", folder.toString());
        Path said = folder.resolve("said");
        Process zsh = builder.redirectOutput(said.toFile()).start();
        zsh.getOutputStream().close();
        boolean ended = zsh.waitFor(60, TimeUnit.SECONDS);
        zsh.destroyForcibly();
        assertThat(ended).as(Files.readString(said)).isTrue();
        assertThat(Files.readString(said))
                .contains("got replay end")
                .contains("got status --fail-on end")
                .contains("got status --color auto end")
                .contains("got _files of mine end")
                .doesNotContain("not found");
    }

    @Test
    void whatTheLauncherLoadsForItsArchiveIsAWholeLook() throws IOException {
        Path temporary = Files.createDirectory(folder.resolve("tmp"));
        Result result = command.run("warm-up");
        assertThat(result).isEqualTo(new Result(ExitCode.OK, "", ""));
        assertThat(temporary).as("nothing is left").isEmptyDirectory();
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
    void everyExampleOfTheGuidesIsUnderstood() throws IOException {
        Pattern example = Pattern.compile("(?m)(?:^(?:bin/)?|`)fastn ([a-z][^`\n|#>;]*)");
        int count = 0;
        for (String guide : List.of("../docs/command.md", "../README.md", "../docs/http.md", "../docs/security.md")) {
            Matcher examples = example.matcher(Files.readString(Path.of(guide)));
            while (examples.find()) {
                count++;
                String[] arguments = examples.group(1).strip().split(" +");
                Surroundings here = new Surroundings(
                        name -> null,
                        name -> null,
                        false,
                        pid -> true,
                        Ticker.system(),
                        () -> Size.UNKNOWN,
                        System.out,
                        System.err);
                assertThatCode(() -> Fastn.whole(here).parseArgs(arguments))
                        .as(guide + ": fastn " + String.join(" ", arguments))
                        .doesNotThrowAnyException();
            }
        }
        assertThat(count).isGreaterThan(20);
    }

    @Test
    void whatCannotBeWrittenIsAnErrorUnlessNobodyReadsItAnyMore() {
        for (String why : new String[] {"No space left on device", "Broken pipe"}) {
            CheckedOutput output = new CheckedOutput(new OutputStream() {
                @Override
                public void write(int b) throws IOException {
                    throw new IOException(why);
                }
            });
            ByteArrayOutputStream err = new ByteArrayOutputStream();
            PrintStream out = new PrintStream(output, false, StandardCharsets.UTF_8);
            out.print("status");
            out.flush();
            boolean full = why.startsWith("No");
            assertThat(Fastn.written(ExitCode.OK, output, new PrintStream(err, true, StandardCharsets.UTF_8)))
                    .isEqualTo(full ? ExitCode.ERROR : ExitCode.OK);
            assertThat(err.toString(StandardCharsets.UTF_8).contains("No space left on device"))
                    .isEqualTo(full);
        }
    }

    @Test
    void withoutATerminalTopSaysWhatToUse() {
        Result result = command.run("top");
        assertThat(result.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(result.err()).contains("fastn status -w");
    }

    @Test
    void aLongValueDoesNotMoveTheNotesOfOthersAndAJarIsToldByItsOwnPlace() {
        Path jar = folder.resolve("bin/../" + "a-long-name/".repeat(8) + "fastn.jar");
        command.withProperty("java.class.path", jar.toString())
                .withProperty("java.version", "17")
                .withProperty("java.home", "/java")
                .withProperty("fastn.archive", "/cache/" + "a-long-name/".repeat(8) + "fastn.jsa");
        List<String> lines = command.run("info").out().lines().toList();
        assertThat(lines)
                .filteredOn(line -> line.startsWith("jar "))
                .singleElement()
                .asString()
                .endsWith(" " + jar.normalize());
        int column = lines.get(0).indexOf("NOTE");
        assertThat(lines).anySatisfy(line -> assertThat(line).endsWith("fastn.jsa"));
        assertThat(lines).contains(" ".repeat(column) + "makes the start fast");
        assertThat(lines)
                .filteredOn(line -> line.startsWith("java "))
                .singleElement()
                .asString()
                .satisfies(line -> assertThat(line.indexOf("/java")).isEqualTo(column));
    }

    @Test
    void noValueIsGluedToItsNoteHoweverLongItIs() {
        for (int length = 36; length < 48; length++) {
            String archive = "/" + "a".repeat(length - 1);
            String text = command.withProperty("java.class.path", "fastn.jar")
                    .withProperty("java.version", "17")
                    .withProperty("fastn.archive", archive)
                    .run("info")
                    .out();
            assertThat(text).as("%d columns", length).containsPattern(archive + "(\n +|  +)makes the start fast");
        }
    }

    @Test
    void helpIsACommandTooAsElsewhere() {
        assertThat(command.run("help"))
                .isEqualTo(command.run("--help"))
                .extracting(Result::exitCode)
                .isEqualTo(ExitCode.OK);
        assertThat(command.run("help", "status")).isEqualTo(command.run("status", "--help"));
        Result unknown = command.run("help", "statsu");
        assertThat(unknown.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(unknown.err()).contains("statsu", "fastn --help");
    }

    @Test
    void noExampleOfAHelpIsBrokenAtEightyColumns() {
        for (String name : new String[] {
            "status", "top", "explain", "episodes", "nodes", "record", "replay", "doctor", "info", "completion"
        }) {
            List<String> lines = command.run(name, "--help").out().lines().toList();
            int examples = lines.indexOf("Examples:");
            for (int i = examples + 1; examples >= 0 && !lines.get(i).isEmpty(); i++) {
                assertThat(lines.get(i)).as(name).startsWith("  fastn ");
            }
        }
    }

    @Test
    void aValueThatThereCannotBeIsRefusedWithThoseThatThereAreAsTheGuideWritesThem() {
        for (String[] wrong : new String[][] {
            {"status", "--sort=size", "age, name, idle or children"},
            {"status", "--fail-on=info", "warning or critical"},
            {"status", "--format=xml", "text, json or ndjson"},
            {"status", "--color=no", "auto, always or never"},
            {"completion", "fish", "bash or zsh"},
            {"status", "--depth=abc", "a whole number"},
            {"status", "--width=99999999999", "a whole number"},
            {"replay", "--speed=fast", "a number, such as 0.5 or 10"},
        }) {
            Result result = command.run(wrong[0], wrong[1]);
            assertThat(result.exitCode()).as(wrong[1]).isEqualTo(ExitCode.USAGE);
            assertThat(result.err())
                    .contains(wrong[2])
                    .contains("not \"" + wrong[1].replaceAll(".*=", "") + "\"")
                    .doesNotContain("[")
                    .doesNotContain(" int");
        }
        assertThat(command.run("status", "--sort=AGE", "--depth=1").err()).doesNotContain("Invalid value");
    }
}
