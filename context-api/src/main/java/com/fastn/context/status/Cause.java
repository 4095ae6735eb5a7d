package com.fastn.context.status;

import static java.util.Objects.requireNonNull;

import java.time.Duration;

/**
 * One step of an explanation, from a context that waits to the one that it waits for.
 *
 * @param kind how the two are joined
 * @param name the lock, operation, address or pool
 * @param lockId the lock of that node, or 0 where it is none
 * @param waiter who waits
 * @param waited since when
 * @param next whom for
 * @param held since when that one holds, serves or runs what is waited for
 * @param waits what the waiter does, such as {@code waits for mutex "orders" 8.1s}
 * @param found why the next one is it, such as {@code held 12.3s by settle}
 */
public record Cause(
        CauseKind kind,
        String name,
        long lockId,
        ContextRef waiter,
        Duration waited,
        ContextRef next,
        Duration held,
        String waits,
        String found) {
    /** Checks that all parts are there. */
    public Cause {
        requireNonNull(kind, "kind");
        requireNonNull(name, "name");
        requireNonNull(waiter, "waiter");
        requireNonNull(waited, "waited");
        requireNonNull(next, "next");
        requireNonNull(held, "held");
        requireNonNull(waits, "waits");
        requireNonNull(found, "found");
    }

    /** {@return whether the next one has the lock since after the wait began, so that the wait is not for it alone} */
    public boolean isOfMovingQueue() {
        return lockId != 0 && held.compareTo(waited) < 0;
    }
}
