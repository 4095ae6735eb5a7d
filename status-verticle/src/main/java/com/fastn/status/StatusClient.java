package com.fastn.status;

import static java.util.Objects.requireNonNull;

import com.fastn.context.CancelReport;
import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.ContextPath;
import com.fastn.context.status.ContextStatus;
import com.fastn.context.status.Explanation;
import com.fastn.context.status.SnapshotDelta;
import com.fastn.context.status.StatusJson;
import com.fastn.context.status.StatusPage;
import com.fastn.context.vertx.Addresses;
import com.google.errorprone.annotations.CheckReturnValue;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.Message;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.eventbus.ReplyFailure;
import io.vertx.core.internal.ContextInternal;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.core.streams.ReadStream;
import java.time.Duration;
import java.util.ArrayList;
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
 * a question that falls to a node that hangs is asked up to two times more, which another node answers. Nodes that do not answer are rows
 * of the answer with a reason.
 *
 * <p>A future fails with a {@link ReplyException}: with a code and a sentence (400 for a question that is wrong, 403 for what the
 * operator does not allow, 404 for what is not there, 410 for what is over, 413 for an answer that is too large, 429 for too many
 * questions at once, 500 for a mistake of the node, 503 where a node that did not answer may know more), or because nobody answers.
 * Threads: any; futures complete on the caller's Vert.x context.
 */
@CheckReturnValue
public final class StatusClient {
    private static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(3);
    /** Vert.x goes round over the nodes, so the next attempt falls to another one. */
    private static final int ATTEMPTS = 3;

    private static final String PATH = "path";

    private final Vertx vertx;
    private final Duration timeout;
    private final @Nullable Integer depth;

    private StatusClient(Vertx vertx, Duration timeout, @Nullable Integer depth) {
        this.vertx = vertx;
        this.timeout = timeout;
        this.depth = depth;
    }

    /**
     * Makes a client. It holds nothing that has to be given back.
     *
     * @param vertx of the node that asks, with or without a status verticle of its own
     * @return the client
     */
    public static StatusClient create(Vertx vertx) {
        return new StatusClient(requireNonNull(vertx, "vertx"), DEFAULT_TIMEOUT, null);
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
        return new StatusClient(vertx, duration, depth);
    }

    /**
     * Makes a client whose answers and streams show less of each tree. Explanations want the whole, and get it.
     *
     * @param levels how many levels of a tree, or of the part that is asked for; 1 for its root alone. Never more than 30 are
     *     shown
     * @return the client
     * @throws IllegalArgumentException if it is less than 1
     */
    public StatusClient withDepth(int levels) {
        if (levels < 1) {
            throw new IllegalArgumentException(
                    "a tree has a root, which is 1 level; " + levels + " would show nothing");
        }
        return new StatusClient(vertx, timeout, Math.min(levels, SnapshotView.DEEPEST));
    }

    /** {@return the status of all nodes of the cluster} */
    public Future<ClusterStatus> status() {
        return ask(question());
    }

    /**
     * {@return the status of some nodes}
     *
     * @param nodes aliases, or beginnings of incarnations of 4 characters and more
     */
    public Future<ClusterStatus> status(String... nodes) {
        return ask(of(question(), nodes));
    }

    /**
     * {@return a part of the tree of every node that has it; others are rows without a status}
     *
     * @param path the path from the root down
     * @param nodes aliases, or beginnings of incarnations; none for the whole cluster
     */
    public Future<ClusterStatus> status(ContextPath path, String... nodes) {
        return ask(of(question().put(PATH, new JsonArray(path.names())), nodes));
    }

    /** {@return the status of all nodes, with the contexts that ended last and are remembered} */
    public Future<ClusterStatus> recent() {
        return ask(question().put("recent", true));
    }

    /** {@return the status of all nodes, with the times in which contexts were stuck} */
    public Future<ClusterStatus> episodes() {
        return ask(question().put("episodes", true));
    }

    /**
     * {@return why contexts of the cluster are stuck, and whether all nodes were asked: of those that did not answer nobody knows}
     */
    public Future<ClusterExplanations> explain() {
        return explain(true);
    }

    /**
     * {@return why one context is where it is, or {@code null} when all nodes answered and it is open on none} It fails with code 503
     * when it is not shown and a node did not answer, on which it may be; and with the code of those nodes when all of them refused with
     * one. However many contexts a node has, it is found.
     *
     * @param context its path in dotted form, its short name as the status shows it, or its id
     */
    public Future<@Nullable Explanation> explain(String context) {
        return explain((Object) requireNonNull(context, "context"))
                .map(found -> found.explanations().isEmpty()
                        ? null
                        : found.explanations().get(0))
                .recover(
                        failure -> failure instanceof ReplyException e && e.failureCode() == BadQueryException.NOT_FOUND
                                ? Future.succeededFuture()
                                : Future.failedFuture(failure));
    }

    private Future<ClusterExplanations> explain(Object what) {
        return request(new JsonObject().put("explain", what), ATTEMPTS)
                .compose(message -> vertx.executeBlocking(() -> Explanations.read(json(message)), false));
    }

    /** Nodes of before send no bytes, whatever is asked for. */
    private static JsonObject json(Message<Object> message) {
        if (message.body() instanceof JsonObject json) {
            return json;
        }
        byte[] bytes = bytes(message);
        if (bytes.length > Answers.MOST_BYTES) {
            throw new IllegalArgumentException(
                    "the answer has " + bytes.length + " bytes, and " + Answers.MOST_BYTES + " is the limit");
        }
        return new JsonObject(Buffer.buffer(bytes));
    }

    /**
     * {@return the status of the cluster as it changes: the first at once, later ones when something changed and at most one
     * per second} It begins when its handler is set, and ends when the handler is set to {@code null}, and with the verticle that set
     * it.
     *
     * <p>A stream that is paused keeps the newest status only. When the node that serves it is lost, it goes on with another:
     * {@code exceptionHandler} is told, and the stream does not end.
     *
     * @param nodes aliases, or beginnings of incarnations; none for the whole cluster. One that leaves is a row with that
     *     reason until its name fits another
     */
    public ReadStream<ClusterStatus> stream(String... nodes) {
        return new StatusStream(vertx, of(question(), nodes));
    }

    /**
     * {@return a part of the trees as it changes, in the way of {@link #stream(String...)}} A node on which nothing is open at the
     * path is a row without a status, with that reason; it may come, go and come back.
     *
     * @param path the path from the root down
     * @param nodes aliases, or beginnings of incarnations; none for the whole cluster
     */
    public ReadStream<ClusterStatus> stream(ContextPath path, String... nodes) {
        return new StatusStream(vertx, of(question().put(PATH, new JsonArray(path.names())), nodes));
    }

    /**
     * {@return the whole tree of one node, however many contexts it has, which is fetched page by page} It has the contexts that
     * were open when the reading began; each is told as it is when its page is made. It fails when the node is lost meanwhile.
     *
     * @param node its alias, or its incarnation
     */
    public Future<ContextStatus> tree(String node) {
        Promise<ContextStatus> tree = ((ContextInternal) vertx.getOrCreateContext()).promise();
        read(Addresses.node(node), TreePages.FIRST, new ArrayList<>(), tree);
        return tree.future();
    }

    /** Not by composing futures, which would lie inside one another as deep as there are pages. */
    private void read(String address, String which, List<SnapshotDelta.Change> read, Promise<ContextStatus> tree) {
        vertx.eventBus()
                .<Object>request(address, new JsonObject().put("page", which), bytes())
                .compose(message -> vertx.executeBlocking(() -> page(message), false))
                .onFailure(tree::tryFail)
                .onSuccess(page -> {
                    read.addAll(page.contexts());
                    String next = page.next();
                    if (next == null) {
                        vertx.executeBlocking(() -> StatusPage.tree(read), false)
                                .onComplete(tree);
                    } else if (page.contexts().isEmpty() || read.size() >= page.totalContexts()) {
                        tree.tryFail(new IllegalArgumentException(
                                "the node tells of more contexts than the " + page.totalContexts() + " that it has"));
                    } else {
                        read(Addresses.node(page.node().incarnation()), next, read, tree);
                    }
                });
    }

    /**
     * Cancels a context of a node, and all below it, where the operator of that node has set the option {@code allowRemoteCancel};
     * it fails with code 403 otherwise. It asks work to stop, and does not wait longer for it than is said.
     *
     * @param node its incarnation, or its alias, which may have begun another life with other ids meanwhile
     * @param contextId the context's id, as the status shows it
     * @param reason why, for people; at most 256 characters
     * @param wait how long to wait for those below to end, at most 10 s
     * @return which of them had not ended then
     */
    public Future<CancelReport> cancel(String node, long contextId, String reason, Duration wait) {
        DeliveryOptions options =
                new DeliveryOptions().setSendTimeout(timeout.plus(wait).toMillis());
        return vertx.eventBus()
                .<JsonObject>request(Addresses.cancel(node), RemoteCancel.order(contextId, reason, wait), options)
                .map(reply -> RemoteCancel.report(reply.body()));
    }

    private static StatusPage page(Message<Object> message) {
        return StatusJson.readPage(
                bytes(message), StatusJson.ReadLimits.DEFAULT.withMaxLength(Answers.MOST_WIRE_BYTES));
    }

    private JsonObject question() {
        return depth == null ? new JsonObject() : new JsonObject().put("depth", depth);
    }

    private static JsonObject of(JsonObject question, String... nodes) {
        return nodes.length == 0 ? question : question.put("nodes", new JsonArray(List.of(nodes)));
    }

    private Future<ClusterStatus> ask(JsonObject question) {
        return request(question, ATTEMPTS).compose(message -> vertx.executeBlocking(() -> read(message), false));
    }

    private Future<Message<Object>> request(JsonObject question, int attempts) {
        Future<Message<Object>> reply = vertx.eventBus().request(Addresses.STATUS_QUERY, question, bytes());
        return reply.recover(failure ->
                attempts > 1 && isTimeout(failure) ? request(question, attempts - 1) : Future.failedFuture(failure));
    }

    private DeliveryOptions bytes() {
        return new DeliveryOptions()
                .setSendTimeout(timeout.toMillis())
                .addHeader(ClusterQuery.WIRE_HEADER, ClusterQuery.WIRE_VERSION);
    }

    private static boolean isTimeout(Throwable failure) {
        return failure instanceof ReplyException e && e.failureType() == ReplyFailure.TIMEOUT;
    }

    private static ClusterStatus read(Message<Object> message) {
        return StatusJson.readCluster(bytes(message));
    }

    private static byte[] bytes(Message<Object> message) {
        if (message.body() instanceof Buffer bytes) {
            return bytes.getBytes();
        }
        throw new IllegalArgumentException(
                "what answers is no status verticle of this version; upgrade the one that is older");
    }
}
