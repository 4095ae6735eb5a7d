package com.fastn.context.vertx;

import static java.util.Objects.requireNonNull;

import java.time.Duration;

/**
 * How late an event loop is: how long a task that was given to it had to wait before it ran.
 *
 * @param loop the name of its thread
 * @param latest that of the last task, or how long the present one waits already where that is more
 * @param longest the longest since it is measured
 */
public record EventLoopDelay(String loop, Duration latest, Duration longest) {
    /**
     * Checks that all parts are there.
     *
     * @param loop the name of its thread
     * @param latest that of the last task
     * @param longest the longest since it is measured
     */
    public EventLoopDelay {
        requireNonNull(loop, "loop");
        requireNonNull(latest, "latest");
        requireNonNull(longest, "longest");
    }
}
