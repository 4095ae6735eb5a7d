package com.fastn.status;

import com.fastn.context.event.ContextEvent;
import com.fastn.context.status.ContextPath;
import com.fastn.context.status.LockStatus;
import com.fastn.context.status.LockType;
import com.fastn.context.status.LockWaiter;
import com.fastn.context.status.NodeIdentity;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.context.status.StatusWarning;
import com.fastn.context.status.WarningSeverity;
import com.fastn.context.vertx.EventFrame;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What the event frames of nodes add up to: the last state of their locks and counters, and whether anything changed.
 *
 * <p>Frames of a stream are numbered. One that was seen already is left out, a hole or a report of dropped events makes a
 * full snapshot due, and until it comes the state of that node is not to be relied on (rule D1). Two lives of one alias
 * are two nodes (rule D3). Not thread-safe: it belongs to one Vert.x context, or to a test.
 */
final class StatusAggregator {
    /** What a flood of frames may fill (rule S16); a node beyond it is not followed, and is told apart by {@link #isFull}. */
    private static final int MOST_NODES = 1_000;

    private static final int MOST_VALUES = 100_000;

    private final Map<NodeIdentity, Node> nodes = new HashMap<>();
    private boolean full;

    /**
     * Takes a frame.
     *
     * @param stream which of the node's streams it belongs to
     * @param frame the frame
     * @return whether it changed anything
     */
    boolean apply(String stream, EventFrame frame) {
        Node node = node(new NodeIdentity(frame.node(), frame.incarnation()));
        if (node == null) {
            return false;
        }
        long first = frame.firstSequence();
        long next = first + frame.events().size();
        Long expected = node.nextSequence.get(stream);
        if (frame.dropped() > 0) {
            node.dropped += frame.dropped();
            node.fullDue = true;
        }
        if (expected != null && first > expected) {
            node.gaps++;
            node.fullDue = true;
        }
        // The beginning of a frame may have been seen, when two frames overlap.
        long skip = expected == null ? 0 : Math.max(0, expected - first);
        if (skip >= frame.events().size() && frame.dropped() == 0) {
            return false;
        }
        boolean changed = frame.dropped() > 0;
        for (int i = (int) skip; i < frame.events().size(); i++) {
            changed |= node.apply(frame.events().get(i));
        }
        node.nextSequence.merge(stream, next, Math::max);
        return changed;
    }

    /**
     * Takes a full snapshot of a node, which sets its state right.
     *
     * @param snapshot the snapshot
     * @return whether it differs from what was known in anything but the passing of time
     */
    boolean apply(StatusSnapshot snapshot) {
        Node node = node(snapshot.node());
        return node != null && node.replace(snapshot);
    }

    private @Nullable Node node(NodeIdentity identity) {
        Node node = nodes.get(identity);
        if (node == null) {
            if (nodes.size() >= MOST_NODES) {
                full = true;
                return null;
            }
            node = new Node();
            nodes.put(identity, node);
        }
        return node;
    }

    /**
     * {@return whether a full snapshot of a node is due, because something was missed}
     *
     * @param identity the node
     */
    boolean needsFull(NodeIdentity identity) {
        Node node = nodes.get(identity);
        return node == null || node.fullDue;
    }

    /**
     * {@return how many events of a node were dropped on their way, as far as it is known}
     *
     * @param identity the node
     */
    long dropped(NodeIdentity identity) {
        Node node = nodes.get(identity);
        return node == null ? 0 : node.dropped;
    }

    /**
     * {@return how many holes there were in a node's streams}
     *
     * @param identity the node
     */
    long gaps(NodeIdentity identity) {
        Node node = nodes.get(identity);
        return node == null ? 0 : node.gaps;
    }

    /** {@return whether nodes are not followed because there are too many} */
    boolean isFull() {
        return full;
    }

    /**
     * {@return the holders of a lock by their context ids; none when it is free or not known}
     *
     * @param identity the lock's node
     * @param lockId the lock
     */
    Set<Long> holders(NodeIdentity identity, long lockId) {
        Node node = nodes.get(identity);
        return node == null ? Set.of() : Set.copyOf(node.holders.getOrDefault(lockId, Set.of()));
    }

    /**
     * {@return the contexts that wait for a lock}
     *
     * @param identity the lock's node
     * @param lockId the lock
     */
    Set<Long> waiters(NodeIdentity identity, long lockId) {
        Node node = nodes.get(identity);
        return node == null ? Set.of() : Set.copyOf(node.waiters.getOrDefault(lockId, Set.of()));
    }

    /**
     * {@return the last known total of a counter, or {@code null} when it is not known}
     *
     * @param identity the counter's node
     * @param path the counter's path
     * @param counter its name
     */
    @Nullable
    Long total(NodeIdentity identity, ContextPath path, String counter) {
        Node node = nodes.get(identity);
        Count count = node == null ? null : node.counters.get(new CounterKey(path, counter));
        return count == null ? null : count.total();
    }

    // Mutable state
    private static final class Node {
        private final Map<String, Long> nextSequence = new HashMap<>();
        private final Map<Long, Set<Long>> holders = new HashMap<>();
        private final Map<Long, Set<Long>> waiters = new HashMap<>();
        private final Map<CounterKey, Count> counters = new HashMap<>();
        private Set<WarningKey> warnings = Set.of();
        private @Nullable Long version;
        private boolean fullDue = true;
        private long dropped;
        private long gaps;

        boolean apply(ContextEvent event) {
            if (event instanceof ContextEvent.LockHeld held) {
                leave(waiters, held.lockId(), held.contextId());
                return room(holders) && hold(held);
            }
            if (event instanceof ContextEvent.LockReleased released) {
                return leave(holders, released.lockId(), released.contextId());
            }
            if (event instanceof ContextEvent.WaitStarted started) {
                return room(waiters)
                        && waiters.computeIfAbsent(started.lockId(), id -> new HashSet<>())
                                .add(started.contextId());
            }
            if (event instanceof ContextEvent.WaitEnded ended) {
                return leave(waiters, ended.lockId(), ended.contextId());
            }
            if (event instanceof ContextEvent.CounterChanged counted) {
                Count count = new Count(counted.total(), counted.live());
                return room(counters)
                        && !count.equals(counters.put(new CounterKey(counted.path(), counted.counter()), count));
            }
            // Whatever else happened to a context shows in its row.
            return true;
        }

        private boolean hold(ContextEvent.LockHeld held) {
            Set<Long> all = holders.computeIfAbsent(held.lockId(), id -> new HashSet<>());
            if (held.lockType() == LockType.MUTEX) {
                // Its release by another context may be told of later.
                all.retainAll(Set.of(held.contextId()));
            }
            return all.add(held.contextId());
        }

        private static boolean leave(Map<Long, Set<Long>> contexts, long lockId, long contextId) {
            Set<Long> all = contexts.get(lockId);
            if (all == null || !all.remove(contextId)) {
                return false;
            }
            if (all.isEmpty()) {
                contexts.remove(lockId);
            }
            return true;
        }

        /** Beyond the limit only a full snapshot tells the truth. */
        private boolean room(Map<?, ?> map) {
            if (map.size() < MOST_VALUES) {
                return true;
            }
            fullDue = true;
            map.clear();
            return true;
        }

        boolean replace(StatusSnapshot snapshot) {
            holders.clear();
            waiters.clear();
            for (LockStatus lock : snapshot.activeLocks()) {
                holders.computeIfAbsent(lock.lockId(), id -> new HashSet<>()).add(lock.holderId());
            }
            for (LockWaiter waiter : snapshot.lockWaiters()) {
                waiters.computeIfAbsent(waiter.lockId(), id -> new HashSet<>()).add(waiter.contextId());
            }
            Set<WarningKey> warned = new HashSet<>();
            for (StatusWarning warning : snapshot.warnings()) {
                // The words of a warning hold durations, which pass.
                warned.add(new WarningKey(warning.id(), warning.severity(), warning.contextPath()));
            }
            boolean changed = version == null || version != snapshot.version() || !warned.equals(warnings);
            version = snapshot.version();
            warnings = warned;
            fullDue = false;
            return changed;
        }
    }

    private record CounterKey(ContextPath path, String counter) {}

    private record Count(long total, long live) {}

    private record WarningKey(String id, WarningSeverity severity, String contextPath) {}
}
