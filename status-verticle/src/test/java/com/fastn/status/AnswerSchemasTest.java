package com.fastn.status;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fastn.context.ContextMutex;
import com.fastn.context.ContextRuntime;
import com.fastn.context.ContextScope;
import com.fastn.context.FastnContext;
import com.fastn.context.LockGuard;
import com.fastn.context.status.MetricValue;
import com.fastn.context.vertx.FastnVertx;
import com.networknt.schema.InputFormat;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaLocation;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * What is answered is what docs/schema says. The schemas let readers pass over fields that they do not know; here each field has to be in
 * them, so that none is added without a word.
 */
@Timeout(120)
@SuppressWarnings("MustBeClosedChecker") // the runtime ends with the test
class AnswerSchemasTest {
    private static final String BASE = "https://schemas.test/";
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final Vertx VERTX = Vertx.vertx();
    private static final SchemaRegistry STRICT = registry();

    private static String url = "";

    private static Path folder() {
        Path here = Path.of("").toAbsolutePath();
        while (here != null && !Files.isDirectory(here.resolve("docs/schema"))) {
            here = here.getParent();
        }
        return requireNonNull(here, "a folder above with docs/schema").resolve("docs/schema");
    }

    private static SchemaRegistry registry() {
        Map<String, String> schemas = new HashMap<>();
        try (Stream<Path> files = Files.list(folder())) {
            for (Path file : files.toList()) {
                JsonNode schema = MAPPER.readTree(file.toFile());
                schema.findParents("properties").forEach(AnswerSchemasTest::allowNothingElse);
                schemas.put(BASE + file.getFileName(), schema.toString());
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return SchemaRegistry.withDefaultDialect(
                SpecificationVersion.DRAFT_2020_12, builder -> builder.schemas(schemas));
    }

    /** All but numbers that stand as text beside themselves. */
    private static void allowNothingElse(JsonNode schema) {
        if (schema instanceof ObjectNode object && object.has("required") && !object.has("additionalProperties")) {
            object.put("additionalProperties", false);
            object.putObject("patternProperties").putObject("_text$").put("type", "string");
        }
    }

    private static List<String> errors(String schema, String json) {
        Schema found = STRICT.getSchema(SchemaLocation.of(BASE + schema + ".json"));
        return found.validate(json, InputFormat.JSON).stream()
                .map(error -> error.getInstanceLocation() + ": " + error.getMessage())
                .toList();
    }

    private static void fits(String schema, String json) {
        assertThat(errors(schema, json)).as(schema).isEmpty();
    }

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
        String episodes = get("/status/episodes?format=json");
        assertThat(new JsonObject(episodes).getInteger("count")).isPositive();
        fits("episodes", episodes);
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
    void whatTheBusAnswersIsWhatTheSchemasSay() {
        fits(
                "cluster_status",
                ask("fastn.status", new JsonObject().put("recent", true).put("episodes", true)));
        fits("status_snapshot", ask("fastn.status.node.alice", new JsonObject()));
        fits("explanations", ask("fastn.status", new JsonObject().put("explain", true)));
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
}
