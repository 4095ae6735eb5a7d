package com.fastn.status;

import java.time.Duration;

/**
 * How fast the status port goes.
 *
 * @param pace how often at most a reader is told of changes; what time alone makes is looked for as often
 * @param rest how long a thread of the port stays that has nothing to do
 */
record PortTempo(Duration pace, Duration rest) {
    /** That of every port but those of tests, which have less patience. */
    static final PortTempo USUAL = new PortTempo(Duration.ofSeconds(1), Duration.ofSeconds(10));
}
