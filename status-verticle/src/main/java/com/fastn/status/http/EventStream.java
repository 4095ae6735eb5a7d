package com.fastn.status.http;

import io.vertx.core.Context;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One open stream. It reads only when what it wrote has gone out, so a slow client costs one item, and then gets the newest
 * (rule D6). It belongs to the port's event loop.
 */
final class EventStream {
    private static final Logger LOG = LoggerFactory.getLogger(EventStream.class);

    private final Context loop;
    private final HttpConnection connection;
    private final HttpServerResponse response;
    private final StreamFraming framing;
    private final AtomicBoolean woken = new AtomicBoolean();
    private @Nullable StreamReader reader;

    // Mutable state, of the event loop.
    private boolean reading;
    private boolean again;
    private boolean ended;

    EventStream(Context loop, HttpServerRequest request, StreamFraming framing) {
        this.loop = loop;
        this.connection = request.connection();
        this.response = request.response();
        this.framing = framing;
    }

    /** Says that there may be something to read. Any thread. */
    void news() {
        if (woken.compareAndSet(false, true)) {
            loop.runOnContext(now -> {
                woken.set(false);
                pull();
            });
        }
    }

    void begin(StreamReader opened) {
        reader = opened;
        if (response.closed()) {
            end();
            return;
        }
        response.drainHandler(drained -> pull());
        // Whoever asked learns that the stream stands before there is anything to tell.
        write(framing.opening());
        pull();
    }

    private void pull() {
        StreamReader from = reader;
        if (ended || from == null) {
            return;
        }
        if (reading) {
            again = true;
            return;
        }
        if (response.writeQueueFull()) {
            return;
        }
        reading = true;
        again = false;
        from.next().whenComplete((item, failure) -> loop.runOnContext(now -> read(item, failure)));
    }

    private void read(@Nullable StreamItem item, @Nullable Throwable failure) {
        reading = false;
        if (ended) {
            return;
        }
        if (failure != null) {
            LOG.warn("a stream of status ended, because what it tells could not be made", failure);
            write(framing.item(error(failure)));
            end();
            var unused = response.end().onComplete(told -> connection.close());
            return;
        }
        if (item != null) {
            write(framing.item(item));
        }
        if (item != null || again) {
            pull();
        }
    }

    /** What is said of a fault of the node itself is in its log, and not for whoever asks. */
    private static StreamItem error(Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        return cause instanceof HttpRefusalException refusal
                ? StreamItem.error(refusal.status(), String.valueOf(refusal.getMessage()))
                : StreamItem.error(500, "this node failed to make its status; its log has more");
    }

    /** Shows the client, and what stands between, that the stream is alive. A client that does not read gets none. */
    void heartbeat() {
        if (!ended && !response.writeQueueFull()) {
            write(framing.heartbeat());
        }
    }

    private void write(Buffer frame) {
        if (frame.length() > 0 && !response.closed()) {
            response.write(frame).onFailure(failure -> LOG.debug("a stream's client is gone", failure));
        }
    }

    /** Gives the reader back. A second call has no effect. */
    void end() {
        ended = true;
        StreamReader from = reader;
        reader = null;
        if (from != null) {
            from.close();
        }
    }
}
