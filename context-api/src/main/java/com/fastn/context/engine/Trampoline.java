package com.fastn.context.engine;

import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs completions in the calling thread, one after the other and never one inside the other, so that a million releases
 * that each grant the next waiter need one stack frame (rule L8).
 */
final class Trampoline {
    private static final Logger LOG = LoggerFactory.getLogger("com.fastn.context");

    @SuppressWarnings("ThreadLocalUsage") // one a runtime, of which there are few; the value is removed after each run
    private final ThreadLocal<@Nullable ArrayDeque<Runnable>> running = new ThreadLocal<>();

    void run(Runnable task) {
        ArrayDeque<Runnable> queue = running.get();
        if (queue != null) {
            queue.add(task);
            return;
        }
        queue = new ArrayDeque<>();
        running.set(queue);
        try {
            Runnable next = task;
            while (next != null) {
                try {
                    next.run();
                } catch (Throwable t) {
                    LOG.error("a completion of a lock failed", LoggedFailure.of(t));
                }
                next = queue.poll();
            }
        } finally {
            running.remove();
        }
    }
}
