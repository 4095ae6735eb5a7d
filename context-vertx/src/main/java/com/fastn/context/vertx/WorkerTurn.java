package com.fastn.context.vertx;

import com.fastn.context.FastnContext;
import com.fastn.context.engine.ContextNode;
import com.fastn.context.engine.Delivery;
import com.fastn.context.spi.Turn;
import io.vertx.core.Promise;
import io.vertx.core.ThreadingModel;
import io.vertx.core.internal.ContextInternal;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * The turn of a thread that runs a task of a worker or virtual-thread context. Vert.x lets a virtual thread give it up, and no
 * worker: what is behind the task of a worker runs once it has returned.
 */
final class WorkerTurn implements Turn {
    private final ContextInternal here;

    private WorkerTurn(ContextInternal here) {
        this.here = here;
    }

    /** Null on a thread of a pool that such a context only shares, as that of {@code executeBlocking} is. */
    static @Nullable WorkerTurn ofCaller() {
        ContextInternal here = ContextInternal.current();
        return here == null || here.isEventLoopContext() || !here.inThread() ? null : new WorkerTurn(here);
    }

    @Override
    public void await(CompletionStage<?> stage) {
        if (here.threadingModel() != ThreadingModel.VIRTUAL_THREAD) {
            return;
        }
        Waiting waiting = new Waiting();
        var unused = stage.whenComplete((value, failure) -> waiting.over());
        try {
            waiting.promise.future().await();
        } catch (IllegalStateException e) {
            // Vert.x lets a thread that was interrupted once in such a wait not wait so again: it keeps its turn.
        } catch (Exception e) {
            // Vert.x throws it unchecked.
            if (e instanceof InterruptedException) {
                waiting.interrupted = true;
                Thread.currentThread().interrupt();
                return;
            }
            throw new IllegalStateException("a future that only succeeds failed", e);
        }
    }

    /** A wait. One that was interrupted is left as it is: a Vert.x before 5.1.8 would give the turn to a thread that is gone. */
    private static final class Waiting {
        final Promise<Void> promise = Promise.promise();
        volatile boolean interrupted;

        void over() {
            if (!interrupted) {
                promise.complete();
            }
        }
    }

    @Override
    public boolean holdsUp(Executor completions) {
        return completions instanceof Completions other && other.context().unwrap() == here.unwrap();
    }

    @Override
    public boolean holdsUp(FastnContext context) {
        FastnVertx fastn = FastnVertx.installedIn(here.owner());
        return fastn != null
                && context instanceof ContextNode node
                && fastn.verticles().isOnlyOn(node, here.unwrap());
    }

    /** Hands completions to a worker or virtual-thread context. */
    record Completions(ContextInternal context, @Nullable WorkerDeliveries deliveries) implements Executor {
        @Override
        public void execute(Runnable task) {
            if (deliveries != null && task instanceof Delivery delivery) {
                deliveries.deliver(context, delivery);
                return;
            }
            PoolWatches.Watch watch = PoolWatches.of(context);
            if (watch != null) {
                watch.hand(context, task);
            } else {
                VertxBinding.execute(context, task);
            }
        }
    }

    /** Hands tasks that are to start to a worker or virtual-thread context: each starts, or fails when the pool of that is gone. */
    record Starts(ContextInternal context, WorkerDeliveries untilVertxCloses) implements Executor {
        @Override
        public void execute(Runnable task) {
            PoolWatches.Watch watch = PoolWatches.of(context);
            if (watch != null) {
                watch.hand(context, task);
            } else {
                untilVertxCloses.hand(context, task);
            }
        }
    }
}
