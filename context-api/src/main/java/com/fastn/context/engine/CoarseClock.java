package com.fastn.context.engine;

import com.fastn.context.Ticker;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.time.Duration;

/**
 * The time to within {@link #STEP}, for signs of life: reading it costs a field and not a clock. It ticks while it is read
 * and stands still otherwise, so a quiet process is never woken up.
 */
final class CoarseClock {
    static final Duration STEP = Duration.ofMillis(20);

    private final Ticker ticker;
    private final Timers timers;
    // Only the clock of the system moves by itself; one that is moved by hand has to be asked.
    private final boolean exact;

    // What is shown while this does not tick, a century ago: no time that anything has, so whoever compares starts it.
    private final long stopped;

    // When it was seen last that no thread can be made to tick.
    @GuardedBy("this")
    private long refusedNanos;

    private volatile long shown;
    private volatile boolean ticking;
    private volatile boolean used;

    CoarseClock(Ticker ticker, Timers timers) {
        this(ticker, timers, ticker != Ticker.system());
    }

    CoarseClock(Ticker ticker, Timers timers, boolean exact) {
        this.ticker = ticker;
        this.timers = timers;
        this.exact = exact;
        this.stopped = ticker.nanos() - Long.MAX_VALUE / 2;
        this.shown = stopped;
        this.refusedNanos = stopped;
    }

    /**
     * {@return whether a time that {@link #nanos} gave is that of the present tick} It costs a field. Whatever is touched
     * first after a tick finds that it is not, so a clock that is used goes on.
     */
    boolean isOfThisTick(long time) {
        return shown == time;
    }

    long nanos() {
        if (exact) {
            return ticker.nanos();
        }
        if (!ticking) {
            return start();
        }
        if (!used) {
            used = true;
        }
        long now = shown;
        // It may have stopped in between.
        return now == stopped ? start() : now;
    }

    private synchronized long start() {
        long now = ticker.nanos();
        if (!ticking && now - refusedNanos >= STEP.toNanos()) {
            used = true;
            // Without timers, as they are closed or there is no thread for them now, each call comes here and is exact.
            show(timers.tickOrDrop(STEP, this::tick), now);
            refusedNanos = ticking ? stopped : now;
        }
        return now;
    }

    private synchronized void tick() {
        if (used) {
            used = false;
            show(timers.tickOrDrop(STEP, this::tick), ticker.nanos());
        } else {
            show(false, stopped);
        }
    }

    private void show(boolean ticks, long now) {
        shown = ticks ? now : stopped;
        ticking = ticks;
    }

    /** The timers are closed: from now on each look is exact. */
    synchronized void stop() {
        show(false, stopped);
    }

    boolean isTicking() {
        return ticking;
    }
}
