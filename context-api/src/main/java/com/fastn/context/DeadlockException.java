package com.fastn.context;

import static java.util.Objects.requireNonNull;

import com.fastn.context.status.DeadlockReport;
import org.jspecify.annotations.Nullable;

/** Says that a wait for a lock would never have ended, and why: its message names each party. */
public class DeadlockException extends IllegalStateException {
    private static final long serialVersionUID = 1L;

    private final transient @Nullable DeadlockReport report;

    /**
     * Makes the exception.
     *
     * @param message who holds what, and who waits for whom
     */
    public DeadlockException(String message) {
        super(message);
        this.report = null;
    }

    /**
     * Makes the exception of a wait that was given up, so that the others of a deadlock go on. Its message is the cycle.
     *
     * @param report the deadlock as it was found
     */
    public DeadlockException(DeadlockReport report) {
        super(requireNonNull(report, "report").cycle());
        this.report = report;
    }

    /** {@return the deadlock as it was found, or {@code null} where it is of one context with itself} */
    public @Nullable DeadlockReport report() {
        return report;
    }
}
