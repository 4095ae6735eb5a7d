package com.fastn.context.vertx;

import io.vertx.core.Future;
import java.lang.reflect.InvocationTargetException;
import org.jspecify.annotations.Nullable;

/**
 * When a connection ends. Its public {@code closeHandler} is one place, and the application's; the future that Vert.x keeps
 * beside it stands in a class that is not exported, so that on the module path there is none.
 */
final class ConnectionEnds {
    private ConnectionEnds() {}

    /** Completes when a connection ends; null where that cannot be known. Asked once for each connection. */
    static @Nullable Future<?> of(Object connection) {
        try {
            return (Future<?>) connection.getClass().getMethod("closeFuture").invoke(connection);
        } catch (InvocationTargetException e) {
            throw new IllegalStateException("a connection does not tell of its end", e.getCause());
        } catch (ReflectiveOperationException e) {
            return null;
        }
    }
}
