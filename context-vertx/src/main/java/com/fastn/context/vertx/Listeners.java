package com.fastn.context.vertx;

import com.fastn.context.engine.ContextNode;
import com.fastn.context.status.CancelReason;
import com.fastn.context.status.ContextKind;
import com.fastn.context.status.ContextState;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The ports that verticles listen on, each a service in the context of its verticle, with the connections that are open.
 *
 * <p>Vert.x tells nobody when a server begins or ends, so one is noticed with its first connection and ends with its verticle.
 * Where a verticle opens ever new ports, those without a connection give way to new ones. A server that is told by {@link
 * FastnVertx#listening} is known to listen, and is asked before each look at the tree whether it still does.
 */
final class Listeners {
    static final int MOST_IDLE = 16;
    static final String CONNECTIONS = "connections";

    private static final String VERTICLE_ENDED = "the verticle ended";

    private final AutomaticContexts automatic;
    private final ConcurrentHashMap<Key, ContextNode> open = new ConcurrentHashMap<>();
    // Of those that were told; never an empty list.
    private final ConcurrentHashMap<Key, List<ListeningServer>> servers = new ConcurrentHashMap<>();
    private final List<Consumer<ContextNode>> whenGone = new CopyOnWriteArrayList<>();

    Listeners(AutomaticContexts automatic) {
        this.automatic = automatic;
    }

    /** The listener of a name below a context, or that context where none is wanted. */
    ContextNode of(ContextNode host, String name) {
        if (!automatic.options().isListeners()) {
            return host;
        }
        Key key = new Key(host, name);
        ContextNode known = open.get(key);
        if (known != null && isUsable(host, known)) {
            return known;
        }
        if (host.isCancelled()) {
            return host;
        }
        ContextNode made = automatic.open(host, ContextKind.SERVICE, name);
        if (made == null || made.state() != ContextState.ACTIVE) {
            return host;
        }
        // Not computeIfAbsent: opening a context tells listeners, which is nothing to do inside of a map.
        ContextNode earlier = known == null ? open.putIfAbsent(key, made) : replaced(key, known, made);
        if (earlier != null) {
            made.close();
            return earlier;
        }
        if (host.isCancelled() || host.state() != ContextState.ACTIVE) {
            // Its verticle ended meanwhile: who ends all listeners may have looked before this one was among them, or
            // when another one was in its place.
            end(key, VERTICLE_ENDED);
            made.close();
            return host;
        }
        makeRoom(host, made);
        if (known != null && known.state() == ContextState.ACTIVE) {
            // It was cancelled, and nobody else would end it.
            Endings.whenNothingIsLeft(known);
        }
        return made;
    }

    /** Shows the port of a server before anybody connects to it, until the last server that listens there is closed. */
    void listens(ContextNode host, ListeningServer server) {
        endClosed();
        if (!automatic.options().isListeners()) {
            return;
        }
        Key key = new Key(host, server.port());
        servers.merge(
                key,
                List.of(server),
                (known, more) -> Stream.concat(known.stream().filter(each -> !each.isSame(server)), more.stream())
                        .toList());
        if (of(host, key.name) == host) {
            // None is wanted, or its verticle ended meanwhile.
            servers.remove(key);
        }
    }

    /** Ends the ports whose servers were closed. Nobody tells of that, so it is looked at before anybody looks at the tree. */
    void endClosed() {
        servers.forEach((key, known) -> {
            // Under no lock: a server may ask for one of its own.
            List<ListeningServer> closed =
                    known.stream().filter(ListeningServer::isClosed).toList();
            if (!closed.isEmpty()) {
                endClosed(key, closed);
            }
        });
    }

    private void endClosed(Key key, List<ListeningServer> closed) {
        AtomicReference<@Nullable ContextNode> unserved = new AtomicReference<>();
        servers.computeIfPresent(key, (same, known) -> {
            List<ListeningServer> left =
                    known.stream().filter(each -> !closed.contains(each)).toList();
            if (left.isEmpty()) {
                // In here: who listens there from now on makes another one.
                unserved.set(open.remove(key));
                return null;
            }
            return left;
        });
        ContextNode listener = unserved.get();
        if (listener != null) {
            listener.close();
        }
    }

    /** Whether a listener takes in what comes: one that was cancelled for itself does not, as that would be born cancelled. */
    static boolean isUsable(ContextNode host, ContextNode listener) {
        return listener.state() == ContextState.ACTIVE && (!listener.isCancelled() || host.isCancelled());
    }

    private @Nullable ContextNode replaced(Key key, ContextNode ended, ContextNode made) {
        // The one before may be gone meanwhile, with nobody in its place.
        return open.replace(key, ended, made) ? null : open.putIfAbsent(key, made);
    }

    private void makeRoom(ContextNode host, ContextNode made) {
        List<Map.Entry<Key, ContextNode>> idle = new ArrayList<>();
        for (Map.Entry<Key, ContextNode> entry : open.entrySet()) {
            ContextNode listener = entry.getValue();
            if (entry.getKey().host == host
                    && listener != made
                    && !servers.containsKey(entry.getKey())
                    && listener.subtreeLive(CONNECTIONS) == 0) {
                idle.add(entry);
            }
        }
        idle.sort(Comparator.comparingLong(entry -> entry.getValue().id()));
        for (int i = 0; i < idle.size() - MOST_IDLE; i++) {
            end(idle.get(i).getKey(), "it has had no connection, and others are listened on");
        }
    }

    /** Ends the listeners of a verticle that was undeployed. */
    void endAll(ContextNode host) {
        servers.keySet().removeIf(key -> key.host == host);
        open.keySet().stream().filter(key -> key.host == host).toList().forEach(key -> end(key, VERTICLE_ENDED));
    }

    /** Has whoever keeps the connections of verticles told of a verticle that has ended, with all that was open in it. */
    void whenGone(Consumer<ContextNode> forget) {
        whenGone.add(forget);
    }

    /** Drops what is left of a verticle that has ended: its connections, and listeners that came too late for {@link #endAll}. */
    void forget(ContextNode host) {
        endAll(host);
        whenGone.forEach(each -> each.accept(host));
    }

    private void end(Key key, String why) {
        ContextNode listener = open.remove(key);
        if (listener != null) {
            if (!listener.children().isEmpty()) {
                listener.cancel(CancelReason.Kind.SHUTDOWN, why);
            }
            listener.close();
        }
    }

    private record Key(ContextNode host, String name) {}
}
