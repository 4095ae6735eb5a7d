package com.fastn.context.engine;

import static java.util.Objects.requireNonNull;

import com.fastn.context.WarningIds;
import com.fastn.context.status.CallerLink;
import com.fastn.context.status.CancelReason;
import com.fastn.context.status.ContextKind;
import com.fastn.context.status.ContextPath;
import com.fastn.context.status.ContextState;
import com.fastn.context.status.ContextStatus;
import com.fastn.context.status.ContextTrouble;
import com.fastn.context.status.FoldableTree;
import com.fastn.context.status.FoldedChildren;
import com.fastn.context.status.LockMode;
import com.fastn.context.status.LockStatus;
import com.fastn.context.status.LockWaiter;
import com.fastn.context.status.MetricValue;
import com.fastn.context.status.OperationBaseline;
import com.fastn.context.status.OperationStatus;
import com.fastn.context.status.Redactor;
import com.fastn.context.status.RowSink;
import com.fastn.context.status.SharedLockNames;
import com.fastn.context.status.SnapshotFold;
import com.fastn.context.status.SnapshotLimits;
import com.fastn.context.status.StatusJson;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.context.status.SystemMetrics;
import java.io.OutputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Walks a tree once and makes a snapshot of it. The walk is iterative and locks one node at a time, so it never stops the
 * application; each node is read with the children that it had at that moment, so the result is always a tree (rule M9).
 */
final class SnapshotTaker {
    private final EngineRuntime runtime;
    private final long now;
    private final long version;
    private final SnapshotWalk order;
    private final Set<FifoLock<?>> locksFound = new LinkedHashSet<>();
    private List<Evidence.HeldLock> held = List.of();
    private Map<PathCounters, SubtreeCounts.Counts> counts = Map.of();
    // Empty until the lists that they are found by are made.
    private @Nullable ContextTrouble[] troubles = new ContextTrouble[0];
    private long idleNanosOfAll;

    private SnapshotTaker(EngineRuntime runtime, ContextNode from) {
        this.runtime = runtime;
        this.now = runtime.nanos();
        // Before the walk: a change that it misses counts as one after this version.
        this.version = runtime.version();
        this.order = SnapshotWalk.from(from);
    }

    static StatusSnapshot take(EngineRuntime runtime, ContextNode from, @Nullable SystemMetrics system) {
        SnapshotTaker taker = new SnapshotTaker(runtime, from);
        StatusSnapshot frame = taker.frame(from, system);
        return taker.withoutGivenBack(frame.withGlobalContext(taker.build()));
    }

    /** Contexts beyond the limits never become records. */
    static StatusSnapshot take(
            EngineRuntime runtime, ContextNode from, @Nullable SystemMetrics system, SnapshotLimits limits) {
        SnapshotTaker taker = new SnapshotTaker(runtime, from);
        StatusSnapshot frame = taker.frame(from, system);
        return taker.withoutGivenBack(SnapshotFold.fold(frame, taker.new Unmade(), limits));
    }

    /** Each context is a record only while it is written. */
    static void write(EngineRuntime runtime, ContextNode from, @Nullable SystemMetrics system, OutputStream out) {
        SnapshotTaker taker = new SnapshotTaker(runtime, from);
        StatusSnapshot frame = taker.frame(from, system);
        StatusJson.write(frame, taker.new Unmade(), taker::withoutGivenBack, out);
    }

    /** Only what a row needs is read before it is asked for. */
    static FoldableTree tree(EngineRuntime runtime, ContextNode from) {
        SnapshotTaker taker = new SnapshotTaker(runtime, from);
        taker.count();
        return taker.new Unmade();
    }

    private void count() {
        counts = runtime.counterStore().readAll(order.path(0));
        idleNanosOfAll = idleNanosOfAll();
    }

    /** Everything but the tree, of which there is only the root. */
    private StatusSnapshot frame(ContextNode from, @Nullable SystemMetrics system) {
        for (int i = 0; i < order.size(); i++) {
            List<FifoLock<?>> own = order.node(i).lockList();
            if (!own.isEmpty()) {
                locksFound.addAll(own);
            }
        }
        count();
        ContextStatus root = status(0, null);
        boolean whole = from.parent() == null;
        List<LockView> views = views(whole);
        ShortNames names = shortNames(views);
        List<Evidence.HeldLock> locks = new ArrayList<>();
        List<Evidence.WaitingContext> waiters = new ArrayList<>();
        for (LockView view : views) {
            int position = 1;
            for (LockView.Holder holder : view.holders()) {
                if (isAskingOthers(view, holder)) {
                    waiters.add(new Evidence.WaitingContext(firstInLine(view, holder, names), holder.node()));
                    position++;
                } else {
                    locks.add(new Evidence.HeldLock(lock(view, holder, names), holder.grant()));
                }
            }
            for (LockView.Waiting waiting : view.waiters()) {
                waiters.add(new Evidence.WaitingContext(waiter(view, waiting, position, names), waiting.node()));
                position++;
            }
        }
        held = locks;
        locks.sort(Comparator.comparing(
                Evidence.HeldLock::status,
                Comparator.comparing(LockStatus::heldDuration)
                        .reversed()
                        .thenComparing(LockStatus::lockId)
                        .thenComparing(LockStatus::fence)));
        waiters.sort(Comparator.comparing(
                Evidence.WaitingContext::status,
                Comparator.comparing(LockWaiter::waitingDuration).reversed()));
        CauseFinder.Known known = runtime.causes().of(views, whole);
        Evidence evidence = new Evidence(
                runtime, known, now, names, locks, waiters, order, root.subtreeTotalCounters(), whole ? system : null);
        StatusSnapshot frame = new StatusSnapshot(
                        runtime.node(),
                        runtime.ticker().wallTime(),
                        version,
                        system,
                        root,
                        locks.stream().map(Evidence.HeldLock::status).toList(),
                        waiters.stream().map(Evidence.WaitingContext::status).toList(),
                        WarningRules.judge(evidence))
                .withCauses(known.causes());
        troubles = SnapshotFold.troubles(frame, new Unmade());
        return frame.withOperationBaselines(baselines())
                .withCounterWindows(runtime.counterStore().windows(order.path(0), counts, now));
    }

    /**
     * The rows are made after the locks were read. Who ended in between and gave back what it held is not shown as one that
     * has ended and holds it.
     */
    private StatusSnapshot withoutGivenBack(StatusSnapshot made) {
        Set<LockStatus> given = new HashSet<>();
        for (Evidence.HeldLock lock : held) {
            if (lock.isGivenBackAtTheEnd()) {
                given.add(lock.status());
            }
        }
        return given.isEmpty()
                ? made
                : made.withLocks(
                        made.activeLocks().stream()
                                .filter(lock -> !given.contains(lock))
                                .toList(),
                        made.lockWaiters());
    }

    /** What is usual is told once for a name, however many contexts are inside of an operation of that name. */
    private Map<String, OperationBaseline> baselines() {
        Set<String> names = new HashSet<>();
        for (int i = 0; i < order.size(); i++) {
            order.node(i).operationsUnderWay().forEach(operation -> names.add(operation.name()));
        }
        Map<String, OperationBaseline> usual = new HashMap<>();
        for (String name : names) {
            OperationBaseline baseline = runtime.baselines().of(name);
            if (baseline != null) {
                usual.put(name, baseline);
            }
        }
        return usual;
    }

    /** Children stand behind their parent, so from the end on each node is made after all of its children. */
    private ContextStatus build() {
        List<@Nullable List<ContextStatus>> children = new ArrayList<>(Collections.nCopies(order.size(), null));
        for (int i = order.size() - 1; i > 0; i--) {
            ContextStatus status = status(i, children.get(i));
            int parent = order.parent(i);
            List<ContextStatus> siblings = children.get(parent);
            if (siblings == null) {
                siblings = new ArrayList<>();
                children.set(parent, siblings);
            }
            siblings.add(status);
        }
        return status(0, children.get(0));
    }

    /** The root stands for the whole application, which is as active as the most active part of it. */
    private long idleNanosOfAll() {
        long least = Long.MAX_VALUE;
        for (int i = 0; i < order.size(); i++) {
            least = Math.min(least, order.node(i).idleNanos(now));
        }
        return least;
    }

    private ContextStatus status(int index, @Nullable List<ContextStatus> childrenLastFirst) {
        List<ContextStatus> children = List.of();
        if (childrenLastFirst != null) {
            Collections.reverse(childrenLastFirst);
            children = childrenLastFirst;
        }
        RowMaker maker = new RowMaker(order.path(index), children);
        tell(index, maker);
        return maker.made();
    }

    private void tell(int index, RowSink sink) {
        ContextNode node = order.node(index);
        String label = node.label();
        String activity = null;
        CallerLink caller = null;
        Map<String, MetricValue> metrics = Map.of();
        Map<String, @Nullable Object> data = Map.of();
        List<RunningOperation> running = List.of();
        NodeExtras x = node.extrasOrNull();
        if (x != null) {
            synchronized (x) {
                activity = x.activity;
                caller = x.caller;
                metrics = x.metrics == null ? metrics : new LinkedHashMap<>(x.metrics);
                data = x.data == null ? data : new LinkedHashMap<>(x.data);
                running = x.operationList();
            }
        }
        Redactor redactor = runtime.redactor();
        CancelReason reason = node.cancelReason();
        PathCounters path = order.counters(index);
        SubtreeCounts.Counts counted = path == null ? null : counts.get(path);
        if (counted == null) {
            counted = SubtreeCounts.Counts.NONE;
        }
        sink.row(
                node.id(),
                node.name(),
                label,
                node.kind(),
                state(index),
                reason == null ? null : redactor.reason(reason),
                troubles.length == 0 ? null : troubles[index],
                node.durationNanos(now),
                node.parent() == null ? idleNanosOfAll : node.idleNanos(now),
                activity,
                node.isOnThread(),
                caller,
                operations(index, running),
                metrics.isEmpty() ? metrics : redactor.metrics(metrics),
                data.isEmpty() ? data : redactor.data(data),
                counted.total(),
                counted.live(),
                counted.allTotal(),
                counted.allLive());
    }

    private ContextState state(int index) {
        ContextState state = order.node(index).state();
        // A child was linked when it was read; that it left since is for the next snapshot to tell.
        return index > 0 && state == ContextState.CLOSED ? ContextState.CLOSING : state;
    }

    private List<OperationStatus> operations(int index, List<RunningOperation> running) {
        if (running.isEmpty()) {
            return List.of();
        }
        long slow = order.settings(index).operationSlowNanos;
        List<OperationStatus> statuses = new ArrayList<>(running.size());
        for (RunningOperation operation : running) {
            long elapsed = operation.elapsedNanos(now);
            statuses.add(new OperationStatus(operation.name(), Duration.ofNanos(elapsed), elapsed > slow));
        }
        return statuses;
    }

    private List<LockView> views(boolean whole) {
        Set<Long> shown = new HashSet<>();
        if (!whole) {
            order.forEach(visit -> shown.add(visit.node().id()));
            // A context below may hold or wait for a lock of an ancestor.
            for (ContextNode up = order.node(0).parent(); up != null; up = up.parent()) {
                locksFound.addAll(up.lockList());
            }
        }
        locksFound.addAll(runtime.locksOfEndedContexts());
        List<LockView> views = new ArrayList<>();
        locksFound.forEach(lock -> lock.addTo(views));
        if (!whole) {
            views.removeIf(view -> !concerns(view, shown));
        }
        return views;
    }

    private static boolean concerns(LockView view, Set<Long> shown) {
        return view.holders().stream().anyMatch(h -> shown.contains(placeOf(h.node(), view.lock())))
                || view.waiters().stream().anyMatch(w -> shown.contains(placeOf(w.node(), view.lock())));
    }

    /** The context by which one who has or wants a lock is shown: a stranger has no place in the tree, but the lock has. */
    private static long placeOf(ContextNode by, FifoLock<?> lock) {
        return Strangers.isOne(lock.runtime(), by) ? lock.context().id() : by.id();
    }

    private ShortNames shortNames(List<LockView> views) {
        ShortNames names = new ShortNames();
        for (LockView view : views) {
            view.holders().forEach(holder -> Strangers.add(runtime, names, holder.node()));
            view.waiters().forEach(waiting -> Strangers.add(runtime, names, waiting.node()));
        }
        names.decide();
        return names;
    }

    private LockStatus lock(LockView view, LockView.Holder holder, ShortNames names) {
        ContextNode by = holder.node();
        long held = runtime.elapsed(holder.sinceNanos(), now);
        long limit = WarningSettings.of(by).lockLongHeldNanos;
        boolean counted = holder.mode() == LockMode.PERMITS;
        boolean told = holder.isTold();
        return new LockStatus(
                view.name(),
                view.id(),
                view.type(),
                holder.mode(),
                counted ? holder.permits() : 1,
                counted ? view.totalPermits() : 1,
                Strangers.name(runtime, names, by),
                Strangers.idIn(runtime, by),
                by.path(),
                Duration.ofNanos(held),
                holder.fence(),
                view.waiters().size(),
                told && held > limit,
                Places.describe(holder.place()),
                told);
    }

    /** Who holds the line of this node for a lock of the cluster, and is inside of the operation of asking for that, waits. */
    private static boolean isAskingOthers(LockView view, LockView.Holder holder) {
        return SharedLockNames.isShared(view.name())
                && holder.node().operationsUnderWay().stream()
                        .anyMatch(operation -> operation.name().equals(view.name()));
    }

    private LockWaiter firstInLine(LockView view, LockView.Holder holder, ShortNames names) {
        ContextNode by = holder.node();
        long waited = runtime.elapsed(holder.sinceNanos(), now);
        return new LockWaiter(
                Strangers.name(runtime, names, by),
                Strangers.idIn(runtime, by),
                by.path(),
                view.name(),
                view.id(),
                holder.mode(),
                1,
                1,
                Duration.ofNanos(waited),
                waited > WarningSettings.of(by).waiterStuckNanos,
                Places.describe(holder.place()));
    }

    private LockWaiter waiter(LockView view, LockView.Waiting waiting, int position, ShortNames names) {
        ContextNode by = waiting.node();
        long waited = runtime.elapsed(waiting.sinceNanos(), now);
        boolean stuck = waited > WarningSettings.of(by).waiterStuckNanos;
        if (stuck) {
            // Who takes it from now on is asked where.
            view.lock().wantPlaces();
        }
        return new LockWaiter(
                Strangers.name(runtime, names, by),
                Strangers.idIn(runtime, by),
                by.path(),
                view.name(),
                view.id(),
                waiting.mode(),
                waiting.mode() == LockMode.PERMITS ? waiting.permits() : 1,
                position,
                Duration.ofNanos(waited),
                stuck,
                Places.describe(waiting.place()));
    }

    /** Makes a record of what it is told. */
    private static final class RowMaker implements RowSink {
        private final ContextPath path;
        private final List<ContextStatus> children;
        private @Nullable ContextStatus made;

        RowMaker(ContextPath path, List<ContextStatus> children) {
            this.path = path;
            this.children = children;
        }

        ContextStatus made() {
            return requireNonNull(made, "nothing was told");
        }

        @Override
        public void row(
                long id,
                String name,
                String label,
                ContextKind kind,
                ContextState state,
                @Nullable CancelReason cancelReason,
                @Nullable ContextTrouble trouble,
                long ageNanos,
                long quietNanos,
                @Nullable String activity,
                boolean onThread,
                @Nullable CallerLink caller,
                List<OperationStatus> operations,
                Map<String, MetricValue> metrics,
                Map<String, @Nullable Object> data,
                Map<String, Long> totals,
                Map<String, Long> live,
                Map<String, Long> subtreeTotals,
                Map<String, Long> subtreeLive) {
            made = new ContextStatus(
                    id,
                    name,
                    label,
                    path,
                    kind,
                    state,
                    cancelReason,
                    trouble,
                    Duration.ofNanos(ageNanos),
                    Duration.ofNanos(quietNanos),
                    activity,
                    onThread,
                    caller,
                    operations,
                    metrics,
                    data,
                    totals,
                    live,
                    subtreeTotals,
                    subtreeLive,
                    children,
                    FoldedChildren.NONE);
        }
    }

    /** The tree as it was walked, before it is made into records. */
    private final class Unmade implements FoldableTree {
        @Override
        public int size() {
            return order.size();
        }

        @Override
        public int parent(int index) {
            return order.parent(index);
        }

        @Override
        public long id(int index) {
            return node(index).id();
        }

        @Override
        public String name(int index) {
            return node(index).name();
        }

        @Override
        public long ageNanos(int index) {
            // By this others are sorted, so it must not change meanwhile.
            return node(index).ageNanos(now);
        }

        @Override
        public long quietNanos(int index) {
            return node(index).idleNanos(now);
        }

        @Override
        public @Nullable ContextTrouble trouble(int index) {
            ContextNode node = node(index);
            if (isInStuckOperation(index)) {
                return ContextTrouble.STUCK;
            }
            ContextState state = node.state();
            if (state == ContextState.CLOSING
                    && node.closingNanos(now) > order.settings(index).childrenUnclosedNanos
                    && !order.settings(index).isOff(WarningIds.CHILDREN_UNCLOSED)) {
                // Only some of many such are told of in the list.
                return ContextTrouble.WARNED;
            }
            return node.isCancelled() && state != ContextState.CLOSED ? ContextTrouble.STOPPING : null;
        }

        private boolean isInStuckOperation(int index) {
            List<RunningOperation> running = node(index).operationsUnderWay();
            if (running.isEmpty()) {
                return false;
            }
            long slow = order.settings(index).operationSlowNanos;
            return running.stream().anyMatch(operation -> operation.elapsedNanos(now) > slow);
        }

        @Override
        public FoldedChildren folded(int index) {
            return FoldedChildren.NONE;
        }

        @Override
        public ContextStatus row(int index) {
            return status(index, null);
        }

        @Override
        public void tell(int index, RowSink sink) {
            SnapshotTaker.this.tell(index, sink);
        }

        private ContextNode node(int index) {
            return order.node(index);
        }
    }
}
