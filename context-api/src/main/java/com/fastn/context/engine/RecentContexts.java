package com.fastn.context.engine;

import com.fastn.context.status.CallerLink;
import com.fastn.context.status.CancelReason;
import com.fastn.context.status.ContextKind;
import com.fastn.context.status.ContextPath;
import com.fastn.context.status.FinishedContext;
import com.fastn.context.status.Redactor;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The contexts that ended last, of those that are to be remembered: as many as were asked for, and no more.
 *
 * <p>Those that failed or were cancelled are what somebody looks for, and in a busy service a hundred that ended well follow within
 * seconds. So as many of them as half of the list stay in it, however many complete after them.
 */
final class RecentContexts {
    private static final int MOST_COUNTERS = 20;

    private static final FinishedContext.Outcome COMPLETED = new FinishedContext.Completed();

    private final int most;

    @GuardedBy("this")
    private final ArrayDeque<Ended> completed = new ArrayDeque<>();

    /** Those that failed or were cancelled. */
    @GuardedBy("this")
    private final ArrayDeque<Ended> troubled = new ArrayDeque<>();

    /** Of the one that was added last. */
    @GuardedBy("this")
    private long number;

    RecentContexts(int most) {
        this.most = most;
    }

    /**
     * {@return what is remembered, the newest first}
     *
     * @param runtime whose list this is
     */
    List<FinishedContext> list(EngineRuntime runtime) {
        List<Ended> ended;
        synchronized (this) {
            ended = new ArrayList<>(completed);
            ended.addAll(troubled);
        }
        return ended.stream()
                .sorted(Comparator.comparingLong((Ended each) -> each.number).reversed())
                .map(each -> each.finished(runtime))
                .toList();
    }

    /** Remembers a node that has just ended. */
    void add(
            ContextNode node,
            FinishedContext.Outcome outcome,
            PathCounters path,
            @Nullable CallerLink caller,
            @Nullable String traceId) {
        if (most == 0) {
            return;
        }
        Ended ended = new Ended(
                node,
                outcome,
                // A path that is counted together with others has no counts of its own to show.
                path.isBucket() ? Map::of : node.runtime().counterStore().firstTotals(path, MOST_COUNTERS),
                caller,
                traceId == null ? null : Names.clean(traceId));
        synchronized (this) {
            ended.number = ++number;
            (outcome == COMPLETED ? completed : troubled).addFirst(ended);
            if (completed.size() + troubled.size() > most) {
                forgetOne();
            }
        }
    }

    @GuardedBy("this")
    private void forgetOne() {
        boolean troubledGoes = completed.isEmpty()
                || (troubled.size() > most / 2 && troubled.getLast().number < completed.getLast().number);
        (troubledGoes ? troubled : completed).removeLast();
    }

    /** What is remembered of a context, as far as it has to be noted at its end. Most are never looked at. */
    private static final class Ended {
        private final long id;
        private final ContextPath path;
        private final String label;
        private final ContextKind kind;
        private final long createdNanos;
        private final long endedNanos;
        private final FinishedContext.Outcome outcome;
        private final Supplier<Map<String, Long>> totals;
        private final @Nullable CallerLink caller;
        private final @Nullable String traceId;

        /** Of those that were remembered before it the smaller ones; written once, before it is in a list. */
        private long number;

        Ended(
                ContextNode node,
                FinishedContext.Outcome outcome,
                Supplier<Map<String, Long>> totals,
                @Nullable CallerLink caller,
                @Nullable String traceId) {
            this.id = node.id();
            this.path = node.path();
            this.label = node.label();
            this.kind = node.kind();
            this.createdNanos = node.createdNanos();
            this.endedNanos = node.endedNanos();
            this.outcome = outcome;
            this.totals = totals;
            this.caller = caller;
            this.traceId = traceId;
        }

        FinishedContext finished(EngineRuntime runtime) {
            return new FinishedContext(
                    id,
                    path,
                    label,
                    kind,
                    runtime.wallTimeOf(createdNanos),
                    runtime.wallTimeOf(endedNanos),
                    Duration.ofNanos(endedNanos - createdNanos),
                    outcome,
                    totals.get(),
                    caller,
                    traceId == null ? null : shown(runtime.redactor(), traceId));
        }

        /** As the data of an open context are shown. */
        private static @Nullable String shown(Redactor redactor, String traceId) {
            Object shown =
                    redactor.data(Map.of(FinishedContext.TRACE_ID, traceId)).get(FinishedContext.TRACE_ID);
            return shown instanceof String text ? text : null;
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
