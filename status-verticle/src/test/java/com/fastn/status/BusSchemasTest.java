package com.fastn.status;

import static com.fastn.status.Schemas.errors;
import static com.fastn.status.Schemas.fits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fastn.context.ContextRuntime;
import com.fastn.context.FastnContext;
import com.fastn.context.vertx.Addresses;
import com.fastn.context.vertx.FastnVertx;
import com.fastn.context.vertx.VertxContextOptions;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.DeliveryContext;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.Message;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** All that two nodes say to each other over the bus is what docs/schema says. */
@Timeout(180)
@SuppressWarnings("MustBeClosedChecker") // the runtimes end with the test
class BusSchemasTest {
    private static final Duration LONG = Duration.ofSeconds(60);
    private static TestCluster cluster;

    /** The schema of what is said at an address, and all that was said there. */
    private static final Map<String, List<String>> said = new ConcurrentHashMap<>();
    /** Where an answer goes, and the address of the question. */
    private static final Map<String, String> asked = new ConcurrentHashMap<>();

    private static final Set<String> unknown = ConcurrentHashMap.newKeySet();

    @BeforeAll
    static void start() {
        cluster = TestCluster.of(2);
        for (int i = 0; i < 2; i++) {
            FastnVertx.builder()
                    .options(new VertxContextOptions().setEventsAcrossCluster(true))
                    .install(node(i));
            node(i).eventBus().addInboundInterceptor(BusSchemasTest::note);
            node(i).eventBus().addOutboundInterceptor(BusSchemasTest::note);
        }
        for (int i = 0; i < 2; i++) {
            Waiting.result(node(i).deployVerticle(new StatusVerticle(new StatusOptions()
                    .setAlias(i == 0 ? "alice" : "bob")
                    .setHttp(false)
                    .setDescriptors(false)
                    .setAllowRemoteCancel(true)
                    .setTrustCluster(true)
                    .setHelloInterval(1_000)
                    .setPublish(StatusPublication.CLUSTER))));
        }
        cluster.untilMet(0, 1);
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    @Test
    void whatNodesSayToEachOtherIsWhatTheSchemasSay() {
        List<Message<Object>> published = new CopyOnWriteArrayList<>();
        node(1).eventBus().consumer(Addresses.STATUS, published::add);
        for (String events : List.of(Addresses.EVENTS_LOCKS, Addresses.EVENTS_COUNTERS, Addresses.EVENTS_CONTEXTS)) {
            node(1).eventBus().consumer(events, event -> {});
        }
        StatusClient client = StatusClient.create(node(0)).withTimeout(LONG);
        client.stream().handler(status -> {});
        Waiting.result(client.status());
        Waiting.result(client.status("bob"));
        Waiting.result(client.explain());
        String bob = FastnVertx.install(node(1)).node().incarnation();
        ask(Addresses.node(bob), new JsonObject().put("waits", 0));
        ask(Addresses.node(bob), new JsonObject().put("page", "first"));
        ask(Addresses.node(bob), new JsonObject().put("explain", true));
        JsonObject known = ask(Addresses.node(bob), new JsonObject().put("since_version", -1));
        await().atMost(LONG).until(() -> {
            JsonObject now = ask(Addresses.node(bob), new JsonObject().put("since_version", known.getLong("version")));
            known.put("version", now.getLong("version"));
            return now.getString("kind").equals("status_unchanged");
        });

        // Bob works, so that there is something to tell.
        ContextRuntime runtime = FastnVertx.install(node(1)).runtime();
        FastnContext order =
                runtime.root().child("order").withData("note", "tea").open();
        order.incrementTotal("orders");
        order.setData("note", "coffee");
        order.operation("bank").close();
        try (var held = order.mutex("till", "").tryLock()) {
            assertThat(held).isNotNull();
            // One that is over before it was told of is told of as over.
            await().atMost(LONG).until(() -> events().contains("lock_held"));
        }
        Waiting.result(client.cancel("bob", order.id(), "enough", Duration.ofMillis(10)));
        order.close();

        await().atMost(LONG)
                .untilAsserted(() -> assertThat(said.keySet())
                        .contains(
                                "question",
                                "stream_open",
                                "stream_opened",
                                "stream_control",
                                "stream_state",
                                "cluster_status",
                                "status_snapshot",
                                "status_delta",
                                "status_unchanged",
                                "status_page",
                                "node_waits",
                                "explanations",
                                "cancel",
                                "cancelled",
                                "hello",
                                "event_frame",
                                "published"));
        await().atMost(LONG).until(() -> !published.isEmpty());
        // Events are sent in frames, so the last of them come after the answer to what made them.
        await().atMost(LONG)
                .untilAsserted(() -> assertThat(events())
                        .contains("opened", "counter_changed", "lock_held", "changed", "cancelled"));
        assertThat(unknown).as("nobody has described these").isEmpty();
        said.forEach((schema, bodies) ->
                bodies.forEach(body -> fits(schema.equals("published") ? "cluster_status" : schema, body)));
    }

    @Test
    void aMessageThatIsNotWhatItShouldBeIsNoticed() {
        assertThat(errors("question", "{\"node\":[\"alice\"]}")).isNotEmpty();
        assertThat(errors("question", "{\"suspected\":true}")).isNotEmpty();
        assertThat(errors("stream_open", "{\"address\":\"orders\"}")).isNotEmpty();
        assertThat(errors("stream_opened", "{\"stream\":\"1\",\"control\":\"x\",\"lease_ms\":1}"))
                .as("D9: no schema")
                .isNotEmpty();
        assertThat(errors("hello", "{\"kind\":\"alive\"}")).isNotEmpty();
    }

    private static List<String> events() {
        return said.getOrDefault("event_frame", List.of()).stream()
                .flatMap(frame -> new JsonObject(frame)
                        .getJsonArray("events").stream().map(event -> ((JsonObject) event).getString("event")))
                .toList();
    }

    private static JsonObject ask(String address, JsonObject question) {
        DeliveryOptions options = new DeliveryOptions().setSendTimeout(LONG.toMillis());
        return Waiting.result(node(0).eventBus().<JsonObject>request(address, question, options))
                .body();
    }

    private static void note(DeliveryContext<Object> delivery) {
        Message<Object> message = delivery.message();
        String body = text(delivery.body());
        if (body != null) {
            String question = asked.get(message.address());
            String schema = question != null ? answer(question, body) : schema(message, body);
            if (schema != null) {
                said.computeIfAbsent(schema, key -> new CopyOnWriteArrayList<>())
                        .add(body);
            } else if (message.address().startsWith("fastn.")) {
                unknown.add(message.address() + " " + body);
            }
            if (message.replyAddress() != null && message.address().startsWith("fastn.")) {
                asked.put(message.replyAddress(), message.address() + " " + body);
            }
        }
        delivery.next();
    }

    private static @Nullable String text(@Nullable Object body) {
        if (body instanceof JsonObject json) {
            return json.encode();
        }
        return body instanceof Buffer bytes ? bytes.toString() : null;
    }

    private static @Nullable String schema(Message<Object> message, String body) {
        String address = message.address();
        String content = message.headers().get("fastn-content");
        if (content != null) {
            return content.equals("delta")
                    ? "status_delta"
                    : content.equals("full") ? "status_snapshot" : "cluster_status";
        }
        if (address.equals(HelloExchange.ADDRESS) || address.startsWith(HelloExchange.ADDRESS + ".")) {
            return "hello";
        }
        if (address.startsWith(Addresses.STATUS_SUBSCRIBE)) {
            return body.contains("\"stream\":") ? "stream_control" : "stream_open";
        }
        if (address.startsWith("fastn.events.")) {
            return "event_frame";
        }
        if (address.startsWith(Addresses.cancel(""))) {
            return "cancel";
        }
        if (address.equals(Addresses.STATUS_CHANGES)
                || (address.equals(Addresses.STATUS) && message.replyAddress() == null)) {
            return "published";
        }
        return address.startsWith(Addresses.STATUS) ? "question" : null;
    }

    /** An answer says what it is, but for those of a stream. */
    private static @Nullable String answer(String question, String body) {
        if (question.startsWith(Addresses.STATUS_SUBSCRIBE)) {
            return question.contains("\"address\":") ? "stream_opened" : "stream_state";
        }
        return new JsonObject(body).getString("kind");
    }

    private static Vertx node(int index) {
        return cluster.node(index);
    }
}
