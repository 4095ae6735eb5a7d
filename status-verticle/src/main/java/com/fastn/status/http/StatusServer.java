package com.fastn.status.http;

import static java.util.Objects.requireNonNull;

import com.fastn.context.Ticker;
import com.fastn.context.vertx.FastnVertx;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.MultiMap;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.file.FileSystemOptions;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.net.PemKeyCertOptions;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.HttpException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers HTTP on a Vertx of its own, which shares no thread with the application and so answers while every event loop and
 * every worker of the application is blocked. Limits come first, then the gate, then the routes.
 */
public final class StatusServer {
    private static final int MOST_HEADER_BYTES = 8_192;
    private static final int MOST_LINE_BYTES = 1_024;
    /** From the opening of a connection, or its last answer, to the end of the next head. */
    private static final long HEAD_MILLIS = 5_000;

    /** Nobody is served meanwhile; long enough for a client that starts on a busy machine. */
    private static final long TLS_HANDSHAKE_MILLIS = 2_000;

    private static final int MOST_STREAMS = 32;
    private static final long HEARTBEAT_MILLIS = 10_000;
    /** A client that takes nothing for so long is gone; heartbeats go to all others in less. */
    private static final int IDLE_SECONDS = 30;

    /** What is told without a token, on this machine: who only asks whether somebody is alive has no secrets. */
    private static final Set<String> PROBES = Set.of("/health");

    private static final List<String> PROXY_HEADERS =
            List.of("Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP");
    private static final String NOT_UNDERSTOOD = "this request is not understood\n";
    private static final Logger LOG = LoggerFactory.getLogger(StatusServer.class);

    private final Vertx vertx;
    private final Context loop;
    private final HttpSettings settings;
    private final PageFiles page = new PageFiles();
    private final RequestBudget requestBudget;
    private final Predicate<String> thisMachine;

    // Mutable state, of the event loop.
    private final Map<HttpConnection, Peer> peers = new HashMap<>();
    private final Set<EventStream> streams = new HashSet<>();

    private volatile int port;
    private volatile @Nullable HttpGate gate;

    private StatusServer(Vertx vertx, HttpSettings settings, Ticker ticker, Predicate<String> thisMachine) {
        this.vertx = vertx;
        this.loop = vertx.getOrCreateContext();
        this.settings = settings;
        this.requestBudget = new RequestBudget(ticker);
        this.thisMachine = thisMachine;
    }

    /**
     * Opens a port.
     *
     * @param settings where, and for whom
     * @param routes what is answered, by path
     * @param streamRoutes what is streamed, by path
     * @param ticker the source of time
     * @return completes, on any thread, when it listens
     */
    public static CompletableFuture<StatusServer> open(
            HttpSettings settings,
            Map<String, HttpRoute> routes,
            Map<String, StreamRoute> streamRoutes,
            Ticker ticker) {
        return open(settings, routes, streamRoutes, ticker, HttpSettings::isLoopback);
    }

    /** Opens a port that is told who is on this machine. */
    static CompletableFuture<StatusServer> open(
            HttpSettings settings,
            Map<String, HttpRoute> routes,
            Map<String, StreamRoute> streamRoutes,
            Ticker ticker,
            Predicate<String> thisMachine) {
        CompletableFuture<StatusServer> opened = new CompletableFuture<>();
        // A thread of its own: making a Vertx takes a while, and Vert.x warns when it is made on a thread of another
        // one.
        Thread opener = new Thread(
                () -> {
                    try {
                        ConnectionDoor door = new ConnectionDoor(new ConnectionBudget(), thisMachine);
                        Vertx own = FastnVertx.withoutContexts(() -> Vertx.builder()
                                .with(smallVertx())
                                .withTransport(door)
                                .build());
                        StatusServer server = new StatusServer(own, settings, ticker, thisMachine);
                        server.loop.runOnContext(now -> server.listen(routes, streamRoutes)
                                .onComplete(listening -> {
                                    if (listening.succeeded()) {
                                        opened.complete(server);
                                    } else {
                                        own.close()
                                                .onComplete(closed -> opened.completeExceptionally(
                                                        cannotListen(settings, listening.cause())));
                                    }
                                }));
                    } catch (Throwable t) {
                        opened.completeExceptionally(t);
                    }
                },
                "fastn-status-port-opener");
        opener.setDaemon(true);
        opener.start();
        return opened;
    }

    private static VertxOptions smallVertx() {
        return new VertxOptions()
                .setEventLoopPoolSize(1)
                .setWorkerPoolSize(1)
                .setInternalBlockingPoolSize(1)
                .setUseDaemonThread(true)
                .setFileSystemOptions(
                        new FileSystemOptions().setFileCachingEnabled(false).setClassPathResolvingEnabled(false));
    }

    private static IllegalStateException cannotListen(HttpSettings settings, Throwable cause) {
        return new IllegalStateException(
                "the status port cannot listen on " + settings.host() + ":" + settings.port() + " ("
                        + cause.getMessage() + "); choose another httpPort, 0 for any free one, or \"http\": false for"
                        + " none"
                        + (settings.tls() == null
                                ? ""
                                : ", and see whether httpTlsCert and httpTlsKey belong together"),
                cause);
    }

    private Future<?> listen(Map<String, HttpRoute> routes, Map<String, StreamRoute> streamRoutes) {
        HttpServer server = vertx.createHttpServer(serverOptions());
        Router router = Router.router(vertx);
        routes.forEach((path, route) -> router.route(path).handler(request -> ask(request, route)));
        streamRoutes.forEach((path, route) -> router.route(path).handler(request -> stream(request, route)));
        router.route().handler(this::other);
        router.errorHandler(400, request -> send(request.request(), HttpReply.text(400, NOT_UNDERSTOOD)));
        router.errorHandler(500, request -> send(request.request(), fault(request.failure())));
        server.connectionHandler(this::connected);
        server.invalidRequestHandler(StatusServer::invalid);
        // Before the router, which has opinions of its own on requests that are to be refused.
        server.requestHandler(request -> enter(request, router));
        vertx.setPeriodic(HEARTBEAT_MILLIS, id -> streams.forEach(EventStream::heartbeat));
        return server.listen().onSuccess(listening -> {
            port = listening.actualPort();
            gate = new HttpGate(settings, port);
        });
    }

    private HttpServerOptions serverOptions() {
        HttpServerOptions options = new HttpServerOptions()
                .setHost(settings.host())
                .setPort(settings.port())
                .setMaxHeaderSize(MOST_HEADER_BYTES)
                .setMaxInitialLineLength(MOST_LINE_BYTES)
                .setIdleTimeout(IDLE_SECONDS)
                .setIdleTimeoutUnit(TimeUnit.SECONDS)
                .setHttp2ClearTextEnabled(false)
                .setUseAlpn(false)
                .setCompressionSupported(false)
                .setDecompressionSupported(false);
        HttpSettings.Tls tls = settings.tls();
        if (tls != null) {
            options.setSsl(true)
                    .setSslHandshakeTimeout(TLS_HANDSHAKE_MILLIS)
                    .setSslHandshakeTimeoutUnit(TimeUnit.MILLISECONDS)
                    .setKeyCertOptions(new PemKeyCertOptions()
                            .setCertPath(tls.certificate().toString())
                            .setKeyPath(tls.key().toString()));
        }
        return options;
    }

    private void connected(HttpConnection connection) {
        String address = connection.remoteAddress().hostAddress();
        Peer peer = new Peer(connection, address == null ? "" : address);
        peers.put(connection, peer);
        peer.expectHead();
        connection.closeHandler(closed -> {
            peers.remove(connection);
            peer.forgetHead();
        });
    }

    private static void invalid(HttpServerRequest request) {
        SecurityHeaders.put(request.response());
        HttpServerRequest.DEFAULT_INVALID_REQUEST_HANDLER.handle(request);
    }

    private void enter(HttpServerRequest request, Router router) {
        HttpServerResponse response = request.response();
        SecurityHeaders.put(response);
        Peer peer = peers.get(request.connection());
        HttpGate ready = gate;
        if (peer == null || ready == null) {
            refuse(request, 503, "this node is about to start");
            return;
        }
        peer.headArrived(request);
        response.endHandler(ended -> peer.answered(request));
        if (!requestBudget.take(peer.address, peer.loopback)) {
            response.putHeader("Retry-After", "1");
            refuse(request, 429, "too many requests; ask again in a second, or open /status/stream");
            return;
        }
        HttpGate.Refusal refusal = ready.refuse(head(request, peer));
        if (refusal == null) {
            router.handle(request);
            return;
        }
        if (refusal.status() == 405) {
            response.putHeader("Allow", "GET, HEAD");
        } else if (refusal.status() == 401) {
            response.putHeader("WWW-Authenticate", "Bearer");
        }
        refuse(request, refusal.status(), refusal.sentence());
    }

    private HttpGate.Head head(HttpServerRequest request, Peer peer) {
        MultiMap headers = request.headers();
        boolean forwarded = isForwarded(headers);
        // The page itself tells nothing, and a browser that opens it has no way to send a header.
        boolean open =
                page.at(request.path()) != null || (peer.loopback && !forwarded && PROBES.contains(request.path()));
        String length = headers.get(HttpHeaders.CONTENT_LENGTH);
        return new HttpGate.Head(
                request.method().name(),
                headers.getAll(HttpHeaders.HOST),
                headers.getAll(HttpHeaders.ORIGIN),
                headers.getAll("Sec-Fetch-Site"),
                headers.getAll(HttpHeaders.AUTHORIZATION),
                forwarded,
                headers.contains(HttpHeaders.TRANSFER_ENCODING)
                        || (length != null && !length.trim().equals("0")),
                open);
    }

    private static boolean isForwarded(MultiMap headers) {
        return PROXY_HEADERS.stream().anyMatch(headers::contains);
    }

    /** What follows on a connection that sent something else than a question is not looked at. */
    private static void refuse(HttpServerRequest request, int status, String sentence) {
        request.response().putHeader(HttpHeaders.CONNECTION, "close");
        send(request, HttpReply.text(status, sentence + "\n"));
    }

    private void other(RoutingContext routing) {
        HttpReply file = page.at(routing.request().path());
        send(
                routing.request(),
                file != null
                        ? file
                        : HttpReply.text(404, "nothing is here; GET /status tells what this node is doing\n"));
    }

    private void ask(RoutingContext routing, HttpRoute route) {
        CompletionStage<HttpReply> asked;
        try {
            asked = route.answer(question(routing));
        } catch (RuntimeException e) {
            asked = CompletableFuture.failedFuture(e);
        }
        asked.whenComplete((reply, failure) ->
                loop.runOnContext(now -> send(routing.request(), failure == null ? reply : fault(failure))));
    }

    private void stream(RoutingContext routing, StreamRoute route) {
        HttpServerRequest request = routing.request();
        HttpServerResponse response = request.response();
        if (streams.size() >= MOST_STREAMS) {
            response.putHeader("Retry-After", "5");
            refuse(request, 503, "as many streams as this node gives are open: " + MOST_STREAMS);
            return;
        }
        EventStream stream = null;
        try {
            HttpQuestion question = question(routing);
            StreamFraming framing = framing(question);
            EventStream opening = new EventStream(loop, request, framing);
            stream = opening;
            streams.add(opening);
            response.closeHandler(closed -> {
                streams.remove(opening);
                opening.end();
            });
            StreamReader reader = route.open(question, opening::news);
            response.putHeader(HttpHeaders.CONTENT_TYPE, framing.type());
            if (request.method().equals(HttpMethod.HEAD)) {
                reader.close();
                streams.remove(opening);
                response.end();
                return;
            }
            response.setChunked(true);
            opening.begin(reader);
        } catch (RuntimeException e) {
            streams.remove(stream);
            send(request, fault(e));
        }
    }

    private static StreamFraming framing(HttpQuestion question) {
        String format = question.parameters().get("format");
        if (format == null) {
            return question.accept().contains("ndjson") ? StreamFraming.LINES : StreamFraming.EVENTS;
        }
        return switch (format) {
            case "ndjson" -> StreamFraming.LINES;
            case "sse" -> StreamFraming.EVENTS;
            default ->
                throw new HttpRefusalException(
                        400,
                        "a stream has the format \"sse\", for server-sent events, or \"ndjson\", for one JSON on each"
                                + " line");
        };
    }

    private HttpQuestion question(RoutingContext routing) {
        HttpServerRequest request = routing.request();
        Map<String, String> parameters = new LinkedHashMap<>();
        for (Map.Entry<String, String> parameter : routing.queryParams()) {
            if (parameters.put(parameter.getKey(), parameter.getValue()) != null) {
                throw new HttpRefusalException(400, "a parameter is given twice");
            }
        }
        String accept = request.getHeader(HttpHeaders.ACCEPT);
        Peer peer = peers.get(request.connection());
        HttpGate ready = gate;
        return new HttpQuestion(
                parameters,
                accept == null ? "" : accept,
                peer != null && peer.loopback && !isForwarded(request.headers()),
                ready != null && ready.isTrusted(request.headers().getAll(HttpHeaders.AUTHORIZATION)));
    }

    private static HttpReply fault(@Nullable Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        if (cause instanceof HttpRefusalException refusal) {
            return refusal.reply();
        }
        // How vertx-web says that a question is wrong, such as one with a percent sign that stands for nothing.
        if (cause instanceof HttpException wrong && wrong.getStatusCode() < 500) {
            return HttpReply.text(wrong.getStatusCode(), NOT_UNDERSTOOD);
        }
        LOG.error("a request for status failed", cause);
        return HttpReply.text(500, "this node failed to make its status; its log has more\n");
    }

    private static void send(HttpServerRequest request, HttpReply reply) {
        HttpServerResponse response = request.response();
        if (response.ended() || response.closed() || response.headWritten()) {
            return;
        }
        Buffer body = Buffer.buffer(reply.body());
        response.setStatusCode(reply.status())
                .putHeader(HttpHeaders.CONTENT_TYPE, reply.type())
                .putHeader(HttpHeaders.CONTENT_LENGTH, String.valueOf(body.length()));
        Future<Void> sent = request.method().equals(HttpMethod.HEAD) ? response.end() : response.end(body);
        sent.onFailure(failure -> LOG.debug("who asked for status did not wait for it", failure));
    }

    /** {@return where the port listens, such as {@code http://127.0.0.1:40123}} */
    public String url() {
        return settings.scheme() + "://" + settings.reachableHost() + ":" + port;
    }

    /** {@return completes, on any thread, when the port is closed} */
    public CompletableFuture<@Nullable Void> close() {
        return requireNonNull(vertx.close().toCompletionStage().toCompletableFuture());
    }

    /** The other end of a connection. */
    private final class Peer {
        private final HttpConnection connection;
        private final String address;
        private final boolean loopback;
        private @Nullable HttpServerRequest newest;
        private long timer = -1;

        Peer(HttpConnection connection, String address) {
            this.connection = connection;
            this.address = address;
            this.loopback = thisMachine.test(address);
        }

        void expectHead() {
            if (timer < 0) {
                timer = vertx.setTimer(HEAD_MILLIS, id -> connection.close());
            }
        }

        void headArrived(HttpServerRequest request) {
            newest = request;
            forgetHead();
        }

        /** Where the next request had come already, Vert.x begins with it before it tells of the end of this one. */
        void answered(HttpServerRequest request) {
            if (request == newest) {
                expectHead();
            }
        }

        void forgetHead() {
            if (timer >= 0) {
                vertx.cancelTimer(timer);
                timer = -1;
            }
        }
    }
}
