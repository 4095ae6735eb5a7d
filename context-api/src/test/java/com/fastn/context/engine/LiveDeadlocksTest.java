package com.fastn.context.engine;

import static com.fastn.context.engine.Patience.await;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.ContextEngine;
import com.fastn.context.ContextMutex;
import com.fastn.context.ContextReadWriteLock;
import com.fastn.context.ContextScope;
import com.fastn.context.ContextSemaphore;
import com.fastn.context.DeadlockPolicy;
import com.fastn.context.ManualTicker;
import com.fastn.context.Ticker;
import com.fastn.context.status.DeadlockReport;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/**
 * The detector against what becomes of it. Real locks are asked for at random, nested up to three deep, by contexts and their
 * children, also where the lock in the middle has to be waited for. Then all work that can end ends at once, until nothing
 * moves any more: who still waits is deadlocked, and nobody else was.
 */
class LiveDeadlocksTest {
    private static final int SCHEDULES = Integer.getInteger("fastn.live.schedules", 2_000);
    private static final int DEEPEST = 3;
    private static final long SEED = Long.getLong("fastn.seed", new Random().nextLong());

    /** How the end of a scope is made of what its work asked for. */
    private enum Link {
        /** So that the engine sees it. */
        SEEN,
        /** So that nobody sees it, as through the future of another library. */
        HIDDEN
    }

    @Test
    void L14_whatIsProvenAmongLiveLocksIsJustWhatStaysStuck() {
        int deadlocks = 0;
        for (int i = 0; i < SCHEDULES; i++) {
            Schedule schedule = new Schedule(SEED + i, Link.SEEN, DeadlockPolicy.REPORT);
            try {
                schedule.steps();
                Set<Waiter<?>> proven = keys(WaitForGraph.neverServed(schedule.locksNow()));
                List<DeadlockReport> reports = schedule.runtime.status().deadlocks();
                schedule.windDown();
                Set<Waiter<?>> stuck = schedule.waiting();
                assertThat(proven).as("%s", schedule).isEqualTo(stuck);
                assertThat(reports.stream().anyMatch(DeadlockReport::proven))
                        .as("%s, which tells of %s", schedule, reports)
                        .isEqualTo(!stuck.isEmpty());
                assertPartiesOfProvenOnesAreStuck(reports, stuck, schedule);
                deadlocks += stuck.isEmpty() ? 0 : 1;
            } finally {
                schedule.runtime.close();
            }
        }
        System.out.println("LiveDeadlocksTest seed " + SEED + ", " + deadlocks + " deadlocks in " + SCHEDULES);
        assertThat(deadlocks).isBetween(SCHEDULES / 20, SCHEDULES * 19 / 20);
    }

    @Test
    void L14_whatIsStuckForAReasonThatNobodySeesIsAtLeastSuspectedAndNeverCalledProven() {
        int suspected = 0;
        for (int i = 0; i < SCHEDULES; i++) {
            Schedule schedule = new Schedule(SEED + i, Link.HIDDEN, DeadlockPolicy.REPORT);
            try {
                schedule.steps();
                Set<Waiter<?>> proven = keys(WaitForGraph.neverServed(schedule.locksNow()));
                Set<Waiter<?>> feared =
                        keys(WaitForGraph.neverServed(schedule.locksNow(), WaitForGraph.Guesses.of(context -> false)));
                // What wants more of a lock that it holds is suspected once it is stuck, and not before.
                schedule.ticker.advance(Duration.ofSeconds(6));
                List<DeadlockReport> reports = schedule.runtime.status().deadlocks();
                schedule.windDown();
                Set<Waiter<?>> stuck = schedule.waiting();
                assertThat(stuck).as("%s", schedule).containsAll(proven);
                assertThat(feared).as("%s", schedule).containsAll(stuck);
                if (!stuck.isEmpty()) {
                    assertThat(reports).as("%s", schedule).isNotEmpty();
                    suspected += reports.stream().anyMatch(report -> !report.proven()) ? 1 : 0;
                }
                assertPartiesOfProvenOnesAreStuck(reports, stuck, schedule);
            } finally {
                schedule.runtime.close();
            }
        }
        assertThat(suspected).isGreaterThan(SCHEDULES / 50);
    }

    @Test
    void L14_looksWithoutASnapshotResolveAllOfThem() {
        int schedules = Math.max(20, SCHEDULES / 100);
        for (int i = 0; i < schedules; i++) {
            Schedule schedule = new Schedule(SEED + i, Link.SEEN, DeadlockPolicy.FAIL_YOUNGEST_WAITER);
            try {
                synchronized (schedule) {
                    schedule.steps();
                    schedule.windDown();
                }
                await().atMost(Duration.ofSeconds(60))
                        .pollInterval(Duration.ofMillis(2))
                        .alias(schedule.toString())
                        .until(() -> schedule.waiting().isEmpty());
            } finally {
                schedule.runtime.close();
            }
        }
    }

    private static void assertPartiesOfProvenOnesAreStuck(
            List<DeadlockReport> reports, Set<Waiter<?>> stuck, Schedule schedule) {
        Set<Long> contexts = new HashSet<>();
        stuck.forEach(waiter -> contexts.add(waiter.by.id()));
        reports.stream()
                .filter(DeadlockReport::proven)
                .forEach(report -> assertThat(report.parties())
                        .as("%s", schedule)
                        .extracting(party -> party.context().contextId())
                        .allMatch(contexts::contains));
    }

    private static Set<Waiter<?>> keys(List<WaitForGraph.Wait> waits) {
        Set<Waiter<?>> keys = new HashSet<>();
        waits.forEach(wait -> keys.add((Waiter<?>) wait.key()));
        return keys;
    }

    /** Where only snapshots look. */
    private static final class NoLooks extends Timers {
        NoLooks() {
            super(() -> Runnable::run);
        }

        @Override
        boolean tick(Duration delay, Runnable task) {
            return false;
        }
    }

    /** One that runs a piece of work while it holds something. */
    private interface Held {
        CompletionStage<String> with(Supplier<CompletionStage<String>> work);
    }

    private static final class Schedule {
        final EngineRuntime runtime;
        private final long seed;
        private final SplittableRandom random;
        private final Link link;
        final ManualTicker ticker = new ManualTicker(Instant.parse("2026-01-01T12:00:00Z"));
        private final List<List<Held>> locks = new ArrayList<>();
        private final Set<Integer> mutexes = new HashSet<>();
        private final List<CompletableFuture<String>> open = new ArrayList<>();
        private final List<String> told = new ArrayList<>();
        private boolean ends;
        private int names;

        Schedule(long seed, Link link, DeadlockPolicy policy) {
            this.seed = seed;
            this.random = new SplittableRandom(seed);
            this.link = link;
            this.runtime = new EngineRuntime(
                    new ContextEngine.Settings(
                            "app",
                            "App",
                            "alice",
                            policy == DeadlockPolicy.REPORT ? ticker : Ticker.system(),
                            10_000,
                            0,
                            false,
                            policy),
                    Engine.instance().currentContext(),
                    CounterStore.Caps.DEFAULT,
                    policy == DeadlockPolicy.REPORT ? new NoLooks() : null);
            int count = 2 + random.nextInt(3);
            for (int i = 0; i < count; i++) {
                int kind = random.nextInt(4);
                if (kind > 1) {
                    mutexes.add(i);
                }
                locks.add(
                        switch (kind) {
                            case 0 -> readWrite("rw" + i);
                            case 1 -> semaphore("s" + i, 2 + random.nextInt(2));
                            default -> mutex("m" + i);
                        });
            }
        }

        private List<Held> mutex(String name) {
            ContextMutex<String> mutex = runtime.root().mutex(name, "v");
            return List.of(
                    work -> mutex.withLock(value -> work.get()),
                    work -> mutex.lock().thenCompose(guard -> {
                        guard.close();
                        return CompletableFuture.completedFuture("had it");
                    }));
        }

        private List<Held> readWrite(String name) {
            ContextReadWriteLock<String> lock = runtime.root().readWriteLock(name, "v");
            return List.of(
                    work -> lock.withReadLock(value -> work.get()), work -> lock.withWriteLock(guard -> work.get()));
        }

        private List<Held> semaphore(String name, int permits) {
            ContextSemaphore semaphore = runtime.root().semaphore(name, permits);
            return List.of(work -> semaphore.withPermit(work), work -> semaphore.withPermits(2, work));
        }

        void steps() {
            int steps = 4 + random.nextInt(12);
            for (int i = 0; i < steps; i++) {
                if (!open.isEmpty() && random.nextInt(4) == 0) {
                    end(random.nextInt(open.size()));
                } else {
                    var unused = ask(
                            (ContextNode) runtime.root().child("c" + names++).open(), List.of());
                }
            }
        }

        /** All that can end does, and what is granted then ends at once. */
        void windDown() {
            ends = true;
            while (!open.isEmpty()) {
                end(open.size() - 1);
            }
        }

        private void end(int which) {
            open.remove(which).complete("ended");
        }

        private CompletionStage<String> ask(ContextNode by, List<Integer> around) {
            int lock = random.nextInt(locks.size());
            // Whoever waits for his own mutex is another branch, unless it is seen that it is not (rule L7).
            while (link == Link.HIDDEN && mutexes.contains(lock) && around.contains(lock)) {
                lock = random.nextInt(locks.size());
            }
            List<Held> ways = locks.get(lock);
            int way = random.nextInt(ways.size());
            List<Integer> now = new ArrayList<>(around);
            now.add(lock);
            told.add(by.path() + " inside of " + around + " asks for " + lock + " in way " + way);
            try (ContextScope ignored = by.makeCurrent()) {
                return ways.get(way).with(() -> work(by, now));
            }
        }

        /** In the thread that grants, which may be that of a look. */
        private synchronized CompletionStage<String> work(ContextNode by, List<Integer> around) {
            if (ends) {
                return CompletableFuture.completedFuture("at once");
            }
            boolean mayNest = around.size() < DEEPEST && (link == Link.SEEN || around.size() < locks.size());
            if (!mayNest || random.nextInt(4) == 0) {
                return ends();
            }
            ContextNode who = random.nextInt(3) == 0
                    ? (ContextNode) by.child("child" + names++).open()
                    : by;
            CompletionStage<String> inner = ask(who, around);
            return switch (random.nextInt(link == Link.SEEN ? 5 : 6)) {
                case 0 -> {
                    // Nobody waits for what was asked for.
                    yield ends();
                }
                case 1 -> inner.thenApply(Function.identity());
                case 2 -> inner.thenCompose(CompletableFuture::completedFuture);
                case 3, 4 -> inner;
                default -> inner.toCompletableFuture().thenApply(Function.identity());
            };
        }

        private CompletableFuture<String> ends() {
            CompletableFuture<String> end = new CompletableFuture<>();
            open.add(end);
            return end;
        }

        List<WaitForGraph.Lock> locksNow() {
            return DeadlockDetector.locks(LockView.ofAll(runtime));
        }

        Set<Waiter<?>> waiting() {
            Set<Waiter<?>> waiting = new HashSet<>();
            LockView.ofAll(runtime).forEach(view -> view.waiters().forEach(each -> waiting.add(each.waiter())));
            return waiting;
        }

        @Override
        public String toString() {
            return "seed " + seed + ": " + told;
        }
    }
}
