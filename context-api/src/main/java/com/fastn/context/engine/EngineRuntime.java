package com.fastn.context.engine;

import static java.util.Objects.requireNonNull;

import com.fastn.context.ContextEngine;
import com.fastn.context.ContextRuntime;
import com.fastn.context.Counters;
import com.fastn.context.FastnContext;
import com.fastn.context.Registration;
import com.fastn.context.Ticker;
import com.fastn.context.Unclosed;
import com.fastn.context.event.ContextEvent;
import com.fastn.context.event.ContextListener;
import com.fastn.context.status.BlockedPlace;
import com.fastn.context.status.CancelReason;
import com.fastn.context.status.Causes;
import com.fastn.context.status.ContextKind;
import com.fastn.context.status.ContextPath;
import com.fastn.context.status.Explanation;
import com.fastn.context.status.FinishedContext;
import com.fastn.context.status.FoldableTree;
import com.fastn.context.status.NodeIdentity;
import com.fastn.context.status.OperationBaseline;
import com.fastn.context.status.Redactor;
import com.fastn.context.status.SnapshotFold;
import com.fastn.context.status.SnapshotLimits;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.context.status.SystemMetrics;
import com.fastn.context.status.WaitEpisode;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.OutputStream;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One tree of contexts with its counters, locks, listeners and time. */
public final class EngineRuntime implements ContextRuntime {
    private static final Logger LOG = LoggerFactory.getLogger("com.fastn.context");
    private static final int UNUSUAL_DEPTH = 1_000;

    private final Ticker ticker;
    private final CurrentContext current;
    private final Instant startWall;
    private final long startNanos;
    private final CounterStore counters;
    private final RecentContexts recent;
    private final KnownNames names = new KnownNames();
    private final ContextNode root;
    private final @Nullable LeakTracker leaks;
    private final Misuses misuses = new Misuses();
    private final Listeners listeners = new Listeners(misuses::report);
    private final Timers timers;
    private final CoarseClock coarse;
    private final int maxDepth;
    private final OperationBaselines baselines = new OperationBaselines(this);
    private final CauseFinder causes;
    private final Trampoline trampoline = new Trampoline(this);
    private final SeenSince seenSince = new SeenSince(this);
    private final CancelWatch cancelWatch;

    @SuppressWarnings("ThreadLocalUsage") // one a runtime, of which there are few; null outside of scopes
    private final ThreadLocal<@Nullable Scope> scopes = new ThreadLocal<>();

    private final IdSource contextIds = new IdSource();
    private final AtomicLong lockIds = new AtomicLong();
    // Of the contexts that were made, those that found no place in the tree: rare, and so not counted with each that
    // did.
    private final LongAdder neverOpened = new LongAdder();
    private final LongAdder ended = new LongAdder();
    private final CopyOnWriteArrayList<Runnable> beforeSnapshot = new CopyOnWriteArrayList<>();
    private final Set<FifoLock<?>> locksOfEndedContexts = ConcurrentHashMap.newKeySet();
    private final AtomicBoolean closing = new AtomicBoolean();
    private final Set<Runnable> atClose = ConcurrentHashMap.newKeySet();

    // A hot path only looks whether the mark is set already; the version itself moves when somebody asks for it.
    private final AtomicBoolean dirty = new AtomicBoolean();
    private final Object versions = new Object();

    @GuardedBy("versions")
    private long version;

    // Whether no task comes any more.
    @GuardedBy("this")
    private boolean over;

    // Cancellations of subtrees whose marks are not all set yet.
    private final AtomicInteger cancelling = new AtomicInteger();
    // Whether one of them never set all of its marks. From then on a second cancellation looks below a cancelled
    // context.
    private volatile boolean cancellationBrokenOff;

    // The least that any context was ever told to be slow for an operation: below it none has to look at its settings.
    private final AtomicLong leastSlowNanos = new AtomicLong(WarningSettings.DEFAULTS.operationSlowNanos);

    private volatile Redactor redactor = Redactor.standard();
    private volatile NodeIdentity node;
    private volatile @Nullable Supplier<@Nullable SystemMetrics> systemMetrics;
    private volatile @Nullable ExecutorService tasks;
    private final CopyOnWriteArrayList<ChangeHook> onFirstChange = new CopyOnWriteArrayList<>();
    private volatile @Nullable Object environment;
    private volatile @Nullable Consumer<ContextNode> onCancelled;
    private volatile @Nullable Consumer<Waiter<?>> onQueued;

    /** One registration of a hook, of which the same may have several. */
    private static final class ChangeHook {
        final Runnable task;

        ChangeHook(Runnable task) {
            this.task = task;
        }
    }

    EngineRuntime(ContextEngine.Settings settings, CurrentContext current) {
        this(settings, current, CounterStore.Caps.DEFAULT, null);
    }

    EngineRuntime(ContextEngine.Settings settings, CurrentContext current, CounterStore.Caps caps) {
        this(settings, current, caps, null);
    }

    /** With timers of somebody else, whose time comes when that one says so; null for its own. */
    EngineRuntime(
            ContextEngine.Settings settings,
            CurrentContext current,
            CounterStore.Caps caps,
            @Nullable Timers othersTimers) {
        this.ticker = settings.ticker();
        this.timers = othersTimers != null ? othersTimers : new Timers(this::tasks);
        this.cancelWatch = new CancelWatch(timers);
        this.causes = new CauseFinder(this, settings.deadlockPolicy());
        this.onQueued = causes::queued;
        this.coarse = new CoarseClock(ticker, timers);
        this.maxDepth = settings.maxDepth();
        this.leaks = settings.strict() ? new LeakTracker(this) : null;
        this.current = current;
        this.startWall = ticker.wallTime();
        this.startNanos = ticker.nanos();
        this.node = NodeIdentities.make(settings.alias(), startWall);
        String rootName = Names.clean(settings.rootName());
        this.counters = new CounterStore(this, rootName, caps);
        this.recent = new RecentContexts(settings.recentContexts());
        this.root = new ContextNode(this, null, rootName, ContextKind.ROOT);
        root.setLabel(settings.rootLabel());
    }

    // --- API

    @Override
    public ContextNode root() {
        return root;
    }

    @Override
    public NodeIdentity node() {
        return node;
    }

    /**
     * Names the node anew; its incarnation stays.
     *
     * @param alias what operators call the node
     */
    public void rename(String alias) {
        node = new NodeIdentity(Names.clean(requireNonNull(alias, "alias")), node.incarnation());
        changed();
    }

    @Override
    public @Nullable FastnContext find(ContextPath path) {
        List<String> names =
                requireNonNull(path, "path").names().stream().map(Names::clean).toList();
        if (!names.get(0).equals(root.name())) {
            return null;
        }
        ArrayDeque<ContextNode> open = new ArrayDeque<>();
        open.add(root);
        for (int depth = 1; depth < names.size(); depth++) {
            ArrayDeque<ContextNode> next = new ArrayDeque<>();
            for (ContextNode at : open) {
                for (ContextNode child : at.childNodes()) {
                    if (child.name().equals(names.get(depth))) {
                        next.add(child);
                    }
                }
            }
            open = next;
        }
        return open.stream().min(TreeNode.OLDEST_FIRST).orElse(null);
    }

    @Override
    public @Nullable ContextNode find(long contextId) {
        ArrayDeque<ContextNode> open = new ArrayDeque<>();
        open.add(root);
        for (ContextNode at = open.poll(); at != null; at = open.poll()) {
            if (at.id() == contextId) {
                return at;
            }
            open.addAll(at.childNodes());
        }
        return null;
    }

    @Override
    public Counters counters() {
        return counters;
    }

    @Override
    public StatusSnapshot status() {
        return status(root);
    }

    @Override
    public List<FinishedContext> recent() {
        return recent.list(this);
    }

    @Override
    public StatusSnapshot statusWithRecent() {
        StatusSnapshot now = status();
        return now.withRecent(recent()).withCauses(now.causes().withEpisodes(causes.knownEpisodes()));
    }

    CauseFinder causes() {
        return causes;
    }

    @Override
    public StatusSnapshot statusWithRecent(SnapshotLimits limits) {
        // The tree has to make room for the list.
        StatusSnapshot now = status(limits);
        Causes known = now.causes().withEpisodes(causes.knownEpisodes());
        return SnapshotFold.fold(now.withRecent(recent()).withCauses(known), limits);
    }

    RecentContexts recentContexts() {
        return recent;
    }

    KnownNames names() {
        return names;
    }

    @Override
    public StatusSnapshot status(SnapshotLimits limits) {
        return status(root, limits);
    }

    StatusSnapshot status(ContextNode from) {
        runHooks();
        return SnapshotTaker.take(this, from, latestMetrics());
    }

    StatusSnapshot status(ContextNode from, SnapshotLimits limits) {
        requireNonNull(limits, "limits");
        runHooks();
        return SnapshotTaker.take(this, from, latestMetrics(), limits);
    }

    @Override
    public FoldableTree tree() {
        runHooks();
        return SnapshotTaker.tree(this, root);
    }

    @Override
    public void writeStatus(OutputStream out) {
        requireNonNull(out, "out");
        runHooks();
        SnapshotTaker.write(this, root, latestMetrics(), out);
    }

    private void runHooks() {
        for (Runnable hook : beforeSnapshot) {
            try {
                hook.run();
            } catch (Throwable t) {
                LoggedFailure.error(LOG, t, "a hook before a snapshot failed; the snapshot goes on without it");
            }
        }
    }

    private @Nullable SystemMetrics latestMetrics() {
        Supplier<@Nullable SystemMetrics> source = systemMetrics;
        if (source == null) {
            return null;
        }
        try {
            return source.get();
        } catch (Throwable t) {
            LoggedFailure.error(LOG, t, "the source of system metrics failed; the snapshot goes on without them");
            return null;
        }
    }

    @Override
    public @Nullable Explanation explain(long contextId) {
        return causes.explain(contextId);
    }

    @Override
    public @Nullable Explanation explain(ContextPath path) {
        return causes.explain(requireNonNull(path, "path").toString());
    }

    @Override
    public @Nullable Explanation explain(String path) {
        return causes.explain(requireNonNull(path, "path"));
    }

    @Override
    public List<Explanation> explainAll() {
        return causes.explainAll();
    }

    @Override
    public List<WaitEpisode> episodes() {
        return causes.episodes();
    }

    @Override
    public Flow.Publisher<StatusSnapshot> statusStream() {
        return new StatusStream(this);
    }

    @Override
    public long version() {
        // Under one monitor: otherwise the mark is gone for a moment, and another thread finds the old version.
        synchronized (versions) {
            if (dirty.getAndSet(false)) {
                version++;
            }
            return version;
        }
    }

    @Override
    public Registration addListener(ContextListener listener) {
        return listeners.add(listener);
    }

    @Override
    public synchronized Registration setSystemMetrics(Supplier<@Nullable SystemMetrics> source) {
        requireNonNull(source, "source");
        systemMetrics = source;
        return () -> {
            synchronized (this) {
                if (systemMetrics == source) {
                    systemMetrics = null;
                }
            }
        };
    }

    @Override
    public void setRedactor(Redactor filter) {
        redactor = requireNonNull(filter, "filter");
        changed();
    }

    Redactor redactor() {
        return redactor;
    }

    @Override
    public Map<String, OperationBaseline> operationBaselines() {
        return baselines.all();
    }

    @Override
    public List<String> misuses() {
        return misuses.list();
    }

    @Override
    public List<Unclosed> unclosed() {
        LeakTracker tracker = leaks;
        return tracker == null ? List.of() : tracker.list();
    }

    @Override
    public void close() {
        if (!closing.compareAndSet(false, true)) {
            return;
        }
        root.cancel(CancelReason.Kind.SHUTDOWN, "the runtime closes");
        LeakTracker tracker = leaks;
        if (tracker != null) {
            tracker.tellWhatIsLeft();
        }
        end();
        timers.close();
        coarse.stop();
        endTasks();
        // Last: another runtime may have no thread for its timers.
        causes.deadlocks().runtimeClosed();
    }

    private void endTasks() {
        ExecutorService pool;
        // Under the monitor that makes the pool, so that none is made unseen meanwhile.
        synchronized (this) {
            over = true;
            pool = tasks;
        }
        if (pool != null) {
            pool.shutdown();
        }
    }

    private void end() {
        root.close();
        atClose.forEach(Runnable::run);
        atClose.clear();
    }

    // --- for the binding

    /**
     * Registers what is to be done before each snapshot.
     *
     * @param hook runs in the thread that asks for the snapshot
     * @return closing it takes the hook back
     */
    public Registration beforeSnapshot(Runnable hook) {
        beforeSnapshot.add(requireNonNull(hook, "hook"));
        AtomicBoolean taken = new AtomicBoolean();
        return () -> {
            if (taken.compareAndSet(false, true)) {
                beforeSnapshot.remove(hook);
            }
        };
    }

    @Override
    public Registration onFirstChange(Runnable hook) {
        ChangeHook added = new ChangeHook(requireNonNull(hook, "hook"));
        onFirstChange.add(added);
        return () -> onFirstChange.remove(added);
    }

    /**
     * Says what is to be done for contexts that are cancelled. At most one such hook is kept.
     *
     * @param hook runs in the thread that cancels, so it has to return at once; what it throws is logged. It runs once for each
     *     context that has more than a name and a label, such as a caller or a handler; the others are left out, unless
     *     somebody listens to events
     * @return closing it takes the hook back
     */
    public Registration onCancelled(Consumer<ContextNode> hook) {
        onCancelled = requireNonNull(hook, "hook");
        return () -> {
            if (onCancelled == hook) {
                onCancelled = null;
            }
        };
    }

    /**
     * Cancels contexts of this runtime and all below them, for somebody who must not be held up by what others have registered
     * for that, such as an event loop. They are marked when this returns; handlers, listeners and those who waited are told in a
     * thread that may block, except where there are none.
     *
     * @param contexts which, not their descendants
     * @param why who or what asks
     * @param message for people
     * @param patience for how long {@code then} waits for that at most
     * @param then is told once whether all was told, in a thread that does nothing else; where there was nobody to tell, in
     *     that of who asks, before this returns
     */
    public void cancelAside(
            List<ContextNode> contexts,
            CancelReason.Kind why,
            String message,
            Duration patience,
            Consumer<? super Boolean> then) {
        if (!hasListeners()
                && contexts.stream().allMatch(each -> each.isChildless() && !each.mayHaveCancelHandlers())) {
            contexts.forEach(each -> each.cancel(why, message));
            then.accept(true);
            return;
        }
        CompletableFuture<Boolean> told = new CompletableFuture<>();
        // First, so that it is not told in the thread of who asks because all has been told by now.
        var unused = told.thenAccept(then);
        CancelWalk walk = CancelWalk.cancelAside(contexts, why, message, () -> told.complete(true));
        try {
            Registration timer = timers().after(patience, () -> {
                try {
                    // Whoever asked may close this runtime next.
                    walk.handOn();
                } finally {
                    told.complete(false);
                }
            });
            var unusedToo = told.whenComplete((all, failure) -> timer.close());
        } catch (Throwable noThread) {
            // Nobody sees to the time, so nobody is waited for.
            LoggedFailure.error(LOG, noThread, "a cancellation is not waited for, as there is no thread for its time");
            told.complete(false);
        }
    }

    void cancelled(ContextNode context) {
        Consumer<ContextNode> hook = onCancelled;
        if (hook != null) {
            try {
                hook.accept(context);
            } catch (Throwable t) {
                LoggedFailure.error(LOG, t, "the hook on cancelled contexts failed");
            }
        }
    }

    /** {@return what the binding has attached, or {@code null} when this runtime belongs to no environment} */
    public @Nullable Object environment() {
        return environment;
    }

    /**
     * Attaches what the binding wants to find again from a context.
     *
     * @param owner the environment that this runtime belongs to, or {@code null} when it is let go
     */
    public void attach(@Nullable Object owner) {
        environment = owner;
    }

    /**
     * Counts a use that had to be repaired, and says it once in the log.
     *
     * @param what what was done and what became of it, without names that grow without bound
     */
    public void misuse(String what) {
        misuses.report(what);
    }

    /** Counts one as {@link #misuse(String)} does, and says of the first of its kind who it was and where. */
    public void misuse(String what, Supplier<String> first) {
        misuses.report(what, first);
    }

    /** {@return whether anybody wants to hear of events; without, none is made} */
    public boolean hasListeners() {
        return listeners.any();
    }

    /**
     * Says who knows the event loops and worker pools that stand still; at most one such source is kept.
     *
     * @param source is asked for each snapshot, without blocking
     * @return closing it takes the source back
     */
    public Registration setBlockedPlaces(Supplier<List<BlockedPlace>> source) {
        return causes.setPlaces(requireNonNull(source, "source"));
    }

    /** Has a stall noticed soon while nobody asks, for whoever knows that something stands still. It costs little to say it often. */
    public void noticeStall() {
        causes.stalled();
    }

    /**
     * Finds the open contexts that run on some threads at this moment.
     *
     * @param threads the threads
     * @return the contexts of each thread, of those on which one is known to run
     */
    public Map<Thread, List<ContextNode>> contextsOn(Set<Thread> threads) {
        Map<Thread, List<ContextNode>> found = new HashMap<>();
        ArrayDeque<ContextNode> open = new ArrayDeque<>();
        open.add(root);
        for (ContextNode at = open.poll(); at != null; at = open.poll()) {
            if (at.isOnThread()) {
                for (Thread thread : at.threads()) {
                    if (threads.contains(thread)) {
                        found.computeIfAbsent(thread, t -> new ArrayList<>()).add(at);
                    }
                }
            }
            open.addAll(at.childNodes());
        }
        return found;
    }

    /** {@return how many contexts are open, the root included} */
    public long openContexts() {
        return contextIds.given() - neverOpened.sum() - ended.sum();
    }

    /** {@return the source of time} */
    public Ticker ticker() {
        return ticker;
    }

    // --- for the engine

    /** Null unless this runtime is strict. */
    @Nullable
    LeakTracker leaks() {
        return leaks;
    }

    boolean isClosing() {
        return closing.get();
    }

    boolean isClosed() {
        return closing.get();
    }

    /** Registers what is to be done once when this runtime closes; at once if it did. It must not throw. */
    Registration atClose(Runnable hook) {
        AtomicBoolean done = new AtomicBoolean();
        Runnable once = () -> {
            if (done.compareAndSet(false, true)) {
                hook.run();
            }
        };
        atClose.add(once);
        if (isClosed()) {
            atClose.remove(once);
            once.run();
        }
        return () -> atClose.remove(once);
    }

    /** Cancels and closes what is below the root, for a runtime that lives on. */
    void endChildren() {
        for (ContextNode child : root.childNodes()) {
            child.cancel(CancelReason.Kind.SHUTDOWN, "the application stops");
            child.close();
        }
    }

    CurrentContext current() {
        return current;
    }

    @Nullable
    FastnContext engineCurrent() {
        return current.get();
    }

    CounterStore counterStore() {
        return counters;
    }

    Timers timers() {
        return timers;
    }

    /**
     * Runs what may tell others, who may block, in a thread that does nothing else; here where the runtime is closed.
     *
     * @param task what to run
     */
    public void aside(Runnable task) {
        timers.soon(task);
    }

    Trampoline trampoline() {
        return trampoline;
    }

    CancelWatch cancelWatch() {
        return cancelWatch;
    }

    SeenSince seenSince() {
        return seenSince;
    }

    /** Per thread, the innermost {@code withLock} whose work runs there and has not given its stage yet. */
    ThreadLocal<@Nullable Scope> scopes() {
        return scopes;
    }

    /** Says what is told of each wait for a lock once it is in the queue. At most one such hook is kept. */
    Registration onQueued(Consumer<Waiter<?>> hook) {
        onQueued = requireNonNull(hook, "hook");
        return () -> {
            if (onQueued == hook) {
                onQueued = null;
            }
        };
    }

    void queued(Waiter<?> waiter) {
        Consumer<Waiter<?>> hook = onQueued;
        if (hook != null) {
            try {
                hook.accept(waiter);
            } catch (Throwable t) {
                LoggedFailure.error(LOG, t, "the hook on waits for locks failed");
            }
        }
    }

    /** The number of a new context, above that of its parent. */
    long nextContextId(@Nullable ContextNode parent) {
        return contextIds.nextAbove(parent == null ? 0 : parent.id());
    }

    long nextLockId() {
        return lockIds.incrementAndGet();
    }

    /**
     * Where the fences of a lock that is made now begin: at the microseconds since 1970. So they go on rising after a restart,
     * and when the lock of a name is made anew. The wall clock is read once, at the start.
     */
    long firstFence() {
        return TimeUnit.SECONDS.toMicros(startWall.getEpochSecond())
                + TimeUnit.NANOSECONDS.toMicros(startWall.getNano() + sinceStart(nanos()));
    }

    void cancellationBegins() {
        cancelling.incrementAndGet();
    }

    void cancellationHasMarkedAll() {
        cancelling.decrementAndGet();
    }

    void cancellationBrokeOff() {
        cancellationBrokenOff = true;
    }

    boolean hasCancellationBrokenOff() {
        return cancellationBrokenOff;
    }

    /**
     * All that there was to do of a cancellation of the root is done or begun, in other threads where the one that cancels has
     * not come back. Where that is the one that closes this runtime, nobody else has to wait for it.
     */
    void rootWasHelped() {
        if (isClosing()) {
            end();
        }
    }

    /** Whether a context may be alive below one that is cancelled. */
    boolean isCancelling() {
        return cancelling.get() > 0 || cancellationBrokenOff;
    }

    void contextNeverOpened() {
        neverOpened.increment();
    }

    long endedContexts() {
        return ended.sum();
    }

    void contextClosed() {
        ended.increment();
    }

    long nanos() {
        return ticker.nanos();
    }

    /** The time for a sign of life, to within {@link CoarseClock#STEP}. */
    long touchNanos() {
        return coarse.nanos();
    }

    /** Whether a sign of life of that time is as good as one of now. */
    boolean isTouchedNow(long time) {
        return coarse.isOfThisTick(time);
    }

    int maxDepth() {
        return maxDepth;
    }

    /** Whether a context may have that many ancestors (rule C6). */
    boolean mayBeThisDeep(int depth) {
        if (depth < UNUSUAL_DEPTH && depth <= maxDepth) {
            return true;
        }
        if (depth > maxDepth) {
            misuse("a context was opened deeper than " + maxDepth
                    + " levels; it is closed and cancelled from the start."
                    + " Open it below an ancestor; or allow more by -Dfastn.context.max-depth=.., or by maxDepth(..) where the"
                    + " runtime is made by ContextRuntime.builder()");
            return false;
        }
        if (depth == UNUSUAL_DEPTH) {
            misuse("a context was opened " + UNUSUAL_DEPTH + " levels deep, which is most often a child opened from"
                    + " itself again and again; beyond " + maxDepth + " levels none is opened");
        }
        return true;
    }

    long leastSlowNanos() {
        return leastSlowNanos.get();
    }

    /** Some context is told from when on an operation is slow. */
    void isSlowFrom(long nanos) {
        leastSlowNanos.accumulateAndGet(nanos, Math::min);
    }

    OperationBaselines baselines() {
        return baselines;
    }

    long startNanos() {
        return startNanos;
    }

    long sinceStart(long nanos) {
        return Math.max(0, nanos - startNanos);
    }

    /** Never negative, whatever the clock does (rule M7). */
    long elapsed(long fromNanos, long toNanos) {
        long elapsed = toNanos - fromNanos;
        if (elapsed >= 0) {
            return elapsed;
        }
        // Usually it began after the caller had looked at the clock. Only a clock that still shows less has gone back.
        if (nanos() - fromNanos < 0) {
            counters.clockWentBack();
        }
        return 0;
    }

    Instant wallTimeOf(long nanos) {
        return startWall.plusNanos(nanos - startNanos);
    }

    void changed() {
        if (!dirty.get() && !dirty.getAndSet(true)) {
            for (ChangeHook hook : onFirstChange) {
                try {
                    hook.task.run();
                } catch (Throwable t) {
                    // In the middle of what was changed, which has to go on.
                    LoggedFailure.error(LOG, t, "a hook on the first change failed");
                }
            }
        }
    }

    /** {@return whether somebody is told of the first change} Visible for tests. */
    boolean hasChangeHooks() {
        return !onFirstChange.isEmpty();
    }

    void tell(ContextEvent event) {
        listeners.tell(event);
    }

    /** Keeps a lock in sight whose context ended while it was held. */
    void keepIfBusy(FifoLock<?> lock) {
        while (lock.isBusy()) {
            locksOfEndedContexts.add(lock);
            if (lock.isBusy()) {
                return;
            }
            // Released meanwhile, and perhaps taken again since: look once more.
            locksOfEndedContexts.remove(lock);
        }
    }

    void forgetIfIdle(FifoLock<?> lock) {
        if (!locksOfEndedContexts.isEmpty() && locksOfEndedContexts.remove(lock)) {
            // Somebody may have taken it in between, and been kept before the line above.
            keepIfBusy(lock);
        }
    }

    Set<FifoLock<?>> locksOfEndedContexts() {
        return locksOfEndedContexts;
    }

    ExecutorService tasks() {
        ExecutorService pool = tasks;
        return pool != null ? pool : makeTasks();
    }

    private synchronized ExecutorService makeTasks() {
        ExecutorService pool = tasks;
        if (pool == null) {
            pool = TaskExecutors.make();
            // While a runtime closes, somebody may have to go on with its cancellation.
            if (over) {
                pool.shutdown();
            }
            tasks = pool;
        }
        return pool;
    }
}
