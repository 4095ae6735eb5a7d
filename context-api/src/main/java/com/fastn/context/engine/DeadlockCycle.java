package com.fastn.context.engine;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * A deadlock as it was read; it begins with the one of its contexts that was opened first, wherever it was entered.
 *
 * @param proven whether it is proven
 * @param steps the cycle
 * @param among the locks that were read
 * @param guesses by which it was found
 */
record DeadlockCycle(
        boolean proven, List<WaitForGraph.Step> steps, List<WaitForGraph.Lock> among, WaitForGraph.Guesses guesses) {
    static DeadlockCycle of(
            boolean proven,
            List<WaitForGraph.Step> steps,
            List<WaitForGraph.Lock> among,
            WaitForGraph.Guesses guesses) {
        WaitForGraph.Step first = Collections.min(
                steps,
                Comparator.comparingLong(step -> ((Waiter<?>) step.waiting().key()).by.id()));
        List<WaitForGraph.Step> turned = new ArrayList<>(steps);
        Collections.rotate(turned, -steps.indexOf(first));
        return new DeadlockCycle(proven, turned, among, guesses);
    }

    /** Its waits themselves, which are equal to nothing else. */
    Set<Object> waiters() {
        Set<Object> waiters = new HashSet<>();
        steps.forEach(step -> waiters.add(step.waiting().key()));
        return waiters;
    }

    /** Whether a context holds one of the locks by a guard that no scope gives back. */
    boolean isHeldByGuard(ContextNode by) {
        return among.stream()
                .flatMap(lock -> lock.holds().stream())
                .map(hold -> (Grant<?>) hold.key())
                .anyMatch(grant -> grant.by == by && !grant.scoped);
    }

    Waiter<?> youngest() {
        Waiter<?> youngest = (Waiter<?>) steps.get(0).waiting().key();
        for (WaitForGraph.Step step : steps) {
            Waiter<?> waiter = (Waiter<?>) step.waiting().key();
            long later = waiter.sinceNanos - youngest.sinceNanos;
            if (later > 0 || (later == 0 && waiter.by.id() > youngest.by.id())) {
                youngest = waiter;
            }
        }
        return youngest;
    }
}
