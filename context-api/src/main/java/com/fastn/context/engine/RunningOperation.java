package com.fastn.context.engine;

import com.fastn.context.Operation;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLongFieldUpdater;
import org.jspecify.annotations.Nullable;

/** An operation of a context, from its start to its end. */
final class RunningOperation extends Chain.Link<RunningOperation> implements Operation {
    private static final long RUNNING = Long.MIN_VALUE;
    private static final AtomicLongFieldUpdater<RunningOperation> ENDED =
            AtomicLongFieldUpdater.newUpdater(RunningOperation.class, "endedNanos");

    private final EngineRuntime runtime;
    private final String name;
    private final long startedNanos;
    private volatile long endedNanos = RUNNING;
    // Null once it has ended: a stage that never completes keeps the operation that awaits it, and not the context.
    private volatile @Nullable ContextNode node;

    RunningOperation(ContextNode node, String name, long startedNanos) {
        this.runtime = node.runtime();
        this.node = node;
        this.name = name;
        this.startedNanos = startedNanos;
    }

    long elapsedNanos(long nowNanos) {
        long ended = endedNanos;
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
        end(true);
    }

    /** Its context ended before it did: how long it would have taken is not known. */
    void abandon() {
        end(false);
    }

    private void end(boolean byItself) {
        ContextNode inside = node;
        long now = runtime.nanos();
        if (inside != null && ENDED.compareAndSet(this, RUNNING, now)) {
            node = null;
            long elapsed = runtime.elapsed(startedNanos, now);
            try {
                if (byItself) {
                    runtime.baselines().ended(name, elapsed);
                }
                if (elapsed > runtime.leastSlowNanos()) {
                    runtime.causes().endedLate(inside, name, startedNanos, now);
                }
            } finally {
                inside.operationEnded(this, elapsed);
            }
        }
    }
}
