package com.fastn.context.engine;

import static java.util.Objects.requireNonNull;

import com.fastn.context.status.LockMode;
import java.time.Instant;
import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * One holding of a lock, and the guard that its holder has. A {@link Waiter} becomes one when the lock is granted to it.
 *
 * <p>Its links and permits are guarded by the lock's monitor. The layout is part of the budget: 64 bytes.
 */
class Grant<T extends @Nullable Object> extends Chain.Link<Grant<T>> implements AnyGuard<T> {
    final FifoLock<T> lock;
    final ContextNode by;
    /** Given to a {@code withLock}, which gives it back whatever happens to the context. */
    final boolean scoped;

    /** Somebody asked inside of that {@code withLock} for a lock and had to wait, whosever context it was. It stays set. */
    volatile boolean isAskedIn;

    /** Closed with its context, which was decided when it was given; no longer once that was done, or has failed. */
    boolean endsWithContext;

    /** Asked for by a form that does not lead anywhere but back to its caller, who then has the guard in his thread. */
    boolean byThread;

    int permits;
    long fence;
    /**
     * Since when it is held: of one who waited, since the grant, and from then on since he was told. Of a waiter, since when it
     * waits. To within {@link CoarseClock#STEP}.
     */
    long sinceNanos;

    /** Where it was asked for: in strict mode, and for locks that were waited for for long. */
    volatile @Nullable List<StackTraceElement> place;

    /** In strict mode, once a guard was handed out. */
    volatile LeakTracker.@Nullable Opened opened;

    Grant(FifoLock<T> lock, ContextNode by, int permits, boolean scoped, long fence, long sinceNanos) {
        this.lock = lock;
        this.by = by;
        this.permits = permits;
        this.scoped = scoped;
        this.fence = fence;
        this.sinceNanos = sinceNanos;
    }

    void placed(@Nullable List<StackTraceElement> where) {
        if (where != null) {
            place = where;
        }
    }

    /** As what so many permits of this lock are held. */
    LockMode mode(int some) {
        return switch (lock.type()) {
            case MUTEX -> LockMode.EXCLUSIVE;
            case SEMAPHORE -> LockMode.PERMITS;
            case RW_LOCK -> some < lock.total() ? LockMode.READ : LockMode.WRITE;
        };
    }

    @Override
    public T value() {
        lock.checkHeld(this);
        return lock.value;
    }

    @Override
    public void set(T newValue) {
        lock.checkHeld(this);
        lock.value = newValue;
    }

    @Override
    public T update(UnaryOperator<T> change) {
        requireNonNull(change, "change");
        // The change is the caller's code, so it runs outside of any monitor; the lock itself keeps others out.
        T changed = change.apply(value());
        set(changed);
        return changed;
    }

    @Override
    public String lockName() {
        return lock.name();
    }

    @Override
    public ContextNode context() {
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
    public int permits() {
        return lock.permitsOf(this);
    }

    @Override
    public void release(int some) {
        lock.releaseSome(this, some);
    }

    @Override
    public void close() {
        lock.release(this);
    }
}
