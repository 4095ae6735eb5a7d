package com.fastn.context.engine;

import com.fastn.context.status.ContextPath;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;

/**
 * The counters of a runtime that could not count what they were asked to: totals that reached the greatest number (rule M1), and
 * live counts of which more was taken than added (rule M3). Each is rare, and so many of them are kept apart.
 */
final class Miscounts {
    /** Overflows and underflows that are kept, each for itself. */
    static final int MOST = 1_000;

    private static final Comparator<Underflow> MOST_OFTEN_FIRST = Comparator.comparingLong(Underflow::times)
            .reversed()
            .thenComparing(u -> u.path().toString())
            .thenComparing(Underflow::counter);

    private final Set<CounterCell> overflowed = ConcurrentHashMap.newKeySet();
    private final LongAdder moreOverflows = new LongAdder();
    private final ConcurrentHashMap<Counter, LongAdder> underflows = new ConcurrentHashMap<>();

    private record Counter(ContextPath path, String name) {}

    /**
     * A live count of which more was taken than added.
     *
     * @param path its path
     * @param counter its name
     * @param times how often
     */
    record Underflow(ContextPath path, String counter, long times) {}

    /** Notes a total that stays where it is from now on; also for whoever holds monitors. */
    void overflowed(CounterCell cell) {
        if (overflowed.size() < MOST) {
            overflowed.add(cell);
        } else if (!overflowed.contains(cell)) {
            moreOverflows.increment();
        }
    }

    /** Those that count by now: of one that was folded, the one that it was folded into. By path and name. */
    List<CounterCell> overflows() {
        Set<CounterCell> now = new LinkedHashSet<>();
        overflowed.forEach(cell -> now.add(cell.last()));
        return now.stream()
                .sorted(Comparator.comparing(
                                (CounterCell cell) -> cell.path().path().toString())
                        .thenComparing(CounterCell::name))
                .toList();
    }

    /** How many more totals overflowed than are kept. */
    long moreOverflows() {
        return moreOverflows.sum();
    }

    /** Notes that more was taken from a live count than was added; beyond {@link #MOST} counters only the counter of all tells. */
    void underflowed(ContextPath path, String counter) {
        Counter which = new Counter(path, counter);
        LongAdder times = underflows.get(which);
        if (times == null && underflows.size() < MOST) {
            times = underflows.computeIfAbsent(which, w -> new LongAdder());
        }
        if (times != null) {
            times.increment();
        }
    }

    /** The one that it happened to most often first. */
    List<Underflow> underflows() {
        return underflows.entrySet().stream()
                .map((Map.Entry<Counter, LongAdder> each) -> new Underflow(
                        each.getKey().path(),
                        each.getKey().name(),
                        each.getValue().sum()))
                .sorted(MOST_OFTEN_FIRST)
                .toList();
    }
}
