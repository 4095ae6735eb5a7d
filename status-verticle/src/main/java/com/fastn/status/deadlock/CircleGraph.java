package com.fastn.status.deadlock;

import static java.util.Objects.requireNonNull;

import com.fastn.context.status.NodeIdentity;
import com.fastn.context.status.NodeWaits;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Who waits for whom over several nodes, and who of them can never go on (rule L14).
 *
 * <p>It is decided by the kindest future, as among the locks of one node: whatever can be given back is given back at once, who
 * is served gives back what he got, and nobody asks for more. Who is not served even then is deadlocked. A hold can be given
 * back when none of its blockers waits: for a proof these are the waits that it provably lasts as long as; for a suspicion
 * also all other waits of its context, where that may be thought of as one that does one thing at a time. What a node does
 * not tell counts as free.
 *
 * <p>A reply is held by who works on it. A lock of the cluster, or a reply, that two seem to have, as when a cluster has
 * fallen apart, counts as free: nobody knows whom its waiters wait for. So does a lock of the cluster that a node may have which
 * did not say so.
 */
final class CircleGraph {
    /** A context that waits in more places at once is hardly one that does one thing at a time. */
    private static final int MOST_WAITS_OF_A_CONTEXT = 64;

    private final Map<Object, ResourceNode> resources = new LinkedHashMap<>();
    private final List<WaitNode> waits = new ArrayList<>();
    private final ArrayDeque<ResourceNode> toServe = new ArrayDeque<>();

    private CircleGraph(Collection<NodeWaits> nodes, boolean suspecting, Predicate<String> hasOneHolder) {
        Map<HoldKey, HoldNode> holds = new HashMap<>();
        Map<ContextKey, List<WaitNode>> waitsOf = new HashMap<>();
        for (NodeWaits node : nodes) {
            Map<Long, NodeWaits.Member> members = new HashMap<>();
            node.contexts().forEach(member -> members.put(member.contextId(), member));
            for (NodeWaits.Resource told : node.resources()) {
                add(node.node(), told, members, holds, waitsOf);
            }
        }
        for (ResourceNode resource : resources.values()) {
            resource.settle(hasOneHolder);
        }
        for (WaitNode wait : waits) {
            for (Long number : wait.wait.inside()) {
                HoldNode held = holds.get(new HoldKey(wait.party.node().incarnation(), number));
                if (held != null) {
                    held.block(wait);
                }
            }
        }
        if (suspecting) {
            for (HoldNode held : holds.values()) {
                for (WaitNode wait : waitsOf.getOrDefault(ContextKey.of(held.party), List.of())) {
                    // Of its own lock a second branch of a context may well wait (rule L7).
                    if (wait.resource != held.resource) {
                        held.block(wait);
                    }
                }
            }
        }
        reduce();
    }

    private void add(
            NodeIdentity node,
            NodeWaits.Resource told,
            Map<Long, NodeWaits.Member> members,
            Map<HoldKey, HoldNode> holds,
            Map<ContextKey, List<WaitNode>> waitsOf) {
        boolean local = told.kind() == NodeWaits.Kind.LOCK;
        Object key = List.of(told.kind(), local ? node.incarnation() : "", told.key());
        ResourceNode resource =
                resources.computeIfAbsent(key, k -> new ResourceNode(bare(told), local ? told.units() : 1));
        for (NodeWaits.Hold hold : told.holds()) {
            NodeWaits.Member member = members.get(hold.contextId());
            if (member != null) {
                HoldNode held = new HoldNode(resource, new ClusterCycle.Party(node, member), hold);
                if (holds.putIfAbsent(new HoldKey(node.incarnation(), hold.number()), held) == null) {
                    resource.holds.add(held);
                }
            }
        }
        for (NodeWaits.Wait wait : told.waits()) {
            NodeWaits.Member member = members.get(wait.contextId());
            if (member != null) {
                WaitNode waiting = new WaitNode(resource, new ClusterCycle.Party(node, member), wait);
                resource.queue.addLast(waiting);
                waits.add(waiting);
                if (member.oneBranch()) {
                    List<WaitNode> some =
                            waitsOf.computeIfAbsent(ContextKey.of(waiting.party), c -> new ArrayList<>(1));
                    if (some.size() < MOST_WAITS_OF_A_CONTEXT) {
                        some.add(waiting);
                    }
                }
            }
        }
    }

    private static NodeWaits.Resource bare(NodeWaits.Resource told) {
        return new NodeWaits.Resource(
                told.kind(), told.key(), told.name(), told.lockId(), told.type(), told.units(), List.of(), List.of());
    }

    /**
     * Finds the cycles that lead over more than the locks of one node: first those that are proven, then those that are
     * suspected and have no part in one of these.
     *
     * @param nodes what the nodes told
     * @param hasOneHolder tells of the key of a lock of the cluster whether nobody else can have it than who is told to hold it
     * @return the cycles
     */
    static List<ClusterCycle> cycles(Collection<NodeWaits> nodes, Predicate<String> hasOneHolder) {
        List<ClusterCycle> all = new ArrayList<>();
        Set<ClusterCycle.Edge> known = new HashSet<>();
        for (boolean suspecting : List.of(false, true)) {
            for (List<ClusterCycle.Step> steps : new CircleGraph(nodes, suspecting, hasOneHolder).cycles()) {
                ClusterCycle cycle = new ClusterCycle(!suspecting, steps);
                if (cycle.leadsOut() && cycle.identity().stream().noneMatch(known::contains)) {
                    known.addAll(cycle.identity());
                    all.add(cycle);
                }
            }
        }
        return all;
    }

    /**
     * {@return the nodes on which somebody waits who may never be served, if there is a cycle among them that leads over more
     * than the locks of one node; otherwise none}
     *
     * @param nodes what the nodes told
     * @param hasOneHolder as in {@link #cycles}
     */
    static Set<String> suspects(Collection<NodeWaits> nodes, Predicate<String> hasOneHolder) {
        CircleGraph graph = new CircleGraph(nodes, true, hasOneHolder);
        Set<String> suspects = new HashSet<>();
        if (graph.cycles().stream().noneMatch(steps -> new ClusterCycle(false, steps).leadsOut())) {
            return suspects;
        }
        for (WaitNode wait : graph.waits) {
            if (!wait.served) {
                suspects.add(wait.party.node().incarnation());
                wait.resource.holds.forEach(
                        held -> suspects.add(held.party.node().incarnation()));
            }
        }
        return suspects;
    }

    private void reduce() {
        for (ResourceNode resource : resources.values()) {
            resource.holds.forEach(this::giveBackIfFree);
            toServe.add(resource);
        }
        for (ResourceNode resource = toServe.poll(); resource != null; resource = toServe.poll()) {
            while (!resource.queue.isEmpty() && resource.queue.getFirst().wait.units() <= resource.free) {
                WaitNode served = resource.queue.removeFirst();
                served.served = true;
                for (HoldNode held : served.blocks) {
                    held.blockers--;
                    giveBackIfFree(held);
                }
            }
        }
    }

    private void giveBackIfFree(HoldNode held) {
        if (held.blockers == 0 && !held.givenBack) {
            held.givenBack = true;
            held.resource.free += held.hold.units();
            toServe.add(held.resource);
        }
    }

    /** Each wait that is never served leads to one other such; following them all finds each cycle once. */
    private List<List<ClusterCycle.Step>> cycles() {
        List<List<ClusterCycle.Step>> cycles = new ArrayList<>();
        for (WaitNode from : waits) {
            if (from.served || from.walk != null) {
                continue;
            }
            Object walk = new Object();
            List<WaitNode> way = new ArrayList<>();
            WaitNode at = from;
            while (at != null && at.walk == null) {
                at.walk = walk;
                way.add(at);
                at = at.next();
            }
            if (at != null && at.walk == walk) {
                List<ClusterCycle.Step> cycle = new ArrayList<>();
                for (WaitNode wait : way.subList(way.indexOf(at), way.size())) {
                    HoldNode through = requireNonNull(wait.through, "a cycle");
                    cycle.add(new ClusterCycle.Step(
                            wait.party, wait.wait, wait.resource.told, through.party, through.hold));
                }
                cycles.add(cycle);
            }
        }
        return cycles;
    }

    private record HoldKey(String incarnation, long number) {}

    private record ContextKey(String incarnation, long contextId) {
        static ContextKey of(ClusterCycle.Party party) {
            return new ContextKey(party.node().incarnation(), party.context().contextId());
        }
    }

    private static final class ResourceNode {
        final NodeWaits.Resource told;
        final List<HoldNode> holds = new ArrayList<>(1);
        final ArrayDeque<WaitNode> queue = new ArrayDeque<>();
        long free;

        ResourceNode(NodeWaits.Resource told, long units) {
            this.told = told;
            this.free = units;
        }

        void settle(Predicate<String> hasOneHolder) {
            boolean unknown = told.kind() == NodeWaits.Kind.SHARED && !hasOneHolder.test(told.key());
            if (unknown || (told.kind() != NodeWaits.Kind.LOCK && holds.size() > 1)) {
                holds.clear();
            }
            for (HoldNode held : holds) {
                free -= held.hold.units();
            }
        }
    }

    private static final class HoldNode {
        final ResourceNode resource;
        final ClusterCycle.Party party;
        final NodeWaits.Hold hold;
        final List<WaitNode> waitsInside = new ArrayList<>(1);
        int blockers;
        boolean givenBack;

        HoldNode(ResourceNode resource, ClusterCycle.Party party, NodeWaits.Hold hold) {
            this.resource = resource;
            this.party = party;
            this.hold = hold;
        }

        void block(WaitNode wait) {
            if (wait.blocks.add(this)) {
                waitsInside.add(wait);
                blockers++;
            }
        }
    }

    private static final class WaitNode {
        final ResourceNode resource;
        final ClusterCycle.Party party;
        final NodeWaits.Wait wait;
        final Set<HoldNode> blocks = new LinkedHashSet<>(2);
        boolean served;

        @Nullable
        Object walk;

        @Nullable
        HoldNode through;

        WaitNode(ResourceNode resource, ClusterCycle.Party party, NodeWaits.Wait wait) {
            this.resource = resource;
            this.party = party;
            this.wait = wait;
        }

        /** One that this waits for, through a hold of its resource. */
        @Nullable
        WaitNode next() {
            for (HoldNode held : resource.holds) {
                if (!held.givenBack) {
                    through = held;
                    for (WaitNode inside : held.waitsInside) {
                        if (!inside.served) {
                            return inside;
                        }
                    }
                }
            }
            return null;
        }
    }
}
