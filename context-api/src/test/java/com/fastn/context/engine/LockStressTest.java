package com.fastn.context.engine;

import static com.fastn.context.engine.Patience.await;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.ContextCancelledException;
import com.fastn.context.ContextMutex;
import com.fastn.context.ContextReadWriteLock;
import com.fastn.context.ContextScope;
import com.fastn.context.ContextSemaphore;
import com.fastn.context.FastnContext;
import com.fastn.context.HeldGuard;
import com.fastn.context.LockGuard;
import com.fastn.context.LockTimeoutException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Many waiters at once. */
@SuppressWarnings("MustBeClosedChecker") // guards are closed by hand
class LockStressTest {
    private static final int SCALE = Integer.getInteger("proof.scale", 1);

    private static final int CANCELLED_CONTEXTS = 10;
    // Of a hundred that are in other contexts.
    private static final int OUT_OF_TIME = 8;
    private static final int CANCELLED_STAGES = 45;

    @RegisterExtension
    final TestTree tree = new TestTree();

    @Test
    void L8_aMillionHandOffsOnOneLoopNeedAStackOf256k() throws InterruptedException {
        TestTree bound = new TestTree(new FakeLoop.Binding());
        ContextMutex<Integer> orders = bound.root.mutex("orders", 1);
        handOffs(1_000_000, i -> orders.lock().toCompletableFuture());
        assertThat(orders.holder()).isNull();
    }

    @Test
    void L8_soDoThoseOfReadersWritersAndPermits() throws InterruptedException {
        TestTree bound = new TestTree(new FakeLoop.Binding());
        ContextReadWriteLock<Integer> prices = bound.root.readWriteLock("prices", 1);
        handOffs(
                100_000,
                i -> i % 3 == 0
                        ? prices.writeLock().toCompletableFuture()
                        : prices.readLock().toCompletableFuture());
        ContextSemaphore pool = bound.root.semaphore("pool", 3);
        handOffs(100_000, i -> pool.acquire(i % 3 + 1).toCompletableFuture());
        assertThat(prices.holders()).isEmpty();
        assertThat(pool.availablePermits()).isEqualTo(3);
    }

    /** All ask on one loop before it goes on, and each releases as soon as it is told. */
    private static void handOffs(int waiters, IntFunction<CompletableFuture<? extends HeldGuard>> ask)
            throws InterruptedException {
        SmallStack.run(() -> {
            FakeLoop loop = new FakeLoop();
            AtomicInteger served = new AtomicInteger();
            loop.run(() -> {
                HeldGuard first = ask.apply(0).join();
                for (int i = 1; i < waiters; i++) {
                    var unused = ask.apply(i).thenAccept(guard -> {
                        served.incrementAndGet();
                        guard.close();
                    });
                }
                first.close();
            });
            loop.turn();
            assertThat(served).hasValue(waiters - 1);
        });
    }

    @Test
    void L1_L4_L12_halfOfAHundredThousandWaitersAreCancelledInEachWayWhileReleasesRun() throws InterruptedException {
        int permits = 4;
        long seed = new SplittableRandom().nextLong();
        SplittableRandom random = new SplittableRandom(seed);
        ContextSemaphore pool = tree.root.semaphore("pool", permits);
        int count = 100_000;
        List<CompletableFuture<? extends HeldGuard>> asked = new ArrayList<>(count);
        List<CompletableFuture<Void>> told = new ArrayList<>(count);
        List<ContextNode> contexts = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            contexts.add(tree.open("asker-" + i));
        }
        HeldGuard all = pool.acquire(permits).toCompletableFuture().join();
        List<Runnable> cancels = new ArrayList<>();
        AtomicInteger taken = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        ConcurrentLinkedQueue<HeldGuard> held = new ConcurrentLinkedQueue<>();
        for (int i = 0; i < count; i++) {
            int wanted = 1 + random.nextInt(permits);
            boolean ofCancelled = i % contexts.size() < CANCELLED_CONTEXTS;
            int fate = ofCancelled ? 100 : random.nextInt(100);
            try (ContextScope ignored = contexts.get(i % contexts.size()).makeCurrent()) {
                var stage = fate < OUT_OF_TIME
                        ? pool.acquire(wanted, Duration.ofMillis(1 + random.nextInt(300)))
                        : random.nextInt(4) == 0 ? pool.acquire(wanted, Duration.ofHours(1)) : pool.acquire(wanted);
                CompletableFuture<? extends HeldGuard> one = stage.toCompletableFuture();
                asked.add(one);
                if (fate >= OUT_OF_TIME && fate < OUT_OF_TIME + CANCELLED_STAGES) {
                    cancels.add(() -> one.cancel(false));
                }
                told.add(one.thenAccept(guard -> {
                    most.accumulateAndGet(taken.addAndGet(wanted), Math::max);
                    held.add(new Taken(guard, wanted));
                }));
            }
        }
        contexts.subList(0, CANCELLED_CONTEXTS).forEach(context -> cancels.add(context::cancel));
        Collections.shuffle(cancels, new Random(seed));
        // Some have run out of time before anything is released, and others do so while releases run.
        await().atMost(Duration.ofMinutes(2))
                .until(() -> asked.stream().anyMatch(CompletableFuture::isCompletedExceptionally));
        AtomicInteger gone = new AtomicInteger();
        AtomicInteger released = new AtomicInteger();
        AtomicBoolean over = new AtomicBoolean();
        List<Thread> threads = new ArrayList<>();
        for (int t = 0; t < 2; t++) {
            threads.add(new Thread(() -> {
                for (int turn = 0; !over.get() || !held.isEmpty(); turn++) {
                    // Never so fast that nobody is left to be cancelled.
                    HeldGuard guard =
                            gone.get() == cancels.size() || released.get() < gone.get() / 4 ? held.poll() : null;
                    if (guard instanceof Taken one) {
                        released.incrementAndGet();
                        taken.addAndGet(-one.permits);
                        one.guard.close();
                    } else {
                        Spin.turn(turn);
                    }
                }
            }));
        }
        threads.forEach(Thread::start);
        all.close();
        for (Runnable cancel : cancels) {
            cancel.run();
            gone.incrementAndGet();
        }
        // Not only is each wait over: what was granted is among what is held, also where a timer served the last one.
        await().atMost(Duration.ofMinutes(2)).until(() -> told.stream().allMatch(CompletableFuture::isDone));
        over.set(true);
        for (Thread thread : threads) {
            thread.join();
        }

        long lastFence = 0;
        int survivors = 0;
        Map<Class<?>, Integer> ends = new HashMap<>();
        for (int i = 0; i < count; i++) {
            Throwable end = Failures.of(asked.get(i));
            if (end != null) {
                ends.merge(end.getClass(), 1, Integer::sum);
            } else {
                long fence = asked.get(i).join().fence();
                assertThat(fence).as("survivor %d, seed %d", i, seed).isGreaterThan(lastFence);
                lastFence = fence;
                survivors++;
            }
        }
        System.out.println("LockStressTest seed " + seed + ": " + survivors + " survivors, " + ends);
        assertThat(ends)
                .as("seed %d", seed)
                .containsOnlyKeys(
                        CancellationException.class, ContextCancelledException.class, LockTimeoutException.class);
        assertThat(survivors).as("seed %d", seed).isGreaterThan(count / 4);
        assertThat(count - survivors).as("cancelled, seed %d", seed).isGreaterThan(count * 2 / 5);
        assertThat(most.get()).as("seed %d", seed).isLessThanOrEqualTo(permits);
        assertThat(pool.availablePermits()).isEqualTo(permits);
        assertThat(pool.waiters()).isZero();
        assertThat(pool.holders()).isEmpty();
        // There are looks after cancellations and for deadlocks too, which end by themselves.
        await().until(() -> tree.runtime.timers().pending() == 0);
        // For its context a wait is over once whoever waited was told.
        await().until(() ->
                contexts.stream().allMatch(context -> context.waits().isEmpty()));
        assertThat(tree.runtime.misuses()).isEmpty();
    }

    /** A guard, and how many permits it stands for. */
    private static final class Taken implements HeldGuard {
        private final HeldGuard guard;
        private final int permits;

        Taken(HeldGuard guard, int permits) {
            this.guard = guard;
            this.permits = permits;
        }

        @Override
        public String lockName() {
            return guard.lockName();
        }

        @Override
        public FastnContext context() {
            return guard.context();
        }

        @Override
        public Instant acquiredAt() {
            return guard.acquiredAt();
        }

        @Override
        public long fence() {
            return guard.fence();
        }

        @Override
        public void close() {
            guard.close();
        }
    }

    @Test
    void L4_manyWaitsThatRunOutOfTimeLeaveNoTimerAndNoWaiter() {
        ContextMutex<Integer> orders = tree.root.mutex("orders", 1);
        LockGuard<Integer> held = orders.lock().toCompletableFuture().join();
        AtomicInteger failed = new AtomicInteger();
        int count = 50_000 * SCALE;
        for (int i = 0; i < count; i++) {
            var unused = orders.lock(Duration.ofNanos(i % 1_000_000)).whenComplete((guard, failure) -> {
                if (failure != null) {
                    failed.incrementAndGet();
                }
            });
        }
        await().atMost(Duration.ofMinutes(2)).until(() -> failed.get() == count);

        // There are looks after cancellations and for deadlocks too, which end by themselves.
        await().until(() -> tree.runtime.timers().pending() == 0);
        assertThat(orders.waiters()).isZero();
        assertThat(tree.root.waits()).isEmpty();
        held.close();
        assertThat(orders.holder()).isNull();
    }

    @Test
    void L1_ofAReleaseAndACancellationAtOnceExactlyOneWins() throws InterruptedException {
        int rounds = 20_000 * SCALE;
        ContextMutex<Integer> orders = tree.root.mutex("orders", 1);
        for (int i = 0; i < rounds; i++) {
            LockGuard<Integer> held = orders.lock().toCompletableFuture().join();
            ContextNode one = tree.open("one");
            CompletableFuture<LockGuard<Integer>> first = MutexTest.ask(one, orders);
            CompletableFuture<LockGuard<Integer>> second = orders.lock().toCompletableFuture();
            CompletableFuture<Void> released = CompletableFuture.runAsync(held::close);
            one.cancel();
            released.join();
            if (!first.isCompletedExceptionally()) {
                assertThat(second).isNotDone();
                first.join().close();
            }
            assertThat(second).as("round %d", i).isCompleted();
            second.join().close();
            assertThat(orders.holder()).isNull();
            one.close();
        }
        assertThat(orders.waiters()).isZero();
    }

    /**
     * The work runs or the cancellation wins, never both: a result that is over does not run work any more, and one whose
     * work runs is not over, nor is anything made of it said to wait for that work.
     */
    @Test
    void L2_ofTheStartOfAScopeAndTheCancellationOfItsResultExactlyOneWins() throws InterruptedException {
        int rounds = 20_000 * SCALE;
        // Each round waits for another thread twice, which takes long where there are more threads than processors.
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(20L * SCALE);
        ContextMutex<Integer> orders = tree.root.mutex("orders", 1);
        AtomicReference<Runnable> other = new AtomicReference<>();
        AtomicBoolean over = new AtomicBoolean();
        Thread canceller = new Thread(() -> {
            for (int turn = 0; !over.get(); turn++) {
                Runnable task = other.get();
                if (task != null) {
                    task.run();
                    other.set(null);
                }
                Spin.turn(turn);
            }
        });
        canceller.start();
        int ran = 0;
        int done = 0;
        try {
            for (int i = 0; i < rounds && System.nanoTime() - end < 0; i++) {
                LockGuard<Integer> held = orders.lock().toCompletableFuture().join();
                CompletableFuture<String> work = new CompletableFuture<>();
                AtomicBoolean begun = new AtomicBoolean();
                CompletionStage<String> result = orders.withLock(value -> {
                    begun.set(true);
                    return work;
                });
                CompletableFuture<String> toCancel = result.toCompletableFuture();
                other.set(() -> toCancel.cancel(false));
                for (int spins = i % 300; spins > 0; spins--) {
                    Thread.onSpinWait();
                }
                held.close();
                for (int turn = 0; other.get() != null; turn++) {
                    Spin.turn(turn);
                }
                boolean ended = ((CompletableFuture<String>) result).isDone();
                assertThat(toCancel).as("round %d", i).isCancelled();
                assertThat(begun.get()).as("round %d: begun, and not over", i).isEqualTo(!ended);
                assertThat(orders.holder() != null).as("round %d: held", i).isEqualTo(begun.get());
                if (ended) {
                    assertThat(Pending.sourceOf(result))
                            .as("round %d: waits", i)
                            .isNull();
                }
                work.complete("done");
                assertThat(orders.holder()).as("round %d: lost", i).isNull();
                ran += begun.get() ? 1 : 0;
                done++;
            }
        } finally {
            over.set(true);
            canceller.join();
        }
        assertThat(orders.waiters()).isZero();
        assertThat(tree.root.waits()).isEmpty();
        System.out.println("LockStressTest: in " + ran + " of " + done + " rounds the work ran");
    }

    /** Each blocks for what the next one has, who is served in the same moment and goes on behind it in the same thread. */
    @Test
    void L9_ofReadersWhoAreServedTogetherEachMayBlockForTheNext() throws InterruptedException {
        int rounds = 200 * SCALE;
        int readers = 6;
        ContextReadWriteLock<Integer> table = tree.root.readWriteLock("table", 1);
        List<ContextMutex<Integer>> own = new ArrayList<>();
        for (int i = 0; i < readers; i++) {
            own.add(tree.root.mutex("m" + i, 1));
        }
        for (int round = 0; round < rounds; round++) {
            LockGuard<Integer> writer = requireNonNull(table.tryWriteLock());
            List<CompletableFuture<?>> told = new ArrayList<>();
            for (int i = 0; i < readers; i++) {
                LockGuard<Integer> has = requireNonNull(own.get(i).tryLock());
                ContextMutex<Integer> ofNext = i + 1 < readers ? own.get(i + 1) : null;
                told.add(table.readLock()
                        .thenAccept(guard -> {
                            if (ofNext != null) {
                                ofNext.lockBlocking().close();
                            }
                            has.close();
                            guard.close();
                        })
                        .toCompletableFuture());
            }
            Thread releases = new Thread(writer::close);
            releases.setDaemon(true);
            releases.start();
            assertThat(CompletableFuture.allOf(told.toArray(CompletableFuture[]::new)))
                    .as("round %d", round)
                    .succeedsWithin(Duration.ofSeconds(60));
            releases.join();
            assertThat(table.holders()).isEmpty();
        }
    }
}
