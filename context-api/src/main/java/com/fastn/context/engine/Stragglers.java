package com.fastn.context.engine;

import com.fastn.context.CancelReport;
import com.fastn.context.Registration;
import com.fastn.context.status.ContextState;
import com.fastn.context.status.ContextStatus;
import com.fastn.context.status.HumanText;
import com.fastn.context.status.LockWaiter;
import com.fastn.context.status.OperationStatus;
import com.fastn.context.status.StatusSnapshot;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
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
            complete(read());
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
        StatusSnapshot snapshot = top.subtreeStatus();
        Map<Long, LockWaiter> waiting = new HashMap<>();
        snapshot.lockWaiters().forEach(waiter -> waiting.putIfAbsent(waiter.contextId(), waiter));
        List<CancelReport.Unstopped> named = new ArrayList<>();
        long more = 0;
        ArrayDeque<ContextStatus> open =
                new ArrayDeque<>(snapshot.globalContext().children());
        for (ContextStatus context = open.poll(); context != null; context = open.poll()) {
            open.addAll(context.children());
            boolean onlyWaits = context.state() == ContextState.CLOSING
                    && !context.children().isEmpty();
            if (onlyWaits) {
                continue;
            }
            if (named.size() == MAX_NAMED) {
                more++;
            } else {
                named.add(new CancelReport.Unstopped(
                        context.id(), context.path(), context.duration(), doing(context, waiting.get(context.id()))));
            }
        }
        return new CancelReport(waited, named, more);
    }

    private static String doing(ContextStatus context, @Nullable LockWaiter waiter) {
        if (waiter != null) {
            return "waiting for lock \"" + waiter.lockName() + "\" for " + HumanText.duration(waiter.waitingDuration());
        }
        List<OperationStatus> operations = context.operations();
        if (!operations.isEmpty()) {
            OperationStatus innermost = operations.get(operations.size() - 1);
            return "inside \"" + innermost.name() + "\" for " + HumanText.duration(innermost.elapsed());
        }
        if (context.onThread()) {
            return "running on a thread";
        }
        return "no sign of life for " + HumanText.duration(context.lastActivity());
    }
}
