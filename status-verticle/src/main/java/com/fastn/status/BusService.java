package com.fastn.status;

import com.fastn.context.Registration;
import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.NodeIdentity;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.context.vertx.Addresses;
import com.fastn.context.vertx.FastnVertx;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.WorkerExecutor;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.Message;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers questions on the event bus: at {@code fastn.status} for the cluster, at {@code fastn.status.node.<alias>} for
 * this node. Whatever is wrong with a question, it is told in the reply.
 */
final class BusService {
    /** The failure code of a reply when this node is at fault. */
    static final int FAULT = 500;

    private static final Duration LONGEST_WAIT = Duration.ofDays(30);
    /** Questions that are being answered; of a usual one a worker makes some hundred in a second. */
    static final int MOST_UNDER_WAY = 128;

    private static final String PAGE = "page";
    private static final Logger LOG = LoggerFactory.getLogger(BusService.class);

    private final Vertx vertx;
    private final WorkerExecutor worker;
    private final LocalStatus local;
    private final ClusterQuery cluster;
    private final StreamService streams;
    private final ClusterTrust trust;
    private final DeadlockWatch deadlocks;
    private final TreePages pages;
    private final ToldSince toldSince;
    private final RemoteCancel cancels;
    private final List<KeptAddress> addresses = new ArrayList<>();
    private final AtomicInteger underWay = new AtomicInteger();
    private final Forgetting forgetting;
    private @Nullable Registration responder;

    BusService(
            Vertx vertx,
            WorkerExecutor worker,
            DeadlockWatch deadlocks,
            LocalStatus local,
            ClusterQuery cluster,
            StreamService streams,
            ClusterTrust trust,
            TreePages pages,
            ToldSince toldSince,
            RemoteCancel cancels) {
        this.vertx = vertx;
        this.worker = worker;
        this.deadlocks = deadlocks;
        this.local = local;
        this.cluster = cluster;
        this.streams = streams;
        this.trust = trust;
        this.pages = pages;
        this.toldSince = toldSince;
        this.cancels = cancels;
        this.forgetting = new Forgetting(
                (time, look) -> vertx.setTimer(time.toMillis() + 1, id -> look.run()), () -> responder != null);
    }

    /**
     * Begins to answer.
     *
     * @param fastn takes care of questions that land on a consumer of the application
     * @param node who this node is
     * @return completes when all nodes of the cluster can ask
     */
    Future<Void> start(FastnVertx fastn, NodeIdentity node) {
        responder = fastn.answerStatus(this::answerForAny);
        return listen(node);
    }

    private Future<Void> listen(NodeIdentity node) {
        consume(Addresses.STATUS, question -> answerCluster(question, question.body(), false));
        consume(Addresses.STATUS_QUERY, question -> answerCluster(question, question.body(), false));
        consume(Addresses.STATUS_SUBSCRIBE, question -> openClusterStream(question, question.body(), false));
        consume(Addresses.subscribe(node.incarnation()), this::onStream);
        consume(Addresses.node(node.alias()), this::answerNode);
        consume(Addresses.node(node.incarnation()), this::answerNode);
        consume(Addresses.cancel(node.alias()), this::cancel);
        consume(Addresses.cancel(node.incarnation()), this::cancel);
        return Future.all(addresses.stream().map(KeptAddress::completion).toList())
                .mapEmpty();
    }

    /** {@return what it consumes} */
    List<KeptAddress> addresses() {
        return List.copyOf(addresses);
    }

    /** {@return completes when nothing is answered any more} */
    Future<Void> stop() {
        Registration registration = responder;
        if (registration != null) {
            registration.close();
            responder = null;
        }
        return SelfCheck.soon(
                vertx, Future.join(addresses.stream().map(KeptAddress::end).toList()));
    }

    private void consume(String address, Consumer<Message<Object>> answer) {
        addresses.add(KeptAddress.of(vertx, address, answer::accept));
    }

    /** Takes what was asked in this Vertx, or fell to a consumer of the application. */
    private void answerForAny(Message<Object> question, @Nullable Object body, boolean askedHere) {
        if (question.address().equals(Addresses.STATUS_SUBSCRIBE)) {
            openClusterStream(question, body, askedHere);
        } else {
            answerCluster(question, body, askedHere);
        }
    }

    private void openClusterStream(Message<Object> question, @Nullable Object body, boolean askedHere) {
        guarded(question, () -> {
            question.reply(streams.open(keys(body), true, askedHere));
            return Future.succeededFuture();
        });
    }

    /** A reader opens a stream of this node, or says how far it is with one; the latter needs no reply. */
    private void onStream(Message<Object> message) {
        guarded(message, () -> {
            Map<String, ?> body = keys(message.body());
            JsonObject reply =
                    body.containsKey(StreamWire.STREAM) ? streams.control(body) : streams.open(body, false, false);
            if (message.replyAddress() != null) {
                message.reply(reply);
            }
            return Future.succeededFuture();
        });
    }

    private void answerCluster(Message<Object> question, @Nullable Object body, boolean askedHere) {
        if (question.replyAddress() == null) {
            // Published status, which is for applications.
            return;
        }
        bounded(question, () -> {
            BusQuestion asked = BusQuestion.of(keys(body));
            if (asked.sinceVersion() != null) {
                throw new BadQueryException(
                        BadQueryException.MALFORMED,
                        "a version is of one node, so \"since_version\" is asked at \"fastn.status.node.<alias>\"; of"
                                + " all nodes a stream tells what changes");
            }
            StatusQuery query = asked.query();
            boolean wire = question.headers().contains(ClusterQuery.WIRE_HEADER);
            return cluster.answer(asked, askedHere)
                    .compose(answer -> reply(question, () -> {
                        if (asked.explain()) {
                            Object told = asked.explain(answer);
                            return wire && told instanceof JsonObject json ? json.toBuffer() : told;
                        }
                        ClusterStatus status = answer.status();
                        return wire ? Buffer.buffer(Answers.json(status)) : write(status, query);
                    }));
        });
    }

    private void answerNode(Message<Object> question) {
        if (question.replyAddress() == null) {
            return;
        }
        bounded(question, () -> {
            Map<String, ?> keys = keys(question.body());
            if (keys.containsKey(DeadlockWatch.WAITS)) {
                return answerWaits(question, keys);
            }
            if (keys.containsKey(PAGE)) {
                return answerPage(question, keys);
            }
            BusQuestion asked = BusQuestion.of(keys);
            StatusQuery query = asked.query();
            boolean wire = question.headers().contains(ClusterQuery.WIRE_HEADER);
            String named = question.headers().get(ClusterQuery.NAMED_HEADER);
            if (wire && named != null && named.length() <= BusQuestion.LONGEST_TEXT && !asked.explain()) {
                return answerShowing(question, query, named);
            }
            Long since = asked.sinceVersion();
            long version = local.version();
            boolean sameVersion = since != null && since == version && isAnsweredByVersion(question, asked);
            if (sameVersion && query.path() == null) {
                question.reply(local.unchanged(version));
                return Future.succeededFuture();
            }
            return reply(question, () -> {
                if (sameVersion && local.has(query)) {
                    return local.unchanged(version);
                }
                StatusSnapshot snapshot = trust.forOthers(local.take(
                        asked, LocalStatus.BUS_WAIT, wire ? Answers.MOST_WIRE_CONTEXTS : Answers.MOST_CONTEXTS));
                if (asked.explain()) {
                    return asked.explain(ClusterAnswer.of(local.alone(snapshot)));
                }
                if (since != null && query.format() == StatusQuery.Format.JSON) {
                    StatusSnapshot fitting = wire ? Answers.fittingWire(snapshot) : Answers.fitting(snapshot);
                    Buffer told = Buffer.buffer(
                            toldSince.write(query.part(), since, asked.sinceTimestamp(), fitting, Answers::whole));
                    forgetting.keeps(toldSince, ToldSince.KEPT, toldSince::forgetOld);
                    return wire ? told : new JsonObject(told);
                }
                return wire ? Buffer.buffer(Answers.wire(snapshot)) : write(snapshot, query);
            });
        });
    }

    /** To a node that was asked to explain a context, which may be one of those that a large status leaves out. */
    private Future<Void> answerShowing(Message<Object> question, StatusQuery query, String named) {
        return worker.executeBlocking(
                () -> {
                    StatusSnapshot snapshot = trust.forOthers(
                            local.showing(named, query, LocalStatus.BUS_WAIT, Answers.MOST_WIRE_CONTEXTS));
                    byte[] showing = Answers.wireShowing(snapshot, named);
                    if (showing == null) {
                        question.reply(Buffer.buffer(Answers.wire(snapshot)));
                    } else {
                        question.reply(
                                Buffer.buffer(showing),
                                new DeliveryOptions()
                                        .addHeader(ClusterQuery.NAMED_HEADER, ClusterQuery.NAMED_IS_SHOWN));
                    }
                    return null;
                },
                false);
    }

    /**
     * {@return whether the asker has a status of this life (rule D3), of which no more than the version tells whether it changed} A
     * number is the same in many lives, and an alias has many; what lasts becomes stuck without a change.
     */
    private boolean isAnsweredByVersion(Message<Object> question, BusQuestion asked) {
        Long since = asked.sinceVersion();
        if (since == null || asked.explain() || asked.recent() || asked.episodes()) {
            return false;
        }
        return question.address().equals(Addresses.node(local.node().incarnation()))
                || toldSince.knows(asked.query().part(), since, asked.sinceTimestamp());
    }

    /** Only for who wants to know what became of it. */
    private void cancel(Message<Object> order) {
        if (order.replyAddress() != null) {
            bounded(
                    order,
                    () -> cancels.cancel(keys(order.body()))
                            .onSuccess(order::reply)
                            .mapEmpty());
        }
    }

    /** A part of the whole tree, however large that is. */
    private Future<Void> answerPage(Message<Object> question, Map<String, ?> keys) {
        if (keys.size() != 1 || !(keys.get(PAGE) instanceof String page)) {
            throw new BadQueryException(
                    BadQueryException.MALFORMED,
                    "\"page\" stands alone, and wants \"" + TreePages.FIRST
                            + "\", or what the page before had as \"next\"");
        }
        boolean wire = question.headers().contains(ClusterQuery.WIRE_HEADER);
        return reply(question, () -> {
            Buffer told = Buffer.buffer(Answers.page(pages.page(page)));
            forgetting.keeps(pages, TreePages.LEASE, pages::forgetSilent);
            return wire ? told : new JsonObject(told);
        });
    }

    /** Tells who waits for whom here: names, times and locks, which every node may know (rule S4). */
    private Future<Void> answerWaits(Message<Object> question, Map<String, ?> keys) {
        Map<String, Object> rest = new HashMap<>(keys);
        Object least = rest.remove(DeadlockWatch.WAITS);
        Object suspected = rest.remove(DeadlockWatch.SUSPECTED);
        if (!rest.isEmpty()
                || !(suspected == null || suspected instanceof Boolean)
                || !(least instanceof Integer || least instanceof Long)
                || ((Number) least).longValue() < 0
                || ((Number) least).longValue() > LONGEST_WAIT.toMillis()) {
            throw new BadQueryException(
                    BadQueryException.MALFORMED,
                    "\"waits\" stands alone, or with \"suspected\", and wants the milliseconds from which on waits are"
                            + " told, from 0 to " + LONGEST_WAIT.toMillis());
        }
        if (Boolean.TRUE.equals(suspected)) {
            deadlocks.suspect();
        }
        boolean wire = question.headers().contains(ClusterQuery.WIRE_HEADER);
        Duration from = Duration.ofMillis(((Number) least).longValue());
        return reply(question, () -> {
            JsonObject told = NodeWaitsJson.write(deadlocks.waits(from));
            return wire ? told.toBuffer() : told;
        });
    }

    /** Encodes on a worker, and replies from there: a large JSON object would be copied on the event loop otherwise. */
    private Future<Void> reply(Message<Object> question, Callable<Object> answer) {
        return worker.executeBlocking(
                () -> {
                    question.reply(answer.call());
                    return null;
                },
                false);
    }

    private static Object write(ClusterStatus status, StatusQuery query) {
        return query.format() == StatusQuery.Format.JSON
                ? new JsonObject(Buffer.buffer(Answers.json(status)))
                : Answers.text(status, query);
    }

    private static Object write(StatusSnapshot snapshot, StatusQuery query) {
        return query.format() == StatusQuery.Format.JSON
                ? new JsonObject(Buffer.buffer(Answers.json(snapshot)))
                : Answers.text(snapshot, query);
    }

    private static Map<String, ?> keys(@Nullable Object body) {
        if (body == null) {
            return Map.of();
        }
        if (body instanceof JsonObject json) {
            return json.getMap();
        }
        throw new BadQueryException(
                BadQueryException.MALFORMED,
                "the body is a " + body.getClass().getSimpleName()
                        + ", and a question is a JSON object, such as {} or {\"nodes\": [\"alice\"]}, or nothing");
    }

    /** Newer versions of Vert.x drop what a consumer throws without a word, and the asker would wait for nothing. */
    private static void guarded(Message<Object> question, Callable<Future<Void>> work) {
        var unused = attempt(question, work);
    }

    /** The same for what takes a worker its time: a flood of questions is refused, and does not pile up (rule S16). */
    private void bounded(Message<Object> question, Callable<Future<Void>> work) {
        if (underWay.get() >= MOST_UNDER_WAY) {
            refuse(
                    question,
                    new BadQueryException(
                            BadQueryException.TOO_MANY,
                            "this node is answering " + MOST_UNDER_WAY
                                    + " questions already; ask again in a moment, or open a stream instead of asking"
                                    + " often"));
            return;
        }
        underWay.incrementAndGet();
        var unused = attempt(question, work).onComplete(done -> underWay.decrementAndGet());
    }

    private static Future<Void> attempt(Message<Object> question, Callable<Future<Void>> work) {
        Future<Void> answered;
        try {
            answered = work.call();
        } catch (Throwable t) {
            answered = Future.failedFuture(t);
        }
        return answered.onFailure(failure -> refuse(question, failure));
    }

    private static void refuse(Message<Object> question, Throwable failure) {
        try {
            if (failure instanceof BadQueryException bad) {
                question.fail(bad.code(), bad.sentence());
                return;
            }
            LOG.error("a question for status could not be answered", failure);
            question.fail(
                    FAULT,
                    "this node failed to make its status: " + Printable.line(failure.toString())
                            + "; its log has more");
        } catch (Throwable t) {
            LOG.error("a question for status could not be answered, and not even that could be told", t);
        }
    }
}
