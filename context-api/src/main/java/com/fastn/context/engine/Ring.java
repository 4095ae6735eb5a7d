package com.fastn.context.engine;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What was counted in a window that slides: buckets in a circle, the newest of them under way. Time is counted in nanoseconds
 * since the runtime was made. A clock that goes back counts into the newest bucket: what was counted stays counted. As long as
 * one bucket has all that there is, as where something came once, there is no circle. Not safe for threads by itself.
 */
final class Ring {
    private final long bucketNanos;
    private final int buckets;
    // Half the memory, as long as no bucket counts more than an int holds. None for a single bucket.
    private int @Nullable [] small;
    private long @Nullable [] large;
    private long newest;
    private long single;
    private long inSingle;

    private Ring(Duration window, int buckets) {
        this.bucketNanos = window.toNanos() / buckets;
        this.buckets = buckets;
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
        if (other.isSingle()) {
            if (other.single >= oldest) {
                addTo(other.single, other.inSingle);
            }
            return;
        }
        for (long bucket = oldest; bucket <= other.newest; bucket++) {
            addTo(bucket, other.get((int) (bucket % buckets)));
        }
    }

    private boolean isSingle() {
        return small == null && large == null;
    }

    /** How many buckets there is room for, for tests. */
    int room() {
        return isSingle() ? 0 : buckets;
    }

    long sum(long nanos) {
        moveTo(nanos / bucketNanos);
        if (isSingle()) {
            return inSingle;
        }
        long sum = 0;
        for (int i = 0; i < buckets; i++) {
            sum = CounterCell.saturatedSum(sum, get(i));
        }
        return sum;
    }

    private long get(int at) {
        return small != null ? small[at] : requireNonNull(large, "large")[at];
    }

    private void addTo(long bucket, long n) {
        if (n == 0) {
            return;
        }
        if (isSingle()) {
            if (inSingle == 0 || single == bucket) {
                single = bucket;
                inSingle = CounterCell.saturatedSum(inSingle, n);
                return;
            }
            small = new int[buckets];
            addToCircle(single, inSingle);
            inSingle = 0;
        }
        addToCircle(bucket, n);
    }

    private void addToCircle(long bucket, long n) {
        int at = (int) (bucket % buckets);
        long count = CounterCell.saturatedSum(get(at), n);
        int[] narrow = small;
        if (narrow != null && count > Integer.MAX_VALUE) {
            long[] wide = new long[buckets];
            for (int i = 0; i < buckets; i++) {
                wide[i] = narrow[i];
            }
            large = wide;
            small = null;
        }
        set(at, count);
    }

    private void set(int at, long count) {
        if (small != null) {
            small[at] = (int) count;
        } else {
            requireNonNull(large, "large")[at] = count;
        }
    }

    private void moveTo(long bucket) {
        if (isSingle()) {
            newest = Math.max(newest, bucket);
            if (newest - single >= buckets) {
                inSingle = 0;
            }
            return;
        }
        long steps = Math.min(bucket - newest, buckets);
        for (long i = 1; i <= steps; i++) {
            set((int) ((newest + i) % buckets), 0);
        }
        newest = Math.max(newest, bucket);
    }
}
