package com.fastn.context.engine;

import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs completions in the calling thread, one after the other and never one inside the other, so that a million releases
 * that each grant the next waiter need one stack frame (rule L8). Each runs in the context that it belongs to.
 */
final class Trampoline {
    private static final Logger LOG = LoggerFactory.getLogger("com.fastn.context");
    private static final int USUALLY_AT_ONCE = 2;

    private final EngineRuntime runtime;

    @SuppressWarnings("ThreadLocalUsage") // one a runtime, of which there are few; nothing is left in it after a run
    private final ThreadLocal<@Nullable ArrayDeque<Task>> running = new ThreadLocal<>();

    Trampoline(EngineRuntime runtime) {
        this.runtime = runtime;
    }

    /** A completion. */
    interface Task extends Runnable {
        /** {@return the context that goes on} */
        ContextNode context();
    }

    void run(Task task) {
        ArrayDeque<Task> queue = running.get();
        if (queue != null) {
            queue.add(task);
            return;
        }
        queue = new ArrayDeque<>(USUALLY_AT_ONCE);
        running.set(queue);
        // What goes on here belongs to others, not to the work of a scope that happens to release something.
        Scope scope = runtime.scopes().get();
        if (scope != null) {
            runtime.scopes().set(null);
        }
        try {
            Task next = task;
            while (next != null) {
                try {
                    runtime.current().runAs(next.context(), next);
                } catch (Throwable t) {
                    LOG.error("a completion of a lock failed", t);
                }
                next = queue.poll();
            }
        } finally {
            if (scope != null) {
                runtime.scopes().set(scope);
            }
            // Null instead of no entry: to remove it would cost a new one each time.
            running.set(null);
        }
    }
}
