package com.fastn.context.engine;

import com.fastn.context.Windows;
import com.fastn.context.status.FinishedContext;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.time.Duration;

/**
 * How many contexts of one path ended, in four rings of buckets and since the start. A ring covers its window by as many
 * buckets as it has, the newest of them under way; time is counted in nanoseconds since the runtime was made. It takes a
 * kilobyte, however much is counted, and a quarter of that where all came in one bucket of each ring.
 */
final class FinishWindows {
    /** As long as a bucket of the ring with the shortest ones. */
    private static final long STEP = Duration.ofMillis(100).toNanos();

    @GuardedBy("this")
    private final Ring second = Ring.ofSecond();

    @GuardedBy("this")
    private final Ring minute = Ring.ofMinute();

    @GuardedBy("this")
    private final Ring hour = Ring.ofHour();

    @GuardedBy("this")
    private final Ring day = Ring.ofDay();

    /** What ended in the present step: most ends touch no ring. */
    @GuardedBy("this")
    private long inStep;

    @GuardedBy("this")
    private long stepEndNanos;

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
        if (nanos >= stepEndNanos) {
            endStep();
            stepEndNanos = (nanos / STEP + 1) * STEP;
        }
        inStep++;
        ended++;
        failed += outcome instanceof FinishedContext.Failed ? 1 : 0;
        cancelled += outcome instanceof FinishedContext.Cancelled ? 1 : 0;
        return true;
    }

    @GuardedBy("this")
    private void endStep() {
        if (inStep > 0) {
            // A step lies within one bucket of each ring.
            long at = stepEndNanos - 1;
            second.add(at, inStep);
            minute.add(at, inStep);
            hour.add(at, inStep);
            day.add(at, inStep);
            inStep = 0;
        }
    }

    /** Moves all that was counted to the windows of another path, which is nearer to the root. */
    synchronized void foldInto(FinishWindows other) {
        folded = true;
        endStep();
        synchronized (other) {
            other.endStep();
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
        endStep();
        sums.second += second.sum(nanos);
        sums.minute += minute.sum(nanos);
        sums.hour += hour.sum(nanos);
        sums.day += day.sum(nanos);
        sums.ended += ended;
        sums.failed += failed;
        sums.cancelled += cancelled;
    }

    /** How many buckets there is room for, for tests. */
    synchronized int room() {
        return second.room() + minute.room() + hour.room() + day.room();
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
}
