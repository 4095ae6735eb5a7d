package com.fastn.context.status;

import static java.util.Objects.requireNonNull;

/**
 * Why a context was asked to stop.
 *
 * @param kind who or what asked
 * @param message for people
 * @param source the path of the context where the cancellation began, in dotted form
 */
public record CancelReason(Kind kind, String message, String source) {
    /** Checks that all parts are there. */
    public CancelReason {
        requireNonNull(kind, "kind");
        requireNonNull(message, "message");
        requireNonNull(source, "source");
    }

    /** The origins of a cancellation. */
    public enum Kind {
        /** Somebody called {@code cancel}. */
        REQUESTED,
        /** An ancestor was cancelled. */
        PARENT,
        /** A time limit ran out. */
        TIMEOUT,
        /** The application or a verticle stops. */
        SHUTDOWN,
        /** A deadlock was broken at this context. */
        DEADLOCK
    }
}
