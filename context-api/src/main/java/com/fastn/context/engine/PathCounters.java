package com.fastn.context.engine;

import com.fastn.context.status.ContextPath;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** The counters of one path, and the paths below it that have some. They outlive the contexts of the path. */
final class PathCounters {
    private final CounterStore store;
    private final ContextPath path;
    private final ConcurrentHashMap<String, CounterCell> cells = new ConcurrentHashMap<>(4);
    private volatile @Nullable ConcurrentHashMap<String, PathCounters> children;

    PathCounters(CounterStore store, ContextPath path) {
        this.store = store;
        this.path = path;
    }

    CounterStore store() {
        return store;
    }

    ContextPath path() {
        return path;
    }

    CounterCell cell(String counter) {
        CounterCell cell = cells.get(counter);
        return cell != null ? cell : cells.computeIfAbsent(Names.clean(counter), this::newCell);
    }

    private CounterCell newCell(String counter) {
        store.firstUse(counter);
        return new CounterCell(this, counter);
    }

    @Nullable
    CounterCell cellOrNull(String counter) {
        return cells.get(Names.clean(counter));
    }

    Collection<CounterCell> cells() {
        return cells.values();
    }

    PathCounters child(String name) {
        ConcurrentHashMap<String, PathCounters> map = children;
        if (map == null) {
            map = makeChildren();
        }
        PathCounters child = map.get(name);
        return child != null ? child : map.computeIfAbsent(name, n -> new PathCounters(store, path.child(n)));
    }

    private synchronized ConcurrentHashMap<String, PathCounters> makeChildren() {
        ConcurrentHashMap<String, PathCounters> map = children;
        if (map == null) {
            map = new ConcurrentHashMap<>(8);
            children = map;
        }
        return map;
    }

    @Nullable
    PathCounters childOrNull(String name) {
        ConcurrentHashMap<String, PathCounters> map = children;
        return map == null ? null : map.get(name);
    }

    Collection<PathCounters> children() {
        ConcurrentHashMap<String, PathCounters> map = children;
        return map == null ? List.of() : map.values();
    }
}
