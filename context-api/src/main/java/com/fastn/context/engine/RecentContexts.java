package com.fastn.context.engine;

import com.fastn.context.status.CancelReason;
import com.fastn.context.status.FinishedContext;
import com.fastn.context.status.Redactor;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;

/** The contexts that ended last, of those that are to be remembered: as many as were asked for, and no more. */
final class RecentContexts {
    private static final int MOST_COUNTERS = 20;

    private final int most;

    @GuardedBy("this")
    private final ArrayDeque<FinishedContext> newestFirst = new ArrayDeque<>();

    RecentContexts(int most) {
        this.most = most;
    }

    synchronized List<FinishedContext> list() {
        return List.copyOf(newestFirst);
    }

    /** Remembers a node that has just ended. */
    void add(ContextNode node, long endedNanos, FinishedContext.Outcome outcome, PathCounters path) {
        if (most == 0) {
            return;
        }
        EngineRuntime runtime = node.runtime();
        // A path that is counted together with others has no counts of its own to show.
        Map<String, Long> totals =
                path.isBucket() ? Map.of() : runtime.counterStore().firstTotals(path, MOST_COUNTERS);
        FinishedContext finished = new FinishedContext(
                node.id(),
                node.path(),
                node.label(),
                node.kind(),
                node.createdAt(),
                runtime.wallTimeOf(endedNanos),
                Duration.ofNanos(node.durationNanos(endedNanos)),
                outcome,
                totals);
        synchronized (this) {
            newestFirst.addFirst(finished);
            if (newestFirst.size() > most) {
                newestFirst.removeLast();
            }
        }
    }

    /** A task that fails because it was cancelled was cancelled; one that was cancelled and fails otherwise has failed. */
    static FinishedContext.Outcome outcome(
            @Nullable CancelReason reason, @Nullable Throwable failure, Redactor redactor) {
        if (reason != null && (failure == null || failure instanceof CancellationException)) {
            return new FinishedContext.Cancelled(redactor.reason(reason));
        }
        return failure == null
                ? new FinishedContext.Completed()
                : new FinishedContext.Failed(redactor.text(Names.clean(text(failure))));
    }

    private static String text(Throwable failure) {
        String kind = failure.getClass().getSimpleName();
        String message = LoggedFailure.message(failure);
        return message == null || message.isBlank() ? kind : kind + ": " + message;
    }
}
