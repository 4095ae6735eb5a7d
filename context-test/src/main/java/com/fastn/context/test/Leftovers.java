package com.fastn.context.test;

import com.fastn.context.ContextRuntime;
import com.fastn.context.Registration;
import com.fastn.context.Ticker;
import com.fastn.context.Unclosed;
import com.fastn.context.status.ContextState;
import com.fastn.context.status.ContextStatus;
import com.fastn.context.status.HumanText;
import com.fastn.context.status.LockStatus;
import com.fastn.context.status.LockWaiter;
import com.fastn.context.status.StatusSnapshot;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * What is open in a runtime beside its root.
 *
 * @param contexts the open contexts, parents first
 * @param locks the locks that are held
 * @param waiters who waits for a lock
 * @param unclosed what was opened and not closed, with the place in the code
 */
record Leftovers(
        List<ContextStatus> contexts, List<LockStatus> locks, List<LockWaiter> waiters, List<Unclosed> unclosed) {

    static Leftovers of(ContextRuntime runtime) {
        StatusSnapshot snapshot = runtime.status();
        List<ContextStatus> contexts = new ArrayList<>();
        ArrayDeque<ContextStatus> open =
                new ArrayDeque<>(snapshot.globalContext().children());
        while (!open.isEmpty()) {
            ContextStatus context = open.poll();
            contexts.add(context);
            open.addAll(context.children());
        }
        return new Leftovers(contexts, snapshot.activeLocks(), snapshot.lockWaiters(), runtime.unclosed());
    }

    /** What is still open when nothing more changes, at the latest when the time is over. */
    static Leftovers afterGrace(ContextRuntime runtime, Duration grace) {
        Ticker clock = Ticker.system();
        long deadline = clock.nanos() + grace.toNanos();
        long patience = grace.toNanos();
        Semaphore changes = new Semaphore(0);
        try (Registration ignored = runtime.addListener(event -> changes.release())) {
            while (true) {
                changes.drainPermits();
                Leftovers left = of(runtime);
                if (left.isEmpty() || patience <= 0) {
                    return left;
                }
                // Also after the last wait it is looked once more, and so twice where this thread itself stood still.
                var unused = changes.tryAcquire(patience, TimeUnit.NANOSECONDS);
                patience = deadline - clock.nanos();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return of(runtime);
        }
    }

    private boolean isEmpty() {
        return contexts.isEmpty() && locks.isEmpty() && waiters.isEmpty() && unclosed.isEmpty();
    }

    List<String> describe() {
        List<String> lines = new ArrayList<>();
        for (ContextStatus context : contexts) {
            StringBuilder line = new StringBuilder()
                    .append("context ")
                    .append(context.path())
                    .append('#')
                    .append(context.id())
                    .append(", open for ")
                    .append(HumanText.duration(context.duration()));
            if (context.state() == ContextState.CLOSING) {
                line.append(", closed but with open children");
            }
            context.operations()
                    .forEach(operation -> line.append(", inside \"")
                            .append(operation.name())
                            .append("\" for ")
                            .append(HumanText.duration(operation.elapsed())));
            lines.add(line.append(openedAt(Unclosed.Kind.CONTEXT, context.name(), context.id()))
                    .toString());
        }
        for (LockStatus lock : locks) {
            lines.add(lock.lockType().text() + " \"" + lock.name() + "\", held by " + lock.holderPath() + "#"
                    + lock.holderId() + " for " + HumanText.duration(lock.heldDuration())
                    + openedAt(Unclosed.Kind.LOCK, lock.name(), lock.holderId()));
        }
        for (LockWaiter waiter : waiters) {
            lines.add("a wait of " + waiter.contextPath() + "#" + waiter.contextId() + " for \"" + waiter.lockName()
                    + "\", for " + HumanText.duration(waiter.waitingDuration()));
        }
        for (Unclosed one : unclosed) {
            if (one.kind() == Unclosed.Kind.LIVE_COUNT || one.kind() == Unclosed.Kind.OPERATION) {
                lines.add(one.describe());
            }
        }
        return lines;
    }

    /** Nothing for what closes by itself, such as the context of a task. */
    private String openedAt(Unclosed.Kind kind, String name, long contextId) {
        return unclosed.stream()
                .filter(one -> one.kind() == kind
                        && one.contextId() == contextId
                        && one.name().equals(name))
                .findFirst()
                .map(one -> ", opened at " + one.place())
                .orElse("");
    }
}
