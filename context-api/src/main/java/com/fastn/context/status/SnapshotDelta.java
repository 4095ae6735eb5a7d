package com.fastn.context.status;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * What changed from one snapshot of a node to a later one.
 *
 * <p>Ages go on by themselves: a context that is as it was, but older by {@link #elapsed}, is not told. One that differs in
 * anything else is told whole. So a delta applied to its base gives exactly the later snapshot, with the order of children
 * (rule M9). Read back from JSON, ages are right to a millisecond, and no less so after many deltas.
 *
 * @param node whose snapshots they are
 * @param timestamp of the later snapshot
 * @param baseTimestamp of the base
 * @param baseVersion of the base
 * @param version of the later snapshot
 * @param elapsed how much older the root has become; zero when it is another one
 * @param systemMetrics those of the later snapshot, or {@code null} when it has none
 * @param changed contexts that are new, changed, or have another parent; a parent before those below it
 * @param removed the ids of contexts that are in the base only
 * @param orders the children's ids of those parents whose children do not stand in the order of the base, new ones last
 * @param activeLocks the locks of the later snapshot, or {@code null} when they are as they were, but older
 * @param lockWaiters the waiters of the later snapshot, or {@code null} when they are as they were, but older
 * @param warnings the warnings of the later snapshot, or {@code null} when they are as they were
 * @param recent what ended meanwhile, or {@code null} when the contexts that ended are as they were
 * @param changedBaselines the baselines of the later snapshot that are new or differ, by the operation's name
 * @param removedBaselines the names of the operations whose baselines are in the base only
 * @param counterWindows the windows of the later snapshot, or {@code null} when they are as they were
 * @param causes what the later snapshot knows of who holds up whom, or {@code null} when neither knows anything
 */
public record SnapshotDelta(
        NodeIdentity node,
        Instant timestamp,
        Instant baseTimestamp,
        long baseVersion,
        long version,
        Duration elapsed,
        @Nullable SystemMetrics systemMetrics,
        List<Change> changed,
        List<Long> removed,
        Map<Long, List<Long>> orders,
        @Nullable List<LockStatus> activeLocks,
        @Nullable List<LockWaiter> lockWaiters,
        @Nullable List<StatusWarning> warnings,
        @Nullable RecentChange recent,
        Map<String, OperationBaseline> changedBaselines,
        List<String> removedBaselines,
        @Nullable List<CounterWindows> counterWindows,
        @Nullable Causes causes) {

    /**
     * What became of the list of contexts that ended.
     *
     * @param added those that ended since, the newest first
     * @param kept how many of the base's list follow them, in its order and without those that were dropped
     * @param dropped the places in the base's list, counted from 0 and ascending, of those before the last that is kept which are
     *     in the list no more: of those that ended well fewer are remembered than of those that did not
     */
    public record RecentChange(List<FinishedContext> added, int kept, List<Integer> dropped) {
        /** Copies the lists. */
        public RecentChange {
            added = List.copyOf(added);
            dropped = List.copyOf(dropped);
            if (kept < 0) {
                throw new IllegalArgumentException("a list cannot keep " + kept + " of its elements");
            }
        }

        static @Nullable RecentChange between(List<FinishedContext> base, List<FinishedContext> later) {
            if (base.equals(later)) {
                return null;
            }
            // Both have their newest in front. From the oldest on, what is in both is kept, and the rest of the base
            // dropped.
            int added = later.size();
            List<Integer> dropped = new ArrayList<>();
            for (int place = base.size() - 1; place >= 0; place--) {
                if (added > 0 && base.get(place).equals(later.get(added - 1))) {
                    added--;
                } else if (added < later.size()) {
                    dropped.add(place);
                }
            }
            Collections.reverse(dropped);
            return new RecentChange(later.subList(0, added), later.size() - added, dropped);
        }

        List<FinishedContext> apply(List<FinishedContext> base) {
            List<FinishedContext> later = new ArrayList<>(added);
            int next = 0;
            for (int place : dropped) {
                if (place < next || place >= base.size()) {
                    throw new IllegalArgumentException(
                            "the delta drops the recent context at %d, where its base has those from %d to %d"
                                    .formatted(place, next, base.size() - 1));
                }
                later.addAll(base.subList(next, place));
                next = place + 1;
            }
            int wanted = added.size() + kept;
            if (later.size() > wanted || wanted - later.size() > base.size() - next) {
                throw new IllegalArgumentException(
                        "the delta keeps %d recent contexts, and its base has %d without those dropped"
                                .formatted(kept, base.size() - dropped.size()));
            }
            later.addAll(base.subList(next, next + wanted - later.size()));
            return later;
        }
    }

    /**
     * A context that is new, changed, or has another parent.
     *
     * @param parentId the id of its parent, or {@code null} for the root
     * @param context the context without its children
     */
    public record Change(@Nullable Long parentId, ContextStatus context) {
        /** Takes the children off. */
        public Change {
            requireNonNull(context, "context");
            context = bare(context);
        }
    }

    /** Copies the collections. */
    public SnapshotDelta {
        requireNonNull(node, "node");
        requireNonNull(timestamp, "timestamp");
        requireNonNull(baseTimestamp, "baseTimestamp");
        requireNonNull(elapsed, "elapsed");
        changed = List.copyOf(changed);
        removed = List.copyOf(removed);
        Map<Long, List<Long>> copies = new LinkedHashMap<>();
        orders.forEach((parent, children) -> copies.put(parent, List.copyOf(children)));
        orders = Collections.unmodifiableMap(copies);
        activeLocks = activeLocks == null ? null : List.copyOf(activeLocks);
        lockWaiters = lockWaiters == null ? null : List.copyOf(lockWaiters);
        warnings = warnings == null ? null : List.copyOf(warnings);
        changedBaselines = Collections.unmodifiableMap(new LinkedHashMap<>(changedBaselines));
        removedBaselines = List.copyOf(removedBaselines);
        counterWindows = counterWindows == null ? null : List.copyOf(counterWindows);
    }

    /**
     * Compares two snapshots of one node.
     *
     * @param base the earlier one
     * @param later the later one, of the same part of the tree or of another
     * @return what changed
     * @throws IllegalArgumentException if they are of different nodes, or in one of them two contexts have the same id
     */
    public static SnapshotDelta between(StatusSnapshot base, StatusSnapshot later) {
        if (!base.node().equals(later.node())) {
            throw new IllegalArgumentException("a delta is of one node, not of %s and %s; compare snapshots of one"
                    .formatted(base.node(), later.node()));
        }
        Family before = Family.of(base.globalContext());
        Family after = Family.of(later.globalContext());
        Duration elapsed = elapsed(base.globalContext(), later.globalContext());
        List<Change> changed = new ArrayList<>();
        for (Map.Entry<Long, ContextStatus> entry : after.rows.entrySet()) {
            Long id = entry.getKey();
            ContextStatus row = bare(entry.getValue());
            ContextStatus old = before.rows.get(id);
            Long parent = after.parents.get(id);
            if (old == null
                    || !Objects.equals(before.parents.get(id), parent)
                    || !bare(old).aged(elapsed).equals(row)) {
                changed.add(new Change(parent, row));
            }
        }
        List<Long> removed = new ArrayList<>();
        for (Long id : before.rows.keySet()) {
            if (!after.rows.containsKey(id)) {
                removed.add(id);
            }
        }
        Map<Long, List<Long>> derived = before.childrenAfter(changed, new HashSet<>(removed));
        Map<Long, List<Long>> orders = new LinkedHashMap<>();
        after.children.forEach((parent, children) -> {
            if (!children.equals(derived.get(parent))) {
                orders.put(parent, children);
            }
        });
        return new SnapshotDelta(
                later.node(),
                later.timestamp(),
                base.timestamp(),
                base.version(),
                later.version(),
                elapsed,
                later.systemMetrics(),
                changed,
                removed,
                orders,
                unlessSame(aged(base.activeLocks(), lock -> lock.aged(elapsed)), later.activeLocks()),
                unlessSame(aged(base.lockWaiters(), waiter -> waiter.aged(elapsed)), later.lockWaiters()),
                unlessSame(base.warnings(), later.warnings()),
                RecentChange.between(base.recent(), later.recent()),
                changed(base.operationBaselines(), later.operationBaselines()),
                base.operationBaselines().keySet().stream()
                        .filter(name -> !later.operationBaselines().containsKey(name))
                        .toList(),
                unlessSame(base.counterWindows(), later.counterWindows()),
                base.causes().isNone() && later.causes().isNone() ? null : later.causes());
    }

    /**
     * Makes the later snapshot.
     *
     * @param base the snapshot that this delta was made from
     * @return the later snapshot
     * @throws IllegalArgumentException if the base is another one, or what changed makes no tree with it
     */
    public StatusSnapshot apply(StatusSnapshot base) {
        if (!node.equals(base.node()) || baseVersion != base.version() || !baseTimestamp.equals(base.timestamp())) {
            throw new IllegalArgumentException(
                    "the delta is for version %d of %s at %s, not for version %d of %s at %s; ask for a whole snapshot"
                            .formatted(
                                    baseVersion, node, baseTimestamp, base.version(), base.node(), base.timestamp()));
        }
        Family before = Family.of(base.globalContext());
        Map<Long, ContextStatus> rows = new LinkedHashMap<>();
        before.rows.forEach((id, row) -> rows.put(id, bare(row)));
        rows.replaceAll((id, row) -> row.aged(elapsed));
        removed.forEach(rows::remove);
        Long root = base.globalContext().id();
        for (Change change : changed) {
            rows.put(change.context.id(), change.context);
            root = change.parentId == null ? (Long) change.context.id() : root;
        }
        Map<Long, List<Long>> children = before.childrenAfter(changed, new HashSet<>(removed));
        children.putAll(orders);
        return new StatusSnapshot(
                node,
                timestamp,
                version,
                systemMetrics,
                tree(root, rows, children),
                activeLocks != null ? activeLocks : aged(base.activeLocks(), lock -> lock.aged(elapsed)),
                lockWaiters != null ? lockWaiters : aged(base.lockWaiters(), waiter -> waiter.aged(elapsed)),
                warnings != null ? warnings : base.warnings(),
                recent != null ? recent.apply(base.recent()) : base.recent(),
                baselines(base.operationBaselines()),
                counterWindows != null ? counterWindows : base.counterWindows(),
                causes != null ? causes : base.causes());
    }

    private Map<String, OperationBaseline> baselines(Map<String, OperationBaseline> base) {
        Map<String, OperationBaseline> later = new LinkedHashMap<>(base);
        removedBaselines.forEach(later::remove);
        later.putAll(changedBaselines);
        return later;
    }

    /** Whoever made the delta is not trusted: all contexts have to stand below the root, each once. */
    private static ContextStatus tree(Long root, Map<Long, ContextStatus> rows, Map<Long, List<Long>> children) {
        List<Long> order = new ArrayList<>(List.of(root));
        Set<Long> seen = new HashSet<>(order);
        for (int i = 0; i < order.size(); i++) {
            for (Long child : children.getOrDefault(order.get(i), List.of())) {
                if (!seen.add(child)) {
                    throw new IllegalArgumentException("context " + child + " stands in the tree twice");
                }
                order.add(child);
            }
        }
        if (!seen.equals(rows.keySet())) {
            throw new IllegalArgumentException(
                    "the delta makes no whole tree: %d contexts are known, %d stand below the root"
                            .formatted(rows.size(), order.size()));
        }
        Map<Long, ContextStatus> built = new LinkedHashMap<>();
        for (int i = order.size() - 1; i >= 0; i--) {
            Long id = order.get(i);
            ContextStatus row = requireNonNull(rows.get(id), "row");
            List<ContextStatus> below = new ArrayList<>();
            for (Long child : children.getOrDefault(id, List.of())) {
                below.add(requireNonNull(built.remove(child), "child"));
            }
            built.put(id, below.isEmpty() ? row : row.withChildren(below, row.foldedChildren()));
        }
        return requireNonNull(built.get(root), "root");
    }

    private static Duration elapsed(ContextStatus before, ContextStatus after) {
        Duration elapsed = after.duration().minus(before.duration());
        return before.id() != after.id() || elapsed.isNegative() ? Duration.ZERO : elapsed;
    }

    private static <T> List<T> aged(List<T> all, UnaryOperator<T> age) {
        return all.stream().map(age).toList();
    }

    private static <V> Map<String, V> changed(Map<String, V> before, Map<String, V> after) {
        Map<String, V> changed = new LinkedHashMap<>(after);
        changed.entrySet().removeIf(entry -> entry.getValue().equals(before.get(entry.getKey())));
        return changed;
    }

    private static <T> @Nullable List<T> unlessSame(List<T> before, List<T> after) {
        return before.equals(after) ? null : after;
    }

    private static ContextStatus bare(ContextStatus context) {
        return context.children().isEmpty() ? context : context.withChildren(List.of(), context.foldedChildren());
    }

    /** A tree by ids, the root first and each context behind its parent. */
    private static final class Family {
        private final Map<Long, ContextStatus> rows = new LinkedHashMap<>();
        private final Map<Long, Long> parents = new LinkedHashMap<>();
        private final Map<Long, List<Long>> children = new LinkedHashMap<>();

        static Family of(ContextStatus root) {
            Family family = new Family();
            List<ContextStatus> order = new ArrayList<>(List.of(root));
            family.rows.put(root.id(), root);
            for (int i = 0; i < order.size(); i++) {
                ContextStatus context = order.get(i);
                for (ContextStatus child : context.children()) {
                    if (family.rows.put(child.id(), child) != null) {
                        throw new IllegalArgumentException("two contexts have the id " + child.id()
                                + "; only snapshots in which each has its own can be compared");
                    }
                    family.parents.put(child.id(), context.id());
                    family.children
                            .computeIfAbsent(context.id(), id -> new ArrayList<>())
                            .add(child.id());
                    order.add(child);
                }
            }
            return family;
        }

        /** {@return the ids of the children of each, the old ones in their old order, then those that came} */
        Map<Long, List<Long>> childrenAfter(List<Change> changed, Set<Long> removed) {
            Set<Long> gone = new HashSet<>(removed);
            Map<Long, List<Long>> come = new LinkedHashMap<>();
            for (Change change : changed) {
                Long id = change.context.id();
                Long parent = change.parentId;
                if (rows.containsKey(id) && Objects.equals(parents.get(id), parent)) {
                    continue;
                }
                gone.add(id);
                if (parent != null) {
                    come.computeIfAbsent(parent, p -> new ArrayList<>()).add(id);
                }
            }
            Map<Long, List<Long>> after = new LinkedHashMap<>();
            children.forEach((parent, ids) -> {
                List<Long> left = new ArrayList<>(ids);
                left.removeIf(gone::contains);
                if (!left.isEmpty() && !removed.contains(parent)) {
                    after.put(parent, left);
                }
            });
            come.forEach((parent, ids) ->
                    after.computeIfAbsent(parent, p -> new ArrayList<>()).addAll(ids));
            return after;
        }
    }
}
