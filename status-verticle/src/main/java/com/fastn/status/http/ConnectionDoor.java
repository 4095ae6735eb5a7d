package com.fastn.status.http;

import static java.util.Objects.requireNonNull;

import io.netty.channel.Channel;
import io.netty.channel.ChannelFactory;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ServerChannel;
import io.vertx.core.transport.Transport;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Where connections are counted: as the system hands them over, before TLS and before Vert.x knows of them (rule S12). What the
 * budget has no room for is closed there. Vert.x itself tells of a connection only when TLS stands, which whoever connects
 * can put off.
 */
final class ConnectionDoor implements Transport {
    private final io.vertx.core.spi.transport.Transport guarded;

    /**
     * Makes a door.
     *
     * @param budget has room for a connection, or not
     * @param thisMachine tells of an address whether it is one of this machine
     */
    ConnectionDoor(ConnectionBudget budget, Predicate<String> thisMachine) {
        io.vertx.core.spi.transport.Transport open = NIO.implementation();
        // A proxy, because each minor version of Vert.x has other methods there; this one is in all of them.
        this.guarded = (io.vertx.core.spi.transport.Transport) Proxy.newProxyInstance(
                io.vertx.core.spi.transport.Transport.class.getClassLoader(),
                new Class<?>[] {io.vertx.core.spi.transport.Transport.class},
                (proxy, method, arguments) -> {
                    try {
                        Object result = method.invoke(open, arguments);
                        return method.getName().equals("serverChannelFactory")
                                ? guarded((ChannelFactory<?>) requireNonNull(result), budget, thisMachine)
                                : result;
                    } catch (InvocationTargetException e) {
                        throw requireNonNull(e.getCause());
                    }
                });
    }

    private static ChannelFactory<ServerChannel> guarded(
            ChannelFactory<?> servers, ConnectionBudget budget, Predicate<String> thisMachine) {
        return () -> {
            ServerChannel server = (ServerChannel) servers.newChannel();
            server.pipeline().addFirst(new Guard(budget, thisMachine));
            return server;
        };
    }

    @Override
    public String name() {
        return NIO.name();
    }

    @Override
    public boolean available() {
        return NIO.available();
    }

    @Override
    public @Nullable Throwable unavailabilityCause() {
        return NIO.unavailabilityCause();
    }

    @Override
    public io.vertx.core.spi.transport.Transport implementation() {
        return guarded;
    }

    /** Stands in front of whatever makes a connection of what was accepted. */
    private static final class Guard extends ChannelInboundHandlerAdapter {
        private final ConnectionBudget budget;
        private final Predicate<String> thisMachine;

        Guard(ConnectionBudget budget, Predicate<String> thisMachine) {
            this.budget = budget;
            this.thisMachine = thisMachine;
        }

        @Override
        public void channelRead(ChannelHandlerContext context, Object accepted) {
            Channel connection = (Channel) accepted;
            String address = address(connection.remoteAddress());
            boolean loopback = thisMachine.test(address);
            if (!budget.enter(address, loopback)) {
                connection.unsafe().closeForcibly();
                return;
            }
            connection.closeFuture().addListener(closed -> budget.leave(address, loopback));
            context.fireChannelRead(accepted);
        }

        private static String address(@Nullable SocketAddress remote) {
            return remote instanceof InetSocketAddress internet && internet.getAddress() != null
                    ? internet.getAddress().getHostAddress()
                    : "";
        }
    }
}
