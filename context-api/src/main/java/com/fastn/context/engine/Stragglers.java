package com.fastn.context.engine;

import com.fastn.context.CancelReport;
import com.fastn.context.Registration;
import com.fastn.context.status.ContextState;
import com.fastn.context.status.HumanText;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Waits for the end of everything below a cancelled context, and names who did not come to one in time. Whoever is told goes
 * on in a thread that does nothing else: it may wait for what the thread that closes the last context does next.
 */
final class Stragglers {
    private static final Logger LOG = LoggerFactory.getLogger("com.fastn.context");
    private static final int MAX_NAMED = 100;

    private final ContextNode top;
    private final @Nullable Executor where;
    private final long began;
    private final CompletableFuture<CancelReport> result = new CompletableFuture<>();
    private final AtomicBoolean over = new AtomicBoolean();

    // Nobody has the stage before it has returned from the call that asks.
    private volatile @Nullable Thread asking = Thread.currentThread();

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
        wait.asking = null;
        return wait.result.minimalCompletionStage();
    }

    private void report() {
        end(this::read);
    }

    private void allStopped() {
        end(() -> new CancelReport(waited(), List.of(), 0));
    }

    private void end(Supplier<CancelReport> reading) {
        if (over.compareAndSet(false, true)) {
            try {
                CancelReport report = reading.get();
                complete(() -> result.complete(report));
            } catch (Throwable t) {
                // Such as for lack of memory: whoever waits is told, and nobody waits for ever.
                complete(() -> result.completeExceptionally(t));
            }
        }
    }

    private void complete(Runnable tell) {
        if (where == null && asking == Thread.currentThread()) {
            tell.run();
            return;
        }
        if (where != null) {
            try {
                where.execute(tell);
                return;
            } catch (Throwable t) {
                // The place is gone, or has no thread left; the report is there.
                LOG.debug("a report of a cancellation goes on elsewhere", t);
            }
        }
        top.runtime().timers().soon(tell);
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
        Map<ContextNode, Held> held = heldLongest(walk);
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
                        node.id(),
                        walk.path(i),
                        Duration.ofNanos(node.durationNanos(now)),
                        doing(node, held.get(node), now)));
            }
        }
        return new CancelReport(waited, named, more);
    }

    /** Of each that holds a lock the one that it holds for the longest, of those that belong to them or to an ancestor. */
    private Map<ContextNode, Held> heldLongest(SnapshotWalk walk) {
        List<LockView> views = new ArrayList<>();
        for (int i = 0; i < walk.size(); i++) {
            walk.node(i).lockList().forEach(lock -> lock.addTo(views));
        }
        for (ContextNode up = top.parent(); up != null; up = up.parent()) {
            up.lockList().forEach(lock -> lock.addTo(views));
        }
        top.runtime().locksOfEndedContexts().forEach(lock -> lock.addTo(views));
        Map<ContextNode, Held> longest = new HashMap<>();
        for (LockView view : views) {
            for (LockView.Holder holder : view.holders()) {
                longest.merge(
                        holder.node(),
                        new Held(view.name(), holder.sinceNanos()),
                        (one, other) -> one.sinceNanos - other.sinceNanos <= 0 ? one : other);
            }
        }
        return longest;
    }

    private record Held(String lock, long sinceNanos) {}

    private static String doing(ContextNode node, @Nullable Held held, long now) {
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
        if (held != null) {
            return "holds \"" + held.lock + "\" for " + time(node.runtime().elapsed(held.sinceNanos, now));
        }
        return "no sign of life for " + time(node.idleNanos(now));
    }

    private static String time(long nanos) {
        return HumanText.duration(Duration.ofNanos(nanos));
    }
}
