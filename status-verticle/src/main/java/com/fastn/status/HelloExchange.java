package com.fastn.status;

import com.fastn.context.status.NodeIdentity;
import com.fastn.context.status.NodeSummary;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.WorkerExecutor;
import io.vertx.core.eventbus.Message;
import io.vertx.core.json.JsonObject;
import io.vertx.core.spi.cluster.RegistrationInfo;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes the nodes of a cluster known to each other: each tells all others that it lives, at its start, now and then, and at
 * its end. It belongs to the verticle's context.
 */
final class HelloExchange {
    static final String ADDRESS = "fastn.status.hello";

    /** A newcomer waits so long for those who are there; who is slower is met later. */
    private static final long MEETING_MILLIS = 2_000;

    /** A node may not have learned yet where this one listens, so its answer, or the question, may be lost. */
    private static final long REPEAT_MILLIS = 100;

    /** Whoever contradicts what is said in its name says so at once, and once more after this time. */
    private static final long CONTRADICT_MILLIS = 1_000;

    /** Where workers hang a node speaks without new numbers, or others would take it for silent. */
    private static final long COUNTING_MILLIS = 1_000;

    private static final long WATCHED_MILLIS = 5_000;
    private static final long GOODBYE_MILLIS = 500;

    private static final Logger LOG = LoggerFactory.getLogger(HelloExchange.class);

    private final Vertx vertx;
    private final @Nullable Registry registry;
    private final WorkerExecutor worker;
    private final LocalStatus local;
    private final NodeDirectory directory;
    private final BooleanSupplier watched;
    private final boolean publishes;
    private final Listener listener;
    private final Promise<Void> met = Promise.promise();
    private final Set<String> answered = new HashSet<>();
    private List<KeptAddress> addresses = List.of();
    private @Nullable NodeSummary summary;
    private long summaryVersion = -1;
    private long timer = -1;
    private long repeated;
    /** Whether the time of the next one is that of a cluster that is watched. */
    private boolean timedWatched;

    private int expected = -1;
    private boolean metAll;
    private boolean contradicting;
    private boolean counting;
    private boolean stopped;

    /** Who is to know of hellos. It is told on the verticle's context. */
    interface Listener {
        /** One is about to be told by time, more often while the cluster is watched. */
        void telling();

        /** Another node has told one. */
        default void heard() {}
    }

    /** Makes one; {@code publishes} says that this node publishes the status of the cluster, if it comes first. */
    HelloExchange(
            Vertx vertx,
            @Nullable Registry registry,
            WorkerExecutor worker,
            LocalStatus local,
            NodeDirectory directory,
            BooleanSupplier watched,
            boolean publishes,
            Listener listener) {
        this.vertx = vertx;
        this.registry = registry;
        this.worker = worker;
        this.local = local;
        this.directory = directory;
        this.watched = watched;
        this.publishes = publishes;
        this.listener = listener;
    }

    /**
     * Says hello.
     *
     * @param intervalMillis how often to repeat it
     * @return completes when this node knows those who were there before it, or after a short while
     */
    Future<Void> start(long intervalMillis) {
        repeat(intervalMillis);
        return listen().compose(ready -> stopped ? Future.succeededFuture(0) : othersThere())
                .compose(others -> stopped ? Future.succeededFuture() : meet(others));
    }

    private void repeat(long intervalMillis) {
        if (intervalMillis == 0 || stopped) {
            return;
        }
        repeated = intervalMillis;
        timedWatched = watched.getAsBoolean();
        long next = timedWatched ? Math.min(intervalMillis, WATCHED_MILLIS) : intervalMillis;
        timer = vertx.setTimer(next, id -> {
            listener.telling();
            tell(Hello.Kind.ALIVE);
            repeat(intervalMillis);
        });
    }

    /** Says once more that this node lives, without waiting for the time of that. */
    void speak() {
        if (stopped) {
            return;
        }
        tell(Hello.Kind.ALIVE);
        if (watched.getAsBoolean() && !timedWatched && vertx.cancelTimer(timer)) {
            // The next one was to be told when nobody watched yet.
            repeat(repeated);
        }
    }

    private Future<Void> listen() {
        KeptAddress all = KeptAddress.of(vertx, ADDRESS, message -> onHello(message, false));
        KeptAddress own = KeptAddress.of(vertx, direct(directory.self()), message -> onHello(message, true));
        addresses = List.of(all, own);
        return Future.all(all.completion(), own.completion()).mapEmpty();
    }

    /** {@return what it consumes} */
    List<KeptAddress> addresses() {
        return addresses;
    }

    /** Asks until all have answered directly, which shows that they know this node. */
    private Future<Void> meet(int others) {
        expected = others;
        publish(hello(Hello.Kind.NEWCOMER));
        lookAround();
        long repeat = vertx.setPeriodic(REPEAT_MILLIS, id -> publish(hello(Hello.Kind.NEWCOMER)));
        return met.future()
                .timeout(MEETING_MILLIS, TimeUnit.MILLISECONDS)
                .otherwiseEmpty()
                .onComplete(over -> {
                    vertx.cancelTimer(repeat);
                    LOG.debug("{} of {} other nodes answered the first hello", answered.size(), others);
                    metAll = true;
                    answered.clear();
                });
    }

    private void lookAround() {
        if (expected >= 0 && answered.size() >= expected) {
            metAll = true;
            met.tryComplete();
        }
    }

    private Hello hello(Hello.Kind kind) {
        return new Hello(directory.self(), directory.selfAsPeer().bootedMillis(), kind, summary, publishes);
    }

    /** {@return how many other nodes listen for hellos, as the cluster manager knows it} */
    private Future<Integer> othersThere() {
        Registry known = registry;
        if (known == null) {
            return Future.succeededFuture(0);
        }
        return known.registrations(ADDRESS)
                .map(all -> countOthers(all, known.ownId()))
                .timeout(MEETING_MILLIS, TimeUnit.MILLISECONDS)
                .otherwise(failure -> {
                    LOG.debug("the cluster manager does not say who is there; they are met as they speak", failure);
                    return 0;
                });
    }

    private static int countOthers(List<RegistrationInfo> all, String ownId) {
        Set<String> ids = new HashSet<>();
        for (RegistrationInfo registration : all) {
            if (!registration.localOnly() && !registration.nodeId().equals(ownId)) {
                ids.add(registration.nodeId());
            }
        }
        return ids.size();
    }

    private void onHello(Message<Object> message, boolean directly) {
        if (stopped) {
            return;
        }
        try {
            if (!(message.body() instanceof JsonObject body)) {
                throw new IllegalArgumentException("it is not a JSON object");
            }
            Hello hello = Hello.of(body.getMap());
            // Whoever it is said of has to hear it too, or could not contradict it.
            if (directly ? hello.kind() != Hello.Kind.ALIVE : message.isSend()) {
                throw new IllegalArgumentException("nodes do not say it this way");
            }
            if (directory.isContradicted(hello)) {
                contradict();
                return;
            }
            boolean answer = directory.heard(hello);
            if (directly && !metAll) {
                answered.add(hello.node().incarnation());
                lookAround();
            }
            if (answer) {
                vertx.eventBus()
                        .send(
                                direct(hello.node()),
                                new JsonObject(hello(Hello.Kind.ALIVE).toMap()));
            }
            if (!hello.node().equals(directory.self())) {
                listener.heard();
            }
        } catch (Throwable t) {
            LOG.debug("a hello is left out: {}", Printable.line(t.toString()));
        }
    }

    /** A forged goodbye must not hide this node. The second time is for those who heard it after the first. */
    private void contradict() {
        if (contradicting) {
            return;
        }
        contradicting = true;
        publish(hello(Hello.Kind.NEWCOMER));
        vertx.setTimer(CONTRADICT_MILLIS, id -> {
            contradicting = false;
            publish(hello(Hello.Kind.NEWCOMER));
        });
    }

    /** Counts on a worker, and only when something changed: a hello must cost a large node nothing. */
    private void tell(Hello.Kind kind) {
        long version = local.version();
        if (version == summaryVersion || counting) {
            publish(hello(kind));
            return;
        }
        counting = true;
        worker.executeBlocking(() -> NodeSummary.of(local.glance()), false)
                .onComplete(done -> counting = false)
                .onSuccess(counted -> {
                    summary = counted;
                    summaryVersion = version;
                })
                .onFailure(failure -> LOG.debug("this node could not be counted for its hello", failure))
                .timeout(COUNTING_MILLIS, TimeUnit.MILLISECONDS)
                .onComplete(done -> publish(hello(kind)));
    }

    private void publish(Hello hello) {
        if (stopped) {
            // After the goodbye others would take it for one that lives, and then for one that is down.
            return;
        }
        try {
            vertx.eventBus().publish(ADDRESS, new JsonObject(hello.toMap()));
        } catch (RuntimeException e) {
            LOG.warn("this node could not say hello, so others may take it for down", e);
        }
    }

    private static String direct(NodeIdentity node) {
        return ADDRESS + "." + node.incarnation();
    }

    /** {@return completes when goodbye is said and nothing is heard any more} */
    Future<Void> stop() {
        stopped = true;
        vertx.cancelTimer(timer);
        if (addresses.isEmpty()) {
            return Future.succeededFuture();
        }
        Hello goodbye = hello(Hello.Kind.GOODBYE);
        return SelfCheck.soon(
                        vertx,
                        Future.join(addresses.stream().map(KeptAddress::end).toList()))
                .compose(unheard -> vertx.eventBus()
                        .<JsonObject>publisher(ADDRESS)
                        .write(new JsonObject(goodbye.toMap()))
                        .timeout(GOODBYE_MILLIS, TimeUnit.MILLISECONDS))
                // Nobody may be left to hear it.
                .otherwiseEmpty()
                .mapEmpty();
    }
}
