package com.fastn.status;

import com.fastn.context.ContextRuntime;
import com.fastn.context.Ticker;
import com.fastn.context.status.FoldableTree;
import com.fastn.context.status.SnapshotDelta;
import com.fastn.context.status.StatusPage;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads the whole tree of this node to others, page by page, so that no answer is large however large the tree is.
 *
 * <p>Each reading holds the contexts that were there when it began, until its last page is told or nobody has asked for one
 * for a while. Threads: any, those that may block.
 */
final class TreePages {
    /** How long a reading waits for somebody to ask for its next page. */
    static final Duration LEASE = Duration.ofSeconds(30);
    /** What asks for the first page. */
    static final String FIRST = "first";

    private static final int MOST_READINGS = 8;
    /** What stands around the list of a page. */
    private static final int AROUND_BYTES = 2_048;

    private final ContextRuntime runtime;
    private final ClusterTrust trust;
    private final Ticker ticker;

    @GuardedBy("this")
    private final Map<Long, Reading> readings = new HashMap<>();

    @GuardedBy("this")
    private long lastId;

    TreePages(ContextRuntime runtime, ClusterTrust trust, Ticker ticker) {
        this.runtime = runtime;
        this.trust = trust;
        this.ticker = ticker;
    }

    /**
     * Makes a page.
     *
     * @param asked {@link #FIRST}, or what the page before named as the next
     * @return the page
     * @throws BadQueryException if there is no such page, or too many read at once
     */
    StatusPage page(String asked) {
        if (asked.equals(FIRST)) {
            Reading begun = begin();
            return begun.page(0);
        }
        int dot = asked.indexOf('.');
        if (dot < 0) {
            throw new BadQueryException(
                    BadQueryException.MALFORMED,
                    "\"page\" wants \"" + FIRST + "\", or what the page before had as \"next\"");
        }
        long id;
        int from;
        try {
            id = Long.parseLong(asked.substring(0, dot));
            from = Integer.parseInt(asked.substring(dot + 1));
        } catch (NumberFormatException e) {
            id = 0;
            from = -1;
        }
        return find(id, from).page(from);
    }

    private Reading begin() {
        synchronized (this) {
            forgetSilent();
            if (readings.size() >= MOST_READINGS) {
                throw new BadQueryException(
                        BadQueryException.TOO_MANY,
                        MOST_READINGS + " readings of this node's tree are under way already; ask again in "
                                + LEASE.toSeconds() + " s");
            }
        }
        // The walk takes its time, and who has a page to read must not wait for it.
        long version = runtime.version();
        FoldableTree tree = runtime.tree();
        synchronized (this) {
            Reading reading = new Reading(++lastId, tree, version, ticker.wallTime(), ticker.nanos());
            readings.put(reading.id, reading);
            return reading;
        }
    }

    private synchronized Reading find(long id, int from) {
        forgetSilent();
        Reading reading = readings.get(id);
        if (reading == null || from < 0 || from >= reading.tree.size()) {
            throw new BadQueryException(
                    BadQueryException.GONE,
                    "these pages are over; begin anew with \"" + FIRST + "\", and ask for each next one within "
                            + LEASE.toSeconds() + " s");
        }
        reading.askedNanos = ticker.nanos();
        return reading;
    }

    /** {@return whether any reading is left after those are forgotten that nobody asked for a while} */
    synchronized boolean forgetSilent() {
        readings.values().removeIf(reading -> ticker.nanos() - reading.askedNanos > LEASE.toNanos());
        return !readings.isEmpty();
    }

    private synchronized void end(long id) {
        readings.remove(id);
    }

    /** One reading of the tree. Only one page of it is made at a time. */
    private final class Reading {
        private final long id;
        private final FoldableTree tree;
        private final long version;
        private final Instant timestamp;

        // Guarded by the pages that it is one of.
        private long askedNanos;

        Reading(long id, FoldableTree tree, long version, Instant timestamp, long askedNanos) {
            this.id = id;
            this.tree = tree;
            this.version = version;
            this.timestamp = timestamp;
            this.askedNanos = askedNanos;
        }

        synchronized StatusPage page(int from) {
            List<SnapshotDelta.Change> contexts = StatusPage.read(tree, from, Answers.MOST_WIRE_BYTES - AROUND_BYTES);
            int next = from + contexts.size();
            boolean last = next >= tree.size();
            if (last) {
                end(id);
            }
            return new StatusPage(
                    runtime.node(),
                    timestamp,
                    version,
                    tree.size(),
                    contexts.stream()
                            .map(row -> new SnapshotDelta.Change(row.parentId(), trust.forOthers(row.context())))
                            .toList(),
                    last ? null : id + "." + next);
        }
    }
}
