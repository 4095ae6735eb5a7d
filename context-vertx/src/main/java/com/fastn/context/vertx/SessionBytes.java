package com.fastn.context.vertx;

import com.fastn.context.engine.ContextNode;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http.websocketx.BinaryWebSocketFrame;
import io.netty.handler.codec.http.websocketx.ContinuationWebSocketFrame;
import io.netty.handler.codec.http.websocketx.TextWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketFrame;

/**
 * Counts the bytes of a WebSocket's messages in its session: what the application reads and writes, before compression and
 * without what frames them. Vert.x tells them to its metrics alone, of which there is one, the application's; so they are seen
 * on their way to Vert.x's own handler of the connection.
 */
final class SessionBytes extends ChannelDuplexHandler {
    private static final String NAME = "fastn-session-bytes";

    private final ContextNode session;

    private SessionBytes(ContextNode session) {
        this.session = session;
    }

    /** Begins to count; where the inside of a connection cannot be seen, as on the module path, nothing is counted. */
    static void count(Object connection, ContextNode session) {
        ChannelHandlerContext handler = ConnectionHandlers.of(connection);
        if (handler != null) {
            // Right before Vert.x's handler, which is replaced by that of the WebSocket in a moment, and stays in its
            // place.
            handler.pipeline().addBefore(handler.name(), NAME, new SessionBytes(session));
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        count("bytes_read", message);
        context.fireChannelRead(message);
    }

    @Override
    public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
        count("bytes_written", message);
        var unused = context.write(message, promise);
    }

    private void count(String counter, Object message) {
        if (message instanceof TextWebSocketFrame
                || message instanceof BinaryWebSocketFrame
                || message instanceof ContinuationWebSocketFrame) {
            session.addTotal(counter, ((WebSocketFrame) message).content().readableBytes());
        }
    }
}
