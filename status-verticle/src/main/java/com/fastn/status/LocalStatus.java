package com.fastn.status;

import static java.util.Objects.requireNonNull;

import com.fastn.context.ContextRuntime;
import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.ContextPath;
import com.fastn.context.status.NodeState;
import com.fastn.context.status.NodeStatus;
import com.fastn.context.status.NodeSummary;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.context.status.StatusWarning;
import com.fastn.status.system.SamplerThread;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** This node's own status, read from its runtime directly. Taking it may block, so it belongs on a worker. */
final class LocalStatus {
    /** How long another node's question waits for the first reading of the machine: well below what it waits for us. */
    static final Duration BUS_WAIT = Duration.ofMillis(400);
    /** How long a person at this machine waits for it. */
    static final Duration HTTP_WAIT = Duration.ofMillis(1_500);

    private static final int MOST_RECENT = 100;

    private final ContextRuntime runtime;
    private final @Nullable SamplerThread sampler;
    private final List<Function<String, @Nullable StatusWarning>> warnings = new CopyOnWriteArrayList<>();

    LocalStatus(ContextRuntime runtime, @Nullable SamplerThread sampler) {
        this.runtime = requireNonNull(runtime, "runtime");
        this.sampler = sampler;
    }

    /** Has a warning of the node itself added to every status, while there is one; it is given the path of the root. */
    void addWarning(Function<String, @Nullable StatusWarning> warning) {
        warnings.add(warning);
    }

    /**
     * Takes a snapshot.
     *
     * @param query which part of the tree
     * @param wait how long to wait for fresh readings of the machine
     * @return the snapshot
     * @throws BadQueryException if nothing is open at the path that is asked for
     */
    StatusSnapshot take(StatusQuery query, Duration wait) {
        if (sampler != null) {
            sampler.refresh(wait);
        }
        int levels = query.depth() == null ? SnapshotView.DEEPEST : Math.min(query.depth(), SnapshotView.DEEPEST);
        if (query.path() == null) {
            return warned(runtime.status(SnapshotView.limits(levels, Answers.MOST_CONTEXTS)));
        }
        StatusSnapshot snapshot = SnapshotView.at(warned(runtime.status()), query.path());
        if (snapshot == null) {
            throw new BadQueryException(
                    BadQueryException.NOT_FOUND,
                    "nothing is open at \"" + Printable.line(query.path().toString()) + "\" on "
                            + Printable.line(runtime.node().alias())
                            + "; a path begins with the root's name, as in \""
                            + Printable.line(runtime.root().name()) + "."
                            + "checkout\"");
        }
        return SnapshotView.folded(snapshot, levels, Answers.MOST_CONTEXTS);
    }

    /** Takes a snapshot with what else is asked for. */
    StatusSnapshot take(BusQuestion asked, Duration wait) {
        StatusSnapshot snapshot = take(asked.query(), wait);
        ContextPath path = asked.query().path();
        if (asked.recent()) {
            snapshot = snapshot.withRecent(runtime.recent().stream()
                    .filter(finished -> path == null || finished.path().startsWith(path))
                    .limit(MOST_RECENT)
                    .toList());
        }
        if (asked.episodes()) {
            snapshot = snapshot.withCauses(snapshot.causes().withEpisodes(runtime.episodes()));
        }
        return snapshot;
    }

    /** {@return the cluster as it were if there were no other node} */
    ClusterStatus alone(StatusSnapshot snapshot) {
        NodeStatus row =
                new NodeStatus(runtime.node(), NodeState.UP, Duration.ZERO, null, NodeSummary.of(snapshot), snapshot);
        return new ClusterStatus(snapshot.timestamp(), runtime.node().alias(), List.of(row));
    }

    /** {@return the answer to whoever has this version already} */
    JsonObject unchanged(long version) {
        return new JsonObject()
                .put("kind", "status_unchanged")
                .put("schema", 1)
                .put("min_schema", 1)
                .put(
                        "node",
                        new JsonObject()
                                .put("alias", runtime.node().alias())
                                .put("incarnation", runtime.node().incarnation()))
                .put("version", version);
    }

    private StatusSnapshot warned(StatusSnapshot snapshot) {
        String root = ContextPath.of(runtime.root().name()).toString();
        List<StatusWarning> all = new ArrayList<>();
        for (Function<String, @Nullable StatusWarning> source : warnings) {
            StatusWarning warning = source.apply(root);
            if (warning != null) {
                all.add(warning);
            }
        }
        if (all.isEmpty()) {
            return snapshot;
        }
        all.addAll(snapshot.warnings());
        // The worst first; within one severity the order stays.
        all.sort(Comparator.comparing(StatusWarning::severity).reversed());
        return snapshot.withWarnings(all);
    }

    /** {@return a snapshot of everything, with the readings of the machine as they are known} */
    StatusSnapshot glance() {
        return warned(runtime.status());
    }

    /** {@return a number that rises with every change} */
    long version() {
        return runtime.version();
    }
}
