package com.fastn.context.engine;

import java.util.concurrent.atomic.LongAdder;

/** One counter of one path: a total that only grows and a live count. */
final class CounterCell {
    // From this size on an addition is checked, so that the sum saturates and never wraps (rule M1).
    private static final long LARGE = 1L << 32;

    private final PathCounters path;
    private final String name;
    private final LongAdder total = new LongAdder();
    private final LongAdder live = new LongAdder();
    private volatile boolean saturated;

    CounterCell(PathCounters path, String name) {
        this.path = path;
        this.name = name;
    }

    String name() {
        return name;
    }

    PathCounters path() {
        return path;
    }

    /** Adds, and says whether that changed anything; whoever calls tells of it. */
    boolean add(long n) {
        if (n < 0) {
            path.store()
                    .runtime()
                    .misuse("a total counter was asked to add a negative number; it only grows, so nothing was added");
            return false;
        }
        if (n >= LARGE) {
            return addLarge(n);
        }
        total.add(n);
        return n != 0;
    }

    private boolean addLarge(long n) {
        synchronized (this) {
            long sum = total.sum();
            if (!saturated && sum >= 0 && sum + n >= 0) {
                total.add(n);
                return true;
            }
        }
        saturate();
        return true;
    }

    private void saturate() {
        if (!saturated) {
            saturated = true;
            path.store()
                    .runtime()
                    .misuse("a total counter reached " + Long.MAX_VALUE + ", the greatest number; it stays there");
        }
    }

    void addLive(long n) {
        live.add(n);
    }

    long get() {
        long sum = total.sum();
        if (sum < 0) {
            // Small additions are not checked. From now on it stays, whatever else is added.
            saturate();
        }
        return saturated ? Long.MAX_VALUE : sum;
    }

    long live() {
        return Math.max(0, live.sum());
    }

    static long saturatedSum(long a, long b) {
        long sum = a + b;
        return sum < 0 ? Long.MAX_VALUE : sum;
    }
}
