package com.fastn.status;

import com.fastn.context.Ticker;
import com.fastn.context.status.SnapshotDelta;
import com.fastn.context.status.StatusSnapshot;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What this node told last to those who ask, again and again, what has changed since. So that the next one is told the
 * difference, a few statuses are kept for a while. Threads: any.
 */
final class ToldSince {
    /** How long a status is kept for who asks what changed since. */
    static final Duration KEPT = Duration.ofMinutes(1);

    private static final int MOST = 8;
    /** A delta that is no longer is told without writing the whole, to see which of them is shorter. */
    private static final int SHORT_BYTES = 4_096;

    private final Ticker ticker;

    @GuardedBy("this")
    private final Deque<Told> told = new ArrayDeque<>();

    ToldSince(Ticker ticker) {
        this.ticker = ticker;
    }

    /**
     * Writes what is so now for somebody who has a former status.
     *
     * @param part which part of the tree it is about
     * @param version that of the former status
     * @param timestamp that of the former status, or {@code null} when it has none, and wants the whole
     * @param now what is so, within its limits
     * @param whole writes it
     * @return a delta where the former status is still known and the delta is the shorter of the two, or the whole
     */
    byte[] write(
            StatusQuery part,
            long version,
            @Nullable Instant timestamp,
            StatusSnapshot now,
            Function<StatusSnapshot, byte[]> whole) {
        StatusSnapshot base = timestamp == null ? null : find(part, version, timestamp);
        keep(part, now);
        if (base == null) {
            return whole.apply(now);
        }
        byte[] delta;
        try {
            delta = Answers.delta(SnapshotDelta.between(base, now));
        } catch (IllegalArgumentException e) {
            // Ids that are there twice: there is no difference that could be told.
            return whole.apply(now);
        }
        if (delta.length <= SHORT_BYTES) {
            return delta;
        }
        byte[] all = whole.apply(now);
        return delta.length < all.length ? delta : all;
    }

    /**
     * {@return whether this was told lately} A version alone may be of another life of this node's alias (rule D3). Who asks again
     * before it is forgotten keeps it.
     *
     * @param part which part of the tree it is about
     * @param version that of the status
     * @param timestamp that of the status, or {@code null} when nobody knows it
     */
    @SuppressWarnings("ReferenceEquality") // the same, not an equal one: records compare their whole trees
    synchronized boolean knows(StatusQuery part, long version, @Nullable Instant timestamp) {
        StatusSnapshot known = timestamp == null ? null : find(part, version, timestamp);
        if (known == null) {
            return false;
        }
        told.removeIf(each -> each.snapshot == known);
        keep(part, known);
        return true;
    }

    private synchronized @Nullable StatusSnapshot find(StatusQuery part, long version, Instant timestamp) {
        forgetOld();
        for (Told each : told) {
            if (each.snapshot.version() == version
                    && each.snapshot.timestamp().equals(timestamp)
                    && each.part.equals(part)) {
                return each.snapshot;
            }
        }
        return null;
    }

    private synchronized void keep(StatusQuery part, StatusSnapshot snapshot) {
        told.addFirst(new Told(part, snapshot, ticker.nanos()));
        if (told.size() > MOST) {
            told.removeLast();
        }
    }

    /** {@return whether any is left after those are forgotten that are too old} */
    synchronized boolean forgetOld() {
        told.removeIf(each -> ticker.nanos() - each.nanos > KEPT.toNanos());
        return !told.isEmpty();
    }

    private record Told(StatusQuery part, StatusSnapshot snapshot, long nanos) {}
}
