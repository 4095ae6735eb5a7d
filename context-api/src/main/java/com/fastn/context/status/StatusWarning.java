package com.fastn.context.status;

import static java.util.Objects.requireNonNull;

import org.jspecify.annotations.Nullable;

/**
 * Something worth a look.
 *
 * @param id the rule that says so, such as {@code waiter-stuck}; stable, for filters
 * @param severity how bad it is
 * @param message what is the matter
 * @param contextPath where, in dotted form
 * @param next what to look at next, or {@code null}
 */
public record StatusWarning(
        String id,
        WarningSeverity severity,
        String message,
        String contextPath,
        @Nullable String next) {
    /** Checks that all parts are there. */
    public StatusWarning {
        requireNonNull(id, "id");
        requireNonNull(severity, "severity");
        requireNonNull(message, "message");
        requireNonNull(contextPath, "contextPath");
    }
}
