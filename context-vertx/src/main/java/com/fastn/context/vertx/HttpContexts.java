package com.fastn.context.vertx;

import com.fastn.context.LiveCount;
import com.fastn.context.engine.ContextNode;
import com.fastn.context.status.CancelReason;
import com.fastn.context.status.ContextKind;
import com.fastn.context.status.ContextState;
import io.vertx.core.Future;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.internal.ContextInternal;
import io.vertx.core.internal.http.HttpServerRequestInternal;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The contexts of HTTP requests that are served: open from the request's head to the end of the response. Those of HTTP/1 are
 * children of the port that they came to; of an HTTP/2 request Vert.x does not tell the connection, so it is one of the
 * verticle, unless the server tells us of its connections.
 */
final class HttpContexts {
    private static final Logger LOG = LoggerFactory.getLogger(HttpContexts.class);
    private static final String CUT_OFF = "the connection ended before the response did";
    /** Nobody has told a status: 0 is one that is not known. */
    private static final int NO_HEAD = -1;

    private static final int FIRST_FAILURE = 400;
    private static final int INTERIM_CLASS = 1;
    private static final int SWITCHING_PROTOCOLS = 101;
    private static final int SUCCESS_CLASS = 2;

    private final VerticleContexts verticles;
    private final AutomaticContexts automatic;
    private final Listeners listeners;
    private final Sessions sessions;
    private final UntoldRequests untold;
    private final HttpNames names = new HttpNames();
    private final CallNames callNames = new CallNames();
    private final ConcurrentHashMap<HttpConnection, Connection> connections = new ConcurrentHashMap<>();

    private volatile boolean toldHeadsOnly;

    @SuppressWarnings(
            "ThreadLocalUsage") // there is one of these for each Vertx, and what it keeps is empty between two reads
    private final ThreadLocal<@Nullable Http2Streams> reading = new ThreadLocal<>();

    HttpContexts(
            VerticleContexts verticles,
            AutomaticContexts automatic,
            Listeners listeners,
            Sessions sessions,
            UntoldRequests untold) {
        this.verticles = verticles;
        this.automatic = automatic;
        this.listeners = listeners;
        this.sessions = sessions;
        this.untold = untold;
        // Each is taken out by its end, which is told on the verticle's own Vert.x context: of one that is gone it may
        // be lost.
        listeners.whenGone(verticle -> connections.values().removeIf(connection -> connection.verticle == verticle));
    }

    /** A connection that requests come on, until its end. */
    static final class Connection {
        private final ContextNode verticle;
        private final String port;
        // Another one when that was cancelled or closed meanwhile.
        private volatile ContextNode listener;
        private final AtomicReference<@Nullable LiveCount> live = new AtomicReference<>();
        // Of HTTP/1, which answers one request after the other. Of a stream of HTTP/2 Vert.x tells the end itself.
        private final AtomicReference<@Nullable Exchange> serving = new AtomicReference<>();
        private volatile boolean over;

        private Connection(ContextNode verticle, String port, ContextNode listener) {
            this.verticle = verticle;
            this.port = port;
            this.listener = listener;
        }

        /** Counts it as one of its listener, until it ends or moves to another one. */
        @SuppressWarnings("MustBeClosedChecker") // closed when the connection ends
        private void count() {
            LiveCount before = live.getAndSet(listener.trackLive(Listeners.CONNECTIONS));
            if (before != null) {
                before.close();
            }
            if (over) {
                endCount();
            }
        }

        private void endCount() {
            LiveCount counted = live.get();
            if (counted != null) {
                counted.close();
            }
        }

        private void moveTo(ContextNode another) {
            listener = another;
            if (live.get() != null) {
                count();
            }
        }

        private void begin(Exchange exchange) {
            serving.set(exchange);
            if (over) {
                endServing();
            }
        }

        private void served(Exchange exchange) {
            serving.compareAndSet(exchange, null);
        }

        private void end() {
            over = true;
            endCount();
            endServing();
        }

        private void endServing() {
            Exchange exchange = serving.getAndSet(null);
            if (exchange != null) {
                endWithConnection(exchange);
            }
        }
    }

    /** A request that is served: who serves it, and what Vert.x tells of it. */
    static final class Exchange {
        private static final AtomicIntegerFieldUpdater<Exchange> COUNTED =
                AtomicIntegerFieldUpdater.newUpdater(Exchange.class, "counted");

        private final ContextNode served;
        private final ContextInternal place;
        private final Object request;
        private final @Nullable Connection connection;
        private volatile int counted;
        // Of a stream whose end is told; it is set before anybody else sees the request.
        private boolean endsWithStream;
        // What a router tells comes on any thread.
        private volatile boolean streamEnded;
        private volatile boolean hadInterim;
        private volatile int status = NO_HEAD;

        private Exchange(ContextNode served, ContextInternal place, Object request, @Nullable Connection connection) {
            this.served = served;
            this.place = place;
            this.request = request;
            this.connection = connection;
        }

        ContextNode served() {
            return served;
        }

        /** Whether the end of its stream is its end. */
        boolean endsWithStream() {
            return endsWithStream;
        }

        /** Whether that is still to come. */
        boolean waitsForItsStream() {
            return endsWithStream && !streamEnded;
        }

        /** Nobody tells how it ended. */
        void giveUp() {
            var unused = count();
        }

        /** Whether the caller is the one that tells how it ended. */
        private boolean count() {
            return counted == 0 && COUNTED.compareAndSet(this, 0, 1);
        }
    }

    /** How many connections of HTTP servers are known at this moment. */
    int connections() {
        return connections.size();
    }

    /** Whether of a request of HTTP/2 the tracer is told its head and that of its response: from Vert.x 5.1 on. */
    boolean isToldHeadsOnly() {
        return toldHeadsOnly;
    }

    /** Those of which the tracer is told no end. */
    UntoldRequests untold() {
        return untold;
    }

    /** The names of what is asked of others. */
    CallNames callNames() {
        return callNames;
    }

    /**
     * Opens a request's context, which is the current one of everything that follows on the request's Vert.x context; null
     * when none is wanted, or the verticle that serves it is ending.
     *
     * @param request what Vert.x tells of the request: an {@link HttpServerRequest} in HTTP/1, its headers otherwise
     */
    @Nullable
    Exchange begin(ContextInternal context, Object request, String method, String path) {
        VertxContextOptions options = automatic.options();
        ContextNode verticle = options.isRequests() ? verticles.hostOf(context.unwrap()) : null;
        if (verticle == null) {
            return null;
        }
        boolean toTheEnd = request instanceof HttpServerRequest;
        if (!toTheEnd && !toldHeadsOnly) {
            toldHeadsOnly = true;
        }
        Http2Streams read = toTheEnd ? null : readFor(verticle);
        Connection connection = request instanceof HttpServerRequest http
                ? connection(verticle, http)
                : read == null ? null : read.connection();
        ContextNode server = connection == null ? verticle : server(connection);
        ContextNode served =
                automatic.openCounted(server, ContextKind.REQUEST, name(options, method, path), null, "requests");
        if (served == null) {
            return null;
        }
        server.touch("request");
        if (context.isDuplicate()) {
            ContextSlot.put(context, served);
        }
        Exchange exchange = new Exchange(served, context, request, connection);
        if (connection != null && request instanceof HttpServerRequest http && http.version() != HttpVersion.HTTP_2) {
            connection.begin(exchange);
        }
        exchange.endsWithStream = read != null && read.endsWithStream(exchange);
        return exchange;
    }

    /** The connection of HTTP/2 that this thread reads a request of a verticle from, where it is known. */
    private @Nullable Http2Streams readFor(ContextNode verticle) {
        Http2Streams now = reading.get();
        return now != null && now.connection().verticle == verticle ? now : null;
    }

    private String name(VertxContextOptions options, String method, String path) {
        RoutePatterns routes = options.routes();
        String route = routes.isEmpty() ? null : routes.match(method, HttpNames.withoutQuery(path));
        return route == null ? names.request(method, path) : HttpNames.method(method) + " " + route;
    }

    /** What a request of a connection is a child of. */
    private ContextNode server(Connection connection) {
        ContextNode known = connection.listener;
        if (Listeners.isUsable(connection.verticle, known)) {
            return known;
        }
        ContextNode now = listeners.of(connection.verticle, connection.port);
        if (now != known) {
            connection.moveTo(now);
        }
        return now;
    }

    private Connection connection(ContextNode verticle, HttpServerRequest request) {
        Connection known = connections.get(request.connection());
        return known != null ? known : first(verticle, request.connection());
    }

    /** Begins to observe a connection that no request has come on yet. */
    void connected(ContextInternal place, HttpConnection connection) {
        ContextNode verticle = verticles.hostOf(place.unwrap());
        if (verticle != null && !connections.containsKey(connection)) {
            Connection made = first(verticle, connection);
            Http2Streams.observe(this, made, connection, reading);
        }
    }

    private Connection first(ContextNode verticle, HttpConnection connection) {
        String port = ListeningServer.name("http", connection.localAddress(true));
        Connection made = new Connection(verticle, port, listeners.of(verticle, port));
        Future<?> end = ConnectionEnds.of(connection);
        if (end == null) {
            return made;
        }
        Connection earlier = connections.putIfAbsent(connection, made);
        if (earlier != null) {
            return earlier;
        }
        if (verticle.state() != ContextState.ACTIVE) {
            // Its verticle ended meanwhile: who forgets all connections may have looked before this one was among them.
            connections.remove(connection, made);
        }
        made.count();
        end.onComplete(ended -> {
            connections.remove(connection);
            Quietly.run("the request of a connection that ended was not ended", made::end);
        });
        return made;
    }

    /**
     * Ends a request's context. In HTTP/1 Vert.x tells at most once of a response, when it has ended; where it does not, the
     * end of the connection is that of the request. Of one of HTTP/2 it may tell
     * several times: of its head, and of a stream that was reset before or after it. What is told first is how it ended,
     * but a head counts only when nothing is left of the request, as it may be streamed until then. An interim one is no end,
     * though Vert.x tells of no head after it.
     *
     * @param response what Vert.x tells of the response
     * @param failure why there was no whole response, or {@code null}
     * @param status the status of the response, or 0 when it is not known
     */
    void end(Exchange exchange, @Nullable Object response, @Nullable Throwable failure, int status) {
        if (exchange.request instanceof HttpServerRequest http) {
            endOfHttp1(exchange, http, response, failure, status);
        } else if (failure != null) {
            wasCutOff(exchange);
        } else if (status / 100 == INTERIM_CLASS) {
            exchange.hadInterim = true;
            untold.expect(exchange);
        } else if (exchange.endsWithStream) {
            exchange.status = status;
        } else {
            hadItsHead(exchange, status);
        }
    }

    /**
     * Ends a request whose stream of HTTP/2 has ended.
     *
     * @param whole whether the response went out to its end
     */
    void streamEnded(Exchange exchange, boolean whole) {
        // In this order: a router tells the status first, and looks at the stream then.
        exchange.streamEnded = true;
        int status = exchange.status;
        if (exchange.counted != 0) {
            // Vert.x has told that it was reset, or the router how it was answered.
            return;
        }
        if (!whole) {
            wasCutOff(exchange);
        } else if (status != NO_HEAD) {
            wentOutWhole(exchange, status);
        } else if (exchange.hadInterim) {
            untold.endSoon(exchange);
        } else {
            wasCutOff(exchange);
        }
    }

    private void wentOutWhole(Exchange exchange, int status) {
        var unused = untold.take(exchange.served);
        if (exchange.count()) {
            countAnswer(exchange.served, status);
            exchange.served.closeWhenDone();
        }
    }

    private void wasCutOff(Exchange exchange) {
        var unused = untold.take(exchange.served);
        if (exchange.count()) {
            countCancelled(exchange.served);
        }
        // Also what goes on after its head: the end of that is of use to nobody now.
        exchange.served.cancel(CancelReason.Kind.REQUESTED, CUT_OFF);
        Endings.whenNothingIsLeft(exchange.served);
    }

    /** Ends a request of which the tracer is told nothing more, where somebody else knows its end. */
    void endUntold(ContextNode served, HttpServerResponse response, @Nullable Throwable failure) {
        Exchange exchange = untold.take(served);
        if (exchange == null) {
            return;
        }
        if (failure != null || !response.ended()) {
            wasCutOff(exchange);
            return;
        }
        int status = response.getStatusCode();
        if (!exchange.endsWithStream) {
            hadItsHead(exchange, status);
            return;
        }
        // Handed over whole, which says nothing of what the peer has read.
        exchange.status = status;
        if (exchange.streamEnded) {
            wentOutWhole(exchange, status);
        }
    }

    private void endOfHttp1(
            Exchange exchange,
            HttpServerRequest http,
            @Nullable Object response,
            @Nullable Throwable failure,
            int status) {
        ContextNode served = exchange.served;
        if (!exchange.count()) {
            return;
        }
        if (exchange.connection != null) {
            exchange.connection.served(exchange);
        }
        countBytes(served, http, response);
        if (!wasAnswered(http, response, failure)) {
            countCancelled(served);
            cancelAndEnd(exchange, http, CUT_OFF);
            return;
        }
        countAnswer(served, status);
        if (status == SWITCHING_PROTOCOLS && failure == null) {
            beginSession(served, http);
        }
        served.closeWhenDone();
    }

    /**
     * Cancels a request and ends it. Vert.x tells of a connection that broke off while it holds its monitor: there the handlers
     * of a cancellation, which are the application's, could wait for a thread that waits for that monitor. They run a turn later
     * then.
     */
    private static void cancelAndEnd(Exchange exchange, HttpServerRequest http, String why) {
        Runnable end = () -> {
            exchange.served.cancel(CancelReason.Kind.REQUESTED, why);
            exchange.served.closeWhenDone();
        };
        if (Thread.holdsLock(http.connection())) {
            try {
                exchange.place
                        .nettyEventLoop()
                        .execute(() -> Quietly.run("a request that was cut off was not ended", end));
                return;
            } catch (RejectedExecutionException e) {
                LOG.debug("a request is cancelled at once, as its event loop has ended", e);
            }
        }
        end.run();
    }

    /**
     * Ends a request whose connection has ended. Vert.x tells nobody of a response that it was given whole and could not send
     * whole, as a file that the peer did not want to the end, nor of a request that became a tunnel.
     */
    private static void endWithConnection(Exchange exchange) {
        if (!(exchange.request instanceof HttpServerRequest http) || !exchange.count()) {
            return;
        }
        ContextNode served = exchange.served;
        @Nullable HttpServerResponse response = http.response();
        countBytes(served, http, null);
        if (response == null || !isTunnel(http, response)) {
            countCancelled(served);
            cancelAndEnd(exchange, http, CUT_OFF);
            return;
        }
        countAnswer(served, response.getStatusCode());
        if (served.isChildless()) {
            served.closeWhenDone();
        } else {
            cancelAndEnd(exchange, http, "the connection ended");
        }
    }

    /** Whether all that follows the head of a response is the application's own protocol, until the connection ends. */
    private static boolean isTunnel(HttpServerRequest http, HttpServerResponse response) {
        int status = response.getStatusCode();
        return response.headWritten()
                && (status == SWITCHING_PROTOCOLS
                        || (HttpMethod.CONNECT.equals(http.method()) && status / 100 == SUCCESS_CLASS));
    }

    /** Vert.x 5.0 tells no failure of a stream of HTTP/2 that was reset after its request: its response was never ended. */
    private static boolean wasAnswered(HttpServerRequest http, @Nullable Object response, @Nullable Throwable failure) {
        boolean cutOff =
                http.version() == HttpVersion.HTTP_2 && response instanceof HttpServerResponse sent && !sent.ended();
        return failure == null && !cutOff;
    }

    /** Of its end nobody is told. */
    private static void hadItsHead(Exchange exchange, int status) {
        ContextNode served = exchange.served;
        if (served.isChildless()) {
            if (exchange.count()) {
                countAnswer(served, status);
            }
            served.closeWhenDone();
        } else {
            var unused = served.whenChildless(() -> hadItsHead(exchange, status));
        }
    }

    private static void countCancelled(ContextNode served) {
        served.incrementTotal("cancelled_requests");
    }

    private static void countAnswer(ContextNode served, int status) {
        if (status >= FIRST_FAILURE) {
            served.incrementTotal("failed_requests");
            served.failed(new HttpStatus(status));
        } else {
            served.incrementTotal("successful_requests");
        }
    }

    private static void countBytes(ContextNode served, HttpServerRequest request, @Nullable Object response) {
        ContextNode server = served.parent();
        if (server == null) {
            return;
        }
        long read = request.bytesRead();
        if (read > 0) {
            server.addTotal("bytes_read", read);
        }
        long written = response instanceof HttpServerResponse http ? http.bytesWritten() : 0;
        if (written > 0) {
            server.addTotal("bytes_written", written);
        }
    }

    /** From here on the connection is that of a WebSocket, which runs where its request did. */
    private void beginSession(ContextNode served, HttpServerRequest request) {
        ContextNode server = served.parent();
        Future<?> end = ConnectionEnds.of(request.connection());
        if (server == null || end == null || !(request instanceof HttpServerRequestInternal internal)) {
            return;
        }
        ContextInternal place = internal.context();
        ContextNode session = sessions.open(
                server, request.remoteAddress(), request.localAddress(), request.connection(), end, place);
        if (session == null) {
            return;
        }
        if (place.isDuplicate()) {
            ContextSlot.become(place, session);
        }
        Quietly.run(
                "the bytes of a WebSocket are not counted", () -> SessionBytes.count(request.connection(), session));
    }

    /** A response that is a failure, as the list of recent contexts shows it; nobody throws it, so it has no stack. */
    private static final class HttpStatus extends RuntimeException {
        private static final long serialVersionUID = 1;

        HttpStatus(int status) {
            super(Integer.toString(status), null, false, false);
        }
    }
}
