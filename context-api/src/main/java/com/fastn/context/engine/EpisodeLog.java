package com.fastn.context.engine;

import static java.util.Objects.requireNonNull;

import com.fastn.context.status.Cause;
import com.fastn.context.status.CauseKind;
import com.fastn.context.status.ContextRef;
import com.fastn.context.status.DeadlockReport;
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
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Waits folded into the times in which somebody held others up; those that last, and the last ones that ended, with the slow
 * operations that have ended and held up nobody else. Their order and length are those of the monotonic clock; the wall
 * clock, which may be set at any time, only says when one began.
 */
final class EpisodeLog {
    static final int MOST_ENDED = 50;
    private static final int MOST_OPEN = 50;
    /** So many that were stuck last are known of each episode, for when their own operations end: as many as a look tells. */
    static final int MOST_STUCK_KNOWN = 1_000;

    @GuardedBy("this")
    private final Map<Key, Stall> open = new LinkedHashMap<>();

    /** The newest first. */
    @GuardedBy("this")
    private final ArrayDeque<Stall> ended = new ArrayDeque<>();

    @GuardedBy("this")
    private final SlowOperations slow = new SlowOperations();

    @GuardedBy("this")
    private boolean looked;

    @GuardedBy("this")
    private long lastLookNanos;

    /**
     * Takes in what is stuck at a moment, but for those that nothing but a slow operation of their own keeps: that is told when
     * it has ended, and once. A look that is older than the last one is left out.
     *
     * @param all what is stuck
     * @param nanos the moment
     * @param wall what the wall clock showed at it
     */
    synchronized void fold(List<Explanation> all, long nanos, Instant wall) {
        if (looked && nanos - lastLookNanos < 0) {
            return;
        }
        looked = true;
        lastLookNanos = nanos;
        Map<Key, Seen> seen = new LinkedHashMap<>();
        List<Explanation> stuck =
                all.stream().filter(each -> !isAloneInOperation(each)).toList();
        Map<Long, Key> keys = keys(stuck);
        for (Explanation each : stuck) {
            Key key = requireNonNull(keys.get(each.root().context().contextId()), "a key");
            seen.computeIfAbsent(key, id -> new Seen(each)).add(each);
        }
        Iterator<Map.Entry<Key, Stall>> left = open.entrySet().iterator();
        while (left.hasNext()) {
            Map.Entry<Key, Stall> entry = left.next();
            // One that was found after the moment of this look is not over because the look has not seen it.
            if (!seen.containsKey(entry.getKey()) && nanos - entry.getValue().seenNanos >= 0) {
                left.remove();
                end(entry.getValue(), nanos);
            }
        }
        seen.forEach((key, what) -> {
            Stall known = open.get(key);
            if (known == null && open.size() < MOST_OPEN) {
                known = begun(what, nanos, wall);
                open.put(key, known);
            }
            if (known != null) {
                known.take(what, nanos);
            }
        });
    }

    /**
     * Takes in a deadlock at the moment at which it was found: it may be over when somebody looks. The next look, which knows it
     * by the same root, goes on with it or ends it.
     *
     * @param deadlock all of whose parties are of this node
     * @param nanos the moment
     * @param wall what the wall clock showed at it
     */
    synchronized void found(DeadlockReport deadlock, long nanos, Instant wall) {
        Key key = new Key(false, deadlock.parties().get(0).context().contextId());
        Stall known = open.get(key);
        if (known == null && open.size() < MOST_OPEN) {
            Duration longest = deadlock.parties().stream()
                    .map(DeadlockReport.Party::waited)
                    .max(Comparator.naturalOrder())
                    .orElse(Duration.ZERO);
            known = new Stall(wall.minus(longest), nanos - longest.toNanos());
            open.put(key, known);
        }
        if (known != null) {
            known.take(deadlock, nanos);
        }
    }

    /** Begins an episode. One goes on if its root is still in the operation for which others had waited before they left. */
    @GuardedBy("this")
    private Stall begun(Seen what, long nanos, Instant wall) {
        long rootNanos = nanos - what.root.since().toNanos();
        for (Stall each : ended) {
            if (what.root.kind() == CauseKind.OPERATION
                    && each.isOf(what.root.context().contextId(), what.root.name())
                    && each.endNanos - rootNanos >= 0) {
                ended.remove(each);
                return each;
            }
        }
        return new Stall(wall.minus(what.longest), nanos - what.longest.toNanos());
    }

    private static boolean isAloneInOperation(Explanation each) {
        return each.root().kind() == CauseKind.OPERATION && each.freed() == 0;
    }

    @GuardedBy("this")
    private void end(Stall episode, long nanos) {
        episode.endNanos = nanos;
        ended.addFirst(episode);
        if (ended.size() > MOST_ENDED) {
            ended.removeLast();
        }
    }

    /**
     * Takes in an operation that was slow and has ended. It is an episode of its own unless it is part of one that is known: of
     * its context, or of another one behind which its context was stuck.
     */
    synchronized void ended(SlowOperations.Ended operation) {
        for (Stall each : open.values()) {
            if (each.isOf(operation.inside().id(), operation.name())) {
                each.begunBy(operation.startNanos());
                return;
            }
            if (each.explains(operation, operation.endNanos())) {
                return;
            }
        }
        for (Stall each : ended) {
            if (each.isOf(operation.inside().id(), operation.name()) && each.endNanos - operation.startNanos() >= 0) {
                each.begunBy(operation.startNanos());
                each.endsAt(operation.endNanos());
                return;
            }
            if (each.explains(operation, each.endNanos)) {
                return;
            }
        }
        slow.add(operation);
    }

    /**
     * What an episode is of, by the context at its root: that context; but where a lock goes from one to the next, so that there
     * is another root at each look, that lock. It stays the lock's while somebody is stuck on it: those who came after the last
     * hand-off do not see that it moves, and are in the same stall.
     */
    @GuardedBy("this")
    private Map<Long, Key> keys(List<Explanation> stuck) {
        Map<Long, Key> keys = new HashMap<>();
        for (Explanation each : stuck) {
            long root = each.root().context().contextId();
            Key own = new Key(false, root);
            Cause last = each.chain().isEmpty()
                    ? null
                    : each.chain().get(each.chain().size() - 1);
            if (last != null && last.lockId() != 0 && Seen.inCircle(each.chain(), last.next()) == 0) {
                Key lock = new Key(true, last.lockId());
                boolean isOfLock = last.isOfMovingQueue() || (open.containsKey(lock) && !open.containsKey(own));
                keys.merge(root, isOfLock ? lock : own, (before, now) -> now.isLock ? now : before);
            } else {
                keys.putIfAbsent(root, own);
            }
        }
        return keys;
    }

    private record Key(boolean isLock, long id) {}

    /** The newest first. */
    synchronized List<WaitEpisode> list(long nanos) {
        List<Stall> lasting = new ArrayList<>(open.values());
        lasting.sort(Comparator.comparingLong((Stall each) -> nanos - each.startNanos));
        List<WaitEpisode> all = new ArrayList<>();
        lasting.forEach(each -> all.add(each.episode(false, nanos)));
        List<Told> over = new ArrayList<>();
        ended.forEach(each -> over.add(new Told(each.endNanos, each.episode(true, each.endNanos))));
        slow.addTo(over);
        over.sort(Comparator.comparingLong(each -> nanos - each.endNanos));
        over.stream().limit(MOST_ENDED).forEach(each -> all.add(each.episode));
        return all;
    }

    /** An episode that has ended, and when. */
    record Told(long endNanos, WaitEpisode episode) {}

    synchronized boolean isAnyOpen() {
        return !open.isEmpty();
    }

    /** Those that are stuck behind one root at a moment. */
    private static final class Seen {
        final RootCause root;
        String name;
        final Set<Long> stuck = new HashSet<>();
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
            stuck.add(each.stuck().contextId());
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

    /** An episode that was seen while it lasted. */
    private static final class Stall {
        /** Those that were seen last are the last. */
        private final Set<Long> stuck = new LinkedHashSet<>();

        private Instant start;
        private long startNanos;
        /** Once it has ended. */
        private long endNanos;

        private long seenNanos;
        private CauseKind kind = CauseKind.UNKNOWN;
        private String name = "";
        private @Nullable ContextRef root;
        private String rootText = "";
        private String rootName = "";
        private int most;

        Stall(Instant start, long startNanos) {
            this.start = start;
            this.startNanos = startNanos;
        }

        void take(Seen seen, long nanos) {
            seenNanos = nanos;
            kind = seen.root.kind();
            name = seen.name;
            root = seen.root.context();
            rootText = seen.root.text();
            rootName = seen.root.name();
            // The root itself may be the only one that is stuck.
            take(seen.stuck, Math.max(1, seen.waiters));
        }

        void take(DeadlockReport deadlock, long nanos) {
            DeadlockReport.Party first = deadlock.parties().get(0);
            seenNanos = nanos;
            kind = CauseKind.LOCK;
            name = first.waitsFor();
            root = first.context();
            rootText = deadlock.cycle();
            rootName = name;
            Set<Long> parties = new LinkedHashSet<>();
            deadlock.parties().forEach(party -> parties.add(party.context().contextId()));
            take(parties, deadlock.size());
        }

        private void take(Set<Long> seen, int waiters) {
            most = Math.max(most, waiters);
            stuck.removeAll(seen);
            stuck.addAll(seen);
            Iterator<Long> oldest = stuck.iterator();
            for (int over = stuck.size() - MOST_STUCK_KNOWN; over > 0; over--) {
                oldest.next();
                oldest.remove();
            }
        }

        void begunBy(long nanos) {
            if (nanos - startNanos < 0) {
                start = start.minusNanos(startNanos - nanos);
                startNanos = nanos;
            }
        }

        void endsAt(long nanos) {
            endNanos = nanos - endNanos > 0 ? nanos : endNanos;
        }

        boolean hasRoot(long contextId) {
            return requireNonNull(root, "root").contextId() == contextId;
        }

        /** Whether an operation is what the root was seen in. */
        boolean isOf(long contextId, String operation) {
            return kind == CauseKind.OPERATION && hasRoot(contextId) && rootName.equals(operation);
        }

        /** Whether an operation was slow because its context was stuck here: without that time it was not. */
        boolean explains(SlowOperations.Ended operation, long untilNanos) {
            long ended = untilNanos - operation.endNanos() > 0 ? operation.endNanos() : untilNanos;
            long begun = startNanos - operation.startNanos() > 0 ? startNanos : operation.startNanos();
            long both = Math.max(0, ended - begun);
            long context = operation.inside().id();
            return (stuck.contains(context) || hasRoot(context))
                    && operation.elapsed().toNanos() - both <= operation.slowNanos();
        }

        WaitEpisode episode(boolean over, long nanos) {
            Duration lasted = Duration.ofNanos(Math.max(0, nanos - startNanos));
            return new WaitEpisode(
                    start,
                    over ? start.plus(lasted) : null,
                    lasted,
                    kind,
                    name,
                    requireNonNull(root, "root"),
                    rootText,
                    most);
        }
    }
}
