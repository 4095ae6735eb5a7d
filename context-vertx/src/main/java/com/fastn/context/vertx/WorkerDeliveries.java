package com.fastn.context.vertx;

import com.fastn.context.Registration;
import com.fastn.context.engine.Delivery;
import io.vertx.core.internal.ContextInternal;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * What is on its way to Vert.x contexts of workers or virtual threads that go away together. An event loop runs what it has
 * accepted; here a task may be dropped without a word, because the pool that was to run it went away. So what has not begun by
 * then is given up by name: a lock that was granted goes to the next one, and the stage of a task fails.
 */
final class WorkerDeliveries {
    private final Set<Entry> waiting = ConcurrentHashMap.newKeySet();
    private volatile boolean closed;

    /** Hands over what is dropped where the place refuses it. */
    void deliver(ContextInternal to, Delivery delivery) {
        Entry entry = add(delivery::drop);
        try {
            entry.handTo(to, delivery);
        } catch (RuntimeException e) {
            // The pool is gone already.
            delivery.drop();
        }
    }

    /** Hands over a task; where the place refuses it, that is thrown. */
    void hand(ContextInternal to, Runnable task) {
        add(end(task)).handTo(to, task);
    }

    /** What is to be done with a task that does not come to its place: better elsewhere than never. */
    static Runnable end(Runnable task) {
        return task instanceof Delivery delivery ? delivery::drop : task;
    }

    /** Registers what is to be given up at the end, or now where that was before; in the thread that calls. */
    Entry add(Runnable giveUp) {
        Entry entry = new Entry(giveUp);
        waiting.add(entry);
        if (closed) {
            entry.giveUp();
        }
        return entry;
    }

    boolean isEmpty() {
        return waiting.isEmpty();
    }

    /** The place goes away: all that has not begun is given up, and so is what comes later. */
    void close() {
        closed = true;
        waiting.forEach(entry -> {
            try {
                entry.giveUp();
            } catch (Throwable e) {
                // The others must not be lost with it.
                Quietly.failed("what was on its way to a place that is gone was not given up", e);
            }
        });
    }

    /** One of them; it begins, is given up or is taken back, whichever comes first. */
    final class Entry implements Registration {
        private final Runnable giveUp;
        private final AtomicBoolean over = new AtomicBoolean();

        private Entry(Runnable giveUp) {
            this.giveUp = giveUp;
        }

        /** {@return whether it is the caller's from now on} */
        private boolean take() {
            boolean mine = over.compareAndSet(false, true);
            if (mine) {
                waiting.remove(this);
            }
            return mine;
        }

        /** Has a task run at a place unless it is given up before. What is thrown leaves it to the caller alone. */
        void handTo(ContextInternal place, Runnable task) {
            if (over.get()) {
                return;
            }
            try {
                place.executor().execute(() -> {
                    if (take()) {
                        place.dispatch(task);
                    }
                });
            } catch (Throwable e) {
                // As where no thread can be made; another one may have begun with it all the same.
                if (take()) {
                    throw e;
                }
            }
        }

        private void giveUp() {
            if (take()) {
                giveUp.run();
            }
        }

        /** Nothing is to be given up any more. */
        @Override
        public void close() {
            take();
        }
    }
}
