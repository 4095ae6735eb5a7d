package com.fastn.context.engine;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A walk over the children of a node, in batches, so that the node's monitor is never held for long. A child that leaves
 * meanwhile is passed over; one that was made after the walk began may or may not be met.
 */
final class ChildBatches {
    private final TreeNode parent;

    // The place, for the thread that walks: which list of the parent, and whether the walk is inside of it.
    int list;
    boolean begun;
    boolean registered;

    // The next child, guarded by the monitor of its list. Whoever leaves another list finds that it is not itself.
    @Nullable
    ContextNode next;

    ChildBatches(TreeNode parent) {
        this.parent = parent;
    }

    /** {@return some more children, the oldest first; empty when there are no more} */
    List<ContextNode> next() {
        return parent.nextChildren(this);
    }

    /** Gives up the place, before the end. */
    void leave() {
        parent.forget(this);
    }
}
