package com.fastn.context.vertx;

import com.fastn.context.LiveCount;
import com.fastn.context.engine.ContextNode;
import com.fastn.context.status.CancelReason;
import com.fastn.context.status.ContextKind;
import io.netty.channel.ChannelHandlerContext;
import io.vertx.core.Future;
import io.vertx.core.internal.ContextInternal;
import io.vertx.core.net.SocketAddress;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** The contexts of connections that live on: a WebSocket, a socket of a net server. */
final class Sessions {
    private static final String NAME = "session-";
    private static final String ENDED = "the connection ended";

    private final AutomaticContexts automatic;
    private final ConcurrentHashMap<Ends, ContextNode> open = new ConcurrentHashMap<>();

    Sessions(AutomaticContexts automatic, Listeners listeners) {
        this.automatic = automatic;
        // Each is taken out by its end, which is told on the verticle's own Vert.x context: of one that is gone it may
        // be lost.
        listeners.whenGone(verticle -> open.values().removeIf(session -> isBelow(verticle, session)));
    }

    private static boolean isBelow(ContextNode verticle, ContextNode session) {
        ContextNode above = session;
        while (above != null && above != verticle) {
            above = above.parent();
        }
        return above != null;
    }

    /** How many can be found at this moment. */
    int count() {
        return open.size();
    }

    /**
     * Opens the context of a connection, which lasts until the connection ends.
     *
     * @param listener who accepted it
     * @param peer who connected; only its host is part of the name, so that there are few names
     * @param local the address that it connected to
     * @param connection the connection itself
     * @param end completes when the connection ends
     * @param place the Vert.x context that the connection's handlers run on
     * @return the context, or null when none is wanted
     */
    @Nullable
    @SuppressWarnings("MustBeClosedChecker") // closed when the connection ends
    ContextNode open(
            ContextNode listener,
            @Nullable SocketAddress peer,
            @Nullable SocketAddress local,
            Object connection,
            Future<?> end,
            ContextInternal place) {
        if (!automatic.options().isSessions()) {
            return null;
        }
        ContextNode session = automatic.open(listener, ContextKind.SESSION, NAME + host(peer));
        if (session == null) {
            return null;
        }
        session.setData("peer", String.valueOf(peer));
        LiveCount live = listener.trackLive("sessions");
        Ends ends = new Ends(peer, local);
        // All peers of a Unix domain socket have the same address.
        boolean isFound = peer != null && peer.isInetSocket();
        if (isFound) {
            open.put(ends, session);
        }
        // Two steps later: the application's handler of the end comes after ours, and finds its session open.
        end.onComplete(ended -> place.runOnContext(next -> place.runOnContext(then -> {
            live.close();
            if (isFound) {
                open.remove(ends, session);
            }
            // Whoever works for the peer is told that it has left.
            session.cancel(CancelReason.Kind.REQUESTED, ENDED);
            session.close();
        })));
        if (!place.isEventLoopContext()) {
            Quietly.run("a session is not told at once that its peer left", () -> cancelAtOnce(session, connection));
        }
        return session;
    }

    /** All that is told at the place of a worker waits for the handler that runs there, which may be busy for the peer. */
    private static void cancelAtOnce(ContextNode session, Object connection) {
        ChannelHandlerContext channel = ConnectionHandlers.of(connection);
        if (channel != null) {
            channel.channel().closeFuture().addListener(closed -> session.cancel(CancelReason.Kind.REQUESTED, ENDED));
        }
    }

    /** The session between two addresses, or null; null also where addresses tell no peers apart. */
    @Nullable
    ContextNode of(@Nullable SocketAddress peer, @Nullable SocketAddress local) {
        return open.get(new Ends(peer, local));
    }

    private static String host(@Nullable SocketAddress peer) {
        String host = peer == null ? null : peer.hostAddress() == null ? peer.host() : peer.hostAddress();
        return host == null ? "local" : host;
    }

    private record Ends(
            @Nullable SocketAddress peer, @Nullable SocketAddress local) {}
}
