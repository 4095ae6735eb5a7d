package com.fastn.context.engine;

import com.fastn.context.status.OperationBaseline;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLongFieldUpdater;
import org.HdrHistogram.AbstractHistogram;
import org.HdrHistogram.ConcurrentHistogram;
import org.jspecify.annotations.Nullable;

/**
 * How long operations of each name took, as far as they ended by themselves: what a display compares a slow one with. One
 * that only its context's end took away is no sample.
 */
final class OperationBaselines {
    static final int MAX_NAMES = 1_000;
    // Steps of a sixteenth, read in their middle. One digit more would be 64 kB for a name instead of 9, and ten times
    // the
    // time for each look.
    private static final int DIGITS = 1;
    // A day; the few that last longer count as one.
    private static final long LONGEST_MICROS = TimeUnit.DAYS.toMicros(1);

    private final EngineRuntime runtime;
    private final ConcurrentHashMap<String, Times> byName = new ConcurrentHashMap<>();

    /** How long those of one name took, in microseconds. */
    private static final class Times {
        private static final AtomicLongFieldUpdater<Times> SHORTEST =
                AtomicLongFieldUpdater.newUpdater(Times.class, "shortest");
        private static final AtomicLongFieldUpdater<Times> LONGEST =
                AtomicLongFieldUpdater.newUpdater(Times.class, "longest");

        final ConcurrentHistogram histogram = new ConcurrentHistogram(DIGITS);
        // Exact. What is in the histogram is between them.
        private volatile long shortest = Long.MAX_VALUE;
        private volatile long longest;

        void add(long micros) {
            if (micros < shortest) {
                SHORTEST.accumulateAndGet(this, micros, Math::min);
            }
            if (micros > longest) {
                LONGEST.accumulateAndGet(this, micros, Math::max);
            }
            histogram.recordValue(micros);
        }

        @Nullable
        OperationBaseline read() {
            // Percentiles are walks over the counts: all are taken from one copy, so that they belong together.
            AbstractHistogram at = histogram.copy();
            long count = at.getTotalCount();
            return count == 0
                    ? null
                    : new OperationBaseline(count, percentile(at, 50), percentile(at, 99), micros(longest));
        }

        private Duration percentile(AbstractHistogram at, double percentile) {
            long middle = at.medianEquivalentValue(at.getValueAtPercentile(percentile));
            return micros(Math.max(shortest, Math.min(middle, longest)));
        }

        private static Duration micros(long micros) {
            return Duration.of(micros, ChronoUnit.MICROS);
        }
    }

    OperationBaselines(EngineRuntime runtime) {
        this.runtime = runtime;
    }

    void ended(String operation, long elapsedNanos) {
        Times times = byName.get(operation);
        if (times == null) {
            // Two threads may both find room for the last name: the bound is for memory and need not be exact.
            if (byName.size() >= MAX_NAMES) {
                runtime.misuse(
                        "more than " + MAX_NAMES + " operation names were used; the usual time of further ones is"
                                + " not known. Name the kind of work, not the single piece of it");
                return;
            }
            times = byName.computeIfAbsent(operation, name -> new Times());
        }
        times.add(Math.min(TimeUnit.NANOSECONDS.toMicros(Math.max(0, elapsedNanos)), LONGEST_MICROS));
    }

    /** What is usual for a name, or null when none of that name has ended. */
    @Nullable
    OperationBaseline of(String operation) {
        Times times = byName.get(operation);
        return times == null ? null : times.read();
    }

    Map<String, OperationBaseline> all() {
        Map<String, OperationBaseline> all = new TreeMap<>();
        byName.forEach((name, times) -> {
            OperationBaseline baseline = times.read();
            if (baseline != null) {
                all.put(name, baseline);
            }
        });
        return all;
    }

    /** The bytes that are kept of all names, by the histograms' own count. */
    long estimatedBytes() {
        return byName.values().stream()
                .mapToLong(times -> times.histogram.getEstimatedFootprintInBytes())
                .sum();
    }
}
