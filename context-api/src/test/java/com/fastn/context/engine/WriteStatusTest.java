package com.fastn.context.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fastn.context.status.ContextKind;
import com.fastn.context.status.StatusJson;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class WriteStatusTest {
    @RegisterExtension
    final TestTree tree = TestTree.withoutLooks();

    @Test
    void whatIsWrittenAtOnceIsTheJsonOfTheSnapshotByteForByte() {
        long seed = new Random().nextLong();
        System.out.println("WriteStatusTest seed " + seed);
        Random random = new Random(seed);
        LiveTree live = new LiveTree(tree, random);
        tree.runtime.setSystemMetrics(() -> SnapshotTest.QUIET_SYSTEM);
        for (int i = 0; i < 80; i++) {
            live.change(random.nextInt(60));
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            tree.runtime.writeStatus(out);
            assertThat(out.toString(StandardCharsets.UTF_8))
                    .as("seed %d, step %d", seed, i)
                    .isEqualTo(StatusJson.write(tree.runtime.status()));
        }
        live.end();
    }

    @Test
    void C6_aDeepChainIsWrittenWithoutRecursion() throws InterruptedException {
        SmallStack.run(() -> {
            ContextNode deepest = tree.root;
            for (int i = 0; i < 5_000; i++) {
                deepest = deepest.openChild("n", ContextKind.TASK, null);
            }
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            tree.runtime.writeStatus(out);
            assertThat(out.toString(StandardCharsets.UTF_8)).isEqualTo(StatusJson.write(tree.runtime.status()));
        });
    }

    @Test
    void aStreamThatFailsIsSaidUnchecked() {
        OutputStream full = new OutputStream() {
            @Override
            public void write(int b) throws IOException {
                throw new IOException("full");
            }
        };
        assertThatThrownBy(() -> tree.runtime.writeStatus(full))
                .isInstanceOf(UncheckedIOException.class)
                .hasMessageContaining("full");
    }
}
