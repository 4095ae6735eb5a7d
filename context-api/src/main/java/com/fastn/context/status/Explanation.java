package com.fastn.context.status;

import static java.util.Objects.requireNonNull;

import java.util.List;

/**
 * Why a context is stuck: the chain from it to the root of the matter. {@link #toString} is the plain drawing, whose first
 * line names the root.
 *
 * <p>It is made from a status, and so it is as weakly consistent as that: a wait that ended meanwhile may still be in it. A
 * lock's holder and waiters are of one instant.
 *
 * @param stuck whom it is about
 * @param chain the steps, beginning with that context; empty when it waits for nobody
 * @param root where the chain ends; of contexts that wait for each other, the one of them that was opened first
 * @param freed how many contexts wait behind the root, or behind those that wait for each other
 * @param firstFreed the names of the first 20 of them, those that are stuck for the longest first; the drawing shows five
 */
public record Explanation(ContextRef stuck, List<Cause> chain, RootCause root, long freed, List<String> firstFreed) {
    /** Copies the lists. */
    public Explanation {
        requireNonNull(stuck, "stuck");
        chain = List.copyOf(chain);
        requireNonNull(root, "root");
        firstFreed = List.copyOf(firstFreed);
    }

    /** {@return one line that names the root, and whom it holds up} */
    public String headline() {
        return ExplanationText.headline(this);
    }

    /** {@return the plain drawing} */
    @Override
    public String toString() {
        return StatusRenderer.plain().render(this);
    }
}
