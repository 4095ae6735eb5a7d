package com.fastn.context.engine;

import com.fastn.context.Registration;
import com.fastn.context.status.CancelReason;
import com.fastn.context.status.Sanitizer;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A handler for cancellation: it runs at most once, where it was registered (rules C3, C4, C5). */
final class CancelHandler extends Chain.Link<CancelHandler> implements Registration {
    private static final Logger LOG = LoggerFactory.getLogger("com.fastn.context");
    private static final int MAX_SHOWN = 10;

    private final @Nullable Executor executor;
    // Null once it is of no more use: somebody may hold this for much longer than the context lives.
    private volatile @Nullable ContextNode node;
    private volatile @Nullable Consumer<? super CancelReason> handler;
    private final AtomicBoolean done = new AtomicBoolean();

    CancelHandler(ContextNode node, Consumer<? super CancelReason> handler, @Nullable Executor executor) {
        this.node = node;
        this.handler = handler;
        this.executor = executor;
    }

    /** Runs the handler, or hands it to its place; gives what it threw when it ran here. */
    @Nullable
    Throwable fire(CancelReason reason) {
        Executor where = executor;
        ContextNode cancelled = node;
        if (where != null && cancelled != null) {
            try {
                where.execute(() -> {
                    Throwable failure = run(reason);
                    if (failure != null) {
                        report(cancelled, List.of(failure));
                    }
                });
                return null;
            } catch (Throwable e) {
                // The place that it was registered from is gone, or has no thread left; better here than never.
            }
        }
        return run(reason);
    }

    private @Nullable Throwable run(CancelReason reason) {
        Consumer<? super CancelReason> task = handler;
        if (task != null && done.compareAndSet(false, true)) {
            drop();
            try {
                task.accept(reason);
            } catch (Throwable t) {
                return t;
            }
        }
        return null;
    }

    /** The context has ended, or was cancelled: what was registered is not needed any more. */
    void drop() {
        node = null;
        handler = null;
    }

    /** Says once what the handlers of a context threw (rule C3). */
    static void report(ContextNode node, List<Throwable> failures) {
        Throwable shown = failures.get(0);
        if (failures.size() > 1) {
            shown = new IllegalStateException(failures.size() + " handlers failed; the first are suppressed here");
            failures.stream().limit(MAX_SHOWN).forEach(shown::addSuppressed);
        }
        LoggedFailure.error(
                LOG,
                shown,
                "{} of the cancellation handlers of {} failed; the others have run",
                failures.size(),
                Sanitizer.clean(node.path().toString()));
    }

    @Override
    public void close() {
        ContextNode from = node;
        if (from != null && done.compareAndSet(false, true)) {
            from.forget(this);
            drop();
        }
    }
}
