package com.fastn.context.status;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.util.List;

/**
 * The end of an explanation: the context that has to move, and what is known of it.
 *
 * @param context who
 * @param kind what holds it up; a lock, permits, a request or a child only where contexts wait for each other in a circle
 * @param name the operation, lock, event loop or pool, or the empty text
 * @param since for how long
 * @param text what it does, such as {@code inside of "bank.pay" 12.2s} or {@code no sign of life for 40s}
 * @param stack the frames of the thread that it runs on at this moment, the innermost first; empty when no thread is known,
 *     and always empty in a status that came from another node (rule S19)
 */
public record RootCause(
        ContextRef context, CauseKind kind, String name, Duration since, String text, List<String> stack) {
    /** Copies the stack. */
    public RootCause {
        requireNonNull(context, "context");
        requireNonNull(kind, "kind");
        requireNonNull(name, "name");
        requireNonNull(since, "since");
        requireNonNull(text, "text");
        stack = List.copyOf(stack);
    }
}
