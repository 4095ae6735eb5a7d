package com.fastn.context.status;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A time in which contexts were stuck behind one root, from the first of them to the last.
 *
 * @param start when the first of them began to wait
 * @param end when the last of them went on, or {@code null} while it lasts
 * @param lasted from start to end, or until now
 * @param kind what held the root up when it was last looked at
 * @param name the lock or operation that was waited for
 * @param root who held everybody up; of contexts that waited for each other, the one that was opened first
 * @param rootText what it did when it was last looked at
 * @param mostWaiters how many were stuck at once, at most
 */
public record WaitEpisode(
        Instant start,
        @Nullable Instant end,
        Duration lasted,
        CauseKind kind,
        String name,
        ContextRef root,
        String rootText,
        int mostWaiters) {
    /** Checks that all parts are there. */
    public WaitEpisode {
        requireNonNull(start, "start");
        requireNonNull(lasted, "lasted");
        requireNonNull(kind, "kind");
        requireNonNull(name, "name");
        requireNonNull(root, "root");
        requireNonNull(rootText, "rootText");
    }

    /** {@return whether it lasts} */
    public boolean isOpen() {
        return end == null;
    }

    /** {@return the episode in one line} */
    public String text() {
        return ExplanationText.episode(this);
    }
}
