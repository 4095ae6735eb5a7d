package com.fastn.status;

import com.fastn.context.status.ContextPath;
import com.fastn.context.status.ContextStatus;
import com.fastn.context.status.FinishedContext;
import com.fastn.context.status.LockStatus;
import com.fastn.context.status.LockWaiter;
import com.fastn.context.status.OperationStatus;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.context.status.StatusWarning;
import com.fastn.context.status.WarningSeverity;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Cuts a snapshot down to what was asked for and to what fits. All walks are iterative: a tree may be very deep. */
final class SnapshotView {
    /** JSON deeper than this is refused by most readers; each level of the tree is two levels of JSON. */
    static final int DEEPEST = 30;

    private SnapshotView() {}

    /**
     * Narrows a snapshot to a part of its tree, with the locks, waiters and warnings of that part.
     *
     * @param whole the snapshot
     * @param path the part
     * @return the part, or {@code null} when no context is open there
     */
    static @Nullable StatusSnapshot at(StatusSnapshot whole, ContextPath path) {
        ContextStatus root = find(whole.globalContext(), path);
        if (root == null) {
            return null;
        }
        return new StatusSnapshot(
                whole.node(),
                whole.timestamp(),
                whole.version(),
                whole.systemMetrics(),
                root,
                filter(whole.activeLocks(), lock -> lock.holderPath().startsWith(path)),
                filter(whole.lockWaiters(), waiter -> waiter.contextPath().startsWith(path)),
                filter(
                        whole.warnings(),
                        warning -> ContextPath.parse(warning.contextPath()).startsWith(path)),
                filter(whole.recent(), finished -> finished.path().startsWith(path)));
    }

    /** Siblings may share a name, so there may be many ways down; the oldest context at the end of one is taken. */
    private static @Nullable ContextStatus find(ContextStatus root, ContextPath path) {
        List<String> names = path.names();
        if (!root.name().equals(names.get(0))) {
            return null;
        }
        List<ContextStatus> level = List.of(root);
        for (String name : names.subList(1, names.size())) {
            List<ContextStatus> next = new ArrayList<>();
            for (ContextStatus parent : level) {
                for (ContextStatus child : parent.children()) {
                    if (child.name().equals(name)) {
                        next.add(child);
                    }
                }
            }
            level = next;
        }
        ContextStatus oldest = null;
        for (ContextStatus candidate : level) {
            if (oldest == null || candidate.id() < oldest.id()) {
                oldest = candidate;
            }
        }
        return oldest;
    }

    private static <T> List<T> filter(List<T> all, Predicate<T> wanted) {
        return all.stream().filter(wanted).toList();
    }

    /**
     * Folds a snapshot so that its tree has at most so many levels and contexts. Who holds or waits for a lock, is inside of
     * a slow operation or has a warning is kept first, with everybody above; then the upper levels, the oldest first. The lists
     * of locks, waiters and warnings are cut at the same number.
     *
     * @param whole the snapshot
     * @param levels how many levels at most, at least 1
     * @param contexts how many contexts at most, at least 1
     * @return the snapshot itself if it fits, or a folded copy, which says how many contexts it leaves out
     */
    static StatusSnapshot folded(StatusSnapshot whole, int levels, int contexts) {
        Walk walk = Walk.of(whole.globalContext(), levels);
        StatusSnapshot listed = shortened(whole, contexts);
        if (!walk.cut && walk.order.size() <= contexts) {
            return listed;
        }
        return listed.withGlobalContext(walk.rebuild(keep(whole, walk, contexts)));
    }

    /** The lists have the worst first, so their ends are cut, and a warning says so: nothing is left out in silence. */
    private static StatusSnapshot shortened(StatusSnapshot whole, int most) {
        List<String> cuts = new ArrayList<>();
        List<LockStatus> locks = shortened(whole.activeLocks(), most, "locks", cuts);
        List<LockWaiter> waiters = shortened(whole.lockWaiters(), most, "lock waiters", cuts);
        List<StatusWarning> warnings = shortened(whole.warnings(), most, "warnings", cuts);
        List<FinishedContext> recent = shortened(whole.recent(), most, "recent contexts", cuts);
        if (cuts.isEmpty()) {
            return whole;
        }
        List<StatusWarning> told = new ArrayList<>(warnings);
        told.add(new StatusWarning(
                "status-shortened",
                WarningSeverity.WARNING,
                "this answer is too large, and shows only " + String.join(", ", cuts),
                whole.globalContext().path().toString(),
                "ask for a part of the tree by its path"));
        return new StatusSnapshot(
                whole.node(),
                whole.timestamp(),
                whole.version(),
                whole.systemMetrics(),
                whole.globalContext(),
                locks,
                waiters,
                told,
                recent);
    }

    private static <T> List<T> shortened(List<T> all, int most, String what, List<String> cuts) {
        if (all.size() <= most) {
            return all;
        }
        cuts.add(most + " of " + all.size() + " " + what);
        return all.subList(0, most);
    }

    private static Set<ContextStatus> keep(StatusSnapshot whole, Walk walk, int contexts) {
        Set<Long> troubledIds = new HashSet<>();
        whole.activeLocks().forEach(lock -> troubledIds.add(lock.holderId()));
        whole.lockWaiters().forEach(waiter -> troubledIds.add(waiter.contextId()));
        Set<ContextPath> troubledPaths = new HashSet<>();
        for (StatusWarning warning : whole.warnings()) {
            troubledPaths.add(ContextPath.parse(warning.contextPath()));
        }
        Set<ContextStatus> kept = Collections.newSetFromMap(new IdentityHashMap<>());
        for (ContextStatus context : walk.order) {
            boolean troubled = troubledIds.contains(context.id())
                    || context.operations().stream().anyMatch(OperationStatus::stuck)
                    || troubledPaths.contains(context.path());
            if (troubled) {
                keepWithAncestors(context, walk, kept, contexts);
            }
        }
        for (ContextStatus context : walk.order) {
            keepWithAncestors(context, walk, kept, contexts);
            if (kept.size() >= contexts) {
                break;
            }
        }
        kept.add(walk.order.get(0));
        return kept;
    }

    private static void keepWithAncestors(ContextStatus context, Walk walk, Set<ContextStatus> kept, int contexts) {
        List<ContextStatus> chain = new ArrayList<>();
        ContextStatus each = context;
        while (each != null && !kept.contains(each)) {
            chain.add(each);
            each = walk.parents.get(each);
        }
        if (kept.size() + chain.size() <= contexts) {
            kept.addAll(chain);
        }
    }

    /** The contexts of the upper levels in breadth-first order. */
    private static final class Walk {
        private final List<ContextStatus> order = new ArrayList<>();
        private final IdentityHashMap<ContextStatus, ContextStatus> parents = new IdentityHashMap<>();
        private boolean cut;

        static Walk of(ContextStatus root, int levels) {
            Walk walk = new Walk();
            ArrayDeque<ContextStatus> level = new ArrayDeque<>(List.of(root));
            for (int depth = 1; !level.isEmpty(); depth++) {
                ArrayDeque<ContextStatus> below = new ArrayDeque<>();
                for (ContextStatus context : level) {
                    walk.order.add(context);
                    if (depth == levels) {
                        walk.cut |= !context.children().isEmpty();
                        continue;
                    }
                    for (ContextStatus child : context.children()) {
                        walk.parents.put(child, context);
                        below.add(child);
                    }
                }
                level = below;
            }
            return walk;
        }

        /** Children stand behind their parents in the order, so from its end on all children of a context are ready. */
        ContextStatus rebuild(Set<ContextStatus> kept) {
            IdentityHashMap<ContextStatus, ContextStatus> built = new IdentityHashMap<>();
            for (int i = order.size() - 1; i >= 0; i--) {
                ContextStatus context = order.get(i);
                if (!kept.contains(context)) {
                    continue;
                }
                List<ContextStatus> children = new ArrayList<>();
                for (ContextStatus child : context.children()) {
                    ContextStatus copy = built.remove(child);
                    if (copy != null) {
                        children.add(copy);
                    }
                }
                long left = (long) context.children().size() - children.size();
                built.put(
                        context,
                        left == 0 && sameInstances(children, context.children())
                                ? context
                                : context.withChildren(children, context.foldedChildren() + left));
            }
            return built.values().iterator().next();
        }

        /** Not equals: records compare their whole subtrees. */
        @SuppressWarnings("ReferenceEquality")
        private static boolean sameInstances(List<ContextStatus> some, List<ContextStatus> others) {
            for (int i = 0; i < some.size(); i++) {
                if (some.get(i) != others.get(i)) {
                    return false;
                }
            }
            return true;
        }
    }
}
