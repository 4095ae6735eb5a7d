package com.fastn.context.vertx;

import java.util.Collections;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import org.jspecify.annotations.Nullable;

/**
 * The threads of one worker pool, as they are made. Their names do not tell them from those of another Vertx of the process, and
 * a pool does not list them.
 */
final class WorkerThreads implements ThreadFactory {
    private final @Nullable ThreadPoolExecutor pool;
    private final ThreadFactory maker;
    private final boolean fromTheStart;
    private final Set<Thread> made = Collections.synchronizedSet(Collections.newSetFromMap(new WeakHashMap<>()));

    private WorkerThreads(@Nullable ThreadPoolExecutor pool, ThreadFactory maker, boolean fromTheStart) {
        this.pool = pool;
        this.maker = maker;
        this.fromTheStart = fromTheStart;
    }

    /** Notes the threads of a pool from now on. */
    static WorkerThreads of(ExecutorService executor) {
        if (!(executor instanceof ThreadPoolExecutor pool)) {
            return new WorkerThreads(null, Thread::new, false);
        }
        WorkerThreads threads = new WorkerThreads(pool, pool.getThreadFactory(), pool.getLargestPoolSize() == 0);
        pool.setThreadFactory(threads);
        return threads;
    }

    @Override
    public @Nullable Thread newThread(Runnable task) {
        Thread thread = maker.newThread(task);
        if (thread != null) {
            made.add(thread);
        }
        return thread;
    }

    /** Whether all threads of the pool are known. */
    boolean isComplete() {
        return fromTheStart;
    }

    boolean has(Thread thread) {
        return made.contains(thread);
    }

    void close() {
        if (pool != null && pool.getThreadFactory() == this) {
            pool.setThreadFactory(maker);
        }
    }
}
