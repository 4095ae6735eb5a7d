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

    /**
     * {@return the count, at most {@link Long#MAX_VALUE}} It is that of the path: where the path was folded for want of room,
     * what was counted before is part of {@code __folded__} beside it, and no longer of this. Where there was no room for it at
     * first, it is that of all that are counted together there.
     */
    long get();
}
