package com.fastn.context.status;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.time.Instant;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A context that has ended and was marked to be remembered.
 *
 * @param id the context's number in its runtime
 * @param path the names from the root down
 * @param label the name for people
 * @param kind what the context stood for
 * @param startedAt when it was created, by the wall clock; a label
 * @param endedAt when it left the tree, by the wall clock; a label
 * @param duration how long it lived; never negative
 * @param outcome how it ended
 * @param pathTotals what its path had counted by its end, in this and in all other contexts of that path; at most twenty
 *     counters, those that were used first
 */
public record FinishedContext(
        long id,
        ContextPath path,
        String label,
        ContextKind kind,
        Instant startedAt,
        Instant endedAt,
        Duration duration,
        Outcome outcome,
        Map<String, Long> pathTotals) {

    /** Copies the map. */
    public FinishedContext {
        requireNonNull(path, "path");
        requireNonNull(label, "label");
        requireNonNull(kind, "kind");
        requireNonNull(startedAt, "startedAt");
        requireNonNull(endedAt, "endedAt");
        requireNonNull(duration, "duration");
        requireNonNull(outcome, "outcome");
        pathTotals = Collections.unmodifiableMap(new LinkedHashMap<>(pathTotals));
    }

    /** How a context ended. */
    public sealed interface Outcome permits Completed, Failed, Cancelled {}

    /** It was closed, and neither failed nor was asked to stop. */
    public record Completed() implements Outcome {}

    /**
     * Its task failed, or it was told of a failure.
     *
     * @param message the failure for people: its kind and what it said
     */
    public record Failed(String message) implements Outcome {
        /** Checks that the message is there. */
        public Failed {
            requireNonNull(message, "message");
        }
    }

    /**
     * It was asked to stop before it ended.
     *
     * @param reason who asked, and why
     */
    public record Cancelled(CancelReason reason) implements Outcome {
        /** Checks that the reason is there. */
        public Cancelled {
            requireNonNull(reason, "reason");
        }
    }
}
