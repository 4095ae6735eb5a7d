package com.fastn.status;

import com.fastn.context.Registration;
import com.fastn.context.Ticker;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.context.vertx.Addresses;
import com.fastn.context.vertx.FastnVertx;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.WorkerExecutor;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.json.JsonObject;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells consumers of {@code fastn.status} in this Vertx what this node is doing: once at first, then when something changed,
 * at most once per second. It belongs to the verticle's context.
 *
 * <pre>
 *  IDLE --something changed, and a consumer is there--&gt; WATCHED: each second it is asked who consumes
 *    \&lt;---------------the last consumer went----------------/
 * </pre>
 *
 * <p>While nobody consumes, nothing ticks here: whether somebody does is asked when something changed, and with each hello.
 */
final class StatusPublisher {
    private static final DeliveryOptions LOCAL = new DeliveryOptions().setLocalOnly(true);
    private static final Logger LOG = LoggerFactory.getLogger(StatusPublisher.class);

    private final Vertx vertx;
    private final FastnVertx fastn;
    private final WorkerExecutor worker;
    private final NodeWatch watch;
    private final Ticker ticker;

    // Mutable state
    private @Nullable Registration changes;
    private @Nullable Registration watching;
    private @Nullable StatusSnapshot latest;
    private int consumers;
    private long probedNanos;
    private long timer = -1;
    private boolean timed;
    private boolean probing;
    private boolean publishing;
    private boolean publishAgain;
    private boolean stopped;

    StatusPublisher(Vertx vertx, FastnVertx fastn, WorkerExecutor worker, NodeWatch watch, Ticker ticker) {
        this.vertx = vertx;
        this.fastn = fastn;
        this.worker = worker;
        this.watch = watch;
        this.ticker = ticker;
    }

    void start() {
        probedNanos = ticker.nanos() - NodeWatch.PACE.toNanos();
        Context here = vertx.getOrCreateContext();
        changes = fastn.onChanges(() -> here.runOnContext(now -> look()));
        look();
    }

    void stop() {
        stopped = true;
        if (changes != null) {
            changes.close();
        }
        vertx.cancelTimer(timer);
        unwatch();
    }

    /** Asks, at most once per second, whether somebody consumes. */
    void look() {
        if (stopped || timed) {
            return;
        }
        long rest = NodeWatch.PACE.toNanos() - (ticker.nanos() - probedNanos);
        if (rest > 0) {
            lookIn(Math.max(1, rest / 1_000_000));
            return;
        }
        probe();
    }

    private void lookIn(long millis) {
        timed = true;
        timer = vertx.setTimer(millis, id -> {
            timed = false;
            if (!stopped) {
                probe();
            }
        });
    }

    private void probe() {
        if (probing) {
            return;
        }
        fastn.noticeVerticles();
        probing = true;
        probedNanos = ticker.nanos();
        Future<Integer> count;
        try {
            count = fastn.consumers(Addresses.STATUS);
        } catch (RuntimeException e) {
            count = Future.failedFuture(e);
        }
        count.onComplete(probed -> {
            probing = false;
            if (stopped) {
                return;
            }
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
            unwatch();
            return;
        }
        if (watching == null) {
            watching = watch.watch(snapshot -> {
                latest = snapshot;
                publish();
            });
        } else if (now > before && latest != null) {
            // Whoever is new is told once at first, whatever the others know already.
            publish();
        }
        if (!timed) {
            lookIn(NodeWatch.PACE.toMillis());
        }
    }

    private void unwatch() {
        if (watching != null) {
            watching.close();
            watching = null;
        }
        latest = null;
    }

    private void publish() {
        StatusSnapshot snapshot = latest;
        publishAgain = publishing && snapshot != null;
        if (publishing || snapshot == null) {
            return;
        }
        publishing = true;
        worker.executeBlocking(
                        () -> {
                            JsonObject body = new JsonObject(Buffer.buffer(Answers.json(snapshot)));
                            vertx.eventBus().publish(Addresses.STATUS, body, LOCAL);
                            return null;
                        },
                        false)
                .onComplete(done -> {
                    publishing = false;
                    if (done.failed()) {
                        LOG.warn("status could not be published", done.cause());
                    }
                    if (publishAgain) {
                        publish();
                    }
                });
    }
}
