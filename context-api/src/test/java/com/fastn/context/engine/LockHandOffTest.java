package com.fastn.context.engine;

import static com.fastn.context.engine.Patience.await;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fastn.context.ContextMutex;
import com.fastn.context.ContextReadWriteLock;
import com.fastn.context.ContextRuntime;
import com.fastn.context.ContextScope;
import com.fastn.context.FastnContext;
import com.fastn.context.HeldGuard;
import com.fastn.context.LockGuard;
import com.fastn.context.ReadGuard;
import com.fastn.context.SelfDeadlockException;
import java.lang.ref.WeakReference;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** That a lock always reaches the next one, whatever those before it do. */
@SuppressWarnings("MustBeClosedChecker") // guards are closed by hand, in an order that matters
class LockHandOffTest {
    private static final Duration LIMIT = Duration.ofSeconds(60);

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

    private <G> G in(FastnContext context, Supplier<G> code) {
        try (ContextScope ignored = context.makeCurrent()) {
            return code.get();
        }
    }

    /** Goes on with a guard by waiting in its thread for another lock, and closes it then. */
    private static Consumer<HeldGuard> blocksFor(ContextMutex<?> other) {
        return guard -> {
            other.lockBlocking().close();
            guard.close();
        };
    }

    @Test
    void L9_aReaderWhoBlocksForWhatTheReaderServedWithHimHasPassesHimOn() {
        ContextReadWriteLock<Integer> table = tree.root.readWriteLock("table", 1);
        ContextMutex<Integer> lock = tree.root.mutex("m", 1);
        ContextNode one = tree.open("one");
        ContextNode two = tree.open("two");
        LockGuard<Integer> writer = requireNonNull(table.tryWriteLock());
        LockGuard<Integer> ofTwo = requireNonNull(in(two, lock::tryLock));
        CompletionStage<?> first = in(one, () -> table.readLock().thenAccept(blocksFor(lock)));
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
            readers.add(table.readLock().thenAccept(blocksFor(lock)).toCompletableFuture());
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
        CompletableFuture<?> behind =
                table.readLock().thenAccept(blocksFor(lock)).toCompletableFuture();
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
        CompletableFuture<?> behind =
                table.readLock().thenAccept(blocksFor(lock)).toCompletableFuture();
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
        CompletableFuture<?> next = lock.lock().thenAccept(blocksFor(other)).toCompletableFuture();
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
        CompletableFuture<?> next = inner.lock().thenAccept(blocksFor(outer)).toCompletableFuture();
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
        CompletableFuture<?> next = inner.lock().thenAccept(blocksFor(outer)).toCompletableFuture();
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
