package com.fastn.context.engine;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicLongArray;
import org.jspecify.annotations.Nullable;

/**
 * A number that threads add to: one word until two of them meet, then a word for each of several threads.
 *
 * <p>It differs from a {@link java.util.concurrent.atomic.LongAdder} in one promise: an addition, and a {@link #drain},
 * come in the one order of all volatile accesses. So whoever adds and then reads a mark, beside somebody who sets the mark
 * and then drains, sees the mark or has been drained; on any processor, and not only where a compare-and-set is a fence.
 */
class StripedLong {
    // Processors fetch lines of 64 bytes in pairs.
    private static final int LONGS_APART = 16;
    private static final VarHandle BASE;
    private static final VarHandle STRIPES;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            BASE = lookup.findVarHandle(StripedLong.class, "base", long.class);
            STRIPES = lookup.findVarHandle(StripedLong.class, "stripes", AtomicLongArray.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private volatile long base;
    private volatile @Nullable AtomicLongArray stripes;

    final void plus(long n) {
        AtomicLongArray all = stripes;
        if (all == null) {
            long before = base;
            if (BASE.compareAndSet(this, before, before + n)) {
                return;
            }
            all = spread();
        }
        all.getAndAdd(Stripes.mine() * LONGS_APART, n);
    }

    /** As {@link #plus}, but wants no memory, so it never fails; who comes often meets others here. */
    final void plusInPlace(long n) {
        var unused = (long) BASE.getAndAdd(this, n);
    }

    private AtomicLongArray spread() {
        AtomicLongArray made = new AtomicLongArray(Stripes.COUNT * LONGS_APART);
        AtomicLongArray present = (AtomicLongArray) STRIPES.compareAndExchange(this, null, made);
        return present == null ? made : present;
    }

    /** {@return all that was added and is still here; beside additions it is not of one instant} */
    final long sum() {
        long sum = base;
        AtomicLongArray all = stripes;
        if (all != null) {
            for (int i = 0; i < all.length(); i += LONGS_APART) {
                sum += all.get(i);
            }
        }
        return sum;
    }

    /** Takes all that is here, each part in one step. {@return how much it was} */
    final long drain() {
        long sum = (long) BASE.getAndSet(this, 0L);
        AtomicLongArray all = stripes;
        if (all != null) {
            for (int i = 0; i < all.length(); i += LONGS_APART) {
                sum += all.getAndSet(i, 0);
            }
        }
        return sum;
    }
}
