package com.fastn.context.engine;

import static java.util.Objects.requireNonNull;

import com.fastn.context.ContextCancelledException;
import com.fastn.context.ContextMutex;
import com.fastn.context.FastnContext;
import com.fastn.context.LockGuard;
import com.fastn.context.LockTimeoutException;
import com.fastn.context.Registration;
import com.fastn.context.event.ContextEvent;
import com.fastn.context.status.CancelReason;
import com.fastn.context.status.ContextState;
import com.fastn.context.status.LockType;
import com.google.errorprone.annotations.CanIgnoreReturnValue;
import com.google.errorprone.annotations.MustBeClosed;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A named lock with one holder and a queue. The waiter is the record that a snapshot shows.
 *
 * <p>All state changes under this object's monitor, which is a leaf. Completions, handlers and events run after it is
 * left: on the execution context that asked, else by trampoline in the thread that released (rules L1, L2, L8, L9).
 */
final class FifoMutex<T extends @Nullable Object> implements ContextMutex<T> {
    private final ContextNode owner;
    private final String name;
    private final long id;
    private final T firstValue;

    @GuardedBy("this")
    private T value;

    @GuardedBy("this")
    private @Nullable Grant<T> holder;

    @GuardedBy("this")
    private @Nullable Waiter<T> head;

    @GuardedBy("this")
    private @Nullable Waiter<T> tail;

    @GuardedBy("this")
    private int waiting;

    @GuardedBy("this")
    private long lastFence;

    FifoMutex(ContextNode owner, String name, T value) {
        this.owner = owner;
        this.name = name;
        this.id = owner.runtime().nextLockId();
        this.firstValue = value;
        this.value = value;
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
    public FastnContext context() {
        return owner;
    }

    @Override
    public CompletionStage<LockGuard<T>> lock() {
        return lock(asker(), null, false);
    }

    @Override
    public CompletionStage<LockGuard<T>> lock(Duration timeout) {
        return lock(asker(), requireNonNull(timeout, "timeout"), false);
    }

    private ContextNode asker() {
        return owner.runtime().engineCurrent() instanceof ContextNode current ? current : owner;
    }

    private CompletionStage<LockGuard<T>> lock(ContextNode asker, @Nullable Duration timeout, boolean scoped) {
        EngineRuntime runtime = owner.runtime();
        CancelReason cancelled = asker.cancelReason();
        if (cancelled != null) {
            return CompletableFuture.failedFuture(refused(asker, cancelled));
        }
        if (asker.state() == ContextState.CLOSED) {
            return CompletableFuture.failedFuture(new IllegalStateException("mutex \"" + name + "\" was not given to "
                    + asker.path() + ", which has ended; lock in a context that is open"));
        }
        asker.touch();
        List<StackTraceElement> place = scoped ? null : place();
        Grant<T> granted = null;
        Waiter<T> waiter = null;
        synchronized (this) {
            if (holder == null) {
                granted = grant(asker, scoped);
            } else {
                waiter = new Waiter<>(
                        this,
                        asker,
                        scoped,
                        place,
                        runtime.nanos(),
                        runtime.current().completions());
                append(waiter);
            }
        }
        if (waiter == null) {
            return CompletableFuture.completedFuture(guard(held(requireNonNull(granted, "granted")), place));
        }
        if (runtime.hasListeners()) {
            runtime.tell(new ContextEvent.WaitStarted(asker.id(), asker.path(), id, name, LockType.MUTEX));
        }
        runtime.changed();
        return watch(waiter, timeout);
    }

    /** Lets the waiter hear of cancellation and of the end of its time, once it is in the queue. */
    private CompletionStage<LockGuard<T>> watch(Waiter<T> waiter, @Nullable Duration timeout) {
        EngineRuntime runtime = owner.runtime();
        waiter.onEnd(waiter.asker.addCancelHandler(reason -> giveUp(waiter, refused(waiter.asker, reason)), null));
        if (timeout != null) {
            waiter.onEnd(runtime.timers().after(timeout, () -> giveUp(waiter, outOfTime(waiter, timeout))));
        }
        return waiter.future;
    }

    private ContextCancelledException refused(ContextNode asker, CancelReason reason) {
        return new ContextCancelledException(
                "mutex \"" + name + "\" was not given to " + asker.path() + ", which was cancelled", reason);
    }

    private LockTimeoutException outOfTime(Waiter<T> waiter, Duration timeout) {
        FastnContext by = holder();
        return new LockTimeoutException("mutex \"" + name + "\" was not given to " + waiter.asker.path() + " within "
                + timeout + (by == null ? "" : "; it is held by " + by.path()));
    }

    @GuardedBy("this")
    private Grant<T> grant(ContextNode to, boolean scoped) {
        lastFence++;
        Grant<T> grant =
                new Grant<>(this, to, scoped, lastFence, owner.runtime().nanos());
        holder = grant;
        return grant;
    }

    /** Where the lock is asked for; null unless the runtime is strict. */
    private @Nullable List<StackTraceElement> place() {
        return owner.runtime().leaks() == null ? null : Places.caller();
    }

    /** What the caller gets: the grant itself, or a handle around it that tells when it is forgotten. */
    private LockGuard<T> guard(Grant<T> grant, @Nullable List<StackTraceElement> place) {
        LeakTracker leaks = owner.runtime().leaks();
        return leaks == null || place == null ? grant : leaks.guard(grant, place);
    }

    @GuardedBy("this")
    private void append(Waiter<T> waiter) {
        waiter.previous = tail;
        if (tail == null) {
            head = waiter;
        } else {
            tail.next = waiter;
        }
        tail = waiter;
        waiting++;
    }

    @GuardedBy("this")
    private void unlink(Waiter<T> waiter) {
        if (waiter.previous == null) {
            head = waiter.next;
        } else {
            waiter.previous.next = waiter.next;
        }
        if (waiter.next == null) {
            tail = waiter.previous;
        } else {
            waiter.next.previous = waiter.previous;
        }
        waiter.previous = null;
        waiter.next = null;
        waiting--;
    }

    @Override
    @MustBeClosed
    public @Nullable LockGuard<T> tryLock() {
        ContextNode asker = asker();
        if (asker.isCancelled() || asker.state() == ContextState.CLOSED) {
            return null;
        }
        Grant<T> granted;
        synchronized (this) {
            if (holder != null) {
                return null;
            }
            granted = grant(asker, false);
        }
        asker.touch();
        return guard(held(granted), place());
    }

    @Override
    public <R extends @Nullable Object> CompletionStage<R> withLock(
            Function<? super T, ? extends CompletionStage<R>> work) {
        requireNonNull(work, "work");
        CompletableFuture<LockGuard<T>> asked = lock(asker(), null, true).toCompletableFuture();
        CompletableFuture<R> result = new CompletableFuture<>() {
            @Override
            public boolean cancel(boolean mayInterruptIfRunning) {
                asked.cancel(mayInterruptIfRunning);
                return super.cancel(mayInterruptIfRunning);
            }
        };
        // Not by thenCompose: it skips the function, and so loses the guard, when its stage was completed from outside.
        var unused = asked.whenComplete((guard, failure) -> {
            if (failure != null) {
                result.completeExceptionally(failure);
            } else {
                work(guard, work, result);
            }
        });
        return result;
    }

    private <R extends @Nullable Object> void work(
            LockGuard<T> guard, Function<? super T, ? extends CompletionStage<R>> work, CompletableFuture<R> result) {
        if (result.isDone()) {
            guard.close();
            return;
        }
        CompletionStage<R> done;
        try {
            done = requireNonNull(work.apply(guard.value()), "the work gave no stage");
        } catch (Throwable t) {
            guard.close();
            result.completeExceptionally(t);
            return;
        }
        done.whenComplete((value, failure) -> {
            guard.close();
            Stages.complete(result, value, failure);
        });
    }

    @Override
    public synchronized @Nullable FastnContext holder() {
        return holder == null ? null : holder.by;
    }

    @Override
    public synchronized int waiters() {
        return waiting;
    }

    synchronized boolean isBusy() {
        return holder != null;
    }

    /** Who holds and who waits, of one instant (rule M9); null when nobody does. */
    synchronized @Nullable Picture picture() {
        if (holder == null) {
            return null;
        }
        List<Waiter<?>> queue = new ArrayList<>(waiting);
        for (Waiter<T> w = head; w != null; w = w.next) {
            queue.add(w);
        }
        return new Picture(this, holder, queue);
    }

    record Picture(FifoMutex<?> mutex, Grant<?> holder, List<Waiter<?>> waiters) {}

    @CanIgnoreReturnValue
    private Grant<T> held(Grant<T> grant) {
        EngineRuntime runtime = owner.runtime();
        if (runtime.hasListeners()) {
            runtime.tell(
                    new ContextEvent.LockHeld(grant.by.id(), grant.by.path(), id, name, LockType.MUTEX, grant.fence));
        }
        if (owner.state() == ContextState.CLOSED) {
            runtime.keepIfBusy(this);
        }
        runtime.changed();
        return grant;
    }

    private void release(Grant<T> grant) {
        EngineRuntime runtime = owner.runtime();
        Waiter<T> next;
        Grant<T> granted = null;
        boolean held;
        synchronized (this) {
            held = holder == grant;
            next = held ? head : null;
            if (held) {
                holder = null;
            }
            if (next != null) {
                unlink(next);
                next.state = WaiterState.GRANTED;
                granted = grant(next.asker, next.scoped);
            }
        }
        if (!held) {
            runtime.misuse("a LockGuard of mutex \"" + name + "\" was closed twice; the second time had no effect");
            return;
        }
        grant.by.touch();
        if (runtime.hasListeners()) {
            runtime.tell(new ContextEvent.LockReleased(
                    grant.by.id(), grant.by.path(), id, name, LockType.MUTEX, grant.fence));
        }
        runtime.changed();
        if (next != null && granted != null) {
            held(granted);
            next.ended();
            deliver(next, granted);
        } else {
            runtime.forgetIfIdle(this);
        }
    }

    private void deliver(Waiter<T> waiter, Grant<T> grant) {
        Runnable handOver = () -> {
            waiter.asker.touch();
            CancelReason cancelled = waiter.asker.cancelReason();
            if (cancelled != null) {
                // Cancelled between the grant and now: the guard is never seen (rule L2).
                release(grant);
                waiter.future.completeExceptionally(refused(waiter.asker, cancelled));
                return;
            }
            LockGuard<T> guard = guard(grant, waiter.place);
            if (!waiter.future.complete(guard)) {
                guard.close();
            }
        };
        run(waiter, handOver);
    }

    private void giveUp(Waiter<T> waiter, Throwable cause) {
        if (leave(waiter)) {
            run(waiter, () -> waiter.future.completeExceptionally(cause));
        }
    }

    /** Takes a waiter out of the queue before anybody hears of it; false when it was granted or had left (rule L1). */
    private boolean leave(Waiter<T> waiter) {
        synchronized (this) {
            if (waiter.state != WaiterState.WAITING) {
                return false;
            }
            waiter.state = WaiterState.LEFT;
            unlink(waiter);
        }
        waiter.ended();
        EngineRuntime runtime = owner.runtime();
        if (runtime.hasListeners()) {
            runtime.tell(new ContextEvent.WaitEnded(waiter.asker.id(), waiter.asker.path(), id, name, LockType.MUTEX));
        }
        runtime.changed();
        return true;
    }

    private void run(Waiter<T> waiter, Runnable completion) {
        Executor where = waiter.executor;
        if (where != null) {
            try {
                where.execute(completion);
                return;
            } catch (RuntimeException e) {
                // The place that asked is gone; the lock must not be lost with it.
            }
        }
        // In the thread that released, but not in its context: what the waiter goes on with is the waiter's (rule L9).
        owner.runtime().trampoline().run(waiter.asker.wrap(completion));
    }

    private enum WaiterState {
        WAITING,
        GRANTED,
        LEFT
    }

    /** One place in the queue. */
    static final class Waiter<T extends @Nullable Object> {
        final ContextNode asker;
        final boolean scoped;
        final @Nullable List<StackTraceElement> place;
        final long sinceNanos;
        private final @Nullable Executor executor;
        private final CompletableFuture<LockGuard<T>> future;

        // Guarded by the mutex's monitor.
        private WaiterState state = WaiterState.WAITING;
        private @Nullable Waiter<T> previous;
        private @Nullable Waiter<T> next;

        @GuardedBy("ends")
        private final List<Registration> ends = new ArrayList<>(2);

        @GuardedBy("ends")
        private boolean over;

        Waiter(
                FifoMutex<T> mutex,
                ContextNode asker,
                boolean scoped,
                @Nullable List<StackTraceElement> place,
                long sinceNanos,
                @Nullable Executor executor) {
            this.asker = asker;
            this.scoped = scoped;
            this.place = place;
            this.sinceNanos = sinceNanos;
            this.executor = executor;
            this.future = new CompletableFuture<>() {
                @Override
                public boolean cancel(boolean mayInterruptIfRunning) {
                    mutex.leave(Waiter.this);
                    return super.cancel(mayInterruptIfRunning);
                }
            };
        }

        /** Registers what is to be taken back when the wait is over, which may already be so. */
        void onEnd(Registration registration) {
            synchronized (ends) {
                if (!over) {
                    ends.add(registration);
                    return;
                }
            }
            registration.close();
        }

        void ended() {
            List<Registration> all;
            synchronized (ends) {
                over = true;
                all = List.copyOf(ends);
                ends.clear();
            }
            all.forEach(Registration::close);
        }
    }

    /** The holding of the lock, and the guard that its holder has. */
    static final class Grant<T extends @Nullable Object> implements LockGuard<T> {
        final FifoMutex<T> mutex;
        final ContextNode by;
        /** Given to {@link #withLock}, which gives it back whatever happens to the context. */
        final boolean scoped;

        final long fence;
        final long sinceNanos;

        /** In strict mode, once a guard was handed out. */
        volatile LeakTracker.@Nullable Opened opened;

        Grant(FifoMutex<T> mutex, ContextNode by, boolean scoped, long fence, long sinceNanos) {
            this.mutex = mutex;
            this.by = by;
            this.scoped = scoped;
            this.fence = fence;
            this.sinceNanos = sinceNanos;
        }

        @GuardedBy("mutex")
        private void checkHeld() {
            if (mutex.holder != this) {
                throw new IllegalStateException(
                        "this LockGuard of mutex \"" + mutex.name + "\" is closed; lock again to reach the value");
            }
        }

        @Override
        public T value() {
            synchronized (mutex) {
                checkHeld();
                return mutex.value;
            }
        }

        @Override
        public void set(T newValue) {
            synchronized (mutex) {
                checkHeld();
                mutex.value = newValue;
            }
        }

        @Override
        public T update(UnaryOperator<T> change) {
            // The change is the caller's code, so it runs outside of the monitor; the lock itself keeps others out.
            T changed = change.apply(value());
            set(changed);
            return changed;
        }

        @Override
        public String lockName() {
            return mutex.name;
        }

        @Override
        public FastnContext context() {
            return by;
        }

        @Override
        public Instant acquiredAt() {
            return by.runtime().wallTimeOf(sinceNanos);
        }

        @Override
        public long fence() {
            return fence;
        }

        @Override
        public void close() {
            mutex.release(this);
        }
    }
}
