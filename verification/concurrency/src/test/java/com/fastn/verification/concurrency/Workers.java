package com.fastn.verification.concurrency;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/** Threads that start together, each at its own work; what one of them throws, the test throws. */
public final class Workers implements AutoCloseable {
    private static final long PATIENCE_SECONDS = 300;

    private final ExecutorService threads;
    private final List<Future<?>> running = new ArrayList<>();

    private Workers(ExecutorService threads) {
        this.threads = threads;
    }

    /** Work of one thread. */
    public interface Work {
        void run(int thread) throws Exception;
    }

    public static Workers start(int count, Work work) {
        Workers workers = new Workers(Executors.newFixedThreadPool(count));
        CyclicBarrier together = new CyclicBarrier(count);
        for (int i = 0; i < count; i++) {
            int thread = i;
            workers.running.add(workers.threads.submit(() -> {
                together.await();
                work.run(thread);
                return null;
            }));
        }
        return workers;
    }

    /** Whether one of them has done its work, or failed at it: who waits for what they do looks here, and then joins them. */
    public boolean isAnyDone() {
        return running.stream().anyMatch(Future::isDone);
    }

    /** Waits until all have done their work. */
    public void join() throws Exception {
        for (Future<?> future : running) {
            try {
                future.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
            } catch (ExecutionException e) {
                throw new AssertionError("a thread failed: " + e.getCause(), e.getCause());
            }
        }
    }

    @Override
    public void close() {
        threads.shutdownNow();
    }
}
