package com.fastn.context.engine;

import com.fastn.context.status.OperationBaseline;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.AbstractHistogram;
import org.HdrHistogram.ConcurrentHistogram;
import org.jspecify.annotations.Nullable;

/** How long operations of each name took, as far as they ended: what a display compares a slow one with. */
final class OperationBaselines {
    static final int MAX_NAMES = 1_000;
    private static final int DIGITS = 2;
    // A day; the few that last longer count as one.
    private static final long LONGEST_MICROS = TimeUnit.DAYS.toMicros(1);

    private final EngineRuntime runtime;
    private final ConcurrentHashMap<String, ConcurrentHistogram> byName = new ConcurrentHashMap<>();

    OperationBaselines(EngineRuntime runtime) {
        this.runtime = runtime;
    }

    void ended(String operation, long elapsedNanos) {
        ConcurrentHistogram histogram = byName.get(operation);
        if (histogram == null) {
            // Two threads may both find room for the last name: the bound is for memory and need not be exact.
            if (byName.size() >= MAX_NAMES) {
                runtime.misuse(
                        "more than " + MAX_NAMES + " operation names were used; the usual time of further ones is"
                                + " not known. Name the kind of work, not the single piece of it");
                return;
            }
            histogram = byName.computeIfAbsent(operation, name -> new ConcurrentHistogram(DIGITS));
        }
        histogram.recordValue(Math.min(TimeUnit.NANOSECONDS.toMicros(Math.max(0, elapsedNanos)), LONGEST_MICROS));
    }

    /** What is usual for a name, or null when none of that name has ended. */
    @Nullable
    OperationBaseline of(String operation) {
        ConcurrentHistogram histogram = byName.get(operation);
        return histogram == null ? null : read(histogram);
    }

    Map<String, OperationBaseline> all() {
        Map<String, OperationBaseline> all = new TreeMap<>();
        byName.forEach((name, histogram) -> {
            OperationBaseline baseline = read(histogram);
            if (baseline != null) {
                all.put(name, baseline);
            }
        });
        return all;
    }

    private static @Nullable OperationBaseline read(ConcurrentHistogram live) {
        // Percentiles are walks over the counts: all are taken from one copy, so that they belong together.
        AbstractHistogram at = live.copy();
        long count = at.getTotalCount();
        if (count == 0) {
            return null;
        }
        return new OperationBaseline(
                count,
                micros(at.getValueAtPercentile(50)),
                micros(at.getValueAtPercentile(99)),
                micros(at.getMaxValue()));
    }

    private static Duration micros(long micros) {
        return Duration.of(micros, java.time.temporal.ChronoUnit.MICROS);
    }
}
