package com.fastn.status.cli;

import com.fastn.context.Ticker;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
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
 * @param suspension tells of Ctrl-Z
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
        Suspension suspension,
        PrintStream out,
        PrintStream err) {

    /** Where nobody stops the command to let it go on later. */
    Surroundings(
            Lookup properties,
            Lookup environment,
            boolean interactive,
            Processes processes,
            Ticker ticker,
            Supplier<Size> size,
            PrintStream out,
            PrintStream err) {
        this(properties, environment, interactive, processes, ticker, size, Suspension.none(), out, err);
    }

    /** {@return the same, where nothing is said but what was asked for} */
    Surroundings silent() {
        PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);
        return new Surroundings(
                properties, environment, interactive, processes, ticker, size, suspension, out, nowhere);
    }

    /** Says something that is not status. */
    void note(String sentence) {
        err.println("fastn: " + sentence);
    }
}
