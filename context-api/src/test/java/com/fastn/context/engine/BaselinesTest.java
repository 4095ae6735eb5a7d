package com.fastn.context.engine;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.fastn.context.Operation;
import com.fastn.context.status.OperationBaseline;
import com.fastn.context.status.StatusJson;
import com.fastn.context.status.StatusSnapshot;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What is usual for an operation, and the first of several waits. */
class BaselinesTest {
    @RegisterExtension
    final TestTree tree = new TestTree();

    private void run(ContextNode context, String name, Duration time) {
        try (Operation operation = context.operation(name)) {
            tree.pass(time);
            assertThat(operation.name()).isEqualTo(name);
        }
    }

    private static void isAbout(Duration actual, long millis) {
        assertThat(actual.toNanos() / 1e6).isCloseTo((double) millis, Percentage.withPercentage(4));
    }

    @Test
    void whatIsUsualIsKnownFromThoseThatEnded() {
        ContextNode task = tree.open("task");
        assertThat(tree.runtime.operationBaselines()).isEmpty();
        for (int i = 1; i <= 100; i++) {
            run(task, "db-query", Duration.ofMillis(i));
        }
        run(task, "other", Duration.ofSeconds(7));

        OperationBaseline usual =
                requireNonNull(tree.runtime.operationBaselines().get("db-query"));
        assertThat(usual.count()).isEqualTo(100);
        isAbout(usual.p50(), 50);
        isAbout(usual.p99(), 99);
        assertThat(usual.max()).isEqualTo(Duration.ofMillis(100));
        assertThat(tree.runtime.operationBaselines().keySet()).containsExactly("db-query", "other");
    }

    @Test
    void aStuckOperationIsShownWithWhatIsUsualOnceEnoughHaveEnded() {
        ContextNode task = tree.open("task");
        for (int i = 0; i < OperationBaseline.ENOUGH - 1; i++) {
            run(task, "db-query", Duration.ofMillis(80));
        }
        try (Operation first = task.operation("db-query")) {
            tree.passSeconds(12.3);
            assertThat(tree.runtime.status().toString())
                    .contains("(stuck on: \"db-query\" 12.3s)")
                    .doesNotContain("usually");
            assertThat(first.name()).isEqualTo("db-query");
        }
        try (Operation second = task.operation("db-query")) {
            tree.passSeconds(12.3);
            StatusSnapshot snapshot = tree.runtime.status();
            assertThat(snapshot.toString()).contains("(stuck on: \"db-query\" 12.3s, usually 80ms)");
            assertThat(second.name()).isEqualTo("db-query");

            StatusSnapshot read = StatusJson.readSnapshot(StatusJson.write(snapshot));
            assertThat(read.operationBaselines()).containsOnlyKeys("db-query");
            OperationBaseline usual = requireNonNull(read.operationBaselines().get("db-query"));
            assertThat(usual.count()).isEqualTo(OperationBaseline.ENOUGH);
            assertThat(read.toString()).isEqualTo(snapshot.toString());
        }
    }

    @Test
    void anOperationThatItsContextsEndTookAwayIsNoSampleOfWhatIsUsual() {
        ContextNode task = tree.open("task");
        run(task, "db-query", Duration.ofMillis(80));
        CompletableFuture<String> never = new CompletableFuture<>();
        task.awaiting("db-query", never);
        task.awaiting("reply", never);
        tree.pass(Duration.ofHours(3));
        task.close();
        never.complete("too late");

        assertThat(tree.runtime.operationBaselines()).containsOnlyKeys("db-query");
        OperationBaseline usual =
                requireNonNull(tree.runtime.operationBaselines().get("db-query"));
        assertThat(usual.count()).isEqualTo(1);
        isAbout(usual.max(), 80);
    }

    @Test
    void M4_ofNamesBeyondTheBoundThoseThatComeOftenAreKept() {
        ContextNode task = tree.open("task");
        for (int i = 0; i < 50; i++) {
            run(task, "long-ago", Duration.ofMillis(1));
        }
        for (int i = 0; i < OperationBaselines.MAX_NAMES + 50; i++) {
            run(task, "first-" + i, Duration.ofMillis(1));
        }
        assertThat(tree.runtime.operationBaselines())
                .as("names that came once push nobody out")
                .hasSize(OperationBaselines.MAX_NAMES)
                .containsKeys("long-ago", "first-0")
                .doesNotContainKey("first-" + (OperationBaselines.MAX_NAMES + 49));
        assertThat(tree.runtime.misuses()).singleElement().asString().startsWith("51x more than 1000 operation names");

        for (int i = 0; i < 3 * OperationBaselines.MAX_NAMES; i++) {
            run(task, "more-" + i, Duration.ofMillis(1));
            run(task, "more-" + i, Duration.ofMillis(1));
            if (i % 20 == 0) {
                run(task, "db", Duration.ofMillis(7));
            }
        }
        var usual = tree.runtime.operationBaselines();
        assertThat(usual).hasSizeLessThanOrEqualTo(OperationBaselines.MAX_NAMES).doesNotContainKey("long-ago");
        assertThat(requireNonNull(usual.get("db")).count()).isEqualTo(150);
    }

    @Test
    void M4_theUsualTimesOfAllNamesTakeTenMegabytesAtMost() {
        OperationBaselines baselines = new OperationBaselines(tree.runtime);
        for (int i = 0; i < OperationBaselines.MAX_NAMES; i++) {
            // From nothing to what counts as a day, so that each histogram is as large as it ever gets.
            baselines.ended("query-" + i, 0);
            baselines.ended("query-" + i, Long.MAX_VALUE);
        }
        assertThat(baselines.all()).hasSize(OperationBaselines.MAX_NAMES);
        assertThat(baselines.estimatedBytes()).isBetween(1_000_000L, 10_000_000L);
    }

    @Test
    void theUsualTimeIsNeitherBelowTheShortestNorAboveTheLongest() {
        ContextNode task = tree.open("task");
        run(task, "same", Duration.ofMillis(80));
        OperationBaseline usual =
                requireNonNull(tree.runtime.operationBaselines().get("same"));
        assertThat(List.of(usual.p50(), usual.p99(), usual.max())).containsOnly(Duration.ofMillis(80));
        // One step of the histogram: its middle is above one of them and below the other.
        run(task, "two", Duration.ofNanos(77_900_000));
        run(task, "two", Duration.ofNanos(81_900_000));
        usual = requireNonNull(tree.runtime.operationBaselines().get("two"));
        assertThat(usual.p50()).isBetween(Duration.ofNanos(77_900_000), Duration.ofNanos(81_900_000));
        isAbout(usual.p99(), 80);
    }

    @Test
    void M7_anOperationThatOutlastsEverythingIsRecordedAsADay() {
        ContextNode task = tree.open("task");
        run(task, "batch", Duration.ofDays(300));
        assertThat(requireNonNull(tree.runtime.operationBaselines().get("batch"))
                        .max())
                .isEqualTo(Duration.ofDays(1));
    }

    @Test
    void selectTakesTheFirstAndShowsTheWait() {
        ContextNode task = tree.open("task");
        CompletableFuture<String> slow = new CompletableFuture<>();
        CompletableFuture<String> fast = new CompletableFuture<>();
        CompletionStage<String> first = task.select(slow, fast);
        CompletionStage<String> named = task.select("reply-or-timeout", List.of(slow, fast));
        assertThat(tree.runtime.status().globalContext().children().get(0).operations())
                .extracting(operation -> operation.name())
                .containsExactly("select", "reply-or-timeout");

        fast.complete("reply");
        slow.completeExceptionally(new IllegalStateException("too late to matter"));
        assertThat(first.toCompletableFuture()).isCompletedWithValue("reply");
        assertThat(named.toCompletableFuture()).isCompletedWithValue("reply");
        assertThat(task.isInOperation()).isFalse();
    }

    @Test
    void selectFailsWhenTheFirstFails() {
        ContextNode task = tree.open("task");
        CompletableFuture<String> bad = new CompletableFuture<>();
        CompletionStage<String> first = task.select(List.of(bad, new CompletableFuture<String>()));
        IllegalStateException failure = new IllegalStateException("no");
        bad.completeExceptionally(failure);
        assertThat(first.toCompletableFuture()).isCompletedExceptionally();
        assertThat(first.toCompletableFuture().handle((value, why) -> why)).isCompletedWithValue(failure);
    }

    @Test
    void aSelectOfNothingIsRefused() {
        ContextNode task = tree.open("task");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> task.select(List.of()))
                .withMessageContaining("at least one");
        assertThat(task.isInOperation()).isFalse();
    }
}
