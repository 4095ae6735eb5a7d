package com.fastn.context.engine;

import com.fastn.context.ContextScope;
import com.fastn.context.FastnContext;
import com.fastn.context.spi.ContextBinding;
import com.fastn.context.spi.Turn;
import java.util.ServiceLoader;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * Where the current context lives: in the binding's environment where one is active, else on the thread.
 *
 * <p>A record, as the compiler of the JVM takes the fields of a constant one for constants too: a look at the current
 * context then costs what a thread-local costs, and what the binding costs.
 */
record CurrentContext(
        @Nullable ContextBinding binding, ThreadLocal<@Nullable FastnContext> onThread, ClosedEarly closedEarly) {

    @SuppressWarnings("ThreadLocalUsage") // there is one of these in a process
    CurrentContext(@Nullable ContextBinding binding) {
        this(binding, new ThreadLocal<>(), new ClosedEarly());
    }

    static CurrentContext load() {
        return new CurrentContext(ServiceLoader.load(ContextBinding.class, ContextBinding.class.getClassLoader())
                .findFirst()
                .orElse(null));
    }

    @Nullable
    FastnContext get() {
        ContextBinding b = binding;
        FastnContext bound = b == null ? null : b.current();
        return bound != null ? bound : onThread.get();
    }

    ContextScope makeCurrent(ContextNode context) {
        ContextBinding b = binding;
        context.enterThread();
        return b != null && b.isActive() ? new BoundScope(context, b.makeCurrent(context)) : new ThreadScope(context);
    }

    /** Runs a task in the calling thread with a context as the current one, without a scope object where that can be. */
    void runAs(ContextNode context, Runnable task) {
        ContextBinding b = binding;
        if (b != null && b.isActive()) {
            try (ContextScope ignored = makeCurrent(context)) {
                task.run();
            }
            return;
        }
        FastnContext before = onThread.get();
        if (before == context) {
            task.run();
            return;
        }
        context.enterThread();
        onThread.set(context);
        try {
            task.run();
        } finally {
            onThread.set(before);
            context.leaveThread();
        }
    }

    /** Whether the calling thread must not be held up. */
    boolean isEventLoop() {
        ContextBinding b = binding;
        return b != null && b.isEventLoop();
    }

    /** A scope in the binding's environment. */
    private static final class BoundScope implements ContextScope {
        private final ContextNode context;
        private final ContextScope place;
        private boolean closed;

        BoundScope(ContextNode context, ContextScope place) {
            this.context = context;
            this.place = place;
        }

        @Override
        public void close() {
            if (!closed) {
                closed = true;
                context.leaveThread();
                place.close();
            }
        }
    }

    /** A scope on the thread. */
    private final class ThreadScope implements ContextScope {
        private final ContextNode context;
        private final Thread opener = Thread.currentThread();
        private final @Nullable FastnContext previous = onThread.get();
        private boolean closed;

        ThreadScope(ContextNode context) {
            this.context = context;
            onThread.set(context);
        }

        @Override
        public void close() {
            if (closed) {
                return;
            }
            closed = true;
            context.leaveThread();
            if (Thread.currentThread() != opener) {
                context.runtime()
                        .misuse("a ContextScope was closed on another thread than it was opened on; the current"
                                + " contexts of both were left as they are");
                return;
            }
            FastnContext now = onThread.get();
            if (now != context) {
                context.runtime()
                        .misuse("a ContextScope was closed while it was not the innermost one of its thread: one that"
                                + " was opened inside of it was left open, or is closed later. Open them in"
                                + " try-with-resources, one inside of the other");
                if (!(now instanceof ContextNode open) || !open.isClosed()) {
                    closedEarly.add(context, previous);
                    return;
                }
                // What was left open has ended: nobody wants it as the current context of this thread.
            }
            // Null is put back as well: to remove the entry would cost a new one each time.
            onThread.set(closedEarly.orBefore(previous));
        }
    }

    /** What the calling thread holds up while it waits, or null. */
    @Nullable
    Turn turn() {
        ContextBinding b = binding;
        return b == null ? null : b.turn();
    }

    /** An executor for completions that the present execution context waits for, or null off any. */
    @Nullable
    Executor completions() {
        ContextBinding b = binding;
        return b == null ? null : b.completions();
    }

    /** The same, if the calling thread must not be held up; null where it may be. */
    @Nullable
    Executor eventLoop() {
        ContextBinding b = binding;
        return b != null && b.isEventLoop() ? b.completions() : null;
    }

    @Nullable
    Executor tasks(ContextNode context) {
        ContextBinding b = binding;
        return b == null ? null : b.tasks(context);
    }

    @Nullable
    Executor blockingTasks(ContextNode context) {
        ContextBinding b = binding;
        return b == null ? null : b.blockingTasks(context);
    }
}
