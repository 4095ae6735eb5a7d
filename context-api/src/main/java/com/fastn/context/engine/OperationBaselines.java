package com.fastn.context.engine;

import com.fastn.context.status.OperationBaseline;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicIntegerArray;
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
    private final Object makers = new Object();
    // How often names were pushed out. Written under the monitor of makers.
    private volatile int round;
    // Where all names are taken: the hashes of those that came once. Any thread's writing will do.
    private final AtomicIntegerArray cameOnce = new AtomicIntegerArray(1 << 10);

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
        // The last in which there was one. Any thread's writing will do.
        private volatile int round;

        void add(long micros, int present) {
            if (round != present) {
                round = present;
            }
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
            if (byName.size() >= MAX_NAMES && isNew(operation)) {
                warn();
                return;
            }
            times = make(operation);
        }
        times.add(Math.min(TimeUnit.NANOSECONDS.toMicros(Math.max(0, elapsedNanos)), LONGEST_MICROS), round);
    }

    /** Of names that come once and never again, no place is made for any, and nobody waits for another thread. */
    private boolean isNew(String operation) {
        int hash = operation.hashCode();
        int at = (hash ^ (hash >>> 16)) & (cameOnce.length() - 1);
        if (cameOnce.get(at) == hash) {
            return false;
        }
        cameOnce.set(at, hash);
        return true;
    }

    private void warn() {
        runtime.misuse("more than " + MAX_NAMES + " operation names were used; the usual times of those that came"
                + " seldom, or not for long, are not known. Name the kind of work, not the single piece of it");
    }

    private Times make(String operation) {
        Times made = new Times();
        synchronized (makers) {
            Times times = byName.get(operation);
            if (times != null) {
                return times;
            }
            if (byName.size() >= MAX_NAMES) {
                pushOut();
                round = round + 1;
            }
            byName.put(operation, made);
            return made;
        }
    }

    /** Forgets a tenth: those of fewest samples, where each round in which none came halves them. Under the monitor of makers. */
    private void pushOut() {
        record Known(String name, long weight, int round) {}
        List<Known> all = new ArrayList<>();
        byName.forEach((name, times) -> {
            int last = times.round;
            all.add(new Known(
                    name, times.histogram.getTotalCount() >> Math.min(Long.SIZE - 1, Math.max(0, round - last)), last));
        });
        all.sort(Comparator.comparingLong(Known::weight).thenComparingInt(Known::round));
        all.subList(0, MAX_NAMES / 10).forEach(known -> byName.remove(known.name));
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
