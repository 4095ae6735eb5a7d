package com.fastn.context.engine;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fastn.context.ContextMutex;
import com.fastn.context.LockGuard;
import com.fastn.context.Operation;
import com.fastn.context.status.ContextState;
import com.fastn.context.status.OperationStatus;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class OperationsTest {
    @RegisterExtension
    final TestTree tree = new TestTree();

    private List<OperationStatus> shown(ContextNode context) {
        return context.subtreeStatus().globalContext().operations();
    }

    @Test
    void anOperationIsShownWithItsAgeUntilItIsClosed() {
        ContextNode task = tree.open("task");
        try (Operation query = task.operation("db-query")) {
            tree.passSeconds(2);
            assertThat(query.name()).isEqualTo("db-query");
            assertThat(query.elapsed()).isEqualTo(Duration.ofSeconds(2));
            assertThat(task.isInOperation()).isTrue();
            assertThat(shown(task)).containsExactly(new OperationStatus("db-query", Duration.ofSeconds(2), false));
        }
        assertThat(shown(task)).isEmpty();
        assertThat(task.isInOperation()).isFalse();
    }

    @Test
    void theInnermostOperationIsShownLast() {
        ContextNode task = tree.open("task");
        try (Operation outer = task.operation("outer");
                Operation inner = task.operation("inner")) {
            assertThat(shown(task)).extracting(OperationStatus::name).containsExactly("outer", "inner");
            outer.close();
            assertThat(shown(task)).extracting(OperationStatus::name).containsExactly("inner");
            inner.close();
        }
    }

    @Test
    void aSecondCloseChangesNothing() {
        ContextNode task = tree.open("task");
        Operation operation;
        try (Operation running = task.operation("db-query")) {
            operation = running;
            tree.passSeconds(1);
        }
        tree.passSeconds(1);
        operation.close();

        assertThat(operation.elapsed()).isEqualTo(Duration.ofSeconds(1));
    }

    @Test
    @SuppressWarnings("MustBeClosedChecker") // closed by hand
    void awaitingALockMayBeGivenUp() {
        ContextNode task = tree.open("task");
        ContextMutex<Integer> lock = tree.root.mutex("m", 1);
        LockGuard<Integer> guard = requireNonNull(lock.tryLock());
        CompletionStage<LockGuard<Integer>> asked = lock.lock();
        CompletionStage<LockGuard<Integer>> named = task.awaiting("m", asked);
        assertThat(named == asked).isTrue();
        assertThat(lock.waiters()).isOne();
        named.toCompletableFuture().cancel(false);
        assertThat(lock.waiters()).isZero();
        assertThat(shown(task)).isEmpty();
        guard.close();
    }

    @Test
    void awaitingIsOverWithTheStageAndThenWhoeverWaitsGoesOn() {
        ContextNode task = tree.open("task");
        CompletableFuture<String> good = new CompletableFuture<>();
        CompletableFuture<String> bad = new CompletableFuture<>();
        CompletableFuture<String> seen = task.awaiting("good", good)
                .thenApply(value -> {
                    tree.passSeconds(20);
                    return value + shown(task).size();
                })
                .toCompletableFuture();
        CompletableFuture<String> failed = task.awaiting("bad", bad).toCompletableFuture();
        assertThat(shown(task)).extracting(OperationStatus::name).containsExactly("good", "bad");

        tree.passSeconds(1);
        good.complete("done");
        assertThat(seen).as("the other one is left").isCompletedWithValue("done1");
        assertThat(requireNonNull(tree.runtime.operationBaselines().get("good")).max())
                .isEqualTo(Duration.ofSeconds(1));
        IllegalStateException no = new IllegalStateException("no");
        bad.completeExceptionally(no);
        assertThat(shown(task)).isEmpty();
        Failures.assertFailure(failed).isSameAs(no);

        CompletableFuture<String> first = new CompletableFuture<>();
        CompletableFuture<Integer> left = task.select("first", List.of(first, new CompletableFuture<String>()))
                .thenApply(value -> shown(task).size())
                .toCompletableFuture();
        first.complete("first");
        assertThat(left).isCompletedWithValue(0);
    }

    @Test
    void aStageThatCannotBeWaitedForLeavesNoOperationAndNoHandler() {
        ContextNode task = tree.open("task");
        CompletableFuture<String> stage = new CompletableFuture<>() {
            @Override
            public CompletableFuture<String> whenComplete(BiConsumer<? super String, ? super Throwable> action) {
                throw new UnsupportedOperationException("a stage of its own");
            }
        };

        assertThatThrownBy(() -> task.awaiting("db", stage)).hasMessage("a stage of its own");
        assertThatThrownBy(() -> task.race(stage)).hasMessage("a stage of its own");
        assertThat(shown(task)).isEmpty();
        assertThat(task.cancelHandlers()).isZero();
        assertThat(tree.runtime.operationBaselines()).isEmpty();
    }

    @Test
    void manyOperationsEndInAnyOrderAtTheSameCost() {
        ContextNode server = tree.open("server");
        List<CompletableFuture<String>> waits = new ArrayList<>();
        for (int i = 0; i < 300_000; i++) {
            CompletableFuture<String> wait = new CompletableFuture<>();
            server.awaiting("request", wait);
            waits.add(wait);
        }
        // In a list that is searched, these are 10^11 steps.
        waits.forEach(wait -> wait.complete("done"));

        assertThat(server.isInOperation()).isFalse();
    }

    @Test
    void theEndOfAContextEndsItsOperations() {
        ContextNode task = tree.open("task");
        Operation left = open(task, "left-open");
        tree.passSeconds(3);
        task.close();
        tree.passSeconds(3);

        assertThat(left.elapsed()).isEqualTo(Duration.ofSeconds(3));
    }

    @SuppressWarnings("MustBeClosedChecker")
    private static Operation open(ContextNode context, String name) {
        return context.operation(name);
    }

    @Test
    void closeWhenDoneEndsAnIdleContextAtOnce() {
        ContextNode task = tree.open("task");
        task.closeWhenDone();
        assertThat(task.state()).isEqualTo(ContextState.CLOSED);
    }

    @Test
    void closeWhenDoneWaitsForTheLastOperation() {
        ContextNode task = tree.open("task");
        Operation first = open(task, "first");
        task.closeWhenDone();
        task.closeWhenDone();
        Operation second = open(task, "second");
        assertThat(task.state()).isEqualTo(ContextState.ACTIVE);
        first.close();
        assertThat(task.state()).isEqualTo(ContextState.ACTIVE);
        second.close();
        assertThat(task.state()).isEqualTo(ContextState.CLOSED);
    }

    @Test
    void operationsAreSignsOfLife() {
        ContextNode task = tree.open("task");
        tree.passSeconds(3);
        Operation query = open(task, "db-query");
        assertThat(task.idleDuration()).isZero();
        tree.passSeconds(3);
        query.close();
        assertThat(task.idleDuration()).isZero();
    }
}
