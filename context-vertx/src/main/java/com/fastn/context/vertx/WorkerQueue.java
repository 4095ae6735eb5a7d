package com.fastn.context.vertx;

import com.fastn.context.engine.ContextNode;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/** The contexts whose blocking tasks were handed to the worker pools of a Vertx and have not begun. */
final class WorkerQueue {
    private final Map<Object, Task> waiting = new ConcurrentHashMap<>();

    private record Task(ContextNode context, Executor pool) {}

    /** {@return the task to hand over to a pool in its place} */
    Runnable queued(ContextNode context, Executor pool, Runnable task) {
        Runnable tracked = new Runnable() {
            @Override
            public void run() {
                waiting.remove(this);
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
                waiting.remove(this);
                return task.call();
            }
        };
        waiting.put(tracked, new Task(context, pool));
        return tracked;
    }

    /** The task never begins, or nobody wants it any longer. */
    void dropped(Object tracked) {
        waiting.remove(tracked);
    }

    int count() {
        return waiting.size();
    }

    /** Those that wait for a pool, the oldest first. */
    List<ContextNode> waitingFor(Executor pool) {
        return waiting.values().stream()
                .filter(task -> task.pool == pool)
                .map(Task::context)
                .filter(context -> !context.isClosed())
                .distinct()
                .sorted(Comparator.comparingLong(ContextNode::id))
                .toList();
    }
}
