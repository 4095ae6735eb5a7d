package com.fastn.status;

import com.fastn.context.Registration;
import com.fastn.context.status.ClusterStatus;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;

/**
 * The cluster for somebody at the status port who watches it: what the streams of the other nodes told last. Nobody is asked, but
 * at first, once whether really nothing is open at a path, and while the event loop that hears the streams has no time; then the
 * answer says so.
 */
final class FollowedCluster implements AutoCloseable {
    private final StatusQuery query;
    private final ClusterAnswers cluster;
    private final BusDoor bus;
    private final Runnable news;

    private volatile @Nullable ClusterStatus told;

    @GuardedBy("this")
    private @Nullable Registration watching;

    /** All nodes said themselves that nothing is open at the path, and this is what had been told then. */
    @GuardedBy("this")
    private @Nullable ClusterStatus nowhere;

    @GuardedBy("this")
    private @Nullable BadQueryException saidNowhere;

    @GuardedBy("this")
    private boolean beginning;

    @GuardedBy("this")
    private boolean closed;

    /**
     * Makes one. It begins with the first look.
     *
     * @param query which nodes, and which part of their trees
     * @param cluster asks
     * @param bus hears
     * @param news run on the event loop when something else is so
     */
    FollowedCluster(StatusQuery query, ClusterAnswers cluster, BusDoor bus, Runnable news) {
        this.query = query;
        this.cluster = cluster;
        this.bus = bus;
        this.news = news;
    }

    /** {@return what is so now} Fails as an answer does, as when a node that is named is not known. */
    CompletableFuture<ClusterStatus> look() {
        begin();
        ClusterStatus known = told;
        if (known == null) {
            return cluster.ask(query);
        }
        // That nothing is open at a path is no row but an answer of its own.
        if (query.path() != null && known.nodes().stream().allMatch(row -> row.snapshot() == null)) {
            BadQueryException said = saidNowhere(known);
            return said == null
                    ? cluster.ask(query).whenComplete((status, failure) -> noteNowhere(known, failure))
                    : orAsked(CompletableFuture.failedFuture(said));
        }
        return orAsked(CompletableFuture.completedFuture(known));
    }

    /** What was told is of before an event loop was held up: then it is asked for, and the answer says so. */
    private CompletableFuture<ClusterStatus> orAsked(CompletableFuture<ClusterStatus> told) {
        CompletableFuture<Boolean> awake = cluster.knock().handle((opened, silent) -> silent == null);
        return awake.thenCompose(isAwake -> isAwake ? told : cluster.ask(query));
    }

    /** As long as nothing else is told, it is so. */
    @SuppressWarnings("ReferenceEquality")
    private synchronized @Nullable BadQueryException saidNowhere(ClusterStatus known) {
        return nowhere == known ? saidNowhere : null;
    }

    private synchronized void noteNowhere(ClusterStatus known, @Nullable Throwable failure) {
        Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
        if (cause instanceof BadQueryException bad && bad.code() == BadQueryException.NOT_FOUND) {
            nowhere = known;
            saidNowhere = bad;
        }
    }

    private void begin() {
        synchronized (this) {
            if (closed || beginning || watching != null) {
                return;
            }
            beginning = true;
        }
        var unused = bus.watch(query, this::hear).whenComplete(this::begun);
    }

    /** A name that nobody has is told by whoever asks, and watched when it is known. */
    private void begun(@Nullable Registration registration, @Nullable Throwable failure) {
        boolean late;
        synchronized (this) {
            beginning = false;
            late = closed;
            if (!late) {
                watching = registration;
            }
        }
        if (late && registration != null) {
            registration.close();
        }
    }

    private void hear(ClusterStatus status) {
        told = status;
        news.run();
    }

    @Override
    public void close() {
        Registration open;
        synchronized (this) {
            closed = true;
            open = watching;
            watching = null;
        }
        if (open != null) {
            open.close();
        }
    }
}
