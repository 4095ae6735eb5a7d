package com.fastn.context.status;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A named lock that is held, and by whom. A lock with several holders has one of these for each.
 *
 * @param name the lock's name
 * @param lockId tells locks of one name apart
 * @param lockType the kind of lock
 * @param mode how it is held
 * @param permits how many permits of a semaphore this holder has; 1 for other locks
 * @param totalPermits how many permits a semaphore has; 1 for other locks
 * @param heldByContext the holder's shortest unambiguous name, such as {@code alice/stdout-handler}
 * @param holderId the holder's context id; negative when it is of another runtime of the process, and so not in the tree
 * @param holderPath the holder's path
 * @param heldDuration since it was granted; to one who waited, since he was told once he is
 * @param fence the number of this grant; it only rises
 * @param waiters how many wait for it
 * @param longHeld whether it is held longer than the threshold: an opinion, not a proof
 * @param heldAt where in the code this holder asked for it, as a stack trace writes it, or {@code null} when that was not
 *     recorded: it is in strict mode, and for each lock from its first long wait on
 * @param told whether the holder knows: a lock that was granted to one who waited is his from then on, and he hears of it
 *     when his event loop, or the thread that released it, gets to that. A lock whose holder is not told is not long held
 */
public record LockStatus(
        String name,
        long lockId,
        LockType lockType,
        LockMode mode,
        int permits,
        int totalPermits,
        String heldByContext,
        long holderId,
        ContextPath holderPath,
        Duration heldDuration,
        long fence,
        int waiters,
        boolean longHeld,
        @Nullable String heldAt,
        boolean told) {
    /** Checks that all parts are there. */
    public LockStatus {
        requireNonNull(name, "name");
        requireNonNull(lockType, "lockType");
        requireNonNull(mode, "mode");
        requireNonNull(heldByContext, "heldByContext");
        requireNonNull(holderPath, "holderPath");
        requireNonNull(heldDuration, "heldDuration");
    }

    /**
     * A lock whose holder was told that he has it.
     *
     * @param name the lock's name
     * @param lockId tells locks of one name apart
     * @param lockType the kind of lock
     * @param mode how it is held
     * @param permits how many permits of a semaphore this holder has
     * @param totalPermits how many permits a semaphore has
     * @param heldByContext the holder's shortest unambiguous name
     * @param holderId the holder's context id
     * @param holderPath the holder's path
     * @param heldDuration since it was granted; to one who waited, since he was told once he is
     * @param fence the number of this grant
     * @param waiters how many wait for it
     * @param longHeld whether it is held longer than the threshold
     * @param heldAt where in the code this holder asked for it, or {@code null}
     */
    public LockStatus(
            String name,
            long lockId,
            LockType lockType,
            LockMode mode,
            int permits,
            int totalPermits,
            String heldByContext,
            long holderId,
            ContextPath holderPath,
            Duration heldDuration,
            long fence,
            int waiters,
            boolean longHeld,
            @Nullable String heldAt) {
        this(
                name,
                lockId,
                lockType,
                mode,
                permits,
                totalPermits,
                heldByContext,
                holderId,
                holderPath,
                heldDuration,
                fence,
                waiters,
                longHeld,
                heldAt,
                true);
    }

    /**
     * A lock that is held as is usual for its kind: a mutex or a read-write lock alone, a semaphore with one permit of one. It is
     * not known where it was asked for.
     *
     * @param name the lock's name
     * @param lockId tells locks of one name apart
     * @param lockType the kind of lock
     * @param heldByContext the holder's shortest unambiguous name
     * @param holderId the holder's context id
     * @param holderPath the holder's path
     * @param heldDuration since it was granted; to one who waited, since he was told once he is
     * @param fence the number of this grant
     * @param waiters how many wait for it
     * @param longHeld whether it is held longer than the threshold
     */
    public LockStatus(
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
        this(
                name,
                lockId,
                lockType,
                usualMode(lockType),
                1,
                1,
                heldByContext,
                holderId,
                holderPath,
                heldDuration,
                fence,
                waiters,
                longHeld,
                null);
    }

    static LockMode usualMode(LockType type) {
        return switch (type) {
            case MUTEX -> LockMode.EXCLUSIVE;
            case RW_LOCK -> LockMode.WRITE;
            case SEMAPHORE -> LockMode.PERMITS;
        };
    }

    LockStatus aged(Duration elapsed) {
        return with(heldDuration.plus(elapsed), heldAt);
    }

    /** {@return the same without the place in the code} */
    public LockStatus withoutPlace() {
        return heldAt == null ? this : with(heldDuration, null);
    }

    private LockStatus with(Duration held, @Nullable String at) {
        return new LockStatus(
                name,
                lockId,
                lockType,
                mode,
                permits,
                totalPermits,
                heldByContext,
                holderId,
                holderPath,
                held,
                fence,
                waiters,
                longHeld,
                at,
                told);
    }
}
