package com.fastn.context.vertx;

import com.fastn.context.FastnContext;
import com.fastn.context.Registration;
import com.fastn.context.engine.ContextNode;
import io.vertx.core.Closeable;
import io.vertx.core.internal.CloseFuture;
import io.vertx.core.internal.ContextInternal;

/**
 * The end of the verticle that something was begun in, for a context that is not of that verticle and goes on. Vert.x drops
 * what an undeployed verticle waits for without a word: the context would keep it, and with it the classes of the verticle.
 */
final class VerticleEnd {
    private VerticleEnd() {}

    /**
     * Registers what gives something up when the verticle of a place is undeployed; where it is by now, that runs before this
     * returns. A context that is cancelled then, or a place of no verticle, needs none.
     */
    static Registration onUndeployed(FastnContext context, ContextInternal place, Runnable giveUp) {
        // Not isDeployment(), which is false from 5.1 on once the verticle is undeployed.
        if (place.deploymentID() == null || isOfVerticle(context, place)) {
            return () -> {};
        }
        Closeable undeployed = done -> {
            giveUp.run();
            done.succeed();
        };
        CloseFuture verticle = place.closeFuture();
        if (!verticle.add(undeployed)) {
            // Something of it still runs, and what that begins now would have no end.
            giveUp.run();
            return () -> {};
        }
        return () -> verticle.remove(undeployed);
    }

    /** Whether a context is cancelled when the verticle of a place is undeployed. */
    private static boolean isOfVerticle(FastnContext context, ContextInternal place) {
        ContextNode verticle = ContextSlot.get(place.unwrap());
        FastnContext above = context;
        while (above != null && above != verticle) {
            above = above.parent();
        }
        return above != null;
    }
}
