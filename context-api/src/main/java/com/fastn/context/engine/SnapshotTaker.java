package com.fastn.context.engine;

import com.fastn.context.status.CallerLink;
import com.fastn.context.status.CancelReason;
import com.fastn.context.status.Causes;
import com.fastn.context.status.ContextPath;
import com.fastn.context.status.ContextState;
import com.fastn.context.status.ContextStatus;
import com.fastn.context.status.FoldableTree;
import com.fastn.context.status.FoldedChildren;
import com.fastn.context.status.LockMode;
import com.fastn.context.status.LockStatus;
import com.fastn.context.status.LockWaiter;
import com.fastn.context.status.MetricValue;
import com.fastn.context.status.OperationBaseline;
import com.fastn.context.status.OperationStatus;
import com.fastn.context.status.Redactor;
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
    private final List<Visit> order = new ArrayList<>();
    private final Set<FifoLock<?>> locksFound = new LinkedHashSet<>();
    private Map<PathCounters, CounterStore.Counts> counts = Map.of();
    private long idleNanosOfAll;

    private SnapshotTaker(EngineRuntime runtime) {
        this.runtime = runtime;
        this.now = runtime.nanos();
    }

    static StatusSnapshot take(EngineRuntime runtime, ContextNode from, @Nullable SystemMetrics system) {
        SnapshotTaker taker = new SnapshotTaker(runtime);
        StatusSnapshot frame = taker.frame(from, system);
        return frame.withGlobalContext(taker.build());
    }

    /** Contexts beyond the limits never become records. */
    static StatusSnapshot take(
            EngineRuntime runtime, ContextNode from, @Nullable SystemMetrics system, SnapshotLimits limits) {
        SnapshotTaker taker = new SnapshotTaker(runtime);
        StatusSnapshot frame = taker.frame(from, system);
        return SnapshotFold.fold(frame, taker.new Unmade(), limits);
    }

    /** Each context is a record only while it is written. */
    static void write(EngineRuntime runtime, ContextNode from, @Nullable SystemMetrics system, OutputStream out) {
        SnapshotTaker taker = new SnapshotTaker(runtime);
        StatusSnapshot frame = taker.frame(from, system);
        StatusJson.write(frame, taker.new Unmade(), out);
    }

    /** Everything but the tree, of which there is only the root. */
    private StatusSnapshot frame(ContextNode from, @Nullable SystemMetrics system) {
        long version = runtime.version();
        walk(from);
        counts = runtime.counterStore().readAll();
        idleNanosOfAll = idleNanosOfAll();
        ContextStatus root = status(order.get(0), null);
        boolean whole = from.parent() == null;
        List<LockView> views = views(whole);
        ShortNames names = shortNames(views);
        List<Evidence.HeldLock> locks = new ArrayList<>();
        List<Evidence.WaitingContext> waiters = new ArrayList<>();
        for (LockView view : views) {
            for (LockView.Holder holder : view.holders()) {
                locks.add(new Evidence.HeldLock(lock(view, holder, names), holder.grant()));
            }
            int position = 1;
            for (LockView.Waiting waiting : view.waiters()) {
                waiters.add(new Evidence.WaitingContext(waiter(view, waiting, position, names), waiting.node()));
                position++;
            }
        }
        locks.sort(Comparator.comparing(
                Evidence.HeldLock::status,
                Comparator.comparing(LockStatus::heldDuration)
                        .reversed()
                        .thenComparing(LockStatus::lockId)
                        .thenComparing(LockStatus::fence)));
        waiters.sort(Comparator.comparing(
                Evidence.WaitingContext::status,
                Comparator.comparing(LockWaiter::waitingDuration).reversed()));
        Causes causes = runtime.causes().of(views, whole);
        Evidence evidence = new Evidence(runtime, now, names, locks, waiters, causes, order, whole ? system : null);
        StatusSnapshot frame = new StatusSnapshot(
                runtime.node(),
                runtime.ticker().wallTime(),
                version,
                system,
                root,
                locks.stream().map(Evidence.HeldLock::status).toList(),
                waiters.stream().map(Evidence.WaitingContext::status).toList(),
                WarningRules.judge(evidence));
        return frame.withCauses(causes)
                .withOperationBaselines(baselines())
                .withCounterWindows(runtime.counterStore().windows(order.get(0).path, counts, now));
    }

    /** What is usual is told once for a name, however many contexts are inside of an operation of that name. */
    private Map<String, OperationBaseline> baselines() {
        Set<String> names = new HashSet<>();
        for (Visit visit : order) {
            NodeExtras x = visit.node.extrasOrNull();
            if (x != null) {
                List<RunningOperation> running;
                synchronized (x) {
                    running = x.operationList();
                }
                running.forEach(operation -> names.add(operation.name()));
            }
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

    /** A node on the walk. What it has from its ancestors is handed down, so that no depth makes the walk go up again. */
    record Visit(
            ContextNode node,
            int parent,
            ContextPath path,
            int depth,
            @Nullable PathCounters counters,
            WarningSettings settings) {}

    private void walk(ContextNode from) {
        ContextPath top = from.path();
        order.add(new Visit(from, -1, top, top.depth(), runtime.counterStore().find(top), WarningSettings.of(from)));
        for (int i = 0; i < order.size(); i++) {
            Visit visit = order.get(i);
            locksFound.addAll(visit.node.lockList());
            for (ContextNode child : visit.node.childNodes()) {
                order.add(below(visit, i, child));
            }
        }
    }

    private static Visit below(Visit up, int index, ContextNode child) {
        PathCounters counters = child.countersOrNull();
        if (counters == null && up.counters != null) {
            counters = up.counters.childOrNull(child.name());
        }
        if (counters != null && counters.isBucket()) {
            // It counts together with others, so none of that is its own.
            counters = null;
        }
        ContextPath path = counters != null ? counters.path() : up.path.child(child.name());
        return new Visit(child, index, path, up.depth + 1, counters, up.settings.below(child));
    }

    /** Children stand behind their parent, so from the end on each node is made after all of its children. */
    private ContextStatus build() {
        List<@Nullable List<ContextStatus>> children = new ArrayList<>(Collections.nCopies(order.size(), null));
        for (int i = order.size() - 1; i > 0; i--) {
            ContextStatus status = status(order.get(i), children.get(i));
            int parent = order.get(i).parent;
            List<ContextStatus> siblings = children.get(parent);
            if (siblings == null) {
                siblings = new ArrayList<>();
                children.set(parent, siblings);
            }
            siblings.add(status);
        }
        return status(order.get(0), children.get(0));
    }

    /** The root stands for the whole application, which is as active as the most active part of it. */
    private long idleNanosOfAll() {
        long least = Long.MAX_VALUE;
        for (Visit visit : order) {
            least = Math.min(least, visit.node.idleNanos(now));
        }
        return least;
    }

    private ContextStatus status(Visit visit, @Nullable List<ContextStatus> childrenLastFirst) {
        ContextNode node = visit.node;
        List<ContextStatus> children = List.of();
        if (childrenLastFirst != null) {
            Collections.reverse(childrenLastFirst);
            children = childrenLastFirst;
        }
        String label = node.name();
        String activity = null;
        CallerLink caller = null;
        Map<String, MetricValue> metrics = Map.of();
        Map<String, @Nullable Object> data = Map.of();
        List<RunningOperation> running = List.of();
        NodeExtras x = node.extrasOrNull();
        if (x != null) {
            synchronized (x) {
                label = x.label != null ? x.label : label;
                activity = x.activity;
                caller = x.caller;
                metrics = x.metrics == null ? metrics : new LinkedHashMap<>(x.metrics);
                data = x.data == null ? data : new LinkedHashMap<>(x.data);
                running = x.operationList();
            }
        }
        Redactor redactor = runtime.redactor();
        CancelReason reason = node.cancelReason();
        CounterStore.Counts counted = visit.counters == null ? null : counts.get(visit.counters);
        if (counted == null) {
            counted = CounterStore.Counts.NONE;
        }
        return new ContextStatus(
                node.id(),
                node.name(),
                label,
                visit.path,
                node.kind(),
                state(visit),
                reason == null ? null : redactor.reason(reason),
                Duration.ofNanos(node.durationNanos(now)),
                Duration.ofNanos(node.parent() == null ? idleNanosOfAll : node.idleNanos(now)),
                activity,
                node.isOnThread(),
                caller,
                operations(visit, running),
                metrics.isEmpty() ? metrics : redactor.metrics(metrics),
                data.isEmpty() ? data : redactor.data(data),
                counted.total(),
                counted.live(),
                counted.allTotal(),
                counted.allLive(),
                children,
                FoldedChildren.NONE);
    }

    private static ContextState state(Visit visit) {
        ContextState state = visit.node.state();
        // A child was linked when it was read; that it left since is for the next snapshot to tell.
        return visit.parent >= 0 && state == ContextState.CLOSED ? ContextState.CLOSING : state;
    }

    private List<OperationStatus> operations(Visit visit, List<RunningOperation> running) {
        if (running.isEmpty()) {
            return List.of();
        }
        long slow = visit.settings.operationSlowNanos;
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
            order.forEach(visit -> shown.add(visit.node.id()));
            // A context below may hold or wait for a lock of an ancestor.
            for (ContextNode up = order.get(0).node.parent(); up != null; up = up.parent()) {
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
        return view.holders().stream().anyMatch(h -> shown.contains(h.node().id()))
                || view.waiters().stream().anyMatch(w -> shown.contains(w.node().id()));
    }

    private static ShortNames shortNames(List<LockView> views) {
        ShortNames names = new ShortNames();
        for (LockView view : views) {
            view.holders().forEach(holder -> add(names, holder.node()));
            view.waiters().forEach(waiting -> add(names, waiting.node()));
        }
        names.decide();
        return names;
    }

    private static void add(ShortNames names, ContextNode node) {
        names.add(node.id(), node.path());
    }

    private LockStatus lock(LockView view, LockView.Holder holder, ShortNames names) {
        ContextNode by = holder.node();
        long held = runtime.elapsed(holder.sinceNanos(), now);
        long limit = WarningSettings.of(by).lockLongHeldNanos;
        boolean counted = holder.mode() == LockMode.PERMITS;
        return new LockStatus(
                view.name(),
                view.id(),
                view.type(),
                holder.mode(),
                counted ? holder.permits() : 1,
                counted ? view.totalPermits() : 1,
                names.of(by.id()),
                by.id(),
                by.path(),
                Duration.ofNanos(held),
                holder.fence(),
                view.waiters().size(),
                held > limit);
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
                names.of(by.id()),
                by.id(),
                by.path(),
                view.name(),
                view.id(),
                waiting.mode(),
                waiting.mode() == LockMode.PERMITS ? waiting.permits() : 1,
                position,
                Duration.ofNanos(waited),
                stuck);
    }

    /** The tree as it was walked, before it is made into records. */
    private final class Unmade implements FoldableTree {
        @Override
        public int size() {
            return order.size();
        }

        @Override
        public int parent(int index) {
            return order.get(index).parent;
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
        public boolean isStopping(int index) {
            return node(index).isCancelled() && !node(index).isClosed();
        }

        @Override
        public boolean isInStuckOperation(int index) {
            NodeExtras x = node(index).extrasOrNull();
            if (x == null) {
                return false;
            }
            List<RunningOperation> running;
            synchronized (x) {
                running = x.operationList();
            }
            long slow = order.get(index).settings.operationSlowNanos;
            return running.stream().anyMatch(operation -> operation.elapsedNanos(now) > slow);
        }

        @Override
        public FoldedChildren folded(int index) {
            return FoldedChildren.NONE;
        }

        @Override
        public ContextStatus row(int index) {
            return status(order.get(index), null);
        }

        private ContextNode node(int index) {
            return order.get(index).node;
        }
    }
}
