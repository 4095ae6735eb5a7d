package com.fastn.context.status;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.util.List;

/**
 * A place where contexts run and at this moment cannot: an event loop that is held up, or a worker pool that is full.
 *
 * @param kind {@link CauseKind#EVENT_LOOP} or {@link CauseKind#POOL}
 * @param name the thread or the pool
 * @param since for how long it is so
 * @param at the application's code that its thread is in, such as {@code Ledger.java:88}, or the empty text
 * @param busy the ids of the contexts that run there, as far as they are known, the longest first
 * @param waiting the ids of the contexts whose work waits there; for an event loop those that live on it, such as a
 *     verticle's, and all below them
 * @param queued how many tasks wait there, known or not
 * @param unknown of how many of these nobody knows whose they are; 0 where that is not told
 */
public record BlockedPlace(
        CauseKind kind,
        String name,
        Duration since,
        String at,
        List<Long> busy,
        List<Long> waiting,
        int queued,
        int unknown) {
    /** Copies the lists. */
    public BlockedPlace {
        requireNonNull(kind, "kind");
        requireNonNull(name, "name");
        requireNonNull(since, "since");
        requireNonNull(at, "at");
        busy = List.copyOf(busy);
        waiting = List.copyOf(waiting);
    }
}
