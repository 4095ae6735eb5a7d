package com.fastn.context.vertx;

import io.vertx.core.Deployable;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.spi.VerticleFactory;
import java.util.concurrent.Callable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Installs contexts in every new Vertx. Vert.x finds this class as a service and tells it of each Vertx; it makes no
 * verticles, and is not for applications.
 */
public final class AutoInstall implements VerticleFactory {
    /** The system property that, set to {@code false}, leaves installing to {@link FastnVertx#install}. */
    public static final String PROPERTY = "fastn.context.auto";

    private static final Logger LOG = LoggerFactory.getLogger(AutoInstall.class);

    /** Made by the service loader. */
    public AutoInstall() {}

    @Override
    public void init(Vertx vertx) {
        if (UnobservedThread.isCurrent() || "false".equals(System.getProperty(PROPERTY))) {
            return;
        }
        try {
            if (VertxOfAnother.isMade()) {
                LOG.debug(
                        "a Vertx has no contexts, as a service of another one, such as its tracer, makes it for itself");
                return;
            }
            FastnVertx.installAtStart(vertx);
        } catch (RuntimeException | LinkageError | AssertionError e) {
            // An application must start also where it cannot be observed.
            LOG.error("this Vertx has no contexts: {}", e.getMessage(), e);
        }
    }

    @Override
    public String prefix() {
        return "fastn-context-install";
    }

    @Override
    public void createVerticle2(String name, ClassLoader classLoader, Promise<Callable<? extends Deployable>> promise) {
        promise.fail("\"" + prefix() + ":\" is no place to find verticles; deploy \"" + name
                + "\" by its class name or its own factory's prefix");
    }
}
