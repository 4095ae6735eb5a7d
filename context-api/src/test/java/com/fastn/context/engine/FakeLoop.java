package com.fastn.context.engine;

import com.fastn.context.ContextScope;
import com.fastn.context.FastnContext;
import com.fastn.context.spi.ContextBinding;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/** An execution context with a queue and a current context of its own, as Vert.x has them; it runs when the test says so. */
final class FakeLoop {
    private static final ThreadLocal<FakeLoop> HERE = new ThreadLocal<>();

    private final Queue<Runnable> queue = new ConcurrentLinkedQueue<>();
    private @Nullable FastnContext current;
    private @Nullable Throwable gone;

    /** Runs a piece of code of the application on this loop, in the thread of the test. */
    void run(Runnable code) {
        FakeLoop before = HERE.get();
        HERE.set(this);
        try {
            code.run();
        } finally {
            HERE.set(before);
        }
    }

    /** Runs what was handed to this loop; gives how many tasks there were. */
    int turn() {
        int ran = 0;
        for (Runnable task = queue.poll(); task != null; task = queue.poll()) {
            run(task);
            ran++;
        }
        return ran;
    }

    /** Runs one of these, and not what it hands on; gives whether there was one. */
    boolean turnOnce() {
        Runnable task = queue.poll();
        if (task == null) {
            return false;
        }
        run(task);
        return true;
    }

    /** From now on it takes no tasks, as an event loop that was shut down. */
    void shutDown() {
        shutDown(new RejectedExecutionException("this loop was shut down"));
    }

    /** From now on it fails at each task. */
    void shutDown(Throwable failure) {
        gone = failure;
    }

    static @Nullable FakeLoop here() {
        return HERE.get();
    }

    private void enqueue(Runnable task) {
        if (gone instanceof Error error) {
            throw error;
        }
        if (gone instanceof RuntimeException exception) {
            throw exception;
        }
        queue.add(task);
    }

    /** Ties loops to the engine. */
    static final class Binding implements ContextBinding {
        @Override
        public boolean isActive() {
            return HERE.get() != null;
        }

        @Override
        public @Nullable FastnContext current() {
            FakeLoop loop = HERE.get();
            return loop == null ? null : loop.current;
        }

        @Override
        public ContextScope makeCurrent(FastnContext context) {
            FakeLoop loop = HERE.get();
            FastnContext before = loop.current;
            loop.current = context;
            return () -> loop.current = before;
        }

        @Override
        public @Nullable Executor completions() {
            FakeLoop loop = HERE.get();
            return loop == null ? null : loop::enqueue;
        }

        @Override
        public boolean isEventLoop() {
            return HERE.get() != null;
        }

        @Override
        public @Nullable Executor tasks(FastnContext context) {
            return completions();
        }

        @Override
        public @Nullable Executor blockingTasks(FastnContext context) {
            return null;
        }
    }
}
