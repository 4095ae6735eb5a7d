package com.fastn.context.engine;

import com.fastn.context.status.CancelReason;
import com.fastn.context.status.ContextKind;
import com.fastn.context.status.ContextPath;
import com.fastn.context.status.FinishedContext;
import com.fastn.context.status.Redactor;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The contexts that ended last, of those that are to be remembered: as many as were asked for, and no more. */
final class RecentContexts {
    private static final int MOST_COUNTERS = 20;

    private static final FinishedContext.Outcome COMPLETED = new FinishedContext.Completed();

    private final int most;

    @GuardedBy("this")
    private final ArrayDeque<Ended> newestFirst = new ArrayDeque<>();

    RecentContexts(int most) {
        this.most = most;
    }

    List<FinishedContext> list() {
        List<Ended> ended;
        synchronized (this) {
            ended = List.copyOf(newestFirst);
        }
        return ended.stream().map(Ended::finished).toList();
    }

    /** Remembers a node that has just ended. */
    void add(ContextNode node, long endedNanos, FinishedContext.Outcome outcome, PathCounters path) {
        if (most == 0) {
            return;
        }
        Ended ended = new Ended(
                node,
                endedNanos,
                outcome,
                // A path that is counted together with others has no counts of its own to show.
                path.isBucket() ? Map::of : node.runtime().counterStore().firstTotals(path, MOST_COUNTERS));
        synchronized (this) {
            newestFirst.addFirst(ended);
            if (newestFirst.size() > most) {
                newestFirst.removeLast();
            }
        }
    }

    /** What is remembered of a context, as far as it has to be noted at its end. Most are never looked at. */
    private static final class Ended {
        private final EngineRuntime runtime;
        private final long id;
        private final ContextPath path;
        private final String label;
        private final ContextKind kind;
        private final long createdNanos;
        private final long endedNanos;
        private final FinishedContext.Outcome outcome;
        private final Supplier<Map<String, Long>> totals;

        Ended(ContextNode node, long endedNanos, FinishedContext.Outcome outcome, Supplier<Map<String, Long>> totals) {
            this.runtime = node.runtime();
            this.id = node.id();
            this.path = node.path();
            this.label = node.label();
            this.kind = node.kind();
            this.createdNanos = node.createdNanos();
            this.endedNanos = endedNanos;
            this.outcome = outcome;
            this.totals = totals;
        }

        FinishedContext finished() {
            return new FinishedContext(
                    id,
                    path,
                    label,
                    kind,
                    runtime.wallTimeOf(createdNanos),
                    runtime.wallTimeOf(endedNanos),
                    Duration.ofNanos(endedNanos - createdNanos),
                    outcome,
                    totals.get());
        }
    }

    /** A task that fails because it was cancelled was cancelled; one that was cancelled and fails otherwise has failed. */
    static FinishedContext.Outcome outcome(
            @Nullable CancelReason reason, @Nullable Throwable failure, Redactor redactor) {
        if (reason != null && (failure == null || failure instanceof CancellationException)) {
            return new FinishedContext.Cancelled(redactor.reason(reason));
        }
        return failure == null ? COMPLETED : new FinishedContext.Failed(redactor.text(Names.clean(text(failure))));
    }

    private static String text(Throwable failure) {
        String kind = failure.getClass().getSimpleName();
        String message = LoggedFailure.message(failure);
        return message == null || message.isBlank() ? kind : kind + ": " + message;
    }
}
