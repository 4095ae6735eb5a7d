package com.fastn.context.status;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The tree with its branches. It walks without recursion, and moves rows in only so far that half of the screen is left for
 * what they say: deeper rows carry their depth as a number instead.
 */
final class TreeDrawing {
    private static final int DEEPEST = 50;
    private static final int COLUMNS_PER_LEVEL = 4;

    private final Page page;
    private final LockIndex locks;
    private final Map<String, OperationBaseline> baselines;
    private final NodeIdentity node;
    private final ServedBy servedBy;
    private final boolean brief;
    private final int lockLines;
    private final int deepest;
    private final Deque<Branch> open = new ArrayDeque<>();
    private final Map<Integer, ContextStatus> rows = new HashMap<>();
    private final Set<ContextPath> counted = new HashSet<>();

    /**
     * Makes a drawing.
     *
     * @param snapshot whose tree it is
     * @param servedBy who works for those of the tree
     * @param lockLines how many of the locks that a context holds are drawn below it, and how many that it waits for; 0 for
     *     all
     */
    TreeDrawing(Page page, LockIndex locks, StatusSnapshot snapshot, ServedBy servedBy, boolean brief, int lockLines) {
        this.page = page;
        this.baselines = snapshot.operationBaselines();
        this.node = snapshot.node();
        this.servedBy = servedBy;
        this.lockLines = lockLines == 0 ? Integer.MAX_VALUE : lockLines;
        this.locks = locks;
        this.brief = brief;
        this.deepest =
                page.width() <= 0 ? DEEPEST : Math.max(3, Math.min(DEEPEST, page.width() / (2 * COLUMNS_PER_LEVEL)));
    }

    /** {@return the contexts that were drawn, by the number of the line that their row is in} */
    Map<Integer, ContextStatus> rows() {
        return rows;
    }

    void draw(ContextStatus root) {
        rows.put(page.lines(), root);
        Line line = page.line();
        addRow(line, Ink.BOLD, root.label(), root);
        page.end(line);
        enter(root, "", 0, false);
        while (!open.isEmpty()) {
            Branch branch = open.getLast();
            ContextStatus child = branch.next();
            if (child != null) {
                drawChild(branch, child);
            } else {
                open.removeLast();
                FoldedChildren folded = branch.context.foldedChildren();
                if (!folded.isNone()) {
                    page.end(more(branchLine(branch.lead, true), folded));
                }
            }
        }
    }

    private void drawChild(Branch branch, ContextStatus child) {
        boolean last = branch.isDone() && branch.context.foldedChildren().isNone();
        int depth = branch.depth + 1;
        Line line = branchLine(branch.lead, last);
        if (depth > deepest) {
            line.add(Ink.DIM, "[" + depth + "] ");
        }
        addRow(line, Ink.PLAIN, branch.titleOf(child), child);
        rows.put(page.lines(), child);
        page.end(line);
        String lead = depth >= deepest ? branch.lead : branch.lead + (last ? "    " : "│   ");
        enter(child, lead, depth, branch.isOneOfMany(child));
    }

    /** The ages are those of the siblings, the trouble is that of all below: nothing bad is left out in silence (rule M10). */
    private static Line more(Line line, FoldedChildren folded) {
        line.add(Ink.DIM, "+" + HumanText.count(folded.count()) + " more");
        if (folded.contexts() > folded.count()) {
            line.add(Ink.DIM, " (" + HumanText.count(folded.contexts()) + " contexts)");
        }
        if (!folded.oldest().isZero()) {
            line.add(Ink.DIM, ", oldest " + HumanText.duration(folded.oldest()));
        }
        if (folded.stuck() > 0) {
            line.mark(Ink.RED, ", " + HumanText.count(folded.stuck()) + " stuck");
        }
        return line;
    }

    /** {@return how many lines a context takes at most, without those of its children} */
    long linesOf(ContextStatus context) {
        long counters = brief || CounterText.of(context) == null ? 0 : 1;
        return 1 + counters + lines(locks.heldBy(context)) + lines(locks.awaitedBy(context));
    }

    private long lines(List<?> some) {
        return some.size() <= lockLines ? some.size() : lockLines + 1L;
    }

    /** Draws the rows that belong to the context itself and leaves its children for later. */
    private void enter(ContextStatus context, String lead, int depth, boolean oneOfMany) {
        List<LockStatus> held = locks.heldBy(context);
        List<LockWaiter> awaited = locks.awaitedBy(context);
        String counters = counters(context, oneOfMany);
        long left = (counters == null ? 0 : 1) + lines(held) + lines(awaited);
        boolean more =
                !context.children().isEmpty() || !context.foldedChildren().isNone();
        if (counters != null) {
            left--;
            page.end(branchLine(lead, left == 0 && !more).add(counters));
        }
        for (LockStatus lock : held.subList(0, Math.min(held.size(), lockLines))) {
            left--;
            page.end(holds(branchLine(lead, left == 0 && !more), lock));
        }
        if (held.size() > lockLines) {
            left--;
            page.end(andMore(branchLine(lead, left == 0 && !more), "🔒", " HOLDS", held.size() - lockLines));
        }
        for (LockWaiter waiter : awaited.subList(0, Math.min(awaited.size(), lockLines))) {
            left--;
            page.end(waits(branchLine(lead, left == 0 && !more), waiter));
        }
        if (awaited.size() > lockLines) {
            left--;
            page.end(andMore(branchLine(lead, left == 0 && !more), "⏳", " WAITING", awaited.size() - lockLines));
        }
        if (more) {
            open.addLast(new Branch(context, lead, depth));
        }
    }

    /** Counters belong to a path: contexts that share one show them once, as those of all. */
    private @Nullable String counters(ContextStatus context, boolean oneOfMany) {
        String text = brief ? null : CounterText.of(context);
        if (text == null || !counted.add(context.path())) {
            return null;
        }
        return oneOfMany ? "All " + context.label() + ": " + text : text;
    }

    private Line branchLine(String lead, boolean last) {
        return page.line().add(Ink.DIM, lead + (last ? "└── " : "├── "));
    }

    private void addRow(Line line, Ink ink, String title, ContextStatus context) {
        line.add(ink, title);
        String between = " (";
        for (RowText.Fact fact : RowText.facts(context, brief)) {
            line.add(between).add(fact.ink(), fact.text());
            between = ", ";
        }
        line.add(between.equals(", ") ? ")" : "");
        addOperation(line, context.operations());
        String served = brief ? "" : servedBy.of(node, context);
        line.add(Ink.DIM, served.isEmpty() ? "" : " " + Sanitizer.clean(served));
    }

    /** Adds the innermost operation; a stuck one around it is told first. */
    private void addOperation(Line line, List<OperationStatus> operations) {
        if (operations.isEmpty()) {
            return;
        }
        int innermost = operations.size() - 1;
        OperationStatus now = operations.get(innermost);
        int stuck = innermost;
        while (stuck >= 0 && !operations.get(stuck).stuck()) {
            stuck--;
        }
        if (stuck >= 0) {
            OperationStatus slow = operations.get(stuck);
            line.add(" (stuck on: ").quoted(Ink.CYAN, slow.name());
            line.add(" ").add(Ink.RED, HumanText.duration(slow.elapsed()));
            OperationBaseline usual = baselines.get(slow.name());
            if (usual != null && usual.count() >= OperationBaseline.ENOUGH) {
                line.add(", usually " + HumanText.fineDuration(usual.p50()));
            }
            if (stuck < innermost) {
                line.add(", now ").quoted(Ink.CYAN, now.name());
                line.add(" " + HumanText.duration(now.elapsed()));
            }
            line.add(")").mark(Ink.RED, " ⚠️ STUCK");
        } else if (!brief) {
            line.add(" on: ").quoted(Ink.CYAN, now.name());
            line.add(" " + HumanText.duration(now.elapsed())).mark(Ink.GREEN, " ✅ ACTIVE");
        }
    }

    private static Line andMore(Line line, String sign, String verb, int locks) {
        return line.add(Ink.YELLOW, sign).add(verb + " +" + HumanText.count(locks) + " more");
    }

    private Line holds(Line line, LockStatus lock) {
        line.add(Ink.YELLOW, "🔒").add(" HOLDS ");
        locks.addName(line, lock.name(), lock.lockId());
        line.add(" (")
                .add(lock.longHeld() ? Ink.RED : Ink.WHITE, HumanText.duration(lock.heldDuration()))
                .keep();
        return line.add(" held" + LockText.held(lock) + LockText.untold(lock) + ")");
    }

    private Line waits(Line line, LockWaiter waiter) {
        line.add(Ink.YELLOW, "⏳").add(" WAITING ");
        locks.addName(line, waiter.lockName(), waiter.lockId());
        line.add(" (")
                .add(Ink.RED, HumanText.duration(waiter.waitingDuration()))
                .keep();
        return line.add(" waiting" + LockText.wanted(waiter) + ")").mark(Ink.RED, waiter.stuck() ? " ⚠️ STUCK" : "");
    }

    /** A context whose children are being drawn. */
    private static final class Branch {
        private final ContextStatus context;
        private final String lead;
        private final int depth;
        private final Set<String> repeatedLabels;
        private final Set<String> repeatedNames;
        private int drawn;

        Branch(ContextStatus context, String lead, int depth) {
            this.context = context;
            this.lead = lead;
            this.depth = depth;
            this.repeatedLabels = repeated(context.children(), ContextStatus::label);
            this.repeatedNames = repeated(context.children(), ContextStatus::name);
        }

        @Nullable
        ContextStatus next() {
            return isDone() ? null : context.children().get(drawn++);
        }

        boolean isDone() {
            return drawn == context.children().size();
        }

        /** {@return the label, with the id where a sibling has the same one} */
        String titleOf(ContextStatus child) {
            return repeatedLabels.contains(child.label()) ? child.label() + "#" + child.id() : child.label();
        }

        /** {@return whether siblings have the same path} */
        boolean isOneOfMany(ContextStatus child) {
            return repeatedNames.contains(child.name());
        }

        private static Set<String> repeated(List<ContextStatus> siblings, Function<ContextStatus, String> part) {
            if (siblings.size() < 2) {
                return Set.of();
            }
            Set<String> seen = new HashSet<>();
            Set<String> again = new HashSet<>();
            for (ContextStatus sibling : siblings) {
                if (!seen.add(part.apply(sibling))) {
                    again.add(part.apply(sibling));
                }
            }
            return again;
        }
    }
}
