package com.fastn.status;

import static java.util.Objects.requireNonNull;

import com.fastn.context.status.Explanation;
import com.fastn.context.status.NodeStatus;
import com.fastn.context.status.StatusRenderer;
import java.util.List;

/**
 * Why contexts of a cluster are stuck, as one of its nodes found by asking all of them.
 *
 * <p>Only an empty list that is complete says that nobody is stuck: what a node that did not answer is doing, nobody knows.
 * {@link #toString} is the plain drawing.
 *
 * @param answeredBy the alias of the node that asked the others
 * @param complete whether every node answered, and the one that asked lists all nodes that it has heard of
 * @param count how many contexts are stuck
 * @param explanations why, of the first 100 of them, those whose root holds up the most first
 * @param unanswered the nodes that did not answer, each with the reason; of more than 100 the first
 */
public record ClusterExplanations(
        String answeredBy, boolean complete, long count, List<Explanation> explanations, List<NodeStatus> unanswered) {
    /**
     * Copies the lists.
     *
     * @param answeredBy the alias of the node that asked the others
     * @param complete whether every node answered
     * @param count how many contexts are stuck
     * @param explanations why
     * @param unanswered the nodes that did not answer
     */
    public ClusterExplanations {
        requireNonNull(answeredBy, "answeredBy");
        explanations = List.copyOf(explanations);
        unanswered = List.copyOf(unanswered);
    }

    /** {@return the plain drawing, with the nodes that did not answer below} */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(StatusRenderer.plain().render(explanations));
        if (!complete) {
            text.append('\n').append(Explanations.NOT_ALL);
            for (NodeStatus node : unanswered) {
                String reason = node.reason();
                text.append("  ")
                        .append(Printable.line(node.node().alias()))
                        .append(reason == null ? "" : ": " + Printable.line(reason))
                        .append('\n');
            }
        }
        return text.toString();
    }
}
