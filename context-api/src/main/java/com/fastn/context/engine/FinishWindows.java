package com.fastn.context.engine;

import com.fastn.context.Windows;
import com.fastn.context.status.FinishedContext;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.time.Duration;

/**
 * How many contexts of one path ended, in four rings of buckets and since the start. A ring covers its window by as many
 * buckets as it has, the newest of them under way; time is counted in nanoseconds since the runtime was made. It takes a
 * kilobyte, however much is counted.
 */
final class FinishWindows {
    @GuardedBy("this")
    private final Ring second = new Ring(Duration.ofSeconds(1), 10);

    @GuardedBy("this")
    private final Ring minute = new Ring(Duration.ofMinutes(1), 60);

    @GuardedBy("this")
    private final Ring hour = new Ring(Duration.ofHours(1), 60);

    @GuardedBy("this")
    private final Ring day = new Ring(Duration.ofDays(1), 96);

    @GuardedBy("this")
    private long ended;

    @GuardedBy("this")
    private long failed;

    @GuardedBy("this")
    private long cancelled;

    @GuardedBy("this")
    private boolean folded;

    /** {@return whether it was counted; not when this was folded into another} */
    synchronized boolean add(long nanos, FinishedContext.Outcome outcome) {
        if (folded) {
            return false;
        }
        second.add(nanos);
        minute.add(nanos);
        hour.add(nanos);
        day.add(nanos);
        ended++;
        failed += outcome instanceof FinishedContext.Failed ? 1 : 0;
        cancelled += outcome instanceof FinishedContext.Cancelled ? 1 : 0;
        return true;
    }

    /** Moves all that was counted to the windows of another path, which is nearer to the root. */
    synchronized void foldInto(FinishWindows other) {
        folded = true;
        synchronized (other) {
            other.second.addAll(second);
            other.minute.addAll(minute);
            other.hour.addAll(hour);
            other.day.addAll(day);
            other.ended += ended;
            other.failed += failed;
            other.cancelled += cancelled;
        }
    }

    /** Adds what was counted until a moment to sums. */
    synchronized void addTo(Sums sums, long nanos) {
        sums.second += second.sum(nanos);
        sums.minute += minute.sum(nanos);
        sums.hour += hour.sum(nanos);
        sums.day += day.sum(nanos);
        sums.ended += ended;
        sums.failed += failed;
        sums.cancelled += cancelled;
    }

    /** The windows of several paths together. */
    static final class Sums {
        private long second;
        private long minute;
        private long hour;
        private long day;
        private long ended;
        private long failed;
        private long cancelled;

        Windows windows() {
            return ended == 0
                    ? Windows.NONE
                    : new Windows(second, minute, hour, day, ended, minute / 60.0, failed, cancelled);
        }
    }

    /** Buckets in a circle. A clock that goes back counts into the newest bucket: what was counted stays counted. */
    private static final class Ring {
        private final long bucketNanos;
        private final int[] counts;
        private long newest;

        Ring(Duration window, int buckets) {
            this.bucketNanos = window.toNanos() / buckets;
            this.counts = new int[buckets];
        }

        void add(long nanos) {
            moveTo(nanos / bucketNanos);
            add(newest, 1);
        }

        private void add(long bucket, int n) {
            int at = (int) (bucket % counts.length);
            counts[at] = (int) Math.min(Integer.MAX_VALUE, (long) counts[at] + n);
        }

        void addAll(Ring other) {
            moveTo(other.newest);
            long oldest = Math.max(0, Math.max(newest, other.newest) - counts.length + 1);
            for (long bucket = oldest; bucket <= other.newest; bucket++) {
                add(bucket, other.counts[(int) (bucket % counts.length)]);
            }
        }

        long sum(long nanos) {
            moveTo(nanos / bucketNanos);
            long sum = 0;
            for (int count : counts) {
                sum += count;
            }
            return sum;
        }

        private void moveTo(long bucket) {
            long steps = Math.min(bucket - newest, counts.length);
            for (long i = 1; i <= steps; i++) {
                counts[(int) ((newest + i) % counts.length)] = 0;
            }
            newest = Math.max(newest, bucket);
        }
    }
}
