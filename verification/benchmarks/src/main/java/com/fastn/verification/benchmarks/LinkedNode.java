package com.fastn.verification.benchmarks;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The least that a tree of contexts can be: an id, a name, and links that the parent's monitor guards. It has no state but a
 * mark, no time, no counts and tells nobody; what ours costs more is the price of these.
 */
final class LinkedNode {
    final @Nullable LinkedNode parent;
    final String name;

    private volatile boolean cancelled;

    @GuardedBy("this")
    private @Nullable LinkedNode first;

    @GuardedBy("this")
    private @Nullable LinkedNode last;

    @GuardedBy("this")
    private long opened;

    // Guarded by the parent's monitor.
    private long id;
    private @Nullable LinkedNode before;
    private @Nullable LinkedNode after;

    LinkedNode(@Nullable LinkedNode parent, String name) {
        this.parent = parent;
        this.name = name;
    }

    LinkedNode open(String childName) {
        LinkedNode child = new LinkedNode(this, childName);
        synchronized (this) {
            child.id = ++opened;
            child.before = last;
            if (last == null) {
                first = child;
            } else {
                last.after = child;
            }
            last = child;
        }
        return child;
    }

    void close() {
        LinkedNode up = parent;
        if (up == null) {
            return;
        }
        synchronized (up) {
            if (before == null) {
                up.first = after;
            } else {
                before.after = after;
            }
            if (after == null) {
                up.last = before;
            } else {
                after.before = before;
            }
            before = null;
            after = null;
        }
    }

    boolean isCancelled() {
        return cancelled;
    }

    /** Marks all nodes from here down. */
    void cancel() {
        ArrayDeque<LinkedNode> open = new ArrayDeque<>();
        open.add(this);
        for (LinkedNode node = open.poll(); node != null; node = open.poll()) {
            synchronized (node) {
                node.cancelled = true;
                for (LinkedNode child = node.first; child != null; child = child.after) {
                    open.add(child);
                }
            }
        }
    }

    /** {@return records of all nodes from here down, the parent before its children} */
    List<Row> rows() {
        List<LinkedNode> order = new ArrayList<>();
        List<Row> rows = new ArrayList<>();
        order.add(this);
        for (int i = 0; i < order.size(); i++) {
            LinkedNode node = order.get(i);
            synchronized (node) {
                int from = order.size();
                for (LinkedNode child = node.first; child != null; child = child.after) {
                    order.add(child);
                }
                rows.add(new Row(node.id, node.name, node.cancelled, from, order.size()));
            }
        }
        return rows;
    }

    /** One node of a flat snapshot, with the places of its children in it. */
    record Row(long id, String name, boolean cancelled, int firstChild, int endOfChildren) {}
}
