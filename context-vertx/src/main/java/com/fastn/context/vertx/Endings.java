package com.fastn.context.vertx;

import com.fastn.context.CancelReport;
import com.fastn.context.FastnContext;
import com.fastn.context.engine.ContextNode;
import com.fastn.context.engine.EngineRuntime;
import com.fastn.context.status.CancelReason;
import com.fastn.context.status.ContextKind;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.internal.ContextInternal;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The end of what was cancelled: how long is waited for it, and who is told what did not stop. */
final class Endings {
    private static final Logger LOG = LoggerFactory.getLogger(Endings.class);

    // One turn of an event loop ends no more: others have work there too.
    private static final int SLICE = 500;

    // For as long as handlers of a cancellation are waited for, where the grace time is shorter.
    private static final Duration LEAST_PATIENCE = Duration.ofSeconds(1);

    private final AutomaticContexts automatic;
    private final ContextInternal home;

    Endings(AutomaticContexts automatic, ContextInternal home) {
        this.automatic = automatic;
        this.home = home;
    }

    /** Closes a context of which nobody tells the end when nothing is left of it: neither children nor operations. */
    static void whenNothingIsLeft(ContextNode context) {
        if (context.isChildless()) {
            context.closeWhenDone();
        } else {
            var unused = context.whenChildless(() -> whenNothingIsLeft(context));
        }
    }

    /**
     * Cancels some contexts because their place ends, and waits until each handler was told: as long as the grace time, and for a
     * second at least. One that was registered off Vert.x may block, and holds up nobody's end for longer. Then something is
     * begun, in the thread that told them: that of who undeploys or closes may wait for the very end of it. Never fails.
     */
    Future<Void> cancel(
            EngineRuntime runtime, List<ContextNode> tops, String why, Supplier<? extends Future<Void>> then) {
        if (tops.isEmpty()) {
            return then.get();
        }
        Duration patience = patience();
        Promise<Void> over = Promise.promise();
        runtime.cancelAside(tops, CancelReason.Kind.SHUTDOWN, why, patience, told -> {
            if (!told) {
                LOG.warn(
                        "a handler of the cancellation of {} has not returned for {}, and the end goes on without it;"
                                + " it was registered off Vert.x, or is a listener",
                        tops.size() == 1 ? tops.get(0).path() : tops.size() + " contexts",
                        patience);
            }
            begin(then).otherwiseEmpty().onComplete(over::handle);
        });
        return over.future();
    }

    private Duration patience() {
        Duration grace = automatic.options().getGrace();
        return grace.compareTo(LEAST_PATIENCE) < 0 ? LEAST_PATIENCE : grace;
    }

    /**
     * Completes when what was handed to a worker before, such as the handlers of a cancellation, has run there, or has had the
     * same time: with a pool of its own goes what has not begun. Never fails.
     */
    Future<Void> ran(ContextInternal place) {
        if (VerticleEnd.poolOfItsOwn(place) == null) {
            return Future.succeededFuture();
        }
        Promise<Void> over = Promise.promise();
        try {
            long timer = home.setTimer(patience().toMillis(), id -> completeAside(over));
            place.executor().execute(over::tryComplete);
            return over.future().onComplete(ended -> home.owner().cancelTimer(timer));
        } catch (RejectedExecutionException e) {
            LOG.debug("a worker is not waited for, as its pool or the Vertx is gone", e);
            return Future.succeededFuture();
        }
    }

    /** Not on an event loop: what comes then may tell the application. Nor in the pool of the Vertx, which may be held up. */
    private void completeAside(Promise<Void> over) {
        FastnVertx fastn = FastnVertx.installedIn(home.owner());
        if (fastn == null) {
            over.tryComplete();
        } else {
            fastn.aside(over::tryComplete);
        }
    }

    private static Future<Void> begin(Supplier<? extends Future<Void>> then) {
        try {
            return then.get();
        } catch (Throwable t) {
            return Future.failedFuture(t);
        }
    }

    /** Waits until everything below some cancelled contexts has ended, or the grace time is over; never fails. */
    Future<Void> await(List<ContextNode> cancelled) {
        Duration grace = automatic.options().getGrace();
        List<Future<?>> waits = new ArrayList<>();
        for (ContextNode top : cancelled) {
            if (!top.isChildless()) {
                waits.add(Future.fromCompletionStage(top.cancelAndReport(grace)).compose(report -> tell(top, report)));
            }
        }
        return waits.isEmpty()
                ? Future.succeededFuture()
                : Future.join(waits).<Void>mapEmpty().otherwiseEmpty();
    }

    /** Completes when what nobody else would end has ended. */
    private Future<Void> tell(ContextNode top, CancelReport report) {
        if (report.isComplete()) {
            return Future.succeededFuture();
        }
        LOG.warn("{} has ended; of the work in it {}", top.path(), report);
        Consumer<CancelReport> told = automatic.options().unstopped();
        try {
            told.accept(report);
        } catch (Throwable t) {
            // Also an Error, and what Kotlin throws unannounced: nobody else ends what is open.
            LOG.error("who was to be told of what did not stop has failed", t);
        }
        Promise<Void> ended = Promise.promise();
        endOwn(new ArrayDeque<>(List.of(top)), ended);
        return ended.future();
    }

    /** Nobody ends the requests, messages and sessions of a verticle that is gone; what the application opened stays. */
    private void endOwn(ArrayDeque<FastnContext> open, Promise<Void> ended) {
        try {
            int left = SLICE;
            for (FastnContext context = open.poll(); context != null; context = open.poll()) {
                // Before it ends, for it leaves the tree then.
                open.addAll(context.children());
                ContextKind kind = context.kind();
                if (kind == ContextKind.REQUEST || kind == ContextKind.MESSAGE || kind == ContextKind.SESSION) {
                    context.close();
                }
                if (--left <= 0 && !open.isEmpty() && continuesLater(open, ended)) {
                    return;
                }
            }
            ended.complete();
        } catch (RuntimeException | Error e) {
            ended.fail(e);
            throw e;
        }
    }

    private boolean continuesLater(ArrayDeque<FastnContext> open, Promise<Void> ended) {
        try {
            home.runOnContext(now -> endOwn(open, ended));
            return true;
        } catch (RejectedExecutionException e) {
            LOG.debug("what is open in a Vertx that is closed is ended at once", e);
            return false;
        }
    }
}
