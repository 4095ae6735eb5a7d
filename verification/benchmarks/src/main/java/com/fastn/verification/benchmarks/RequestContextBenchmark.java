package com.fastn.verification.benchmarks;

import com.fastn.context.vertx.FastnVertx;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.PoolOptions;
import io.vertx.core.internal.ContextInternal;
import io.vertx.core.internal.VertxInternal;
import io.vertx.core.spi.tracing.SpanKind;
import io.vertx.core.spi.tracing.TagExtractor;
import io.vertx.core.spi.tracing.VertxTracer;
import io.vertx.core.tracing.TracingPolicy;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * The context that a request has by itself: whole requests over loopback with it and without it, and, apart from sockets, all
 * that is done for one: opened under its folded name, counted, closed and remembered.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@OperationsPerInvocation(RequestContextBenchmark.REQUESTS)
public class RequestContextBenchmark {
    static final int REQUESTS = 1_000;

    private static final int CONNECTIONS = 8;

    /** A server, and a client in a Vertx of its own that has no contexts. */
    @State(Scope.Thread)
    public abstract static class Served {
        private Vertx vertx = Vertx.vertx();
        private Vertx town = Vertx.vertx();
        private HttpClient client = town.createHttpClient();
        private Web web = new Web();

        abstract Vertx make(Supplier<Vertx> maker);

        @Setup
        public void open() {
            close();
            Supplier<Vertx> maker = () -> Vertx.vertx(new VertxOptions().setEventLoopPoolSize(1));
            vertx = make(maker);
            town = FastnVertx.withoutContexts(maker);
            client = town.createHttpClient(new PoolOptions().setHttp1MaxSize(CONNECTIONS));
            web = new Web();
            vertx.deployVerticle(web).await();
        }

        @TearDown
        public void close() {
            town.close().await();
            vertx.close().await();
        }

        int ask() {
            CompletableFuture<Integer> done = new CompletableFuture<>();
            town.runOnContext(go -> {
                int[] left = {REQUESTS};
                for (int i = 0; i < CONNECTIONS; i++) {
                    ask(left, done);
                }
            });
            return done.join();
        }

        private void ask(int[] left, CompletableFuture<Integer> done) {
            client.request(HttpMethod.GET, web.port, "127.0.0.1", "/orders/17")
                    .compose(HttpClientRequest::send)
                    .compose(HttpClientResponse::body)
                    .onFailure(done::completeExceptionally)
                    .onSuccess(body -> {
                        left[0]--;
                        if (left[0] == 0) {
                            done.complete(body.length());
                        } else if (left[0] >= CONNECTIONS) {
                            ask(left, done);
                        }
                    });
        }
    }

    /** With contexts. */
    public static class Ours extends Served {
        @Override
        Vertx make(Supplier<Vertx> maker) {
            return maker.get();
        }
    }

    /** A Vert.x without this library. */
    public static class Plain extends Served {
        @Override
        Vertx make(Supplier<Vertx> maker) {
            return FastnVertx.withoutContexts(maker);
        }
    }

    private static final class Web extends VerticleBase {
        private volatile int port;

        private Context place() {
            return context;
        }

        @Override
        public Future<?> start() {
            return vertx.createHttpServer()
                    .requestHandler(request -> request.response().end("x"))
                    .listen(0, "127.0.0.1")
                    .onSuccess(server -> port = server.actualPort());
        }
    }

    @Benchmark
    public int ours(Ours ours) {
        return ours.ask();
    }

    @Benchmark
    public int plain(Plain plain) {
        return plain.ask();
    }

    /** What Vert.x calls for each request. */
    @State(Scope.Thread)
    public static class Tracer {
        private final Vertx vertx = Vertx.vertx(new VertxOptions().setEventLoopPoolSize(1));
        private final Web web = new Web();
        private final TagExtractor<String> path = tag("url.path");
        private final TagExtractor<String> status = tag("http.response.status_code");

        @SuppressWarnings("unchecked") // each payload goes back to the tracer that made it
        private final VertxTracer<Object, Object> tracer =
                (VertxTracer<Object, Object>) ((VertxInternal) vertx).tracer();

        private static TagExtractor<String> tag(String name) {
            return new TagExtractor<>() {
                @Override
                public int len(String request) {
                    return 1;
                }

                @Override
                public String name(String request, int index) {
                    return name;
                }

                @Override
                public String value(String request, int index) {
                    return request;
                }
            };
        }

        @Setup
        public void open() {
            vertx.deployVerticle(web).await();
        }

        @TearDown
        public void close() {
            vertx.close().await();
        }

        int serve() {
            CompletableFuture<Integer> done = new CompletableFuture<>();
            web.place().runOnContext(go -> {
                ContextInternal verticle = ((ContextInternal) web.place()).unwrap();
                for (int i = 0; i < REQUESTS; i++) {
                    ContextInternal place = verticle.duplicate();
                    @Nullable
                    Object payload = tracer.receiveRequest(
                            place, SpanKind.RPC, TracingPolicy.PROPAGATE, "/orders/17", "GET", List.of(), path);
                    tracer.sendResponse(place, "200", payload, null, status);
                }
                done.complete(REQUESTS);
            });
            return done.join();
        }
    }

    @Benchmark
    public int oursWithoutSockets(Tracer tracer) {
        return tracer.serve();
    }
}
