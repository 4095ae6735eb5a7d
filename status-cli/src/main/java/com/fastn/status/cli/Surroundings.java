package com.fastn.status.cli;

import com.fastn.context.Ticker;
import java.io.PrintStream;
import java.util.function.Supplier;

/**
 * What a command finds around it.
 *
 * @param properties the system properties
 * @param environment the environment
 * @param interactive whether the output is a terminal
 * @param processes tells which processes live
 * @param ticker the source of time
 * @param size tells how large the terminal is now
 * @param out where status goes
 * @param err where everything else goes
 */
record Surroundings(
        Lookup properties,
        Lookup environment,
        boolean interactive,
        Processes processes,
        Ticker ticker,
        Supplier<Size> size,
        PrintStream out,
        PrintStream err) {

    /** Says something that is not status. */
    void note(String sentence) {
        err.println("fastn: " + sentence);
    }
}
