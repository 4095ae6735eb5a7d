package com.fastn.context.engine;

import static java.util.Objects.requireNonNull;

import com.fastn.context.ContextSemaphore;
import com.fastn.context.PermitGuard;
import com.fastn.context.status.LockType;
import com.google.errorprone.annotations.MustBeClosed;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A semaphore: a number of permits, and no value. */
final class FifoSemaphore extends FifoLock<@Nullable Object> implements ContextSemaphore {
    @SuppressWarnings("NullAway") // no value is null, as the type argument says
    FifoSemaphore(ContextNode owner, String name, int permits) {
        super(owner, name, LockType.SEMAPHORE, permits, null);
    }

    @Override
    public int permits() {
        return total();
    }

    @Override
    public int availablePermits() {
        return available();
    }

    @Override
    public CompletionStage<PermitGuard> acquire() {
        return acquire(1);
    }

    @Override
    public CompletionStage<PermitGuard> acquire(int permits) {
        return as(ask(permits, null));
    }

    @Override
    public CompletionStage<PermitGuard> acquire(int permits, Duration timeout) {
        return as(ask(permits, requireNonNull(timeout, "timeout")));
    }

    @Override
    @MustBeClosed
    public @Nullable PermitGuard tryAcquire() {
        return tryAsk(1);
    }

    @Override
    @MustBeClosed
    public @Nullable PermitGuard tryAcquire(int permits) {
        return tryAsk(permits);
    }

    @Override
    public <R extends @Nullable Object> CompletionStage<R> withPermit(Supplier<? extends CompletionStage<R>> work) {
        return withPermits(1, work);
    }

    @Override
    public <R extends @Nullable Object> CompletionStage<R> withPermit(
            Duration timeout, Supplier<? extends CompletionStage<R>> work) {
        return withPermits(1, timeout, work);
    }

    @Override
    public <R extends @Nullable Object> CompletionStage<R> withPermits(
            int permits, Supplier<? extends CompletionStage<R>> work) {
        requireNonNull(work, "work");
        return scoped(permits, null, work, (code, guard) -> code.get());
    }

    @Override
    public <R extends @Nullable Object> CompletionStage<R> withPermits(
            int permits, Duration timeout, Supplier<? extends CompletionStage<R>> work) {
        requireNonNull(timeout, "timeout");
        requireNonNull(work, "work");
        return scoped(permits, timeout, work, (code, guard) -> code.get());
    }

    @Override
    @MustBeClosed
    public PermitGuard acquireBlocking(int permits) {
        return requireNonNull(askBlocking(permits, null), "guard");
    }

    @Override
    @MustBeClosed
    public @Nullable PermitGuard acquireBlocking(int permits, Duration timeout) {
        return askBlocking(permits, requireNonNull(timeout, "timeout"));
    }
}
