package com.fastn.context.vertx;

import com.fastn.context.LiveCount;
import com.fastn.context.engine.ContextNode;
import com.fastn.context.status.CancelReason;
import com.fastn.context.status.ContextKind;
import io.vertx.core.Future;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.internal.ContextInternal;
import io.vertx.core.internal.http.HttpServerRequestInternal;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The contexts of HTTP requests that are served: open from the request's head to the end of the response. Those of HTTP/1 are
 * children of the port that they came to; of an HTTP/2 request Vert.x does not tell the connection, so it is one of the
 * verticle.
 */
final class HttpContexts {
    private static final int FIRST_FAILURE = 400;
    private static final int SWITCHING_PROTOCOLS = 101;

    private final VerticleContexts verticles;
    private final AutomaticContexts automatic;
    private final Listeners listeners;
    private final Sessions sessions;
    private final ConcurrentHashMap<HttpConnection, ContextNode> connections = new ConcurrentHashMap<>();

    HttpContexts(VerticleContexts verticles, AutomaticContexts automatic, Listeners listeners, Sessions sessions) {
        this.verticles = verticles;
        this.automatic = automatic;
        this.listeners = listeners;
        this.sessions = sessions;
    }

    /**
     * Opens a request's context, which is the current one of everything that follows on the request's Vert.x context; null
     * when none is wanted, or the verticle that serves it is ending.
     *
     * @param request what Vert.x tells of the request: an {@link HttpServerRequest} in HTTP/1, its headers otherwise
     */
    @Nullable
    ContextNode begin(ContextInternal context, Object request, String method, String path) {
        VertxContextOptions options = automatic.options();
        ContextNode verticle = options.isRequests() ? verticles.hostOf(context.unwrap()) : null;
        if (verticle == null) {
            return null;
        }
        ContextNode server =
                request instanceof HttpServerRequest http ? listener(verticle, http.connection(), http) : verticle;
        ContextNode served = automatic.open(server, ContextKind.REQUEST, name(options, method, path), null);
        if (served == null) {
            return null;
        }
        served.persist();
        served.incrementTotal("requests");
        served.incrementLive("requests");
        server.touch("request");
        if (context.isDuplicate()) {
            ContextSlot.put(context, served);
        }
        return served;
    }

    private static String name(VertxContextOptions options, String method, String path) {
        String route = options.routes().match(method, HttpNames.withoutQuery(path));
        return route == null ? HttpNames.request(method, path) : HttpNames.method(method) + " " + route;
    }

    private ContextNode listener(ContextNode verticle, HttpConnection connection, HttpServerRequest request) {
        ContextNode known = connections.get(connection);
        return known != null ? known : firstRequest(verticle, connection, request);
    }

    @SuppressWarnings("MustBeClosedChecker") // closed when the connection ends
    private ContextNode firstRequest(ContextNode verticle, HttpConnection connection, HttpServerRequest request) {
        int port = request.localAddress().port();
        ContextNode listener = listeners.of(verticle, port < 0 ? "http" : "http:" + port);
        Future<?> end = ConnectionEnds.of(connection);
        if (end != null) {
            connections.put(connection, listener);
            LiveCount live = listener.trackLive(Listeners.CONNECTIONS);
            end.onComplete(ended -> {
                connections.remove(connection);
                live.close();
            });
        }
        return listener;
    }

    /**
     * Ends a request's context.
     *
     * @param request what Vert.x told of the request
     * @param response what Vert.x tells of the response
     * @param failure why there was no whole response, or {@code null}
     * @param status the status of the response, or 0 when it is not known
     */
    void end(ContextNode served, Object request, @Nullable Object response, @Nullable Throwable failure, int status) {
        if (failure != null) {
            served.incrementTotal("cancelled_requests");
            served.cancel(CancelReason.Kind.REQUESTED, "the connection ended before the response did");
        } else if (status >= FIRST_FAILURE) {
            served.incrementTotal("failed_requests");
            served.failed(new HttpStatus(status));
        } else {
            served.incrementTotal("successful_requests");
        }
        if (request instanceof HttpServerRequest http) {
            countBytes(served, http, response);
            if (status == SWITCHING_PROTOCOLS && failure == null) {
                beginSession(served, http);
            }
            served.closeWhenDone();
        } else {
            // In HTTP/2 this is the response's head, and of its end nobody is told.
            Endings.whenNothingIsLeft(served);
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
        ContextNode session = sessions.open(server, request.remoteAddress(), request.localAddress(), end, place);
        if (session != null && place.isDuplicate()) {
            ContextSlot.put(place, session);
        }
    }

    /** A response that is a failure, as the list of recent contexts shows it; nobody throws it, so it has no stack. */
    private static final class HttpStatus extends RuntimeException {
        private static final long serialVersionUID = 1;

        HttpStatus(int status) {
            super(Integer.toString(status), null, false, false);
        }
    }
}
