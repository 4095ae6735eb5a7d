package com.fastn.context.vertx;

import static java.util.Objects.requireNonNull;

import com.fastn.context.ContextCancelledException;
import com.fastn.context.ContextReadWriteLock;
import com.fastn.context.FastnContext;
import com.fastn.context.LockGuard;
import com.fastn.context.LockTimeoutException;
import com.fastn.context.ReadGuard;
import com.google.errorprone.annotations.MustBeClosed;
import io.vertx.core.Future;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A {@link ContextReadWriteLock} for code that works with Vert.x futures, which complete on the Vert.x context of the
 * caller.
 *
 * @param <T> the type of the value that the lock protects
 */
public final class FutureReadWriteLock<T extends @Nullable Object> {
    private final ContextReadWriteLock<T> lock;

    FutureReadWriteLock(ContextReadWriteLock<T> lock) {
        this.lock = lock;
    }

    /** {@return the lock's name} */
    public String name() {
        return lock.name();
    }

    /** {@return the lock itself} */
    public ContextReadWriteLock<T> lock() {
        return lock;
    }

    /** {@return completes with the guard when the lock is granted for reading; whoever gets it closes it} */
    public Future<ReadGuard<T>> readLock() {
        return Futures.ofGuard(lock, lock.readLock());
    }

    /**
     * Asks for the lock for reading, for a time. Whoever gets the guard closes it.
     *
     * @param timeout how long to wait
     * @return as {@link #readLock()}, and fails with a {@link LockTimeoutException} when the time runs out first
     */
    public Future<ReadGuard<T>> readLock(Duration timeout) {
        return Futures.ofGuard(lock, lock.readLock(timeout));
    }

    /** {@return completes with the guard when the lock is granted for writing; whoever gets it closes it} */
    public Future<LockGuard<T>> writeLock() {
        return Futures.ofGuard(lock, lock.writeLock());
    }

    /**
     * Asks for the lock for writing, for a time. Whoever gets the guard closes it.
     *
     * @param timeout how long to wait
     * @return as {@link #writeLock()}, and fails with a {@link LockTimeoutException} when the time runs out first
     */
    public Future<LockGuard<T>> writeLock(Duration timeout) {
        return Futures.ofGuard(lock, lock.writeLock(timeout));
    }

    /** {@return the guard if no writer has the lock and nobody waits, or {@code null}} */
    @MustBeClosed
    public @Nullable ReadGuard<T> tryReadLock() {
        return lock.tryReadLock();
    }

    /** {@return the guard if the lock is free and nobody waits, or {@code null}} */
    @MustBeClosed
    public @Nullable LockGuard<T> tryWriteLock() {
        return lock.tryWriteLock();
    }

    /**
     * Asks for the lock for reading, unless something else ends first, such as a connection: the wait leaves the queue then. Whoever gets the
     * guard closes it.
     *
     * @param stop what ends the wait when it ends, well or badly; it has no effect on a guard that was given
     * @return as {@link #readLock()}, and fails with a {@link CancellationException} when {@code stop} ends first
     */
    public Future<ReadGuard<T>> readLockUnless(Future<?> stop) {
        requireNonNull(stop, "stop");
        return Futures.unless(lock, stop, lock::readLock);
    }

    /**
     * Asks for the lock for writing, unless something else ends first, such as a connection: the wait leaves the queue then. Whoever gets the
     * guard closes it.
     *
     * @param stop what ends the wait when it ends, well or badly; it has no effect on a guard that was given
     * @return as {@link #writeLock()}, and fails with a {@link CancellationException} when {@code stop} ends first
     */
    public Future<LockGuard<T>> writeLockUnless(Future<?> stop) {
        requireNonNull(stop, "stop");
        return Futures.unless(lock, stop, lock::writeLock);
    }

    /**
     * Waits for the lock for reading in the calling thread, which has to be one of a worker or a virtual thread.
     * In a handler of an ordered worker it also throws what {@link com.fastn.context.ContextMutex#lockBlocking()} says.
     *
     * @return the guard
     * @throws IllegalStateException on an event loop, which must not be held up, or if the asking context has ended
     * @throws ContextCancelledException if the asking context is or becomes cancelled
     * @throws CancellationException if the thread is interrupted, whose flag stays set
     */
    @MustBeClosed
    public ReadGuard<T> readLockBlocking() {
        return lock.readLockBlocking();
    }

    /**
     * Waits for the lock for reading in the calling thread, for a time.
     *
     * @param timeout how long to wait
     * @return the guard, or {@code null} when the time ran out first; otherwise it throws as {@link #readLockBlocking()} does
     */
    @MustBeClosed
    public @Nullable ReadGuard<T> readLockBlocking(Duration timeout) {
        return lock.readLockBlocking(timeout);
    }

    /**
     * Waits for the lock for writing in the calling thread, which has to be one of a worker or a virtual thread.
     * In a handler of an ordered worker it also throws what {@link com.fastn.context.ContextMutex#lockBlocking()} says.
     *
     * @return the guard
     * @throws IllegalStateException on an event loop, which must not be held up, or if the asking context has ended
     * @throws ContextCancelledException if the asking context is or becomes cancelled
     * @throws CancellationException if the thread is interrupted, whose flag stays set
     */
    @MustBeClosed
    public LockGuard<T> writeLockBlocking() {
        return lock.writeLockBlocking();
    }

    /**
     * Waits for the lock for writing in the calling thread, for a time.
     *
     * @param timeout how long to wait
     * @return the guard, or {@code null} when the time ran out first; otherwise it throws as {@link #writeLockBlocking()} does
     */
    @MustBeClosed
    public @Nullable LockGuard<T> writeLockBlocking(Duration timeout) {
        return lock.writeLockBlocking(timeout);
    }

    /**
     * Runs a piece of work while holding the lock for reading, and releases it whatever happens. Recommended.
     *
     * @param work is given the value, and gives the future that ends the work
     * @param <R> the type of the result
     * @return completes as the work's future does, after the lock was released
     */
    public <R extends @Nullable Object> Future<R> withReadLock(Function<? super T, Future<R>> work) {
        requireNonNull(work, "work");
        return Futures.of(lock, lock.withReadLock(value -> Futures.stage(lock, work.apply(value))));
    }

    /**
     * Runs a piece of work while holding the lock for reading, if it is granted in time.
     *
     * @param timeout how long to wait for the lock
     * @param work is given the value, and gives the future that ends the work
     * @param <R> the type of the result
     * @return as {@link #withReadLock(Function)}, and fails with a {@link LockTimeoutException} when the time runs out first
     */
    public <R extends @Nullable Object> Future<R> withReadLock(Duration timeout, Function<? super T, Future<R>> work) {
        requireNonNull(work, "work");
        return Futures.of(lock, lock.withReadLock(timeout, value -> Futures.stage(lock, work.apply(value))));
    }

    /**
     * Runs a piece of work while holding the lock for writing, and releases it whatever happens. Recommended.
     *
     * @param work is given the guard, to read and replace the value, and gives the future that ends the work
     * @param <R> the type of the result
     * @return completes as the work's future does, after the lock was released
     */
    public <R extends @Nullable Object> Future<R> withWriteLock(Function<? super LockGuard<T>, Future<R>> work) {
        requireNonNull(work, "work");
        return Futures.of(lock, lock.withWriteLock(guard -> Futures.stage(lock, work.apply(guard))));
    }

    /**
     * Runs a piece of work while holding the lock for writing, if it is granted in time.
     *
     * @param timeout how long to wait for the lock
     * @param work is given the guard, to read and replace the value, and gives the future that ends the work
     * @param <R> the type of the result
     * @return as {@link #withWriteLock(Function)}, and fails with a {@link LockTimeoutException} when the time runs out first
     */
    public <R extends @Nullable Object> Future<R> withWriteLock(
            Duration timeout, Function<? super LockGuard<T>, Future<R>> work) {
        requireNonNull(work, "work");
        return Futures.of(lock, lock.withWriteLock(timeout, guard -> Futures.stage(lock, work.apply(guard))));
    }

    /** {@return the contexts that hold the lock at this moment} */
    public List<FastnContext> holders() {
        return lock.holders();
    }

    /** {@return how many wait at this moment} */
    public int waiters() {
        return lock.waiters();
    }
}
