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

    private final EngineRuntime runtime;

    @SuppressWarnings("ThreadLocalUsage") // one a runtime, of which there are few
    private final ThreadLocal<@Nullable Turn> turns = new ThreadLocal<>();

    Trampoline(EngineRuntime runtime) {
        this.runtime = runtime;
    }

    /** A completion. */
    interface Task extends Runnable {
        /** {@return the context that goes on} */
        ContextNode context();
    }

    void run(Task task) {
        Turn turn = turns.get();
        if (turn == null) {
            turn = new Turn(runtime);
            turns.set(turn);
        }
        turn.run(task);
    }

    /** What one thread runs. It is kept, so that a single hand-off needs nothing new; what waited in it is not. */
    private static final class Turn implements Runnable {
        private static final int USUALLY_AT_ONCE = 2;

        private final EngineRuntime runtime;
        private @Nullable Task next;
        private @Nullable ArrayDeque<Task> more;

        Turn(EngineRuntime runtime) {
            this.runtime = runtime;
        }

        void run(Task task) {
            if (more != null) {
                more.add(task);
            } else if (next != null) {
                more = new ArrayDeque<>(USUALLY_AT_ONCE);
                more.add(task);
            } else {
                begin(task);
            }
        }

        private void begin(Task task) {
            next = task;
            // What goes on here belongs to others, not to the work of a scope that happens to release something.
            Scope scope = runtime.scopes().get();
            if (scope != null) {
                runtime.scopes().set(null);
            }
            try {
                // The context of the first stays entered: those behind it are often of the same, and need no more then.
                runtime.current().runAs(task.context(), this);
            } finally {
                next = null;
                more = null;
                if (scope != null) {
                    runtime.scopes().set(scope);
                }
            }
        }

        @Override
        public void run() {
            while (next != null) {
                try {
                    runtime.current().runAs(next.context(), next);
                } catch (Throwable t) {
                    LOG.error("a completion of a lock failed", LoggedFailure.of(t));
                }
                next = more == null ? null : more.poll();
            }
        }
    }
}
