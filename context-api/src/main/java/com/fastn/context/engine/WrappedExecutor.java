package com.fastn.context.engine;

import java.util.ArrayList;
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
        executor.execute(new InContext(task, context.wrap(task)));
    }

    @Override
    public void shutdown() {
        executor.shutdown();
    }

    /** Those that were not begun, as they were given: whoever submitted one has that very future. */
    @Override
    public List<Runnable> shutdownNow() {
        List<Runnable> left = new ArrayList<>();
        executor.shutdownNow().forEach(each -> left.add(each instanceof InContext mine ? mine.task : each));
        return left;
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

    /** A task as the executor has it. */
    private static final class InContext implements Runnable {
        private final Runnable task;
        private final Runnable wrapped;

        InContext(Runnable task, Runnable wrapped) {
            this.task = task;
            this.wrapped = wrapped;
        }

        @Override
        public void run() {
            wrapped.run();
        }
    }
}
