package com.fastn.status.stream;

import com.fastn.context.status.NodeState;
import com.fastn.context.status.NodeStatus;
import com.fastn.context.status.StatusSnapshot;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What of a row goes on by itself, and what of it is news though the tree tells nothing. A node that is silent gets older; one
 * that speaks was heard a moment ago, whenever that is.
 */
public final class Silence {
    /** An age that is younger than it would be by so much is of a word that came meanwhile, and not of a look that took long. */
    private static final Duration SLACK = Duration.ofMillis(1_500);

    /** That only numbers of nodes changed is told no more often: of nodes of which no tree is told each hello has others. */
    public static final Duration NUMBERS_PACE = Duration.ofSeconds(5);

    private Silence() {}

    /**
     * {@return a row as it is later, if nothing happens}
     *
     * @param row what was so
     * @param since how long ago
     */
    public static NodeStatus later(NodeStatus row, Duration since) {
        return since.isZero() || speaks(row)
                ? row
                : new NodeStatus(
                        row.node(), row.state(), row.age().plus(since), row.reason(), row.summary(), row.snapshot());
    }

    /**
     * {@return the rows as they are later, if nothing happens}
     *
     * @param rows what was so
     * @param since how long ago
     */
    public static List<NodeStatus> later(List<NodeStatus> rows, Duration since) {
        return rows.stream().map(row -> later(row, since)).toList();
    }

    /**
     * {@return whether rows tell the same of the nodes, their trees apart} Where a tree tells the numbers of its node, they are
     * part of it.
     *
     * @param rows what is so
     * @param before what was so
     * @param since how long ago
     */
    public static boolean tellTheSame(List<NodeStatus> rows, List<NodeStatus> before, Duration since) {
        return tellTheSame(rows, before, since, true);
    }

    /**
     * {@return whether rows tell the same of the nodes, their trees apart, but for numbers that were told before and are others now}
     *
     * @param rows what is so
     * @param before what was so
     * @param since how long ago
     */
    public static boolean tellTheSameButNumbers(List<NodeStatus> rows, List<NodeStatus> before, Duration since) {
        return tellTheSame(rows, before, since, false);
    }

    private static boolean tellTheSame(
            List<NodeStatus> rows, List<NodeStatus> before, Duration since, boolean numbers) {
        if (rows.size() != before.size()) {
            return false;
        }
        for (int i = 0; i < rows.size(); i++) {
            if (!tellsTheSame(rows.get(i), before.get(i), since, numbers)) {
                return false;
            }
        }
        return true;
    }

    private static boolean tellsTheSame(NodeStatus row, NodeStatus before, Duration since, boolean numbers) {
        return row.node().equals(before.node())
                && row.state() == before.state()
                && Objects.equals(row.reason(), before.reason())
                && (countsItself(row.snapshot())
                        || Objects.equals(row.summary(), before.summary())
                        || (!numbers && row.summary() != null && before.summary() != null))
                && (speaks(row) || row.age().plus(SLACK).compareTo(before.age().plus(since)) >= 0);
    }

    /**
     * {@return whether the numbers of the node follow from what is told of its tree} Of a part they are not those of the node.
     *
     * @param snapshot what is told
     */
    public static boolean countsItself(@Nullable StatusSnapshot snapshot) {
        return snapshot != null && snapshot.globalContext().path().depth() == 1;
    }

    private static boolean speaks(NodeStatus row) {
        return row.state() == NodeState.UP || row.state() == NodeState.CONFLICT;
    }
}
