package com.fastn.context.engine;

import static java.util.Objects.requireNonNull;

import com.fastn.context.Counters;
import com.fastn.context.Windows;
import com.fastn.context.engine.SubtreeCounts.Counts;
import com.fastn.context.event.ContextEvent;
import com.fastn.context.status.ContextPath;
import com.fastn.context.status.CounterWindows;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * The counters of all paths of a runtime, as a tree of paths. Counts are added at the leaf and rolled up when read.
 *
 * <p>The tree is bounded (rule M4). When it is nearly full, the paths that ended least recently are folded: what each
 * counted moves to the path {@code __folded__} beside it, counter by counter, so sums of subtrees stay what they were. Paths
 * of open contexts are never folded; where they alone fill the tree, further paths are counted in {@code __folded__} of their
 * parent from the start, and further counters of a path in its counter {@code __folded__}.
 */
final class CounterStore implements Counters {
    static final String FOLDED = "__folded__";

    /**
     * How much is kept apart. Buckets come on top: at most one for each path, and one counter for each path.
     *
     * @param namesPerPath counter names of one path
     * @param cells counters, each a name in a path
     * @param paths paths that have counters, or had contexts that did
     */
    record Caps(int namesPerPath, int cells, int paths) {
        static final Caps DEFAULT = new Caps(2_000, 100_000, 100_000);
    }

    static final String CLOCK_ANOMALY = "clock_anomaly";
    static final String UNDERFLOW = "underflow";
    private static final String LIVE = "live_";
    private static final int MOST_RANKS = 10_000;
    /** Keys of so many characters in all are told apart: those of a deep path have the names of all above it each. */
    static final long MOST_FLAT_CHARS = 1L << 25;

    static final int MOST_WINDOWS = 1_000;
    private static final int READS_WITHOUT_MONITOR = 3;
    // Whoever makes a path meanwhile waits no longer than these take.
    private static final int FOLDED_AT_ONCE = 100;
    /** Windows of a counter that nobody asked for that long make room for others. */
    private static final Duration UNREAD = Duration.ofMinutes(1);
    // A path may also be used by contexts that ended before, so it is walked now and then in any case.
    private static final int MOST_PAUSES = 16;

    private final EngineRuntime runtime;
    private final Caps caps;
    private final PathCounters root;
    // Names in the order of their first use, so that a line of counters reads the same every time. Later ones by name.
    private final ConcurrentHashMap<String, Integer> ranks = new ConcurrentHashMap<>();
    private final AtomicInteger nextRank = new AtomicInteger();
    private final Comparator<String> byFirstUse = Comparator.comparingInt(
                    (String n) -> ranks.getOrDefault(n, Integer.MAX_VALUE))
            .thenComparing(Comparator.naturalOrder());

    // The monitor is for whoever makes or folds paths and cells, never for whoever counts, also not where there is no
    // room any more. What is locked while it is held is the monitor of a cell, and nothing is told. The numbers are
    // written under it and read anywhere.
    private final Object structure = new Object();
    private final AtomicInteger cells = new AtomicInteger();
    private final AtomicInteger paths = new AtomicInteger(1);
    private volatile long folded;
    // Odd while paths are being folded: whoever reads many paths at once looks again.
    private volatile int foldStamp;
    // The stamps at which there was no room for a cell, or for a path: until the next fold there is none.
    private volatile int noCellsAt = -1;
    private volatile int noPathsAt = -1;
    private final StripedLong foundNoRoom = new StripedLong();
    private final StripedLong sinceFold = new StripedLong();
    private volatile long endedAtFold = -1;
    private volatile int pause;
    private volatile boolean overflowUntold;
    private final AtomicBoolean folding = new AtomicBoolean();
    // Those that somebody asked for, in that order. Written under the monitor.
    private final List<CounterGrowth> growths = new CopyOnWriteArrayList<>();
    private volatile Executor folders;
    private final Miscounts miscounts = new Miscounts();
    // Only counted while somebody listens.
    private final AtomicLong events = new AtomicLong();

    CounterStore(EngineRuntime runtime, String rootName, Caps caps) {
        this.runtime = runtime;
        this.caps = caps;
        this.folders = task -> runtime.timers().soon(task);
        this.root = new PathCounters(this, null, ContextPath.of(rootName));
    }

    EngineRuntime runtime() {
        return runtime;
    }

    /** Has paths folded elsewhere than on a worker of the runtime, for tests. */
    void foldOn(Executor others) {
        folders = others;
    }

    PathCounters root() {
        return root;
    }

    /** {@return which counters could not count what they were asked to} */
    Miscounts miscounts() {
        return miscounts;
    }

    /** {@return the number of the next event about a counter} Whoever asks for it holds what keeps the values from changing order. */
    long nextEvent() {
        return events.incrementAndGet();
    }

    /** How many cells there are, for tests. */
    int cellCount() {
        return cells.get();
    }

    /** How many paths there are, for tests. */
    int pathCount() {
        return paths.get();
    }

    /** How many names have a rank, for tests. */
    int rankCount() {
        return ranks.size();
    }

    /** What is locked while paths and cells are made, for tests. */
    Object monitor() {
        return structure;
    }

    private void firstUse(String counter) {
        if (ranks.size() < MOST_RANKS) {
            ranks.computeIfAbsent(counter, n -> nextRank.getAndIncrement());
        }
    }

    @Nullable
    PathCounters find(ContextPath path) {
        List<String> names = path.names();
        PathCounters here = rootOrNull(names.get(0));
        for (int i = 1; i < names.size() && here != null; i++) {
            here = here.childOrNull(clean(names.get(i)));
        }
        return here;
    }

    private @Nullable PathCounters rootOrNull(String name) {
        return clean(name).equals(root.path().leaf()) ? root : null;
    }

    /** A path and a counter may be asked for by any text, as a context may be opened by any (rules M6 and S5). */
    private String clean(String name) {
        return runtime.names().clean(name);
    }

    // --- making and folding

    /** {@return the cell of a name in a path, or {@code null} when the path was folded} */
    @Nullable
    CounterCell makeCell(PathCounters at, String counter) {
        boolean noCells = noCellsAt == foldStamp && !at.isBucket();
        CounterCell cell = null;
        if (noCells || at.isFull()) {
            cell = at.cellOrNull(counter);
            cell = cell != null ? cell : at.cellOrNull(FOLDED);
        }
        if (cell != null) {
            if (noCells) {
                sinceFold.plus(1);
                foldIfNearlyFull();
            }
            return cell;
        }
        boolean noRoom = false;
        synchronized (structure) {
            if (at.isFolded()) {
                return null;
            }
            cell = at.cellOrNull(counter);
            if (cell == null) {
                sinceFold.plus(1);
                noRoom = !hasRoomFor(at);
                if (at.cellCount() >= caps.namesPerPath) {
                    at.setFull();
                }
                if (cells.get() >= caps.cells) {
                    noCellsAt = foldStamp;
                }
                cell = noRoom ? at.cellOrNull(FOLDED) : null;
                cell = cell != null ? cell : put(at, noRoom ? FOLDED : counter);
            }
        }
        if (noRoom) {
            runtime.misuse("a context path got more counter names than are kept apart (" + caps.namesPerPath
                    + ", or fewer where all paths together have " + caps.cells
                    + " counters); further ones are counted together as " + FOLDED);
        }
        foldIfNearlyFull();
        return cell;
    }

    private boolean hasRoomFor(PathCounters at) {
        // A bucket takes in what others had to give up, so there is room for it elsewhere.
        return at.cellCount() < caps.namesPerPath
                && (cells.get() < caps.cells || (at.isBucket() && cells.get() < 2L * caps.cells));
    }

    private CounterCell put(PathCounters at, String name) {
        firstUse(name);
        CounterCell cell = new CounterCell(at, name);
        for (CounterGrowth growth : growths) {
            if (growth.counter().equals(name)
                    && at.path().startsWith(growth.at().path())) {
                cell.tell(growth);
            }
        }
        at.put(cell);
        cells.incrementAndGet();
        return cell;
    }

    /** {@return the path of a child, or of its bucket where there is no room, or {@code null} when the path was folded} */
    @Nullable
    PathCounters makeChild(PathCounters at, String name) {
        PathCounters child = noPathsAt == foldStamp ? at.childOrNull(FOLDED) : null;
        if (child != null) {
            foundNoRoom.plus(1);
            sinceFold.plus(1);
            foldIfNearlyFull();
            return child;
        }
        boolean noRoom = false;
        synchronized (structure) {
            if (at.isFolded()) {
                return null;
            }
            child = at.childOrNull(name);
            if (child == null) {
                sinceFold.plus(1);
                noRoom = paths.get() >= caps.paths || cells.get() >= caps.cells;
                if (noRoom) {
                    noPathsAt = foldStamp;
                    foundNoRoom.plus(1);
                    child = bucket(at);
                } else {
                    child = putChild(at, name);
                }
            }
        }
        if (noRoom) {
            runtime.misuse("more context paths than are kept apart (" + caps.paths + ", with " + caps.cells
                    + " counters) are in use; further ones are counted together as " + FOLDED + " of their parent");
        }
        foldIfNearlyFull();
        return child;
    }

    private PathCounters bucket(PathCounters at) {
        PathCounters bucket = at.childOrNull(FOLDED);
        return bucket != null ? bucket : putChild(at, FOLDED);
    }

    private PathCounters putChild(PathCounters at, String name) {
        PathCounters child = new PathCounters(this, at, at.path().child(name));
        at.put(child);
        paths.incrementAndGet();
        return child;
    }

    /** {@return the windows of a path, or {@code null} when the path was folded} */
    @Nullable
    FinishWindows makeWindows(PathCounters at) {
        synchronized (structure) {
            return at.isFolded() ? null : at.windows();
        }
    }

    private void foldIfNearlyFull() {
        // From nine tenths on, so that whoever counts meanwhile finds room.
        boolean nearlyFull = cells.get() >= tenths(caps.cells, 9) || paths.get() >= tenths(caps.paths, 9);
        if (nearlyFull && isWorthAWalk() && folding.compareAndSet(false, true)) {
            // Elsewhere: whoever counts, perhaps on an event loop, is not to wait for a walk over all paths.
            try {
                folders.execute(this::foldAndTell);
            } catch (Throwable t) {
                // There is no thread for it now; whoever counts later tries again, and nobody who counts hears of it.
                folding.set(false);
            }
        }
    }

    private void foldAndTell() {
        List<ContextEvent> news = new ArrayList<>();
        int gone;
        try {
            gone = fold(news);
        } finally {
            folding.set(false);
        }
        if (gone > 0) {
            runtime.misuse("there were more counters or context paths than are kept apart (" + caps.cells + ", "
                    + caps.paths + "); those that ended least recently were folded into " + FOLDED
                    + " of their parent");
        }
        news.forEach(runtime::tell);
        runtime.changed();
    }

    /** Where all is in use, walking over it again helps nobody: what is in use comes free when contexts end. */
    private boolean isWorthAWalk() {
        long since = sinceFold.sum();
        return since >= pause && (since >= (long) MOST_PAUSES * pause || runtime.endedContexts() != endedAtFold);
    }

    private static int tenths(int cap, int n) {
        return Math.max(1, (int) ((long) cap * n / 10));
    }

    /** {@return how many paths were folded} Visible for tests. */
    int fold(List<ContextEvent> news) {
        // Whoever ends from here on is perhaps still taken to be open.
        long ended = runtime.endedContexts();
        Set<PathCounters> used = pathsOfOpenContexts();
        boolean listened = runtime.hasListeners();
        List<CounterCell> overflowed = new ArrayList<>(0);
        Candidates candidates = new Candidates(used);
        int gone = 0;
        int now;
        do {
            now = foldSome(candidates, overflowed, listened ? news : null);
            gone += now;
        } while (now == FOLDED_AT_ONCE);
        synchronized (structure) {
            sinceFold.drain();
            endedAtFold = ended;
            pause = tenths(Math.min(caps.cells, caps.paths), 1) / 2;
        }
        overflowed.forEach(cell -> CounterCell.tellOverflow(runtime));
        tellOverflows();
        return gone;
    }

    /** {@return how many paths were folded; fewer than at once when that is enough, or there are no more} */
    private int foldSome(Candidates candidates, List<CounterCell> overflowed, @Nullable List<ContextEvent> news) {
        int gone = 0;
        synchronized (structure) {
            foldStamp = foldStamp + 1;
            try {
                while (gone < FOLDED_AT_ONCE
                        && (cells.get() > tenths(caps.cells, 8) || paths.get() > tenths(caps.paths, 8))) {
                    PathCounters oldest = candidates.next();
                    if (oldest == null) {
                        break;
                    }
                    fold(oldest, overflowed, news);
                    candidates.parentOf(oldest);
                    gone++;
                }
            } finally {
                // Also where there was no memory: otherwise it would say for good that paths are being folded.
                folded = folded + gone;
                foldStamp = foldStamp + 1;
            }
        }
        return gone;
    }

    /** Moves the counters of a path, and of the bucket below it, to the bucket beside it. */
    private void fold(PathCounters old, List<CounterCell> overflowed, @Nullable List<ContextEvent> news) {
        PathCounters up = requireNonNull(old.parent(), "the root is never folded");
        PathCounters bucket = bucket(up);
        List<PathCounters> both = new ArrayList<>(old.children());
        both.add(old);
        for (PathCounters from : both) {
            // First what wants memory: without any the path stays as it is.
            List<CounterCell> leaving = new ArrayList<>(from.cells());
            List<CounterCell> targets = new ArrayList<>(leaving.size());
            for (CounterCell cell : leaving) {
                targets.add(target(bucket, cell.name()));
            }
            FinishWindows windows = from.windowsOrNull();
            FinishWindows windowsOfAll = windows == null ? null : bucket.windows();
            PathCounters above = requireNonNull(from.parent(), "parent");
            from.setFolded();
            above.remove(from);
            cells.addAndGet(-leaving.size());
            paths.decrementAndGet();
            boolean overflow = false;
            for (int i = 0; i < leaving.size(); i++) {
                overflow |= leaving.get(i).foldInto(targets.get(i));
            }
            if (windows != null && windowsOfAll != null) {
                windows.foldInto(windowsOfAll);
            }
            if (overflow) {
                overflowed.add(targets.get(0));
            }
            for (int i = 0; i < leaving.size() && news != null; i++) {
                CounterCell into = targets.get(i);
                // After the move, so that these are behind what was told of the path before.
                news.add(emptied(leaving.get(i)));
                news.add(CounterCell.changed(into, runtime.root().id()));
            }
        }
    }

    private CounterCell target(PathCounters bucket, String name) {
        CounterCell known = bucket.cellOrNull(name);
        if (known != null) {
            return known;
        }
        boolean room = bucket.cellCount() < caps.namesPerPath;
        if (!room) {
            bucket.setFull();
        }
        CounterCell together = room ? null : bucket.cellOrNull(FOLDED);
        return together != null ? together : put(bucket, room ? name : FOLDED);
    }

    private ContextEvent emptied(CounterCell cell) {
        return new ContextEvent.CounterChanged(runtime.root().id(), cell.path().path(), cell.name(), 0, 0, nextEvent());
    }

    /** A context that opens meanwhile may have its path folded; it finds a new one when it counts. */
    private Set<PathCounters> pathsOfOpenContexts() {
        record Visit(ContextNode node, @Nullable PathCounters counters) {}
        Set<PathCounters> used = Collections.newSetFromMap(new IdentityHashMap<>());
        ArrayDeque<Visit> open = new ArrayDeque<>();
        open.add(new Visit(runtime.root(), root));
        for (Visit at = open.poll(); at != null; at = open.poll()) {
            if (at.counters != null) {
                used.add(at.counters);
            }
            for (ContextNode child : at.node.childNodes()) {
                PathCounters known = child.countersOrNull();
                if (known == null && at.counters != null) {
                    known = at.counters.childOrNull(child.name());
                }
                open.add(new Visit(child, known));
            }
        }
        return used;
    }

    /** The paths that may be folded: without contexts, without live counts and without paths below, the oldest first. */
    private final class Candidates {
        private final Set<PathCounters> used;
        private final PriorityQueue<Candidate> queue =
                new PriorityQueue<>(Comparator.comparingLong((Candidate c) -> c.endedNanos));

        private record Candidate(PathCounters path, long endedNanos) {}

        Candidates(Set<PathCounters> used) {
            this.used = used;
            ArrayDeque<PathCounters> open = new ArrayDeque<>();
            open.push(root);
            while (!open.isEmpty()) {
                PathCounters at = open.pop();
                offer(at, at.endedNanos());
                at.children().forEach(open::push);
            }
        }

        private void offer(PathCounters at, long endedNanos) {
            if (mayBeFolded(at)) {
                queue.add(new Candidate(at, runtime.sinceStart(endedNanos)));
            }
        }

        private boolean mayBeFolded(PathCounters at) {
            if (at.parent() == null || at.isBucket() || at.isFolded() || used.contains(at) || isWatched(at)) {
                return false;
            }
            for (PathCounters child : at.children()) {
                if (!child.isBucket()) {
                    return false;
                }
            }
            for (CounterCell cell : at.cells()) {
                if (cell.live() != 0) {
                    return false;
                }
            }
            return true;
        }

        /** Under the store's monitor. What came up since it was offered, such as a path below it, is looked at again. */
        @Nullable
        PathCounters next() {
            Candidate oldest = queue.poll();
            while (oldest != null && !mayBeFolded(oldest.path)) {
                oldest = queue.poll();
            }
            return oldest == null ? null : oldest.path;
        }

        /** A path whose last child was folded ended no earlier than that. */
        void parentOf(PathCounters foldedChild) {
            PathCounters up = requireNonNull(foldedChild.parent(), "parent");
            offer(up, Math.max(up.endedNanos(), foldedChild.endedNanos()));
        }
    }

    /** Says that a total was found to be beyond the greatest number. */
    void overflowSeen() {
        overflowUntold = true;
    }

    /** Tells of what was found, outside of monitors. */
    void tellOverflows() {
        if (overflowUntold) {
            overflowUntold = false;
            CounterCell.tellOverflow(runtime);
        }
    }

    // --- windows of counters

    @Override
    @SuppressWarnings("ReferenceEquality") // there is one for each path
    public CounterWindows windows(ContextPath path, String counter) {
        String name = clean(requireNonNull(counter, "counter"));
        long now = runtime.sinceStart(runtime.nanos());
        CounterGrowth growth = growth(requireNonNull(path, "path"), name, now);
        long total = subtreeTotal(path, name);
        return growth == null
                ? new CounterWindows(path, name, 0, 0, 0, 0, total, 0, Duration.ZERO)
                : growth.asked(now, total);
    }

    /** {@return who watches a counter from the first question on, or {@code null} where there is no room for that} */
    private @Nullable CounterGrowth growth(ContextPath path, String name, long now) {
        PathCounters at = findOrMake(path);
        if (at == null) {
            return null;
        }
        CounterGrowth growth;
        CounterGrowth unread = null;
        synchronized (structure) {
            growth = knownGrowth(at, name);
            if (growth == null && growths.size() >= MOST_WINDOWS) {
                unread = takeOneThatIsUnread(now);
            }
            if (growth == null && growths.size() < MOST_WINDOWS && !at.isFolded()) {
                growth = new CounterGrowth(at, name, now);
                // From here on each cell that is made tells it.
                growths.add(growth);
            }
        }
        if (unread != null) {
            CounterGrowth gone = unread;
            forEachCellBelow(gone.at(), gone.counter(), cell -> cell.tellNoMore(gone));
        }
        if (growth == null) {
            runtime.misuse("windows of more than " + MOST_WINDOWS
                    + " counters were asked for within a minute; further ones show"
                    + " only the total. Ask for those of a path nearer to the root, which counts all below it");
            return null;
        }
        CounterGrowth found = growth;
        if (!found.isToldByAll()) {
            // Also by whoever asks while another one is at this: what is counted after an answer is in the windows.
            forEachCellBelow(at, name, cell -> cell.tell(found));
            found.setToldByAll();
        }
        return found;
    }

    /** Under the monitor. */
    private @Nullable CounterGrowth knownGrowth(PathCounters at, String name) {
        for (CounterGrowth known : growths) {
            if (known.at() == at && known.counter().equals(name)) {
                return known;
            }
        }
        return null;
    }

    /** Under the monitor. */
    private @Nullable CounterGrowth takeOneThatIsUnread(long now) {
        CounterGrowth unread = Collections.min(growths, Comparator.comparingLong(CounterGrowth::readNanos));
        if (now - unread.readNanos() <= UNREAD.toNanos()) {
            return null;
        }
        growths.remove(unread);
        return unread;
    }

    /**
     * Goes through the cells that there are, each under the monitor, which is not held in between: whoever makes a path
     * meanwhile does not wait for a walk over all of them (rule S22).
     */
    private void forEachCellBelow(PathCounters top, String counter, Consumer<CounterCell> task) {
        ArrayDeque<PathCounters> open = new ArrayDeque<>();
        open.push(top);
        while (!open.isEmpty()) {
            PathCounters at = open.pop();
            CounterCell cell = at.cellOrNull(counter);
            if (cell != null) {
                synchronized (structure) {
                    task.accept(cell);
                }
            }
            at.children().forEach(open::push);
        }
    }

    /** {@return a path that counts for itself, made if nothing was counted there yet, or {@code null} if there is none} */
    private @Nullable PathCounters findOrMake(ContextPath path) {
        List<String> names = path.names();
        PathCounters here = rootOrNull(names.get(0));
        for (int i = 1; i < names.size() && here != null; i++) {
            here = here.child(clean(names.get(i)));
        }
        return here == null || here.isBucket() ? null : here;
    }

    private boolean isWatched(PathCounters at) {
        return growths.stream().anyMatch(growth -> growth.at() == at);
    }

    /** {@return the windows that somebody asked for, of a path and those below it, by path and name} */
    List<CounterWindows> windows(ContextPath top, Map<PathCounters, Counts> counts, long nanos) {
        long now = runtime.sinceStart(nanos);
        return growths.stream()
                .filter(growth -> growth.at().path().startsWith(top))
                .map(growth -> growth.read(now, totalOf(growth, counts.getOrDefault(growth.at(), Counts.NONE))))
                .sorted(Comparator.comparing((CounterWindows w) -> w.path().toString())
                        .thenComparing(CounterWindows::counter))
                .toList();
    }

    private long totalOf(CounterGrowth growth, Counts counts) {
        Long rolledUp = counts.allTotal().get(growth.counter());
        // A name that has none is perhaps one of those that were summed up together.
        boolean summedUp = rolledUp == null || growth.counter().equals(FOLDED);
        return summedUp && counts.allTotal().containsKey(FOLDED)
                ? subtree(growth.at(), growth.counter(), CounterCell::total)
                : rolledUp == null ? 0 : rolledUp;
    }

    /** Reads many paths as if at a moment at which none was being folded. */
    private <T> T unfolded(Supplier<T> read) {
        T result = readUnfolded(read);
        tellOverflows();
        return result;
    }

    private <T> T readUnfolded(Supplier<T> read) {
        for (int i = 0; i < READS_WITHOUT_MONITOR; i++) {
            int before = foldStamp;
            if ((before & 1) == 0) {
                T result = read.get();
                if (foldStamp == before) {
                    return result;
                }
            }
        }
        synchronized (structure) {
            return read.get();
        }
    }

    /** Counts that a clock showed less than before (rule M7). No event tells of it: the clock is looked at anywhere. */
    void clockWentBack() {
        CounterCell cell = root.cell(CLOCK_ANOMALY);
        if (cell != null) {
            cell.add(1);
        }
    }

    /** How often a look at the clock found that it went back. */
    long clockAnomalies() {
        CounterCell cell = root.cellOrNull(CLOCK_ANOMALY);
        return cell == null ? 0 : cell.get();
    }

    // --- reading

    @Override
    public Windows windows(ContextPath path) {
        requireNonNull(path, "path");
        long now = runtime.sinceStart(runtime.nanos());
        return unfolded(() -> {
            FinishWindows.Sums sums = new FinishWindows.Sums();
            ArrayDeque<PathCounters> open = new ArrayDeque<>();
            PathCounters top = find(path);
            if (top != null) {
                open.push(top);
            }
            while (!open.isEmpty()) {
                PathCounters at = open.pop();
                FinishWindows windows = at.windowsOrNull();
                if (windows != null) {
                    windows.addTo(sums, now);
                }
                at.children().forEach(open::push);
            }
            return sums.windows();
        });
    }

    @Override
    public long folded() {
        return folded + foundNoRoom.sum();
    }

    @Override
    public boolean overflowed(ContextPath path, String counter) {
        CounterCell cell = cellOrNull(path, counter);
        return cell != null && cell.isOverflowed();
    }

    @Override
    public long total(ContextPath path, String counter) {
        CounterCell cell = cellOrNull(path, counter);
        return cell == null ? 0 : cell.get();
    }

    @Override
    public long live(ContextPath path, String counter) {
        CounterCell cell = cellOrNull(path, counter);
        return cell == null ? 0 : cell.live();
    }

    private @Nullable CounterCell cellOrNull(ContextPath path, String counter) {
        requireNonNull(counter, "counter");
        PathCounters at = find(requireNonNull(path, "path"));
        return at == null ? null : at.cellOrNull(clean(counter));
    }

    @Override
    public long subtreeTotal(ContextPath path, String counter) {
        requireNonNull(counter, "counter");
        PathCounters at = find(requireNonNull(path, "path"));
        return at == null ? 0 : subtree(at, clean(counter), CounterCell::total);
    }

    @Override
    public long subtreeLive(ContextPath path, String counter) {
        requireNonNull(counter, "counter");
        PathCounters at = find(requireNonNull(path, "path"));
        return at == null ? 0 : subtree(at, clean(counter), CounterCell::live);
    }

    /** Of a clean name. */
    long subtree(PathCounters from, String counter, ToLongFunction<CounterCell> read) {
        return unfolded(() -> subtreeOnce(from, counter, read));
    }

    private static long subtreeOnce(PathCounters from, String counter, ToLongFunction<CounterCell> read) {
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
        requireNonNull(prefix, "prefix");
        return unfolded(() -> flatOnce(prefix));
    }

    private SortedMap<String, Long> flatOnce(ContextPath prefix) {
        SortedMap<String, Long> flat = new TreeMap<>();
        PathCounters at = find(prefix);
        if (at == null) {
            return flat;
        }
        // The paths that are nearest first, each with the length of what it is written as, about.
        record Level(PathCounters at, long chars) {}
        ContextPath together = prefixOfFolded(at);
        long left = MOST_FLAT_CHARS;
        ArrayDeque<Level> open = new ArrayDeque<>();
        open.add(new Level(at, prefix.toString().length()));
        for (Level level = open.poll(); level != null; level = open.poll()) {
            for (CounterCell cell : level.at.cells()) {
                long live = cell.live();
                long total = cell.total();
                if (live == 0 && total == 0) {
                    continue;
                }
                left -= level.chars + cell.name().length();
                ContextPath path = left < 0 ? together : level.at.path();
                if (total != 0) {
                    flat.merge(flatKey(path, cell.name()), total, CounterCell::saturatedSum);
                }
                if (live != 0) {
                    flat.merge(path.child(LIVE + cell.name()).toString(), live, CounterCell::saturatedSum);
                }
            }
            for (PathCounters child : level.at.children()) {
                open.add(new Level(child, level.chars + 1 + child.path().leaf().length()));
            }
        }
        return flat;
    }

    private static ContextPath prefixOfFolded(PathCounters at) {
        return at.isBucket() ? at.path() : at.path().child(FOLDED);
    }

    /**
     * {@return the totals that a path has now, in the order of their first use} They are read at once, and put in order when
     * they are asked for: it is called for each context that is remembered.
     */
    Supplier<Map<String, Long>> firstTotals(PathCounters path, int most) {
        CounterCell[] cells = path.allCells();
        long[] values = new long[cells.length];
        for (int i = 0; i < cells.length; i++) {
            values[i] = cells[i].get();
        }
        if (cells.length <= 2 * most) {
            return () -> first(cells, values, most);
        }
        // Not to keep what is not shown.
        Map<String, Long> totals = first(cells, values, most);
        return () -> totals;
    }

    private Map<String, Long> first(CounterCell[] cells, long[] values, int most) {
        SortedMap<String, Long> inOrder = new TreeMap<>(byFirstUse);
        for (int i = 0; i < cells.length; i++) {
            if (values[i] != 0) {
                inOrder.put(cells[i].name(), values[i]);
            }
        }
        Map<String, Long> totals = new LinkedHashMap<>();
        for (Map.Entry<String, Long> total : inOrder.entrySet()) {
            if (totals.size() == most) {
                break;
            }
            totals.put(total.getKey(), total.getValue());
        }
        return totals;
    }

    /** No key of a path begins a name with an escaped l, so this one means nothing else, and reads back to the name. */
    private static String flatKey(ContextPath path, String total) {
        return total.startsWith(LIVE)
                ? path + ".\\"
                        + path.child(total).toString().substring(path.toString().length() + 1)
                : path.child(total).toString();
    }

    /**
     * What a path and those below it count, each with what lies below it: read once for a whole snapshot. As many names as a
     * path may have are rolled up apart twice over, so there is room for those of a path and as many from below.
     */
    Map<PathCounters, Counts> readAll(ContextPath top) {
        return unfolded(() -> SubtreeCounts.read(find(top), byFirstUse, 2 * caps.namesPerPath));
    }
}
