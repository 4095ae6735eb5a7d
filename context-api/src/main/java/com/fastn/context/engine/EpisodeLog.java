package com.fastn.context.engine;

import static java.util.Objects.requireNonNull;

import com.fastn.context.status.Cause;
import com.fastn.context.status.CauseKind;
import com.fastn.context.status.ContextRef;
import com.fastn.context.status.Explanation;
import com.fastn.context.status.RootCause;
import com.fastn.context.status.WaitEpisode;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Waits folded into the times in which somebody held others up; those that last, and the last ones that ended. Their order
 * and length are those of the monotonic clock; the wall clock, which may be set at any time, only says when one began.
 */
final class EpisodeLog {
    static final int MOST_ENDED = 50;
    private static final int MOST_OPEN = 50;

    @GuardedBy("this")
    private final Map<Long, Open> open = new LinkedHashMap<>();

    @GuardedBy("this")
    private final ArrayDeque<WaitEpisode> ended = new ArrayDeque<>();

    @GuardedBy("this")
    private boolean looked;

    @GuardedBy("this")
    private long lastLookNanos;

    /**
     * Takes in what is stuck at a moment. A look that is older than the last one is left out.
     *
     * @param stuck what is stuck
     * @param nanos the moment
     * @param wall what the wall clock showed at it
     */
    synchronized void fold(List<Explanation> stuck, long nanos, Instant wall) {
        if (looked && nanos - lastLookNanos < 0) {
            return;
        }
        looked = true;
        lastLookNanos = nanos;
        Map<Long, Seen> seen = new HashMap<>();
        for (Explanation each : stuck) {
            seen.computeIfAbsent(each.root().context().contextId(), id -> new Seen(each))
                    .add(each);
        }
        Iterator<Map.Entry<Long, Open>> left = open.entrySet().iterator();
        while (left.hasNext()) {
            Map.Entry<Long, Open> entry = left.next();
            if (!seen.containsKey(entry.getKey())) {
                left.remove();
                ended.addFirst(entry.getValue().episode(true, nanos));
                if (ended.size() > MOST_ENDED) {
                    ended.removeLast();
                }
            }
        }
        seen.forEach((root, what) -> {
            Open known = open.get(root);
            if (known == null && open.size() < MOST_OPEN) {
                known = new Open(wall.minus(what.longest), nanos - what.longest.toNanos());
                open.put(root, known);
            }
            if (known != null) {
                known.take(what);
            }
        });
    }

    /** The newest first. */
    synchronized List<WaitEpisode> list(long nanos) {
        List<Open> lasting = new ArrayList<>(open.values());
        lasting.sort(Comparator.comparingLong((Open each) -> nanos - each.startNanos));
        List<WaitEpisode> all = new ArrayList<>();
        lasting.forEach(each -> all.add(each.episode(false, nanos)));
        all.addAll(ended);
        return all;
    }

    synchronized boolean isAnyOpen() {
        return !open.isEmpty();
    }

    /** Those that are stuck behind one root at a moment. */
    private static final class Seen {
        final RootCause root;
        String name;
        Duration longest = Duration.ZERO;
        int waiters;

        Seen(Explanation first) {
            this.root = first.root();
            this.name = first.root().name();
        }

        void add(Explanation each) {
            Duration waited = each.root().since();
            int inCircle = 0;
            if (!each.chain().isEmpty()) {
                Cause first = each.chain().get(0);
                waited = first.waited();
                Cause last = each.chain().get(each.chain().size() - 1);
                inCircle = inCircle(each.chain(), last.next());
                name = inCircle > 0 || last.kind() == CauseKind.CHILD ? name : last.name();
            }
            longest = waited.compareTo(longest) > 0 ? waited : longest;
            waiters = Math.max(waiters, (int) Math.min(Integer.MAX_VALUE, each.freed() + inCircle));
        }

        /** How many wait for each other at the end of a chain: those from the last one that it leads to. */
        private static int inCircle(List<Cause> chain, ContextRef last) {
            for (int i = chain.size() - 1; i >= 0; i--) {
                if (chain.get(i).waiter().equals(last)) {
                    return chain.size() - i;
                }
            }
            return 0;
        }
    }

    /** An episode that lasts. */
    private static final class Open {
        private final Instant start;
        private final long startNanos;
        private CauseKind kind = CauseKind.UNKNOWN;
        private String name = "";
        private @Nullable ContextRef root;
        private String rootText = "";
        private int most;

        Open(Instant start, long startNanos) {
            this.start = start;
            this.startNanos = startNanos;
        }

        void take(Seen seen) {
            kind = seen.root.kind();
            name = seen.name;
            root = seen.root.context();
            rootText = seen.root.text();
            // The root itself may be the only one that is stuck.
            most = Math.max(most, Math.max(1, seen.waiters));
        }

        WaitEpisode episode(boolean ended, long nanos) {
            Duration lasted = Duration.ofNanos(Math.max(0, nanos - startNanos));
            return new WaitEpisode(
                    start,
                    ended ? start.plus(lasted) : null,
                    lasted,
                    kind,
                    name,
                    requireNonNull(root, "root"),
                    rootText,
                    most);
        }
    }
}
