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
                runtime.timers().soon(() -> runAll(rest));
            } catch (Throwable e) {
                // No thread is left: they stay where they were.
                runAll(rest);
            }
        }
    }

    /** As {@link #hold}; and another thread may take what waits in this one, by {@link #runWaitingIn}. */
    void holdForOthers() {
        turn().holdForOthers();
    }

    /** Runs here what waits in threads that have not come back from what they run. */
    void runWaitingIn(Iterable<Turn> others) {
        for (Turn other : others) {
            ArrayDeque<Task> tasks = other.takeMore();
            if (tasks != null) {
                runAll(tasks);
            }
        }
    }

    /** All are known before the first one runs, which may block too. */
    private void runAll(ArrayDeque<Task> tasks) {
        hold();
        try {
            tasks.forEach(this::run);
        } finally {
            go();
        }
    }

    void run(Task task) {
        turn().run(task, runtime);
    }

    /**
     * Until {@link #go}, what is to be run in this thread is only noted. Whoever has several to tell of one step notes them
     * all first: the first of them may block, and then passes the others on.
     */
    void hold() {
        turn().holds++;
    }

    /** Runs what was noted, unless this thread is in a turn, or a step, that will. */
    void go() {
        turn().go(runtime);
    }

    /** The scope whose work this thread is in, and that cannot go on before the task that the thread runs has returned. */
    @Nullable
    Scope below() {
        Turn turn = turns.get();
        return turn == null ? null : turn.below;
    }

    /** That of the calling thread. */
    Turn turn() {
        Turn turn = turns.get();
        if (turn == null) {
            turn = new Turn();
            turns.set(turn);
        }
        return turn;
    }

    /**
     * What one thread runs. It is kept, so that a single hand-off needs nothing new; what waited in it is not. As long as it
     * runs nothing it refers to no runtime: a thread outlives many, and what it keeps would keep them.
     *
     * <p>Another thread reaches nothing but what waits behind the task that runs. That it may take, under the monitor; only
     * the thread itself adds to it, so where that finds nothing it needs no monitor.
     */
    static final class Turn implements Runnable {
        private static final int USUALLY_AT_ONCE = 2;

        private @Nullable EngineRuntime ofTasks;
        private @Nullable Task next;
        private volatile @Nullable ArrayDeque<Task> more;

        private final Runnable runNext = this::runNext;
        private boolean running;
        private boolean begun;
        private int holds;
        // Whether also the first one that is noted waits where others can take it.
        private boolean forOthers;
        private @Nullable Scope below;

        void run(Task task, EngineRuntime runtime) {
            if (next == null && !forOthers) {
                next = task;
                if (holds == 0) {
                    begin(task, runtime);
                }
                return;
            }
            add(task);
        }

        private synchronized void add(Task task) {
            ArrayDeque<Task> waiting = more;
            if (waiting == null) {
                waiting = new ArrayDeque<>(USUALLY_AT_ONCE);
                more = waiting;
            }
            waiting.add(task);
        }

        synchronized void holdForOthers() {
            if (!forOthers) {
                // What was noted before is the first.
                more = takeRest();
                forOthers = true;
            }
            holds++;
        }

        void go(EngineRuntime runtime) {
            holds--;
            if (holds > 0) {
                return;
            }
            if (forOthers) {
                forOthers = false;
                if (!running) {
                    next = poll();
                }
            }
            Task first = next;
            if (!running && first != null) {
                begin(first, runtime);
            }
        }

        private void begin(Task first, EngineRuntime runtime) {
            // What goes on here belongs to others, not to the work of a scope that happens to release something.
            Scope scope = runtime.scopes().get();
            if (scope != null) {
                below = scope;
                runtime.scopes().set(null);
            }
            running = true;
            EngineRuntime before = ofTasks;
            ofTasks = runtime;
            try {
                // The context of the first stays entered: those behind it are often of the same, and need no more then.
                runtime.current().runAs(first.context(), this);
            } catch (Throwable t) {
                // Nobody else would run what is left.
                run();
                LoggedFailure.error(LOG, t, "the context of a completion of a lock could not be entered");
            } finally {
                running = false;
                next = null;
                if (more != null) {
                    more = null;
                }
                ofTasks = before;
                if (scope != null) {
                    below = null;
                    runtime.scopes().set(scope);
                }
            }
        }

        @Override
        public void run() {
            EngineRuntime runtime = requireNonNull(ofTasks, "runtime");
            while (next != null) {
                begun = false;
                try {
                    runtime.current().runAs(next.context(), runNext);
                } catch (Throwable t) {
                    runWithoutContext();
                    LoggedFailure.error(LOG, t, "a completion of a lock failed");
                }
                next = more == null ? null : poll();
            }
        }

        private synchronized @Nullable Task poll() {
            ArrayDeque<Task> waiting = more;
            return waiting == null ? null : waiting.poll();
        }

        /** Where the context could not be entered: a grant must not be lost with it. */
        private void runWithoutContext() {
            if (!begun) {
                try {
                    runNext();
                } catch (Throwable t) {
                    LoggedFailure.error(LOG, t, "a completion of a lock failed");
                }
            }
        }

        private void runNext() {
            begun = true;
            requireNonNull(next, "next").run();
        }

        synchronized boolean isAnyWaiting() {
            ArrayDeque<Task> waiting = more;
            return waiting != null && !waiting.isEmpty();
        }

        synchronized @Nullable ArrayDeque<Task> takeMore() {
            ArrayDeque<Task> waiting = more;
            more = null;
            return waiting;
        }

        @Nullable
        ArrayDeque<Task> takeRest() {
            ArrayDeque<Task> rest = takeMore();
            Task first = next;
            if (!running && first != null) {
                // Noted, and not begun yet.
                rest = rest == null ? new ArrayDeque<>(USUALLY_AT_ONCE) : rest;
                rest.addFirst(first);
                next = null;
            }
            return rest;
        }
    }
}
