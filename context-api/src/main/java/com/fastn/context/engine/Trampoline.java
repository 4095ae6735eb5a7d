package com.fastn.context.engine;

import static java.util.Objects.requireNonNull;

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
    interface Task extends Delivery {
        /** {@return the context that goes on} */
        ContextNode context();

        /** Wakes the thread that it is for, where it is; gives whether nothing is left to be run. */
        default boolean wakesNow() {
            return false;
        }

        /** Nothing is lost with a piece of news. */
        @Override
        default void drop() {
            run();
        }
    }

    /** Lets another thread run what waits behind the task of this one, which is about to block. */
    void passOn() {
        Turn turn = turns.get();
        ArrayDeque<Task> rest = turn == null ? null : turn.takeRest();
        if (rest != null && !rest.isEmpty()) {
            try {
                runtime.timers().soon(() -> rest.forEach(this::run));
            } catch (Throwable e) {
                // No thread is left: they stay where they were.
                rest.forEach(this::run);
            }
        }
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

        private final Runnable runNext = this::runNext;
        private boolean begun;

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
            } catch (Throwable t) {
                LOG.error("the context of a completion of a lock could not be entered", LoggedFailure.of(t));
                // Nobody else would run what is left.
                run();
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
                begun = false;
                try {
                    runtime.current().runAs(next.context(), runNext);
                } catch (Throwable t) {
                    LOG.error("a completion of a lock failed", LoggedFailure.of(t));
                    runWithoutContext();
                }
                next = more == null ? null : more.poll();
            }
        }

        /** Where the context could not be entered: a grant must not be lost with it. */
        private void runWithoutContext() {
            if (!begun) {
                try {
                    runNext();
                } catch (Throwable t) {
                    LOG.error("a completion of a lock failed", LoggedFailure.of(t));
                }
            }
        }

        private void runNext() {
            begun = true;
            requireNonNull(next, "next").run();
        }

        @Nullable
        ArrayDeque<Task> takeRest() {
            ArrayDeque<Task> rest = more;
            more = null;
            return rest;
        }
    }
}
