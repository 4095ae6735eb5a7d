package com.fastn.context.vertx;

import com.fastn.context.FastnContext;
import com.fastn.context.Registration;
import com.fastn.context.engine.ContextNode;
import com.fastn.context.status.ContextState;
import io.vertx.core.Closeable;
import io.vertx.core.internal.CloseFuture;
import io.vertx.core.internal.ContextInternal;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The end of the verticle that something was begun in, for a context that is not of that verticle and goes on. Vert.x drops
 * what an undeployed verticle waits for without a word: the context would keep it, and with it the classes of the verticle.
 */
final class VerticleEnd {
    private static final Logger LOG = LoggerFactory.getLogger(VerticleEnd.class);

    private VerticleEnd() {}

    /**
     * Registers what gives something up when the verticle of a place is undeployed; where it is by now, that runs before this
     * returns. A place of no verticle needs none. A context that is cancelled then has the time that it is given to end in, and it
     * is given up only after that: it may end by itself before, and then nobody cancels it.
     */
    static Registration onUndeployed(FastnContext context, ContextInternal place, Runnable giveUp) {
        // Not isDeployment(), which is false from 5.1 on once the verticle is undeployed.
        if (place.deploymentID() == null) {
            return () -> {};
        }
        CloseFuture verticle = place.closeFuture();
        Closeable undeployed = done -> {
            boolean ended = context.state() == ContextState.CLOSED && !context.isCancelled();
            if (ended || !isOfVerticle(context, place)) {
                giveUp.run();
            } else {
                verticle.future().onComplete(end -> giveUpLate(giveUp));
            }
            done.succeed();
        };
        if (!verticle.add(undeployed)) {
            // Something of it still runs, and what that begins now would have no end.
            giveUp.run();
            return () -> {};
        }
        return () -> verticle.remove(undeployed);
    }

    private static void giveUpLate(Runnable giveUp) {
        try {
            giveUp.run();
        } catch (RejectedExecutionException e) {
            LOG.debug("nobody is told of what was given up in a verticle whose worker pool is closed", e);
        }
    }

    /**
     * Registers what gives something up that goes on at a worker's place, for when the pool of that place is gone with its
     * verticle and the last task in it has ended: nobody tells of anything there any longer. A pool that outlives the verticle,
     * as the default one does, or one that another verticle has by the same name, runs what comes as before. With the Vertx it
     * is over at the latest, though a task is left in the pool.
     */
    static Registration onPoolGone(ContextInternal place, Runnable giveUp) {
        PoolWatches.Watch watch = PoolWatches.of(place);
        return watch == null ? () -> {} : watch.add(giveUp);
    }

    /** The pool of a worker that goes with its verticle; null where it is the one of the Vertx, or no worker. */
    static @Nullable ExecutorService poolOfItsOwn(ContextInternal place) {
        if (!place.isWorkerContext() || place.deploymentID() == null) {
            return null;
        }
        ExecutorService pool = place.workerPool().executor();
        return pool == place.owner().workerPool().executor() ? null : pool;
    }

    /** Whether a context is cancelled when the verticle of a place is undeployed. */
    static boolean isOfVerticle(FastnContext context, ContextInternal place) {
        ContextNode verticle = ContextSlot.get(place.unwrap());
        FastnContext above = context;
        while (above != null && above != verticle) {
            above = above.parent();
        }
        return above != null;
    }
}
