package com.fastn.context.engine;

import static com.fastn.context.engine.DeadlockScene.ask;
import static com.fastn.context.engine.DeadlockScene.in;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.ContextMutex;
import com.fastn.context.ContextSemaphore;
import com.fastn.context.LockGuard;
import com.fastn.context.status.DeadlockReport;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** When a deadlock ends by itself, as the report says it. */
class DeadlockEndsTest {
    @RegisterExtension
    final DeadlockScene scene = new DeadlockScene();

    /** One who holds the first lock in a scope and wants the other one, for a time if there is one. */
    private CompletionStage<String> holdsAndWants(
            String who, ContextMutex<?> first, ContextMutex<?> second, @Nullable Duration timeout) {
        return in(
                scene.open(who),
                () -> first.<String>withLock(v -> timeout == null
                        ? second.<String>withLock(w -> CompletableFuture.completedFuture("done"))
                        : second.<String>withLock(timeout, w -> CompletableFuture.completedFuture("done"))));
    }

    @Test
    void aDeadlockWithATimeoutSaysWhenItResolvesByItself() {
        ContextMutex<Integer> m = scene.runtime.root().mutex("m", 1);
        ContextMutex<Integer> n = scene.runtime.root().mutex("n", 1);
        LockGuard<Integer> first = m.lock().toCompletableFuture().join();
        LockGuard<Integer> second = n.lock().toCompletableFuture().join();
        var unusedA = holdsAndWants("a", m, n, Duration.ofHours(2));
        var unusedB = holdsAndWants("b", n, m, Duration.ofHours(1));
        first.close();
        second.close();
        scene.ticker.advance(Duration.ofMinutes(20));
        DeadlockReport report = scene.runtime.status().deadlocks().get(0);
        assertThat(report.resolvesWithin()).isEqualTo(Duration.ofMinutes(40));
        assertThat(report.cycle()).endsWith("resolves by itself within 40m, when a wait times out");
    }

    @Test
    void aDeadlockWithAContextWhoseTimeRunsOutSaysWhenItResolvesByItself() {
        ContextMutex<Integer> m = scene.runtime.root().mutex("m", 1);
        ContextMutex<Integer> n = scene.runtime.root().mutex("n", 1);
        LockGuard<Integer> first = m.lock().toCompletableFuture().join();
        LockGuard<Integer> second = n.lock().toCompletableFuture().join();
        ContextNode above = scene.open("request");
        var time = above.cancelAfter(Duration.ofHours(1));
        var unusedA = in(
                (ContextNode) above.child("a").open(),
                () -> m.<String>withLock(v -> n.<String>withLock(w -> CompletableFuture.completedFuture("done"))));
        var unusedB = holdsAndWants("b", n, m, Duration.ofHours(2));
        first.close();
        second.close();
        scene.ticker.advance(Duration.ofMinutes(20));
        DeadlockReport report = scene.runtime.status().deadlocks().get(0);
        assertThat(report.proven()).isTrue();
        assertThat(report.resolvesWithin()).isEqualTo(Duration.ofMinutes(40));
        assertThat(report.parties())
                .extracting(DeadlockReport.Party::timesOutIn)
                .contains(Duration.ofMinutes(40));
        time.close();
        assertThat(scene.runtime.status().deadlocks().get(0).resolvesWithin()).isEqualTo(Duration.ofMinutes(100));
        above.cancel();
        assertThat(scene.runtime.status().deadlocks()).isEmpty();
    }

    @Test
    void aTimeoutThatLeavesItsGuardOpenIsNoPromise() {
        ContextNode a = scene.open("a");
        ContextNode b = scene.open("b");
        ContextMutex<Integer> m = scene.runtime.root().mutex("m", 1);
        ContextMutex<Integer> n = scene.runtime.root().mutex("n", 1);
        LockGuard<Integer> first = ask(a, m).join();
        LockGuard<Integer> second = ask(b, n).join();
        var unused = ask(a, n);
        CompletableFuture<LockGuard<Integer>> limited =
                in(b, () -> m.lock(Duration.ofHours(1)).toCompletableFuture());
        DeadlockReport report = scene.runtime.status().deadlocks().get(0);
        assertThat(report.proven()).isFalse();
        assertThat(report.resolvesWithin()).isNull();
        assertThat(report.cycle()).doesNotContain("by itself");
        limited.cancel(false);
        first.close();
        second.close();
    }

    @Test
    void aTimeoutIsNoPromiseWhileAnotherWaitHoldsTheSamePartiesUp() {
        ContextSemaphore permits = scene.runtime.root().semaphore("permits", 2);
        ContextMutex<Integer> m = scene.runtime.root().mutex("m", 1);
        LockGuard<Integer> first = m.lock().toCompletableFuture().join();
        var unused = in(
                scene.open("large"),
                () -> m.<String>withLock(
                        v -> permits.<String>withPermits(2, () -> CompletableFuture.completedFuture("done"))));
        for (int hours : new int[] {1, 3}) {
            var unusedToo = in(
                    scene.open("hours" + hours),
                    () -> permits.<String>withPermit(() -> m.<String>withLock(
                            Duration.ofHours(hours), v -> CompletableFuture.completedFuture("done"))));
        }
        first.close();
        // After an hour one permit is free, and two are wanted.
        assertThat(scene.runtime.status().deadlocks()).singleElement().satisfies(report -> {
            assertThat(report.proven()).isTrue();
            assertThat(report.resolvesWithin()).isEqualTo(Duration.ofHours(3));
        });
    }
}
