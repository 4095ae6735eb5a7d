package com.fastn.context.engine;

import com.fastn.context.ContextCancelledException;
import com.fastn.context.Registration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * A wait for the first of several stages, or for a stage unless its context is cancelled. What it hangs on those that lose holds
 * nothing of it once the first has come, and on a {@link CancellationStage} nothing stays at all: a loop may select the
 * cancellation of its context for ever.
 */
final class Selection<T extends @Nullable Object> {
    private volatile @Nullable CompletableFuture<T> result;
    private volatile @Nullable Registration stage;
    private volatile @Nullable Registration cancellation;

    private Selection(CompletableFuture<T> result) {
        this.result = result;
    }

    static <T extends @Nullable Object> CompletableFuture<T> first(
            List<? extends CompletionStage<? extends T>> branches) {
        CompletableFuture<T> result = new CompletableFuture<>();
        Selection<T> selection = new Selection<>(result);
        List<Registration> hung = new ArrayList<>(1);
        try {
            for (CompletionStage<? extends T> branch : branches) {
                // One that was there before is the first, and is not waited for in the queue of an event loop.
                if (branch instanceof CancellationStage cancellation && !cancellation.isDone()) {
                    hung.add(cancellation.whenCancelled(selection::cancelled));
                } else {
                    branch.whenComplete(selection::complete);
                }
            }
        } catch (Throwable t) {
            selection.result = null;
            hung.forEach(Registration::close);
            throw t;
        }
        if (!hung.isEmpty()) {
            var unused = result.whenComplete((value, failure) -> hung.forEach(Registration::close));
        }
        return result;
    }

    /** The first of a stage and of the cancellation of a context, which is a failure. */
    static <T extends @Nullable Object> CompletableFuture<T> unlessCancelled(
            ContextNode context, CompletionStage<T> stage) {
        CompletableFuture<T> result = new CompletableFuture<>();
        Selection<T> selection = new Selection<>(result);
        // The stage comes first where it is the cancellation of the same context.
        boolean hangs = stage instanceof CancellationStage cancellation && !cancellation.isDone();
        selection.stage = hangs ? ((CancellationStage) stage).whenCancelled(selection::cancelled) : null;
        selection.cancellation = context.onCancel(reason -> selection.complete(
                null, new ContextCancelledException("a wait of " + context.path() + " was given up", reason)));
        try {
            if (!hangs) {
                stage.whenComplete(selection::complete);
            }
        } catch (Throwable t) {
            // Nobody would ever hear of it.
            selection.result = null;
            throw t;
        } finally {
            selection.letGoIfOver();
        }
        return result;
    }

    @SuppressWarnings("unchecked") // the stage is one of those that were passed as stages of T
    private void cancelled(Object reason) {
        complete((T) reason, null);
    }

    private void complete(@Nullable T value, @Nullable Throwable failure) {
        CompletableFuture<T> mine = result;
        if (mine != null) {
            result = null;
            letGoIfOver();
            Stages.complete(mine, value, failure);
        }
    }

    /** Also by whoever hung it up, when it was over before that. */
    private void letGoIfOver() {
        if (result == null) {
            Registration first = stage;
            Registration second = cancellation;
            stage = null;
            cancellation = null;
            if (first != null) {
                first.close();
            }
            if (second != null) {
                second.close();
            }
        }
    }
}
