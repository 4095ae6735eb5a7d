package com.fastn.context.event;

import com.fastn.context.status.CancelReason;
import com.fastn.context.status.ContextKind;
import com.fastn.context.status.ContextPath;
import com.fastn.context.status.LockType;

/** Something that happened to a tree. Names are in the past tense; values that travel are absolute, never increments. */
public sealed interface ContextEvent {

    /** {@return the id of the context that it happened to} */
    long contextId();

    /** {@return the path of the context that it happened to} */
    ContextPath path();

    /** Events about contexts. */
    sealed interface Life extends ContextEvent {}

    /** Events about locks. */
    sealed interface Lock extends ContextEvent {
        /** {@return the id that tells locks of one name apart} */
        long lockId();

        /** {@return the lock's name} */
        String lockName();

        /** {@return the kind of lock} */
        LockType lockType();
    }

    /**
     * A context was opened.
     *
     * @param contextId its id
     * @param path its path
     * @param parentId the parent's id
     * @param kind what it stands for
     */
    record Opened(long contextId, ContextPath path, long parentId, ContextKind kind) implements Life {}

    /**
     * A context was asked to stop.
     *
     * @param contextId its id
     * @param path its path
     * @param reason why
     */
    record Cancelled(long contextId, ContextPath path, CancelReason reason) implements Life {}

    /**
     * A context ended and left the tree.
     *
     * @param contextId its id
     * @param path its path
     */
    record Closed(long contextId, ContextPath path) implements Life {}

    /**
     * A metric, a datum, the label or the state of a context changed. The one change of state without an event of its own
     * is from active to closing; its key is {@code state}.
     *
     * @param contextId its id
     * @param path its path
     * @param key the metric's or datum's key, {@code label} or {@code state}
     */
    record Changed(long contextId, ContextPath path, String key) implements Life {}

    /**
     * An operation began.
     *
     * @param contextId the context inside of it
     * @param path the context's path
     * @param operation the operation's name
     */
    record OperationStarted(long contextId, ContextPath path, String operation) implements Life {}

    /**
     * An operation ended.
     *
     * @param contextId the context that was inside of it
     * @param path the context's path
     * @param operation the operation's name
     * @param elapsedNanos how long it took
     */
    record OperationEnded(long contextId, ContextPath path, String operation, long elapsedNanos) implements Life {}

    /**
     * A counter changed. The values are those of the path, read after the change.
     *
     * <p>Threads that count at once tell their events in any order, so one with older values may come behind one with newer ones.
     * Of two events of one path and counter the one with the greater sequence has the newer values: whoever keeps the values
     * leaves out an event whose sequence is below the last one that was kept, and in the end has what the counter stands at. In
     * ascending sequence a total never falls, but for a path that was folded, whose counts begin at 0 again.
     *
     * @param contextId the context that counted
     * @param path the path that the counter belongs to
     * @param counter the counter's name
     * @param total the total count
     * @param live the live count, at most the total where all was counted by both
     * @param sequence rises with each event about any counter of the runtime; 0 of an event that was made elsewhere, such as in a
     *     frame of events, which are told in their order
     */
    record CounterChanged(long contextId, ContextPath path, String counter, long total, long live, long sequence)
            implements ContextEvent {

        /**
         * Makes an event that has no number.
         *
         * @param contextId the context that counted
         * @param path the path that the counter belongs to
         * @param counter the counter's name
         * @param total the total count
         * @param live the live count
         */
        public CounterChanged(long contextId, ContextPath path, String counter, long total, long live) {
            this(contextId, path, counter, total, live, 0);
        }
    }

    /**
     * A context queued for a lock.
     *
     * @param contextId the waiter
     * @param path the waiter's path
     * @param lockId tells locks of one name apart
     * @param lockName the lock's name
     * @param lockType the kind of lock
     */
    record WaitStarted(long contextId, ContextPath path, long lockId, String lockName, LockType lockType)
            implements Lock {}

    /**
     * A context left the queue of a lock without it: cancelled or out of time.
     *
     * @param contextId the waiter
     * @param path the waiter's path
     * @param lockId tells locks of one name apart
     * @param lockName the lock's name
     * @param lockType the kind of lock
     */
    record WaitEnded(long contextId, ContextPath path, long lockId, String lockName, LockType lockType)
            implements Lock {}

    /**
     * A lock was granted.
     *
     * @param contextId the holder
     * @param path the holder's path
     * @param lockId tells locks of one name apart
     * @param lockName the lock's name
     * @param lockType the kind of lock
     * @param fence the number of the grant
     */
    record LockHeld(long contextId, ContextPath path, long lockId, String lockName, LockType lockType, long fence)
            implements Lock {}

    /**
     * A lock was released.
     *
     * @param contextId who held it
     * @param path the path of who held it
     * @param lockId tells locks of one name apart
     * @param lockName the lock's name
     * @param lockType the kind of lock
     * @param fence the number of the grant
     */
    record LockReleased(long contextId, ContextPath path, long lockId, String lockName, LockType lockType, long fence)
            implements Lock {}
}
