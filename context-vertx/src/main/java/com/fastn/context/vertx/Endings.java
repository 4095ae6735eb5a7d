package com.fastn.context.vertx;

import com.fastn.context.CancelReport;
import com.fastn.context.FastnContext;
import com.fastn.context.engine.ContextNode;
import com.fastn.context.status.ContextKind;
import io.vertx.core.Future;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The end of what was cancelled: how long is waited for it, and who is told what did not stop. */
final class Endings {
    private static final Logger LOG = LoggerFactory.getLogger(Endings.class);

    private final AutomaticContexts automatic;

    Endings(AutomaticContexts automatic) {
        this.automatic = automatic;
    }

    /** Closes a context of which nobody tells the end when nothing is left of it: neither children nor operations. */
    static void whenNothingIsLeft(ContextNode context) {
        if (context.isChildless()) {
            context.closeWhenDone();
        } else {
            var unused = context.whenChildless(() -> whenNothingIsLeft(context));
        }
    }

    /** Waits until everything below some cancelled contexts has ended, or the grace time is over; never fails. */
    Future<Void> await(List<ContextNode> cancelled) {
        Duration grace = automatic.options().getGrace();
        List<Future<?>> waits = new ArrayList<>();
        for (ContextNode top : cancelled) {
            if (!top.isChildless()) {
                waits.add(Futures.of(top.cancelAndReport(grace)).onSuccess(report -> tell(top, report)));
            }
        }
        return waits.isEmpty()
                ? Future.succeededFuture()
                : Future.join(waits).<Void>mapEmpty().otherwiseEmpty();
    }

    private void tell(ContextNode top, CancelReport report) {
        if (!report.isComplete()) {
            LOG.warn("{} has ended; of the work in it {}", top.path(), report);
            Consumer<CancelReport> told = automatic.options().unstopped();
            try {
                told.accept(report);
            } catch (RuntimeException e) {
                LOG.error("who was to be told of what did not stop has failed", e);
            }
            endOwn(top);
        }
    }

    /** Nobody ends the requests, messages and sessions of a verticle that is gone; what the application opened stays. */
    private static void endOwn(ContextNode top) {
        ArrayDeque<FastnContext> open = new ArrayDeque<>(top.children());
        for (FastnContext context = open.poll(); context != null; context = open.poll()) {
            open.addAll(context.children());
            ContextKind kind = context.kind();
            if (kind == ContextKind.REQUEST || kind == ContextKind.MESSAGE || kind == ContextKind.SESSION) {
                context.close();
            }
        }
    }
}
