package com.fastn.context.vertx;

import com.fastn.context.engine.ContextNode;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.WeakHashMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/** The contexts whose blocking tasks were handed to the worker pools of a Vertx and have not begun. */
final class WorkerQueue {
    private final Map<Object, Task> waiting = new ConcurrentHashMap<>();

    /** How many tasks are in the queue of a pool that nobody wants any longer; a pool that is gone may have dropped them. */
    private final Map<Executor, Integer> unwanted = Collections.synchronizedMap(new WeakHashMap<>());

    private record Task(ContextNode context, Executor pool) {}

    /**
     * What waits for a pool.
     *
     * @param contexts whose tasks they are, the oldest first, each once, and without those that are closed
     * @param tasks how many tasks there are, of whatever context, with those that nobody wants and that still have their turn
     */
    record Waiting(List<ContextNode> contexts, int tasks) {}

    /** {@return the task to hand over to a pool in its place} */
    Runnable queued(ContextNode context, Executor pool, Runnable task) {
        Runnable tracked = new Runnable() {
            @Override
            public void run() {
                begins(this, pool);
                task.run();
            }
        };
        waiting.put(tracked, new Task(context, pool));
        return tracked;
    }

    /** The same for a task with a result. */
    <T extends @Nullable Object> Callable<T> queued(ContextNode context, Executor pool, Callable<T> task) {
        Callable<T> tracked = new Callable<>() {
            @Override
            public T call() throws Exception {
                begins(this, pool);
                return task.call();
            }
        };
        waiting.put(tracked, new Task(context, pool));
        return tracked;
    }

    private void begins(Object tracked, Executor pool) {
        if (waiting.remove(tracked) == null) {
            unwanted.merge(pool, -1, Integer::sum);
        }
    }

    /** The task never begins, or nobody wants it any longer. */
    void dropped(Object tracked) {
        Task task = waiting.remove(tracked);
        if (task != null) {
            unwanted.merge(task.pool, 1, Integer::sum);
        }
    }

    int count() {
        return waiting.size();
    }

    Waiting waitingFor(Executor pool) {
        List<ContextNode> all = waiting.values().stream()
                .filter(task -> task.pool == pool)
                .map(Task::context)
                .toList();
        List<ContextNode> contexts = all.stream()
                .filter(context -> !context.isClosed())
                .distinct()
                .sorted(Comparator.comparingLong(ContextNode::id))
                .toList();
        return new Waiting(contexts, all.size() + unwanted.getOrDefault(pool, 0));
    }
}
