package com.fastn.status;

import static java.util.Objects.requireNonNull;

import com.fastn.context.ContextRuntime;
import com.fastn.context.Registration;
import com.fastn.context.WarningIds;
import com.fastn.context.status.Causes;
import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.ContextPath;
import com.fastn.context.status.DeadlockReport;
import com.fastn.context.status.Explanation;
import com.fastn.context.status.FinishedContext;
import com.fastn.context.status.NodeIdentity;
import com.fastn.context.status.NodeState;
import com.fastn.context.status.NodeStatus;
import com.fastn.context.status.NodeSummary;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.context.status.StatusWarning;
import com.fastn.context.status.WaitEpisode;
import com.fastn.context.status.WarningSeverity;
import com.fastn.status.system.SamplerThread;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** This node's own status, read from its runtime directly. Taking it may block, so it belongs on a worker. */
final class LocalStatus {
    /** How long another node's question waits for the first reading of the machine: well below what it waits for us. */
    static final Duration BUS_WAIT = Duration.ofMillis(400);
    /** How long somebody at the status port waits for it, who is promised an answer within 200 ms. */
    static final Duration HTTP_WAIT = Duration.ofMillis(100);

    private static final int MOST_RECENT = 100;

    private final ContextRuntime runtime;
    private final @Nullable SamplerThread sampler;
    private final List<StatusWarning> standing;
    private final List<Function<String, @Nullable StatusWarning>> warnings = new CopyOnWriteArrayList<>();
    private volatile Supplier<List<DeadlockReport>> deadlocks = List::of;

    /**
     * Makes one.
     *
     * @param runtime what is told
     * @param sampler reads the machine, or {@code null} when nobody does
     * @param standing warnings that hold as long as this node lives
     */
    LocalStatus(ContextRuntime runtime, @Nullable SamplerThread sampler, List<StatusWarning> standing) {
        this.runtime = requireNonNull(runtime, "runtime");
        this.sampler = sampler;
        this.standing = List.copyOf(standing);
    }

    /** Has a warning of the node itself added to every status, while there is one; it is given the path of the root. */
    void addWarning(Function<String, @Nullable StatusWarning> warning) {
        warnings.add(warning);
    }

    /** Has the deadlocks of the cluster that this node tells of added to every status. */
    void addDeadlocks(Supplier<List<DeadlockReport>> source) {
        deadlocks = requireNonNull(source, "source");
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
        boolean whole = query.format() != StatusQuery.Format.JSON;
        return take(query, wait, whole ? Answers.MOST_CONTEXTS : query.contexts(Answers.MOST_CONTEXTS));
    }

    /**
     * Takes a snapshot that shows whoever is named, however large the tree is and however deep it is found.
     *
     * @param named an id, a path or a short name
     * @param query which part of the tree
     * @param wait how long to wait for fresh readings of the machine
     * @param contexts how many contexts at most, beside those
     * @return the snapshot
     * @throws BadQueryException if nothing is open at the path that is asked for
     */
    StatusSnapshot showing(String named, StatusQuery query, Duration wait, int contexts) {
        if (sampler != null) {
            sampler.refresh(wait);
        }
        return warned(NamedContexts.shown(
                part(query), named, whole -> SnapshotView.folded(whole, SnapshotView.DEEPEST, contexts)));
    }

    private StatusSnapshot take(StatusQuery query, Duration wait, int contexts) {
        if (sampler != null) {
            sampler.refresh(wait);
        }
        int levels = query.depth() == null ? SnapshotView.DEEPEST : Math.min(query.depth(), SnapshotView.DEEPEST);
        if (query.path() == null) {
            return warned(runtime.status(SnapshotView.limits(levels, contexts)));
        }
        return warned(SnapshotView.folded(part(query), levels, contexts));
    }

    private StatusSnapshot part(StatusQuery query) {
        StatusSnapshot whole = runtime.status();
        ContextPath path = query.path();
        StatusSnapshot snapshot = path == null ? whole : SnapshotView.at(whole, path);
        if (snapshot == null) {
            throw new BadQueryException(
                    BadQueryException.NOT_FOUND,
                    "nothing is open at \"" + Printable.line(String.valueOf(path)) + "\" on "
                            + Printable.line(runtime.node().alias())
                            + "; a path begins with the root's name, as in \""
                            + Printable.line(runtime.root().name()) + "."
                            + "checkout\"");
        }
        return snapshot;
    }

    /**
     * Takes a snapshot with what else is asked for.
     *
     * @param asked what is asked for
     * @param wait how long to wait for fresh readings of the machine
     * @param contexts how many contexts at most
     * @return the snapshot
     * @throws BadQueryException if nothing is open at the path that is asked for
     */
    StatusSnapshot take(BusQuestion asked, Duration wait, int contexts) {
        String named = asked.context();
        if (named != null) {
            return showing(named, asked.query(), wait, contexts);
        }
        StatusSnapshot snapshot = take(asked.query(), wait, contexts);
        if (asked.recent()) {
            snapshot = snapshot.withRecent(recent(asked.query(), MOST_RECENT));
        }
        if (asked.episodes()) {
            snapshot = snapshot.withCauses(snapshot.causes().withEpisodes(runtime.episodes()));
        }
        return snapshot;
    }

    /** {@return whether there is anything where the query looks} */
    boolean has(StatusQuery query) {
        return query.path() == null || SnapshotView.at(runtime.status(), query.path()) != null;
    }

    /** {@return this node} */
    NodeIdentity node() {
        return runtime.node();
    }

    /** {@return the cluster as it were if there were no other node} */
    ClusterStatus alone(StatusSnapshot snapshot) {
        return alone(row(snapshot), snapshot.timestamp());
    }

    /**
     * {@return the cluster as it were if there were no other node}
     *
     * @param row this one
     * @param now the time, where the row has no status that tells it
     */
    ClusterStatus alone(NodeStatus row, Instant now) {
        StatusSnapshot snapshot = row.snapshot();
        return new ClusterStatus(
                snapshot == null ? now : snapshot.timestamp(), runtime.node().alias(), List.of(row));
    }

    /**
     * {@return this node as a row of its cluster} Where nothing is open at the path, the row has no status, and says so.
     *
     * @param query which part of the tree
     * @param wait how long to wait for fresh readings of the machine
     */
    NodeStatus row(StatusQuery query, Duration wait) {
        try {
            return row(take(query, wait));
        } catch (BadQueryException e) {
            return new NodeStatus(runtime.node(), NodeState.UP, Duration.ZERO, e.sentence(), null, null);
        }
    }

    private NodeStatus row(StatusSnapshot snapshot) {
        return new NodeStatus(runtime.node(), NodeState.UP, Duration.ZERO, null, NodeSummary.of(snapshot), snapshot);
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
        List<StatusWarning> all = new ArrayList<>(standing);
        for (Function<String, @Nullable StatusWarning> source : warnings) {
            StatusWarning warning = source.apply(root);
            if (warning != null) {
                all.add(warning);
            }
        }
        List<DeadlockReport> circles = deadlocks.get();
        for (DeadlockReport circle : circles) {
            all.add(warningOf(circle, root));
        }
        if (all.isEmpty()) {
            return snapshot;
        }
        all.addAll(snapshot.warnings());
        // The worst first; within one severity the order stays.
        all.sort(Comparator.comparing(StatusWarning::severity).reversed());
        StatusSnapshot told = circles.isEmpty() ? snapshot : snapshot.withCauses(with(circles, snapshot.causes()));
        return told.withWarnings(all);
    }

    private static Causes with(List<DeadlockReport> circles, Causes causes) {
        List<DeadlockReport> all = new ArrayList<>(circles);
        all.addAll(causes.deadlocks());
        all.sort(Comparator.comparing(DeadlockReport::proven).reversed());
        return new Causes(all, causes.blocked(), causes.episodes());
    }

    private StatusWarning warningOf(DeadlockReport circle, String root) {
        String path = circle.parties().stream()
                .filter(party -> party.context()
                        .node()
                        .incarnation()
                        .equals(runtime.node().incarnation()))
                .map(party -> party.context().path())
                .findFirst()
                .orElse(root);
        return new StatusWarning(
                circle.proven() ? WarningIds.DEADLOCK : WarningIds.DEADLOCK_SUSPECTED,
                circle.proven() ? WarningSeverity.CRITICAL : WarningSeverity.WARNING,
                circle.cycle(),
                path,
                0,
                circle.proven()
                        ? "take these locks in one order on all nodes, or cancel one of these contexts"
                        : "whether one of them is about to release or to answer; if not, take these locks in one order"
                                + " on all nodes, and hold none while asking another node",
                circle.parties().stream()
                        .map(DeadlockReport.Party::waited)
                        .min(Comparator.naturalOrder())
                        .orElse(null));
    }

    /** {@return a snapshot of everything, with the readings of the machine as they are known} */
    StatusSnapshot glance() {
        return warned(runtime.status());
    }

    /** Sees to it that the machine is read, without waiting for it. */
    void refresh() {
        refresh(Duration.ZERO);
    }

    /** Sees to it that the machine is read, and waits for that. */
    void refresh(Duration wait) {
        if (sampler != null) {
            sampler.refresh(wait);
        }
    }

    /**
     * Finds the contexts that ended last.
     *
     * @param query which part of the tree
     * @param most at most so many, as {@link FinishedContext#atMost} chooses them
     * @return the contexts, the newest first
     */
    List<FinishedContext> recent(StatusQuery query, int most) {
        ContextPath path = query.path();
        List<FinishedContext> below = runtime.recent().stream()
                .filter(finished -> path == null || finished.path().startsWith(path))
                .toList();
        return FinishedContext.atMost(below, most);
    }

    /**
     * Explains why contexts are stuck. Without a name, all that are.
     *
     * @param context an id, a path or a short name, or {@code null} for all that are stuck
     * @return the explanations
     * @throws BadQueryException if no such context is open
     */
    List<Explanation> explain(@Nullable String context) {
        if (context == null) {
            return runtime.explainAll();
        }
        Explanation explanation =
                Explanations.isId(context) ? runtime.explain(Long.parseLong(context)) : runtime.explain(context);
        return List.of(Explanations.found(explanation, context));
    }

    /** {@return the counters of all paths, for export} */
    Map<String, Long> flatCounters() {
        return runtime.counters().flat(runtime.root().path());
    }

    /** {@return the times in which contexts were stuck, the newest first} */
    List<WaitEpisode> episodes() {
        return runtime.episodes();
    }

    /**
     * Listens to changes. It costs the application nothing but for the first one after each look.
     *
     * @param listener told of the first change after somebody asked for the {@link #version}, as each look at the tree does; on
     *     the thread that made it, which it must not hold up
     * @return closing it ends that
     */
    Registration onFirstChange(Runnable listener) {
        return runtime.onFirstChange(listener);
    }

    /** {@return a number that rises with every change} */
    long version() {
        return runtime.version();
    }
}
