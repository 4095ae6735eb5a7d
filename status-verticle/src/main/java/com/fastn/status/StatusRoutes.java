package com.fastn.status;

import com.fastn.context.Ticker;
import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.Explanation;
import com.fastn.context.status.NodeIdentity;
import com.fastn.context.status.NodeStatus;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.status.ClusterAnswers.BusSilentException;
import com.fastn.status.http.HttpQuestion;
import com.fastn.status.http.HttpRefusalException;
import com.fastn.status.http.HttpReply;
import com.fastn.status.http.HttpRoute;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Function;

/** What the status port answers, by path. */
final class StatusRoutes {
    /** Enough to see who asked last; all of 10,000 would not fit an answer. */
    static final int MOST_RECENT = 500;

    private final PortThreads threads;
    private final LocalStatus local;
    private final NodeDirectory directory;
    private final ClusterAnswers cluster;
    private final ThreadDump threadDump;

    StatusRoutes(
            PortThreads threads, LocalStatus local, NodeDirectory directory, ClusterAnswers cluster, Ticker ticker) {
        this.threads = threads;
        this.local = local;
        this.directory = directory;
        this.cluster = cluster;
        this.threadDump = new ThreadDump(ticker);
    }

    /** {@return the routes, by path} */
    Map<String, HttpRoute> byPath() {
        Map<String, HttpRoute> routes = new LinkedHashMap<>();
        routes.put("/status", guarded(this::status));
        routes.put("/status/nodes", guarded(this::nodes));
        routes.put("/status/recent", guarded(this::recent));
        routes.put("/status/explain", guarded(this::explain));
        routes.put("/status/episodes", guarded(this::episodes));
        routes.put("/status/checks", guarded(this::checks));
        routes.put("/metrics", guarded(this::metrics));
        routes.put("/threads", guarded(this::threads));
        routes.put("/health", guarded(this::health));
        return routes;
    }

    /** What is wrong with a question is told to whoever asked, wherever it is found out. */
    private static HttpRoute guarded(Function<HttpQuestion, CompletableFuture<HttpReply>> route) {
        return question -> {
            CompletableFuture<HttpReply> reply;
            try {
                reply = route.apply(question);
            } catch (BadQueryException e) {
                return CompletableFuture.completedFuture(refusal(e));
            }
            return reply.exceptionally(failure -> {
                Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
                if (cause instanceof BadQueryException bad) {
                    return refusal(bad);
                }
                throw failure instanceof RuntimeException e ? e : new CompletionException(failure);
            });
        };
    }

    private static HttpReply refusal(BadQueryException bad) {
        return HttpReply.text(bad.code(), bad.sentence() + "\n");
    }

    private CompletableFuture<HttpReply> status(HttpQuestion question) {
        StatusRequest request = StatusRequest.once(question);
        if (request.deltas()) {
            throw new HttpRefusalException(400, "deltas are told by /status/stream");
        }
        StatusQuery query = request.query();
        if (request.cluster()) {
            if (request.recent()) {
                throw new HttpRefusalException(
                        400,
                        "contexts that ended are told by each node for itself; leave out nodes and scope, or recent");
            }
            return cluster.ask(query).thenCompose(status -> threads.work(() -> write(status, query)));
        }
        return threads.work(() -> {
            StatusSnapshot snapshot = local.take(query, LocalStatus.HTTP_WAIT);
            return write(request.recent() ? snapshot.withRecent(local.recent(query, MOST_RECENT)) : snapshot, query);
        });
    }

    /** The nodes as rows without their trees. */
    private CompletableFuture<HttpReply> nodes(HttpQuestion question) {
        StatusQuery asked = StatusRequest.once(question).query();
        StatusQuery shallow = new StatusQuery(asked.nodes(), asked.format(), 1, null, asked.width(), asked.lines());
        return cluster.ask(shallow).thenCompose(status -> threads.work(() -> write(rows(status), shallow)));
    }

    private static ClusterStatus rows(ClusterStatus status) {
        List<NodeStatus> rows = status.nodes().stream()
                .map(node -> new NodeStatus(node.node(), node.state(), node.age(), node.reason(), node.summary(), null))
                .toList();
        return new ClusterStatus(status.timestamp(), status.answeredBy(), rows);
    }

    /** The contexts that ended, below a root that stands alone. */
    private CompletableFuture<HttpReply> recent(HttpQuestion question) {
        StatusQuery asked = StatusRequest.once(question).query();
        StatusQuery root = new StatusQuery(List.of(), asked.format(), 1, null, asked.width(), asked.lines());
        return threads.work(() -> {
            StatusSnapshot snapshot = local.take(root, java.time.Duration.ZERO);
            StatusSnapshot alone = new StatusSnapshot(
                            snapshot.node(),
                            snapshot.timestamp(),
                            snapshot.version(),
                            null,
                            snapshot.globalContext(),
                            List.of(),
                            List.of(),
                            List.of())
                    .withRecent(local.recent(asked, MOST_RECENT));
            return write(alone, root);
        });
    }

    /** Why one context is stuck, or all that are; in the cluster from node to node. */
    private CompletableFuture<HttpReply> explain(HttpQuestion question) {
        StatusRequest request = StatusRequest.once(question, "context");
        String context = question.parameters().get("context");
        boolean json = request.query().format() == StatusQuery.Format.JSON;
        if (request.cluster()) {
            return cluster.ask(BusQuestion.explaining(request.query().whole(), context))
                    .thenCompose(answer -> threads.work(() -> {
                        List<Explanation> found = Explanations.of(answer, context);
                        return json
                                ? HttpReply.json(Explanations.json(found, answer)
                                        .toBuffer()
                                        .getBytes())
                                : HttpReply.text(200, Explanations.text(found, answer, request.query()));
                    }));
        }
        return threads.work(() -> local.explain(context))
                .thenApply(found -> json
                        ? HttpReply.json(Explanations.json(found))
                        : HttpReply.text(200, Explanations.text(found, request.query())));
    }

    private CompletableFuture<HttpReply> episodes(HttpQuestion question) {
        StatusQuery query = StatusRequest.once(question).query();
        return threads.work(() -> query.format() == StatusQuery.Format.JSON
                ? HttpReply.json(Explanations.episodesJson(local.episodes()))
                : HttpReply.text(200, Explanations.episodesText(local.episodes())));
    }

    /** What this node finds when it looks at itself. While its event loop is blocked, that is all that is found. */
    private CompletableFuture<HttpReply> checks(HttpQuestion question) {
        boolean json = StatusRequest.once(question).query().format() == StatusQuery.Format.JSON;
        return cluster.look()
                .exceptionally(StatusRoutes::blocked)
                .thenApply(found -> json
                        ? HttpReply.json(NodeCheck.json(found).toBuffer().getBytes())
                        : HttpReply.text(200, NodeCheck.text(found)));
    }

    private static List<NodeCheck> blocked(Throwable failure) {
        Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
        if (cause instanceof BusSilentException) {
            return List.of(NodeCheck.wrong(
                    "event loop",
                    "the status verticle's stands still, so nothing else could be looked at",
                    "fastn explain, and /threads on this machine, show what is on it"));
        }
        throw failure instanceof RuntimeException e ? e : new CompletionException(failure);
    }

    private CompletableFuture<HttpReply> metrics(HttpQuestion question) {
        boolean openMetrics = question.accept().contains("application/openmetrics-text");
        return threads.work(() -> HttpReply.of(
                200,
                openMetrics ? MetricsText.OPEN_METRICS_TYPE : MetricsText.PROMETHEUS_TYPE,
                MetricsText.of(
                        local.take(StatusQuery.all(), LocalStatus.HTTP_WAIT), local.flatCounters(), openMetrics)));
    }

    private CompletableFuture<HttpReply> threads(HttpQuestion question) {
        if (!question.local()) {
            throw new HttpRefusalException(
                    403,
                    "stacks are told on the machine of the node alone; log in there and ask at 127.0.0.1, not through"
                            + " a proxy");
        }
        return threads.work(() -> HttpReply.text(200, threadDump.text()));
    }

    /** Alive is who answers this; ready is whose event loop has time. Who shows no token where one is wanted learns no name. */
    private CompletableFuture<HttpReply> health(HttpQuestion question) {
        String ready = question.parameters().getOrDefault("ready", "false");
        if (!ready.equals("true")) {
            return CompletableFuture.completedFuture(health(question, 200, "UP"));
        }
        return cluster.knock().handle((awake, failure) -> {
            Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
            if (cause != null && !(cause instanceof BusSilentException)) {
                throw new CompletionException(cause);
            }
            return cause == null ? health(question, 200, "UP") : health(question, 503, "BLOCKED");
        });
    }

    private HttpReply health(HttpQuestion question, int code, String status) {
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("status", status);
        if (question.trusted()) {
            NodeIdentity self = directory.self();
            body.put("alias", self.alias());
            body.put("incarnation", self.incarnation());
        }
        return HttpReply.of(code, HttpReply.JSON, new io.vertx.core.json.JsonObject(body).encode() + "\n");
    }

    private static HttpReply write(ClusterStatus status, StatusQuery query) {
        return query.format() == StatusQuery.Format.JSON
                ? HttpReply.json(Answers.json(status, query.contexts(Answers.MOST_CONTEXTS)))
                : HttpReply.text(200, Answers.text(status, query));
    }

    private static HttpReply write(StatusSnapshot snapshot, StatusQuery query) {
        return query.format() == StatusQuery.Format.JSON
                ? HttpReply.json(Answers.json(snapshot))
                : HttpReply.text(200, Answers.text(snapshot, query));
    }
}
