package com.fastn.status.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** What the command reads of nodes beside their status: descriptors, and what they find in themselves (rules S6, S15, S20). */
class NodeWordsFuzzTest {
    private static final Path FILE = Path.of("node.json");

    @FuzzTest
    void aDescriptorIsReadOrRefusedAndLeadsNowhereElse(byte[] content) {
        LocalNode node;
        try {
            node = LocalNode.read(FILE, content);
        } catch (IOException refused) {
            assertThat(String.valueOf(refused.getMessage())).isNotBlank();
            return;
        }
        if (node.ca() == null || node.url().getScheme().equals("http")) {
            assertThat(node.url().getHost()).matches("localhost|\\[::1]|127[0-9.]+");
        }
        for (String said : List.of(node.described(), node.ifAbsent(), node.ifRefused(), node.ifStrange())) {
            assertThat(said).doesNotContain("\n", "\r", "\u001b");
        }
    }

    @FuzzTest
    void whatANodeFindsInItselfIsReadOrRefused(byte[] body) {
        List<NodeCheck> checks;
        try {
            checks = NodeCheck.read(body);
        } catch (IOException refused) {
            assertThat(String.valueOf(refused.getMessage())).isNotBlank();
            return;
        }
        assertThat(checks).hasSizeLessThanOrEqualTo(50);
        for (NodeCheck check : checks) {
            assertThat(Printable.line(check.what() + ": " + check.found())).doesNotContain("\n", "\u001b");
        }
    }
}
