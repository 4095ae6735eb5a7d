package com.fastn.context;

import com.google.errorprone.annotations.MustBeClosed;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A named lock that many readers share or one writer has alone. See {@link ContextLock} for what it promises.
 *
 * <p>Readers who ask while a writer waits queue behind it, so a writer is never starved by new readers. When that writer
 * gives up, the readers behind it are served at once. A reader cannot become a writer: it would wait for itself.
 *
 * @param <T> the type of the value that the lock protects
 */
public interface ContextReadWriteLock<T extends @Nullable Object> extends ContextLock {

    /** {@return completes with the guard when the lock is granted for reading; see {@link ContextMutex#lock()} for failures} */
    CompletionStage<ReadGuard<T>> readLock();

    /**
     * Asks for the lock for reading, for a time.
     *
     * @param timeout how long to wait
     * @return as {@link #readLock()}, and fails with a {@link LockTimeoutException} when the time runs out first
     */
    CompletionStage<ReadGuard<T>> readLock(Duration timeout);

    /** {@return completes with the guard when the lock is granted for writing; see {@link ContextMutex#lock()} for failures} */
    CompletionStage<LockGuard<T>> writeLock();

    /**
     * Asks for the lock for writing, for a time.
     *
     * @param timeout how long to wait
     * @return as {@link #writeLock()}, and fails with a {@link LockTimeoutException} when the time runs out first
     */
    CompletionStage<LockGuard<T>> writeLock(Duration timeout);

    /** {@return the guard if no writer has the lock and nobody waits, or {@code null}} */
    @MustBeClosed
    @Nullable
    ReadGuard<T> tryReadLock();

    /** {@return the guard if the lock is free and nobody waits, or {@code null}} */
    @MustBeClosed
    @Nullable
    LockGuard<T> tryWriteLock();

    /**
     * Runs a piece of work while holding the lock for reading, and releases it whatever happens. Recommended.
     *
     * @param work is given the value, and gives the stage that ends the work
     * @param <R> the type of the result
     * @return completes as the work's stage does, after the lock was released
     * @see ContextMutex#withLock(Function)
     */
    <R extends @Nullable Object> CompletionStage<R> withReadLock(
            Function<? super T, ? extends CompletionStage<R>> work);

    /**
     * Runs a piece of work while holding the lock for reading, if it is granted in time.
     *
     * @param timeout how long to wait for the lock
     * @param work is given the value, and gives the stage that ends the work
     * @param <R> the type of the result
     * @return as {@link #withReadLock(Function)}, and fails with a {@link LockTimeoutException} when the time runs out first
     */
    <R extends @Nullable Object> CompletionStage<R> withReadLock(
            Duration timeout, Function<? super T, ? extends CompletionStage<R>> work);

    /**
     * Runs a piece of work while holding the lock for writing, and releases it whatever happens. Recommended.
     *
     * @param work is given the guard, to read and replace the value, and gives the stage that ends the work; to close the guard has
     *     no effect but to be counted as a misuse
     * @param <R> the type of the result
     * @return completes as the work's stage does, after the lock was released
     * @see ContextMutex#withLock(Function)
     */
    <R extends @Nullable Object> CompletionStage<R> withWriteLock(
            Function<? super LockGuard<T>, ? extends CompletionStage<R>> work);

    /**
     * Runs a piece of work while holding the lock for writing, if it is granted in time.
     *
     * @param timeout how long to wait for the lock
     * @param work is given the guard, to read and replace the value, and gives the stage that ends the work
     * @param <R> the type of the result
     * @return as {@link #withWriteLock(Function)}, and fails with a {@link LockTimeoutException} when the time runs out first
     */
    <R extends @Nullable Object> CompletionStage<R> withWriteLock(
            Duration timeout, Function<? super LockGuard<T>, ? extends CompletionStage<R>> work);

    /**
     * Waits in the calling thread until the lock is granted for reading.
     *
     * @return the guard; it throws as {@link ContextMutex#lockBlocking()} does
     */
    @MustBeClosed
    ReadGuard<T> readLockBlocking();

    /**
     * Waits in the calling thread until the lock is granted for reading, for a time.
     *
     * @param timeout how long to wait
     * @return the guard, or {@code null} when the time ran out first
     */
    @MustBeClosed
    @Nullable
    ReadGuard<T> readLockBlocking(Duration timeout);

    /**
     * Waits in the calling thread until the lock is granted for writing.
     *
     * @return the guard; it throws as {@link ContextMutex#lockBlocking()} does
     */
    @MustBeClosed
    LockGuard<T> writeLockBlocking();

    /**
     * Waits in the calling thread until the lock is granted for writing, for a time.
     *
     * @param timeout how long to wait
     * @return the guard, or {@code null} when the time ran out first
     */
    @MustBeClosed
    @Nullable
    LockGuard<T> writeLockBlocking(Duration timeout);
}
