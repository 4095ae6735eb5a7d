package com.fastn.context.engine;

import com.fastn.context.status.Redactor;
import com.fastn.context.status.Sanitizer;
import java.io.Serial;
import org.jspecify.annotations.Nullable;

/**
 * A failure of somebody else's code as it may stand in a log: the same stack, and messages that are one line each and hold
 * no secret (rules S5 and S7); the message begins with the class of what failed. One whose messages are so already is logged as it is.
 */
final class LoggedFailure extends Throwable {
    @Serial
    private static final long serialVersionUID = 1;

    private static final int LONGEST_MESSAGE = 4_000;
    private static final int MOST_PARTS = 100;
    private static final int DEEPEST = 20;

    private LoggedFailure(String text, Throwable failure, @Nullable Throwable cause) {
        super(text, cause, true, true);
        setStackTrace(failure.getStackTrace());
    }

    static Throwable of(Throwable failure) {
        return of(failure, DEEPEST, new int[] {MOST_PARTS});
    }

    /** Causes may form a ring, so there is an end to depth and number. */
    private static Throwable of(Throwable failure, int depth, int[] parts) {
        parts[0]--;
        String message = message(failure);
        String safe =
                message == null ? null : Sanitizer.line(Redactor.standard().text(limited(message)), LONGEST_MESSAGE);
        boolean goesOn = depth > 0 && parts[0] > 0;
        Throwable cause = failure.getCause();
        Throwable safeCause = cause == null || !goesOn ? null : of(cause, depth - 1, parts);
        Throwable[] suppressed = failure.getSuppressed();
        Throwable[] safeSuppressed = new Throwable[goesOn ? suppressed.length : 0];
        boolean same = safeCause == cause
                && (message == null || message.equals(safe))
                && safeSuppressed.length == suppressed.length;
        for (int i = 0; i < safeSuppressed.length && parts[0] > 0; i++) {
            safeSuppressed[i] = of(suppressed[i], depth - 1, parts);
            same &= safeSuppressed[i] == suppressed[i];
        }
        if (same) {
            return failure;
        }
        String kind = failure.getClass().getName();
        LoggedFailure logged = new LoggedFailure(safe == null ? kind : kind + ": " + safe, failure, safeCause);
        for (Throwable each : safeSuppressed) {
            if (each != null) {
                logged.addSuppressed(each);
            }
        }
        return logged;
    }

    private static String limited(String message) {
        return message.length() <= LONGEST_MESSAGE ? message : message.substring(0, LONGEST_MESSAGE);
    }

    /** {@return what a failure says, or {@code null} if that is nothing, or its own code fails at that} */
    static @Nullable String message(Throwable failure) {
        try {
            return failure.getMessage();
        } catch (Throwable t) {
            // The code of a user, in the middle of something else.
            return null;
        }
    }
}
