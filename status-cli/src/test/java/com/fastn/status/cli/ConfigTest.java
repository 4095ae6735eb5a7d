package com.fastn.status.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.status.StatusSnapshot;
import com.fastn.status.cli.CommandLineRun.Result;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

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
                "[nodes.prod]|nodes.prod has no url",
                "[nodes.prod]\\nurl = 7|nodes.prod.url wants a text",
                "[nodes.prod]\\nurl = \"ftp://a\"|nodes.prod.url is no address",
                "[nodes.prod]\\nurl = \"http://a b\"|nodes.prod.url is no address",
                "[nodes.prod]\\nurl = \"https://me:pw@a\"|a secret belongs into token_file",
                "[nodes.prod]\\nurl = \"http://a\"\\ntoken_file = \"t\"|use https",
                "[nodes.prod]\\nurl = \"http://a\"\\nca = \"t\"|https alone",
                "[nodes.prod]\\n"
                        + "url = \"http://a\"\\n"
                        + "tokenfile = \"t\"|\"tokenfile\" is not known; known are url, token_file, ca",
                "[nodes.prod]\\nurl = [\"http://a\"]|nodes.prod.url is a list",
                "[nodes.prod.url]\\nx = 1|nodes.prod.url is a table",
                "[nodes.\"a b\"]\\nurl = \"http://a\"|an alias has no comma and no space",
                "[hosts]\\nx = 1|\"hosts\" is not known",
                "[nodes.prod]\\n"
                        + "url = \"https://a\"\\n"
                        + "ca = \"a\\u0000b\"|nodes.prod.ca names a file that there cannot be",
                "nodes = 7|\"nodes\" is not known",
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
