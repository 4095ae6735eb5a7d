package com.fastn.verification.concurrency;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fastn.context.ContextRuntime;
import com.fastn.context.ContextScope;
import com.fastn.context.ContextSemaphore;
import com.fastn.context.FastnContext;
import com.fastn.context.LockTimeoutException;
import com.fastn.context.PermitGuard;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * Waits with a time-out, some of which are over in the moment of the grant: each is served or out of time, never both and
 * never neither, and nothing is left of it, no permit, no place in the queue, no timer (rules L1, L4, L12).
 */
class LockTimeoutsStressTest {
    private static final int PERMITS = 4;
    private static final int AT_ONCE = 10_000;
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private final AtomicInteger ended = new AtomicInteger();
    private final AtomicInteger served = new AtomicInteger();
    private final AtomicInteger late = new AtomicInteger();
    private final AtomicInteger taken = new AtomicInteger();
    private final AtomicInteger mostTaken = new AtomicInteger();
    private final AtomicReference<@Nullable String> wrong = new AtomicReference<>();

    @Test
    void L1_L4_L12_ofManyWaitsWithATimeoutNothingIsLeft() {
        int waits = Scale.times(2 * AT_ONCE, "proof.locks");
        long seed = new SplittableRandom().nextLong();
        SplittableRandom random = new SplittableRandom(seed);
        List<WeakReference<FastnContext>> askers = new ArrayList<>();
        ExecutorService releasing = Executors.newFixedThreadPool(2);
        try (ContextRuntime runtime = ContextRuntime.builder().alias("timeouts").build()) {
            ContextSemaphore pool = runtime.root().semaphore("pool", PERMITS);
            for (int asked = 0; asked < waits; asked += AT_ONCE) {
                // One context for all of a round, to be forgotten: a timer or a waiter that is left would keep it.
                FastnContext asker = runtime.root().child("asker").open();
                askers.add(new WeakReference<>(asker));
                round(pool, asker, random, releasing, asked + AT_ONCE);
                asker.close();
                assertThat(wrong.get()).as("seed %d", seed).isNull();
                assertThat(pool.waiters()).as("seed %d", seed).isZero();
                assertThat(pool.availablePermits()).as("seed %d", seed).isEqualTo(PERMITS);
                assertThat(pool.holders()).isEmpty();
            }
            assertThat(served.get() + late.get()).as("seed %d", seed).isEqualTo(waits);
            assertThat(served).as("seed %d", seed).hasPositiveValue();
            assertThat(late).as("seed %d", seed).hasPositiveValue();
            assertThat(mostTaken.get()).isLessThanOrEqualTo(PERMITS);
            await().atMost(PATIENCE).untilAsserted(() -> {
                System.gc();
                assertThat(askers).allMatch(asker -> asker.get() == null);
            });
            System.out.printf("LockTimeoutsStressTest: %,d served, %,d out of time%n", served.get(), late.get());
        } finally {
            releasing.shutdown();
        }
    }

    /** All wait for the one who has all permits, and most are still there when the first ones are served. */
    @SuppressWarnings("MustBeClosedChecker") // closed in another thread
    private void round(
            ContextSemaphore pool, FastnContext asker, SplittableRandom random, ExecutorService releasing, int all) {
        int before = late.get();
        PermitGuard first = pool.acquire(PERMITS).toCompletableFuture().join();
        try (ContextScope ignored = asker.makeCurrent()) {
            for (int i = 0; i < AT_ONCE; i++) {
                int permits = 1 + random.nextInt(PERMITS);
                Duration timeout = switch (random.nextInt(4)) {
                    case 0 -> Duration.ofHours(1);
                    case 1 -> Duration.ofNanos(random.nextInt(1_000));
                    default -> Duration.ofNanos(random.nextInt(100_000_000));
                };
                pool.acquire(permits, timeout).whenComplete((guard, failure) -> {
                    if (failure == null) {
                        took(guard, permits, releasing);
                    } else {
                        isLate(failure);
                    }
                });
            }
        }
        // A busy machine may begin the thread that sees to the time late, and by then all could be served. Elsewhere it
        // is so at once, and nothing is waited for: whose time is over in the moment of the grant is what this is
        // about.
        await().atMost(PATIENCE)
                .pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(1))
                .until(() -> late.get() > before);
        first.close();
        await().atMost(PATIENCE).until(() -> ended.get() == all);
        await().atMost(PATIENCE).until(() -> taken.get() == 0 && pool.availablePermits() == PERMITS);
    }

    private void took(PermitGuard guard, int permits, ExecutorService releasing) {
        mostTaken.accumulateAndGet(taken.addAndGet(permits), Math::max);
        served.incrementAndGet();
        releasing.execute(() -> {
            taken.addAndGet(-permits);
            guard.close();
        });
        ended.incrementAndGet();
    }

    private void isLate(Throwable failure) {
        Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
        if (!(cause instanceof LockTimeoutException)) {
            wrong.set(String.valueOf(failure));
        }
        late.incrementAndGet();
        ended.incrementAndGet();
    }
}
