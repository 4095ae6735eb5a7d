package com.fastn.context.status;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A node's status by context id and lock id, for an {@link Explainer}. */
final class SnapshotIndex {
    final StatusSnapshot snapshot;
    final NodeIdentity node;
    final Map<Long, ContextStatus> rows = new LinkedHashMap<>();
    final Map<Long, Long> parents = new HashMap<>();
    final Map<Long, List<LockStatus>> locks = new HashMap<>();
    final Map<Long, List<LockWaiter>> waits = new LinkedHashMap<>();

    private final boolean ofMany;
    private final Map<Long, LockStatus> heldLongest = new HashMap<>();
    private final Map<Long, LockWaiter> firstInLine = new HashMap<>();
    private final Map<Long, Duration> longestWaitFor = new HashMap<>();
    private final Map<Long, BlockedPlace> placeOf = new HashMap<>();
    private final Map<Long, BlockedPlace> blockers = new HashMap<>();
    private final Map<Long, String> knownNames = new HashMap<>();
    private final Map<ContextPath, Integer> sharedPaths = new HashMap<>();
    private final Map<Long, ContextRef> refs = new HashMap<>();
    private boolean folded;

    SnapshotIndex(StatusSnapshot snapshot, boolean ofMany) {
        this.snapshot = snapshot;
        this.node = snapshot.node();
        this.ofMany = ofMany;
        walk();
        for (LockStatus lock : snapshot.activeLocks()) {
            locks.computeIfAbsent(lock.lockId(), id -> new ArrayList<>(1)).add(lock);
            heldLongest.merge(lock.holderId(), lock, SnapshotIndex::longer);
            knownNames.putIfAbsent(lock.holderId(), lock.heldByContext());
        }
        for (LockWaiter waiter : snapshot.lockWaiters()) {
            waits.computeIfAbsent(waiter.contextId(), id -> new ArrayList<>(1)).add(waiter);
            knownNames.putIfAbsent(waiter.contextId(), waiter.contextName());
            longestWaitFor.merge(
                    waiter.lockId(), waiter.waitingDuration(), (one, other) -> one.compareTo(other) >= 0 ? one : other);
            if (waiter.position() == 1) {
                firstInLine.putIfAbsent(waiter.lockId(), waiter);
            }
        }
        for (BlockedPlace place : snapshot.causes().blocked()) {
            place.waiting().forEach(id -> placeOf.putIfAbsent(id, place));
            if (place.kind() == CauseKind.EVENT_LOOP) {
                place.busy().forEach(id -> blockers.putIfAbsent(id, place));
            }
        }
    }

    private void walk() {
        ArrayDeque<ContextStatus> open = new ArrayDeque<>();
        open.add(snapshot.globalContext());
        for (ContextStatus row = open.poll(); row != null; row = open.poll()) {
            rows.putIfAbsent(row.id(), row);
            sharedPaths.merge(row.path(), 1, Integer::sum);
            folded |= !row.foldedChildren().isNone();
            for (ContextStatus child : row.children()) {
                parents.putIfAbsent(child.id(), row.id());
                open.add(child);
            }
        }
    }

    private static LockStatus longer(LockStatus one, LockStatus other) {
        // One that its holder knows of comes first: with the others he can do nothing yet.
        int told = Boolean.compare(one.told(), other.told());
        return told > 0 || (told == 0 && one.heldDuration().compareTo(other.heldDuration()) >= 0) ? one : other;
    }

    /** Whether contexts are left out, so that one that is not here need not have ended. */
    boolean isFolded() {
        return folded || snapshot.globalContext().path().depth() > 1;
    }

    @Nullable
    LockStatus heldLongest(long contextId) {
        return heldLongest.get(contextId);
    }

    /** A lock that was granted to a context which is not told; null where it knows of one that it has. */
    @Nullable
    LockStatus untold(long contextId) {
        LockStatus longest = heldLongest.get(contextId);
        return longest == null || longest.told() ? null : longest;
    }

    /** Who is served next of those who wait for a lock, where that is known. */
    @Nullable
    LockWaiter firstInLine(long lockId) {
        return firstInLine.get(lockId);
    }

    /** Since when somebody waits for a lock; null while nobody does. */
    @Nullable
    Duration longestWaitFor(long lockId) {
        return longestWaitFor.get(lockId);
    }

    @Nullable
    LockWaiter longestWait(long contextId) {
        List<LockWaiter> all = waits.get(contextId);
        return all == null
                ? null
                : all.stream()
                        .max(Comparator.comparing(LockWaiter::waitingDuration))
                        .orElse(null);
    }

    /** The event loop that a context holds up at this moment. */
    @Nullable
    BlockedPlace loopBlockedBy(long contextId) {
        return blockers.get(contextId);
    }

    /** Where a context's work waits: its own, or that of the nearest one above it that lives on an event loop. */
    @Nullable
    BlockedPlace placeOf(long contextId) {
        if (placeOf.isEmpty()) {
            return null;
        }
        BlockedPlace own = placeOf.get(contextId);
        if (own != null) {
            return own;
        }
        for (Long up = parents.get(contextId); up != null; up = parents.get(up)) {
            BlockedPlace place = placeOf.get(up);
            if (place != null && place.kind() == CauseKind.EVENT_LOOP) {
                return place;
            }
        }
        return null;
    }

    static @Nullable OperationStatus innermost(ContextStatus row) {
        List<OperationStatus> all = row.operations();
        return all.isEmpty() ? null : all.get(all.size() - 1);
    }

    /** The ids of the contexts of a whole path, or of a short name. */
    List<Long> named(String text, boolean wholePath) {
        List<Long> ids = new ArrayList<>();
        for (ContextStatus row : rows.values()) {
            boolean is = wholePath
                    ? row.path().toString().equals(text)
                    : ref(row.id()).shortName().equals(text)
                            || row.label().equals(text)
                            || row.name().equals(text)
                            || (row.name() + "#" + row.id()).equals(text);
            if (is) {
                ids.add(row.id());
            }
        }
        return ids;
    }

    ContextRef ref(long contextId) {
        return refs.computeIfAbsent(contextId, this::makeRef);
    }

    private ContextRef makeRef(long contextId) {
        ContextStatus row = rows.get(contextId);
        String at = ofMany ? "@" + node.alias() : "";
        String known = knownNames.get(contextId);
        if (row != null) {
            String name = known != null ? known : shortName(row);
            return new ContextRef(node, contextId, row.path().toString(), row.label(), name + at);
        }
        LockStatus held = heldLongest.get(contextId);
        if (held != null) {
            ContextPath path = held.holderPath();
            return new ContextRef(node, contextId, path.toString(), path.leaf(), held.heldByContext() + at);
        }
        LockWaiter wait = longestWait(contextId);
        String name = known != null ? known : "#" + contextId;
        return wait != null
                ? new ContextRef(
                        node,
                        contextId,
                        wait.contextPath().toString(),
                        wait.contextPath().leaf(),
                        name + at)
                : new ContextRef(node, contextId, name, name, name + at);
    }

    /** The last two names without the root's, as for those who hold or wait for locks; the id where others have the same path. */
    private String shortName(ContextStatus row) {
        ContextPath path = row.path();
        ContextPath parent = path.parent();
        String name = parent == null || parent.parent() == null ? path.leaf() : parent.leaf() + "/" + path.leaf();
        return sharedPaths.getOrDefault(path, 1) > 1 ? name + "#" + row.id() : name;
    }

    static long nanos(Duration duration) {
        try {
            return duration.toNanos();
        } catch (ArithmeticException e) {
            return Long.MAX_VALUE;
        }
    }
}
