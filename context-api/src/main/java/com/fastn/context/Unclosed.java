package com.fastn.context;

import static java.util.Objects.requireNonNull;

import com.fastn.context.status.ContextPath;
import com.fastn.context.status.HumanText;
import java.time.Duration;
import java.util.List;

/**
 * Something that was opened and not closed yet, as a runtime in strict mode knows it.
 *
 * @param kind what it is
 * @param name the name of the context, lock, counter or operation
 * @param path the context, or the one that holds the lock or has the count or the operation
 * @param contextId the id of that context
 * @param age since it was opened
 * @param openedAt the frames of the caller that opened it, the innermost first; at most 16
 */
public record Unclosed(
        Kind kind, String name, ContextPath path, long contextId, Duration age, List<StackTraceElement> openedAt) {
    /**
     * Checks that all parts are there.
     *
     * @param kind what it is
     * @param name its name
     * @param path the context
     * @param contextId the id of the context
     * @param age since it was opened
     * @param openedAt the frames of the caller
     */
    public Unclosed {
        requireNonNull(kind, "kind");
        requireNonNull(name, "name");
        requireNonNull(path, "path");
        requireNonNull(age, "age");
        openedAt = List.copyOf(openedAt);
    }

    /** What can be left unclosed. */
    public enum Kind {
        /** What {@link ContextBuilder#open} gave. */
        CONTEXT("context"),
        /** The guard of a lock of any kind, such as {@link ContextMutex#lock} or {@link ContextMutex#tryLock} gave. */
        LOCK("lock"),
        /** What {@link FastnContext#trackLive} gave. */
        LIVE_COUNT("live count"),
        /** What {@link FastnContext#operation} gave. */
        OPERATION("operation");

        private final String text;

        Kind(String text) {
            this.text = text;
        }

        /** {@return the word for people} */
        public String text() {
            return text;
        }
    }

    /** {@return class, method, file and line of the innermost frame, such as {@code app.Checkout.pay(Checkout.java:41)}} */
    public String place() {
        if (openedAt.isEmpty()) {
            return "an unknown place";
        }
        StackTraceElement frame = openedAt.get(0);
        return frame.getClassName() + "." + frame.getMethodName() + "("
                + (frame.getFileName() == null ? "unknown file" : frame.getFileName())
                + (frame.getLineNumber() < 0 ? "" : ":" + frame.getLineNumber()) + ")";
    }

    /** {@return one line for people: what, where in the tree, for how long, and where it was opened} */
    public String describe() {
        return kind.text() + (kind == Kind.CONTEXT ? " " : " \"" + name + "\" of ") + path + "#" + contextId
                + ", open for " + HumanText.duration(age) + ", opened at " + place();
    }
}
