package com.fastn.context.status;

import static java.util.Objects.requireNonNull;

/**
 * One line of a drawn tree.
 *
 * @param text the line, cleaned, without a line feed
 * @param context the context that it is about; of the line that counts what was left out, the one drawn before it
 * @param isRow whether it is the context's own row, and not one of its counters and locks
 */
public record TreeLine(String text, ContextStatus context, boolean isRow) {
    /** Checks that all parts are there. */
    public TreeLine {
        requireNonNull(text, "text");
        requireNonNull(context, "context");
    }
}
