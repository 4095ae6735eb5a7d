package com.fastn.context.status;

/**
 * How large a snapshot may be (rule M10). What is beyond is folded, and counted in {@link ContextStatus#foldedChildren}.
 *
 * @param maxDepth how many contexts may lie inside one another, the root of the snapshot included
 * @param maxChildrenPerNode how many children of one context are shown; of one where more than that are in trouble, or above
 *     somebody in trouble, all of these and no others
 * @param maxContexts how many contexts are shown in all; also how many locks, how many waiters and how many warnings
 * @param maxBytes how long its JSON may be, in bytes of UTF-8; {@link Integer#MAX_VALUE} measures nothing
 */
public record SnapshotLimits(int maxDepth, int maxChildrenPerNode, int maxContexts, int maxBytes) {
    /** Below this not even the root, the machine and a few locks fit. */
    private static final int FEWEST_BYTES = 16 << 10;

    /** Depth 30, 1,000 children of each, 8,192 contexts, 1 MiB. */
    public static final SnapshotLimits DEFAULT = new SnapshotLimits(30, 1_000, 8_192, 1 << 20);

    /** No limits. */
    public static final SnapshotLimits UNLIMITED =
            new SnapshotLimits(Integer.MAX_VALUE, Integer.MAX_VALUE, Integer.MAX_VALUE, Integer.MAX_VALUE);

    /**
     * Checks that all can be kept to.
     *
     * @throws IllegalArgumentException if a number is below 1, or {@code maxBytes} below 16 KiB
     */
    public SnapshotLimits {
        if (maxDepth < 1 || maxChildrenPerNode < 1 || maxContexts < 1) {
            throw new IllegalArgumentException(
                    "a snapshot has at least its root, so depth %d, %d children and %d contexts cannot be; see DEFAULT"
                            .formatted(maxDepth, maxChildrenPerNode, maxContexts));
        }
        if (maxBytes < FEWEST_BYTES) {
            throw new IllegalArgumentException(
                    "a snapshot does not fit into %d bytes; give it %d at least".formatted(maxBytes, FEWEST_BYTES));
        }
    }

    /**
     * Makes limits for a deeper or flatter tree.
     *
     * @param levels how many contexts may lie inside one another
     * @return the limits
     */
    public SnapshotLimits withMaxDepth(int levels) {
        return new SnapshotLimits(levels, maxChildrenPerNode, maxContexts, maxBytes);
    }

    /**
     * Makes limits for broader or narrower families.
     *
     * @param children how many children of one context are shown, if no more are in trouble
     * @return the limits
     */
    public SnapshotLimits withMaxChildrenPerNode(int children) {
        return new SnapshotLimits(maxDepth, children, maxContexts, maxBytes);
    }

    /**
     * Makes limits for more or fewer contexts.
     *
     * @param contexts how many contexts are shown in all
     * @return the limits
     */
    public SnapshotLimits withMaxContexts(int contexts) {
        return new SnapshotLimits(maxDepth, maxChildrenPerNode, contexts, maxBytes);
    }

    /**
     * Makes limits for longer or shorter JSON.
     *
     * @param bytes how long the JSON may be
     * @return the limits
     */
    public SnapshotLimits withMaxBytes(int bytes) {
        return new SnapshotLimits(maxDepth, maxChildrenPerNode, maxContexts, bytes);
    }

    boolean measuresBytes() {
        return maxBytes != Integer.MAX_VALUE;
    }
}
