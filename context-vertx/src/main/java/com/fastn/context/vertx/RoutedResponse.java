package com.fastn.context.vertx;

import io.vertx.core.AsyncResult;
import io.vertx.core.Handler;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.http.HttpVersion;
import io.vertx.ext.web.RoutingContext;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How the response to a request that a router serves ended, told once.
 *
 * <p>Over HTTP/2 a failure may be told of a response that went out whole: where another thread ends it, the event loop may tell
 * first that its stream was closed. That a response has ended says nothing then, as that of a file has before it is sent. What
 * does is the end of its body, which follows at once.
 */
final class RoutedResponse implements Handler<AsyncResult<Void>> {
    /** Longer than a thread is held up between two lines, and shorter than the grace time of a verticle that ends. */
    private static final long PATIENCE_MILLIS = 500;

    private static final Logger LOG = LoggerFactory.getLogger(RoutedResponse.class);
    private static final String NOT_OBSERVED = "the end of a request was not observed";

    private final FastnVertx fastn;
    private final HttpServerResponse response;
    private final boolean http2;
    private final BiConsumer<HttpServerResponse, @Nullable Throwable> tell;
    private final AtomicBoolean told = new AtomicBoolean();
    private volatile boolean bodyEnded;
    private volatile boolean failed;

    private RoutedResponse(
            FastnVertx fastn,
            HttpServerResponse response,
            boolean http2,
            BiConsumer<HttpServerResponse, @Nullable Throwable> tell) {
        this.fastn = fastn;
        this.response = response;
        this.http2 = http2;
        this.tell = tell;
    }

    /** Has somebody told of the end of a response, and why it was none, or null if it went out whole. */
    static void observe(
            FastnVertx fastn, RoutingContext routing, BiConsumer<HttpServerResponse, @Nullable Throwable> tell) {
        boolean http2 = routing.request().version() == HttpVersion.HTTP_2;
        RoutedResponse observed = new RoutedResponse(fastn, routing.response(), http2, tell);
        routing.addEndHandler(observed);
        if (http2) {
            routing.addBodyEndHandler(end -> observed.bodyEnded());
        }
    }

    private void bodyEnded() {
        bodyEnded = true;
        if (failed) {
            tell(null);
        }
    }

    @Override
    public void handle(AsyncResult<Void> end) {
        Throwable failure = end.cause();
        if (failure == null || !http2 || !response.ended()) {
            tell(failure);
            return;
        }
        // In this order: whoever ends the body looks at it after saying so.
        failed = true;
        if (bodyEnded) {
            tell(null);
            return;
        }
        try {
            var unused = fastn.home().setTimer(PATIENCE_MILLIS, id -> tell(failure));
        } catch (RejectedExecutionException e) {
            LOG.debug("the end of a request is told at once, as its Vertx is closed", e);
            tell(failure);
        }
    }

    private void tell(@Nullable Throwable failure) {
        if (told.compareAndSet(false, true)) {
            Quietly.run(NOT_OBSERVED, () -> tell.accept(response, failure));
        }
    }
}
