package com.fastn.context.status;

import static java.util.Objects.requireNonNull;

import com.fastn.context.status.NextSteps.Step;
import com.fastn.context.status.WaitIndex.ContextKey;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Tells what chains of waits end at: what a context does that waits for nobody, or those that wait for each other. */
final class RootCauses {
    /** In one sentence. */
    private static final int MOST_NAMED = 5;

    /** When something was locked is told to within this. */
    private static final Duration JUST_NOW = Duration.ofMillis(20);

    private final WaitIndex known;
    private final NextSteps steps;
    private final List<String> silent;
    private final Explainer.Stacks stacks;
    private final Map<ContextKey, RootCause> causes = new HashMap<>();

    /**
     * Makes one.
     *
     * @param known the nodes
     * @param steps who waits for whom there
     * @param silent the nodes that said nothing, in words
     * @param stacks knows which thread a context runs on
     */
    RootCauses(WaitIndex known, NextSteps steps, List<String> silent, Explainer.Stacks stacks) {
        this.known = known;
        this.steps = steps;
        this.silent = silent;
        this.stacks = stacks;
    }

    /** What a root does is told once, and its thread looked at once, however many wait behind it. */
    RootCause of(ContextKey group) {
        RootCause told = causes.get(group);
        if (told == null) {
            told = steps.of(group) == null ? root(group) : rootOfCircle(group);
            causes.put(group, told);
        }
        return told;
    }

    /** Those that wait for each other, beginning with one of them. */
    Set<ContextKey> circle(ContextKey first) {
        Set<ContextKey> circle = new LinkedHashSet<>();
        for (ContextKey key = first; circle.add(key); ) {
            key = requireNonNull(steps.of(key), "a circle").next();
        }
        return circle;
    }

    private RootCause rootOfCircle(ContextKey at) {
        Set<ContextKey> circle = circle(at);
        boolean pool = circle.stream()
                .anyMatch(key -> requireNonNull(steps.of(key), "a circle").kind() == CauseKind.POOL);
        Step first = requireNonNull(steps.of(at), "a circle");
        DeadlockReport report = known.deadlocks.get(at);
        String text;
        if (report != null) {
            text = report.cycle();
        } else if (circle.size() == 1) {
            text = known.ref(at).shortName() + " waits for itself: it " + first.waits() + ", and holds it";
        } else {
            List<String> names = circle.stream()
                    .limit(MOST_NAMED)
                    .map(k -> known.ref(k).shortName())
                    .toList();
            text = (pool ? "the pool is full of those that wait for each other: " : "all wait for each other: ")
                    + String.join(" -> ", names) + (circle.size() > MOST_NAMED ? " -> .." : "") + " -> "
                    + names.get(0);
        }
        CauseKind kind = pool ? CauseKind.POOL : first.kind();
        return new RootCause(known.ref(at), kind, first.name(), first.waited(), text, stacks.of(known.ref(at)));
    }

    private RootCause root(ContextKey key) {
        SnapshotIndex index = known.nodes.get(key.node());
        ContextRef ref = known.ref(key);
        ContextStatus row = index.rows.get(key.id());
        if (row == null) {
            return unseen(key, index, ref);
        }
        LockStatus granted = index.untold(key.id());
        String untold = granted == null ? "" : notToldYet(granted);
        String moving = granted == null ? inMovingQueue(key, index) : "";
        String besides = (moving.isEmpty() ? "" : "; " + moving)
                + (untold.isEmpty() ? "" : "; " + untold)
                + alsoWaits(key, index);
        List<String> stack = row.onThread() ? stacks.of(ref) : List.of();
        String at = AppFrames.first(stack);
        String where = at.isEmpty() ? "" : " at " + at;
        String asked = row.cancelReason() == null || row.state() != ContextState.ACTIVE
                ? ""
                : "was asked to stop (" + row.cancelReason().message() + ") and has not: ";
        BlockedPlace loop = index.loopBlockedBy(key.id());
        if (loop != null) {
            String place = where.isEmpty() && !loop.at().isEmpty() ? " at " + loop.at() : where;
            return new RootCause(
                    ref,
                    CauseKind.EVENT_LOOP,
                    loop.name(),
                    loop.since(),
                    asked + "event loop blocked " + HumanText.duration(loop.since()) + place,
                    stack);
        }
        if (row.state() != ContextState.ACTIVE) {
            LockStatus held = index.heldLongest(key.id());
            if (held != null && held.told()) {
                return new RootCause(
                        ref,
                        CauseKind.ENDED,
                        held.name(),
                        held.heldDuration(),
                        "has ended" + neverGaveBack(held),
                        stack);
            }
        }
        OperationStatus operation = SnapshotIndex.innermost(row);
        if (operation != null) {
            return new RootCause(
                    ref,
                    CauseKind.OPERATION,
                    operation.name(),
                    operation.elapsed(),
                    asked + "inside of \"" + operation.name() + "\" " + HumanText.duration(operation.elapsed())
                            + usual(index, operation) + where + silentNodes(operation) + besides,
                    stack);
        }
        BlockedPlace behind = index.placeOf(key.id());
        if (behind != null) {
            return new RootCause(
                    ref, behind.kind(), behind.name(), behind.since(), asked + NextSteps.blocked(behind), stack);
        }
        if (row.onThread()) {
            return new RootCause(
                    ref, CauseKind.THREAD, "", row.lastActivity(), asked + "runs on a thread" + where + besides, stack);
        }
        if (granted != null) {
            return new RootCause(
                    ref,
                    CauseKind.IDLE,
                    granted.name(),
                    granted.heldDuration(),
                    asked + untold + alsoWaits(key, index),
                    stack);
        }
        LockStatus held = index.heldLongest(key.id());
        if (held != null && !moving.isEmpty()) {
            return new RootCause(
                    ref,
                    CauseKind.IDLE,
                    held.name(),
                    row.lastActivity(),
                    asked + moving + alsoWaits(key, index),
                    stack);
        }
        String idle = "no sign of life for " + HumanText.duration(row.lastActivity());
        return new RootCause(
                ref,
                CauseKind.IDLE,
                held == null ? "" : held.name(),
                row.lastActivity(),
                asked
                        + idle
                        + (held == null ? "" : ", and holds " + ExplanationText.held(held) + LockText.takenAt(held))
                        + besides
                        + (held == null ? "" : unknownTasks(index)),
                stack);
    }

    /** One of whom the status has no row. */
    private RootCause unseen(ContextKey key, SnapshotIndex index, ContextRef ref) {
        LockStatus held = index.heldLongest(key.id());
        Duration since = held == null ? Duration.ZERO : held.heldDuration();
        if (WaitIndex.isStranger(key)) {
            return new RootCause(ref, CauseKind.UNKNOWN, "", since, "is of another runtime of this process", List.of());
        }
        if (held != null && held.heldDuration().compareTo(JUST_NOW) <= 0) {
            // The tree may have been walked before it began.
            return new RootCause(ref, CauseKind.UNKNOWN, held.name(), since, "has only just begun or ended", List.of());
        }
        return index.isFolded()
                ? new RootCause(
                        ref, CauseKind.UNKNOWN, "", since, "not in the part of the status that is shown", List.of())
                : new RootCause(
                        ref,
                        CauseKind.ENDED,
                        held == null ? "" : held.name(),
                        since,
                        "has ended" + neverGaveBack(held),
                        List.of());
    }

    private static String notToldYet(LockStatus granted) {
        return "was granted " + ExplanationText.held(granted) + " " + HumanText.duration(granted.heldDuration())
                + " ago and is not told yet: its event loop, or the thread that released it, is busy";
    }

    /** What an idle holder may wait for and nobody sees: a task of its own that stands in the queue of a full pool. */
    private static String unknownTasks(SnapshotIndex index) {
        for (BlockedPlace place : index.snapshot.causes().blocked()) {
            int unknown = place.unknown();
            if (place.kind() == CauseKind.POOL && unknown > 0) {
                return "; pool \"" + place.name() + "\" is full for " + HumanText.duration(place.since()) + ", with "
                        + HumanText.count(unknown, "tasks") + " in its queue that "
                        + (unknown == 1
                                ? "is not known and may be its release"
                                : "are not known, of which one may be its release");
            }
        }
        return "";
    }

    /** Says of one who has a lock for a short time only that those who wait for it do not wait for him alone. */
    private String inMovingQueue(ContextKey key, SnapshotIndex index) {
        LockStatus held = index.heldLongest(key.id());
        Duration waited = held == null ? null : index.longestWaitFor(held.lockId());
        return held == null || waited == null || !steps.isMoving(key, held, waited)
                ? ""
                : "took " + ExplanationText.held(held) + " " + HumanText.duration(held.heldDuration())
                        + " ago, as the queue moves";
    }

    /** The wait of a context that is not taken for what it waits for: nobody knows which of its branches waits. */
    private String alsoWaits(ContextKey key, SnapshotIndex index) {
        LockWaiter wait = index.longestWait(key.id());
        List<LockStatus> holders = wait == null ? List.of() : index.locks.getOrDefault(wait.lockId(), List.of());
        if (wait == null || holders.isEmpty()) {
            return "";
        }
        return "; this or another branch of it waits "
                + ExplanationText.wanted(holders.get(0).lockType(), wait) + " "
                + HumanText.duration(wait.waitingDuration())
                + LockText.askedAt(wait);
    }

    private static String neverGaveBack(@Nullable LockStatus held) {
        return held == null
                ? ""
                : ", and never gave back " + ExplanationText.held(held) + ", held "
                        + HumanText.duration(held.heldDuration())
                        + LockText.takenAt(held);
    }

    private static String usual(SnapshotIndex index, OperationStatus operation) {
        OperationBaseline usual = index.snapshot.operationBaselines().get(operation.name());
        return usual == null || usual.count() < WaitIndex.FEW ? "" : ", usually " + HumanText.fineDuration(usual.p50());
    }

    /** Where the trail is lost because a node does not answer: who works on a request, or holds a lock of the cluster. */
    private String silentNodes(OperationStatus operation) {
        if (silent.isEmpty()) {
            return "";
        }
        String nodes = silent.stream().limit(MOST_NAMED).collect(Collectors.joining("; "))
                + (silent.size() > MOST_NAMED ? "; .." : "");
        if (SharedLockNames.isShared(operation.name()) && !SharedLockNames.isLocal(operation.name())) {
            return "; nobody who answered holds it; not heard of: " + nodes;
        }
        return operation.name().startsWith(Explainer.REQUEST) ? "; not heard of: " + nodes : "";
    }
}
