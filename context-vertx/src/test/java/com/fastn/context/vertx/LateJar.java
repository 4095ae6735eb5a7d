package com.fastn.context.vertx;

import io.vertx.core.Vertx;
import io.vertx.core.internal.VertxBootstrap;
import java.util.List;

/** A process in which a Vertx is made without looking for services; run in a class loader of its own. */
public final class LateJar {
    private LateJar() {}

    /** {@return what is said to whoever installs contexts then} */
    public static String refusal() {
        Vertx vertx = VertxBootstrap.create()
                .serviceProviders(List.of())
                .verticleFactories(List.of())
                .init()
                .vertx();
        try {
            FastnVertx.install(vertx);
            return "it was installed";
        } catch (IllegalStateException e) {
            return String.valueOf(e.getMessage());
        } finally {
            Waiting.result(vertx.close());
        }
    }
}
