package com.fastn.context.engine;

import com.fastn.context.FastnContext;
import com.fastn.context.LiveCount;
import com.fastn.context.Operation;
import com.fastn.context.Unclosed;
import com.fastn.context.status.ContextState;
import com.fastn.context.status.Sanitizer;
import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What was opened and not closed yet, and where: strict mode.
 *
 * <p>The engine itself refers to a grant and to an operation, so that neither could ever be seen to be forgotten. Users get a
 * handle around it, to which nothing refers but they; a cleaner tells when it was collected unclosed (rule L11). A
 * context is referred to by its parent, so it is only listed.
 */
final class LeakTracker {
    private static final Logger LOG = LoggerFactory.getLogger("com.fastn.context");
    private static final int MAX_TOLD = 20;

    private final EngineRuntime runtime;
    private final ConcurrentHashMap<Long, Opened> contexts = new ConcurrentHashMap<>();
    private final Set<Opened> handles = ConcurrentHashMap.newKeySet();
    private final AtomicInteger lostTold = new AtomicInteger();

    LeakTracker(EngineRuntime runtime) {
        this.runtime = runtime;
    }

    // --- opened and closed

    void contextOpened(ContextNode node) {
        contexts.put(node.id(), new Opened(this, Unclosed.Kind.CONTEXT, node.name(), node, Places.caller()));
        if (node.state() != ContextState.ACTIVE) {
            // Closed from the start, or meanwhile by somebody who found it in the tree.
            contextClosed(node.id());
        }
    }

    void contextClosed(long id) {
        contexts.remove(id);
    }

    <T extends @Nullable Object> AnyGuard<T> guard(Grant<T> grant) {
        List<StackTraceElement> place = grant.place;
        Opened opened = opened(Unclosed.Kind.LOCK, grant.lockName(), grant.by, place == null ? List.of() : place);
        grant.opened = opened;
        TrackedGuard<T> guard = new TrackedGuard<>(grant, opened);
        opened.watch(guard);
        return guard;
    }

    LiveCount liveCount(ContextNode node, String counter, LiveCount count) {
        Opened opened = opened(Unclosed.Kind.LIVE_COUNT, counter, node, Places.caller());
        TrackedCount tracked = new TrackedCount(count, opened);
        opened.watch(tracked);
        return tracked;
    }

    Operation operation(ContextNode node, Operation operation) {
        Opened opened = opened(Unclosed.Kind.OPERATION, operation.name(), node, Places.caller());
        TrackedOperation tracked = new TrackedOperation(operation, opened);
        opened.watch(tracked);
        return tracked;
    }

    private Opened opened(Unclosed.Kind kind, String name, ContextNode node, List<StackTraceElement> place) {
        Opened opened = new Opened(this, kind, name, node, place);
        handles.add(opened);
        return opened;
    }

    // --- told

    List<Unclosed> list() {
        long now = runtime.nanos();
        return all().map(opened -> opened.unclosed(now)).toList();
    }

    /** The operations and live counts that were collected unclosed, of contexts that are still open. */
    List<Opened> lostWithoutLock() {
        return all().filter(opened -> opened.lost && opened.kind != Unclosed.Kind.LOCK)
                .toList();
    }

    private Stream<Opened> all() {
        for (Opened each : handles) {
            if (each.isOver()) {
                each.closed();
            }
        }
        List<Opened> all = new ArrayList<>(contexts.values());
        all.addAll(handles);
        return all.stream().sorted(Comparator.comparingLong(opened -> opened.sinceNanos));
    }

    /**
     * Says in the log what the runtime that closes leaves open. From then on nothing is told of a handle that is collected,
     * and the cleaner, which lives on, knows none of this runtime.
     */
    void tellWhatIsLeft() {
        List<Unclosed> left = list();
        handles.forEach(Opened::letGo);
        if (!left.isEmpty() && LOG.isWarnEnabled()) {
            LOG.warn(
                    "the runtime closes, and {} never closed: {}{}",
                    left.size() == 1 ? "1 thing was" : left.size() + " things were",
                    left.stream()
                            .limit(MAX_TOLD)
                            .map(unclosed -> Sanitizer.clean(unclosed.describe()))
                            .collect(Collectors.joining("; ")),
                    left.size() > MAX_TOLD ? "; +" + (left.size() - MAX_TOLD) + " more" : "");
        }
    }

    private void collected(Opened opened) {
        if (!handles.contains(opened) || opened.isOver() || runtime.isClosing()) {
            handles.remove(opened);
            return;
        }
        opened.lost = true;
        runtime.misuse("a handle (" + opened.kind.text() + ")"
                + " was garbage collected without being closed; close it, try-with-resources does");
        if (lostTold.incrementAndGet() <= MAX_TOLD && LOG.isWarnEnabled()) {
            LOG.warn(
                    "garbage collected without being closed: {}",
                    Sanitizer.clean(opened.unclosed(runtime.nanos()).describe()));
        }
        runtime.changed();
    }

    /** One thing that is open. It must not refer to its handle, which would then never be collected. */
    static final class Opened {
        private final LeakTracker tracker;
        private final Unclosed.Kind kind;
        private final String name;
        private final ContextNode node;
        private final List<StackTraceElement> place;
        private final long sinceNanos;
        private volatile boolean lost;
        private volatile @Nullable Watch watch;
        private volatile Cleaner.@Nullable Cleanable cleanable;

        Opened(LeakTracker tracker, Unclosed.Kind kind, String name, ContextNode node, List<StackTraceElement> place) {
            this.tracker = tracker;
            this.kind = kind;
            this.name = name;
            this.node = node;
            this.place = place;
            this.sinceNanos = tracker.runtime.nanos();
        }

        private void watch(Object handle) {
            watch = new Watch(this);
            cleanable = Engine.instance().cleaner().register(handle, watch);
            if (tracker.runtime.isClosing()) {
                letGo();
            }
        }

        /** It stays in the list, and nobody looks for its end any more. */
        private void letGo() {
            Watch watching = watch;
            Cleaner.Cleanable watched = cleanable;
            if (watching != null && watched != null) {
                watching.opened = null;
                watched.clean();
            }
        }

        void closed() {
            tracker.handles.remove(this);
            Cleaner.Cleanable watched = cleanable;
            if (watched != null) {
                watched.clean();
            }
        }

        ContextNode node() {
            return node;
        }

        String place() {
            return unclosed(sinceNanos).place();
        }

        boolean isLost() {
            return lost;
        }

        /** A context that ends takes its counts and operations along, but not its locks. */
        private boolean isOver() {
            return kind != Unclosed.Kind.LOCK && node.state() != ContextState.ACTIVE;
        }

        Unclosed unclosed(long now) {
            return new Unclosed(
                    kind,
                    name,
                    node.path(),
                    node.id(),
                    Duration.ofNanos(tracker.runtime.elapsed(sinceNanos, now)),
                    place);
        }
    }

    /** What the cleaner knows of one that is open. */
    private static final class Watch implements Runnable {
        volatile @Nullable Opened opened;

        Watch(Opened opened) {
            this.opened = opened;
        }

        /** Runs when the handle is unreachable, or closed and so no longer among the open ones. */
        @Override
        public void run() {
            Opened left = opened;
            if (left != null) {
                left.tracker.collected(left);
            }
        }
    }

    // --- the handles

    private static final class TrackedCount implements LiveCount {
        private final LiveCount count;
        private final Opened opened;

        TrackedCount(LiveCount count, Opened opened) {
            this.count = count;
            this.opened = opened;
        }

        @Override
        public void close() {
            try {
                opened.closed();
                count.close();
            } finally {
                Reference.reachabilityFence(this);
            }
        }
    }

    private static final class TrackedOperation implements Operation {
        private final Operation operation;
        private final Opened opened;

        TrackedOperation(Operation operation, Opened opened) {
            this.operation = operation;
            this.opened = opened;
        }

        @Override
        public String name() {
            return operation.name();
        }

        @Override
        public Duration elapsed() {
            return operation.elapsed();
        }

        @Override
        public void close() {
            try {
                opened.closed();
                operation.close();
            } finally {
                Reference.reachabilityFence(this);
            }
        }
    }

    private static final class TrackedGuard<T extends @Nullable Object> implements AnyGuard<T> {
        private final AnyGuard<T> guard;
        private final Opened opened;

        TrackedGuard(AnyGuard<T> guard, Opened opened) {
            this.guard = guard;
            this.opened = opened;
        }

        @Override
        public T value() {
            return guard.value();
        }

        @Override
        public void set(T value) {
            guard.set(value);
        }

        @Override
        public T update(UnaryOperator<T> change) {
            return guard.update(change);
        }

        @Override
        public String lockName() {
            return guard.lockName();
        }

        @Override
        public FastnContext context() {
            return guard.context();
        }

        @Override
        public Instant acquiredAt() {
            return guard.acquiredAt();
        }

        @Override
        public long fence() {
            return guard.fence();
        }

        @Override
        public int permits() {
            return guard.permits();
        }

        @Override
        public void release(int permits) {
            try {
                guard.release(permits);
                if (guard.permits() == 0) {
                    opened.closed();
                }
            } finally {
                Reference.reachabilityFence(this);
            }
        }

        @Override
        public void close() {
            try {
                opened.closed();
                guard.close();
            } finally {
                Reference.reachabilityFence(this);
            }
        }
    }
}
