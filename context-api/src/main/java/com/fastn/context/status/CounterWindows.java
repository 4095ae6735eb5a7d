package com.fastn.context.status;

import static java.util.Objects.requireNonNull;

import java.time.Duration;

/**
 * How much a total counter of a path, and of all paths below it, grew in the time until now.
 *
 * <p>A counter has windows from the moment on at which they are asked for the first time; what was counted before is in
 * {@code sinceStart} alone. The windows slide, in steps: the last second by 0.1 s, the last minute by 1 s, the last hour by 1
 * min, the last day by 15 min. A window never counts what is older than its length, and may leave out what was counted in
 * its first step.
 *
 * @param path whose counter
 * @param counter the counter's name
 * @param lastSecond counted in the last second
 * @param lastMinute counted in the last minute
 * @param lastHour counted in the last hour
 * @param lastDay counted in the last 24 hours
 * @param sinceStart counted since the runtime was made
 * @param ratePerSecond counted per second, over the last minute or, if that is shorter, since the windows were asked for
 * @param watched since when there are windows: one that is longer counts no more than this time
 */
public record CounterWindows(
        ContextPath path,
        String counter,
        long lastSecond,
        long lastMinute,
        long lastHour,
        long lastDay,
        long sinceStart,
        double ratePerSecond,
        Duration watched) {

    /** Checks that all parts are there. */
    public CounterWindows {
        requireNonNull(path, "path");
        requireNonNull(counter, "counter");
        requireNonNull(watched, "watched");
    }

    /**
     * Compares the last minute with the hour before it or, if that is shorter, with the time since the windows were asked for.
     *
     * @return whether the counter grows faster or more slowly than before; unknown until two minutes after that question
     */
    public Trend trend() {
        return Trend.of(lastMinute, lastHour, watched);
    }
}
