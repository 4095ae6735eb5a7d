package com.fastn.context.engine;

import com.fastn.context.status.CounterWindows;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.time.Duration;

/**
 * How much a total counter of one path, and of all paths below it, grew lately; made when somebody asks for it. Each cell of
 * that name below adds to it what it counts from then on.
 */
final class CounterGrowth {
    private static final long MINUTE = Duration.ofMinutes(1).toNanos();
    private static final long SECOND = Duration.ofSeconds(1).toNanos();
    /** As long as a bucket of the ring with the shortest ones. */
    private static final long STEP = Duration.ofMillis(100).toNanos();

    private final PathCounters at;
    private final String counter;
    private final long sinceNanos;

    // What was counted in the present step, and when that ends: whoever counts touches nothing else.
    private final StripedLong step = new StripedLong();
    private volatile long stepEndNanos;
    private volatile long readNanos;
    // Whether all cells that were there when this was made tell it by now.
    private volatile boolean toldByAll;

    @GuardedBy("this")
    private final Ring second = Ring.ofSecond();

    @GuardedBy("this")
    private final Ring minute = Ring.ofMinute();

    @GuardedBy("this")
    private final Ring hour = Ring.ofHour();

    @GuardedBy("this")
    private final Ring day = Ring.ofDay();

    CounterGrowth(PathCounters at, String counter, long sinceNanos) {
        this.at = at;
        this.counter = counter;
        this.sinceNanos = sinceNanos;
        this.readNanos = sinceNanos;
        this.stepEndNanos = endOfStep(sinceNanos);
    }

    private static long endOfStep(long nanos) {
        return (nanos / STEP + 1) * STEP;
    }

    boolean isToldByAll() {
        return toldByAll;
    }

    void setToldByAll() {
        toldByAll = true;
    }

    PathCounters at() {
        return at;
    }

    String counter() {
        return counter;
    }

    /** {@return when somebody asked for it last; to be shown in a status is not to be asked for} */
    long readNanos() {
        return readNanos;
    }

    /** A clock that shows a little less than it did counts into the present step. */
    void add(long nanos, long n) {
        if (nanos >= stepEndNanos) {
            endStep(nanos);
        }
        if (n < CounterCell.LARGE) {
            step.plus(n);
        } else {
            keep(nanos, n);
        }
    }

    private synchronized void endStep(long nanos) {
        if (nanos >= stepEndNanos) {
            keep(stepEndNanos - 1, step.drain());
            stepEndNanos = endOfStep(nanos);
        }
    }

    private synchronized void keep(long nanos, long n) {
        second.add(nanos, n);
        minute.add(nanos, n);
        hour.add(nanos, n);
        day.add(nanos, n);
    }

    CounterWindows asked(long nanos, long total) {
        readNanos = nanos;
        return read(nanos, total);
    }

    synchronized CounterWindows read(long nanos, long total) {
        endStep(nanos);
        keep(Math.min(nanos, stepEndNanos - 1), step.drain());
        long watched = Math.max(0, nanos - sinceNanos);
        long lastMinute = minute.sum(nanos);
        // Right after the first question a second has to pass for a rate, so that it does not leap.
        double seconds = Math.min(MINUTE, Math.max(SECOND, watched)) / (double) SECOND;
        return new CounterWindows(
                at.path(),
                counter,
                second.sum(nanos),
                lastMinute,
                hour.sum(nanos),
                day.sum(nanos),
                total,
                lastMinute / seconds,
                Duration.ofNanos(watched));
    }
}
