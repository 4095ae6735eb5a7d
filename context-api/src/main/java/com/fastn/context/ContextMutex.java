package com.fastn.context;

import com.google.errorprone.annotations.MustBeClosed;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A named lock with one holder at a time. See {@link ContextLock} for what it promises.
 *
 * @param <T> the type of the value that the lock protects
 */
public interface ContextMutex<T extends @Nullable Object> extends ContextLock {

    /**
     * Asks for the lock.
     *
     * @return completes with the guard when the lock is granted; fails with a {@link ContextCancelledException} when the
     *     asking context is or becomes cancelled, and with a {@link SelfDeadlockException} inside the lock's own {@link
     *     #withLock} as far as that is seen there. Cancelling it leaves the queue
     */
    CompletionStage<LockGuard<T>> lock();

    /**
     * Asks for the lock, for a time.
     *
     * @param timeout how long to wait
     * @return as {@link #lock()}, and fails with a {@link LockTimeoutException} when the time runs out first
     */
    CompletionStage<LockGuard<T>> lock(Duration timeout);

    /** {@return the guard if the lock is free and nobody waits, or {@code null}} */
    @MustBeClosed
    @Nullable
    LockGuard<T> tryLock();

    /**
     * Runs a piece of work while holding the lock, and releases it whatever happens. Recommended.
     *
     * <p>A second {@code lock} on the thread that runs the work, before the work has given its stage, fails at once with a
     * {@link SelfDeadlockException}. After the first asynchronous step nobody can tell whether the code that asks belongs to
     * the work; such a second wait queues, and shows in the status as a wait for its own context.
     *
     * @param work is given the value, and gives the stage that ends the work
     * @param <R> the type of the result
     * @return completes as the work's stage does, after the lock was released
     */
    <R extends @Nullable Object> CompletionStage<R> withLock(Function<? super T, ? extends CompletionStage<R>> work);

    /**
     * Runs a piece of work while holding the lock, if it is granted in time.
     *
     * @param timeout how long to wait for the lock
     * @param work is given the value, and gives the stage that ends the work
     * @param <R> the type of the result
     * @return as {@link #withLock(Function)}, and fails with a {@link LockTimeoutException} when the time runs out first
     */
    <R extends @Nullable Object> CompletionStage<R> withLock(
            Duration timeout, Function<? super T, ? extends CompletionStage<R>> work);

    /**
     * Waits for the lock in the calling thread.
     *
     * @return the guard
     * @throws IllegalStateException on an event loop, or if the asking context has ended; and in a handler of an ordered worker of
     *     Vert.x, when the holder may need that worker to go on and was not seen to release the lock elsewhere within five
     *     seconds
     * @throws ContextCancelledException if the asking context is or becomes cancelled
     * @throws SelfDeadlockException inside the lock's own {@link #withLock}; and at once in a handler of an ordered worker of
     *     Vert.x, when one who is before it can be told of his grant only after that handler
     * @throws java.util.concurrent.CancellationException if the thread is interrupted
     */
    @MustBeClosed
    LockGuard<T> lockBlocking();

    /**
     * Waits for the lock in the calling thread, for a time.
     *
     * @param timeout how long to wait
     * @return the guard, or {@code null} when the time ran out first; otherwise it throws as {@link #lockBlocking()} does
     */
    @MustBeClosed
    @Nullable
    LockGuard<T> lockBlocking(Duration timeout);

    /** {@return the context that holds the lock at this moment, or {@code null}} */
    @Nullable
    FastnContext holder();
}
