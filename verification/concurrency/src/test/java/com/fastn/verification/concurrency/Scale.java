package com.fastn.verification.concurrency;

/** How much is tried: 1 in a usual build, more in the profile {@code long}. */
public final class Scale {
    private static final String OF_ALL = "proof.scale";

    private Scale() {}

    public static int times(int usual) {
        return Math.multiplyExact(usual, Integer.getInteger(OF_ALL, 1));
    }

    /** The same of what has a property of its own, as {@code -Dproof.locks=50}. */
    static int times(int usual, String property) {
        return Math.multiplyExact(usual, Integer.getInteger(property, Integer.getInteger(OF_ALL, 1)));
    }
}
