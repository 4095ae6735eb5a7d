package com.fastn.status.cli;

import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.NodeState;
import com.fastn.context.status.NodeStatus;
import com.fastn.context.status.NodeSummary;
import com.fastn.context.status.StatusJson;
import com.fastn.context.status.StatusRenderer;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.context.status.StatusWarning;
import com.fastn.context.status.WarningSeverity;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.UnaryOperator;

/** What a node said: about itself alone, or about several nodes. */
sealed interface Answer {

    /** {@return the drawing for people} */
    String drawn(StatusRenderer renderer);

    /** {@return the JSON for programs} */
    String json(boolean pretty);

    /** {@return sentences on what is missing or cannot be told apart; empty when all is well} */
    List<String> gaps();

    /** {@return when it was made, by the clock of who answered} */
    Instant at();

    /** {@return the nodes that it is about, those that did not answer included} */
    List<NodeStatus> rows();

    /** {@return the same with other statuses of its nodes} */
    Answer with(UnaryOperator<StatusSnapshot> change);

    /** {@return the same with the trees in another shape} */
    default Answer shaped(TreeShape shape) {
        return shape.isNone() ? this : with(shape::of);
    }

    /** {@return whether a warning in it is at least that bad} */
    default boolean hasWarning(WarningSeverity least) {
        return rows().stream()
                .map(NodeStatus::snapshot)
                .filter(Objects::nonNull)
                .flatMap(snapshot -> snapshot.warnings().stream())
                .map(StatusWarning::severity)
                .anyMatch(severity -> severity.compareTo(least) >= 0);
    }

    /**
     * One node about itself.
     *
     * @param snapshot what it said
     */
    record OfNode(StatusSnapshot snapshot) implements Answer {
        @Override
        public String drawn(StatusRenderer renderer) {
            return renderer.render(snapshot);
        }

        @Override
        public String json(boolean pretty) {
            return pretty ? StatusJson.writePretty(snapshot) : StatusJson.write(snapshot);
        }

        @Override
        public List<String> gaps() {
            return List.of();
        }

        @Override
        public Instant at() {
            return snapshot.timestamp();
        }

        @Override
        public List<NodeStatus> rows() {
            return List.of(new NodeStatus(
                    snapshot.node(), NodeState.UP, Duration.ZERO, null, NodeSummary.of(snapshot), snapshot));
        }

        @Override
        public Answer with(UnaryOperator<StatusSnapshot> change) {
            return new OfNode(change.apply(snapshot));
        }
    }

    /**
     * One node about several.
     *
     * @param cluster what it said
     */
    record OfCluster(ClusterStatus cluster) implements Answer {
        @Override
        public String drawn(StatusRenderer renderer) {
            return renderer.render(cluster);
        }

        @Override
        public String json(boolean pretty) {
            return pretty ? StatusJson.writePretty(cluster) : StatusJson.write(cluster);
        }

        @Override
        public List<String> gaps() {
            List<String> gaps = new ArrayList<>();
            List<String> silent = aliases(cluster.nodes().stream()
                    .filter(node -> node.snapshot() == null)
                    .toList());
            if (!silent.isEmpty()) {
                gaps.add("%d of %d nodes did not answer: %s"
                        .formatted(silent.size(), cluster.nodes().size(), String.join(", ", silent)));
            }
            List<String> shared = aliases(cluster.nodes().stream()
                    .filter(node -> node.state() == NodeState.CONFLICT)
                    .toList());
            if (!shared.isEmpty()) {
                gaps.add("live nodes share an alias: %s; give each an alias of its own"
                        .formatted(String.join(", ", shared)));
            }
            return gaps;
        }

        @Override
        public Instant at() {
            return cluster.timestamp();
        }

        @Override
        public List<NodeStatus> rows() {
            return cluster.nodes();
        }

        @Override
        public Answer with(UnaryOperator<StatusSnapshot> change) {
            return new OfCluster(new ClusterStatus(
                    cluster.timestamp(),
                    cluster.answeredBy(),
                    cluster.nodes().stream()
                            .map(node -> {
                                StatusSnapshot snapshot = node.snapshot();
                                return snapshot == null
                                        ? node
                                        : new NodeStatus(
                                                node.node(),
                                                node.state(),
                                                node.age(),
                                                node.reason(),
                                                node.summary(),
                                                change.apply(snapshot));
                            })
                            .toList()));
        }

        private static List<String> aliases(List<NodeStatus> nodes) {
            return nodes.stream()
                    .map(node -> Printable.line(node.node().alias()))
                    .distinct()
                    .toList();
        }
    }
}
