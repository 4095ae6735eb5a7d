package com.fastn.status;

import static java.util.Objects.requireNonNull;

import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.ContextPath;
import com.fastn.context.status.Explainer;
import com.fastn.context.status.Explanation;
import com.fastn.context.status.StatusJson;
import com.fastn.context.vertx.Addresses;
import com.google.errorprone.annotations.CheckReturnValue;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.Message;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.eventbus.ReplyFailure;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.core.streams.ReadStream;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Asks the status verticles of a cluster, for programs.
 *
 * <pre>{@code
 * StatusClient status = StatusClient.create(vertx);
 * status.status("alice", "bob").onSuccess(cluster -> System.out.println(cluster));
 * status.stream().handler(cluster -> show(cluster));
 * }</pre>
 *
 * <p>Where a status verticle is deployed in the same Vertx it answers, so that no other node can hold an answer up. Elsewhere
 * a question that falls to a node that hangs is asked once more, which another node answers. Nodes that do not answer are rows
 * of the answer with a reason.
 *
 * <p>A future fails with an {@link ReplyException}: with a code of the table in the protocol's documentation and a sentence,
 * or because nobody answers. Threads: any; futures complete on the caller's Vert.x context.
 */
@CheckReturnValue
public final class StatusClient {
    private static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(3);
    /** Vert.x goes round over the nodes, so the next attempt falls to another one. */
    private static final int ATTEMPTS = 3;

    private final Vertx vertx;
    private final Duration timeout;

    private StatusClient(Vertx vertx, Duration timeout) {
        this.vertx = vertx;
        this.timeout = timeout;
    }

    /**
     * Makes a client. It holds nothing that has to be given back.
     *
     * @param vertx of the node that asks, with or without a status verticle of its own
     * @return the client
     */
    public static StatusClient create(Vertx vertx) {
        return new StatusClient(requireNonNull(vertx, "vertx"), DEFAULT_TIMEOUT);
    }

    /**
     * Makes a client that waits longer or shorter.
     *
     * @param duration for each of at most three attempts, 3 s unless said; more than the option {@code queryTimeout} of the
     *     nodes
     * @return the client
     * @throws IllegalArgumentException if it is not positive
     */
    public StatusClient withTimeout(Duration duration) {
        if (duration.toMillis() <= 0) {
            throw new IllegalArgumentException("an answer takes some time; give it more than " + duration);
        }
        return new StatusClient(vertx, duration);
    }

    /** {@return the status of all nodes of the cluster} */
    public Future<ClusterStatus> status() {
        return ask(new JsonObject());
    }

    /**
     * {@return the status of some nodes}
     *
     * @param nodes aliases, or beginnings of incarnations of 4 characters and more
     */
    public Future<ClusterStatus> status(String... nodes) {
        return ask(of(List.of(nodes)));
    }

    /**
     * {@return a part of the tree of every node that has it}
     *
     * @param path the path from the root down
     */
    public Future<ClusterStatus> status(ContextPath path) {
        return ask(new JsonObject().put("path", new JsonArray(path.names())));
    }

    /** {@return the status of all nodes, with the contexts that ended last and are remembered} */
    public Future<ClusterStatus> recent() {
        return ask(new JsonObject().put("recent", true));
    }

    /** {@return the status of all nodes, with the times in which contexts were stuck} */
    public Future<ClusterStatus> episodes() {
        return ask(new JsonObject().put("episodes", true));
    }

    /** {@return why contexts of the cluster are stuck, those that are stuck for the longest first; empty when none is} */
    public Future<List<Explanation>> explain() {
        return status().compose(cluster ->
                vertx.executeBlocking(() -> Explainer.of(cluster).explainAll(), false));
    }

    /**
     * {@return why one context is where it is, or {@code null} when no node shows it}
     *
     * @param context its path in dotted form, or its short name as the status shows it
     */
    public Future<@Nullable Explanation> explain(String context) {
        requireNonNull(context, "context");
        return status().compose(cluster ->
                vertx.executeBlocking(() -> Explainer.of(cluster).explain(context), false));
    }

    /**
     * {@return the status of the cluster as it changes: the first at once, later ones when something changed and at most one
     * per second} It begins when its handler is set, and ends when the handler is set to {@code null}.
     *
     * <p>A stream that is paused keeps the newest status only. When the node that serves it is lost, it goes on with another:
     * {@code exceptionHandler} is told, and the stream does not end.
     *
     * @param nodes aliases, or beginnings of incarnations; none for the whole cluster
     */
    public ReadStream<ClusterStatus> stream(String... nodes) {
        return new StatusStream(vertx, List.of(nodes));
    }

    private static JsonObject of(List<String> nodes) {
        return nodes.isEmpty() ? new JsonObject() : new JsonObject().put("nodes", new JsonArray(nodes));
    }

    private Future<ClusterStatus> ask(JsonObject question) {
        return ask(question, ATTEMPTS);
    }

    private Future<ClusterStatus> ask(JsonObject question, int attempts) {
        DeliveryOptions options = new DeliveryOptions()
                .setSendTimeout(timeout.toMillis())
                .addHeader(ClusterQuery.WIRE_HEADER, ClusterQuery.WIRE_VERSION);
        Future<Message<Object>> reply = vertx.eventBus().request(Addresses.STATUS_QUERY, question, options);
        return reply.compose(
                message -> vertx.executeBlocking(() -> read(message), false),
                failure -> attempts > 1 && isTimeout(failure)
                        ? ask(question, attempts - 1)
                        : Future.failedFuture(failure));
    }

    private static boolean isTimeout(Throwable failure) {
        return failure instanceof ReplyException e && e.failureType() == ReplyFailure.TIMEOUT;
    }

    private static ClusterStatus read(Message<Object> message) {
        if (message.body() instanceof Buffer bytes) {
            return StatusJson.readCluster(bytes.getBytes());
        }
        throw new IllegalArgumentException("what answers at " + Addresses.STATUS_QUERY
                + " is no status verticle of this version; upgrade the one that is older");
    }
}
