package com.fastn.context.engine;

import com.fastn.context.Ticker;
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

    private volatile long nanos;
    private volatile boolean ticking;
    private volatile boolean used;

    CoarseClock(Ticker ticker, Timers timers) {
        this.ticker = ticker;
        this.timers = timers;
        this.exact = ticker != Ticker.system();
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
        return nanos;
    }

    private synchronized long start() {
        long now = ticker.nanos();
        if (!ticking) {
            nanos = now;
            used = true;
            // Without timers, as they are closed, each call comes here and is exact.
            ticking = timers.tick(STEP, this::tick);
        }
        return now;
    }

    private synchronized void tick() {
        if (used) {
            used = false;
            nanos = ticker.nanos();
            ticking = timers.tick(STEP, this::tick);
        } else {
            ticking = false;
        }
    }

    /** The timers are closed: from now on each look is exact. */
    synchronized void stop() {
        ticking = false;
    }

    boolean isTicking() {
        return ticking;
    }
}
