package com.fastn.status;

import static java.util.Comparator.comparing;

import com.fastn.context.FastnContext;
import com.fastn.context.Ticker;
import com.fastn.context.vertx.Addresses;
import com.fastn.context.vertx.FastnVertx;
import com.fastn.status.NodeDirectory.Peer;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.internal.VertxInternal;
import io.vertx.core.json.JsonObject;
import io.vertx.core.spi.cluster.ClusterManager;
import io.vertx.core.spi.cluster.RegistrationInfo;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What a node finds when it looks whether it works: its versions, its place in the cluster, who answers at our addresses, the way
 * to the other nodes and back, and whether contexts stay with those who run in them. It belongs to the verticle's context.
 */
final class NodeChecks {
    /** Enough to see a pattern; a question must not become a flood. */
    private static final int MOST_ASKED = 100;

    private static final int MOST_NAMED = 10;

    private final Vertx vertx;
    private final FastnVertx fastn;
    private final NodeDirectory directory;
    private final ContextProbe probe;
    private final long timeoutMillis;
    private final Ticker ticker;
    private final @Nullable ClusterManager manager;
    private final @Nullable Registry registry;

    /**
     * Makes the checks.
     *
     * @param vertx the Vertx of this node
     * @param registry what its cluster manager knows, or {@code null} where it has none
     * @param fastn the contexts of this Vertx
     * @param directory knows the other nodes
     * @param timeoutMillis how long whoever is asked has to answer
     * @param ticker the source of time
     */
    NodeChecks(
            Vertx vertx,
            @Nullable Registry registry,
            FastnVertx fastn,
            NodeDirectory directory,
            long timeoutMillis,
            Ticker ticker) {
        this.vertx = vertx;
        this.registry = registry;
        this.fastn = fastn;
        this.directory = directory;
        this.probe = new ContextProbe(vertx, FastnContext::current);
        this.timeoutMillis = timeoutMillis;
        this.ticker = ticker;
        this.manager = vertx instanceof VertxInternal internal ? internal.clusterManager() : null;
    }

    /** {@return completes with what was found; it does not fail} */
    Future<List<NodeCheck>> look() {
        List<Future<NodeCheck>> slow = List.of(
                told("members", this::members),
                told("addresses", this::addresses),
                told("round trip", this::roundTrip),
                told("contexts", this::contexts));
        return Future.all(slow).map(all -> {
            List<NodeCheck> found = new ArrayList<>(List.of(versions(), requests()));
            found.addAll(all.list());
            return found;
        });
    }

    /** Whatever the cluster manager does, it is told as what was found. */
    private Future<NodeCheck> told(String what, Supplier<Future<NodeCheck>> check) {
        Future<NodeCheck> looked;
        try {
            looked = check.get();
        } catch (RuntimeException e) {
            looked = Future.failedFuture(e);
        }
        return looked.timeout(timeoutMillis, TimeUnit.MILLISECONDS)
                .otherwise(failure -> unseen(what, failure, timeoutMillis));
    }

    static NodeCheck unseen(String what, Throwable failure, long timeoutMillis) {
        return NodeCheck.wrong(
                what,
                "could not be looked at: "
                        + (failure instanceof TimeoutException
                                ? "there was no answer within " + timeoutMillis + " ms"
                                : failure),
                "look into the log of the node; it may be busy, or the cluster manager may not answer");
    }

    // ---------------------------------------------------------------------------------------------------- this process

    private static NodeCheck versions() {
        String ours = NodeChecks.class.getPackage().getImplementationVersion();
        return NodeCheck.well(
                "node",
                (ours == null ? "" : "fastn " + ours + ", ") + "Vert.x " + vertxVersion() + ", Java "
                        + Runtime.version().feature());
    }

    private static String vertxVersion() {
        try (InputStream in = Vertx.class.getResourceAsStream("/META-INF/vertx/vertx-version.txt")) {
            return in == null ? "of an unknown version" : new String(in.readNBytes(64), StandardCharsets.UTF_8).strip();
        } catch (IOException e) {
            return "of an unknown version";
        }
    }

    /** Vert.x has one place for a tracer, and ours has to be in it, with the application's own behind it. */
    private NodeCheck requests() {
        Object tracer = vertx instanceof VertxInternal internal ? internal.tracer() : null;
        if (tracer != null && tracer.getClass().getPackageName().equals(FastnVertx.class.getPackageName())) {
            return NodeCheck.well("requests", "HTTP requests get contexts, and calls of clients are noticed");
        }
        return NodeCheck.wrong(
                "requests",
                "HTTP requests get no contexts, and calls of clients are not noticed, because "
                        + (tracer == null
                                ? "no tracer of ours"
                                : tracer.getClass().getName())
                        + " is in the one place that Vert.x has for a tracer",
                "look for a warning of TracerSlot in the log of the node's start; on the module path it names what to"
                        + " add");
    }

    // --------------------------------------------------------------------------------------------------------- cluster

    private Future<NodeCheck> members() {
        ClusterManager present = manager;
        Registry known = registry;
        if (present == null || known == null) {
            return Future.succeededFuture(
                    NodeCheck.well("members", "this Vertx is not clustered, so there are no others"));
        }
        List<String> ids = present.getNodes();
        List<Future<Place>> places =
                ids.stream().limit(MOST_ASKED).map(id -> placeOf(known, id)).toList();
        return Future.all(places)
                .map(all -> judge(present.getClass().getSimpleName(), present.getNodeId(), ids.size(), all.list()));
    }

    private static Future<Place> placeOf(Registry known, String id) {
        Place unknown = new Place(id, "", 0);
        return known.place(id)
                .map(info -> info == null ? unknown : new Place(id, info.host(), info.port()))
                .otherwise(unknown);
    }

    /** Where the event bus of a member listens, as it tells the others; unknown is an empty host. */
    record Place(String id, String host, int port) {
        boolean isLoopback() {
            return host.startsWith("127.") || host.equals("localhost") || host.equals("::1") || host.equals("0.0.0.0");
        }

        @Override
        public String toString() {
            return host + ":" + port;
        }
    }

    static NodeCheck judge(String manager, String ownId, int members, List<Place> places) {
        Place own = places.stream()
                .filter(place -> place.id.equals(ownId))
                .findFirst()
                .orElse(null);
        List<Place> unknown =
                places.stream().filter(place -> place.host.isEmpty()).toList();
        List<Place> loopback = places.stream().filter(Place::isLoopback).toList();
        String sum = members + (members == 1 ? " member" : " members") + " of " + manager;
        if (own == null || own.host.isEmpty()) {
            return NodeCheck.wrong(
                    "members",
                    sum + ", and this node is not among those that can be reached",
                    "it registers itself anew after its next hellos; if it does not, restart it");
        }
        if (!loopback.isEmpty() && loopback.size() + unknown.size() < places.size()) {
            return NodeCheck.wrong(
                    "members",
                    sum + "; at " + named(loopback) + " the others only find themselves, and this node is at " + own,
                    "set EventBusOptions.setHost or setClusterPublicHost there to an address that the others reach");
        }
        if (!unknown.isEmpty()) {
            return NodeCheck.wrong(
                    "members",
                    sum + "; of " + unknown.size() + " nobody knows where its event bus listens",
                    "they may be starting or ending; look again in a minute");
        }
        return NodeCheck.well("members", sum + "; this one is reached at " + own);
    }

    private static String named(List<?> all) {
        String some = all.stream().limit(MOST_NAMED).map(Object::toString).collect(Collectors.joining(", "));
        return all.size() > MOST_NAMED ? some + ", +" + (all.size() - MOST_NAMED) + " more" : some;
    }

    private Future<NodeCheck> addresses() {
        ClusterManager present = manager;
        Registry known = registry;
        if (present == null || known == null) {
            return Future.succeededFuture(
                    NodeCheck.well("addresses", Addresses.STATUS + " is answered here, and nowhere else"));
        }
        String own = Addresses.node(directory.self().incarnation());
        return Future.join(holders(known, Addresses.STATUS), holders(known, own))
                .map(both -> {
                    Set<String> all = both.resultAt(0);
                    Set<String> mine = both.resultAt(1);
                    String sum = Addresses.STATUS + " is answered on " + all.size() + " of "
                            + present.getNodes().size() + " members";
                    return all.contains(present.getNodeId()) && mine.contains(present.getNodeId())
                            ? NodeCheck.well("addresses", sum + ", this one among them")
                            : NodeCheck.wrong(
                                    "addresses",
                                    sum + ", and the cluster manager does not know this one",
                                    "it registers itself anew after its next hellos; if it does not, restart it");
                });
    }

    /** {@return the members that the cluster manager has handlers of an address at} */
    private static Future<Set<String>> holders(Registry known, String address) {
        return known.registrations(address)
                .map(all -> all.stream()
                        .filter(each -> !each.localOnly())
                        .map(RegistrationInfo::nodeId)
                        .collect(Collectors.toSet()));
    }

    private Future<NodeCheck> roundTrip() {
        List<Peer> others = directory.peers();
        if (others.isEmpty()) {
            return trip(directory.selfAsPeer())
                    .map(trip -> trip.took == null
                            ? NodeCheck.wrong(
                                    "round trip",
                                    "this node does not hear itself over the event bus",
                                    "look for an interceptor of the application that lets nothing through")
                            : NodeCheck.well(
                                    "round trip", "to itself over the event bus in " + trip.took.toMillis() + " ms"));
        }
        return Future.all(others.stream().limit(MOST_ASKED).map(this::trip).toList())
                .map(all -> judge(others.size(), all.list()));
    }

    static NodeCheck judge(int others, List<Trip> trips) {
        List<String> silent = trips.stream()
                .filter(trip -> trip.took == null)
                .map(Trip::alias)
                .toList();
        List<Trip> heard = trips.stream()
                .filter(trip -> trip.took != null)
                .sorted(comparing(Trip::millis).reversed())
                .toList();
        String sum = heard.size() + " of " + others + (others == 1 ? " other node" : " other nodes") + " answered"
                + (heard.isEmpty() ? "" : ", the slowest first: " + named(heard));
        return silent.isEmpty()
                ? NodeCheck.well("round trip", sum)
                : NodeCheck.wrong(
                        "round trip",
                        sum + "; silent: " + named(silent),
                        "run fastn doctor on their machines; if they are well there, look at the network between them");
    }

    /** How long a node took to answer; {@code null} where it did not. */
    record Trip(String alias, @Nullable Duration took) {
        long millis() {
            return took == null ? Long.MAX_VALUE : took.toMillis();
        }

        @Override
        public String toString() {
            return alias + " " + millis() + " ms";
        }
    }

    private Future<Trip> trip(Peer to) {
        long began = ticker.nanos();
        return vertx.eventBus()
                .request(
                        Addresses.node(to.node().incarnation()),
                        new JsonObject().put("depth", 1),
                        new DeliveryOptions().setSendTimeout(Math.max(1, timeoutMillis * 4 / 5)))
                .map(answer -> new Trip(to.node().alias(), Duration.ofNanos(ticker.nanos() - began)))
                .otherwise(new Trip(to.node().alias(), null));
    }

    // -------------------------------------------------------------------------------------------------------- contexts

    private Future<NodeCheck> contexts() {
        // On the event loop of the status verticle the current one is that of the verticle.
        return probe.lost(fastn.runtime().root(), FastnContext.current()).map(NodeChecks::judge);
    }

    static NodeCheck judge(List<String> lost) {
        return lost.isEmpty()
                ? NodeCheck.well(
                        "contexts",
                        "of two branches at once each kept its own, over a timer, a worker and an answer of another"
                                + " thread")
                : NodeCheck.wrong(
                        "contexts",
                        "do not stay with those who run in them: " + named(lost),
                        "look for code that writes the locals of Vert.x contexts which it shares with others; see"
                                + " docs/vertx.md");
    }
}
