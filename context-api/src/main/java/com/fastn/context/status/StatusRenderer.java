package com.fastn.context.status;

import static java.util.Objects.requireNonNull;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * The drawing of a status for people: header, machine, tree, locks, waiters, warnings, and what was before.
 *
 * <p>Its result is whole lines, each ended by a line feed. Every text that comes from outside is cleaned (rule S6), so the
 * result holds no control character but line feeds and the colours chosen here. Immutable; use one from any thread.
 */
public final class StatusRenderer {
    /** So many lines of a node's tree are read at a glance: what status as text has unless it is asked for more. */
    public static final int USUAL_TREE_LINES = 60;

    private static final StatusRenderer PLAIN = new StatusRenderer(false, 0, false, 0, false, Set.of(Part.values()));
    private static final int FEWEST_TREE_LINES = 3;
    private static final int TREE_LINES_FOR_A_LOCK = 10;

    private final boolean colours;
    private final int width;
    private final boolean brief;
    private final int treeLines;
    private final boolean ascii;
    private final Set<Part> parts;

    private StatusRenderer(boolean colours, int width, boolean brief, int treeLines, boolean ascii, Set<Part> parts) {
        this.colours = colours;
        this.width = width;
        this.brief = brief;
        this.treeLines = treeLines;
        this.ascii = ascii;
        this.parts = parts;
    }

    /** The parts of a drawing that can be had without the others. */
    public enum Part {
        /** The machine and the tree. */
        TREE,
        /** The locks that are held, and who waits for one. */
        LOCKS,
        /** What is worth a look. */
        WARNINGS,
        /** The contexts that ended and the times in which some were stuck, where they were asked for. */
        RECENT
    }

    /** {@return a renderer without colours that never cuts a line} */
    public static StatusRenderer plain() {
        return PLAIN;
    }

    /**
     * Makes a renderer with ANSI colours for a terminal.
     *
     * @param width the terminal's columns; longer lines are cut with an ellipsis. 0 or less cuts nothing
     * @return the renderer
     */
    public static StatusRenderer ansi(int width) {
        return new StatusRenderer(true, width, false, 0, false, Set.of(Part.values()));
    }

    /**
     * Makes a renderer that cuts elsewhere.
     *
     * @param columns the columns that there are; 0 or less cuts nothing
     * @return the renderer
     */
    public StatusRenderer withWidth(int columns) {
        return new StatusRenderer(colours, columns, brief, treeLines, ascii, parts);
    }

    /**
     * Makes a renderer that draws the tree with durations, metrics and notes, and what is wrong; no header, no machine, no
     * counters, no activity.
     *
     * @return the renderer
     */
    public StatusRenderer brief() {
        return new StatusRenderer(colours, width, true, treeLines, ascii, parts);
    }

    /**
     * Makes a renderer that draws a tree of more lines folded, as {@link SnapshotFold} does: who is in trouble is shown first,
     * and what is left out is counted. A context with many locks shows the first of them. Lists below the tree are drawn
     * whole.
     *
     * @param lines how many lines a node's tree may have, such as 60; 0 or less folds nothing, and 3 are the fewest
     * @return the renderer
     */
    public StatusRenderer maxTreeLines(int lines) {
        return new StatusRenderer(
                colours, width, brief, lines <= 0 ? 0 : Math.max(FEWEST_TREE_LINES, lines), ascii, parts);
    }

    /**
     * Makes a renderer whose result is ASCII: branches and signs get look-alikes, other characters are spelled out.
     *
     * @return the renderer
     */
    public StatusRenderer ascii() {
        return new StatusRenderer(colours, width, brief, treeLines, true, parts);
    }

    /**
     * Makes a renderer that draws the header and some parts, each where it has something to tell.
     *
     * @param wanted the parts, at least one
     * @return the renderer
     * @throws IllegalArgumentException if no part is wanted
     */
    public StatusRenderer only(Set<Part> wanted) {
        if (wanted.isEmpty()) {
            throw new IllegalArgumentException(
                    "a drawing has at least one part; name one of " + List.of(Part.values()));
        }
        return new StatusRenderer(colours, width, brief, treeLines, ascii, Set.copyOf(wanted));
    }

    /**
     * Draws one node.
     *
     * @param snapshot what to draw
     * @return the lines
     */
    public String render(StatusSnapshot snapshot) {
        requireNonNull(snapshot, "snapshot");
        Page page = new Page(colours, width, ascii);
        if (!brief) {
            page.end(page.line().add(Ink.TITLE, "fastn Status Dashboard"));
            page.end(page.line()
                    .add(
                            Ink.DIM,
                            "Snapshot: " + seconds(snapshot.timestamp()) + " | node "
                                    + snapshot.node().alias()));
        }
        draw(page, snapshot, ServedBy.NOBODY);
        return page.text();
    }

    /**
     * Draws all nodes of a cluster, those that did not answer included.
     *
     * @param cluster what to draw
     * @return the lines
     */
    public String render(ClusterStatus cluster) {
        requireNonNull(cluster, "cluster");
        Page page = new Page(colours, width, ascii);
        if (!brief) {
            page.end(page.line().add(Ink.TITLE, "fastn Cluster Status"));
            page.end(page.line()
                    .add(
                            Ink.DIM,
                            "Snapshot: " + seconds(cluster.timestamp()) + " | answered by " + cluster.answeredBy()
                                    + " | " + nodes(cluster.nodes())));
        }
        Set<String> sharedAliases = sharedAliases(cluster.nodes());
        ServedBy servedBy = ServedBy.of(cluster);
        for (NodeStatus node : cluster.nodes()) {
            page.gap();
            title(page, node, sharedAliases.contains(node.node().alias()));
            page.indent("  ");
            if (node.snapshot() != null) {
                draw(page, node.snapshot(), servedBy);
            } else if (node.summary() != null) {
                page.end(page.line().add("last known: " + lastKnown(node.summary())));
            }
            page.indent("");
        }
        return page.text();
    }

    /**
     * Draws the tree of one node alone, for whoever lets a reader move in it.
     *
     * @param snapshot what to draw
     * @return its lines, and which contexts they are about
     */
    public List<TreeLine> renderTree(StatusSnapshot snapshot) {
        requireNonNull(snapshot, "snapshot");
        Page page = new Page(colours, width, ascii);
        TreeDrawing drawing = new TreeDrawing(page, new LockIndex(snapshot), snapshot, ServedBy.NOBODY, brief, 0);
        drawing.draw(snapshot.globalContext());
        List<TreeLine> lines = new ArrayList<>();
        ContextStatus owner = snapshot.globalContext();
        for (String text : page.text().lines().toList()) {
            ContextStatus begun = drawing.rows().get(lines.size());
            owner = begun == null ? owner : begun;
            lines.add(new TreeLine(text, owner, begun != null));
        }
        return lines;
    }

    /**
     * Draws why a context is stuck. The first line names the root.
     *
     * @param explanation what to draw
     * @return the lines
     */
    public String render(Explanation explanation) {
        requireNonNull(explanation, "explanation");
        Page page = new Page(colours, width, ascii);
        ExplanationText.draw(page, explanation);
        return page.text();
    }

    /**
     * Draws why contexts are stuck, each root once, by one that leads to it over many steps.
     *
     * @param explanations what to draw
     * @return the lines
     */
    public String render(List<Explanation> explanations) {
        requireNonNull(explanations, "explanations");
        Page page = new Page(colours, width, ascii);
        ExplanationText.drawAll(page, explanations);
        return page.text();
    }

    private void draw(Page page, StatusSnapshot snapshot, ServedBy servedBy) {
        LockIndex locks = new LockIndex(snapshot);
        if (parts.contains(Part.TREE)) {
            drawTree(page, snapshot, locks, servedBy);
        }
        if (parts.contains(Part.LOCKS)) {
            drawLocks(page, snapshot.activeLocks(), locks);
            drawWaiters(page, snapshot.lockWaiters(), locks);
        }
        if (parts.contains(Part.WARNINGS)) {
            drawWarnings(page, snapshot.warnings());
        }
        if (parts.contains(Part.RECENT)) {
            drawRecent(page, snapshot.recent(), snapshot.timestamp());
            drawEpisodes(page, snapshot.causes().episodes());
        }
    }

    private void drawTree(Page page, StatusSnapshot snapshot, LockIndex locks, ServedBy servedBy) {
        SystemMetrics metrics = snapshot.systemMetrics();
        if (!brief) {
            if (metrics != null) {
                SystemLines.of(metrics).forEach(text -> page.end(page.line().add(text)));
            }
            page.gap();
        }
        int locksOfAContext = treeLines == 0 ? 0 : Math.max(1, treeLines / TREE_LINES_FOR_A_LOCK);
        TreeDrawing drawing = new TreeDrawing(page, locks, snapshot, servedBy, brief, locksOfAContext);
        drawing.draw(
                treeLines == 0
                        ? snapshot.globalContext()
                        : SnapshotFold.foldToLines(snapshot, treeLines, drawing::linesOf));
        if (!brief) {
            drawCounterWindows(page, snapshot.counterWindows());
        }
    }

    private static void drawCounterWindows(Page page, List<CounterWindows> all) {
        if (all.isEmpty()) {
            return;
        }
        page.gap();
        page.end(page.line().add("Counter Windows (" + HumanText.count(all.size()) + "):"));
        for (CounterWindows windows : all) {
            Line line = page.line().add(" - ").add(Ink.WHITE, windows.path().toString() + " " + windows.counter());
            line.add(": " + HumanText.count(windows.sinceStart()) + " total");
            line.add(" | " + HumanText.count(windows.lastDay()) + " last day");
            line.add(" | " + HumanText.count(windows.lastHour()) + " last hour");
            line.add(" | " + HumanText.count(windows.lastMinute()) + " last minute");
            line.add(" | " + HumanText.number(windows.ratePerSecond()) + "/sec current");
            page.end(line.add(trend(windows.trend())));
        }
    }

    private static String trend(Trend trend) {
        return switch (trend) {
            case RISING -> ", rising";
            case FALLING -> ", falling";
            case STEADY, UNKNOWN -> "";
        };
    }

    private static void drawLocks(Page page, List<LockStatus> active, LockIndex locks) {
        if (active.isEmpty()) {
            return;
        }
        page.gap();
        page.end(page.line().add(Ink.YELLOW, "🔒").add(" Active Locks (" + HumanText.count(active.size()) + "):"));
        for (LockStatus lock : active) {
            Line line = page.line().add(" - ");
            locks.addName(line, lock.name(), lock.lockId());
            line.add(" held by ").name(Ink.WHITE, lock.heldByContext()).add(" (");
            line.add(lock.longHeld() ? Ink.RED : Ink.WHITE, HumanText.duration(lock.heldDuration()))
                    .keep();
            line.add(LockText.held(lock))
                    .add(LockText.takenAt(lock))
                    .add(LockText.untold(lock))
                    .add(")");
            line.add(lock.waiters() > 0 ? ", " + HumanText.count(lock.waiters()) + " waiting" : "");
            page.end(line.mark(Ink.RED, lock.longHeld() ? " ⚠️ LONG HELD" : ""));
        }
    }

    private static void drawWaiters(Page page, List<LockWaiter> waiters, LockIndex locks) {
        if (waiters.isEmpty()) {
            return;
        }
        page.gap();
        page.end(page.line().add(Ink.YELLOW, "⏳").add(" Lock Waiters (" + HumanText.count(waiters.size()) + "):"));
        for (LockWaiter waiter : waiters) {
            Line line =
                    page.line().add(" - ").name(Ink.WHITE, waiter.contextName()).add(" waiting for ");
            locks.addName(line, waiter.lockName(), waiter.lockId());
            line.add(" (")
                    .add(Ink.RED, HumanText.duration(waiter.waitingDuration()))
                    .keep()
                    .add(LockText.wanted(waiter))
                    .add(LockText.askedAt(waiter))
                    .add(")");
            page.end(line.mark(Ink.RED, waiter.stuck() ? " ⚠️ STUCK" : ""));
        }
    }

    private void drawWarnings(Page page, List<StatusWarning> warnings) {
        List<StatusWarning> shown = brief
                ? warnings.stream()
                        .filter(w -> w.severity() != WarningSeverity.INFO)
                        .toList()
                : warnings;
        if (shown.isEmpty()) {
            return;
        }
        page.gap();
        page.end(page.line().add(Ink.RED, "⚠️").add(" Warnings:"));
        Set<String> told = new HashSet<>();
        for (StatusWarning warning : shown) {
            page.end(page.line().add("  " + icon(warning.severity()) + " ").add(Ink.YELLOW, warning.message()));
            // Many lead to one place, such as all who wait for a lock: it is told once.
            if (warning.next() != null && told.add(warning.next())) {
                page.end(page.line().add(Ink.DIM, "     -> " + warning.next()));
            }
        }
    }

    private static void drawRecent(Page page, List<FinishedContext> recent, Instant now) {
        if (recent.isEmpty()) {
            return;
        }
        page.gap();
        page.end(page.line().add("Recent contexts (" + HumanText.count(recent.size()) + "):"));
        for (FinishedContext finished : recent) {
            FinishedContext.Outcome outcome = finished.outcome();
            boolean completed = outcome instanceof FinishedContext.Completed;
            String when = " at " + timeOrDay(finished.endedAt(), now);
            Line line = page.line().add(" - ");
            line.add(completed ? Ink.GREEN : Ink.RED, completed ? "✅" : "❌").add(" ");
            line.add(Ink.WHITE, finished.path().toString());
            line.add(" (" + HumanText.fineDuration(finished.duration()) + ", ");
            if (outcome instanceof FinishedContext.Failed failed) {
                line.add("failed" + when + ": ").quoted(Ink.RED, failed.message());
            } else if (outcome instanceof FinishedContext.Cancelled cancelled) {
                line.add("cancelled" + when + ": ")
                        .quoted(Ink.YELLOW, cancelled.reason().message());
            } else {
                line.add("completed" + when);
            }
            CallerLink caller = finished.caller();
            if (caller != null) {
                // In the list of its node it stands by its path, too.
                line.add(", ").add(Ink.DIM, "called by " + caller.path() + "@" + caller.node());
            }
            if (finished.traceId() != null) {
                line.add(", ").add(Ink.DIM, "trace " + finished.traceId());
            }
            page.end(line.add(")"));
        }
    }

    /** {@return the time, with its day where that is not today} What went wrong stays in the list for long. */
    private static String timeOrDay(Instant time, Instant now) {
        String whole = seconds(time);
        int day = whole.indexOf('T') + 1;
        return seconds(now).startsWith(whole.substring(0, day)) ? whole.substring(day) : whole;
    }

    private static void drawEpisodes(Page page, List<WaitEpisode> episodes) {
        if (episodes.isEmpty()) {
            return;
        }
        page.gap();
        page.end(page.line().add("Episodes (" + HumanText.count(episodes.size()) + "):"));
        for (WaitEpisode episode : episodes) {
            page.end(page.line().add(" - ").add(episode.isOpen() ? Ink.RED : Ink.PLAIN, episode.text()));
        }
    }

    private static String icon(WarningSeverity severity) {
        return switch (severity) {
            case INFO -> "ℹ️";
            case WARNING -> "⚠️";
            case CRITICAL -> "🚨";
        };
    }

    private static void title(Page page, NodeStatus node, boolean aliasIsShared) {
        NodeState state = node.state();
        Line line = page.line();
        switch (state) {
            case UP -> line.add(Ink.GREEN, "●");
            case STALE -> line.add(Ink.YELLOW, "◐");
            case DOWN -> line.add(Ink.RED, "○");
            case CONFLICT -> line.add(Ink.RED, "◆");
        }
        line.add(" ").add(Ink.BOLD, node.node().alias());
        if (aliasIsShared) {
            line.add(Ink.DIM, " " + node.node().incarnation());
        }
        line.add("  ").add(state == NodeState.UP ? Ink.GREEN : Ink.RED, word(state));
        // Whoever asks directly, and not a neighbour that knows it, has never heard of it.
        if (node.snapshot() == null && (node.summary() != null || !node.age().isZero())) {
            line.add(", last heard " + HumanText.duration(node.age()) + " ago");
        }
        line.add(node.reason() == null ? "" : ": " + node.reason());
        page.end(line);
    }

    private static String lastKnown(NodeSummary summary) {
        List<String> parts = new ArrayList<>();
        parts.add(HumanText.count(summary.contexts(), "contexts"));
        parts.add(HumanText.count(summary.locksHeld(), "locks held"));
        parts.add(HumanText.count(summary.lockWaiters()) + " waiting");
        if (summary.warnings() > 0) {
            parts.add(HumanText.count(summary.warnings(), "warnings"));
        }
        return String.join(", ", parts);
    }

    private static String nodes(List<NodeStatus> nodes) {
        List<String> parts = new ArrayList<>();
        for (NodeState state : NodeState.values()) {
            long count = nodes.stream().filter(n -> n.state() == state).count();
            if (count > 0) {
                parts.add(HumanText.count(count) + " " + word(state));
            }
        }
        return HumanText.count(nodes.size(), "nodes") + (parts.isEmpty() ? "" : " (" + String.join(", ", parts) + ")");
    }

    private static String word(NodeState state) {
        return state.name().toLowerCase(Locale.ROOT);
    }

    private static Set<String> sharedAliases(List<NodeStatus> nodes) {
        Set<String> seen = new HashSet<>();
        Set<String> shared = new HashSet<>();
        for (NodeStatus node : nodes) {
            if (!seen.add(node.node().alias())) {
                shared.add(node.node().alias());
            }
        }
        return shared;
    }

    private static String seconds(Instant time) {
        return time.truncatedTo(ChronoUnit.SECONDS).toString();
    }
}
