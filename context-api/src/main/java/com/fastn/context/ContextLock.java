package com.fastn.context;

import com.fastn.context.status.LockType;
import java.util.List;

/**
 * What the named locks have in common: a name in a context, holders and a queue, both known to every snapshot.
 *
 * <p>All of them are fair: who asked first is served first, and nobody passes a large request at the head of the queue.
 * None is reentrant. Who asks is the context that is current at the call, or the one that owns the lock when none is.
 *
 * <p>A waiter whose context is cancelled or ends, whose time ran out or whose stage was cancelled leaves the queue before it
 * hears of it. A guard that comes too late for it is given back unseen. A time of zero or less gives what is free at once, and
 * otherwise ends the wait soon. A stage completes on the Vert.x context that asked,
 * elsewhere in the thread that released, and there with the asking context as the current one. Code that goes on there must not
 * block for what that thread has: for a lock of the {@code withLock} that it runs that is refused, and a guard that it has to
 * close nobody knows of.
 *
 * <p>The forms whose names end in {@code Blocking} are for worker, virtual and plain threads. On an event loop they throw an
 * {@link IllegalStateException}. A thread that is interrupted while it waits leaves the queue, keeps its interrupt flag and
 * gets a {@link java.util.concurrent.CancellationException}.
 */
public interface ContextLock {

    /** {@return the lock's name} */
    String name();

    /** {@return the kind of lock} */
    LockType type();

    /** {@return the context that the lock was made in} */
    FastnContext context();

    /** {@return the contexts that hold the lock at this moment, in the order of their grants; one of them may stand there more than once} */
    List<FastnContext> holders();

    /** {@return how many wait at this moment} */
    int waiters();

    /**
     * Says what becomes of a guard that is still open when its context ends. By default the lock stays held, since the
     * critical section may still run, and a critical warning says so. With {@code true} such a guard is closed then; it is
     * counted as misuse, and the {@linkplain LockGuard#fence fence} lets a store refuse the old holder. It holds for grants
     * from now on.
     *
     * @param release whether guards of this lock end with their contexts
     */
    void setAutoReleaseOnEnd(boolean release);
}
