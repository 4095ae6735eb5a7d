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
import com.fastn.context.status.HumanText;
import com.fastn.context.status.LockType;
import com.fastn.context.status.MetricValue;
import com.fastn.context.status.SnapshotLimits;
import com.fastn.context.status.StatusSnapshot;
import com.google.errorprone.annotations.MustBeClosed;
import java.lang.invoke.VarHandle;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.atomic.AtomicLongFieldUpdater;
import java.util.concurrent.atomic.AtomicReferenceFieldUpdater;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/** One context of the tree. */
public final class ContextNode extends TreeNode implements FastnContext {
    private static final AtomicReferenceFieldUpdater<ContextNode, @Nullable Object> ON_THREAD =
            AtomicReferenceFieldUpdater.newUpdater(ContextNode.class, Object.class, "onThread");
    private static final AtomicLongFieldUpdater<ContextNode> ACTIVITY =
            AtomicLongFieldUpdater.newUpdater(ContextNode.class, "activityNanos");
    private static final ContextKind[] KINDS = ContextKind.values();

    /** Beyond so many names of locks in one context they are likely to come from data, and to be more and more. */
    static final int MANY_LOCKS = 10_000;

    private final String name;
    // A byte instead of a reference: a node and nothing else is 96 bytes.
    private final byte kind;

    private volatile long activityNanos;
    // Null, the thread, or several: an object of the size of a number, as a node is 96 bytes.
    private volatile @Nullable Object onThread;
    private volatile @Nullable PathCounters counters;

    @SuppressWarnings("EnumOrdinal") // it never leaves this object
    ContextNode(EngineRuntime runtime, @Nullable ContextNode parent, String name, ContextKind kind) {
        super(runtime, parent);
        this.name = name;
        this.kind = (byte) kind.ordinal();
        // Nobody else sees it yet: without the fence of a volatile write.
        ACTIVITY.lazySet(this, createdNanos());
    }

    // --- who and when

    @Override
    public String name() {
        return name;
    }

    @Override
    public String label() {
        String known = labelOrNull();
        return known == null ? name : known;
    }

    @Override
    public ContextPath path() {
        PathCounters known = counters;
        if (known != null && !known.isBucket()) {
            return known.path();
        }
        List<String> names = new ArrayList<>();
        for (ContextNode node = this; node != null; node = node.parent()) {
            names.add(node.name);
        }
        Collections.reverse(names);
        return ContextPath.of(names);
    }

    @Override
    public ContextKind kind() {
        return KINDS[kind];
    }

    @Override
    public @Nullable CallerLink caller() {
        NodeExtras x = extrasOrNull();
        return x == null ? null : x.callerOrNull();
    }

    @Override
    public Instant createdAt() {
        return runtime().wallTimeOf(createdNanos());
    }

    @Override
    public Instant lastActivity() {
        return runtime().wallTimeOf(lastActivityNanos());
    }

    /** The coarse clock of {@link #touch} may stand a little before the exact time of the creation. */
    private long lastActivityNanos() {
        long last = activityNanos;
        return last - createdNanos() < 0 ? createdNanos() : last;
    }

    @Override
    public Duration duration() {
        return Duration.ofNanos(durationNanos(runtime().nanos()));
    }

    /** The same for one that is still open; it does not leap when this context closes meanwhile. */
    long ageNanos(long nowNanos) {
        return runtime().elapsed(createdNanos(), nowNanos);
    }

    long durationNanos(long nowNanos) {
        return runtime().elapsed(createdNanos(), isClosed() ? endedNanos() : nowNanos);
    }

    /** Since {@link #close} was called on a node that closes. */
    long closingNanos(long nowNanos) {
        return runtime().elapsed(endedNanos(), nowNanos);
    }

    @Override
    public Duration idleDuration() {
        return Duration.ofNanos(idleNanos(runtime().nanos()));
    }

    long idleNanos(long nowNanos) {
        return runtime().elapsed(lastActivityNanos(), nowNanos);
    }

    @Override
    public void touch() {
        // Most signs of life are of the same tick: nothing is written then, and no fence is paid for otherwise.
        if (!runtime().isTouchedNow(activityNanos)) {
            ACTIVITY.lazySet(this, runtime().touchNanos());
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
        extras().setActivity(requireNonNull(activity, "activity"));
        touch();
    }

    /** Says that the calling thread runs in this context from now on, until {@link #leaveThread}. */
    public void enterThread() {
        enter(Thread.currentThread());
    }

    /** Says that the calling thread no longer runs in this context; another one, if this is called on a wrong thread. */
    public void leaveThread() {
        leave(Thread.currentThread());
    }

    void enter(Thread thread) {
        if (onThread != null || !ON_THREAD.compareAndSet(this, null, thread)) {
            enterBeside(thread);
        }
    }

    private void enterBeside(Thread thread) {
        while (true) {
            Object before = onThread;
            if (before instanceof ThreadCrowd crowd) {
                if (crowd.enter(thread)) {
                    return;
                }
                // It is over, and whoever ended it has not come to say so yet.
                ON_THREAD.compareAndSet(this, crowd, null);
            } else if (ON_THREAD.compareAndSet(this, before, RunningThreads.with(before, thread))) {
                return;
            }
        }
    }

    void leave(Thread thread) {
        if (onThread != thread || !ON_THREAD.compareAndSet(this, thread, null)) {
            leaveOthers(thread);
        }
    }

    private void leaveOthers(Thread thread) {
        while (true) {
            Object before = onThread;
            if (before == null) {
                return;
            }
            if (before instanceof ThreadCrowd crowd) {
                if (crowd.leave(thread)) {
                    ON_THREAD.compareAndSet(this, crowd, null);
                }
                return;
            }
            if (ON_THREAD.compareAndSet(this, before, RunningThreads.without(before, thread))) {
                return;
            }
        }
    }

    boolean isOnThread() {
        return onThread != null && !threads().isEmpty();
    }

    boolean isOnOtherThread() {
        Thread mine = Thread.currentThread();
        return onThread != mine && threads().stream().anyMatch(each -> each != mine);
    }

    boolean isOn(Thread thread) {
        return threads().stream().anyMatch(each -> each == thread);
    }

    /** The threads that are known to run in this context at this moment and have not ended; of a few the one that entered last first. */
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
        ContextNode child = new ContextNode(runtime(), this, runtime().names().clean(childName), childKind);
        if (caller != null) {
            child.extras().setCaller(caller);
        }
        return attach(child);
    }

    /**
     * Opens a child that is remembered when it has ended, and counts it as one more in total and alive: the fast form for
     * what comes often.
     *
     * @param childName the child's name
     * @param childKind what it stands for
     * @param caller its known caller elsewhere, or {@code null}
     * @param counter what such contexts are counted as, at the child's path
     * @return the child, or one that is closed and cancelled from the start when this context is no longer open
     */
    public ContextNode openCounted(
            String childName, ContextKind childKind, @Nullable CallerLink caller, String counter) {
        ContextNode child = new ContextNode(runtime(), this, runtime().names().clean(childName), childKind);
        // Nobody else sees them yet.
        NodeExtras x = new NodeExtras();
        x.caller = caller;
        x.persisted = true;
        // Kept here, the next child finds them at once.
        pathCounters();
        CounterCell cell = child.cell(counter);
        LiveCounts.countFirst(child, x, runtime().names().clean(counter), cell);
        child.describe(x);
        attach(child);
        if (runtime().hasListeners() && child.state() != ContextState.CLOSED) {
            // After its context was told of. Of one that has ended, whoever took its count back tells.
            child.counted(cell);
        }
        return child;
    }

    /** Opens a child as it was described to a builder. */
    ContextNode openChild(
            String childName,
            ContextKind childKind,
            @Nullable String childLabel,
            @Nullable List<Function<NodeExtras, NodeExtras.Put>> description) {
        ContextNode child = new ContextNode(runtime(), this, runtime().names().clean(childName), childKind);
        if (childLabel != null || description != null) {
            child.describe(childLabel, description == null ? List.of() : description);
        }
        return attach(child);
    }

    /** Links a child that was made for this node. */
    private ContextNode attach(ContextNode child) {
        if (!runtime().mayBeThisDeep(child.depth())) {
            child.bornDead(new CancelReason(
                    CancelReason.Kind.REQUESTED,
                    "the tree may be " + runtime().maxDepth() + " deep at most",
                    runtime().root().name()));
            ContextEnd.takeBackCounts(child);
            return child;
        }
        boolean linked = link(child);
        // Whoever gets the child from here, even by a race, finds the list that it is in.
        VarHandle.storeStoreFence();
        if (!linked) {
            CancelReason inherited = cancelReason();
            runtime().misuse("a child was opened in a context that had ended; it is closed from the start");
            child.bornDead(
                    inherited != null
                            ? fromParent(inherited)
                            : new CancelReason(CancelReason.Kind.PARENT, "the parent had ended", path().toString()));
            ContextEnd.takeBackCounts(child);
            return child;
        }
        touch();
        runtime().changed();
        // Somebody may have found it in the tree and closed it, and told of that.
        if (runtime().hasListeners() && child.state() != ContextState.CLOSED) {
            runtime().tell(new ContextEvent.Opened(child.id(), child.path(), id(), child.kind()));
        }
        if (child.isBornCancelled()) {
            ContextEnd.ofBornCancelled(child);
        }
        return child;
    }

    @Override
    public List<FastnContext> children() {
        return Collections.unmodifiableList(new ArrayList<>(childNodes()));
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
        CancellationStage stage = new CancellationStage(this);
        synchronized (x) {
            CancellationStage known = x.cancellation;
            if (known != null) {
                return known;
            }
            // One stage for all who ask: each further one would hang on the first for as long as this context lives.
            x.cancellation = stage;
        }
        addCancelHandler(stage::fire, null);
        return stage;
    }

    @Override
    public Registration onCancel(Consumer<? super CancelReason> handler) {
        return addCancelHandler(
                requireNonNull(handler, "handler"), runtime().current().completions());
    }

    Registration addCancelHandler(Consumer<? super CancelReason> handler, @Nullable Executor where) {
        CancelHandler registered = new CancelHandler(this, handler, where);
        NodeExtras x = extras();
        CancelReason reason;
        synchronized (x) {
            // The canceller marks first and then takes the handlers; so either it finds this one, or we see its mark.
            boolean useful = mayBeCancelled();
            reason = cancelReason();
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
        NodeExtras x = extrasOrNull();
        if (x == null) {
            return 0;
        }
        synchronized (x) {
            return x.cancelHandlers == null ? 0 : x.cancelHandlers.size();
        }
    }

    void forget(CancelHandler handler) {
        NodeExtras x = extrasOrNull();
        if (x != null) {
            synchronized (x) {
                if (x.cancelHandlers != null) {
                    x.cancelHandlers.remove(handler);
                }
            }
        }
    }

    void forget(Deadline deadline) {
        NodeExtras x = extrasOrNull();
        if (x != null) {
            synchronized (x) {
                if (x.deadlines != null) {
                    x.deadlines.remove(deadline);
                }
            }
        }
    }

    @Override
    public void throwIfCancelled() {
        CancelReason reason = cancelReason();
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
        CancelReason known = cancelReason();
        if (isClosed()) {
            return;
        }
        if (known == null) {
            CancelWalk.cancel(this, reason(why, message));
        } else if (runtime().isCancelling()) {
            // Perhaps not here; then this is a look for nothing.
            CancelWalk.finish(this, known);
        }
    }

    /** What this node says when it is the first to be cancelled. */
    CancelReason reason(CancelReason.Kind why, String message) {
        return new CancelReason(why, Names.clean(message), path().toString());
    }

    /** Whether anything has to be done for this node once it is marked. */
    boolean mayHaveCancelHandlers() {
        return extrasOrNull() != null;
    }

    @Override
    public CompletionStage<CancelReport> cancelAndReport(Duration timeout) {
        requireNonNull(timeout, "timeout");
        Executor where = runtime().current().completions();
        cancel("cancelAndReport(" + timeout + ") was called");
        return Stragglers.await(this, timeout, where);
    }

    @Override
    public Registration cancelAfter(Duration timeout) {
        if (requireNonNull(timeout, "timeout").isZero() || timeout.isNegative()) {
            cancel(CancelReason.Kind.TIMEOUT, "its time of " + timeout + " was over at once");
            return () -> {};
        }
        Deadline deadline = new Deadline(this, Timers.deadline(runtime().nanos(), timeout));
        NodeExtras x = extras();
        synchronized (x) {
            // As with handlers: whoever cancels or closes marks first and then takes the deadlines.
            if (!mayBeCancelled()) {
                return () -> {};
            }
            x.deadlines().add(deadline);
        }
        deadline.runsOn(runtime()
                .timers()
                .after(timeout, () -> cancel(CancelReason.Kind.TIMEOUT, "its time of " + timeout + " ran out")));
        return deadline;
    }

    /** When the time of this context, or of one above it, runs out first; 0 when none has a time. */
    long deadlineNanos() {
        long first = 0;
        for (ContextNode node = this; node != null; node = node.parent()) {
            NodeExtras x = node.extrasOrNull();
            long own = x == null ? 0 : x.firstDeadlineNanos();
            first = Timers.earlier(first, own);
        }
        return first;
    }

    @Override
    public <T extends @Nullable Object> CompletionStage<T> race(CompletionStage<T> stage) {
        return Selection.unlessCancelled(this, requireNonNull(stage, "stage"));
    }

    // --- operations

    @Override
    public <T extends @Nullable Object> CompletionStage<T> awaiting(String operation, CompletionStage<T> stage) {
        requireNonNull(stage, "stage");
        RunningOperation running = begin(operation, runtime().nanos());
        try {
            if (stage instanceof Pending) {
                // Of a lock: whoever gives this one up leaves the queue, and it is known what the work that gives it
                // waits for.
                stage.whenComplete((value, failure) -> running.close());
                return stage;
            }
            // Not the same stage: what hangs on that may go on first, and is not what the operation waits for.
            CompletableFuture<T> after = new CompletableFuture<>();
            stage.whenComplete((value, failure) -> {
                try {
                    running.close();
                } finally {
                    // Whatever the clock does, somebody waits.
                    Stages.complete(after, value, failure);
                }
            });
            return after;
        } catch (Throwable t) {
            // Nobody else would end it, and how long it takes is not known.
            running.abandon();
            throw t;
        }
    }

    @Override
    public <T extends @Nullable Object> CompletionStage<T> select(
            String operation, Collection<? extends CompletionStage<? extends T>> stages) {
        requireNonNull(operation, "operation");
        List<CompletionStage<? extends T>> branches = List.copyOf(requireNonNull(stages, "stages"));
        if (branches.isEmpty()) {
            throw new IllegalArgumentException("a select of no stages would never complete; pass at least one");
        }
        return awaiting(operation, Selection.<T>first(branches));
    }

    @Override
    @MustBeClosed
    public Operation operation(String operation) {
        return operation(operation, runtime().nanos());
    }

    /**
     * The same for whoever has looked at the clock anyway.
     *
     * @param operation a short name
     * @param nowNanos the present time of the ticker
     * @return the operation; closing it ends it
     */
    @MustBeClosed
    public Operation operation(String operation, long nowNanos) {
        Operation running = begin(requireNonNull(operation, "name"), nowNanos);
        LeakTracker leaks = runtime().leaks();
        return leaks == null ? running : leaks.operation(this, running);
    }

    private RunningOperation begin(String operation, long nowNanos) {
        RunningOperation running =
                new RunningOperation(this, runtime().names().clean(requireNonNull(operation, "operation")), nowNanos);
        NodeExtras x = extras();
        synchronized (x) {
            if (!x.ended) {
                x.operations().add(running);
            }
        }
        touch();
        runtime().changed();
        if (runtime().hasListeners()) {
            runtime().tell(new ContextEvent.OperationStarted(id(), path(), running.name()));
        }
        return running;
    }

    void operationEnded(RunningOperation operation, long elapsedNanos) {
        NodeExtras x = extras();
        boolean closeNow = false;
        synchronized (x) {
            if (x.operations != null) {
                x.operations.remove(operation);
                closeNow = x.closesNow();
            }
        }
        touch();
        runtime().changed();
        if (runtime().hasListeners()) {
            runtime().tell(new ContextEvent.OperationEnded(id(), path(), operation.name(), elapsedNanos));
        }
        if (closeNow) {
            // Unless something has begun meanwhile: the end of that comes here again.
            closeWhenDone();
        }
    }

    /** Whether a slow operation that has ended is more than the one around another that was slow, and is told. */
    boolean isSlowByItself(String operation, long startNanos, long endNanos, long slowNanos) {
        NodeExtras x = extras();
        synchronized (x) {
            NodeExtras.SlowTime inner = x.lastSlow;
            NodeExtras.SlowTime around = new NodeExtras.SlowTime(operation, startNanos, endNanos);
            if (inner != null && inner.leavesLittleOf(around, slowNanos)) {
                return false;
            }
            x.lastSlow = around;
            return true;
        }
    }

    /** The operations that are under way, the oldest first; a copy. */
    List<RunningOperation> operationsUnderWay() {
        NodeExtras x = extrasOrNull();
        if (x == null) {
            return List.of();
        }
        synchronized (x) {
            return x.operationList();
        }
    }

    /** {@return whether an operation of this context is under way} */
    public boolean isInOperation() {
        NodeExtras x = extrasOrNull();
        if (x == null) {
            return false;
        }
        synchronized (x) {
            return x.operations != null && x.operations.size() > 0;
        }
    }

    /** {@return the operation that was begun last, of those that are under way, or {@code null}} */
    public @Nullable Operation latestOperation() {
        List<RunningOperation> running = operationsUnderWay();
        return running.isEmpty() ? null : running.get(running.size() - 1);
    }

    /** Ends this context now, or as soon as the operations that run in it and its waits for locks have ended. */
    public void closeWhenDone() {
        ContextEnd.close(this, true);
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
            closeNow = x.closesNow();
        }
        if (closeNow) {
            // Unless something has begun meanwhile: the end of that comes here again.
            closeWhenDone();
        }
    }

    /** What this context waits for, the oldest wait first; some may have been granted in this moment. A copy. */
    List<Waiter<?>> waits() {
        NodeExtras x = extrasOrNull();
        if (x == null) {
            return List.of();
        }
        synchronized (x) {
            return x.waitList();
        }
    }

    /** Whether it waits for a lock at this moment, but for one. */
    boolean isWaitingForLock(@Nullable FifoLock<?> butFor) {
        NodeExtras x = extrasOrNull();
        return x != null && x.isWaitingForLock(butFor);
    }

    /** The locks that it waits for at this moment; of many waits those of the first. */
    Set<FifoLock<?>> locksWaitedFor() {
        NodeExtras x = extrasOrNull();
        return x == null ? Set.of() : x.locksWaitedFor();
    }

    /** Releases what was granted when this context ends. */
    void releaseWithEnd(Grant<?> grant) {
        NodeExtras x = extras();
        boolean late;
        synchronized (x) {
            late = isClosed();
            if (!late) {
                x.releasedWithEnd().add(grant);
            }
        }
        if (late) {
            grant.lock.releaseAtEnd(grant);
        }
    }

    void wasReleased(Grant<?> grant) {
        NodeExtras x = extrasOrNull();
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
        Object frozen = PlainValues.freeze(runtime(), key, value);
        wasPut(key, extras().putData(Names.bounded(key), frozen));
    }

    @Override
    public @Nullable JsonNode getData(String key) {
        requireNonNull(key, "key");
        NodeExtras x = extrasOrNull();
        return x == null ? null : x.dataAsJson(Names.bounded(key));
    }

    @Override
    public void addMetric(String key, MetricValue value) {
        requireNonNull(key, "key");
        requireNonNull(value, "value");
        MetricValue kept = PlainValues.freeze(runtime(), value);
        wasPut(key, extras().putMetric(Names.bounded(key), kept));
    }

    private void wasPut(String key, NodeExtras.Put put) {
        if (put == NodeExtras.Put.CHANGED) {
            changed(key);
        }
        tellIfRefused(put);
    }

    /** Not under the monitor of the extras: a misuse is logged. */
    void tellIfRefused(NodeExtras.Put put) {
        if (put == NodeExtras.Put.REFUSED) {
            runtime()
                    .misuse("a context was given more than " + NodeExtras.MOST_KEYS + " data keys, metrics or settings;"
                            + " further ones are not kept. Open contexts for what is many, or store it as one value");
        }
    }

    /**
     * Sets the name for people.
     *
     * @param label the label
     */
    public void setLabel(String label) {
        if (extras().setLabel(Names.clean(requireNonNull(label, "label")))) {
            changed("label");
        }
    }

    void changed(String key) {
        runtime().changed();
        if (runtime().hasListeners()) {
            runtime().tell(new ContextEvent.Changed(id(), path(), Names.clean(key)));
        }
    }

    @Override
    public @Nullable Object setting(String key) {
        String known = Names.bounded(requireNonNull(key, "key"));
        for (ContextNode node = this; node != null; node = node.parent()) {
            Object value = node.ownSetting(known);
            if (value != null) {
                return value;
            }
        }
        return null;
    }

    @Nullable
    Object ownSetting(String key) {
        NodeExtras x = extrasOrNull();
        return x == null ? null : x.settingOrNull(key);
    }

    /** A copy of the own settings whose keys begin so. */
    Map<String, Object> ownSettings(String prefix) {
        NodeExtras x = extrasOrNull();
        return x == null ? Map.of() : x.settingsOf(prefix);
    }

    @Override
    public void setSetting(String key, @Nullable Object value) {
        requireNonNull(key, "key");
        Object kept = value == null ? null : KnownSettings.checked(runtime(), key, value);
        wasPut(key, extras().putSetting(Names.bounded(key), kept));
    }

    // --- counters

    PathCounters pathCounters() {
        PathCounters known = counters;
        if (known == null || known.isFolded()) {
            known = PathCounters.find(this);
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
        LiveCounts.increment(this, runtime().names().clean(counter), cell);
    }

    @Override
    public void decrementLive(String counter) {
        LiveCounts.decrement(this, runtime().names().clean(requireNonNull(counter, "counter")));
    }

    @Override
    @MustBeClosed
    public LiveCount trackLive(String counter) {
        String name = runtime().names().clean(requireNonNull(counter, "counter"));
        return LiveCounts.track(this, name, cell(counter));
    }

    /** Touches this context for a count, and tells of it. */
    void counted(CounterCell cell) {
        touch();
        runtime().changed();
        if (runtime().hasListeners()) {
            ContextEvent event = CounterCell.changed(cell, id());
            runtime().counterStore().tellOverflows();
            runtime().tell(event);
        }
    }

    @Override
    public TotalCounter totalCounter(String counter) {
        CounterCell first = cell(counter);
        return new TotalCounter() {
            private CounterCell cell = first;

            @Override
            public void increment() {
                add(1);
            }

            @Override
            public void add(long n) {
                CounterCell known = cell;
                if (known.isFolded()) {
                    // Its path was: what comes from now on is counted there anew, as by whoever names the counter.
                    known = cell(counter);
                    cell = known;
                }
                addTotal(known, n);
            }

            @Override
            public long get() {
                CounterCell known = cell;
                return known.isFolded() ? getTotal(counter) : known.get();
            }
        };
    }

    @Override
    public long getTotal(String counter) {
        CounterCell cell = cellOrNull(counter);
        return cell == null ? 0 : cell.get();
    }

    @Override
    public long getLive(String counter) {
        CounterCell cell = cellOrNull(counter);
        return cell == null ? 0 : cell.live();
    }

    @Override
    public long subtreeTotal(String counter) {
        return subtree(counter, CounterCell::total);
    }

    @Override
    public long subtreeLive(String counter) {
        return subtree(counter, CounterCell::live);
    }

    private long subtree(String counter, ToLongFunction<CounterCell> read) {
        requireNonNull(counter, "counter");
        PathCounters known = countersToRead();
        String name = runtime().names().clean(counter);
        return known == null ? 0 : runtime().counterStore().subtree(known, name, read);
    }

    private @Nullable CounterCell cellOrNull(String counter) {
        requireNonNull(counter, "counter");
        PathCounters known = countersToRead();
        return known == null ? null : known.cellOrNull(runtime().names().clean(counter));
    }

    /** Whoever only asks makes no path, which could push another one out. */
    private @Nullable PathCounters countersToRead() {
        PathCounters known = countersOrNull();
        return known != null ? known : runtime().counterStore().find(path());
    }

    // --- locks

    @Override
    @SuppressWarnings("unchecked") // the value's type is the caller's word, as for every get-or-create by name
    public <T extends @Nullable Object> ContextMutex<T> mutex(String lockName, T value) {
        FifoMutex<T> mutex = lock(lockName, LockType.MUTEX, FifoMutex.class, n -> new FifoMutex<>(this, n, value));
        checkFirst(mutex, value, mutex.firstValue(), "first value");
        return mutex;
    }

    @Override
    @SuppressWarnings("NullAway") // a mutex without a value protects null, which its type then says
    public ContextMutex<?> mutex(String lockName) {
        return lock(lockName, LockType.MUTEX, FifoMutex.class, n -> new FifoMutex<@Nullable Object>(this, n, null));
    }

    @Override
    @SuppressWarnings("unchecked") // the value's type is the caller's word, as for every get-or-create by name
    public <T extends @Nullable Object> ContextReadWriteLock<T> readWriteLock(String lockName, T value) {
        FifoReadWriteLock<T> lock =
                lock(lockName, LockType.RW_LOCK, FifoReadWriteLock.class, n -> new FifoReadWriteLock<>(this, n, value));
        checkFirst(lock, value, lock.firstValue(), "first value");
        return lock;
    }

    @Override
    @SuppressWarnings("NullAway") // as of a mutex without a value
    public ContextReadWriteLock<?> readWriteLock(String lockName) {
        return lock(
                lockName,
                LockType.RW_LOCK,
                FifoReadWriteLock.class,
                n -> new FifoReadWriteLock<@Nullable Object>(this, n, null));
    }

    @Override
    public ContextSemaphore semaphore(String lockName, int permits) {
        if (permits < 1) {
            throw new IllegalArgumentException("semaphore \"" + Names.clean(requireNonNull(lockName, "name")) + "\" of "
                    + path() + " was to have " + permits + " permits, so that it could never be acquired; make it with"
                    + " at least one");
        }
        FifoSemaphore semaphore =
                lock(lockName, LockType.SEMAPHORE, FifoSemaphore.class, n -> new FifoSemaphore(this, n, permits));
        checkFirst(semaphore, permits, semaphore.permits(), "number of permits");
        return semaphore;
    }

    private void checkFirst(FifoLock<?> lock, @Nullable Object asked, @Nullable Object first, String what) {
        if (!Objects.equals(asked, first)) {
            // The values are the application's: of what nobody knows the size and the secrets, the type says enough.
            runtime()
                    .misuse(
                            lock + " was asked for with another " + what
                                    + "; the first one stays: give the same each time, or take another name",
                            () -> "that of " + path() + ", which has " + shown(first) + ", with " + shown(asked)
                                    + " at " + Places.describe(Places.caller()));
        }
    }

    private static String shown(@Nullable Object value) {
        if (value == null || value instanceof Number || value instanceof Boolean) {
            return String.valueOf(value);
        }
        return "a " + value.getClass().getName();
    }

    private <L extends FifoLock<?>> L lock(String lockName, LockType type, Class<L> kind, Function<String, L> make) {
        String key = Names.bounded(requireNonNull(lockName, "name"));
        NodeExtras x = extras();
        FifoLock<?> lock;
        boolean many;
        synchronized (x) {
            Map<String, FifoLock<?>> locks = x.locks();
            int before = locks.size();
            lock = locks.computeIfAbsent(key, k -> make.apply(Names.clean(lockName)));
            many = before == MANY_LOCKS && locks.size() > before;
        }
        if (many) {
            runtime()
                    .misuse(
                            "more than " + HumanText.count(MANY_LOCKS)
                                    + " locks were made in one context, which keeps each"
                                    + " until it ends: where a name comes from data, take the lock of a context that ends with"
                                    + " its work, or a few locks that the names share",
                            () -> path() + ", with " + lock + " at " + Places.describe(Places.caller()));
        }
        if (!kind.isInstance(lock)) {
            throw new IllegalStateException(lock + " of " + path() + " was asked for as a " + type.text() + " by "
                    + (runtime().engineCurrent() instanceof ContextNode asker ? asker : this).path()
                    + "; give that one a name of its own");
        }
        return kind.cast(lock);
    }

    /**
     * Forgets a lock of this context that nobody holds and nobody waits for; for whoever knows that nobody is about to ask for
     * it, since that would have another lock of the same name then.
     *
     * @param lockName its name
     */
    public void forgetLock(String lockName) {
        NodeExtras x = extrasOrNull();
        if (x != null) {
            synchronized (x) {
                x.forgetLock(Names.bounded(lockName));
            }
        }
    }

    List<FifoLock<?>> lockList() {
        NodeExtras x = extrasOrNull();
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
        return runtime().status(this);
    }

    @Override
    public StatusSnapshot subtreeStatus(SnapshotLimits limits) {
        return runtime().status(this, limits);
    }

    @Override
    @MustBeClosed
    public ContextScope makeCurrent() {
        return runtime().current().makeCurrent(this);
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
    public ExecutorService wrapExecutor(ExecutorService executor) {
        return new WrappedExecutor(this, requireNonNull(executor, "executor"));
    }

    @Override
    public void persist() {
        NodeExtras x = extras();
        boolean late;
        synchronized (x) {
            late = isClosed();
            x.persisted |= !late;
        }
        if (late) {
            runtime().misuse("persist() was called on a context that had ended; it is not remembered");
        }
    }

    @Override
    public void failed(Throwable failure) {
        requireNonNull(failure, "failure");
        NodeExtras x = extras();
        synchronized (x) {
            // Whether it is to be remembered may be said later.
            if (!x.ended && x.failure == null) {
                x.failure = failure;
            }
        }
    }

    @Override
    public void close() {
        ContextEnd.close(this, false);
    }

    /** What the builder was told, before the node is linked. */
    private void describe(@Nullable String text, List<Function<NodeExtras, NodeExtras.Put>> description) {
        if (text != null && description.isEmpty()) {
            describe(text);
            return;
        }
        // Nobody else sees them yet.
        NodeExtras x = new NodeExtras();
        x.label = text;
        for (Function<NodeExtras, NodeExtras.Put> part : description) {
            tellIfRefused(part.apply(x));
        }
        describe(x);
    }

    /** {@return the path and id, for logs} */
    @Override
    public String toString() {
        return path() + "#" + id() + " " + state() + (cancelReason() == null ? "" : ", cancelled");
    }
}
