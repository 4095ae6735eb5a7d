package com.fastn.verification.cluster;

import com.fastn.context.vertx.FastnVertx;
import com.fastn.context.vertx.FutureContext;
import com.fastn.status.StatusClient;
import com.fastn.status.StatusOptions;
import com.fastn.status.StatusVerticle;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.VerticleBase;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.internal.VertxInternal;
import io.vertx.core.json.JsonObject;
import io.vertx.core.spi.cluster.ClusterManager;
import io.vertx.core.spi.cluster.RegistrationInfo;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * A node of a fleet: it serves orders and orders itself, counts by the library and beside it, and follows by streams the cluster, one
 * node of it by its name, and of all nodes the part that serves the orders.
 */
final class FleetNode extends VerticleBase {
    static final String ORDERS = "fleet.order";
    /** How a node tells what it is told of a part of all trees. */
    static final String BY_A_PART = "by the stream of a part";

    private static final long HELLO_MILLIS = 1_000;
    private static final long ORDER_MILLIS = 50;
    /** An order that is lost keeps the fleet from being calm for so long. */
    private static final DeliveryOptions IMPATIENT = new DeliveryOptions().setSendTimeout(500);

    private final AtomicLong served = new AtomicLong();
    private final Follower follower = new Follower();

    // Mutable state, only touched on the verticle's context
    private boolean ordering;
    private int underWay;
    private @Nullable Promise<Void> calm;

    private final String neighbour;

    private FleetNode(String neighbour) {
        this.neighbour = neighbour;
    }

    public static void main(String[] arguments) {
        JsonObject settings = new JsonObject(arguments[0]);
        FleetNode node = new FleetNode(Fleet.neighbour(
                settings.getString("alias"), settings.getJsonArray("members").size() - 1));
        Future<Vertx> joined = LoopbackCluster.join(settings);
        Future<JsonObject> facts = joined.compose(vertx -> {
            StatusOptions options = new StatusOptions()
                    .setAlias(settings.getString("alias"))
                    .setHelloInterval(HELLO_MILLIS)
                    .setDescriptors(false)
                    .setHttp(false);
            return vertx.deployVerticle(new StatusVerticle(options))
                    .compose(deployed -> vertx.deployVerticle(node))
                    .map(deployed -> new JsonObject()
                            .put("incarnation", FastnVertx.install(vertx).node().incarnation()));
        });
        Control.serve(joined, settings, facts, node::obey);
    }

    @Override
    public Future<?> start() {
        FutureContext here = FutureContext.current();
        follower.count(vertx);
        follower.watchForStandstills(vertx);
        StatusClient status = StatusClient.create(vertx);
        follower.follow("by the stream", null, status.stream());
        follower.follow("by the stream of " + neighbour, neighbour, status.stream(neighbour));
        follower.follow(BY_A_PART, null, status.stream(here.path()));
        vertx.setPeriodic(ORDER_MILLIS, tick -> order());
        return vertx.eventBus()
                .consumer(ORDERS, message -> {
                    here.incrementTotal("served");
                    served.incrementAndGet();
                    message.reply("served");
                })
                .completion();
    }

    private void order() {
        if (ordering) {
            underWay++;
            vertx.eventBus().request(ORDERS, "tea", IMPATIENT).onComplete(done -> {
                underWay--;
                lookCalm();
            });
        }
    }

    private void lookCalm() {
        if (calm != null && !ordering && underWay == 0) {
            calm.tryComplete();
            calm = null;
        }
    }

    private @Nullable Future<JsonObject> obey(JsonObject command) {
        return switch (command.getString("do")) {
            case "load" ->
                onContext(() -> {
                    ordering = true;
                    return Future.succeededFuture();
                });
            case "calm" ->
                onContext(() -> {
                    ordering = false;
                    Promise<Void> promise = Promise.promise();
                    calm = promise;
                    lookCalm();
                    return promise.future();
                });
            case "read_nothing" ->
                onContext(() -> {
                    follower.pause();
                    return Future.succeededFuture();
                });
            case "read_on" ->
                onContext(() -> {
                    follower.resume();
                    return Future.succeededFuture();
                });
            case "lose_frames" -> {
                follower.loseFrames();
                yield Future.succeededFuture(new JsonObject());
            }
            case "truth" -> Future.succeededFuture(follower.truth(vertx, served.get()));
            case "view" -> Future.succeededFuture(follower.view());
            case "registered" -> registered();
            case "leave" -> vertx.close().map(closed -> new JsonObject());
            default -> null;
        };
    }

    /** Whether the cluster manager would tell another node that orders are served here. */
    private Future<JsonObject> registered() {
        ClusterManager manager = ((VertxInternal) vertx).clusterManager();
        Promise<List<RegistrationInfo>> registrations = Promise.promise();
        manager.getRegistrations(ORDERS, registrations);
        return registrations
                .future()
                .map(all -> new JsonObject()
                        .put(
                                "registered",
                                all.stream().anyMatch(each -> each.nodeId().equals(manager.getNodeId()))));
    }

    private interface Step {
        Future<Void> take();
    }

    /** The verticle's, where its state is. */
    private Future<JsonObject> onContext(Step step) {
        Promise<JsonObject> done = Promise.promise();
        context.runOnContext(now -> step.take().map(over -> new JsonObject()).onComplete(done));
        return done.future();
    }
}
