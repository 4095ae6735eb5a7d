package com.fastn.verification.benchmarks;

import com.fastn.context.vertx.FastnVertx;
import io.vertx.core.Vertx;

/** An event loop of a Vert.x that this library does not observe. */
public class PlainLoop extends VertxLoop {
    @Override
    Vertx make() {
        return FastnVertx.withoutContexts(Vertx::vertx);
    }
}
