package com.fastn.status.deadlock;

import com.fastn.context.status.LockType;
import com.fastn.context.status.NodeIdentity;
import com.fastn.context.status.NodeWaits;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Nodes whose contexts take and release locks and ask each other, one small step at a time, and the messages between them, which
 * are lost, doubled, held up and overtaken. Everything that happens follows from the seed.
 */
final class SimulatedCluster {
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
    private int lives;
    private long contexts;

    SimulatedCluster(long seed, Discipline discipline) {
        this.random = new Random(seed);
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
            lock.holds.forEach(hold -> present.add(hold.by.node.incarnation() + " holds " + hold.number));
            lock.queue.forEach(wait -> present.add(wait.by.node.incarnation() + " waits " + wait.number));
        }
        return present;
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

        NodeWaits waits() {
            List<NodeWaits.Member> members = new ArrayList<>();
            for (Actor process : running) {
                members.add(process.member);
            }
            List<NodeWaits.Resource> told = new ArrayList<>();
            for (Lock lock : locks.values()) {
                List<NodeWaits.Hold> holds = new ArrayList<>(1);
                for (Place hold : lock.holds) {
                    if (hold.by.node == this) {
                        holds.add(new NodeWaits.Hold(hold.number, hold.by.id, hold.units, HELD, false));
                    }
                }
                List<NodeWaits.Wait> waits = new ArrayList<>(1);
                for (Place wait : lock.queue) {
                    if (wait.by.node == this) {
                        waits.add(new NodeWaits.Wait(wait.number, wait.by.id, wait.units, WAITED, null, List.of()));
                    }
                }
                if (!holds.isEmpty() || !waits.isEmpty()) {
                    told.add(new NodeWaits.Resource(
                            lock.kind, lock.name, lock.name, 0, LockType.MUTEX, lock.units, holds, waits));
                }
            }
            return new NodeWaits(new NodeIdentity("node" + index, incarnation()), told, members, false);
        }
    }

    private record Place(Actor by, long number, int units) {}

    /** A lock of any kind, or a reply. */
    private static final class Lock {
        final NodeWaits.Kind kind;
        final String name;
        final int units;
        final List<Place> holds = new ArrayList<>();
        final ArrayDeque<Place> queue = new ArrayDeque<>();

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
                    && holds.stream().mapToInt(Place::units).sum()
                                    + queue.getFirst().units()
                            <= units) {
                Actor served = queue.removeFirst().by;
                // The wait is over, and the hold is another thing with another number.
                holds.add(new Place(served, served.node.nextNumber(), served.wanted));
                served.waitsFor = null;
                served.held.add(this);
            }
        }

        void leave(Actor process) {
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

        Actor(Node node, @Nullable Actor caller, int firstRank, int mostCalls) {
            this.node = node;
            this.caller = caller;
            this.firstRank = firstRank;
            this.mostCalls = mostCalls;
        }

        void goOn() {
            if (planted) {
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
                for (Collection<Place> some : List.of(at.holds, at.queue)) {
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
        private final boolean asksTwiceAtOnce;
        private final List<NodeWaits> secondAnswers = new ArrayList<>();
        private Set<String> presentAtConfirm = Set.of();
        private boolean confirming;

        Searcher(SimulatedCluster cluster, Network network, boolean asksTwiceAtOnce) {
            this.cluster = cluster;
            this.network = network;
            this.asksTwiceAtOnce = asksTwiceAtOnce;
        }

        void begin() {
            confirming = false;
            long round = search.begin();
            secondAnswers.clear();
            cluster.nodes.forEach(node -> ask(round, node));
            if (asksTwiceAtOnce) {
                cluster.nodes.forEach(node -> ask(round, node));
            }
        }

        private void ask(long round, Node node) {
            network.send(() -> {
                NodeWaits read = node.waits();
                network.send(() -> {
                    boolean counts = search.answer(round, read);
                    if (asksTwiceAtOnce && !counts) {
                        secondAnswers.add(read);
                    }
                });
            });
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
            Set<String> suspects = search.confirm();
            presentAtConfirm = cluster.present();
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

        /** Of what was found, what was not there when the second round began. */
        boolean isFalse(ClusterCycle cycle) {
            return !isIn(cycle, presentAtConfirm);
        }
    }
}
