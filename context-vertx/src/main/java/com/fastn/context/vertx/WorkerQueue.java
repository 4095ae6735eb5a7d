package com.fastn.context.vertx;

import com.fastn.context.engine.ContextNode;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The contexts whose blocking tasks were handed to the worker pool of a Vertx and have not begun. */
final class WorkerQueue {
    private final Map<Runnable, ContextNode> waiting = new ConcurrentHashMap<>();

    /** {@return the task to hand over in its place} */
    Runnable queued(ContextNode context, Runnable task) {
        Runnable tracked = new Runnable() {
            @Override
            public void run() {
                waiting.remove(this);
                task.run();
            }
        };
        waiting.put(tracked, context);
        return tracked;
    }

    /** The task never begins. */
    void dropped(Runnable tracked) {
        waiting.remove(tracked);
    }

    /** The oldest first. */
    List<ContextNode> waiting() {
        return waiting.values().stream()
                .filter(context -> !context.isClosed())
                .distinct()
                .sorted(Comparator.comparingLong(ContextNode::id))
                .toList();
    }
}
