package com.fastn.context.status;

import static java.util.Objects.requireNonNull;

import java.time.Duration;

/**
 * A named lock that is held, and by whom.
 *
 * @param name the lock's name
 * @param lockId tells locks of one name apart
 * @param lockType the kind of lock
 * @param heldByContext the holder's shortest unambiguous name, such as {@code alice/stdout-handler}
 * @param holderId the holder's context id
 * @param holderPath the holder's path
 * @param heldDuration since it was granted
 * @param fence the number of this grant; it only rises
 * @param waiters how many wait for it
 * @param longHeld whether it is held longer than the threshold: an opinion, not a proof
 */
public record LockStatus(
        String name,
        long lockId,
        LockType lockType,
        String heldByContext,
        long holderId,
        ContextPath holderPath,
        Duration heldDuration,
        long fence,
        int waiters,
        boolean longHeld) {
    /** Checks that all parts are there. */
    public LockStatus {
        requireNonNull(name, "name");
        requireNonNull(lockType, "lockType");
        requireNonNull(heldByContext, "heldByContext");
        requireNonNull(holderPath, "holderPath");
        requireNonNull(heldDuration, "heldDuration");
    }

    LockStatus aged(Duration elapsed) {
        return new LockStatus(
                name,
                lockId,
                lockType,
                heldByContext,
                holderId,
                holderPath,
                heldDuration.plus(elapsed),
                fence,
                waiters,
                longHeld);
    }
}
