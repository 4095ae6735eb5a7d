package com.fastn.context;

import com.google.errorprone.annotations.MustBeClosed;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A named lock with one holder at a time, which knows its holder and its waiters and tells them to every snapshot.
 *
 * <p>It is fair: who asked first is served first. It is <b>not</b> reentrant. The holder is the context that was current
 * when {@code lock} was called, or the context that owns the mutex when none was. A waiter whose context is cancelled,
 * whose time ran out or whose stage was cancelled leaves the queue before it hears of it. No thread is ever blocked.
 *
 * @param <T> the type of the value that the lock protects
 */
public interface ContextMutex<T extends @Nullable Object> {

    /** {@return the lock's name} */
    String name();

    /** {@return the context that the lock was made in} */
    FastnContext context();

    /**
     * Asks for the lock.
     *
     * @return completes with the guard when the lock is granted; fails with a {@link ContextCancelledException} when the
     *     asking context is or becomes cancelled. It completes on the Vert.x context that asked, elsewhere in the thread
     *     that released. Cancelling it leaves the queue
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
     * @param work is given the value, and gives the stage that ends the work
     * @param <R> the type of the result
     * @return completes as the work's stage does, after the lock was released
     */
    <R extends @Nullable Object> CompletionStage<R> withLock(Function<? super T, ? extends CompletionStage<R>> work);

    /** {@return the context that holds the lock at this moment, or {@code null}} */
    @Nullable
    FastnContext holder();

    /** {@return how many wait at this moment} */
    int waiters();
}
