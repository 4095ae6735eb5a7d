package com.fastn.context.vertx;

import static java.util.Objects.requireNonNull;

import com.fastn.context.ContextCancelledException;
import com.fastn.context.ContextMutex;
import com.fastn.context.FastnContext;
import com.fastn.context.LockGuard;
import com.fastn.context.LockTimeoutException;
import com.google.errorprone.annotations.MustBeClosed;
import io.vertx.core.Future;
import java.time.Duration;
import java.util.concurrent.CancellationException;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A {@link ContextMutex} for code that works with Vert.x futures, which complete on the Vert.x context of the caller.
 *
 * @param <T> the type of the value that the lock protects
 */
public final class FutureMutex<T extends @Nullable Object> {
    private final ContextMutex<T> mutex;

    FutureMutex(ContextMutex<T> mutex) {
        this.mutex = mutex;
    }

    /** {@return the lock's name} */
    public String name() {
        return mutex.name();
    }

    /** {@return the lock itself} */
    public ContextMutex<T> mutex() {
        return mutex;
    }

    /**
     * Asks for the lock. Whoever gets the guard closes it.
     *
     * @return completes with the guard when the lock is granted; fails with a {@link ContextCancelledException} when the
     *     asking context is or becomes cancelled, and with a {@link com.fastn.context.SelfDeadlockException} inside the lock's own
     *     {@link #withLock} as far as that is seen there
     */
    public Future<LockGuard<T>> lock() {
        return Futures.ofGuard(mutex, mutex.lock());
    }

    /**
     * Asks for the lock, for a time. Whoever gets the guard closes it.
     *
     * @param timeout how long to wait
     * @return as {@link #lock()}, and fails with a {@link LockTimeoutException} when the time runs out first
     */
    public Future<LockGuard<T>> lock(Duration timeout) {
        return Futures.ofGuard(mutex, mutex.lock(timeout));
    }

    /** {@return the guard if the lock is free and nobody waits, or {@code null}} */
    @MustBeClosed
    public @Nullable LockGuard<T> tryLock() {
        return mutex.tryLock();
    }

    /**
     * Asks for the lock, unless something else ends first, such as a connection: the wait leaves the queue then. Whoever gets the
     * guard closes it.
     *
     * @param stop what ends the wait when it ends, well or badly; it has no effect on a guard that was given
     * @return as {@link #lock()}, and fails with a {@link CancellationException} when {@code stop} ends first
     */
    public Future<LockGuard<T>> lockUnless(Future<?> stop) {
        requireNonNull(stop, "stop");
        return Futures.unless(mutex, stop, mutex::lock);
    }

    /**
     * Waits for the lock in the calling thread, which has to be one of a worker or a virtual thread. In a handler of an ordered
     * worker it also throws what {@link ContextMutex#lockBlocking()} says.
     *
     * @return the guard
     * @throws IllegalStateException on an event loop, which must not be held up, or if the asking context has ended
     * @throws ContextCancelledException if the asking context is or becomes cancelled
     * @throws CancellationException if the thread is interrupted, whose flag stays set
     */
    @MustBeClosed
    public LockGuard<T> lockBlocking() {
        return mutex.lockBlocking();
    }

    /**
     * Waits for the lock in the calling thread, for a time.
     *
     * @param timeout how long to wait
     * @return the guard, or {@code null} when the time ran out first; otherwise it throws as {@link #lockBlocking()} does
     */
    @MustBeClosed
    public @Nullable LockGuard<T> lockBlocking(Duration timeout) {
        return mutex.lockBlocking(timeout);
    }

    /**
     * Runs a piece of work while holding the lock, and releases it whatever happens. Recommended.
     *
     * @param work is given the value, and gives the future that ends the work
     * @param <R> the type of the result
     * @return completes as the work's future does, after the lock was released
     */
    public <R extends @Nullable Object> Future<R> withLock(Function<? super T, Future<R>> work) {
        requireNonNull(work, "work");
        return Futures.of(mutex, mutex.withLock(value -> Futures.stage(mutex, work.apply(value))));
    }

    /**
     * Runs a piece of work while holding the lock, if it is granted in time.
     *
     * @param timeout how long to wait for the lock
     * @param work is given the value, and gives the future that ends the work
     * @param <R> the type of the result
     * @return as {@link #withLock(Function)}, and fails with a {@link LockTimeoutException} when the time runs out first
     */
    public <R extends @Nullable Object> Future<R> withLock(Duration timeout, Function<? super T, Future<R>> work) {
        requireNonNull(work, "work");
        return Futures.of(mutex, mutex.withLock(timeout, value -> Futures.stage(mutex, work.apply(value))));
    }

    /** {@return the context that holds the lock at this moment, or {@code null}} */
    public @Nullable FastnContext holder() {
        return mutex.holder();
    }

    /** {@return how many wait at this moment} */
    public int waiters() {
        return mutex.waiters();
    }
}
