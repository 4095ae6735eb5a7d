package com.fastn.context.status;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Contexts that wait for each other, so that none of them can go on.
 *
 * <p>It is <em>proven</em> where every hold is one of {@code withLock} that waits inside: nothing can give it back before the
 * wait ends. It is <em>suspected</em> where one of them is a raw guard, which another branch of its context may still close
 * (rule L14). Its parties may be on several nodes; then one of these tells of it.
 *
 * @param proven whether it is proven
 * @param foundAt when it was found
 * @param parties who is part of it, each waiting for what the next one holds, the last for the first; of many the first
 * @param size how many are part of it
 * @param resolvesWithin after what time at the latest none of its parties is stuck any longer, because waits time out, or
 *     contexts that wait are cancelled when their own time is over, and what was held meanwhile is given back; {@code null} when
 *     that never happens or nobody knows, as with a reply, or with a guard that may stay open after the wait
 */
public record DeadlockReport(
        boolean proven,
        Instant foundAt,
        List<Party> parties,
        int size,
        @Nullable Duration resolvesWithin) {
    /** Copies the list. */
    public DeadlockReport {
        requireNonNull(foundAt, "foundAt");
        parties = List.copyOf(parties);
    }

    /**
     * One of those that wait for each other.
     *
     * @param context who
     * @param holds what it holds that another one needs
     * @param waitsFor the name of the lock that it waits for, or {@code request <address>} for a reply on the event bus
     * @param lockId tells locks of one name apart; 0 for a reply, and for a lock of the whole cluster
     * @param lockType the kind of that lock
     * @param mode how it wants that lock, or {@code null} where that is not known
     * @param permits how many permits of a semaphore it wants; 0 where that is not known, and of other locks
     * @param totalPermits how many permits that semaphore has; 0 where that is not known, and of other locks
     * @param waited since when it waits
     * @param timesOutIn when its wait ends by itself, since the time of the wait or of its context is over, or {@code null} when
     *     it does not
     * @param waitsAt where in the code it asked, or {@code null} when that was not recorded
     * @param ahead who is first in line, where only the line keeps it from the lock; {@code null} where the holder does
     */
    public record Party(
            ContextRef context,
            List<Hold> holds,
            String waitsFor,
            long lockId,
            LockType lockType,
            @Nullable LockMode mode,
            int permits,
            int totalPermits,
            Duration waited,
            @Nullable Duration timesOutIn,
            @Nullable String waitsAt,
            @Nullable Ahead ahead) {
        /** Copies the list. */
        public Party {
            requireNonNull(context, "context");
            holds = List.copyOf(holds);
            requireNonNull(waitsFor, "waitsFor");
            mode = known(mode, lockType);
            permits = ofSemaphore(permits, lockType);
            totalPermits = ofSemaphore(totalPermits, lockType);
            requireNonNull(waited, "waited");
        }

        /**
         * Makes one of which it is not known how it wants the lock.
         *
         * @param context who
         * @param holds what it holds that another one needs
         * @param waitsFor the name of what it waits for
         * @param lockId the lock, or 0
         * @param lockType the kind of that lock
         * @param waited since when it waits
         * @param timesOutIn when its wait ends by itself, or {@code null}
         * @param waitsAt where in the code it asked, or {@code null}
         */
        public Party(
                ContextRef context,
                List<Hold> holds,
                String waitsFor,
                long lockId,
                LockType lockType,
                Duration waited,
                @Nullable Duration timesOutIn,
                @Nullable String waitsAt) {
            this(context, holds, waitsFor, lockId, lockType, null, 0, 0, waited, timesOutIn, waitsAt, null);
        }
    }

    /**
     * The head of a queue, which those behind it wait for though the lock itself has room for them: a writer before whom no
     * reader reads, a request for more permits than are free.
     *
     * @param context who
     * @param mode how it wants the lock
     * @param waited since when it waits
     */
    public record Ahead(ContextRef context, LockMode mode, Duration waited) {
        /** Checks that all parts are there. */
        public Ahead {
            requireNonNull(context, "context");
            requireNonNull(mode, "mode");
            requireNonNull(waited, "waited");
        }
    }

    /**
     * What one of them holds.
     *
     * @param lockName the lock's name, or {@code request <address>} for a reply that it owes
     * @param lockId tells locks of one name apart; 0 for a reply, and for a lock of the whole cluster
     * @param lockType the kind of the lock
     * @param mode how it is held, or {@code null} where that is not known
     * @param permits how many permits of a semaphore it holds; 0 where that is not known, and of other locks
     * @param totalPermits how many permits that semaphore has; 0 where that is not known, and of other locks
     * @param held since when
     * @param scoped whether only the end of a {@code withLock} gives it back
     * @param heldAt where in the code it was asked for, or {@code null} when that was not recorded
     * @param by whose it is where that is another context, inside of whose {@code withLock} this one waits; {@code null} where it is
     *     its own
     */
    public record Hold(
            String lockName,
            long lockId,
            LockType lockType,
            @Nullable LockMode mode,
            int permits,
            int totalPermits,
            Duration held,
            boolean scoped,
            @Nullable String heldAt,
            @Nullable ContextRef by) {
        /** Checks that all parts are there. */
        public Hold {
            requireNonNull(lockName, "lockName");
            mode = known(mode, lockType);
            permits = ofSemaphore(permits, lockType);
            totalPermits = ofSemaphore(totalPermits, lockType);
            requireNonNull(held, "held");
        }

        /**
         * Makes one of the context itself.
         *
         * @param lockName the lock's name
         * @param lockId the lock, or 0
         * @param lockType the kind of the lock
         * @param mode how it is held, or {@code null}
         * @param permits how many permits it holds, or 0
         * @param totalPermits how many there are, or 0
         * @param held since when
         * @param scoped whether only the end of a {@code withLock} gives it back
         * @param heldAt where in the code it was asked for, or {@code null}
         */
        public Hold(
                String lockName,
                long lockId,
                LockType lockType,
                @Nullable LockMode mode,
                int permits,
                int totalPermits,
                Duration held,
                boolean scoped,
                @Nullable String heldAt) {
            this(lockName, lockId, lockType, mode, permits, totalPermits, held, scoped, heldAt, null);
        }

        /**
         * Makes one of which it is not known how the lock is held.
         *
         * @param lockName the lock's name
         * @param lockId the lock, or 0
         * @param lockType the kind of the lock
         * @param held since when
         * @param scoped whether only the end of a {@code withLock} gives it back
         * @param heldAt where in the code it was asked for, or {@code null}
         */
        public Hold(
                String lockName,
                long lockId,
                LockType lockType,
                Duration held,
                boolean scoped,
                @Nullable String heldAt) {
            this(lockName, lockId, lockType, null, 0, 0, held, scoped, heldAt, null);
        }
    }

    /** A mutex has one mode only, so that is known without being told. */
    private static @Nullable LockMode known(@Nullable LockMode mode, LockType type) {
        return requireNonNull(type, "lockType") == LockType.MUTEX ? LockMode.EXCLUSIVE : mode;
    }

    private static int ofSemaphore(int permits, LockType type) {
        return type == LockType.SEMAPHORE ? Math.max(0, permits) : 0;
    }

    /** {@return the cycle in one sentence} */
    public String cycle() {
        return ExplanationText.cycle(this);
    }
}
