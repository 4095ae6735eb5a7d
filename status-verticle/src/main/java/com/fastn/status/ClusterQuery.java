package com.fastn.status;

import com.fastn.context.Ticker;
import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.NodeIdentity;
import com.fastn.context.status.StatusJson;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.context.vertx.Addresses;
import com.fastn.status.NodeDirectory.Answer;
import com.fastn.status.NodeDirectory.Peer;
import com.fastn.status.NodeDirectory.Selection;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.WorkerExecutor;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.Message;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.eventbus.ReplyFailure;
import io.vertx.core.json.JsonObject;
import java.util.ArrayList;
import java.util.List;

/**
 * A question to the nodes of the cluster: one request for each of them, with its own timeout, and then the sum of what came
 * back. It belongs to the verticle's context.
 */
final class ClusterQuery {
    /** Asks a node for bytes instead of a JSON object; the value is the version of the wire. */
    static final String WIRE_HEADER = "fastn-wire";

    static final String WIRE_VERSION = "1";

    private final Vertx vertx;
    private final WorkerExecutor worker;
    private final LocalStatus local;
    private final NodeDirectory directory;
    private final ClusterTrust trust;
    private final long timeoutMillis;
    private final Ticker ticker;

    ClusterQuery(
            Vertx vertx,
            WorkerExecutor worker,
            LocalStatus local,
            NodeDirectory directory,
            ClusterTrust trust,
            long timeoutMillis,
            Ticker ticker) {
        this.vertx = vertx;
        this.worker = worker;
        this.local = local;
        this.directory = directory;
        this.trust = trust;
        this.timeoutMillis = timeoutMillis;
        this.ticker = ticker;
    }

    /**
     * Asks.
     *
     * @param asked what to ask
     * @param here whether it is for somebody in this process, who may see all that this node knows of itself
     * @return completes with a row for every node that is known; fails with a {@link BadQueryException} when nobody is
     *     asked or nobody has what is asked for
     */
    Future<ClusterStatus> ask(BusQuestion asked, boolean here) {
        StatusQuery query = asked.query();
        Selection selection;
        try {
            selection = directory.select(query.nodes());
        } catch (BadQueryException e) {
            return Future.failedFuture(e);
        }
        List<Future<Answer>> answers = new ArrayList<>();
        if (selection.self()) {
            answers.add(askSelf(asked, here));
        }
        for (Peer peer : selection.peers()) {
            answers.add(ask(peer, asked));
        }
        return Future.all(answers).map(all -> sum(all.<Answer>list(), query));
    }

    private ClusterStatus sum(List<Answer> answers, StatusQuery query) {
        if (query.path() != null && answers.stream().allMatch(a -> a.snapshot() == null)) {
            for (Answer answer : answers) {
                if (answer.alive() && answer.reason() != null) {
                    throw new BadQueryException(BadQueryException.NOT_FOUND, answer.reason());
                }
            }
        }
        return new ClusterStatus(ticker.wallTime(), directory.self().alias(), directory.judge(answers));
    }

    private Future<Answer> askSelf(BusQuestion asked, boolean here) {
        StatusQuery query = asked.query();
        Peer self = directory.selfAsPeer();
        return worker.executeBlocking(
                        () -> {
                            StatusSnapshot snapshot = local.take(asked, LocalStatus.BUS_WAIT);
                            return here ? snapshot : trust.forOthers(snapshot);
                        },
                        false)
                .map(snapshot -> new Answer(self, true, query.isWhole(), null, snapshot))
                .otherwise(failure -> new Answer(self, true, query.isWhole(), sentence(failure), null));
    }

    private Future<Answer> ask(Peer peer, BusQuestion asked) {
        StatusQuery query = asked.query();
        DeliveryOptions options =
                new DeliveryOptions().setSendTimeout(timeoutMillis).addHeader(WIRE_HEADER, WIRE_VERSION);
        Future<Message<Object>> reply;
        try {
            reply = vertx.eventBus()
                    .request(Addresses.node(peer.node().incarnation()), new JsonObject(asked.forOneNode()), options);
        } catch (RuntimeException e) {
            // An interceptor of the application may throw into whoever sends.
            reply = Future.failedFuture(e);
        }
        return reply.compose(message -> read(peer, message, query))
                .otherwise(failure -> unanswered(peer, query, failure));
    }

    private Future<Answer> read(Peer peer, Message<Object> message, StatusQuery query) {
        if (!(message.body() instanceof Buffer bytes)) {
            return Future.succeededFuture(broken(peer, query, "it is not made of bytes"));
        }
        return worker.executeBlocking(() -> decode(peer, bytes, query), false);
    }

    private static Answer decode(Peer peer, Buffer bytes, StatusQuery query) {
        if (bytes.length() > Answers.MOST_WIRE_BYTES) {
            return broken(
                    peer,
                    query,
                    "it has " + bytes.length() + " bytes, and " + Answers.MOST_WIRE_BYTES + " is the limit");
        }
        try {
            StatusSnapshot snapshot = StatusJson.readSnapshot(bytes.getBytes());
            NodeIdentity claimed = snapshot.node();
            if (!claimed.incarnation().equals(peer.node().incarnation())) {
                return broken(peer, query, "it is of another node, \"" + Printable.line(claimed.alias()) + "\"");
            }
            return new Answer(peer, true, query.isWhole(), null, snapshot);
        } catch (Exception e) {
            return broken(peer, query, Printable.line(String.valueOf(e.getMessage())));
        } catch (StackOverflowError e) {
            return broken(peer, query, "it is nested too deep");
        }
    }

    /** The node lives, but what it says is of no use. */
    private static Answer broken(Peer peer, StatusQuery query, String why) {
        return new Answer(peer, true, query.isWhole(), "its answer cannot be read: " + why, null);
    }

    private Answer unanswered(Peer peer, StatusQuery query, Throwable failure) {
        if (failure instanceof ReplyException e && e.failureType() == ReplyFailure.RECIPIENT_FAILURE) {
            return new Answer(peer, true, query.isWhole(), sentence(failure), null);
        }
        String why;
        if (failure instanceof ReplyException e && e.failureType() == ReplyFailure.TIMEOUT) {
            why = "no answer within " + timeoutMillis + " ms; it may be stopped, blocked or cut off";
        } else if (failure instanceof ReplyException e && e.failureType() == ReplyFailure.NO_HANDLERS) {
            why = "nobody answers at its address on the event bus; it may have left the cluster";
        } else {
            why = "it could not be asked: " + sentence(failure);
        }
        return new Answer(peer, false, query.isWhole(), why, null);
    }

    private static String sentence(Throwable failure) {
        String message = failure.getMessage();
        return Printable.line(message == null || message.isBlank() ? failure.toString() : message);
    }
}
