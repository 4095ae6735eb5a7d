package com.fastn.verification.concurrency;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.ContextMutex;
import com.fastn.context.ContextRuntime;
import com.fastn.context.FastnContext;
import com.fastn.context.LockGuard;
import com.fastn.context.Operation;
import com.fastn.context.Registration;
import com.fastn.context.TotalCounter;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/** Events are made only for somebody: where nobody listens, a change allocates what it needs itself, and no more. */
class EventAllocationTest {
    /** The least that an event takes: its header, an id, and a path. */
    private static final long EVENT = 24;

    @Test
    void withoutAListenerNothingIsAllocatedForEvents() {
        Allocations.assumeCounted();
        try (ContextRuntime runtime = ContextRuntime.builder().alias("bytes").build()) {
            FastnContext task = runtime.root().child("task").open();
            Map<String, Supplier<?>> changes = changes(task);
            Map<String, Long> alone = new LinkedHashMap<>();
            changes.forEach((what, change) -> alone.put(what, Allocations.bytes(change)));
            Map<String, Long> told = new LinkedHashMap<>();
            try (Registration ignored = runtime.addListener(event -> {})) {
                changes.forEach((what, change) -> told.put(what, Allocations.bytes(change)));
            }
            Map<String, Long> afterwards = new LinkedHashMap<>();
            changes.forEach((what, change) -> afterwards.put(what, Allocations.bytes(change)));

            System.out.printf("bytes of a change: nobody listens %s, somebody does %s%n", alone, told);
            told.forEach((what, bytes) -> assertThat(bytes)
                    .as("%s with a listener, against %d without", what, alone.get(what))
                    .isGreaterThanOrEqualTo(requireNonNull(alone.get(what)) + EVENT));
            afterwards.forEach((what, bytes) -> assertThat(bytes)
                    .as("%s after the last listener has left", what)
                    .isLessThanOrEqualTo(requireNonNull(alone.get(what))));
            assertThat(alone).containsEntry("a count by its name", 0L).containsEntry("a count by its handle", 0L);
            // A node of 96 bytes, and the builder that described it.
            assertThat(alone.get("a child, opened and closed")).isLessThanOrEqualTo(96 + 32);
            // The guard.
            assertThat(alone.get("a lock, taken and given back")).isLessThanOrEqualTo(64);
        }
    }

    /** Each makes one event or two, and leaves the tree as it was. */
    private static Map<String, Supplier<?>> changes(FastnContext task) {
        TotalCounter handle = task.totalCounter("handled");
        ContextMutex<Integer> orders = task.mutex("orders", 1);
        ContextMutex<Integer> held = task.mutex("held", 1);
        LockGuard<Integer> guard = held.lock().toCompletableFuture().join();
        Map<String, Supplier<?>> changes = new LinkedHashMap<>();
        changes.put("a count by its name", () -> {
            task.incrementTotal("named");
            return task;
        });
        changes.put("a count by its handle", () -> {
            handle.increment();
            return handle;
        });
        changes.put("a live count, up and down", () -> {
            task.incrementLive("live");
            task.decrementLive("live");
            return task;
        });
        boolean[] last = {false};
        changes.put("a datum", () -> {
            last[0] = !last[0];
            task.setData("last", last[0]);
            return task;
        });
        changes.put("an operation", () -> {
            try (Operation operation = task.operation("db")) {
                return operation;
            }
        });
        changes.put("a child, opened and closed", () -> {
            FastnContext child = task.child("child").open();
            child.close();
            return child;
        });
        changes.put("a child, cancelled", () -> {
            FastnContext child = task.child("child").open();
            child.cancel("stop");
            child.close();
            return child;
        });
        changes.put("a lock, taken and given back", () -> {
            try (LockGuard<Integer> taken = orders.tryLock()) {
                return requireNonNull(taken);
            }
        });
        changes.put("a wait that is given up", () -> {
            CompletableFuture<LockGuard<Integer>> wait = held.lock().toCompletableFuture();
            wait.cancel(false);
            return guard;
        });
        return changes;
    }
}
