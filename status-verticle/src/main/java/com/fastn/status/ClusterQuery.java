package com.fastn.status;

import com.fastn.context.Ticker;
import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.NodeIdentity;
import com.fastn.context.status.NodeStatus;
import com.fastn.context.status.StatusFormatException;
import com.fastn.context.status.StatusJson;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.context.vertx.Addresses;
import com.fastn.status.ClusterAnswer.Gap;
import com.fastn.status.NodeDirectory.Answer;
import com.fastn.status.NodeDirectory.Peer;
import com.fastn.status.NodeDirectory.Selection;
import com.fastn.status.stream.Inbox;
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
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A question to the nodes of the cluster: one request for each of them, with its own timeout, and then the sum of what came
 * back. It belongs to the verticle's context.
 */
final class ClusterQuery {
    /** Asks a node for bytes instead of a JSON object; the value is the version of the wire. */
    static final String WIRE_HEADER = "fastn-wire";

    static final String WIRE_VERSION = "1";

    /**
     * In a question of one node to another: the name of a context that the status is to show, if it is open. In the answer: that it
     * is shown, or is not open. Nodes of before know nothing of it, and leave it out of a large status.
     */
    static final String NAMED_HEADER = "fastn-named";

    static final String NAMED_IS_SHOWN = "1";

    /** What so many nodes answer at most may be kept until all have. */
    private static final int MANY_NODES = 128;
    /** Nodes that need less room than others leave it to them. */
    private static final int KEPT_SHARES = 4;

    private static final String LEFT_OUT = "its tree is larger than what it told of it";

    private final Vertx vertx;
    private final WorkerExecutor worker;
    private final LocalStatus local;
    private final NodeDirectory directory;
    private final ClusterTrust trust;
    private final long timeoutMillis;
    private final PeerBytes bytes;
    private final Ticker ticker;

    ClusterQuery(
            Vertx vertx,
            WorkerExecutor worker,
            LocalStatus local,
            NodeDirectory directory,
            ClusterTrust trust,
            long timeoutMillis,
            PeerBytes bytes,
            Ticker ticker) {
        this.vertx = vertx;
        this.worker = worker;
        this.local = local;
        this.directory = directory;
        this.trust = trust;
        this.timeoutMillis = timeoutMillis;
        this.bytes = bytes;
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
        return answer(asked, here).map(ClusterAnswer::status);
    }

    /** Asks, as {@link #ask} does, for who wants to know what is not known. */
    Future<ClusterAnswer> answer(BusQuestion asked, boolean here) {
        StatusQuery query = asked.query();
        Selection selection;
        try {
            selection = directory.select(query.nodes());
        } catch (BadQueryException e) {
            return Future.failedFuture(e);
        }
        Question question =
                new Question(query, mostKept(asked, selection.peers().size()), new AtomicLong());
        List<Future<Answered>> answers = new ArrayList<>();
        if (selection.self()) {
            // No node gets more room in the answer.
            int share = Answers.MOST_CONTEXTS / (1 + selection.peers().size());
            answers.add(askSelf(asked, here, asked.explain() ? Answers.MOST_CONTEXTS : share));
        }
        for (Peer peer : selection.peers()) {
            answers.add(ask(peer, asked, question));
        }
        return Future.all(answers)
                // To count and to walk trees takes long where they are large.
                .compose(all -> worker.executeBlocking(() -> sum(all.<Answered>list(), asked), false))
                .onComplete(done -> bytes.give(question.kept.get()));
    }

    /**
     * A question under way.
     *
     * @param query which part of the trees is asked for
     * @param mostContexts how many contexts of a node are kept
     * @param kept how many bytes of other nodes were taken for it
     */
    private record Question(StatusQuery query, int mostContexts, AtomicLong kept) {}

    /** Of many nodes no answer has room for all, so what cannot be told is let go of as soon as it is read. */
    private static int mostKept(BusQuestion asked, int peers) {
        return asked.explain() || peers <= MANY_NODES
                ? Answers.MOST_CONTEXTS
                : Math.max(1, Answers.MOST_CONTEXTS * KEPT_SHARES / peers);
    }

    /**
     * What came of the question to one node.
     *
     * @param answer what is made of it
     * @param code the one with which the node refused, or 0
     * @param showsNamed whether the context that the question names is shown, if it is open there
     */
    private record Answered(Answer answer, int code, boolean showsNamed) {
        private Answered(Answer answer, int code) {
            this(answer, code, false);
        }

        /** What answers in the place of a node may fail with any number. */
        private boolean isRefused() {
            return code >= BadQueryException.MALFORMED && code < 600;
        }

        private boolean saidThatItIsNotThere() {
            return code == BadQueryException.NOT_FOUND;
        }
    }

    /** Where somebody did not say that nothing is there, it may be there, and the rows tell who that is. */
    private ClusterAnswer sum(List<Answered> all, BusQuestion asked) {
        Map<String, Answered> byNode = new HashMap<>();
        all.forEach(each -> byNode.put(each.answer.peer().node().incarnation(), each));
        ClusterStatus status = new ClusterStatus(
                ticker.wallTime(),
                directory.self().alias(),
                directory.judge(all.stream().map(Answered::answer).toList()));
        List<Gap> gaps = new ArrayList<>();
        boolean nowhere = true;
        for (NodeStatus row : status.nodes()) {
            Answered of = byNode.get(row.node().incarnation());
            boolean notThere = of != null && of.saidThatItIsNotThere();
            nowhere &= notThere;
            if (row.snapshot() == null && !notThere) {
                int code = of != null && of.isRefused() ? of.code : BadQueryException.UNKNOWN;
                gaps.add(new Gap(row.node(), code, row.reason()));
            }
            StatusSnapshot snapshot = row.snapshot();
            if (asked.context() != null
                    && snapshot != null
                    && of != null
                    && !of.showsNamed
                    && NamedContexts.isFolded(snapshot)) {
                gaps.add(new Gap(row.node(), BadQueryException.UNKNOWN, LEFT_OUT));
            }
        }
        if (asked.query().path() != null && nowhere) {
            for (Answered each : all) {
                String reason = each.answer.reason();
                if (each.saidThatItIsNotThere() && reason != null) {
                    throw new BadQueryException(BadQueryException.NOT_FOUND, reason);
                }
            }
        }
        return new ClusterAnswer(status, gaps);
    }

    private Future<Answered> askSelf(BusQuestion asked, boolean here, int most) {
        StatusQuery query = asked.query();
        Peer self = directory.selfAsPeer();
        return worker.executeBlocking(
                        () -> {
                            StatusSnapshot snapshot = local.take(asked, LocalStatus.BUS_WAIT, most);
                            return here ? snapshot : trust.forOthers(snapshot);
                        },
                        false)
                .map(snapshot -> new Answered(new Answer(self, true, query.isWhole(), null, snapshot), 0, true))
                .otherwise(failure -> new Answered(
                        new Answer(self, true, query.isWhole(), sentence(failure), null),
                        failure instanceof BadQueryException bad ? bad.code() : BusService.FAULT));
    }

    private Future<Answered> ask(Peer peer, BusQuestion asked, Question question) {
        DeliveryOptions options =
                new DeliveryOptions().setSendTimeout(timeoutMillis).addHeader(WIRE_HEADER, WIRE_VERSION);
        String named = asked.context();
        if (named != null) {
            options.addHeader(NAMED_HEADER, named);
        }
        Future<Message<Object>> reply;
        try {
            reply = vertx.eventBus()
                    .request(Addresses.node(peer.node().incarnation()), new JsonObject(asked.forOneNode()), options);
        } catch (RuntimeException e) {
            // An interceptor of the application may throw into whoever sends.
            reply = Future.failedFuture(e);
        }
        return reply.compose(message -> read(peer, message, question))
                .otherwise(failure -> unanswered(peer, question.query, failure));
    }

    private Future<Answered> read(Peer peer, Message<Object> message, Question question) {
        if (!(message.body() instanceof Buffer body)) {
            return Future.succeededFuture(broken(peer, question.query, "it is not made of bytes"));
        }
        int length = body.length();
        boolean showsNamed = NAMED_IS_SHOWN.equals(message.headers().get(NAMED_HEADER));
        if (!bytes.take(length)) {
            return Future.succeededFuture(broken(
                    peer,
                    question.query,
                    "the answers of other nodes have more than " + (PeerBytes.MOST >> 20)
                            + " MB together; ask for fewer nodes, or for a part of their trees"));
        }
        return worker.executeBlocking(() -> decode(peer, body, showsNamed, question), false)
                .onComplete(done -> {
                    if (question.mostContexts < Answers.MOST_CONTEXTS) {
                        bytes.give(length);
                    } else {
                        question.kept.addAndGet(length);
                    }
                });
    }

    private static Answered decode(Peer peer, Buffer bytes, boolean showsNamed, Question question) {
        StatusQuery query = question.query;
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
            Answer read = new Answer(
                    peer,
                    true,
                    query.isWhole(),
                    null,
                    SnapshotView.folded(snapshot, SnapshotView.DEEPEST, question.mostContexts));
            return new Answered(read, 0, showsNamed);
        } catch (StatusFormatException e) {
            return e.kind() == StatusFormatException.Kind.UPGRADE_NEEDED
                    ? new Answered(new Answer(peer, true, query.isWhole(), Inbox.OUTDATED, null), 0)
                    : broken(peer, query, Printable.line(String.valueOf(e.getMessage())));
        } catch (Exception e) {
            return broken(peer, query, Printable.line(String.valueOf(e.getMessage())));
        } catch (StackOverflowError e) {
            return broken(peer, query, "it is nested too deep");
        }
    }

    /** The node lives, but what it says is of no use. */
    private static Answered broken(Peer peer, StatusQuery query, String why) {
        return new Answered(new Answer(peer, true, query.isWhole(), "its answer cannot be read: " + why, null), 0);
    }

    private Answered unanswered(Peer peer, StatusQuery query, Throwable failure) {
        if (failure instanceof ReplyException e && e.failureType() == ReplyFailure.RECIPIENT_FAILURE) {
            return new Answered(new Answer(peer, true, query.isWhole(), sentence(failure), null), e.failureCode());
        }
        String why;
        if (failure instanceof ReplyException e && e.failureType() == ReplyFailure.TIMEOUT) {
            why = "no answer within " + timeoutMillis + " ms; it may be stopped, blocked or cut off";
        } else if (failure instanceof ReplyException e && e.failureType() == ReplyFailure.NO_HANDLERS) {
            why = "nobody answers at its address on the event bus; it may have left the cluster";
        } else {
            why = "it could not be asked: " + sentence(failure);
        }
        return new Answered(new Answer(peer, false, query.isWhole(), why, null), 0);
    }

    private static String sentence(Throwable failure) {
        String message = failure.getMessage();
        return Printable.line(message == null || message.isBlank() ? failure.toString() : message);
    }
}
