package com.fastn.context.status;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * The choice of the contexts of a tree that are shown, when not all can be: whoever is in trouble with all above them, the
 * worst first and of these the oldest; then the first sibling of each name; then the others, the upper levels and the oldest
 * first. How many children one may show bounds the others, not whoever is in trouble. Where somebody in trouble finds no room
 * beside contexts with much to tell, these are shown without their values.
 * Only contexts that may be shown are asked for their records.
 */
final class FoldPlan {
    /** So many that do not fit may be passed over before the rest is taken to fit no more. */
    private static final int MOST_MISSES = 64;
    /** A context that costs more than one part of so many has much to tell. */
    private static final int FAIR_PARTS = 64;
    /** Nor is it taken for one below so many times of what the cheapest costs. */
    private static final int FAIR_TIMES = 4;

    private final FoldableTree tree;
    private final byte[] ranks;
    private final SnapshotLimits limits;
    private final Costs costs;
    private final boolean listsAreCut;
    private final int size;
    private final int[] level;
    private final int[] childCount;
    private final int[] shownCount;
    private final boolean[] shown;
    private final Map<Integer, ContextStatus> rows = new HashMap<>();
    private final long fair;
    private final BitSet lean = new BitSet();
    /** Those above somebody in trouble who is too deep to be shown. */
    private final BitSet leads = new BitSet();

    private int contexts;
    private long left;
    private boolean sawUnfair;
    private boolean leavesTroubleOut;

    /**
     * What showing costs.
     *
     * @param budget how much there is
     * @param least what the cheapest context costs
     * @param ofFold what it costs to say that children are left out
     * @param ofLean what it costs to say that contexts are shown without their values; negative when they never are
     * @param ofRow what a context costs without its children; {@code null} when nothing is measured
     */
    record Costs(
            long budget,
            long least,
            long ofFold,
            long ofLean,
            @Nullable ToLongFunction<ContextStatus> ofRow) {
        static final Costs NONE = new Costs(Long.MAX_VALUE / 2, 0, 0, -1, null);

        long fair() {
            return ofLean < 0 ? Long.MAX_VALUE : Math.max(budget / FAIR_PARTS, FAIR_TIMES * least);
        }
    }

    /**
     * A tree as it is shown.
     *
     * @param root its root
     * @param lean how many contexts are shown without their values
     */
    record Folded(ContextStatus root, int lean) {}

    private FoldPlan(
            FoldableTree tree, byte[] ranks, SnapshotLimits limits, Costs costs, boolean listsAreCut, boolean sparing) {
        this.tree = tree;
        this.ranks = ranks;
        this.limits = limits;
        this.costs = costs;
        this.listsAreCut = listsAreCut;
        this.size = tree.size();
        this.level = new int[size];
        this.childCount = new int[size];
        this.shownCount = new int[size];
        this.shown = new boolean[size];
        this.left = costs.budget - (sparing ? costs.ofLean : 0);
        this.fair = sparing ? costs.fair() : Long.MAX_VALUE;
    }

    /**
     * {@return the tree as it is shown}
     *
     * @param listsAreCut whether the ranks were found by lists that are longer than those which are shown
     */
    static Folded fold(FoldableTree tree, byte[] ranks, SnapshotLimits limits, Costs costs, boolean listsAreCut) {
        FoldPlan plan = chosen(tree, ranks, limits, costs, listsAreCut, false);
        if (plan.leavesTroubleOut && plan.sawUnfair) {
            plan = chosen(tree, ranks, limits, costs, listsAreCut, true);
        }
        FoldPlan chosen = plan;
        int lean = (int) plan.lean.stream().filter(i -> chosen.shown[i]).count();
        return new Folded(plan.build(), lean);
    }

    private static FoldPlan chosen(
            FoldableTree tree, byte[] ranks, SnapshotLimits limits, Costs costs, boolean listsAreCut, boolean sparing) {
        FoldPlan plan = new FoldPlan(tree, ranks.clone(), limits, costs, listsAreCut, sparing);
        plan.survey();
        plan.choose();
        return plan;
    }

    /** Who is too deep to be shown makes the deepest one above, where it is counted, worth showing. */
    private void survey() {
        int[] deepestShown = new int[size];
        level[0] = 1;
        for (int i = 1; i < size; i++) {
            int parent = tree.parent(i);
            level[i] = level[parent] + 1;
            childCount[parent]++;
            deepestShown[i] = level[i] <= limits.maxDepth() ? i : deepestShown[parent];
            if (deepestShown[i] != i && Troubles.isTrouble(ranks[i])) {
                int above = deepestShown[i];
                leads.set(above);
                ranks[above] = ranks[above] == Troubles.NONE ? Troubles.NOTABLE : ranks[above];
            }
        }
    }

    private void choose() {
        shown[0] = true;
        contexts = 1;
        left -= cost(0) + (hidesSome(0, 0) ? costs.ofFold : 0);
        for (int troubled : worst()) {
            leavesTroubleOut |= !show(troubled);
        }
        showFirstOfEachName();
        showOthers();
    }

    /** The worst, as many as can fit at most, so that a million in trouble cost no sorting of a million. */
    private List<Integer> worst() {
        long fit = costs.least == 0 ? size : Math.max(0, left) / costs.least;
        int most = (int) Math.min(fit, Math.min(size, limits.maxContexts()));
        Comparator<Integer> better = Comparator.<Integer>comparingInt(i -> ranks[i])
                // These may be more than a family shows, and then nobody else is shown beside them.
                .thenComparing(i -> leads.get(i))
                .thenComparingLong(tree::ageNanos)
                .thenComparing(Comparator.reverseOrder());
        PriorityQueue<Integer> worst = new PriorityQueue<>(better);
        for (int i = 1; i < size && most > 0; i++) {
            if (ranks[i] == Troubles.NONE || level[i] > limits.maxDepth()) {
                continue;
            }
            if (worst.size() < most) {
                worst.add(i);
            } else if (better.compare(worst.element(), i) < 0) {
                worst.remove();
                worst.add(i);
            }
        }
        List<Integer> worstFirst = new ArrayList<>(worst);
        worstFirst.sort(better.reversed());
        return worstFirst;
    }

    private void showFirstOfEachName() {
        Set<String> seen = new HashSet<>();
        int family = 0;
        int misses = 0;
        for (int i = 1; i < size && hasRoom(misses); i++) {
            int parent = tree.parent(i);
            if (parent != family) {
                family = parent;
                seen.clear();
            }
            // A family of many names is shown by its oldest anyway.
            if (seen.size() < limits.maxChildrenPerNode() && seen.add(tree.name(i)) && mayStandBelow(parent, i)) {
                misses += show(i) ? 0 : 1;
            }
        }
    }

    private void showOthers() {
        int misses = 0;
        for (int i = 1; i < size && hasRoom(misses); i++) {
            if (mayStandBelow(tree.parent(i), i)) {
                misses += show(i) ? 0 : 1;
            }
        }
    }

    private boolean hasRoom(int misses) {
        return misses <= MOST_MISSES && contexts < limits.maxContexts() && left >= costs.least;
    }

    private boolean mayStandBelow(int parent, int child) {
        return !shown[child]
                && shown[parent]
                && shownCount[parent] < limits.maxChildrenPerNode()
                && level[child] <= limits.maxDepth();
    }

    /** Shows a context with all above it, or nothing of them when they do not fit. */
    private boolean show(int index) {
        int[] chain = new int[8];
        int length = 0;
        int above = index;
        while (!shown[above]) {
            if (contexts + length >= limits.maxContexts()) {
                return false;
            }
            chain = length == chain.length ? Arrays.copyOf(chain, 2 * length) : chain;
            chain[length] = above;
            length++;
            above = tree.parent(above);
        }
        if (length == 0) {
            return true;
        }
        if (shownCount[above] >= limits.maxChildrenPerNode()
                && !Troubles.isTrouble(ranks[index])
                && !leads.get(index)) {
            return false;
        }
        long cost = hidesSome(above, shownCount[above]) && !hidesSome(above, shownCount[above] + 1) ? -costs.ofFold : 0;
        for (int i = 0; i < length && cost <= left; i++) {
            cost += cost(chain[i]) + (hidesSome(chain[i], i == 0 ? 0 : 1) ? costs.ofFold : 0);
        }
        if (cost > left) {
            return false;
        }
        left -= cost;
        contexts += length;
        for (int i = 0; i < length; i++) {
            shown[chain[i]] = true;
            shownCount[tree.parent(chain[i])]++;
        }
        return true;
    }

    private boolean hidesSome(int index, int children) {
        return childCount[index] > children || !tree.folded(index).isNone();
    }

    private long cost(int index) {
        ToLongFunction<ContextStatus> ofRow = costs.ofRow;
        if (ofRow == null) {
            return 0;
        }
        long cost = ofRow.applyAsLong(told(index));
        sawUnfair |= cost > costs.fair();
        if (cost > fair && !lean.get(index)) {
            lean.set(index);
            rows.put(index, row(index).withoutDetails());
            cost = ofRow.applyAsLong(told(index));
        }
        return cost;
    }

    private ContextStatus told(int index) {
        return row(index).withTrouble(Troubles.trouble(ranks[index]));
    }

    private ContextStatus row(int index) {
        return rows.computeIfAbsent(index, tree::row);
    }

    /** Children stand behind their parents, so from the end on all below a context is known when its turn comes. */
    private ContextStatus build() {
        Map<Integer, Hidden> hidden = new HashMap<>();
        long[] contextsBelow = new long[size];
        long[] stuckBelow = new long[size];
        Map<Integer, List<ContextStatus>> children = new HashMap<>();
        for (int i = size - 1; i > 0; i--) {
            int parent = tree.parent(i);
            if (shown[i]) {
                List<ContextStatus> lastFirst = children.computeIfAbsent(parent, p -> new ArrayList<>());
                lastFirst.add(built(i, children.remove(i), hidden.remove(i)));
                continue;
            }
            FoldedChildren before = tree.folded(i);
            long below = 1 + contextsBelow[i] + before.contexts();
            long stuck = (Troubles.isTrouble(ranks[i]) ? 1 : 0) + stuckBelow[i] + before.stuck();
            if (shown[parent]) {
                hidden.computeIfAbsent(parent, p -> new Hidden()).add(below, stuck, tree.ageNanos(i));
            } else {
                contextsBelow[parent] += below;
                stuckBelow[parent] += stuck;
            }
        }
        return built(0, children.get(0), hidden.get(0));
    }

    private ContextStatus built(int index, @Nullable List<ContextStatus> lastFirst, @Nullable Hidden hidden) {
        // Where nothing is left out, whoever asks finds the same by the lists.
        ContextStatus row = listsAreCut || contexts < size ? told(index) : row(index);
        List<ContextStatus> children = List.of();
        if (lastFirst != null) {
            Collections.reverse(lastFirst);
            children = lastFirst;
        }
        FoldedChildren before = tree.folded(index);
        FoldedChildren folded = hidden == null ? before : hidden.with(before);
        boolean isAsItWas = hidden == null && sameInstances(children, row.children());
        return isAsItWas ? row : row.withChildren(children, folded);
    }

    /** Not equals: records compare their whole subtrees. */
    @SuppressWarnings("ReferenceEquality")
    private static boolean sameInstances(List<ContextStatus> some, List<ContextStatus> others) {
        if (some.size() != others.size()) {
            return false;
        }
        for (int i = 0; i < some.size(); i++) {
            if (some.get(i) != others.get(i)) {
                return false;
            }
        }
        return true;
    }

    /** What is left out below one context. */
    private static final class Hidden {
        private long count;
        private long contexts;
        private long stuck;
        private long oldestNanos;

        void add(long contextsWithin, long stuckWithin, long ageNanos) {
            count++;
            contexts += contextsWithin;
            stuck += stuckWithin;
            oldestNanos = Math.max(oldestNanos, ageNanos);
        }

        FoldedChildren with(FoldedChildren before) {
            Duration oldest = Duration.ofNanos(oldestNanos);
            return new FoldedChildren(
                    count + before.count(),
                    contexts + before.contexts(),
                    oldest.compareTo(before.oldest()) > 0 ? oldest : before.oldest(),
                    stuck + before.stuck());
        }
    }
}
