package com.fastn.context.vertx;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import io.vertx.core.Vertx;

/** A verticle on whose Vert.x context a test runs. */
class Front extends VerticleBase {

    static Front deploy(Vertx vertx) {
        Front front = new Front();
        Waiting.result(vertx.deployVerticle(front));
        return front;
    }

    Context place() {
        return context;
    }

    Future<Void> undeploy() {
        return vertx.undeploy(context.deploymentID());
    }
}
