package com.fastn.context.engine;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;

/** Small steps with stages. */
final class Stages {
    private Stages() {}

    @SuppressWarnings("NullAway") // a stage that did not fail has a value of its type, null only where the type says so
    static <T extends @Nullable Object> void complete(
            CompletableFuture<T> target, @Nullable T value, @Nullable Throwable failure) {
        if (failure == null) {
            target.complete(value);
        } else {
            target.completeExceptionally(unwrap(failure));
        }
    }

    static Throwable unwrap(Throwable failure) {
        // Of this class alone: another one may have a getCause() of its own, which may throw.
        Throwable cause = failure.getClass() == CompletionException.class ? failure.getCause() : null;
        return cause == null ? failure : cause;
    }
}
