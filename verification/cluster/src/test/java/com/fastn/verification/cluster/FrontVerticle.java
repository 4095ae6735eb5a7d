package com.fastn.verification.cluster;

import static java.util.Objects.requireNonNull;

import com.fastn.context.vertx.FutureContext;
import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerRequest;
import org.jspecify.annotations.Nullable;

/** Takes orders over HTTP, and answers when the stock has fulfilled them. */
final class FrontVerticle extends VerticleBase {
    private static final DeliveryOptions PATIENT = new DeliveryOptions().setSendTimeout(180_000);

    private @Nullable FutureContext front;
    private @Nullable HttpServer server;

    @Override
    public Future<?> start() {
        front = FutureContext.current();
        return vertx.createHttpServer()
                .requestHandler(this::order)
                .listen(0, "127.0.0.1")
                .onSuccess(listening -> server = listening);
    }

    String url() {
        return "http://127.0.0.1:" + requireNonNull(server).actualPort() + "/orders";
    }

    private void order(HttpServerRequest request) {
        requireNonNull(front).incrementTotal("orders");
        vertx.eventBus()
                .request("stock.take", "tea", PATIENT)
                .onComplete(taken -> request.response()
                        .setStatusCode(taken.succeeded() ? 201 : 503)
                        .end());
    }
}
