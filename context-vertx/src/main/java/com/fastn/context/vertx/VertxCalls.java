package com.fastn.context.vertx;

import com.fastn.context.ContextCancelledException;
import com.fastn.context.ContextEngine;
import com.fastn.context.FastnContext;
import com.fastn.context.Registration;
import com.fastn.context.engine.ContextNode;
import com.fastn.context.status.CancelReason;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.Message;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.internal.ContextInternal;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Calls of Vert.x that end with the context that they are made for. */
final class VertxCalls {
    private static final long CANCELLED_STREAM = 8;
    private static final Duration LONGEST = Duration.ofDays(36_500);

    private VertxCalls() {}

    /** A timer, and what takes it back, so that nothing is kept for it any more: its future fails then. */
    record Timer(Future<Void> future, Runnable takeBack) {}

    static Timer timer(FastnContext context, Duration time) {
        CancelReason cancelled = context.cancelReason();
        if (cancelled != null) {
            return new Timer(failed(givenUp(context, "a timer", cancelled)), () -> {});
        }
        ContextInternal place = place(context);
        Promise<Void> over = place.promise();
        long id = place.setTimer(Math.max(1, bounded(time).toMillis()), fired -> over.tryComplete());
        Consumer<CancellationException> giveUp = failure -> {
            if (over.tryFail(failure)) {
                place.owner().cancelTimer(id);
            }
        };
        Registration registration = context.onCancel(reason -> giveUp.accept(givenUp(context, "a timer", reason)));
        endWithVerticle(context, place, "a timer", over.future(), giveUp);
        return new Timer(
                over.future().onComplete(done -> registration.close()),
                () -> giveUp.accept(new CancellationException("a timer of " + context.path() + " was taken back")));
    }

    /** A time that has room in whatever counts it; nobody sees the end of a longer one. */
    static Duration bounded(Duration time) {
        return time.compareTo(LONGEST) > 0 ? LONGEST : time.isNegative() ? Duration.ZERO : time;
    }

    /** Ends a call with the verticle that it was made in. */
    private static void endWithVerticle(
            FastnContext context,
            ContextInternal place,
            String what,
            Future<?> call,
            Consumer<CancellationException> giveUp) {
        Registration undeployed = VerticleEnd.onUndeployed(context, place, () -> {
            CancelReason reason = context.cancelReason();
            giveUp.accept(
                    reason != null
                            ? givenUp(context, what, reason)
                            : new CancellationException(what + " of " + context.path()
                                    + " was given up, as the verticle that it ran in was undeployed"));
        });
        call.onComplete(done -> undeployed.close());
    }

    static <T extends @Nullable Object> Future<Message<T>> request(
            FastnContext context, String address, @Nullable Object body, DeliveryOptions options) {
        CancelReason cancelled = context.cancelReason();
        if (cancelled != null) {
            return failed(givenUp(context, "a request to \"" + address + "\"", cancelled));
        }
        ContextInternal place = place(context);
        FastnVertx fastn = FastnVertx.installedIn(place.owner());
        AwaitedReplies.Asked asked = new AwaitedReplies.Asked();
        Future<Message<T>> reply = race(context, place, "a request to \"" + address + "\"", scope -> {
            try {
                return fastn == null
                        ? scope.owner().eventBus().request(address, body, options)
                        : fastn.awaitedReplies()
                                .asking(asked, () -> scope.owner().eventBus().<T>request(address, body, options));
            } catch (RuntimeException e) {
                // For want of a codec: no interceptor is told of that.
                context.incrementTotal(BusContexts.FAILED_SENDS);
                throw e;
            }
        });
        return fastn == null
                ? reply
                : reply.onFailure(failure -> fastn.awaitedReplies().giveUp(asked));
    }

    static <T extends @Nullable Object> Future<T> blocking(FastnContext context, Callable<T> task, boolean interrupt) {
        CancelReason cancelled = context.cancelReason();
        if (cancelled != null) {
            return failed(givenUp(context, "a blocking task", cancelled));
        }
        ContextInternal place = place(context);
        StoppableTask<T> stoppable = new StoppableTask<>(task, interrupt);
        FastnVertx fastn = FastnVertx.installedIn(place.owner());
        WorkerQueue queue = fastn == null ? null : fastn.workerQueue();
        Callable<T> queued = queue != null && context instanceof ContextNode node
                ? queue.queued(node, place.workerPool().executor(), stoppable)
                : stoppable;
        Future<T> result = race(context, place, "a blocking task", scope -> {
            try {
                return scope.executeBlocking(queued, false);
            } catch (RuntimeException e) {
                // The pool is closed.
                forget(queue, queued);
                throw e;
            }
        });
        // However the wait ended. To stop a task that has ended does nothing.
        return result.onComplete(done -> {
            stoppable.stop();
            forget(queue, queued);
        });
    }

    private static void forget(@Nullable WorkerQueue queue, Object queued) {
        if (queue != null) {
            queue.dropped(queued);
        }
    }

    static HttpClientRequest resetOnCancel(FastnContext context, HttpClientRequest request) {
        Registration registration = context.onCancel(
                reason -> request.reset(CANCELLED_STREAM, givenUp(context, "an HTTP request", reason)));
        request.response()
                .onFailure(failure -> registration.close())
                .onSuccess(response -> response.end().onComplete(end -> registration.close()));
        return request;
    }

    /** Waits for what somebody else has begun, and gives that up when a context is cancelled. */
    static <T extends @Nullable Object> Future<T> race(FastnContext context, Future<T> future) {
        ContextInternal here = ContextInternal.current();
        if (here == null || here.deploymentID() == null || future.isComplete()) {
            return Futures.of(context.race(Futures.stage(future)));
        }
        CompletableFuture<T> first = new CompletableFuture<>();
        Future<T> over = Futures.of(context.race(first));
        endWithVerticle(context, here, "a wait", over, first::completeExceptionally);
        if (!over.isComplete()) {
            // What is waited for may last for long, and keeps nothing of a wait that is over.
            AtomicReference<@Nullable CompletableFuture<T>> waiting = new AtomicReference<>(first);
            over.onComplete(done -> waiting.set(null));
            try {
                future.onComplete(done -> {
                    CompletableFuture<T> still = waiting.get();
                    if (still != null) {
                        Futures.tell(done, still);
                    }
                });
            } catch (RejectedExecutionException e) {
                // It was over, and its place is gone.
                first.completeExceptionally(e);
            }
        }
        return over;
    }

    /** Starts a call with a context as the current one, and gives it up when that is cancelled. */
    private static <T extends @Nullable Object> Future<T> race(
            FastnContext context, ContextInternal place, String what, Function<ContextInternal, Future<T>> call) {
        Promise<T> first = place.promise();
        Registration registration = context.onCancel(reason -> first.tryFail(givenUp(context, what, reason)));
        Future<T> over = first.future();
        endWithVerticle(context, place, what, over, first::tryFail);
        if (over.isComplete()) {
            registration.close();
            return over;
        }
        ContextInternal scope = scope(place, context);
        Runnable start = () -> {
            if (over.isComplete()) {
                // Given up before it began.
                return;
            }
            Future<T> started;
            try {
                started = call.apply(scope);
            } catch (RuntimeException e) {
                started = Future.failedFuture(e);
            }
            started.onComplete(done -> {
                if (done.succeeded()) {
                    first.tryComplete(done.result());
                } else {
                    first.tryFail(done.cause());
                }
            });
        };
        if (ContextInternal.current() == null) {
            scope.runOnContext(now -> start.run());
        } else {
            scope.dispatch(start);
        }
        return over.onComplete(done -> registration.close());
    }

    /** Where the caller is, or else where the context belongs. */
    private static ContextInternal place(FastnContext context) {
        ContextInternal here = ContextInternal.current();
        if (here != null) {
            return here;
        }
        ContextInternal place = VertxBinding.newPlace(context);
        if (place == null) {
            throw new IllegalStateException(
                    context + " belongs to no Vertx, and this thread runs on none; call this on a"
                            + " Vert.x context, or for a context of a Vertx");
        }
        return place;
    }

    /** A Vert.x context of the call's own, unless the caller's has the context already. */
    private static ContextInternal scope(ContextInternal place, FastnContext context) {
        if (!(context instanceof ContextNode node) || isCurrent(node, place) || !ContextSlot.isIn(place)) {
            return place;
        }
        ContextInternal scope = place.duplicate(true);
        ContextSlot.put(scope, node);
        return scope;
    }

    private static boolean isCurrent(ContextNode context, ContextInternal place) {
        // A blocking task may have made another one current for its thread alone.
        return ContextSlot.get(place) == context
                && (place != ContextInternal.current()
                        || ContextEngine.get().currentOrNull() == ContextSlot.stillOpen(context));
    }

    private static <T extends @Nullable Object> Future<T> failed(Throwable failure) {
        ContextInternal here = ContextInternal.current();
        return here == null ? Future.failedFuture(failure) : here.failedFuture(failure);
    }

    private static ContextCancelledException givenUp(FastnContext context, String what, CancelReason reason) {
        return new ContextCancelledException(what + " of " + context.path() + " was given up", reason);
    }
}
