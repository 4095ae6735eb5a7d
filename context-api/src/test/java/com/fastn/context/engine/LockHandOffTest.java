package com.fastn.context.engine;

import static com.fastn.context.engine.Failures.assertFailure;
import static com.fastn.context.engine.Patience.await;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fastn.context.ContextEngine;
import com.fastn.context.ContextMutex;
import com.fastn.context.ContextReadWriteLock;
import com.fastn.context.ContextRuntime;
import com.fastn.context.ContextScope;
import com.fastn.context.DeadlockPolicy;
import com.fastn.context.FastnContext;
import com.fastn.context.LockGuard;
import com.fastn.context.ManualTicker;
import com.fastn.context.ReadGuard;
import com.fastn.context.SelfDeadlockException;
import com.fastn.context.WarningIds;
import com.fastn.context.spi.ContextBinding;
import com.fastn.context.status.LockStatus;
import com.fastn.context.status.StatusJson;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.context.status.StatusWarning;
import java.io.PrintStream;
import java.lang.ref.WeakReference;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
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

    // --- a step tells all whom it serves before it lets one of them go on in its thread

    private static final Duration LIMIT = Duration.ofSeconds(60);

    private <G> G in(FastnContext context, Supplier<G> code) {
        try (ContextScope ignored = context.makeCurrent()) {
            return code.get();
        }
    }

    @Test
    void L9_aReaderWhoBlocksForWhatTheReaderServedWithHimHasPassesHimOn() {
        ContextReadWriteLock<Integer> table = tree.root.readWriteLock("table", 1);
        ContextMutex<Integer> lock = tree.root.mutex("m", 1);
        ContextNode one = tree.open("one");
        ContextNode two = tree.open("two");
        LockGuard<Integer> writer = requireNonNull(table.tryWriteLock());
        LockGuard<Integer> ofTwo = requireNonNull(in(two, lock::tryLock));
        CompletionStage<?> first = in(
                one,
                () -> table.readLock().thenAccept(guard -> {
                    lock.lockBlocking().close();
                    guard.close();
                }));
        CompletionStage<?> second = in(
                two,
                () -> table.readLock().thenAccept(guard -> {
                    ofTwo.close();
                    guard.close();
                }));
        thread(writer::close);
        assertThat(second.toCompletableFuture()).succeedsWithin(LIMIT);
        assertThat(first.toCompletableFuture()).succeedsWithin(LIMIT);
        await().atMost(LIMIT).until(() -> table.holders().isEmpty());
    }

    @Test
    void L9_ofThoseWhoArePassedOnOneMayBlockForAnotherToo() {
        ContextReadWriteLock<Integer> table = tree.root.readWriteLock("table", 1);
        ContextMutex<Integer> lock = tree.root.mutex("m", 1);
        LockGuard<Integer> writer = requireNonNull(table.tryWriteLock());
        LockGuard<Integer> ofLast = requireNonNull(lock.tryLock());
        List<CompletableFuture<?>> readers = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            readers.add(table.readLock()
                    .thenAccept(guard -> {
                        lock.lockBlocking().close();
                        guard.close();
                    })
                    .toCompletableFuture());
        }
        readers.add(table.readLock()
                .thenAccept(guard -> {
                    ofLast.close();
                    guard.close();
                })
                .toCompletableFuture());
        thread(writer::close);
        assertThat(CompletableFuture.allOf(readers.toArray(CompletableFuture[]::new)))
                .succeedsWithin(LIMIT);
        await().atMost(LIMIT).until(() -> table.holders().isEmpty());
    }

    @Test
    void L9_aSlowReaderHoldsUpNeitherAnEventLoopNorAThreadThatWereServedWithHim() throws Exception {
        TestTree onLoops = new TestTree(new FakeLoop.Binding());
        ContextReadWriteLock<Integer> table = onLoops.root.readWriteLock("table", 1);
        LockGuard<Integer> writer = requireNonNull(table.tryWriteLock());
        CountDownLatch slow = new CountDownLatch(1);
        CompletableFuture<?> plain = table.readLock()
                .thenAccept(guard -> {
                    awaitQuietly(slow);
                    guard.close();
                })
                .toCompletableFuture();
        FakeLoop loop = new FakeLoop();
        CompletableFuture<String> onLoop = new CompletableFuture<>();
        loop.run(() -> {
            var unused = table.readLock(Duration.ofMinutes(5)).thenAccept(guard -> {
                guard.close();
                onLoop.complete("told");
            });
        });
        CompletableFuture<String> blocked = new CompletableFuture<>();
        thread(() -> {
            table.readLockBlocking().close();
            blocked.complete("woken");
        });
        await().atMost(LIMIT).until(() -> table.waiters() == 3);
        Thread releases = thread(writer::close);
        assertThat(blocked).succeedsWithin(LIMIT).isEqualTo("woken");
        await().atMost(LIMIT).until(() -> loop.turn() > 0);
        assertThat(onLoop).isCompletedWithValue("told");
        // There are looks for deadlocks too, which end by themselves.
        await().until(() -> onLoops.runtime.timers().pending() == 0);
        assertThat(plain).isNotDone();
        slow.countDown();
        releases.join();
        assertThat(plain).succeedsWithin(LIMIT);
        onLoops.end();
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void L1_whoLeavesHearsOfItThoughTheOneServedByThatBlocksForWhatHeHas() {
        ContextReadWriteLock<Integer> table = tree.root.readWriteLock("table", 1);
        ContextMutex<Integer> lock = tree.root.mutex("m", 1);
        ReadGuard<Integer> reader = requireNonNull(table.tryReadLock());
        LockGuard<Integer> ofWriter = requireNonNull(lock.tryLock());
        CompletableFuture<?> left = table.writeLock()
                .whenComplete((guard, failure) -> ofWriter.close())
                .toCompletableFuture();
        CompletableFuture<?> behind = table.readLock()
                .thenAccept(guard -> {
                    lock.lockBlocking().close();
                    guard.close();
                })
                .toCompletableFuture();
        Waiter<?> writer = tree.root.waits().get(0);
        thread(() -> writer.lock.giveUp(writer, new IllegalStateException("out of time")));
        assertThat(left).failsWithin(LIMIT);
        assertThat(behind).succeedsWithin(LIMIT);
        reader.close();
        await().atMost(LIMIT).until(() -> table.holders().isEmpty());
    }

    @Test
    void L1_aTicketThatIsCancelledIsOverThoughTheOneServedByThatBlocksForWhatItsOwnerHas() {
        ContextReadWriteLock<Integer> table = tree.root.readWriteLock("table", 1);
        ContextMutex<Integer> lock = tree.root.mutex("m", 1);
        ReadGuard<Integer> reader = requireNonNull(table.tryReadLock());
        LockGuard<Integer> ofWriter = requireNonNull(lock.tryLock());
        CompletableFuture<LockGuard<Integer>> ticket = table.writeLock().toCompletableFuture();
        var unused = ticket.whenComplete((guard, failure) -> ofWriter.close());
        CompletableFuture<?> behind = table.readLock()
                .thenAccept(guard -> {
                    lock.lockBlocking().close();
                    guard.close();
                })
                .toCompletableFuture();
        CompletableFuture<Boolean> cancelled = new CompletableFuture<>();
        thread(() -> cancelled.complete(ticket.cancel(false)));
        assertThat(cancelled).succeedsWithin(LIMIT).isEqualTo(true);
        assertThat(behind).succeedsWithin(LIMIT);
        reader.close();
        await().atMost(LIMIT).until(() -> table.holders().isEmpty());
    }

    @Test
    void L2_whoDoesNotGetItsGrantHearsOfItThoughTheNextOneBlocksForWhatItHas() {
        TestTree onLoops = new TestTree(new FakeLoop.Binding());
        ContextMutex<Integer> lock = onLoops.root.mutex("m", 1);
        ContextMutex<Integer> other = onLoops.root.mutex("other", 1);
        LockGuard<Integer> first = requireNonNull(lock.tryLock());
        LockGuard<Integer> ofGone = requireNonNull(other.tryLock());
        FakeLoop loop = new FakeLoop();
        ContextNode gone = onLoops.open("gone");
        CompletableFuture<LockGuard<Integer>> asked = new CompletableFuture<>();
        loop.run(() -> {
            try (ContextScope ignored = gone.makeCurrent()) {
                var unused = lock.lock().whenComplete((guard, failure) -> {
                    ofGone.close();
                    asked.completeExceptionally(failure);
                });
            }
        });
        CompletableFuture<?> next = lock.lock()
                .thenAccept(guard -> {
                    other.lockBlocking().close();
                    guard.close();
                })
                .toCompletableFuture();
        Waiter<?> granted = gone.waits().get(0);
        first.close();
        // As where the pool of the one who asked is gone.
        thread(granted::drop);
        assertThat(asked).failsWithin(LIMIT);
        assertThat(next).succeedsWithin(LIMIT);
        await().atMost(LIMIT).until(() -> lock.holder() == null);
        onLoops.end();
    }

    @Test
    void L8_theEndOfAScopeIsToldThoughTheNextOneBlocksForTheScopeAroundIt() {
        ContextMutex<Integer> outer = tree.root.mutex("outer", 1);
        ContextMutex<Integer> inner = tree.root.mutex("inner", 1);
        CompletableFuture<Integer> work = new CompletableFuture<>();
        CompletableFuture<Integer> result =
                outer.withLock(v -> inner.withLock(x -> work)).toCompletableFuture();
        CompletableFuture<?> next = inner.lock()
                .thenAccept(guard -> {
                    outer.lockBlocking().close();
                    guard.close();
                })
                .toCompletableFuture();
        thread(() -> work.complete(7));
        assertThat(result).succeedsWithin(LIMIT).isEqualTo(7);
        assertThat(next).succeedsWithin(LIMIT);
        await().atMost(LIMIT).until(() -> inner.holder() == null);
    }

    @Test
    void L8_theFailureOfALaterScopeIsToldThoughTheNextOneBlocksForTheScopeAroundIt() {
        ContextMutex<Integer> outer = tree.root.mutex("outer", 1);
        ContextMutex<Integer> inner = tree.root.mutex("inner", 1);
        LockGuard<Integer> first = requireNonNull(inner.tryLock());
        CompletableFuture<Integer> result = outer.<Integer>withLock(v -> inner.withLock(x -> {
                    throw new IllegalStateException("no");
                }))
                .toCompletableFuture();
        CompletableFuture<?> next = inner.lock()
                .thenAccept(guard -> {
                    outer.lockBlocking().close();
                    guard.close();
                })
                .toCompletableFuture();
        thread(first::close);
        assertThat(result).failsWithin(LIMIT);
        assertThat(next).succeedsWithin(LIMIT);
        await().atMost(LIMIT).until(() -> inner.holder() == null);
    }

    @Test
    void L1_ofAContextThatIsCancelledAllWaitsEndBeforeOneOfThemGoesOn() {
        ContextMutex<Integer> one = tree.root.mutex("one", 1);
        ContextMutex<Integer> two = tree.root.mutex("two", 1);
        ContextMutex<Integer> other = tree.root.mutex("other", 1);
        LockGuard<Integer> ofOne = requireNonNull(one.tryLock());
        LockGuard<Integer> ofTwo = requireNonNull(two.tryLock());
        LockGuard<Integer> ofOther = requireNonNull(other.tryLock());
        ContextNode asks = tree.open("asks");
        CompletableFuture<?> first = in(
                        asks,
                        () -> one.lock().handle((guard, failure) -> {
                            in(tree.root, other::lockBlocking).close();
                            return failure;
                        }))
                .toCompletableFuture();
        CompletableFuture<?> second = in(
                        asks,
                        () -> two.lock().handle((guard, failure) -> {
                            ofOther.close();
                            return failure;
                        }))
                .toCompletableFuture();
        thread(asks::cancel);
        assertThat(second).succeedsWithin(LIMIT);
        assertThat(first).succeedsWithin(LIMIT);
        ofOne.close();
        ofTwo.close();
    }

    @Test
    void L7_whoGoesOnInTheThreadOfAScopeMayNotBlockForWhatThatScopeHas() {
        ContextMutex<Integer> outer = tree.root.mutex("outer", 1);
        ContextMutex<Integer> inner = tree.root.mutex("inner", 1);
        ContextNode holds = tree.open("holds");
        ContextNode next = tree.open("next");
        CompletableFuture<Throwable> refused = new CompletableFuture<>();
        CompletableFuture<Integer> result = new CompletableFuture<>();
        thread(() -> {
            try (ContextScope ignored = holds.makeCurrent()) {
                var unused = outer.withLock(v -> {
                            LockGuard<Integer> guard = inner.lockBlocking();
                            var unusedToo = in(next, inner::lock).thenAccept(given -> {
                                try {
                                    outer.lockBlocking().close();
                                } catch (RuntimeException e) {
                                    refused.complete(e);
                                } finally {
                                    given.close();
                                }
                            });
                            guard.close();
                            return CompletableFuture.completedFuture(7);
                        })
                        .whenComplete((value, failure) -> result.complete(value));
            }
        });
        assertThat(refused)
                .succeedsWithin(LIMIT)
                .satisfies(failure -> assertThat(failure)
                        .isInstanceOf(SelfDeadlockException.class)
                        .hasMessageStartingWith(
                                "mutex \"outer\" is held by app.holds in a scope that was begun by code of "
                                        + LockHandOffTest.class.getName())
                        .hasMessageContaining("LockHandOffTest.java:")
                        .hasMessageEndingWith("; use the form that gives a stage, or go on elsewhere"));
        assertThat(result).succeedsWithin(LIMIT).isEqualTo(7);
        assertThat(outer.holder()).isNull();
        await().atMost(LIMIT).until(() -> inner.holder() == null);
    }

    @Test
    void L7_whoGoesOnInTheThreadOfAScopeMayBlockForOtherLocksAndAskForThatOneInStages() {
        ContextMutex<Integer> outer = tree.root.mutex("outer", 1);
        ContextMutex<Integer> inner = tree.root.mutex("inner", 1);
        ContextMutex<Integer> other = tree.root.mutex("other", 1);
        LockGuard<Integer> ofOther = requireNonNull(other.tryLock());
        CompletableFuture<String> told = new CompletableFuture<>();
        CompletionStage<Integer> result = outer.withLock(v -> {
            LockGuard<Integer> guard = inner.lockBlocking();
            var unused = inner.lock().thenAccept(given -> {
                thread(ofOther::close);
                other.lockBlocking().close();
                var unusedToo = outer.lock().thenAccept(last -> {
                    last.close();
                    told.complete("told");
                });
                given.close();
            });
            guard.close();
            return CompletableFuture.completedFuture(7);
        });
        assertThat(result).isCompletedWithValue(7);
        assertThat(told).succeedsWithin(LIMIT);
    }

    @Test
    void L10_whatEndsWithItsContextBeforeAnybodySawTheGuardIsNoMisuse() {
        TestTree onLoops = new TestTree(new FakeLoop.Binding());
        ContextMutex<Integer> lock = onLoops.root.mutex("m", 1);
        lock.setAutoReleaseOnEnd(true);
        LockGuard<Integer> first = requireNonNull(lock.tryLock());
        ContextNode asks = onLoops.open("asks");
        FakeLoop loop = new FakeLoop();
        List<Throwable> told = new ArrayList<>();
        loop.run(() -> {
            try (ContextScope ignored = asks.makeCurrent()) {
                var unused = lock.lock().whenComplete((guard, failure) -> told.add(failure));
            }
        });
        first.close();
        assertThat(lock.holder()).isSameAs(asks);
        asks.close();
        assertThat(lock.holder()).isNull();
        loop.turn();
        assertThat(told).singleElement().isInstanceOf(IllegalStateException.class);
        assertThat(onLoops.runtime.misuses()).isEmpty();
        onLoops.end();
    }

    @Test
    void L2_noGrantIsLostWhenTheContextAndTheLogFail() {
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
        binding.broken = true;
        PrintStream before = System.err;
        System.setErr(brokenFor(Thread.currentThread(), before));
        try {
            writer.close();
        } finally {
            System.setErr(before);
            binding.broken = false;
        }
        assertThat(a).isCompleted();
        assertThat(b).isCompleted();
        a.join().close();
        b.join().close();
        assertThat(lock.holders()).isEmpty();
        runtime.close();
    }

    private static PrintStream brokenFor(Thread thread, PrintStream others) {
        return new PrintStream(others) {
            @Override
            public void println(@Nullable String line) {
                if (Thread.currentThread() == thread) {
                    throw new IllegalStateException("the log is broken");
                }
                super.println(line);
            }
        };
    }

    // --- granted, and not told yet

    @Test
    void aLockThatWasGrantedAndIsNotToldYetIsHeldSinceTheGrantAndNobodyIsBlamedForIt() {
        TestTree onLoops = new TestTree(new FakeLoop.Binding());
        ContextMutex<Integer> lock = onLoops.root.mutex("orders", 1);
        ContextNode settle = onLoops.open("settle");
        ContextNode request = onLoops.open("req");
        LockGuard<Integer> first = requireNonNull(in(new FakeLoop(), settle, lock::tryLock));
        FakeLoop loop = new FakeLoop();
        CompletionStage<LockGuard<Integer>> asked = in(loop, request, lock::lock);
        onLoops.pass(Duration.ofSeconds(12));
        first.close();
        LockStatus held = lockOf(onLoops);
        assertThat(held.heldByContext()).isEqualTo("req");
        assertThat(held.heldDuration()).isZero();
        assertThat(held.told()).isFalse();
        assertThat(onLoops.runtime.status().toString()).contains("req (0s, not told yet)");

        CompletionStage<LockGuard<Integer>> behind = in(loop, settle, lock::lock);
        onLoops.pass(Duration.ofSeconds(11));
        StatusSnapshot late = onLoops.runtime.status();
        assertThat(lockOf(onLoops)).returns(Duration.ofSeconds(11), LockStatus::heldDuration);
        assertThat(lockOf(onLoops).longHeld()).isFalse();
        assertThat(late.warnings())
                .singleElement()
                .satisfies(warning -> assertThat(warning)
                        .returns(WarningIds.WAITER_STUCK, StatusWarning::id)
                        .returns(
                                "settle stuck waiting (11s) for \"orders\", granted to req",
                                w -> w.message().replaceAll(" at [^,]*", ""))
                        .matches(w -> requireNonNull(w.next()).contains("req is not told yet that it has it")));
        assertThat(requireNonNull(onLoops.runtime.explain("settle")).toString())
                .contains("granted 11s ago to req")
                .contains("was granted mutex \"orders\" 11s ago and is not told yet: its event loop, or the thread that"
                        + " released it, is busy")
                .doesNotContain("no sign of life");

        StatusSnapshot read = StatusJson.readSnapshot(StatusJson.write(late));
        assertThat(read.activeLocks()).isEqualTo(late.activeLocks());
        long version = onLoops.runtime.status().version();
        loop.turn();
        assertThat(lockOf(onLoops).told()).isTrue();
        assertThat(lockOf(onLoops).heldDuration()).isZero();
        assertThat(onLoops.runtime.status().version())
                .as("that it was told can be seen")
                .isGreaterThan(version);
        asked.toCompletableFuture().join().close();
        loop.turn();
        behind.toCompletableFuture().join().close();
        onLoops.end();
    }

    private static <G> G in(FakeLoop loop, FastnContext context, Supplier<G> code) {
        AtomicReference<G> given = new AtomicReference<>();
        loop.run(() -> {
            try (ContextScope ignored = context.makeCurrent()) {
                given.set(code.get());
            }
        });
        return requireNonNull(given.get());
    }

    private static LockStatus lockOf(TestTree tree) {
        return tree.runtime.status().activeLocks().get(0);
    }

    @Test
    void aLockThatIsOnItsWayToAContextThatHasEndedIsNotLeaked() {
        TestTree onLoops = new TestTree(new FakeLoop.Binding());
        ContextMutex<Integer> lock = onLoops.root.mutex("orders", 1);
        ContextNode request = onLoops.open("req");
        LockGuard<Integer> first = requireNonNull(lock.tryLock());
        FakeLoop loop = new FakeLoop();
        CompletionStage<LockGuard<Integer>> asked = in(loop, request, lock::lock);
        first.close();
        request.close();
        assertThat(lockOf(onLoops).told()).isFalse();
        assertThat(onLoops.runtime.status().warnings()).isEmpty();
        loop.turn();
        assertThat(asked.toCompletableFuture()).isCompletedExceptionally();
        assertThat(lock.holder()).isNull();
        onLoops.end();
    }

    @Test
    void aThreadThatHandedOnALockDoesNotKeepTheRuntime() {
        WeakReference<ContextRuntime> closed = closedAfterAHandOff();

        await().atMost(Duration.ofSeconds(60)).until(() -> {
            System.gc();
            return closed.get() == null;
        });
    }

    private static WeakReference<ContextRuntime> closedAfterAHandOff() {
        try (ContextRuntime runtime = ContextRuntime.builder().build()) {
            ContextMutex<Integer> lock = runtime.root().mutex("m", 1);
            LockGuard<Integer> first = requireNonNull(lock.tryLock());
            CompletionStage<LockGuard<Integer>> second = lock.lock();
            first.close();
            second.toCompletableFuture().join().close();
            return new WeakReference<>(runtime);
        }
    }
}
