package com.fastn.context.vertx;

import com.fastn.context.LiveCount;
import com.fastn.context.engine.ContextNode;
import com.fastn.context.status.ContextState;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.Promise;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.internal.ContextInternal;
import io.vertx.core.internal.net.NetSocketInternal;
import io.vertx.core.net.NetSocket;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import org.jspecify.annotations.Nullable;

/**
 * A socket of a net server whose handlers and futures run in its session. Vert.x has all sockets of a verticle on one Vert.x
 * context, the verticle's own, so each gets a duplicate here.
 */
final class SessionSocket implements InvocationHandler {
    private final NetSocket socket;
    private final ContextInternal scope;
    private final ContextNode session;
    private final NetSocket seen;

    private SessionSocket(NetSocket socket, ContextInternal scope, ContextNode session) {
        this.socket = socket;
        this.scope = scope;
        this.session = session;
        Class<?> type = socket instanceof NetSocketInternal ? NetSocketInternal.class : NetSocket.class;
        this.seen = (NetSocket) Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, this);
    }

    /** Runs a handler of sockets in the session of one, or without where none can be or is wanted. */
    static void accept(FastnVertx fastn, ContextInternal here, NetSocket socket, Handler<NetSocket> handler) {
        SessionSocket observed = Quietly.get("a socket was not observed", () -> open(fastn, here, socket));
        if (observed == null) {
            handler.handle(socket);
        } else {
            observed.scope.dispatch(observed.seen, handler);
        }
    }

    /** Opens the session of a socket; null where none can be or is wanted. */
    @SuppressWarnings("MustBeClosedChecker") // closed when the connection ends
    private static @Nullable SessionSocket open(FastnVertx fastn, ContextInternal here, NetSocket socket) {
        ContextNode verticle = fastn.verticles().hostOf(here.unwrap());
        Future<?> end = ConnectionEnds.of(socket);
        if (verticle == null || end == null) {
            return null;
        }
        ContextNode listener = fastn.listeners().of(verticle, ListeningServer.name("net", socket.localAddress(true)));
        LiveCount connected = listener.trackLive(Listeners.CONNECTIONS);
        end.onComplete(ended -> connected.close());
        listener.touch("connection");
        ContextInternal scope = here.duplicate(true);
        ContextNode session =
                fastn.sessions().open(listener, socket.remoteAddress(), socket.localAddress(), socket, end, scope);
        if (session == null) {
            return null;
        }
        ContextSlot.put(scope, session);
        if (socket instanceof NetSocketInternal internal) {
            WrittenBytes.count(internal.channelHandlerContext(), session);
        }
        return new SessionSocket(socket, scope, session);
    }

    /** The session of a socket that we gave the application; null for any other. */
    static @Nullable ContextNode sessionOf(NetSocket socket) {
        return Proxy.isProxyClass(socket.getClass())
                        && Proxy.getInvocationHandler(socket) instanceof SessionSocket ours
                        && ours.session.state() != ContextState.CLOSED
                ? ours.session
                : null;
    }

    @Override
    public @Nullable Object invoke(Object proxy, Method method, Object @Nullable [] arguments) throws Throwable {
        Object[] given = arguments == null ? new Object[0] : arguments.clone();
        if (method.getDeclaringClass() == Object.class && method.getName().equals("equals")) {
            // The socket behind does not know us, so its answer would be no even for the same one.
            return proxy == given[0];
        }
        if (method.isDefault() && method.getName().startsWith("pipe")) {
            // A pipe made of the socket behind would not come by here.
            return InvocationHandler.invokeDefault(proxy, method, given);
        }
        for (int i = 0; i < given.length; i++) {
            if (given[i] instanceof Handler<?> handler) {
                given[i] = inSession(handler);
            }
        }
        Object result;
        try {
            result = method.invoke(socket, given);
        } catch (InvocationTargetException e) {
            throw e.getCause() == null ? e : e.getCause();
        }
        if (result == socket) {
            return proxy;
        }
        return result instanceof Future<?> future ? inSession(future) : result;
    }

    private <E> Handler<E> inSession(Handler<E> handler) {
        return event -> {
            if (event instanceof Buffer data) {
                session.addTotal("bytes_read", data.length());
            }
            scope.dispatch(event, handler);
        };
    }

    private <T> Future<T> inSession(Future<T> future) {
        Promise<T> result = scope.promise();
        future.onComplete(result::handle);
        return result.future();
    }
}
