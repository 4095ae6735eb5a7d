package com.fastn.status.system;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * The one thread that reads the machine, and only when somebody asks. It goes away when nobody asked for a while.
 *
 * <p>Not a worker of Vert.x: those may all be blocked just when somebody wants to know why.
 */
public final class SamplerThread implements AutoCloseable {
    private static final long IDLE_SECONDS = 10;

    private final SystemSampler sampler;
    private final ScheduledThreadPoolExecutor executor;

    // Guarded by this.
    private @Nullable Reading running;

    private record Reading(CompletableFuture<Void> done, long sinceNanos) {}

    /**
     * Makes a thread that starts with the first request.
     *
     * @param sampler what it calls
     */
    public SamplerThread(SystemSampler sampler) {
        this.sampler = requireNonNull(sampler, "sampler");
        this.executor = new ScheduledThreadPoolExecutor(1, task -> {
            Thread thread = new Thread(task, "fastn-system-sampler");
            thread.setDaemon(true);
            return thread;
        });
        executor.setKeepAliveTime(IDLE_SECONDS, TimeUnit.SECONDS);
        executor.allowCoreThreadTimeOut(true);
        executor.setRemoveOnCancelPolicy(true);
    }

    /**
     * Sees to it that the sampler's readings are fresh. Blocks the caller, which must not be an event loop.
     *
     * @param atMost how old a reading may become that is waited for, whoever wanted it: where the machine hangs, those who ask
     *     after that do not wait. What is not read by then stays as it is known
     */
    public void refresh(Duration atMost) {
        if (sampler.isFresh()) {
            // Most questions: to hand over to another thread and back would take longer than all else of a small
            // status.
            return;
        }
        try {
            Reading reading = request();
            long rest = atMost.toNanos() - (sampler.nanos() - reading.sinceNanos);
            var unused = reading.done.get(rest, TimeUnit.NANOSECONDS);
        } catch (TimeoutException | ExecutionException e) {
            // The readings say themselves how old they are, and what is unknown stays unknown.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private synchronized Reading request() {
        Reading current = running;
        if (current != null && !current.done.isDone()) {
            return current;
        }
        Reading next = new Reading(new CompletableFuture<>(), sampler.nanos());
        running = next;
        try {
            executor.execute(() -> sample(next.done, true));
        } catch (RejectedExecutionException e) {
            next.done.complete(null);
        }
        return next;
    }

    private void sample(CompletableFuture<Void> done, boolean again) {
        try {
            Duration wait = sampler.sample();
            if (!again || wait.isZero() || wait.isNegative()) {
                done.complete(null);
                return;
            }
            var unused = executor.schedule(() -> sample(done, false), wait.toNanos(), TimeUnit.NANOSECONDS);
        } catch (Throwable t) {
            // Whoever waits is not to wait for nothing, whatever the reason.
            done.completeExceptionally(t);
        }
    }

    /** Ends the thread. Whoever waits for a reading gets what is known. */
    @Override
    public void close() {
        executor.shutdownNow();
        synchronized (this) {
            if (running != null) {
                running.done.complete(null);
            }
        }
    }
}
