package com.fastn.verification.cluster;

import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.NodeStatus;
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
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.core.spi.cluster.ClusterManager;
import io.vertx.core.streams.ReadStream;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * A node of a fleet: it serves orders and orders itself, counts by the library and beside it, and follows the cluster by a
 * stream.
 */
final class FleetNode extends VerticleBase {
    private static final long HELLO_MILLIS = 1_000;
    private static final long ORDER_MILLIS = 50;
    private static final DeliveryOptions IMPATIENT = new DeliveryOptions().setSendTimeout(1_000);

    private final AtomicLong served = new AtomicLong();
    private final AtomicLong seen = new AtomicLong();
    private volatile JsonObject view = new JsonObject();

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
        stream = StatusClient.create(vertx).stream().handler(this::follow);
        vertx.setPeriodic(ORDER_MILLIS, tick -> order());
        return vertx.eventBus()
                .consumer("fleet.order", message -> {
                    here.incrementTotal("served");
                    served.incrementAndGet();
                    message.reply("served");
                })
                .completion();
    }

    private void order() {
        if (ordering) {
            underWay++;
            vertx.eventBus().request("fleet.order", "tea", IMPATIENT).onComplete(done -> {
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

    private void follow(ClusterStatus cluster) {
        JsonArray rows = new JsonArray();
        for (NodeStatus row : cluster.nodes()) {
            JsonObject seenRow = new JsonObject()
                    .put("alias", row.node().alias())
                    .put("incarnation", row.node().incarnation())
                    .put("state", row.state().name())
                    .put("reason", row.reason());
            if (row.snapshot() != null) {
                seenRow.put(
                        "served",
                        row.snapshot().globalContext().subtreeTotalCounters().getOrDefault("served", 0L));
            }
            rows.add(seenRow);
        }
        view = new JsonObject()
                .put("rows", rows)
                .put("total", cluster.totalCounters().getOrDefault("served", 0L))
                .put("number", seen.incrementAndGet());
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
            case "truth" -> Future.succeededFuture(truth());
            case "view" -> Future.succeededFuture(view.copy());
            default -> null;
        };
    }

    /** What is so, whatever the library says: how much was served, and whom the cluster manager takes for its members. */
    private JsonObject truth() {
        ClusterManager manager = ((VertxInternal) vertx).clusterManager();
        return new JsonObject()
                .put("served", served.get())
                .put("member", manager.getNodeId())
                .put("members", new JsonArray(manager.getNodes()));
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
