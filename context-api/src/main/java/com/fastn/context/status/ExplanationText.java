package com.fastn.context.status;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Explanations, deadlocks and episodes in words. */
final class ExplanationText {
    private static final int SHOWN_FRAMES = 12;
    /** More than anybody reads. */
    private static final int MOST_ROOTS = 100;

    private static final int SHOWN_PARTIES = 6;
    private static final int SHOWN_FREED = 5;
    private static final int DEEPEST_INDENT = 12;
    private static final int MOST_STEPS_READ = 6;
    private static final String DEADLOCK = "deadlock";
    private static final String SUSPECTED_DEADLOCK = "suspected deadlock";

    private ExplanationText() {}

    static String headline(Explanation of) {
        return (namesItself(of.root()) ? "" : of.root().context().shortName() + ": ")
                + of.root().text()
                + whomItHoldsUp(of);
    }

    /** Whether the root waits itself, and so is one of those that wait for each other; its text names them. */
    private static boolean isCircle(CauseKind kind) {
        return switch (kind) {
            case LOCK, PERMITS, REQUEST, CHILD -> true;
            case OPERATION, POOL, EVENT_LOOP, THREAD, ENDED, IDLE, UNKNOWN -> false;
        };
    }

    /** A node knows its own contexts without its name; among several nodes the one where the circle is has to be said. */
    private static boolean namesItself(RootCause root) {
        String name = root.context().shortName();
        int at = name.lastIndexOf('@');
        return isCircle(root.kind())
                && (at < 0
                        || !name.substring(at + 1).equals(root.context().node().alias())
                        || root.text().contains(name.substring(at)));
    }

    private static boolean isCircleOfMany(Explanation of) {
        Cause last = of.chain().isEmpty() ? null : of.chain().get(of.chain().size() - 1);
        return isCircle(of.root().kind()) && (last == null || !last.next().equals(last.waiter()));
    }

    private static String whomItHoldsUp(Explanation of) {
        StringBuilder text = new StringBuilder();
        if (!of.chain().isEmpty() && !isInCircle(of)) {
            text.append("; ").append(of.stuck().shortName()).append(' ');
            text.append(of.chain().get(0).waits());
        }
        if (!isTold(of)) {
            text.append("; ").append(HumanText.count(of.freed()));
            text.append(of.freed() == 1 ? " context waits behind " : " contexts wait behind ");
            text.append(isCircleOfMany(of) ? "them" : "it");
        }
        return text.toString();
    }

    /** Whether the chain leads back to the one that it is about. */
    private static boolean isInCircle(Explanation of) {
        return of.chain().stream().anyMatch(cause -> cause.next().equals(of.stuck()));
    }

    /** Whether nobody waits behind the root but the one that is explained. */
    private static boolean isTold(Explanation of) {
        return of.freed() == 0
                || (of.freed() == 1 && of.firstFreed().contains(of.stuck().shortName()));
    }

    static void draw(Page page, Explanation of) {
        Line title = page.line();
        if (!namesItself(of.root())) {
            title.add(Ink.BOLD, of.root().context().shortName()).add(": ");
        }
        page.end(title.add(Ink.RED, of.root().text()).add(whomItHoldsUp(of)));
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
            page.end(page.line().add(indent(depth)).add("<- ").add(Ink.RED, rootOnceMore(of.root())));
        }
        drawStack(page, of.root(), indent(depth + 1));
        if (!isTold(of) && !of.firstFreed().isEmpty()) {
            String behind = isCircleOfMany(of) ? "them" : of.root().context().shortName();
            List<String> shown = of.firstFreed().stream().limit(SHOWN_FREED).toList();
            long more = of.freed() - shown.size();
            page.end(page.line()
                    .add("  behind " + behind + ": " + String.join(", ", shown)
                            + (more > 0 ? ", +" + HumanText.count(more) + " more" : "")));
        }
    }

    /** The end of the chain. The sentence of a deadlock is too long to be read twice. */
    private static String rootOnceMore(RootCause root) {
        for (String what : List.of(DEADLOCK, SUSPECTED_DEADLOCK)) {
            if (isCircle(root.kind()) && root.text().startsWith(what + ": ")) {
                return "part of the " + what;
            }
        }
        return root.text();
    }

    /** All of them, each root once, by the one that leads to it over most steps: the others are counted in that. */
    static void drawAll(Page page, List<Explanation> all) {
        Map<List<Object>, Explanation> told = new LinkedHashMap<>();
        for (Explanation each : all) {
            ContextRef root = each.root().context();
            told.merge(List.of(root.node(), root.contextId()), each, ExplanationText::longer);
        }
        if (told.isEmpty()) {
            page.end(page.line().add("nothing is stuck"));
        }
        int drawn = 0;
        for (Explanation each : told.values()) {
            page.gap();
            if (drawn == MOST_ROOTS) {
                page.end(page.line().add("+" + HumanText.count(told.size() - drawn) + " more"));
                return;
            }
            draw(page, each);
            drawn++;
        }
    }

    /** Of two with one root the one that shows more, as long as somebody reads it. */
    private static Explanation longer(Explanation one, Explanation other) {
        int steps = Math.min(one.chain().size(), MOST_STEPS_READ);
        return Math.min(other.chain().size(), MOST_STEPS_READ) > steps ? other : one;
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
        StringBuilder text = new StringBuilder(report.proven() ? DEADLOCK : SUSPECTED_DEADLOCK).append(": ");
        List<DeadlockReport.Party> parties = report.parties();
        for (int i = 0; i < parties.size() && i < SHOWN_PARTIES; i++) {
            DeadlockReport.Party party = parties.get(i);
            ContextRef by = holderAround(party);
            text.append(i == 0 ? "" : "; ").append((by == null ? party.context() : by).shortName());
            String and = "";
            for (DeadlockReport.Hold hold : party.holds()) {
                boolean reply = isReply(hold.lockId(), hold.lockName());
                text.append(and.isEmpty() ? (reply ? " owes " : " holds ") : and)
                        .append(lock(
                                hold.lockId(), hold.lockType(), hold.lockName(), hold.permits(), hold.totalPermits()));
                text.append(" for ").append(HumanText.duration(hold.held()));
                text.append(hold.mode() == LockMode.READ ? " (reading)" : "");
                text.append(hold.mode() == LockMode.WRITE ? " (writing)" : "");
                text.append(hold.heldAt() == null ? "" : " (taken at " + hold.heldAt() + ")");
                and = ", ";
            }
            if (by != null) {
                text.append(", and ").append(party.context().shortName()).append(" waits inside of it ");
            } else {
                text.append(and.isEmpty() ? " waits " : " and waits ");
            }
            text.append(toDoWhat(party.mode()));
            text.append(lock(party.lockId(), party.lockType(), party.waitsFor(), party.permits(), party.totalPermits()))
                    .append(" for ");
            text.append(HumanText.duration(party.waited()));
            text.append(party.waitsAt() == null ? "" : " (asked at " + party.waitsAt() + ")");
            DeadlockReport.Ahead ahead = party.ahead();
            if (ahead != null) {
                text.append(", behind ").append(ahead.context().shortName()).append(" who waits ");
                text.append(toDoWhat(ahead.mode())).append("it for ").append(HumanText.duration(ahead.waited()));
            }
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

    /** The one in whose {@code withLock} a party waits, where that is another one. */
    private static @Nullable ContextRef holderAround(DeadlockReport.Party party) {
        return party.holds().size() == 1 ? party.holds().get(0).by() : null;
    }

    private static String toDoWhat(@Nullable LockMode mode) {
        return mode == LockMode.READ || mode == LockMode.WRITE ? "to " + mode.text() + " " : "for ";
    }

    /** What is no lock of a node has no id: a lock of the cluster, or a reply. */
    private static String lock(long id, LockType type, String name, int permits, int total) {
        return isReply(id, name)
                ? "a reply of \"" + name.substring(Explainer.REQUEST.length()) + "\""
                : permits(permits, total) + lock(type, name);
    }

    /** The numbers before "permits", where they are known. */
    private static String permits(int some, int total) {
        return some == 0 ? "" : HumanText.count(some) + (total == 0 ? " " : " of " + HumanText.count(total) + " ");
    }

    /** What somebody holds of a lock, as in {@code 2 of 4 permits of semaphore "tills"}. */
    static String held(LockStatus lock) {
        return (lock.lockType() == LockType.SEMAPHORE ? permits(lock.permits(), lock.totalPermits()) : "")
                + lock(lock.lockType(), lock.name());
    }

    private static boolean isReply(long id, String name) {
        return id == 0 && name.startsWith(Explainer.REQUEST);
    }

    static String lock(LockType type, String name) {
        return (type == LockType.SEMAPHORE ? "permits of " : "") + type.text() + " \"" + name + "\"";
    }

    /** What a waiter wants, as in {@code to read rwlock "prices"}. */
    static String wanted(LockType type, LockWaiter waiter) {
        String lock = type.text() + " \"" + waiter.lockName() + "\"";
        return switch (waiter.mode()) {
            case EXCLUSIVE -> "for " + lock(type, waiter.lockName());
            case READ, WRITE -> forWhat(waiter) + " " + lock;
            case PERMITS -> forWhat(waiter) + " of " + lock;
        };
    }

    /** The same without the lock, as in {@code for 2 permits}. */
    static String forWhat(LockWaiter waiter) {
        return switch (waiter.mode()) {
            case EXCLUSIVE -> "";
            case READ, WRITE -> "to " + waiter.mode().text();
            case PERMITS -> "for " + HumanText.count(waiter.permits(), "permits");
        };
    }

    /** How somebody holds a lock that several may hold, as in {@code , reading}. */
    static String as(LockStatus lock) {
        return switch (lock.mode()) {
            case EXCLUSIVE -> "";
            case READ -> ", reading";
            case WRITE -> ", writing";
            case PERMITS -> LockText.held(lock);
        };
    }

    static String episode(WaitEpisode episode) {
        Instant end = episode.end();
        String when = end == null ? "since " + second(episode.start()) : second(episode.start()) + " to " + second(end);
        boolean circle = isCircle(episode.kind());
        return when + " (" + HumanText.duration(episode.lasted()) + "): "
                + (circle ? "" : episode.root().shortName() + ": ")
                + episode.rootText() + "; "
                + HumanText.count(episode.mostWaiters(), "contexts") + " stuck"
                + (circle ? "" : " on \"" + episode.name() + "\"");
    }

    private static Instant second(Instant time) {
        return time.truncatedTo(ChronoUnit.SECONDS);
    }
}
