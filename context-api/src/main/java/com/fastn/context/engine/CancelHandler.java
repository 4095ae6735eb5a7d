package com.fastn.context.engine;

import com.fastn.context.Registration;
import com.fastn.context.status.CancelReason;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A handler for cancellation: it runs at most once, where it was registered (rules C3, C4, C5). */
final class CancelHandler implements Registration {
    private static final Logger LOG = LoggerFactory.getLogger("com.fastn.context");

    private final ContextNode node;
    private final Consumer<? super CancelReason> handler;
    private final @Nullable Executor executor;
    private final AtomicBoolean done = new AtomicBoolean();

    CancelHandler(ContextNode node, Consumer<? super CancelReason> handler, @Nullable Executor executor) {
        this.node = node;
        this.handler = handler;
        this.executor = executor;
    }

    void fire(CancelReason reason) {
        Executor where = executor;
        if (where == null) {
            run(reason);
            return;
        }
        try {
            where.execute(() -> run(reason));
        } catch (RejectedExecutionException e) {
            // The place that it was registered from is gone; better here than never.
            run(reason);
        }
    }

    private void run(CancelReason reason) {
        if (!done.compareAndSet(false, true)) {
            return;
        }
        try {
            handler.accept(reason);
        } catch (Throwable t) {
            LOG.error(
                    "a cancellation handler of {} failed",
                    Misuses.oneLine(node.path().toString()),
                    t);
        }
    }

    @Override
    public void close() {
        if (done.compareAndSet(false, true)) {
            node.forget(this);
        }
    }
}
