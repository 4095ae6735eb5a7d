package com.fastn.context.vertx;

import io.netty.channel.ChannelHandlerContext;
import java.lang.reflect.InvocationTargetException;
import org.jspecify.annotations.Nullable;

/** The place of Vert.x's own handler in the pipeline of a connection, which stands in a class that is not exported. */
final class ConnectionHandlers {
    private ConnectionHandlers() {}

    /** Gives that place; null where it cannot be seen, as on the module path. */
    static @Nullable ChannelHandlerContext of(Object connection) {
        try {
            return (ChannelHandlerContext)
                    connection.getClass().getMethod("channelHandlerContext").invoke(connection);
        } catch (InvocationTargetException e) {
            throw new IllegalStateException("a connection does not tell of its channel", e.getCause());
        } catch (ReflectiveOperationException e) {
            return null;
        }
    }
}
