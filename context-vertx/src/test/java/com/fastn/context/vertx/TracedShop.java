package com.fastn.context.vertx;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.FastnContext;
import com.fastn.context.status.ContextKind;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServer;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;

/** One order, over HTTP and then the event bus, in a Vertx with a tracer of the application: the contexts that served it. */
record TracedShop(FastnContext request, FastnContext message) {
    private static final String HOST = "127.0.0.1";

    /** Serves it; the test refers to the client as long as that is needed, for Vert.x closes one that nobody refers to. */
    static TracedShop serveOne(Vertx vertx, HttpClient client) {
        CompletableFuture<Integer> port = new CompletableFuture<>();
        List<FastnContext> seen = new CopyOnWriteArrayList<>();
        Waiting.result(vertx.deployVerticle(new Front() {
            @Override
            public Future<?> start() {
                return vertx.createHttpServer()
                        .requestHandler(request -> {
                            seen.add(FastnContext.current());
                            vertx.eventBus()
                                    .request("bank.pay", 1)
                                    .onComplete(paid -> request.response().end("x"));
                        })
                        .listen(0, HOST)
                        .onSuccess((HttpServer server) -> port.complete(server.actualPort()));
            }
        }));
        Service bank = Service.deploy(vertx, "bank.pay", message -> message.reply("paid"));
        Waiting.result(client.request(HttpMethod.GET, Waiting.result(port), HOST, "/orders/17")
                .compose(request -> request.send().compose(HttpClientResponse::body)));
        TracedShop served = new TracedShop(seen.get(0), bank.only());
        served.hasContexts();
        return served;
    }

    /** Whatever the tracer does beside. */
    private void hasContexts() {
        assertThat(request.kind()).isEqualTo(ContextKind.REQUEST);
        assertThat(request.name()).isEqualTo("GET /orders/:id");
        assertThat(message.kind()).isEqualTo(ContextKind.MESSAGE);
        assertThat(requireNonNull(message.caller()).contextId()).isEqualTo(request.id());
    }
}
