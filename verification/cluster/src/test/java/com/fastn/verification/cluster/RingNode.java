package com.fastn.verification.cluster;

/** A {@link ChainNode} on which many can wait for locks of the cluster at once. */
final class RingNode {
    private static final int WORKERS = 40;

    private RingNode() {}

    public static void main(String[] arguments) {
        ChainNode.start(arguments, WORKERS);
    }
}
