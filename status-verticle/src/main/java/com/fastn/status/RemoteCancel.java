package com.fastn.status;

import com.fastn.context.CancelReport;
import com.fastn.context.ContextRuntime;
import com.fastn.context.FastnContext;
import com.fastn.context.status.ContextPath;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.WorkerExecutor;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Cancels contexts of this node for others, where the operator of this node has said that they may (rule S4). Everything else
 * that can be asked of a status verticle only reads.
 */
final class RemoteCancel {
    private static final String CONTEXT = "context";
    private static final String REASON = "reason";
    private static final String WAIT = "wait_ms";
    private static final int LONGEST_REASON = 256;
    private static final int LONGEST_PATH = 8_192;
    private static final long LONGEST_WAIT_MILLIS = 10_000;
    private static final Logger LOG = LoggerFactory.getLogger(RemoteCancel.class);

    private final Vertx vertx;
    private final WorkerExecutor worker;
    private final ContextRuntime runtime;
    private final boolean allowed;
    private final ClusterTrust trust;

    RemoteCancel(Vertx vertx, WorkerExecutor worker, ContextRuntime runtime, boolean allowed, ClusterTrust trust) {
        this.vertx = vertx;
        this.worker = worker;
        this.runtime = runtime;
        this.allowed = allowed;
        this.trust = trust;
    }

    /**
     * Cancels a context and all below it.
     *
     * @param body which one, why, and how long to wait for those below it
     * @return what became of it; fails with a {@link BadQueryException} when it is not allowed, not understood, or not there
     */
    Future<JsonObject> cancel(Map<String, ?> body) {
        if (!allowed) {
            throw new BadQueryException(
                    BadQueryException.NOT_ALLOWED,
                    "this node lets no other one cancel its contexts; whoever runs it may set the option"
                            + " \"allowRemoteCancel\"");
        }
        if (!trust.isTrusted()) {
            throw new BadQueryException(
                    BadQueryException.NOT_ALLOWED,
                    "the nodes of this cluster do not prove who they are, so nobody may cancel contexts of another; give the"
                            + " event bus mutual TLS or an isolated network, and then set the option \"trustCluster\"");
        }
        Order order = Order.of(body);
        return worker.executeBlocking(
                        () -> {
                            FastnContext context = find(order);
                            // Off an event loop, so that all of the subtree is cancelled when this returns.
                            context.cancel(order.reason);
                            LOG.info(
                                    "another node had {} cancelled, with all below it: {}",
                                    Printable.line(context.path().toString()),
                                    Printable.line(order.reason));
                            return context;
                        },
                        false)
                .compose(context -> Future.fromCompletionStage(
                                context.cancelAndReport(order.patience), vertx.getOrCreateContext())
                        .map(report -> told(context, report)));
    }

    private FastnContext find(Order order) {
        FastnContext context =
                order.path == null ? runtime.find(order.id) : runtime.find(ContextPath.parse(order.path));
        if (context == null) {
            throw new BadQueryException(
                    BadQueryException.NOT_FOUND,
                    "no context is open on " + Printable.line(runtime.node().alias()) + " that is "
                            + (order.path == null
                                    ? "number " + order.id
                                    : "called \"" + Printable.line(order.path) + '"')
                            + "; it may have ended");
        }
        if (context.parent() == null) {
            throw new BadQueryException(
                    BadQueryException.NOT_ALLOWED,
                    "the root is the whole application, and is not cancelled from elsewhere; name a context below it");
        }
        return context;
    }

    private JsonObject told(FastnContext context, CancelReport report) {
        JsonArray unstopped = new JsonArray();
        for (CancelReport.Unstopped each : report.unstopped()) {
            unstopped.add(new JsonObject()
                    .put("id", each.contextId())
                    .put("path", each.path().toString())
                    .put("age_ms", each.age().toMillis())
                    .put("doing", each.doing()));
        }
        return new JsonObject()
                .put("kind", "cancelled")
                .put("schema", 1)
                .put("min_schema", 1)
                .put(
                        "node",
                        new JsonObject()
                                .put("alias", runtime.node().alias())
                                .put("incarnation", runtime.node().incarnation()))
                .put("id", context.id())
                .put("path", context.path().toString())
                .put("waited_ms", report.waited().toMillis())
                .put("unstopped", unstopped)
                .put("more", report.more());
    }

    /** {@return the body of an order} */
    static JsonObject order(long contextId, String reason, Duration wait) {
        return new JsonObject().put(CONTEXT, contextId).put(REASON, reason).put(WAIT, wait.toMillis());
    }

    /** {@return what became of an order, out of the reply} */
    static CancelReport report(JsonObject told) {
        List<CancelReport.Unstopped> unstopped = told.getJsonArray("unstopped").stream()
                .map(JsonObject.class::cast)
                .map(each -> new CancelReport.Unstopped(
                        each.getLong("id"),
                        ContextPath.parse(each.getString("path")),
                        Duration.ofMillis(each.getLong("age_ms")),
                        each.getString("doing")))
                .toList();
        return new CancelReport(Duration.ofMillis(told.getLong("waited_ms")), unstopped, told.getLong("more"));
    }

    /** What to cancel: the context of an id, or, with a path, the one that is found by it. */
    private record Order(long id, @Nullable String path, String reason, Duration patience) {
        static Order of(Map<String, ?> body) {
            Map<String, Object> rest = new HashMap<>(body);
            Object context = rest.remove(CONTEXT);
            Object reason = rest.remove(REASON);
            Object wait = rest.remove(WAIT);
            if (!rest.isEmpty()) {
                throw malformed(NearestNames.unknown(
                        "key", rest.keySet().iterator().next(), new TreeSet<>(List.of(CONTEXT, REASON, WAIT))));
            }
            boolean byId = context instanceof Integer || context instanceof Long;
            if (!byId && !(context instanceof String path && !path.isBlank() && path.length() <= LONGEST_PATH)) {
                throw malformed("\"context\" wants the id or the path of a context, as the status shows them");
            }
            if (!(reason instanceof String why) || why.isBlank() || why.length() > LONGEST_REASON) {
                throw malformed("\"reason\" wants the reason, for people, in 1 to " + LONGEST_REASON + " characters");
            }
            long millis = 0;
            if (wait instanceof Integer || wait instanceof Long) {
                millis = ((Number) wait).longValue();
            } else if (wait != null) {
                millis = -1;
            }
            if (millis < 0 || millis > LONGEST_WAIT_MILLIS) {
                throw malformed("\"wait_ms\" wants the milliseconds to wait for those below to end, from 0 to "
                        + LONGEST_WAIT_MILLIS);
            }
            return new Order(
                    context instanceof Number id ? id.longValue() : 0,
                    context instanceof String path ? path : null,
                    why,
                    Duration.ofMillis(millis));
        }

        private static BadQueryException malformed(String sentence) {
            return new BadQueryException(BadQueryException.MALFORMED, sentence);
        }
    }
}
