package com.fastn.context.status;

import static java.util.Objects.requireNonNull;

import com.fastn.context.status.NextSteps.Step;
import com.fastn.context.status.WaitIndex.ContextKey;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Whoever tells why contexts of a status are stuck: on one node, across a cluster, or from a saved JSON, by the same rules.
 *
 * <p>It follows each context to the one that it waits for: the holder of the lock, the context that serves its request on this
 * node or another, the one that fills its worker pool or blocks its event loop, or a child of it that is stuck. Where
 * nothing leads on is the root. Who is in a slow operation, and not for longer than is usual for it, counts as busy, not as
 * stuck. Walks are iterative. An instance is for one thread.
 */
public final class Explainer {
    private static final int MOST_EXPLAINED = 1_000;
    private static final int MOST_STEPS = 1_000;
    /** Of those behind a root, for whoever reads the record; a drawing names fewer. */
    private static final int MOST_FREED = 20;

    static final String REQUEST = "request ";

    private final WaitIndex known;
    private final NextSteps steps;
    private final RootCauses causes;
    private final Map<ContextKey, ContextKey> roots = new HashMap<>();
    private final Map<ContextKey, Behind> behind = new HashMap<>();
    private @Nullable Map<ContextKey, List<ContextKey>> freed;

    /** Whoever knows on which threads contexts run. */
    public interface Stacks {
        /**
         * Looks at the thread of a context.
         *
         * @param context the context
         * @return the frames of the thread that it runs on at this moment, the innermost first, or none
         */
        List<String> of(ContextRef context);
    }

    private Explainer(Collection<StatusSnapshot> snapshots, Collection<String> silent, Stacks stacks) {
        known = new WaitIndex(snapshots);
        steps = new NextSteps(known);
        causes = new RootCauses(known, steps, List.copyOf(silent), stacks);
    }

    /**
     * Makes an explainer of one node.
     *
     * @param snapshot what the node was doing
     * @return the explainer
     */
    public static Explainer of(StatusSnapshot snapshot) {
        return of(snapshot, context -> List.of());
    }

    /**
     * Makes an explainer of one node that can look at threads.
     *
     * @param snapshot what the node was doing
     * @param stacks knows which thread a context runs on
     * @return the explainer
     */
    public static Explainer of(StatusSnapshot snapshot, Stacks stacks) {
        return new Explainer(
                List.of(requireNonNull(snapshot, "snapshot")), List.of(), requireNonNull(stacks, "stacks"));
    }

    /**
     * Makes an explainer of a cluster, which follows requests from node to node.
     *
     * @param cluster what the nodes were doing
     * @return the explainer
     */
    public static Explainer of(ClusterStatus cluster) {
        List<StatusSnapshot> snapshots = new ArrayList<>();
        List<String> silent = new ArrayList<>();
        for (NodeStatus node : cluster.nodes()) {
            StatusSnapshot snapshot = node.snapshot();
            if (snapshot != null) {
                snapshots.add(snapshot);
            } else {
                silent.add(silent(node));
            }
        }
        return new Explainer(snapshots, silent, context -> List.of());
    }

    private static String silent(NodeStatus node) {
        boolean unheard = node.state() == NodeState.STALE || node.state() == NodeState.DOWN;
        return node.node().alias()
                + (unheard ? ", silent for " + HumanText.duration(node.age()) : ", without a status");
    }

    /**
     * Explains one context.
     *
     * @param contextId its id; in a cluster, of the first node that has such a one
     * @return why it is where it is, or {@code null} when the status does not show it
     */
    public @Nullable Explanation explain(long contextId) {
        for (int node = 0; node < known.nodes.size(); node++) {
            if (known.nodes.get(node).rows.containsKey(contextId)) {
                return explain(new ContextKey(node, contextId));
            }
        }
        return null;
    }

    /**
     * Explains one context of a node.
     *
     * @param alias the node's alias
     * @param contextId the context's id
     * @return why it is where it is, or {@code null} when the status does not show it
     */
    public @Nullable Explanation explain(String alias, long contextId) {
        for (int node = 0; node < known.nodes.size(); node++) {
            SnapshotIndex index = known.nodes.get(node);
            if (index.node.alias().equals(alias) && index.rows.containsKey(contextId)) {
                return explain(new ContextKey(node, contextId));
            }
        }
        return null;
    }

    /**
     * Explains the context of a path: of several, the one that waits for the longest.
     *
     * @param path the path in dotted form, or a short name as the status shows it, such as {@code alice/stdout-handler}
     * @return why it is where it is, or {@code null} when the status shows none
     */
    public @Nullable Explanation explain(String path) {
        requireNonNull(path, "path");
        ContextKey best = null;
        for (boolean whole : List.of(true, false)) {
            for (int node = 0; node < known.nodes.size(); node++) {
                for (Long id : known.nodes.get(node).named(path, whole)) {
                    ContextKey key = new ContextKey(node, id);
                    if (best == null || known.waitedNanos(key) > known.waitedNanos(best)) {
                        best = key;
                    }
                }
            }
            if (best != null) {
                return explain(best);
            }
        }
        return null;
    }

    /**
     * Explains all contexts that are stuck: those that wait for a lock for longer than they may, are in an operation for longer
     * than they may and than is usual for it, wait behind a full pool or a blocked event loop, or are part of a
     * deadlock.
     *
     * @return the explanations, those whose root holds up the most contexts first, and of one root those that wait for the
     *     longest first; at most 1,000, of which each root has its share. Empty when nothing is stuck
     */
    public List<Explanation> explainAll() {
        List<ContextKey> order = new ArrayList<>(known.stuck());
        Map<ContextKey, List<ContextKey>> groups = freed();
        order.sort(Comparator.comparingInt((ContextKey key) ->
                        -groups.getOrDefault(rootOf(key), List.of()).size())
                .thenComparing(this::rootOf, ContextKey.ORDER)
                // Who waits for the root tells more than the root itself, which may be stuck as well.
                .thenComparing(key -> steps.of(key) == null)
                .thenComparing(Comparator.comparingLong(known::waitedNanos).reversed())
                .thenComparing(ContextKey.ORDER));
        List<Explanation> all = new ArrayList<>();
        for (ContextKey key : ofEachRoot(order)) {
            all.add(explain(key));
        }
        return all;
    }

    /** As many as may be told: no root is hidden by the crowd behind another one. They stay in their order. */
    private List<ContextKey> ofEachRoot(List<ContextKey> order) {
        if (order.size() <= MOST_EXPLAINED) {
            return order;
        }
        Map<ContextKey, Integer> taken = new HashMap<>();
        order.forEach(key -> taken.put(rootOf(key), 0));
        int share = Math.max(1, MOST_EXPLAINED / taken.size());
        Set<ContextKey> told = new HashSet<>();
        for (ContextKey key : order) {
            if (told.size() < MOST_EXPLAINED && taken.merge(rootOf(key), 1, Integer::sum) <= share) {
                told.add(key);
            }
        }
        for (ContextKey key : order) {
            if (told.size() < MOST_EXPLAINED) {
                told.add(key);
            }
        }
        return order.stream().filter(told::contains).toList();
    }

    // --- one chain

    private Explanation explain(ContextKey from) {
        List<Cause> chain = new ArrayList<>();
        Set<ContextKey> seen = new LinkedHashSet<>();
        ContextKey at = from;
        Step step = steps.of(at);
        while (step != null && seen.add(at)) {
            if (chain.size() == MOST_STEPS) {
                at = rootOf(from);
                step = steps.of(at);
                break;
            }
            chain.add(new Cause(
                    step.kind(),
                    step.name(),
                    step.lockId(),
                    known.ref(at),
                    step.waited(),
                    known.ref(step.next()),
                    step.held(),
                    step.waits(),
                    step.found()));
            at = step.next();
            step = steps.of(at);
        }
        ContextKey group = rootOf(from);
        Behind waiting = behind.computeIfAbsent(group, this::behind);
        return new Explanation(known.ref(from), chain, causes.of(group), waiting.count, waiting.first);
    }

    private Behind behind(ContextKey group) {
        List<ContextKey> waiting = new ArrayList<>(freed().getOrDefault(group, List.of()));
        waiting.removeAll(steps.of(group) == null ? Set.of(group) : causes.circle(group));
        List<String> first = waiting.stream()
                .limit(MOST_FREED)
                .map(key -> known.ref(key).shortName())
                .toList();
        return new Behind(waiting.size(), first);
    }

    // --- where chains end

    /**
     * The context that a chain ends at; for a cycle the least of it, so that all that lead into it have the same: of those that a
     * deadlock tells of, where it leads over others too.
     */
    private ContextKey rootOf(ContextKey from) {
        List<ContextKey> way = new ArrayList<>();
        ContextKey at = from;
        ContextKey root = null;
        Map<ContextKey, Integer> seen = new HashMap<>();
        while (root == null) {
            ContextKey before = roots.get(at);
            Integer seenAt = seen.putIfAbsent(at, way.size());
            if (before != null) {
                root = before;
            } else if (seenAt != null) {
                root = way.subList(seenAt, way.size()).stream()
                        .min(Comparator.comparing((ContextKey key) -> !known.deadlocks.containsKey(key))
                                .thenComparing(ContextKey.ORDER))
                        .orElse(at);
            } else {
                way.add(at);
                Step step = steps.of(at);
                if (step == null) {
                    root = at;
                } else {
                    at = step.next();
                }
            }
        }
        for (ContextKey key : way) {
            roots.put(key, root);
        }
        return root;
    }

    /** Who waits behind each root, those that wait for the longest first. */
    private Map<ContextKey, List<ContextKey>> freed() {
        Map<ContextKey, List<ContextKey>> groups = freed;
        if (groups == null) {
            groups = new HashMap<>();
            for (ContextKey key : known.waiting()) {
                ContextKey root = rootOf(key);
                if (!root.equals(key) || steps.of(key) != null) {
                    groups.computeIfAbsent(root, r -> new ArrayList<>()).add(key);
                }
            }
            Comparator<ContextKey> longest =
                    Comparator.comparingLong(known::waitedNanos).reversed().thenComparing(ContextKey.ORDER);
            groups.values().forEach(keys -> keys.sort(longest));
            freed = groups;
        }
        return groups;
    }

    /** Who waits behind a root. */
    private record Behind(int count, List<String> first) {}
}
