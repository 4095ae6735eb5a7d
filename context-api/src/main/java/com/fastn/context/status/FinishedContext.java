package com.fastn.context.status;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.time.Instant;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

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
 * @param caller the known caller elsewhere, or {@code null}
 * @param traceId what its data had under {@value #TRACE_ID}, by which a tracing system knows what it was part of, or
 *     {@code null}
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
        Map<String, Long> pathTotals,
        @Nullable CallerLink caller,
        @Nullable String traceId) {

    /** The key of the one datum of a context that is told of it when it has ended, too, where it is a text. */
    public static final String TRACE_ID = "trace_id";

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

    /**
     * Makes one of which neither a caller nor a trace is known.
     *
     * @param id the context's number in its runtime
     * @param path the names from the root down
     * @param label the name for people
     * @param kind what the context stood for
     * @param startedAt when it was created, by the wall clock
     * @param endedAt when it left the tree, by the wall clock
     * @param duration how long it lived; never negative
     * @param outcome how it ended
     * @param pathTotals what its path had counted by its end
     */
    public FinishedContext(
            long id,
            ContextPath path,
            String label,
            ContextKind kind,
            Instant startedAt,
            Instant endedAt,
            Duration duration,
            Outcome outcome,
            Map<String, Long> pathTotals) {
        this(id, path, label, kind, startedAt, endedAt, duration, outcome, pathTotals, null, null);
    }

    /**
     * Leaves out what there is no room for: the oldest ones, but those that failed or were cancelled have half of the room,
     * however many completed after them.
     *
     * @param newestFirst contexts that ended, the newest first
     * @param most how many there is room for
     * @return those that are left, the newest first
     */
    public static List<FinishedContext> atMost(List<FinishedContext> newestFirst, int most) {
        return RecentShare.of(newestFirst, all -> all.subList(0, Math.min(most, all.size())));
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
