package com.fastn.context.engine;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What was counted in a window that slides: buckets in a circle, the newest of them under way. Time is counted in nanoseconds
 * since the runtime was made. A clock that goes back counts into the newest bucket: what was counted stays counted. Not safe
 * for threads by itself.
 */
final class Ring {
    private final long bucketNanos;
    private final int buckets;
    // Half the memory, as long as no bucket counts more than an int holds.
    private int[] small;
    private long @Nullable [] large;
    private long newest;

    private Ring(Duration window, int buckets) {
        this.bucketNanos = window.toNanos() / buckets;
        this.buckets = buckets;
        this.small = new int[buckets];
    }

    static Ring ofSecond() {
        return new Ring(Duration.ofSeconds(1), 10);
    }

    static Ring ofMinute() {
        return new Ring(Duration.ofMinutes(1), 60);
    }

    static Ring ofHour() {
        return new Ring(Duration.ofHours(1), 60);
    }

    static Ring ofDay() {
        return new Ring(Duration.ofDays(1), 96);
    }

    void add(long nanos, long n) {
        moveTo(nanos / bucketNanos);
        addTo(newest, n);
    }

    void addAll(Ring other) {
        moveTo(other.newest);
        long oldest = Math.max(0, Math.max(newest, other.newest) - buckets + 1);
        for (long bucket = oldest; bucket <= other.newest; bucket++) {
            addTo(bucket, other.get((int) (bucket % buckets)));
        }
    }

    long sum(long nanos) {
        moveTo(nanos / bucketNanos);
        long sum = 0;
        for (int i = 0; i < buckets; i++) {
            sum = CounterCell.saturatedSum(sum, get(i));
        }
        return sum;
    }

    private long get(int at) {
        return large == null ? small[at] : large[at];
    }

    private void addTo(long bucket, long n) {
        int at = (int) (bucket % buckets);
        long count = CounterCell.saturatedSum(get(at), n);
        if (large == null && count > Integer.MAX_VALUE) {
            long[] wide = new long[buckets];
            for (int i = 0; i < buckets; i++) {
                wide[i] = small[i];
            }
            large = wide;
            small = new int[0];
        }
        set(at, count);
    }

    private void set(int at, long count) {
        if (large == null) {
            small[at] = (int) count;
        } else {
            large[at] = count;
        }
    }

    private void moveTo(long bucket) {
        long steps = Math.min(bucket - newest, buckets);
        for (long i = 1; i <= steps; i++) {
            set((int) ((newest + i) % buckets), 0);
        }
        newest = Math.max(newest, bucket);
    }
}
