package com.fastn.status;

import static com.fastn.status.Schemas.errors;
import static com.fastn.status.Schemas.fits;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fastn.context.ContextMutex;
import com.fastn.context.ContextRuntime;
import com.fastn.context.ContextScope;
import com.fastn.context.FastnContext;
import com.fastn.context.LockGuard;
import com.fastn.context.status.LockMode;
import com.fastn.context.status.LockStatus;
import com.fastn.context.status.LockType;
import com.fastn.context.status.MetricValue;
import com.fastn.context.status.StatusJson;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.context.vertx.Addresses;
import com.fastn.context.vertx.FastnVertx;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.MessageConsumer;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * What is answered is what docs/schema says.
 */
@Timeout(120)
@SuppressWarnings("MustBeClosedChecker") // the runtime ends with the test
class AnswerSchemasTest {
    private static final Duration LONG = Duration.ofSeconds(60);
    private static final Vertx VERTX = Vertx.vertx();

    private static String url = "";

    /** One of everything that can be told. */
    @BeforeAll
    static void open() {
        StatusVerticle verticle =
                new StatusVerticle(new StatusOptions().setAlias("alice").setDescriptors(false));
        Waiting.result(VERTX.deployVerticle(verticle));
        url = requireNonNull(verticle.url());
        ContextRuntime runtime = FastnVertx.install(VERTX).runtime();
        FastnContext root = runtime.root();
        FastnContext order = root.child("order")
                .withData("note", "hello")
                .withData("large", 1L << 60)
                .withData("deep", Map.of("list", List.of(1, "two", 3.5)))
                .open();
        order.addMetric("items", new MetricValue.Counter(3));
        order.addMetric("huge", new MetricValue.Bytes(1L << 60));
        order.addMetric("load", new MetricValue.Gauge(Double.NaN));
        order.addMetric("mode", new MetricValue.Text("fast"));
        order.addMetric("took", new MetricValue.Duration(Duration.ofSeconds(3)));
        order.addTotal("orders", 1L << 60);
        order.incrementLive("open");
        order.operation("bank");
        var unused = runtime.counters().windows(order.path(), "orders");
        order.child("stopping").open().cancel("enough");
        FastnContext ended = root.child("ended").open();
        ended.persist();
        ended.close();
        FastnContext failed = root.child("failed").open();
        failed.persist();
        failed.failed(new IllegalStateException("no"));
        failed.close();
        var permit = root.semaphore("tills", 4).tryAcquire(2);
        assertThat(permit).isNotNull();
        var read = root.readWriteLock("prices", "").tryReadLock();
        assertThat(read).isNotNull();
        ContextMutex<String> orders = root.mutex("orders", "");
        ContextMutex<String> stock = root.mutex("stock", "");
        LockGuard<String> first = requireNonNull(orders.tryLock());
        LockGuard<String> second = requireNonNull(stock.tryLock());
        nested(root, "checkout", orders, stock);
        nested(root, "refill", stock, orders);
        first.close();
        second.close();
    }

    private static void nested(FastnContext root, String name, ContextMutex<String> outer, ContextMutex<String> inner) {
        FastnContext who = root.child(name).open();
        try (ContextScope ignored = who.makeCurrent()) {
            var unused = outer.<String>withLock(value -> {
                try (ContextScope within = who.makeCurrent()) {
                    return inner.<String>withLock(other -> CompletableFuture.completedFuture("done"));
                }
            });
        }
    }

    @AfterAll
    static void close() {
        Waiting.result(VERTX.close());
    }

    private static String get(String target) {
        RawHttp.Response answer = RawHttp.get(url, target);
        assertThat(answer.status()).as(target).isEqualTo(200);
        return answer.body();
    }

    @Test
    void whatThePortAnswersIsWhatTheSchemasSay() {
        String status = get("/status?format=json&recent=true");
        assertThat(status)
                .contains("\"causes\":", "\"recent\":", "_text\":", "\"mode\":\"permits\"", "\"proven\":true");
        fits("status_snapshot", status);
        fits("status_snapshot", get("/status?format=json&depth=1"));
        fits("cluster_status", get("/status?scope=cluster&format=json"));
        fits("nodes", get("/status/nodes?format=json"));
        fits("recent", get("/status/recent?format=json"));
        String explanations = get("/status/explain?format=json");
        assertThat(new JsonObject(explanations).getInteger("count")).isPositive();
        fits("explanations", explanations);
        fits("explanations", get("/status/explain?format=json&scope=cluster"));
        String episodes = get("/status/episodes?format=json");
        assertThat(new JsonObject(episodes).getInteger("count")).isPositive();
        fits("episodes", episodes);
        fits("node_checks", get("/status/checks?format=json"));
    }

    @Test
    void whatAStreamTellsIsWhatTheSchemasSay() {
        try (OpenStream stream = new OpenStream(url, "/status/stream?format=ndjson&deltas=true")) {
            fits("status_snapshot", stream.document());
            FastnContext one =
                    FastnVertx.install(VERTX).runtime().root().child("one-more").open();
            one.incrementTotal("changes");
            String delta = stream.document();
            while (!delta.contains("\"kind\":\"status_delta\"")) {
                delta = stream.document();
            }
            fits("status_delta", delta);
            one.close();
        }
    }

    @Test
    void D9_whatAStreamTellsInsteadOfAStatusIsWhatTheSchemaSays() {
        try (OpenStream stream = new OpenStream(url, "/status/stream?format=ndjson&path=global.attic")) {
            fits("error", stream.document());
        }
    }

    @Test
    void whatTheBusAnswersIsWhatTheSchemasSay() {
        fits(
                "cluster_status",
                ask("fastn.status", new JsonObject().put("recent", true).put("episodes", true)));
        fits("status_snapshot", ask("fastn.status.node.alice", new JsonObject()));
        fits("status_page", ask("fastn.status.node.alice", new JsonObject().put("page", "first")));
        JsonObject base = new JsonObject(ask("fastn.status.node.alice", new JsonObject().put("since_version", -1)));
        FastnVertx.install(VERTX).runtime().root().incrementTotal("asked");
        fits(
                "status_delta",
                ask(
                        "fastn.status.node.alice",
                        new JsonObject()
                                .put("since_version", base.getLong("version"))
                                .put("since_timestamp", base.getString("timestamp"))));
        fits("explanations", ask("fastn.status", new JsonObject().put("explain", true)));
    }

    /** What is published to the cluster is looked at in {@link BusSchemasTest}. */
    @Test
    void whatIsPublishedInThisNodeIsWhatTheSchemasSay() {
        for (String address : List.of(Addresses.STATUS, Addresses.STATUS_CHANGES)) {
            List<String> heard = new CopyOnWriteArrayList<>();
            MessageConsumer<JsonObject> consumer = VERTX.eventBus()
                    .consumer(address, message -> heard.add(message.body().encode()));
            FastnContext more = FastnVertx.install(VERTX)
                    .runtime()
                    .root()
                    .child("published")
                    .open();
            await().atMost(LONG).until(() -> heard.stream().anyMatch(status -> status.contains("\"published\"")));
            more.close();
            Waiting.result(consumer.unregister());
            assertThat(heard)
                    .allSatisfy(status -> assertThat(status)
                            .contains("\"causes\":", "_text\":", "\"mode\":\"permits\"", "\"proven\":true"));
            heard.forEach(status -> fits("status_snapshot", status));
        }
    }

    private static String ask(String address, JsonObject question) {
        return Waiting.result(VERTX.eventBus().<JsonObject>request(address, question))
                .body()
                .encode();
    }

    @Test
    void anAnswerThatIsNotWhatItShouldBeIsNoticed() {
        String good = get("/status?format=json");
        fits("status_snapshot", good);
        for (String wrong : List.of(
                good.replaceFirst("\"duration_ms\":\\d+", "\"duration_ms\":\"8s\""),
                good.replaceFirst("\"duration_ms\"", "\"duration\""),
                good.replaceFirst("\"state\":\"active\"", "\"state\":\"ACTIVE\""),
                good.replaceFirst("\"children\":\\[", "\"new_field\":1,\"children\":["),
                good.replaceFirst("\"timestamp\":\"[^\"]*\",", ""),
                good.replaceFirst("\"kind\":\"status_snapshot\"", "\"kind\":\"status\""))) {
            assertThat(wrong).isNotEqualTo(good);
            assertThat(errors("status_snapshot", wrong)).isNotEmpty();
        }
        assertThat(errors("nodes", get("/status?scope=cluster&format=json"))).isNotEmpty();
        assertThat(errors("recent", good)).isNotEmpty();
    }

    @Test
    void aHolderWhoIsNotToldYetIsOfTheSchemaToo() {
        try (ContextRuntime runtime = ContextRuntime.builder().build()) {
            StatusSnapshot status = runtime.status();
            LockStatus untold = new LockStatus(
                    "orders",
                    1,
                    LockType.MUTEX,
                    LockMode.EXCLUSIVE,
                    1,
                    1,
                    "root",
                    status.globalContext().id(),
                    status.globalContext().path(),
                    Duration.ofSeconds(8),
                    1,
                    0,
                    false,
                    null,
                    false);
            String written = StatusJson.write(
                    Fixtures.snapshot(status.node(), 1, status.globalContext(), List.of(untold), List.of(), List.of()));
            assertThat(written).contains("\"told\":false");
            fits("status_snapshot", written);
        }
    }
}
