package com.fastn.context.engine;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks after the cancellations that run code of users in a thread, and have more to do behind it. Where that code does not
 * return for a while, another thread does what is left: it may be what that code waits for.
 */
final class CancelWatch {
    /** How long a cancellation may stand still: much longer than a handler takes that only says that something is to stop. */
    static final Duration PATIENCE = Duration.ofMillis(500);

    private static final Logger LOG = LoggerFactory.getLogger("com.fastn.context");
    private static final int NOT_SEEN = -1;

    private final Timers timers;
    // Each with the progress that it had made when this looked last.
    private final Map<CancelWalk, Integer> walks = new ConcurrentHashMap<>();
    private final AtomicBoolean looking = new AtomicBoolean();

    CancelWatch(Timers timers) {
        this.timers = timers;
    }

    void add(CancelWalk walk) {
        walks.put(walk, NOT_SEEN);
        if (!looking.get()) {
            lookLater();
        }
    }

    void remove(CancelWalk walk) {
        walks.remove(walk);
    }

    private void lookLater() {
        if (looking.compareAndSet(false, true)) {
            try {
                if (timers.tick(PATIENCE, this::look)) {
                    return;
                }
            } catch (Throwable noThread) {
                LOG.debug("nobody looks after a cancellation, as there is no thread for it", noThread);
            }
            looking.set(false);
        }
    }

    private void look() {
        looking.set(false);
        walks.forEach((walk, seen) -> {
            int now = walk.progress();
            if (now == seen) {
                timers.soon(walk::help);
            } else {
                walks.replace(walk, seen, now);
            }
        });
        if (!walks.isEmpty()) {
            lookLater();
        }
    }
}
