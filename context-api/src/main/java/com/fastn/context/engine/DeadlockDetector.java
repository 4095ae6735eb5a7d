package com.fastn.context.engine;

import com.fastn.context.DeadlockException;
import com.fastn.context.DeadlockPolicy;
import com.fastn.context.status.CancelReason;
import com.fastn.context.status.ContextKind;
import com.fastn.context.status.DeadlockReport;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.ToLongFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks for deadlocks among the locks of a runtime: when somebody queues behind one who waits itself, and when a snapshot is
 * taken (rule L14).
 *
 * <p>Views of several locks are not of one instant. But the holds and waits of a deadlock stay as they are, so only those
 * count that stand in two readings one after the other: at the moment between them all of them were there.
 *
 * <p>What a {@code withLock} waits for is known once its work has given its stage, which is after it queued. So who queues is
 * looked at a little later, on a worker thread and together with others, and again after longer and longer times while it
 * waits behind one who waits.
 */
final class DeadlockDetector {
    private static final Logger LOG = LoggerFactory.getLogger("com.fastn.context");
    private static final int MOST_REPORTS = 10;
    private static final int MOST_SUSPECTS = 1_000;
    private static final int MOST_LOCKS = 20_000;
    private static final int READINGS = 4;
    /** Looks take at most one part of so many of the time. */
    private static final int SHARE = 20;

    private static final Duration FIRST_LOOK = Duration.ofMillis(10);
    private static final Duration LAST_LOOK = Duration.ofSeconds(5);
    /** A look that took longer than its share of this was held up, as by a pause of the process, and does not cost so much. */
    private static final Duration LONGEST_REST = Duration.ofSeconds(10);

    private final EngineRuntime runtime;
    private final DeadlockPolicy policy;
    private final ConcurrentLinkedQueue<Suspect> suspects = new ConcurrentLinkedQueue<>();
    private final AtomicInteger suspectCount = new AtomicInteger();
    private final AtomicBoolean soon = new AtomicBoolean();
    private final AtomicBoolean later = new AtomicBoolean();
    private final AtomicBoolean fully = new AtomicBoolean();
    private final Object looking = new Object();
    private volatile boolean tooManySuspects;

    /** How many looks have begun, and how many of these at all locks. */
    private final AtomicLong looks = new AtomicLong();

    private final AtomicLong fullLooks = new AtomicLong();

    /** Until when no look begins after the last one, by what that has cost; 0 before the first one. */
    private volatile long restUntil;

    /** Those who wait and were asked inside of some {@code withLock}, by whatever context. */
    private final Set<Waiter<?>> insideOfScopes = ConcurrentHashMap.newKeySet();

    /** How long a full look rests after the last one. */
    @GuardedBy("looking")
    private Duration fullDelay = FIRST_LOOK;

    /** The last waiter of each deadlock that was told, with the moment at which it was found. */
    @GuardedBy("this")
    private final Map<Waiter<?>, Found> known = new HashMap<>();

    private record Suspect(Waiter<?> waiter, Duration delay) {}

    private record Found(Instant at, boolean proven) {}

    private record Victim(Waiter<?> waiter, DeadlockReport report) {}

    DeadlockDetector(EngineRuntime runtime, DeadlockPolicy policy) {
        this.runtime = runtime;
        this.policy = policy;
    }

    // --- when somebody queues

    /** Called for each wait, outside of monitors, by the thread that asked. */
    void queued(Waiter<?> waiter) {
        if (policy == DeadlockPolicy.IGNORE) {
            return;
        }
        if (waiter.lock.isHeldByOneWhoWaits()) {
            suspect(new Suspect(waiter, FIRST_LOOK));
            schedule(soon, longer(FIRST_LOOK, restLeft()), false, List.of(waiter));
        } else if (waiter.lock.hasMoreHoldersThanAreLookedAt()) {
            schedule(fully, LAST_LOOK, true, List.of(waiter));
        }
    }

    /**
     * The runtime is closed, and its timers are. Contexts of other runtimes may wait for its locks still, and those that do
     * are looked at in their time from now on.
     */
    void runtimeClosed() {
        lookInTimeOf(suspects.stream().<Waiter<?>>map(Suspect::waiter).toList(), FIRST_LOOK, false);
    }

    private Duration restLeft() {
        long until = restUntil;
        return until == 0 ? Duration.ZERO : Duration.ofNanos(until - runtime.nanos());
    }

    /** Called before a wait is in a queue, for each that is asked for inside of a {@code withLock}. */
    void asksInside(Waiter<?> waiter) {
        if (policy == DeadlockPolicy.IGNORE) {
            return;
        }
        insideOfScopes.add(waiter);
        // Before it is in the queue: of two who close a circle together one sees the other.
        for (Scope scope = waiter.inside; scope != null; scope = scope.outer()) {
            scope.grant.isAskedIn = true;
        }
    }

    /** The wait is over. */
    void asksNoLonger(Waiter<?> waiter) {
        insideOfScopes.remove(waiter);
    }

    private void suspect(Suspect suspect) {
        if (suspectCount.incrementAndGet() > MOST_SUSPECTS) {
            suspectCount.decrementAndGet();
            tooManySuspects = true;
        } else {
            suspects.add(suspect);
        }
    }

    /**
     * Has a look made later, and no second one of its kind before.
     *
     * @param whom those for whom it is
     */
    private void schedule(AtomicBoolean scheduled, Duration delay, boolean all, List<Waiter<?>> whom) {
        if (runtime.isClosed()) {
            lookInTimeOf(whom, delay, all);
            return;
        }
        if (scheduled.get() || !scheduled.compareAndSet(false, true)) {
            return;
        }
        boolean will = false;
        try {
            will = runtime.timers()
                    .tick(
                            delay,
                            () -> runtime.timers().soon(() -> {
                                scheduled.set(false);
                                lookNow(all);
                            }));
        } finally {
            // Where no thread is left, whoever queues next tries again.
            if (!will) {
                scheduled.set(false);
            }
        }
        if (!will && runtime.isClosed()) {
            lookInTimeOf(whom, delay, all);
        }
    }

    /**
     * The same by the timers of those who wait, where this runtime has none any more. Each of their runtimes has a look to come, as
     * the others may close before that time, with their waits. One that another look has come before is left out: that one has
     * seen to those who wait still, and else each would have others follow, more and more of them.
     */
    private void lookInTimeOf(List<Waiter<?>> whom, Duration delay, boolean all) {
        Set<EngineRuntime> others = new HashSet<>();
        whom.forEach(waiter -> others.add(waiter.by.runtime()));
        AtomicLong begun = all ? fullLooks : looks;
        long before = begun.get();
        for (EngineRuntime other : others) {
            Timers timers = other.timers();
            var unused = timers.tick(delay, () -> {
                if (begun.get() == before) {
                    timers.soon(() -> {
                        if (begun.get() == before) {
                            lookNow(all);
                        }
                    });
                }
            });
        }
    }

    private void lookNow(boolean all) {
        List<Victim> victims = new ArrayList<>();
        List<Runnable> words = new ArrayList<>();
        try {
            synchronized (looking) {
                if (all) {
                    tooManySuspects = true;
                }
                look(victims, words);
            }
        } finally {
            // Outside of the monitor, and each by itself: what goes on then is the application, and may block.
            victims.forEach(victim -> victim.waiter.by.runtime().timers().soon(() -> fail(victim)));
            words.forEach(Runnable::run);
        }
    }

    private boolean endsIt() {
        return policy == DeadlockPolicy.FAIL_YOUNGEST_WAITER || policy == DeadlockPolicy.CANCEL_YOUNGEST_WAITER;
    }

    private void fail(Victim victim) {
        ContextNode by = victim.waiter.by;
        if (lasts(victim)) {
            boolean gaveUp = victim.waiter.lock.giveUp(victim.waiter, new DeadlockException(victim.report));
            if (gaveUp && policy == DeadlockPolicy.CANCEL_YOUNGEST_WAITER && by.parent() != null) {
                by.cancel(CancelReason.Kind.DEADLOCK, victim.report.cycle());
            }
        }
        // Also of one that was over by itself: it may be the last, and then nobody looks again.
        forgetEnded();
    }

    /**
     * Whether a deadlock has not ended in the meantime, as when a wait of it was out of time. If the victim is part of another
     * one by now, it is looked at again like all who still wait.
     */
    private boolean lasts(Victim victim) {
        List<LockView> views = reachable(List.of(victim.waiter));
        return find(views).stream().anyMatch(cycle -> cycle.proven() && cycle.youngest() == victim.waiter);
    }

    /** What is to be said about it is said outside of the monitor. */
    @GuardedBy("looking")
    private void look(List<Victim> victims, List<Runnable> words) {
        long began = runtime.nanos();
        looks.incrementAndGet();
        List<Suspect> looked = new ArrayList<>();
        for (Suspect next = suspects.poll(); next != null; next = suspects.poll()) {
            suspectCount.decrementAndGet();
            if (next.waiter.lock.isWaiting(next.waiter)) {
                looked.add(next);
            }
        }
        boolean all = tooManySuspects;
        tooManySuspects = false;
        if (all) {
            fullLooks.incrementAndGet();
        }
        List<Waiter<?>> waiters =
                looked.stream().<Waiter<?>>map(Suspect::waiter).toList();
        List<Waiter<?>> more = List.of();
        try {
            List<LockView> views = all ? LockView.ofAll(runtime) : reachable(waiters);
            more = all ? firstOfSuspicious(views) : List.of();
            if (judge(views, victims, words)) {
                // Whoever is told of the first change is code of others.
                words.add(0, runtime::changed);
            }
        } catch (Throwable t) {
            words.add(() -> LOG.error("the search for deadlocks failed", LoggedFailure.of(t)));
        }
        long ended = runtime.nanos();
        Duration cost = Duration.ofNanos(runtime.elapsed(began, ended));
        Duration rest = shorter(longer(FIRST_LOOK, cost.multipliedBy(SHARE)), LONGEST_REST);
        restUntil = Timers.deadline(ended, rest);
        Duration wait = LAST_LOOK;
        List<Waiter<?>> again = new ArrayList<>();
        for (Suspect each : looked) {
            if (each.waiter.lock.isWaiting(each.waiter) && each.waiter.lock.isHeldByOneWhoWaits()) {
                Duration delay = shorter(each.delay.multipliedBy(3), LAST_LOOK);
                suspect(new Suspect(each.waiter, delay));
                again.add(each.waiter);
                wait = shorter(wait, delay);
            }
        }
        if (!suspects.isEmpty()) {
            schedule(later, longer(wait, rest), false, again);
        }
        // Those that were too many are not in the list, so only a full look finds them.
        if (!more.isEmpty()) {
            fullDelay = shorter(fullDelay.multipliedBy(3), LAST_LOOK);
            schedule(fully, longer(fullDelay, rest), true, more);
        } else if (all) {
            fullDelay = FIRST_LOOK;
        }
    }

    private static Duration longer(Duration a, Duration b) {
        return a.compareTo(b) > 0 ? a : b;
    }

    private static Duration shorter(Duration a, Duration b) {
        return a.compareTo(b) < 0 ? a : b;
    }

    /** The locks that waits lead to, over their holders and what those wait for, or others inside of their scopes. */
    private List<LockView> reachable(Collection<Waiter<?>> from) {
        Map<Grant<?>, List<FifoLock<?>>> waitedForInside = waitedForInside();
        Map<FifoLock<?>, LockView> views = new LinkedHashMap<>();
        ArrayDeque<FifoLock<?>> open = new ArrayDeque<>();
        from.forEach(waiter -> open.add(waiter.lock));
        while (!open.isEmpty() && views.size() < MOST_LOCKS) {
            FifoLock<?> lock = open.poll();
            if (views.containsKey(lock)) {
                continue;
            }
            LockView view = lock.view();
            views.put(lock, view);
            Set<ContextNode> seen = new HashSet<>();
            for (LockView.Holder holder : view.holders()) {
                if (seen.add(holder.node())) {
                    open.addAll(holder.node().locksWaitedFor());
                }
                open.addAll(waitedForInside.getOrDefault(holder.grant(), List.of()));
            }
        }
        return List.copyOf(views.values());
    }

    private Map<Grant<?>, List<FifoLock<?>>> waitedForInside() {
        Map<Grant<?>, List<FifoLock<?>>> waitedFor = new HashMap<>();
        for (Waiter<?> waiter : insideOfScopes) {
            for (Scope scope = waiter.inside; scope != null; scope = scope.outer()) {
                waitedFor
                        .computeIfAbsent(scope.grant, grant -> new ArrayList<>(1))
                        .add(waiter.lock);
            }
        }
        return waitedFor;
    }

    /** {@return whether anything was found} Whose wait is to fail because of it is added to the victims. */
    private boolean judge(List<LockView> views, List<Victim> victims, List<Runnable> words) {
        List<DeadlockCycle> cycles = find(views);
        for (DeadlockCycle cycle : cycles) {
            DeadlockReport report = report(cycle, words);
            if (cycle.proven() && endsIt()) {
                victims.add(new Victim(cycle.youngest(), report));
            }
        }
        forgetEnded();
        return !cycles.isEmpty();
    }

    // --- when a snapshot is taken

    /**
     * What is found among locks that were read for a snapshot.
     *
     * @param reports the first of them, proven ones first
     * @param moreProven how many proven ones are left out
     * @param moreSuspected how many suspected ones are
     */
    record Told(List<DeadlockReport> reports, long moreProven, long moreSuspected) {
        static final Told NOTHING = new Told(List.of(), 0, 0);
    }

    /** What is found among locks that were read for a snapshot. */
    Told among(List<LockView> views) {
        if (policy == DeadlockPolicy.IGNORE) {
            return Told.NOTHING;
        }
        List<Runnable> words = new ArrayList<>();
        Told told = told(find(views), words);
        forgetEnded();
        words.forEach(Runnable::run);
        return told;
    }

    // --- the search

    private List<DeadlockCycle> find(List<LockView> views) {
        if (views.stream().noneMatch(DeadlockDetector::isSuspicious)) {
            return List.of();
        }
        WaitForGraph.Guesses guesses = guesses(runtime.nanos(), WarningSettings::waiterStuckNanos);
        List<WaitForGraph.Lock> before = locks(views);
        for (int reading = 1; reading < READINGS && !cycles(before, guesses).isEmpty(); reading++) {
            List<WaitForGraph.Lock> now =
                    locks(views.stream().map(view -> view.lock().view()).toList());
            List<DeadlockCycle> both = cycles(WaitForGraph.inBoth(before, now), guesses);
            if (!both.isEmpty()) {
                return both;
            }
            before = now;
        }
        return List.of();
    }

    private static boolean isSuspicious(LockView view) {
        return !view.waiters().isEmpty()
                && view.holders().stream().anyMatch(holder -> view.lock().isHeldInACircleBy(holder.grant()));
    }

    private static List<Waiter<?>> firstOfSuspicious(List<LockView> views) {
        List<Waiter<?>> first = new ArrayList<>();
        for (LockView view : views) {
            if (isSuspicious(view)) {
                first.add(view.waiters().get(0).waiter());
            }
        }
        return first;
    }

    static List<WaitForGraph.Lock> locks(List<LockView> views) {
        return views.stream().map(DeadlockDetector::lock).toList();
    }

    private static List<DeadlockCycle> cycles(List<WaitForGraph.Lock> locks, WaitForGraph.Guesses guesses) {
        List<DeadlockCycle> all = new ArrayList<>();
        Set<Object> provenWaiters = new HashSet<>();
        for (List<WaitForGraph.Step> steps : WaitForGraph.proven(locks)) {
            DeadlockCycle cycle = DeadlockCycle.of(true, steps, locks, guesses);
            provenWaiters.addAll(cycle.waiters());
            all.add(cycle);
        }
        for (List<WaitForGraph.Step> steps : WaitForGraph.suspected(locks, guesses)) {
            DeadlockCycle cycle = DeadlockCycle.of(false, steps, locks, guesses);
            // Who stands behind a proven one, and holds some itself, may close another circle over it: that is no
            // second one.
            if (Collections.disjoint(cycle.waiters(), provenWaiters)) {
                all.add(cycle);
            }
        }
        return all;
    }

    private static WaitForGraph.Lock lock(LockView view) {
        List<WaitForGraph.Hold> holds = new ArrayList<>(view.holders().size());
        for (LockView.Holder holder : view.holders()) {
            holds.add(new WaitForGraph.Hold(holder.grant(), holder.node(), holder.permits()));
        }
        List<WaitForGraph.Wait> queue = new ArrayList<>(view.waiters().size());
        for (LockView.Waiting waiting : view.waiters()) {
            queue.add(new WaitForGraph.Wait(
                    waiting.waiter(),
                    waiting.node(),
                    waiting.permits(),
                    waiting.scopesThatWait(),
                    waiting.scopesAround()));
        }
        return new WaitForGraph.Lock(view.lock(), view.totalPermits(), holds, queue);
    }

    /**
     * Whether a context may be thought of as one that does one thing at a time. The root and services are what many branches
     * run in; a context that runs on a thread, and not in a wait that blocks it, goes on beside its waits.
     */
    private static boolean mayBeOneBranch(Object context) {
        ContextNode node = (ContextNode) context;
        if (node.parent() == null || node.kind() == ContextKind.SERVICE) {
            return false;
        }
        return !node.isOnThread() || node.waits().stream().anyMatch(waiter -> waiter.isBlocking());
    }

    /**
     * What is thought in one search.
     *
     * @param now the moment of it
     * @param stuckNanos tells from when on a wait of a context is stuck; asked once for each, as its settings may be far up
     */
    WaitForGraph.Guesses guesses(long now, ToLongFunction<ContextNode> stuckNanos) {
        Map<ContextNode, Long> known = new HashMap<>();
        return new WaitForGraph.Guesses(
                DeadlockDetector::mayBeOneBranch,
                (hold, wait) -> mayWantMore(
                        (Grant<?>) hold.key(),
                        (Waiter<?>) wait.key(),
                        now,
                        by -> known.computeIfAbsent(by, stuckNanos::applyAsLong)));
    }

    /**
     * Whether a context that has some of a lock may want more of it before it gives that back. Who asked before that was
     * granted, which the fences tell and the times would not, did not ask with it in hand. Others may do two things beside each
     * other, as a request with two queries does, and then each goes on in the end: so nothing is said of them before the wait is
     * stuck. Healthy ones give back meanwhile.
     */
    private boolean mayWantMore(Grant<?> grant, Waiter<?> waiter, long now, ToLongFunction<ContextNode> stuckNanos) {
        return waiter.askedAfterFence >= grant.fence
                && runtime.elapsed(waiter.sinceNanos, now) > stuckNanos.applyAsLong(waiter.by);
    }

    // --- the reports

    private Told told(List<DeadlockCycle> cycles, List<Runnable> words) {
        List<DeadlockReport> reports = cycles.stream()
                .sorted(Comparator.comparing(DeadlockCycle::proven).reversed())
                .limit(MOST_REPORTS)
                .map(cycle -> report(cycle, words))
                .toList();
        long proven = cycles.stream().filter(DeadlockCycle::proven).count();
        long toldProven = reports.stream().filter(DeadlockReport::proven).count();
        return new Told(reports, proven - toldProven, cycles.size() - proven - (reports.size() - toldProven));
    }

    /** What is new of it is added to the words that are to be said later. */
    private DeadlockReport report(DeadlockCycle cycle, List<Runnable> words) {
        long now = runtime.nanos();
        Instant at = foundAt(cycle);
        DeadlockReport report = DeadlockReports.of(runtime, cycle, at, now);
        if (isNews(cycle, at)) {
            words.add(() -> {
                runtime.causes().found(report, now);
                if (cycle.proven()) {
                    LOG.warn("{}", report.cycle());
                } else {
                    LOG.info("{}", report.cycle());
                }
            });
        }
        return report;
    }

    private synchronized Instant foundAt(DeadlockCycle cycle) {
        Found found = known.get(cycle.youngest());
        return found == null ? runtime.ticker().wallTime() : found.at;
    }

    /** Whether it was not told yet: a suspicion that has become a proof is told once more. */
    private synchronized boolean isNews(DeadlockCycle cycle, Instant at) {
        Found before = known.put(cycle.youngest(), new Found(at, cycle.proven()));
        return before == null || (cycle.proven() && !before.proven);
    }

    private synchronized void forgetEnded() {
        Iterator<Waiter<?>> all = known.keySet().iterator();
        while (all.hasNext()) {
            Waiter<?> waiter = all.next();
            if (!waiter.lock.isWaiting(waiter)) {
                all.remove();
            }
        }
    }

    /** For tests: of how many deadlocks it is known since when they last. */
    synchronized int knownCount() {
        return known.size();
    }

    /** For tests: whether a look is yet to come. */
    boolean isLooking() {
        return soon.get() || later.get() || fully.get() || suspects.peek() != null;
    }
}
