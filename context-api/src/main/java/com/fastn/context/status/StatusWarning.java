package com.fastn.context.status;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Something worth a look.
 *
 * @param id the rule that says so, such as {@code waiter-stuck}; stable, for filters
 * @param severity how bad it is
 * @param message what is the matter
 * @param contextPath where, in dotted form
 * @param contextId the id of the one context that it is about, or 0 when it is about several or none; negative
 *     when that one is of another runtime of the process, and so not in the tree; siblings may share the path
 * @param next what to look at next, or {@code null}
 * @param since how long it has been so, such as how long a lock is held, or {@code null} when that is unknown; of figures
 *     of the machine and of folded counters since the first snapshot that saw it so, without one meanwhile that did not
 */
public record StatusWarning(
        String id,
        WarningSeverity severity,
        String message,
        String contextPath,
        long contextId,
        @Nullable String next,
        @Nullable Duration since) {
    /** Checks that all parts are there. */
    public StatusWarning {
        requireNonNull(id, "id");
        requireNonNull(severity, "severity");
        requireNonNull(message, "message");
        requireNonNull(contextPath, "contextPath");
    }

    /**
     * Makes a warning about no single context, of which nobody knows since when it is so.
     *
     * @param id the rule that says so
     * @param severity how bad it is
     * @param message what is the matter
     * @param contextPath where, in dotted form
     * @param next what to look at next, or {@code null}
     */
    public StatusWarning(
            String id, WarningSeverity severity, String message, String contextPath, @Nullable String next) {
        this(id, severity, message, contextPath, 0, next, null);
    }
}
