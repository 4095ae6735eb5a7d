package com.fastn.status.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.fastn.context.status.StatusSnapshot;
import com.fastn.status.cli.CommandLineRun.Result;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ConfigTest {
    private static final StatusSnapshot PROD = Fixtures.snapshot("till-7", "front");

    @TempDir
    Path folder;

    private CommandLineRun command;

    @BeforeEach
    void emptyFolder() {
        command = new CommandLineRun(folder);
    }

    @Test
    void aNodeOfTheConfigurationIsAskedWithItsToken() {
        try (FakeNode prod = FakeNode.of(PROD, Fixtures.cluster(Fixtures.up("till-7", "front")))
                .withToken("s3cret")) {
            command.config("[nodes.prod]\nurl = \"%s\"\ntoken_file = \"prod.token\"\n".formatted(prod.url()));
            command.file("config/fastn/prod.token", "s3cret\n", "rw-------");
            assertThat(command.run("status", "prod")).isEqualTo(new Result(ExitCode.OK, PROD.toString(), ""));
            Result unnamed = command.run("status");
            assertThat(unnamed.exitCode()).isEqualTo(ExitCode.USAGE);
            assertThat(unnamed.err()).contains("fastn status prod");
        }
    }

    @Test
    void aWrongTokenIsSaidWithTheKeyOfItsFile() {
        try (FakeNode prod = FakeNode.saying(200, "").withToken("s3cret")) {
            command.config("[nodes.prod]\nurl = \"%s\"\ntoken_file = \"prod.token\"\n".formatted(prod.url()));
            Path token = command.file("config/fastn/prod.token", "guess\n", "rw-------");
            Result result = command.run("status", "prod");
            assertThat(result.exitCode()).isEqualTo(ExitCode.ERROR);
            assertThat(result.err())
                    .contains("right token")
                    .contains("nodes.prod.token_file")
                    .doesNotContain("guess");
            assertThat(token).exists();
        }
    }

    @Test
    void S20_aTokenFileThatOthersCanReadIsRefused() {
        try (FakeNode prod = FakeNode.saying(200, "")) {
            command.config("[nodes.prod]\nurl = \"%s\"\ntoken_file = \"prod.token\"\n".formatted(prod.url()));
            for (String permissions : new String[] {"rw-r-----", "rw----r--", "rw--w----", "rwx--x---"}) {
                Path file = command.file("config/fastn/prod.token", "s3cret", permissions);
                Result result = command.run("status", "prod");
                assertThat(result.exitCode()).as(permissions).isEqualTo(ExitCode.ERROR);
                assertThat(result.err()).contains("chmod 600 " + file).doesNotContain("s3cret");
            }
            assertThat(prod.asked()).isEmpty();
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "[nodes.prod|line 1",
                "[nodes.prod]\\nurl = http|line 2",
                "[nodes.prod]\\nurl = \"x\"\\nurl = \"y\"|line 3",
                "\\n[nodes.prod]|line 2: nodes.prod has no url",
                "x|line 1, column 2: the file ends within a line such as key = \"value\"",
                "[nodes.prod]\\nurl = |line 2",
                "[nodes.prod]\\nurl = 7|line 2: nodes.prod.url wants a text",
                "[nodes.other]\\nurl = \"http://a\"\\n[nodes.prod]\\n# url = 7\\n url=7|line 5: nodes.prod.url wants a text",
                "nodes.prod.url = 7|line 1: nodes.prod.url wants a text",
                "[nodes]\\nprod = { url = 7 }|line 2: nodes.prod.url wants a text",
                "[nodes.prod]\\nurl = \"ftp://a\"|line 2: nodes.prod.url is no address",
                "[nodes.prod]\\nurl = \"http://a b\"|nodes.prod.url is no address",
                "[nodes.prod]\\nurl = \"https://me:pw@a\"|a secret belongs into token_file",
                "[nodes.prod]\\nurl = \"http://a\"\\ntoken_file = \"t\"|line 2: nodes.prod.url is http",
                "[nodes.prod]\\nurl = \"http://a\"\\nca = \"t\"|line 3: nodes.prod.ca has a meaning for https alone",
                "[nodes.prod]\\n"
                        + "url = \"http://a\"\\n"
                        + "tokenfile = \"t\"|line 3: nodes.prod.tokenfile is not known; known are url, token_file, ca",
                "[nodes.prod]\\nurl = [\"http://a\"]|line 2: nodes.prod.url is a list",
                "[nodes.prod.url]\\nx = 1|line 1: nodes.prod.url is a table",
                "[nodes.\"a b\"]\\nurl = \"http://a\"|line 1: nodes.a b is no alias: it has no comma and no space",
                "[hosts]\\nx = 1|line 1: hosts is not known",
                "[nodes.prod]\\n"
                        + "url = \"https://a\"\\n"
                        + "ca = \"a\\u0000b\"|line 3: nodes.prod.ca names a file that there cannot be",
                "nodes = 7|line 1: nodes is no table",
                "[nodes.prod]\\nurl = \"http://127.0.0.1:99999\"|ports are 1 to 65535",
                "[nodes.prod]\\nurl = \"http://127.0.0.1:0\"|ports are 1 to 65535",
                "[nodes.prod]\\nurl = \"https://a/gateway/alice\"|nodes.prod.url ends in /gateway/alice",
                "[nodes.prod]\\nurl = \"x\"\\nurl = \"y\"\\n\\n|line 3",
            })
    void whatIsWrongIsOneSentenceWithThePlace(String text, String place) {
        Path file = command.config(text.replace("\\n", "\n"));
        Result result = command.run("status");
        assertThat(result.exitCode()).isEqualTo(ExitCode.ERROR);
        assertThat(result.err()).contains(file.toString()).contains(place).doesNotContain("\tat ");
        assertThat(result.err().lines()).hasSize(3);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "[nodes]\\na = { url = \"http://a\" }\\nprod = { url = 7 }|3",
                "[nodes]\\nprod = { token_file = \"}\", ca = 'x,{', url = 7 }|2",
                "nodes = { a = { url = \"http://a\" }, prod = { url = 7 } }|1",
                "[nodes]\\nprod = { ca = \"\"\"\\n\\\\\"\"\"\"\", url = 7 }|3",
                "[nodes]\\nprod.ca = \"x\"\\nprod . 'url' = 7|3",
                "[ nodes . \"prod\" ] # url = 7\\nca = '''\\n\\nurl = 7'''\\nurl = true|5",
                "[nodes.a]\\nurl = \"http://a\"\\n[nodes.prod]\\r\\nca = \"a#b\" # =\\r\\nurl = 7.5|5",
            })
    void theLineOfAKeyIsToldWhereverItStands(String text, int line) {
        command.config(text.replace("\\n", "\n").replace("\\r", "\r"));
        assertThat(command.run("status").err()).contains("line " + line + ": nodes.prod.url wants a text");
    }

    @Test
    void theLineOfAKeyIsLookedForInATextOfAnyKind() {
        String deep = "[".repeat(200) + "{a=".repeat(200);
        for (String broken : new String[] {
            "", "[", "[[", "a.", "a.\"", "\"\"\"", "'''a", "=", "{", "]]}", "\\", "\0", ",", "\"\\", deep
        }) {
            assertThat(ConfigLines.of(broken, List.of("nodes"))).as(broken).isZero();
        }
        assertThat(ConfigLines.of("x = " + deep + "\n", List.of("x"))).isEqualTo(1);
        assertThat(ConfigLines.of("#\n".repeat(100_000) + "x = 1", List.of("x")))
                .isEqualTo(100_001);
    }

    @Test
    void aConfigurationOfAnyBytesIsRefusedWithASentence() {
        for (String text :
                new String[] {"\u0000", "\u001b[2J", "a".repeat(300_000), "[".repeat(50_000), "\"", "\uffff = 1"}) {
            command.config(text);
            Result result = command.run("status");
            assertThat(result.exitCode()).isEqualTo(ExitCode.ERROR);
            assertThat(result.err()).containsPattern("is not (understood|read)").doesNotContain("\u001b");
        }
    }

    @Test
    void aFolderInItsPlaceIsSaidToBeOne() throws IOException {
        Path place = Files.createDirectories(folder.resolve("config/fastn/config.toml"));
        Result result = command.run("status");
        assertThat(result.exitCode()).isEqualTo(ExitCode.ERROR);
        assertThat(result.err()).contains(place + " is not read").contains("it is a folder");
    }

    @Test
    void aConfigurationThatIsNamedAndNotThereIsSaid() {
        command.with("FASTN_CONFIG", folder.resolve("none.toml").toString());
        Result result = command.run("status");
        assertThat(result.exitCode()).isEqualTo(ExitCode.ERROR);
        assertThat(result.err()).contains("FASTN_CONFIG names");
    }

    /** As in a locale without UTF-8 every path with a letter beyond ASCII is, no file can be called so. */
    private static final String NO_PATH = "/home/j\u0000rgen";

    @ParameterizedTest
    @ValueSource(strings = {"HOME", "XDG_CONFIG_HOME"})
    void whereTheHomeIsNoPathInThisLocaleNodesAreFoundAllTheSame(String variable) {
        try (FakeNode alice = FakeNode.of(PROD, Fixtures.cluster(Fixtures.up("till-7", "front")))) {
            command.node("alice", alice.url());
            command.without("XDG_CONFIG_HOME").with(variable, NO_PATH);
            Result result = command.run("status");
            assertThat(result.exitCode()).isEqualTo(ExitCode.OK);
            assertThat(result.out()).isEqualTo(PROD.toString());
            assertThat(result.err())
                    .startsWith("fastn: " + variable + " (/home/j\\u{0}rgen) cannot be read as a path in this locale")
                    .endsWith("next: LC_ALL=C.UTF-8\n")
                    .containsOnlyOnce("\n");
            assertThat(command.run("info").out()).contains(variable + " (/home/j\\u{0}rgen) cannot be read");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"FASTN_CONFIG", "FASTN_RUNTIME_DIR"})
    void aVariableThatNamesNoPathInThisLocaleIsAnErrorAndInfoTellsAllTheSame(String variable) {
        command.with(variable, NO_PATH);
        Result result = command.run("status");
        assertThat(result.exitCode()).isEqualTo(ExitCode.ERROR);
        assertThat(result.err())
                .contains("why:  " + variable + " (/home/j\\u{0}rgen) cannot be read as a path in this locale")
                .contains("next: LC_ALL=C.UTF-8");
        assertThat(result.err().lines()).hasSize(3);
        Result info = command.run("info");
        assertThat(info.exitCode()).isEqualTo(ExitCode.OK);
        assertThat(info.out()).contains(variable + " (/home").contains("next: LC_ALL=C.UTF-8", "colours");
    }

    @ParameterizedTest
    @ValueSource(strings = {"user.home", "fastn.runtime.dir"})
    void aPropertyThatNamesNoPathInThisLocaleIsCalledByItsOwnName(String property) {
        command.without("XDG_CONFIG_HOME").withProperty(property, NO_PATH);
        assertThat(command.run("status").err())
                .contains(property + " (/home/j\\u{0}rgen) cannot be read as a path in this locale")
                .doesNotContain("HOME", "FASTN_RUNTIME_DIR (");
    }

    @Test
    void aRuntimeFolderThatIsNoPathInThisLocaleIsPassedOverWithANote() {
        command.without("FASTN_RUNTIME_DIR").with("XDG_RUNTIME_DIR", NO_PATH);
        Result result = command.run("status");
        assertThat(result.exitCode()).isEqualTo(ExitCode.UNREACHABLE);
        assertThat(result.err())
                .startsWith("fastn: XDG_RUNTIME_DIR (/home/j\\u{0}rgen) cannot be read as a path in this locale")
                .contains("next: LC_ALL=C.UTF-8", "no node is found on this machine");
        assertThat(command.run("info").out()).contains("XDG_RUNTIME_DIR (/home");
    }

    @Test
    void aConfigurationThatIsNoUtf8IsRefusedWithTheLine() throws IOException {
        Path file = command.config("");
        Files.write(file, new byte[] {'#', '\n', '#', (byte) 0xff, '\n'});
        Result result = command.run("status");
        assertThat(result.exitCode()).isEqualTo(ExitCode.ERROR);
        assertThat(result.err()).contains("why:  line 2 is no UTF-8", "next: write it as UTF-8");
        Files.write(file, new byte[] {(byte) 0xff});
        assertThat(command.run("status").err()).contains("why:  line 1 is no UTF-8");
    }

    @Test
    void aConfigurationThatMayNotBeReadIsSaidToBeSo() throws IOException {
        Path file = closed(command.config(""));
        Result result = command.run("status");
        assertThat(result.exitCode()).isEqualTo(ExitCode.ERROR);
        assertThat(result.err()).contains("why:  you may not read it", "next: chmod u+r " + file);
    }

    @Test
    void aFolderThatMayNotBeLookedIntoIsSaidToBeSo() throws IOException {
        Path file = command.config("");
        Path above = folder.resolve("config/fastn");
        closed(above);
        try {
            Result looked = command.run("status");
            assertThat(looked.exitCode())
                    .as("the nodes of this machine are looked for")
                    .isEqualTo(ExitCode.UNREACHABLE);
            assertThat(looked.err())
                    .contains("you may not look into " + above, "FASTN_CONFIG")
                    .doesNotContain("no node is named in");
            assertThat(command.run("info").out()).contains("not known, for you may not look into " + above);
            Result named = command.with("FASTN_CONFIG", file.toString()).run("status");
            assertThat(named.exitCode()).isEqualTo(ExitCode.ERROR);
            assertThat(named.err())
                    .contains("why:  you may not look into " + above)
                    .doesNotContain("there is no such file");
        } finally {
            Files.setPosixFilePermissions(above, PosixFilePermissions.fromString("rwx------"));
        }
    }

    @Test
    void aLinkThroughAFolderThatMayNotBeLookedIntoIsSaidToBeOne() throws IOException {
        Path secret = Files.createDirectory(folder.resolve("secret"));
        Path file = command.config("");
        Files.move(file, secret.resolve("config.toml"));
        Files.createSymbolicLink(file, secret.resolve("config.toml"));
        closed(secret);
        try {
            Result looked = command.run("status");
            assertThat(looked.exitCode()).isEqualTo(ExitCode.UNREACHABLE);
            assertThat(looked.err())
                    .contains(file + " is not known, for you may not look where it leads", "FASTN_CONFIG")
                    .doesNotContain("no node is named in");
            assertThat(command.run("info").out()).contains("not known, for you may not look where it leads");
            Result named = command.with("FASTN_CONFIG", file.toString()).run("status");
            assertThat(named.exitCode()).isEqualTo(ExitCode.ERROR);
            assertThat(named.err())
                    .contains("why:  you may not look where it leads")
                    .doesNotContain("chmod");
        } finally {
            Files.setPosixFilePermissions(secret, PosixFilePermissions.fromString("rwx------"));
        }
    }

    @Test
    void belowAHomeThatIsNoFolderThereIsNoConfigurationAndNothingToSayOfIt() {
        try (FakeNode alice = FakeNode.of(PROD, Fixtures.cluster(Fixtures.up("till-7", "front")))) {
            command.node("alice", alice.url());
            command.without("XDG_CONFIG_HOME").with("HOME", "/dev/null");
            assertThat(command.run("status")).isEqualTo(new Result(ExitCode.OK, PROD.toString(), ""));
        }
    }

    private static Path closed(Path path) throws IOException {
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("---------"));
        boolean open = Files.isReadable(path);
        if (open) {
            Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwx------"));
        }
        assumeThat(open).as("root may read all").isFalse();
        return path;
    }

    @Test
    void certificatesThatAreNotThereAreSaidToBeSo() {
        command.config("[nodes.prod]\nurl = \"https://127.0.0.1:1\"\nca = \"ca.pem\"\n");
        Result result = command.run("status", "prod");
        assertThat(result.exitCode()).isEqualTo(ExitCode.ERROR);
        assertThat(result.err()).contains("why:  there is no such file");
    }

    @Test
    void withoutAHomeNothingIsLookedFor() {
        command.without("XDG_CONFIG_HOME");
        assertThat(command.run("status").exitCode()).isEqualTo(ExitCode.UNREACHABLE);
    }

    @Test
    void whereANodeHasACertificateOfItsOwnAFileWithoutOneIsSaid() {
        Path ca = command.file("config/fastn/ca.pem", "hello", "rw-r--r--");
        command.config("[nodes.prod]\nurl = \"https://127.0.0.1:1\"\nca = \"ca.pem\"\n");
        Result result = command.run("status", "prod");
        assertThat(result.exitCode()).isEqualTo(ExitCode.ERROR);
        assertThat(result.err()).contains("the certificates in " + ca + " are not used");
    }
}
