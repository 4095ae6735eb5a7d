package com.fastn.context.vertx;

import com.fastn.context.engine.ContextNode;
import com.fastn.context.status.CancelReason;
import com.fastn.context.status.ContextKind;
import io.vertx.core.internal.ContextInternal;
import org.jspecify.annotations.Nullable;

/** The contexts of HTTP requests that are served: open from the request's head to the end of the response. */
final class HttpContexts {
    private static final int FIRST_FAILURE = 400;

    private final VerticleContexts verticles;

    HttpContexts(VerticleContexts verticles) {
        this.verticles = verticles;
    }

    /**
     * Opens a request's context, which is the current one of everything that follows on the request's Vert.x context; null
     * when the verticle that serves it is ending.
     */
    @Nullable
    ContextNode begin(ContextInternal context, String method, String path) {
        ContextNode server = verticles.hostOf(context.unwrap());
        if (server == null) {
            return null;
        }
        ContextNode request = server.openChild(HttpNames.request(method, path), ContextKind.REQUEST, null);
        request.incrementTotal("requests");
        request.incrementLive("requests");
        server.touch("request");
        if (context.isDuplicate()) {
            ContextSlot.put(context, request);
        }
        return request;
    }

    /**
     * Ends a request's context.
     *
     * @param failure why there was no whole response, or {@code null}
     * @param status the status of the response, or 0 when it is not known
     */
    static void end(ContextNode request, @Nullable Throwable failure, int status) {
        if (failure != null) {
            request.incrementTotal("cancelled_requests");
            request.cancel(CancelReason.Kind.REQUESTED, "the connection ended before the response did");
        } else {
            request.incrementTotal(status >= FIRST_FAILURE ? "failed_requests" : "successful_requests");
        }
        request.closeWhenDone();
    }
}
