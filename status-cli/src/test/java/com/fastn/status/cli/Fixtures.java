package com.fastn.status.cli;

import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.ContextKind;
import com.fastn.context.status.ContextPath;
import com.fastn.context.status.ContextState;
import com.fastn.context.status.ContextStatus;
import com.fastn.context.status.FoldedChildren;
import com.fastn.context.status.NodeIdentity;
import com.fastn.context.status.NodeState;
import com.fastn.context.status.NodeStatus;
import com.fastn.context.status.NodeSummary;
import com.fastn.context.status.StatusJson;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.context.status.StatusWarning;
import com.fastn.context.status.WarningSeverity;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Small statuses. */
final class Fixtures {
    static final Instant NOW = Instant.parse("2026-02-03T04:05:06Z");

    private Fixtures() {}

    static StatusSnapshot snapshot(String alias, String service) {
        ContextPath root = ContextPath.of(List.of("global"));
        ContextStatus child = context(2, service, ContextPath.of(List.of("global", service)), ContextKind.SERVICE);
        ContextStatus tree =
                context(1, "global", root, ContextKind.ROOT).withChildren(List.of(child), FoldedChildren.NONE);
        return new StatusSnapshot(identity(alias), NOW, 7, null, tree, List.of(), List.of(), List.of());
    }

    /** A node with that many tasks. */
    static StatusSnapshot snapshot(String alias, int tasks) {
        ContextPath root = ContextPath.of(List.of("global"));
        List<ContextStatus> children = new ArrayList<>();
        for (int i = 0; i < tasks; i++) {
            children.add(context(2 + i, "task-" + i, root.child("task-" + i), ContextKind.TASK));
        }
        return snapshot(alias, "x")
                .withGlobalContext(
                        context(1, "global", root, ContextKind.ROOT).withChildren(children, FoldedChildren.NONE));
    }

    static StatusSnapshot warned(String alias, WarningSeverity severity) {
        StatusSnapshot calm = snapshot(alias, "front");
        return new StatusSnapshot(
                calm.node(),
                calm.timestamp(),
                calm.version(),
                null,
                calm.globalContext(),
                List.of(),
                List.of(),
                List.of(new StatusWarning("odd", severity, "something is odd", "global.front", null)));
    }

    /** The seed's own example. */
    static StatusSnapshot seed() {
        try (InputStream in = WarmUpCommand.class.getResourceAsStream("warm-up.json")) {
            return StatusJson.readSnapshot(new String(in.readAllBytes(), StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    static NodeStatus up(String alias, String service) {
        StatusSnapshot snapshot = snapshot(alias, service);
        return new NodeStatus(snapshot.node(), NodeState.UP, Duration.ZERO, null, NodeSummary.of(snapshot), snapshot);
    }

    static NodeStatus silent(String alias) {
        return new NodeStatus(
                identity(alias),
                NodeState.STALE,
                Duration.ofSeconds(4),
                "did not answer within 1000 ms",
                new NodeSummary(12, 1, 3, 0),
                null);
    }

    static ClusterStatus cluster(NodeStatus... nodes) {
        return new ClusterStatus(NOW, nodes[0].node().alias(), List.of(nodes));
    }

    static NodeIdentity identity(String alias) {
        return new NodeIdentity(alias, incarnation(alias));
    }

    static String incarnation(String alias) {
        return "19a0-" + alias;
    }

    static ContextStatus context(long id, String name, ContextPath path, ContextKind kind) {
        return new ContextStatus(
                id,
                name,
                name,
                path,
                kind,
                ContextState.ACTIVE,
                null,
                null,
                Duration.ofMinutes(2),
                Duration.ofMillis(100),
                null,
                false,
                null,
                List.of(),
                Map.of(),
                Map.of(),
                Map.of(),
                Map.of(),
                Map.of(),
                Map.of(),
                List.of(),
                FoldedChildren.NONE);
    }
}
