package com.fastn.context.engine;

import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReferenceFieldUpdater;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A stage that cannot complete before a wait or a scope ends, and that knows which: the stage of a waiter, the result of a
 * {@code withLock}, and what is made of either by {@code thenCompose} and its like. So it can be proven that a scope whose
 * work gave such a stage waits for it. That is why nobody outside can complete it: {@link #toCompletableFuture()} gives a
 * stage beside it, of which nothing is proven.
 */
class Pending<R extends @Nullable Object> extends CompletableFuture<R> {
    @SuppressWarnings("rawtypes")
    private static final AtomicReferenceFieldUpdater<Pending, Object> SOURCE =
            AtomicReferenceFieldUpdater.newUpdater(Pending.class, Object.class, "source");

    /**
     * A {@link Waiter}, a {@link Scope}, or an {@link Awaited} of one of them once others are made of this stage; null when
     * none is known, and when it is over.
     */
    private volatile @Nullable Object source;

    Pending(@Nullable Object source) {
        this.source = source;
    }

    /** What a stage and those made of it wait for. It leads to none of them, so a long tail keeps no stage that is over. */
    private static final class Awaited {
        private static final AtomicReferenceFieldUpdater<Awaited, Object> AT =
                AtomicReferenceFieldUpdater.newUpdater(Awaited.class, Object.class, "at");

        volatile @Nullable Object at;

        Awaited(Object at) {
            this.at = at;
        }
    }

    /** From now on it waits for nothing. */
    private void forgetSource() {
        Object at = source;
        while (!(at instanceof Awaited) && !SOURCE.compareAndSet(this, at, null)) {
            at = source;
        }
        if (at instanceof Awaited shared) {
            shared.at = null;
        }
    }

    /**
     * From now on it waits for something else, or for nothing. Of those who want that at once one wins: the wait was served,
     * or it was given up.
     *
     * @return whether it still waited for the old one
     */
    final boolean moves(@Nullable Object from, @Nullable Object to) {
        Object at = source;
        while (at == from && !(at instanceof Awaited)) {
            if (SOURCE.compareAndSet(this, from, to)) {
                return true;
            }
            at = source;
        }
        return at instanceof Awaited shared && Awaited.AT.compareAndSet(shared, from, to);
    }

    private @Nullable Awaited shared() {
        Object at = source;
        while (at != null && !(at instanceof Awaited)) {
            Awaited made = new Awaited(at);
            at = SOURCE.compareAndSet(this, at, made) ? made : source;
        }
        return (Awaited) at;
    }

    private @Nullable Object awaited() {
        Object at = source;
        return at instanceof Awaited shared ? shared.at : at;
    }

    /** The waiter or the scope without whose end a stage does not complete, or null when none is known. */
    static @Nullable Object sourceOf(@Nullable CompletionStage<?> stage) {
        return stage instanceof Pending<?> pending ? pending.awaited() : null;
    }

    // --- completing, which is the engine's business

    /** {@return whether it was not over yet} */
    final boolean end(R value) {
        boolean ended = super.complete(value);
        forgetSource();
        return ended;
    }

    /** {@return whether it was not over yet} */
    final boolean fail(Throwable failure) {
        boolean ended = super.completeExceptionally(failure);
        forgetSource();
        return ended;
    }

    /** Leaves the queue if it still waits there. {@return whether it was not over yet} */
    final boolean giveUp(Throwable failure) {
        return awaited() instanceof Waiter<?> waiter ? leave(waiter, () -> fail(failure)) : fail(failure);
    }

    private static boolean leave(Waiter<?> waiter, BooleanSupplier ending) {
        Trampoline trampoline = waiter.lock.runtime().trampoline();
        trampoline.hold();
        try {
            boolean left = waiter.lock.leave(waiter);
            boolean ended = ending.getAsBoolean();
            if (left) {
                waiter.by.waitEnded(waiter);
            }
            return ended;
        } finally {
            trampoline.go();
        }
    }

    /** The waiter that ends with this stage, or null. */
    @Nullable
    Waiter<?> ownWaiter() {
        return awaited() instanceof Waiter<?> waiter ? waiter : null;
    }

    @Override
    public <U> CompletableFuture<U> newIncompleteFuture() {
        return new Derived<>(shared());
    }

    /** One that somebody else ends, and that waits for what another one waits for. */
    static <R extends @Nullable Object> Pending<R> beside(Pending<?> other) {
        return new Derived<>(other.shared());
    }

    /** A stage that was made of another: it does not complete earlier, but to give it up is not to give up the wait. */
    private static final class Derived<R extends @Nullable Object> extends Pending<R> {
        Derived(@Nullable Awaited of) {
            super(of);
        }

        @Override
        @Nullable
        Waiter<?> ownWaiter() {
            return null;
        }

        void unproven() {
            super.source = null;
        }
    }

    // --- for others

    @Override
    public CompletableFuture<R> toCompletableFuture() {
        Open<R> open = new Open<>(this);
        var unused = whenComplete(open::follow);
        return open;
    }

    /**
     * The same for whoever wants to complete or to cancel it. While it is the stage of a wait, that leaves the queue, and a
     * guard that comes in the same moment goes back, by the thread that brings it.
     */
    private static final class Open<R extends @Nullable Object> extends CompletableFuture<R> {
        private final Pending<R> of;

        Open(Pending<R> of) {
            this.of = of;
        }

        void follow(R value, @Nullable Throwable failure) {
            if (failure == null) {
                super.complete(value);
            } else {
                super.completeExceptionally(failure);
            }
        }

        @Override
        public boolean complete(R value) {
            Waiter<?> waiter = of.ownWaiter();
            if (waiter != null && of.moves(waiter, null)) {
                return leave(waiter, () -> of.end(value));
            }
            return !of.isDone() && super.complete(value);
        }

        @Override
        public boolean completeExceptionally(Throwable failure) {
            Waiter<?> waiter = of.ownWaiter();
            if (waiter != null && of.moves(waiter, null)) {
                return leave(waiter, () -> of.fail(failure));
            }
            return !of.isDone() && super.completeExceptionally(failure);
        }

        @Override
        public CompletableFuture<R> completeAsync(Supplier<? extends R> supplier, Executor executor) {
            executor.execute(() -> {
                try {
                    complete(supplier.get());
                } catch (Throwable t) {
                    completeExceptionally(t);
                }
            });
            return this;
        }

        @Override
        public boolean cancel(boolean mayInterruptIfRunning) {
            return completeExceptionally(new CancellationException()) || isCancelled();
        }

        @Override
        public <U> CompletableFuture<U> newIncompleteFuture() {
            return new CompletableFuture<>();
        }
    }

    private static UnsupportedOperationException notFromOutside() {
        return new UnsupportedOperationException(
                "this stage of a lock ends by itself; toCompletableFuture() gives one that can be completed or cancelled");
    }

    @Override
    public boolean complete(R value) {
        throw notFromOutside();
    }

    @Override
    public boolean completeExceptionally(Throwable failure) {
        throw notFromOutside();
    }

    @Override
    public boolean cancel(boolean mayInterruptIfRunning) {
        throw notFromOutside();
    }

    @Override
    public void obtrudeValue(R value) {
        throw notFromOutside();
    }

    @Override
    public void obtrudeException(Throwable failure) {
        throw notFromOutside();
    }

    @Override
    public CompletableFuture<R> completeAsync(Supplier<? extends R> supplier, Executor executor) {
        throw notFromOutside();
    }

    @Override
    public CompletableFuture<R> orTimeout(long timeout, TimeUnit unit) {
        throw notFromOutside();
    }

    @Override
    public CompletableFuture<R> completeOnTimeout(R value, long timeout, TimeUnit unit) {
        throw notFromOutside();
    }

    private static <U extends @Nullable Object> CompletableFuture<U> unproven(CompletableFuture<U> stage) {
        if (stage instanceof Derived<U> derived) {
            derived.unproven();
        }
        return stage;
    }

    // --- what may complete earlier

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
