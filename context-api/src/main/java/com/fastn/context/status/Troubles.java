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

    private static final byte STOPPING = 2;
    private static final byte BLOCKED = 3;
    private static final byte WARNED = 4;
    private static final byte STUCK = 5;

    private Troubles() {}

    static boolean isTrouble(byte rank) {
        return rank > NOTABLE;
    }

    /** {@return the rank of each context} */
    static byte[] ranks(FoldableTree tree, StatusSnapshot lists) {
        Map<Long, Byte> byId = new HashMap<>();
        for (LockStatus lock : lists.activeLocks()) {
            byId.merge(lock.holderId(), lock.longHeld() ? STUCK : NOTABLE, Troubles::worse);
        }
        for (LockWaiter waiter : lists.lockWaiters()) {
            byId.merge(waiter.contextId(), waiter.stuck() ? STUCK : BLOCKED, Troubles::worse);
        }
        byte[] ranks = new byte[tree.size()];
        for (int i = 0; i < ranks.length; i++) {
            byte rank = tree.isStopping(i) ? STOPPING : NONE;
            if (!byId.isEmpty()) {
                rank = worse(rank, byId.getOrDefault(tree.id(i), NONE));
            }
            ranks[i] = tree.isInStuckOperation(i) ? STUCK : rank;
        }
        markWarned(ranks, tree, lists);
        return ranks;
    }

    private static byte worse(byte one, byte other) {
        return one >= other ? one : other;
    }

    /**
     * A warning names a path, and many contexts may share it: the one that was quiet for the longest is meant, and of
     * several the first. The names are followed down together with the tree, so a deep tree costs the same per context.
     */
    private static void markWarned(byte[] ranks, FoldableTree tree, StatusSnapshot lists) {
        Named top = named(lists.warnings()).get(lists.globalContext().path());
        if (top == null) {
            return;
        }
        @Nullable Named[] named = new Named[ranks.length];
        for (int i = 0; i < ranks.length; i++) {
            Named here = i == 0 ? top : below(named[tree.parent(i)], tree.name(i));
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
