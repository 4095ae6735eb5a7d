package com.fastn.status;

import com.fastn.context.Ticker;
import com.fastn.context.status.ClusterStatus;
import com.fastn.status.NodeDirectory.Answer;
import com.fastn.status.NodeDirectory.Peer;
import com.fastn.status.NodeDirectory.Selection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/**
 * The cluster's status for who asks at the status port. When the application is blocked, this node's own part is there at once,
 * and the others are rows that say why they were not asked.
 */
final class ClusterAnswers {
    /** Longer than any event loop that is not blocked lets wait. */
    private static final Duration DOOR = Duration.ofMillis(120);
    /** Beyond the time that each node has: the way to the event loop of the application and back. */
    private static final Duration GRACE = Duration.ofMillis(500);

    private final PortThreads threads;
    private final LocalStatus local;
    private final NodeDirectory directory;
    private final BusDoor bus;
    private final Duration patience;
    private final Ticker ticker;

    ClusterAnswers(
            PortThreads threads,
            LocalStatus local,
            NodeDirectory directory,
            BusDoor bus,
            Duration queryTimeout,
            Ticker ticker) {
        this.threads = threads;
        this.local = local;
        this.directory = directory;
        this.bus = bus;
        this.patience = queryTimeout.plus(GRACE);
        this.ticker = ticker;
    }

    /** {@return completes when the application has time, or fails with a {@link BusSilentException}} */
    CompletableFuture<?> knock() {
        return threads.within(bus.knock(), DOOR, () -> new BusSilentException(DOOR));
    }

    /**
     * Asks.
     *
     * @param query what to ask
     * @return a row for every node that is meant; fails with a {@link BadQueryException} if a name fits nobody or nobody has
     *     what is asked for
     */
    CompletableFuture<ClusterStatus> ask(StatusQuery query) {
        return ask(BusQuestion.of(query)).thenApply(ClusterAnswer::status);
    }

    /** Asks in the same way, for who wants to know what is not known. */
    CompletableFuture<ClusterAnswer> ask(BusQuestion question) {
        StatusQuery query = question.query();
        Selection selection = directory.select(query.nodes());
        CompletableFuture<ClusterAnswer> asked = knock().thenCompose(
                        awake -> threads.within(bus.ask(question), patience, () -> new BusSilentException(patience)));
        return asked.exceptionallyCompose(failure -> cause(failure) instanceof BusSilentException silent
                ? threads.work(() -> ClusterAnswer.of(withoutBus(query, selection, silent)))
                : CompletableFuture.failedFuture(failure));
    }

    /** {@return what this node finds when it looks at itself; fails with a {@link BusSilentException} while it has no time} */
    CompletableFuture<List<NodeCheck>> look() {
        return knock().thenCompose(
                        awake -> threads.within(bus.look(), patience, () -> new BusSilentException(patience)));
    }

    private static Throwable cause(Throwable failure) {
        return failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
    }

    private ClusterStatus withoutBus(StatusQuery query, Selection selection, BusSilentException silent) {
        List<Answer> answers = new ArrayList<>();
        if (selection.self()) {
            answers.add(own(query, selection));
        }
        for (Peer peer : selection.peers()) {
            answers.add(new Answer(
                    peer,
                    false,
                    query.isWhole(),
                    "not asked: the event loop of the status verticle of "
                            + Printable.line(directory.self().alias()) + " did not answer within "
                            + silent.waited.toMillis() + " ms; it may be blocked",
                    null));
        }
        return new ClusterStatus(ticker.wallTime(), directory.self().alias(), directory.judge(answers));
    }

    /** That nothing is open at a path here says nothing of those who were not asked. */
    private Answer own(StatusQuery query, Selection selection) {
        Peer self = directory.selfAsPeer();
        try {
            return new Answer(self, true, query.isWhole(), null, local.take(query, Duration.ZERO));
        } catch (BadQueryException e) {
            if (selection.peers().isEmpty()) {
                throw e;
            }
            return new Answer(self, true, query.isWhole(), e.sentence(), null);
        }
    }

    /** The event loop of the status verticle did not answer in time. */
    static final class BusSilentException extends RuntimeException {
        private static final long serialVersionUID = 1;

        private final transient Duration waited;

        BusSilentException(Duration waited) {
            super("the event loop of the status verticle did not answer", null, false, false);
            this.waited = waited;
        }
    }
}
