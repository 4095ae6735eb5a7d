package com.fastn.context.status;

import static java.util.Objects.requireNonNull;

import java.time.Instant;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What one node was doing at a moment.
 *
 * <p>It is always a tree, and each lock's holder and waiters are of one instant; between distant parts of the tree it is
 * weakly consistent, because taking it never stops the application (rule M9). {@link #toString} is the plain
 * drawing, folded to 60 lines of tree.
 *
 * @param node who was asked
 * @param timestamp when, by that node's wall clock
 * @param version rises with every change of the tree. The same number means that no context was opened, cancelled or closed, and
 *     no lock, operation, counter or value changed; what goes on with time and threads makes no version: ages and the warnings
 *     that come of them, the machine, the word of the last sign of life, and whether a context is on a thread
 * @param systemMetrics the machine, or {@code null} when nobody reads it
 * @param globalContext the root of the tree, or of the part that was asked for
 * @param activeLocks the locks that are held, the longest held first
 * @param lockWaiters who waits for a lock, the longest waiting first
 * @param warnings what is worth a look, the worst first
 * @param recent the contexts that ended last and are remembered, the newest first; empty unless they were asked for
 * @param operationBaselines what is usual for operations that some shown context is inside of, by their names; those of
 *     which none has ended are not there
 * @param counterWindows how the counters grew lately whose windows somebody asked for, by path and name
 * @param causes deadlocks, and whatever else is known of who holds up whom
 */
public record StatusSnapshot(
        NodeIdentity node,
        Instant timestamp,
        long version,
        @Nullable SystemMetrics systemMetrics,
        ContextStatus globalContext,
        List<LockStatus> activeLocks,
        List<LockWaiter> lockWaiters,
        List<StatusWarning> warnings,
        List<FinishedContext> recent,
        Map<String, OperationBaseline> operationBaselines,
        List<CounterWindows> counterWindows,
        Causes causes) {

    /** Copies the collections; the baselines come in the order of their names. */
    public StatusSnapshot {
        requireNonNull(node, "node");
        requireNonNull(timestamp, "timestamp");
        requireNonNull(globalContext, "globalContext");
        activeLocks = List.copyOf(activeLocks);
        lockWaiters = List.copyOf(lockWaiters);
        warnings = List.copyOf(warnings);
        recent = List.copyOf(recent);
        operationBaselines = Collections.unmodifiableMap(new TreeMap<>(operationBaselines));
        counterWindows = List.copyOf(counterWindows);
        requireNonNull(causes, "causes");
    }

    /**
     * Makes a snapshot without contexts that ended, baselines and windows.
     *
     * @param node who was asked
     * @param timestamp when, by that node's wall clock
     * @param version rises with every change of the tree
     * @param systemMetrics the machine, or {@code null} when nobody reads it
     * @param globalContext the root of the tree, or of the part that was asked for
     * @param activeLocks the locks that are held, the longest held first
     * @param lockWaiters who waits for a lock, the longest waiting first
     * @param warnings what is worth a look, the worst first
     */
    public StatusSnapshot(
            NodeIdentity node,
            Instant timestamp,
            long version,
            @Nullable SystemMetrics systemMetrics,
            ContextStatus globalContext,
            List<LockStatus> activeLocks,
            List<LockWaiter> lockWaiters,
            List<StatusWarning> warnings) {
        this(
                node,
                timestamp,
                version,
                systemMetrics,
                globalContext,
                activeLocks,
                lockWaiters,
                warnings,
                List.of(),
                Map.of(),
                List.of(),
                Causes.NONE);
    }

    /**
     * Makes a copy with another tree.
     *
     * @param tree the root that the copy has
     * @return the copy
     */
    public StatusSnapshot withGlobalContext(ContextStatus tree) {
        return with(tree, warnings, recent, operationBaselines, counterWindows, causes);
    }

    /**
     * Makes a copy with other warnings.
     *
     * @param others the warnings, the worst first
     * @return the copy
     */
    public StatusSnapshot withWarnings(List<StatusWarning> others) {
        return with(globalContext, others, recent, operationBaselines, counterWindows, causes);
    }

    /**
     * Makes a copy with other locks.
     *
     * @param held the locks that are held
     * @param waiting who waits for a lock
     * @return the copy
     */
    public StatusSnapshot withLocks(List<LockStatus> held, List<LockWaiter> waiting) {
        return new StatusSnapshot(
                node,
                timestamp,
                version,
                systemMetrics,
                globalContext,
                held,
                waiting,
                warnings,
                recent,
                operationBaselines,
                counterWindows,
                causes);
    }

    /**
     * Makes a copy with other contexts that ended.
     *
     * @param finished the contexts, the newest first
     * @return the copy
     */
    public StatusSnapshot withRecent(List<FinishedContext> finished) {
        return with(globalContext, warnings, finished, operationBaselines, counterWindows, causes);
    }

    /**
     * Makes a copy with other baselines.
     *
     * @param baselines what is usual for operations, by their names
     * @return the copy
     */
    public StatusSnapshot withOperationBaselines(Map<String, OperationBaseline> baselines) {
        return with(globalContext, warnings, recent, baselines, counterWindows, causes);
    }

    /**
     * Makes a copy with other windows of counters.
     *
     * @param windows the windows
     * @return the copy
     */
    public StatusSnapshot withCounterWindows(List<CounterWindows> windows) {
        return with(globalContext, warnings, recent, operationBaselines, windows, causes);
    }

    /**
     * Makes a copy with other causes.
     *
     * @param known what the copy knows of who holds up whom
     * @return the copy
     */
    public StatusSnapshot withCauses(Causes known) {
        return with(globalContext, warnings, recent, operationBaselines, counterWindows, known);
    }

    private StatusSnapshot with(
            ContextStatus tree,
            List<StatusWarning> others,
            List<FinishedContext> finished,
            Map<String, OperationBaseline> baselines,
            List<CounterWindows> windows,
            Causes known) {
        return new StatusSnapshot(
                node,
                timestamp,
                version,
                systemMetrics,
                tree,
                activeLocks,
                lockWaiters,
                others,
                finished,
                baselines,
                windows,
                known);
    }

    /** {@return the contexts that wait for each other, proven deadlocks first} */
    public List<DeadlockReport> deadlocks() {
        return causes.deadlocks();
    }

    /** {@return the plain drawing, whose tree has 60 lines at most and counts the rest} */
    @Override
    public String toString() {
        return StatusRenderer.plain()
                .maxTreeLines(StatusRenderer.USUAL_TREE_LINES)
                .render(this);
    }
}
