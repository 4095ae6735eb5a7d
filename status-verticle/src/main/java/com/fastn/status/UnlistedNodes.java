package com.fastn.status;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/** Who spoke lately and is not listed, because there are too many: by incarnation, so that none is counted twice. Not thread-safe. */
final class UnlistedNodes {
    /** Of so many it is known which they are. */
    static final int MOST = 10_000;

    /** Who is not listed counts for so long after it spoke. */
    static final Duration COUNTED_FOR = Duration.ofSeconds(60);

    /** When it spoke last; whoever is silent for longest comes first. */
    private final Map<String, Long> heard = new LinkedHashMap<>();

    void note(String incarnation, long now) {
        heard.remove(incarnation);
        heard.put(incarnation, now);
        if (heard.size() > MOST) {
            var oldest = heard.keySet().iterator();
            oldest.next();
            oldest.remove();
        }
    }

    void remove(String incarnation) {
        heard.remove(incarnation);
    }

    int count(long now) {
        var oldest = heard.values().iterator();
        while (oldest.hasNext() && now - oldest.next() > COUNTED_FOR.toNanos()) {
            oldest.remove();
        }
        return heard.size();
    }
}
