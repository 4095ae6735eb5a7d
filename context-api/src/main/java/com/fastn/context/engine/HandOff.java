package com.fastn.context.engine;

import com.fastn.context.Registration;
import java.util.concurrent.CancellationException;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * Tells those who waited for a lock how that ended, after the monitor is left: on the execution context that asked, else by
 * trampoline in the thread that released (rules L1, L2, L8, L9).
 */
final class HandOff {
    private HandOff() {}

    // --- who was served

    /** Tells those who were served, in their order. None has to wait for what another one goes on with in this thread. */
    static <T extends @Nullable Object> void tellServed(@Nullable Waiter<T> first) {
        if (first == null || first.nextServed == null) {
            if (first != null) {
                tellServedOne(first);
            }
            return;
        }
        Trampoline trampoline = first.lock.runtime().trampoline();
        trampoline.hold();
        try {
            for (Waiter<T> waiter = first; waiter != null; ) {
                Waiter<T> next = waiter.nextServed;
                waiter.nextServed = null;
                tellServedOne(waiter);
                waiter = next;
            }
        } finally {
            trampoline.go();
        }
    }

    private static <T extends @Nullable Object> void tellServedOne(Waiter<T> waiter) {
        isOver(waiter);
        waiter.lock.held(waiter);
        dispatch(waiter, waiter);
    }

    /** Hands the lock to the waiter whose turn it is. */
    static <T extends @Nullable Object> void deliver(Waiter<T> waiter) {
        Throwable ended = Refusals.ofEnded(waiter.lock, waiter.by);
        if (ended == null) {
            hand(waiter);
        } else {
            // Cancelled between the grant and now: the guard is never seen (rule L2).
            giveBack(waiter, ended);
        }
        waiter.by.waitEnded(waiter);
    }

    /** Gives the lock to the next one, because the place where the waiter whose turn it is waits is gone. */
    static <T extends @Nullable Object> void undelivered(Waiter<T> waiter) {
        Throwable ended = Refusals.ofEnded(waiter.lock, waiter.by);
        giveBack(
                waiter,
                ended != null
                        ? ended
                        : new CancellationException(waiter.lock + " was not given to " + waiter.by.path()
                                + ": the verticle that asked for it was undeployed"));
        waiter.by.waitEnded(waiter);
    }

    private static <T extends @Nullable Object> void giveBack(Waiter<T> waiter, Throwable why) {
        goesOn(waiter);
        Pending<AnyGuard<T>> ticket = waiter.takeTicket();
        Trampoline trampoline = waiter.lock.runtime().trampoline();
        trampoline.hold();
        try {
            waiter.lock.tryRelease(waiter);
            ticket.fail(why);
        } finally {
            trampoline.go();
        }
    }

    /**
     * Wakes the thread that waits, at once: it may be what the task that releases waits for next. Nobody else has the stage,
     * so nothing of the application runs here.
     *
     * @return whether it was woken; a guard that must go back goes the way of all others, which needs one stack frame
     */
    static <T extends @Nullable Object> boolean wake(Waiter<T> waiter) {
        if (Refusals.ofEnded(waiter.lock, waiter.by) != null) {
            return false;
        }
        hand(waiter);
        waiter.lock.runtime().trampoline().run(new WaitOver(waiter));
        return true;
    }

    private static <T extends @Nullable Object> void hand(Waiter<T> waiter) {
        goesOn(waiter);
        Pending<AnyGuard<T>> ticket = waiter.takeTicket();
        // That he is told can be seen, as a grant can.
        waiter.lock.runtime().changed();
        AnyGuard<T> guard = waiter.lock.handedOut(waiter);
        if (!ticket.end(guard)) {
            guard.close();
        }
    }

    private static void goesOn(Waiter<?> waiter) {
        long now = waiter.lock.runtime().touchNanos();
        waiter.sinceNanos = now;
        waiter.by.touch(now);
    }

    private record WaitOver(Waiter<?> waiter) implements Trampoline.Task {
        @Override
        public ContextNode context() {
            return waiter.by;
        }

        @Override
        public void run() {
            waiter.by.waitEnded(waiter);
        }
    }

    // --- who gave up

    /**
     * Tells one who has left the queue that it did not get the lock.
     *
     * @param waiter who
     * @param cause why
     */
    static void tellGivenUp(Waiter<?> waiter, Throwable cause) {
        dispatch(waiter, new GivenUp(waiter, waiter.takeTicket(), cause));
    }

    private record GivenUp(Waiter<?> waiter, Pending<?> ticket, Throwable cause) implements Trampoline.Task {
        @Override
        public ContextNode context() {
            return waiter.by;
        }

        @Override
        public boolean wakesNow() {
            ticket.fail(cause);
            // The rest is of the context, and goes the usual way.
            return false;
        }

        @Override
        public void run() {
            ticket.fail(cause);
            waiter.by.waitEnded(waiter);
        }
    }

    // --- both

    /** It waits no longer, however that ended: no time is seen to, and no scope led to. */
    static void isOver(Waiter<?> waiter) {
        Registration timer = waiter.timer;
        if (timer != null) {
            waiter.timer = null;
            timer.close();
        }
        outside(waiter);
    }

    /** Nothing leads from it to the scopes around it any longer, of which there may be more and more. */
    static void outside(Waiter<?> waiter) {
        if (waiter.inside != null) {
            waiter.lock.runtime().causes().deadlocks().asksNoLonger(waiter);
            waiter.inside = null;
        }
    }

    private static void dispatch(Waiter<?> waiter, Trampoline.Task completion) {
        if (waiter.isBlocking() && completion.wakesNow()) {
            return;
        }
        Executor where = waiter.executor;
        if (where != null) {
            try {
                where.execute(completion);
                return;
            } catch (Throwable e) {
                // The place that asked is gone, or has no thread left; the lock must not be lost with it.
            }
        }
        // In the thread that released, but not in its context: what the waiter goes on with is the waiter's (rule L9).
        waiter.lock.runtime().trampoline().run(completion);
    }
}
