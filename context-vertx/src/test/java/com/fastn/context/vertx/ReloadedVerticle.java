package com.fastn.context.vertx;

import com.fastn.context.ContextScope;
import com.fastn.context.FastnContext;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.VerticleBase;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.Message;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.WebSocketClient;
import io.vertx.core.net.NetClient;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.function.Supplier;

/**
 * A verticle that {@link RedeployTest} loads anew for each deployment, and that does a little of everything, with values,
 * failures and handlers of its own classes, and leaves open what it can.
 */
public final class ReloadedVerticle extends VerticleBase {
    private static final Duration LONG = Duration.ofHours(1);
    private static final String HOST = "127.0.0.1";

    /** Made by its name, of its own loader. */
    public ReloadedVerticle() {}

    /** A value whose class is of this verticle's loader. */
    private record Account(String name) {}

    /** A failure whose class is of this verticle's loader. */
    private static final class Overdrawn extends RuntimeException {
        private static final long serialVersionUID = 1;

        Overdrawn() {
            super("no money");
        }
    }

    @Override
    public Future<?> start() {
        FutureContext mine = FutureContext.current();
        FutureContext outer = FutureContext.of(mine.context().runtime().root());
        List<Object> lasting = new ArrayList<>();
        for (FutureContext each : List.of(mine, outer)) {
            lasting.add(each.timer(LONG).recover(ReloadedVerticle::given));
            lasting.add(each.periodic(LONG, "tick", tick -> Future.succeededFuture()));
            lasting.add(each.request("reloaded.silent", "x").recover(ReloadedVerticle::given));
            lasting.add(each.race(Promise.promise().future()).recover(ReloadedVerticle::given));
        }
        try (ContextScope ignored = outer.context().makeCurrent()) {
            lasting.add(outer.mutex("held")
                    .withLock(value -> Future.succeededFuture(new Account("h")))
                    .recover(ReloadedVerticle::given));
        }
        mine.setData("account", new Account("a").toString());
        mine.context().onCancel(reason -> lasting.clear());
        FastnContext left = mine.context().child("left").open();
        left.onCancel(reason -> left.close());
        var unused = mine.mutex("turns", new Account("b"));
        return vertx.eventBus()
                .consumer("reloaded.silent", (Message<Object> message) -> lasting.add(message))
                .completion()
                .compose(silent -> vertx.eventBus()
                        .consumer(
                                "reloaded",
                                (Message<Object> message) -> work(mine).onComplete(done -> message.reply("done")))
                        .completion())
                .compose(asked -> http(lasting))
                .compose(served -> sockets(lasting));
    }

    /** A request that is served, one that never is, and a WebSocket that stays open. */
    private Future<?> http(List<Object> lasting) {
        WebSocketClient webSockets = vertx.createWebSocketClient();
        HttpClient client = vertx.createHttpClient();
        // Vert.x closes a client that nobody refers to any more, and what it has open with it.
        lasting.add(webSockets);
        lasting.add(client);
        return vertx.createHttpServer()
                .requestHandler(request -> {
                    Account account = new Account(request.path());
                    if (account.name().equals("/silent")) {
                        lasting.add(request);
                    } else {
                        request.response().end(account.name());
                    }
                })
                .webSocketHandler(socket -> {
                    lasting.add(socket);
                    socket.textMessageHandler(text -> socket.writeTextMessage(new Account(text).name()));
                })
                .listen(0, HOST)
                .compose(server -> client.request(HttpMethod.GET, server.actualPort(), HOST, "/served")
                        .compose(HttpClientRequest::send)
                        .compose(HttpClientResponse::body)
                        .compose(body -> client.request(HttpMethod.GET, server.actualPort(), HOST, "/silent"))
                        .onSuccess(request -> lasting.add(request.send()))
                        .compose(asked -> webSockets.connect(server.actualPort(), HOST, "/live")))
                .compose(socket -> {
                    Promise<String> echoed = Promise.promise();
                    socket.textMessageHandler(echoed::tryComplete);
                    lasting.add(socket);
                    return repeating(() -> socket.writeTextMessage("x"), echoed);
                });
    }

    /** On a worker the handler of what is sent may be registered after the first has come. */
    private <T> Future<T> repeating(Supplier<Future<Void>> write, Promise<T> answered) {
        long id = vertx.setPeriodic(1, 20, tick -> write.get().onFailure(answered::tryFail));
        return answered.future().onComplete(done -> vertx.cancelTimer(id));
    }

    /** A connection of two sockets that stays open. */
    private Future<?> sockets(List<Object> lasting) {
        NetClient client = vertx.createNetClient();
        lasting.add(client);
        return vertx.createNetServer()
                .connectHandler(FastnVertx.sessions(socket -> {
                    lasting.add(socket);
                    socket.handler(data -> socket.write(new Account("g").name()));
                }))
                .listen(0, HOST)
                .compose(server -> client.connect(server.actualPort(), HOST))
                .compose(socket -> {
                    Promise<Buffer> answered = Promise.promise();
                    socket.handler(answered::tryComplete);
                    lasting.add(socket);
                    return repeating(() -> socket.write("x"), answered);
                });
    }

    private static <T> Future<T> given(Throwable failure) {
        return Future.failedFuture(new CancellationException(failure.getMessage()));
    }

    private Future<?> work(FutureContext mine) {
        FutureContext message = FutureContext.current();
        return message.child("step")
                .run(step -> mine.mutex("turns", new Account("c"))
                        .withLock(
                                account -> step.awaiting("wait", vertx.timer(1)).map(account)))
                .compose(account -> message.blocking(() -> new Account("d")))
                .compose(account -> message.blockingInterruptibly(() -> new Account("e")))
                .compose(account -> message.child("blocking").spawnBlocking(() -> new Account("f")))
                .compose(account -> message.child("fails").persist().run(child -> Future.failedFuture(new Overdrawn())))
                .otherwiseEmpty();
    }
}
