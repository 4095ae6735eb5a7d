package com.fastn.context.engine;

import static java.util.Objects.requireNonNull;

import com.fastn.context.ContextCancelledException;
import com.fastn.context.ContextLock;
import com.fastn.context.FastnContext;
import com.fastn.context.LockTimeoutException;
import com.fastn.context.Registration;
import com.fastn.context.SelfDeadlockException;
import com.fastn.context.event.ContextEvent;
import com.fastn.context.status.CancelReason;
import com.fastn.context.status.LockType;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
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

    @GuardedBy("this")
    private final Chain<Grant<T>> holders = new Chain<>();

    @GuardedBy("this")
    private final Chain<Grant<T>> queue = new Chain<>();

    @GuardedBy("this")
    private int available;

    @GuardedBy("this")
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
        this.plain = runtime.leaks() == null;
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

    /** The stage of a guard. */
    final CompletableFuture<AnyGuard<T>> ask(int permits, @Nullable Duration timeout) {
        ContextNode asker = asker();
        Grant<T> granted = takeAll(asker, permits, false);
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
    private @Nullable Grant<T> takeAll(ContextNode asker, int permits, boolean scoped) {
        if (permits != total || word != null || asker.isCancelled() || asker.isClosed()) {
            return null;
        }
        long now = runtime.touchNanos();
        long before = lastFence;
        Grant<T> grant = new Grant<>(this, asker, permits, scoped, before + 1, now);
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
        Throwable refusal = refusal(asker, permits, inside, blocking);
        if (refusal != null) {
            return CompletableFuture.failedFuture(refusal);
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
                // Once it is in the queue, whoever serves it takes the ticket away.
                ticket = made.ticket();
            }
            synchronized (this) {
                look();
                granted = queue.isEmpty() && available >= permits
                        ? grant(new Grant<>(this, asker, permits, scoped, 0, now))
                        : null;
                if (granted == null && made != null) {
                    waiter = made;
                    queue.add(waiter);
                    changes++;
                }
                rest();
            }
        } while (granted == null && waiter == null);
        if (granted != null) {
            granted.placed(place);
            held(granted);
            return CompletableFuture.completedFuture(handedOut(granted));
        }
        inLine(requireNonNull(waiter, "waiter"), timeout);
        return requireNonNull(ticket, "ticket");
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
            runtime.tell(new ContextEvent.WaitStarted(waiter.by.id(), waiter.by.path(), id, name, type));
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
        Registration timer = runtime.timers().after(timeout, () -> giveUp(waiter, outOfTime(waiter, timeout)));
        synchronized (this) {
            if (waiter.state == Waiter.State.WAITING) {
                waiter.timer = timer;
                return;
            }
        }
        timer.close();
    }

    /** Ends a wait whose context was cancelled or has ended. */
    final void endWithContext(Waiter<?> waiter) {
        Throwable ended = endedRefusal(waiter.by);
        if (ended != null) {
            giveUp(waiter, ended);
        }
    }

    /** Why a context may not even queue, or null. */
    private @Nullable Throwable refusal(ContextNode asker, int permits, @Nullable Scope inside, boolean blocking) {
        if (permits < 1 || permits > total) {
            return impossible(permits);
        }
        Throwable ended = endedRefusal(asker);
        return ended != null || inside == null ? ended : selfDeadlock(asker, permits, inside, blocking);
    }

    private IllegalArgumentException impossible(int permits) {
        return new IllegalArgumentException(permits + " permits of " + this + " were asked for, which has " + total
                + "; ask for at least one and at most as many as there are");
    }

    /** What a wait of a context ends with that was cancelled or has ended; null while it may go on. */
    private @Nullable Throwable endedRefusal(ContextNode asker) {
        CancelReason cancelled = asker.cancelReason();
        if (cancelled != null) {
            return new ContextCancelledException(
                    this + " was not given to " + asker.path() + ", which was cancelled", cancelled);
        }
        return asker.isClosed()
                ? new IllegalStateException(this + " was not given to " + asker.path()
                        + ", which has ended; lock in a context that is open")
                : null;
    }

    /**
     * What is asked for inside scopes that themselves hold too much of it can never be granted while they last (rule L7).
     * A thread that would block inside of them could not end them. Otherwise the code that asks has to belong to the work
     * of the scope, and not to another branch that happens to be called back by it.
     */
    private @Nullable Throwable selfDeadlock(ContextNode asker, int permits, Scope innermost, boolean blocking) {
        if (total - Scope.heldBy(innermost, this) >= permits) {
            return null;
        }
        Scope scope = requireNonNull(Scope.of(innermost, this), "scope");
        boolean sure = blocking || innermost.isTaken();
        if (!sure && (asker != scope.grant.by || !Places.isOwnCode(Scope.depth(innermost, scope)))) {
            return null;
        }
        String place = Places.describe(Places.caller());
        return new SelfDeadlockException(this + " is held by " + scope.grant.by.path() + " in a scope that was begun "
                + scope.place() + ", and was asked for again inside of it at " + place
                + "; it is not reentrant. Hand the value down instead, or let another branch ask");
    }

    private LockTimeoutException outOfTime(Waiter<T> waiter, Duration timeout) {
        List<FastnContext> by = holders();
        String more = by.size() > 1 ? " and " + (by.size() - 1) + " more" : "";
        return new LockTimeoutException(this + " was not given to " + waiter.by.path() + " within " + timeout
                + (by.isEmpty() ? "" : "; it is held by " + by.get(0).path() + more));
    }

    /** A guard if that is possible at once, without passing anybody. */
    final @Nullable AnyGuard<T> tryAsk(int permits) {
        if (permits < 1 || permits > total) {
            throw impossible(permits);
        }
        ContextNode asker = asker();
        Grant<T> granted = takeAll(asker, permits, false);
        if (granted == null && !(word instanceof Grant)) {
            granted = tryInLine(asker, permits);
        }
        return granted == null ? null : handedOut(granted);
    }

    private @Nullable Grant<T> tryInLine(ContextNode asker, int permits) {
        if (asker.isCancelled() || asker.isClosed()) {
            return null;
        }
        long now = runtime.touchNanos();
        Grant<T> granted = null;
        synchronized (this) {
            look();
            if (queue.isEmpty() && available >= permits) {
                granted = grant(new Grant<>(this, asker, permits, false, 0, now));
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
        if (runtime.current().isEventLoop()) {
            throw new IllegalStateException(this + " was asked for in a way that blocks, on an event loop, which must"
                    + " not be held up; use the form that gives a stage, or a worker or virtual thread");
        }
        ContextNode asker = asker();
        Grant<T> granted = takeAll(asker, permits, false);
        if (granted != null) {
            return handedOut(granted);
        }
        CompletableFuture<AnyGuard<T>> ticket = askInLine(asker, permits, timeout, false, true);
        // What waits behind the task that this thread may be in could be what lets it go on.
        runtime.trampoline().passOn();
        try {
            return ticket.get();
        } catch (InterruptedException e) {
            throw interrupted(asker, ticket, e);
        } catch (CancellationException e) {
            // Newer JDKs wrap what a future was cancelled with in another of this type.
            throw e.getCause() instanceof CancellationException ended ? ended : e;
        } catch (ExecutionException e) {
            if (e.getCause() instanceof LockTimeoutException) {
                return null;
            }
            throw e.getCause() instanceof RuntimeException failure ? failure : new CompletionException(e.getCause());
        }
    }

    private CancellationException interrupted(
            ContextNode asker, CompletableFuture<AnyGuard<T>> ticket, InterruptedException interrupt) {
        boolean left = ticket instanceof Pending<AnyGuard<T>> pending && pending.giveUp(new CancellationException());
        if (!left && !ticket.isCompletedExceptionally()) {
            // Granted in the same moment: nobody sees the guard.
            ticket.join().close();
        }
        Thread.currentThread().interrupt();
        CancellationException given =
                new CancellationException("the wait of " + asker.path() + " for " + this + " was interrupted");
        given.initCause(interrupt);
        return given;
    }

    // --- granting

    /** Brings what is known without the monitor under it. */
    @GuardedBy("this")
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
    @GuardedBy("this")
    private void rest() {
        if (holders.isEmpty() && queue.isEmpty()) {
            word = null;
        }
    }

    @GuardedBy("this")
    private Grant<T> grant(Grant<T> grant) {
        lastFence++;
        changes++;
        grant.fence = lastFence;
        available -= grant.permits;
        holders.add(grant);
        return grant;
    }

    /** Serves from the head of the queue what can be served; gives the first, which leads to the others. */
    @GuardedBy("this")
    private @Nullable Waiter<T> serve() {
        Waiter<T> first = null;
        Waiter<T> last = null;
        for (Grant<T> head = queue.first(); head != null && head.permits <= available; head = queue.first()) {
            Waiter<T> waiter = (Waiter<T>) head;
            queue.remove(waiter);
            waiter.state = Waiter.State.GRANTED;
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
            runtime.tell(new ContextEvent.LockHeld(grant.by.id(), grant.by.path(), id, name, type, grant.fence));
        }
        if (!plain && endsWithContext && !grant.scoped) {
            grant.by.releaseWithEnd(grant);
        }
    }

    /** Tells those who were served, in their order. */
    private void tellServed(@Nullable Waiter<T> first) {
        Waiter<T> waiter = first;
        while (waiter != null) {
            Waiter<T> next = waiter.nextServed;
            waiter.nextServed = null;
            stopTimer(waiter);
            held(waiter);
            dispatch(waiter, waiter);
            waiter = next;
        }
    }

    private void stopTimer(Waiter<T> waiter) {
        Registration timer = waiter.timer;
        if (timer != null) {
            waiter.timer = null;
            timer.close();
        }
    }

    private void dispatch(Waiter<T> waiter, Trampoline.Task completion) {
        if (waiter.blocking && completion.wakesNow()) {
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
        Throwable ended = endedRefusal(waiter.by);
        if (ended == null) {
            hand(waiter);
        } else {
            goesOn(waiter);
            Pending<AnyGuard<T>> ticket = waiter.takeTicket();
            // Cancelled between the grant and now: the guard is never seen (rule L2).
            tryRelease(waiter);
            ticket.fail(ended);
        }
        waiter.by.waitEnded(waiter);
    }

    /**
     * Wakes the thread that waits, at once: it may be what the task that releases waits for next. Nobody else has the stage,
     * so nothing of the application runs here.
     *
     * @return whether it was woken; a guard that must go back goes the way of all others, which needs one stack frame
     */
    final boolean wake(Waiter<T> waiter) {
        if (endedRefusal(waiter.by) != null) {
            return false;
        }
        hand(waiter);
        runtime.trampoline().run(new WaitOver(waiter));
        return true;
    }

    private void hand(Waiter<T> waiter) {
        goesOn(waiter);
        Pending<AnyGuard<T>> ticket = waiter.takeTicket();
        AnyGuard<T> guard = handedOut(waiter);
        if (!ticket.end(guard)) {
            guard.close();
        }
    }

    private void goesOn(Waiter<T> waiter) {
        long now = runtime.touchNanos();
        noteLongWait(waiter, now - waiter.sinceNanos);
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

    private void noteLongWait(Waiter<T> waiter, long waitedNanos) {
        if (waitedNanos > LONG_ENOUGH_TO_LOOK
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
            runtime.misuse("a guard of " + this + " was closed twice; the second time had no effect");
        }
    }

    /** {@return whether it was held} */
    final boolean tryRelease(Grant<T> grant) {
        Waiter<T> served = null;
        if (word != grant || !WORD.compareAndSet(this, grant, null)) {
            synchronized (this) {
                look();
                boolean held = holders.contains(grant);
                if (held) {
                    holders.remove(grant);
                    available += grant.permits;
                    changes++;
                    served = serve();
                }
                rest();
                if (!held) {
                    return false;
                }
            }
        }
        released(grant);
        tellServed(served);
        return true;
    }

    private void released(Grant<T> grant) {
        grant.by.touch();
        runtime.changed();
        if (runtime.hasListeners()) {
            runtime.tell(new ContextEvent.LockReleased(grant.by.id(), grant.by.path(), id, name, type, grant.fence));
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
        Waiter<T> served = null;
        synchronized (this) {
            look();
            int has = holders.contains(grant) ? grant.permits : 0;
            last = some == has;
            if (some >= 1 && some < has) {
                grant.permits -= some;
                available += some;
                changes++;
                served = serve();
            } else if (some < 1 || some > has) {
                rest();
                throw new IllegalArgumentException(
                        some + " permits of " + this + " were to be given back by a guard that" + " holds " + has
                                + "; give back at least one and at most what it holds");
            }
        }
        if (last) {
            release(grant);
        } else {
            grant.by.touch();
            runtime.changed();
            tellServed(served);
        }
    }

    /** How many permits a grant holds at this moment. */
    final int permitsOf(Grant<T> grant) {
        synchronized (this) {
            return word == grant || (word == this && holders.contains(grant)) ? grant.permits : 0;
        }
    }

    final void checkHeld(Grant<T> grant) {
        if (!isHeldBy(grant)) {
            throw new IllegalStateException("this guard of " + this + " is closed; lock again to reach the value");
        }
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
        Waiter<T> mine = mine(waiter);
        if (!leave(mine)) {
            return false;
        }
        dispatch(mine, new GivenUp(mine, mine.takeTicket(), cause));
        return true;
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

    /** Takes a waiter out of the queue before anybody hears of it; false when it was granted or had left (rule L1). */
    final boolean leave(Waiter<?> leaving) {
        Waiter<T> waiter = mine(leaving);
        Waiter<T> served;
        synchronized (this) {
            if (waiter.state != Waiter.State.WAITING) {
                return false;
            }
            waiter.state = Waiter.State.LEFT;
            queue.remove(waiter);
            changes++;
            // Those behind it may fit where it did not (rule L6).
            served = serve();
            rest();
        }
        stopTimer(waiter);
        waiter.by.removeWait(waiter);
        runtime.changed();
        if (runtime.hasListeners()) {
            runtime.tell(new ContextEvent.WaitEnded(waiter.by.id(), waiter.by.path(), id, name, type));
        }
        tellServed(served);
        return true;
    }

    // --- scopes

    /** What a {@code withLock} does with the code that it was given and the grant; it captures nothing, so it costs nothing. */
    interface Work<C, T extends @Nullable Object, R extends @Nullable Object> {
        @Nullable
        CompletionStage<R> run(C code, Grant<T> grant);
    }

    /**
     * Runs a piece of work with a guard, and releases it whatever happens.
     *
     * @param code the work as the application gave it
     * @param work runs it
     */
    final <C, R extends @Nullable Object> CompletionStage<R> scoped(
            int permits, @Nullable Duration timeout, C code, Work<? super C, T, R> work) {
        ContextNode asker = asker();
        Grant<T> granted = takeAll(asker, permits, true);
        Scope inside = runtime.scopes().get();
        if (granted != null) {
            return run(new Scope(granted, inside, code), granted, code, work, null);
        }
        CompletableFuture<AnyGuard<T>> asked = askInLine(asker, permits, timeout, true, false);
        Object waiting = Pending.sourceOf(asked);
        Pending<R> result = new Pending<>(waiting);
        // Not by thenCompose: it skips the function, and so loses the guard, when its stage was completed from outside.
        var unused = asked.whenComplete((guard, failure) -> {
            if (failure != null) {
                result.fail(failure);
                return;
            }
            Grant<T> grant = (Grant<T>) guard;
            Scope outer = inside != null && inside.isTaken()
                    ? inside
                    : runtime.scopes().get();
            Scope scope = new Scope(grant, outer, code);
            if (result.moves(waiting, scope)) {
                var unusedResult = run(scope, grant, code, work, result);
            } else {
                // Given up in the moment of the grant: the work is never run.
                tryRelease(grant);
            }
        });
        return result;
    }

    /**
     * Runs the work.
     *
     * @param asked what is to end with it, or null if nobody has that yet
     * @return what ends with it
     */
    private <C, R extends @Nullable Object> CompletionStage<R> run(
            Scope scope, Grant<T> grant, C code, Work<? super C, T, R> work, @Nullable Pending<R> asked) {
        ThreadLocal<@Nullable Scope> scopes = runtime.scopes();
        Scope before = scopes.get();
        CompletionStage<R> done;
        scopes.set(scope);
        try {
            done = requireNonNull(work.run(code, grant), "the work gave no stage");
        } catch (Throwable t) {
            tryRelease(grant);
            return failed(asked, t);
        } finally {
            scopes.set(before);
        }
        if (asked == null && isOver(done)) {
            // Of what is over nothing has to be made.
            var unused = scope.ended();
            tryRelease(grant);
            return done;
        }
        Pending<R> result = asked == null ? new Pending<>(scope) : asked;
        scope.given(done, result);
        try {
            done.whenComplete(scope);
        } catch (Throwable t) {
            // A stage that is not the platform's own; nobody would release any more.
            var unused = scope.ended();
            tryRelease(grant);
            result.fail(t);
        }
        return result;
    }

    private static <R extends @Nullable Object> Pending<R> failed(@Nullable Pending<R> asked, Throwable failure) {
        Pending<R> result = asked == null ? new Pending<>(null) : asked;
        result.fail(failure);
        return result;
    }

    /** Whether a stage has a value, and is the platform's own, so that it makes no difference to give it on. */
    private static boolean isOver(CompletionStage<?> stage) {
        return stage.getClass() == CompletableFuture.class
                && stage instanceof CompletableFuture<?> future
                && future.isDone()
                && !future.isCompletedExceptionally();
    }

    /** Releases what a scope held whose work is over, and then ends its result as the work did. */
    @SuppressWarnings("NullAway") // a stage that did not fail has a value of its type, null only where the type says so
    final void scopeEnded(Scope scope, @Nullable Object value, @Nullable Throwable failure) {
        @SuppressWarnings("unchecked") // a scope has the result of the type of its work
        Pending<Object> result = (Pending<Object>) scope.ended();
        @SuppressWarnings("unchecked") // a scope ends at the lock of its grant
        Grant<T> grant = (Grant<T>) scope.grant;
        tryRelease(grant);
        if (result == null) {
            return;
        }
        if (failure == null) {
            result.end(value);
        } else {
            result.fail(Stages.unwrap(failure));
        }
    }

    /** Releases what a context still held that has ended, and whose locks end with it. */
    final void releaseAtEnd(Grant<?> held) {
        @SuppressWarnings("unchecked") // a grant is asked about at its own lock
        Grant<T> grant = (Grant<T>) held;
        if (tryRelease(grant)) {
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
        synchronized (this) {
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
    public synchronized int waiters() {
        return queue.size();
    }

    /** {@return how many permits are free} */
    int available() {
        Object seen = word;
        if (seen != this) {
            return seen == null ? total : 0;
        }
        synchronized (this) {
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
        synchronized (this) {
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

    /** Whether a wait goes on. */
    final boolean isWaiting(Waiter<?> waiter) {
        synchronized (this) {
            return waiter.state == Waiter.State.WAITING;
        }
    }

    /** Whether some holder waits for a lock itself, so that whoever waits for this one may wait in a circle. */
    final boolean isHeldByOneWhoWaits() {
        ContextNode only = null;
        List<ContextNode> several = List.of();
        synchronized (this) {
            Grant<T> first = holders.first();
            if (first != null && holders.size() == 1) {
                only = first.by;
            } else {
                several = new ArrayList<>();
                for (Grant<T> h = first; h != null && several.size() < MOST_HOLDERS_LOOKED_AT; h = holders.after(h)) {
                    several.add(h.by);
                }
            }
        }
        return only != null ? isHeldInACircleBy(only) : several.stream().anyMatch(this::isHeldInACircleBy);
    }

    /** Whether {@link #isHeldByOneWhoWaits} leaves some out. */
    final synchronized boolean hasMoreHoldersThanAreLookedAt() {
        return holders.size() > MOST_HOLDERS_LOOKED_AT;
    }

    /** Whether a holder waits for a lock; for one with a single permit another branch of the same context may well wait. */
    final boolean isHeldInACircleBy(ContextNode holder) {
        return holder.isWaitingForLock(total == 1 ? this : null);
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
