package com.fastn.context.vertx;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http2.Http2Connection;
import io.netty.handler.codec.http2.Http2ConnectionAdapter;
import io.netty.handler.codec.http2.Http2ConnectionHandler;
import io.netty.handler.codec.http2.Http2Stream;
import org.jspecify.annotations.Nullable;

/**
 * What Netty tells of a connection of HTTP/2 and Vert.x tells no tracer: that a request is one of it, and when the response has
 * gone out whole. A request is told to the tracer while it is read, so its connection is the one that its thread reads from.
 */
final class Http2Streams extends ChannelInboundHandlerAdapter {
    private static final String NAME = "fastn-http2-streams";
    private static final String NOT_OBSERVED = "the end of a stream of HTTP/2 was not observed";

    private final HttpContexts requests;
    private final HttpContexts.Connection connection;
    private final ThreadLocal<@Nullable Http2Streams> reading;
    private final Http2Connection streams;
    private final Http2Connection.PropertyKey served;

    private Http2Streams(
            HttpContexts requests,
            HttpContexts.Connection connection,
            ThreadLocal<@Nullable Http2Streams> reading,
            Http2Connection streams) {
        this.requests = requests;
        this.connection = connection;
        this.reading = reading;
        this.streams = streams;
        this.served = streams.newKey();
    }

    /**
     * Begins to observe a connection, unless it is one of HTTP/1, or its inside cannot be seen.
     *
     * @param reading the connection that a thread reads from
     */
    static void observe(
            HttpContexts requests,
            HttpContexts.Connection connection,
            Object known,
            ThreadLocal<@Nullable Http2Streams> reading) {
        ChannelHandlerContext vertx = ConnectionHandlers.of(known);
        ChannelHandlerContext codec = vertx == null ? null : vertx.pipeline().context(Http2ConnectionHandler.class);
        if (codec == null) {
            return;
        }
        Http2Streams observed = new Http2Streams(
                requests, connection, reading, ((Http2ConnectionHandler) codec.handler()).connection());
        if (codec.executor().inEventLoop()) {
            observed.begin(codec);
            // What has just been read, and brought us here, may have a request in it too; the end of that read is told
            // us.
            reading.set(observed);
        } else {
            codec.executor().execute(() -> Quietly.run("a connection was not observed", () -> observed.begin(codec)));
        }
    }

    private void begin(ChannelHandlerContext codec) {
        if (!codec.isRemoved()) {
            codec.pipeline().addBefore(codec.name(), NAME, this);
            streams.addListener(new Ends(codec));
        }
    }

    HttpContexts.Connection connection() {
        return connection;
    }

    /** Has the end of the stream that is being read end a request. {@return whether it will} */
    boolean endsWithStream(HttpContexts.Exchange exchange) {
        Http2Stream stream = streams.stream(streams.remote().lastStreamCreated());
        if (stream == null || stream.getProperty(served) != null) {
            return false;
        }
        stream.setProperty(served, exchange);
        return true;
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        reading.set(this);
        try {
            context.fireChannelRead(message);
        } finally {
            reading.set(null);
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        reading.set(this);
        try {
            context.fireChannelReadComplete();
        } finally {
            reading.set(null);
        }
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext context) {
        if (reading.get() == this) {
            reading.set(null);
        }
    }

    /**
     * Comes after Vert.x where that listens to the same connection: it has told then of a stream that was reset. Where it has a
     * channel for each stream it hears of the end a turn later.
     */
    private final class Ends extends Http2ConnectionAdapter {
        private final ChannelHandlerContext codec;

        Ends(ChannelHandlerContext codec) {
            this.codec = codec;
        }

        @Override
        public void onStreamHalfClosed(Http2Stream stream) {
            // The response is there, and the request goes on.
            if (stream.state() == Http2Stream.State.HALF_CLOSED_LOCAL) {
                ended(stream, true);
            }
        }

        @Override
        public void onStreamClosed(Http2Stream stream) {
            // One whose connection broke off is closed with it, before the end of the response was written.
            // One that the server itself resets has no end at all.
            ended(stream, codec.channel().isActive() && !stream.isResetSent());
        }

        private void ended(Http2Stream stream, boolean whole) {
            HttpContexts.Exchange exchange = stream.removeProperty(served);
            if (exchange != null) {
                Quietly.run(NOT_OBSERVED, () -> requests.streamEnded(exchange, whole));
            }
        }
    }
}
