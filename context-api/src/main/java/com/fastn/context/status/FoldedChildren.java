package com.fastn.context.status;

import static java.util.Objects.requireNonNull;

import java.time.Duration;

/**
 * What a snapshot leaves out below a context, for its size.
 *
 * @param count how many children
 * @param contexts how many contexts: these children and all below them
 * @param oldest the age of the oldest of these children; zero when there is none, or when it is not known
 * @param stuck how many of these contexts are in trouble: stuck in an operation, waiting for a lock, holding one for too
 *     long, asked to stop and still there, or named by a warning
 */
public record FoldedChildren(long count, long contexts, Duration oldest, long stuck) {
    /** Nothing is left out. */
    public static final FoldedChildren NONE = new FoldedChildren(0, 0, Duration.ZERO, 0);

    /** Checks that all parts are there. */
    public FoldedChildren {
        requireNonNull(oldest, "oldest");
    }

    /**
     * Makes the fold of children of which only the number is known, without any below them.
     *
     * @param count how many children
     * @return the fold
     */
    public static FoldedChildren of(long count) {
        return count == 0 ? NONE : new FoldedChildren(count, count, Duration.ZERO, 0);
    }

    /** {@return whether nothing is left out} */
    public boolean isNone() {
        return count <= 0;
    }

    FoldedChildren aged(Duration elapsed) {
        return oldest.isZero() ? this : new FoldedChildren(count, contexts, oldest.plus(elapsed), stuck);
    }
}
