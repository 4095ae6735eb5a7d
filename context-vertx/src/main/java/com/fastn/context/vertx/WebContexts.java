package com.fastn.context.vertx;

import static java.util.Objects.requireNonNull;

import com.fastn.context.FastnContext;
import com.fastn.context.engine.ContextNode;
import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.vertx.core.Handler;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.internal.ContextInternal;
import io.vertx.ext.web.Route;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What needs vertx-web on the class path: apart, so that nothing else does. */
public final class WebContexts {
    private WebContexts() {}

    /**
     * Gives the context of a request that a router serves, from any thread.
     *
     * @param routing the request's routing context
     * @return its context, or the one that its server runs in when it has none of its own; where contexts are not
     *     installed it is the root that {@link FastnContext#global} gives
     */
    public static FastnContext context(RoutingContext routing) {
        requireNonNull(routing, "routing");
        FastnVertx fastn = FastnVertx.installedIn(routing.vertx());
        return fastn == null ? FastnContext.global() : fastn.context(routing.request());
    }

    /**
     * Gives each request a context where our tracer does not, for want of its place in Vert.x: {@code
     * router.route().handler(WebContexts.requests())}, before all other routes. The context is a child of the port, also over
     * HTTP/2, and lasts until the response has ended. A request that has its context already keeps that, and one that becomes a
     * WebSocket gets none. Over HTTP/2 this also tells the end of a request that our tracer is told none of, because its peer was
     * told to go on with its body, or had an early hint. An application that wants to know the end of a response as well uses
     * {@link RoutingContext#addEndHandler}, and {@link RoutingContext#addBodyEndHandler}: the response itself has room for one
     * handler of each only.
     *
     * @return a handler for the first route of a router
     */
    public static Handler<RoutingContext> requests() {
        return routing -> {
            Quietly.run("a request was not observed", () -> serve(routing));
            routing.next();
        };
    }

    private static void serve(RoutingContext routing) {
        FastnVertx fastn = FastnVertx.installedIn(routing.vertx());
        ContextInternal here = ContextInternal.current();
        HttpServerRequest request = routing.request();
        boolean http2 = request.version() == HttpVersion.HTTP_2;
        ContextNode known = here == null ? null : ContextSlot.get(here);
        if (known != null && !http2) {
            // The tracer is told its end: there is nothing to do, and so nothing to look for in its routing.
            return;
        }
        // Of one that becomes a WebSocket vertx-web tells no end.
        boolean upgrade = request.headers().contains(HttpHeaders.UPGRADE, "websocket", true);
        if (fastn == null || here == null || upgrade || RoutedResponse.observeAgain(routing)) {
            return;
        }
        if (known != null) {
            if (fastn.requests().isToldHeadsOnly()) {
                // If it has an interim response, the tracer is not told its end.
                RoutedResponse.observe(
                        fastn, routing, (response, failure) -> fastn.requests().endUntold(known, response, failure));
            }
            return;
        }
        HttpContexts.Exchange served =
                fastn.requests().begin(here, request, request.method().name(), String.valueOf(request.path()));
        if (served != null) {
            RoutedResponse.observe(
                    fastn,
                    routing,
                    (response, failure) -> fastn.requests().end(served, response, failure, response.getStatusCode()));
        }
    }

    /**
     * Names requests after the routes of a router, as {@link VertxContextOptions#addRoute} does. Routes with a regular
     * expression and those without a path or for everything below a path are left out; the routes of a sub-router are
     * added with the path that it is mounted at.
     *
     * @param options take the routes
     * @param mountedAt the path that the router is mounted at, or the empty string
     * @param router the router, with the routes that it has by now
     * @return the options
     */
    @CanIgnoreReturnValue
    public static VertxContextOptions addRoutes(VertxContextOptions options, String mountedAt, Router router) {
        String before = mountedAt.endsWith("/") ? mountedAt.substring(0, mountedAt.length() - 1) : mountedAt;
        for (Route route : router.getRoutes()) {
            String path = route.getPath();
            if (path == null || !route.isExactPath()) {
                continue;
            }
            Set<HttpMethod> methods = methods(route);
            if (methods == null || methods.isEmpty()) {
                options.addRoute(before + path);
            } else {
                methods.forEach(method -> options.addRoute(method.name() + " " + before + path));
            }
        }
        return options;
    }

    private static @Nullable Set<HttpMethod> methods(Route route) {
        return route.methods();
    }
}
