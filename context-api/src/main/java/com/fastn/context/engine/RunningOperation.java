package com.fastn.context.engine;

import com.fastn.context.Operation;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** An operation of a context, from its start to its end. */
final class RunningOperation extends Chain.Link<RunningOperation> implements Operation {
    private static final long RUNNING = Long.MIN_VALUE;

    private final EngineRuntime runtime;
    private final String name;
    private final long startedNanos;
    private final AtomicLong endedNanos = new AtomicLong(RUNNING);
    // Null once it has ended: a stage that never completes keeps the operation that awaits it, and not the context.
    private volatile @Nullable ContextNode node;

    RunningOperation(ContextNode node, String name, long startedNanos) {
        this.runtime = node.runtime();
        this.node = node;
        this.name = name;
        this.startedNanos = startedNanos;
    }

    long elapsedNanos(long nowNanos) {
        long ended = endedNanos.get();
        return runtime.elapsed(startedNanos, ended == RUNNING ? nowNanos : ended);
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public Duration elapsed() {
        return Duration.ofNanos(elapsedNanos(runtime.nanos()));
    }

    @Override
    public void close() {
        ContextNode inside = node;
        long now = runtime.nanos();
        if (inside != null && endedNanos.compareAndSet(RUNNING, now)) {
            node = null;
            inside.operationEnded(this, runtime.elapsed(startedNanos, now));
        }
    }
}
