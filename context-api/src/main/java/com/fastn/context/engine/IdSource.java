package com.fastn.context.engine;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import org.jspecify.annotations.Nullable;

/**
 * Numbers from 1 on that nobody else gets: one after the other until two threads ask at the same moment. From then on each
 * takes them in blocks, so that they no longer meet at one word. What a thread gets always rises, and is above any number
 * that it says it knows.
 */
final class IdSource {
    private static final int BLOCK = 64;
    private static final int LONGS_APART = 16;
    private static final long CLOSED = -1;

    // The last one given, until blocks are.
    private final AtomicLong last = new AtomicLong();
    private volatile @Nullable Blocks blocks;

    /** {@return a number above one that was given before, or above 0} */
    long nextAbove(long known) {
        Blocks all = blocks;
        if (all == null) {
            long before = last.get();
            if (before != CLOSED && last.compareAndSet(before, before + 1)) {
                return before + 1;
            }
            all = spread();
        }
        return all.nextAbove(known);
    }

    /** Gives blocks from now on; for tests too, in which no two threads meet by chance. {@return the one place of the blocks} */
    synchronized Blocks spread() {
        Blocks all = blocks;
        if (all == null) {
            all = new Blocks(last.getAndSet(CLOSED));
            blocks = all;
        }
        return all;
    }

    /** {@return how many were given; beside those who ask it is not of one instant} */
    long given() {
        Blocks all = blocks;
        long given = all == null ? last.get() : CLOSED;
        // Closed, and the blocks are about to be seen.
        return given != CLOSED ? given : spread().given();
    }

    /** For each of several threads the last number that it got; a multiple of the block's size when none of it is left. */
    static final class Blocks {
        private final AtomicLongArray lasts = new AtomicLongArray(Stripes.COUNT * LONGS_APART);
        private final AtomicLong endOfBlocks;
        private final AtomicLong leftOut;

        Blocks(long givenBefore) {
            long start = (givenBefore + BLOCK - 1) / BLOCK * BLOCK;
            this.leftOut = new AtomicLong(start - givenBefore);
            this.endOfBlocks = new AtomicLong(start);
        }

        long nextAbove(long known) {
            int place = Stripes.mine() * LONGS_APART;
            while (true) {
                long before = lasts.get(place);
                if (left(before) == 0 || before < known) {
                    return nextOfNewBlock(place, known);
                }
                if (lasts.compareAndSet(place, before, before + 1)) {
                    return before + 1;
                }
            }
        }

        private synchronized long nextOfNewBlock(int place, long known) {
            long before = lasts.get(place);
            // Another thread of the same place may have been here first: what is left of its block is taken.
            while (left(before) != 0 && before >= known) {
                if (lasts.compareAndSet(place, before, before + 1)) {
                    return before + 1;
                }
                before = lasts.get(place);
            }
            long first = endOfBlocks.getAndAdd(BLOCK) + 1;
            leftOut.addAndGet(left(lasts.getAndSet(place, first)));
            return first;
        }

        private static long left(long last) {
            long used = last % BLOCK;
            return used == 0 ? 0 : BLOCK - used;
        }

        long given() {
            long left = leftOut.get();
            for (int i = 0; i < lasts.length(); i += LONGS_APART) {
                left += left(lasts.get(i));
            }
            return endOfBlocks.get() - left;
        }
    }
}
