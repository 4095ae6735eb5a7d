package com.fastn.verification.cluster;

import com.fastn.context.status.ClusterStatus;
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
import io.vertx.core.streams.ReadStream;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * A node of a fleet: it serves orders and orders itself, counts by the library and beside it, and follows the cluster by a
 * stream.
 */
final class FleetNode extends VerticleBase {
    static final String ORDERS = "fleet.order";

    private static final long HELLO_MILLIS = 1_000;
    private static final long ORDER_MILLIS = 50;
    /** An order that is lost keeps the fleet from being calm for so long. */
    private static final DeliveryOptions IMPATIENT = new DeliveryOptions().setSendTimeout(500);

    private final AtomicLong served = new AtomicLong();
    private final Follower follower = new Follower();

    // Mutable state, only touched on the verticle's context
    private @Nullable ReadStream<ClusterStatus> stream;
    private boolean ordering;
    private int underWay;
    private @Nullable Promise<Void> calm;

    private FleetNode() {}

    public static void main(String[] arguments) {
        JsonObject settings = new JsonObject(arguments[0]);
        FleetNode node = new FleetNode();
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
        stream = StatusClient.create(vertx).stream().handler(follower::follow);
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
                    requireStream().pause();
                    return Future.succeededFuture();
                });
            case "read_on" ->
                onContext(() -> {
                    requireStream().resume();
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

    private ReadStream<ClusterStatus> requireStream() {
        ReadStream<ClusterStatus> open = stream;
        if (open == null) {
            throw new IllegalStateException("the stream is not open yet");
        }
        return open;
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
