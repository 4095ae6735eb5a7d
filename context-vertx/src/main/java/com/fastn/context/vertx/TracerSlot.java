package com.fastn.context.vertx;

import io.vertx.core.impl.VertxBootstrapImpl;
import io.vertx.core.internal.VertxBootstrap;
import io.vertx.core.spi.VertxServiceProvider;
import io.vertx.core.spi.VertxTracerFactory;
import io.vertx.core.spi.tracing.VertxTracer;
import java.util.ServiceLoader;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The one tracer that a Vertx has: ours takes the place, and hands everything on to the one that the user installed. */
final class TracerSlot {
    private static final Logger LOG = LoggerFactory.getLogger(TracerSlot.class);

    private TracerSlot() {}

    static void share(VertxBootstrap bootstrap) {
        try {
            if (bootstrap instanceof VertxBootstrapImpl impl) {
                share(impl);
            } else {
                stepBack("its bootstrap is a " + bootstrap.getClass().getName(), null);
            }
        } catch (IllegalAccessError | NoSuchMethodError | NoClassDefFoundError e) {
            stepBack(
                    "this place of Vert.x cannot be reached; on the module path, start Java with"
                            + " --add-exports io.vertx.core/io.vertx.core.impl=com.fastn.context.vertx",
                    e);
        } catch (RuntimeException | LinkageError | AssertionError e) {
            stepBack("our tracer could not be put there", e);
        }
    }

    private static void share(VertxBootstrapImpl bootstrap) {
        if (bootstrap.tracer() instanceof ContextTracer) {
            return;
        }
        if (bootstrap.tracer() == null && bootstrap.options().getTracingOptions() != null) {
            initUsersFactory(bootstrap);
        }
        VertxTracer<?, ?> users = bootstrap.tracer();
        bootstrap.tracer(new ContextTracer(users));
    }

    /** A factory that Vert.x would ask after us would find the place taken, and leave it. */
    private static void initUsersFactory(VertxBootstrapImpl bootstrap) {
        for (VertxServiceProvider provider : ServiceLoader.load(VertxServiceProvider.class)) {
            if (provider instanceof VertxTracerFactory) {
                provider.init(bootstrap);
                if (bootstrap.tracer() != null) {
                    return;
                }
            }
        }
    }

    /** Says what is missing where a Vertx has another tracer than ours, or none. */
    static void isLost(@Nullable VertxTracer<?, ?> instead) {
        LOG.warn(
                "HTTP requests get no contexts of their own and client calls are no operations in this Vertx, because {}. Let"
                        + " ContextSlot be found as a VertxServiceProvider, install a tracer by Vertx.builder().withTracer(..) or as a"
                        + " VertxTracerFactory, which is told all that it would be told without us, and not in a provider that puts it"
                        + " into the bootstrap; or begin the routes of vertx-web with"
                        + " router.route().handler(WebContexts.requests())",
                instead == null
                        ? "it has no tracer of ours"
                        : "its tracer is a " + instead.getClass().getName());
    }

    /** Says what is missing where Vert.x does not tell its tracer of what a server of HTTP/1 does. */
    static void isNotToldOfRequests() {
        LOG.warn("HTTP/1 requests get no contexts of their own in this Vertx, nor do WebSockets, because with"
                + " -Dvertx.disableMetrics=true Vert.x does not tell tracers of them. Leave that out, or begin the routes of"
                + " vertx-web with router.route().handler(WebContexts.requests())");
    }

    private static void stepBack(String why, @Nullable Throwable cause) {
        LOG.warn(
                "HTTP requests get no contexts of their own and client calls are no operations in this Vertx: {}",
                why,
                cause);
    }
}
