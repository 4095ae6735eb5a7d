package com.fastn.status.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import java.util.function.Predicate;
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

    @Test
    void S3_neitherAPartOfTheTokenNorAMegabyteThatBeginsWithItIsTheToken() throws IOException {
        Path file = folder.resolve("token");
        AccessToken token = AccessToken.of(file);
        String right = Files.readString(file).strip();
        Consumer<Predicate<String>> check = isIn -> {
            assertThat(isIn.test("Bearer " + right)).isTrue();
            for (String wrong : List.of(
                    "",
                    right.substring(0, 1),
                    right.substring(0, right.length() - 1),
                    right.substring(1),
                    right + "0",
                    right.repeat((1 << 20) / right.length()))) {
                assertThat(isIn.test("Bearer " + wrong))
                        .as("of %d characters", wrong.length())
                        .isFalse();
            }
        };
        check.accept(given -> token.isIn(List.of(given)));
        List<Predicate<String>> naive =
                List.of(given -> given.startsWith("Bearer " + right), given -> ("Bearer " + right).startsWith(given));
        assertThat(naive)
                .as("the check has to notice who looks at a part of it")
                .allSatisfy(isIn -> assertThatThrownBy(() -> check.accept(isIn)).isInstanceOf(AssertionError.class));
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
