package com.fastn.context.engine;

import com.fastn.context.Registration;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Tasks for later. One daemon thread, which exists only while something is scheduled, sees to the time; the tasks
 * themselves run elsewhere, since the code of users that they reach may block.
 */
class Timers implements AutoCloseable {
    private static final Duration LONGEST = Duration.ofDays(36_500);
    private static final int IDLE_SECONDS = 5;

    private final Supplier<? extends Executor> workers;

    @GuardedBy("this")
    private @Nullable ScheduledThreadPoolExecutor executor;

    @GuardedBy("this")
    private boolean closed;

    Timers(Supplier<? extends Executor> workers) {
        this.workers = workers;
    }

    Registration after(Duration delay, Runnable task) {
        ScheduledThreadPoolExecutor pool = executor();
        if (pool == null) {
            return () -> {};
        }
        try {
            Future<?> scheduled = pool.schedule(() -> soon(task), nanos(delay), TimeUnit.NANOSECONDS);
            return () -> scheduled.cancel(false);
        } catch (RejectedExecutionException e) {
            // Closed in between.
            return () -> {};
        }
    }

    /**
     * Runs a task once on the thread that sees to the time: only for what returns at once and is our own.
     *
     * @return whether it will run
     */
    boolean tick(Duration delay, Runnable task) {
        ScheduledThreadPoolExecutor pool = executor();
        if (pool == null) {
            return false;
        }
        try {
            var unused = pool.schedule(task, nanos(delay), TimeUnit.NANOSECONDS);
            return true;
        } catch (RejectedExecutionException e) {
            return false;
        }
    }

    /** Runs a task as soon as a worker is free; here when there are none any more. */
    void soon(Runnable task) {
        try {
            workers.get().execute(task);
        } catch (RejectedExecutionException e) {
            task.run();
        }
    }

    /** When a time from now is over; never 0, which stands for none. */
    static long deadline(long nowNanos, Duration delay) {
        long at = nowNanos + nanos(delay);
        return at == 0 ? 1 : at;
    }

    private static long nanos(Duration delay) {
        if (delay.isNegative()) {
            return 0;
        }
        return (delay.compareTo(LONGEST) > 0 ? LONGEST : delay).toNanos();
    }

    /** How many tasks wait: none is left behind by a wait that ended (rule L4). */
    synchronized int pending() {
        ScheduledThreadPoolExecutor pool = executor;
        return pool == null ? 0 : pool.getQueue().size();
    }

    private synchronized @Nullable ScheduledThreadPoolExecutor executor() {
        if (closed) {
            return null;
        }
        ScheduledThreadPoolExecutor pool = executor;
        if (pool == null) {
            pool = new ScheduledThreadPoolExecutor(1, task -> {
                Thread thread = new Thread(null, task, "fastn-context-timer", 0, false);
                thread.setDaemon(true);
                return thread;
            });
            pool.setRemoveOnCancelPolicy(true);
            pool.setKeepAliveTime(IDLE_SECONDS, TimeUnit.SECONDS);
            pool.allowCoreThreadTimeOut(true);
            executor = pool;
        }
        return pool;
    }

    @Override
    public synchronized void close() {
        closed = true;
        if (executor != null) {
            executor.shutdownNow();
        }
    }
}
