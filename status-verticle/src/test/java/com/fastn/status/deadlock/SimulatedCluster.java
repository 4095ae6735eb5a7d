package com.fastn.status.deadlock;

import com.fastn.context.status.LockType;
import com.fastn.context.status.NodeIdentity;
import com.fastn.context.status.NodeWaits;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Nodes whose contexts take and release locks and ask each other, one small step at a time, and the messages between them, which
 * are lost, doubled, held up and overtaken. In some of them the cluster falls apart now and then, so that a lock gets another holder
 * while a former one believes to have it still. Everything that happens follows from the seed.
 */
final class SimulatedCluster {
    /** What a search may do wrong. */
    enum Fault {
        NONE,
        /** It takes the first answers for the truth. */
        BELIEVES_FIRST,
        /** It asks for the second time before the first answers are there. */
        ASKS_TWICE_AT_ONCE,
        /** It does not hear of locks of the cluster that are held by those who wait for nothing. */
        MISSES_HOLDERS,
        /** It takes it that who does not answer holds nothing. */
        TRUSTS_SILENCE
    }

    /** How contexts take what they need. */
    enum Discipline {
        /** In any order, but who would close a circle does not wait, because somebody who sees all nodes at once tells him. */
        AVOID,
        /** All locks have one order, and who works on a request takes those behind the ones of its caller. */
        ORDER,
        /** In any order: there are deadlocks, until somebody gives up. */
        NONE
    }

    private static final Duration HELD = Duration.ofSeconds(9);
    private static final Duration WAITED = Duration.ofSeconds(8);

    final Random random;
    final List<Node> nodes = new ArrayList<>();
    private final Discipline discipline;
    private final int sharedLocks;
    private final int localLocks;
    private final boolean mayGiveUp;
    private final Map<String, Lock> locks = new LinkedHashMap<>();
    private final boolean fallsApart;
    private int lives;
    private long contexts;

    SimulatedCluster(long seed, Discipline discipline, boolean mayFallApart) {
        this.random = new Random(seed);
        this.fallsApart = mayFallApart && random.nextInt(3) == 0;
        this.discipline = discipline;
        this.sharedLocks = 2 + random.nextInt(2);
        this.localLocks = random.nextInt(3);
        this.mayGiveUp = discipline == Discipline.NONE || random.nextBoolean();
        int size = 2 + random.nextInt(5);
        for (int i = 0; i < size; i++) {
            nodes.add(new Node(i));
        }
    }

    /** Something happens somewhere: a context goes on, or begins, or gives up; seldom a node dies and begins a new life. */
    void step() {
        Node node = nodes.get(random.nextInt(nodes.size()));
        if (random.nextInt(400) == 0) {
            node.die();
        } else if (node.running.size() < 3 && random.nextInt(3) == 0) {
            node.running.add(new Actor(node, null, 0, 2));
        } else if (!node.running.isEmpty()) {
            int from = random.nextInt(node.running.size());
            for (int i = 0; i < node.running.size(); i++) {
                Actor process = node.running.get((from + i) % node.running.size());
                if (process.waitsFor == null || random.nextInt(20) == 0) {
                    process.goOn();
                    return;
                }
            }
        }
    }

    /** Contexts on different nodes, each with a lock of the cluster, that wait for the one of the next. */
    void plantRingOfSharedLocks(int size) {
        List<Actor> ring = new ArrayList<>();
        for (int i = 0; i < size; i++) {
            ring.add(plant(i));
            ring.get(i).take(lock(NodeWaits.Kind.SHARED, null, "ring" + i));
        }
        for (int i = 0; i < size; i++) {
            ring.get(i).take(lock(NodeWaits.Kind.SHARED, null, "ring" + (i + 1) % size));
        }
    }

    /** Contexts on different nodes, each with a lock of its node, that ask the next node, where the work wants that lock. */
    void plantRingOfRequests(int size) {
        List<Actor> ring = new ArrayList<>();
        for (int i = 0; i < size; i++) {
            ring.add(plant(i));
            ring.get(i).take(lock(NodeWaits.Kind.LOCK, nodes.get(i), "ring"));
        }
        for (int i = 0; i < size; i++) {
            Node next = nodes.get((i + 1) % size);
            Actor callee = ring.get(i).ask(next);
            callee.planted = true;
            callee.take(lock(NodeWaits.Kind.LOCK, next, "ring"));
        }
    }

    private Actor plant(int node) {
        Actor process = new Actor(nodes.get(node), null, 0, 0);
        process.planted = true;
        nodes.get(node).running.add(process);
        return process;
    }

    /** All holds and waits that there are at this moment. */
    Set<String> present() {
        Set<String> present = new HashSet<>();
        for (Lock lock : locks.values()) {
            lock.holds.forEach(hold -> present.add(hold.name()));
            lock.queue.forEach(wait -> present.add(wait.by.node.incarnation() + " waits " + wait.number));
        }
        return present;
    }

    /** {@return how many lives of nodes have begun} */
    int lives() {
        return lives;
    }

    /** {@return all holds of locks of the cluster, by the names of the locks} */
    Map<String, Set<String>> sharedHolds() {
        Map<String, Set<String>> holds = new HashMap<>();
        for (Lock lock : locks.values()) {
            if (lock.kind == NodeWaits.Kind.SHARED) {
                holds.put(lock.name, lock.holds.stream().map(Place::name).collect(Collectors.toSet()));
            }
        }
        return holds;
    }

    /** Whether a cycle leads over a lock of the cluster of which there is another hold too. */
    static boolean leadsOverOneThatOthersHold(ClusterCycle cycle, Map<String, Set<String>> holds) {
        return cycle.steps().stream()
                .filter(step -> step.resource().kind() == NodeWaits.Kind.SHARED)
                .anyMatch(step -> holds.getOrDefault(step.resource().key(), Set.of()).stream()
                        .anyMatch(hold -> !hold.equals(step.holder().node().incarnation() + " holds "
                                + step.hold().number())));
    }

    static boolean isIn(ClusterCycle cycle, Set<String> present) {
        return cycle.identity().stream()
                .allMatch(edge -> present.contains(edge.waitNode() + " waits " + edge.waitNumber())
                        && present.contains(edge.holdNode() + " holds " + edge.holdNumber()));
    }

    private Lock lock(NodeWaits.Kind kind, @Nullable Node node, String name) {
        String key = kind == NodeWaits.Kind.LOCK && node != null ? node.incarnation() + "/" + name : kind + "/" + name;
        return locks.computeIfAbsent(key, k -> {
            int units = kind == NodeWaits.Kind.LOCK && name.startsWith("permits") ? 2 : 1;
            return new Lock(kind, name, units);
        });
    }

    /** A node, of which one life follows another; each counts its contexts, holds and waits from 1. */
    final class Node {
        final int index;
        final List<Actor> running = new ArrayList<>();
        private String incarnation = "";
        private long numbers;

        Node(int index) {
            this.index = index;
            begin();
        }

        private void begin() {
            int life = ++lives;
            incarnation = "%03d-%d".formatted(life, index);
            numbers = 0;
        }

        String incarnation() {
            return incarnation;
        }

        long nextNumber() {
            return ++numbers;
        }

        void die() {
            if (running.stream().anyMatch(process -> process.planted)) {
                return;
            }
            List.copyOf(running).forEach(Actor::end);
            running.clear();
            locks.keySet().removeIf(key -> key.startsWith(incarnation() + "/"));
            begin();
        }

        /** As a real node tells it: who holds nothing or waits for nothing is left out, but for the locks of the cluster. */
        NodeWaits waits() {
            List<NodeWaits.Member> members = new ArrayList<>();
            for (Actor process : running) {
                members.add(process.member);
            }
            List<NodeWaits.Resource> told = new ArrayList<>();
            List<String> sharedHeld = new ArrayList<>();
            for (Lock lock : locks.values()) {
                List<NodeWaits.Hold> holds = new ArrayList<>(1);
                for (Place hold : lock.holds) {
                    if (hold.by.node == this && lock.kind == NodeWaits.Kind.SHARED) {
                        sharedHeld.add(lock.name);
                    }
                    if (hold.by.node == this && hold.by.waitsFor != null) {
                        holds.add(new NodeWaits.Hold(hold.number, hold.by.id, hold.units, HELD, false));
                    }
                }
                List<NodeWaits.Wait> waits = new ArrayList<>(1);
                for (Place wait : lock.queue) {
                    if (wait.by.node == this && wait.by.holdsSome()) {
                        waits.add(new NodeWaits.Wait(wait.number, wait.by.id, wait.units, WAITED, null, List.of()));
                    }
                }
                boolean kept = lock.kind == NodeWaits.Kind.LOCK
                        ? !holds.isEmpty() && !waits.isEmpty()
                        : !holds.isEmpty() || !waits.isEmpty();
                if (kept) {
                    told.add(new NodeWaits.Resource(
                            lock.kind, lock.name, lock.name, 0, LockType.MUTEX, lock.units, holds, waits));
                }
            }
            return new NodeWaits(new NodeIdentity("node" + index, incarnation()), told, members, false, sharedHeld);
        }
    }

    private record Place(Actor by, long number, int units) {
        String name() {
            return by.node.incarnation() + " holds " + number;
        }
    }

    /** A lock of any kind, or a reply. */
    private static final class Lock {
        final NodeWaits.Kind kind;
        final String name;
        final int units;
        final List<Place> holds = new ArrayList<>();
        final ArrayDeque<Place> queue = new ArrayDeque<>();
        /** Of the holds, those that nobody but their holder believes in any more. */
        private final Set<Place> stale = new HashSet<>();

        Lock(NodeWaits.Kind kind, String name, int units) {
            this.kind = kind;
            this.name = name;
            this.units = units;
        }

        boolean isHeldBy(Actor process) {
            return holds.stream().anyMatch(hold -> hold.by == process);
        }

        void serve() {
            while (!queue.isEmpty()
                    && realHolds().mapToInt(Place::units).sum()
                                    + queue.getFirst().units()
                            <= units) {
                Actor served = queue.removeFirst().by;
                // The wait is over, and the hold is another thing with another number.
                holds.add(new Place(served, served.node.nextNumber(), served.wanted));
                served.waitsFor = null;
                served.held.add(this);
            }
        }

        Stream<Place> realHolds() {
            return holds.stream().filter(hold -> !stale.contains(hold));
        }

        void leave(Actor process) {
            stale.removeIf(hold -> hold.by == process);
            holds.removeIf(hold -> hold.by == process);
            queue.removeIf(wait -> wait.by == process);
            serve();
        }
    }

    /** A context that does one thing at a time. */
    private final class Actor {
        final Node node;
        final @Nullable Actor caller;
        final long id = ++contexts;
        final NodeWaits.Member member = new NodeWaits.Member(id, "global.p" + id, "p" + id, "p" + id, true);
        final List<Lock> held = new ArrayList<>();
        private final int firstRank;
        private final int mostCalls;
        private int taken;
        private int wanted = 1;
        private @Nullable Lock waitsFor;
        private @Nullable Actor callee;
        private @Nullable Lock owes;
        private boolean full;
        private boolean planted;
        /** It works for long, so that all who are asked meanwhile can see what it holds. */
        private boolean slow;

        Actor(Node node, @Nullable Actor caller, int firstRank, int mostCalls) {
            this.node = node;
            this.caller = caller;
            this.firstRank = firstRank;
            this.mostCalls = mostCalls;
        }

        void goOn() {
            if (planted || (slow && waitsFor == null && random.nextInt(40) != 0)) {
                return;
            }
            if (waitsFor != null) {
                if (mayGiveUp && random.nextInt(40) == 0) {
                    end();
                }
            } else if (full) {
                letGo();
            } else if (taken < 3 && random.nextInt(4) != 0) {
                takeSome();
            } else if (mostCalls > 0 && taken < 4 && random.nextInt(5) == 0) {
                taken++;
                ask(nodes.get(random.nextInt(nodes.size())));
            } else {
                full = true;
            }
        }

        private void takeSome() {
            taken++;
            int all = 1 + sharedLocks + localLocks;
            int from = discipline == Discipline.ORDER ? highestRank() + 1 : 1;
            if (from >= all) {
                return;
            }
            int rank = from + random.nextInt(all - from);
            Lock lock = lockOf(rank);
            if (fallsApart
                    && lock.kind == NodeWaits.Kind.SHARED
                    && !lock.holds.isEmpty()
                    && !lock.isHeldBy(this)
                    && random.nextInt(4) == 0) {
                takeOfAnotherPart(lock);
                return;
            }
            if (!lock.isHeldBy(this) && (discipline != Discipline.AVOID || !wouldCloseACircle(lock))) {
                wanted = lock.units > 1 ? 1 + random.nextInt(lock.units) : 1;
                take(lock);
            }
        }

        private boolean wouldCloseACircle(Lock lock) {
            Set<Actor> seen = new HashSet<>();
            ArrayDeque<Lock> open = new ArrayDeque<>(List.of(lock));
            while (!open.isEmpty()) {
                Lock at = open.remove();
                // Who waits for a lock waits for nobody who only believes to have it.
                for (Collection<Place> some : List.of(at.realHolds().toList(), at.queue)) {
                    for (Place place : some) {
                        if (place.by == this) {
                            return true;
                        }
                        if (seen.add(place.by) && place.by.waitsFor != null) {
                            open.add(place.by.waitsFor);
                        }
                    }
                }
            }
            return false;
        }

        private int highestRank() {
            int highest = firstRank;
            for (int rank = 1; rank < 1 + sharedLocks + localLocks; rank++) {
                if (lockOf(rank).isHeldBy(this)) {
                    highest = Math.max(highest, rank);
                }
            }
            return highest;
        }

        private Lock lockOf(int rank) {
            return rank <= sharedLocks
                    ? lock(NodeWaits.Kind.SHARED, null, "shared" + rank)
                    : lock(NodeWaits.Kind.LOCK, node, rank % 2 == 0 ? "permits" + rank : "local" + rank);
        }

        void take(Lock lock) {
            waitsFor = lock;
            lock.queue.addLast(new Place(this, node.nextNumber(), wanted));
            lock.serve();
        }

        /** The part of the cluster in which this is knows nothing of those who have the lock. */
        private void takeOfAnotherPart(Lock lock) {
            slow = true;
            lock.stale.addAll(lock.holds);
            lock.holds.add(new Place(this, node.nextNumber(), 1));
            held.add(lock);
        }

        private boolean holdsSome() {
            return !held.isEmpty() || owes != null;
        }

        Actor ask(Node other) {
            Actor asked = new Actor(other, this, highestRank(), mostCalls - 1);
            Lock reply = lock(NodeWaits.Kind.REPLY, null, "reply" + asked.id);
            reply.holds.add(new Place(asked, other.nextNumber(), 1));
            asked.owes = reply;
            callee = asked;
            wanted = 1;
            waitsFor = reply;
            reply.queue.addLast(new Place(this, node.nextNumber(), 1));
            other.running.add(asked);
            return asked;
        }

        private void release(Lock lock) {
            held.remove(lock);
            lock.leave(this);
        }

        private void letGo() {
            if (held.isEmpty()) {
                end();
            } else {
                release(held.get(random.nextInt(held.size())));
            }
        }

        /** It is over, and gives back all that it has; who waits for its reply goes on, and who works for it ends too. */
        void end() {
            Actor working = callee;
            if (working != null && discipline != Discipline.NONE) {
                // Without its caller it would belong to nobody.
                working.end();
            }
            for (Lock lock : List.copyOf(held)) {
                release(lock);
            }
            if (waitsFor != null) {
                waitsFor.leave(this);
                waitsFor = null;
            }
            Lock reply = owes;
            if (reply != null) {
                // Whoever waited does not hold the reply afterwards: it is there once.
                Actor asker = caller;
                reply.holds.clear();
                reply.queue.clear();
                locks.values().remove(reply);
                if (asker != null && asker.waitsFor == reply) {
                    asker.waitsFor = null;
                    asker.callee = null;
                }
            }
            node.running.remove(this);
        }
    }

    /** The messages that are on their way: each may be lost or doubled, and any of them may be the next to arrive. */
    static final class Network {
        private final Random random;
        private final int lostPercent;
        private final List<Runnable> underWay = new ArrayList<>();

        Network(Random random, int lostPercent) {
            this.random = random;
            this.lostPercent = lostPercent;
        }

        void send(Runnable arrival) {
            if (random.nextInt(100) < lostPercent) {
                return;
            }
            underWay.add(arrival);
            if (random.nextInt(8) == 0) {
                underWay.add(arrival);
            }
        }

        /** {@return whether anything arrived} */
        boolean deliverOne() {
            if (underWay.isEmpty()) {
                return false;
            }
            int last = underWay.size() - 1;
            int at = random.nextInt(underWay.size());
            Runnable arrival = underWay.set(at, underWay.get(last));
            underWay.remove(last);
            arrival.run();
            return true;
        }
    }

    /** A node that searches, and does not always wait until all have answered. */
    static final class Searcher {
        final ClusterDeadlockSearch search = new ClusterDeadlockSearch();
        private final SimulatedCluster cluster;
        private final Network network;
        private final Fault fault;
        private final boolean caresWhoIsSilent;
        private final List<NodeWaits> secondAnswers = new ArrayList<>();
        private Set<String> presentAtConfirm = Set.of();
        private Map<String, Set<String>> sharedBefore = Map.of();
        private Map<String, Set<String>> sharedAtConfirm = Map.of();
        private boolean confirming;

        Searcher(SimulatedCluster cluster, Network network, Fault fault) {
            this.cluster = cluster;
            this.network = network;
            this.fault = fault;
            // In a cluster that never falls apart the search has to be right without that, too.
            this.caresWhoIsSilent =
                    fault != Fault.TRUSTS_SILENCE && (cluster.fallsApart || cluster.random.nextBoolean());
        }

        void begin() {
            confirming = false;
            sharedBefore = cluster.sharedHolds();
            long round = search.begin();
            secondAnswers.clear();
            cluster.nodes.forEach(node -> ask(round, node));
            if (fault == Fault.ASKS_TWICE_AT_ONCE) {
                cluster.nodes.forEach(node -> ask(round, node));
            }
        }

        private void ask(long round, Node node) {
            network.send(() -> {
                NodeWaits read = fault == Fault.MISSES_HOLDERS ? withoutHolders(node.waits()) : node.waits();
                network.send(() -> {
                    boolean counts = search.answer(round, read);
                    if (fault == Fault.ASKS_TWICE_AT_ONCE && !counts) {
                        secondAnswers.add(read);
                    }
                });
            });
        }

        private static NodeWaits withoutHolders(NodeWaits told) {
            return new NodeWaits(told.node(), told.resources(), told.contexts(), told.cut(), List.of());
        }

        /** The next phase. {@return what was found, once there is something to find} */
        List<ClusterCycle> goOn() {
            if (!search.isUnderWay()) {
                begin();
                return List.of();
            }
            if (confirming) {
                confirming = false;
                return search.finish();
            }
            Set<String> living = new HashSet<>();
            if (caresWhoIsSilent) {
                cluster.nodes.forEach(node -> living.add(node.incarnation()));
            }
            Set<String> suspects = search.confirm(living);
            presentAtConfirm = cluster.present();
            sharedAtConfirm = cluster.sharedHolds();
            sharedBefore.forEach((lock, holds) -> holds.retainAll(sharedAtConfirm.getOrDefault(lock, Set.of())));
            for (Node node : cluster.nodes) {
                if (suspects.contains(node.incarnation())) {
                    ask(search.round(), node);
                }
            }
            confirming = !suspects.isEmpty();
            for (NodeWaits early : secondAnswers) {
                var unused = search.answer(search.round(), early);
            }
            return List.of();
        }

        boolean isConfirming() {
            return confirming;
        }

        /**
         * Of what was found, what was not there when the second round began, or leads over a lock that somebody else held then, and
         * since before anybody was asked.
         */
        boolean isFalse(ClusterCycle cycle) {
            return !isIn(cycle, presentAtConfirm) || leadsOverOneThatOthersHold(cycle, sharedBefore);
        }

        /** Whether somebody else came to hold a lock of it while this searched: who has been asked before does not tell that. */
        boolean gotAnotherHolderMeanwhile(ClusterCycle cycle) {
            return !isFalse(cycle) && leadsOverOneThatOthersHold(cycle, sharedAtConfirm);
        }
    }
}
