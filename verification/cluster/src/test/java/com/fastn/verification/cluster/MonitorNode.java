package com.fastn.verification.cluster;

import com.fastn.context.vertx.FastnVertx;
import com.fastn.status.StatusClient;
import com.fastn.status.StatusOptions;
import com.fastn.status.StatusVerticle;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import org.jspecify.annotations.Nullable;

/** A node that has a status verticle and no application: it watches the others, and serves no orders. */
final class MonitorNode {
    private static final long HELLO_MILLIS = 1_000;

    private MonitorNode() {}

    public static void main(String[] arguments) {
        JsonObject settings = new JsonObject(arguments[0]);
        Follower follower = new Follower();
        Future<Vertx> joined = LoopbackCluster.join(settings);
        Future<JsonObject> facts = joined.compose(vertx -> {
            StatusOptions options = new StatusOptions()
                    .setAlias(settings.getString("alias"))
                    .setHelloInterval(HELLO_MILLIS)
                    .setDescriptors(false)
                    .setHttp(false);
            return vertx.deployVerticle(new StatusVerticle(options)).map(deployed -> {
                follower.watchForStandstills(vertx);
                follower.follow("by the stream", null, StatusClient.create(vertx).stream());
                return new JsonObject()
                        .put("incarnation", FastnVertx.install(vertx).node().incarnation());
            });
        });
        Control.serve(joined, settings, facts, command -> obey(joined.result(), follower, command));
    }

    private static @Nullable Future<JsonObject> obey(Vertx vertx, Follower follower, JsonObject command) {
        return switch (command.getString("do")) {
            case "load", "calm" -> Future.succeededFuture(new JsonObject());
            case "truth" -> Future.succeededFuture(follower.truth(vertx, 0));
            case "view" -> Future.succeededFuture(follower.view());
            default -> null;
        };
    }
}
