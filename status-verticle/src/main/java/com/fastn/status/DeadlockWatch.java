package com.fastn.status;

import com.fastn.context.Registration;
import com.fastn.context.Ticker;
import com.fastn.context.WarningIds;
import com.fastn.context.status.DeadlockReport;
import com.fastn.context.status.NodeWaits;
import com.fastn.context.status.StatusWarning;
import com.fastn.context.status.WarningSeverity;
import com.fastn.context.vertx.Addresses;
import com.fastn.context.vertx.FastnVertx;
import com.fastn.status.deadlock.ClusterCycle;
import com.fastn.status.deadlock.ClusterDeadlockSearch;
import com.fastn.status.deadlock.StandingDeadlocks;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.WorkerExecutor;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.Message;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks for deadlocks that lead over several nodes, once a wait that another node may have to end is old.
 *
 * <pre>
 *   ASLEEP --somebody begins to wait for another node--> TIMED: looked when that wait may be old
 *     \&lt;------------nobody waits for another node any more-----------/
 * </pre>
 *
 * <p>While nobody waits it does nothing. While all such waits are young it looks at their ages now and then. When one becomes
 * old, and again whenever it is twice as old or another node found a circle, it reads who holds what on this node; and only
 * when one who waits for so long holds something it asks the other nodes. While a circle is not told because a node does not tell
 * what it holds, it does so once in that time. It belongs to the verticle's context.
 */
final class DeadlockWatch {
    /** The key of the question, with the milliseconds below which waits are left out. */
    static final String WAITS = "waits";
    /** The key that says that the node which is asked is to tell of a circle. */
    static final String SUSPECTED = "suspected";

    /** Whether what was found still lasts is asked so often. */
    private static final long RECHECK_MILLIS = 1_000;
    /** A look is at most so many parts of the threshold away from the last one, and at least one of so many. */
    private static final int FEWEST_LOOKS = 2;

    private static final int MOST_LOOKS = 10;
    /** Where answers make a circle that is not confirmed, the nodes are asked so many times more, and then when it is due. */
    private static final int MOST_RETRIES = 3;
    /** Ages are in whole milliseconds, and are taken a little before or after the time; better twice than never. */
    private static final long SLACK_MILLIS = 5;
    /** Shorter waits, as a part of the threshold, are of no interest: the others of a circle are old too. */
    private static final int LEAST_PART = 4;

    /** Stands for nodes that are too many to be listed, and are not asked: no node that answers has this for an incarnation. */
    private static final String UNLISTED = "";

    private static final int MOST_NAMED = 5;

    private static final Logger LOG = LoggerFactory.getLogger(DeadlockWatch.class);

    private final Vertx vertx;
    private final FastnVertx fastn;
    private final WorkerExecutor worker;
    private final NodeDirectory directory;
    private final long afterMillis;
    private final long timeoutMillis;
    private final Ticker ticker;
    private final Runnable onNews;
    private final StandingDeadlocks standing;
    private final ClusterDeadlockSearch search = new ClusterDeadlockSearch();

    // Mutable state
    private @Nullable Registration asleep;
    private long timer = -1;
    private boolean looking;
    private boolean suspected;
    /** Whether the timer that runs was set because of a suspicion. */
    private boolean soon;

    private int retries;
    private boolean stopped;
    /** The nodes because of which a circle is not told, as a text, or {@code null}. */
    private volatile @Nullable String inTheWay;

    // Of the worker that looks, of which there is one at a time.
    private volatile long readNanos;
    private volatile boolean readBefore;

    /**
     * Makes one.
     *
     * @param afterMillis how old a wait is from when on it is looked for; 0 for never
     * @param timeoutMillis how long a node has to answer
     * @param onNews run when a deadlock was found or is over
     */
    DeadlockWatch(
            Vertx vertx,
            FastnVertx fastn,
            WorkerExecutor worker,
            NodeDirectory directory,
            long afterMillis,
            long timeoutMillis,
            Ticker ticker,
            Runnable onNews) {
        this.vertx = vertx;
        this.fastn = fastn;
        this.worker = worker;
        this.directory = directory;
        this.afterMillis = afterMillis;
        this.timeoutMillis = timeoutMillis;
        this.ticker = ticker;
        this.onNews = onNews;
        this.standing = new StandingDeadlocks(ticker, NodeDirectory.STALE_FOR);
    }

    void start() {
        if (afterMillis > 0) {
            sleep();
        }
    }

    void stop() {
        stopped = true;
        vertx.cancelTimer(timer);
        if (asleep != null) {
            asleep.close();
        }
    }

    /** {@return the deadlocks that this node tells of} From any thread. */
    List<DeadlockReport> reports() {
        return standing.reports();
    }

    /** {@return a warning of the deadlocks that are not told because there are too many, or {@code null}} From any thread. */
    @Nullable
    StatusWarning warning(String root) {
        int more = standing.more();
        return more == 0
                ? null
                : new StatusWarning(
                        WarningIds.DEADLOCKS_NOT_LISTED,
                        WarningSeverity.CRITICAL,
                        "+" + more + " more " + (more == 1 ? "deadlock leads" : "deadlocks lead")
                                + " over several nodes, and " + StandingDeadlocks.MOST + " are told at once",
                        root,
                        "resolve those that are told; the others follow");
    }

    /** {@return a warning of the nodes because of which a circle is not told, or {@code null}} From any thread. */
    @Nullable
    StatusWarning notSearched(String root) {
        String nodes = inTheWay;
        return nodes == null
                ? null
                : new StatusWarning(
                        WarningIds.DEADLOCKS_NOT_SEARCHED,
                        WarningSeverity.WARNING,
                        "who waits here for a lock of the cluster may be in a deadlock, which is not told because not all"
                                + " that live tell which of its locks they hold: " + nodes,
                        root,
                        "see whether these nodes answer, and have a version of the library that this one can read");
    }

    /** {@return who waits here for whom} Reads the tree, so it belongs on a worker. */
    NodeWaits waits(Duration leastWait) {
        return fastn.waits(leastWait);
    }

    /**
     * Another node found a circle that this one is to tell of. It may have looked before the circle was closed, and would look
     * again late; so it looks soon, if anybody waits here for long. On the verticle's context.
     */
    void suspect() {
        suspected = true;
        // Who asks again before it has looked must not put that off.
        if (!soon && asleep == null && !looking && vertx.cancelTimer(timer)) {
            lookSoon();
        }
    }

    private void lookSoon() {
        soon = true;
        lookIn(afterMillis / MOST_LOOKS);
    }

    // --- when to look

    private void sleep() {
        Context here = vertx.getOrCreateContext();
        asleep = fastn.onNextWaitForOthers(() -> here.runOnContext(began -> wake(0)));
        // One that began before the hook was there has run no hook.
        List<Long> ages = ages();
        if (!ages.isEmpty()) {
            wake(Collections.max(ages));
        }
    }

    private void wake(long waitedMillis) {
        Registration hook = asleep;
        if (hook != null) {
            asleep = null;
            hook.close();
            lookIn(afterMillis - waitedMillis);
        }
    }

    private void lookIn(long millis) {
        looking = false;
        if (!stopped) {
            timer = vertx.setTimer(Math.max(1, millis), id -> look());
        }
    }

    private void look() {
        looking = true;
        soon = false;
        // Who tells now what it did not tell before says so to nobody, and the waits may be twice as old only late.
        boolean urged = suspected || (inTheWay != null && ticker.nanos() - readNanos >= afterMillis * 1_000_000);
        suspected = false;
        retries = urged || inTheWay != null ? retries : 0;
        worker.executeBlocking(() -> glance(urged), false).onComplete(done -> {
            if (done.failed()) {
                LOG.warn("who waits for whom on this node could not be read", done.cause());
                lookIn(afterMillis);
            } else if (!stopped) {
                onGlance(done.result());
            }
        });
    }

    /** How old the waits for other nodes are, and who waits for whom if one of them has become old. */
    private record Glance(List<Long> ages, @Nullable NodeWaits waits) {}

    private Glance glance(boolean urged) {
        List<Long> ages = ages();
        boolean due = isDue(ages) || (urged && isAnyOld(ages));
        if (due) {
            readNanos = ticker.nanos();
            readBefore = true;
        }
        return new Glance(ages, due ? fastn.waits(least()) : null);
    }

    private Duration least() {
        return Duration.ofMillis(afterMillis / LEAST_PART);
    }

    private void onGlance(Glance glance) {
        if (!isAnyOld(glance.ages)) {
            note(Set.of());
        }
        NodeWaits own = glance.waits;
        if (own != null && !own.mayBeInACircle(Duration.ofMillis(afterMillis))) {
            note(Set.of());
        }
        if (own != null && own.mayBeInACircle(Duration.ofMillis(afterMillis))) {
            search(own).onComplete(done -> {
                if (done.failed()) {
                    LOG.warn("the search for deadlocks of the cluster failed", done.cause());
                }
                lookAgain(glance.ages);
            });
        } else if (!standing.isEmpty()) {
            recheck().onComplete(done -> lookAgain(glance.ages));
        } else if (glance.ages.isEmpty()) {
            looking = false;
            sleep();
        } else {
            lookAgain(glance.ages);
        }
    }

    private void lookAgain(List<Long> ages) {
        if (suspected) {
            lookSoon();
        } else {
            lookIn(standing.isEmpty() ? untilDue(ages) : RECHECK_MILLIS);
        }
    }

    /** How long this node has been waiting for others, in milliseconds. */
    private List<Long> ages() {
        return fastn.waitsForOthers().stream().map(Duration::toMillis).toList();
    }

    /** Whether a wait for others has become old, or twice as old as it was, since this node was read for the last time. */
    private boolean isDue(List<Long> ages) {
        long since = readBefore ? (ticker.nanos() - readNanos) / 1_000_000 : Long.MAX_VALUE;
        return ages.stream()
                .anyMatch(age -> age >= afterMillis && milestone(age) > milestone(age - since - SLACK_MILLIS));
    }

    private boolean isAnyOld(List<Long> ages) {
        return ages.stream().anyMatch(age -> age >= afterMillis);
    }

    /** How often an age is the threshold doubled; less than 0 for a young one. */
    private int milestone(long age) {
        return age < afterMillis ? -1 : Long.SIZE - 1 - Long.numberOfLeadingZeros(age / afterMillis);
    }

    private long untilDue(List<Long> ages) {
        long until = ages.stream()
                .mapToLong(age -> afterMillis * (1L << (milestone(age) + 1)) - age)
                .min()
                .orElse(afterMillis);
        return Math.max(afterMillis / MOST_LOOKS, Math.min(until, afterMillis / FEWEST_LOOKS));
    }

    // --- to look

    private Future<Void> search(NodeWaits own) {
        long first = search.begin();
        take(first, own);
        List<Future<Void>> asked = new ArrayList<>();
        for (NodeDirectory.Peer peer : directory.peers()) {
            asked.add(ask(peer.node().incarnation(), waits -> take(first, waits)));
        }
        return whenAllHadTheirTime(asked)
                .compose(answered -> onWorker(() -> standing.check(search.firstAnswers())))
                .map(this::checked)
                .compose(checked -> onWorker(() -> search.confirm(living())))
                .compose(suspects -> {
                    long second = search.round();
                    List<Future<Void>> again = new ArrayList<>();
                    for (String node : suspects) {
                        again.add(ask(node, waits -> take(second, waits)));
                    }
                    return whenAllHadTheirTime(again);
                })
                .compose(answered -> onWorker(() -> search.isUnderWay() ? search.finish() : null))
                .map(found -> {
                    note(search.inTheWay());
                    if (found != null) {
                        confirmed(found);
                    }
                    return null;
                });
    }

    private void note(Set<String> nodes) {
        String before = inTheWay;
        inTheWay = nodes.isEmpty() ? null : named(nodes);
        if (!Objects.equals(before, inTheWay)) {
            onNews.run();
        }
    }

    private String named(Set<String> nodes) {
        List<String> aliases = new ArrayList<>();
        for (NodeDirectory.Peer peer : directory.peers()) {
            if (nodes.contains(peer.node().incarnation())) {
                aliases.add(Printable.line(peer.node().alias()));
            }
        }
        int named = Math.min(aliases.size(), MOST_NAMED);
        String first = String.join(", ", aliases.subList(0, named));
        int more = nodes.size() - named;
        if (nodes.contains(UNLISTED)) {
            return named == 0 ? "nodes that are not listed" : first + ", and nodes that are not listed";
        }
        return more == 0 ? first : first.isEmpty() ? more + " nodes" : first + " and " + more + " more";
    }

    /** All of which it has to be known what they hold: who has been silent for longer is taken for gone. */
    private Set<String> living() {
        Set<String> living = new HashSet<>();
        for (NodeDirectory.Peer peer : directory.peers()) {
            if (directory.silence(peer.node()).compareTo(NodeDirectory.STALE_FOR) <= 0) {
                living.add(peer.node().incarnation());
            }
        }
        if (directory.unlisted() > 0) {
            living.add(UNLISTED);
        }
        return living;
    }

    /** Of many nodes it takes its time. Nobody else touches the search meanwhile: all who were asked have had theirs. */
    private <T> Future<T> onWorker(Callable<T> work) {
        return worker.executeBlocking(work, false);
    }

    private void confirmed(List<ClusterCycle> found) {
        found.forEach(this::found);
        if (found.isEmpty() && retries < MOST_RETRIES) {
            // Perhaps an answer was lost.
            retries++;
            suspected = true;
        }
    }

    private void take(long round, NodeWaits waits) {
        if (!search.answer(round, waits)) {
            LOG.debug(
                    "an answer of {} does not count",
                    Printable.line(waits.node().alias()));
        }
    }

    private void found(ClusterCycle cycle) {
        // All nodes that wait in it find it; one of them tells.
        if (!cycle.reporter().equals(directory.self().incarnation())) {
            var unused = askPeer(cycle.reporter(), true)
                    .onFailure(failure -> LOG.debug("a node was not told that it is part of a circle", failure));
            return;
        }
        DeadlockReport news = standing.add(cycle);
        if (news != null) {
            String sentence = Printable.line(news.cycle());
            if (news.proven()) {
                LOG.warn("{}", sentence);
            } else {
                LOG.info("{}", sentence);
            }
            onNews.run();
        }
    }

    private Future<Void> recheck() {
        List<NodeWaits> answers = new ArrayList<>();
        List<Future<Void>> asked = new ArrayList<>();
        for (String node : standing.nodes()) {
            asked.add(ask(node, answers::add));
        }
        return whenAllHadTheirTime(asked)
                .compose(answered -> onWorker(() -> standing.check(answers)))
                .map(this::checked);
    }

    private @Nullable Void checked(boolean over) {
        if (over) {
            onNews.run();
        }
        return null;
    }

    // --- to ask

    /** Who does not answer is missing, and makes nothing fail. */
    private static Future<Void> whenAllHadTheirTime(List<Future<Void>> asked) {
        return Future.join(asked).<Void>mapEmpty().otherwiseEmpty();
    }

    private Future<Void> ask(String incarnation, Consumer<NodeWaits> answer) {
        Future<NodeWaits> asked = incarnation.equals(directory.self().incarnation())
                ? worker.executeBlocking(() -> fastn.waits(least()), false)
                : askPeer(incarnation, false);
        return asked.onSuccess(waits -> {
                    if (waits.node().incarnation().equals(incarnation)) {
                        answer.accept(waits);
                    }
                })
                .onFailure(failure -> LOG.debug("a node did not tell who waits there for whom", failure))
                .mapEmpty();
    }

    private Future<NodeWaits> askPeer(String incarnation, boolean suspect) {
        DeliveryOptions options = new DeliveryOptions()
                .setSendTimeout(timeoutMillis)
                .addHeader(ClusterQuery.WIRE_HEADER, ClusterQuery.WIRE_VERSION);
        JsonObject question = new JsonObject().put(WAITS, least().toMillis());
        if (suspect) {
            question.put(SUSPECTED, true);
        }
        Future<Message<Object>> reply;
        try {
            reply = vertx.eventBus().request(Addresses.node(incarnation), question, options);
        } catch (RuntimeException e) {
            // An interceptor of the application may throw into whoever sends.
            reply = Future.failedFuture(e);
        }
        return reply.compose(message -> message.body() instanceof Buffer bytes
                ? worker.executeBlocking(() -> NodeWaitsJson.read(bytes), false)
                : Future.failedFuture("the answer is not made of bytes"));
    }
}
