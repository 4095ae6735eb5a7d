package com.fastn.context.status;

import static java.util.Objects.requireNonNull;

import com.fastn.context.status.WaitIndex.ContextKey;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Follows each context to the one that it waits for: the holder of the lock, who fills its pool or blocks its event loop, who
 * serves its request, or a child that is stuck.
 */
final class NextSteps {
    // How bad a holder is off, from bad to worst.
    private static final int WAITS = 1;
    private static final int STUCK = 2;
    private static final int NEVER_GOES_ON = 3;

    private final WaitIndex known;
    private final Map<ContextKey, @Nullable Step> steps = new HashMap<>();
    private final Map<ContextKey, Integer> troubles = new HashMap<>();

    /** Whom a context waits for. */
    record Step(
            ContextKey next,
            CauseKind kind,
            String name,
            long lockId,
            Duration waited,
            Duration held,
            String waits,
            String found) {

        /** One to which no lock of a node leads. */
        Step(ContextKey next, CauseKind kind, String name, Duration waited, Duration held, String waits, String found) {
            this(next, kind, name, 0, waited, held, waits, found);
        }
    }

    NextSteps(WaitIndex known) {
        this.known = known;
    }

    /** Whom one waits for; null where nothing leads on. */
    @Nullable
    Step of(ContextKey key) {
        if (steps.containsKey(key)) {
            return steps.get(key);
        }
        Step step = find(key);
        steps.put(key, step);
        return step;
    }

    private @Nullable Step find(ContextKey key) {
        SnapshotIndex index = known.nodes.get(key.node());
        ContextStatus row = index.rows.get(key.id());
        LockWaiter wait = wait(key, index);
        if (wait != null && !isBesideSlowWork(key, index, row, wait)) {
            Step lock = forLock(key, index, wait);
            if (lock != null) {
                return lock;
            }
        }
        if (row == null) {
            return null;
        }
        Step place = forPlace(key, index);
        if (place != null) {
            return place;
        }
        if (index.loopBlockedBy(key.id()) != null) {
            return null;
        }
        Step shared = forSharedLock(key, row);
        if (shared != null) {
            return shared;
        }
        Step request = forRequest(key, row);
        return request != null ? request : forChild(key, row);
    }

    // --- a lock

    /**
     * What a context waits for: the lock of its deadlock, else the longest of its waits. A lock that it holds itself is held
     * by a branch of it that may well go on, as two branches of one context contend lawfully, so that is no reason by itself.
     */
    private @Nullable LockWaiter wait(ContextKey key, SnapshotIndex index) {
        ContextKey party = known.nextParty.get(key);
        LockWaiter longest = null;
        for (LockWaiter wait : index.waits.getOrDefault(key.id(), List.of())) {
            List<LockStatus> holders = index.locks.getOrDefault(wait.lockId(), List.of());
            if (party != null && holders.stream().anyMatch(held -> party.equals(keptBy(key.node(), held)))) {
                return wait;
            }
            boolean own = !holders.isEmpty() && isHeldByItself(key, holders);
            if (!own && (longest == null || wait.waitingDuration().compareTo(longest.waitingDuration()) > 0)) {
                longest = wait;
            }
        }
        return longest;
    }

    private static boolean isHeldByItself(ContextKey key, List<LockStatus> holders) {
        return holders.stream().allMatch(held -> held.holderId() == key.id());
    }

    /** Whether a context is in an operation for too long, and besides waits for a lock for no longer than it may. */
    private boolean isBesideSlowWork(
            ContextKey key, SnapshotIndex index, @Nullable ContextStatus row, LockWaiter wait) {
        return row != null && !wait.stuck() && !known.deadlocks.containsKey(key) && WaitIndex.isSlow(index, row);
    }

    private @Nullable Step forLock(ContextKey key, SnapshotIndex index, LockWaiter wait) {
        List<LockStatus> holders = index.locks.getOrDefault(wait.lockId(), List.of());
        if (holders.isEmpty()) {
            return forLine(key, index, wait);
        }
        ContextKey party = known.nextParty.get(key);
        LockStatus held = null;
        for (LockStatus each : holders) {
            boolean isParty = party != null && party.equals(keptBy(key.node(), each));
            if (isParty || held == null || (party == null && isBetter(key, each, held))) {
                held = each;
            }
        }
        requireNonNull(held, "a holder");
        ContextKey holder = new ContextKey(key.node(), held.holderId());
        ContextKey next = keptBy(key.node(), held);
        int others = holders.size() - 1;
        return new Step(
                next,
                held.lockType() == LockType.SEMAPHORE ? CauseKind.PERMITS : CauseKind.LOCK,
                wait.lockName(),
                wait.lockId(),
                wait.waitingDuration(),
                held.heldDuration(),
                "waits " + ExplanationText.wanted(held.lockType(), wait) + " "
                        + HumanText.duration(wait.waitingDuration())
                        + LockText.askedAt(wait),
                LockText.since(held)
                        + known.ref(holder).shortName()
                        + ExplanationText.as(held)
                        + LockText.takenAt(held)
                        + (next.equals(holder)
                                ? ""
                                : ", and inside of it waits " + known.ref(next).shortName())
                        + (others == 0 ? "" : " (and " + HumanText.count(others, "others") + ")")
                        + (party == null && isMoving(next, held, wait.waitingDuration()) ? moves(wait) : "")
                        + firstInLine(key, index, wait));
    }

    /** The holder of a lock; of a deadlock the one who waits inside of that hold, which may be another one. */
    private ContextKey keptBy(int node, LockStatus held) {
        ContextKey inside = known.waitsInside(node, held);
        return inside == null ? new ContextKey(node, held.holderId()) : inside;
    }

    /** Whether a holder that is well took a lock while others waited for it already, so that they wait for many. */
    boolean isMoving(ContextKey holder, LockStatus held, Duration waited) {
        return held.told() && !held.longHeld() && held.heldDuration().compareTo(waited) < 0 && trouble(holder) == 0;
    }

    private static String moves(LockWaiter wait) {
        int ahead = wait.position() - 1;
        return ", the holder changes" + (ahead > 0 ? ", " + HumanText.count(ahead) + " ahead" : "");
    }

    /** Where several may hold, those who would fit wait behind the first in line as well, and nobody else shows it. */
    private String firstInLine(ContextKey key, SnapshotIndex index, LockWaiter wait) {
        LockWaiter first = index.firstInLine(wait.lockId());
        return wait.mode() == LockMode.EXCLUSIVE || first == null || wait.position() <= 1
                ? ""
                : ", and "
                        + known.ref(new ContextKey(key.node(), first.contextId()))
                                .shortName() + " is first in line " + ExplanationText.forWhat(first);
    }

    /** A lock of the cluster that nobody of this node holds: who stands in line waits for the first, who asks for all of them. */
    private @Nullable Step forLine(ContextKey key, SnapshotIndex index, LockWaiter wait) {
        LockWaiter first = index.firstInLine(wait.lockId());
        if (first == null || first.contextId() == key.id() || !SharedLockNames.isShared(wait.lockName())) {
            return null;
        }
        ContextKey next = new ContextKey(key.node(), first.contextId());
        return new Step(
                next,
                CauseKind.LOCK,
                wait.lockName(),
                wait.waitingDuration(),
                first.waitingDuration(),
                "waits " + ExplanationText.wanted(LockType.MUTEX, wait) + " "
                        + HumanText.duration(wait.waitingDuration())
                        + LockText.askedAt(wait),
                "behind " + known.ref(next).shortName() + ", which is first in line");
    }

    // --- one of several holders

    /**
     * Of several holders one that is not the waiter itself, then one in trouble, whose share may never come back, and then the
     * one that has held for the longest.
     */
    private boolean isBetter(ContextKey waiter, LockStatus one, LockStatus other) {
        boolean oneIsOther = one.holderId() != waiter.id();
        boolean otherIsOther = other.holderId() != waiter.id();
        if (oneIsOther != otherIsOther) {
            return oneIsOther;
        }
        int more = Integer.compare(trouble(keptBy(waiter.node(), one)), trouble(keptBy(waiter.node(), other)));
        return more == 0 ? one.heldDuration().compareTo(other.heldDuration()) > 0 : more > 0;
    }

    /** How bad a holder is off, by its own doing and not by the time for which it holds. */
    private int trouble(ContextKey holder) {
        return troubles.computeIfAbsent(holder, this::troubleOf);
    }

    private int troubleOf(ContextKey holder) {
        SnapshotIndex index = known.nodes.get(holder.node());
        ContextStatus row = index.rows.get(holder.id());
        boolean ended =
                row == null ? !WaitIndex.isStranger(holder) && !index.isFolded() : row.state() != ContextState.ACTIVE;
        if (ended || known.deadlocks.containsKey(holder)) {
            return NEVER_GOES_ON;
        }
        List<LockWaiter> waits = index.waits.getOrDefault(holder.id(), List.of());
        boolean slow = row != null && (row.cancelReason() != null || WaitIndex.isSlow(index, row));
        boolean heldUp = index.placeOf(holder.id()) != null || index.loopBlockedBy(holder.id()) != null;
        if (slow || heldUp || waits.stream().anyMatch(LockWaiter::stuck)) {
            return STUCK;
        }
        return waits.isEmpty() ? 0 : WAITS;
    }

    // --- a pool, an event loop

    private @Nullable Step forPlace(ContextKey key, SnapshotIndex index) {
        BlockedPlace place = index.placeOf(key.id());
        if (place == null) {
            return null;
        }
        for (Long busy : place.busy()) {
            if (busy != key.id()) {
                ContextKey next = new ContextKey(key.node(), busy);
                boolean pool = place.kind() == CauseKind.POOL;
                return new Step(
                        next,
                        place.kind(),
                        place.name(),
                        place.since(),
                        place.since(),
                        pool ? blocked(place) : "waits for its event loop " + HumanText.duration(place.since()),
                        (pool ? "behind " : "blocked by ")
                                + known.ref(next).shortName()
                                + (pool && place.busy().size() > 1
                                        ? " (and " + (place.busy().size() - 1) + " more)"
                                        : ""));
            }
        }
        return null;
    }

    static String blocked(BlockedPlace place) {
        return place.kind() == CauseKind.POOL
                ? "waits for a place in pool \"" + place.name() + "\", which is full for "
                        + HumanText.duration(place.since()) + " (" + HumanText.count(place.queued()) + " queued)"
                : "its event loop " + place.name() + " is blocked for " + HumanText.duration(place.since())
                        + (place.at().isEmpty() ? "" : " at " + place.at());
    }

    // --- a lock of the cluster

    /** A lock of the whole cluster, for which the head of each node's line waits inside of an operation of its name. */
    private @Nullable Step forSharedLock(ContextKey key, ContextStatus row) {
        OperationStatus waiting = SnapshotIndex.innermost(row);
        if (waiting == null || !SharedLockNames.isShared(waiting.name())) {
            return null;
        }
        boolean local = SharedLockNames.isLocal(waiting.name());
        for (int node = local ? key.node() : 0; node < (local ? key.node() + 1 : known.nodes.size()); node++) {
            for (LockStatus held : known.nodes.get(node).snapshot.activeLocks()) {
                if (held.name().equals(waiting.name()) && !isInside(node, held.holderId(), waiting.name())) {
                    ContextKey next = new ContextKey(node, held.holderId());
                    return new Step(
                            next,
                            CauseKind.LOCK,
                            held.name(),
                            waiting.elapsed(),
                            held.heldDuration(),
                            "waits for the lock \"" + held.name() + "\" " + HumanText.duration(waiting.elapsed()),
                            "held " + HumanText.duration(held.heldDuration()) + " by "
                                    + known.ref(next).shortName()
                                    + LockText.takenAt(held));
                }
            }
        }
        return null;
    }

    private boolean isInside(int node, long id, String operation) {
        ContextStatus row = known.nodes.get(node).rows.get(id);
        return row != null
                && row.operations().stream().anyMatch(inside -> inside.name().equals(operation));
    }

    // --- a reply

    private @Nullable Step forRequest(ContextKey key, ContextStatus row) {
        OperationStatus last = null;
        for (OperationStatus operation : row.operations()) {
            last = operation.name().startsWith(Explainer.REQUEST) ? operation : last;
        }
        if (last == null) {
            return null;
        }
        ContextKey best = null;
        OperationStatus through = last;
        boolean bestIsNamed = false;
        for (ContextKey server : known.servedBy.getOrDefault(key, List.of())) {
            ContextStatus serving =
                    requireNonNull(known.nodes.get(server.node()).rows.get(server.id()), "a row");
            OperationStatus named = null;
            for (OperationStatus operation : row.operations()) {
                // Of several of one name the oldest, as of those who serve them.
                named = named == null && operation.name().equals(Explainer.REQUEST + serving.name())
                        ? operation
                        : named;
            }
            boolean better = best == null
                    || (named != null && !bestIsNamed)
                    || ((named != null) == bestIsNamed && isOlder(serving, best));
            if (better) {
                best = server;
                bestIsNamed = named != null;
                through = named != null ? named : last;
            }
        }
        if (best == null) {
            return null;
        }
        ContextStatus serving = requireNonNull(known.nodes.get(best.node()).rows.get(best.id()), "a row");
        return new Step(
                best,
                CauseKind.REQUEST,
                serving.name(),
                through.elapsed(),
                serving.duration(),
                "waits for a reply of \"" + serving.name() + "\" " + HumanText.duration(through.elapsed()),
                "served for " + HumanText.duration(serving.duration()) + " by "
                        + known.ref(best).shortName());
    }

    private boolean isOlder(ContextStatus one, ContextKey other) {
        ContextStatus row = known.nodes.get(other.node()).rows.get(other.id());
        return row == null || one.duration().compareTo(row.duration()) > 0;
    }

    // --- a child

    /** Nothing says that a context waits for its child. It is told as a child that is stuck, where nothing else is known. */
    private @Nullable Step forChild(ContextKey key, ContextStatus row) {
        ContextKey child = known.stuckBelow.get(key);
        if (child == null || row.onThread() || row.kind() == ContextKind.ROOT || row.kind() == ContextKind.SERVICE) {
            return null;
        }
        Duration waited = Duration.ofNanos(known.waitedNanos(child));
        OperationStatus operation = SnapshotIndex.innermost(row);
        if (operation != null && (operation.elapsed().compareTo(waited) < 0 || waitsFor(child, key))) {
            return null;
        }
        String name = known.ref(child).shortName();
        return new Step(
                child,
                CauseKind.CHILD,
                name,
                waited,
                waited,
                operation == null
                        ? "has a child that is stuck"
                        : "is inside of \"" + operation.name() + "\" " + HumanText.duration(operation.elapsed())
                                + " and has a child that is stuck",
                "its child " + name);
    }

    private boolean waitsFor(ContextKey waiter, ContextKey holder) {
        LockWaiter wait = known.nodes.get(waiter.node()).longestWait(waiter.id());
        return wait != null
                && known.nodes.get(waiter.node()).locks.getOrDefault(wait.lockId(), List.of()).stream()
                        .anyMatch(lock -> lock.holderId() == holder.id());
    }
}
