package com.fastn.verification.concurrency;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.ContextMutex;
import com.fastn.context.ContextRuntime;
import com.fastn.context.ContextSemaphore;
import com.fastn.context.HeldGuard;
import com.fastn.context.LockGuard;
import com.fastn.context.PermitGuard;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Two threads that do to one lock what excludes each other, many times: whatever comes first, nothing is lost or doubled. At the
 * scale of 50 it is as often as the rules ask for, ten million times (rules L1, L12).
 */
class LockRacesStressTest {
    private static final Duration PATIENCE = Duration.ofMinutes(10);

    private final ExecutorService threads = Executors.newFixedThreadPool(2);
    private final SplittableRandom seeds = new SplittableRandom();

    @AfterEach
    void stop() {
        threads.shutdownNow();
    }

    private void bothWays(Runnable one, Runnable other) throws Exception {
        List<Future<?>> both = List.of(threads.submit(one), threads.submit(other));
        for (Future<?> each : both) {
            each.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        }
    }

    /** What became of one wait. */
    private static final class Wait {
        final AtomicInteger told = new AtomicInteger();
        volatile boolean served;
        CompletableFuture<Void> end = new CompletableFuture<>();
    }

    /**
     * Each of those that wait is served in its turn, by the release of the one before it, or is cancelled by the other thread: never
     * both and never neither, and the lock is with nobody in the end.
     */
    @Test
    void L1_ofTheGrantAndTheCancellationOfAWaitExactlyOneWins() throws Exception {
        int atOnce = 1_000;
        int rounds = Scale.times(200, "proof.locks");
        long served = 0;
        try (ContextRuntime runtime = ContextRuntime.builder().alias("races").build()) {
            ContextMutex<Integer> orders = runtime.root().mutex("orders", 1);
            for (int round = 0; round < rounds; round++) {
                LockGuard<Integer> held = orders.lock().toCompletableFuture().join();
                List<Wait> waits = new ArrayList<>(atOnce);
                List<CompletableFuture<LockGuard<Integer>>> asked = new ArrayList<>(atOnce);
                for (int i = 0; i < atOnce; i++) {
                    Wait wait = new Wait();
                    CompletableFuture<LockGuard<Integer>> one = orders.lock().toCompletableFuture();
                    wait.end = one.handle((guard, failure) -> {
                        wait.told.incrementAndGet();
                        if (guard != null) {
                            wait.served = true;
                            guard.close();
                        }
                        return null;
                    });
                    waits.add(wait);
                    asked.add(one);
                }
                // One in each round is cancelled beforehand, and one never: some end in either way on any machine.
                int first = seeds.nextInt(atOnce);
                asked.get(first).cancel(false);
                bothWays(held::close, () -> {
                    for (int i = 1; i < atOnce - 1; i++) {
                        asked.get((first + i) % atOnce).cancel(false);
                    }
                });
                for (int i = 0; i < atOnce; i++) {
                    Wait wait = waits.get(i);
                    wait.end.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
                    assertThat(wait.told).hasValue(1);
                    assertThat(wait.served).isNotEqualTo(asked.get(i).isCancelled());
                    served += wait.served ? 1 : 0;
                }
                assertThat(orders.waiters()).isZero();
                assertThat(orders.holder()).isNull();
            }
            assertThat(runtime.misuses()).isEmpty();
        }
        System.out.printf("L1: of %,d waits %,d were served%n", (long) rounds * atOnce, served);
        assertThat(served).isBetween((long) rounds, (long) rounds * (atOnce - 1));
    }

    /** Both take and give back, now and then twice or in parts, and see by a count beside the lock that there are never too many. */
    @Test
    @SuppressWarnings("MustBeClosedChecker") // closed by what is told of it
    void L12_permitsNeverExceedTheirMost() throws Exception {
        int most = 3;
        int each = Scale.times(100_000, "proof.locks");
        AtomicInteger taken = new AtomicInteger();
        AtomicInteger mostTaken = new AtomicInteger();
        AtomicBoolean wrong = new AtomicBoolean();
        LongAdder got = new LongAdder();
        LongAdder doubled = new LongAdder();
        try (ContextRuntime runtime = ContextRuntime.builder().alias("permits").build()) {
            ContextSemaphore pool = runtime.root().semaphore("pool", most);
            Runnable takes = () -> {
                SplittableRandom random;
                synchronized (seeds) {
                    random = seeds.split();
                }
                for (int i = 0; i < each; i++) {
                    int wanted = 1 + random.nextInt(most);
                    boolean twice = random.nextInt(1_000) == 0;
                    CompletionStage<PermitGuard> asked = random.nextBoolean()
                            ? pool.acquire(wanted)
                            : CompletableFuture.completedFuture(pool.tryAcquire(wanted));
                    var unused = asked.thenAccept(guard -> {
                        if (guard == null) {
                            return;
                        }
                        mostTaken.accumulateAndGet(taken.addAndGet(wanted), Math::max);
                        got.increment();
                        int now = pool.availablePermits();
                        if (now < 0 || now > most - wanted) {
                            wrong.set(true);
                        }
                        if (wanted > 1) {
                            taken.decrementAndGet();
                            guard.release(1);
                            taken.addAndGet(1 - wanted);
                        } else {
                            taken.decrementAndGet();
                        }
                        close(guard);
                        if (twice) {
                            doubled.increment();
                            close(guard);
                        }
                    });
                }
            };
            bothWays(takes, takes);
            assertThat(wrong).isFalse();
            assertThat(mostTaken.get()).isLessThanOrEqualTo(most);
            assertThat(taken).hasValue(0);
            assertThat(pool.availablePermits()).isEqualTo(most);
            assertThat(pool.waiters()).isZero();
            assertThat(runtime.misuses()).hasSize(doubled.sum() == 0 ? 0 : 1);
        }
        System.out.printf(
                "L12: %,d requests, %,d were granted, %,d closed twice%n", 2L * each, got.sum(), doubled.sum());
    }

    private static void close(HeldGuard guard) {
        guard.close();
    }
}
