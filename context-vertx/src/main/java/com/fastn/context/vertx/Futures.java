package com.fastn.context.vertx;

import io.vertx.core.Future;
import io.vertx.core.internal.ContextInternal;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** The way between the stages of the engine and the futures of Vert.x. */
final class Futures {
    private Futures() {}

    /** A future that completes on the present Vert.x context; off any, in the thread that completes the stage. */
    static <T extends @Nullable Object> Future<T> of(CompletionStage<T> stage) {
        ContextInternal here = ContextInternal.current();
        return here == null ? Future.fromCompletionStage(stage) : Future.fromCompletionStage(stage, here);
    }

    static <T extends @Nullable Object> CompletionStage<T> stage(@Nullable Future<T> future) {
        return given(future).toCompletionStage();
    }

    /** What an application's function gave, which the compiler cannot keep from being null. */
    static <T extends @Nullable Object> Future<T> given(@Nullable Future<T> future) {
        return future != null
                ? future
                : Future.failedFuture(
                        new NullPointerException(
                                "the work gave null instead of a Future; give Future.succeededFuture() when there is no result"));
    }
}
