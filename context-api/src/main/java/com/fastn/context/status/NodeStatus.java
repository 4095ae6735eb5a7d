package com.fastn.context.status;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * One node of the cluster, as the node that answers knows it.
 *
 * @param node who it is
 * @param state whether it answered
 * @param age since it was last heard of, by the clock of the node that answers
 * @param reason why there is no snapshot, or what is wrong with the node, or {@code null}
 * @param summary its last known summary, or {@code null} when there is none
 * @param snapshot what it answered, or {@code null} when it did not
 */
public record NodeStatus(
        NodeIdentity node,
        NodeState state,
        Duration age,
        @Nullable String reason,
        @Nullable NodeSummary summary,
        @Nullable StatusSnapshot snapshot) {
    /** Checks that all parts are there. */
    public NodeStatus {
        requireNonNull(node, "node");
        requireNonNull(state, "state");
        requireNonNull(age, "age");
    }
}
