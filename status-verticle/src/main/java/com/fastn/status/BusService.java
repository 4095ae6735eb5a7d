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
import io.vertx.core.eventbus.Message;
import io.vertx.core.eventbus.MessageConsumer;
import io.vertx.core.json.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
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

    private static final Logger LOG = LoggerFactory.getLogger(BusService.class);

    private final Vertx vertx;
    private final WorkerExecutor worker;
    private final LocalStatus local;
    private final ClusterQuery cluster;
    private final List<MessageConsumer<Object>> consumers = new ArrayList<>();
    private @Nullable Registration responder;

    BusService(Vertx vertx, WorkerExecutor worker, LocalStatus local, ClusterQuery cluster) {
        this.vertx = vertx;
        this.worker = worker;
        this.local = local;
        this.cluster = cluster;
    }

    /**
     * Begins to answer.
     *
     * @param fastn takes care of questions that land on a consumer of the application
     * @param node who this node is
     * @return completes when all nodes of the cluster can ask
     */
    Future<Void> start(FastnVertx fastn, NodeIdentity node) {
        responder = fastn.answerStatus(this::answerCluster);
        consume(Addresses.STATUS, this::answerCluster);
        consume(Addresses.STATUS_QUERY, this::answerCluster);
        consume(Addresses.node(node.alias()), this::answerNode);
        consume(Addresses.node(node.incarnation()), this::answerNode);
        return Future.all(consumers.stream().map(MessageConsumer::completion).toList())
                .mapEmpty();
    }

    /** {@return completes when nothing is answered any more} */
    Future<Void> stop() {
        Registration registration = responder;
        if (registration != null) {
            registration.close();
        }
        return Future.join(consumers.stream().map(MessageConsumer::unregister).toList())
                .mapEmpty();
    }

    private void consume(String address, java.util.function.Consumer<Message<Object>> answer) {
        consumers.add(vertx.eventBus().consumer(address, answer::accept));
    }

    private void answerCluster(Message<Object> question) {
        if (question.replyAddress() == null) {
            // Published status, which is for applications.
            return;
        }
        guarded(question, () -> {
            StatusQuery query = StatusQuery.of(body(question));
            return cluster.ask(query).compose(status -> reply(question, () -> write(status, query)));
        });
    }

    private void answerNode(Message<Object> question) {
        if (question.replyAddress() == null) {
            return;
        }
        guarded(question, () -> {
            StatusQuery query = StatusQuery.of(body(question));
            boolean wire = question.headers().contains(ClusterQuery.WIRE_HEADER);
            return reply(question, () -> {
                StatusSnapshot snapshot = local.take(query, LocalStatus.BUS_WAIT);
                return wire ? Buffer.buffer(Answers.wire(snapshot)) : write(snapshot, query);
            });
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

    private static Map<String, ?> body(Message<Object> question) {
        Object body = question.body();
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
        try {
            work.call().onFailure(failure -> refuse(question, failure));
        } catch (Throwable t) {
            refuse(question, t);
        }
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
