package com.fastn.context.status;

import static java.util.Objects.requireNonNull;

import com.fastn.context.WarningIds;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * The folding of snapshots that are too large (rule M10).
 *
 * <p>Shown first are contexts in trouble, with all above them: those that are stuck in an operation, wait for a lock, hold
 * one for too long, were asked to stop and are still there, or are the one that a warning is about. Where they find no room
 * beside contexts that have much to tell, those are shown without their values. Then come holders of locks, the first sibling of each name, and the others from the
 * root down, the oldest first. Whatever is left out is counted in the nearest shown context above it, with how many of
 * it are in trouble. What is known of that goes along with each context ({@link ContextTrouble}), so a status may be folded
 * again. The order of those that are shown stays. Lists of locks, waiters and warnings lose their ends, and
 * a warning says how many.
 */
public final class SnapshotFold {
    /** What a context without anything to tell takes as JSON. */
    private static final int LEAST_BYTES = 250;
    /** The figures of a fold as JSON. */
    private static final int FOLD_BYTES = 160;
    /** The words that contexts are without their values as JSON, with the warning that they are in. */
    private static final int LEAN_BYTES = 400;
    /** Each list, such as that of locks, of waiters or of warnings, may take one part of so many. */
    private static final int LIST_PARTS = 9;

    private SnapshotFold() {}

    /**
     * Folds a snapshot.
     *
     * @param snapshot what to fold
     * @param limits how much to leave
     * @return the snapshot itself when it is within the limits, or a folded copy
     */
    public static StatusSnapshot fold(StatusSnapshot snapshot, SnapshotLimits limits) {
        requireNonNull(snapshot, "snapshot");
        requireNonNull(limits, "limits");
        if (!limits.measuresBytes() && fits(snapshot, limits)) {
            return snapshot;
        }
        return fold(snapshot, new RecordTree(snapshot.globalContext()), limits);
    }

    /** Whether nothing would be left out; found out without choosing what to show. */
    private static boolean fits(StatusSnapshot snapshot, SnapshotLimits limits) {
        for (List<?> list : List.of(
                snapshot.activeLocks(),
                snapshot.lockWaiters(),
                snapshot.warnings(),
                snapshot.recent(),
                snapshot.counterWindows())) {
            if (list.size() > limits.maxContexts()) {
                return false;
            }
        }
        if (snapshot.operationBaselines().size() > limits.maxContexts()) {
            return false;
        }
        int contexts = 1;
        List<ContextStatus> level = List.of(snapshot.globalContext());
        for (int depth = 1; !level.isEmpty(); depth++) {
            if (depth > limits.maxDepth()) {
                return false;
            }
            List<ContextStatus> below = new ArrayList<>();
            for (ContextStatus context : level) {
                contexts += context.children().size();
                if (contexts > limits.maxContexts() || context.children().size() > limits.maxChildrenPerNode()) {
                    return false;
                }
                below.addAll(context.children());
            }
            level = below;
        }
        return true;
    }

    /**
     * Folds a tree that is not made into records yet.
     *
     * @param frame everything but the tree; its root may be without children
     * @param tree the tree, whose root is that of the frame
     * @param limits how much to leave. When not even the root fits, it comes without metrics, data and counters; a root
     *     whose names and path alone are longer is longer
     * @return the frame with the folded tree
     */
    @SuppressWarnings("ReferenceEquality") // the same, not an equal one: records compare their whole subtrees
    public static StatusSnapshot fold(StatusSnapshot frame, FoldableTree tree, SnapshotLimits limits) {
        requireNonNull(frame, "frame");
        requireNonNull(tree, "tree");
        requireNonNull(limits, "limits");
        byte[] ranks = Troubles.ranks(tree, frame);
        List<String> cuts = new ArrayList<>();
        StatusSnapshot listed = shortened(frame, limits, cuts);
        FoldPlan.Costs costs = FoldPlan.Costs.NONE;
        if (limits.measuresBytes()) {
            ContextStatus bare = tree.row(0).withChildren(List.of(), FoldedChildren.NONE);
            if (JsonSizes.of(listed.withGlobalContext(bare)) + FOLD_BYTES > limits.maxBytes()) {
                tree = new LeanRoot(tree);
                bare = bare.withoutDetails();
                cuts.add("the innermost operation of the root, without its values and counters");
                listed = shortened(frame, limits, cuts);
            }
            // The root's values come with its row; who it is counts twice, which is on the safe side.
            long around = JsonSizes.of(listed.withGlobalContext(bare.withoutDetails()));
            costs = new FoldPlan.Costs(
                    limits.maxBytes() - around, LEAST_BYTES, FOLD_BYTES, LEAN_BYTES, row -> JsonSizes.ofRow(row) + 1);
        }
        FoldPlan.Folded folded = FoldPlan.fold(tree, ranks, limits, costs, listed != frame);
        if (folded.lean() > 0) {
            cuts.add(folded.lean() + (folded.lean() == 1 ? " context" : " contexts") + " without values and counters");
            listed = shortened(frame, limits, cuts);
        }
        ContextStatus root = folded.root();
        return root == listed.globalContext() ? listed : listed.withGlobalContext(root);
    }

    /**
     * Finds why each context of a tree is worth a look.
     *
     * @param frame everything but the tree
     * @param tree the tree, whose root is that of the frame
     * @return of each context by its number, or nothing at all when nobody is in trouble
     */
    public static @Nullable ContextTrouble[] troubles(StatusSnapshot frame, FoldableTree tree) {
        byte[] ranks = Troubles.ranks(tree, frame);
        @Nullable ContextTrouble[] troubles = new ContextTrouble[0];
        for (int i = 0; i < ranks.length; i++) {
            ContextTrouble trouble = Troubles.trouble(ranks[i]);
            if (trouble != null) {
                troubles = troubles.length == 0 ? new ContextTrouble[ranks.length] : troubles;
                troubles[i] = trouble;
            }
        }
        return troubles;
    }

    /**
     * Folds the tree of a snapshot so that its drawing has few lines.
     *
     * @param lines how many lines there are
     * @param linesOf how many lines a context takes without its children
     * @return the root
     */
    static ContextStatus foldToLines(StatusSnapshot snapshot, long lines, ToLongFunction<ContextStatus> linesOf) {
        RecordTree tree = new RecordTree(snapshot.globalContext());
        FoldPlan.Costs costs = new FoldPlan.Costs(lines, 1, 1, -1, linesOf);
        return FoldPlan.fold(tree, Troubles.ranks(tree, snapshot), SnapshotLimits.UNLIMITED, costs, false)
                .root();
    }

    /**
     * The lists have the worst first, so their ends are cut, and a warning says so: nothing is left out in silence. What has ended
     * has the newest first, and is chosen from.
     */
    private static StatusSnapshot shortened(StatusSnapshot whole, SnapshotLimits limits, List<String> before) {
        List<String> cuts = new ArrayList<>(before);
        List<LockStatus> locks = shortened(whole.activeLocks(), JsonSizes::of, limits, "locks", cuts);
        List<LockWaiter> waiters = shortened(whole.lockWaiters(), JsonSizes::of, limits, "lock waiters", cuts);
        List<StatusWarning> warnings = shortened(whole.warnings(), JsonSizes::of, limits, "warnings", cuts);
        List<FinishedContext> recent =
                RecentShare.of(whole.recent(), all -> shortened(all, JsonSizes::of, limits, "recent contexts", cuts));
        List<CounterWindows> windows =
                shortened(whole.counterWindows(), JsonSizes::of, limits, "windows of counters", cuts);
        Map<String, OperationBaseline> baselines = new LinkedHashMap<>();
        shortened(
                        List.copyOf(whole.operationBaselines().entrySet()),
                        entry -> JsonSizes.of(entry.getKey(), entry.getValue()),
                        limits,
                        "baselines of operations",
                        cuts)
                .forEach(entry -> baselines.put(entry.getKey(), entry.getValue()));
        Causes causes = whole.causes();
        if (limits.measuresBytes() && !causes.isNone() && JsonSizes.of(causes) > limits.maxBytes() / LIST_PARTS) {
            cuts.add("no deadlocks or blocked places, of "
                    + (causes.deadlocks().size() + causes.blocked().size()));
            causes = Causes.NONE;
        }
        if (cuts.isEmpty()) {
            return whole;
        }
        List<StatusWarning> told = new ArrayList<>(warnings);
        told.add(new StatusWarning(
                WarningIds.STATUS_SHORTENED,
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
                recent,
                baselines,
                windows,
                causes);
    }

    private static <T> List<T> shortened(
            List<T> all, ToLongFunction<T> size, SnapshotLimits limits, String what, List<String> cuts) {
        int fit = Math.min(all.size(), limits.maxContexts());
        if (limits.measuresBytes()) {
            long left = limits.maxBytes() / LIST_PARTS;
            int measured = 0;
            while (measured < fit && left > 0) {
                left -= size.applyAsLong(all.get(measured)) + 1;
                measured += left >= 0 ? 1 : 0;
            }
            fit = measured;
        }
        if (fit == all.size()) {
            return all;
        }
        cuts.add(fit + " of " + all.size() + " " + what);
        return all.subList(0, fit);
    }

    /** A tree whose root says only who it is. */
    private record LeanRoot(FoldableTree tree) implements FoldableTree {
        @Override
        public int size() {
            return tree.size();
        }

        @Override
        public int parent(int index) {
            return tree.parent(index);
        }

        @Override
        public long id(int index) {
            return tree.id(index);
        }

        @Override
        public String name(int index) {
            return tree.name(index);
        }

        @Override
        public long ageNanos(int index) {
            return tree.ageNanos(index);
        }

        @Override
        public long quietNanos(int index) {
            return tree.quietNanos(index);
        }

        @Override
        public @Nullable ContextTrouble trouble(int index) {
            return tree.trouble(index);
        }

        @Override
        public FoldedChildren folded(int index) {
            return tree.folded(index);
        }

        @Override
        public ContextStatus row(int index) {
            ContextStatus row = tree.row(index);
            return index == 0 ? row.withoutDetails() : row;
        }
    }
}
