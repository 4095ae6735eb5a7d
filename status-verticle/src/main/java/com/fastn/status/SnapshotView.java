package com.fastn.status;

import com.fastn.context.status.ContextPath;
import com.fastn.context.status.ContextStatus;
import com.fastn.context.status.SnapshotFold;
import com.fastn.context.status.SnapshotLimits;
import com.fastn.context.status.StatusSnapshot;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Cuts a snapshot down to what was asked for and to what fits. */
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
                filter(whole.recent(), finished -> finished.path().startsWith(path)),
                whole.operationBaselines(),
                filter(whole.counterWindows(), windows -> windows.path().startsWith(path)),
                whole.causes());
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
     * Folds a snapshot so that its tree has at most so many levels and contexts, as {@link SnapshotFold} does it.
     *
     * @param whole the snapshot
     * @param levels how many levels at most, at least 1
     * @param contexts how many contexts at most, at least 1
     * @return the snapshot itself if it fits, or a folded copy, which says how many contexts it leaves out
     */
    static StatusSnapshot folded(StatusSnapshot whole, int levels, int contexts) {
        return SnapshotFold.fold(whole, limits(levels, contexts));
    }

    /** {@return limits of so many levels and contexts} */
    static SnapshotLimits limits(int levels, int contexts) {
        return SnapshotLimits.UNLIMITED.withMaxDepth(levels).withMaxContexts(contexts);
    }
}
