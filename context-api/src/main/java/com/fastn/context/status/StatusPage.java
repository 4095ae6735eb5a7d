package com.fastn.context.status;

import static java.util.Objects.requireNonNull;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A page of all contexts of a node, as a flat list, for whoever wants a tree that is too large for one answer.
 *
 * <p>The pages of one reading have the contexts that were there when it began, each behind its parent. What a page tells of a
 * context is so when the page is made, except for ages, which are those of the beginning.
 *
 * @param node who tells
 * @param timestamp when the reading began
 * @param version that of the tree then
 * @param totalContexts how many contexts all pages have together
 * @param contexts those of this page
 * @param next by what the next page is asked for, or {@code null} when this is the last one
 */
public record StatusPage(
        NodeIdentity node,
        Instant timestamp,
        long version,
        int totalContexts,
        List<SnapshotDelta.Change> contexts,
        @Nullable String next) {
    /** What stands around a context in the list. */
    private static final int AROUND_BYTES = 60;

    /** Copies the list. */
    public StatusPage {
        requireNonNull(node, "node");
        requireNonNull(timestamp, "timestamp");
        contexts = List.copyOf(contexts);
    }

    /**
     * Reads contexts of a tree until a page is full.
     *
     * @param tree the tree
     * @param from the number of the first one
     * @param maxBytes how much they may take as JSON; one that takes more alone comes without its values and counters
     * @return the contexts, at least one
     * @throws IndexOutOfBoundsException if there is no context of that number
     */
    public static List<SnapshotDelta.Change> read(FoldableTree tree, int from, int maxBytes) {
        List<SnapshotDelta.Change> contexts = new ArrayList<>();
        long left = maxBytes;
        for (int i = from; i < tree.size(); i++) {
            ContextStatus row = tree.row(i);
            long bytes = JsonSizes.ofRow(row) + AROUND_BYTES;
            if (bytes > left && !contexts.isEmpty()) {
                return contexts;
            }
            int parent = tree.parent(i);
            contexts.add(new SnapshotDelta.Change(
                    parent < 0 ? null : (Long) tree.id(parent), bytes > left ? row.withoutDetails() : row));
            left -= bytes;
        }
        if (contexts.isEmpty()) {
            throw new IndexOutOfBoundsException(
                    "the tree has " + tree.size() + " contexts, and none from " + from + " on");
        }
        return contexts;
    }

    /**
     * Makes a tree out of all pages of one reading. Whoever made them is not trusted.
     *
     * @param contexts the contexts of all pages, in their order
     * @return the root, with all contexts below it
     * @throws IllegalArgumentException if there is no root, a second one, a context twice, or one without its parent before it
     */
    public static ContextStatus tree(List<SnapshotDelta.Change> contexts) {
        Map<Long, Integer> places = new HashMap<>();
        List<@Nullable List<ContextStatus>> children = new ArrayList<>();
        for (SnapshotDelta.Change change : contexts) {
            Long parent = change.parentId();
            boolean first = places.isEmpty();
            if (first != (parent == null) || (parent != null && !places.containsKey(parent))) {
                throw new IllegalArgumentException("context " + change.context().id() + " stands below no other one");
            }
            if (places.put(change.context().id(), children.size()) != null) {
                throw new IllegalArgumentException("context " + change.context().id() + " stands in the tree twice");
            }
            children.add(null);
        }
        if (places.isEmpty()) {
            throw new IllegalArgumentException("no page has a root");
        }
        for (int i = contexts.size() - 1; i > 0; i--) {
            Integer parent =
                    requireNonNull(places.get(requireNonNull(contexts.get(i).parentId())), "place");
            List<ContextStatus> siblings = children.get(parent);
            if (siblings == null) {
                siblings = new ArrayList<>();
                children.set(parent, siblings);
            }
            siblings.add(whole(contexts.get(i).context(), children.set(i, null)));
        }
        return whole(contexts.get(0).context(), children.get(0));
    }

    private static ContextStatus whole(ContextStatus row, @Nullable List<ContextStatus> childrenLastFirst) {
        if (childrenLastFirst == null) {
            return row;
        }
        Collections.reverse(childrenLastFirst);
        return row.withChildren(childrenLastFirst, row.foldedChildren());
    }
}
