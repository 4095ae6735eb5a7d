package com.fastn.context.status;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * An operation that a context is inside of, such as {@code db-query}.
 *
 * @param name the operation's name
 * @param elapsed since it began
 * @param stuck whether it takes longer than the threshold: an opinion, not a proof
 * @param usual how long those of its name took that have ended, or {@code null} when none has
 */
public record OperationStatus(
        String name,
        Duration elapsed,
        boolean stuck,
        @Nullable OperationBaseline usual) {
    /** Checks that all parts are there. */
    public OperationStatus {
        requireNonNull(name, "name");
        requireNonNull(elapsed, "elapsed");
    }

    /**
     * Makes the status of an operation of which nothing usual is known.
     *
     * @param name the operation's name
     * @param elapsed since it began
     * @param stuck whether it takes longer than the threshold
     */
    public OperationStatus(String name, Duration elapsed, boolean stuck) {
        this(name, elapsed, stuck, null);
    }

    OperationStatus aged(Duration more) {
        return new OperationStatus(name, elapsed.plus(more), stuck, usual);
    }
}
