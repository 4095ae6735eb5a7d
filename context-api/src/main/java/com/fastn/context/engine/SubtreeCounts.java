package com.fastn.context.engine;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Reads the counters of a subtree of paths, each with the sums of all below it.
 *
 * <p>A path far up may have many names below it, and each path in between has them as well. So of the names that are rolled
 * up each path keeps the first ones, and the others are summed up as {@code __folded__}. All paths keep them in the same
 * order, so a name that one keeps is kept by all below it, and its sum is exact; so is that of all names together.
 */
final class SubtreeCounts {
    /** Sums of all paths together. Beyond it each path keeps fewer names. */
    static final int MOST_SUMS = 1_000_000;

    private static final int FEWEST_NAMES = 4;

    private final Comparator<String> order;
    private final List<PathCounters> paths = new ArrayList<>();
    private final Map<PathCounters, Own> own = new HashMap<>();

    private SubtreeCounts(PathCounters top, Comparator<String> order) {
        this.order = order;
        paths.add(top);
        for (int i = 0; i < paths.size(); i++) {
            PathCounters path = paths.get(i);
            own.put(path, Own.read(path, order));
            paths.addAll(path.children());
        }
    }

    /** {@return what a path and those below it count} */
    static Map<PathCounters, Counts> read(@Nullable PathCounters top, Comparator<String> order, int mostNames) {
        if (top == null) {
            return Map.of();
        }
        SubtreeCounts subtree = new SubtreeCounts(top, order);
        int most = Math.max(FEWEST_NAMES, mostNames);
        Map<PathCounters, Counts> counts = subtree.rollUp(most);
        while (counts == null) {
            most = Math.max(FEWEST_NAMES, most / 4);
            counts = subtree.rollUp(most);
        }
        return counts;
    }

    /** Children stand behind their parent, so from the end on each is complete when its parent is made. */
    private @Nullable Map<PathCounters, Counts> rollUp(int most) {
        Map<PathCounters, Counts> counts = new HashMap<>();
        long sums = 0;
        for (int i = paths.size() - 1; i >= 0; i--) {
            PathCounters path = paths.get(i);
            Own mine = own.get(path);
            if (mine == null) {
                continue;
            }
            List<Map<String, Long>> totals = new ArrayList<>();
            List<Map<String, Long>> live = new ArrayList<>();
            totals.add(mine.total);
            live.add(mine.live);
            for (PathCounters child : path.children()) {
                // A path that appeared during the walk is in the next snapshot.
                Counts below = counts.get(child);
                if (below != null) {
                    totals.add(below.allTotal);
                    live.add(below.allLive);
                }
            }
            Counts made = new Counts(mine.total, mine.live, sum(totals, most), sum(live, most));
            sums += made.allTotal.size() + made.allLive.size();
            if (sums > MOST_SUMS && most > FEWEST_NAMES) {
                return null;
            }
            counts.put(path, made);
        }
        return counts;
    }

    private Map<String, Long> sum(List<Map<String, Long>> parts, int most) {
        Map<String, Long> largest = Map.of();
        for (Map<String, Long> part : parts) {
            largest = part.size() > largest.size() ? part : largest;
        }
        if (largest.isEmpty()) {
            return Map.of();
        }
        // Of maps in the same order one is copied without comparing its names, so the largest costs least.
        TreeMap<String, Long> sums =
                largest instanceof TreeMap<String, Long> sorted ? new TreeMap<>(sorted) : new TreeMap<>(order);
        for (Map<String, Long> part : parts) {
            if (part != largest) {
                part.forEach((name, n) -> sums.merge(name, n, CounterCell::saturatedSum));
                // At once, so that many children with other names each never fill the memory.
                foldBeyond(sums, most);
            }
        }
        foldBeyond(sums, most);
        return sums;
    }

    private static void foldBeyond(NavigableMap<String, Long> sums, int most) {
        if (sums.size() <= most) {
            return;
        }
        Long folded = sums.remove(CounterStore.FOLDED);
        long rest = folded == null ? 0 : folded;
        while (sums.size() > most) {
            Map.Entry<String, Long> last = sums.pollLastEntry();
            rest = last == null ? rest : CounterCell.saturatedSum(rest, last.getValue());
        }
        sums.put(CounterStore.FOLDED, rest);
    }

    private record Own(Map<String, Long> total, Map<String, Long> live) {
        static Own read(PathCounters path, Comparator<String> order) {
            Map<String, Long> total = new TreeMap<>(order);
            Map<String, Long> live = new TreeMap<>(order);
            for (CounterCell cell : path.cells()) {
                // Live before total: what is counted by both is never shown with more live than total (rule M9).
                long liveNow = cell.live();
                long totalNow = cell.total();
                if (totalNow != 0) {
                    total.put(cell.name(), totalNow);
                }
                if (liveNow != 0) {
                    live.put(cell.name(), liveNow);
                }
            }
            return new Own(total, live);
        }
    }

    /** The counters of one path: its own and the sums with all below it. */
    record Counts(
            Map<String, Long> total, Map<String, Long> live, Map<String, Long> allTotal, Map<String, Long> allLive) {

        static final Counts NONE = new Counts(Map.of(), Map.of(), Map.of(), Map.of());
    }
}
