package com.fastn.context;

/** A handle to one total counter of one path. */
public interface TotalCounter {

    /** Adds one. */
    void increment();

    /**
     * Adds.
     *
     * @param n how many; a negative number adds nothing and is counted as misuse
     */
    void add(long n);

    /** {@return the count, at most {@link Long#MAX_VALUE}} */
    long get();
}
