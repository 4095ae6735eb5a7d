package com.fastn.context.engine;

import com.fastn.context.Registration;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.RunnableScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Tasks for later. One daemon thread, which exists only while something is scheduled, sees to the time; the tasks
 * themselves run elsewhere, since the code of users that they reach may block.
 *
 * <p>A process that cannot make another thread for a while loses none of them: what is due is tried again, and a task whose
 * thread could not be made waits for the next one that is scheduled.
 */
class Timers implements AutoCloseable {
    private static final Duration LONGEST = Duration.ofDays(36_500);
    private static final int IDLE_SECONDS = 5;
    private static final Duration AGAIN = Duration.ofMillis(100);

    private final Supplier<? extends Executor> workers;
    private final ThreadFactory threads;

    @GuardedBy("this")
    private @Nullable Pool executor;

    @GuardedBy("this")
    private boolean closed;

    Timers(Supplier<? extends Executor> workers) {
        this(workers, task -> new Thread(null, task, "fastn-context-timer", 0, false));
    }

    Timers(Supplier<? extends Executor> workers, ThreadFactory threads) {
        this.workers = workers;
        this.threads = task -> {
            Thread thread = threads.newThread(task);
            thread.setDaemon(true);
            // Not that of whoever schedules something: it may be of a verticle that is loaded anew.
            thread.setContextClassLoader(Timers.class.getClassLoader());
            return thread;
        };
    }

    Registration after(Duration delay, Runnable task) {
        Timed timed = new Timed(() -> soon(task));
        schedule(delay, timed);
        return timed;
    }

    /**
     * Runs a task once on the thread that sees to the time: only for what returns at once and is our own.
     *
     * @return whether it will run
     */
    boolean tick(Duration delay, Runnable task) {
        return schedule(delay, new Timed(task));
    }

    /**
     * The same, or not at all: where no thread can be made for it now, it does not wait for one.
     *
     * @return whether it will run
     */
    boolean tickOrDrop(Duration delay, Runnable task) {
        Timed timed = new Timed(task);
        Pool pool = executor();
        try {
            if (pool != null) {
                var unused = pool.schedule(timed, nanos(delay), TimeUnit.NANOSECONDS);
                return true;
            }
        } catch (Throwable closedOrNoThread) {
            timed.close();
        }
        return false;
    }

    private boolean schedule(Duration delay, Timed timed) {
        Pool pool = executor();
        if (pool == null) {
            return false;
        }
        try {
            var unused = pool.schedule(timed, nanos(delay), TimeUnit.NANOSECONDS);
            return true;
        } catch (RejectedExecutionException e) {
            // Closed in between.
            return false;
        } catch (Throwable noThread) {
            RunnableScheduledFuture<?> queued = timed.queued;
            if (queued == null || !pool.getQueue().contains(queued)) {
                throw noThread;
            }
            // It is in the queue all the same, and the next that is scheduled makes a thread for both.
            return true;
        }
    }

    /** Runs a task as soon as a worker is free; here when there are none any more. */
    void soon(Runnable task) {
        try {
            workers.get().execute(task);
        } catch (RejectedExecutionException e) {
            task.run();
        } catch (Throwable noThread) {
            if (!isLater(() -> soon(task))) {
                task.run();
            }
        }
    }

    private boolean isLater(Runnable task) {
        try {
            return tick(AGAIN, task);
        } catch (Throwable noMemory) {
            return false;
        }
    }

    /** When a time from now is over; never 0, which stands for none. */
    static long deadline(long nowNanos, Duration delay) {
        long at = nowNanos + nanos(delay);
        return at == 0 ? 1 : at;
    }

    /** The earlier of two of these. */
    static long earlier(long one, long other) {
        return other == 0 || (one != 0 && one - other < 0) ? one : other;
    }

    private static long nanos(Duration delay) {
        if (delay.isNegative()) {
            return 0;
        }
        return (delay.compareTo(LONGEST) > 0 ? LONGEST : delay).toNanos();
    }

    /** How many tasks wait: none is left behind by a wait that ended (rule L4). */
    synchronized int pending() {
        Pool pool = executor;
        return pool == null ? 0 : pool.getQueue().size();
    }

    private synchronized @Nullable Pool executor() {
        if (closed) {
            return null;
        }
        Pool pool = executor;
        if (pool == null) {
            pool = new Pool(threads);
            pool.setRemoveOnCancelPolicy(true);
            pool.setKeepAliveTime(IDLE_SECONDS, TimeUnit.SECONDS);
            pool.allowCoreThreadTimeOut(true);
            executor = pool;
        }
        return pool;
    }

    /** A task that knows its place in the queue, also when no thread could be made for it. */
    private static final class Timed implements Runnable, Registration {
        private final Runnable task;
        private volatile @Nullable RunnableScheduledFuture<?> queued;

        Timed(Runnable task) {
            this.task = task;
        }

        @Override
        public void run() {
            task.run();
        }

        @Override
        public void close() {
            RunnableScheduledFuture<?> place = queued;
            if (place != null) {
                place.cancel(false);
            }
        }
    }

    private static final class Pool extends ScheduledThreadPoolExecutor {
        Pool(ThreadFactory threads) {
            super(1, threads);
        }

        @Override
        protected <V> RunnableScheduledFuture<V> decorateTask(Runnable task, RunnableScheduledFuture<V> place) {
            if (task instanceof Timed timed) {
                timed.queued = place;
            }
            return place;
        }
    }

    @Override
    public synchronized void close() {
        closed = true;
        if (executor != null) {
            executor.shutdownNow();
        }
    }
}
