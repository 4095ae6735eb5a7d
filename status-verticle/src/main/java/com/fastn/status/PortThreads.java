package com.fastn.status;

import com.fastn.status.http.HttpRefusalException;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * The threads that make what the status port answers. They belong to nobody else, so they are free when all of the
 * application's are blocked; they go away when nobody asks.
 */
final class PortThreads implements AutoCloseable {
    private static final int WORKERS = 4;
    private static final int MOST_WAITING = 256;

    private final ThreadPoolExecutor workers;
    private final ScheduledThreadPoolExecutor timer;

    /**
     * Makes the threads, which begin when something is to be done.
     *
     * @param rest how long one stays that has nothing to do
     */
    PortThreads(Duration rest) {
        workers = new ThreadPoolExecutor(
                WORKERS,
                WORKERS,
                rest.toNanos(),
                TimeUnit.NANOSECONDS,
                new LinkedBlockingQueue<>(MOST_WAITING),
                daemon("fastn-status-port-worker"));
        workers.allowCoreThreadTimeOut(true);
        timer = new ScheduledThreadPoolExecutor(1, daemon("fastn-status-port-timer"));
        timer.setKeepAliveTime(rest.toNanos(), TimeUnit.NANOSECONDS);
        timer.allowCoreThreadTimeOut(true);
        timer.setRemoveOnCancelPolicy(true);
    }

    private static ThreadFactory daemon(String name) {
        return task -> {
            Thread thread = new Thread(task, name);
            thread.setDaemon(true);
            return thread;
        };
    }

    /**
     * Does something that may block for a moment.
     *
     * @param task what to do
     * @return its result, on a worker
     */
    <T> CompletableFuture<T> work(Callable<T> task) {
        CompletableFuture<T> result = new CompletableFuture<>();
        try {
            workers.execute(() -> {
                try {
                    result.complete(task.call());
                } catch (Throwable t) {
                    result.completeExceptionally(t);
                }
            });
        } catch (RejectedExecutionException e) {
            result.completeExceptionally(new HttpRefusalException(503, "this node is busy with other questions"));
        }
        return result;
    }

    /**
     * Does something later, on the timer's thread, which it must not block.
     *
     * @param wait how much later
     * @param task what to do
     */
    void after(Duration wait, Runnable task) {
        try {
            var unused = timer.schedule(task, wait.toNanos(), TimeUnit.NANOSECONDS);
        } catch (RejectedExecutionException e) {
            // The port is closed, and nothing is due any more.
        }
    }

    /**
     * Waits for something, and not longer than that.
     *
     * @param result what is waited for
     * @param atMost how long
     * @param otherwise makes the exception that it fails with then
     * @return what comes first
     */
    <T> CompletableFuture<T> within(
            CompletableFuture<T> result, Duration atMost, Supplier<? extends RuntimeException> otherwise) {
        CompletableFuture<T> bounded = new CompletableFuture<>();
        var unused = result.whenComplete((value, failure) -> {
            if (failure == null) {
                bounded.complete(value);
            } else {
                bounded.completeExceptionally(failure);
            }
        });
        if (!bounded.isDone()) {
            after(atMost, () -> {
                if (!bounded.isDone()) {
                    bounded.completeExceptionally(otherwise.get());
                }
            });
        }
        return bounded;
    }

    /** Ends the threads. What was not begun is not done. */
    @Override
    public void close() {
        timer.shutdownNow();
        workers.shutdownNow();
    }
}
