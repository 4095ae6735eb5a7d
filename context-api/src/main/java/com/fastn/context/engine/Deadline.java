package com.fastn.context.engine;

import com.fastn.context.Registration;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import org.jspecify.annotations.Nullable;

/** The end of a context's time. It is called off when the context is cancelled or gone, so that no timer outlives it. */
final class Deadline extends Chain.Link<Deadline> implements Registration {
    final long atNanos;
    private final ContextNode node;

    @GuardedBy("this")
    private @Nullable Registration timer;

    @GuardedBy("this")
    private boolean over;

    Deadline(ContextNode node, long atNanos) {
        this.node = node;
        this.atNanos = atNanos;
    }

    /** Takes the timer, which may have come too late to be of use. */
    void runsOn(Registration started) {
        synchronized (this) {
            if (!over) {
                timer = started;
                return;
            }
        }
        started.close();
    }

    @Override
    public void close() {
        Registration running;
        synchronized (this) {
            over = true;
            running = timer;
            timer = null;
        }
        node.forget(this);
        if (running != null) {
            running.close();
        }
    }
}
