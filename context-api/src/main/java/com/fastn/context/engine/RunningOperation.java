package com.fastn.context.engine;

import com.fastn.context.Operation;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;

/** An operation of a context, from its start to its end. */
final class RunningOperation extends Chain.Link<RunningOperation> implements Operation {
    private static final long RUNNING = Long.MIN_VALUE;

    private final ContextNode node;
    private final String name;
    private final long startedNanos;
    private final AtomicLong endedNanos = new AtomicLong(RUNNING);

    RunningOperation(ContextNode node, String name, long startedNanos) {
        this.node = node;
        this.name = name;
        this.startedNanos = startedNanos;
    }

    long elapsedNanos(long nowNanos) {
        long ended = endedNanos.get();
        return node.runtime().elapsed(startedNanos, ended == RUNNING ? nowNanos : ended);
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public Duration elapsed() {
        return Duration.ofNanos(elapsedNanos(node.runtime().nanos()));
    }

    @Override
    public void close() {
        long now = node.runtime().nanos();
        if (endedNanos.compareAndSet(RUNNING, now)) {
            node.operationEnded(this, node.runtime().elapsed(startedNanos, now));
        }
    }
}
