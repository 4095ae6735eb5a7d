package com.fastn.status.deadlock;

import static java.util.Objects.requireNonNull;

import com.fastn.context.status.ContextRef;
import com.fastn.context.status.DeadlockReport;
import com.fastn.context.status.NodeIdentity;
import com.fastn.context.status.NodeWaits;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Contexts of one or more nodes, each of which waits for what the next one holds, and the last for what the first one does.
 *
 * @param proven whether every hold provably lasts as long as the wait of its holder; otherwise one of them may still be given
 *     back by another branch of its context
 * @param steps the waits in their order, each with the hold that it waits for
 */
public record ClusterCycle(boolean proven, List<Step> steps) {
    private static final int MOST_PARTIES = 16;

    /** Copies the list. */
    public ClusterCycle {
        steps = List.copyOf(steps);
        if (steps.isEmpty()) {
            throw new IllegalArgumentException("a cycle has at least one step");
        }
    }

    /**
     * One wait of a cycle.
     *
     * @param waiter who waits
     * @param waiting its wait
     * @param resource what for, without those who hold and wait
     * @param holder who holds it: the context of the next step, or one whose work waits there
     * @param hold its hold
     */
    public record Step(
            Party waiter, NodeWaits.Wait waiting, NodeWaits.Resource resource, Party holder, NodeWaits.Hold hold) {
        /** Checks that all parts are there. */
        public Step {
            requireNonNull(waiter, "waiter");
            requireNonNull(waiting, "waiting");
            requireNonNull(resource, "resource");
            requireNonNull(holder, "holder");
            requireNonNull(hold, "hold");
        }

        Edge edge() {
            return new Edge(
                    waiter.node().incarnation(), waiting.number(), holder.node().incarnation(), hold.number());
        }
    }

    /**
     * A context of a node.
     *
     * @param node the node
     * @param context the context
     */
    public record Party(NodeIdentity node, NodeWaits.Member context) {
        boolean is(Party other) {
            return node.equals(other.node) && context.contextId() == other.context.contextId();
        }

        ContextRef ref() {
            return new ContextRef(
                    node,
                    context.contextId(),
                    context.path(),
                    context.label(),
                    context.shortName() + "@" + node.alias());
        }
    }

    /** A wait and the hold that it waits for, by the lives of their nodes and their numbers there: never two of them are equal. */
    record Edge(String waitNode, long waitNumber, String holdNode, long holdNumber) {}

    /** {@return what tells this cycle from all others that there ever are} */
    Set<Edge> identity() {
        Set<Edge> edges = new HashSet<>();
        steps.forEach(step -> edges.add(step.edge()));
        return edges;
    }

    /** {@return the incarnations of the nodes that it leads over} */
    public Set<String> nodes() {
        Set<String> nodes = new HashSet<>();
        for (Step step : steps) {
            nodes.add(step.waiter().node().incarnation());
            nodes.add(step.holder().node().incarnation());
        }
        return nodes;
    }

    /**
     * {@return whether somebody in it waits for what another node may have} What is in the locks of one node alone is found by
     * that node itself.
     */
    boolean leadsOut() {
        return steps.stream().anyMatch(step -> step.resource().kind() != NodeWaits.Kind.LOCK);
    }

    /** {@return whether another node holds a lock of the cluster too that is held in this, by the holders of each such lock} */
    boolean isHeldElsewhere(Map<String, Set<String>> sharedHolders) {
        return steps.stream()
                .filter(step -> step.resource().kind() == NodeWaits.Kind.SHARED)
                .anyMatch(step -> sharedHolders.getOrDefault(step.resource().key(), Set.of()).stream()
                        .anyMatch(node -> !node.equals(step.holder().node().incarnation())));
    }

    /**
     * {@return the incarnation of the node that tells of it} It is the least of those on which somebody waits for what another
     * node may have, and that therefore look for cycles: all nodes that find it agree on that.
     */
    public String reporter() {
        return steps.stream()
                .filter(step -> step.resource().kind() != NodeWaits.Kind.LOCK)
                .map(step -> step.waiter().node().incarnation())
                .min(String::compareTo)
                .orElseGet(() -> steps.get(0).waiter().node().incarnation());
    }

    /**
     * Makes the report.
     *
     * @param foundAt when it was found
     * @param since how long ago the nodes told of it, which their waits and holds are older by
     * @return the report
     */
    DeadlockReport report(Instant foundAt, Duration since) {
        List<DeadlockReport.Party> parties = new ArrayList<>();
        Duration resolves = null;
        int size = steps.size();
        for (int i = 0; i < size; i++) {
            Step step = steps.get(i);
            Step before = steps.get((i + size - 1) % size);
            Duration timesOut = left(step.waiting().timesOutIn(), since);
            resolves = timesOut != null && (resolves == null || timesOut.compareTo(resolves) < 0) ? timesOut : resolves;
            if (parties.size() < MOST_PARTIES) {
                parties.add(new DeadlockReport.Party(
                        step.waiter().ref(),
                        List.of(new DeadlockReport.Hold(
                                before.resource().name(),
                                before.resource().lockId(),
                                before.resource().type(),
                                null,
                                0,
                                0,
                                before.hold().held().plus(since),
                                before.hold().scoped(),
                                null,
                                before.holder().is(step.waiter())
                                        ? null
                                        : before.holder().ref())),
                        step.resource().name(),
                        step.resource().lockId(),
                        step.resource().type(),
                        step.waiting().waited().plus(since),
                        timesOut,
                        null));
            }
        }
        return new DeadlockReport(proven, foundAt, parties, size, resolves);
    }

    private static @Nullable Duration left(@Nullable Duration timesOutIn, Duration since) {
        if (timesOutIn == null) {
            return null;
        }
        Duration left = timesOutIn.minus(since);
        return left.isNegative() ? Duration.ZERO : left;
    }
}
