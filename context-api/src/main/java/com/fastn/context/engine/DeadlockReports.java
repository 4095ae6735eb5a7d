package com.fastn.context.engine;

import com.fastn.context.status.ContextRef;
import com.fastn.context.status.DeadlockReport;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What is told of a deadlock that was read: who is part of it, and when it ends by itself. */
final class DeadlockReports {
    private static final int MOST_PARTIES = 16;

    private final EngineRuntime runtime;
    private final DeadlockCycle cycle;
    private final long now;
    private final ShortNames names = new ShortNames();

    private DeadlockReports(EngineRuntime runtime, DeadlockCycle cycle, long now) {
        this.runtime = runtime;
        this.cycle = cycle;
        this.now = now;
        for (WaitForGraph.Step step : cycle.steps()) {
            ContextNode by = ((Waiter<?>) step.waiting().key()).by;
            Strangers.add(runtime, names, by);
            Strangers.add(runtime, names, ((Grant<?>) step.heldUp().key()).by);
            WaitForGraph.Wait ahead = WaitForGraph.ahead(step);
            if (ahead != null) {
                ContextNode other = ((Waiter<?>) ahead.key()).by;
                Strangers.add(runtime, names, other);
            }
        }
        names.decide();
    }

    /** A wait that ends by itself. */
    private record Ending(Waiter<?> waiter, long leftNanos) {}

    /**
     * Tells of one.
     *
     * @param runtime in whose words
     * @param cycle the deadlock
     * @param foundAt when it was found first
     * @param now the moment
     * @return the report
     */
    static DeadlockReport of(EngineRuntime runtime, DeadlockCycle cycle, Instant foundAt, long now) {
        DeadlockReports of = new DeadlockReports(runtime, cycle, now);
        return new DeadlockReport(
                cycle.proven(), foundAt, of.parties(), cycle.steps().size(), of.resolvesWithin());
    }

    private List<DeadlockReport.Party> parties() {
        List<DeadlockReport.Party> parties = new ArrayList<>();
        int size = cycle.steps().size();
        for (int i = 0; i < Math.min(size, MOST_PARTIES); i++) {
            WaitForGraph.Step before = cycle.steps().get((i + size - 1) % size);
            WaitForGraph.Step step = cycle.steps().get(i);
            Waiter<?> waiter = (Waiter<?>) step.waiting().key();
            parties.add(new DeadlockReport.Party(
                    ref(waiter.by),
                    List.of(hold(before.heldUp(), waiter.by)),
                    waiter.lock.name(),
                    waiter.lock.id(),
                    waiter.lock.type(),
                    waiter.mode((int) step.waiting().units()),
                    (int) step.waiting().units(),
                    waiter.lock.total(),
                    Duration.ofNanos(runtime.elapsed(waiter.sinceNanos, now)),
                    timesOutIn(waiter),
                    Places.describe(waiter.place),
                    ahead(step)));
        }
        return parties;
    }

    private DeadlockReport.Hold hold(WaitForGraph.Hold held, ContextNode waits) {
        Grant<?> grant = (Grant<?>) held.key();
        return new DeadlockReport.Hold(
                grant.lock.name(),
                grant.lock.id(),
                grant.lock.type(),
                grant.mode((int) held.units()),
                (int) held.units(),
                grant.lock.total(),
                Duration.ofNanos(runtime.elapsed(grant.sinceNanos, now)),
                grant.scoped,
                Places.describe(grant.place),
                grant.by == waits ? null : ref(grant.by));
    }

    private DeadlockReport.@Nullable Ahead ahead(WaitForGraph.Step step) {
        WaitForGraph.Wait ahead = WaitForGraph.ahead(step);
        if (ahead == null) {
            return null;
        }
        Waiter<?> waiter = (Waiter<?>) ahead.key();
        return new DeadlockReport.Ahead(
                ref(waiter.by),
                waiter.mode((int) ahead.units()),
                Duration.ofNanos(runtime.elapsed(waiter.sinceNanos, now)));
    }

    /**
     * When enough waits have ended by themselves that none of the cycle is stuck any longer, not even by others; null when there never
     * are. A context that also holds a raw guard may keep it after its wait, so the end of that wait is no promise.
     */
    private @Nullable Duration resolvesWithin() {
        List<Ending> timed = new ArrayList<>();
        for (WaitForGraph.Wait wait : neverServed(Set.of())) {
            Waiter<?> waiter = (Waiter<?>) wait.key();
            long end = endNanos(waiter);
            if (end != 0 && (cycle.proven() || !cycle.isHeldByGuard(waiter.by))) {
                // Kept, since a time may be called off meanwhile.
                timed.add(new Ending(waiter, end - now));
            }
        }
        if (timed.isEmpty() || !isOverWithout(timed)) {
            return null;
        }
        timed.sort(Comparator.comparingLong(Ending::leftNanos));
        int tooFew = 0;
        int enough = timed.size();
        while (enough - tooFew > 1) {
            int middle = (tooFew + enough) / 2;
            if (isOverWithout(timed.subList(0, middle))) {
                enough = middle;
            } else {
                tooFew = middle;
            }
        }
        return Duration.ofNanos(Math.max(0, timed.get(enough - 1).leftNanos));
    }

    private boolean isOverWithout(List<Ending> some) {
        Set<Object> gone = new HashSet<>();
        some.forEach(each -> gone.add(each.waiter));
        Set<Object> stuck = new HashSet<>();
        neverServed(gone).forEach(wait -> stuck.add(wait.key()));
        return cycle.steps().stream()
                .noneMatch(step -> stuck.contains(step.waiting().key()));
    }

    private List<WaitForGraph.Wait> neverServed(Set<Object> gone) {
        List<WaitForGraph.Lock> left = WaitForGraph.without(cycle.among(), gone);
        return cycle.proven() ? WaitForGraph.neverServed(left) : WaitForGraph.neverServed(left, cycle.guesses());
    }

    private @Nullable Duration timesOutIn(Waiter<?> waiter) {
        long end = endNanos(waiter);
        return end == 0 ? null : Duration.ofNanos(Math.max(0, end - now));
    }

    /** When a wait ends by itself, since its own time or that of its context is over; 0 when it does not. */
    private static long endNanos(Waiter<?> waiter) {
        return Timers.earlier(waiter.deadlineNanos, waiter.by.deadlineNanos());
    }

    private ContextRef ref(ContextNode node) {
        return new ContextRef(
                node.runtime().node(),
                node.id(),
                node.path().toString(),
                node.label(),
                Strangers.name(runtime, names, node));
    }
}
