package com.fastn.context.engine;

import static java.util.Objects.requireNonNull;

import com.fastn.context.status.ContextKind;
import com.fastn.context.status.LockType;
import com.fastn.context.status.NodeWaits;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Reads who waits for whom on this node, for a search that goes over several nodes: of the locks of the tree, and of what the
 * binding knows beside them. Threads: any, one at a time.
 *
 * <p>Left out is whoever cannot be part of a circle: who holds nothing, who waits for nothing, and who waits for a short time
 * only. What is left out counts as free, so a circle may be missed by it and none is made. One hold that is left out could make a
 * circle all the same: that of a lock of the cluster which another node believes to hold too. So of each such lock that is
 * held here the key is told, whoever holds it.
 */
public final class WaitReader {
    private static final int MOST_ENTRIES = 1_000;

    private final EngineRuntime runtime;

    /** By identity: the holds and waits that somebody asked for, of those that were there at the last reading. */
    @GuardedBy("this")
    private IdentityHashMap<Object, Long> numbers = new IdentityHashMap<>();

    @GuardedBy("this")
    private long lastNumber;

    /**
     * Makes one.
     *
     * @param runtime the tree
     */
    public WaitReader(EngineRuntime runtime) {
        this.runtime = requireNonNull(runtime, "runtime");
    }

    /**
     * Something that is held or awaited beside the locks of the tree.
     *
     * @param kind what it is
     * @param key tells it from others in the cluster
     * @param name as the status calls it
     * @param isHold whether it is held; otherwise it is waited for
     * @param scoped of a hold, whether the end of a piece of work gives it back, and nothing else does
     * @param identity the hold or wait itself: the same object as long as it lasts, and only so long
     * @param context whose it is
     * @param sinceNanos since when, by the ticker
     * @param deadlineNanos of a wait, when it ends by itself, or 0
     * @param inside of a wait, the holds that last as long: those of this kind by identity, and guards of locks
     */
    public record Outside(
            NodeWaits.Kind kind,
            String key,
            String name,
            boolean isHold,
            boolean scoped,
            Object identity,
            ContextNode context,
            long sinceNanos,
            long deadlineNanos,
            List<Object> inside) {
        /** Copies the list. */
        public Outside {
            inside = List.copyOf(inside);
        }
    }

    /**
     * Reads.
     *
     * @param least waits that are shorter are left out
     * @param outside gives what the binding knows
     * @return who waits for whom
     */
    public synchronized NodeWaits read(Duration least, Supplier<List<Outside>> outside) {
        List<LockView> views = LockView.ofAll(runtime).stream()
                .filter(view -> !view.waiters().isEmpty())
                .toList();
        List<Outside> others = outside.get();
        number(views, others);
        return new Reading(runtime.nanos(), least).read(views, others);
    }

    /** Forgets the numbers that were given: whoever asks for the first time in a while needs none of them. */
    public synchronized void forget() {
        numbers = new IdentityHashMap<>();
    }

    /** Those that were there before keep their numbers; those that are gone are let go. */
    @GuardedBy("this")
    private void number(List<LockView> views, List<Outside> others) {
        IdentityHashMap<Object, Long> now = new IdentityHashMap<>();
        for (LockView view : views) {
            view.holders().forEach(holder -> number(now, holder.grant()));
            view.waiters().forEach(waiting -> number(now, waiting.waiter()));
        }
        others.forEach(other -> number(now, other.identity()));
        numbers = now;
    }

    @GuardedBy("this")
    private void number(IdentityHashMap<Object, Long> now, Object what) {
        Long known = numbers.get(what);
        now.put(what, known != null ? known : ++lastNumber);
    }

    /** Whether a context may be thought of as one that does one thing at a time, as {@link DeadlockDetector} does. */
    private static boolean mayBeOneBranch(ContextNode node) {
        if (node.parent() == null || node.kind() == ContextKind.SERVICE) {
            return false;
        }
        return !node.isOnThread() || node.waits().stream().anyMatch(waiter -> waiter.isBlocking());
    }

    /** What is made into records at one time. */
    private final class Reading {
        private final long now;
        private final long leastNanos;
        private final IdentityHashMap<ContextNode, Boolean> branches = new IdentityHashMap<>();
        private final Set<ContextNode> waiting = Collections.newSetFromMap(new IdentityHashMap<>());
        private final Set<Object> lasting = Collections.newSetFromMap(new IdentityHashMap<>());
        private final Set<ContextNode> holding = Collections.newSetFromMap(new IdentityHashMap<>());
        private final Map<Long, ContextNode> members = new LinkedHashMap<>();
        private int entries;

        Reading(long now, Duration least) {
            this.now = now;
            this.leastNanos = least.toNanos();
        }

        @SuppressWarnings("GuardedBy") // made and used within read()
        NodeWaits read(List<LockView> views, List<Outside> others) {
            for (LockView view : views) {
                for (LockView.Waiting waiter : view.waiters()) {
                    if (isLong(waiter.sinceNanos())) {
                        waits(waiter.node(), waiter.scopesThatWait());
                    }
                }
            }
            for (Outside other : others) {
                if (!other.isHold() && isLong(other.sinceNanos())) {
                    waits(other.context(), other.inside());
                }
            }
            for (LockView view : views) {
                for (LockView.Holder holder : view.holders()) {
                    if (isStuck(holder.grant(), holder.node())) {
                        holding.add(holder.node());
                    }
                }
            }
            for (Outside other : others) {
                if (other.isHold() && isStuck(other.identity(), other.context())) {
                    holding.add(other.context());
                }
            }
            List<NodeWaits.Resource> resources = new ArrayList<>();
            // First what leads to other nodes, so that it is not what is cut.
            addOthers(others, resources);
            addLocks(views, resources);
            return new NodeWaits(runtime.node(), resources, members(), entries > MOST_ENTRIES, sharedHeld(others));
        }

        /** Of strangers too, whose own node does not know of it. */
        private List<String> sharedHeld(List<Outside> others) {
            return others.stream()
                    .filter(other -> other.isHold() && other.kind() == NodeWaits.Kind.SHARED)
                    .map(Outside::key)
                    .toList();
        }

        private boolean isLong(long sinceNanos) {
            return runtime.elapsed(sinceNanos, now) >= leastNanos;
        }

        private boolean isOneBranch(ContextNode node) {
            return branches.computeIfAbsent(node, WaitReader::mayBeOneBranch);
        }

        private void waits(ContextNode node, List<?> inside) {
            if (isOneBranch(node)) {
                waiting.add(node);
            }
            lasting.addAll(inside);
        }

        /** Whether a hold lasts as long as some wait does. */
        private boolean isStuck(Object hold, ContextNode holder) {
            return lasting.contains(hold) || waiting.contains(holder);
        }

        private boolean keeps(ContextNode waiter, long sinceNanos, List<?> inside) {
            return isLong(sinceNanos) && (holding.contains(waiter) || !inside.isEmpty());
        }

        private boolean hasRoom(ContextNode node) {
            if (Strangers.isOne(runtime, node)) {
                // Its own runtime is a node as well.
                return false;
            }
            entries++;
            if (entries > MOST_ENTRIES) {
                return false;
            }
            members.put(node.id(), node);
            return true;
        }

        private void addOthers(List<Outside> others, List<NodeWaits.Resource> resources) {
            Map<String, List<Outside>> byKey = new LinkedHashMap<>();
            for (Outside other : others) {
                boolean kept = other.isHold()
                        ? isStuck(other.identity(), other.context())
                        : keeps(other.context(), other.sinceNanos(), other.inside());
                if (kept && hasRoom(other.context())) {
                    byKey.computeIfAbsent(other.kind() + other.key(), k -> new ArrayList<>(1))
                            .add(other);
                }
            }
            for (List<Outside> some : byKey.values()) {
                Outside first = some.get(0);
                resources.add(new NodeWaits.Resource(
                        first.kind(),
                        first.key(),
                        first.name(),
                        0,
                        LockType.MUTEX,
                        1,
                        some.stream()
                                .filter(Outside::isHold)
                                .map(other -> new NodeWaits.Hold(
                                        numberOf(other.identity()),
                                        other.context().id(),
                                        1,
                                        since(other.sinceNanos()),
                                        other.scoped()))
                                .toList(),
                        some.stream()
                                .filter(other -> !other.isHold())
                                .map(other -> new NodeWaits.Wait(
                                        numberOf(other.identity()),
                                        other.context().id(),
                                        1,
                                        since(other.sinceNanos()),
                                        until(other.deadlineNanos()),
                                        numbersOf(other.inside())))
                                .toList()));
            }
        }

        private void addLocks(List<LockView> views, List<NodeWaits.Resource> resources) {
            for (LockView view : views) {
                List<NodeWaits.Hold> holds = new ArrayList<>();
                for (LockView.Holder holder : view.holders()) {
                    if (isStuck(holder.grant(), holder.node()) && hasRoom(holder.node())) {
                        holds.add(new NodeWaits.Hold(
                                numberOf(holder.grant()),
                                holder.node().id(),
                                holder.permits(),
                                since(holder.sinceNanos()),
                                holder.scoped()));
                    }
                }
                List<NodeWaits.Wait> waits = new ArrayList<>();
                for (LockView.Waiting waiter : view.waiters()) {
                    List<Grant<?>> inside = waiter.scopesThatWait();
                    if (keeps(waiter.node(), waiter.sinceNanos(), inside) && hasRoom(waiter.node())) {
                        waits.add(new NodeWaits.Wait(
                                numberOf(waiter.waiter()),
                                waiter.node().id(),
                                waiter.permits(),
                                since(waiter.sinceNanos()),
                                until(waiter.deadlineNanos()),
                                numbersOf(inside)));
                    }
                }
                if (!holds.isEmpty() && !waits.isEmpty()) {
                    resources.add(new NodeWaits.Resource(
                            NodeWaits.Kind.LOCK,
                            Long.toString(view.id()),
                            view.name(),
                            view.id(),
                            view.type(),
                            view.totalPermits(),
                            holds,
                            waits));
                }
            }
        }

        private List<NodeWaits.Member> members() {
            ShortNames names = new ShortNames();
            members.values().forEach(node -> names.add(node.id(), node.path()));
            names.decide();
            return members.values().stream()
                    .map(node -> new NodeWaits.Member(
                            node.id(), node.path().toString(), node.label(), names.of(node.id()), isOneBranch(node)))
                    .toList();
        }

        @SuppressWarnings("GuardedBy") // made and used within read()
        private long numberOf(Object what) {
            return requireNonNull(numbers.get(what), "a number");
        }

        /** Of the holds that are known here: one whose lock nobody waits for holds up nobody. */
        @SuppressWarnings("GuardedBy") // made and used within read()
        private List<Long> numbersOf(List<?> holds) {
            List<Long> found = new ArrayList<>(holds.size());
            for (Object hold : holds) {
                Long number = numbers.get(hold);
                if (number != null) {
                    found.add(number);
                }
            }
            return found;
        }

        private Duration since(long sinceNanos) {
            return Duration.ofNanos(runtime.elapsed(sinceNanos, now));
        }

        private @Nullable Duration until(long deadlineNanos) {
            return deadlineNanos == 0 ? null : Duration.ofNanos(Math.max(0, deadlineNanos - now));
        }
    }
}
