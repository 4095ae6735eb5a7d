package com.fastn.context.status;

import static java.util.Objects.requireNonNull;

import java.time.Duration;

/**
 * A context that waits for a named lock.
 *
 * @param contextName the waiter's shortest unambiguous name, such as {@code alice/stderr-stream}
 * @param contextId the waiter's context id
 * @param contextPath the waiter's path
 * @param lockName the lock's name
 * @param lockId tells locks of one name apart
 * @param waitingDuration since it queued
 * @param stuck whether it waits longer than the threshold: an opinion, not a proof
 */
public record LockWaiter(
        String contextName,
        long contextId,
        ContextPath contextPath,
        String lockName,
        long lockId,
        Duration waitingDuration,
        boolean stuck) {
    /** Checks that all parts are there. */
    public LockWaiter {
        requireNonNull(contextName, "contextName");
        requireNonNull(contextPath, "contextPath");
        requireNonNull(lockName, "lockName");
        requireNonNull(waitingDuration, "waitingDuration");
    }

    LockWaiter aged(Duration elapsed) {
        return new LockWaiter(
                contextName, contextId, contextPath, lockName, lockId, waitingDuration.plus(elapsed), stuck);
    }
}
