package com.fastn.status.cli;

import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.CounterWindows;
import com.fastn.context.status.NodeStatus;
import com.fastn.context.status.StatusRenderer;
import com.fastn.context.status.StatusRenderer.Part;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.context.status.StatusWarning;
import com.fastn.context.status.WarningSeverity;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;

/**
 * A drawing that is made to fit a screen. What is wrong is what somebody looks for, so it stays. What room is left is given to the
 * rest, the most important first, of the nodes in trouble first: locks, a small tree, the contexts that ended where they were asked
 * for, the machine, good news, a larger tree, the windows of counters. What finds no room makes way for the next.
 *
 * @param rows lines of the screen, or 0 when it is not known
 * @param place the screen
 * @param renderer draws
 * @param answer what is drawn
 * @param hint how to see what is left out
 */
record FittedPicture(int rows, Terminal place, StatusRenderer renderer, Answer answer, String hint) {
    private static final int HEADER_LINES = 2;
    private static final int FEWEST_TREE_LINES = 3;
    private static final int SMALL_TREE_LINES = 8;

    /**
     * {@return the drawing; it may still be too high, when what is wrong alone is}
     *
     * @param parted whether it has parts that can be left out
     */
    String drawn(boolean parted) {
        String whole = answer.drawn(renderer);
        if (rows <= 0 || !parted || lines(whole) <= rows) {
            return whole;
        }
        // How high a part is does not depend on how much room there is.
        List<Map<Share, Integer>> heights = answer.rows().stream()
                .<Map<Share, Integer>>map(node -> new HashMap<>())
                .toList();
        Fitting fitting = new Fitting(rows, heights);
        String note = fitting.leftOut();
        if (!note.isEmpty()) {
            fitting = new Fitting(rows - 1, heights);
            note = fitting.leftOut();
        }
        String fitted = fitting.text();
        return note.isEmpty() ? fitted : fitted + place.fitted(note + "; " + hint) + "\n";
    }

    private static int lines(String text) {
        return (int) text.chars().filter(c -> c == '\n').count();
    }

    /**
     * What is drawn of a node.
     *
     * @param locks whether locks and who waits for them are
     * @param treeLines how many lines of its tree; 0 for none
     * @param recent whether the contexts that ended are
     * @param machine whether its machine is
     * @param goodNews whether warnings that are none are
     * @param windows whether counters by time are
     */
    private record Share(
            boolean locks, int treeLines, boolean recent, boolean machine, boolean goodNews, boolean windows) {
        static final Share LEAST = new Share(false, 0, false, false, false, false);

        Share withLocks() {
            return new Share(true, treeLines, recent, machine, goodNews, windows);
        }

        Share withTreeLines(int lines) {
            return new Share(locks, lines, recent, machine, goodNews, windows);
        }

        Share withRecent() {
            return new Share(locks, treeLines, true, machine, goodNews, windows);
        }

        /** The machine is drawn above the tree, and not without it. */
        Share withMachine() {
            return treeLines == 0 ? this : new Share(locks, treeLines, recent, true, goodNews, windows);
        }

        Share withGoodNews() {
            return new Share(locks, treeLines, recent, machine, true, windows);
        }

        Share withWindows() {
            return treeLines == 0 ? this : new Share(locks, treeLines, recent, machine, goodNews, true);
        }

        StatusRenderer of(StatusRenderer all) {
            Set<Part> parts = EnumSet.of(Part.WARNINGS);
            if (locks) {
                parts.add(Part.LOCKS);
            }
            if (treeLines > 0) {
                parts.add(Part.TREE);
            }
            if (recent) {
                parts.add(Part.RECENT);
            }
            return all.maxTreeLines(treeLines).only(parts);
        }

        StatusSnapshot of(StatusSnapshot all) {
            List<StatusWarning> warnings = goodNews ? all.warnings() : withoutGoodNews(all.warnings());
            List<CounterWindows> counters = windows ? all.counterWindows() : List.of();
            return new StatusSnapshot(
                    all.node(),
                    all.timestamp(),
                    all.version(),
                    machine ? all.systemMetrics() : null,
                    all.globalContext(),
                    all.activeLocks(),
                    all.lockWaiters(),
                    warnings,
                    all.recent(),
                    all.operationBaselines(),
                    counters,
                    all.causes());
        }

        private static List<StatusWarning> withoutGoodNews(List<StatusWarning> all) {
            return all.stream()
                    .filter(warning -> warning.severity() != WarningSeverity.INFO)
                    .toList();
        }
    }

    /** Gives each node its share of some lines. */
    private final class Fitting {
        private final List<NodeStatus> nodes = answer.rows();
        private final List<Share> shares = new ArrayList<>();
        private final List<Map<Share, Integer>> heights;
        private final List<Integer> worstFirst = new ArrayList<>();
        private int free;

        Fitting(int lines, List<Map<Share, Integer>> heights) {
            this.heights = heights;
            free = lines - HEADER_LINES;
            for (int i = 0; i < nodes.size(); i++) {
                shares.add(Share.LEAST);
                worstFirst.add(i);
                free -= height(i, Share.LEAST);
            }
            worstFirst.sort(Comparator.comparing((Integer i) -> worst(nodes.get(i)))
                    .thenComparing(i -> isWaiting(nodes.get(i)))
                    .reversed());
            give(Share::withLocks);
            give(share -> share.withTreeLines(FEWEST_TREE_LINES));
            give(Share::withRecent);
            give(Share::withMachine);
            give(Share::withGoodNews);
            growTrees(SMALL_TREE_LINES);
            give(Share::withWindows);
            growTrees(lines);
            worstFirst.forEach(i -> growTree(i, lines));
        }

        private static WarningSeverity worst(NodeStatus node) {
            StatusSnapshot snapshot = node.snapshot();
            return snapshot == null
                    ? WarningSeverity.INFO
                    : snapshot.warnings().stream()
                            .map(StatusWarning::severity)
                            .max(Comparator.naturalOrder())
                            .orElse(WarningSeverity.INFO);
        }

        private static boolean isWaiting(NodeStatus node) {
            return node.snapshot() != null && !node.snapshot().lockWaiters().isEmpty();
        }

        /** Gives every node more, the worst first, as far as there is room. */
        private void give(UnaryOperator<Share> more) {
            for (int i : worstFirst) {
                offer(i, more.apply(shares.get(i)));
            }
        }

        private boolean offer(int node, Share share) {
            if (share.equals(shares.get(node))) {
                return true;
            }
            // To draw it only to find that it does not fit takes long.
            if (free <= 0) {
                return false;
            }
            int cost = height(node, share) - height(node, shares.get(node));
            if (cost > free) {
                return false;
            }
            free -= cost;
            shares.set(node, share);
            return true;
        }

        /** All trees to one height, the largest for which there is room. */
        private void growTrees(int most) {
            if (free <= 0) {
                return;
            }
            int low = FEWEST_TREE_LINES;
            int high = most;
            while (low < high) {
                int middle = (low + high + 1) / 2;
                int cost = 0;
                for (int i = 0; i < nodes.size(); i++) {
                    cost += height(i, grown(i, middle)) - height(i, shares.get(i));
                }
                if (cost <= free) {
                    low = middle;
                } else {
                    high = middle - 1;
                }
            }
            int all = low;
            worstFirst.forEach(i -> offer(i, grown(i, all)));
        }

        private Share grown(int node, int treeLines) {
            Share share = shares.get(node);
            return share.treeLines == 0 || share.treeLines >= treeLines ? share : share.withTreeLines(treeLines);
        }

        /** What the others leave over, for one that can use it. */
        private void growTree(int node, int most) {
            int low = shares.get(node).treeLines;
            int high = most;
            while (low > 0 && low < high) {
                int middle = (low + high + 1) / 2;
                if (offer(node, grown(node, middle))) {
                    low = middle;
                } else {
                    high = middle - 1;
                }
            }
        }

        private int height(int node, Share share) {
            return heights.get(node).computeIfAbsent(share, asked -> lines(drawn(only(node), asked)) - HEADER_LINES);
        }

        private String drawn(Answer some, Share share) {
            return some.with(share::of).drawn(share.of(renderer));
        }

        private Answer only(int node) {
            return answer instanceof Answer.OfCluster cluster
                    ? new Answer.OfCluster(new ClusterStatus(
                            cluster.cluster().timestamp(), cluster.cluster().answeredBy(), List.of(nodes.get(node))))
                    : answer;
        }

        /**
         * {@return the picture} Each node's part is taken out of a drawing of all of them, in which alone it is told who of one works
         * for whom of another.
         */
        String text() {
            Map<Share, List<String>> drawings = new HashMap<>();
            List<String> picture = new ArrayList<>();
            for (int i = 0; i < nodes.size(); i++) {
                Share share = shares.get(i);
                List<String> all = drawings.computeIfAbsent(
                        share, asked -> drawn(answer, asked).lines().toList());
                int begin = HEADER_LINES;
                for (int above = 0; above < i; above++) {
                    begin += height(above, share);
                }
                if (i == 0) {
                    picture.addAll(all.subList(0, HEADER_LINES));
                }
                picture.addAll(all.subList(begin, begin + height(i, share)));
            }
            return String.join("\n", picture) + "\n";
        }

        /** {@return which parts have found no room, as a sentence, or nothing} */
        String leftOut() {
            String locks = leftOut("lock list", Share::withLocks, Share::locks);
            String trees =
                    leftOut("tree", share -> share.withTreeLines(FEWEST_TREE_LINES), share -> share.treeLines > 0);
            boolean both = !locks.isEmpty() && !trees.isEmpty();
            String all = locks + (both ? " and " : "") + trees;
            if (all.isEmpty()) {
                return "";
            }
            boolean one = !both && (all.startsWith("the ") || all.startsWith("1 "));
            return all + (one ? " is left out, for it does not fit" : " are left out, for they do not fit");
        }

        private String leftOut(String what, UnaryOperator<Share> more, Predicate<Share> has) {
            int missing = 0;
            int all = 0;
            for (int i = 0; i < nodes.size(); i++) {
                Share share = shares.get(i);
                boolean drawn = has.test(share);
                boolean isOne =
                        nodes.get(i).snapshot() != null && (drawn || height(i, more.apply(share)) > height(i, share));
                all += isOne ? 1 : 0;
                missing += isOne && !drawn ? 1 : 0;
            }
            return missing == 0 ? "" : all == 1 ? "the " + what : missing + " of " + all + " " + what + "s";
        }
    }
}
