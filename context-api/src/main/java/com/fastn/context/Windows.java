package com.fastn.context;

import com.fastn.context.status.Trend;
import java.time.Duration;

/**
 * How many contexts of a path, and of all paths below it, ended in the time until now; of those that were marked with {@link
 * FastnContext#persist}.
 *
 * <p>The windows slide, in steps: the last second by 0.1 s, the last minute by 1 s, the last hour by 1 min, the last day by
 * 15 min. A window never counts what ended earlier than its length ago, and may leave out what ended in its first step. Time
 * is that of the runtime's ticker; the wall clock has no part in it.
 *
 * @param lastSecond ended in the last second
 * @param lastMinute ended in the last minute
 * @param lastHour ended in the last hour
 * @param lastDay ended in the last 24 hours
 * @param sinceStart ended since the runtime was made
 * @param ratePerSecond ended per second, over the last minute
 * @param failedSinceStart of those since the start, how many failed
 * @param cancelledSinceStart of those since the start, how many were cancelled
 */
public record Windows(
        long lastSecond,
        long lastMinute,
        long lastHour,
        long lastDay,
        long sinceStart,
        double ratePerSecond,
        long failedSinceStart,
        long cancelledSinceStart) {

    /** Nothing ended. */
    public static final Windows NONE = new Windows(0, 0, 0, 0, 0, 0, 0, 0);

    /**
     * Compares the last minute with the hour before it.
     *
     * @return whether more or fewer contexts end than before; unknown where the first one ended within the last hour, for these
     *     figures do not say since when there could have been some
     */
    public Trend trend() {
        return sinceStart > lastHour ? Trend.of(lastMinute, lastHour, Duration.ofHours(1)) : Trend.UNKNOWN;
    }
}
