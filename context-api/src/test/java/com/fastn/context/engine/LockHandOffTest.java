package com.fastn.context.engine;

import static com.fastn.context.engine.Failures.assertFailure;
import static com.fastn.context.engine.Patience.await;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fastn.context.ContextEngine;
import com.fastn.context.ContextMutex;
import com.fastn.context.ContextReadWriteLock;
import com.fastn.context.ContextScope;
import com.fastn.context.DeadlockPolicy;
import com.fastn.context.FastnContext;
import com.fastn.context.LockGuard;
import com.fastn.context.ManualTicker;
import com.fastn.context.ReadGuard;
import com.fastn.context.spi.ContextBinding;
import java.lang.ref.WeakReference;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** That a lock always reaches the next one, whatever those before it do, and that nothing is kept afterwards. */
@SuppressWarnings("MustBeClosedChecker") // guards are closed by hand, in an order that matters
class LockHandOffTest {
    @RegisterExtension
    final TestTree tree = new TestTree();

    private static void waitFor(ContextMutex<?> lock, int waiters) {
        await().until(() -> lock.waiters() == waiters);
    }

    private static Thread thread(Runnable code) {
        Thread thread = new Thread(code);
        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    @Test
    void aThreadThatWaitsIsWokenThoughTheOneWhoReleasedBlocksAtOnce() throws Exception {
        ContextMutex<Integer> lock = tree.root.mutex("m", 1);
        LockGuard<Integer> first = requireNonNull(lock.tryLock());
        CompletableFuture<String> again = new CompletableFuture<>();
        var unused = lock.lock().thenAccept(guard -> {
            guard.close();
            // The other thread has it now, and this one waits until that has gone on.
            lock.lockBlocking().close();
            again.complete("again");
        });
        thread(() -> lock.lockBlocking().close());
        waitFor(lock, 2);
        thread(first::close);
        assertThat(again.get(30, TimeUnit.SECONDS)).isEqualTo("again");
        assertThat(lock.holder()).isNull();
    }

    @Test
    void aTaskThatBlocksPassesOnThoseBehindIt() throws Exception {
        ContextMutex<Integer> lock = tree.root.mutex("m", 1);
        LockGuard<Integer> first = requireNonNull(lock.tryLock());
        CompletableFuture<String> again = new CompletableFuture<>();
        var blocks = lock.lock().thenAccept(guard -> {
            guard.close();
            // Granted to the stage below, whose turn comes after this one.
            lock.lockBlocking().close();
            again.complete("again");
        });
        var behind = lock.lock().thenAccept(LockGuard::close);
        thread(first::close);
        assertThat(again.get(30, TimeUnit.SECONDS)).isEqualTo("again");
        assertThat(behind.toCompletableFuture()).succeedsWithin(Duration.ofSeconds(30));
        assertThat(blocks.toCompletableFuture()).succeedsWithin(Duration.ofSeconds(30));
        assertThat(lock.holder()).isNull();
    }

    @Test
    void aStageOfTheApplicationThatThrowsDoesNotKeepTheLock() {
        ContextMutex<Integer> lock = tree.root.mutex("m", 1);
        @SuppressWarnings("unchecked")
        CompletionStage<String> broken = (CompletionStage<String>) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {CompletionStage.class}, (proxy, method, arguments) -> {
                    throw new UnsupportedOperationException("broken");
                });
        CompletableFuture<String> result = lock.withLock(value -> broken).toCompletableFuture();
        assertThat(lock.holder()).isNull();
        assertThatThrownBy(result::join).hasRootCauseMessage("broken");
    }

    /** An environment whose threads are used up, and whose contexts cannot be entered. */
    private static final class BrokenBinding implements ContextBinding {
        volatile boolean broken;

        @Override
        public boolean isActive() {
            return broken;
        }

        @Override
        public @Nullable FastnContext current() {
            return null;
        }

        @Override
        public ContextScope makeCurrent(FastnContext context) {
            throw new IllegalStateException("cannot be entered");
        }

        @Override
        public Executor completions() {
            return task -> {
                throw new OutOfMemoryError("unable to create native thread");
            };
        }

        @Override
        public boolean isEventLoop() {
            return true;
        }

        @Override
        public @Nullable Executor tasks(FastnContext context) {
            return null;
        }

        @Override
        public @Nullable Executor blockingTasks(FastnContext context) {
            return null;
        }
    }

    @Test
    void L2_noGrantIsLostWhenTheExecutorAndTheContextFail() {
        BrokenBinding binding = new BrokenBinding();
        EngineRuntime runtime = new EngineRuntime(
                new ContextEngine.Settings(
                        "app",
                        "App",
                        "alice",
                        new ManualTicker(TestTree.START),
                        10_000,
                        100,
                        false,
                        DeadlockPolicy.REPORT),
                new CurrentContext(binding));
        ContextReadWriteLock<Integer> lock = runtime.root().readWriteLock("rw", 1);
        LockGuard<Integer> writer = lock.writeLock().toCompletableFuture().join();
        CompletableFuture<ReadGuard<Integer>> a = lock.readLock().toCompletableFuture();
        CompletableFuture<ReadGuard<Integer>> b = lock.readLock().toCompletableFuture();
        ContextNode who = (ContextNode) runtime.root().child("who").open();
        CompletableFuture<String> cancelled = new CompletableFuture<>();
        who.onCancel(reason -> cancelled.complete("told"));
        binding.broken = true;
        writer.close();
        binding.broken = false;
        assertThat(a).isCompleted();
        assertThat(b).isCompleted();
        a.join().close();
        b.join().close();
        who.cancel();
        assertThat(cancelled).isCompletedWithValue("told");
        runtime.close();
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
}
