package com.fastn.context.engine;

import static java.util.Objects.requireNonNull;

import com.fastn.context.Registration;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * One place in the queue of a lock: the record that a snapshot shows, the link in the list of its context's waits, the task
 * that hands the lock over, and afterwards the grant itself.
 *
 * <pre>
 *   WAITING --the lock is granted--> GRANTED --run()--> a grant as any other
 *      \------cancelled, out of time, given up--> LEFT
 * </pre>
 */
final class Waiter<T extends @Nullable Object> extends Grant<T> implements Trampoline.Task {
    enum State {
        WAITING,
        GRANTED,
        LEFT
    }

    final @Nullable Executor executor;
    /** The {@code withLock} whose work asked, before it gave its stage; null where that is not known, and after the wait. */
    @Nullable
    Scope inside;

    /** 0 when the wait has no end. */
    final long deadlineNanos;

    // Of the one who asks, until it is queued; then of the one who ends the wait, which the state decides.
    private @Nullable Pending<AnyGuard<T>> ticket;

    /** The last fence that its lock had given when it queued; guarded by the lock's monitor, and then as it is. */
    long askedAfterFence;

    // Guarded by the lock's monitor.
    State state = State.WAITING;

    @Nullable
    Registration timer;

    /** Served in the same moment, and to be told next. */
    @Nullable
    Waiter<T> nextServed;

    // Guarded by the monitor of the extras of the context that waits: the list of its waits.
    @Nullable
    Waiter<?> previousWait;

    @Nullable
    Waiter<?> nextWait;

    boolean listed;
    boolean over;

    Waiter(
            FifoLock<T> lock,
            ContextNode by,
            int permits,
            boolean scoped,
            long sinceNanos,
            long deadlineNanos,
            @Nullable Scope inside,
            boolean blocking,
            @Nullable Executor executor) {
        super(lock, by, permits, scoped, 0, sinceNanos);
        this.deadlineNanos = deadlineNanos;
        this.inside = inside;
        this.byThread = blocking;
        this.executor = executor;
        this.ticket = new Pending<>(this);
    }

    /** Whether a thread waits for it, and can do nothing else meanwhile. */
    boolean isBlocking() {
        return byThread;
    }

    /** Whether who asked was told how it ended; for others than who goes on in the same turn, as of a moment ago. */
    boolean isTold() {
        return ticket == null;
    }

    Pending<AnyGuard<T>> ticket() {
        return requireNonNull(ticket, "ticket");
    }

    /** The stage, for the one who completes it: afterwards nothing leads from the engine to the guard that was handed out. */
    Pending<AnyGuard<T>> takeTicket() {
        Pending<AnyGuard<T>> taken = requireNonNull(ticket, "ticket");
        ticket = null;
        return taken;
    }

    @Override
    public ContextNode context() {
        return by;
    }

    @Override
    public boolean wakesNow() {
        return HandOff.wake(this);
    }

    @Override
    public void drop() {
        HandOff.undelivered(this);
    }

    /** Hands the lock over. */
    @Override
    public void run() {
        HandOff.deliver(this);
    }
}
