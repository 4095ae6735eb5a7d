package com.fastn.context.vertx;

import io.vertx.core.http.HttpServer;
import io.vertx.core.net.NetServer;
import io.vertx.core.net.SocketAddress;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A server that listens. Vert.x tells nobody when it is closed, and whether it is only by a method that is not for
 * applications.
 */
final class ListeningServer {
    private final Object server;
    private final String port;
    private final Method isClosed;

    private ListeningServer(Object server, String port, Method isClosed) {
        this.server = server;
        this.port = port;
        this.isClosed = isClosed;
    }

    /**
     * Null where its end cannot be known, as on the module path with Vert.x 5.0, and for what is no server that listens: of
     * nothing is said that it listens when it may have been closed.
     */
    static @Nullable ListeningServer of(Object server) {
        String port = port(server);
        Method isClosed = port == null ? null : teller(server);
        if (port == null || isClosed == null) {
            return null;
        }
        ListeningServer listening = new ListeningServer(server, port, isClosed);
        return listening.isClosed() ? null : listening;
    }

    private static @Nullable String port(Object server) {
        if (server instanceof HttpServer http) {
            return name("http", http.actualPort());
        }
        return server instanceof NetServer net ? name("net", net.actualPort()) : null;
    }

    /** The name of a port; that of a Unix domain socket has no number. */
    static String name(String protocol, int port) {
        return port < 0 ? protocol : protocol + ":" + port;
    }

    /** That of a connection, by the real address of this end: of one that a proxy tells of nobody here listens on the port. */
    static String name(String protocol, @Nullable SocketAddress real) {
        return name(protocol, real == null ? -1 : real.port());
    }

    /** What tells whether it is closed: its class or, where that is not exported, an interface of it. */
    private static @Nullable Method teller(Object server) {
        for (Class<?> type = server.getClass(); type != null; type = type.getSuperclass()) {
            List<Class<?>> seen = new ArrayList<>(List.of(type));
            seen.addAll(List.of(type.getInterfaces()));
            for (Class<?> each : seen) {
                for (Method method : each.getMethods()) {
                    if (method.getName().equals("isClosed")
                            && method.getParameterCount() == 0
                            && method.getReturnType() == boolean.class
                            && method.canAccess(server)) {
                        return method;
                    }
                }
            }
        }
        return null;
    }

    /** {@return the name of the port that it listens on} */
    String port() {
        return port;
    }

    boolean isSame(ListeningServer other) {
        return server == other.server;
    }

    /** Whether it is closed, or does not tell any more: nobody would see its end then. */
    boolean isClosed() {
        try {
            return Boolean.TRUE.equals(isClosed.invoke(server));
        } catch (ReflectiveOperationException e) {
            return true;
        }
    }
}
