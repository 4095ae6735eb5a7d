package com.fastn.status;

import com.fastn.context.Ticker;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.context.vertx.Addresses;
import com.fastn.context.vertx.EventFrame;
import com.fastn.context.vertx.FastnVertx;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.WorkerExecutor;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.Message;
import io.vertx.core.eventbus.MessageConsumer;
import io.vertx.core.json.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells consumers of {@code fastn.status} in this Vertx what this node is doing: once at first, then when something changed,
 * at most once per second. While nobody consumes, it only asks now and then whether somebody does, and looks for verticles that are new. It belongs to the
 * verticle's context.
 *
 * <pre>
 *  IDLE --a consumer is there--&gt; WATCHED: frames are folded, each second the clock is looked at
 *    \&lt;---------the last consumer went-----/
 * </pre>
 */
final class StatusPublisher {
    static final long INTERVAL_MILLIS = 1_000;

    private static final long INTERVAL_NANOS = TimeUnit.MILLISECONDS.toNanos(INTERVAL_MILLIS);
    private static final List<String> EVENTS =
            List.of(Addresses.EVENTS_LOCKS, Addresses.EVENTS_COUNTERS, Addresses.EVENTS_CONTEXTS);
    private static final DeliveryOptions LOCAL = new DeliveryOptions().setLocalOnly(true);
    private static final Logger LOG = LoggerFactory.getLogger(StatusPublisher.class);

    private final Vertx vertx;
    private final FastnVertx fastn;
    private final WorkerExecutor worker;
    private final LocalStatus local;
    private final Ticker ticker;
    private final List<MessageConsumer<Object>> events = new ArrayList<>();
    private StatusAggregator aggregator = new StatusAggregator();
    private long timer = -1;
    private int consumers;
    private boolean probing;
    private boolean taking;
    private boolean due;
    private boolean everPublished;
    private long publishedNanos;

    StatusPublisher(Vertx vertx, FastnVertx fastn, WorkerExecutor worker, LocalStatus local, Ticker ticker) {
        this.vertx = vertx;
        this.fastn = fastn;
        this.worker = worker;
        this.local = local;
        this.ticker = ticker;
    }

    void start() {
        timer = vertx.setPeriodic(INTERVAL_MILLIS, id -> tick());
    }

    Future<Void> stop() {
        vertx.cancelTimer(timer);
        return unwatch();
    }

    private void tick() {
        fastn.noticeVerticles();
        if (probing) {
            return;
        }
        probing = true;
        Future<Integer> count;
        try {
            count = fastn.consumers(Addresses.STATUS);
        } catch (RuntimeException e) {
            count = Future.failedFuture(e);
        }
        count.onComplete(probed -> {
            probing = false;
            if (probed.failed()) {
                LOG.warn(
                        "whether somebody consumes {} is not known, so nothing is published",
                        Addresses.STATUS,
                        probed.cause());
                return;
            }
            onConsumers(probed.result());
        });
    }

    private void onConsumers(int now) {
        int before = consumers;
        consumers = now;
        if (now == 0) {
            if (before > 0) {
                var unused = unwatch();
            }
            return;
        }
        if (before == 0) {
            watch();
        }
        // Whoever is new is told once at first, whatever the others know already.
        due |= now > before;
        take();
    }

    private void watch() {
        aggregator = new StatusAggregator();
        everPublished = false;
        for (String address : EVENTS) {
            events.add(vertx.eventBus().localConsumer(address, message -> onFrame(address, message)));
        }
    }

    private Future<Void> unwatch() {
        List<MessageConsumer<Object>> ended = List.copyOf(events);
        events.clear();
        due = false;
        return Future.join(ended.stream().map(MessageConsumer::unregister).toList())
                .<Void>mapEmpty()
                .otherwiseEmpty();
    }

    private void onFrame(String address, Message<Object> message) {
        try {
            if (message.body() instanceof EventFrame frame && aggregator.apply(address, frame)) {
                due = true;
                take();
            }
        } catch (Throwable t) {
            LOG.warn("an event frame could not be folded", t);
        }
    }

    /**
     * Looks at the whole, because warnings come and go with time alone; publishes if anything is new. The first change goes
     * out at once, and what follows waits for the next second.
     */
    private void take() {
        long sincePublished = ticker.nanos() - publishedNanos;
        if (taking || consumers == 0 || (everPublished && sincePublished < INTERVAL_NANOS)) {
            return;
        }
        taking = true;
        boolean wanted = due;
        due = false;
        worker.executeBlocking(() -> local.take(StatusQuery.all(), LocalStatus.BUS_WAIT), false)
                .compose(snapshot -> publish(snapshot, wanted))
                .onComplete(done -> {
                    taking = false;
                    if (done.failed()) {
                        LOG.warn("status could not be published", done.cause());
                    }
                });
    }

    private Future<Void> publish(StatusSnapshot snapshot, boolean wanted) {
        boolean changed = aggregator.apply(snapshot);
        if (!(changed || wanted) || consumers == 0) {
            return Future.succeededFuture();
        }
        everPublished = true;
        publishedNanos = ticker.nanos();
        return worker.executeBlocking(
                () -> {
                    JsonObject body = new JsonObject(Buffer.buffer(Answers.json(snapshot)));
                    vertx.eventBus().publish(Addresses.STATUS, body, LOCAL);
                    return null;
                },
                false);
    }
}
