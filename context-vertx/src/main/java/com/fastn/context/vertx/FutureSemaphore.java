package com.fastn.context.vertx;

import static java.util.Objects.requireNonNull;

import com.fastn.context.ContextCancelledException;
import com.fastn.context.ContextSemaphore;
import com.fastn.context.FastnContext;
import com.fastn.context.LockTimeoutException;
import com.fastn.context.PermitGuard;
import com.google.errorprone.annotations.MustBeClosed;
import io.vertx.core.Future;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A {@link ContextSemaphore} for code that works with Vert.x futures, which complete on the Vert.x context of the caller. */
public final class FutureSemaphore {
    private final ContextSemaphore semaphore;

    FutureSemaphore(ContextSemaphore semaphore) {
        this.semaphore = semaphore;
    }

    /** {@return the semaphore's name} */
    public String name() {
        return semaphore.name();
    }

    /** {@return the semaphore itself} */
    public ContextSemaphore semaphore() {
        return semaphore;
    }

    /** {@return how many permits there are, taken or not} */
    public int permits() {
        return semaphore.permits();
    }

    /** {@return how many permits are free at this moment; a request may still have to wait behind others} */
    public int availablePermits() {
        return semaphore.availablePermits();
    }

    /** {@return completes with the guard when one permit is granted; whoever gets it closes it} */
    public Future<PermitGuard> acquire() {
        return Futures.ofGuard(semaphore, semaphore.acquire());
    }

    /**
     * Asks for permits, all of them at once. Whoever gets the guard closes it.
     *
     * @param permits how many
     * @return completes with the guard when they are granted
     */
    public Future<PermitGuard> acquire(int permits) {
        return Futures.ofGuard(semaphore, semaphore.acquire(permits));
    }

    /**
     * Asks for permits, all of them at once, for a time. Whoever gets the guard closes it.
     *
     * @param permits how many
     * @param timeout how long to wait
     * @return as {@link #acquire(int)}, and fails with a {@link LockTimeoutException} when the time runs out first
     */
    public Future<PermitGuard> acquire(int permits, Duration timeout) {
        return Futures.ofGuard(semaphore, semaphore.acquire(permits, timeout));
    }

    /** {@return the guard of one permit if one is free and nobody waits, or {@code null}} */
    @MustBeClosed
    public @Nullable PermitGuard tryAcquire() {
        return semaphore.tryAcquire();
    }

    /**
     * Takes permits if that is possible at once.
     *
     * @param permits how many
     * @return the guard if so many are free and nobody waits, or {@code null}
     */
    @MustBeClosed
    public @Nullable PermitGuard tryAcquire(int permits) {
        return semaphore.tryAcquire(permits);
    }

    /**
     * Asks for permits, all of them at once, unless something else ends first, such as a connection: the wait leaves the queue then. Whoever gets the
     * guard closes it.
     *
     * @param permits how many
     * @param stop what ends the wait when it ends, well or badly; it has no effect on a guard that was given
     * @return as {@link #acquire(int)}, and fails with a {@link CancellationException} when {@code stop} ends first
     */
    public Future<PermitGuard> acquireUnless(int permits, Future<?> stop) {
        requireNonNull(stop, "stop");
        return Futures.unless(semaphore, stop, () -> semaphore.acquire(permits));
    }

    /**
     * Waits for permits, all of them at once, in the calling thread, which has to be one of a worker or a virtual thread.
     * In a handler of an ordered worker it also throws what {@link com.fastn.context.ContextMutex#lockBlocking()} says.
     *
     * @param permits how many
     * @return the guard
     * @throws IllegalStateException on an event loop, which must not be held up, or if the asking context has ended
     * @throws ContextCancelledException if the asking context is or becomes cancelled
     * @throws CancellationException if the thread is interrupted, whose flag stays set
     */
    @MustBeClosed
    public PermitGuard acquireBlocking(int permits) {
        return semaphore.acquireBlocking(permits);
    }

    /**
     * Waits for permits, all of them at once, in the calling thread, for a time.
     *
     * @param permits how many
     * @param timeout how long to wait
     * @return the guard, or {@code null} when the time ran out first; otherwise it throws as {@link #acquireBlocking(int)} does
     */
    @MustBeClosed
    public @Nullable PermitGuard acquireBlocking(int permits, Duration timeout) {
        return semaphore.acquireBlocking(permits, timeout);
    }

    /**
     * Runs a piece of work while holding one permit, and gives it back whatever happens. Recommended.
     *
     * @param work gives the future that ends the work
     * @param <R> the type of the result
     * @return completes as the work's future does, after the permit was given back
     */
    public <R extends @Nullable Object> Future<R> withPermit(Supplier<Future<R>> work) {
        return withPermits(1, work);
    }

    /**
     * Runs a piece of work while holding one permit, if it is granted in time.
     *
     * @param timeout how long to wait for the permit
     * @param work gives the future that ends the work
     * @param <R> the type of the result
     * @return as {@link #withPermit(Supplier)}, and fails with a {@link LockTimeoutException} when the time runs out first
     */
    public <R extends @Nullable Object> Future<R> withPermit(Duration timeout, Supplier<Future<R>> work) {
        return withPermits(1, timeout, work);
    }

    /**
     * Runs a piece of work while holding permits, and gives them back whatever happens. Recommended.
     *
     * @param permits how many
     * @param work gives the future that ends the work
     * @param <R> the type of the result
     * @return completes as the work's future does, after the permits were given back
     */
    public <R extends @Nullable Object> Future<R> withPermits(int permits, Supplier<Future<R>> work) {
        requireNonNull(work, "work");
        return Futures.of(semaphore, semaphore.withPermits(permits, () -> Futures.stage(semaphore, work.get())));
    }

    /**
     * Runs a piece of work while holding permits, if they are granted in time.
     *
     * @param permits how many
     * @param timeout how long to wait for them
     * @param work gives the future that ends the work
     * @param <R> the type of the result
     * @return as {@link #withPermits(int, Supplier)}, and fails with a {@link LockTimeoutException} when the time runs out first
     */
    public <R extends @Nullable Object> Future<R> withPermits(int permits, Duration timeout, Supplier<Future<R>> work) {
        requireNonNull(work, "work");
        return Futures.of(
                semaphore, semaphore.withPermits(permits, timeout, () -> Futures.stage(semaphore, work.get())));
    }

    /** {@return the contexts that hold permits at this moment} */
    public List<FastnContext> holders() {
        return semaphore.holders();
    }

    /** {@return how many wait at this moment} */
    public int waiters() {
        return semaphore.waiters();
    }
}
