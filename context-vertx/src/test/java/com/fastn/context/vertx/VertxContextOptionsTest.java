package com.fastn.context.vertx;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fastn.context.FastnContext;
import com.fastn.context.engine.EngineRuntime;
import com.fastn.context.status.ContextKind;
import com.fastn.context.status.StatusJson;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.Message;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.ServerWebSocket;
import io.vertx.core.http.WebSocketClient;
import io.vertx.core.internal.VertxInternal;
import io.vertx.core.net.NetClient;
import io.vertx.core.net.NetClientOptions;
import io.vertx.core.net.NetServer;
import io.vertx.core.net.NetServerOptions;
import io.vertx.core.net.NetSocket;
import io.vertx.core.net.PfxOptions;
import io.vertx.core.net.SocketAddress;
import io.vertx.ext.web.Router;
import io.vertx.junit5.VertxExtension;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is made by itself, under which names, and how that is changed. */
@ExtendWith({OwnTree.class, VertxExtension.class})
class VertxContextOptionsTest {
    private static final String HOST = "127.0.0.1";

    private Vertx vertx;
    private EngineRuntime runtime;
    // Kept in fields: a client that nothing refers to is closed by the garbage collector.
    private HttpClient client;
    private NetClient peers;
    private WebSocketClient webSockets;
    private final List<FastnContext> seen = new CopyOnWriteArrayList<>();

    @BeforeEach
    void prepare(Vertx made) {
        vertx = made;
        runtime = (EngineRuntime) FastnVertx.install(vertx).runtime();
        client = vertx.createHttpClient();
        peers = vertx.createNetClient();
        webSockets = vertx.createWebSocketClient();
    }

    private void with(VertxContextOptions options) {
        FastnVertx.builder().options(options).install(vertx);
    }

    private int serve(Handler<HttpServerRequest> handler) {
        CompletableFuture<Integer> port = new CompletableFuture<>();
        Waiting.result(vertx.deployVerticle(new Front() {
            @Override
            public Future<?> start() {
                return vertx.createHttpServer()
                        .requestHandler(request -> {
                            seen.add(FastnContext.current());
                            handler.handle(request);
                        })
                        .listen(0, HOST)
                        .onSuccess((HttpServer server) -> port.complete(server.actualPort()));
            }
        }));
        return Waiting.result(port);
    }

    private Buffer get(int port, String uri) {
        return Waiting.result(client.request(HttpMethod.GET, port, HOST, uri)
                .compose(request -> request.send().compose(HttpClientResponse::body)));
    }

    private String nameOfGet(String uri) {
        int port = serve(request -> request.response().end("x"));
        get(port, uri);
        return seen.get(seen.size() - 1).name();
    }

    @Test
    void aRequestIsNamedByItsRouteWhateverTheValuesAre() {
        with(new VertxContextOptions().addRoute("GET /users/:name").addRoute("/files/*"));
        assertThat(nameOfGet("/users/alice?x=1")).isEqualTo("GET /users/:name");
        assertThat(nameOfGet("/files/a/b.txt")).isEqualTo("GET /files/*");
        assertThat(nameOfGet("/orders/17/alice")).isEqualTo("GET /orders/:id/alice");
    }

    @Test
    void theRoutesOfARouterAndOfASubRouterNameRequests() {
        Router below = Router.router(vertx);
        below.get("/:name/cart").handler(routing -> routing.response().end("x"));
        Router above = Router.router(vertx);
        above.get("/health").handler(routing -> routing.response().end("x"));
        above.route("/users/*").subRouter(below);
        VertxContextOptions options = new VertxContextOptions();
        WebContexts.addRoutes(options, "", above);
        with(WebContexts.addRoutes(options, "/users", below));
        int port = serve(above);
        get(port, "/users/alice/cart");
        get(port, "/health");
        assertThat(seen).extracting(FastnContext::name).containsExactly("GET /users/:name/cart", "GET /health");
    }

    @ParameterizedTest
    @CsvSource({
        "GET /users/:name, GET, /users/alice, true",
        "GET /users/:name, GET, /users/alice/, true",
        "GET /users/:name, POST, /users/alice, false",
        "/users/:name, POST, /users/alice, true",
        "/users/:name, GET, /users/, false",
        "/users/:name, GET, /users/a/b, false",
        "/a/*, GET, /a/b/c, true",
        "/a/*, GET, /a, true",
        "/a/*, GET, /b, false",
        "/, GET, /, true",
        "/, GET, /a, false",
        "/a, GET, '', false",
    })
    void aRouteFits(String route, String method, String path, boolean fits) {
        assertThat(RoutePatterns.NONE.with(route).match(method, path) != null).isEqualTo(fits);
    }

    @Test
    void whatIsNoRouteIsRefusedWithTheRemedy() {
        assertThatThrownBy(() -> new VertxContextOptions().addRoute("users"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("GET /orders/:id");
    }

    @Test
    void namesAreGivenAndContextsDroppedByTheApplication() {
        with(new VertxContextOptions()
                .setNames((kind, name) -> name.equals("GET /health") ? null : name.replace("GET ", "read ")));
        int port = serve(request -> request.response().end("x"));
        get(port, "/health");
        get(port, "/orders");
        assertThat(seen.get(0).kind()).isEqualTo(ContextKind.SERVICE);
        assertThat(seen.get(1).name()).isEqualTo("read /orders");
        assertThat(runtime.root().subtreeTotal("requests")).isEqualTo(1);
    }

    static Stream<Throwable> whateverIsThrown() {
        return Stream.of(
                new IllegalStateException("no"),
                new AssertionError("no"),
                new StackOverflowError(),
                new NoClassDefFoundError("no"),
                new Error("no"),
                new IOException("what Java would have had to declare"));
    }

    @ParameterizedTest
    @MethodSource("whateverIsThrown")
    void namesThatThrowLeaveTheNamesAsTheyAre(Throwable thrown) {
        with(new VertxContextOptions().setNames((kind, name) -> {
            throw VertxContextOptionsTest.<RuntimeException>undeclared(thrown);
        }));
        assertThat(nameOfGet("/orders")).isEqualTo("GET /orders");
        Service bank = Service.deploy(vertx, "bank.pay", message -> message.reply("paid"));
        assertThat(Waiting.result(vertx.eventBus().<String>request("bank.pay", 1))
                        .body())
                .isEqualTo("paid");
        assertThat(bank.only().name()).isEqualTo("bank.pay");
    }

    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
    private static <T extends Throwable> T undeclared(Throwable thrown) throws T {
        throw (T) thrown;
    }

    static Stream<String> hostileNames() {
        return Stream.of(
                "",
                " ",
                "x".repeat(10_000_000),
                "a.b\\.c",
                "\u0000\u001b[2J\r\n${jndi:x}",
                "\ud800",
                "\u202e",
                "__folded__");
    }

    @ParameterizedTest
    @MethodSource("hostileNames")
    void namesMayBeWhateverTheyAreAndTheWorkGoesOn(String hostile) {
        with(new VertxContextOptions().setNames((kind, name) -> hostile));
        assertThat(nameOfGet("/orders")).isNotEmpty().hasSizeLessThanOrEqualTo(1_024);
        Service bank = Service.deploy(vertx, "bank.pay", message -> message.reply("paid"));
        Waiting.result(vertx.eventBus().request("bank.pay", 1));
        assertThat(bank.only().kind()).isEqualTo(ContextKind.MESSAGE);
        Waiting.until(
                () -> runtime.root().subtreeLive("requests") + runtime.root().subtreeLive("messages") == 0);
        String json = StatusJson.write(runtime.statusWithRecent());
        assertThat(json.length()).isLessThan(100_000);
        assertThat(StatusJson.readSnapshot(json).toString().chars())
                .noneMatch(c -> c != '\n' && Character.isISOControl(c));
    }

    @Test
    void noNameMeansNoContextForMessagesSessionsAndPortsToo() {
        with(new VertxContextOptions().setNames((kind, name) -> null));
        Service bank = Service.deploy(vertx, "bank.pay", message -> message.reply("paid"));
        Waiting.result(vertx.eventBus().request("bank.pay", 1));
        assertThat(bank.only().kind()).isEqualTo(ContextKind.SERVICE);
        int port = serve(request -> request.response().end("x"));
        get(port, "/orders");
        assertThat(seen.get(0).kind()).isEqualTo(ContextKind.SERVICE);
        assertThat(runtime.root().subtreeTotal("messages")).isZero();
        assertThat(runtime.root().subtreeTotal("requests")).isZero();
    }

    @Test
    void whatIsNotSampledRunsInTheContextAroundItAndIsCountedThere() {
        with(new VertxContextOptions().setSampling(ContextKind.REQUEST, 0));
        int port = serve(request -> request.response().end("x"));
        get(port, "/orders");
        assertThat(seen.get(0).kind()).isEqualTo(ContextKind.SERVICE);
        assertThat(runtime.root().subtreeTotal("unsampled_requests")).isEqualTo(1);
        with(new VertxContextOptions().setSampling(ContextKind.REQUEST, 1));
        get(port, "/orders");
        assertThat(seen.get(1).kind()).isEqualTo(ContextKind.REQUEST);
        assertThatThrownBy(() -> new VertxContextOptions().setSampling(ContextKind.TASK, 0.5))
                .hasMessageContaining("REQUEST, MESSAGE or SESSION");
        assertThatThrownBy(() -> new VertxContextOptions().setSampling(ContextKind.MESSAGE, Double.NaN))
                .hasMessageContaining("from 0 to 1");
    }

    @Test
    void eachPartIsTurnedOffByItsOption() {
        with(new VertxContextOptions().setRequests(false).setMessages(false).setClientCalls(false));
        int port = serve(request -> request.response().end("x"));
        get(port, "/orders");
        assertThat(seen.get(0).kind()).isEqualTo(ContextKind.SERVICE);
        Service bank = Service.deploy(vertx, "bank.pay", message -> message.reply("paid"));
        Waiting.result(vertx.eventBus().request("bank.pay", 1));
        assertThat(bank.only().kind()).isEqualTo(ContextKind.SERVICE);
        assertThat(runtime.root().subtreeTotal("messages")).isZero();
    }

    @Test
    void withoutListenersARequestIsAChildOfItsVerticle() {
        with(new VertxContextOptions().setListeners(false));
        int port = serve(request -> request.response().end("x"));
        get(port, "/orders");
        assertThat(requireNonNull(seen.get(0).parent()).name()).startsWith("VertxContextOptionsTest$");
    }

    @ParameterizedTest
    @CsvSource({"requests", "messages", "listeners", "sessions", "client-calls", "cancel-callees"})
    void eachPartIsTurnedOffByItsProperty(String part) {
        System.setProperty(VertxContextOptions.PROPERTY_PREFIX + part, "false");
        try {
            VertxContextOptions options = new VertxContextOptions();
            List<Boolean> on = List.of(
                    options.isRequests(),
                    options.isMessages(),
                    options.isListeners(),
                    options.isSessions(),
                    options.isClientCalls(),
                    options.isCancelCallees());
            assertThat(on).containsOnlyOnce(false);
        } finally {
            System.clearProperty(VertxContextOptions.PROPERTY_PREFIX + part);
        }
    }

    @Test
    void theBuilderNamesTheNode() {
        assertThat(FastnVertx.builder().alias("alice").install(vertx).node().alias())
                .isEqualTo("alice");
    }

    @Test
    void aListenerCountsItsConnectionsAndBytes() {
        int port = serve(request -> request.response().end("hello"));
        get(port, "/orders");
        FastnContext listener = requireNonNull(seen.get(0).parent());
        assertThat(listener.name()).isEqualTo("http:" + port);
        assertThat(listener.getLive("connections")).isEqualTo(1);
        assertThat(listener.getTotal("connections")).isEqualTo(1);
        Waiting.until(() -> listener.getTotal("bytes_written") == 5);
        Waiting.result(client.close());
        Waiting.until(() -> listener.getLive("connections") == 0);
    }

    /** Accepts two peers at an address, and gives the sockets as the handler got them. */
    private List<NetSocket> acceptTwo(SocketAddress address) {
        List<NetSocket> accepted = new CopyOnWriteArrayList<>();
        CompletableFuture<Integer> port = new CompletableFuture<>();
        Waiting.result(vertx.deployVerticle(new Front() {
            @Override
            public Future<?> start() {
                return vertx.createNetServer()
                        .connectHandler(FastnVertx.sessions(socket -> {
                            seen.add(FastnContext.current());
                            accepted.add(socket);
                        }))
                        .listen(address)
                        .onSuccess((NetServer server) -> port.complete(server.actualPort()));
            }
        }));
        SocketAddress there =
                address.isInetSocket() ? SocketAddress.inetSocketAddress(Waiting.result(port), HOST) : address;
        for (int i = 1; i <= 2; i++) {
            int count = i;
            Waiting.result(peers.connect(there));
            Waiting.until(() -> accepted.size() == count);
        }
        return accepted;
    }

    @Test
    void aSocketIsFoundInCollections() {
        List<NetSocket> accepted = acceptTwo(SocketAddress.inetSocketAddress(0, HOST));
        NetSocket socket = accepted.get(0);
        assertThat(socket)
                .isEqualTo(accepted.get(0))
                .isNotEqualTo(accepted.get(1))
                .isNotEqualTo(null);
        List<NetSocket> open = new ArrayList<>(accepted);
        assertThat(open.remove(socket)).isTrue();
        assertThat(open).hasSize(1);
        Set<NetSocket> set = new HashSet<>(accepted);
        assertThat(set.contains(socket)).isTrue();
        assertThat(set.remove(socket)).isTrue();
        assertThat(set).hasSize(1);
    }

    @Test
    void peersOfAUnixDomainSocketHaveSessionsOfTheirOwn(@TempDir Path directory) {
        assumeTrue(((VertxInternal) vertx).transport().supportsDomainSockets());
        List<NetSocket> accepted = acceptTwo(
                SocketAddress.domainSocketAddress(directory.resolve("s").toString()));
        FastnVertx fastn = FastnVertx.install(vertx);
        assertThat(seen.get(0)).isNotSameAs(seen.get(1));
        assertThat(fastn.context(accepted.get(0))).isSameAs(seen.get(0));
        assertThat(fastn.context(accepted.get(1))).isSameAs(seen.get(1));
        Waiting.result(accepted.get(1).close());
        Waiting.until(() -> seen.get(1).state() == com.fastn.context.status.ContextState.CLOSED);
        assertThat(fastn.context(accepted.get(0))).isSameAs(seen.get(0));
    }

    @Test
    void aSocketIsASessionWithItsPeerAndItsBytes() {
        CompletableFuture<Integer> port = new CompletableFuture<>();
        CompletableFuture<FastnContext> atClose = new CompletableFuture<>();
        CompletableFuture<NetSocket> accepted = new CompletableFuture<>();
        Waiting.result(vertx.deployVerticle(new Front() {
            @Override
            public Future<?> start() {
                return vertx.createNetServer()
                        .connectHandler(FastnVertx.sessions(socket -> {
                            accepted.complete(socket);
                            seen.add(FastnContext.current());
                            socket.handler(data -> socket.write("abc"))
                                    .closeHandler(closed -> atClose.complete(FastnContext.current()));
                        }))
                        .listen(0, HOST)
                        .onSuccess((NetServer server) -> port.complete(server.actualPort()));
            }
        }));
        NetSocket peer = Waiting.result(peers.connect(Waiting.result(port), HOST));
        CompletableFuture<Buffer> answer = new CompletableFuture<>();
        peer.handler(answer::complete);
        Waiting.result(accepted);
        Waiting.result(peer.write("hello"));
        assertThat(Waiting.result(answer).toString()).isEqualTo("abc");
        FastnContext session = seen.get(0);
        assertThat(FastnVertx.install(vertx).context(Waiting.result(accepted))).isSameAs(session);
        assertThat(session.name()).isEqualTo("session-127.0.0.1");
        assertThat(requireNonNull(session.getData("peer")).asText())
                .isEqualTo(HOST + ":" + peer.localAddress().port());
        FastnContext listener = requireNonNull(session.parent());
        assertThat(listener.name()).isEqualTo("net:" + Waiting.result(port));
        assertThat(listener.getLive("sessions")).isEqualTo(1);
        assertThat(listener.getLive("connections")).isEqualTo(1);
        assertThat(session.getTotal("bytes_read")).isEqualTo(5);
        assertThat(session.getTotal("bytes_written")).isEqualTo(3);
        Waiting.result(peer.close());
        assertThat(Waiting.result(atClose)).isSameAs(session);
        Waiting.until(() -> session.state() == com.fastn.context.status.ContextState.CLOSED);
        assertThat(listener.getLive("sessions")).isZero();
        assertThat(listener.getLive("connections")).isZero();
    }

    /** With the end, out of a pipe, or as a file: without and with encryption, where Vert.x sends it in pieces. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void theBytesThatASocketIsSentAreCountedHoweverTheyAreWritten(boolean encrypted, @TempDir Path directory)
            throws IOException, InterruptedException {
        Path file = directory.resolve("file");
        Files.write(file, new byte[30_000]);
        NetServerOptions options = new NetServerOptions().setSsl(encrypted);
        if (encrypted) {
            options.setKeyCertOptions(certificate(directory.resolve("keys.p12")));
        }
        CompletableFuture<Integer> port = new CompletableFuture<>();
        Waiting.result(vertx.deployVerticle(new Front() {
            @Override
            public Future<?> start() {
                return vertx.createNetServer(options)
                        .connectHandler(FastnVertx.sessions(socket -> {
                            seen.add(FastnContext.current());
                            socket.write("\u00e4", "ISO-8859-1")
                                    .compose(sent -> socket.write("\u00e4"))
                                    .compose(sent -> socket.sendFile(file.toString(), 10_000))
                                    .compose(sent -> socket.sendFile(file.toString(), 0, 5))
                                    .compose(sent -> socket.end(Buffer.buffer("the end")));
                        }))
                        .listen(0, HOST)
                        .onSuccess((NetServer server) -> port.complete(server.actualPort()));
            }
        }));
        if (encrypted) {
            peers = vertx.createNetClient(
                    new NetClientOptions().setSsl(true).setTrustAll(true).setHostnameVerificationAlgorithm(""));
        }
        Promise<Void> over = Promise.promise();
        AtomicLong got = new AtomicLong();
        int there = Waiting.result(port);
        // On a Vert.x context: elsewhere what it is sent at once may come before its handler.
        Waiting.on(
                vertx.getOrCreateContext(),
                () -> peers.connect(there, HOST)
                        .onSuccess(peer -> peer.handler(data -> got.addAndGet(data.length()))
                                .endHandler(over::tryComplete)));
        Waiting.result(over.future());
        long all = 1L + 2 + 20_000 + 5 + "the end".length();
        assertThat(got).hasValue(all);
        Waiting.until(() -> seen.get(0).getTotal("bytes_written") == all);
    }

    private static PfxOptions certificate(Path keys) throws IOException, InterruptedException {
        Process keytool = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "keytool")
                                .toString(),
                        "-genkeypair",
                        "-alias",
                        "server",
                        "-dname",
                        "CN=localhost",
                        "-keyalg",
                        "EC",
                        "-validity",
                        "2",
                        "-storetype",
                        "PKCS12",
                        "-storepass",
                        "change-it",
                        "-keystore",
                        keys.toString())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        assertThat(keytool.waitFor()).isZero();
        return new PfxOptions().setPath(keys.toString()).setPassword("change-it");
    }

    @Test
    void theContextsOfAWebSocketAndOfAMessageAreFound() {
        CompletableFuture<Integer> port = new CompletableFuture<>();
        CompletableFuture<ServerWebSocket> accepted = new CompletableFuture<>();
        Waiting.result(vertx.deployVerticle(new Front() {
            @Override
            public Future<?> start() {
                return vertx.createHttpServer()
                        .webSocketHandler(socket -> {
                            seen.add(FastnContext.current());
                            accepted.complete(socket);
                        })
                        .listen(0, HOST)
                        .onSuccess((HttpServer server) -> port.complete(server.actualPort()));
            }
        }));
        Waiting.result(webSockets.connect(Waiting.result(port), HOST, "/live"));
        assertThat(FastnVertx.install(vertx).context(Waiting.result(accepted)))
                .isSameAs(seen.get(0))
                .satisfies(context -> assertThat(context.kind()).isEqualTo(ContextKind.SESSION));

        Service bank = Service.deploy(vertx, "bank.pay", message -> {});
        Future<Message<Object>> asked = vertx.eventBus().request("bank.pay", 1);
        FastnContext context = bank.only();
        assertThat(FastnVertx.install(vertx).context(bank.messages.get(0))).isSameAs(context);
        bank.messages.get(0).reply("paid");
        Waiting.result(asked);
    }

    @Test
    void listenersWithoutAConnectionGiveWayToNewOnes() {
        Listeners listeners = FastnVertx.install(vertx).listeners();
        var host = runtime.root().openChild("many", ContextKind.SERVICE, null);
        for (int port = 1; port <= 100; port++) {
            listeners.of(host, "http:" + port);
        }
        assertThat(host.children()).hasSizeLessThanOrEqualTo(Listeners.MOST_IDLE + 1);
        assertThat(listeners.of(host, "http:100")).isSameAs(listeners.of(host, "http:100"));
        listeners.endAll(host);
        assertThat(host.children()).isEmpty();
        host.close();
    }
}
