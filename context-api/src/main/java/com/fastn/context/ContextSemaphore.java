package com.fastn.context;

import com.google.errorprone.annotations.MustBeClosed;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A named number of permits. See {@link ContextLock} for what it promises.
 *
 * <p>Permits come back with the guard that took them, so there are never more than at the beginning. A request for many
 * waits at the head of the queue until enough came back; smaller ones behind it wait too. A request for fewer than one or
 * more than exist could never be served: its stage fails with an {@link IllegalArgumentException}, and the forms that give
 * no stage throw it.
 */
public interface ContextSemaphore extends ContextLock {

    /** {@return how many permits there are, taken or not} */
    int permits();

    /** {@return how many permits are free at this moment; a request may still have to wait behind others} */
    int availablePermits();

    /** {@return completes with the guard when one permit is granted; see {@link ContextMutex#lock()} for failures} */
    CompletionStage<PermitGuard> acquire();

    /**
     * Asks for permits, all of them at once.
     *
     * @param permits how many
     * @return completes with the guard when they are granted; see {@link ContextMutex#lock()} for failures
     */
    CompletionStage<PermitGuard> acquire(int permits);

    /**
     * Asks for permits, all of them at once, for a time.
     *
     * @param permits how many
     * @param timeout how long to wait
     * @return as {@link #acquire(int)}, and fails with a {@link LockTimeoutException} when the time runs out first
     */
    CompletionStage<PermitGuard> acquire(int permits, Duration timeout);

    /** {@return the guard of one permit if one is free and nobody waits, or {@code null}} */
    @MustBeClosed
    @Nullable
    PermitGuard tryAcquire();

    /**
     * Takes permits if that is possible at once.
     *
     * @param permits how many
     * @return the guard if so many are free and nobody waits, or {@code null}
     */
    @MustBeClosed
    @Nullable
    PermitGuard tryAcquire(int permits);

    /**
     * Runs a piece of work while holding one permit, and gives it back whatever happens. Recommended.
     *
     * @param work gives the stage that ends the work
     * @param <R> the type of the result
     * @return completes as the work's stage does, after the permit was given back
     * @see ContextMutex#withLock(java.util.function.Function)
     */
    <R extends @Nullable Object> CompletionStage<R> withPermit(Supplier<? extends CompletionStage<R>> work);

    /**
     * Runs a piece of work while holding one permit, if it is granted in time.
     *
     * @param timeout how long to wait for the permit
     * @param work gives the stage that ends the work
     * @param <R> the type of the result
     * @return as {@link #withPermit(Supplier)}, and fails with a {@link LockTimeoutException} when the time runs out first
     */
    <R extends @Nullable Object> CompletionStage<R> withPermit(
            Duration timeout, Supplier<? extends CompletionStage<R>> work);

    /**
     * Runs a piece of work while holding permits, and gives them back whatever happens. Recommended.
     *
     * @param permits how many
     * @param work gives the stage that ends the work
     * @param <R> the type of the result
     * @return completes as the work's stage does, after the permits were given back
     * @see ContextMutex#withLock(java.util.function.Function)
     */
    <R extends @Nullable Object> CompletionStage<R> withPermits(
            int permits, Supplier<? extends CompletionStage<R>> work);

    /**
     * Runs a piece of work while holding permits, if they are granted in time.
     *
     * @param permits how many
     * @param timeout how long to wait for them
     * @param work gives the stage that ends the work
     * @param <R> the type of the result
     * @return as {@link #withPermits(int, Supplier)}, and fails with a {@link LockTimeoutException} when the time runs out first
     */
    <R extends @Nullable Object> CompletionStage<R> withPermits(
            int permits, Duration timeout, Supplier<? extends CompletionStage<R>> work);

    /**
     * Waits for permits in the calling thread.
     *
     * @param permits how many
     * @return the guard; it throws as {@link ContextMutex#lockBlocking()} does
     */
    @MustBeClosed
    PermitGuard acquireBlocking(int permits);

    /**
     * Waits for permits in the calling thread, for a time.
     *
     * @param permits how many
     * @param timeout how long to wait
     * @return the guard, or {@code null} when the time ran out first
     */
    @MustBeClosed
    @Nullable
    PermitGuard acquireBlocking(int permits, Duration timeout);
}
