package com.fastn.context.engine;

import static java.util.Objects.requireNonNull;

import com.fastn.context.ContextLock;
import com.fastn.context.FastnContext;
import com.fastn.context.Registration;
import com.fastn.context.event.ContextEvent;
import com.fastn.context.status.LockType;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicReferenceFieldUpdater;
import org.jspecify.annotations.Nullable;

/**
 * The queue under every named lock: so many permits, who holds them, and who waits for how many, strictly first in, first
 * out (rule L5). A mutex has one permit; of a read-write lock a reader takes one and a writer all.
 *
 * <p>Completions, handlers and events run after the monitor, which is a leaf, is left: on the execution context that asked,
 * else by trampoline in the thread that released (rules L1, L2, L8, L9).
 */
abstract class FifoLock<T extends @Nullable Object> implements ContextLock {
    /*
     * What "word" says:
     *   null       nobody holds a permit and nobody waits
     *   a Grant    it holds all permits, and nobody waits; whoever sets it so, or takes it back, needs one atomic step
     *   this lock  queued: the holders, the queue and the free permits are in the fields that the monitor guards
     *
     *   null --all permits--> a Grant --release--> null
     *     \                      \
     *      \--some permits--------+--somebody asks--> queued --nobody holds, nobody waits--> null
     *
     * All changes from or to "queued" are made under the monitor. The last fence is changed by the one who has just
     * taken all permits, or under the monitor while queued: these exclude each other.
     */
    @SuppressWarnings("rawtypes")
    private static final AtomicReferenceFieldUpdater<FifoLock, Object> WORD =
            AtomicReferenceFieldUpdater.newUpdater(FifoLock.class, Object.class, "word");

    /** In place of a waiter. */
    private enum Nobody {
        /** What was to be given back was not held. */
        NOT_HELD
    }

    private static final int MOST_HOLDERS_LOOKED_AT = 64;
    private static final long LONG_ENOUGH_TO_LOOK = CoarseClock.STEP.toNanos();

    private final EngineRuntime runtime;
    private final ContextNode owner;
    private final String name;
    private final long id;
    private final LockType type;
    private final int total;
    private final T firstValue;

    volatile T value;
    private volatile @Nullable Object word;
    private long lastFence;

    private volatile boolean placesWanted;
    private volatile boolean endsWithContext;

    /** Nothing of the above, and no strict mode: a grant needs nothing but itself. */
    private volatile boolean plain;

    /** Whether {@link EpisodeWatch} knows that somebody waits; changed under its monitor. */
    volatile boolean isWatched;

    /** Also the monitor: the lock itself is in the hands of the application, which may synchronize on what it has. */
    private final Chain<Grant<T>> holders = new Chain<>();

    @GuardedBy("holders")
    private final Chain<Grant<T>> queue = new Chain<>();

    @GuardedBy("holders")
    private int available;

    @GuardedBy("holders")
    private long changes;

    FifoLock(ContextNode owner, String name, LockType type, int total, T value) {
        this.runtime = owner.runtime();
        this.owner = owner;
        this.name = name;
        this.id = runtime.nextLockId();
        this.type = type;
        this.total = total;
        this.available = total;
        this.firstValue = value;
        this.value = value;
        this.lastFence = runtime.firstFence();
        this.plain = runtime.leaks() == null;
    }

    EngineRuntime runtime() {
        return runtime;
    }

    long id() {
        return id;
    }

    int total() {
        return total;
    }

    T firstValue() {
        return firstValue;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public LockType type() {
        return type;
    }

    @Override
    public ContextNode context() {
        return owner;
    }

    /** {@return kind and name, as in "mutex "orders""} */
    @Override
    public String toString() {
        return type.text() + " \"" + name + "\"";
    }

    // --- asking

    private ContextNode asker() {
        return runtime.engineCurrent() instanceof ContextNode current ? current : owner;
    }

    private long idOf(ContextNode by) {
        return Strangers.idIn(runtime, by);
    }

    /** The stage of a guard. */
    final CompletableFuture<AnyGuard<T>> ask(int permits, @Nullable Duration timeout) {
        ContextNode asker = asker();
        Grant<T> granted = takeAll(asker, permits, false, false);
        return granted != null
                ? CompletableFuture.completedFuture(handedOut(granted))
                : askInLine(asker, permits, timeout, false, false);
    }

    /** A stage of the part of a guard that a kind of lock shows. */
    @SuppressWarnings("unchecked") // a stage only gives
    static <G> CompletionStage<G> as(CompletionStage<? extends G> stage) {
        return (CompletionStage<G>) stage;
    }

    /** What the caller gets: the grant itself, or a handle around it that tells when it is forgotten. */
    private AnyGuard<T> handedOut(Grant<T> grant) {
        LeakTracker leaks = plain ? null : runtime.leaks();
        return leaks == null || grant.scoped ? grant : leaks.guard(grant);
    }

    /** All permits of a lock that is free, by one atomic step; null when it needs a closer look. */
    private @Nullable Grant<T> takeAll(ContextNode asker, int permits, boolean scoped, boolean byThread) {
        if (permits != total || word != null || asker.isCancelled() || asker.isClosed()) {
            return null;
        }
        long now = runtime.touchNanos();
        long before = lastFence;
        Grant<T> grant = new Grant<>(this, asker, permits, scoped, before + 1, now);
        grant.byThread = byThread;
        if (!WORD.compareAndSet(this, null, grant)) {
            return null;
        }
        if (lastFence != before) {
            // It was taken and released since the fence was read.
            grant.fence = lastFence + 1;
        }
        lastFence = grant.fence;
        asker.touch(now);
        if (!plain) {
            grant.placed(place());
        }
        held(grant);
        return grant;
    }

    private CompletableFuture<AnyGuard<T>> askInLine(
            ContextNode asker, int permits, @Nullable Duration timeout, boolean scoped, boolean blocking) {
        Scope inside = runtime.scopes().get();
        Throwable refusal = Refusals.of(this, asker, permits, inside, blocking);
        if (refusal != null) {
            return CompletableFuture.failedFuture(refusal);
        }
        if (Strangers.isOne(runtime, asker)) {
            tellOfStranger(asker);
        }
        long now = runtime.touchNanos();
        asker.touch(now);
        List<StackTraceElement> place = place();
        Grant<T> granted;
        Waiter<T> waiter = null;
        Waiter<T> made = null;
        Pending<AnyGuard<T>> ticket = null;
        do {
            // Made outside of the monitor, and only when it is likely to be needed.
            if (made == null && word != null) {
                made = waiter(asker, permits, scoped, now, timeout, inside, blocking);
                made.placed(place);
                if (inside != null) {
                    runtime.causes().deadlocks().asksInside(made);
                }
                // Once it is in the queue, whoever serves it takes the ticket away.
                ticket = made.ticket();
            }
            synchronized (holders) {
                look();
                granted = queue.isEmpty() && available >= permits
                        ? grant(byThread(new Grant<>(this, asker, permits, scoped, 0, now), blocking))
                        : null;
                if (granted == null && made != null) {
                    waiter = made;
                    waiter.askedAfterFence = lastFence;
                    queue.add(waiter);
                    changes++;
                }
                rest();
            }
        } while (granted == null && waiter == null);
        if (granted != null) {
            if (made != null) {
                outside(made);
            }
            granted.placed(place);
            held(granted);
            return CompletableFuture.completedFuture(handedOut(granted));
        }
        inLine(requireNonNull(waiter, "waiter"), timeout);
        return requireNonNull(ticket, "ticket");
    }

    private void tellOfStranger(ContextNode asker) {
        runtime.misuse(
                this + " was waited for by a context of another runtime, which no status of this one can lead to: take"
                        + " a lock of the runtime that the work runs in",
                () -> asker.path() + " of " + asker.runtime().node().alias() + ", at "
                        + Places.describe(Places.caller()));
    }

    private Waiter<T> waiter(
            ContextNode asker,
            int permits,
            boolean scoped,
            long now,
            @Nullable Duration timeout,
            @Nullable Scope inside,
            boolean blocking) {
        Executor executor = blocking ? null : runtime.current().completions();
        long deadline = timeout == null ? 0 : Timers.deadline(now, timeout);
        return new Waiter<>(this, asker, permits, scoped, now, deadline, inside, blocking, executor);
    }

    /** Tells of the waiter, and lets it hear of cancellation and of the end of its time. */
    private void inLine(Waiter<T> waiter, @Nullable Duration timeout) {
        runtime.changed();
        if (runtime.hasListeners()) {
            runtime.tell(new ContextEvent.WaitStarted(idOf(waiter.by), waiter.by.path(), id, name, type));
        }
        if (!waiter.by.addWait(waiter)) {
            endWithContext(waiter);
        }
        if (timeout != null) {
            endAfter(waiter, timeout);
        }
        runtime.queued(waiter);
    }

    private void endAfter(Waiter<T> waiter, Duration timeout) {
        Registration timer;
        try {
            timer = runtime.timers().after(timeout, () -> giveUp(waiter, Refusals.outOfTime(waiter, timeout)));
        } catch (Throwable t) {
            // No thread is left to see to the time. To throw would lose the ticket, and with it the lock at its turn.
            giveUp(waiter, t);
            return;
        }
        synchronized (holders) {
            if (waiter.state == Waiter.State.WAITING) {
                waiter.timer = timer;
                return;
            }
        }
        timer.close();
    }

    /** Ends a wait whose context was cancelled or has ended. */
    final void endWithContext(Waiter<?> waiter) {
        Throwable ended = Refusals.ofEnded(this, waiter.by);
        if (ended != null) {
            giveUp(waiter, ended);
        }
    }

    /** A guard if that is possible at once, without passing anybody. */
    final @Nullable AnyGuard<T> tryAsk(int permits) {
        if (permits < 1 || permits > total) {
            throw Refusals.impossible(this, asker(), permits);
        }
        ContextNode asker = asker();
        Grant<T> granted = takeAll(asker, permits, false, true);
        if (granted == null && (asker.isCancelled() || asker.isClosed())) {
            runtime.misuse(
                    this + " was tried for in a context that was cancelled or has ended, which gets nothing; look at"
                            + " isCancelled() first, or try in a context that is open",
                    () -> asker.path() + ", at " + Places.describe(Places.caller()));
        } else if (granted == null && !(word instanceof Grant)) {
            granted = tryInLine(asker, permits);
        }
        return granted == null ? null : handedOut(granted);
    }

    private @Nullable Grant<T> tryInLine(ContextNode asker, int permits) {
        long now = runtime.touchNanos();
        Grant<T> granted = null;
        synchronized (holders) {
            look();
            if (queue.isEmpty() && available >= permits) {
                granted = grant(byThread(new Grant<>(this, asker, permits, false, 0, now), true));
            }
            rest();
        }
        if (granted != null) {
            asker.touch(now);
            granted.placed(place());
            held(granted);
        }
        return granted;
    }

    // --- waiting in a thread

    /** A guard, which the calling thread waits for; null when the time ran out first. */
    final @Nullable AnyGuard<T> askBlocking(int permits, @Nullable Duration timeout) {
        ContextNode asker = asker();
        if (runtime.current().isEventLoop()) {
            throw new IllegalStateException(this + " was asked for by " + asker.path() + " in a way that blocks, on an"
                    + " event loop, which must not be held up; use the form that gives a stage, or a worker or virtual"
                    + " thread");
        }
        Grant<T> granted = takeAll(asker, permits, false, true);
        if (granted != null) {
            return handedOut(granted);
        }
        return new ThreadWait<>(this, asker, askInLine(asker, permits, timeout, false, true)).guard();
    }

    /** Those who have permits, and those who get some, before a waiter does. */
    final List<LockView.Holder> aheadOf(Waiter<?> waiter) {
        List<LockView.Holder> ahead = new ArrayList<>();
        synchronized (holders) {
            if (waiter.state == Waiter.State.WAITING) {
                for (Grant<T> h = holders.first(); h != null; h = holders.after(h)) {
                    ahead.add(new LockView.Holder(h, h.permits));
                }
                for (Grant<T> w = queue.first(); w != null && w != waiter; w = queue.after(w)) {
                    ahead.add(new LockView.Holder(w, w.permits));
                }
            }
        }
        return ahead;
    }

    private static <T extends @Nullable Object> Grant<T> byThread(Grant<T> grant, boolean byThread) {
        grant.byThread = byThread;
        return grant;
    }

    // --- granting

    /** Brings what is known without the monitor under it. */
    @GuardedBy("holders")
    private void look() {
        Object seen = word;
        while (seen != this && !WORD.compareAndSet(this, seen, this)) {
            seen = word;
        }
        if (seen != null && seen != this) {
            @SuppressWarnings("unchecked") // nothing else is put there
            Grant<T> alone = (Grant<T>) seen;
            holders.add(alone);
            available -= alone.permits;
        }
    }

    /** Lets the next one need no monitor, if nothing is known that would be lost. */
    @GuardedBy("holders")
    private void rest() {
        if (holders.isEmpty() && queue.isEmpty()) {
            word = null;
        }
    }

    @GuardedBy("holders")
    private Grant<T> grant(Grant<T> grant) {
        lastFence++;
        changes++;
        grant.fence = lastFence;
        available -= grant.permits;
        holders.add(grant);
        return grant;
    }

    /** Serves from the head of the queue what can be served; gives the first, which leads to the others. */
    @GuardedBy("holders")
    private @Nullable Waiter<T> serve(long now) {
        Waiter<T> first = null;
        Waiter<T> last = null;
        for (Grant<T> head = queue.first(); head != null && head.permits <= available; head = queue.first()) {
            Waiter<T> waiter = (Waiter<T>) head;
            queue.remove(waiter);
            waiter.state = Waiter.State.GRANTED;
            if (now - waiter.sinceNanos > 0) {
                waiter.sinceNanos = now;
            }
            grant(waiter);
            if (last == null) {
                first = waiter;
            } else {
                last.nextServed = waiter;
            }
            last = waiter;
        }
        return first;
    }

    /** What is to be done after a grant, outside of the monitor. */
    private void held(Grant<T> grant) {
        if (owner.isClosed()) {
            runtime.keepIfBusy(this);
        }
        // Whoever is told may ask for the status at once.
        runtime.changed();
        if (runtime.hasListeners()) {
            runtime.tell(new ContextEvent.LockHeld(idOf(grant.by), grant.by.path(), id, name, type, grant.fence));
        }
        if (!plain && endsWithContext && !grant.scoped) {
            grant.by.releaseWithEnd(grant);
        }
    }

    /** Tells those who were served, in their order. None has to wait for what another one goes on with in this thread. */
    final void tellServed(@Nullable Waiter<T> first) {
        if (first == null || first.nextServed == null) {
            if (first != null) {
                tellServedOne(first);
            }
            return;
        }
        runtime.trampoline().hold();
        try {
            for (Waiter<T> waiter = first; waiter != null; ) {
                Waiter<T> next = waiter.nextServed;
                waiter.nextServed = null;
                tellServedOne(waiter);
                waiter = next;
            }
        } finally {
            runtime.trampoline().go();
        }
    }

    private void tellServedOne(Waiter<T> waiter) {
        stopTimer(waiter);
        outside(waiter);
        held(waiter);
        dispatch(waiter, waiter);
    }

    private void stopTimer(Waiter<T> waiter) {
        Registration timer = waiter.timer;
        if (timer != null) {
            waiter.timer = null;
            timer.close();
        }
    }

    /** It waits no longer: nothing leads from it to the scopes around it, of which there may be more and more. */
    private void outside(Waiter<T> waiter) {
        if (waiter.inside != null) {
            runtime.causes().deadlocks().asksNoLonger(waiter);
            waiter.inside = null;
        }
    }

    private void dispatch(Waiter<T> waiter, Trampoline.Task completion) {
        if (waiter.isBlocking() && completion.wakesNow()) {
            return;
        }
        Executor where = waiter.executor;
        if (where != null) {
            try {
                where.execute(completion);
                return;
            } catch (Throwable e) {
                // The place that asked is gone, or has no thread left; the lock must not be lost with it.
            }
        }
        // In the thread that released, but not in its context: what the waiter goes on with is the waiter's (rule L9).
        runtime.trampoline().run(completion);
    }

    /** Hands the lock to the waiter whose turn it is. */
    final void deliver(Waiter<T> waiter) {
        Throwable ended = Refusals.ofEnded(this, waiter.by);
        if (ended == null) {
            hand(waiter);
        } else {
            // Cancelled between the grant and now: the guard is never seen (rule L2).
            giveBack(waiter, ended);
        }
        waiter.by.waitEnded(waiter);
    }

    /** Gives the lock to the next one, because the place where the waiter whose turn it is waits is gone. */
    final void undelivered(Waiter<T> waiter) {
        Throwable ended = Refusals.ofEnded(this, waiter.by);
        giveBack(
                waiter,
                ended != null
                        ? ended
                        : new CancellationException(this + " was not given to " + waiter.by.path()
                                + ": the verticle that asked for it was undeployed"));
        waiter.by.waitEnded(waiter);
    }

    private void giveBack(Waiter<T> waiter, Throwable why) {
        goesOn(waiter);
        Pending<AnyGuard<T>> ticket = waiter.takeTicket();
        runtime.trampoline().hold();
        try {
            tryRelease(waiter);
            ticket.fail(why);
        } finally {
            runtime.trampoline().go();
        }
    }

    /**
     * Wakes the thread that waits, at once: it may be what the task that releases waits for next. Nobody else has the stage,
     * so nothing of the application runs here.
     *
     * @return whether it was woken; a guard that must go back goes the way of all others, which needs one stack frame
     */
    final boolean wake(Waiter<T> waiter) {
        if (Refusals.ofEnded(this, waiter.by) != null) {
            return false;
        }
        hand(waiter);
        runtime.trampoline().run(new WaitOver(waiter));
        return true;
    }

    private void hand(Waiter<T> waiter) {
        goesOn(waiter);
        Pending<AnyGuard<T>> ticket = waiter.takeTicket();
        // That he is told can be seen, as a grant can.
        runtime.changed();
        AnyGuard<T> guard = handedOut(waiter);
        if (!ticket.end(guard)) {
            guard.close();
        }
    }

    private void goesOn(Waiter<T> waiter) {
        long now = runtime.touchNanos();
        waiter.sinceNanos = now;
        waiter.by.touch(now);
    }

    private record WaitOver(Waiter<?> waiter) implements Trampoline.Task {
        @Override
        public ContextNode context() {
            return waiter.by;
        }

        @Override
        public void run() {
            waiter.by.waitEnded(waiter);
        }
    }

    /** Since when the head of the queue waits, of those who may be served next the longest. */
    @GuardedBy("holders")
    private long headSinceNanos() {
        Grant<T> head = queue.first();
        return head == null ? 0 : head.sinceNanos;
    }

    private void noteLongWait(@Nullable Waiter<T> waiter, long waitedNanos) {
        if (waiter != null
                && waitedNanos > LONG_ENOUGH_TO_LOOK
                && !placesWanted
                && waitedNanos > WarningSettings.of(waiter.by).waiterStuckNanos) {
            wantPlaces();
        }
    }

    /** Where the lock is asked for; null unless somebody wants to know. */
    private @Nullable List<StackTraceElement> place() {
        return !plain && (placesWanted || runtime.leaks() != null) ? Places.caller() : null;
    }

    /** From now on each grant records where it was asked for. */
    void wantPlaces() {
        placesWanted = true;
        plain = false;
    }

    // --- releasing

    final void release(Grant<T> grant) {
        if (!tryRelease(grant)) {
            runtime.misuse(
                    "a guard of " + this + " was closed twice; the second time had no effect: close it in"
                            + " one place, such as a try-with-resources, or use withLock",
                    () -> "that of " + grant.by.path() + ", closed again at " + Places.describe(Places.caller()));
        }
    }

    /** {@return whether it was held} */
    final boolean tryRelease(Grant<T> grant) {
        if (isBackAlone(grant)) {
            return true;
        }
        Object served = takeFromLine(grant);
        if (served == Nobody.NOT_HELD) {
            return false;
        }
        tellServed(waiters(served));
        return true;
    }

    /** As {@link #tryRelease}; but those who are served by it are told by whoever calls, by {@link #tellServed}. */
    final @Nullable Waiter<T> takeBack(Grant<T> grant) {
        return isBackAlone(grant) ? null : waiters(takeFromLine(grant));
    }

    @SuppressWarnings("unchecked") // of this lock, by the method below
    private @Nullable Waiter<T> waiters(@Nullable Object served) {
        return served == Nobody.NOT_HELD ? null : (Waiter<T>) served;
    }

    /** Takes back what is held while nobody waits, by one atomic step. */
    private boolean isBackAlone(Grant<T> grant) {
        if (word == grant && WORD.compareAndSet(this, grant, null)) {
            grant.by.touch();
            released(grant);
            return true;
        }
        return false;
    }

    /** {@return the first of those who are served by it, null where nobody is, or {@link Nobody#NOT_HELD}} */
    private @Nullable Object takeFromLine(Grant<T> grant) {
        long now = runtime.touchNanos();
        long since = 0;
        Waiter<T> served = null;
        synchronized (holders) {
            look();
            boolean held = takeOut(grant);
            if (held && !queue.isEmpty()) {
                since = headSinceNanos();
                served = serve(now);
            }
            rest();
            if (!held) {
                return Nobody.NOT_HELD;
            }
        }
        noteLongWait(served, now - since);
        grant.by.touch(now);
        released(grant);
        return served;
    }

    @GuardedBy("holders")
    private boolean takeOut(Grant<T> grant) {
        if (!holders.contains(grant)) {
            return false;
        }
        holders.remove(grant);
        available += grant.permits;
        changes++;
        return true;
    }

    private void released(Grant<T> grant) {
        runtime.changed();
        if (runtime.hasListeners()) {
            runtime.tell(new ContextEvent.LockReleased(idOf(grant.by), grant.by.path(), id, name, type, grant.fence));
        }
        if (!plain && endsWithContext) {
            grant.by.wasReleased(grant);
        }
        if (owner.isClosed()) {
            runtime.forgetIfIdle(this);
        }
    }

    /** Gives some of the permits of a grant back. */
    final void releaseSome(Grant<T> grant, int some) {
        boolean last;
        long since = 0;
        Waiter<T> served = null;
        long now = runtime.touchNanos();
        synchronized (holders) {
            look();
            int has = holders.contains(grant) ? grant.permits : 0;
            last = some == has;
            if (some >= 1 && some < has) {
                grant.permits -= some;
                available += some;
                changes++;
                since = headSinceNanos();
                served = serve(now);
            } else if (some < 1 || some > has) {
                rest();
                throw new IllegalArgumentException(
                        some + " permits of " + this + " were to be given back by a guard of "
                                + grant.by.path() + takenAt(grant) + " that holds " + has
                                + "; give back at least one and at most what it holds");
            }
        }
        if (last) {
            release(grant);
        } else {
            noteLongWait(served, now - since);
            grant.by.touch(now);
            runtime.changed();
            tellServed(served);
        }
    }

    /** How many permits a grant holds at this moment. */
    final int permitsOf(Grant<T> grant) {
        synchronized (holders) {
            return word == grant || (word == this && holders.contains(grant)) ? grant.permits : 0;
        }
    }

    final void checkHeld(Grant<T> grant) {
        if (!isHeldBy(grant)) {
            throw new IllegalStateException("this guard of " + this + ", given to " + grant.by.path() + takenAt(grant)
                    + ", is closed; lock again to reach the value");
        }
    }

    static String takenAt(Grant<?> grant) {
        String place = Places.describe(grant.place);
        return place == null ? "" : " (taken at " + place + ")";
    }

    final boolean isHeldBy(Grant<T> grant) {
        return word == grant || permitsOf(grant) > 0;
    }

    // --- giving up

    /**
     * Ends a wait with a failure.
     *
     * @return whether it still waited; otherwise the lock was granted to it or it had left, and nothing happens
     */
    boolean giveUp(Waiter<?> waiter, Throwable cause) {
        return leave(mine(waiter), cause);
    }

    private record GivenUp(Waiter<?> waiter, Pending<?> ticket, Throwable cause) implements Trampoline.Task {
        @Override
        public ContextNode context() {
            return waiter.by;
        }

        @Override
        public boolean wakesNow() {
            ticket.fail(cause);
            // The rest is of the context, and goes the usual way.
            return false;
        }

        @Override
        public void run() {
            ticket.fail(cause);
            waiter.by.waitEnded(waiter);
        }
    }

    @SuppressWarnings("unchecked") // a waiter is asked about at the lock that it waits for
    private Waiter<T> mine(Waiter<?> waiter) {
        return (Waiter<T>) waiter;
    }

    /**
     * Takes a waiter out of the queue before anybody hears of it (rule L1). Who calls tells of its end, between {@link
     * Trampoline#hold} and {@link Trampoline#go}.
     *
     * @return false when it was granted or had left
     */
    final boolean leave(Waiter<?> waiter) {
        return leave(mine(waiter), null);
    }

    private boolean leave(Waiter<T> waiter, @Nullable Throwable cause) {
        long now = runtime.touchNanos();
        long since;
        Waiter<T> served;
        synchronized (holders) {
            if (waiter.state != Waiter.State.WAITING) {
                return false;
            }
            waiter.state = Waiter.State.LEFT;
            queue.remove(waiter);
            changes++;
            // Those behind it may fit where it did not (rule L6).
            since = headSinceNanos();
            served = serve(now);
            rest();
        }
        noteLongWait(served, now - since);
        stopTimer(waiter);
        outside(waiter);
        waiter.by.removeWait(waiter);
        runtime.changed();
        if (runtime.hasListeners()) {
            runtime.tell(new ContextEvent.WaitEnded(idOf(waiter.by), waiter.by.path(), id, name, type));
        }
        runtime.trampoline().hold();
        try {
            if (cause != null) {
                // Before those behind it: one of these may block for what it still has.
                dispatch(waiter, new GivenUp(waiter, waiter.takeTicket(), cause));
            }
            tellServed(served);
        } finally {
            runtime.trampoline().go();
        }
        return true;
    }

    // --- scopes

    /**
     * Runs a piece of work with a guard, and releases it whatever happens.
     *
     * @param code the work as the application gave it
     * @param work runs it
     */
    final <C, R extends @Nullable Object> CompletionStage<R> scoped(
            int permits, @Nullable Duration timeout, C code, Scope.Work<? super C, T, R> work) {
        ContextNode asker = asker();
        Grant<T> granted = takeAll(asker, permits, true, false);
        Scope inside = runtime.scopes().get();
        if (granted != null) {
            return new Scope(granted, inside, code).run(granted, code, work, null);
        }
        CompletableFuture<AnyGuard<T>> asked = askInLine(asker, permits, timeout, true, false);
        Object waiting = Pending.sourceOf(asked);
        boolean later = asked instanceof Pending;
        Pending<R> result = new Pending<>(waiting);
        // Not by thenCompose: it skips the function, and so loses the guard, when its stage was completed from outside.
        var unused = asked.whenComplete((guard, failure) -> {
            if (failure != null) {
                result.fail(failure);
                return;
            }
            Grant<T> grant = (Grant<T>) guard;
            Scope scope = later ? new Scope.Later(grant, inside, code) : new Scope(grant, inside, code);
            if (result.moves(waiting, scope)) {
                var unusedResult = scope.run(grant, code, work, result);
            } else {
                // Given up in the moment of the grant: the work is never run.
                tryRelease(grant);
            }
        });
        return result;
    }

    /** Releases what a context still held that has ended, and whose locks end with it. */
    final void releaseAtEnd(Grant<?> held) {
        @SuppressWarnings("unchecked") // a grant is asked about at its own lock
        Grant<T> grant = (Grant<T>) held;
        boolean seen = !(grant instanceof Waiter<?> waiter) || waiter.isTold();
        if (tryRelease(grant) && seen) {
            LeakTracker.Opened opened = grant.opened;
            if (opened != null) {
                opened.closed();
            }
            runtime.misuse("a guard of " + this + " was still open when its context ended; it was closed, as"
                    + " setAutoReleaseOnEnd(true) says");
        }
    }

    // --- what is known

    @Override
    public List<FastnContext> holders() {
        Object seen = word;
        if (seen == null) {
            return List.of();
        }
        if (seen instanceof Grant<?> alone) {
            return List.of(alone.by);
        }
        List<FastnContext> all = new ArrayList<>();
        synchronized (holders) {
            look();
            for (Grant<T> h = holders.first(); h != null; h = holders.after(h)) {
                all.add(h.by);
            }
            rest();
        }
        return List.copyOf(all);
    }

    /** {@return the first holder, or null} */
    @Nullable
    FastnContext firstHolder() {
        List<FastnContext> all = holders();
        return all.isEmpty() ? null : all.get(0);
    }

    @Override
    public int waiters() {
        synchronized (holders) {
            return queue.size();
        }
    }

    /** {@return how many permits are free} */
    int available() {
        Object seen = word;
        if (seen != this) {
            return seen == null ? total : 0;
        }
        synchronized (holders) {
            look();
            int free = available;
            rest();
            return free;
        }
    }

    boolean isBusy() {
        return word != null;
    }

    @Override
    public void setAutoReleaseOnEnd(boolean release) {
        endsWithContext = release;
        if (release) {
            plain = false;
        }
    }

    /** Who holds and who waits, of one instant (rule M9). */
    final LockView view() {
        List<LockView.Holder> held = new ArrayList<>();
        List<LockView.Waiting> waiting = new ArrayList<>();
        synchronized (holders) {
            // Without look(): to be seen must not make a lock slower.
            if (word instanceof Grant<?> alone) {
                return new LockView(
                        this, List.of(new LockView.Holder(alone, total)), List.of(), changes + 2 * alone.fence);
            }
            for (Grant<T> h = holders.first(); h != null; h = holders.after(h)) {
                held.add(new LockView.Holder(h, h.permits));
            }
            for (Grant<T> w = queue.first(); w != null; w = queue.after(w)) {
                waiting.add(new LockView.Waiting((Waiter<T>) w, w.permits));
            }
            // A grant adds two, so that its end, which may change nothing here, makes a difference.
            long generation = changes + 2 * lastFence + (held.isEmpty() ? 1 : 0);
            return new LockView(this, held, waiting, generation);
        }
    }

    /** The first of those who wait. */
    final List<Waiter<?>> firstWaiters(int most) {
        List<Waiter<?>> first = new ArrayList<>();
        synchronized (holders) {
            for (Grant<T> w = queue.first(); w != null && first.size() < most; w = queue.after(w)) {
                first.add((Waiter<T>) w);
            }
        }
        return first;
    }

    /** Whether a wait goes on. */
    final boolean isWaiting(Waiter<?> waiter) {
        synchronized (holders) {
            return waiter.state == Waiter.State.WAITING;
        }
    }

    /** Whether some holder waits for a lock itself, so that whoever waits for this one may wait in a circle. */
    final boolean isHeldByOneWhoWaits() {
        Grant<?> only = null;
        List<Grant<?>> several = List.of();
        synchronized (holders) {
            Grant<T> first = holders.first();
            if (first != null && holders.size() == 1) {
                only = first;
            } else {
                several = new ArrayList<>();
                for (Grant<T> h = first; h != null && several.size() < MOST_HOLDERS_LOOKED_AT; h = holders.after(h)) {
                    several.add(h);
                }
            }
        }
        return only != null ? isHeldInACircleBy(only) : several.stream().anyMatch(this::isHeldInACircleBy);
    }

    /** Whether {@link #isHeldByOneWhoWaits} leaves some out. */
    final boolean hasMoreHoldersThanAreLookedAt() {
        synchronized (holders) {
            return holders.size() > MOST_HOLDERS_LOOKED_AT;
        }
    }

    /**
     * Whether a holder waits for a lock, or somebody does who was asked inside of its scope; for a lock with a single permit
     * another branch of the same context may well wait.
     */
    final boolean isHeldInACircleBy(Grant<?> hold) {
        return hold.isAskedIn || hold.by.isWaitingForLock(total == 1 ? this : null);
    }

    /** Adds its view to some, unless nobody holds it. */
    final void addTo(List<LockView> views) {
        if (word != null) {
            LockView view = view();
            if (!view.isIdle()) {
                views.add(view);
            }
        }
    }
}
