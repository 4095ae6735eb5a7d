package com.fastn.context.engine;

import com.fastn.context.ContextCancelledException;
import com.fastn.context.FastnContext;
import com.fastn.context.LockTimeoutException;
import com.fastn.context.SelfDeadlockException;
import com.fastn.context.status.CancelReason;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Why a context does not get a lock, in words: what it asks for is not to be had, or it waits no longer. */
final class Refusals {
    private static final String INSIDE =
            "; it is not reentrant. Hand the value down instead, or let another branch ask";
    private static final String ON_TOP =
            ", in a way that blocks, by one who goes on in the thread of that scope, which released what he waited for"
                    + " and cannot go on before he returns; use the form that gives a stage, or go on elsewhere";

    private Refusals() {}

    /** Why a context may not even queue, or null. */
    static @Nullable Throwable of(
            FifoLock<?> lock, ContextNode asker, int permits, @Nullable Scope inside, boolean blocking) {
        if (permits < 1 || permits > lock.total()) {
            return impossible(lock, asker, permits);
        }
        CancelReason cancelled = asker.cancelReason();
        Throwable ended = cancelled == null
                ? ofEnded(lock, asker)
                : new ContextCancelledException(
                        lock + " was not given to " + asker.path() + ", which was cancelled before it asked (lock in a"
                                + " context that is open, or look at isCancelled() first)",
                        cancelled);
        Throwable refusal =
                ended != null || inside == null ? ended : selfDeadlock(lock, asker, permits, inside, blocking, INSIDE);
        // What goes on in the middle of the work of a scope, because that released something, must not block for
        // what the scope has.
        Scope below = refusal == null && blocking ? lock.runtime().trampoline().below() : null;
        return below == null ? refusal : selfDeadlock(lock, asker, permits, below, true, ON_TOP);
    }

    static IllegalArgumentException impossible(FifoLock<?> lock, ContextNode asker, int permits) {
        return new IllegalArgumentException(permits + " permits of " + lock + ", which has " + lock.total()
                + ", were asked for by " + asker.path() + "; ask for at least one and at most as many as there are");
    }

    /** What a wait of a context ends with that was cancelled or has ended; null while it may go on. */
    static @Nullable Throwable ofEnded(FifoLock<?> lock, ContextNode asker) {
        CancelReason cancelled = asker.cancelReason();
        if (cancelled != null) {
            return new ContextCancelledException(
                    lock + " was not given to " + asker.path() + ", which was cancelled", cancelled);
        }
        return asker.isClosed()
                ? new IllegalStateException(lock + " was not given to " + asker.path()
                        + ", which has ended; lock in a context that is open")
                : null;
    }

    /**
     * What is asked for inside scopes that themselves hold too much of it can never be granted while they last (rule L7).
     * A thread that would block inside of them could not end them. Otherwise the code that asks has to belong to the work
     * of the scope, and not to another branch that happens to be called back by it.
     */
    private static @Nullable Throwable selfDeadlock(
            FifoLock<?> lock, ContextNode asker, int permits, Scope innermost, boolean blocking, String why) {
        if (lock.total() - Scope.heldBy(innermost, lock) >= permits) {
            return null;
        }
        // Once more, and only as far out as is proven: by the stack of this thread, or by what the scopes end with.
        boolean onThread = !innermost.isTaken();
        boolean allOfAsker = true;
        int onStack = 0;
        int free = lock.total();
        Scope holding = null;
        for (Scope scope = innermost; scope != null && free >= permits; ) {
            onStack += onThread ? 1 : 0;
            int held = scope.grant.lock == lock ? scope.grant.permits() : 0;
            if (held > 0) {
                free -= held;
                holding = holding == null ? scope : holding;
                allOfAsker &= scope.grant.by == asker;
            }
            Scope around = scope.outerThatWaits(onThread);
            onThread = onThread && scope.isCalledByOuter();
            scope = around;
        }
        if (holding == null || free >= permits) {
            return null;
        }
        boolean sure = blocking || innermost.isTaken();
        if (!sure && !(allOfAsker && Places.isOwnCode(onStack))) {
            return null;
        }
        String place = Places.describe(Places.caller());
        return new SelfDeadlockException(lock + " is held by " + holding.grant.by.path() + " in a scope that was begun "
                + holding.place() + ", and was asked for again inside of it at " + place + why);
    }

    static LockTimeoutException outOfTime(Waiter<?> waiter, Duration timeout) {
        List<FastnContext> by = waiter.lock.holders();
        String more = by.size() > 1 ? " and " + (by.size() - 1) + " more" : "";
        return new LockTimeoutException(waiter.lock + " was not given to " + waiter.by.path() + " within " + timeout
                + (by.isEmpty() ? "" : "; it is held by " + by.get(0).path() + more));
    }

    static IllegalStateException onEventLoop(FifoLock<?> lock, ContextNode asker) {
        return new IllegalStateException(lock + " was asked for by " + asker.path() + " in a way that blocks, on an"
                + " event loop, which must not be held up; use the form that gives a stage, or a worker or virtual"
                + " thread");
    }

    // --- what a guard can no longer do

    static IllegalArgumentException notHeld(Grant<?> grant, int some, int has) {
        return new IllegalArgumentException(some + " permits of " + grant.lock + " were to be given back by a guard of "
                + grant.by.path() + takenAt(grant) + " that holds " + has
                + "; give back at least one and at most what it holds");
    }

    static IllegalStateException closed(Grant<?> grant) {
        return new IllegalStateException("this guard of " + grant.lock + ", given to " + grant.by.path()
                + takenAt(grant) + ", is closed; lock again to reach the value");
    }

    /** Where it was asked for, to be put behind whoever holds it; empty where that was not recorded. */
    static String takenAt(Grant<?> grant) {
        String place = Places.describe(grant.place);
        return place == null ? "" : " (taken at " + place + ")";
    }
}
