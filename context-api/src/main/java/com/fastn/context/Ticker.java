package com.fastn.context;

import java.time.Instant;

/** A source of time. The engine reads time through it and nowhere else, so that tests can move it. */
public interface Ticker {

    /** {@return the time of the system} */
    static Ticker system() {
        return SystemTicker.INSTANCE;
    }

    /** {@return nanoseconds since some fixed point; the base of all durations} */
    long nanos();

    /** {@return the wall clock; a label, never a base for arithmetic} */
    Instant wallTime();
}
