package com.fastn.context.engine;

/** How many parts a thing is cut into that several threads change at once, and which of them the calling thread takes. */
final class Stripes {
    /** A power of two, several times the processors so that threads that run seldom meet. */
    static final int COUNT = Integer.highestOneBit(
            Math.max(8, Math.min(64, 4 * Runtime.getRuntime().availableProcessors())));

    private Stripes() {}

    /** {@return the part of the calling thread, always the same one, less than {@link #COUNT}} */
    static int mine() {
        return (int) Thread.currentThread().getId() & (COUNT - 1);
    }
}
