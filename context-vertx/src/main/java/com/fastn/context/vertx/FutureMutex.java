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
     *     asking context is or becomes cancelled
     */
    public Future<LockGuard<T>> lock() {
        return Futures.of(mutex.lock());
    }

    /**
     * Asks for the lock, for a time. Whoever gets the guard closes it.
     *
     * @param timeout how long to wait
     * @return as {@link #lock()}, and fails with a {@link LockTimeoutException} when the time runs out first
     */
    public Future<LockGuard<T>> lock(Duration timeout) {
        return Futures.of(mutex.lock(timeout));
    }

    /** {@return the guard if the lock is free and nobody waits, or {@code null}} */
    @MustBeClosed
    public @Nullable LockGuard<T> tryLock() {
        return mutex.tryLock();
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
        return Futures.of(mutex.withLock(value -> Futures.stage(work.apply(value))));
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
        return Futures.of(mutex.withLock(timeout, value -> Futures.stage(work.apply(value))));
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
