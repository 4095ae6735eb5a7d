package com.fastn.context.engine;

import com.fastn.context.status.LockMode;
import com.fastn.context.status.LockType;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Who holds a lock and who waits for it, of one instant (rule M9): what status, explanation and deadlock detection read.
 *
 * <p>How to go on from here. {@link FifoLock#view} gives the view of one lock, {@link #ofAll} those of a whole runtime.
 * {@link ContextNode#waits} gives the waits of a context, and {@link Waiter#lock} the lock of a wait, so a wait-for graph is
 * walked from waiter to lock to holder to its waits. {@link EngineRuntime#onQueued} tells when somebody queued; it is called
 * outside of all monitors, in the thread that asked, after the wait is in the queue and in the list of its context. {@link
 * FifoLock#giveUp} ends one wait with a failure, unless it was granted or had left meanwhile.
 *
 * <p>Views of several locks are not of one instant. What is found in them is proven by {@link DeadlockDetector}: it reads all of
 * them twice and keeps the holds and waits that stand in both, since those were there at once, between the two. A lock that has not
 * changed has the same {@link #generation}.
 *
 * @param lock the lock
 * @param holders who holds permits, in the order of their grants
 * @param waiters who waits, the head of the queue first; nobody is served before the head is
 * @param generation differs after each change of the holders, of their permits or of the queue; never falls
 */
record LockView(FifoLock<?> lock, List<Holder> holders, List<Waiting> waiters, long generation) {
    LockView {
        holders = List.copyOf(holders);
        waiters = List.copyOf(waiters);
    }

    /** The views of all locks of a runtime that somebody holds. Each is of one instant, all of them are not. */
    static List<LockView> ofAll(EngineRuntime runtime) {
        List<LockView> views = new ArrayList<>();
        List<ContextNode> open = new ArrayList<>();
        open.add(runtime.root());
        for (int i = 0; i < open.size(); i++) {
            open.get(i).lockList().forEach(lock -> lock.addTo(views));
            open.addAll(open.get(i).childNodes());
        }
        runtime.locksOfEndedContexts().forEach(lock -> lock.addTo(views));
        return views;
    }

    long id() {
        return lock.id();
    }

    String name() {
        return lock.name();
    }

    ContextNode owner() {
        return lock.context();
    }

    LockType type() {
        return lock.type();
    }

    int totalPermits() {
        return lock.total();
    }

    boolean isIdle() {
        return holders.isEmpty() && waiters.isEmpty();
    }

    /**
     * Who holds permits.
     *
     * @param grant the holding itself
     * @param permits how many: all of a lock that is held alone
     */
    record Holder(Grant<?> grant, int permits) {
        ContextNode node() {
            return grant.by;
        }

        /** Whether it is that of a {@code withLock}, which gives it back by itself. */
        boolean scoped() {
            return grant.scoped;
        }

        /** Whether the holder knows; one who waited hears of it later than it is his. */
        boolean isTold() {
            return !(grant instanceof Waiter<?> waiter) || waiter.isTold();
        }

        LockMode mode() {
            return grant.mode(permits);
        }

        long sinceNanos() {
            return grant.sinceNanos;
        }

        long fence() {
            return grant.fence;
        }

        /** Where it was asked for, the innermost frame first; null when that was not recorded. */
        @Nullable
        List<StackTraceElement> place() {
            return grant.place;
        }
    }

    /**
     * Who waits.
     *
     * @param waiter the wait itself
     * @param permits how many it wants: all of a lock that it wants alone
     */
    record Waiting(Waiter<?> waiter, int permits) {
        ContextNode node() {
            return waiter.by;
        }

        boolean scoped() {
            return waiter.scoped;
        }

        LockMode mode() {
            return waiter.mode(permits);
        }

        long sinceNanos() {
            return waiter.sinceNanos;
        }

        /** Whether it ends by itself when its time is over. */
        boolean hasDeadline() {
            return waiter.deadlineNanos != 0;
        }

        long deadlineNanos() {
            return waiter.deadlineNanos;
        }

        @Nullable
        List<StackTraceElement> place() {
            return waiter.place;
        }

        /**
         * The holdings of {@code withLock} scopes that provably last at least as long as this wait, the innermost first: a
         * thread or the coroutine that runs the work of the scope waits here, or the stage that the work gave is made of this
         * wait. A scope that is missing here may still wait for this: nobody can tell.
         */
        List<Grant<?>> scopesThatWait() {
            Scope scope = waiter.inside;
            if (scope == null) {
                return List.of();
            }
            boolean onThread = waiter.isBlocking() && !scope.isGiven() && !scope.isTaken();
            if (!onThread && !scope.isTaken() && Pending.sourceOf(scope.end()) != waiter) {
                return List.of();
            }
            List<Grant<?>> waiting = new ArrayList<>();
            while (scope != null) {
                waiting.add(scope.grant);
                Scope around = scope.outerThatWaits(onThread);
                onThread = onThread && scope.isCalledByOuter();
                scope = around;
            }
            return waiting;
        }

        /**
         * The holdings of all scopes around the one who asked that have not ended, the innermost first: those of {@link
         * #scopesThatWait} and, behind them, those of which nobody can tell.
         */
        List<Grant<?>> scopesAround() {
            List<Grant<?>> around = new ArrayList<>();
            for (Scope scope = waiter.inside; scope != null; scope = scope.outer()) {
                around.add(scope.grant);
            }
            return around;
        }
    }
}
