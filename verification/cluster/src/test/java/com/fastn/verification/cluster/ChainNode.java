package com.fastn.verification.cluster;

import com.fastn.context.FastnContext;
import com.fastn.context.Thresholds;
import com.fastn.status.StatusOptions;
import com.fastn.status.StatusVerticle;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import java.time.Duration;

/** A node that has its part of chains of waits over several nodes, see {@link ChainVerticle}. */
final class ChainNode {
    static final int WORKERS = 3;

    /** So that a child that is stuck is called so within the time of a test. */
    private static final Duration SLOW = Duration.ofMillis(500);

    private ChainNode() {}

    public static void main(String[] arguments) {
        start(arguments, WORKERS);
    }

    /** Starts it with a pool of so many workers, of which each wait for a lock of the cluster takes one. */
    static void start(String[] arguments, int workers) {
        JsonObject settings = new JsonObject(arguments[0]);
        settings.put(
                "vertx",
                new JsonObject()
                        .put("workerPoolSize", workers)
                        // One for the status verticle, one for the chain, and some for the bus.
                        .put("eventLoopPoolSize", 8)
                        .put("maxEventLoopExecuteTime", 500_000_000L));
        Future<Vertx> joined = LoopbackCluster.join(settings);
        ChainVerticle chain = new ChainVerticle(settings.getString("alias"));
        Control.serve(joined, settings, joined.compose(vertx -> deploy(vertx, settings, chain)), chain::obey);
    }

    private static Future<JsonObject> deploy(Vertx vertx, JsonObject settings, ChainVerticle chain) {
        StatusOptions options = new StatusOptions()
                .setAlias(settings.getString("alias"))
                .setDescriptors(false)
                .setHttp(false);
        return vertx.deployVerticle(new StatusVerticle(options))
                .compose(deployed -> vertx.deployVerticle(chain))
                .map(deployed -> {
                    FastnContext.global().setSetting(Thresholds.OPERATION_SLOW, SLOW);
                    FastnContext.global().setSetting(Thresholds.WAITER_STUCK, SLOW);
                    return new JsonObject();
                });
    }
}
