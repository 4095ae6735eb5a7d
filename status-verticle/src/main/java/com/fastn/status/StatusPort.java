package com.fastn.status;

import static java.util.Objects.requireNonNull;

import com.fastn.context.Ticker;
import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.NodeIdentity;
import com.fastn.context.vertx.FastnVertx;
import com.fastn.status.NodeDirectory.Answer;
import com.fastn.status.NodeDirectory.Peer;
import com.fastn.status.NodeDirectory.Selection;
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
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers HTTP on a Vertx of its own, which shares no thread with the application and so answers while every event loop and
 * every worker of the application is blocked.
 */
final class StatusPort {
    private static final int MOST_CONNECTIONS = 64;
    private static final int MOST_HEADER_BYTES = 8_192;
    private static final int MOST_LINE_BYTES = 1_024;
    private static final int IDLE_SECONDS = 10;
    /** Beyond the time that each node has: the way to the event loop of the application and back. */
    private static final long GRACE_MILLIS = 500;

    private static final String TEXT = "text/plain; charset=utf-8";
    private static final String JSON = "application/json; charset=utf-8";
    private static final Logger LOG = LoggerFactory.getLogger(StatusPort.class);

    private final Vertx vertx;
    private final StatusOptions options;
    private final LocalStatus local;
    private final NodeDirectory directory;
    private final Function<StatusQuery, CompletableFuture<ClusterStatus>> cluster;
    private final Ticker ticker;
    private final AtomicInteger connections = new AtomicInteger();
    private volatile int port;
    private volatile @Nullable HttpGate gate;

    private StatusPort(
            Vertx vertx,
            StatusOptions options,
            LocalStatus local,
            NodeDirectory directory,
            Function<StatusQuery, CompletableFuture<ClusterStatus>> cluster,
            Ticker ticker) {
        this.vertx = vertx;
        this.options = options;
        this.local = local;
        this.directory = directory;
        this.cluster = cluster;
        this.ticker = ticker;
    }

    /**
     * Opens the port.
     *
     * @param options where
     * @param local answers for this node
     * @param directory knows the other nodes
     * @param cluster asks them, over the bus of the application
     * @param ticker the source of time
     * @return completes, on any thread, when the port listens
     */
    static CompletableFuture<StatusPort> open(
            StatusOptions options,
            LocalStatus local,
            NodeDirectory directory,
            Function<StatusQuery, CompletableFuture<ClusterStatus>> cluster,
            Ticker ticker) {
        CompletableFuture<StatusPort> opened = new CompletableFuture<>();
        // A thread of its own: making a Vertx takes a while, and Vert.x warns when it is made on a thread of another
        // one.
        Thread opener = new Thread(
                () -> {
                    try {
                        Vertx own = FastnVertx.withoutContexts(() -> Vertx.vertx(smallVertx()));
                        StatusPort port = new StatusPort(own, options, local, directory, cluster, ticker);
                        port.listen().onComplete(listening -> {
                            if (listening.succeeded()) {
                                opened.complete(port);
                            } else {
                                own.close()
                                        .onComplete(closed ->
                                                opened.completeExceptionally(cannotListen(options, listening.cause())));
                            }
                        });
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
                .setWorkerPoolSize(2)
                .setInternalBlockingPoolSize(1)
                .setUseDaemonThread(true)
                .setFileSystemOptions(
                        new FileSystemOptions().setFileCachingEnabled(false).setClassPathResolvingEnabled(false));
    }

    private static IllegalStateException cannotListen(StatusOptions options, Throwable cause) {
        return new IllegalStateException(
                "the status port cannot listen on " + options.getHttpHost() + ":" + options.getHttpPort() + " ("
                        + cause.getMessage() + "); choose another httpPort, 0 for any free one, or \"http\": false for"
                        + " none",
                cause);
    }

    private Future<?> listen() {
        HttpServer server = vertx.createHttpServer(new HttpServerOptions()
                .setHost(options.getHttpHost())
                .setPort(options.getHttpPort())
                .setMaxHeaderSize(MOST_HEADER_BYTES)
                .setMaxInitialLineLength(MOST_LINE_BYTES)
                .setIdleTimeout(IDLE_SECONDS)
                .setIdleTimeoutUnit(TimeUnit.SECONDS)
                .setHttp2ClearTextEnabled(false)
                .setCompressionSupported(false)
                .setDecompressionSupported(false));
        Router router = Router.router(vertx);
        server.connectionHandler(this::count);
        server.invalidRequestHandler(StatusPort::invalid);
        route(router);
        // Before the router, which has opinions of its own on requests that are to be refused.
        server.requestHandler(request -> enter(request, router));
        return server.listen().onSuccess(listening -> {
            port = listening.actualPort();
            gate = new HttpGate(port, options.getAllowedHosts());
        });
    }

    private void route(Router router) {
        router.route("/status").handler(this::status);
        router.route("/health").handler(this::health);
        router.route()
                .handler(request ->
                        answer(request, 404, TEXT, "nothing is here; GET /status tells what this node is doing\n"));
        router.errorHandler(400, request -> answer(request, 400, TEXT, "this request is not understood\n"));
        router.errorHandler(500, request -> {
            LOG.error("a request for status failed", request.failure());
            answer(request, 500, TEXT, "this node failed to make its status; its log has more\n");
        });
    }

    private void count(HttpConnection connection) {
        connection.closeHandler(closed -> connections.decrementAndGet());
        if (connections.incrementAndGet() > MOST_CONNECTIONS) {
            connection.close();
        }
    }

    private static void invalid(HttpServerRequest request) {
        secure(request.response());
        HttpServerRequest.DEFAULT_INVALID_REQUEST_HANDLER.handle(request);
    }

    private void enter(HttpServerRequest request, Router router) {
        secure(request.response());
        HttpGate ready = gate;
        if (ready == null) {
            answer(request, 503, TEXT, "this node is about to start\n");
            return;
        }
        MultiMap headers = request.headers();
        HttpGate.Refusal refusal = ready.refuse(new HttpGate.Head(
                request.method().name(),
                headers.getAll(HttpHeaders.HOST),
                headers.getAll(HttpHeaders.ORIGIN),
                headers.getAll("Sec-Fetch-Site"),
                hasBody(headers)));
        if (refusal == null) {
            router.handle(request);
            return;
        }
        if (refusal.status() == 405) {
            request.response().putHeader("Allow", "GET, HEAD");
        }
        // What follows on a connection that sent something else than a question is not looked at.
        request.response().putHeader(HttpHeaders.CONNECTION, "close");
        answer(request, refusal.status(), TEXT, refusal.sentence() + "\n");
    }

    private static boolean hasBody(MultiMap headers) {
        String length = headers.get(HttpHeaders.CONTENT_LENGTH);
        return headers.contains(HttpHeaders.TRANSFER_ENCODING)
                || (length != null && !length.trim().equals("0"));
    }

    private static void secure(HttpServerResponse response) {
        response.putHeader(
                        "Content-Security-Policy",
                        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
                .putHeader("X-Content-Type-Options", "nosniff")
                .putHeader("Referrer-Policy", "no-referrer")
                .putHeader("Cross-Origin-Resource-Policy", "same-origin")
                .putHeader("Cache-Control", "no-store");
    }

    private void health(RoutingContext request) {
        NodeIdentity self = directory.self();
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("status", "UP");
        body.put("alias", self.alias());
        body.put("incarnation", self.incarnation());
        answer(request, 200, JSON, new io.vertx.core.json.JsonObject(body).encode() + "\n");
    }

    private void status(RoutingContext request) {
        StatusQuery query;
        boolean wholeCluster;
        try {
            Map<String, String> parameters = parameters(request.queryParams());
            query = StatusQuery.ofParameters(parameters, preferred(request));
            wholeCluster = scope(parameters) || !query.nodes().isEmpty();
        } catch (BadQueryException e) {
            answer(request, e.code(), TEXT, e.sentence() + "\n");
            return;
        }
        String type = query.format() == StatusQuery.Format.JSON ? JSON : TEXT;
        Future<Buffer> body = wholeCluster
                ? askCluster(query).compose(status -> vertx.executeBlocking(() -> write(status, query), false))
                : vertx.executeBlocking(() -> write(local.take(query, LocalStatus.HTTP_WAIT), query), false);
        body.onSuccess(written -> answer(request.request(), 200, type, written)).onFailure(failure -> {
            if (failure instanceof BadQueryException bad) {
                answer(request, bad.code(), TEXT, bad.sentence() + "\n");
            } else {
                request.fail(500, failure);
            }
        });
    }

    private static Map<String, String> parameters(MultiMap all) {
        Map<String, String> parameters = new LinkedHashMap<>();
        for (Map.Entry<String, String> parameter : all) {
            if (parameters.put(parameter.getKey(), parameter.getValue()) != null) {
                throw new BadQueryException(
                        BadQueryException.MALFORMED,
                        "parameter \"" + Printable.line(parameter.getKey()) + "\" is given twice");
            }
        }
        return parameters;
    }

    private static boolean scope(Map<String, String> parameters) {
        String scope = parameters.getOrDefault("scope", "node");
        if (!scope.equals("node") && !scope.equals("cluster")) {
            throw new BadQueryException(
                    BadQueryException.MALFORMED, NearestNames.unknown("scope", scope, List.of("cluster", "node")));
        }
        return scope.equals("cluster");
    }

    private static StatusQuery.Format preferred(RoutingContext request) {
        String accept = request.request().getHeader(HttpHeaders.ACCEPT);
        return accept != null && accept.contains("application/json") && !accept.contains("text/html")
                ? StatusQuery.Format.JSON
                : StatusQuery.Format.TEXT;
    }

    /** Asks over the bus of the application; when that does not answer, says so in place of the other nodes. */
    private Future<ClusterStatus> askCluster(StatusQuery query) {
        Selection selection;
        try {
            selection = directory.select(query.nodes());
        } catch (BadQueryException e) {
            return Future.failedFuture(e);
        }
        CompletableFuture<ClusterStatus> asked = cluster.apply(query);
        long timeout = options.getQueryTimeout() + GRACE_MILLIS;
        long timer = vertx.setTimer(timeout, id -> asked.completeExceptionally(new BusSilentException()));
        return Future.fromCompletionStage(asked, vertx.getOrCreateContext())
                .onComplete(done -> vertx.cancelTimer(timer))
                .recover(failure -> failure instanceof BusSilentException
                        ? vertx.executeBlocking(() -> withoutBus(query, selection, timeout), false)
                        : Future.failedFuture(failure));
    }

    private ClusterStatus withoutBus(StatusQuery query, Selection selection, long timeout) {
        List<Answer> answers = new ArrayList<>();
        if (selection.self()) {
            answers.add(new Answer(
                    directory.selfAsPeer(), true, query.isWhole(), null, local.take(query, LocalStatus.HTTP_WAIT)));
        }
        for (Peer peer : selection.peers()) {
            answers.add(new Answer(
                    peer,
                    false,
                    query.isWhole(),
                    "not asked: the event bus of "
                            + Printable.line(directory.self().alias()) + " did not answer within " + timeout
                            + " ms; the event loop of its status verticle may be blocked",
                    null));
        }
        return new ClusterStatus(ticker.wallTime(), directory.self().alias(), directory.judge(answers));
    }

    private static Buffer write(ClusterStatus status, StatusQuery query) {
        return query.format() == StatusQuery.Format.JSON
                ? Buffer.buffer(Answers.json(status))
                : Buffer.buffer(Answers.text(status, query));
    }

    private static Buffer write(com.fastn.context.status.StatusSnapshot snapshot, StatusQuery query) {
        return query.format() == StatusQuery.Format.JSON
                ? Buffer.buffer(Answers.json(snapshot))
                : Buffer.buffer(Answers.text(snapshot, query));
    }

    private static void answer(RoutingContext request, int status, String type, String body) {
        answer(request.request(), status, type, Buffer.buffer(body));
    }

    private static void answer(HttpServerRequest request, int status, String type, String body) {
        answer(request, status, type, Buffer.buffer(body));
    }

    private static void answer(HttpServerRequest request, int status, String type, Buffer body) {
        HttpServerResponse response = request.response();
        if (response.ended() || response.closed()) {
            return;
        }
        response.setStatusCode(status)
                .putHeader(HttpHeaders.CONTENT_TYPE, type)
                .putHeader(HttpHeaders.CONTENT_LENGTH, String.valueOf(body.length()));
        Future<Void> sent = request.method().equals(HttpMethod.HEAD) ? response.end() : response.end(body);
        sent.onFailure(failure -> LOG.debug("who asked for status did not wait for it", failure));
    }

    /** {@return where the port listens, such as {@code http://127.0.0.1:40123}} */
    String url() {
        String host = options.getHttpHost();
        boolean bareV6 = host.contains(":") && !host.startsWith("[");
        return "http://" + (bareV6 ? "[" + host + "]" : host) + ":" + port;
    }

    /** {@return completes, on any thread, when the port is closed} */
    CompletableFuture<@Nullable Void> close() {
        return requireNonNull(vertx.close().toCompletionStage().toCompletableFuture());
    }

    /** The event bus of the application did not answer in time. */
    private static final class BusSilentException extends RuntimeException {
        private static final long serialVersionUID = 1;

        BusSilentException() {
            super("the event bus did not answer", null, false, false);
        }
    }
}
