package com.fastn.context.vertx;

import com.fastn.context.engine.ContextNode;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.channel.FileRegion;
import io.netty.handler.stream.ChunkedInput;
import java.util.NoSuchElementException;
import java.util.function.LongSupplier;

/**
 * Counts what is written to a socket in its session, before it is encrypted, however the application writes it: by itself, with the
 * end, out of a pipe or as a file. Of a file that the peer did not want to the end, what was sent of it.
 */
final class WrittenBytes extends ChannelOutboundHandlerAdapter {
    private final ContextNode session;

    private WrittenBytes(ContextNode session) {
        this.session = session;
    }

    /** Begins to count what comes from Vert.x's handler of a socket. */
    static void count(ChannelHandlerContext handler, ContextNode session) {
        try {
            // Under a name that Netty makes: a socket may have more than one session, each in the other.
            handler.pipeline().addBefore(handler.name(), null, new WrittenBytes(session));
        } catch (NoSuchElementException e) {
            // The connection has ended by now, and nothing is written.
        }
    }

    @Override
    public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
        ChannelPromise written = promise;
        if (message instanceof ByteBuf bytes) {
            count(bytes.readableBytes());
        } else if (message instanceof FileRegion file) {
            written = counted(promise, file::transferred);
        } else if (message instanceof ChunkedInput<?> file) {
            written = counted(promise, file::progress);
        }
        var unused = context.write(message, written);
    }

    private ChannelPromise counted(ChannelPromise promise, LongSupplier bytes) {
        // The one that stands for no promise takes no listeners.
        ChannelPromise written = promise.unvoid();
        var unused = written.addListener(done -> count(bytes.getAsLong()));
        return written;
    }

    private void count(long bytes) {
        if (bytes > 0) {
            session.addTotal("bytes_written", bytes);
        }
    }
}
