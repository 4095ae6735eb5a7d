package com.fastn.context.vertx;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;

/**
 * A blocking task that does not begin once it is not wanted, and whose thread is interrupted where that was asked for: never
 * after the task has ended, when the thread works for somebody else.
 */
final class StoppableTask<T extends @Nullable Object> implements Callable<T> {
    private final Callable<T> task;
    private final boolean interrupt;

    @GuardedBy("this")
    private @Nullable Thread worker;

    @GuardedBy("this")
    private boolean stopped;

    StoppableTask(Callable<T> task, boolean interrupt) {
        this.task = task;
        this.interrupt = interrupt;
    }

    @Override
    public T call() throws Exception {
        synchronized (this) {
            if (stopped) {
                throw new CancellationException("the task was not wanted any more before it began");
            }
            worker = Thread.currentThread();
        }
        try {
            return task.call();
        } finally {
            synchronized (this) {
                worker = null;
                if (stopped && interrupt) {
                    // Ours, or nobody's: a worker of Vert.x is interrupted by no one else while a task of ours runs.
                    Thread.interrupted();
                }
            }
        }
    }

    synchronized void stop() {
        stopped = true;
        Thread running = worker;
        if (running != null && interrupt) {
            running.interrupt();
        }
    }
}
