package com.fastn.context.vertx;

import io.vertx.core.Future;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.internal.ContextInternal;
import io.vertx.core.internal.VertxInternal;
import io.vertx.core.tracing.TracingPolicy;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The frames that go to the other nodes, written on the worker pool one after the other. A pool that is blocked takes none: while
 * {@link #MOST_WAITING} wait for it further ones are dropped, and the next one says how many events that were.
 */
final class FramesForOthers {
    static final int MOST_WAITING = 16;

    private static final Logger LOG = LoggerFactory.getLogger(FramesForOthers.class);

    private final VertxInternal vertx;
    private final ContextInternal home;
    private final WorkerQueue workers;

    // Only touched on the event loop of home.
    private final Map<String, Dropped> dropped = new HashMap<>();
    private Future<?> told = Future.succeededFuture();
    private int waiting;

    FramesForOthers(VertxInternal vertx, ContextInternal home, WorkerQueue workers) {
        this.vertx = vertx;
        this.home = home;
        this.workers = workers;
    }

    /** Tells a frame, or drops it; called on the event loop of home. */
    void tell(String address, EventFrame frame) {
        Dropped before = dropped.remove(address);
        long lost = before == null ? 0 : before.events;
        if (waiting == MOST_WAITING) {
            dropped.put(address, Dropped.with(frame, lost));
            return;
        }
        EventFrame whole = lost == 0
                ? frame
                : new EventFrame(
                        frame.node(),
                        frame.incarnation(),
                        frame.firstSequence(),
                        frame.events(),
                        frame.dropped() + lost);
        DeliveryOptions others = new DeliveryOptions()
                .setTracingPolicy(TracingPolicy.IGNORE)
                .addHeader(StatusDeliveries.FRAME_HEADER, frame.incarnation());
        waiting++;
        // One after the other, as their numbers say: never more than one of them stands in the queue of the pool.
        told = told.transform(ended -> workers.<@Nullable Void>runOwn(home, () -> {
                    EventFrameJson.of(whole).forEach(part -> vertx.eventBus().publish(address, part, others));
                    return null;
                }))
                .onFailure(failure -> LOG.warn("events could not be told to the cluster", failure));
        told.onComplete(done -> home.runOnContext(now -> {
            if (done.failed()) {
                // Told of by the next frame that comes: to tell of it at once might fail again and again.
                waiting--;
                dropped.merge(address, Dropped.with(whole, 0), Dropped::and);
            } else {
                hasRoom();
            }
        }));
    }

    /** Says what was dropped also where nothing follows that would be told. */
    private void hasRoom() {
        waiting--;
        if (waiting == 0) {
            for (String address : List.copyOf(dropped.keySet())) {
                Dropped lost = dropped.get(address);
                if (lost != null) {
                    tell(address, new EventFrame(lost.node, lost.incarnation, lost.nextSequence, List.of(), 0));
                }
            }
        }
    }

    /** What was dropped of an address since its last frame. */
    private record Dropped(String node, String incarnation, long nextSequence, long events) {
        static Dropped with(EventFrame frame, long before) {
            int events = frame.events().size();
            return new Dropped(
                    frame.node(),
                    frame.incarnation(),
                    frame.firstSequence() + events,
                    before + events + frame.dropped());
        }

        Dropped and(Dropped other) {
            return new Dropped(node, incarnation, Math.max(nextSequence, other.nextSequence), events + other.events);
        }
    }
}
