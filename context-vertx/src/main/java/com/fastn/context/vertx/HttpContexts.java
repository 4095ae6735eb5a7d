package com.fastn.context.vertx;

import com.fastn.context.engine.ContextNode;
import com.fastn.context.status.CancelReason;
import com.fastn.context.status.ContextKind;
import io.vertx.core.internal.ContextInternal;
import org.jspecify.annotations.Nullable;

/**
 * The contexts of HTTP requests that are served: open from the request's head to the end of the response, and
 * remembered when they ended.
 */
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
        request.persist();
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
        } else if (status >= FIRST_FAILURE) {
            request.incrementTotal("failed_requests");
            request.failed(new HttpStatus(status));
        } else {
            request.incrementTotal("successful_requests");
        }
        request.closeWhenDone();
    }

    /** A response that is a failure, as the list of recent contexts shows it; nobody throws it, so it has no stack. */
    private static final class HttpStatus extends RuntimeException {
        private static final long serialVersionUID = 1;

        HttpStatus(int status) {
            super(Integer.toString(status), null, false, false);
        }
    }
}
