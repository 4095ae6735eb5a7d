package com.fastn.context.engine;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import org.jspecify.annotations.Nullable;

/**
 * Siblings in the order in which they came, linked through themselves. All of it, with the links, is guarded by this
 * object's monitor.
 */
class ChildList {
    @GuardedBy("this")
    private @Nullable ContextNode first;

    @GuardedBy("this")
    private @Nullable ContextNode last;

    @GuardedBy("this")
    final @Nullable ContextNode first() {
        return first;
    }

    @GuardedBy("this")
    final void append(ContextNode child) {
        ContextNode before = last;
        child.previousSibling = before;
        if (before == null) {
            first = child;
        } else {
            before.nextSibling = child;
        }
        last = child;
    }

    @GuardedBy("this")
    final void remove(ContextNode child) {
        ContextNode before = child.previousSibling;
        ContextNode after = child.nextSibling;
        if (before == null) {
            first = after;
        } else {
            before.nextSibling = after;
        }
        if (after == null) {
            last = before;
        } else {
            after.previousSibling = before;
        }
        child.previousSibling = null;
        child.nextSibling = null;
    }

    /** A list of the children that some of many threads opened, far enough from the next one in memory. */
    static final class Stripe extends ChildList {
        static final int COUNT = Math.min(8, Stripes.COUNT);

        @SuppressWarnings("UnusedVariable")
        private long p0, p1, p2, p3, p4, p5, p6, p7, p8, p9, p10, p11, p12, p13;

        static ChildList[] make() {
            ChildList[] stripes = new ChildList[COUNT];
            for (int i = 0; i < COUNT; i++) {
                stripes[i] = new Stripe();
            }
            return stripes;
        }

        /** {@return the number of the calling thread's stripe} */
        static int mine() {
            return Stripes.mine() & (COUNT - 1);
        }
    }
}
