package com.fastn.context.engine;

import java.util.List;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;

/** An executor service whose tasks run in a context. */
final class WrappedExecutor extends AbstractExecutorService {
    private final ContextNode context;
    private final ExecutorService executor;

    WrappedExecutor(ContextNode context, ExecutorService executor) {
        this.context = context;
        this.executor = executor;
    }

    /** All that is submitted comes here, as the future that its submitter has. */
    @Override
    public void execute(Runnable task) {
        executor.execute(context.wrap(task));
    }

    @Override
    public void shutdown() {
        executor.shutdown();
    }

    @Override
    public List<Runnable> shutdownNow() {
        return executor.shutdownNow();
    }

    @Override
    public boolean isShutdown() {
        return executor.isShutdown();
    }

    @Override
    public boolean isTerminated() {
        return executor.isTerminated();
    }

    @Override
    public boolean awaitTermination(long timeout, TimeUnit unit) throws InterruptedException {
        return executor.awaitTermination(timeout, unit);
    }
}
