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
 * @param resolvesWithin after what time at the latest it resolves by itself, as the wait of a party times out, or {@code
 *     null} when it never does or, as with a reply, nobody knows
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
     * @param waited since when it waits
     * @param timesOutIn when its wait ends by itself, or {@code null} when it does not
     * @param waitsAt where in the code it asked, or {@code null} when that was not recorded
     */
    public record Party(
            ContextRef context,
            List<Hold> holds,
            String waitsFor,
            long lockId,
            LockType lockType,
            Duration waited,
            @Nullable Duration timesOutIn,
            @Nullable String waitsAt) {
        /** Copies the list. */
        public Party {
            requireNonNull(context, "context");
            holds = List.copyOf(holds);
            requireNonNull(waitsFor, "waitsFor");
            requireNonNull(lockType, "lockType");
            requireNonNull(waited, "waited");
        }
    }

    /**
     * What one of them holds.
     *
     * @param lockName the lock's name, or {@code request <address>} for a reply that it owes
     * @param lockId tells locks of one name apart; 0 for a reply, and for a lock of the whole cluster
     * @param lockType the kind of the lock
     * @param held since when
     * @param scoped whether only the end of a {@code withLock} gives it back
     * @param heldAt where in the code it was asked for, or {@code null} when that was not recorded
     */
    public record Hold(
            String lockName,
            long lockId,
            LockType lockType,
            Duration held,
            boolean scoped,
            @Nullable String heldAt) {
        /** Checks that all parts are there. */
        public Hold {
            requireNonNull(lockName, "lockName");
            requireNonNull(lockType, "lockType");
            requireNonNull(held, "held");
        }
    }

    /** {@return the cycle in one sentence} */
    public String cycle() {
        return ExplanationText.cycle(this);
    }
}
