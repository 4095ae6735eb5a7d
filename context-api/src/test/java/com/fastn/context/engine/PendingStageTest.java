package com.fastn.context.engine;

import static com.fastn.context.engine.Failures.assertFailure;
import static com.fastn.context.engine.Patience.await;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fastn.context.ContextMutex;
import com.fastn.context.ContextScope;
import com.fastn.context.LockGuard;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The stages that a lock gives: what they keep, and what others can do to them. */
@SuppressWarnings("MustBeClosedChecker") // guards are closed by hand
class PendingStageTest {
    @RegisterExtension
    final TestTree tree = new TestTree();

    @Test
    void aStageThatIsOverIsGivenOnAsItIsAndOneThatFailedAsTheFailureItself() {
        ContextMutex<Integer> lock = tree.root.mutex("m", 1);
        CompletableFuture<Integer> over = CompletableFuture.completedFuture(1);
        assertThat(lock.withLock(value -> over)).isSameAs(over);
        assertThat(lock.holder()).isNull();
        CompletionStage<Integer> failed = lock.withLock(value -> over.thenApply(v -> {
            throw new IllegalStateException("no");
        }));
        assertFailure(failed).isInstanceOf(IllegalStateException.class).hasMessage("no");
        // One of a kind of its own is not handed out, since it may do anything.
        CompletableFuture<Integer> strange = new CompletableFuture<>() {};
        strange.complete(2);
        assertThat(lock.withLock(value -> strange)).isNotSameAs(strange).isCompletedWithValue(2);
        assertThat(lock.holder()).isNull();
    }

    @Test
    void L14_whatOthersCanCompleteProvesNothing() {
        ContextMutex<Integer> lock = tree.root.mutex("m", 1);
        LockGuard<Integer> first = requireNonNull(lock.tryLock());
        CompletionStage<Integer> waits = lock.withLock(CompletableFuture::completedFuture);
        CompletionStage<Integer> derived = waits.thenApply(v -> v);
        assertThat(Pending.sourceOf(derived)).isNotNull().isSameAs(Pending.sourceOf(waits));
        assertThat(Pending.sourceOf(waits.toCompletableFuture())).isNull();
        assertThat(Pending.sourceOf(derived.toCompletableFuture().thenApply(v -> v)))
                .isNull();
        assertThatThrownBy(() -> ((CompletableFuture<Integer>) derived).complete(7))
                .isInstanceOf(UnsupportedOperationException.class)
                .hasMessageContaining("toCompletableFuture()");
        // To complete what was made of it ends that alone.
        assertThat(derived.toCompletableFuture().complete(7)).isTrue();
        assertThat(((CompletableFuture<Integer>) derived).isDone()).isFalse();
        assertThat(lock.waiters()).isEqualTo(1);
        // To complete the wait's own stage leaves the queue.
        assertThat(waits.toCompletableFuture().completeExceptionally(new IllegalStateException("no more")))
                .isTrue();
        assertThat(lock.waiters()).isZero();
        first.close();
        assertThat(lock.holder()).isNull();
    }

    @Test
    void aTimeOutOfTheApplicationLeavesTheQueueAndLosesNoGuard() {
        ContextMutex<Integer> lock = tree.root.mutex("m", 1);
        LockGuard<Integer> first = requireNonNull(lock.tryLock());
        CompletableFuture<LockGuard<Integer>> asked =
                lock.lock().toCompletableFuture().orTimeout(1, TimeUnit.MILLISECONDS);
        await().until(asked::isCompletedExceptionally);
        await().until(() -> lock.waiters() == 0);
        first.close();
        assertThat(lock.holder()).isNull();
    }

    @Test
    void aResultThatIsKeptKeepsNoContext() {
        ContextMutex<Integer> lock = tree.root.mutex("m", 1);
        ContextNode node = tree.open("short");
        CompletionStage<Integer> result;
        CompletionStage<Integer> derived;
        try (ContextScope ignored = node.makeCurrent()) {
            CompletableFuture<Integer> work = new CompletableFuture<>();
            result = lock.withLock(v -> work);
            derived = result.thenApply(v -> v + 1);
            work.complete(1);
        }
        assertThat(Pending.sourceOf(result)).isNull();
        assertThat(Pending.sourceOf(derived)).isNull();
    }

    @Test
    void aLongTailKeepsNeitherItsEarlierStagesNorTheirResults() {
        ContextMutex<Integer> lock = tree.root.mutex("m", 1);
        byte[] payload = new byte[10_000];
        WeakReference<byte[]> early = new WeakReference<>(payload);
        CompletableFuture<byte[]> source = CompletableFuture.completedFuture(payload);
        CompletionStage<byte[]> tail = after(lock, source);
        source = null;
        payload = null;
        for (int i = 0; i < 1_000; i++) {
            tail = tail.thenCompose(x -> lock.withLock(v -> CompletableFuture.completedFuture(new byte[1])));
        }
        await().atMost(Duration.ofSeconds(30)).until(() -> {
            System.gc();
            return early.get() == null;
        });
        assertThat(tail.toCompletableFuture().join()).hasSize(1);
    }

    private static CompletionStage<byte[]> after(ContextMutex<Integer> lock, CompletableFuture<byte[]> source) {
        return lock.withLock(v -> source);
    }
}
