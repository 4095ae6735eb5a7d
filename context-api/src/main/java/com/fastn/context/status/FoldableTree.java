package com.fastn.context.status;

import org.jspecify.annotations.Nullable;

/**
 * A tree that is folded before it is made into records, so that a million contexts never become a million records.
 *
 * <p>Its contexts are numbered breadth first: the root is 0, each context stands behind its parent, and the children of a
 * context stand side by side in the order in which they are shown. A fold asks from one thread.
 */
public interface FoldableTree {

    /** {@return how many contexts there are, at least 1} */
    int size();

    /**
     * {@return the number of the parent, less than the index; -1 for the root}
     *
     * @param index the number of a context
     */
    int parent(int index);

    /**
     * {@return the context's id}
     *
     * @param index the number of a context
     */
    long id(int index);

    /**
     * {@return the context's name}
     *
     * @param index the number of a context
     */
    String name(int index);

    /**
     * {@return nanoseconds since the context was created}
     *
     * @param index the number of a context
     */
    long ageNanos(int index);

    /**
     * {@return nanoseconds since its last sign of life}
     *
     * @param index the number of a context
     */
    long quietNanos(int index);

    /**
     * {@return why it is worth a look, as far as the tree itself knows, or {@code null}} What the lists of a status say of it
     * comes on top.
     *
     * @param index the number of a context
     */
    @Nullable
    ContextTrouble trouble(int index);

    /**
     * {@return what was left out below it before}
     *
     * @param index the number of a context
     */
    FoldedChildren folded(int index);

    /**
     * Makes the record of a context that may be shown.
     *
     * @param index the number of a context
     * @return the context; the fold replaces its children
     */
    ContextStatus row(int index);

    /**
     * Tells of a context without making its record.
     *
     * @param index the number of a context
     * @param sink whom to tell; once
     */
    default void tell(int index, RowSink sink) {
        row(index).tell(sink);
    }
}
