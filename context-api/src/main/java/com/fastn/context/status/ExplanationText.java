package com.fastn.context.status;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Explanations, deadlocks and episodes in words. */
final class ExplanationText {
    private static final int SHOWN_FRAMES = 12;
    private static final int SHOWN_PARTIES = 6;
    private static final int DEEPEST_INDENT = 12;

    private ExplanationText() {}

    static String headline(Explanation of) {
        RootCause root = of.root();
        String rootName = root.context().shortName();
        StringBuilder text = new StringBuilder(rootName).append(": ").append(root.text());
        if (!of.chain().isEmpty()) {
            Cause first = of.chain().get(0);
            text.append("; ").append(of.stuck().shortName()).append(' ').append(first.waits());
        }
        if (of.freed() > 0) {
            text.append("; ")
                    .append(HumanText.count(of.freed()))
                    .append(of.freed() == 1 ? " context goes on when it moves" : " contexts go on when it moves");
        }
        return text.toString();
    }

    static void draw(Page page, Explanation of) {
        Line title = page.line().add(Ink.BOLD, of.root().context().shortName()).add(": ");
        title.add(Ink.RED, of.root().text());
        page.end(title.add(headline(of)
                .substring((of.root().context().shortName() + ": " + of.root().text()).length())));
        int depth = 0;
        if (of.chain().isEmpty()) {
            page.end(page.line().add("  waits for no other context"));
        }
        for (Cause cause : of.chain()) {
            Line line = page.line().add(indent(depth));
            if (depth == 0) {
                line.add(Ink.WHITE, cause.waiter().shortName()).add("  ");
            } else {
                line.add("<- ");
            }
            page.end(line.add(cause.waits()));
            depth++;
            page.end(page.line().add(indent(depth)).add("<- ").add(cause.found()));
            depth++;
        }
        if (!of.chain().isEmpty()) {
            page.end(page.line()
                    .add(indent(depth))
                    .add("<- ")
                    .add(Ink.RED, of.root().text()));
        }
        drawStack(page, of.root(), indent(depth + 1));
        if (!of.firstFreed().isEmpty()) {
            long more = of.freed() - of.firstFreed().size();
            page.end(page.line()
                    .add("  when " + of.root().context().shortName() + " moves, these go on: "
                            + String.join(", ", of.firstFreed())
                            + (more > 0 ? ", +" + HumanText.count(more) + " more" : "")));
        }
    }

    /** All of them, each root once: those that are stuck behind the same one are counted in its first explanation. */
    static void drawAll(Page page, List<Explanation> all) {
        Map<List<Object>, Integer> shown = new LinkedHashMap<>();
        List<Explanation> firsts = new ArrayList<>();
        for (Explanation each : all) {
            ContextRef root = each.root().context();
            if (shown.merge(List.of(root.node(), root.contextId()), 1, Integer::sum) == 1) {
                firsts.add(each);
            }
        }
        if (firsts.isEmpty()) {
            page.end(page.line().add("nothing is stuck"));
        }
        for (Explanation first : firsts) {
            page.gap();
            draw(page, first);
        }
    }

    private static String indent(int depth) {
        return "  " + "   ".repeat(Math.min(depth, DEEPEST_INDENT));
    }

    private static void drawStack(Page page, RootCause root, String indent) {
        int shown = 0;
        for (String frame : root.stack()) {
            if (shown == SHOWN_FRAMES) {
                page.end(
                        page.line().add(indent).add(Ink.DIM, "+" + (root.stack().size() - shown) + " more frames"));
                return;
            }
            page.end(page.line().add(indent).add(Ink.DIM, "at " + frame));
            shown++;
        }
    }

    static String cycle(DeadlockReport report) {
        StringBuilder text = new StringBuilder(report.proven() ? "deadlock: " : "suspected deadlock: ");
        List<DeadlockReport.Party> parties = report.parties();
        for (int i = 0; i < parties.size() && i < SHOWN_PARTIES; i++) {
            DeadlockReport.Party party = parties.get(i);
            text.append(i == 0 ? "" : "; ").append(party.context().shortName());
            String and = "";
            for (DeadlockReport.Hold hold : party.holds()) {
                boolean reply = isReply(hold.lockId(), hold.lockName());
                text.append(and.isEmpty() ? (reply ? " owes " : " holds ") : and)
                        .append(lock(hold.lockId(), hold.lockType(), hold.lockName()));
                text.append(" for ").append(HumanText.duration(hold.held()));
                text.append(hold.heldAt() == null ? "" : " (taken at " + hold.heldAt() + ")");
                and = ", ";
            }
            text.append(and.isEmpty() ? " waits for " : " and waits for ");
            text.append(lock(party.lockId(), party.lockType(), party.waitsFor()))
                    .append(" for ");
            text.append(HumanText.duration(party.waited()));
            text.append(party.waitsAt() == null ? "" : " (asked at " + party.waitsAt() + ")");
        }
        int more = report.size() - Math.min(parties.size(), SHOWN_PARTIES);
        text.append(more > 0 ? "; +" + HumanText.count(more) + " more" : "");
        if (report.resolvesWithin() != null) {
            text.append("; resolves by itself within ")
                    .append(HumanText.duration(report.resolvesWithin()))
                    .append(", when a wait times out");
        }
        return text.toString();
    }

    /** What is no lock of a node has no id: a lock of the cluster, or a reply. */
    private static String lock(long id, LockType type, String name) {
        return isReply(id, name)
                ? "a reply of \"" + name.substring(Explainer.REQUEST.length()) + "\""
                : lock(type, name);
    }

    private static boolean isReply(long id, String name) {
        return id == 0 && name.startsWith(Explainer.REQUEST);
    }

    static String lock(LockType type, String name) {
        return (type == LockType.SEMAPHORE ? "permits of " : "") + type.text() + " \"" + name + "\"";
    }

    static String episode(WaitEpisode episode) {
        return (episode.isOpen() ? "since " : "") + episode.start() + (episode.isOpen() ? "" : " to " + episode.end())
                + " (" + HumanText.duration(episode.lasted()) + "): "
                + HumanText.count(episode.mostWaiters(), "contexts")
                + " stuck on \"" + episode.name() + "\" behind "
                + episode.root().shortName() + ", "
                + episode.rootText();
    }
}
