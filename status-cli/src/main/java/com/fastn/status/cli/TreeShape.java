package com.fastn.status.cli;

import com.fastn.context.status.ContextStatus;
import com.fastn.context.status.FoldedChildren;
import com.fastn.context.status.SnapshotFold;
import com.fastn.context.status.SnapshotLimits;
import com.fastn.context.status.StatusSnapshot;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What is left of a tree, and in which order.
 *
 * @param filter a text that the names of shown contexts, of one above or of one below them contain, or {@code null}
 * @param sort the order of siblings, or {@code null} for the oldest first, as they come
 * @param limit how many children of one context are shown, those in trouble first, or {@code null} for all
 */
record TreeShape(
        @Nullable String filter,
        @Nullable Sort sort,
        @Nullable Integer limit) {
    static final TreeShape AS_IT_IS = new TreeShape(null, null, null);

    /** An order of siblings. */
    enum Sort {
        /** The oldest first. */
        AGE,
        /** By what is shown as their name. */
        NAME,
        /** The one that was quiet for the longest first. */
        IDLE,
        /** The one with the most contexts right below it first. */
        CHILDREN;

        Comparator<ContextStatus> order() {
            return switch (this) {
                case AGE -> Comparator.comparing(ContextStatus::duration).reversed();
                case NAME -> Comparator.comparing(ContextStatus::label).thenComparing(ContextStatus::id);
                case IDLE -> Comparator.comparing(ContextStatus::lastActivity).reversed();
                case CHILDREN ->
                    Comparator.comparing((ContextStatus c) ->
                                    c.children().size() + c.foldedChildren().count())
                            .reversed();
            };
        }
    }

    /** {@return whether it changes nothing} */
    boolean isNone() {
        return filter == null && sort == null && limit == null;
    }

    /** {@return the snapshot in this shape} */
    StatusSnapshot of(StatusSnapshot snapshot) {
        StatusSnapshot shaped = snapshot;
        if (filter != null || sort != null) {
            ContextStatus tree = rebuilt(snapshot.globalContext());
            shaped = snapshot.withGlobalContext(tree);
        }
        if (limit != null) {
            shaped = SnapshotFold.fold(shaped, SnapshotLimits.UNLIMITED.withMaxChildrenPerNode(limit));
        }
        return shaped;
    }

    /** From the leaves up, without recursion: a tree may be as deep as another node says. */
    private ContextStatus rebuilt(ContextStatus root) {
        List<ContextStatus> order = new ArrayList<>(List.of(root));
        List<Boolean> above = new ArrayList<>();
        above.add(matches(root));
        for (int i = 0; i < order.size(); i++) {
            for (ContextStatus child : order.get(i).children()) {
                order.add(child);
                above.add(above.get(i) || matches(child));
            }
        }
        Map<Long, ContextStatus> kept = new HashMap<>();
        for (int i = order.size() - 1; i >= 0; i--) {
            ContextStatus context = order.get(i);
            List<ContextStatus> children = new ArrayList<>();
            for (ContextStatus child : context.children()) {
                ContextStatus shaped = kept.remove(child.id());
                if (shaped != null) {
                    children.add(shaped);
                }
            }
            if (i == 0 || above.get(i) || !children.isEmpty()) {
                if (sort != null) {
                    children.sort(sort.order());
                }
                // What a node left out for its size may match or not; it is still told how many there are.
                FoldedChildren folded = context.foldedChildren();
                kept.put(context.id(), context.withChildren(children, folded));
            }
        }
        return kept.getOrDefault(root.id(), root);
    }

    private boolean matches(ContextStatus context) {
        if (filter == null) {
            return true;
        }
        String wanted = filter.toLowerCase(Locale.ROOT);
        return context.name().toLowerCase(Locale.ROOT).contains(wanted)
                || context.label().toLowerCase(Locale.ROOT).contains(wanted);
    }
}
