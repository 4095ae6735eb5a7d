package com.fastn.context.engine;

import com.fastn.context.Registration;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.time.Duration;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Tasks for later, on one daemon thread that exists only once something was scheduled. */
final class Timers implements AutoCloseable {
    @GuardedBy("this")
    private @Nullable ScheduledThreadPoolExecutor executor;

    @GuardedBy("this")
    private boolean closed;

    Registration after(Duration delay, Runnable task) {
        ScheduledThreadPoolExecutor pool = executor();
        if (pool == null) {
            return () -> {};
        }
        Future<?> scheduled = pool.schedule(task, Math.max(0, nanos(delay)), TimeUnit.NANOSECONDS);
        return () -> scheduled.cancel(false);
    }

    private static long nanos(Duration delay) {
        return delay.compareTo(Duration.ofDays(36_500)) > 0
                ? Duration.ofDays(36_500).toNanos()
                : delay.toNanos();
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
                Thread thread = new Thread(task, "fastn-context-timer");
                thread.setDaemon(true);
                return thread;
            });
            pool.setRemoveOnCancelPolicy(true);
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
