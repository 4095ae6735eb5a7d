package com.fastn.status.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class AccessTokenTest {
    private static final int ROUNDS = 500;

    @TempDir
    Path folder;

    @Test
    void S3_nodesThatStartTogetherHaveOneTokenAndNobodyReadsHalfOfIt() throws IOException {
        ExecutorService nodes = Executors.newFixedThreadPool(2);
        try {
            CyclicBarrier together = new CyclicBarrier(2);
            for (int i = 0; i < ROUNDS; i++) {
                Path file = folder.resolve("token-" + i);
                CompletableFuture<AccessToken> one = CompletableFuture.supplyAsync(() -> start(together, file), nodes);
                CompletableFuture<AccessToken> other =
                        CompletableFuture.supplyAsync(() -> start(together, file), nodes);
                AccessToken first = one.join();
                AccessToken second = other.join();
                List<String> sent = List.of("Bearer " + Files.readString(file).strip());
                assertThat(first.isIn(sent)).as("round %d", i).isTrue();
                assertThat(second.isIn(sent)).as("round %d", i).isTrue();
            }
        } finally {
            nodes.shutdownNow();
        }
        try (Stream<Path> left = Files.list(folder)) {
            assertThat(left).as("nothing else is left").hasSize(ROUNDS);
        }
    }

    private static AccessToken start(CyclicBarrier together, Path file) {
        try {
            together.await();
        } catch (Exception e) {
            throw new AssertionError(e);
        }
        return AccessToken.of(file);
    }
}
