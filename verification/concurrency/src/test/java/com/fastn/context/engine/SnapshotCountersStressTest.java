package com.fastn.context.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.ContextEngine;
import com.fastn.context.Ticker;
import com.fastn.context.TotalCounter;
import com.fastn.context.status.ContextKind;
import com.fastn.context.status.ContextStatus;
import com.fastn.verification.concurrency.Scale;
import com.fastn.verification.concurrency.Workers;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/**
 * Counters as snapshots tell them, while threads count and paths are folded (M4, M9).
 *
 * <p>An invariant notices a fault only where it is tight. Where contexts come and go a total is soon a million beside a live
 * count of three, and no wrong order of two reads is ever seen. So here nothing that is tracked ends while it is looked at:
 * each live count is its total, and one step in between shows. And what is folded is no longer added to: its sum is one
 * number in every snapshot.
 *
 * <p>Each of these faults was planted, and seen to fail the test behind it:
 *
 * <ul>
 *   <li>a snapshot reads the total of a counter before its live count: {@code M9_noSnapshot...}
 *   <li>{@code trackLive} adds to the live count before the total: {@code M9_noSnapshot...}
 *   <li>a snapshot reads a path's own counts once more for the sum with all below it: {@code M9_noSnapshot...}
 *   <li>a snapshot keeps what it read while paths were being folded: {@code M4_M9_whatIsFolded...}
 *   <li>who adds to a counter that was folded does not hand it on: {@code M4_M9_whatIsFolded...}
 * </ul>
 */
class SnapshotCountersStressTest {
    private static final String NAME = "open";
    // Of those who look and of those who count; on a busy machine one of the two is late.
    private static final int LOOKS = 100;
    private static final int STEPS = 1_000;
    private static final int ENDED = 40;
    // Each is kept until the end of the round, also while who looks does not have its turn.
    private static final int MOST_TRACKED = 1_000_000;

    private static EngineRuntime runtime(CounterStore.Caps caps) {
        return new EngineRuntime(
                new ContextEngine.Settings("app", "App", "counting", Ticker.system(), 1_000, 10, false),
                Engine.instance().currentContext(),
                caps);
    }

    private static ContextNode open(ContextNode parent, String name) {
        return parent.openChild(name, ContextKind.TASK, null);
    }

    @Test
    void M9_noSnapshotShowsMoreAliveThanThereEverWereOrLosesACount() throws Exception {
        for (int round = 0; round < Scale.times(100); round++) {
            EngineRuntime runtime = runtime(CounterStore.Caps.DEFAULT);
            ContextNode above = open(runtime.root(), "above");
            List<ContextNode> contexts =
                    List.of(above, open(above, "shared"), open(above, "shared"), open(above, "own"));
            // A path that is counted in for the first time may be in a sum before it is in its own row.
            contexts.forEach(SnapshotCountersStressTest::track);
            AtomicLong begun = new AtomicLong(contexts.size());
            AtomicLong done = new AtomicLong(contexts.size());
            AtomicBoolean stop = new AtomicBoolean();
            try (Workers tracker = Workers.start(1, thread -> {
                for (int i = contexts.size() + 1; !stop.get() && i <= MOST_TRACKED; i++) {
                    begun.setRelease(i);
                    track(contexts.get(i % contexts.size()));
                    done.setRelease(i);
                }
            })) {
                try {
                    long before = 0;
                    for (int look = 0; !tracker.isAnyDone() && (look < LOOKS || done.get() < STEPS); look++) {
                        long least = Math.max(before, done.get());
                        ContextStatus root = runtime.status().globalContext();
                        before = subtreeTotal(root);
                        assertThat(before).as("total of all, round %d", round).isBetween(least, begun.get());
                        requireWhole(root);
                    }
                } finally {
                    stop.set(true);
                }
                tracker.join();
            }
            ContextStatus atRest = runtime.status().globalContext();
            assertThat(subtreeTotal(atRest)).as("total at rest").isEqualTo(done.get());
            assertThat(subtreeLive(atRest)).as("live at rest").isEqualTo(done.get());
            for (int i = contexts.size() - 1; i >= 0; i--) {
                contexts.get(i).close();
            }
            ContextStatus atTheEnd = runtime.status().globalContext();
            assertThat(subtreeTotal(atTheEnd)).as("total at the end").isEqualTo(done.get());
            assertThat(atTheEnd.subtreeLiveCounters()).as("live at the end").isEmpty();
            runtime.close();
        }
    }

    @SuppressWarnings("MustBeClosedChecker") // by its context's end
    private static void track(ContextNode context) {
        context.trackLive(NAME);
    }

    /** No path shows more alive than its total, and each sum is that of its parts as they stand beside it. */
    private static void requireWhole(ContextStatus root) {
        ArrayDeque<ContextStatus> open = new ArrayDeque<>();
        open.add(root);
        for (ContextStatus row = open.poll(); row != null; row = open.poll()) {
            long total = row.totalCounters().getOrDefault(NAME, 0L);
            long live = row.liveCounters().getOrDefault(NAME, 0L);
            if (live > total || subtreeLive(row) > subtreeTotal(row)) {
                throw new AssertionError("%s shows %d live of %d, with all below %d live of %d"
                        .formatted(row.path(), live, total, subtreeLive(row), subtreeTotal(row)));
            }
            // Siblings of one name share a path, and so their counters.
            Map<String, ContextStatus> paths = new HashMap<>();
            row.children().forEach(child -> paths.put(child.name(), child));
            for (ContextStatus child : paths.values()) {
                total += subtreeTotal(child);
                live += subtreeLive(child);
            }
            if (total != subtreeTotal(row) || live != subtreeLive(row)) {
                throw new AssertionError("%s has %d live of %d with all below it, and its parts %d of %d"
                        .formatted(row.path(), subtreeLive(row), subtreeTotal(row), live, total));
            }
            open.addAll(row.children());
        }
    }

    private static long subtreeTotal(ContextStatus row) {
        return row.subtreeTotalCounters().getOrDefault(NAME, 0L);
    }

    private static long subtreeLive(ContextStatus row) {
        return row.subtreeLiveCounters().getOrDefault(NAME, 0L);
    }

    @Test
    void M4_M9_whatIsFoldedIsInEverySnapshotOnceAndNothingAddedLaterIsLost() throws Exception {
        for (int round = 0; round < Scale.times(100); round++) {
            EngineRuntime runtime = runtime(new CounterStore.Caps(10, 60, 60));
            runtime.counterStore().foldOn(Runnable::run);
            List<TotalCounter> held = new ArrayList<>();
            for (int i = 0; i < ENDED; i++) {
                ContextNode ended = open(runtime.root(), "ended-" + i);
                ended.addTotal("kept", 1);
                if (i < 4) {
                    held.add(ended.totalCounter("late"));
                }
                ended.close();
            }
            Semaphore looks = new Semaphore(0);
            AtomicInteger jobs = new AtomicInteger();
            AtomicLong begun = new AtomicLong();
            AtomicLong done = new AtomicLong();
            AtomicBoolean stop = new AtomicBoolean();
            try (Workers workers = Workers.start(2, thread -> {
                if (thread == 0) {
                    foldAtEachLook(runtime, looks, jobs, stop);
                } else {
                    for (int i = 1; !stop.get(); i++) {
                        begun.setRelease(i);
                        held.get(i % held.size()).increment();
                        done.setRelease(i);
                    }
                }
            })) {
                try {
                    long before = 0;
                    // A busy machine may begin the thread that adds late, and a counter shows from its first addition
                    // on.
                    while (!workers.isAnyDone() && (jobs.get() < 2 * ENDED || done.get() == 0)) {
                        looks.release();
                        long least = Math.max(before, done.get());
                        Map<String, Long> sums =
                                runtime.status().globalContext().subtreeTotalCounters();
                        assertThat(sums).as("round %d", round).containsEntry("kept", (long) ENDED);
                        before = sums.getOrDefault("late", 0L);
                        assertThat(before).as("added late, round %d", round).isBetween(least, begun.get());
                    }
                } finally {
                    stop.set(true);
                    looks.release();
                }
                workers.join();
            }
            assertThat(runtime.counters().folded()).as("paths that were folded").isPositive();
            assertThat(runtime.status().globalContext().subtreeTotalCounters())
                    .as("at rest, round %d", round)
                    .containsEntry("kept", (long) ENDED)
                    .containsEntry("late", done.get());
            runtime.close();
        }
    }

    /** One more path for each snapshot, so that others are folded while it is taken. */
    private static void foldAtEachLook(EngineRuntime runtime, Semaphore looks, AtomicInteger jobs, AtomicBoolean stop)
            throws InterruptedException {
        while (!stop.get()) {
            looks.acquire();
            looks.drainPermits();
            ContextNode job = open(runtime.root(), "job-" + jobs.get());
            job.incrementTotal("jobs");
            job.close();
            jobs.incrementAndGet();
        }
    }
}
