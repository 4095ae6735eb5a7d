package com.fastn.context.engine;

import com.fastn.context.Counters;
import com.fastn.context.status.ContextPath;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/** The counters of all paths of a runtime, as a tree of paths. Counts are added at the leaf and rolled up when read. */
final class CounterStore implements Counters {
    private final EngineRuntime runtime;
    private final PathCounters root;
    // Names in the order of their first use, so that a line of counters reads the same every time.
    private final ConcurrentHashMap<String, Integer> ranks = new ConcurrentHashMap<>();
    private final AtomicInteger nextRank = new AtomicInteger();
    private final Comparator<String> byFirstUse = Comparator.comparingInt(
                    (String n) -> ranks.getOrDefault(n, Integer.MAX_VALUE))
            .thenComparing(Comparator.naturalOrder());

    CounterStore(EngineRuntime runtime, String rootName) {
        this.runtime = runtime;
        this.root = new PathCounters(this, ContextPath.of(rootName));
    }

    EngineRuntime runtime() {
        return runtime;
    }

    PathCounters root() {
        return root;
    }

    void firstUse(String counter) {
        ranks.computeIfAbsent(counter, n -> nextRank.getAndIncrement());
    }

    @Nullable
    PathCounters find(ContextPath path) {
        List<String> names = path.names();
        PathCounters here = names.get(0).equals(root.path().leaf()) ? root : null;
        for (int i = 1; i < names.size() && here != null; i++) {
            here = here.childOrNull(names.get(i));
        }
        return here;
    }

    @Override
    public long total(ContextPath path, String counter) {
        PathCounters at = find(path);
        CounterCell cell = at == null ? null : at.cellOrNull(counter);
        return cell == null ? 0 : cell.get();
    }

    @Override
    public long live(ContextPath path, String counter) {
        PathCounters at = find(path);
        CounterCell cell = at == null ? null : at.cellOrNull(counter);
        return cell == null ? 0 : cell.live();
    }

    @Override
    public long subtreeTotal(ContextPath path, String counter) {
        PathCounters at = find(path);
        return at == null ? 0 : subtree(at, counter, CounterCell::get);
    }

    @Override
    public long subtreeLive(ContextPath path, String counter) {
        PathCounters at = find(path);
        return at == null ? 0 : subtree(at, counter, CounterCell::live);
    }

    long subtree(PathCounters from, String counter, ToLongFunction<CounterCell> read) {
        long sum = 0;
        ArrayDeque<PathCounters> open = new ArrayDeque<>();
        open.push(from);
        while (!open.isEmpty()) {
            PathCounters path = open.pop();
            CounterCell cell = path.cellOrNull(counter);
            if (cell != null) {
                sum = CounterCell.saturatedSum(sum, read.applyAsLong(cell));
            }
            path.children().forEach(open::push);
        }
        return sum;
    }

    @Override
    public SortedMap<String, Long> flat(ContextPath prefix) {
        SortedMap<String, Long> flat = new TreeMap<>();
        PathCounters at = find(prefix);
        if (at == null) {
            return flat;
        }
        ArrayDeque<PathCounters> open = new ArrayDeque<>();
        open.push(at);
        while (!open.isEmpty()) {
            PathCounters path = open.pop();
            for (CounterCell cell : path.cells()) {
                long live = cell.live();
                long total = cell.get();
                if (total != 0) {
                    flat.put(path.path().child(cell.name()).toString(), total);
                }
                if (live != 0) {
                    flat.put(path.path().child("live_" + cell.name()).toString(), live);
                }
            }
            path.children().forEach(open::push);
        }
        return flat;
    }

    /** What the paths of a subtree count, each with what lies below it: read once for a whole snapshot. */
    Map<PathCounters, Counts> readAll() {
        List<PathCounters> order = new ArrayList<>();
        Map<PathCounters, Counts> counts = new HashMap<>();
        order.add(root);
        for (int i = 0; i < order.size(); i++) {
            PathCounters path = order.get(i);
            counts.put(path, Counts.read(path, byFirstUse));
            order.addAll(path.children());
        }
        // Children stand behind their parent, so from the end on each is complete when it is added to its parent.
        for (int i = order.size() - 1; i >= 0; i--) {
            PathCounters path = order.get(i);
            Counts mine = counts.get(path);
            for (PathCounters child : path.children()) {
                Counts below = counts.get(child);
                // A path that appeared during the walk is in the next snapshot.
                if (mine != null && below != null) {
                    mine.addBelow(below);
                }
            }
        }
        return counts;
    }

    /** The counters of one path: its own and the sums with all below it. */
    record Counts(
            Map<String, Long> total, Map<String, Long> live, Map<String, Long> allTotal, Map<String, Long> allLive) {

        static final Counts NONE = new Counts(Map.of(), Map.of(), Map.of(), Map.of());

        static Counts read(PathCounters path, Comparator<String> order) {
            Map<String, Long> total = new TreeMap<>(order);
            Map<String, Long> live = new TreeMap<>(order);
            for (CounterCell cell : path.cells()) {
                // Live before total: what is counted by both is never shown with more live than total (rule M9).
                long liveNow = cell.live();
                long totalNow = cell.get();
                if (totalNow != 0) {
                    total.put(cell.name(), totalNow);
                }
                if (liveNow != 0) {
                    live.put(cell.name(), liveNow);
                }
            }
            Map<String, Long> allTotal = new TreeMap<>(order);
            allTotal.putAll(total);
            Map<String, Long> allLive = new TreeMap<>(order);
            allLive.putAll(live);
            return new Counts(total, live, allTotal, allLive);
        }

        void addBelow(Counts below) {
            below.allTotal.forEach((name, n) -> allTotal.merge(name, n, CounterCell::saturatedSum));
            below.allLive.forEach((name, n) -> allLive.merge(name, n, CounterCell::saturatedSum));
        }
    }
}
