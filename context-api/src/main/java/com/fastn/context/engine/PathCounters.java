package com.fastn.context.engine;

import com.fastn.context.status.ContextPath;
import com.fastn.context.status.FinishedContext;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The counters of one path, and the paths below it that have some. They outlive the contexts of the path, until there are
 * too many paths and {@link CounterStore} folds this one (rule M4). Then it is empty and in no tree; nothing is put into it
 * any more, and whoever holds it looks for its path anew.
 */
final class PathCounters {
    private static final int PLACES = 8;

    private final CounterStore store;
    private final @Nullable PathCounters parent;
    private final ContextPath path;
    private final ConcurrentHashMap<String, CounterCell> cells = new ConcurrentHashMap<>(4);
    // Some of the cells, by their names' hashes: the first that was asked for of each place. A cell is whole for
    // whoever
    // meets it here, and says itself whether it was folded, so that reads and writes may race.
    private @Nullable CounterCell @Nullable [] known;
    // All of the cells, as long as there are so many.
    private volatile CounterCell @Nullable [] all;
    private volatile @Nullable ConcurrentHashMap<String, PathCounters> children;
    private volatile long endedNanos;
    private volatile @Nullable FinishWindows windows;

    // Written under the store's monitor, as cells and children are put and taken.
    private volatile boolean folded;
    private volatile boolean full;

    PathCounters(CounterStore store, @Nullable PathCounters parent, ContextPath path) {
        this.store = store;
        this.parent = parent;
        this.path = path;
        this.endedNanos = store.runtime().nanos();
    }

    /** {@return the counters of a context's path} */
    static PathCounters find(ContextNode context) {
        PathCounters found = null;
        while (found == null) {
            found = tryToFind(context);
        }
        return found;
    }

    /**
     * Asks the nearest ancestor that knows its counters, then walks back down: no recursion, however deep the tree. It
     * fails when a path on the way was folded meanwhile.
     */
    private static @Nullable PathCounters tryToFind(ContextNode context) {
        ContextNode parent = context.parent();
        PathCounters near = parent == null ? null : parent.countersOrNull();
        if (near != null) {
            return near.child(context.name());
        }
        ArrayDeque<ContextNode> below = new ArrayDeque<>();
        ContextNode node = context;
        PathCounters found = null;
        while (found == null) {
            below.push(node);
            ContextNode up = node.parent();
            if (up == null) {
                below.pop();
                found = node.runtime().counterStore().root();
            } else {
                found = up.countersOrNull();
                node = up;
            }
        }
        for (ContextNode descendant : below) {
            found = found.child(descendant.name());
            if (found == null) {
                return null;
            }
        }
        return found;
    }

    CounterStore store() {
        return store;
    }

    @Nullable
    PathCounters parent() {
        return parent;
    }

    ContextPath path() {
        return path;
    }

    /** {@return whether this stands for paths that were folded, and not for that of its own name alone} */
    boolean isBucket() {
        return parent != null && path.leaf().equals(CounterStore.FOLDED);
    }

    boolean isFolded() {
        return folded;
    }

    /** Says that a context of this path ended: those that ended long ago are folded first. */
    void ended(long nanos) {
        endedNanos = nanos;
    }

    long endedNanos() {
        return endedNanos;
    }

    // --- counters

    /** {@return the cell of a counter, made at first use, or {@code null} when this path was folded} */
    @Nullable
    CounterCell cell(String counter) {
        @Nullable CounterCell[] places = known;
        if (places != null) {
            CounterCell cell = places[counter.hashCode() & (PLACES - 1)];
            if (cell != null && cell.name().equals(counter) && !cell.isFolded()) {
                return cell;
            }
        }
        CounterCell cell = cells.get(counter);
        if (cell == null) {
            String clean = store.runtime().names().clean(counter);
            cell = cells.get(clean);
            return cell != null ? cell : store.makeCell(this, clean);
        }
        keepAtHand(cell);
        return cell;
    }

    private void keepAtHand(CounterCell cell) {
        @Nullable CounterCell[] places = known;
        if (places == null) {
            places = new CounterCell[PLACES];
            known = places;
        }
        int place = cell.name().hashCode() & (PLACES - 1);
        CounterCell present = places[place];
        if (present == null || present.isFolded()) {
            places[place] = cell;
        }
    }

    /** By a clean name: whoever asks many paths cleans it once. */
    @Nullable
    CounterCell cellOrNull(String counter) {
        return cells.get(counter);
    }

    Collection<CounterCell> cells() {
        return cells.values();
    }

    /** {@return the cells of this moment, in no order; not to be written} */
    CounterCell[] allCells() {
        CounterCell[] now = all;
        if (now == null || now.length != cells.size()) {
            now = cells.values().toArray(new CounterCell[0]);
            all = now;
        }
        return now;
    }

    int cellCount() {
        return cells.size();
    }

    void put(CounterCell cell) {
        cells.put(cell.name(), cell);
    }

    /** {@return whether further names are counted together} */
    boolean isFull() {
        return full;
    }

    void setFull() {
        full = true;
    }

    /** Marks this path as folded and empties it. The mark comes first, so whoever finds no cell any more sees it. */
    void setFolded() {
        folded = true;
        cells.clear();
    }

    // --- contexts that ended

    /** Counts a context that ended. {@return whether it was; not when this path was folded} */
    boolean countEnd(long nanos, FinishedContext.Outcome outcome) {
        FinishWindows known = windows;
        if (known == null) {
            known = store.makeWindows(this);
        }
        return known != null && known.add(nanos, outcome);
    }

    @Nullable
    FinishWindows windowsOrNull() {
        return windows;
    }

    /** Under the store's monitor. */
    FinishWindows windows() {
        FinishWindows known = windows;
        if (known == null) {
            known = new FinishWindows();
            windows = known;
        }
        return known;
    }

    // --- paths below

    /** {@return the path of a child, made at first use, or {@code null} when this path was folded} */
    @Nullable
    PathCounters child(String name) {
        // Contexts of paths that found no room, and those below them, are counted together.
        if (isBucket()) {
            return folded ? null : this;
        }
        PathCounters child = childOrNull(name);
        return child != null ? child : store.makeChild(this, name);
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

    void put(PathCounters child) {
        ConcurrentHashMap<String, PathCounters> map = children;
        if (map == null) {
            map = new ConcurrentHashMap<>(8);
            children = map;
        }
        map.put(child.path.leaf(), child);
    }

    void remove(PathCounters child) {
        ConcurrentHashMap<String, PathCounters> map = children;
        if (map != null) {
            map.remove(child.path.leaf(), child);
            if (map.isEmpty()) {
                children = null;
            }
        }
    }
}
