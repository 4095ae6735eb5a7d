package com.fastn.context.vertx;

import com.fastn.context.engine.Delivery;
import io.vertx.core.internal.ContextInternal;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * What is on its way to a Vert.x context of a worker or a virtual thread. An event loop runs what it has accepted; here a
 * task may be dropped without a word, because the pool that was to run it went away with the verticle. So what has not been
 * run when the verticle is undeployed is dropped by name, and a lock that was granted goes to the next one.
 */
final class WorkerDeliveries {
    private final Set<Tracked> pending = ConcurrentHashMap.newKeySet();
    private volatile boolean closed;

    void deliver(ContextInternal to, Delivery delivery) {
        Tracked tracked = new Tracked(to, delivery);
        pending.add(tracked);
        if (closed) {
            tracked.drop();
            return;
        }
        try {
            to.executor().execute(tracked);
        } catch (RuntimeException e) {
            // The pool is gone already.
            tracked.drop();
        } catch (Throwable e) {
            // As where no thread can be made: who called delivers it, unless another thread has begun with it.
            if (tracked.take()) {
                throw e;
            }
        }
    }

    /** The verticle is undeployed. */
    void close() {
        closed = true;
        pending.forEach(tracked -> {
            try {
                tracked.drop();
            } catch (Throwable e) {
                // The others must not be lost with it.
                Quietly.failed("what was on its way to a place that is gone was not dropped", e);
            }
        });
    }

    private final class Tracked implements Runnable {
        private final ContextInternal to;
        private final Delivery delivery;
        private final AtomicBoolean begun = new AtomicBoolean();

        Tracked(ContextInternal to, Delivery delivery) {
            this.to = to;
            this.delivery = delivery;
        }

        /** {@return whether it is the caller's from now on} */
        boolean take() {
            boolean mine = begun.compareAndSet(false, true);
            if (mine) {
                pending.remove(this);
            }
            return mine;
        }

        @Override
        public void run() {
            if (take()) {
                to.dispatch(delivery);
            }
        }

        void drop() {
            if (take()) {
                delivery.drop();
            }
        }
    }
}
