package com.fastn.context.engine;

import static java.util.Objects.requireNonNull;

import com.fastn.context.ContextCancelledException;
import com.fastn.context.ContextScope;
import com.fastn.context.FastnContext;
import com.fastn.context.status.CancelReason;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Starts tasks in contexts: later, elsewhere, and with the context as the current one. */
final class TaskRunner {
    private TaskRunner() {}

    static <T extends @Nullable Object> CompletionStage<T> spawn(
            ContextNode context, Supplier<? extends CompletionStage<T>> task) {
        CompletableFuture<T> result = new CompletableFuture<>();
        start(executor(context), new Start<>(context, false, result, task));
        return result;
    }

    static <T extends @Nullable Object> CompletionStage<T> spawnAndClose(
            ContextNode child, Function<? super FastnContext, ? extends CompletionStage<T>> task) {
        CompletableFuture<T> result = new CompletableFuture<>();
        CompletableFuture<T> done = new CompletableFuture<>();
        closeFirst(child, result, done);
        start(executor(child), new Start<>(child, true, result, () -> task.apply(child)));
        return done;
    }

    static <T extends @Nullable Object> CompletionStage<T> spawnBlocking(ContextNode child, Callable<T> task) {
        CompletableFuture<T> result = new CompletableFuture<>();
        CompletableFuture<T> done = new CompletableFuture<>();
        closeFirst(child, result, done);
        Executor blocking = child.runtime().current().blockingTasks(child);
        start(blocking != null ? blocking : child.runtime().tasks(), new Start<>(child, true, result, () -> {
            try {
                return CompletableFuture.completedFuture(task.call());
            } catch (Exception e) {
                return CompletableFuture.failedFuture(e);
            }
        }));
        return done;
    }

    /** Closes the child before its result is told, so whoever sees the result sees the tree without the child. */
    private static <T extends @Nullable Object> void closeFirst(
            ContextNode child, CompletableFuture<T> result, CompletableFuture<T> done) {
        var unused = result.whenComplete((value, failure) -> {
            try {
                if (failure != null) {
                    child.failed(Stages.unwrap(failure));
                }
                child.close();
            } finally {
                Stages.complete(done, value, failure);
            }
        });
    }

    private static Executor executor(ContextNode context) {
        Executor bound = context.runtime().current().tasks(context);
        return bound != null ? bound : context.runtime().tasks();
    }

    private static void start(Executor executor, Start<?> start) {
        if (start.isRefused()) {
            return;
        }
        try {
            executor.execute(start);
        } catch (Throwable t) {
            start.result.completeExceptionally(t);
        }
    }

    /**
     * The start of a task that was handed over.
     *
     * @param ofItsOwn whether the context is a child that was opened for the task alone
     */
    private record Start<T extends @Nullable Object>(
            ContextNode context,
            boolean ofItsOwn,
            CompletableFuture<T> result,
            Supplier<? extends CompletionStage<T>> task)
            implements Delivery {

        @Override
        public void run() {
            if (isRefused()) {
                return;
            }
            context.touch();
            try {
                CompletionStage<T> stage;
                try (ContextScope ignored = context.makeCurrent()) {
                    stage = requireNonNull(task.get(), "the task gave no stage");
                }
                // Also this is code of users, where the stage is one of their own.
                stage.whenComplete((value, failure) -> Stages.complete(result, value, failure));
            } catch (Throwable t) {
                result.completeExceptionally(t);
            }
        }

        @Override
        public void drop() {
            if (ofItsOwn) {
                context.cancel(
                        CancelReason.Kind.SHUTDOWN, "the verticle or the Vertx that its task was to run in has ended");
            }
            if (!isRefused()) {
                result.completeExceptionally(new CancellationException("a task in " + context.path()
                        + " was not started: the verticle or the Vertx that it was to run in has ended"));
            }
        }

        boolean isRefused() {
            CancelReason reason = context.cancelReason();
            if (reason != null) {
                result.completeExceptionally(
                        new ContextCancelledException("a task in " + context.path() + " was not started", reason));
                return true;
            }
            if (context.isClosed()) {
                result.completeExceptionally(new IllegalStateException("a task in " + context.path()
                        + " was not started, as it has ended; spawn in a context that is open"));
                return true;
            }
            return false;
        }
    }
}
