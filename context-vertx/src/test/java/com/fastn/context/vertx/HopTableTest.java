package com.fastn.context.vertx;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fastn.context.FastnContext;
import com.fastn.context.status.ContextKind;
import com.fastn.context.status.ContextState;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.ThreadingModel;
import io.vertx.core.VerticleBase;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.Message;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.http.WebSocketClient;
import io.vertx.core.internal.ContextInternal;
import io.vertx.core.internal.VertxInternal;
import io.vertx.core.net.NetClient;
import io.vertx.core.net.NetServer;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.client.WebClient;
import io.vertx.ext.web.client.WebClientOptions;
import io.vertx.ext.web.handler.BodyHandler;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;

/** The table of hops in docs/vertx.md, row by row: on event loops, worker and virtual threads. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class HopTableTest {
    private static final String HOST = "127.0.0.1";
    private static final List<Path> TABLES = List.of(Path.of("../docs/vertx.md"), Path.of("../README.md"));

    private static final String AWAIT = "`Future.await`";
    private static final String KNOWN = "known?";

    private static final LoggedLines LOG = new LoggedLines();

    private final ExecutorService plainThreads = Executors.newCachedThreadPool();
    private TestCluster cluster;
    private Vertx vertx;
    private Vertx other;
    private Vertx alone;
    private Vertx untraced;
    private HttpClient client;
    private HttpClient http2;
    private WebClient webClient;
    private WebSocketClient webSockets;
    private NetClient peers;

    @BeforeAll
    void start() {
        cluster = TestCluster.of(2);
        vertx = cluster.node(0);
        other = cluster.node(1);
        alone = Vertx.vertx();
        untraced = LostTracerTest.withoutTracer();
        client = vertx.createHttpClient();
        http2 = vertx.createHttpClient(
                new HttpClientOptions().setProtocolVersion(HttpVersion.HTTP_2).setHttp2ClearTextUpgrade(false));
        webClient = WebClient.create(vertx, new WebClientOptions().setDefaultHost(HOST));
        webSockets = vertx.createWebSocketClient();
        peers = vertx.createNetClient();
    }

    @AfterAll
    void stop() {
        plainThreads.shutdown();
        Waiting.result(Future.join(alone.close(), untraced.close()));
        cluster.close();
        LOG.close();
    }

    // --- the rows

    /** Where a hop arrives. */
    private enum Arrives {
        SAME("the same context"),
        REQUEST("a REQUEST context"),
        MESSAGE("a MESSAGE context, called by the sender"),
        SESSION("a SESSION context `session-<peer>`"),
        CHILD("a short child"),
        VERTICLE("the context of the verticle");

        final String words;

        Arrives(String words) {
            this.words = words;
        }
    }

    /** A hop: it begins in a child of a verticle, and tells the context that it arrived in. */
    private record Row(String name, String code, Arrives arrives, Way way) {
        String line() {
            return "| " + name + " | " + code + " | " + arrives.words + " |";
        }
    }

    @FunctionalInterface
    private interface Way {
        Future<FastnContext> go(Place place) throws Exception;
    }

    /** Where a row runs. */
    private record Place(Front front, ThreadingModel model) {}

    /** The current context, under which a line is logged here too. */
    private static FastnContext current() {
        FastnContext context = FastnContext.current();
        assertThat(LOG.line()).isEqualTo(context.id() + " " + context.path() + " ");
        return context;
    }

    /** Tells where a hop arrived, or that it is not as it should be there. */
    private static void arrives(Promise<FastnContext> arrived, Supplier<FastnContext> where) {
        try {
            arrived.tryComplete(where.get());
        } catch (AssertionError e) {
            arrived.tryFail(e);
        }
    }

    /** The current context, which is a child of the verticle's. */
    private static FastnContext currentBelowVerticle() {
        FastnContext context = current();
        ContextInternal root = requireNonNull(ContextInternal.current()).unwrap();
        assertThat(root.deploymentID()).isNotNull();
        assertThat(context.parent())
                .isSameAs(FastnVertx.install(root.owner()).verticles().of(root));
        return context;
    }

    /** The same, which is that of the verticle whose Vert.x context this is. */
    private static FastnContext currentOfVerticle() {
        ContextInternal root = requireNonNull(ContextInternal.current()).unwrap();
        assertThat(root.deploymentID()).isNotNull();
        assertThat(current())
                .isSameAs(FastnVertx.install(root.owner()).verticles().of(root));
        return current();
    }

    private static Future<FastnContext> here() {
        return Future.succeededFuture(current());
    }

    private List<Row> rows() {
        List<Row> rows = new ArrayList<>();
        vertxRows(rows);
        busRows(rows);
        clusterRows(rows);
        httpRows(rows);
        webRows(rows);
        socketRows(rows);
        foreignRows(rows);
        return rows;
    }

    private void vertxRows(List<Row> rows) {
        rows.add(new Row("the same handler", "", Arrives.SAME, p -> here()));
        rows.add(new Row("`runOnContext`", "", Arrives.SAME, p -> {
            Promise<FastnContext> arrived = Promise.promise();
            vertx.runOnContext(now -> arrived.complete(current()));
            return arrived.future();
        }));
        rows.add(new Row("timer", "`setTimer`, `timer`", Arrives.SAME, p -> {
            Promise<FastnContext> arrived = Promise.promise();
            vertx.setTimer(1, id -> arrived.complete(current()));
            return arrived.future().compose(fired -> vertx.timer(1).compose(again -> here()));
        }));
        rows.add(new Row("periodic, of Vert.x", "`setPeriodic`", Arrives.VERTICLE, p -> {
            Promise<FastnContext> arrived = Promise.promise();
            vertx.setPeriodic(1, id -> {
                vertx.cancelTimer(id);
                arrived.tryComplete(currentOfVerticle());
            });
            return arrived.future();
        }));
        rows.add(new Row("periodic", "`ctx.periodic(every, name, tick)`", Arrives.CHILD, p -> {
            Promise<FastnContext> arrived = Promise.promise();
            var ticks = FutureContext.current().periodic(Duration.ofMillis(1), "tick", tick -> {
                arrived.tryComplete(current());
                return Future.succeededFuture();
            });
            return arrived.future().onComplete(done -> ticks.close());
        }));
        rows.add(new Row(
                "`executeBlocking`",
                "body and result",
                Arrives.SAME,
                p -> vertx.executeBlocking(HopTableTest::current).compose(HopTableTest::andHere)));
        rows.add(new Row("worker executor", "`createSharedWorkerExecutor(..).executeBlocking`", Arrives.SAME, p -> {
            var pool = vertx.createSharedWorkerExecutor("hops");
            return pool.executeBlocking(HopTableTest::current)
                    .compose(HopTableTest::andHere)
                    .onComplete(done -> pool.close());
        }));
        rows.add(new Row(
                "future composition",
                "`compose`, `map`, `recover`, `join`",
                Arrives.SAME,
                p -> Future.join(vertx.timer(1), vertx.timer(2))
                        .compose(fired -> Future.<Void>failedFuture("no"))
                        .recover(failure -> vertx.timer(1).mapEmpty())
                        .compose(fired -> here())));
        rows.add(new Row(AWAIT, "virtual threads", Arrives.SAME, p -> {
            vertx.timer(1).await();
            vertx.timer(1).await();
            return here();
        }));
        rows.add(new Row(
                "deployment",
                "the future of `deployVerticle`",
                Arrives.SAME,
                p -> vertx.deployVerticle(new Front())
                        .compose(id -> vertx.undeploy(id))
                        .compose(id -> here())));
        rows.add(new Row(
                "file system, DNS and other futures of Vert.x",
                "",
                Arrives.SAME,
                p -> vertx.fileSystem().exists("/").compose(there -> here())));
    }

    private static Future<FastnContext> andHere(FastnContext inBody) {
        FastnContext after = current();
        return inBody == after
                ? Future.succeededFuture(after)
                : Future.failedFuture("the body ran in " + inBody + ", and its result came to " + after);
    }

    private void busRows(List<Row> rows) {
        rows.add(new Row(
                "bus, `send`",
                "",
                Arrives.MESSAGE,
                p -> consumed(vertx, p, (bus, to) -> {
                    bus.eventBus().send(to, "x");
                    return Future.succeededFuture();
                })));
        rows.add(new Row(
                "bus, `publish`",
                "",
                Arrives.MESSAGE,
                p -> consumed(vertx, p, (bus, to) -> {
                    bus.eventBus().publish(to, "x");
                    return Future.succeededFuture();
                })));
        rows.add(new Row(
                "bus, `request`",
                "",
                Arrives.MESSAGE,
                p -> consumed(vertx, p, (bus, to) -> bus.eventBus().request(to, "x"))));
        rows.add(new Row(
                "bus, the reply",
                "the future of `request`, also when it fails",
                Arrives.SAME,
                p -> vertx.eventBus().request("nobody", "x").otherwiseEmpty().compose(failed -> replied(vertx, p))));
    }

    private void clusterRows(List<Row> rows) {
        rows.add(new Row(
                "bus, `send` to another node",
                "",
                Arrives.MESSAGE,
                p -> consumed(
                        other,
                        p,
                        (bus, to) ->
                                known(bus, to).onSuccess(known -> bus.eventBus().send(to, "x")))));
        rows.add(new Row(
                "bus, `publish` to another node",
                "",
                Arrives.MESSAGE,
                p -> consumed(
                        other,
                        p,
                        (bus, to) ->
                                known(bus, to).onSuccess(known -> bus.eventBus().publish(to, "x")))));
        rows.add(new Row(
                "bus, `request` to another node",
                "",
                Arrives.MESSAGE,
                p -> consumed(
                        other,
                        p,
                        (bus, to) ->
                                known(bus, to).compose(known -> bus.eventBus().request(to, "x")))));
        rows.add(new Row("bus, the reply of another node", "", Arrives.SAME, p -> replied(other, p)));
    }

    private interface Sending {
        Future<?> send(Vertx bus, String address);
    }

    /** Until all nodes know of a consumer, a request may find none. */
    private static Future<?> known(Vertx bus, String address) {
        return bus.eventBus()
                .request(address, KNOWN, new DeliveryOptions().setSendTimeout(2_000))
                .<Void>mapEmpty()
                .recover(unknown ->
                        bus.timer(20).compose(later -> known(bus, address).mapEmpty()));
    }

    private Future<FastnContext> consumed(Vertx consumer, Place place, Sending sending) {
        Promise<FastnContext> arrived = Promise.promise();
        Consuming consuming = new Consuming(address -> (Message<Object> message) -> {
            if (!KNOWN.equals(message.body())) {
                arrives(arrived, HopTableTest::currentBelowVerticle);
            }
            if (message.replyAddress() != null) {
                message.reply("there");
            }
        });
        return deployed(consumer, consuming, place)
                .compose(id -> sending.send(vertx, consuming.address)
                        .compose(sent -> arrived.future())
                        .compose(context -> consumer.undeploy(id).map(context)));
    }

    private Future<FastnContext> replied(Vertx consumer, Place place) {
        Consuming consuming = new Consuming(address -> message -> message.reply("there"));
        return deployed(consumer, consuming, place)
                .compose(id -> known(vertx, consuming.address)
                        .compose(reply -> here())
                        .compose(context -> consumer.undeploy(id).map(context)));
    }

    /** A future of another Vertx completes on a Vert.x context of that one. */
    private static Future<String> deployed(Vertx consumer, VerticleBase verticle, Place place) {
        return FutureContext.returning(
                consumer.deployVerticle(verticle, options(place.model)).toCompletionStage());
    }

    private static final class Consuming extends VerticleBase {
        final String address = "hops." + java.util.UUID.randomUUID();
        private final java.util.function.Function<String, io.vertx.core.Handler<Message<Object>>> handler;

        Consuming(java.util.function.Function<String, io.vertx.core.Handler<Message<Object>>> handler) {
            this.handler = handler;
        }

        @Override
        public Future<?> start() {
            return vertx.eventBus().consumer(address, handler.apply(address)).completion();
        }
    }

    private void httpRows(List<Row> rows) {
        rows.add(new Row("HTTP server, HTTP/1", "handler, body, timers after it", Arrives.REQUEST, p -> {
            Promise<FastnContext> arrived = Promise.promise();
            return served(
                            p,
                            server -> server.requestHandler(request -> request.body()
                                    .compose(body -> vertx.timer(1))
                                    .onSuccess(body -> {
                                        arrived.complete(current());
                                        request.response().end("x");
                                    })),
                            port -> get(client, port))
                    .compose(body -> arrived.future());
        }));
        rows.add(new Row("HTTP server, a stream of HTTP/2", "", Arrives.REQUEST, p -> {
            Promise<FastnContext> arrived = Promise.promise();
            return served(
                            p,
                            server -> server.requestHandler(request -> request.body()
                                    .compose(body -> vertx.timer(1))
                                    .onSuccess(body -> {
                                        arrived.complete(current());
                                        request.response().end("x");
                                    })),
                            port -> get(http2, port))
                    .compose(body -> arrived.future());
        }));
        rows.add(new Row("server-sent events", "chunks written later", Arrives.REQUEST, p -> {
            Promise<FastnContext> arrived = Promise.promise();
            return served(
                            p,
                            server -> server.requestHandler(request -> {
                                var response = request.response()
                                        .setChunked(true)
                                        .putHeader("content-type", "text/event-stream");
                                response.write("data: 1\n\n")
                                        .compose(written -> vertx.timer(1))
                                        .compose(later -> response.write("data: 2\n\n"))
                                        .onSuccess(written -> {
                                            arrived.complete(current());
                                            response.end();
                                        });
                            }),
                            port -> get(client, port))
                    .compose(body -> arrived.future());
        }));
        rows.add(new Row(
                "server-sent events, HTTP/2", "chunks written in `ctx.child(name).run(..)`", Arrives.REQUEST, p -> {
                    Promise<FastnContext> arrived = Promise.promise();
                    return served(
                                    p,
                                    server -> server.requestHandler(request -> {
                                        var response =
                                                request.response().putHeader("content-type", "text/event-stream");
                                        FutureContext.current()
                                                .child("stream")
                                                .run(stream -> response.write("data: 1\n\n")
                                                        .compose(written -> vertx.timer(1))
                                                        .compose(later -> response.write("data: 2\n\n"))
                                                        .compose(written -> {
                                                            arrives(arrived, HopTableTest::currentOfOpenRequest);
                                                            return response.end();
                                                        }));
                                    }),
                                    port -> get(http2, port))
                            .compose(body -> arrived.future());
                }));
        rows.add(new Row(
                "server-sent events, HTTP/2, chunks written later",
                "`connectionHandler(FastnVertx.connections())`",
                Arrives.REQUEST,
                p -> {
                    Promise<FastnContext> arrived = Promise.promise();
                    return served(
                                    p,
                                    server -> server.connectionHandler(FastnVertx.connections())
                                            .requestHandler(request -> request.response()
                                                    .write("data: 1\n\n")
                                                    .compose(written -> vertx.timer(1))
                                                    .onSuccess(later -> {
                                                        arrives(arrived, HopTableTest::currentOfOpenRequest);
                                                        request.response().end("data: 2\n\n");
                                                    })),
                                    port -> get(http2, port))
                            .compose(body -> arrived.future());
                }));
        rows.add(new Row(
                "HTTP client",
                "request, response, body",
                Arrives.SAME,
                p -> served(
                        p,
                        server -> server.requestHandler(
                                request -> request.response().end("x")),
                        port -> get(client, port).compose(body -> here()))));
        rows.add(new Row(
                "HTTP client, HTTP/2",
                "",
                Arrives.SAME,
                p -> served(
                        p,
                        server -> server.requestHandler(
                                request -> request.response().end("x")),
                        port -> get(http2, port).compose(body -> here()))));
        rows.add(new Row(
                "`WebClient`",
                "",
                Arrives.SAME,
                p -> served(
                        p,
                        server -> server.requestHandler(
                                request -> request.response().end("x")),
                        port -> webClient.get(port, HOST, "/").send().compose(body -> here()))));
    }

    /** After the head of its response. */
    private static FastnContext currentOfOpenRequest() {
        FastnContext context = current();
        assertThat(context.state()).isEqualTo(ContextState.ACTIVE);
        return context;
    }

    private static Future<Buffer> post(HttpClient client, int port) {
        return client.request(HttpMethod.POST, port, HOST, "/orders/17")
                .compose(request -> {
                    request.setChunked(true);
                    return request.write("pay")
                            .compose(written -> request.end("load"))
                            .compose(ended -> request.response());
                })
                .compose(HttpClientResponse::body);
    }

    private static Future<Buffer> get(HttpClient client, int port) {
        return client.request(HttpMethod.GET, port, HOST, "/orders/17")
                .compose(HttpClientRequest::send)
                .compose(HttpClientResponse::body);
    }

    private interface Serving {
        HttpServer serve(HttpServer server);
    }

    private interface Calling<T> {
        Future<T> call(int port);
    }

    /** Serves in a verticle of the same threading model while a call lasts. */
    private <T> Future<T> served(Place place, Serving serving, Calling<T> calling) {
        return served(vertx, place, serving, calling);
    }

    private static <T> Future<T> served(Vertx by, Place place, Serving serving, Calling<T> calling) {
        CompletableFuture<Integer> port = new CompletableFuture<>();
        VerticleBase web = new VerticleBase() {
            @Override
            public Future<?> start() {
                return serving.serve(vertx.createHttpServer())
                        .listen(0, HOST)
                        .onSuccess(server -> port.complete(server.actualPort()));
            }
        };
        return deployed(by, web, place)
                .compose(id -> calling.call(port.join())
                        .compose(result -> by.undeploy(id).map(result)));
    }

    private void webRows(List<Row> rows) {
        rows.add(new Row("vertx-web, after `BodyHandler`", "", Arrives.REQUEST, p -> {
            Promise<FastnContext> arrived = Promise.promise();
            Router router = Router.router(vertx);
            router.route().handler(BodyHandler.create(false));
            router.post("/orders/:id").handler(routing -> {
                assertThat(routing.body().asString()).isEqualTo("payload");
                arrived.complete(current());
                routing.response().end("x");
            });
            return served(p, server -> server.requestHandler(router), port -> post(client, port))
                    .compose(body -> arrived.future());
        }));
        rows.add(routed(
                "vertx-web, after a `blockingHandler`",
                "",
                router -> router.route().blockingHandler(routing -> {
                    assertThat(current().kind()).isEqualTo(ContextKind.REQUEST);
                    routing.next();
                })));
        rows.add(routed(
                "vertx-web, after an asynchronous `next()`",
                "",
                router -> router.route().handler(routing -> vertx.setTimer(1, id -> routing.next()))));
        rows.add(new Row("vertx-web, a sub-router", "", Arrives.REQUEST, p -> {
            Promise<FastnContext> arrived = Promise.promise();
            Router below = Router.router(vertx);
            below.get("/17").handler(routing -> {
                arrives(arrived, () -> {
                    assertThat(WebContexts.context(routing)).isSameAs(current());
                    return current();
                });
                routing.response().end("x");
            });
            Router above = Router.router(vertx);
            above.route("/orders/*").subRouter(below);
            return served(p, server -> server.requestHandler(above), port -> get(client, port))
                    .compose(body -> arrived.future());
        }));
        rows.add(new Row("vertx-web, HTTP/2", "", Arrives.REQUEST, p -> {
            Promise<FastnContext> arrived = Promise.promise();
            Router router = Router.router(vertx);
            router.route().handler(BodyHandler.create(false));
            router.post("/orders/:id")
                    .handler(routing -> vertx.setTimer(1, id -> {
                        arrived.complete(current());
                        routing.response().end("x");
                    }));
            return served(p, server -> server.requestHandler(router), port -> post(http2, port))
                    .compose(body -> arrived.future());
        }));
        rows.add(new Row(
                "vertx-web, where our tracer has no place",
                "`router.route().handler(WebContexts.requests())`",
                Arrives.REQUEST,
                p -> {
                    Promise<FastnContext> arrived = Promise.promise();
                    Router router = Router.router(untraced);
                    router.route().handler(WebContexts.requests());
                    router.get("/orders/:id")
                            .handler(routing -> untraced.setTimer(1, id -> {
                                arrived.complete(current());
                                routing.response().end("x");
                            }));
                    return served(untraced, p, server -> server.requestHandler(router), port -> get(client, port))
                            .compose(body -> arrived.future());
                }));
        rows.add(new Row("vertx-web, a failure handler", "", Arrives.REQUEST, p -> {
            Promise<FastnContext> arrived = Promise.promise();
            Router router = Router.router(vertx);
            router.get("/orders/:id")
                    .handler(routing -> vertx.setTimer(1, id -> routing.fail(500)))
                    .failureHandler(routing -> {
                        arrived.complete(current());
                        routing.response().setStatusCode(500).end("x");
                    });
            return served(p, server -> server.requestHandler(router), port -> get(client, port))
                    .compose(body -> arrived.future());
        }));
    }

    private interface Before {
        void add(Router router);
    }

    private Row routed(String name, String code, Before before) {
        return new Row(name, code, Arrives.REQUEST, p -> {
            Promise<FastnContext> arrived = Promise.promise();
            Router router = Router.router(vertx);
            before.add(router);
            router.get("/orders/:id").handler(routing -> {
                arrived.complete(current());
                routing.response().end("x");
            });
            return served(p, server -> server.requestHandler(router), port -> get(client, port))
                    .compose(body -> arrived.future());
        });
    }

    private void socketRows(List<Row> rows) {
        rows.add(new Row("WebSocket, its messages at the server", "", Arrives.SESSION, p -> {
            Promise<FastnContext> arrived = Promise.promise();
            return served(
                            p,
                            server -> server.webSocketHandler(
                                    socket -> socket.textMessageHandler(text -> arrived.tryComplete(current()))),
                            port -> webSockets
                                    .connect(port, HOST, "/live")
                                    .compose(socket -> repeating(() -> socket.writeTextMessage("x"), arrived)
                                            .compose(seen -> socket.close())))
                    .compose(closed -> arrived.future());
        }));
        rows.add(new Row(
                "WebSocket, its messages at the client",
                "",
                Arrives.SAME,
                p -> served(
                        p,
                        server -> server.webSocketHandler(
                                socket -> socket.textMessageHandler(text -> socket.writeTextMessage("y"))),
                        port -> webSockets.connect(port, HOST, "/live").compose(socket -> {
                            Promise<FastnContext> arrived = ((ContextInternal) Vertx.currentContext()).promise();
                            socket.textMessageHandler(text -> arrived.tryComplete(current()));
                            return repeating(() -> socket.writeTextMessage("x"), arrived)
                                    .compose(seen -> socket.close().map(seen));
                        }))));
        rows.add(new Row("socket of a net server, of Vert.x", "`connectHandler(h)`", Arrives.VERTICLE, p -> {
            Promise<FastnContext> arrived = Promise.promise();
            return connected(
                    p,
                    server -> server.connectHandler(
                            socket -> socket.handler(data -> arrived.tryComplete(currentOfVerticle()))),
                    arrived);
        }));
        rows.add(new Row("socket of a net server", "`connectHandler(FastnVertx.sessions(h))`", Arrives.SESSION, p -> {
            Promise<FastnContext> arrived = Promise.promise();
            return connected(
                    p,
                    server -> server.connectHandler(FastnVertx.sessions(socket -> socket.handler(
                            data -> socket.write("y").onSuccess(written -> arrived.tryComplete(current()))))),
                    arrived);
        }));
        rows.add(new Row("net client", "connect, data, write", Arrives.SAME, p -> {
            Promise<FastnContext> arrived = Promise.promise();
            return netServed(
                    p,
                    server -> server.connectHandler(socket -> socket.handler(socket::write)),
                    port -> peers.connect(port, HOST).compose(socket -> {
                        socket.handler(data -> arrived.tryComplete(current()));
                        return repeating(() -> socket.write("x"), arrived)
                                .compose(seen -> socket.close().map(seen));
                    }));
        }));
    }

    private interface NetServing {
        NetServer serve(NetServer server);
    }

    private Future<FastnContext> connected(Place place, NetServing serving, Promise<FastnContext> arrived) {
        return netServed(
                place,
                serving,
                port -> peers.connect(port, HOST)
                        .compose(socket -> repeating(() -> socket.write("x"), arrived)
                                .compose(seen -> socket.close().map(seen))));
    }

    /** On a worker the handler of what is sent may be registered after the first has come. */
    private Future<FastnContext> repeating(Supplier<Future<Void>> write, Promise<FastnContext> arrived) {
        long id = vertx.setPeriodic(1, 20, tick -> write.get().onFailure(arrived::tryFail));
        return arrived.future().onComplete(done -> vertx.cancelTimer(id));
    }

    private <T> Future<T> netServed(Place place, NetServing serving, Calling<T> calling) {
        CompletableFuture<Integer> port = new CompletableFuture<>();
        VerticleBase net = new VerticleBase() {
            @Override
            public Future<?> start() {
                return serving.serve(vertx.createNetServer())
                        .listen(0, HOST)
                        .onSuccess(server -> port.complete(server.actualPort()));
            }
        };
        return vertx.deployVerticle(net, options(place.model))
                .compose(id -> calling.call(port.join())
                        .compose(result -> vertx.undeploy(id).map(result)));
    }

    private void foreignRows(List<Row> rows) {
        rows.add(new Row(
                "what a plain thread completes",
                "`FutureContext.returning(stage)`",
                Arrives.SAME,
                p -> FutureContext.returning(later()).compose(done -> here())));
        rows.add(new Row(
                "`CompletableFuture`, its body",
                "`supplyAsync(body, ctx.wrapExecutor(executor))`",
                Arrives.SAME,
                p -> FutureContext.returning(CompletableFuture.supplyAsync(
                        HopTableTest::current, current().wrapExecutor(plainThreads)))));
        rows.add(new Row("a thread or executor", "`ctx.wrapExecutor(executor)`, `ctx.wrap(task)`", Arrives.SAME, p -> {
            Promise<FastnContext> arrived = Promise.promise();
            current().wrapExecutor(plainThreads).execute(() -> arrived.complete(current()));
            return arrived.future();
        }));
        rows.add(new Row(
                "a lock that is granted later",
                "`mutex(..).lock()`, `withLock`",
                Arrives.SAME,
                p -> FutureContext.of(FastnContext.global())
                        .mutex("hops")
                        .withLock(value -> vertx.timer(1).compose(fired -> here()))));
    }

    private CompletableFuture<Void> later() {
        return CompletableFuture.runAsync(
                () -> {}, CompletableFuture.delayedExecutor(5, TimeUnit.MILLISECONDS, plainThreads));
    }

    private static DeploymentOptions options(ThreadingModel model) {
        return new DeploymentOptions().setThreadingModel(model);
    }

    // --- the tests

    @TestFactory
    Stream<DynamicNode> theContextAfterAHopIsAsTheTableSays() {
        return Stream.of(ThreadingModel.EVENT_LOOP, ThreadingModel.WORKER, ThreadingModel.VIRTUAL_THREAD)
                .map(model -> DynamicContainer.dynamicContainer(
                        model.name(),
                        rows().stream().map(row -> DynamicTest.dynamicTest(row.name, () -> check(row, model)))));
    }

    /** In a Vertx that is no part of a cluster a message takes another way. */
    @TestFactory
    Stream<DynamicNode> theContextAfterAHopOnTheBusOfOneNodeIsAsTheTableSays() {
        List<Row> rows = new ArrayList<>();
        busRows(rows);
        return Stream.of(ThreadingModel.EVENT_LOOP, ThreadingModel.WORKER, ThreadingModel.VIRTUAL_THREAD)
                .map(model -> DynamicContainer.dynamicContainer(
                        model.name(),
                        rows.stream().map(row -> DynamicTest.dynamicTest(row.name, () -> checkAlone(row, model)))));
    }

    private void checkAlone(Row row, ThreadingModel model) {
        Vertx clustered = vertx;
        vertx = alone;
        try {
            check(row, model);
        } finally {
            vertx = clustered;
        }
    }

    private void check(Row row, ThreadingModel model) {
        assumeTrue(!row.name.equals(AWAIT) || model == ThreadingModel.VIRTUAL_THREAD, "nobody awaits on such a thread");
        assumeTrue(
                model != ThreadingModel.VIRTUAL_THREAD || ((VertxInternal) vertx).isVirtualThreadAvailable(),
                "virtual threads need Java 21");
        Front front = new Front();
        String id = Waiting.result(vertx.deployVerticle(front, options(model)));
        CompletableFuture<FastnContext> from = new CompletableFuture<>();
        FastnContext arrived = Waiting.onDuplicate(
                front.place(),
                () -> FutureContext.current().child("hop").run(ctx -> {
                    from.complete(ctx.context());
                    return going(row, new Place(front, model));
                }));
        FastnContext child = Waiting.result(from);
        switch (row.arrives) {
            case SAME -> assertThat(arrived).isSameAs(child);
            case CHILD -> assertThat(requireNonNull(arrived.parent())).isSameAs(child);
            case VERTICLE -> assertThat(arrived.kind()).isEqualTo(ContextKind.SERVICE);
            case REQUEST -> {
                assertThat(arrived.kind()).isEqualTo(ContextKind.REQUEST);
                assertThat(arrived.name()).isIn("GET /orders/:id", "POST /orders/:id");
            }

            case SESSION -> {
                assertThat(arrived.kind()).isEqualTo(ContextKind.SESSION);
                assertThat(arrived.name()).isEqualTo("session-127.0.0.1");
            }
            case MESSAGE -> {
                assertThat(arrived.kind()).isEqualTo(ContextKind.MESSAGE);
                assertThat(requireNonNull(arrived.caller()).contextId()).isEqualTo(child.id());
            }
        }
        Waiting.result(vertx.undeploy(id));
    }

    private static Future<FastnContext> going(Row row, Place place) {
        try {
            return row.way.go(place);
        } catch (Exception e) {
            return Future.failedFuture(e);
        }
    }

    @Test
    void theGuideAndTheReadmeHaveTheTable() throws IOException {
        String table = "| hop | how | what is current there |\n|---|---|---|\n"
                + String.join("\n", rows().stream().map(Row::line).toList()) + "\n";
        for (Path page : TABLES) {
            String guide = Files.readString(page, StandardCharsets.UTF_8);
            if (Boolean.getBoolean("golden.update")) {
                int begin = guide.indexOf("| hop | how |");
                int end = guide.indexOf("\n\n", begin) + 1;
                guide = guide.substring(0, begin) + table + guide.substring(end);
                Files.writeString(page, guide, StandardCharsets.UTF_8);
            }
            assertThat(guide).contains(table);
        }
    }
}
