package com.fastn.context.engine;

/** A wait for what another thread does in this moment. */
final class Spin {
    private static final int AT_A_STRETCH = 1_000;

    private Spin() {}

    /** One turn of such a wait, which is counted by who waits: now and then the other thread may need the processor. */
    @SuppressWarnings("ThreadPriorityCheck") // only how long it takes depends on it
    static void turn(int number) {
        if (number % AT_A_STRETCH == AT_A_STRETCH - 1) {
            Thread.yield();
        } else {
            Thread.onSpinWait();
        }
    }
}
