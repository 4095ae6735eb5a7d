package com.fastn.context.vertx;

import io.vertx.core.AsyncResult;
import io.vertx.core.Handler;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.http.HttpVersion;
import io.vertx.ext.web.RoutingContext;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * How the response to a request that a router serves ended, told once.
 *
 * <p>Over HTTP/2 a failure may be told of a response that went out whole: where another thread ends it, the event loop may tell
 * first that its stream was closed. That a response has ended says nothing then, as that of a file has before it is sent. What
 * does is the end of its body, which follows at once.
 */
final class RoutedResponse implements Handler<AsyncResult<Void>> {
    private static final String KEY = RoutedResponse.class.getName();
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

    /**
     * Goes on with a request that a router hands out again: what was to be told of the end of its body it has forgotten then, and
     * of the end of its response not.
     *
     * @return whether the response is observed already
     */
    static boolean observeAgain(RoutingContext routing) {
        if (!(routing.data().get(KEY) instanceof RoutedResponse known)) {
            return false;
        }
        known.observeBody(routing);
        return true;
    }

    /** Has somebody told of the end of a response, and why it was none, or null if it went out whole. */
    static void observe(
            FastnVertx fastn, RoutingContext routing, BiConsumer<HttpServerResponse, @Nullable Throwable> tell) {
        boolean http2 = routing.request().version() == HttpVersion.HTTP_2;
        RoutedResponse observed = new RoutedResponse(fastn, routing.response(), http2, tell);
        routing.put(KEY, observed);
        routing.addEndHandler(observed);
        observed.observeBody(routing);
    }

    private void observeBody(RoutingContext routing) {
        if (http2) {
            routing.addBodyEndHandler(end -> bodyEnded());
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
        ShortWait.then(fastn.home(), () -> tell(failure));
    }

    private void tell(@Nullable Throwable failure) {
        if (told.compareAndSet(false, true)) {
            Quietly.run(NOT_OBSERVED, () -> tell.accept(response, failure));
        }
    }
}
