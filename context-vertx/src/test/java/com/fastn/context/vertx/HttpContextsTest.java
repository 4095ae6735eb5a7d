package com.fastn.context.vertx;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.ContextScope;
import com.fastn.context.FastnContext;
import com.fastn.context.Windows;
import com.fastn.context.engine.EngineRuntime;
import com.fastn.context.status.ContextKind;
import com.fastn.context.status.ContextState;
import com.fastn.context.status.FinishedContext;
import com.fastn.context.status.OperationStatus;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.MultiMap;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.http.ServerWebSocket;
import io.vertx.core.http.WebSocketClient;
import io.vertx.core.http.WebSocketClientOptions;
import io.vertx.core.net.NetClient;
import io.vertx.core.net.NetSocket;
import io.vertx.junit5.VertxExtension;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith({OwnTree.class, VertxExtension.class})
class HttpContextsTest {
    private static final String HOST = "127.0.0.1";
    // More than the buffers of two sockets take.
    private static final int LARGE = 64 * 1024 * 1024;

    private Vertx vertx;
    private FastnVertx fastn;
    private EngineRuntime runtime;
    // Kept in fields: a client that nothing refers to is closed by the garbage collector.
    private HttpClient client;
    private NetClient peers;
    private WebSocketClient webSockets;

    @BeforeEach
    void prepare(Vertx made) {
        vertx = made;
        fastn = FastnVertx.install(vertx);
        runtime = (EngineRuntime) fastn.runtime();
        client = vertx.createHttpClient();
        peers = vertx.createNetClient();
        webSockets = vertx.createWebSocketClient();
    }

    private Web serve(Handler<HttpServerRequest> handler) {
        Web web = new Web(handler);
        Waiting.result(vertx.deployVerticle(web));
        return web;
    }

    /** A verticle that serves HTTP. */
    private static final class Web extends Front {
        final List<FastnContext> seen = new CopyOnWriteArrayList<>();
        final AtomicReference<@Nullable HttpServer> server = new AtomicReference<>();
        private final Handler<HttpServerRequest> handler;

        Web(Handler<HttpServerRequest> handler) {
            this.handler = handler;
        }

        @Override
        public Future<?> start() {
            return vertx.createHttpServer()
                    .requestHandler(request -> {
                        seen.add(FastnContext.current());
                        handler.handle(request);
                    })
                    .listen(0, HOST)
                    .onSuccess(server::set);
        }

        int port() {
            return requireNonNull(server.get()).actualPort();
        }

        FastnContext only() {
            Waiting.until(() -> !seen.isEmpty());
            return seen.get(0);
        }
    }

    private Future<Buffer> get(int port, String uri) {
        return client.request(HttpMethod.GET, port, HOST, uri)
                .compose(request -> request.send().compose(HttpClientResponse::body));
    }

    @Test
    void aRequestIsAContextUnderTheVerticleUntilItsResponseHasEnded() {
        Web web = serve(request -> vertx.setTimer(1, id -> {
            assertThat(FastnContext.current().state()).isEqualTo(ContextState.ACTIVE);
            request.response().end("hello");
        }));
        Waiting.result(get(web.port(), "/orders/17?secret=1"));
        FastnContext context = web.only();
        assertThat(context.name()).isEqualTo("GET /orders/:id");
        assertThat(context.kind()).isEqualTo(ContextKind.REQUEST);
        FastnContext listener = requireNonNull(context.parent());
        assertThat(listener.name()).isEqualTo("http:" + web.port());
        assertThat(listener.kind()).isEqualTo(ContextKind.SERVICE);
        assertThat(requireNonNull(listener.parent()).name()).isEqualTo("HttpContextsTest$Web");
        Waiting.until(() -> context.state() == ContextState.CLOSED);
        assertThat(context.getTotal("requests")).isEqualTo(1);
        assertThat(context.getTotal("successful_requests")).isEqualTo(1);
        assertThat(context.isCancelled()).isFalse();
        // Taken back a moment after it is closed.
        Waiting.until(() -> context.getLive("requests") == 0);
    }

    @Test
    void anAnswerOf400OrMoreIsAFailure() {
        Web web = serve(request -> request.response()
                .setStatusCode(Integer.parseInt(request.path().substring(1)))
                .end());
        for (int status : List.of(200, 302, 399, 400, 404, 500, 503)) {
            Waiting.result(get(web.port(), "/" + status));
        }
        Waiting.until(() -> runtime.root().subtreeLive("requests") == 0);
        assertThat(runtime.root().subtreeTotal("requests")).isEqualTo(7);
        assertThat(runtime.root().subtreeTotal("successful_requests")).isEqualTo(3);
        assertThat(runtime.root().subtreeTotal("failed_requests")).isEqualTo(4);
        assertThat(runtime.root().subtreeTotal("cancelled_requests")).isZero();
    }

    @Test
    void aRequestIsRememberedWithHowItEndedWithoutBeingAskedTo() {
        Web web = serve(request -> request.response()
                .setStatusCode(request.path().equals("/gone") ? 503 : 200)
                .end());
        Waiting.result(get(web.port(), "/here"));
        Waiting.result(get(web.port(), "/gone"));
        Waiting.until(() -> runtime.recent().size() == 2);
        assertThat(runtime.recent().get(1).label()).isEqualTo("GET /here");
        assertThat(runtime.recent().get(1).outcome()).isEqualTo(new FinishedContext.Completed());
        assertThat(runtime.recent().get(0).label()).isEqualTo("GET /gone");
        assertThat(runtime.recent().get(0).outcome()).isEqualTo(new FinishedContext.Failed("HttpStatus: 503"));
        Windows windows = runtime.counters().windows(runtime.root().path());
        assertThat(windows.sinceStart()).isEqualTo(2);
        assertThat(windows.failedSinceStart()).isEqualTo(1);
    }

    @Test
    void aPeerThatLeavesCancelsItsRequest() {
        CompletableFuture<Boolean> told = new CompletableFuture<>();
        Web web = serve(request -> FastnContext.current().onCancel(reason -> told.complete(true)));
        NetSocket peer = Waiting.result(peers.connect(web.port(), HOST));
        Waiting.result(peer.write("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"));
        FastnContext context = web.only();
        assertThat(context.isCancelled()).isFalse();
        Waiting.result(peer.close());
        assertThat(Waiting.result(told)).isTrue();
        Waiting.until(() -> context.state() == ContextState.CLOSED);
        assertThat(context.getTotal("cancelled_requests")).isEqualTo(1);
        assertThat(context.getTotal("failed_requests")).isZero();
        assertThat(context.getTotal("successful_requests")).isZero();
    }

    /** Asks as a peer that reads nothing, and leaves once the server has said all that it had to say. */
    private FastnContext leaveInTheMiddleOf(Handler<HttpServerRequest> handler) {
        CompletableFuture<Boolean> said = new CompletableFuture<>();
        Web web = serve(request -> {
            handler.handle(request);
            said.complete(request.response().ended());
        });
        NetSocket peer = Waiting.result(peers.connect(web.port(), HOST));
        peer.pause();
        Waiting.result(peer.write("GET /large HTTP/1.1\r\nHost: x\r\n\r\n"));
        assertThat(Waiting.result(said)).isTrue();
        FastnContext context = web.only();
        assertThat(context.isCancelled()).isFalse();
        assertThat(context.state()).isEqualTo(ContextState.ACTIVE);
        Waiting.result(peer.close());
        Waiting.until(() -> context.state() == ContextState.CLOSED);
        return context;
    }

    /** Vert.x tells nobody of the end of a response that has been handed to it whole. */
    @Test
    void aFileThatItsPeerDoesNotReadToTheEndIsACancelledRequest(@TempDir Path directory) throws IOException {
        Path file = directory.resolve("large");
        try (RandomAccessFile large = new RandomAccessFile(file.toFile(), "rw")) {
            large.setLength(LARGE);
        }
        FastnContext context = leaveInTheMiddleOf(request -> request.response().sendFile(file.toString()));
        assertThat(context.isCancelled()).isTrue();
        assertThat(outcomes(context)).containsExactly(0L, 0L, 1L);
        Waiting.until(() -> runtime.root().subtreeLive("requests") == 0);
        Waiting.until(() -> runtime.root().subtreeLive("connections") == 0);
    }

    @Test
    void aResponseWhoseEndStillWaitsForItsPeerWhenThatLeavesIsACancelledRequest() {
        FastnContext context = leaveInTheMiddleOf(request -> {
            var unused = request.response().setChunked(true).write(Buffer.buffer(new byte[LARGE]));
            request.response().end();
        });
        assertThat(context.isCancelled()).isTrue();
        assertThat(outcomes(context)).containsExactly(0L, 0L, 1L);
        Waiting.until(() -> runtime.root().subtreeLive("requests") == 0);
    }

    /** What is done for a peer is of use to nobody once that has left. */
    @ParameterizedTest
    @ValueSource(
            strings = {"CONNECT shop:1 HTTP/1.1\r\n", "GET /chat HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: chat\r\n"})
    void aTunnelIsARequestUntilItsConnectionEndsAndWasServed(String head) {
        CompletableFuture<FastnContext> onData = new CompletableFuture<>();
        CompletableFuture<FastnContext> working = new CompletableFuture<>();
        Web web = serve(request -> request.toNetSocket()
                .onSuccess(socket -> socket.handler(data -> {
                    FastnContext child = fastn.context(request).child("work").open();
                    child.onCancel(reason -> child.close());
                    working.complete(child);
                    onData.complete(fastn.context(request));
                    socket.write(data);
                })));
        NetSocket peer = Waiting.result(peers.connect(web.port(), HOST));
        CompletableFuture<Buffer> head200 = new CompletableFuture<>();
        Promise<Buffer> echoed = Promise.promise();
        peer.handler(data -> {
            if (!head200.complete(data)) {
                echoed.tryComplete(data);
            }
        });
        Waiting.result(peer.write(head + "Host: x\r\n\r\n"));
        assertThat(Waiting.result(head200).toString()).startsWith("HTTP/1.1");
        Waiting.result(peer.write("hello"));
        assertThat(Waiting.result(echoed.future()).toString()).isEqualTo("hello");
        FastnContext context = web.only();
        assertThat(Waiting.result(onData)).isSameAs(context);
        assertThat(context.state()).isEqualTo(ContextState.ACTIVE);
        Waiting.result(peer.close());
        Waiting.until(() -> context.state() == ContextState.CLOSED);
        assertThat(Waiting.result(working).state()).isEqualTo(ContextState.CLOSED);
        assertThat(outcomes(context)).containsExactly(1L, 0L, 0L);
        Waiting.until(() -> runtime.root().subtreeLive("requests") == 0);
    }

    @Test
    void concurrentRequestsOfOneConnectionHaveContextsOfTheirOwn() {
        Web web = serve(request -> vertx.setTimer(
                1, id -> request.response().end(FastnContext.current().id() + "")));
        List<String> ids = new CopyOnWriteArrayList<>();
        Waiting.result(Future.join(IntStream.range(0, 20)
                .mapToObj(i -> get(web.port(), "/x").onSuccess(body -> ids.add(body.toString())))
                .toList()));
        assertThat(ids).hasSize(20).doesNotHaveDuplicates();
        assertThat(ids)
                .containsExactlyInAnyOrderElementsOf(
                        web.seen.stream().map(context -> context.id() + "").toList());
    }

    @Test
    void aRequestOverHttp2IsAContextToo() {
        client = vertx.createHttpClient(
                new HttpClientOptions().setProtocolVersion(HttpVersion.HTTP_2).setHttp2ClearTextUpgrade(false));
        Web web = serve(request -> request.response()
                .setStatusCode(request.version() == HttpVersion.HTTP_2 ? 404 : 500)
                .end("x"));
        Waiting.result(get(web.port(), "/orders/17?x=1"));
        assertThat(web.only().name()).isEqualTo("GET /orders/:id");
        Waiting.until(() -> web.only().state() == ContextState.CLOSED);
        assertThat(web.only().getTotal("failed_requests")).isEqualTo(1);
    }

    /** Of a stream of HTTP/2 Vert.x tells no more from 5.1 on: the guide says what to do about it. */
    @Test
    void aResponseOfHttp2ThatIsStreamedByItsHandlerHasItsContextUntilItsHead() {
        client = vertx.createHttpClient(
                new HttpClientOptions().setProtocolVersion(HttpVersion.HTTP_2).setHttp2ClearTextUpgrade(false));
        Promise<Void> goOn = Promise.promise();
        CompletableFuture<FastnContext> atTheEnd = new CompletableFuture<>();
        Web web = serve(request -> request.response()
                .write("data: 1")
                .compose(sent -> FutureContext.returning(goOn.future().toCompletionStage()))
                .onSuccess(later -> {
                    atTheEnd.complete(FastnContext.current());
                    request.response().end();
                }));
        HttpClientResponse answer = Waiting.result(
                client.request(HttpMethod.GET, web.port(), HOST, "/events").compose(HttpClientRequest::send));
        FastnContext context = web.only();
        if (VertxLine.isFiveZero()) {
            assertThat(context.state()).isEqualTo(ContextState.ACTIVE);
        } else {
            Waiting.until(() -> context.state() == ContextState.CLOSED);
        }
        // Asked for while it is to come: of a response that has ended there is no such future.
        Future<Void> ended = answer.end();
        goOn.complete();
        // What its handler does after its end runs in what is open above it.
        assertThat(Waiting.result(atTheEnd)).isSameAs(VertxLine.isFiveZero() ? context : context.parent());
        Waiting.result(ended);
        Waiting.until(() -> context.state() == ContextState.CLOSED);
        assertThat(context.getTotal("successful_requests")).isEqualTo(1);
    }

    @Test
    void aResponseOfHttp1ThatIsStreamedHasItsContextUntilItsEnd() {
        Promise<Void> goOn = Promise.promise();
        CompletableFuture<FastnContext> afterTheHead = new CompletableFuture<>();
        Web web = serve(request -> request.response()
                .setChunked(true)
                .write("data: 1")
                .compose(sent -> {
                    afterTheHead.complete(FastnContext.current());
                    return FutureContext.returning(goOn.future().toCompletionStage());
                })
                .onSuccess(later -> request.response().end()));
        Future<Buffer> answer = get(web.port(), "/events");
        assertThat(Waiting.result(afterTheHead)).isSameAs(web.only());
        assertThat(web.only().state()).isEqualTo(ContextState.ACTIVE);
        goOn.complete();
        Waiting.result(answer);
        Waiting.until(() -> web.only().state() == ContextState.CLOSED);
    }

    @Test
    void aResponseOfHttp2ThatIsStreamedByAChildKeepsItsRequestOpen() {
        client = vertx.createHttpClient(
                new HttpClientOptions().setProtocolVersion(HttpVersion.HTTP_2).setHttp2ClearTextUpgrade(false));
        Promise<Void> goOn = Promise.promise();
        Promise<Void> headSent = Promise.promise();
        Web web = serve(request -> FutureContext.current()
                .child("stream")
                .run(stream -> request.response()
                        .write("data: 1")
                        .onSuccess(sent -> headSent.complete())
                        .compose(sent -> goOn.future())
                        .compose(later -> request.response().end())));
        Future<Buffer> answer = get(web.port(), "/events");
        Waiting.result(headSent.future());
        assertThat(web.only().state()).isEqualTo(ContextState.ACTIVE);
        goOn.complete();
        Waiting.result(answer);
        Waiting.until(() -> web.only().state() == ContextState.CLOSED);
        assertThat(web.only().getTotal("successful_requests")).isEqualTo(1);
    }

    private void speakHttp2() {
        client = vertx.createHttpClient(
                new HttpClientOptions().setProtocolVersion(HttpVersion.HTTP_2).setHttp2ClearTextUpgrade(false));
    }

    private static List<Long> outcomes(FastnContext of) {
        return Stream.of("successful_requests", "failed_requests", "cancelled_requests")
                .map(of::getTotal)
                .toList();
    }

    /** Vert.x tells of a reset, and then of the stream that was not finished. */
    @Test
    void aStreamOfHttp2ThatIsResetBeforeItsResponseIsCancelledAndCountedOnce() {
        speakHttp2();
        Web web = serve(request -> {});
        HttpClientRequest asked = Waiting.result(client.request(HttpMethod.GET, web.port(), HOST, "/slow"));
        var unused = asked.send();
        FastnContext context = web.only();
        Waiting.result(asked.reset());
        Waiting.until(() -> context.state() == ContextState.CLOSED);
        assertThat(context.isCancelled()).isTrue();
        // The server has told all that it knows of a stream when it is closed.
        Waiting.result(asked.connection().close());
        Waiting.result(requireNonNull(web.server.get()).close());
        assertThat(outcomes(context)).containsExactly(0L, 0L, 1L);
    }

    @Test
    void aStreamOfHttp2ThatIsResetWhileAChildStreamsItIsCancelledAndNotCountedAsServed() {
        speakHttp2();
        Promise<Void> goOn = Promise.promise();
        CompletableFuture<FastnContext> streaming = new CompletableFuture<>();
        Web web = serve(request -> FutureContext.current()
                .child("stream")
                .run(stream -> request.response()
                        .write("data: 1")
                        .onSuccess(sent -> streaming.complete(stream.context()))
                        .compose(sent -> goOn.future())));
        HttpClientRequest asked = Waiting.result(client.request(HttpMethod.GET, web.port(), HOST, "/events"));
        Waiting.result(asked.send());
        FastnContext stream = Waiting.result(streaming);
        assertThat(outcomes(web.only())).containsExactly(0L, 0L, 0L);
        Waiting.result(asked.reset());
        Waiting.until(stream::isCancelled);
        goOn.complete();
        Waiting.until(() -> web.only().state() == ContextState.CLOSED);
        assertThat(outcomes(web.only())).containsExactly(0L, 0L, 1L);
    }

    /** The stream is not finished then, and Vert.x tells so when its connection closes. */
    @Test
    void aResponseOfHttp2ThatCameBeforeTheEndOfItsRequestIsCountedAsWhatItWas() {
        speakHttp2();
        Web web = serve(request -> request.response().end("no need to go on"));
        HttpClientRequest asked = Waiting.result(client.request(HttpMethod.POST, web.port(), HOST, "/upload"));
        asked.setChunked(true);
        // Asked for before anything is sent: of a response that has ended there is no body any more.
        Future<Buffer> body = asked.response().compose(HttpClientResponse::body);
        Waiting.result(asked.write("part"));
        Waiting.result(body);
        if (!VertxLine.isFiveZero()) {
            Waiting.until(() -> web.only().state() == ContextState.CLOSED);
        }
        CompletableFuture<Void> closed = new CompletableFuture<>();
        asked.connection().closeHandler(now -> closed.complete(null));
        Waiting.result(asked.connection().close());
        Waiting.result(closed);
        Waiting.result(requireNonNull(web.server.get()).close());
        Waiting.until(() -> web.only().state() == ContextState.CLOSED);
        // Where Vert.x tells the end of the stream and not the head, it tells that it was cut off.
        assertThat(outcomes(web.only())).isEqualTo(VertxLine.isFiveZero() ? List.of(0L, 0L, 1L) : List.of(1L, 0L, 0L));
    }

    @Test
    void aRequestWithAHostThatIsNoneIsServed() {
        Web web = serve(request -> request.response().end("x"));
        NetSocket peer = Waiting.result(peers.connect(web.port(), HOST));
        Waiting.result(peer.write("GET /orders/17 HTTP/1.1\r\nHost: ][ %%%\r\nConnection: close\r\n\r\n"));
        assertThat(web.only().name()).isEqualTo("GET /orders/:id");
        Waiting.until(() -> web.only().state() == ContextState.CLOSED);
    }

    @Test
    void nothingOfOursIsSentToHttpPeers() {
        AtomicReference<@Nullable MultiMap> headers = new AtomicReference<>();
        Web web = serve(request -> {
            headers.set(request.headers());
            request.response().end("x");
        });
        Front front = Front.deploy(vertx);
        Waiting.onDuplicate(front.place(), () -> get(web.port(), "/x"));
        assertThat(requireNonNull(headers.get()).names()).noneMatch(name -> name.contains("fastn"));
    }

    @Test
    void theContextOfARequestIsFoundInsideOfWhateverScope() {
        List<FastnContext> found = new CopyOnWriteArrayList<>();
        Web web = serve(request -> {
            FastnContext stranger = fastn.runtime().root().child("stranger").open();
            FastnContext child = FastnContext.current().child("child").open();
            try (ContextScope outer = child.makeCurrent();
                    ContextScope inner = stranger.makeCurrent()) {
                assertThat(FastnContext.current()).isSameAs(stranger);
                found.add(fastn.context(request));
            }
            found.add(fastn.context(request));
            vertx.executeBlocking(child.wrapCallable(() -> found.add(fastn.context(request))))
                    .compose(body -> FutureContext.of(child).child("run").run(run -> {
                        try (ContextScope ignored = stranger.makeCurrent()) {
                            found.add(fastn.context(request));
                        }
                        return Future.succeededFuture();
                    }))
                    .onComplete(done -> {
                        stranger.close();
                        child.close();
                        request.response().end("x");
                    });
        });
        Waiting.result(get(web.port(), "/x"));
        assertThat(found).hasSize(4).allSatisfy(each -> assertThat(each).isSameAs(web.only()));
    }

    @Test
    void aRequestWithoutAContextOfItsOwnIsItsVerticlesInsideOfAScope() {
        FastnVertx.builder()
                .options(new VertxContextOptions().setRequests(false))
                .install(vertx);
        CompletableFuture<FastnContext> found = new CompletableFuture<>();
        Web web = serve(request -> {
            try (FastnContext session = FastnContext.current()
                            .child("own")
                            .withKind(ContextKind.SESSION)
                            .open();
                    ContextScope ignored = session.makeCurrent()) {
                found.complete(fastn.context(request));
            }
            request.response().end("x");
        });
        Waiting.result(get(web.port(), "/x"));
        assertThat(Waiting.result(found)).isSameAs(web.only());
        assertThat(web.only().kind()).isEqualTo(ContextKind.SERVICE);
    }

    @Test
    void whatWasARequestIsASessionInsideOfWhateverScope() {
        CompletableFuture<FastnContext> found = new CompletableFuture<>();
        CompletableFuture<FastnContext> session = new CompletableFuture<>();
        Web web = serve(request -> {
            try (FastnContext child = FastnContext.current().child("looking").open();
                    ContextScope ignored = child.makeCurrent()) {
                assertThat(FastnContext.current()).isSameAs(child);
            }
            request.toWebSocket()
                    .onSuccess(socket -> socket.textMessageHandler(text -> {
                        session.complete(FastnContext.current());
                        try (FastnContext child =
                                        FastnContext.current().child("message").open();
                                ContextScope ignored = child.makeCurrent()) {
                            found.complete(fastn.context(request));
                        }
                    }));
        });
        Waiting.result(webSockets.connect(web.port(), HOST, "/x").compose(socket -> socket.writeTextMessage("x")));
        assertThat(Waiting.result(found)).isSameAs(Waiting.result(session));
        assertThat(Waiting.result(found).kind()).isEqualTo(ContextKind.SESSION);
    }

    @Test
    void theContextOfARequestIsFoundFromAnyThread() {
        AtomicReference<@Nullable HttpServerRequest> held = new AtomicReference<>();
        Web web = serve(held::set);
        Future<Buffer> answer = get(web.port(), "/x");
        FastnContext context = web.only();
        Waiting.until(() -> held.get() != null);
        HttpServerRequest request = requireNonNull(held.get());
        assertThat(fastn.context(request)).isSameAs(context);
        request.response().end("x");
        Waiting.result(answer);
    }

    @Test
    void workAfterTheResponseIsNotRefused() {
        Promise<String> audited = Promise.promise();
        Web web = serve(request -> {
            FutureContext ctx = FutureContext.current();
            request.response()
                    .end("x")
                    .compose(sent -> vertx.timer(1))
                    .compose(later -> ctx.child("audit").run(child -> {
                        assertThat(ctx.context().state()).isEqualTo(ContextState.CLOSED);
                        return Future.succeededFuture(child.context().path().toString());
                    }))
                    .onComplete(audited::handle);
        });
        Waiting.result(get(web.port(), "/x"));
        assertThat(Waiting.result(audited.future()))
                .isEqualTo("global.HttpContextsTest$Web.http:" + web.port() + ".audit");
    }

    @Test
    void aWebSocketIsASessionUntilItsConnectionEnds() {
        CompletableFuture<FastnContext> onMessage = new CompletableFuture<>();
        AtomicReference<@Nullable HttpServer> server = new AtomicReference<>();
        Front web = new Front() {
            @Override
            public Future<?> start() {
                return vertx.createHttpServer()
                        .webSocketHandler((ServerWebSocket socket) ->
                                socket.textMessageHandler(text -> onMessage.complete(FastnContext.current())))
                        .listen(0, HOST)
                        .onSuccess(server::set);
            }
        };
        Waiting.result(vertx.deployVerticle(web));
        var socket =
                Waiting.result(webSockets.connect(requireNonNull(server.get()).actualPort(), HOST, "/live"));
        Waiting.result(socket.writeTextMessage("x"));
        FastnContext context = Waiting.result(onMessage);
        assertThat(context.state()).isEqualTo(ContextState.ACTIVE);
        assertThat(context.kind()).isEqualTo(ContextKind.SESSION);
        assertThat(context.name()).isEqualTo("session-127.0.0.1");
        FastnContext listener = requireNonNull(context.parent());
        assertThat(listener.getLive("sessions")).isEqualTo(1);
        Waiting.result(socket.close());
        Waiting.until(() -> context.state() == ContextState.CLOSED);
        assertThat(listener.getLive("sessions")).isZero();
        assertThat(listener.getTotal("sessions")).isEqualTo(1);
        Waiting.until(() -> runtime.root().subtreeLive("requests") == 0);
    }

    /** What the two sides say to each other, and neither how it is framed nor how it is compressed. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void theBytesOfAWebSocketAreCountedInItsSession(boolean compressed) {
        String question = "ä".repeat(5_000);
        String answer = "b".repeat(200_000);
        CompletableFuture<FastnContext> session = new CompletableFuture<>();
        AtomicReference<@Nullable HttpServer> server = new AtomicReference<>();
        Waiting.result(vertx.deployVerticle(new Front() {
            @Override
            public Future<?> start() {
                return vertx.createHttpServer(
                                new HttpServerOptions().setPerMessageWebSocketCompressionSupported(compressed))
                        .webSocketHandler((ServerWebSocket socket) -> {
                            session.complete(fastn.context(socket));
                            socket.textMessageHandler(text -> socket.writeTextMessage(answer)
                                    .compose(sent -> socket.writeBinaryMessage(Buffer.buffer("c"))));
                        })
                        .listen(0, HOST)
                        .onSuccess(server::set);
            }
        }));
        webSockets =
                vertx.createWebSocketClient(new WebSocketClientOptions().setTryUsePerMessageCompression(compressed));
        Promise<String> answered = Promise.promise();
        var socket =
                Waiting.result(webSockets.connect(requireNonNull(server.get()).actualPort(), HOST, "/live"));
        socket.textMessageHandler(answered::tryComplete);
        Waiting.result(socket.writePing(Buffer.buffer("ping")));
        Waiting.result(socket.writeTextMessage(question));
        assertThat(Waiting.result(answered.future())).hasSize(answer.length());
        FastnContext context = Waiting.result(session);
        assertThat(context.kind()).isEqualTo(ContextKind.SESSION);
        Waiting.until(() -> context.getTotal("bytes_written") >= answer.length() + 1);
        assertThat(context.getTotal("bytes_read")).isEqualTo(2L * question.length());
        assertThat(context.getTotal("bytes_written")).isEqualTo(answer.length() + 1);
    }

    private List<String> operations(FastnContext of) {
        return of.subtreeStatus().globalContext().operations().stream()
                .map(OperationStatus::name)
                .toList();
    }

    /** Runs a call in a child, whose operations while it lasts and afterwards are looked at. */
    private void isAnOperation(String name, Promise<Void> arrived, Runnable end, Supplier<Future<?>> call) {
        Front front = Front.deploy(vertx);
        CompletableFuture<FastnContext> child = new CompletableFuture<>();
        Promise<Void> look = Promise.promise();
        Promise<Void> called = Promise.promise();
        front.place()
                .runOnContext(now -> FutureContext.current().child("call").run(ctx -> {
                    child.complete(ctx.context());
                    return call.get()
                            .<Void>mapEmpty()
                            .otherwiseEmpty()
                            .onComplete(called)
                            .compose(x -> look.future());
                }));
        Waiting.result(arrived.future());
        assertThat(operations(Waiting.result(child))).containsExactly(name);
        end.run();
        Waiting.result(called.future());
        Waiting.until(() -> operations(Waiting.result(child)).isEmpty());
        look.complete();
        Waiting.until(() -> Waiting.result(child).state() == ContextState.CLOSED);
    }

    @ParameterizedTest
    @EnumSource(End.class)
    void aCallOfAClientIsAnOperationWhileItLasts(End end) {
        Promise<Void> arrived = Promise.promise();
        AtomicReference<@Nullable HttpServerRequest> held = new AtomicReference<>();
        AtomicReference<@Nullable HttpClientRequest> asked = new AtomicReference<>();
        Web web = serve(request -> {
            held.set(request);
            arrived.complete();
        });
        isAnOperation(
                "GET " + HOST + ":" + web.port(),
                arrived,
                () -> {
                    switch (end) {
                        case ANSWERED -> requireNonNull(held.get()).response().end("x");
                        case FAILED ->
                            requireNonNull(held.get())
                                    .response()
                                    .setStatusCode(500)
                                    .end();
                        case CONNECTION_LOST ->
                            requireNonNull(held.get()).connection().close();
                        case RESET_BY_CALLER -> requireNonNull(asked.get()).reset();
                    }
                },
                () -> client.request(HttpMethod.GET, web.port(), HOST, "/x?secret=1")
                        .onSuccess(asked::set)
                        .compose(request -> request.send().compose(HttpClientResponse::body)));
    }

    private enum End {
        ANSWERED,
        FAILED,
        CONNECTION_LOST,
        RESET_BY_CALLER
    }

    @Test
    void aRequestOnTheBusIsAnOperationWhileItLasts() {
        Promise<Void> arrived = Promise.promise();
        Service bank = Service.deploy(vertx, "bank.pay", message -> arrived.complete());
        isAnOperation(
                "request bank.pay",
                arrived,
                () -> bank.messages.get(0).reply("paid"),
                () -> vertx.eventBus().request("bank.pay", 1));
    }

    @Test
    void aRequestOnTheBusThatFailsIsNoOperationAnyMore() {
        Promise<Void> arrived = Promise.promise();
        Service bank = Service.deploy(vertx, "bank.pay", message -> arrived.complete());
        isAnOperation(
                "request bank.pay",
                arrived,
                () -> bank.messages.get(0).fail(1, "no"),
                () -> vertx.eventBus().request("bank.pay", 1));
    }

    @Test
    void aCallFromATickOfAVerticleIsAnOperationOfTheVerticle() {
        Promise<Void> arrived = Promise.promise();
        Service bank = Service.deploy(vertx, "bank.pay", message -> arrived.complete());
        Front front = Front.deploy(vertx);
        front.place()
                .runOnContext(now -> vertx.setPeriodic(1, id -> {
                    vertx.cancelTimer(id);
                    vertx.eventBus().request("bank.pay", 1);
                }));
        Waiting.result(arrived.future());
        FastnContext service = Waiting.on(front.place(), () -> Future.succeededFuture(FastnContext.current()));
        assertThat(operations(service)).containsExactly("request bank.pay");
        bank.messages.get(0).reply("x");
        Waiting.until(() -> operations(service).isEmpty());
    }

    @Test
    void aMessageThatNobodyWaitsForIsNoOperation() {
        Service log = Service.deploy(vertx, "log", message -> {});
        Front front = Front.deploy(vertx);
        FastnContext service = Waiting.on(front.place(), () -> {
            vertx.eventBus().send("log", 1);
            return Future.succeededFuture(FastnContext.current());
        });
        assertThat(log.only()).isNotNull();
        assertThat(operations(service)).isEmpty();
    }
}
