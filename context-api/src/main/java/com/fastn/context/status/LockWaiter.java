package com.fastn.context.status;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A context that waits for a named lock.
 *
 * @param contextName the waiter's shortest unambiguous name, such as {@code alice/stderr-stream}
 * @param contextId the waiter's context id; negative when it is of another runtime of the process, and so not in the tree
 * @param contextPath the waiter's path
 * @param lockName the lock's name
 * @param lockId tells locks of one name apart
 * @param mode how it wants the lock
 * @param permits how many permits of a semaphore it wants; 1 for other locks
 * @param position its place in the queue, from 1 on; 0 when it is not known
 * @param waitingDuration since it queued
 * @param stuck whether it waits longer than the threshold: an opinion, not a proof
 * @param waitsAt where in the code it asked, as a stack trace writes it, or {@code null} when that was not recorded: it is in
 *     strict mode, and for each lock from its first long wait on
 */
public record LockWaiter(
        String contextName,
        long contextId,
        ContextPath contextPath,
        String lockName,
        long lockId,
        LockMode mode,
        int permits,
        int position,
        Duration waitingDuration,
        boolean stuck,
        @Nullable String waitsAt) {
    /** Checks that all parts are there. */
    public LockWaiter {
        requireNonNull(contextName, "contextName");
        requireNonNull(contextPath, "contextPath");
        requireNonNull(lockName, "lockName");
        requireNonNull(mode, "mode");
        requireNonNull(waitingDuration, "waitingDuration");
    }

    /**
     * A context that waits for a mutex, at a place in the queue and in the code that is not known.
     *
     * @param contextName the waiter's shortest unambiguous name
     * @param contextId the waiter's context id
     * @param contextPath the waiter's path
     * @param lockName the lock's name
     * @param lockId tells locks of one name apart
     * @param waitingDuration since it queued
     * @param stuck whether it waits longer than the threshold
     */
    public LockWaiter(
            String contextName,
            long contextId,
            ContextPath contextPath,
            String lockName,
            long lockId,
            Duration waitingDuration,
            boolean stuck) {
        this(
                contextName,
                contextId,
                contextPath,
                lockName,
                lockId,
                LockMode.EXCLUSIVE,
                1,
                0,
                waitingDuration,
                stuck,
                null);
    }

    LockWaiter aged(Duration elapsed) {
        return with(waitingDuration.plus(elapsed), waitsAt);
    }

    /** {@return the same without the place in the code} */
    public LockWaiter withoutPlace() {
        return waitsAt == null ? this : with(waitingDuration, null);
    }

    private LockWaiter with(Duration waiting, @Nullable String at) {
        return new LockWaiter(
                contextName, contextId, contextPath, lockName, lockId, mode, permits, position, waiting, stuck, at);
    }
}
