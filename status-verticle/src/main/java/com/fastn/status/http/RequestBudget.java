package com.fastn.status.http;

import com.fastn.context.Ticker;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * How many requests are answered per second (rule S12): 50 of all, of those 10 of each address of another machine, and some are kept for
 * this machine. It belongs to one thread.
 */
final class RequestBudget {
    static final int PER_SECOND = 50;
    static final int PER_SECOND_AND_ADDRESS = 10;

    /** What others cannot use up. */
    private static final int KEPT_FOR_THIS_MACHINE = 10;

    private static final int MOST_ADDRESSES = 1_024;

    private final Ticker ticker;
    private final Bucket all;
    private final Map<String, Bucket> others = new LinkedHashMap<>(16, 0.75f, true);

    RequestBudget(Ticker ticker) {
        this.ticker = ticker;
        this.all = new Bucket(PER_SECOND, ticker.nanos());
    }

    /**
     * Takes a request out of the budget.
     *
     * @param address where it comes from
     * @param loopback whether that is this machine
     * @return whether it may be answered
     */
    boolean take(String address, boolean loopback) {
        long now = ticker.nanos();
        if (loopback) {
            return all.take(now, 0);
        }
        Bucket own = others.computeIfAbsent(address, key -> new Bucket(PER_SECOND_AND_ADDRESS, now));
        if (others.size() > MOST_ADDRESSES) {
            var oldest = others.keySet().iterator();
            oldest.next();
            oldest.remove();
        }
        return own.take(now, 0) && all.take(now, KEPT_FOR_THIS_MACHINE);
    }

    /** Fills up by so many each second, to at most as many. */
    private static final class Bucket {
        private static final double SECOND_NANOS = Duration.ofSeconds(1).toNanos();

        private final int perSecond;
        private double left;
        private long filledNanos;

        Bucket(int perSecond, long now) {
            this.perSecond = perSecond;
            this.left = perSecond;
            this.filledNanos = now;
        }

        boolean take(long now, int kept) {
            left = Math.min(perSecond, left + Math.max(0, now - filledNanos) / SECOND_NANOS * perSecond);
            filledNanos = now;
            if (left < 1 + kept) {
                return false;
            }
            left--;
            return true;
        }
    }
}
