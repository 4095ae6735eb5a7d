package com.fastn.status;

import static java.util.Objects.requireNonNull;

import com.fastn.context.Ticker;
import com.fastn.context.status.NodeIdentity;
import com.fastn.context.status.NodeState;
import com.fastn.context.status.NodeStatus;
import com.fastn.context.status.NodeSummary;
import com.fastn.context.status.StatusSnapshot;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The nodes that this node has heard of, by what they said and by this node's own clock (rules D3, D4, D5, D7).
 *
 * <p>A node that says goodbye leaves. One that falls silent stays, as stale and then as down, until it was silent for a
 * long time or its alias has begun a new life. Threads: any.
 */
final class NodeDirectory {
    /** A node that was heard of within this time and does not answer is stale; later it is down (rule D7). */
    static final Duration STALE_FOR = Duration.ofSeconds(15);

    /** A flood of forged hellos must not fill the memory (rule S16). */
    private static final int MOST_PEERS = 1_000;

    private static final int MOST_DEPARTED = 256;

    /** Shorter beginnings of incarnations, which all begin with a time, would mean anything. */
    private static final int SHORTEST_PREFIX = 4;

    private final NodeIdentity self;
    private final long bootedMillis;
    private final Duration forgetAfter;
    private final Ticker ticker;

    // Guarded by this.
    private final Map<String, Entry> peers = new HashMap<>();
    private final Set<String> departed = new LinkedHashSet<>();
    private long refused;

    NodeDirectory(NodeIdentity self, long bootedMillis, Duration forgetAfter, Ticker ticker) {
        this.self = requireNonNull(self, "self");
        this.bootedMillis = bootedMillis;
        this.forgetAfter = requireNonNull(forgetAfter, "forgetAfter");
        this.ticker = requireNonNull(ticker, "ticker");
    }

    /** {@return who this node is} */
    NodeIdentity self() {
        return self;
    }

    /** {@return this node in the form of those that are asked} */
    Peer selfAsPeer() {
        return new Peer(self, bootedMillis);
    }

    /**
     * Takes note of what a node said.
     *
     * @param hello what it said
     * @return whether the node should be answered directly, because one of the two did not know the other
     */
    synchronized boolean heard(Hello hello) {
        String incarnation = hello.node().incarnation();
        if (incarnation.equals(self.incarnation())) {
            return false;
        }
        switch (hello.kind()) {
            case GOODBYE:
                peers.remove(incarnation);
                departed.add(incarnation);
                removeOldest(departed, MOST_DEPARTED);
                return false;
            case NEWCOMER:
                departed.remove(incarnation);
                note(hello);
                return true;
            case ALIVE:
            default:
                // What it said before its goodbye may arrive after it.
                return !departed.contains(incarnation) && note(hello);
        }
    }

    /** {@return whether the node was unknown} */
    private boolean note(Hello hello) {
        Entry entry = peers.get(hello.node().incarnation());
        boolean unknown = entry == null;
        if (entry == null) {
            if (!makeRoom()) {
                refused++;
                return false;
            }
            entry = new Entry(hello.node(), hello.bootedMillis(), ticker.nanos());
            peers.put(hello.node().incarnation(), entry);
        }
        entry.node = hello.node();
        entry.bootedMillis = hello.bootedMillis();
        entry.heardNanos = ticker.nanos();
        if (hello.summary() != null) {
            entry.summary = hello.summary();
        }
        return unknown;
    }

    private boolean makeRoom() {
        forgetSilent();
        if (peers.size() < MOST_PEERS) {
            return true;
        }
        // Only a node that is down makes room: nobody may push out those who live.
        Entry oldest = null;
        for (Entry entry : peers.values()) {
            if (ageNanos(entry) > STALE_FOR.toNanos() && (oldest == null || entry.heardNanos - oldest.heardNanos < 0)) {
                oldest = entry;
            }
        }
        return oldest != null && peers.remove(oldest.node.incarnation()) != null;
    }

    private void forgetSilent() {
        peers.values().removeIf(entry -> ageNanos(entry) > forgetAfter.toNanos());
    }

    private static void removeOldest(Collection<String> names, int most) {
        if (names.size() > most) {
            var oldest = names.iterator();
            oldest.next();
            oldest.remove();
        }
    }

    /** {@return how many nodes were not listed because there were too many} */
    synchronized long refused() {
        return refused;
    }

    /** {@return the other nodes, by alias} */
    synchronized List<Peer> peers() {
        forgetSilent();
        return peers.values().stream()
                .map(entry -> new Peer(entry.node, entry.bootedMillis))
                .sorted(Comparator.comparing((Peer peer) -> peer.node().alias())
                        .thenComparing(peer -> peer.node().incarnation()))
                .toList();
    }

    /**
     * Finds the nodes that somebody asks for.
     *
     * @param names aliases or beginnings of incarnations; empty for all
     * @return whom to ask
     * @throws BadQueryException if a name fits nobody
     */
    synchronized Selection select(List<String> names) {
        List<Peer> all = peers();
        if (names.isEmpty()) {
            return new Selection(true, all);
        }
        boolean own = false;
        Map<String, Peer> chosen = new LinkedHashMap<>();
        for (String name : names) {
            boolean found = false;
            if (fits(name, self)) {
                own = true;
                found = true;
            }
            for (Peer peer : all) {
                if (fits(name, peer.node())) {
                    chosen.put(peer.node().incarnation(), peer);
                    found = true;
                }
            }
            if (!found) {
                throw new BadQueryException(
                        BadQueryException.NOT_FOUND, NearestNames.unknown("node", name, aliases(all)));
            }
        }
        return new Selection(own, List.copyOf(chosen.values()));
    }

    private Set<String> aliases(List<Peer> all) {
        Set<String> aliases = new TreeSet<>();
        aliases.add(self.alias());
        all.forEach(peer -> aliases.add(peer.node().alias()));
        return aliases;
    }

    private static boolean fits(String name, NodeIdentity node) {
        return node.alias().equals(name)
                || (name.length() >= SHORTEST_PREFIX && node.incarnation().startsWith(name));
    }

    /**
     * Makes the rows of a cluster's status out of what the asked nodes answered.
     *
     * @param answers one for each node that was asked
     * @return the rows, by alias
     */
    synchronized List<NodeStatus> judge(List<Answer> answers) {
        Map<String, Integer> alive = new HashMap<>();
        Map<String, Long> newestAlive = new HashMap<>();
        for (Answer answer : answers) {
            if (answer.alive()) {
                noteAnswer(answer);
                String alias = answer.peer().node().alias();
                alive.merge(alias, 1, Integer::sum);
                newestAlive.merge(alias, answer.peer().bootedMillis(), Math::max);
            }
        }
        List<NodeStatus> rows = new ArrayList<>();
        for (Answer answer : answers) {
            NodeIdentity node = answer.peer().node();
            Long newest = newestAlive.get(node.alias());
            if (!answer.alive() && newest != null && newest > answer.peer().bootedMillis()) {
                // The alias lives again: this was its former life (rule D3).
                peers.remove(node.incarnation());
                continue;
            }
            rows.add(row(answer, alive.getOrDefault(node.alias(), 0) > 1));
        }
        rows.sort(Comparator.comparing((NodeStatus row) -> row.node().alias())
                .thenComparing(row -> row.node().incarnation()));
        return rows;
    }

    private void noteAnswer(Answer answer) {
        Entry entry = peers.get(answer.peer().node().incarnation());
        if (entry != null) {
            entry.heardNanos = ticker.nanos();
            if (answer.snapshot() != null && answer.whole()) {
                entry.summary = NodeSummary.of(answer.snapshot());
            }
        }
    }

    private NodeStatus row(Answer answer, boolean sharesAlias) {
        NodeIdentity node = answer.peer().node();
        Entry entry = peers.get(node.incarnation());
        Duration age = entry == null ? Duration.ZERO : Duration.ofNanos(ageNanos(entry));
        NodeSummary summary = entry != null ? entry.summary : ownSummary(answer);
        String reason = answer.reason();
        NodeState state;
        if (answer.alive()) {
            state = sharesAlias ? NodeState.CONFLICT : NodeState.UP;
        } else {
            state = age.compareTo(STALE_FOR) <= 0 ? NodeState.STALE : NodeState.DOWN;
        }
        if (state == NodeState.CONFLICT) {
            String conflict = "two live nodes use the alias \"" + Printable.line(node.alias())
                    + "\"; give each node an alias of its own";
            reason = reason == null ? conflict : reason + "; " + conflict;
        }
        return new NodeStatus(node, state, age, reason, summary, answer.snapshot());
    }

    private static @Nullable NodeSummary ownSummary(Answer answer) {
        return answer.snapshot() == null ? null : NodeSummary.of(answer.snapshot());
    }

    private long ageNanos(Entry entry) {
        return Math.max(0, ticker.nanos() - entry.heardNanos);
    }

    /**
     * A node that can be asked.
     *
     * @param node who it is
     * @param bootedMillis when it started, by its own clock
     */
    record Peer(NodeIdentity node, long bootedMillis) {}

    /**
     * Whom to ask.
     *
     * @param self whether this node itself is meant
     * @param peers the others
     */
    record Selection(boolean self, List<Peer> peers) {}

    /**
     * What became of the question to a node.
     *
     * @param peer who was asked
     * @param alive whether anything that it said came back
     * @param whole whether the whole tree was asked for
     * @param reason why there is no snapshot, or {@code null}
     * @param snapshot the snapshot, or {@code null}
     */
    record Answer(
            Peer peer,
            boolean alive,
            boolean whole,
            @Nullable String reason,
            @Nullable StatusSnapshot snapshot) {}

    // Mutable state
    private static final class Entry {
        private NodeIdentity node;
        private long bootedMillis;
        private long heardNanos;
        private @Nullable NodeSummary summary;

        Entry(NodeIdentity node, long bootedMillis, long heardNanos) {
            this.node = node;
            this.bootedMillis = bootedMillis;
            this.heardNanos = heardNanos;
        }
    }
}
