package com.fastn.context.vertx;

import com.fastn.context.Ticker;
import java.time.Duration;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The cancellations of callers on other nodes that were heard of lately: a request of theirs may have come before, and still wait
 * for its consumer. Each is kept for {@link #KEPT}, and of more than {@link #MOST} the last ones. One that somebody made up stands
 * beside the true one, as it has another key, and cancels nothing.
 */
final class HeardCancellations {
    static final int MOST = 4_096;
    static final Duration KEPT = Duration.ofMinutes(1);

    private final Ticker ticker;
    // When each was heard; the oldest first. Under the monitor.
    private final LinkedHashMap<Heard, Long> heard = new LinkedHashMap<>();
    // So that nobody waits for the monitor where there is nothing, as nearly always.
    private volatile boolean empty = true;

    HeardCancellations(Ticker ticker) {
        this.ticker = ticker;
    }

    /**
     * Remembers some.
     *
     * @param incarnation the node of the callers
     * @param keys of each caller, by its id there, what was told
     */
    synchronized void add(String incarnation, Map<Long, String> keys) {
        long now = ticker.nanos();
        keys.forEach((id, key) -> {
            Heard told = new Heard(incarnation, id, key);
            // Once more, so that it is the last again.
            heard.remove(told);
            heard.put(told, now);
        });
        forgetOld(now);
    }

    boolean isEmpty() {
        return empty;
    }

    /** Whether the cancellation of a caller was heard of that named the key that its request says. */
    boolean contains(String incarnation, long id, @Nullable String key) {
        return key != null && !empty && isHeard(new Heard(incarnation, id, key));
    }

    private synchronized boolean isHeard(Heard wanted) {
        forgetOld(ticker.nanos());
        return heard.containsKey(wanted);
    }

    private void forgetOld(long now) {
        Iterator<Long> times = heard.values().iterator();
        while (times.hasNext()) {
            long at = times.next();
            if (heard.size() <= MOST && now - at <= KEPT.toNanos()) {
                break;
            }
            times.remove();
        }
        empty = heard.isEmpty();
    }

    private record Heard(String incarnation, long id, String key) {}
}
