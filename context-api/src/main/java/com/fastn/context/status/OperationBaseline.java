package com.fastn.context.status;

import static java.util.Objects.requireNonNull;

import java.time.Duration;

/**
 * What is usual for operations of one name in one runtime: how long those took that have ended, failed or not, since the
 * runtime began. The longest is exact, the others, of an HdrHistogram, are within 4 percent.
 *
 * @param count how many have ended
 * @param p50 half of them took no longer
 * @param p99 99 of 100 took no longer
 * @param max the longest
 */
public record OperationBaseline(long count, Duration p50, Duration p99, Duration max) {
    /** From how many ended operations on a display calls their median usual. */
    public static final long ENOUGH = 5;

    /** Checks that all parts are there. */
    public OperationBaseline {
        requireNonNull(p50, "p50");
        requireNonNull(p99, "p99");
        requireNonNull(max, "max");
        if (count < 1) {
            throw new IllegalArgumentException("a baseline is of at least one operation, not of " + count);
        }
    }
}
