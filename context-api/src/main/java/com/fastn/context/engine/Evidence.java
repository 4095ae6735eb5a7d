package com.fastn.context.engine;

import com.fastn.context.status.Causes;
import com.fastn.context.status.HumanText;
import com.fastn.context.status.LockStatus;
import com.fastn.context.status.LockWaiter;
import com.fastn.context.status.SystemMetrics;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What the rules judge: a snapshot that is nearly done.
 *
 * @param runtime whose snapshot it is
 * @param known deadlocks, also those that are left out, and the places that stand still
 * @param now the moment of it
 * @param names the short names of those who hold or wait for locks
 * @param locks the held locks
 * @param waiters who waits for them
 * @param visits the contexts, parents first
 * @param totals what the first of them and all below it count
 * @param system the latest figures of the machine; none in a snapshot of a part of the tree
 */
record Evidence(
        EngineRuntime runtime,
        CauseFinder.Known known,
        long now,
        ShortNames names,
        List<HeldLock> locks,
        List<WaitingContext> waiters,
        SnapshotWalk visits,
        Map<String, Long> totals,
        @Nullable SystemMetrics system) {

    /** A lock as it is shown, and the grant behind it. */
    record HeldLock(LockStatus status, Grant<?> grant) {
        /**
         * Whether a context that has ended left it behind. One that ends while a status is made may have given it back after the
         * locks were read, so it is looked at again, once it is known to have ended. One that is closed with its context is as
         * good as given back.
         */
        boolean isLeftBehind() {
            return grant.by.isClosed() && !isGivenBack();
        }

        /** Whether it was given back since it was read, or is in this moment, by a context that has ended. */
        boolean isGivenBackAtTheEnd() {
            return grant.by.isClosed() && isGivenBack();
        }

        private boolean isGivenBack() {
            return grant.endsWithContext || !isStillHeld();
        }

        private boolean isStillHeld() {
            return isStillHeld(grant);
        }

        private static <T extends @Nullable Object> boolean isStillHeld(Grant<T> grant) {
            return grant.lock.isHeldBy(grant);
        }
    }

    /** A wait as it is shown, and who waits. */
    record WaitingContext(LockWaiter status, ContextNode node) {}

    Causes causes() {
        return known.causes();
    }

    String rootPath() {
        return runtime.root().path().toString();
    }

    String shortName(SnapshotWalk.Visit visit) {
        long id = visit.node().id();
        if (names.knows(id)) {
            return names.of(id);
        }
        ShortNames single = new ShortNames();
        single.add(id, visit.path());
        single.decide();
        return single.of(id);
    }

    static String time(Duration duration) {
        return HumanText.duration(duration);
    }
}
