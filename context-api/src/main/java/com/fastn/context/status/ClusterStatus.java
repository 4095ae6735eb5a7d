package com.fastn.context.status;

import static java.util.Objects.requireNonNull;

import com.fastn.context.WarningIds;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What the nodes of a cluster were doing, as one of them learned it by asking all of them.
 *
 * <p>A node that did not answer is listed with the reason, never left out. {@link #toString} is the plain drawing.
 *
 * @param timestamp when, by the wall clock of the node that answers
 * @param answeredBy the alias of the node that answers
 * @param nodes the nodes by alias
 */
public record ClusterStatus(Instant timestamp, String answeredBy, List<NodeStatus> nodes) {
    /** Copies the list. */
    public ClusterStatus {
        requireNonNull(timestamp, "timestamp");
        requireNonNull(answeredBy, "answeredBy");
        nodes = List.copyOf(nodes);
    }

    /** {@return whether every node answered, at least one, and the node that answers lists all that it has heard of} */
    public boolean isComplete() {
        return !nodes.isEmpty()
                && nodes.stream()
                        .allMatch(n -> n.snapshot() != null && !(isAnswering(n) && leavesNodesOut(n.snapshot())));
    }

    private boolean isAnswering(NodeStatus node) {
        return node.node().alias().equals(answeredBy);
    }

    private static boolean leavesNodesOut(StatusSnapshot snapshot) {
        return snapshot.warnings().stream().anyMatch(warning -> warning.id().equals(WarningIds.NODES_NOT_LISTED));
    }

    /**
     * {@return what all nodes that answered have counted together, by counter, over all their paths} Of two lives of one alias
     * each counts for itself; what a node had counted that is gone is gone with it.
     */
    public Map<String, Long> totalCounters() {
        Map<String, Long> totals = new TreeMap<>();
        for (NodeStatus node : nodes) {
            if (node.snapshot() != null) {
                node.snapshot()
                        .globalContext()
                        .subtreeTotalCounters()
                        .forEach((counter, total) -> totals.merge(counter, total, ClusterStatus::sum));
            }
        }
        return totals;
    }

    private static long sum(long one, long other) {
        try {
            return Math.addExact(one, other);
        } catch (ArithmeticException e) {
            return one < 0 ? Long.MIN_VALUE : Long.MAX_VALUE;
        }
    }

    /** {@return the plain drawing, in which the tree of a node has 60 lines at most and counts the rest} */
    @Override
    public String toString() {
        return StatusRenderer.plain()
                .maxTreeLines(StatusRenderer.USUAL_TREE_LINES)
                .render(this);
    }
}
