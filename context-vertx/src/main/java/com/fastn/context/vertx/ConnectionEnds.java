package com.fastn.context.vertx;

import io.vertx.core.Future;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import org.jspecify.annotations.Nullable;

/**
 * When a connection ends. Its public {@code closeHandler} is one place, and the application's; the future that Vert.x keeps
 * beside it stands in a class that is not exported, so that on the module path there is none.
 */
final class ConnectionEnds {
    private static final ClassValue<@Nullable MethodHandle> CLOSE_FUTURES = new ClassValue<>() {
        @Override
        protected @Nullable MethodHandle computeValue(Class<?> type) {
            try {
                return MethodHandles.publicLookup()
                        .findVirtual(type, "closeFuture", MethodType.methodType(Future.class))
                        .asType(MethodType.methodType(Future.class, Object.class));
            } catch (ReflectiveOperationException e) {
                return null;
            }
        }
    };

    private ConnectionEnds() {}

    /** Completes when a connection ends; null where that cannot be known. */
    static @Nullable Future<?> of(Object connection) {
        MethodHandle closeFuture = CLOSE_FUTURES.get(connection.getClass());
        if (closeFuture == null) {
            return null;
        }
        try {
            return (Future<?>) closeFuture.invokeExact(connection);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable t) {
            throw new IllegalStateException("a connection does not tell of its end", t);
        }
    }
}
