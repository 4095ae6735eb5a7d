package com.fastn.context;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicLong;

/** A source of time for tests: it stands still until it is moved. */
public final class ManualTicker implements Ticker {
    private final Instant start;
    private final AtomicLong elapsedNanos = new AtomicLong();

    /**
     * Makes a ticker that stands at a moment.
     *
     * @param start what the wall clock shows at first
     */
    public ManualTicker(Instant start) {
        this.start = requireNonNull(start, "start");
    }

    /**
     * Moves time.
     *
     * @param step how far; a negative step plays a clock that goes back
     */
    public void advance(Duration step) {
        elapsedNanos.addAndGet(step.toNanos());
    }

    @Override
    public long nanos() {
        return elapsedNanos.get();
    }

    @Override
    public Instant wallTime() {
        return start.plusNanos(elapsedNanos.get());
    }
}
