package com.fastn.context.engine;

import com.fastn.context.Registration;
import com.fastn.context.status.CancelReason;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * The cancellation of a context as a stage, one for all who ask. Only the context completes it. What is hung on a stage stays
 * there until it completes; who races this one hears of it by {@link #whenCancelled} instead, and takes that back.
 */
final class CancellationStage extends CompletableFuture<CancelReason> {
    private final ContextNode context;

    CancellationStage(ContextNode context) {
        this.context = context;
    }

    /** The context was cancelled. */
    void fire(CancelReason reason) {
        super.complete(reason);
    }

    /** Hears of the cancellation, where this is called from (rule C5); also if that was before. */
    Registration whenCancelled(Consumer<CancelReason> handler) {
        return context.onCancel(handler);
    }

    private static UnsupportedOperationException refused() {
        return new UnsupportedOperationException(
                "only the context completes its cancellation; cancel the context, or ask for toCompletableFuture()");
    }

    /** {@return another future, which may be completed without any effect here} */
    @Override
    public CompletableFuture<CancelReason> toCompletableFuture() {
        return copy();
    }

    @Override
    public <U> CompletableFuture<U> newIncompleteFuture() {
        return new CompletableFuture<>();
    }

    @Override
    public boolean complete(CancelReason value) {
        throw refused();
    }

    @Override
    public boolean completeExceptionally(Throwable ex) {
        throw refused();
    }

    @Override
    public CompletableFuture<CancelReason> completeAsync(Supplier<? extends CancelReason> supplier) {
        throw refused();
    }

    @Override
    public CompletableFuture<CancelReason> completeAsync(Supplier<? extends CancelReason> supplier, Executor executor) {
        throw refused();
    }

    @Override
    public CompletableFuture<CancelReason> completeOnTimeout(CancelReason value, long timeout, TimeUnit unit) {
        throw refused();
    }

    @Override
    public CompletableFuture<CancelReason> orTimeout(long timeout, TimeUnit unit) {
        throw refused();
    }

    @Override
    public boolean cancel(boolean mayInterruptIfRunning) {
        throw refused();
    }

    @Override
    public void obtrudeValue(CancelReason value) {
        throw refused();
    }

    @Override
    public void obtrudeException(Throwable ex) {
        throw refused();
    }
}
