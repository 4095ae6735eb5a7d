package com.fastn.verification.concurrency;

/** How much is tried: 1 in a usual build, more in the profile {@code long}. */
public final class Scale {
    private Scale() {}

    public static int times(int usual) {
        return Math.multiplyExact(usual, Integer.getInteger("proof.scale", 1));
    }
}
