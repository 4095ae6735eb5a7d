package com.fastn.context.engine;

import java.time.Duration;
import java.util.concurrent.ConcurrentHashMap;

/** Since when something has been so, as far as snapshots saw it: nobody looks in between, and nothing tells when it began. */
final class SeenSince {
    private final EngineRuntime runtime;
    private final ConcurrentHashMap<String, Long> firstSeen = new ConcurrentHashMap<>();

    SeenSince(EngineRuntime runtime) {
        this.runtime = runtime;
    }

    /**
     * Notes what a look found.
     *
     * @param what the id of a rule, or that and what of a bounded number of things it found
     * @param so whether it is so now; if not, it begins anew when it is so again
     * @return since the first of the looks at which it was so without a break; zero at the first
     */
    Duration look(String what, boolean so, long now) {
        if (!so) {
            firstSeen.remove(what);
            return Duration.ZERO;
        }
        Long first = firstSeen.get(what);
        if (first == null) {
            firstSeen.putIfAbsent(what, now);
            return Duration.ZERO;
        }
        return Duration.ofNanos(runtime.elapsed(first, now));
    }
}
