package com.fastn.status;

import com.fastn.context.Registration;
import com.fastn.context.Ticker;
import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.NodeIdentity;
import com.fastn.context.status.NodeState;
import com.fastn.context.status.NodeStatus;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.context.vertx.Addresses;
import com.fastn.status.NodeDirectory.Answer;
import com.fastn.status.NodeDirectory.Peer;
import com.fastn.status.NodeDirectory.Selection;
import com.fastn.status.stream.Silence;
import io.vertx.core.Vertx;
import io.vertx.core.WorkerExecutor;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The cluster as it changes, for those who watch it: a stream from each other node, this node itself, and the judgement on those
 * who fell silent (rule D7). The first change is told at once, later ones at most once per second.
 *
 * <p>While nobody watches it has no streams and no timer. It belongs to the verticle's context.
 */
final class ClusterFeed {
    /** A node whose stream was silent for longer, renewals of the lease included, is not up any more (rule D7). */
    static final Duration UP_FOR = Duration.ofSeconds(3);

    private static final Duration FIRST_FOR = Duration.ofMillis(1_500);
    private static final long TICK_MILLIS = 1_000;
    private static final long NO_TIMER = -1;
    private static final String OPENING = "its stream is being opened";
    private static final String GONE = "it has left the cluster, or was silent for so long that it is forgotten";
    private static final Logger LOG = LoggerFactory.getLogger(ClusterFeed.class);

    private final Vertx vertx;
    private final WorkerExecutor worker;
    private final Watches watches;
    private final StatusQuery part;
    private final NodeDirectory directory;
    private final PeerBytes bytes;
    private final Ticker ticker;

    // Mutable state
    private final List<Watcher> watchers = new ArrayList<>();
    /** The nodes that they want; {@code null} where one wants all. */
    private @Nullable NodeNames named;

    private final Map<String, StatusSubscription> peers = new HashMap<>();
    private @Nullable Registration watching;
    private @Nullable NodeStatus own;
    private @Nullable ClusterStatus latest;
    private long latestNanos;
    private long timer = NO_TIMER;
    /** Goes off once, when the pause is over. */
    private long pauseTimer = NO_TIMER;

    /** When something was told last, or could not be summed up: for a second after it nothing is told. */
    private long pausedNanos;

    private boolean summing;
    private boolean changed;

    /** Makes one; {@code part} is what of the trees of its nodes it tells. */
    ClusterFeed(
            Vertx vertx,
            WorkerExecutor worker,
            Watches watches,
            StatusQuery part,
            NodeDirectory directory,
            PeerBytes bytes,
            Ticker ticker) {
        this.vertx = vertx;
        this.worker = worker;
        this.watches = watches;
        this.part = part;
        this.directory = directory;
        this.bytes = bytes;
        this.ticker = ticker;
    }

    /**
     * Begins to watch.
     *
     * @param names aliases or beginnings of incarnations; empty for all
     * @param watcher is told on the verticle's context
     * @return closing it, on that context, ends it
     * @throws BadQueryException if a name fits nobody
     */
    Registration watch(List<String> names, Consumer<ClusterStatus> watcher) {
        Watcher added = new Watcher(names, watcher);
        added.begin(directory.select(names));
        watchers.add(added);
        named = named();
        if (watchers.size() == 1) {
            begin();
        } else {
            follow();
            if (latest != null && added.isCoveredBy(latest.nodes())) {
                Duration since = Duration.ofNanos(ticker.nanos() - latestNanos);
                added.tell(new ClusterStatus(
                        ticker.wallTime(), latest.answeredBy(), Silence.later(latest.nodes(), since)));
            } else {
                sumAfterPause();
            }
        }
        return () -> {
            if (!watchers.remove(added)) {
                return;
            }
            named = named();
            if (watchers.isEmpty()) {
                end();
            }
        };
    }

    private @Nullable NodeNames named() {
        return watchers.stream().anyMatch(watcher -> watcher.wantsAll)
                ? null
                : new NodeNames(watchers.stream()
                        .flatMap(watcher -> watcher.names.all().stream())
                        .collect(Collectors.toSet()));
    }

    private void begin() {
        pausedNanos = ticker.nanos() - NodeWatch.PACE.toNanos();
        timer = vertx.setPeriodic(TICK_MILLIS, id -> tick());
        watching = watches.node(part, row -> {
            own = row;
            onChange();
        });
        follow();
    }

    private void end() {
        vertx.cancelTimer(timer);
        vertx.cancelTimer(pauseTimer);
        pauseTimer = NO_TIMER;
        if (watching != null) {
            watching.close();
            watching = null;
        }
        peers.values().forEach(StatusSubscription::close);
        peers.clear();
        own = null;
        latest = null;
        changed = false;
    }

    /** {@return whether anybody watches} */
    boolean isWatched() {
        return !watchers.isEmpty();
    }

    private void tick() {
        follow();
        // Silence makes no event, so it is looked for.
        sumAfterPause();
    }

    private void follow() {
        Set<String> there = new HashSet<>();
        for (Peer peer : wanted()) {
            String incarnation = peer.node().incarnation();
            there.add(incarnation);
            StatusSubscription known = peers.get(incarnation);
            if (known == null) {
                StatusSubscription subscription = new StatusSubscription(
                        vertx,
                        worker,
                        Addresses.subscribe(incarnation),
                        new JsonObject(part.forOneNode()),
                        view -> onChange(),
                        failure -> LOG.debug("the stream of {} is interrupted", peer.node(), failure),
                        1,
                        bytes,
                        ticker);
                peers.put(incarnation, subscription);
                subscription.trySeldomWhenDown();
                subscription.open();
            } else if (directory.silence(peer.node()).toMillis() <= 2 * TICK_MILLIS) {
                // Of two ticks one sees each hello, however late a tick comes.
                known.hurry();
            }
        }
        peers.entrySet().removeIf(entry -> {
            if (there.contains(entry.getKey())) {
                return false;
            }
            entry.getValue().close();
            return true;
        });
    }

    /** Whoever shares its alias with one of them belongs to what is told of it. */
    private List<Peer> wanted() {
        List<Peer> all = directory.peers();
        NodeNames names = named;
        if (names == null) {
            return all;
        }
        Set<String> aliases = new HashSet<>(Set.of(directory.self().alias()));
        for (Peer peer : all) {
            if (!names.of(peer.node()).isEmpty()) {
                aliases.add(peer.node().alias());
            }
        }
        return all.stream()
                .filter(peer -> aliases.contains(peer.node().alias()))
                .toList();
    }

    private void onChange() {
        changed = true;
        sumAfterPause();
    }

    /** At once, or when the last telling is a second ago. */
    private void sumAfterPause() {
        long rest = NodeWatch.PACE.toNanos() - (ticker.nanos() - pausedNanos);
        if (rest <= 0) {
            sum();
        } else if (pauseTimer == NO_TIMER && isWatched()) {
            // Not before it is over: timers have whole milliseconds.
            long millis = (rest + 999_999) / 1_000_000;
            pauseTimer = vertx.setTimer(millis, id -> {
                pauseTimer = NO_TIMER;
                sum();
            });
        }
    }

    /** On a worker: what a large cluster adds up to takes its time. */
    private void sum() {
        NodeStatus mine = own;
        if (summing || mine == null || watchers.stream().allMatch(Watcher::isAboutToBeWhole)) {
            return;
        }
        summing = true;
        boolean news = changed;
        changed = false;
        Set<Watcher> counted =
                watchers.stream().filter(watcher -> !watcher.isAboutToBeWhole()).collect(Collectors.toSet());
        List<Answer> answers = new ArrayList<>();
        answers.add(new Answer(directory.selfAsPeer(), true, part.isWhole(), mine.reason(), mine.snapshot()));
        for (Peer peer : wanted()) {
            answers.add(answer(peer));
        }
        worker.executeBlocking(() -> directory.judge(answers), false).onComplete(done -> {
            summing = false;
            if (done.failed()) {
                LOG.error("the status of the cluster could not be summed up", done.cause());
                // What had changed was told to nobody.
                changed |= news;
                pausedNanos = ticker.nanos();
            } else {
                onSummed(done.result(), news, counted);
            }
            if (changed) {
                // It came too late for this sum, or was not told. Where nothing was told, it is due at once.
                sumAfterPause();
            }
        });
    }

    /** Whoever came meanwhile may want nodes that were left out. */
    private void onSummed(List<NodeStatus> rows, boolean news, Set<Watcher> counted) {
        if (watchers.isEmpty()) {
            return;
        }
        boolean differs = news || latest == null || !sameStates(rows, latest.nodes());
        List<Watcher> due = watchers.stream()
                .filter(watcher -> watcher.told ? differs : counted.contains(watcher))
                .toList();
        if (differs || !due.isEmpty()) {
            pausedNanos = ticker.nanos();
            latestNanos = pausedNanos;
            ClusterStatus status =
                    new ClusterStatus(ticker.wallTime(), directory.self().alias(), rows);
            latest = status;
            due.forEach(watcher -> watcher.tell(status));
        }
    }

    private Answer answer(Peer peer) {
        StatusSubscription subscription = peers.get(peer.node().incarnation());
        if (subscription == null) {
            // It was met a moment ago.
            return new Answer(peer, true, part.isWhole(), OPENING, null, null);
        }
        Duration silence = subscription.silence();
        Duration word = subscription.wasHeard() ? silence : null;
        if (silence.compareTo(UP_FOR) > 0) {
            String trouble = subscription.isOpen() ? null : subscription.trouble();
            return new Answer(
                    peer,
                    false,
                    part.isWhole(),
                    trouble != null
                            ? trouble
                            : "its stream has been silent for more than " + UP_FOR.toSeconds()
                                    + " s; it may be stopped, blocked or cut off",
                    null,
                    word);
        }
        NodeStatus told = rowOf(peer.node(), subscription.view());
        StatusSnapshot snapshot = told == null ? null : told.snapshot();
        String missing = told == null ? subscription.trouble() : told.reason();
        if (missing == null) {
            missing = subscription.isOpen() ? "its first status has not arrived yet" : OPENING;
        }
        return new Answer(peer, true, part.isWhole(), snapshot == null ? missing : null, snapshot, word);
    }

    private static @Nullable NodeStatus rowOf(NodeIdentity node, @Nullable ClusterStatus view) {
        if (view != null) {
            for (NodeStatus row : view.nodes()) {
                if (row.node().incarnation().equals(node.incarnation())) {
                    return row;
                }
            }
        }
        return null;
    }

    /** A silence goes on by itself. What ends it, and what is said by a hello alone, is told. */
    private boolean sameStates(List<NodeStatus> rows, List<NodeStatus> before) {
        Duration since = Duration.ofNanos(ticker.nanos() - latestNanos);
        boolean same = since.compareTo(Silence.NUMBERS_PACE) < 0
                ? Silence.tellTheSameButNumbers(rows, before, since)
                : Silence.tellTheSame(rows, before, since);
        if (!same) {
            return false;
        }
        for (int i = 0; i < rows.size(); i++) {
            if ((rows.get(i).snapshot() == null) != (before.get(i).snapshot() == null)) {
                return false;
            }
        }
        return true;
    }

    /** One who watches. Of a node that it named, and that left, it is told for as long as the name fits no other. */
    private final class Watcher {
        private final NodeNames names;
        private final boolean wantsAll;
        private final Consumer<ClusterStatus> consumer;
        private final long begunNanos = ticker.nanos();

        // Mutable state
        /** By name, whom it fitted last, without their trees. */
        private final Map<String, Fitting> fitted = new HashMap<>();

        private boolean told;

        Watcher(List<String> names, Consumer<ClusterStatus> consumer) {
            this.names = new NodeNames(names);
            this.wantsAll = names.isEmpty();
            this.consumer = consumer;
        }

        void begin(Selection selection) {
            List<NodeStatus> rows = new ArrayList<>();
            selection.peers().forEach(peer -> rows.add(opening(peer.node())));
            if (selection.self()) {
                rows.add(opening(directory.self()));
            }
            byName(rows).forEach(this::note);
        }

        boolean wants(NodeIdentity node) {
            return wantsAll || !names.of(node).isEmpty();
        }

        /** What it is told first waits a moment for the others, so that nobody is called silent who was not heard yet. */
        boolean isAboutToBeWhole() {
            return !told
                    && ticker.nanos() - begunNanos < FIRST_FOR.toNanos()
                    && peers.values().stream().anyMatch(peer -> peer.view() == null && peer.trouble() == null);
        }

        /** {@return whether all that it wants are rows} What was summed up for others may leave some of them out. */
        boolean isCoveredBy(List<NodeStatus> rows) {
            Set<NodeIdentity> there = rows.stream().map(NodeStatus::node).collect(Collectors.toSet());
            return directory.peers().stream().map(Peer::node).allMatch(node -> there.contains(node) || !wants(node));
        }

        void tell(ClusterStatus status) {
            told = true;
            consumer.accept(
                    wantsAll
                            ? status
                            : new ClusterStatus(status.timestamp(), status.answeredBy(), chosen(status.nodes())));
        }

        private static NodeStatus opening(NodeIdentity node) {
            return new NodeStatus(node, NodeState.UP, Duration.ZERO, OPENING, null, null);
        }

        private Map<String, List<NodeStatus>> byName(List<NodeStatus> rows) {
            Map<String, List<NodeStatus>> byName = new HashMap<>();
            for (NodeStatus row : rows) {
                for (String name : names.of(row.node())) {
                    byName.computeIfAbsent(name, its -> new ArrayList<>()).add(row);
                }
            }
            return byName;
        }

        private void note(String name, List<NodeStatus> rows) {
            fitted.put(
                    name,
                    new Fitting(
                            rows.stream()
                                    .map(row -> new NodeStatus(
                                            row.node(), row.state(), row.age(), row.reason(), row.summary(), null))
                                    .toList(),
                            ticker.nanos()));
        }

        List<NodeStatus> chosen(List<NodeStatus> rows) {
            Map<String, NodeStatus> chosen = new HashMap<>();
            Map<String, List<NodeStatus>> byName = byName(rows);
            for (String name : names.all()) {
                List<NodeStatus> there = byName.getOrDefault(name, List.of());
                if (!there.isEmpty()) {
                    note(name, there);
                    there.forEach(row -> chosen.put(row.node().incarnation(), row));
                    continue;
                }
                Fitting last = fitted.getOrDefault(name, Fitting.NOBODY);
                Duration since = Duration.ofNanos(ticker.nanos() - last.nanos());
                for (NodeStatus row : last.rows()) {
                    // Who was met a moment ago is not summed up yet.
                    chosen.put(row.node().incarnation(), directory.isKnown(row.node()) ? row : gone(row, since));
                }
            }
            return chosen.values().stream().sorted(NodeDirectory.BY_ALIAS).toList();
        }

        private static NodeStatus gone(NodeStatus row, Duration since) {
            return new NodeStatus(row.node(), NodeState.DOWN, row.age().plus(since), GONE, row.summary(), null);
        }
    }

    /**
     * Whom a name fitted.
     *
     * @param rows what was so
     * @param nanos when
     */
    private record Fitting(List<NodeStatus> rows, long nanos) {
        static final Fitting NOBODY = new Fitting(List.of(), 0);
    }
}
