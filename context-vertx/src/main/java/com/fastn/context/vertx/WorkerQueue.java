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

    /** Tasks that nobody wants any longer, each while it is in the queue of its pool: nothing else leads to it by then. */
    private final Map<Object, Executor> unwanted = Collections.synchronizedMap(new WeakHashMap<>());

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
                begins(this);
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
                begins(this);
                return task.call();
            }
        };
        waiting.put(tracked, new Task(context, pool));
        return tracked;
    }

    private void begins(Object tracked) {
        if (waiting.remove(tracked) == null) {
            unwanted.remove(tracked);
        }
    }

    /** The task never begins, or nobody wants it any longer. */
    void dropped(Object tracked) {
        Task task = waiting.remove(tracked);
        if (task != null) {
            unwanted.put(tracked, task.pool);
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
        int more = 0;
        synchronized (unwanted) {
            for (Executor its : unwanted.values()) {
                more += its == pool ? 1 : 0;
            }
        }
        return new Waiting(contexts, all.size() + more);
    }
}
