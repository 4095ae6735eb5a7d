package com.fastn.context.engine;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A stage that cannot complete before a wait or a scope ends, and that knows which: the stage of a waiter, the result of a
 * {@code withLock}, and what is made of either by {@code thenCompose} and its like. So it can be proven that a scope whose
 * work gave such a stage waits for it. Cancelling the stage of a waiter leaves the queue.
 */
final class Pending<R extends @Nullable Object> extends CompletableFuture<R> {
    /**
     * A {@link Waiter}, a {@link Scope}, the {@link Pending} that this one was made of, or {@link Unproven}. Not volatile,
     * as that would cost each wait: it is read when the work has given the stage, which is.
     */
    private @Nullable Object source;

    Pending(@Nullable Object source) {
        this.source = source;
    }

    /** From now on it waits for something else. */
    void follows(Object newSource) {
        source = newSource;
    }

    /** The waiter or the scope without whose end a stage does not complete, or null when none is known. */
    static @Nullable Object sourceOf(@Nullable CompletionStage<?> stage) {
        Object at = stage;
        while (at instanceof Pending<?> pending) {
            at = pending.source;
        }
        return at instanceof Waiter<?> || at instanceof Scope ? at : null;
    }

    @Override
    public boolean cancel(boolean mayInterruptIfRunning) {
        Object at = source;
        if (at instanceof Unproven unproven) {
            at = unproven.source;
        }
        if (at instanceof Waiter<?> waiter) {
            if (waiter.lock.leave(waiter)) {
                boolean cancelled = super.cancel(mayInterruptIfRunning);
                waiter.by.waitEnded(waiter);
                return cancelled;
            }
        }
        return super.cancel(mayInterruptIfRunning);
    }

    @Override
    public <U> CompletableFuture<U> newIncompleteFuture() {
        return new Pending<>(this);
    }

    /** A wait that something else may end too. */
    private record Unproven(@Nullable Object source) {}

    private static <U extends @Nullable Object> CompletableFuture<U> unproven(CompletableFuture<U> stage) {
        if (stage instanceof Pending<U> pending && !(pending.source instanceof Unproven)) {
            pending.source = new Unproven(pending.source);
        }
        return stage;
    }

    // --- what may complete earlier

    @Override
    public CompletableFuture<R> orTimeout(long timeout, TimeUnit unit) {
        return unproven(super.orTimeout(timeout, unit));
    }

    @Override
    public CompletableFuture<R> completeOnTimeout(R value, long timeout, TimeUnit unit) {
        return unproven(super.completeOnTimeout(value, timeout, unit));
    }

    @Override
    public <U> CompletableFuture<U> applyToEither(CompletionStage<? extends R> other, Function<? super R, U> fn) {
        return unproven(super.applyToEither(other, fn));
    }

    @Override
    public <U> CompletableFuture<U> applyToEitherAsync(CompletionStage<? extends R> other, Function<? super R, U> fn) {
        return unproven(super.applyToEitherAsync(other, fn));
    }

    @Override
    public <U> CompletableFuture<U> applyToEitherAsync(
            CompletionStage<? extends R> other, Function<? super R, U> fn, Executor executor) {
        return unproven(super.applyToEitherAsync(other, fn, executor));
    }

    @Override
    public CompletableFuture<Void> acceptEither(CompletionStage<? extends R> other, Consumer<? super R> action) {
        return unproven(super.acceptEither(other, action));
    }

    @Override
    public CompletableFuture<Void> acceptEitherAsync(CompletionStage<? extends R> other, Consumer<? super R> action) {
        return unproven(super.acceptEitherAsync(other, action));
    }

    @Override
    public CompletableFuture<Void> acceptEitherAsync(
            CompletionStage<? extends R> other, Consumer<? super R> action, Executor executor) {
        return unproven(super.acceptEitherAsync(other, action, executor));
    }

    @Override
    public CompletableFuture<Void> runAfterEither(CompletionStage<?> other, Runnable action) {
        return unproven(super.runAfterEither(other, action));
    }

    @Override
    public CompletableFuture<Void> runAfterEitherAsync(CompletionStage<?> other, Runnable action) {
        return unproven(super.runAfterEitherAsync(other, action));
    }

    @Override
    public CompletableFuture<Void> runAfterEitherAsync(CompletionStage<?> other, Runnable action, Executor executor) {
        return unproven(super.runAfterEitherAsync(other, action, executor));
    }
}
