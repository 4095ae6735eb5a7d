package com.fastn.verification.concurrency;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.ContextMutex;
import com.fastn.context.ContextRuntime;
import com.fastn.context.ContextScope;
import com.fastn.context.FastnContext;
import com.fastn.context.LiveCount;
import com.fastn.context.LockGuard;
import com.fastn.context.Operation;
import com.fastn.context.status.ContextState;
import com.fastn.context.status.ContextStatus;
import com.fastn.context.status.LockStatus;
import com.fastn.context.status.LockWaiter;
import com.fastn.context.status.StatusSnapshot;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What holds in every snapshot, however many threads change the tree, the counters and the locks meanwhile (M9). */
class SnapshotInvariantsStressTest {

    @Test
    void M9_aSnapshotIsAlwaysATreeAndHoldsWhoeverIsOpenAllTheTime() throws Exception {
        long seed = new SplittableRandom().nextLong();
        try (ContextRuntime runtime = ContextRuntime.builder().alias("tree").build()) {
            Garden garden = new Garden(runtime.root());
            Set<Long> always = garden.pinned();
            AtomicBoolean stop = new AtomicBoolean();
            try (Workers gardeners = Workers.start(3, thread -> {
                SplittableRandom random = new SplittableRandom(seed + thread);
                while (!stop.get()) {
                    garden.step(random);
                }
            })) {
                try {
                    for (int i = 0; i < Scale.times(8_000); i++) {
                        Set<Long> seen =
                                idsOfTree(runtime.status(), runtime.root().id());
                        assertThat(seen).as("seed %d", seed).containsAll(always);
                    }
                } finally {
                    stop.set(true);
                }
                gardeners.join();
            }
            garden.closeAll();

            Set<Long> left = idsOfTree(runtime.status(), runtime.root().id());
            assertThat(left).as("at rest, seed %d", seed).isEqualTo(always);
            assertThat(runtime.root().subtreeLive("tracked")).isZero();
        }
    }

    /** Checks the shape, and gives the ids in it. */
    private static Set<Long> idsOfTree(StatusSnapshot snapshot, long rootId) {
        ContextStatus root = snapshot.globalContext();
        assertThat(root.id()).isEqualTo(rootId);
        Set<Long> ids = new HashSet<>();
        ArrayDeque<ContextStatus> open = new ArrayDeque<>();
        open.add(root);
        for (ContextStatus context = open.poll(); context != null; context = open.poll()) {
            if (!ids.add(context.id())) {
                throw new AssertionError(context.path() + "#" + context.id() + " is in the tree twice");
            }
            if (context.state() == ContextState.CLOSED) {
                throw new AssertionError(context.path() + "#" + context.id() + " is closed and in the tree");
            }
            requireNoMoreLiveThanTotal(context);
            Map<String, Long> childPaths = new HashMap<>();
            for (ContextStatus child : context.children()) {
                if (!child.path().equals(context.path().child(child.name())) || child.id() <= context.id()) {
                    throw new AssertionError(child.path() + "#" + child.id() + " is not a child of " + context.path()
                            + "#" + context.id());
                }
                childPaths.put(child.name(), child.subtreeTotalCounters().getOrDefault("tracked", 0L));
            }
            // Siblings of one name share a path, and so their counters.
            long own = context.totalCounters().getOrDefault("tracked", 0L);
            long below = childPaths.values().stream().mapToLong(Long::longValue).sum();
            if (context.subtreeTotalCounters().getOrDefault("tracked", 0L) < own + below) {
                throw new AssertionError(context.path() + " rolls up less than its children have");
            }
            open.addAll(context.children());
        }
        return ids;
    }

    private static void requireNoMoreLiveThanTotal(ContextStatus context) {
        long total = context.totalCounters().getOrDefault("tracked", 0L);
        long live = context.liveCounters().getOrDefault("tracked", 0L);
        long totalBelow = context.subtreeTotalCounters().getOrDefault("tracked", 0L);
        long liveBelow = context.subtreeLiveCounters().getOrDefault("tracked", 0L);
        if (live > total || liveBelow > totalBelow || live < 0) {
            throw new AssertionError("%s shows %d live of %d, with all below %d live of %d"
                    .formatted(context.path(), live, total, liveBelow, totalBelow));
        }
    }

    /**
     * Each contender has two contexts, and asks with one before it releases with the other. So at each instant it holds or
     * waits, and a picture put together of two instants would show one in both roles, or in none.
     */
    @Test
    void M9_holderAndWaitersOfALockAreOfOneInstant() throws Exception {
        int contenders = 3;
        try (ContextRuntime runtime = ContextRuntime.builder().alias("locks").build()) {
            ContextMutex<?> mutex = runtime.root().mutex("ledger");
            AtomicBoolean stop = new AtomicBoolean();
            CountDownLatch queued = new CountDownLatch(contenders);
            try (Workers workers = Workers.start(contenders, thread -> {
                FastnContext one = runtime.root().child("contender-" + thread).open();
                FastnContext other = runtime.root().child("contender-" + thread).open();
                CompletionStage<? extends LockGuard<?>> ticket = ask(mutex, one);
                queued.countDown();
                while (!stop.get()) {
                    LockGuard<?> guard = ticket.toCompletableFuture().join();
                    FastnContext next = guard.context() == one ? other : one;
                    ticket = ask(mutex, next);
                    guard.close();
                }
                ticket.toCompletableFuture().join().close();
                one.close();
                other.close();
            })) {
                try {
                    queued.await();
                    long lastFence = 0;
                    for (int i = 0; i < Scale.times(30_000); i++) {
                        lastFence = requireOneInstant(runtime.status(), contenders, lastFence);
                    }
                } finally {
                    stop.set(true);
                }
                workers.join();
            }
            assertThat(runtime.status().activeLocks()).isEmpty();
            assertThat(runtime.status().lockWaiters()).isEmpty();
        }
    }

    private static CompletionStage<? extends LockGuard<?>> ask(ContextMutex<?> mutex, FastnContext as) {
        try (ContextScope ignored = as.makeCurrent()) {
            return mutex.lock();
        }
    }

    private static long requireOneInstant(StatusSnapshot snapshot, int contenders, long lastFence) {
        assertThat(snapshot.activeLocks()).hasSize(1);
        LockStatus lock = snapshot.activeLocks().get(0);
        List<Long> involved = new ArrayList<>();
        Set<String> names = new HashSet<>();
        involved.add(lock.holderId());
        names.add(lock.holderPath().leaf());
        for (LockWaiter waiter : snapshot.lockWaiters()) {
            involved.add(waiter.contextId());
            names.add(waiter.contextPath().leaf());
        }
        assertThat(involved).as("holder and waiters").doesNotHaveDuplicates();
        assertThat(names).as("contenders that hold or wait").hasSize(contenders);
        assertThat(lock.waiters()).isEqualTo(snapshot.lockWaiters().size());
        assertThat(lock.fence()).isGreaterThanOrEqualTo(lastFence);
        return lock.fence();
    }

    /** Contexts that threads open below one another, count in, cancel and close, and a few that stay. */
    private static final class Garden {
        private static final int SLOTS = 64;
        private static final int DEEPEST = 6;

        private final List<FastnContext> pinned = new ArrayList<>();
        private final AtomicReferenceArray<@Nullable FastnContext> contexts = new AtomicReferenceArray<>(SLOTS);
        private final AtomicReferenceArray<@Nullable LiveCount> counts = new AtomicReferenceArray<>(SLOTS);

        private Garden(FastnContext root) {
            pinned.add(root);
            for (int i = 0; i < 6; i++) {
                pinned.add(pinned.get(i / 2).child("pinned").open());
            }
        }

        private Set<Long> pinned() {
            Set<Long> ids = new HashSet<>();
            pinned.forEach(context -> ids.add(context.id()));
            return ids;
        }

        private FastnContext some(SplittableRandom random) {
            FastnContext context = contexts.get(random.nextInt(SLOTS));
            return context != null && context.path().names().size() < DEEPEST
                    ? context
                    : pinned.get(random.nextInt(pinned.size()));
        }

        private void step(SplittableRandom random) {
            FastnContext context = some(random);
            switch (random.nextInt(6)) {
                case 0, 1 ->
                    replace(
                            random.nextInt(SLOTS),
                            context.child("plant-" + random.nextInt(3)).open());
                case 2 -> replace(random.nextInt(SLOTS), null);
                case 3 -> recount(random.nextInt(SLOTS), context);
                case 4 -> {
                    try (Operation ignored = context.operation("watering")) {
                        context.setData("step", random.nextInt());
                    }
                }
                default -> {
                    if (!pinned.contains(context)) {
                        context.cancel();
                    }
                }
            }
        }

        private void replace(int slot, @Nullable FastnContext successor) {
            FastnContext before = contexts.getAndSet(slot, successor);
            if (before != null) {
                before.close();
            }
        }

        @SuppressWarnings("MustBeClosedChecker") // closed by whoever takes it out of its slot
        private void recount(int slot, FastnContext context) {
            LiveCount before = counts.getAndSet(slot, context.trackLive("tracked"));
            if (before != null) {
                before.close();
            }
        }

        private void closeAll() {
            for (int slot = 0; slot < SLOTS; slot++) {
                replace(slot, null);
                LiveCount count = counts.get(slot);
                if (count != null) {
                    count.close();
                }
            }
        }
    }
}
