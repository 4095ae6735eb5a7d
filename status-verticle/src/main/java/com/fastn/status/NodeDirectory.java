package com.fastn.status;

import static java.util.Objects.requireNonNull;

import com.fastn.context.Ticker;
import com.fastn.context.WarningIds;
import com.fastn.context.status.NodeIdentity;
import com.fastn.context.status.NodeState;
import com.fastn.context.status.NodeStatus;
import com.fastn.context.status.NodeSummary;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.context.status.StatusWarning;
import com.fastn.context.status.WarningSeverity;
import com.fastn.status.stream.Inbox;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
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

    /** The order of rows. */
    static final Comparator<NodeStatus> BY_ALIAS = Comparator.comparing(
                    (NodeStatus row) -> row.node().alias())
            .thenComparing(row -> row.node().incarnation());

    /** A flood of forged hellos must not fill the memory (rule S16). */
    private static final int MOST_PEERS = 1_000;

    /** Just below the time after which a newcomer asks once more: the first answer may be lost. */
    private static final long SHORTEST_PAUSE_NANOS = 90_000_000;

    private static final long SECOND_NANOS = 1_000_000_000;
    private static final long LONGEST_PAUSE_NANOS = SECOND_NANOS;

    /** In a second: so many may start at once, and whoever is not answered asks again. */
    private static final int MOST_ANSWERS = MOST_PEERS;

    /** Whoever is there has contradicted a goodbye by then, also where it does so once a second only. */
    static final Duration CONTRADICTED_WITHIN = Duration.ofSeconds(5);

    /** What was asked before a goodbye is answered by then. */
    private static final Duration LAST_WORDS = Duration.ofSeconds(2);

    /** Of whom somebody else said once that it leaves, that is not believed at once for so long. */
    static final Duration DOUBTED_FOR = Duration.ofMinutes(10);

    /** Shorter beginnings of incarnations, which all begin with a time, would mean anything. */
    static final int SHORTEST_PREFIX = 4;

    private final NodeIdentity self;
    private final long bootedMillis;
    private final Duration forgetAfter;
    private final boolean hellos;
    private final Ticker ticker;
    private final long bornNanos;

    // Guarded by this.
    private final Map<String, Entry> peers = new HashMap<>();
    private final Goodbyes goodbyes = new Goodbyes();
    private final UnlistedNodes unlisted = new UnlistedNodes();
    private long answersNanos;
    private int answers;

    NodeDirectory(NodeIdentity self, long bootedMillis, Duration forgetAfter, Ticker ticker) {
        this(self, bootedMillis, forgetAfter, true, ticker);
    }

    private NodeDirectory(NodeIdentity self, long bootedMillis, Duration forgetAfter, boolean hellos, Ticker ticker) {
        this.hellos = hellos;
        this.self = requireNonNull(self, "self");
        this.bootedMillis = bootedMillis;
        this.forgetAfter = requireNonNull(forgetAfter, "forgetAfter");
        this.ticker = requireNonNull(ticker, "ticker");
        this.bornNanos = ticker.nanos();
        this.answersNanos = bornNanos;
    }

    /** {@return one for nodes that do not speak unasked, so that only those who do not answer are silent} */
    static NodeDirectory withoutHellos(NodeIdentity self, long bootedMillis, Duration forgetAfter, Ticker ticker) {
        return new NodeDirectory(self, bootedMillis, forgetAfter, false, ticker);
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
        return wantsAnAnswer(hello) && mayAnswer();
    }

    /** To answer is to have the cluster manager look for an address, which may block a thread of the application's pool. */
    private boolean mayAnswer() {
        long now = ticker.nanos();
        if (now - answersNanos >= SECOND_NANOS) {
            answersNanos = now;
            answers = 0;
        }
        answers = Math.min(answers + 1, MOST_ANSWERS + 1);
        return answers <= MOST_ANSWERS;
    }

    private boolean wantsAnAnswer(Hello hello) {
        String incarnation = hello.node().incarnation();
        if (incarnation.equals(self.incarnation())) {
            return false;
        }
        switch (hello.kind()) {
            case GOODBYE:
                noteGoodbye(incarnation);
                return false;
            case NEWCOMER:
                note(hello);
                Entry newcomer = peers.get(incarnation);
                return newcomer == null || newcomer.isToBeAnswered(ticker.nanos());
            case ALIVE:
            default:
                return !goodbyes.isLate(incarnation, ticker.nanos()) && note(hello);
        }
    }

    /** Whoever was contradicted by the one that it said this of is believed only once that one is silent. */
    private void noteGoodbye(String incarnation) {
        long now = ticker.nanos();
        Entry entry = peers.get(incarnation);
        if (entry != null && entry.isDoubted(now)) {
            if (!entry.leaving) {
                entry.leaving = true;
                entry.leavingNanos = now;
            }
            return;
        }
        peers.remove(incarnation);
        unlisted.remove(incarnation);
        goodbyes.note(incarnation, entry != null && entry.replied, now);
    }

    /**
     * {@return whether somebody else said this in the name of this node} It says goodbye only when it hears nothing any more, and
     * its name and its beginning do not change while it speaks.
     */
    boolean isContradicted(Hello hello) {
        return hello.node().incarnation().equals(self.incarnation())
                && (hello.kind() == Hello.Kind.GOODBYE
                        || !hello.node().equals(self)
                        || hello.bootedMillis() != bootedMillis);
    }

    /** {@return whether the node was unknown} */
    private boolean note(Hello hello) {
        String incarnation = hello.node().incarnation();
        boolean begins = hello.kind() == Hello.Kind.NEWCOMER;
        long now = ticker.nanos();
        Entry entry = peers.get(incarnation);
        boolean unknown = entry == null;
        if (entry == null) {
            if (!makeRoom()) {
                unlisted.note(incarnation, now);
                return false;
            }
            unlisted.remove(incarnation);
            entry = new Entry(hello.node(), hello.bootedMillis(), now);
            peers.put(incarnation, entry);
        }
        if (goodbyes.takeBack(incarnation, begins, now) || (begins && entry.leaving)) {
            entry.doubt(now);
        }
        if (begins && !entry.replied) {
            entry.node = hello.node();
            entry.bootedMillis = hello.bootedMillis();
        } else if (!entry.replied && !entry.node.equals(hello.node())) {
            // A life gets another name only by beginning anew, or somebody else said this.
            return false;
        }
        // Of one that has answered its answers tell the name, which is another one here where it was renamed since its
        // start.
        entry.heardNanos = now;
        entry.unanswered = false;
        entry.publishes = hello.publishes();
        entry.newer = hello.newer();
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
        // Nobody may push out those who live, and who never replied leaves half of the room to those who did.
        Entry least = null;
        Entry leastReplied = null;
        int unproven = 0;
        for (Entry entry : peers.values()) {
            boolean down = ageNanos(entry) > STALE_FOR.toNanos();
            if (entry.replied) {
                leastReplied = down ? older(leastReplied, entry) : leastReplied;
            } else {
                unproven++;
                least = down || entry.askedInVain ? older(least, entry) : least;
            }
        }
        if (least == null && unproven < MOST_PEERS / 2) {
            least = leastReplied;
        }
        return least != null && peers.remove(least.node.incarnation()) != null;
    }

    private static Entry older(@Nullable Entry one, Entry other) {
        return one == null || other.heardNanos - one.heardNanos < 0 ? other : one;
    }

    private void forgetSilent() {
        long now = ticker.nanos();
        peers.values().removeIf(entry -> {
            if (entry.leaving && now - entry.leavingNanos > CONTRADICTED_WITHIN.toNanos()) {
                goodbyes.note(entry.node.incarnation(), entry.replied, now);
                return true;
            }
            return silentNanos(entry) > forgetAfter.toNanos();
        });
    }

    private long silentNanos(Entry entry) {
        if (hellos) {
            return ageNanos(entry);
        }
        return entry.unanswered ? ticker.nanos() - entry.unansweredNanos : 0;
    }

    /** {@return how many nodes spoke lately and are not listed, because there are too many} */
    synchronized int unlisted() {
        return unlisted.count(ticker.nanos());
    }

    /** {@return a warning of the nodes that are not listed, or {@code null} while all are} */
    @Nullable
    StatusWarning warning(String root) {
        int more = unlisted();
        return more == 0
                ? null
                : new StatusWarning(
                        WarningIds.NODES_NOT_LISTED,
                        WarningSeverity.WARNING,
                        "+" + more + (more < UnlistedNodes.MOST ? "" : " or more")
                                + (more == 1 ? " node is" : " nodes are") + " not listed: a node knows " + MOST_PEERS
                                + " others at most",
                        root,
                        "ask one of them for its status; if there are not so many nodes, somebody forges hellos, see"
                                + " docs/cluster.md");
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

    /** {@return whether a node is this one, or one that this one has heard of and that did not leave} */
    synchronized boolean isKnown(NodeIdentity node) {
        return node.equals(self) || peers.containsKey(node.incarnation());
    }

    /** {@return how long ago something of a node was heard; of one that is not listed, as long as one is} */
    synchronized Duration silence(NodeIdentity node) {
        Entry entry = peers.get(node.incarnation());
        return entry == null ? forgetAfter : Duration.ofNanos(ageNanos(entry));
    }

    /**
     * {@return whether no other node that publishes the status of the cluster, and was heard of lately, lives for longer than
     * this one} Incarnations begin with the time of their start. Where clocks differ that is another order, and the same on all
     * nodes.
     */
    synchronized boolean comesFirst() {
        // Who was said to leave, and is silent since, is gone, also where nobody asks for all.
        forgetSilent();
        return peers.values().stream()
                .noneMatch(entry -> entry.publishes
                        && !entry.askedInVain
                        && ageNanos(entry) <= STALE_FOR.toNanos()
                        && entry.node.incarnation().compareTo(self.incarnation()) < 0);
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
    List<NodeStatus> judge(List<Answer> answers) {
        return judge(answers, NodeSummary::of);
    }

    /** To count takes long where trees are large, and event loops wait for the lock: so it is done before. */
    List<NodeStatus> judge(List<Answer> answers, Function<StatusSnapshot, NodeSummary> count) {
        IdentityHashMap<Answer, NodeSummary> counted = new IdentityHashMap<>();
        for (Answer answer : uncounted(answers, counted)) {
            counted.put(answer, count.apply(requireNonNull(answer.snapshot())));
        }
        List<NodeStatus> rows = rows(answers, counted);
        rows.sort(BY_ALIAS);
        return rows;
    }

    /** {@return those whose status nobody counted yet} The numbers of the others are put to those that are counted. */
    @SuppressWarnings(
            "ReferenceEquality") // it was counted if it is the same; to compare what stands in it is to walk it again
    private synchronized List<Answer> uncounted(List<Answer> answers, IdentityHashMap<Answer, NodeSummary> counted) {
        List<Answer> uncounted = new ArrayList<>();
        for (Answer answer : answers) {
            if (answer.snapshot() == null) {
                continue;
            }
            Entry entry = peers.get(answer.peer().node().incarnation());
            if (entry != null && !answer.whole()) {
                // Its numbers are those of the whole.
                continue;
            }
            if (entry != null && entry.countedOf.get() == answer.snapshot()) {
                counted.put(answer, requireNonNull(entry.counted));
            } else {
                uncounted.add(answer);
            }
        }
        return uncounted;
    }

    private synchronized List<NodeStatus> rows(List<Answer> answers, IdentityHashMap<Answer, NodeSummary> counted) {
        Map<String, List<Peer>> alive = new HashMap<>();
        for (Answer answer : answers) {
            noteAnswer(answer, counted.get(answer));
            // By a hello alone nobody shares the alias of another, or takes its place: anybody may say one.
            if (isAlive(answer) && hasReplied(answer)) {
                alive.computeIfAbsent(answer.peer().node().alias(), alias -> new ArrayList<>(1))
                        .add(answer.peer());
            }
        }
        Set<String> sharing = heardSideBySide(alive);
        List<NodeStatus> rows = new ArrayList<>();
        for (Answer answer : answers) {
            NodeIdentity node = answer.peer().node();
            if (!isAlive(answer) && isFormerLife(answer.peer(), alive.getOrDefault(node.alias(), List.of()))) {
                peers.remove(node.incarnation());
                continue;
            }
            rows.add(row(answer, counted.get(answer), sharing.contains(node.incarnation())));
        }
        return rows;
    }

    /**
     * {@return whether the alias lives again, in a life that began later, and this one was not heard since (rule D3)} Who was heard
     * beside the later one is another node of that alias, and never missing without a word (rules D4, D7).
     */
    private boolean isFormerLife(Peer silent, List<Peer> aliveOfItsAlias) {
        long now = ticker.nanos();
        long lastAgo = span(silent.node(), now).lastAgo();
        return aliveOfItsAlias.stream()
                .anyMatch(later -> later.bootedMillis() > silent.bootedMillis()
                        && span(later.node(), now).firstAgo() <= lastAgo);
    }

    /**
     * {@return those of one alias who live at the same time, by incarnation} That two seem to live does not say so: of a life that
     * ended nobody hears, and the next one may speak before the silence is long enough. Only who was heard after another one
     * of its alias spoke for the first time, and before that one fell silent, shares the alias (rule D4).
     */
    private Set<String> heardSideBySide(Map<String, List<Peer>> alive) {
        long now = ticker.nanos();
        Set<String> sharing = new HashSet<>();
        for (List<Peer> ofOneAlias : alive.values()) {
            List<Span> spans = ofOneAlias.stream()
                    .map(peer -> span(peer.node(), now))
                    .sorted(Comparator.comparingLong(Span::firstAgo).reversed())
                    .toList();
            Span latest = spans.get(0);
            for (Span span : spans.subList(1, spans.size())) {
                if (latest.lastAgo() <= span.firstAgo()) {
                    sharing.add(latest.incarnation());
                    sharing.add(span.incarnation());
                }
                latest = span.lastAgo() < latest.lastAgo() ? span : latest;
            }
        }
        return sharing;
    }

    private Span span(NodeIdentity node, long now) {
        if (node.incarnation().equals(self.incarnation())) {
            return new Span(node.incarnation(), now - bornNanos, 0);
        }
        Entry entry = peers.get(node.incarnation());
        return entry == null
                ? new Span(node.incarnation(), 0, 0)
                : new Span(node.incarnation(), now - entry.firstNanos, now - entry.heardNanos);
    }

    private void noteAnswer(Answer answer, @Nullable NodeSummary counted) {
        long now = ticker.nanos();
        Entry entry = peers.get(answer.peer().node().incarnation());
        Duration silence = answer.silence();
        if (entry == null) {
            return;
        }
        if (answer.alive()) {
            // It is taken for living before its first word too.
            entry.unanswered &= silence == null;
        } else if (!entry.unanswered) {
            entry.unanswered = true;
            entry.unansweredNanos = now;
        }
        entry.replied |= silence != null;
        entry.askedInVain = !entry.replied && (entry.askedInVain || !answer.alive());
        if (silence == null) {
            return;
        }
        StatusSnapshot snapshot = answer.snapshot();
        if (snapshot != null && isNameOf(entry, snapshot.node())) {
            entry.node = snapshot.node();
        }
        if (entry.leaving && answer.alive() && now - silence.toNanos() - entry.leavingNanos > LAST_WORDS.toNanos()) {
            entry.doubt(now);
        }
        // It spoke when it spoke, and not when somebody looks at what it said.
        if (ageNanos(entry) > silence.toNanos()) {
            entry.heardNanos = now - silence.toNanos();
        }
        if (counted != null && answer.whole()) {
            entry.countedOf = new WeakReference<>(answer.snapshot());
            entry.counted = counted;
            entry.summary = counted;
        }
    }

    private static boolean isNameOf(Entry entry, NodeIdentity told) {
        return told.incarnation().equals(entry.node.incarnation()) && Hello.isName(told.alias());
    }

    /** A node that has not been asked for long enough to know lives as long as anything else of it was heard lately. */
    private boolean isAlive(Answer answer) {
        Entry entry = peers.get(answer.peer().node().incarnation());
        return answer.alive() && (answer.silence() != null || entry == null || ageNanos(entry) <= STALE_FOR.toNanos());
    }

    private boolean hasReplied(Answer answer) {
        Entry entry = peers.get(answer.peer().node().incarnation());
        return entry == null ? answer.silence() != null : entry.replied;
    }

    private NodeStatus row(Answer answer, @Nullable NodeSummary counted, boolean sharesAlias) {
        NodeIdentity node = answer.peer().node();
        Entry entry = peers.get(node.incarnation());
        Duration age = entry == null ? Duration.ZERO : Duration.ofNanos(ageNanos(entry));
        NodeSummary summary = entry != null ? entry.summary : counted;
        String reason = answer.reason();
        if (entry != null && entry.newer && answer.snapshot() == null && !Inbox.OUTDATED.equals(reason)) {
            reason = reason == null ? Inbox.OUTDATED : Inbox.OUTDATED + "; " + reason;
        }
        NodeState state;
        if (isAlive(answer)) {
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
     * @param alive whether it is taken for living by this
     * @param whole whether the whole tree was asked for
     * @param reason why there is no snapshot, or {@code null}
     * @param snapshot the snapshot, or {@code null}
     * @param silence how long ago the last word came back, or {@code null} when none did
     */
    record Answer(
            Peer peer,
            boolean alive,
            boolean whole,
            @Nullable String reason,
            @Nullable StatusSnapshot snapshot,
            @Nullable Duration silence) {
        /** An answer that came just now, or none at all. */
        Answer(Peer peer, boolean alive, boolean whole, @Nullable String reason, @Nullable StatusSnapshot snapshot) {
            this(peer, alive, whole, reason, snapshot, alive ? Duration.ZERO : null);
        }
    }

    /** How long ago, in nanoseconds, a life was heard for the first and for the last time. */
    private record Span(String incarnation, long firstAgo, long lastAgo) {}

    // Mutable state
    private static final class Entry {
        private final long firstNanos;
        private NodeIdentity node;
        private long bootedMillis;
        private long heardNanos;
        private boolean unanswered;
        /** When it was found to be silent for the first time since it spoke. */
        private long unansweredNanos;

        private boolean publishes;
        /** Whether its last hello wants a newer reader. */
        private boolean newer;
        /** Whether anything ever came back from its own address: what it says, anybody may have said. */
        private boolean replied;

        /** Whether it was asked, and nothing ever did. */
        private boolean askedInVain;

        /** Whether it is said to leave, by whom is not known. */
        private boolean leaving;

        private long leavingNanos;
        private boolean doubted;
        private long doubtedNanos;
        private long answeredNanos;
        /** How long it is not answered from then on; 0 before the first time. */
        private long pauseNanos;

        private @Nullable NodeSummary summary;
        /** Of which status the numbers are, which may be gone. */
        private WeakReference<@Nullable StatusSnapshot> countedOf = new WeakReference<>(null);

        private @Nullable NodeSummary counted;

        Entry(NodeIdentity node, long bootedMillis, long heardNanos) {
            this.node = node;
            this.bootedMillis = bootedMillis;
            this.firstNanos = heardNanos;
            this.heardNanos = heardNanos;
        }

        /** It is there though it was said to leave. */
        void doubt(long now) {
            leaving = false;
            doubted = true;
            doubtedNanos = now;
        }

        boolean isDoubted(long now) {
            return doubted && now - doubtedNanos <= DOUBTED_FOR.toNanos();
        }

        /** Where many start at once each is asked by all of them again and again, until the slowest has answered. */
        boolean isToBeAnswered(long now) {
            long since = now - answeredNanos;
            if (pauseNanos > 0 && since < pauseNanos) {
                return false;
            }
            boolean anew = pauseNanos == 0 || since > Goodbyes.LATE_FOR.toNanos();
            pauseNanos = anew ? SHORTEST_PAUSE_NANOS : Math.min(2 * pauseNanos, LONGEST_PAUSE_NANOS);
            answeredNanos = now;
            return true;
        }
    }
}
