package com.fastn.context;

import static java.util.Objects.requireNonNull;

import com.fastn.context.status.ContextPath;
import java.time.Duration;
import java.util.List;

/**
 * What became of a cancellation: which contexts below the cancelled one were still open when its time was over, and what
 * they were doing.
 *
 * @param waited how long was waited for them
 * @param unstopped those that were still open, the nearest first; at most 100. A context that only waits for its open children is
 *     not listed, its children are
 * @param more how many further ones there were
 */
public record CancelReport(Duration waited, List<Unstopped> unstopped, long more) {
    /**
     * Copies the list.
     *
     * @param waited how long was waited for them
     * @param unstopped those that were still open
     * @param more how many further ones there were
     */
    public CancelReport {
        requireNonNull(waited, "waited");
        unstopped = List.copyOf(unstopped);
    }

    /** {@return whether everything below the cancelled context has ended} */
    public boolean isComplete() {
        return unstopped.isEmpty() && more == 0;
    }

    /**
     * A context that did not stop.
     *
     * @param contextId its id
     * @param path its path
     * @param age since it was created
     * @param doing what it was doing, for people, such as {@code inside "db-query" for 12.3s}
     */
    public record Unstopped(long contextId, ContextPath path, Duration age, String doing) {
        /**
         * Checks that all parts are there.
         *
         * @param contextId its id
         * @param path its path
         * @param age since it was created
         * @param doing what it was doing
         */
        public Unstopped {
            requireNonNull(path, "path");
            requireNonNull(age, "age");
            requireNonNull(doing, "doing");
        }

        /** {@return one line for people} */
        @Override
        public String toString() {
            return path + "#" + contextId + ": " + doing;
        }
    }

    /** {@return one line for each context that did not stop} */
    @Override
    public String toString() {
        if (isComplete()) {
            return "all stopped";
        }
        StringBuilder lines = new StringBuilder((unstopped.size() + more) + " did not stop");
        unstopped.forEach(one -> lines.append('\n').append(one));
        if (more > 0) {
            lines.append("\n+").append(more).append(" more");
        }
        return lines.toString();
    }
}
