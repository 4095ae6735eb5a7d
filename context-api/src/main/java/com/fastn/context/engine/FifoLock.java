package com.fastn.context.engine;

import static java.util.Objects.requireNonNull;

import com.fastn.context.ContextLock;
import com.fastn.context.FastnContext;
import com.fastn.context.Registration;
import com.fastn.context.event.ContextEvent;
import com.fastn.context.status.LockType;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * What is under every named lock: to ask, to release, to give up, and the scope of a {@code withLock}. A mutex has one permit;
 * of a read-write lock a reader takes one and a writer all. Who has them and who waits is in the {@link PermitQueue}; completions,
 * handlers and events run after its monitor is left, see {@link HandOff}.
 */
abstract class FifoLock<T extends @Nullable Object> extends PermitQueue<T> implements ContextLock {
    /** In place of a waiter. */
    private enum Nobody {
        /** What was to be given back was not held. */
        NOT_HELD
    }

    private static final long LONG_ENOUGH_TO_LOOK = CoarseClock.STEP.toNanos();

    private final EngineRuntime runtime;
    private final ContextNode owner;
    private final String name;
    private final long id;
    private final LockType type;
    private final T firstValue;

    volatile T value;

    private volatile boolean placesWanted;

    /** No place is wanted, no grant ends with its context, and no strict mode: a grant needs nothing but itself. */
    private volatile boolean plain;

    /** Whether {@link EpisodeWatch} knows that somebody waits; changed under its monitor. */
    volatile boolean isWatched;

    FifoLock(ContextNode owner, String name, LockType type, int total, T value) {
        super(total, owner.runtime().firstFence());
        this.runtime = owner.runtime();
        this.owner = owner;
        this.name = name;
        this.id = runtime.nextLockId();
        this.type = type;
        this.firstValue = value;
        this.value = value;
        this.plain = runtime.leaks() == null;
    }

    EngineRuntime runtime() {
        return runtime;
    }

    long id() {
        return id;
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
    final AnyGuard<T> handedOut(Grant<T> grant) {
        LeakTracker leaks = plain ? null : runtime.leaks();
        return leaks == null || grant.scoped ? grant : leaks.guard(grant);
    }

    /** All permits of a lock that is free, by one atomic step; null when it needs a closer look. */
    private @Nullable Grant<T> takeAll(ContextNode asker, int permits, boolean scoped, boolean byThread) {
        if (permits != total() || !isFree() || asker.isCancelled() || asker.isClosed()) {
            return null;
        }
        long now = runtime.touchNanos();
        Grant<T> grant = new Grant<>(this, asker, permits, scoped, nextFence(), now);
        grant.byThread = byThread;
        if (!plain) {
            grant.endsWithContext = endsWithContext && !scoped;
        }
        if (!takeAlone(grant)) {
            return null;
        }
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
            LockMisuses.askedByStranger(this, asker);
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
            if (made == null && !isFree()) {
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
                granted = canServe(permits)
                        ? grant(byThread(new Grant<>(this, asker, permits, scoped, 0, now), blocking))
                        : null;
                if (granted == null && made != null) {
                    waiter = made;
                    join(waiter);
                }
                rest();
            }
        } while (granted == null && waiter == null);
        if (granted != null) {
            if (made != null) {
                HandOff.outside(made);
            }
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
            // Those of the one who waits: the runtime of the lock may close before him.
            timer = waiter.by
                    .runtime()
                    .timers()
                    .after(timeout, () -> giveUp(waiter, Refusals.outOfTime(waiter, timeout)));
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
        if (permits < 1 || permits > total()) {
            throw Refusals.impossible(this, asker(), permits);
        }
        ContextNode asker = asker();
        Grant<T> granted = takeAll(asker, permits, false, true);
        if (granted == null && (asker.isCancelled() || asker.isClosed())) {
            LockMisuses.triedInEnded(this, asker);
        } else if (granted == null && !isTakenAlone()) {
            granted = tryInLine(asker, permits);
        }
        return granted == null ? null : handedOut(granted);
    }

    private @Nullable Grant<T> tryInLine(ContextNode asker, int permits) {
        long now = runtime.touchNanos();
        Grant<T> granted = null;
        synchronized (holders) {
            look();
            if (canServe(permits)) {
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
            throw Refusals.onEventLoop(this, asker);
        }
        Grant<T> granted = takeAll(asker, permits, false, true);
        if (granted != null) {
            return handedOut(granted);
        }
        return new ThreadWait<>(this, asker, askInLine(asker, permits, timeout, false, true)).guard();
    }

    private static <T extends @Nullable Object> Grant<T> byThread(Grant<T> grant, boolean byThread) {
        grant.byThread = byThread;
        return grant;
    }

    // --- granting

    /** What is to be done after a grant, outside of the monitor. */
    final void held(Grant<T> grant) {
        if (owner.isClosed()) {
            runtime.keepIfBusy(this);
        }
        // Whoever is told may ask for the status at once.
        runtime.changed();
        if (runtime.hasListeners()) {
            runtime.tell(new ContextEvent.LockHeld(idOf(grant.by), grant.by.path(), id, name, type, grant.fence));
        }
        if (grant.endsWithContext) {
            grant.by.releaseWithEnd(grant);
        }
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
            LockMisuses.closedTwice(grant);
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
        HandOff.tellServed(waiters(served));
        return true;
    }

    /** As {@link #tryRelease}; but those who are served by it are told by whoever calls, by {@link HandOff#tellServed}. */
    final @Nullable Waiter<T> takeBack(Grant<T> grant) {
        return isBackAlone(grant) ? null : waiters(takeFromLine(grant));
    }

    @SuppressWarnings("unchecked") // of this lock, by the method below
    private @Nullable Waiter<T> waiters(@Nullable Object served) {
        return served == Nobody.NOT_HELD ? null : (Waiter<T>) served;
    }

    /** Takes back what is held while nobody waits, by one atomic step. */
    private boolean isBackAlone(Grant<T> grant) {
        if (giveBackAlone(grant)) {
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
            if (held) {
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

    private void released(Grant<T> grant) {
        runtime.changed();
        if (runtime.hasListeners()) {
            runtime.tell(new ContextEvent.LockReleased(idOf(grant.by), grant.by.path(), id, name, type, grant.fence));
        }
        if (grant.endsWithContext) {
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
            int has = heldBy(grant);
            last = some == has;
            if (some >= 1 && some < has) {
                takeSomeOut(grant, some);
                since = headSinceNanos();
                served = serve(now);
            } else if (some < 1 || some > has) {
                rest();
                throw Refusals.notHeld(grant, some, has);
            }
        }
        if (last) {
            release(grant);
        } else {
            noteLongWait(served, now - since);
            grant.by.touch(now);
            runtime.changed();
            HandOff.tellServed(served);
        }
    }

    final void checkHeld(Grant<T> grant) {
        if (!isHeldBy(grant)) {
            throw Refusals.closed(grant);
        }
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
            if (!takeOutOfLine(waiter)) {
                return false;
            }
            // Those behind it may fit where it did not (rule L6).
            since = headSinceNanos();
            served = serve(now);
            rest();
        }
        noteLongWait(served, now - since);
        HandOff.isOver(waiter);
        waiter.by.removeWait(waiter);
        runtime.changed();
        if (runtime.hasListeners()) {
            runtime.tell(new ContextEvent.WaitEnded(idOf(waiter.by), waiter.by.path(), id, name, type));
        }
        runtime.trampoline().hold();
        try {
            if (cause != null) {
                // Before those behind it: one of these may block for what it still has.
                HandOff.tellGivenUp(waiter, cause);
            }
            HandOff.tellServed(served);
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
        boolean released;
        try {
            released = tryRelease(grant);
        } finally {
            // Where that failed nobody will close it.
            grant.endsWithContext = false;
        }
        if (released && seen) {
            LeakTracker.Opened opened = grant.opened;
            if (opened != null) {
                opened.closed();
            }
            LockMisuses.openAtTheEnd(grant);
        }
    }

    // --- what is known

    @Override
    public List<FastnContext> holders() {
        return contextsOfHolders();
    }

    /** {@return the first holder, or null} */
    @Nullable
    FastnContext firstHolder() {
        List<FastnContext> all = holders();
        return all.isEmpty() ? null : all.get(0);
    }

    @Override
    public int waiters() {
        return inLine();
    }

    boolean isBusy() {
        return !isFree();
    }

    @Override
    public void setAutoReleaseOnEnd(boolean release) {
        if (release) {
            // First: who finds that grants end with their contexts looks no longer at whether the lock is plain.
            plain = false;
        }
        endsWithContext = release;
    }

    /** Who holds and who waits, of one instant (rule M9). */
    final LockView view() {
        List<LockView.Holder> held = new ArrayList<>();
        List<LockView.Waiting> waiting = new ArrayList<>();
        long generation = readInto(held, waiting);
        return new LockView(this, held, waiting, generation);
    }

    /** Adds its view to some, unless nobody holds it. */
    final void addTo(List<LockView> views) {
        if (isBusy()) {
            LockView view = view();
            if (!view.isIdle()) {
                views.add(view);
            }
        }
    }
}
