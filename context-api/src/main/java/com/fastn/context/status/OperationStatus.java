package com.fastn.context.status;

import static java.util.Objects.requireNonNull;

import java.time.Duration;

/**
 * An operation that a context is inside of, such as {@code db-query}. What is usual for those of its name stands in {@link
 * StatusSnapshot#operationBaselines}.
 *
 * @param name the operation's name
 * @param elapsed since it began
 * @param stuck whether it takes longer than the threshold: an opinion, not a proof
 */
public record OperationStatus(String name, Duration elapsed, boolean stuck) {
    /** Checks that all parts are there. */
    public OperationStatus {
        requireNonNull(name, "name");
        requireNonNull(elapsed, "elapsed");
    }

    OperationStatus aged(Duration more) {
        return new OperationStatus(name, elapsed.plus(more), stuck);
    }
}
