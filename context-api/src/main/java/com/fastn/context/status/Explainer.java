package com.fastn.context.status;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Whoever tells why contexts of a status are stuck: on one node, across a cluster, or from a saved JSON, by the same rules.
 *
 * <p>It follows each context to the one that it waits for: the holder of the lock, the context that serves its request on this
 * node or another, the one that fills its worker pool or blocks its event loop, or a child of it that is stuck. Where
 * nothing leads on is the root. Who is in a slow operation, and not for longer than is usual for it, counts as busy, not as
 * stuck. Walks are iterative. An instance is for one thread.
 */
public final class Explainer {
    private static final int MOST_EXPLAINED = 1_000;
    private static final int MOST_STEPS = 1_000;
    /** Of those behind a root, for whoever reads the record; a drawing names fewer. */
    private static final int MOST_FREED = 20;
    /** In one sentence. */
    private static final int MOST_NAMED = 5;
    /** Of so few operations nobody knows what is usual. */
    private static final long FEW = 10;

    /** When something was locked is told to within this. */
    private static final Duration JUST_NOW = Duration.ofMillis(20);

    // How bad a holder is off, from bad to worst.
    private static final int WAITS = 1;
    private static final int STUCK = 2;
    private static final int NEVER_GOES_ON = 3;

    static final String REQUEST = "request ";

    private final List<SnapshotIndex> nodes = new ArrayList<>();
    private final Map<String, Integer> byIncarnation = new HashMap<>();
    private final List<String> silent = new ArrayList<>();
    private final Stacks stacks;
    private final Map<Key, List<Key>> servedBy = new HashMap<>();
    private final Map<Key, Key> nextParty = new HashMap<>();
    private final Map<Key, DeadlockReport> deadlocks = new HashMap<>();
    private final Map<Key, Key> stuckBelow = new HashMap<>();
    private final Map<Key, @Nullable Step> steps = new HashMap<>();
    private final Map<Key, Key> roots = new HashMap<>();
    private final Map<Key, RootCause> rootCauses = new HashMap<>();
    private final Map<Key, Behind> behind = new HashMap<>();
    private final Map<Key, Integer> troubles = new HashMap<>();
    private @Nullable Map<Key, List<Key>> freed;

    /** Whoever knows on which threads contexts run. */
    public interface Stacks {
        /**
         * Looks at the thread of a context.
         *
         * @param context the context
         * @return the frames of the thread that it runs on at this moment, the innermost first, or none
         */
        List<String> of(ContextRef context);
    }

    private Explainer(Collection<StatusSnapshot> snapshots, Collection<String> silent, Stacks stacks) {
        this.stacks = stacks;
        this.silent.addAll(silent);
        for (StatusSnapshot snapshot : snapshots) {
            byIncarnation.putIfAbsent(snapshot.node().incarnation(), nodes.size());
            nodes.add(new SnapshotIndex(snapshot, snapshots.size() > 1));
        }
        for (int node = 0; node < nodes.size(); node++) {
            indexLinks(node);
            indexDeadlocks(node);
        }
        for (Key stuck : stuck()) {
            markAbove(stuck);
        }
    }

    /**
     * Makes an explainer of one node.
     *
     * @param snapshot what the node was doing
     * @return the explainer
     */
    public static Explainer of(StatusSnapshot snapshot) {
        return of(snapshot, context -> List.of());
    }

    /**
     * Makes an explainer of one node that can look at threads.
     *
     * @param snapshot what the node was doing
     * @param stacks knows which thread a context runs on
     * @return the explainer
     */
    public static Explainer of(StatusSnapshot snapshot, Stacks stacks) {
        return new Explainer(
                List.of(requireNonNull(snapshot, "snapshot")), List.of(), requireNonNull(stacks, "stacks"));
    }

    /**
     * Makes an explainer of a cluster, which follows requests from node to node.
     *
     * @param cluster what the nodes were doing
     * @return the explainer
     */
    public static Explainer of(ClusterStatus cluster) {
        List<StatusSnapshot> snapshots = new ArrayList<>();
        List<String> silent = new ArrayList<>();
        for (NodeStatus node : cluster.nodes()) {
            StatusSnapshot snapshot = node.snapshot();
            if (snapshot != null) {
                snapshots.add(snapshot);
            } else {
                silent.add(silent(node));
            }
        }
        return new Explainer(snapshots, silent, context -> List.of());
    }

    private static String silent(NodeStatus node) {
        boolean unheard = node.state() == NodeState.STALE || node.state() == NodeState.DOWN;
        return node.node().alias()
                + (unheard ? ", silent for " + HumanText.duration(node.age()) : ", without a status");
    }

    /**
     * Explains one context.
     *
     * @param contextId its id; in a cluster, of the first node that has such a one
     * @return why it is where it is, or {@code null} when the status does not show it
     */
    public @Nullable Explanation explain(long contextId) {
        for (int node = 0; node < nodes.size(); node++) {
            if (nodes.get(node).rows.containsKey(contextId)) {
                return explain(new Key(node, contextId));
            }
        }
        return null;
    }

    /**
     * Explains one context of a node.
     *
     * @param alias the node's alias
     * @param contextId the context's id
     * @return why it is where it is, or {@code null} when the status does not show it
     */
    public @Nullable Explanation explain(String alias, long contextId) {
        for (int node = 0; node < nodes.size(); node++) {
            SnapshotIndex index = nodes.get(node);
            if (index.node.alias().equals(alias) && index.rows.containsKey(contextId)) {
                return explain(new Key(node, contextId));
            }
        }
        return null;
    }

    /**
     * Explains the context of a path: of several, the one that waits for the longest.
     *
     * @param path the path in dotted form, or a short name as the status shows it, such as {@code alice/stdout-handler}
     * @return why it is where it is, or {@code null} when the status shows none
     */
    public @Nullable Explanation explain(String path) {
        requireNonNull(path, "path");
        Key best = null;
        for (boolean whole : List.of(true, false)) {
            for (int node = 0; node < nodes.size(); node++) {
                for (Long id : nodes.get(node).named(path, whole)) {
                    Key key = new Key(node, id);
                    if (best == null || waitedNanos(key) > waitedNanos(best)) {
                        best = key;
                    }
                }
            }
            if (best != null) {
                return explain(best);
            }
        }
        return null;
    }

    /**
     * Explains all contexts that are stuck: those that wait for a lock for longer than they may, are in an operation for longer
     * than they may and than is usual for it, wait behind a full pool or a blocked event loop, or are part of a
     * deadlock.
     *
     * @return the explanations, those whose root holds up the most contexts first, and of one root those that wait for the
     *     longest first; at most 1,000, of which each root has its share. Empty when nothing is stuck
     */
    public List<Explanation> explainAll() {
        List<Key> order = new ArrayList<>(stuck());
        Map<Key, List<Key>> groups = freed();
        order.sort(Comparator.comparingInt((Key key) ->
                        -groups.getOrDefault(rootOf(key), List.of()).size())
                .thenComparing(this::rootOf, Key.ORDER)
                // Who waits for the root tells more than the root itself, which may be stuck as well.
                .thenComparing(key -> step(key) == null)
                .thenComparing(Comparator.comparingLong(this::waitedNanos).reversed())
                .thenComparing(Key.ORDER));
        List<Explanation> all = new ArrayList<>();
        for (Key key : ofEachRoot(order)) {
            all.add(explain(key));
        }
        return all;
    }

    /** As many as may be told: no root is hidden by the crowd behind another one. They stay in their order. */
    private List<Key> ofEachRoot(List<Key> order) {
        if (order.size() <= MOST_EXPLAINED) {
            return order;
        }
        Map<Key, Integer> taken = new HashMap<>();
        order.forEach(key -> taken.put(rootOf(key), 0));
        int share = Math.max(1, MOST_EXPLAINED / taken.size());
        Set<Key> told = new HashSet<>();
        for (Key key : order) {
            if (told.size() < MOST_EXPLAINED && taken.merge(rootOf(key), 1, Integer::sum) <= share) {
                told.add(key);
            }
        }
        for (Key key : order) {
            if (told.size() < MOST_EXPLAINED) {
                told.add(key);
            }
        }
        return order.stream().filter(told::contains).toList();
    }

    // --- one chain

    private Explanation explain(Key from) {
        List<Cause> chain = new ArrayList<>();
        Set<Key> seen = new LinkedHashSet<>();
        Key at = from;
        Step step = step(at);
        while (step != null && seen.add(at)) {
            if (chain.size() == MOST_STEPS) {
                at = rootOf(from);
                step = step(at);
                break;
            }
            chain.add(new Cause(
                    step.kind,
                    step.name,
                    step.lockId,
                    ref(at),
                    step.waited,
                    ref(step.next),
                    step.held,
                    step.waits,
                    step.found));
            at = step.next;
            step = step(at);
        }
        Key group = rootOf(from);
        Behind waiting = behind.computeIfAbsent(group, this::behind);
        return new Explanation(ref(from), chain, rootCause(group), waiting.count, waiting.first);
    }

    /** What a root does is told once, and its thread looked at once, however many wait behind it. */
    private RootCause rootCause(Key group) {
        RootCause known = rootCauses.get(group);
        if (known == null) {
            known = step(group) == null ? root(group) : rootOfCircle(group);
            rootCauses.put(group, known);
        }
        return known;
    }

    private Behind behind(Key group) {
        List<Key> waiting = new ArrayList<>(freed().getOrDefault(group, List.of()));
        waiting.removeAll(step(group) == null ? Set.of(group) : circle(group));
        List<String> first = waiting.stream()
                .limit(MOST_FREED)
                .map(key -> ref(key).shortName())
                .toList();
        return new Behind(waiting.size(), first);
    }

    /** Those that wait for each other, beginning with one of them. */
    private Set<Key> circle(Key first) {
        Set<Key> circle = new LinkedHashSet<>();
        for (Key key = first; circle.add(key); ) {
            key = requireNonNull(step(key), "a circle").next;
        }
        return circle;
    }

    private RootCause rootOfCircle(Key at) {
        Set<Key> circle = circle(at);
        boolean pool = circle.stream().anyMatch(key -> requireNonNull(step(key), "a circle").kind == CauseKind.POOL);
        Step first = requireNonNull(step(at), "a circle");
        DeadlockReport report = deadlocks.get(at);
        String text;
        if (report != null) {
            text = report.cycle();
        } else if (circle.size() == 1) {
            text = ref(at).shortName() + " waits for itself: it " + first.waits + ", and holds it";
        } else {
            List<String> names = circle.stream()
                    .limit(MOST_NAMED)
                    .map(k -> ref(k).shortName())
                    .toList();
            text = (pool ? "the pool is full of those that wait for each other: " : "all wait for each other: ")
                    + String.join(" -> ", names) + (circle.size() > MOST_NAMED ? " -> .." : "") + " -> "
                    + names.get(0);
        }
        CauseKind kind = pool ? CauseKind.POOL : first.kind;
        return new RootCause(ref(at), kind, first.name, first.waited, text, stacks.of(ref(at)));
    }

    private RootCause root(Key key) {
        SnapshotIndex index = nodes.get(key.node);
        ContextRef ref = ref(key);
        ContextStatus row = index.rows.get(key.id);
        if (row == null) {
            LockStatus held = index.heldLongest(key.id);
            Duration since = held == null ? Duration.ZERO : held.heldDuration();
            if (isStranger(key)) {
                return new RootCause(
                        ref, CauseKind.UNKNOWN, "", since, "is of another runtime of this process", List.of());
            }
            if (held != null && held.heldDuration().compareTo(JUST_NOW) <= 0) {
                // The tree may have been walked before it began.
                return new RootCause(
                        ref, CauseKind.UNKNOWN, held.name(), since, "has only just begun or ended", List.of());
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
        LockStatus granted = index.untold(key.id);
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
        BlockedPlace loop = index.loopBlockedBy(key.id);
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
            LockStatus held = index.heldLongest(key.id);
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
        BlockedPlace behind = index.placeOf(key.id);
        if (behind != null) {
            return new RootCause(ref, behind.kind(), behind.name(), behind.since(), asked + blocked(behind), stack);
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
        LockStatus held = index.heldLongest(key.id);
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
    private String inMovingQueue(Key key, SnapshotIndex index) {
        LockStatus held = index.heldLongest(key.id);
        Duration waited = held == null ? null : index.longestWaitFor(held.lockId());
        return held == null || waited == null || !isMoving(key, held, waited)
                ? ""
                : "took " + ExplanationText.held(held) + " " + HumanText.duration(held.heldDuration())
                        + " ago, as the queue moves";
    }

    /** The wait of a context that is not taken for what it waits for: nobody knows which of its branches waits. */
    private String alsoWaits(Key key, SnapshotIndex index) {
        LockWaiter wait = index.longestWait(key.id);
        List<LockStatus> holders = wait == null ? List.of() : index.locks.getOrDefault(wait.lockId(), List.of());
        if (wait == null || holders.isEmpty()) {
            return "";
        }
        return "; this or another branch of it waits "
                + ExplanationText.wanted(holders.get(0).lockType(), wait) + " "
                + HumanText.duration(wait.waitingDuration())
                + LockText.askedAt(wait);
    }

    private static boolean isHeldByItself(Key key, List<LockStatus> holders) {
        return holders.stream().allMatch(held -> held.holderId() == key.id);
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
        return usual == null || usual.count() < FEW ? "" : ", usually " + HumanText.fineDuration(usual.p50());
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
        return operation.name().startsWith(REQUEST) ? "; not heard of: " + nodes : "";
    }

    private static String blocked(BlockedPlace place) {
        return place.kind() == CauseKind.POOL
                ? "waits for a place in pool \"" + place.name() + "\", which is full for "
                        + HumanText.duration(place.since()) + " (" + HumanText.count(place.queued()) + " queued)"
                : "its event loop " + place.name() + " is blocked for " + HumanText.duration(place.since())
                        + (place.at().isEmpty() ? "" : " at " + place.at());
    }

    /** Whether somebody is of another runtime of the process, and so not in the tree: only these have negative ids. */
    private static boolean isStranger(Key key) {
        return key.id < 0;
    }

    private ContextRef ref(Key key) {
        return nodes.get(key.node).ref(key.id);
    }

    // --- one step

    private @Nullable Step step(Key key) {
        if (steps.containsKey(key)) {
            return steps.get(key);
        }
        Step step = find(key);
        steps.put(key, step);
        return step;
    }

    private @Nullable Step find(Key key) {
        SnapshotIndex index = nodes.get(key.node);
        ContextStatus row = index.rows.get(key.id);
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
        if (index.loopBlockedBy(key.id) != null) {
            return null;
        }
        Step shared = forSharedLock(key, row);
        if (shared != null) {
            return shared;
        }
        Step request = forRequest(key, row);
        return request != null ? request : forChild(key, row);
    }

    /**
     * What a context waits for: the lock of its deadlock, else the longest of its waits. A lock that it holds itself is held
     * by a branch of it that may well go on, as two branches of one context contend lawfully, so that is no reason by itself.
     */
    private @Nullable LockWaiter wait(Key key, SnapshotIndex index) {
        Key party = nextParty.get(key);
        LockWaiter longest = null;
        for (LockWaiter wait : index.waits.getOrDefault(key.id, List.of())) {
            List<LockStatus> holders = index.locks.getOrDefault(wait.lockId(), List.of());
            if (party != null
                    && party.node == key.node
                    && holders.stream().anyMatch(held -> held.holderId() == party.id)) {
                return wait;
            }
            boolean own = !holders.isEmpty() && isHeldByItself(key, holders);
            if (!own && (longest == null || wait.waitingDuration().compareTo(longest.waitingDuration()) > 0)) {
                longest = wait;
            }
        }
        return longest;
    }

    /** Whether a context is in an operation for too long, and besides waits for a lock for no longer than it may. */
    private boolean isBesideSlowWork(Key key, SnapshotIndex index, @Nullable ContextStatus row, LockWaiter wait) {
        return row != null && !wait.stuck() && !deadlocks.containsKey(key) && isSlow(index, row);
    }

    private @Nullable Step forLock(Key key, SnapshotIndex index, LockWaiter wait) {
        List<LockStatus> holders = index.locks.getOrDefault(wait.lockId(), List.of());
        if (holders.isEmpty()) {
            return forLine(key, index, wait);
        }
        Key party = nextParty.get(key);
        LockStatus held = null;
        for (LockStatus each : holders) {
            boolean isParty = party != null && party.node == key.node && each.holderId() == party.id;
            if (isParty || held == null || (party == null && isBetter(key, each, held))) {
                held = each;
            }
        }
        requireNonNull(held, "a holder");
        Key next = new Key(key.node, held.holderId());
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
                        + ref(next).shortName()
                        + ExplanationText.as(held)
                        + LockText.takenAt(held)
                        + (others == 0 ? "" : " (and " + HumanText.count(others, "others") + ")")
                        + (party == null && isMoving(next, held, wait.waitingDuration()) ? moves(wait) : "")
                        + firstInLine(key, index, wait));
    }

    /** Whether a holder that is well took a lock while others waited for it already, so that they wait for many. */
    private boolean isMoving(Key holder, LockStatus held, Duration waited) {
        return held.told() && !held.longHeld() && held.heldDuration().compareTo(waited) < 0 && trouble(holder) == 0;
    }

    private static String moves(LockWaiter wait) {
        int ahead = wait.position() - 1;
        return ", the holder changes" + (ahead > 0 ? ", " + HumanText.count(ahead) + " ahead" : "");
    }

    /**
     * Of several holders one that is not the waiter itself, then one in trouble, whose share may never come back, and then the
     * one that has held for the longest.
     */
    private boolean isBetter(Key waiter, LockStatus one, LockStatus other) {
        boolean oneIsOther = one.holderId() != waiter.id;
        boolean otherIsOther = other.holderId() != waiter.id;
        if (oneIsOther != otherIsOther) {
            return oneIsOther;
        }
        int more = Integer.compare(
                trouble(new Key(waiter.node, one.holderId())), trouble(new Key(waiter.node, other.holderId())));
        return more == 0 ? one.heldDuration().compareTo(other.heldDuration()) > 0 : more > 0;
    }

    /** How bad a holder is off, by its own doing and not by the time for which it holds. */
    private int trouble(Key holder) {
        return troubles.computeIfAbsent(holder, this::troubleOf);
    }

    private int troubleOf(Key holder) {
        SnapshotIndex index = nodes.get(holder.node);
        ContextStatus row = index.rows.get(holder.id);
        boolean ended = row == null ? !isStranger(holder) && !index.isFolded() : row.state() != ContextState.ACTIVE;
        if (ended || deadlocks.containsKey(holder)) {
            return NEVER_GOES_ON;
        }
        List<LockWaiter> waits = index.waits.getOrDefault(holder.id, List.of());
        boolean slow = row != null && (row.cancelReason() != null || isSlow(index, row));
        boolean heldUp = index.placeOf(holder.id) != null || index.loopBlockedBy(holder.id) != null;
        if (slow || heldUp || waits.stream().anyMatch(LockWaiter::stuck)) {
            return STUCK;
        }
        return waits.isEmpty() ? 0 : WAITS;
    }

    /** A lock of the cluster that nobody of this node holds: who stands in line waits for the first, who asks for all of them. */
    private @Nullable Step forLine(Key key, SnapshotIndex index, LockWaiter wait) {
        LockWaiter first = index.firstInLine(wait.lockId());
        if (first == null || first.contextId() == key.id || !SharedLockNames.isShared(wait.lockName())) {
            return null;
        }
        Key next = new Key(key.node, first.contextId());
        return new Step(
                next,
                CauseKind.LOCK,
                wait.lockName(),
                wait.waitingDuration(),
                first.waitingDuration(),
                "waits " + ExplanationText.wanted(LockType.MUTEX, wait) + " "
                        + HumanText.duration(wait.waitingDuration())
                        + LockText.askedAt(wait),
                "behind " + ref(next).shortName() + ", which is first in line");
    }

    /** Where several may hold, those who would fit wait behind the first in line as well, and nobody else shows it. */
    private String firstInLine(Key key, SnapshotIndex index, LockWaiter wait) {
        LockWaiter first = index.firstInLine(wait.lockId());
        return wait.mode() == LockMode.EXCLUSIVE || first == null || wait.position() <= 1
                ? ""
                : ", and " + ref(new Key(key.node, first.contextId())).shortName() + " is first in line "
                        + ExplanationText.forWhat(first);
    }

    private @Nullable Step forPlace(Key key, SnapshotIndex index) {
        BlockedPlace place = index.placeOf(key.id);
        if (place == null) {
            return null;
        }
        for (Long busy : place.busy()) {
            if (busy != key.id) {
                Key next = new Key(key.node, busy);
                boolean pool = place.kind() == CauseKind.POOL;
                return new Step(
                        next,
                        place.kind(),
                        place.name(),
                        place.since(),
                        place.since(),
                        pool ? blocked(place) : "waits for its event loop " + HumanText.duration(place.since()),
                        (pool ? "behind " : "blocked by ")
                                + ref(next).shortName()
                                + (pool && place.busy().size() > 1
                                        ? " (and " + (place.busy().size() - 1) + " more)"
                                        : ""));
            }
        }
        return null;
    }

    /** A lock of the whole cluster, for which the head of each node's line waits inside of an operation of its name. */
    private @Nullable Step forSharedLock(Key key, ContextStatus row) {
        OperationStatus waiting = SnapshotIndex.innermost(row);
        if (waiting == null || !SharedLockNames.isShared(waiting.name())) {
            return null;
        }
        boolean local = SharedLockNames.isLocal(waiting.name());
        for (int node = local ? key.node : 0; node < (local ? key.node + 1 : nodes.size()); node++) {
            for (LockStatus held : nodes.get(node).snapshot.activeLocks()) {
                if (held.name().equals(waiting.name()) && !isInside(node, held.holderId(), waiting.name())) {
                    Key next = new Key(node, held.holderId());
                    return new Step(
                            next,
                            CauseKind.LOCK,
                            held.name(),
                            waiting.elapsed(),
                            held.heldDuration(),
                            "waits for the lock \"" + held.name() + "\" " + HumanText.duration(waiting.elapsed()),
                            "held " + HumanText.duration(held.heldDuration()) + " by "
                                    + ref(next).shortName()
                                    + LockText.takenAt(held));
                }
            }
        }
        return null;
    }

    private boolean isInside(int node, long id, String operation) {
        ContextStatus row = nodes.get(node).rows.get(id);
        return row != null
                && row.operations().stream().anyMatch(inside -> inside.name().equals(operation));
    }

    private @Nullable Step forRequest(Key key, ContextStatus row) {
        OperationStatus last = null;
        for (OperationStatus operation : row.operations()) {
            last = operation.name().startsWith(REQUEST) ? operation : last;
        }
        if (last == null) {
            return null;
        }
        Key best = null;
        OperationStatus through = last;
        boolean bestIsNamed = false;
        for (Key server : servedBy.getOrDefault(key, List.of())) {
            ContextStatus serving = requireNonNull(nodes.get(server.node).rows.get(server.id), "a row");
            OperationStatus named = null;
            for (OperationStatus operation : row.operations()) {
                // Of several of one name the oldest, as of those who serve them.
                named = named == null && operation.name().equals(REQUEST + serving.name()) ? operation : named;
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
        ContextStatus serving = requireNonNull(nodes.get(best.node).rows.get(best.id), "a row");
        return new Step(
                best,
                CauseKind.REQUEST,
                serving.name(),
                through.elapsed(),
                serving.duration(),
                "waits for a reply of \"" + serving.name() + "\" " + HumanText.duration(through.elapsed()),
                "served for " + HumanText.duration(serving.duration()) + " by "
                        + ref(best).shortName());
    }

    private boolean isOlder(ContextStatus one, Key other) {
        ContextStatus row = nodes.get(other.node).rows.get(other.id);
        return row == null || one.duration().compareTo(row.duration()) > 0;
    }

    /** Nothing says that a context waits for its child. It is told as a child that is stuck, where nothing else is known. */
    private @Nullable Step forChild(Key key, ContextStatus row) {
        Key child = stuckBelow.get(key);
        if (child == null || row.onThread() || row.kind() == ContextKind.ROOT || row.kind() == ContextKind.SERVICE) {
            return null;
        }
        Duration waited = Duration.ofNanos(waitedNanos(child));
        OperationStatus operation = SnapshotIndex.innermost(row);
        if (operation != null && (operation.elapsed().compareTo(waited) < 0 || waitsFor(child, key))) {
            return null;
        }
        String name = ref(child).shortName();
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

    private boolean waitsFor(Key waiter, Key holder) {
        LockWaiter wait = nodes.get(waiter.node).longestWait(waiter.id);
        return wait != null
                && nodes.get(waiter.node).locks.getOrDefault(wait.lockId(), List.of()).stream()
                        .anyMatch(lock -> lock.holderId() == holder.id);
    }

    // --- where chains end

    /** The context that a chain ends at; for a cycle the least of it, so that all that lead into it have the same. */
    private Key rootOf(Key from) {
        List<Key> way = new ArrayList<>();
        Key at = from;
        Key root = null;
        Map<Key, Integer> seen = new HashMap<>();
        while (root == null) {
            Key known = roots.get(at);
            Integer before = seen.putIfAbsent(at, way.size());
            if (known != null) {
                root = known;
            } else if (before != null) {
                root = way.subList(before, way.size()).stream().min(Key.ORDER).orElse(at);
            } else {
                way.add(at);
                Step step = step(at);
                if (step == null) {
                    root = at;
                } else {
                    at = step.next;
                }
            }
        }
        for (Key key : way) {
            roots.put(key, root);
        }
        return root;
    }

    /** Who waits behind each root, those that wait for the longest first. */
    private Map<Key, List<Key>> freed() {
        Map<Key, List<Key>> known = freed;
        if (known == null) {
            known = new HashMap<>();
            for (Key key : waiting()) {
                Key root = rootOf(key);
                if (!root.equals(key) || step(key) != null) {
                    known.computeIfAbsent(root, r -> new ArrayList<>()).add(key);
                }
            }
            Comparator<Key> longest =
                    Comparator.comparingLong(this::waitedNanos).reversed().thenComparing(Key.ORDER);
            known.values().forEach(keys -> keys.sort(longest));
            freed = known;
        }
        return known;
    }

    // --- who waits, who is stuck

    private Set<Key> waiting() {
        Set<Key> all = new LinkedHashSet<>(stuck());
        for (int node = 0; node < nodes.size(); node++) {
            for (Long id : nodes.get(node).waits.keySet()) {
                all.add(new Key(node, id));
            }
        }
        return all;
    }

    private Set<Key> stuck() {
        Set<Key> all = new LinkedHashSet<>(deadlocks.keySet());
        for (int node = 0; node < nodes.size(); node++) {
            SnapshotIndex index = nodes.get(node);
            for (LockWaiter waiter : index.snapshot.lockWaiters()) {
                if (waiter.stuck()) {
                    all.add(new Key(node, waiter.contextId()));
                }
            }
            for (BlockedPlace place : index.snapshot.causes().blocked()) {
                List<Long> ids = place.kind() == CauseKind.POOL ? place.waiting() : place.busy();
                for (Long id : ids) {
                    all.add(new Key(node, id));
                }
            }
            for (ContextStatus row : index.rows.values()) {
                if (isSlow(index, row)) {
                    all.add(new Key(node, row.id()));
                }
            }
        }
        return all;
    }

    private static boolean isSlow(SnapshotIndex index, ContextStatus row) {
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

    private long waitedNanos(Key key) {
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
                servedBy.computeIfAbsent(new Key(from, caller.contextId()), k -> new ArrayList<>())
                        .add(new Key(node, row.id()));
            }
        }
    }

    /** Its parties may be on other nodes than the one that tells of it. */
    private void indexDeadlocks(int node) {
        for (DeadlockReport report : nodes.get(node).snapshot.causes().deadlocks()) {
            List<DeadlockReport.Party> parties = report.parties();
            boolean whole = parties.size() == report.size();
            for (int i = 0; i < parties.size(); i++) {
                Key key = keyOf(parties.get(i).context());
                if (key == null) {
                    continue;
                }
                deadlocks.putIfAbsent(key, report);
                Key next = keyOf(parties.get((i + 1) % parties.size()).context());
                if (next != null && (i + 1 < parties.size() || whole)) {
                    nextParty.putIfAbsent(key, next);
                }
            }
        }
    }

    private @Nullable Key keyOf(ContextRef context) {
        Integer node = byIncarnation.get(context.node().incarnation());
        return node == null ? null : new Key(node, context.contextId());
    }

    private void markAbove(Key stuck) {
        SnapshotIndex index = nodes.get(stuck.node);
        for (Long up = index.parents.get(stuck.id); up != null; up = index.parents.get(up)) {
            ContextStatus row = index.rows.get(up);
            boolean stops = row == null || row.kind() == ContextKind.ROOT || row.kind() == ContextKind.SERVICE;
            if (stops || stuckBelow.putIfAbsent(new Key(stuck.node, up), stuck) != null) {
                return;
            }
        }
    }

    /** Who waits behind a root. */
    private record Behind(int count, List<String> first) {}

    /** A context of a node. */
    private record Key(int node, long id) {
        static final Comparator<Key> ORDER = Comparator.comparingInt(Key::node).thenComparingLong(Key::id);
    }

    /** Whom a context waits for. */
    private record Step(
            Key next,
            CauseKind kind,
            String name,
            long lockId,
            Duration waited,
            Duration held,
            String waits,
            String found) {

        /** One to which no lock of a node leads. */
        Step(Key next, CauseKind kind, String name, Duration waited, Duration held, String waits, String found) {
            this(next, kind, name, 0, waited, held, waits, found);
        }
    }
}
