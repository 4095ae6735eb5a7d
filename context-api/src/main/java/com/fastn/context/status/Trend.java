package com.fastn.context.status;

import static java.util.Objects.requireNonNull;

import java.time.Duration;

/**
 * Whether something came more often in the last minute than in the hour before it.
 *
 * <p>Both are compared by their rates. They differ where the last minute has at least a third more, or a third less, than the
 * time before lets expect, and by at least twice what chance makes of things that come singly: the square root of their
 * number. So five in a minute are the fewest that rise from an hour of nothing. Of what is counted by many at a time, such as
 * bytes, chance makes more than that, and the third alone says something. A trend is an opinion about two spans of time, no
 * forecast.
 */
public enum Trend {
    /** It comes at least a third more often than before. */
    RISING,
    /** It comes as often as before, as far as can be told from so few; also where nothing comes at all. */
    STEADY,
    /** It comes at least a third less often than before. */
    FALLING,
    /** Too little is known of the time before the last minute: of a counter less than a minute, of ends less than an hour. */
    UNKNOWN;

    private static final Duration YOUNGEST = Duration.ofMinutes(2);
    private static final Duration HOUR = Duration.ofHours(1);
    private static final double MINUTE = Duration.ofMinutes(1).toNanos();
    private static final double A_THIRD_MORE = 4.0 / 3;
    private static final double A_THIRD_LESS = 2.0 / 3;
    private static final double SIGMAS = 2;

    /**
     * Compares what came in the last minute with what came in the hour before.
     *
     * @param lastMinute how many came in the last minute
     * @param lastHour how many came in the last hour, those of the last minute among them
     * @param counted for how long they have been counted by now; where that is less than an hour, the last hour has no more
     * @return the trend
     */
    public static Trend of(long lastMinute, long lastHour, Duration counted) {
        requireNonNull(counted, "counted");
        if (counted.compareTo(YOUNGEST) < 0) {
            return UNKNOWN;
        }
        double minutesBefore = (counted.compareTo(HOUR) < 0 ? counted : HOUR).toNanos() / MINUTE - 1;
        double now = Math.max(0, lastMinute);
        double expected = Math.max(0, (double) lastHour - now) / minutesBefore;
        // The shorter the time before, the more of what is expected is chance as well.
        double chance = SIGMAS * Math.sqrt(Math.max(now, expected) * (1 + 1 / minutesBefore));
        if (now == expected || Math.abs(now - expected) < chance) {
            return STEADY;
        }
        if (now >= expected * A_THIRD_MORE) {
            return RISING;
        }
        return now <= expected * A_THIRD_LESS ? FALLING : STEADY;
    }
}
