package com.fastn.context.vertx;

import io.vertx.core.internal.ContextInternal;
import java.util.concurrent.RejectedExecutionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A while that is longer than a thread is held up between two lines, and shorter than the grace time of a verticle that ends. */
final class ShortWait {
    private static final long HALF_MILLIS = 300;
    private static final Logger LOG = LoggerFactory.getLogger(ShortWait.class);

    private ShortWait() {}

    /**
     * Does something after it; at once where the Vertx is closed. It has two timers: when the whole process has stood still, the
     * first one is due as soon as it goes on, and then all threads have the time of the second one.
     */
    static void then(ContextInternal home, Runnable work) {
        half(home, () -> half(home, work));
    }

    private static void half(ContextInternal home, Runnable work) {
        try {
            var unused = home.setTimer(HALF_MILLIS, id -> work.run());
        } catch (RejectedExecutionException e) {
            LOG.debug("nothing is waited for, as the Vertx is closed", e);
            work.run();
        }
    }
}
