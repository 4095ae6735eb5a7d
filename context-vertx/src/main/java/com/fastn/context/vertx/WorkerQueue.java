package com.fastn.context.vertx;

import com.fastn.context.engine.ContextNode;
import io.vertx.core.Future;
import io.vertx.core.internal.ContextInternal;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.WeakHashMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.ThreadPoolExecutor;
import org.jspecify.annotations.Nullable;

/** The contexts whose blocking tasks were handed to the worker pools of a Vertx and have not begun. */
final class WorkerQueue {
    private final Map<Object, Task> waiting = new ConcurrentHashMap<>();

    /**
     * Tasks of no context, each while it is in the queue of its pool, as nothing else leads to it: those that nobody wants any
     * longer, and our own.
     */
    private final Map<Object, Executor> ofNone = Collections.synchronizedMap(new WeakHashMap<>());

    private record Task(ContextNode context, Executor pool) {}

    /**
     * What waits for a pool.
     *
     * @param contexts whose tasks they are, the oldest first, each once, and without those that are closed
     * @param tasks how many tasks there are, of whatever context, of none, or not known
     * @param unknown how many of them are not known
     */
    record Waiting(List<ContextNode> contexts, int tasks, int unknown) {}

    /** {@return the task to hand over to a pool in its place} */
    Runnable queued(ContextNode context, Executor pool, Runnable task) {
        Runnable tracked = new Runnable() {
            @Override
            public void run() {
                begins(this);
                task.run();
            }
        };
        waiting.put(tracked, new Task(context, pool));
        return tracked;
    }

    /** The same for a task with a result. */
    <T extends @Nullable Object> Callable<T> queued(ContextNode context, Executor pool, Callable<T> task) {
        Callable<T> tracked = tracked(task);
        waiting.put(tracked, new Task(context, pool));
        return tracked;
    }

    /** Runs a task of ours in the pool of a place, with others that run at the same time: nobody's lock waits for it. */
    <T extends @Nullable Object> Future<T> runOwn(ContextInternal place, Callable<T> task) {
        Callable<T> tracked = tracked(task);
        ofNone.put(tracked, place.workerPool().executor());
        return place.executeBlocking(tracked, false);
    }

    private <T extends @Nullable Object> Callable<T> tracked(Callable<T> task) {
        return new Callable<>() {
            @Override
            public T call() throws Exception {
                begins(this);
                return task.call();
            }
        };
    }

    private void begins(Object tracked) {
        if (waiting.remove(tracked) == null) {
            ofNone.remove(tracked);
        }
    }

    /** The task never begins, or nobody wants it any longer. */
    void dropped(Object tracked) {
        // At once: it is counted all the while, and when it begins meanwhile it is taken from where it is.
        var unused = waiting.computeIfPresent(tracked, (same, task) -> {
            ofNone.put(same, task.pool);
            return null;
        });
    }

    int count() {
        return waiting.size();
    }

    Waiting waitingFor(ThreadPoolExecutor pool) {
        // Before and after the look at its queue: a task that begins meanwhile is known before, and one that is queued
        // meanwhile is known afterwards.
        int before = contextsOf(pool).size() + countOfNone(pool);
        int queued = pool.getQueue().size();
        List<ContextNode> all = contextsOf(pool);
        int after = all.size() + countOfNone(pool);
        List<ContextNode> contexts = all.stream()
                .filter(context -> !context.isClosed())
                .distinct()
                .sorted(Comparator.comparingLong(ContextNode::id))
                .toList();
        return new Waiting(contexts, queued, Math.max(0, queued - Math.max(before, after)));
    }

    /** Of each task its context. */
    private List<ContextNode> contextsOf(Executor pool) {
        return waiting.values().stream()
                .filter(task -> task.pool == pool)
                .map(Task::context)
                .toList();
    }

    private int countOfNone(Executor pool) {
        int count = 0;
        synchronized (ofNone) {
            for (Executor its : ofNone.values()) {
                count += its == pool ? 1 : 0;
            }
        }
        return count;
    }
}
