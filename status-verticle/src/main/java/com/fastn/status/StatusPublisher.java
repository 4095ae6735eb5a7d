package com.fastn.status;

import static java.util.Objects.requireNonNull;

import com.fastn.context.Registration;
import com.fastn.context.Ticker;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.context.vertx.Addresses;
import com.fastn.context.vertx.FastnVertx;
import io.vertx.core.AsyncResult;
import io.vertx.core.CompositeFuture;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.WorkerExecutor;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.json.JsonObject;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells consumers of {@code fastn.status} in this Vertx what this node is doing, or the cluster: once at first, then when
 * something changed, at most once per second. It belongs to the verticle's context.
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
    private final List<String> addresses;
    private final Source source;
    private final PacedLook<List<Integer>> consumed;

    // Mutable state
    private @Nullable Registration watching;
    private @Nullable Callable<JsonObject> latest;
    /** How many consumers each address has. */
    private List<Integer> consumers;

    private boolean publishing;
    private boolean publishAgain;

    /** Where what is published comes from. */
    interface Source {
        /**
         * Begins to tell, on the verticle's context.
         *
         * @param news is given what is to be published now; it is made on a worker
         * @return closing it, on that context, ends it
         */
        Registration open(Consumer<Callable<JsonObject>> news);

        /** {@return what it consumes meanwhile} */
        default List<KeptAddress> consumed() {
            return List.of();
        }
    }

    private StatusPublisher(
            Vertx vertx,
            FastnVertx fastn,
            WorkerExecutor worker,
            List<String> addresses,
            Source source,
            Ticker ticker) {
        this.vertx = vertx;
        this.fastn = fastn;
        this.worker = worker;
        this.addresses = addresses;
        this.source = source;
        this.consumed = new PacedLook<>(vertx, fastn::onChanges, this::count, this::onCounted, ticker);
        this.consumers = nobody();
    }

    /** {@return one that tells what this node is doing} */
    static StatusPublisher ofNode(
            Vertx vertx, FastnVertx fastn, WorkerExecutor worker, Watches watches, Ticker ticker) {
        Source own = news -> watches.node(StatusQuery.all(), row -> {
            StatusSnapshot snapshot = requireNonNull(row.snapshot(), "the whole tree is never missing");
            news.accept(() -> new JsonObject(Buffer.buffer(Answers.json(snapshot))));
        });
        return new StatusPublisher(
                vertx, fastn, worker, List.of(Addresses.STATUS, Addresses.STATUS_CHANGES), own, ticker);
    }

    /**
     * {@return one that passes on what the {@link ClusterPublisher} of some node publishes, which those who consume
     * {@code fastn.status.changes} hear themselves}
     *
     * @param opened run when this node has begun to consume that
     */
    static StatusPublisher ofCluster(
            Vertx vertx, FastnVertx fastn, WorkerExecutor worker, Runnable opened, Ticker ticker) {
        return new StatusPublisher(vertx, fastn, worker, List.of(Addresses.STATUS), new Relay(vertx, opened), ticker);
    }

    private static final class Relay implements Source {
        private final Vertx vertx;
        private final Runnable opened;
        // Mutable state
        private @Nullable KeptAddress others;

        Relay(Vertx vertx, Runnable opened) {
            this.vertx = vertx;
            this.opened = opened;
        }

        @Override
        public Registration open(Consumer<Callable<JsonObject>> news) {
            KeptAddress listening = KeptAddress.of(
                    vertx, Addresses.STATUS_CHANGES, message -> news.accept(() -> relayed(message.body())));
            others = listening;
            listening.completion().onSuccess(known -> opened.run());
            return () -> {
                others = null;
                listening
                        .end()
                        .onFailure(failure ->
                                LOG.debug("consumers of the cluster's status were left registered", failure));
            };
        }

        @Override
        public List<KeptAddress> consumed() {
            return others == null ? List.of() : List.of(others);
        }
    }

    /** Anybody who reaches the bus may have published it. */
    private static JsonObject relayed(@Nullable Object body) {
        if (body instanceof JsonObject json && json.getValue("kind") instanceof String) {
            return json;
        }
        throw new IllegalArgumentException("what was published at " + Addresses.STATUS_CHANGES + " is no status");
    }

    void start() {
        consumed.start();
    }

    void stop() {
        consumed.stop();
        unwatch();
    }

    /** {@return whether somebody consumes, as far as is known} */
    boolean isConsumed() {
        return watching != null;
    }

    /** {@return what it consumes of other nodes now} */
    List<KeptAddress> addresses() {
        return source.consumed();
    }

    /** Asks, at most once per second, whether somebody consumes. */
    void look() {
        consumed.ask();
    }

    private Future<List<Integer>> count() {
        fastn.noticeVerticles();
        return Future.all(addresses.stream().map(fastn::consumers).toList()).map(CompositeFuture::list);
    }

    private boolean onCounted(AsyncResult<List<Integer>> counted) {
        if (counted.failed()) {
            LOG.warn("whether somebody consumes {} is not known, so nothing is published", addresses, counted.cause());
        } else {
            onConsumers(counted.result());
        }
        return watching != null;
    }

    private void onConsumers(List<Integer> now) {
        List<Integer> before = consumers;
        consumers = now;
        if (now.equals(nobody())) {
            unwatch();
            return;
        }
        if (watching == null) {
            watching = source.open(news -> {
                latest = news;
                publish();
            });
        } else if (latest != null && isMore(now, before)) {
            // Whoever is new is told once at first, whatever the others know already.
            publish();
        }
    }

    private List<Integer> nobody() {
        return addresses.stream().map(address -> 0).toList();
    }

    private static boolean isMore(List<Integer> now, List<Integer> before) {
        for (int i = 0; i < now.size(); i++) {
            if (now.get(i) > before.get(i)) {
                return true;
            }
        }
        return false;
    }

    private void unwatch() {
        if (watching != null) {
            watching.close();
            watching = null;
        }
        latest = null;
    }

    private void publish() {
        Callable<JsonObject> news = latest;
        publishAgain = publishing && news != null;
        if (publishing || news == null) {
            return;
        }
        publishing = true;
        List<Integer> told = consumers;
        worker.executeBlocking(
                        () -> {
                            JsonObject body = news.call();
                            for (int i = 0; i < addresses.size(); i++) {
                                if (told.get(i) > 0) {
                                    vertx.eventBus().publish(addresses.get(i), body, LOCAL);
                                }
                            }
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
