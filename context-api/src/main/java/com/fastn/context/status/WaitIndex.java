package com.fastn.context.status;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Of the nodes of a status, who waits, who is stuck, and what leads from one context to another, for an {@link Explainer}. */
final class WaitIndex {
    /** Of so few operations nobody knows what is usual. */
    static final long FEW = 10;

    final List<SnapshotIndex> nodes = new ArrayList<>();
    final Map<ContextKey, DeadlockReport> deadlocks = new HashMap<>();

    /** Of one of a deadlock, the one that it waits for. */
    final Map<ContextKey, ContextKey> nextParty = new HashMap<>();

    /** Of a hold of a deadlock, the one who waits inside of it, where that is another one than has it. */
    private final Map<HoldKey, ContextKey> waitsInside = new HashMap<>();

    /** Of one who asked, those who owe it a reply. */
    final Map<ContextKey, List<ContextKey>> servedBy = new HashMap<>();

    /** Of one above, one below that is stuck. */
    final Map<ContextKey, ContextKey> stuckBelow = new HashMap<>();

    private final Map<String, Integer> byIncarnation = new HashMap<>();

    /** A context of a node. */
    record ContextKey(int node, long id) {
        static final Comparator<ContextKey> ORDER =
                Comparator.comparingInt(ContextKey::node).thenComparingLong(ContextKey::id);
    }

    private record HoldKey(ContextKey holder, long lockId) {}

    WaitIndex(Collection<StatusSnapshot> snapshots) {
        for (StatusSnapshot snapshot : snapshots) {
            byIncarnation.putIfAbsent(snapshot.node().incarnation(), nodes.size());
            nodes.add(new SnapshotIndex(snapshot, snapshots.size() > 1));
        }
        for (int node = 0; node < nodes.size(); node++) {
            indexLinks(node);
            indexDeadlocks(node);
        }
        for (ContextKey stuck : stuck()) {
            markAbove(stuck);
        }
    }

    ContextRef ref(ContextKey key) {
        return nodes.get(key.node).ref(key.id);
    }

    /** Whether somebody is of another runtime of the process, and so not in the tree: only these have negative ids. */
    static boolean isStranger(ContextKey key) {
        return key.id < 0;
    }

    // --- who waits, who is stuck

    Set<ContextKey> waiting() {
        Set<ContextKey> all = new LinkedHashSet<>(stuck());
        for (int node = 0; node < nodes.size(); node++) {
            for (Long id : nodes.get(node).waits.keySet()) {
                all.add(new ContextKey(node, id));
            }
        }
        return all;
    }

    Set<ContextKey> stuck() {
        Set<ContextKey> all = new LinkedHashSet<>(deadlocks.keySet());
        for (int node = 0; node < nodes.size(); node++) {
            SnapshotIndex index = nodes.get(node);
            for (LockWaiter waiter : index.snapshot.lockWaiters()) {
                if (waiter.stuck()) {
                    all.add(new ContextKey(node, waiter.contextId()));
                }
            }
            for (BlockedPlace place : index.snapshot.causes().blocked()) {
                List<Long> ids = place.kind() == CauseKind.POOL ? place.waiting() : place.busy();
                for (Long id : ids) {
                    all.add(new ContextKey(node, id));
                }
            }
            for (ContextStatus row : index.rows.values()) {
                if (isSlow(index, row)) {
                    all.add(new ContextKey(node, row.id()));
                }
            }
        }
        return all;
    }

    static boolean isSlow(SnapshotIndex index, ContextStatus row) {
        for (OperationStatus operation : row.operations()) {
            OperationBaseline usual = index.snapshot.operationBaselines().get(operation.name());
            boolean known = usual != null && usual.count() >= FEW;
            if (operation.stuck()
                    && (usual == null || !known || operation.elapsed().compareTo(usual.max()) > 0)) {
                return true;
            }
        }
        return false;
    }

    long waitedNanos(ContextKey key) {
        SnapshotIndex index = nodes.get(key.node);
        LockWaiter wait = index.longestWait(key.id);
        if (wait != null) {
            return SnapshotIndex.nanos(wait.waitingDuration());
        }
        BlockedPlace place = index.placeOf(key.id);
        if (place != null) {
            return SnapshotIndex.nanos(place.since());
        }
        ContextStatus row = index.rows.get(key.id);
        OperationStatus operation = row == null ? null : SnapshotIndex.innermost(row);
        return operation == null ? 0 : SnapshotIndex.nanos(operation.elapsed());
    }

    // --- what leads from one to another

    private void indexLinks(int node) {
        for (ContextStatus row : nodes.get(node).rows.values()) {
            CallerLink caller = row.caller();
            Integer from = caller == null ? null : byIncarnation.get(caller.incarnation());
            // Who sent without asking for a reply waits for none.
            if (caller != null && caller.owesReply() && from != null && row.state() == ContextState.ACTIVE) {
                servedBy.computeIfAbsent(new ContextKey(from, caller.contextId()), k -> new ArrayList<>())
                        .add(new ContextKey(node, row.id()));
            }
        }
    }

    /** Its parties may be on other nodes than the one that tells of it. */
    private void indexDeadlocks(int node) {
        for (DeadlockReport report : nodes.get(node).snapshot.causes().deadlocks()) {
            List<DeadlockReport.Party> parties = report.parties();
            boolean whole = parties.size() == report.size();
            for (int i = 0; i < parties.size(); i++) {
                ContextKey key = keyOf(parties.get(i).context());
                if (key == null) {
                    continue;
                }
                deadlocks.putIfAbsent(key, report);
                indexHolds(key, parties.get(i));
                ContextKey next = keyOf(parties.get((i + 1) % parties.size()).context());
                if (next != null && (i + 1 < parties.size() || whole)) {
                    nextParty.putIfAbsent(key, next);
                }
            }
        }
    }

    private void indexHolds(ContextKey key, DeadlockReport.Party party) {
        for (DeadlockReport.Hold hold : party.holds()) {
            ContextKey by = hold.by() == null ? null : keyOf(hold.by());
            if (by != null && hold.lockId() != 0) {
                waitsInside.putIfAbsent(new HoldKey(by, hold.lockId()), key);
            }
        }
    }

    /** Who waits and so keeps a lock held, of a deadlock: most often whoever has it. Null where none is known that is another. */
    @Nullable
    ContextKey waitsInside(int node, LockStatus held) {
        return waitsInside.get(new HoldKey(new ContextKey(node, held.holderId()), held.lockId()));
    }

    private @Nullable ContextKey keyOf(ContextRef context) {
        Integer node = byIncarnation.get(context.node().incarnation());
        return node == null ? null : new ContextKey(node, context.contextId());
    }

    private void markAbove(ContextKey stuck) {
        SnapshotIndex index = nodes.get(stuck.node);
        for (Long up = index.parents.get(stuck.id); up != null; up = index.parents.get(up)) {
            ContextStatus row = index.rows.get(up);
            boolean stops = row == null || row.kind() == ContextKind.ROOT || row.kind() == ContextKind.SERVICE;
            if (stops || stuckBelow.putIfAbsent(new ContextKey(stuck.node, up), stuck) != null) {
                return;
            }
        }
    }
}
