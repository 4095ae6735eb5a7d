package com.fastn.context.engine;

import static java.util.Objects.requireNonNull;

import com.fastn.context.status.Redactor;
import com.fastn.context.status.Sanitizer;
import java.io.Serial;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/**
 * A failure of somebody else's code as it may stand in a log: the same stack, and messages that are one line each and hold
 * no secret (rules S5 and S7); the message begins with the class of what failed. One whose messages are so already is logged as it is.
 * A failure is code of a user too: what it throws when it is asked for its words is said in their place.
 */
final class LoggedFailure extends Throwable {
    @Serial
    private static final long serialVersionUID = 1;

    private static final int LONGEST_MESSAGE = 4_000;
    private static final int MOST_PARTS = 100;
    private static final int DEEPEST = 20;

    private LoggedFailure(String text, @Nullable Throwable cause) {
        super(text, cause, true, true);
    }

    /** Logs a failure. A log that fails itself harms nobody. */
    static void error(Logger log, Throwable failure, String format, Object... about) {
        try {
            Object[] all = Arrays.copyOf(about, about.length + 1);
            all[about.length] = of(failure);
            log.error(format, all);
        } catch (Throwable t) {
            // Whatever goes on here goes on without that record.
        }
    }

    static Throwable of(Throwable failure) {
        return of(failure, DEEPEST, new int[] {MOST_PARTS});
    }

    private static Throwable of(Throwable failure, int depth, int[] parts) {
        try {
            return described(failure, depth, parts);
        } catch (Throwable t) {
            LoggedFailure logged = new LoggedFailure(kind(failure) + ": (" + cannotSay(t) + ")", null);
            logged.setStackTrace(new StackTraceElement[0]);
            return logged;
        }
    }

    /** Causes may form a ring, so there is an end to depth and number. */
    private static Throwable described(Throwable failure, int depth, int[] parts) {
        parts[0]--;
        Words words = Words.of(failure);
        boolean goesOn = depth > 0 && parts[0] > 0;
        Throwable cause = failure.getCause();
        Throwable safeCause = cause == null || !goesOn ? null : of(cause, depth - 1, parts);
        Throwable[] suppressed = failure.getSuppressed();
        Throwable[] safeSuppressed = new Throwable[goesOn ? suppressed.length : 0];
        boolean same = words.clean && safeCause == cause && safeSuppressed.length == suppressed.length;
        for (int i = 0; i < safeSuppressed.length && parts[0] > 0; i++) {
            safeSuppressed[i] = of(suppressed[i], depth - 1, parts);
            same &= safeSuppressed[i] == suppressed[i];
        }
        // Asked for here, as the log will ask for it.
        StackTraceElement[] stack = requireNonNull(failure.getStackTrace(), "stack");
        if (same) {
            return failure;
        }
        LoggedFailure logged = new LoggedFailure(words.text, safeCause);
        logged.setStackTrace(stack);
        for (Throwable each : safeSuppressed) {
            if (each != null) {
                logged.addSuppressed(each);
            }
        }
        return logged;
    }

    /** What a failure says of itself, made safe, and whether it was so before. */
    private record Words(String text, boolean clean) {
        static Words of(Throwable failure) {
            String kind = kind(failure);
            String message = failure.getMessage();
            String localized = failure.getLocalizedMessage();
            String text = failure.toString();
            boolean usual = text == null || text.equals(localized == null ? kind : kind + ": " + localized);
            String said = usual ? message : text;
            if (said == null) {
                return new Words(kind, localized == null);
            }
            String safe = safe(said);
            boolean clean = said.equals(safe)
                    && (message == null || message.equals(safe(message)))
                    && (localized == null || localized.equals(safe(localized)));
            return new Words(safe.startsWith(kind) ? safe : kind + ": " + safe, clean);
        }
    }

    private static String kind(Throwable failure) {
        return failure.getClass().getName();
    }

    private static String cannotSay(Throwable t) {
        return "it cannot be described: its own code threw " + kind(t);
    }

    private static String safe(String text) {
        String head = text.length() <= LONGEST_MESSAGE ? text : text.substring(0, LONGEST_MESSAGE);
        return Sanitizer.line(Redactor.standard().text(head), LONGEST_MESSAGE);
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
