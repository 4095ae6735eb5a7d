package com.fastn.context.vertx;

import com.fastn.context.ContextLock;
import com.fastn.context.FastnContext;
import com.fastn.context.Registration;
import com.fastn.context.engine.ContextNode;
import com.fastn.context.engine.ShownStages;
import io.vertx.core.AsyncResult;
import io.vertx.core.Completable;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.internal.ContextInternal;
import io.vertx.core.internal.FutureInternal;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The way between the stages of the engine and the futures of Vert.x. */
final class Futures {
    private Futures() {}

    /** A future that completes on the present Vert.x context; off any, in the thread that completes the stage. */
    static <T extends @Nullable Object> Future<T> of(CompletionStage<T> stage) {
        ContextInternal here = ContextInternal.current();
        return here == null ? Future.fromCompletionStage(stage) : Future.fromCompletionStage(stage, here);
    }

    /** The same of a stage of a lock: work that gives this very future is known to wait for what the stage waits for. */
    static <T extends @Nullable Object> Future<T> of(ContextLock lock, CompletionStage<T> stage) {
        Future<T> future = of(stage);
        if (!future.isComplete()) {
            ShownStages.shown(lock.context().runtime(), stage, future);
            endWithVerticle(lock, stage, future);
        }
        return future;
    }

    /** What the work of a {@code withLock} gave. */
    static <T extends @Nullable Object> CompletionStage<T> stage(ContextLock lock, @Nullable Future<T> future) {
        Future<T> end = given(future);
        CompletionStage<T> known = end.isComplete()
                ? null
                : ShownStages.find(
                        lock.context().runtime(),
                        end,
                        told -> whenOver(end, () -> lost(lock.context(), lock.toString()), told));
        return known != null ? known : stage(end, () -> lost(lock.context(), lock.toString()));
    }

    /** What the work in a child gave. */
    static <T extends @Nullable Object> CompletionStage<T> stage(ContextNode child, @Nullable Future<T> future) {
        return stage(given(future), () -> lost(child));
    }

    private static <T extends @Nullable Object> CompletionStage<T> stage(
            Future<T> end, Supplier<CancellationException> lost) {
        if (!isToldByWorker(end)) {
            return end.toCompletionStage();
        }
        CompletableFuture<T> over = new CompletableFuture<>();
        whenOver(end, lost, (value, failure) -> end(over, value, failure));
        return over;
    }

    /**
     * Tells of an end once, also of one that nobody is left to hear of: a lock must not be held for ever, nor a child stay open.
     *
     * @param why gives what a lost end is told as
     */
    static <T extends @Nullable Object> void whenOver(
            Future<T> end, Supplier<CancellationException> why, BiConsumer<T, @Nullable Throwable> told) {
        if (!isToldByWorker(end)) {
            end.onComplete(done -> tell(done, told));
            return;
        }
        AtomicBoolean over = new AtomicBoolean();
        Registration lost = onLost(end, () -> {
            if (over.compareAndSet(false, true)) {
                tell(Future.failedFuture(why.get()), told);
            }
        });
        try {
            end.onComplete(done -> {
                lost.close();
                if (over.compareAndSet(false, true)) {
                    tell(done, told);
                }
            });
        } catch (RejectedExecutionException e) {
            // It was over, and its place is gone: the work fails with that, and so releases.
            lost.close();
            if (over.compareAndSet(false, true)) {
                tell(Future.failedFuture(e), told);
            }
        }
    }

    private static boolean isToldByWorker(Future<?> end) {
        return end instanceof FutureInternal<?> mine
                && mine.context() != null
                && mine.context().isWorkerContext();
    }

    /** Registers what is to happen when the place that would tell of the end of a future is gone, and its end with it. */
    static Registration onLost(Future<?> end, Runnable giveUp) {
        ContextInternal place = end instanceof FutureInternal<?> mine ? mine.context() : null;
        return place == null ? () -> {} : VerticleEnd.onPoolGone(place, giveUp);
    }

    /** Counts a hold that was ended because nobody was left to end it, and gives what its work fails with. */
    static CancellationException lost(FastnContext owner, String lock) {
        if (owner instanceof ContextNode node) {
            node.runtime()
                    .misuse("a withLock of " + lock
                            + " lasted longer than the verticle that its work ran in and the worker"
                            + " pool of that; it was ended, for nothing else could have: end the work in stop(), or give"
                            + " it more time by VertxContextOptions.setGrace");
        }
        return new CancellationException("what the work of a withLock of " + lock
                + " gave was lost with the worker pool of its verticle, which was undeployed");
    }

    /** The same for a child; that one did not stop which was cancelled with its verticle was told already. */
    static CancellationException lost(ContextNode child) {
        if (!child.isCancelled()) {
            child.runtime()
                    .misuse(
                            "the work in a child lasted longer than the verticle that it ran in and the worker pool of"
                                    + " that; the child was closed, for nothing else could have: end the work in stop()",
                            () -> "that of " + child.path());
        }
        return new CancellationException("what the work in " + child.path()
                + " gave was lost with the worker pool of its verticle, which was undeployed");
    }

    /** Ends a promise as a future has ended, unless it is over. */
    static <T extends @Nullable Object> void tell(AsyncResult<T> done, Promise<T> promise) {
        tell(done, (value, failure) -> {
            if (failure == null) {
                promise.tryComplete(value);
            } else {
                promise.tryFail(failure);
            }
        });
    }

    /** Ends a stage as a future has ended, unless it is over. */
    static <T extends @Nullable Object> void tell(AsyncResult<T> done, CompletableFuture<T> stage) {
        tell(done, (value, failure) -> end(stage, value, failure));
    }

    private static <T extends @Nullable Object> void end(
            CompletableFuture<T> stage, T value, @Nullable Throwable failure) {
        if (failure == null) {
            stage.complete(value);
        } else {
            stage.completeExceptionally(failure);
        }
    }

    @SuppressWarnings("NullAway") // a future that succeeded has a value of its type, null only where the type says so
    private static <T extends @Nullable Object> void tell(
            AsyncResult<T> done, BiConsumer<T, @Nullable Throwable> told) {
        told.accept(done.result(), done.cause());
    }

    /** As {@link #of(ContextLock, CompletionStage)}, for a guard. */
    static <G extends AutoCloseable> Future<G> ofGuard(ContextLock lock, CompletionStage<G> stage) {
        Future<G> future = ofGuard(stage);
        if (!future.isComplete()) {
            ShownStages.shown(lock.context().runtime(), stage, future);
            endWithVerticle(lock, stage, future);
        }
        return future;
    }

    /** Ends a wait for a lock with the verticle that began it, in a context that is not of that verticle and goes on. */
    private static void endWithVerticle(ContextLock lock, CompletionStage<?> stage, Future<?> future) {
        ContextInternal here = ContextInternal.current();
        FastnContext by = here == null ? null : ShownStages.waiting(stage);
        if (here == null || by == null || VerticleEnd.isOfVerticle(by, here)) {
            return;
        }
        Registration undeployed = VerticleEnd.onUndeployed(
                by, here, () -> stage.toCompletableFuture().completeExceptionally(verticleIsGone(lock.toString(), by)));
        future.onComplete(done -> undeployed.close());
    }

    /** What the wait for a lock fails with that goes to nobody, for want of the verticle that waited. */
    static CancellationException verticleIsGone(String lock, FastnContext asker) {
        return new CancellationException(
                lock + " was not given to " + asker.path() + ": the verticle that asked for it was undeployed");
    }

    /** The same for a guard, which goes back where the Vert.x context that is to be told is closed. */
    static <G extends AutoCloseable> Future<G> ofGuard(CompletionStage<? extends G> stage) {
        ContextInternal here = ContextInternal.current();
        if (stage instanceof CompletableFuture<? extends G> free && free.isDone() && !free.isCompletedExceptionally()) {
            G guard = free.join();
            return here == null ? Future.succeededFuture(guard) : here.succeededFuture(guard);
        }
        Promise<G> promise = here == null ? Promise.promise() : here.promise();
        var unused = stage.whenComplete((guard, failure) -> {
            if (failure != null) {
                promise.fail(failure);
                return;
            }
            try {
                promise.complete(guard);
            } catch (RejectedExecutionException e) {
                Quietly.run("a guard whose Vert.x context is closed was not given back", () -> close(guard));
            }
        });
        return promise.future();
    }

    private static void close(AutoCloseable guard) {
        try {
            guard.close();
        } catch (Exception e) {
            throw new IllegalStateException("no guard of this library fails to close so", e);
        }
    }

    /** A guard, unless something ends before it is granted: the wait leaves the queue then. */
    static <G extends AutoCloseable> Future<G> unless(
            ContextLock lock, Future<?> stop, Supplier<CompletionStage<G>> ask) {
        if (stop.isComplete()) {
            return failed(
                    new CancellationException("the lock was not asked for, since what was to end the wait had ended"));
        }
        CompletionStage<G> stage = ask.get();
        CompletableFuture<G> asked = stage.toCompletableFuture();
        if (asked.isDone()) {
            return ofGuard(asked);
        }
        Leaving leaving = new Leaving(asked);
        stop.onComplete(leaving);
        var unused = asked.whenComplete((guard, failure) -> leaving.forget());
        Future<G> future = ofGuard(asked);
        endWithVerticle(lock, stage, future);
        return future;
    }

    /** Ends a wait; what it hangs on may last for long, so it keeps nothing of a wait that is over. */
    private static final class Leaving implements Completable<@Nullable Object> {
        private volatile @Nullable CompletableFuture<?> asked;

        Leaving(CompletableFuture<?> asked) {
            this.asked = asked;
        }

        void forget() {
            asked = null;
        }

        @Override
        public void complete(@Nullable Object value, @Nullable Throwable failure) {
            CompletableFuture<?> wait = asked;
            if (wait != null) {
                wait.cancel(false);
            }
        }
    }

    private static <T> Future<T> failed(Throwable failure) {
        ContextInternal here = ContextInternal.current();
        return here == null ? Future.failedFuture(failure) : here.failedFuture(failure);
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
