package com.fastn.context.vertx;

import io.vertx.core.internal.ContextInternal;
import java.time.Duration;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A look at what somebody may have forgotten to end: at most once in a while, and only while there is something to look at. */
final class LateLook {
    private static final Logger LOG = LoggerFactory.getLogger(LateLook.class);

    private final ContextInternal home;
    private final WorkerQueue workers;
    private final Duration every;
    private final BooleanSupplier isNeeded;
    private final Runnable look;
    private final AtomicBoolean scheduled = new AtomicBoolean();

    /**
     * Looks at nothing yet.
     *
     * @param isNeeded whether to look again
     * @param look runs on an event loop
     */
    LateLook(ContextInternal home, WorkerQueue workers, Duration every, BooleanSupplier isNeeded, Runnable look) {
        this.home = home;
        this.workers = workers;
        this.every = every;
        this.isNeeded = isNeeded;
        this.look = look;
    }

    /** Says that there is something to look at. */
    void begin() {
        if (!scheduled.get()) {
            schedule();
        }
    }

    private void schedule() {
        if (scheduled.compareAndSet(false, true)) {
            try {
                var unused = home.setTimer(every.toMillis(), id -> {
                    scheduled.set(false);
                    look.run();
                    if (isNeeded.getAsBoolean()) {
                        schedule();
                    }
                });
            } catch (RejectedExecutionException e) {
                // The mark stays, so that nobody tries again.
                LOG.debug("nobody looks after what was not ended in a Vertx that is closed", e);
            }
        }
    }

    /** Does what takes its time, such as a snapshot, which is not that of an event loop. */
    void aside(String notDone, Runnable work) {
        var unused = workers.<@Nullable Void>runOwn(home, () -> {
                    work.run();
                    return null;
                })
                .onFailure(failure -> LOG.error(notDone, failure));
    }
}
