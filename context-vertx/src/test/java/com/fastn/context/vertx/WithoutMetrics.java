package com.fastn.context.vertx;

import com.fastn.context.FastnContext;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServer;
import java.util.concurrent.CompletableFuture;

/** A program that serves one request and says in which context; {@link WithoutMetricsTest} starts it with a property. */
final class WithoutMetrics {
    private static final String HOST = "127.0.0.1";

    private WithoutMetrics() {}

    public static void main(String[] args) {
        try {
            serve();
        } catch (Throwable t) {
            t.printStackTrace();
            // The threads of Vert.x would keep it alive.
            Runtime.getRuntime().halt(1);
        }
    }

    private static void serve() {
        Vertx vertx = Vertx.vertx();
        CompletableFuture<HttpServer> listening = new CompletableFuture<>();
        Waiting.result(vertx.deployVerticle(new Front() {
            @Override
            public Future<?> start() {
                return vertx.createHttpServer()
                        .requestHandler(request -> request.response()
                                .end(FastnContext.current().path().toString()))
                        .listen(0, HOST)
                        .onSuccess(listening::complete);
            }
        }));
        HttpClient client = vertx.createHttpClient();
        System.out.println("served in "
                + Waiting.result(
                        client.request(HttpMethod.GET, Waiting.result(listening).actualPort(), HOST, "/x")
                                .compose(request -> request.send().compose(HttpClientResponse::body))));
        // Not left to the Vertx: a client that nothing refers to is closed by the garbage collector.
        Waiting.result(client.close());
        Waiting.result(vertx.close());
    }
}
