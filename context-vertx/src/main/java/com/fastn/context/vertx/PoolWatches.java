package com.fastn.context.vertx;

import com.fastn.context.Registration;
import com.fastn.context.engine.Delivery;
import io.vertx.core.Closeable;
import io.vertx.core.Completable;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.internal.ContextInternal;
import io.vertx.core.shareddata.LocalMap;
import io.vertx.core.shareddata.Shareable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/** The watches over the pools of workers that go with their verticles: one for each instance of a verticle that needs one. */
final class PoolWatches implements Shareable {
    private static final String KEY = PoolWatches.class.getName();

    private final ConcurrentHashMap<ContextInternal, Watch> watches = new ConcurrentHashMap<>();

    /** The watch over the pool of a place; null where that is the one of the Vertx, or the place is no worker. */
    static @Nullable Watch of(ContextInternal place) {
        ExecutorService pool = VerticleEnd.poolOfItsOwn(place);
        if (pool == null) {
            return null;
        }
        return in(place.owner()).of(place.unwrap(), pool);
    }

    private static PoolWatches in(Vertx vertx) {
        FastnVertx fastn = FastnVertx.installedIn(vertx);
        if (fastn != null) {
            return fastn.poolWatches();
        }
        // Also in a Vertx without contexts something of another one may wait, and a watch stays until its verticle
        // ends.
        LocalMap<String, PoolWatches> kept = vertx.sharedData().getLocalMap(KEY);
        return kept.computeIfAbsent(KEY, key -> new PoolWatches());
    }

    private Watch of(ContextInternal root, ExecutorService pool) {
        Watch known = watches.get(root);
        if (known != null) {
            return known;
        }
        Watch made = new Watch(root, pool);
        Watch first = watches.putIfAbsent(root, made);
        if (first != null) {
            return first;
        }
        made.begin();
        return made;
    }

    /**
     * What goes on at a worker, and is given up when the pool of that is gone. Vert.x closes a pool after all that is to run at the
     * end of the verticle, and tells nobody, so it is looked at from then on, as long as something waits.
     */
    final class Watch implements Closeable {
        private static final long FIRST_LOOK_MILLIS = 2;
        private static final long LAST_LOOK_MILLIS = 1_000;

        private final ContextInternal root;
        private final ExecutorService pool;
        private final WorkerDeliveries waiting = new WorkerDeliveries();
        private final AtomicBoolean looking = new AtomicBoolean();
        private volatile boolean undeployed;

        private Watch(ContextInternal root, ExecutorService pool) {
            this.root = root;
            this.pool = pool;
        }

        private void begin() {
            if (!root.closeFuture().add(this)) {
                // Something of the verticle still runs. Who asks for the watch is about to add what it is for.
                undeployed = true;
                if (!waiting.isEmpty()) {
                    beginToLook();
                }
            }
        }

        @Override
        public void close(Completable<Void> done) {
            root.closeFuture().future().onComplete(end -> {
                undeployed = true;
                beginToLook();
            });
            done.succeed();
        }

        /**
         * Registers what gives something up; where the pool is gone by now, that runs before this returns, or soon where an event
         * loop asks.
         */
        Registration add(Runnable giveUp) {
            return entry(giveUp);
        }

        /**
         * Hands over a task. Vert.x drops without a word what such a pool has accepted and not begun when it is closed. In that
         * case it is ended, off the event loop: others may be told, who block.
         */
        void hand(ContextInternal place, Runnable task) {
            entry(() -> end(task)).handTo(place, task);
        }

        private WorkerDeliveries.Entry entry(Runnable giveUp) {
            WorkerDeliveries.Entry entry = waiting.add(giveUp);
            if (undeployed) {
                beginToLook();
            }
            return entry;
        }

        private void end(Runnable task) {
            if (task instanceof Delivery delivery && !Context.isOnEventLoopThread()) {
                // Not in the pool of the Vertx, which may be held up, and drops what it has when the Vertx closes.
                delivery.drop();
            } else {
                runElsewhere(WorkerDeliveries.end(task));
            }
        }

        private void runElsewhere(Runnable end) {
            try {
                root.owner().workerPool().executor().execute(end);
            } catch (RejectedExecutionException e) {
                // The Vertx is closed.
                end.run();
            }
        }

        private void beginToLook() {
            if (looking.compareAndSet(false, true)) {
                look(FIRST_LOOK_MILLIS);
            }
        }

        private void look(long nextMillis) {
            if (pool.isTerminated()) {
                lost();
                return;
            }
            if (endsToLook()) {
                return;
            }
            try {
                var unused = root.nettyEventLoop()
                        .schedule(
                                () -> look(Math.min(2 * nextMillis, LAST_LOOK_MILLIS)),
                                nextMillis,
                                TimeUnit.MILLISECONDS)
                        .addListener(looked -> {
                            if (looked.isCancelled()) {
                                // The Vertx is closed, and with it every pool.
                                lost();
                            }
                        });
            } catch (RejectedExecutionException e) {
                // It was closed before.
                lost();
            }
        }

        /** With nothing to look for; the pool may live on for long, where another verticle has it by the same name. */
        private boolean endsToLook() {
            if (!waiting.isEmpty()) {
                return false;
            }
            watches.remove(root, this);
            looking.set(false);
            // What came meanwhile may have found that it was looked at.
            return waiting.isEmpty() || !looking.compareAndSet(false, true);
        }

        private void lost() {
            watches.remove(root, this);
            FastnVertx fastn = FastnVertx.installedIn(root.owner());
            if (fastn != null && Context.isOnEventLoopThread()) {
                // There may be many, and some of them tell the application.
                fastn.aside(waiting::close);
            } else {
                waiting.close();
            }
        }
    }
}
