package com.fastn.status.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;

/** The configuration of the command, whatever stands in the file. */
class ConfigFileFuzzTest {
    @TempDir
    static Path folder;

    private static Path file;

    @BeforeAll
    static void chooseFile() {
        file = folder.resolve("config.toml");
    }

    @FuzzTest
    void aFileIsReadOrRefusedInOneSentence(byte[] content) throws IOException {
        Files.write(file, content);
        List<RemoteNode> nodes;
        try {
            nodes = ConfigFile.read(file);
        } catch (Trouble refused) {
            assertThat(refused.exitCode()).isEqualTo(ExitCode.ERROR);
            assertThat(refused.why())
                    .isNotBlank()
                    .doesNotContain("\n", "\u001b")
                    .hasSizeLessThan(500);
            return;
        }
        for (RemoteNode node : nodes) {
            assertThat(node.alias()).isNotBlank().doesNotContain(",");
            assertThat(node.url().getScheme()).isIn("http", "https");
            assertThat(node.url().getUserInfo()).isNull();
            if (node.tokenFile() != null && node.url().getScheme().equals("http")) {
                assertThat(node.url().getHost())
                        .as("a token leaves this machine in cleartext")
                        .matches("localhost|\\[::1]|127[0-9.]+");
            }
        }
    }
}
