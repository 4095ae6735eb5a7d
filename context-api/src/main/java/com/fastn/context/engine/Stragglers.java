package com.fastn.context.engine;

import com.fastn.context.CancelReport;
import com.fastn.context.Registration;
import com.fastn.context.status.ContextState;
import com.fastn.context.status.HumanText;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/** Waits for the end of everything below a cancelled context, and names who did not come to one in time. */
final class Stragglers {
    private static final int MAX_NAMED = 100;

    private final ContextNode top;
    private final @Nullable Executor where;
    private final long began;
    private final CompletableFuture<CancelReport> result = new CompletableFuture<>();
    private final AtomicBoolean over = new AtomicBoolean();

    private Stragglers(ContextNode top, @Nullable Executor where) {
        this.top = top;
        this.where = where;
        this.began = top.runtime().nanos();
    }

    static CompletionStage<CancelReport> await(ContextNode top, Duration timeout, @Nullable Executor where) {
        Stragglers wait = new Stragglers(top, where);
        if (timeout.isZero() || timeout.isNegative()) {
            if (top.runtime().current().eventLoop() == null) {
                wait.report();
            } else {
                // A look at a large tree would hold up the loop.
                top.runtime().timers().soon(wait::report);
            }
        } else {
            Registration timer = top.runtime().timers().after(timeout, wait::report);
            // A runtime that closes has no timers any more.
            Registration end = top.runtime().atClose(wait::report);
            Registration childless = top.whenChildless(wait::allStopped);
            var unused = wait.result.whenComplete((report, failure) -> {
                timer.close();
                end.close();
                childless.close();
            });
        }
        return wait.result.minimalCompletionStage();
    }

    private void report() {
        if (over.compareAndSet(false, true)) {
            CancelReport report;
            try {
                report = read();
            } catch (Throwable t) {
                // Such as for lack of memory: whoever waits is told, and nobody waits for ever.
                result.completeExceptionally(t);
                return;
            }
            complete(report);
        }
    }

    private void allStopped() {
        if (over.compareAndSet(false, true)) {
            complete(new CancelReport(waited(), List.of(), 0));
        }
    }

    private void complete(CancelReport report) {
        if (where == null) {
            result.complete(report);
            return;
        }
        try {
            where.execute(() -> result.complete(report));
        } catch (RuntimeException e) {
            // The place is gone; the report is not.
            result.complete(report);
        }
    }

    private Duration waited() {
        EngineRuntime runtime = top.runtime();
        return Duration.ofNanos(runtime.elapsed(began, runtime.nanos()));
    }

    private CancelReport read() {
        Duration waited = waited();
        if (top.isChildless()) {
            return new CancelReport(waited, List.of(), 0);
        }
        long now = top.runtime().nanos();
        SnapshotWalk walk = SnapshotWalk.from(top);
        BitSet parents = new BitSet(walk.size());
        for (int i = 1; i < walk.size(); i++) {
            parents.set(walk.parent(i));
        }
        List<CancelReport.Unstopped> named = new ArrayList<>();
        long more = 0;
        for (int i = 1; i < walk.size(); i++) {
            ContextNode node = walk.node(i);
            boolean onlyWaits = node.state() != ContextState.ACTIVE && parents.get(i);
            if (onlyWaits) {
                continue;
            }
            if (named.size() == MAX_NAMED) {
                more++;
            } else {
                named.add(new CancelReport.Unstopped(
                        node.id(), walk.path(i), Duration.ofNanos(node.durationNanos(now)), doing(node, now)));
            }
        }
        return new CancelReport(waited, named, more);
    }

    private static String doing(ContextNode node, long now) {
        // A cancellation ends them, but may not have come there yet.
        for (Waiter<?> wait : node.waits()) {
            if (wait.lock.isWaiting(wait)) {
                long waited = node.runtime().elapsed(wait.sinceNanos, now);
                return "waiting for lock \"" + wait.lock.name() + "\" for " + time(waited);
            }
        }
        List<RunningOperation> operations = node.operationsUnderWay();
        if (!operations.isEmpty()) {
            RunningOperation innermost = operations.get(operations.size() - 1);
            return "inside \"" + innermost.name() + "\" for " + time(innermost.elapsedNanos(now));
        }
        if (node.isOnThread()) {
            return "running on a thread";
        }
        return "no sign of life for " + time(node.idleNanos(now));
    }

    private static String time(long nanos) {
        return HumanText.duration(Duration.ofNanos(nanos));
    }
}
