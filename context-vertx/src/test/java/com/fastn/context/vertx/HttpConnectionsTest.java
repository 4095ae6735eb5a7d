package com.fastn.context.vertx;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import com.fastn.context.FastnContext;
import com.fastn.context.status.ContextState;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.MultiMap;
import io.vertx.core.Promise;
import io.vertx.core.ThreadingModel;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.http.PoolOptions;
import io.vertx.core.internal.ContextInternal;
import io.vertx.core.net.NetClient;
import io.vertx.core.net.NetSocket;
import io.vertx.core.net.SocketAddress;
import io.vertx.ext.web.Router;
import io.vertx.junit5.VertxExtension;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Servers that tell us of their connections. */
@ExtendWith({OwnTree.class, VertxExtension.class})
class HttpConnectionsTest {
    private static final String HOST = "127.0.0.1";
    // More than the buffers of two sockets take.
    private static final int LARGE = 64 * 1024 * 1024;
    // Before what is told of the end of a stream is believed.
    private static final Duration SOON = Duration.ofMillis(500);

    private final List<HttpConnection> connected = new CopyOnWriteArrayList<>();
    private final List<FastnContext> seen = new CopyOnWriteArrayList<>();
    private Vertx vertx;
    private FastnVertx fastn;
    // Kept in fields: a client that nothing refers to is closed by the garbage collector.
    private HttpClient client;
    private NetClient peers;

    @BeforeEach
    void prepare(Vertx made) {
        vertx = made;
        fastn = FastnVertx.install(vertx);
        peers = vertx.createNetClient();
        speak(HttpVersion.HTTP_2);
    }

    private void speak(HttpVersion version) {
        // One connection, also when the next request comes before a response of HTTP/1 has given it back.
        client = vertx.createHttpClient(
                new HttpClientOptions().setProtocolVersion(version).setHttp2ClearTextUpgrade(false),
                new PoolOptions().setHttp1MaxSize(1));
    }

    private int serve(Handler<HttpServerRequest> handler) {
        return serve(new HttpServerOptions(), handler);
    }

    private int serve(HttpServerOptions options, Handler<HttpServerRequest> handler) {
        return serve(options, new DeploymentOptions(), handler);
    }

    private int serve(HttpServerOptions options, DeploymentOptions deployment, Handler<HttpServerRequest> handler) {
        CompletableFuture<HttpServer> server = new CompletableFuture<>();
        Front web = new Front() {
            @Override
            public Future<?> start() {
                return vertx.createHttpServer(options)
                        .connectionHandler(FastnVertx.connections(connected::add))
                        .requestHandler(request -> {
                            seen.add(FastnContext.current());
                            handler.handle(request);
                        })
                        .listen(0, HOST)
                        .onSuccess(server::complete);
            }
        };
        Waiting.result(vertx.deployVerticle(web, deployment));
        return Waiting.result(server).actualPort();
    }

    /** The same over the other implementation of HTTP/2 that Vert.x has from 5.1 on. */
    private static HttpServerOptions multiplexed(boolean wanted) {
        assumeFalse(wanted && VertxLine.isFiveZero(), "Vert.x 5.0 has one implementation of HTTP/2 only");
        return wanted ? Multiplexed.options() : new HttpServerOptions();
    }

    /** Apart, as Vert.x 5.0 does not know it. */
    private static final class Multiplexed {
        static HttpServerOptions options() {
            return new HttpServerOptions().setHttp2MultiplexImplementation(true);
        }
    }

    private Future<Buffer> get(int port) {
        return client.request(HttpMethod.GET, port, HOST, "/orders")
                .compose(request -> request.send().compose(HttpClientResponse::body));
    }

    /** Asked for before anything is sent: of a response that has ended there is no body any more. */
    private static Future<Buffer> bodyOf(HttpClientRequest asked) {
        return asked.response().compose(HttpClientResponse::body);
    }

    private FastnContext listener(int port) {
        FastnContext listener = requireNonNull(seen.get(0).parent());
        assertThat(listener.name()).isEqualTo("http:" + port);
        return listener;
    }

    /** Whoever cancels it means what runs in it: what comes later is served. */
    @ParameterizedTest
    @CsvSource({"HTTP_1_1, true", "HTTP_1_1, false", "HTTP_2, true", "HTTP_2, false"})
    void aConnectionOutlivesThePortThatWasCancelledOrClosed(HttpVersion version, boolean cancelled) {
        speak(version);
        int port = serve(request -> request.response().end("x"));
        Waiting.result(get(port));
        FastnContext before = listener(port);
        FastnContext verticle = requireNonNull(before.parent());
        if (cancelled) {
            before.cancel();
        } else {
            before.close();
        }
        Waiting.result(get(port));
        assertThat(seen).hasSize(2);
        FastnContext after = requireNonNull(seen.get(1).parent());
        assertThat(after).isNotSameAs(before);
        assertThat(after.name()).isEqualTo("http:" + port);
        assertThat(after.isCancelled()).isFalse();
        assertThat(seen.get(1).isCancelled()).isFalse();
        assertThat(connected).hasSize(1);
        assertThat(after.getLive("connections")).isEqualTo(1);
        Waiting.until(() -> before.state() == ContextState.CLOSED);
        assertThat(verticle.children()).containsExactly(after);
        Waiting.result(client.close());
        Waiting.until(() -> after.getLive("connections") == 0);
    }

    private FastnContext only() {
        Waiting.until(() -> !seen.isEmpty());
        return seen.get(0);
    }

    private static List<Long> outcomes(FastnContext of) {
        return List.of(
                of.getTotal("successful_requests"), of.getTotal("failed_requests"), of.getTotal("cancelled_requests"));
    }

    private static void endsWith(FastnContext request, Long... outcomes) {
        Waiting.until(() -> request.state() == ContextState.CLOSED);
        assertThat(outcomes(request)).containsExactly(outcomes);
    }

    @ParameterizedTest
    @EnumSource(
            value = HttpVersion.class,
            names = {"HTTP_1_1", "HTTP_2"})
    void aConnectionIsCountedOnceAndAllItsRequestsAreOfItsPort(HttpVersion version) {
        speak(version);
        int port = serve(request -> request.response().end("x"));
        for (int i = 0; i < 3; i++) {
            Waiting.result(get(port));
        }
        FastnContext listener = listener(port);
        assertThat(seen).hasSize(3).allSatisfy(each -> assertThat(each.parent()).isSameAs(listener));
        assertThat(connected).hasSize(1);
        assertThat(listener.getTotal("connections")).isEqualTo(1);
        assertThat(listener.getLive("connections")).isEqualTo(1);
        assertThat(fastn.requests().connections()).isEqualTo(1);
        Waiting.result(client.close());
        Waiting.until(() -> listener.getLive("connections") == 0);
        Waiting.until(() -> fastn.requests().connections() == 0);
        assertThat(listener.getTotal("connections")).isEqualTo(1);
        assertThat(listener.subtreeTotal("successful_requests")).isEqualTo(3);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aConnectionIsCountedInItsPortBeforeItsFirstRequest(boolean multiplexed) {
        int port = serve(multiplexed(multiplexed), request -> request.response().end("x"));
        HttpClientRequest asked = Waiting.result(client.request(HttpMethod.GET, port, HOST, "/orders"));
        Waiting.until(() -> fastn.requests().connections() == 1);
        Future<Buffer> body = bodyOf(asked);
        Waiting.result(asked.send());
        Waiting.result(body);
        assertThat(listener(port).getTotal("connections")).isEqualTo(1);
        endsWith(only(), 1L, 0L, 0L);
    }

    @Test
    void anUpgradedConnectionIsOne() {
        client = vertx.createHttpClient(
                new HttpClientOptions().setProtocolVersion(HttpVersion.HTTP_2).setHttp2ClearTextUpgrade(true));
        int port = serve(request -> request.response().end(request.version().name()));
        assertThat(Waiting.result(get(port)).toString()).isEqualTo("HTTP_2");
        assertThat(Waiting.result(get(port)).toString()).isEqualTo("HTTP_2");
        FastnContext listener = listener(port);
        assertThat(seen.get(1).parent()).isSameAs(listener);
        assertThat(listener.getTotal("connections")).isEqualTo(1);
        Waiting.until(() -> listener.subtreeLive("requests") == 0);
        endsWith(only(), 2L, 0L, 0L);
    }

    /** As many clients send it: the settings and the first request in one packet. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aRequestThatComesWithTheBeginOfItsConnectionIsOfItsPortToo(boolean multiplexed) {
        int port = serve(multiplexed(multiplexed), request -> request.response().end("x"));
        NetSocket peer = Waiting.result(peers.connect(port, HOST));
        Buffer settings = Buffer.buffer(new byte[] {0, 0, 0, 4, 0, 0, 0, 0, 0});
        // GET, http, /, authority x, as HPACK has them in its table; all of stream 1.
        byte[] request = {(byte) 0x82, (byte) 0x86, (byte) 0x84, 0x41, 1, 'x'};
        Buffer headers = Buffer.buffer(new byte[] {0, 0, (byte) request.length, 1, 5, 0, 0, 0, 1})
                .appendBytes(request);
        Waiting.result(peer.write(Buffer.buffer("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
                .appendBuffer(settings)
                .appendBuffer(headers)));
        assertThat(only().name()).isEqualTo("GET /");
        assertThat(listener(port).getTotal("connections")).isEqualTo(1);
        endsWith(only(), 1L, 0L, 0L);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aResponseOfHttp2ThatIsStreamedByItsHandlerHasItsContextUntilItsEnd(boolean multiplexed) {
        Promise<Void> goOn = Promise.promise();
        CompletableFuture<FastnContext> atTheEnd = new CompletableFuture<>();
        int port = serve(
                multiplexed(multiplexed),
                request -> request.response()
                        .setStatusCode(503)
                        .write("data: 1")
                        .compose(sent -> FutureContext.returning(goOn.future().toCompletionStage()))
                        .onSuccess(later -> {
                            atTheEnd.complete(FastnContext.current());
                            request.response().end();
                        }));
        HttpClientResponse answer = Waiting.result(
                client.request(HttpMethod.GET, port, HOST, "/orders").compose(HttpClientRequest::send));
        assertThat(only().state()).isEqualTo(ContextState.ACTIVE);
        assertThat(outcomes(only())).containsExactly(0L, 0L, 0L);
        // Asked for while it is to come: of a response that has ended there is no such future.
        Future<Void> ended = answer.end();
        goOn.complete();
        assertThat(Waiting.result(atTheEnd)).isSameAs(only());
        Waiting.result(ended);
        endsWith(only(), 0L, 1L, 0L);
    }

    /** As only a mistake of the application makes it. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aWholeResponseWhoseStatusHasTwoDigitsIsNotCancelled(boolean multiplexed) {
        int port = serve(
                multiplexed(multiplexed),
                request -> request.response().setStatusCode(42).end("x"));
        assertThat(Waiting.result(get(port)).toString()).isEqualTo("x");
        endsWith(only(), 1L, 0L, 0L);
        assertThat(only().isCancelled()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aRequestOfHttp2ThatWasToldToGoOnEndsWithItsResponse(boolean multiplexed) {
        HttpServerOptions options = multiplexed(multiplexed).setHandle100ContinueAutomatically(true);
        int port = serve(
                options,
                request -> request.body().onSuccess(body -> {
                    assertThat(FastnContext.current().state()).isEqualTo(ContextState.ACTIVE);
                    request.response().end(body);
                }));
        HttpClientRequest asked = Waiting.result(client.request(HttpMethod.POST, port, HOST, "/orders"));
        asked.putHeader(HttpHeaders.EXPECT, HttpHeaders.CONTINUE)
                .setChunked(true)
                .continueHandler(go -> asked.end("tea"));
        Future<Buffer> body = bodyOf(asked);
        Waiting.result(VertxLine.sendHead(asked));
        assertThat(Waiting.result(body).toString()).isEqualTo("tea");
        // Its end is known then, and its status is not.
        endsWith(only(), VertxLine.isFiveZero() ? 1L : 0L, 0L, 0L);
        assertThat(only().isCancelled()).isFalse();
    }

    /** As a long upload, or a stream of events that has nothing to tell for now. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aRequestThatGaveEarlyHintsLastsAsLongAsItsStreamHoweverIdleItIs(boolean multiplexed) {
        CompletableFuture<HttpServerRequest> held = new CompletableFuture<>();
        int port = serve(
                multiplexed(multiplexed),
                request -> request.response()
                        .writeEarlyHints(MultiMap.caseInsensitiveMultiMap())
                        .onSuccess(sent -> held.complete(request)));
        Future<Buffer> answer = get(port);
        HttpServerRequest served = Waiting.result(held);
        UntoldRequests untold = fastn.requests().untold();
        assertThat(untold.count()).isEqualTo(VertxLine.isFiveZero() ? 0 : 1);
        assertThat(untold.overdue(Duration.ZERO)).isEmpty();
        CompletableFuture<Boolean> cancelled = new CompletableFuture<>();
        only().onCancel(reason -> cancelled.complete(true));
        only().cancel();
        Waiting.result(cancelled);
        assertThat(only().state()).isEqualTo(ContextState.ACTIVE);
        served.response().end("x");
        assertThat(Waiting.result(answer).toString()).isEqualTo("x");
        endsWith(only(), VertxLine.isFiveZero() ? 1L : 0L, 0L, 0L);
        assertThat(untold.count()).isZero();
    }

    /** The event loop may see the end of the stream before the thread that ended the response tells the router. */
    @Test
    void aRequestThatWasToldToGoOnCountsAsWhatTheRouterTellsOfIt() {
        Router router = Router.router(vertx);
        router.route().handler(WebContexts.requests());
        AtomicInteger told = new AtomicInteger();
        AtomicInteger late = new AtomicInteger();
        router.route().handler(routing -> {
            var unused = CompletableFuture.runAsync(() -> {
                long began = System.nanoTime();
                routing.response().setStatusCode(404).end("x");
                if (System.nanoTime() - began > SOON.toNanos()) {
                    late.incrementAndGet();
                }
                told.incrementAndGet();
            });
        });
        int port = serve(new HttpServerOptions().setHandle100ContinueAutomatically(true), router);
        int requests = 50;
        for (int i = 0; i < requests; i++) {
            HttpClientRequest asked = Waiting.result(client.request(HttpMethod.POST, port, HOST, "/orders"));
            Future<Buffer> body = bodyOf(asked);
            Waiting.result(
                    asked.putHeader(HttpHeaders.EXPECT, HttpHeaders.CONTINUE).send("tea"));
            Waiting.result(body);
        }
        Waiting.until(() -> told.get() == requests);
        Waiting.until(() -> only().subtreeLive("requests") == 0);
        // For a thread that stood still in the middle of it nobody waits.
        assertThat(only().getTotal("failed_requests")).isBetween((long) requests - late.get(), (long) requests);
        assertThat(only().getTotal("successful_requests")).isZero();
        assertThat(only().getTotal("cancelled_requests")).isZero();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aStreamThatIsResetWhileItsHandlerStreamsIsCancelled(boolean multiplexed) {
        int port = serve(multiplexed(multiplexed), request -> request.response().write("data: 1"));
        HttpClientRequest asked = Waiting.result(client.request(HttpMethod.GET, port, HOST, "/orders"));
        Waiting.result(asked.send());
        Waiting.result(asked.reset());
        endsWith(only(), 0L, 0L, 1L);
        assertThat(only().isCancelled()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aStreamThatItsOwnHandlerResetsIsCancelled(boolean multiplexed) {
        int port = serve(
                multiplexed(multiplexed),
                request -> request.response()
                        .write("data: 1")
                        .onSuccess(sent -> request.response().reset()));
        assertThat(Waiting.failure(get(port))).isNotNull();
        endsWith(only(), 0L, 0L, 1L);
        assertThat(only().isCancelled()).isTrue();
    }

    /** For the router it has ended then. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aResponseAfterAnInterimOneThatItsPeerDoesNotReadToTheEndIsACancelledRequest(boolean multiplexed) {
        CompletableFuture<Boolean> ended = new CompletableFuture<>();
        Router router = Router.router(vertx);
        router.route().handler(WebContexts.requests());
        router.route().handler(routing -> {
            routing.response().end(Buffer.buffer(new byte[LARGE]));
            ended.complete(true);
        });
        int port = serve(multiplexed(multiplexed).setHandle100ContinueAutomatically(true), router);
        HttpClientRequest asked = Waiting.result(client.request(HttpMethod.POST, port, HOST, "/orders"));
        asked.response().onSuccess(HttpClientResponse::pause);
        Waiting.result(asked.putHeader(HttpHeaders.EXPECT, HttpHeaders.CONTINUE).send("tea"));
        assertThat(Waiting.result(ended)).isTrue();
        if (!VertxLine.isFiveZero()) {
            assertThat(only().state()).isEqualTo(ContextState.ACTIVE);
        }
        Waiting.result(asked.connection().close());
        endsWith(only(), VertxLine.isFiveZero() ? new Long[] {1L, 0L, 0L} : new Long[] {0L, 0L, 1L});
    }

    /** Vert.x has handed it over whole, and so tells of no failure when the connection ends. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aResponseThatItsPeerDoesNotReadToTheEndIsACancelledRequest(boolean multiplexed) {
        CompletableFuture<Boolean> ended = new CompletableFuture<>();
        int port = serve(multiplexed(multiplexed), request -> {
            request.response().end(Buffer.buffer(new byte[LARGE]));
            ended.complete(request.response().ended());
        });
        HttpClientRequest asked = Waiting.result(client.request(HttpMethod.GET, port, HOST, "/orders"));
        asked.response().onSuccess(HttpClientResponse::pause);
        Waiting.result(asked.end());
        Waiting.result(asked.response());
        assertThat(Waiting.result(ended)).isTrue();
        assertThat(only().state()).isEqualTo(ContextState.ACTIVE);
        Waiting.result(asked.connection().close());
        // Vert.x 5.0 tells the end of the stream, and takes one that was handed over for one that was sent.
        endsWith(only(), VertxLine.isFiveZero() ? new Long[] {1L, 0L, 0L} : new Long[] {0L, 0L, 1L});
    }

    @Test
    void aResponseThatCameBeforeTheEndOfItsRequestIsCountedAsWhatItWas() {
        int port = serve(request -> request.response().end("no need to go on"));
        HttpClientRequest asked = Waiting.result(client.request(HttpMethod.POST, port, HOST, "/orders"));
        asked.setChunked(true);
        Future<Buffer> body = bodyOf(asked);
        Waiting.result(asked.write("part"));
        Waiting.result(body);
        if (!VertxLine.isFiveZero()) {
            endsWith(only(), 1L, 0L, 0L);
        }
        Waiting.result(asked.connection().close());
        endsWith(only(), VertxLine.isFiveZero() ? new Long[] {0L, 0L, 1L} : new Long[] {1L, 0L, 0L});
    }

    /** Its handlers run on other threads than those that read. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void theConnectionsOfAWorkerVerticleAreCountedOnceToo(boolean multiplexed) {
        DeploymentOptions worker = new DeploymentOptions().setThreadingModel(ThreadingModel.WORKER);
        int port = serve(
                multiplexed(multiplexed), worker, request -> request.response().end("x"));
        for (int i = 0; i < 3; i++) {
            Waiting.result(get(port));
        }
        Waiting.until(() -> fastn.requests().connections() == 1);
        FastnContext last = seen.get(2);
        Waiting.until(() -> last.state() == ContextState.CLOSED);
        FastnContext listener = requireNonNull(last.parent());
        assertThat(listener.name()).isEqualTo("http:" + port);
        assertThat(listener.getTotal("connections")).isEqualTo(1);
        Waiting.until(() -> fastn.runtime().root().subtreeLive("requests") == 0);
        assertThat(fastn.runtime().root().subtreeTotal("successful_requests")).isEqualTo(3);
    }

    @Test
    void connectionsAreCountedWhereRequestsAreNotWanted() {
        FastnVertx.builder()
                .options(new VertxContextOptions().setRequests(false))
                .install(vertx);
        int port = serve(request -> request.response().end("x"));
        Waiting.result(get(port));
        FastnContext verticle = only();
        FastnContext listener = verticle.children().get(0);
        assertThat(listener.name()).isEqualTo("http:" + port);
        assertThat(listener.getTotal("connections")).isEqualTo(1);
        assertThat(listener.getTotal("requests")).isZero();
    }

    /** What has a connection, and no interface of Vert.x tells of. */
    public interface Closing {
        Future<Void> closeFuture();
    }

    @Test
    void ofAConnectionWhoseVerticleEndsWhileItBeginsNothingIsLeft() {
        Front front = Front.deploy(vertx);
        HttpConnection begins = (HttpConnection) Proxy.newProxyInstance(
                HttpConnection.class.getClassLoader(),
                new Class<?>[] {HttpConnection.class, Closing.class},
                (proxy, method, arguments) -> switch (method.getName()) {
                    case "hashCode" -> 1;
                    case "closeFuture" -> Promise.promise().future();
                    case "localAddress" -> {
                        // After the verticle was looked for.
                        Waiting.result(front.undeploy());
                        yield SocketAddress.inetSocketAddress(80, HOST);
                    }
                    default -> throw new AssertionError(method);
                });
        fastn.requests().connected((ContextInternal) front.place(), begins);
        assertThat(fastn.requests().connections()).isZero();
    }

    @Test
    void aConnectionThatCannotBeObservedIsHandledAllTheSame() {
        HttpConnection broken = (HttpConnection) Proxy.newProxyInstance(
                HttpConnection.class.getClassLoader(),
                new Class<?>[] {HttpConnection.class},
                (proxy, method, arguments) -> {
                    if (method.getName().equals("hashCode")) {
                        return 1;
                    }
                    throw new NoSuchMethodError("a Vert.x that is not the one we know");
                });
        Front front = Front.deploy(vertx);
        Waiting.<Void>on(front.place(), () -> {
            FastnVertx.connections(connected::add).handle(broken);
            return Future.succeededFuture();
        });
        assertThat(connected).hasSize(1);
        assertThat(connected.get(0) == broken).isTrue();
    }
}
