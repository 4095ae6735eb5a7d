package com.fastn.context.engine;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.JsonNode;
import com.fastn.context.CancelReport;
import com.fastn.context.ContextBuilder;
import com.fastn.context.ContextCancelledException;
import com.fastn.context.ContextMutex;
import com.fastn.context.ContextReadWriteLock;
import com.fastn.context.ContextScope;
import com.fastn.context.ContextSemaphore;
import com.fastn.context.FastnContext;
import com.fastn.context.LiveCount;
import com.fastn.context.Operation;
import com.fastn.context.Registration;
import com.fastn.context.TotalCounter;
import com.fastn.context.event.ContextEvent;
import com.fastn.context.status.CallerLink;
import com.fastn.context.status.CancelReason;
import com.fastn.context.status.ContextKind;
import com.fastn.context.status.ContextPath;
import com.fastn.context.status.ContextState;
import com.fastn.context.status.FinishedContext;
import com.fastn.context.status.MetricValue;
import com.fastn.context.status.SnapshotLimits;
import com.fastn.context.status.StatusSnapshot;
import com.google.errorprone.annotations.MustBeClosed;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLongFieldUpdater;
import java.util.concurrent.atomic.AtomicReferenceFieldUpdater;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** One context of the tree. */
public final class ContextNode extends ChildList implements FastnContext {
    /*
     * Invariants
     *   1. A child is created after its parent and never moves.
     *   2. A linked child of a cancelled node is cancelled, or its cancellation is under way in the thread that cancels
     *      (rule C1): whoever links looks for the mark inside of a list's monitor, and whoever marks goes through each
     *      list afterwards; so either the mark is seen, or the child is found.
     *   3. A closed node has no children and is linked nowhere. A closing node has at least one child, or is about to be
     *      closed by the thread that found it childless.
     *
     * Children are linked in the node itself, which is a list. Once two threads meet there, the node gets more lists, its
     * stripes, and children that come later are linked in the stripe of the thread that opens them. A node that has
     * stripes stops to take children before it looks whether it has any, so that each list only empties meanwhile.
     *
     * Lock order: parent before child; by 1 this is the order of creation, so it cannot form a cycle (rule C2). No two
     * monitors of nodes are held at once today. Inside a node's monitor those of its stripes may be taken, in their
     * order, and inside of these that of its extras; never the other way. No user code is called and no event is told
     * while one is held.
     *
     *   ACTIVE --close()--> CLOSED            when it has no children
     *   ACTIVE --close()--> CLOSING --last child closed--> CLOSED
     */
    private static final AtomicReferenceFieldUpdater<ContextNode, @Nullable Object> ON_THREAD =
            AtomicReferenceFieldUpdater.newUpdater(ContextNode.class, Object.class, "onThread");
    private static final AtomicLongFieldUpdater<ContextNode> ACTIVITY =
            AtomicLongFieldUpdater.newUpdater(ContextNode.class, "activityNanos");
    private static final AtomicLongFieldUpdater<ContextNode> ENDED =
            AtomicLongFieldUpdater.newUpdater(ContextNode.class, "endedNanos");
    private static final ContextKind[] KINDS = ContextKind.values();
    private static final VarHandle MARKS;
    private static final VarHandle LIFE;
    private static final VarHandle EXTRAS;
    static final Comparator<ContextNode> OLDEST_FIRST = Comparator.comparingLong(
                    (ContextNode node) -> node.createdNanos - node.runtime.startNanos())
            .thenComparingLong(ContextNode::id);
    private static final byte ACTIVE = 0;
    private static final byte CLOSING = 1;
    private static final byte CLOSED = 2;
    // Long enough to be cheap per child, short enough not to hold up whoever opens and closes beside a walk.
    private static final int BATCH = 256;
    static final int MARKED = 1;
    static final int HAS_CHILDREN = 2;
    private static final int IS_CLOSED = 1;
    private static final int HAS_MORE = 2;
    private static final int INSIDE = 1;
    private static final int BORN_CANCELLED = 2;
    private static final int LIST_SHIFT = 2;

    private final EngineRuntime runtime;
    private final @Nullable ContextNode parent;
    private final String name;
    private final long id;
    private final long createdNanos;
    private final int depth;
    // A byte instead of a reference, as the state below: a node and nothing else is 96 bytes.
    private final byte kind;

    private volatile long activityNanos;
    // Null, the thread, or several: an object of the size of a number, as a node is 96 bytes.
    private volatile @Nullable Object onThread;
    private volatile @Nullable NodeExtras extras;
    private volatile @Nullable PathCounters counters;

    // Written under this node's monitor. No value is given here, as the first one of a volatile field costs a fence.
    private volatile byte life;
    private volatile @Nullable CancelReason cancelReason;
    // Written before the life that it belongs to.
    private volatile long endedNanos;

    // Whether somebody walks the children in batches, or waits for the last of them to leave. Written under the monitor
    // of the extras.
    private volatile boolean watched;

    // The number of the parent's list that this is linked in, written once before that; and in the lowest bit whether a
    // thread is at this moment inside of this node's own list.
    private byte marks;

    // Guarded by the monitor of the parent's list.
    @Nullable
    ContextNode previousSibling;

    @Nullable
    ContextNode nextSibling;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            MARKS = lookup.findVarHandle(ContextNode.class, "marks", byte.class);
            EXTRAS = lookup.findVarHandle(ContextNode.class, "extras", NodeExtras.class);
            LIFE = lookup.findVarHandle(ContextNode.class, "life", byte.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    @SuppressWarnings("EnumOrdinal") // it never leaves this object
    ContextNode(EngineRuntime runtime, @Nullable ContextNode parent, String name, ContextKind kind) {
        this.runtime = runtime;
        this.parent = parent;
        this.name = name;
        this.kind = (byte) kind.ordinal();
        this.depth = parent == null ? 0 : parent.depth + 1;
        this.id = runtime.nextContextId(parent);
        this.createdNanos = runtime.nanos();
        // Nobody else sees it yet: without the fence of a volatile write.
        ACTIVITY.lazySet(this, createdNanos);
    }

    // --- who and when

    @Override
    public String name() {
        return name;
    }

    @Override
    public String label() {
        NodeExtras x = extras;
        if (x != null) {
            synchronized (x) {
                if (x.label != null) {
                    return x.label;
                }
            }
        }
        return name;
    }

    @Override
    public long id() {
        return id;
    }

    @Override
    public ContextPath path() {
        PathCounters known = counters;
        if (known != null && !known.isBucket()) {
            return known.path();
        }
        List<String> names = new ArrayList<>();
        for (ContextNode node = this; node != null; node = node.parent) {
            names.add(node.name);
        }
        Collections.reverse(names);
        return ContextPath.of(names);
    }

    @Override
    public ContextKind kind() {
        return KINDS[kind];
    }

    /** How many ancestors there are. */
    int depth() {
        return depth;
    }

    @Override
    public @Nullable ContextNode parent() {
        return parent;
    }

    @Override
    public EngineRuntime runtime() {
        return runtime;
    }

    @Override
    public ContextState state() {
        return switch (life) {
            case ACTIVE -> ContextState.ACTIVE;
            case CLOSING -> ContextState.CLOSING;
            default -> ContextState.CLOSED;
        };
    }

    /** {@return whether this context is gone from the tree} */
    public boolean isClosed() {
        return life == CLOSED;
    }

    @Override
    public @Nullable CallerLink caller() {
        NodeExtras x = extras;
        if (x == null) {
            return null;
        }
        synchronized (x) {
            return x.caller;
        }
    }

    @Override
    public Instant createdAt() {
        return runtime.wallTimeOf(createdNanos);
    }

    @Override
    public Instant lastActivity() {
        return runtime.wallTimeOf(lastActivityNanos());
    }

    /** The coarse clock of {@link #touch} may stand a little before the exact time of the creation. */
    private long lastActivityNanos() {
        long last = activityNanos;
        return last - createdNanos < 0 ? createdNanos : last;
    }

    @Override
    public Duration duration() {
        return Duration.ofNanos(durationNanos(runtime.nanos()));
    }

    /** The same for one that is still open; it does not leap when this context closes meanwhile. */
    long ageNanos(long nowNanos) {
        return runtime.elapsed(createdNanos, nowNanos);
    }

    long durationNanos(long nowNanos) {
        return runtime.elapsed(createdNanos, life == CLOSED ? endedNanos : nowNanos);
    }

    /** Since {@link #close} was called on a node that closes. */
    long closingNanos(long nowNanos) {
        return runtime.elapsed(endedNanos, nowNanos);
    }

    @Override
    public Duration idleDuration() {
        return Duration.ofNanos(idleNanos(runtime.nanos()));
    }

    long idleNanos(long nowNanos) {
        return runtime.elapsed(lastActivityNanos(), nowNanos);
    }

    @Override
    public void touch() {
        // Most signs of life are of the same tick: nothing is written then, and no fence is paid for otherwise.
        if (!runtime.isTouchedNow(activityNanos)) {
            ACTIVITY.lazySet(this, runtime.touchNanos());
        }
    }

    /** The same, for whoever has looked at the coarse clock anyway. */
    void touch(long now) {
        if (activityNanos != now) {
            ACTIVITY.lazySet(this, now);
        }
    }

    @Override
    public void touch(String activity) {
        requireNonNull(activity, "activity");
        NodeExtras x = extras();
        synchronized (x) {
            // The verb seldom changes: keep the text that is there.
            if (!activity.equals(x.activity)) {
                x.activity = Names.clean(activity);
            }
        }
        touch();
    }

    /** Says that the calling thread runs in this context from now on, until {@link #leaveThread}. */
    public void enterThread() {
        Thread me = Thread.currentThread();
        Object before = onThread;
        while (!ON_THREAD.compareAndSet(this, before, before == null ? me : new RunningThreads(me, before))) {
            before = onThread;
        }
    }

    /** Says that the calling thread no longer runs in this context; another one, if this is called on a wrong thread. */
    public void leaveThread() {
        Thread me = Thread.currentThread();
        Object before = onThread;
        while (before != null && !ON_THREAD.compareAndSet(this, before, RunningThreads.without(before, me))) {
            before = onThread;
        }
    }

    boolean isOnThread() {
        return onThread != null;
    }

    /** The threads that are known to run in this context at this moment, the one that entered last first. */
    List<Thread> threads() {
        return RunningThreads.list(onThread);
    }

    // --- children

    @Override
    public ContextBuilder child(String childName) {
        return new NodeBuilder(this, requireNonNull(childName, "name"));
    }

    /**
     * Opens a child; the fast form of the builder.
     *
     * @param childName the child's name
     * @param childKind what it stands for
     * @param caller its known caller elsewhere, or {@code null}
     * @return the child, or one that is closed and cancelled from the start when this context is no longer open
     */
    public ContextNode openChild(String childName, ContextKind childKind, @Nullable CallerLink caller) {
        ContextNode child = new ContextNode(runtime, this, Names.clean(childName), childKind);
        if (caller != null) {
            NodeExtras x = child.extras();
            synchronized (x) {
                x.caller = caller;
            }
        }
        return attach(child);
    }

    /** Opens a child as it was described to a builder. */
    ContextNode openChild(
            String childName,
            ContextKind childKind,
            @Nullable String childLabel,
            @Nullable List<Consumer<NodeExtras>> description) {
        ContextNode child = new ContextNode(runtime, this, Names.clean(childName), childKind);
        if (childLabel != null || description != null) {
            child.describe(childLabel, description == null ? List.of() : description);
        }
        return attach(child);
    }

    /** Links a child that was made for this node. */
    private ContextNode attach(ContextNode child) {
        if (!runtime.mayBeThisDeep(child.depth)) {
            child.bornDead(new CancelReason(
                    CancelReason.Kind.REQUESTED,
                    "the tree may be " + runtime.maxDepth() + " deep at most",
                    runtime.root().name()));
            return child;
        }
        boolean linked = link(child);
        // Whoever gets the child from here, even by a race, finds the list that it is in.
        VarHandle.storeStoreFence();
        if (!linked) {
            CancelReason inherited = cancelReason;
            runtime.misuse("a child was opened in a context that had ended; it is closed from the start");
            child.bornDead(
                    inherited != null
                            ? fromParent(inherited)
                            : new CancelReason(CancelReason.Kind.PARENT, "the parent had ended", path().toString()));
            return child;
        }
        touch();
        runtime.changed();
        if (runtime.hasListeners()) {
            runtime.tell(new ContextEvent.Opened(child.id, child.path(), id, child.kind()));
        }
        if (child.isBornCancelled()) {
            child.tellCancelled();
            child.runCancelHandlers();
        }
        return child;
    }

    private void bornDead(CancelReason why) {
        runtime.contextNeverOpened();
        synchronized (this) {
            ENDED.lazySet(this, createdNanos);
            cancelReason = why;
            life = CLOSED;
        }
        NodeExtras x = extras;
        if (x != null) {
            synchronized (x) {
                x.ended = true;
            }
        }
    }

    /** {@return whether there was a place for the child; there is none in a context that ends or has ended} */
    private boolean link(ContextNode child) {
        ChildList[] stripes = stripes();
        if (stripes != null) {
            int mine = ChildList.Stripe.mine();
            return link(child, stripes[mine], mine + 1);
        }
        boolean crowded = isCrowded();
        boolean linked;
        synchronized (this) {
            crowded(true);
            linked = link(child, this, 0);
            crowded(false);
        }
        if (crowded) {
            spread();
        }
        return linked;
    }

    private boolean link(ContextNode child, ChildList list, int number) {
        synchronized (list) {
            if (life != ACTIVE) {
                return false;
            }
            CancelReason inherited = cancelReason;
            if (inherited != null) {
                // Nobody sees the child yet: it is born cancelled, never alive under a cancelled parent (rule C1).
                child.cancelReason = fromParent(inherited);
            }
            child.marks = (byte) (number << LIST_SHIFT | (inherited != null ? BORN_CANCELLED : 0));
            list.append(child);
            return true;
        }
    }

    /** {@return whether the last of that list left with the child} */
    private boolean unlink(ContextNode child) {
        ChildList list = requireNonNull(list(child.marks >> LIST_SHIFT), "list");
        boolean own = list == this;
        synchronized (list) {
            if (own) {
                crowded(true);
            }
            if (watched) {
                passOver(child);
            }
            list.remove(child);
            if (own) {
                crowded(false);
            }
            return list.first() == null;
        }
    }

    // Not eliminated, as a plain write would be that another one follows.
    private void crowded(boolean inside) {
        MARKS.setOpaque(this, (byte) (inside ? marks | INSIDE : marks & ~INSIDE));
    }

    private boolean isCrowded() {
        return ((byte) MARKS.getOpaque(this) & INSIDE) != 0;
    }

    private boolean isBornCancelled() {
        return (marks & BORN_CANCELLED) != 0;
    }

    /** Gives this node more lists, so that threads which open children here no longer meet. */
    void spread() {
        NodeExtras x = extras();
        synchronized (this) {
            if (life == ACTIVE && x.stripes == null) {
                x.stripes = ChildList.Stripe.make();
            }
        }
    }

    private ChildList @Nullable [] stripes() {
        NodeExtras x = extras;
        return x == null ? null : x.stripes;
    }

    /** The lists of children: this node is number 0, then come its stripes; beyond there is {@code null}. */
    private @Nullable ChildList list(int number) {
        if (number == 0) {
            return this;
        }
        ChildList[] stripes = stripes();
        return stripes == null || number > stripes.length ? null : stripes[number - 1];
    }

    /** For walks that stand at a child which leaves. Under the monitor of the child's list. */
    private void passOver(ContextNode child) {
        NodeExtras x = extras();
        synchronized (x) {
            for (ChildBatches walk : x.walks()) {
                if (walk.next == child) {
                    walk.next = child.nextSibling;
                }
            }
        }
    }

    /** Gives some more children to a walk, and keeps its place if there are still more. */
    List<ContextNode> nextChildren(ChildBatches walk) {
        for (ChildList list = list(walk.list); list != null; list = list(walk.list)) {
            List<ContextNode> batch = nextChildren(walk, list);
            if (!batch.isEmpty()) {
                return batch;
            }
        }
        forget(walk);
        return List.of();
    }

    private List<ContextNode> nextChildren(ChildBatches walk, ChildList list) {
        synchronized (list) {
            ContextNode child = walk.begun ? walk.next : list.first();
            if (child == null) {
                walk.list++;
                walk.begun = false;
                return List.of();
            }
            List<ContextNode> batch = new ArrayList<>();
            for (; child != null && batch.size() < BATCH; child = child.nextSibling) {
                batch.add(child);
            }
            walk.next = child;
            walk.begun = true;
            if (child != null && !walk.registered) {
                walk.registered = true;
                NodeExtras x = extras();
                synchronized (x) {
                    x.walks().add(walk);
                    watched = true;
                }
            }
            return batch;
        }
    }

    private void forget(ChildBatches walk) {
        if (walk.registered) {
            walk.registered = false;
            NodeExtras x = extras();
            synchronized (x) {
                x.walks().remove(walk);
                watched = x.isChildrenWatched();
            }
        }
    }

    /** {@return whether no child is open} */
    public boolean isChildless() {
        return isChildlessFrom(0);
    }

    /** Of one instant: the lists are few, and held one inside the other. */
    private boolean isChildlessFrom(int number) {
        ChildList list = list(number);
        if (list == null) {
            return true;
        }
        synchronized (list) {
            return list.first() == null && isChildlessFrom(number + 1);
        }
    }

    /**
     * Runs a task once, when the last child has left; at once if there is none.
     *
     * @param task runs in the thread that closes the last child, and must not throw
     * @return closing it takes the task back
     */
    public Registration whenChildless(Runnable task) {
        NodeExtras x = extras();
        synchronized (x) {
            x.whenChildless().add(task);
            watched = true;
        }
        // Whoever leaves from now on sees the mark; whoever left before is missed by nobody.
        tellIfChildless();
        return () -> {
            synchronized (x) {
                x.whenChildless().remove(task);
            }
        };
    }

    private void tellIfChildless() {
        if (!isChildless()) {
            // There is another one, or one came meanwhile: the last of those tells.
            return;
        }
        NodeExtras x = extras();
        List<Runnable> tasks;
        synchronized (x) {
            tasks = List.copyOf(x.whenChildless());
            x.whenChildless().clear();
            watched = x.isChildrenWatched();
        }
        tasks.forEach(Runnable::run);
    }

    @Override
    public List<FastnContext> children() {
        return Collections.unmodifiableList(new ArrayList<>(childNodes()));
    }

    /** The linked children at this moment, the oldest first. */
    List<ContextNode> childNodes() {
        List<ContextNode> nodes = new ArrayList<>(0);
        collect(0, nodes);
        if (stripes() != null) {
            nodes.sort(OLDEST_FIRST);
        }
        return nodes;
    }

    /** Adds the same to a walk, as the children of the context with that number. */
    void addChildrenTo(SnapshotWalk walk, int index) {
        int before = walk.size();
        collect(0, walk, index);
        if (stripes() != null) {
            walk.sortFrom(before);
        }
    }

    private void collect(int number, SnapshotWalk walk, int index) {
        ChildList list = list(number);
        if (list != null) {
            synchronized (list) {
                for (ContextNode child = list.first(); child != null; child = child.nextSibling) {
                    walk.add(child, index);
                }
                collect(number + 1, walk, index);
            }
        }
    }

    /** Of one instant, as {@link #isChildlessFrom} is. */
    private void collect(int number, List<ContextNode> nodes) {
        ChildList list = list(number);
        if (list != null) {
            synchronized (list) {
                list.addAllTo(nodes);
                collect(number + 1, nodes);
            }
        }
    }

    @Override
    public <T extends @Nullable Object> CompletionStage<T> spawn(Supplier<? extends CompletionStage<T>> task) {
        return TaskRunner.spawn(this, requireNonNull(task, "task"));
    }

    @Override
    public <T extends @Nullable Object> CompletionStage<T> spawnChild(
            String childName, Function<? super FastnContext, ? extends CompletionStage<T>> task) {
        return child(childName).spawn(task);
    }

    // --- cancellation

    @Override
    public CompletionStage<CancelReason> cancellation() {
        NodeExtras x = extras();
        CompletableFuture<CancelReason> future = new CompletableFuture<>();
        CompletionStage<CancelReason> stage;
        synchronized (x) {
            CompletionStage<CancelReason> known = x.cancellation;
            if (known != null) {
                return known;
            }
            // One stage for all who ask: each further one would hang on the first for as long as this context lives.
            stage = future.minimalCompletionStage();
            x.cancellation = stage;
        }
        addCancelHandler(future::complete, null);
        return stage;
    }

    @Override
    public Registration onCancel(Consumer<? super CancelReason> handler) {
        return addCancelHandler(
                requireNonNull(handler, "handler"), runtime.current().completions());
    }

    Registration addCancelHandler(Consumer<? super CancelReason> handler, @Nullable Executor where) {
        CancelHandler registered = new CancelHandler(this, handler, where);
        NodeExtras x = extras();
        CancelReason reason;
        synchronized (x) {
            // The canceller marks first and then takes the handlers; so either it finds this one, or we see its mark.
            boolean useful = mayBeCancelled();
            reason = cancelReason;
            if (useful) {
                x.cancelHandlers().add(registered);
            }
        }
        if (reason != null) {
            Throwable failure = registered.fire(reason);
            if (failure != null) {
                CancelHandler.report(this, List.of(failure));
            }
        }
        return registered;
    }

    /** How many handlers wait for cancellation: none is left behind by a wait that ended. */
    int cancelHandlers() {
        NodeExtras x = extras;
        if (x == null) {
            return 0;
        }
        synchronized (x) {
            return x.cancelHandlers == null ? 0 : x.cancelHandlers.size();
        }
    }

    /** Whether a mark may still come: none comes twice, and none once this node has left the tree. */
    private boolean mayBeCancelled() {
        return life != CLOSED && cancelReason == null;
    }

    void forget(CancelHandler handler) {
        NodeExtras x = extras;
        if (x != null) {
            synchronized (x) {
                if (x.cancelHandlers != null) {
                    x.cancelHandlers.remove(handler);
                }
            }
        }
    }

    void forget(Deadline deadline) {
        NodeExtras x = extras;
        if (x != null) {
            synchronized (x) {
                if (x.deadlines != null) {
                    x.deadlines.remove(deadline);
                }
            }
        }
    }

    @Override
    public boolean isCancelled() {
        return cancelReason != null;
    }

    @Override
    public @Nullable CancelReason cancelReason() {
        return cancelReason;
    }

    @Override
    public void throwIfCancelled() {
        CancelReason reason = cancelReason;
        if (reason != null) {
            throw new ContextCancelledException(path() + " was cancelled", reason);
        }
    }

    @Override
    public void cancel() {
        cancel("cancel() was called");
    }

    @Override
    public void cancel(String message) {
        cancel(CancelReason.Kind.REQUESTED, requireNonNull(message, "message"));
    }

    /**
     * Cancels this context and everything below it.
     *
     * @param why who or what asks
     * @param message for people
     */
    public void cancel(CancelReason.Kind why, String message) {
        CancelReason known = cancelReason;
        if (life == CLOSED) {
            return;
        }
        if (known == null) {
            CancelWalk.cancel(this, new CancelReason(why, Names.clean(message), path().toString()));
        } else if (runtime.isCancelling()) {
            // Perhaps not here; then this is a look for nothing.
            CancelWalk.finish(this, known);
        }
    }

    static CancelReason fromParent(CancelReason reason) {
        return reason.kind() == CancelReason.Kind.PARENT
                ? reason
                : new CancelReason(CancelReason.Kind.PARENT, reason.message(), reason.source());
    }

    /**
     * Marks this node alone, and looks for children in the same moment: one that comes later is born cancelled (rule C1).
     *
     * @return {@link #MARKED} if it was neither cancelled nor closed before, {@link #HAS_CHILDREN} if there may be some
     */
    int mark(CancelReason reason) {
        synchronized (this) {
            if (life == CLOSED) {
                return 0;
            }
            int found = mayHaveChildren() ? HAS_CHILDREN : 0;
            if (cancelReason != null) {
                return found;
            }
            cancelReason = reason;
            return found | MARKED;
        }
    }

    /** As {@link #mark}, and says before the mark shows that a walk begins, if there is anything to walk to. */
    int markFirst(CancelReason reason) {
        synchronized (this) {
            if (life != CLOSED && mayHaveChildren()) {
                runtime.cancellationBegins();
            }
            return mark(reason);
        }
    }

    @GuardedBy("this")
    private boolean mayHaveChildren() {
        return first() != null || stripes() != null;
    }

    /** Whether anything has to be done for this node once it is marked. */
    boolean mayHaveCancelHandlers() {
        return extras != null;
    }

    void tellCancelled() {
        runtime.cancelled(this);
        if (runtime.hasListeners()) {
            runtime.tell(new ContextEvent.Cancelled(id, path(), requireNonNull(cancelReason, "reason")));
        }
    }

    void runCancelHandlers() {
        CancelReason reason = requireNonNull(cancelReason, "reason");
        NodeExtras x = extras;
        if (x == null) {
            return;
        }
        List<CancelHandler> handlers;
        List<Deadline> deadlines;
        List<Waiter<?>> waits;
        synchronized (x) {
            handlers = x.takeCancelHandlers();
            deadlines = x.takeDeadlines();
            waits = x.waitList();
        }
        deadlines.forEach(Deadline::close);
        waits.forEach(wait -> wait.lock.endWithContext(wait));
        List<Throwable> failures = new ArrayList<>(0);
        for (CancelHandler handler : handlers) {
            Throwable failure = handler.fire(reason);
            if (failure != null) {
                failures.add(failure);
            }
        }
        if (!failures.isEmpty()) {
            CancelHandler.report(this, failures);
        }
    }

    @Override
    public CompletionStage<CancelReport> cancelAndReport(Duration timeout) {
        requireNonNull(timeout, "timeout");
        Executor where = runtime.current().completions();
        cancel("cancelAndReport(" + timeout + ") was called");
        return Stragglers.await(this, timeout, where);
    }

    @Override
    public Registration cancelAfter(Duration timeout) {
        if (timeout.isZero() || timeout.isNegative()) {
            cancel(CancelReason.Kind.TIMEOUT, "its time of " + timeout + " was over at once");
            return () -> {};
        }
        Deadline deadline = new Deadline(this);
        NodeExtras x = extras();
        synchronized (x) {
            // As with handlers: whoever cancels or closes marks first and then takes the deadlines.
            if (!mayBeCancelled()) {
                return () -> {};
            }
            x.deadlines().add(deadline);
        }
        deadline.runsOn(runtime.timers()
                .after(timeout, () -> cancel(CancelReason.Kind.TIMEOUT, "its time of " + timeout + " ran out")));
        return deadline;
    }

    @Override
    public <T extends @Nullable Object> CompletionStage<T> race(CompletionStage<T> stage) {
        CompletableFuture<T> first = new CompletableFuture<>();
        Registration registration = onCancel(reason -> first.completeExceptionally(
                new ContextCancelledException("a wait of " + path() + " was given up", reason)));
        stage.whenComplete((value, failure) -> {
            registration.close();
            Stages.complete(first, value, failure);
        });
        return first;
    }

    // --- operations

    @Override
    public <T extends @Nullable Object> CompletionStage<T> awaiting(String operation, CompletionStage<T> stage) {
        requireNonNull(stage, "stage");
        Operation running = begin(operation);
        stage.whenComplete((value, failure) -> running.close());
        return stage;
    }

    @Override
    public <T extends @Nullable Object> CompletionStage<T> select(
            String operation, Collection<? extends CompletionStage<? extends T>> stages) {
        requireNonNull(operation, "operation");
        List<CompletionStage<? extends T>> branches = List.copyOf(requireNonNull(stages, "stages"));
        if (branches.isEmpty()) {
            throw new IllegalArgumentException("a select of no stages would never complete; pass at least one");
        }
        CompletableFuture<T> first = new CompletableFuture<>();
        for (CompletionStage<? extends T> branch : branches) {
            branch.whenComplete((value, failure) -> Stages.complete(first, value, failure));
        }
        return awaiting(operation, first);
    }

    @Override
    @MustBeClosed
    public Operation operation(String operation) {
        Operation running = begin(operation);
        LeakTracker leaks = runtime.leaks();
        return leaks == null ? running : leaks.operation(this, running);
    }

    private RunningOperation begin(String operation) {
        RunningOperation running =
                new RunningOperation(this, Names.clean(requireNonNull(operation, "operation")), runtime.nanos());
        NodeExtras x = extras();
        synchronized (x) {
            if (!x.ended) {
                x.operations().add(running);
            }
        }
        touch();
        runtime.changed();
        if (runtime.hasListeners()) {
            runtime.tell(new ContextEvent.OperationStarted(id, path(), running.name()));
        }
        return running;
    }

    void operationEnded(RunningOperation operation, long elapsedNanos) {
        runtime.baselines().ended(operation.name(), elapsedNanos);
        NodeExtras x = extras();
        boolean closeNow = false;
        synchronized (x) {
            if (x.operations != null) {
                x.operations.remove(operation);
                closeNow = x.mayCloseNow();
            }
        }
        touch();
        runtime.changed();
        if (runtime.hasListeners()) {
            runtime.tell(new ContextEvent.OperationEnded(id, path(), operation.name(), elapsedNanos));
        }
        if (closeNow) {
            close();
        }
    }

    /** {@return whether an operation of this context is under way} */
    public boolean isInOperation() {
        NodeExtras x = extras;
        if (x == null) {
            return false;
        }
        synchronized (x) {
            return x.operations != null && x.operations.size() > 0;
        }
    }

    /** Ends this context now, or as soon as the operations that run in it and its waits for locks have ended. */
    public void closeWhenDone() {
        NodeExtras x = extras;
        if (x != null) {
            synchronized (x) {
                x.closeWhenDone = true;
                if (!x.mayCloseNow()) {
                    return;
                }
            }
        }
        close();
    }

    // --- waits for locks

    /** Keeps a wait until it is over; false when this context was cancelled or has ended, so that nobody would end it. */
    boolean addWait(Waiter<?> waiter) {
        NodeExtras x = extras();
        synchronized (x) {
            if (waiter.over) {
                return true;
            }
            if (!mayBeCancelled()) {
                return false;
            }
            x.addWait(waiter);
            return true;
        }
    }

    void removeWait(Waiter<?> waiter) {
        NodeExtras x = extras();
        synchronized (x) {
            x.removeWait(waiter);
        }
    }

    /** A wait is over, and whoever waited has gone on. */
    void waitEnded(Waiter<?> waiter) {
        NodeExtras x = extras();
        boolean closeNow;
        synchronized (x) {
            x.removeWait(waiter);
            closeNow = x.mayCloseNow();
        }
        if (closeNow) {
            close();
        }
    }

    /** What this context waits for, the oldest wait first; some may have been granted in this moment. A copy. */
    List<Waiter<?>> waits() {
        NodeExtras x = extras;
        if (x == null) {
            return List.of();
        }
        synchronized (x) {
            return x.waitList();
        }
    }

    /** Whether it waits for a lock at this moment, but for one; of many waits the first are looked at. */
    boolean isWaitingForLock(@Nullable FifoLock<?> butFor) {
        NodeExtras x = extras;
        return x != null && !x.locksWaitedFor(butFor, 1).isEmpty();
    }

    /** The locks that it waits for at this moment; of many waits those of the first. */
    Set<FifoLock<?>> locksWaitedFor() {
        NodeExtras x = extras;
        return x == null ? Set.of() : x.locksWaitedFor(null, Integer.MAX_VALUE);
    }

    /** Releases what was granted when this context ends. */
    void releaseWithEnd(Grant<?> grant) {
        NodeExtras x = extras();
        boolean late;
        synchronized (x) {
            late = life == CLOSED;
            if (!late) {
                x.releasedWithEnd().add(grant);
            }
        }
        if (late) {
            grant.lock.releaseAtEnd(grant);
        }
    }

    void wasReleased(Grant<?> grant) {
        NodeExtras x = extras;
        if (x != null) {
            synchronized (x) {
                if (x.releasedWithEnd != null) {
                    x.releasedWithEnd.remove(grant);
                }
            }
        }
    }

    // --- data, metrics, settings

    @Override
    public void setData(String key, @Nullable Object value) {
        requireNonNull(key, "key");
        Object frozen = PlainValues.freeze(key, value);
        NodeExtras x = extras();
        boolean differs;
        synchronized (x) {
            Map<String, @Nullable Object> data = x.data();
            String cleanKey = Names.bounded(key);
            differs = !data.containsKey(cleanKey) || !Objects.equals(data.get(cleanKey), frozen);
            data.put(cleanKey, frozen);
        }
        if (differs) {
            changed(key);
        }
    }

    @Override
    public @Nullable JsonNode getData(String key) {
        requireNonNull(key, "key");
        NodeExtras x = extras;
        if (x == null) {
            return null;
        }
        Object frozen;
        synchronized (x) {
            String cleanKey = Names.bounded(key);
            if (x.data == null || !x.data.containsKey(cleanKey)) {
                return null;
            }
            frozen = x.data.get(cleanKey);
        }
        return PlainValues.toJson(frozen);
    }

    @Override
    public void addMetric(String key, MetricValue value) {
        requireNonNull(key, "key");
        requireNonNull(value, "value");
        NodeExtras x = extras();
        boolean differs;
        synchronized (x) {
            differs = !value.equals(x.metrics().put(Names.bounded(key), value));
        }
        if (differs) {
            changed(key);
        }
    }

    /**
     * Sets the name for people.
     *
     * @param label the label
     */
    public void setLabel(String label) {
        NodeExtras x = extras();
        String clean = Names.clean(requireNonNull(label, "label"));
        boolean differs;
        synchronized (x) {
            differs = !clean.equals(x.label);
            x.label = clean;
        }
        if (differs) {
            changed("label");
        }
    }

    private void changed(String key) {
        runtime.changed();
        if (runtime.hasListeners()) {
            runtime.tell(new ContextEvent.Changed(id, path(), Names.clean(key)));
        }
    }

    @Override
    public @Nullable Object setting(String key) {
        requireNonNull(key, "key");
        for (ContextNode node = this; node != null; node = node.parent) {
            Object value = node.ownSetting(key);
            if (value != null) {
                return value;
            }
        }
        return null;
    }

    @Nullable
    Object ownSetting(String key) {
        NodeExtras x = extras;
        if (x == null) {
            return null;
        }
        synchronized (x) {
            return x.settings == null ? null : x.settings.get(key);
        }
    }

    /** A copy of the own settings whose keys begin so. */
    Map<String, Object> ownSettings(String prefix) {
        NodeExtras x = extras;
        if (x == null) {
            return Map.of();
        }
        synchronized (x) {
            if (x.settings == null) {
                return Map.of();
            }
            Map<String, Object> own = new HashMap<>(x.settings);
            own.keySet().removeIf(key -> !key.startsWith(prefix));
            return own;
        }
    }

    @Override
    public void setSetting(String key, @Nullable Object value) {
        requireNonNull(key, "key");
        Object kept = value == null ? null : KnownSettings.checked(runtime, key, value);
        NodeExtras x = extras();
        synchronized (x) {
            if (kept == null) {
                x.settings().remove(key);
            } else {
                x.settings().put(key, kept);
            }
        }
        changed(key);
    }

    // --- counters

    PathCounters pathCounters() {
        PathCounters known = counters;
        if (known == null || known.isFolded()) {
            known = findCounters();
            counters = known;
        }
        return known;
    }

    private CounterCell cell(String counter) {
        requireNonNull(counter, "counter");
        PathCounters known = counters;
        CounterCell cell = known == null ? null : known.cell(counter);
        while (cell == null) {
            cell = pathCounters().cell(counter);
        }
        return cell;
    }

    private PathCounters findCounters() {
        PathCounters found = null;
        while (found == null) {
            found = tryToFindCounters();
        }
        return found;
    }

    /**
     * Asks the nearest ancestor that knows its counters, then walks back down: no recursion, however deep the tree. It
     * fails when a path on the way was folded meanwhile.
     */
    private @Nullable PathCounters tryToFindCounters() {
        ContextNode above = parent;
        PathCounters near = above == null ? null : above.countersOrNull();
        if (near != null) {
            return near.child(name);
        }
        ArrayDeque<ContextNode> below = new ArrayDeque<>();
        ContextNode node = this;
        PathCounters found = null;
        while (found == null) {
            below.push(node);
            ContextNode up = node.parent;
            if (up == null) {
                below.pop();
                found = runtime.counterStore().root();
            } else {
                found = up.countersOrNull();
                node = up;
            }
        }
        for (ContextNode descendant : below) {
            found = found.child(descendant.name);
            if (found == null) {
                return null;
            }
        }
        return found;
    }

    @Nullable
    PathCounters countersOrNull() {
        PathCounters known = counters;
        return known != null && known.isFolded() ? null : known;
    }

    @Override
    public void addTotal(String counter, long n) {
        addTotal(cell(counter), n);
    }

    private void addTotal(CounterCell cell, long n) {
        if (cell.add(n)) {
            counted(cell);
        }
    }

    @Override
    public void incrementLive(String counter) {
        CounterCell cell = cell(counter);
        if (addLive(cell)) {
            counted(cell);
        }
    }

    private boolean addLive(CounterCell cell) {
        NodeExtras x = extras();
        boolean ended;
        synchronized (x) {
            ended = x.ended;
            if (!ended) {
                // Where this context counted before, also if its path was folded since: what is added there is taken
                // there.
                NodeExtras.OwnLive own = x.live(cell);
                own.count++;
                own.cell.addLive(1);
            }
        }
        if (ended) {
            runtime.misuse("a live counter was incremented in a context that had ended; it was not counted");
        }
        return !ended;
    }

    @Override
    public void decrementLive(String counter) {
        String name = Names.clean(requireNonNull(counter, "counter"));
        CounterCell cell = takeLive(name);
        if (cell == null && pathCounters().cellOrNull(name) == null) {
            // It may have found no room, and so be counted together with others.
            cell = takeLive(CounterStore.FOLDED);
        }
        if (cell != null) {
            counted(cell);
        } else {
            runtime.misuse("decrementLive took more from a counter than its context had added; it was kept at 0");
        }
    }

    /** {@return what was taken from, or {@code null} if this context has nothing there} */
    private @Nullable CounterCell takeLive(String name) {
        NodeExtras x = extras();
        synchronized (x) {
            NodeExtras.OwnLive own = x.live == null ? null : x.live.get(name);
            if (own == null || own.count == 0) {
                return null;
            }
            own.count--;
            own.cell.addLive(-1);
            return own.cell;
        }
    }

    @Override
    @MustBeClosed
    public LiveCount trackLive(String counter) {
        CounterCell cell = cell(counter);
        // Total before live: nobody sees more alive than there ever were (rule M9). One event tells of both.
        cell.add(1);
        addLive(cell);
        counted(cell);
        AtomicBoolean closed = new AtomicBoolean();
        LiveCount count = () -> {
            // Not a misuse when there is nothing to take: the context ended first and took it back.
            if (closed.compareAndSet(false, true) && takeLive(cell.name()) != null) {
                counted(cell);
            }
        };
        LeakTracker leaks = runtime.leaks();
        return leaks == null ? count : leaks.liveCount(this, cell.name(), count);
    }

    private void counted(CounterCell cell) {
        touch();
        runtime.changed();
        if (runtime.hasListeners()) {
            CounterCell at = cell.last();
            runtime.tell(new ContextEvent.CounterChanged(id, at.path().path(), at.name(), at.get(), at.live()));
        }
    }

    @Override
    public TotalCounter totalCounter(String counter) {
        CounterCell cell = cell(counter);
        return new TotalCounter() {
            @Override
            public void increment() {
                add(1);
            }

            @Override
            public void add(long n) {
                addTotal(cell, n);
            }

            @Override
            public long get() {
                return cell.get();
            }
        };
    }

    @Override
    public long getTotal(String counter) {
        CounterCell cell = pathCounters().cellOrNull(requireNonNull(counter, "counter"));
        return cell == null ? 0 : cell.get();
    }

    @Override
    public long getLive(String counter) {
        CounterCell cell = pathCounters().cellOrNull(requireNonNull(counter, "counter"));
        return cell == null ? 0 : cell.live();
    }

    @Override
    public long subtreeTotal(String counter) {
        return runtime.counterStore().subtree(pathCounters(), requireNonNull(counter, "counter"), CounterCell::total);
    }

    @Override
    public long subtreeLive(String counter) {
        return runtime.counterStore().subtree(pathCounters(), requireNonNull(counter, "counter"), CounterCell::live);
    }

    // --- locks

    @Override
    @SuppressWarnings("unchecked") // the value's type is the caller's word, as for every get-or-create by name
    public <T extends @Nullable Object> ContextMutex<T> mutex(String lockName, T value) {
        FifoMutex<T> mutex = lock(lockName, FifoMutex.class, n -> new FifoMutex<>(this, n, value));
        checkFirst(mutex, value, mutex.firstValue(), "first value");
        return mutex;
    }

    @Override
    @SuppressWarnings("NullAway") // a mutex without a value protects null, which its type then says
    public ContextMutex<?> mutex(String lockName) {
        return lock(lockName, FifoMutex.class, n -> new FifoMutex<@Nullable Object>(this, n, null));
    }

    @Override
    @SuppressWarnings("unchecked") // the value's type is the caller's word, as for every get-or-create by name
    public <T extends @Nullable Object> ContextReadWriteLock<T> readWriteLock(String lockName, T value) {
        FifoReadWriteLock<T> lock =
                lock(lockName, FifoReadWriteLock.class, n -> new FifoReadWriteLock<>(this, n, value));
        checkFirst(lock, value, lock.firstValue(), "first value");
        return lock;
    }

    @Override
    public ContextSemaphore semaphore(String lockName, int permits) {
        if (permits < 1) {
            throw new IllegalArgumentException(
                    "a semaphore of " + permits + " permits could never be acquired; make it with at least one");
        }
        FifoSemaphore semaphore = lock(lockName, FifoSemaphore.class, n -> new FifoSemaphore(this, n, permits));
        checkFirst(semaphore, permits, semaphore.permits(), "number of permits");
        return semaphore;
    }

    private void checkFirst(FifoLock<?> lock, @Nullable Object asked, @Nullable Object first, String what) {
        if (!Objects.equals(asked, first)) {
            runtime.misuse(lock + " was asked for with another " + what + "; the first one stays");
        }
    }

    private <L extends FifoLock<?>> L lock(String lockName, Class<L> kind, Function<String, L> make) {
        String key = Names.bounded(requireNonNull(lockName, "name"));
        NodeExtras x = extras();
        FifoLock<?> lock;
        synchronized (x) {
            lock = x.locks().computeIfAbsent(key, k -> make.apply(Names.clean(lockName)));
        }
        if (!kind.isInstance(lock)) {
            throw new IllegalStateException(lock + " of " + path()
                    + " was asked for as a lock of another kind; give that one a name of its own");
        }
        return kind.cast(lock);
    }

    List<FifoLock<?>> lockList() {
        NodeExtras x = extras;
        if (x == null) {
            return List.of();
        }
        synchronized (x) {
            return x.lockList();
        }
    }

    // --- status, current, end

    @Override
    public StatusSnapshot subtreeStatus() {
        return runtime.status(this);
    }

    @Override
    public StatusSnapshot subtreeStatus(SnapshotLimits limits) {
        return runtime.status(this, limits);
    }

    @Override
    @MustBeClosed
    public ContextScope makeCurrent() {
        return runtime.current().makeCurrent(this);
    }

    @Override
    public Runnable wrap(Runnable task) {
        requireNonNull(task, "task");
        return () -> {
            try (ContextScope ignored = makeCurrent()) {
                task.run();
            }
        };
    }

    @Override
    public <T extends @Nullable Object> Callable<T> wrapCallable(Callable<T> task) {
        requireNonNull(task, "task");
        return () -> {
            try (ContextScope ignored = makeCurrent()) {
                return task.call();
            }
        };
    }

    @Override
    public Executor wrapExecutor(Executor executor) {
        requireNonNull(executor, "executor");
        return task -> executor.execute(wrap(task));
    }

    @Override
    public void persist() {
        NodeExtras x = extras();
        boolean late;
        synchronized (x) {
            late = life == CLOSED;
            x.persisted |= !late;
        }
        if (late) {
            runtime.misuse("persist() was called on a context that had ended; it is not remembered");
        }
    }

    @Override
    public void failed(Throwable failure) {
        requireNonNull(failure, "failure");
        NodeExtras x = extras;
        if (x != null) {
            synchronized (x) {
                if (x.persisted && x.failure == null) {
                    x.failure = failure;
                }
            }
        }
    }

    private void remember(@Nullable Throwable failure) {
        FinishedContext.Outcome outcome = RecentContexts.outcome(cancelReason, failure, runtime.redactor());
        PathCounters path = pathCounters();
        while (!path.countEnd(runtime.sinceStart(endedNanos), outcome)) {
            path = pathCounters();
        }
        runtime.recentContexts().add(this, endedNanos, outcome, path);
    }

    @Override
    public void close() {
        if (parent == null && !runtime.isClosing()) {
            return;
        }
        int found;
        synchronized (this) {
            if (life != ACTIVE) {
                return;
            }
            found = beginToClose(extras, stripes() != null);
        }
        boolean more = (found & HAS_MORE) != 0;
        LeakTracker leaks = runtime.leaks();
        if (leaks != null) {
            leaks.contextClosed(id);
        }
        if (more) {
            endExtras();
        }
        if ((found & IS_CLOSED) != 0) {
            leaveTree(more);
        } else {
            changed("state");
        }
    }

    /** {@return {@link #IS_CLOSED} if there are no children, {@link #HAS_MORE} if more has to end than the node itself} */
    @GuardedBy("this")
    private int beginToClose(@Nullable NodeExtras x, boolean striped) {
        boolean childless = !striped && first() == null;
        byte next = childless ? CLOSED : CLOSING;
        boolean more = false;
        if (x == null) {
            end(next, runtime.hasListeners());
        } else {
            synchronized (x) {
                // What is not there by now does not come any more.
                x.ended = true;
                more = x.hasMoreToEnd();
                end(next, x.persisted || runtime.hasListeners());
            }
        }
        // From here on no stripe takes another child.
        boolean closed = childless || (striped && endIfChildless());
        return (closed ? IS_CLOSED : 0) | (more || (closed && !childless) ? HAS_MORE : 0);
    }

    /**
     * Writes the end, or of one that closes when that began. It is exact where it is remembered or somebody is told at
     * once; for others a look at the clock would be half the price of their lives.
     */
    @GuardedBy("this")
    private void end(byte next, boolean exact) {
        long now = exact ? runtime.nanos() : runtime.touchNanos();
        ENDED.lazySet(this, now - createdNanos < 0 ? createdNanos : now);
        // The monitor orders it for all who decide something by it; the fence of a volatile write is not needed.
        LIFE.setRelease(this, next);
    }

    /** {@return whether the calling thread closed this closing node, after its last child had left} */
    @GuardedBy("this")
    private boolean endIfChildless() {
        if (life != CLOSING || !isChildless()) {
            return false;
        }
        end(CLOSED, true);
        return true;
    }

    private void endExtras() {
        NodeExtras x = extras;
        if (x == null) {
            return;
        }
        List<RunningOperation> running;
        List<CounterCell> cells = new ArrayList<>();
        synchronized (x) {
            if (x.live != null) {
                for (NodeExtras.OwnLive own : x.live.values()) {
                    if (own.count > 0) {
                        own.cell.addLive(-own.count);
                        own.count = 0;
                        cells.add(own.cell);
                    }
                }
                x.live = null;
            }
            running = x.operationList();
            x.operations = null;
        }
        cells.forEach(this::counted);
        running.forEach(RunningOperation::close);
    }

    /** Takes this node out of the tree, and every closing ancestor that it was the last child of. */
    private void leaveTree(boolean more) {
        ContextNode node = this;
        boolean hasMore = more;
        ContextPath path = runtime.hasListeners() ? path() : null;
        while (node != null) {
            PathCounters counted = node.counters;
            if (counted != null) {
                counted.ended(node.endedNanos);
            }
            if (hasMore) {
                node.letGo();
            }
            hasMore = true;
            ContextNode up = node.parent;
            boolean last = false;
            boolean emptied = false;
            if (up != null) {
                emptied = up.unlink(node);
                if (emptied && up.life == CLOSING) {
                    synchronized (up) {
                        last = up.endIfChildless();
                    }
                }
                up.touch();
            }
            runtime.contextClosed();
            // Whoever is told may ask for the version at once.
            runtime.changed();
            if (path != null) {
                runtime.tell(new ContextEvent.Closed(node.id, path));
                path = path.parent();
            }
            if (up != null && emptied && up.watched) {
                up.tellIfChildless();
            }
            node = last ? up : null;
        }
    }

    /** Drops what can be of no use to a node that is closed, and keeps its held locks in sight. */
    private void letGo() {
        NodeExtras x = extras;
        if (x == null) {
            return;
        }
        List<Deadline> deadlines;
        List<FifoLock<?>> locks;
        List<Waiter<?>> waits = List.of();
        List<Grant<?>> releasedWithEnd = List.of();
        boolean persisted;
        Throwable failure;
        synchronized (x) {
            if (cancelReason == null) {
                // No mark comes any more. Otherwise the thread that cancels is about to take the handlers.
                x.takeCancelHandlers();
                waits = x.waitList();
            }
            deadlines = x.takeDeadlines();
            locks = x.lockList();
            if (x.releasedWithEnd != null) {
                releasedWithEnd = List.copyOf(x.releasedWithEnd);
                x.releasedWithEnd = null;
            }
            persisted = x.persisted;
            failure = x.failure;
            x.persisted = false;
            x.failure = null;
        }
        deadlines.forEach(Deadline::close);
        waits.forEach(wait -> wait.lock.endWithContext(wait));
        releasedWithEnd.forEach(grant -> grant.lock.releaseAtEnd(grant));
        locks.forEach(runtime::keepIfBusy);
        if (persisted) {
            remember(failure);
        }
    }

    private NodeExtras extras() {
        NodeExtras x = extras;
        return x != null ? x : makeExtras();
    }

    private synchronized NodeExtras makeExtras() {
        NodeExtras x = extras;
        if (x == null) {
            x = new NodeExtras();
            x.ended = life != ACTIVE;
            extras = x;
        }
        return x;
    }

    /** What the builder was told, before the node is linked. */
    private void describe(@Nullable String text, List<Consumer<NodeExtras>> description) {
        // Nobody else sees them yet.
        NodeExtras x = new NodeExtras();
        x.label = text;
        for (Consumer<NodeExtras> part : description) {
            part.accept(x);
        }
        EXTRAS.setRelease(this, x);
    }

    @Nullable
    NodeExtras extrasOrNull() {
        return extras;
    }

    /** {@return the path and id, for logs} */
    @Override
    public String toString() {
        return path() + "#" + id + " " + state() + (cancelReason == null ? "" : ", cancelled");
    }
}
