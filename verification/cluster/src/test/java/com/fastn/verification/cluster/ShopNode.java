package com.fastn.verification.cluster;

import com.fastn.status.StatusOptions;
import com.fastn.status.StatusVerticle;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;

/** A node of the observed application: which part of it, its alias tells. */
final class ShopNode {
    /** So that what is last known of a node is never older, however it ends. */
    private static final long HELLO_MILLIS = 500;

    private ShopNode() {}

    public static void main(String[] arguments) {
        JsonObject settings = new JsonObject(arguments[0]);
        Future<Vertx> joined = LoopbackCluster.join(settings);
        Control.serve(joined, settings, joined.compose(vertx -> deploy(vertx, settings.getString("alias"))));
    }

    private static Future<JsonObject> deploy(Vertx vertx, String alias) {
        StatusOptions options = new StatusOptions()
                .setAlias(alias)
                .setHelloInterval(HELLO_MILLIS)
                .setDescriptors(false)
                .setHttp(false);
        return vertx.deployVerticle(new StatusVerticle(options)).compose(deployed -> switch (alias) {
            case "alice" -> {
                FrontVerticle front = new FrontVerticle();
                yield vertx.deployVerticle(front).map(id -> new JsonObject().put("url", front.url()));
            }
            case "bob" -> vertx.deployVerticle(new StockVerticle()).map(id -> new JsonObject());
            case "carol" -> vertx.deployVerticle(new TillVerticle()).map(id -> new JsonObject());
            default -> Future.failedFuture("the shop has no node \"" + alias + "\"");
        });
    }
}
