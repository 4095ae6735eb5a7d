package com.fastn.context.vertx;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Observes in the middle of the application's work: whatever goes wrong with us, the application goes on. What is done for each
 * message catches the same itself, and makes no object for it.
 */
final class Quietly {
    private static final Logger LOG = LoggerFactory.getLogger(Quietly.class);

    private Quietly() {}

    /** Gives what a piece of our work gives, or null when it fails, which is logged as what was not done. */
    static <T> @Nullable T get(String notDone, Supplier<@Nullable T> work) {
        try {
            return work.get();
        } catch (RuntimeException | LinkageError | AssertionError e) {
            failed(notDone, e);
            return null;
        }
    }

    /** Logs that a piece of our work failed, as what was not done. */
    static void failed(String notDone, Throwable failure) {
        LOG.error(notDone, failure);
    }

    /** Does a piece of our work; that it failed is logged as what was not done. */
    static void run(String notDone, Runnable work) {
        get(notDone, () -> {
            work.run();
            return null;
        });
    }
}
