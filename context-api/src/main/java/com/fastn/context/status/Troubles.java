package com.fastn.context.status;

import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** How badly off each context of a tree is; the worse, the later it is folded away. */
final class Troubles {
    static final byte NONE = 0;
    /** It holds a lock, or hides somebody in trouble: worth a look, and no trouble of its own. */
    static final byte NOTABLE = 1;

    private static final int FIRST_TROUBLE = 2;
    private static final ContextTrouble[] TROUBLES = ContextTrouble.values();
    private static final byte BLOCKED = rank(ContextTrouble.BLOCKED);
    private static final byte WARNED = rank(ContextTrouble.WARNED);
    private static final byte STUCK = rank(ContextTrouble.STUCK);

    private Troubles() {}

    static boolean isTrouble(byte rank) {
        return rank >= FIRST_TROUBLE;
    }

    /** {@return the trouble that a rank stands for, or {@code null} if it is none} */
    static @Nullable ContextTrouble trouble(byte rank) {
        return isTrouble(rank) ? TROUBLES[rank - FIRST_TROUBLE] : null;
    }

    @SuppressWarnings("EnumOrdinal") // it never leaves this process, and the order is what counts
    private static byte rank(@Nullable ContextTrouble trouble) {
        return trouble == null ? NONE : (byte) (FIRST_TROUBLE + trouble.ordinal());
    }

    /**
     * {@return the rank of each context} What the tree itself knows, and what the lists say: these may have lost their ends,
     * but whoever is only in a lost end was given a rank while they had not.
     */
    static byte[] ranks(FoldableTree tree, StatusSnapshot lists) {
        Map<Long, Byte> byId = byId(lists);
        byte[] ranks = new byte[tree.size()];
        for (int i = 0; i < ranks.length; i++) {
            byte rank = rank(tree.trouble(i));
            ranks[i] = byId.isEmpty() ? rank : worse(rank, byId.getOrDefault(tree.id(i), NONE));
        }
        markWarned(ranks, tree, lists);
        return ranks;
    }

    private static Map<Long, Byte> byId(StatusSnapshot lists) {
        Map<Long, Byte> byId = new HashMap<>();
        for (LockStatus lock : lists.activeLocks()) {
            byId.merge(lock.holderId(), lock.longHeld() ? STUCK : NOTABLE, Troubles::worse);
        }
        for (LockWaiter waiter : lists.lockWaiters()) {
            byId.merge(waiter.contextId(), waiter.stuck() ? STUCK : BLOCKED, Troubles::worse);
        }
        for (StatusWarning warning : lists.warnings()) {
            if (warning.contextId() != 0) {
                byId.merge(warning.contextId(), WARNED, Troubles::worse);
            }
        }
        for (DeadlockReport report : lists.causes().deadlocks()) {
            for (DeadlockReport.Party party : report.parties()) {
                // Ids count on each node, and in each runtime of a process.
                if (party.context().node().incarnation().equals(lists.node().incarnation())) {
                    byId.merge(party.context().contextId(), report.proven() ? STUCK : WARNED, Troubles::worse);
                }
            }
        }
        for (BlockedPlace place : lists.causes().blocked()) {
            place.busy().forEach(id -> byId.merge(id, WARNED, Troubles::worse));
        }
        return byId;
    }

    private static byte worse(byte one, byte other) {
        return one >= other ? one : other;
    }

    /**
     * A warning without an id, as peers of before send it, names a path, and many contexts may share it: the one that was
     * quiet for the longest is meant, and of several the first. One about the root is about all, and the root is shown
     * anyway. The names are followed down together with the tree, so a deep tree costs the same per context.
     */
    private static void markWarned(byte[] ranks, FoldableTree tree, StatusSnapshot lists) {
        Named top = named(lists.warnings()).get(lists.globalContext().path());
        if (top == null || top.below.isEmpty()) {
            return;
        }
        @Nullable Named[] named = new Named[ranks.length];
        named[0] = top;
        for (int i = 1; i < ranks.length; i++) {
            Named here = below(named[tree.parent(i)], tree.name(i));
            named[i] = here;
            if (here != null
                    && here.isEnd
                    && (here.longest < 0 || tree.quietNanos(i) > tree.quietNanos(here.longest))) {
                here.longest = i;
            }
        }
        top.mark(ranks);
    }

    private static @Nullable Named below(@Nullable Named parent, String name) {
        return parent == null ? null : parent.below.get(name);
    }

    private static Named named(List<StatusWarning> warnings) {
        Named root = new Named();
        for (StatusWarning warning : warnings) {
            if (warning.contextId() != 0) {
                continue;
            }
            Named here = root;
            for (String name : ContextPath.parse(warning.contextPath()).names()) {
                here = here.below.computeIfAbsent(name, n -> new Named());
            }
            here.isEnd = true;
        }
        return root;
    }

    /** A name on the way to something that a warning names. */
    private static final class Named {
        private final Map<String, Named> below = new HashMap<>(2);
        private boolean isEnd;
        private int longest = -1;

        @Nullable
        Named get(ContextPath path) {
            Named here = this;
            for (String name : path.names()) {
                here = below(here, name);
            }
            return here;
        }

        void mark(byte[] ranks) {
            ArrayDeque<Named> open = new ArrayDeque<>(List.of(this));
            while (!open.isEmpty()) {
                Named here = open.pop();
                if (here.longest >= 0) {
                    ranks[here.longest] = worse(ranks[here.longest], WARNED);
                }
                open.addAll(here.below.values());
            }
        }
    }
}
