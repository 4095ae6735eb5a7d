package com.fastn.context.status;

import java.time.Duration;

/** The bounds that writer and reader share, so that what is written here can be read here (rule S13). */
final class JsonLimits {
    static final int STRING_LENGTH = 1 << 16;
    static final int NAME_LENGTH = 4_096;
    static final int NUMBER_LENGTH = 32;
    static final int TOKENS_PER_MIB = 200_000;

    /** Lists and maps in one another inside a datum. It bounds the recursion over them. */
    static final int DATA_DEPTH = 32;

    /** From here on a reader in JavaScript loses digits (rule M2). */
    static final long FIRST_INEXACT = 1L << 53;

    private JsonLimits() {}

    static boolean isInexact(long value) {
        return value >= FIRST_INEXACT || value <= -FIRST_INEXACT;
    }

    /** As far as they can be said in nanoseconds, which is 292 years. */
    static long nanos(Duration duration) {
        try {
            return duration.toNanos();
        } catch (ArithmeticException longerThanTime) {
            return duration.isNegative() ? 0 : Long.MAX_VALUE;
        }
    }
}
