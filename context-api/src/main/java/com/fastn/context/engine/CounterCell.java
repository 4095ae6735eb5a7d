package com.fastn.context.engine;

import com.fastn.context.TotalCounter;
import java.util.concurrent.atomic.LongAdder;

/** One counter of one path: a total that only grows and a live count. */
final class CounterCell implements TotalCounter {
    // From this size on an addition is checked, so that the sum saturates and never wraps (rule M1).
    private static final long LARGE = 1L << 40;

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

    @Override
    public void increment() {
        total.increment();
        path.store().runtime().changed();
    }

    @Override
    public void add(long n) {
        if (n < 0) {
            path.store()
                    .runtime()
                    .misuse("a total counter was asked to add a negative number; it only grows, so nothing was added");
            return;
        }
        if (n >= LARGE) {
            addLarge(n);
        } else {
            total.add(n);
        }
        path.store().runtime().changed();
    }

    private synchronized void addLarge(long n) {
        long sum = total.sum();
        if (sum < 0 || sum + n < 0) {
            saturated = true;
        } else {
            total.add(n);
        }
    }

    void addLive(long n) {
        live.add(n);
    }

    @Override
    public long get() {
        long sum = total.sum();
        return saturated || sum < 0 ? Long.MAX_VALUE : sum;
    }

    long live() {
        return Math.max(0, live.sum());
    }

    static long saturatedSum(long a, long b) {
        long sum = a + b;
        return sum < 0 ? Long.MAX_VALUE : sum;
    }
}
