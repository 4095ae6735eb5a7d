package com.fastn.context.vertx;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.FastnContext;
import com.fastn.context.status.NodeIdentity;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Events that the operator lets leave their node. */
class EventClusterTest {
    private static TestCluster cluster;

    @BeforeAll
    static void start() {
        cluster = TestCluster.of(2);
        FastnVertx.builder()
                .options(new VertxContextOptions().setEventsAcrossCluster(true))
                .install(cluster.node(0));
        FastnVertx.install(cluster.node(1));
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    private static List<Object> consume(Vertx vertx, String address) {
        List<Object> bodies = new CopyOnWriteArrayList<>();
        Waiting.result(vertx.eventBus()
                .consumer(address, message -> bodies.add(message.body()))
                .completion());
        return bodies;
    }

    private static List<JsonObject> events(List<Object> bodies, String what) {
        List<JsonObject> events = new ArrayList<>();
        for (Object body : bodies) {
            if (body instanceof JsonObject frame) {
                JsonArray told = frame.getJsonArray("events");
                for (int i = 0; i < told.size(); i++) {
                    if (told.getJsonObject(i).getString("event").equals(what)) {
                        events.add(told.getJsonObject(i));
                    }
                }
            }
        }
        return events;
    }

    @Test
    void aConsumerElsewhereHearsJsonAndOneOnTheNodeItselfFramesByReference() {
        NodeIdentity alice = FastnVertx.install(cluster.node(0)).node();
        List<Object> here = consume(cluster.node(0), Addresses.EVENTS_COUNTERS);
        List<Object> there = consume(cluster.node(1), Addresses.EVENTS_COUNTERS);
        try (FastnContext work = FastnVertx.install(cluster.node(0))
                .runtime()
                .root()
                .child("work")
                .open()) {
            Waiting.until(() -> {
                work.incrementTotal("orders");
                return !events(there, "counter_changed").isEmpty() && !here.isEmpty();
            });
            assertThat(here).allSatisfy(body -> assertThat(body).isInstanceOf(EventFrame.class));
            assertThat(there).allSatisfy(body -> assertThat(body).isInstanceOf(JsonObject.class));
            long orders = work.getTotal("orders");
            Waiting.until(() -> events(there, "counter_changed").stream()
                    .anyMatch(event -> event.getString("counter").equals("orders")
                            && event.getLong("total") == orders
                            && event.getString("path").equals(work.path().toString())));
        }
        // Numbered without a hole, as events of the node that they are of.
        long next = ((JsonObject) there.get(0)).getLong("first_sequence");
        for (Object body : there) {
            JsonObject frame = (JsonObject) body;
            assertThat(frame.getString("kind")).isEqualTo("event_frame");
            assertThat(frame.getJsonObject("node").getString("incarnation")).isEqualTo(alice.incarnation());
            assertThat(frame.getLong("first_sequence")).isEqualTo(next);
            next += frame.getJsonArray("events").size();
        }
    }

    @Test
    void whatIsHeldWaitedForAndEndedIsToldWithItsParts() {
        List<Object> locks = consume(cluster.node(1), Addresses.EVENTS_LOCKS);
        List<Object> contexts = consume(cluster.node(1), Addresses.EVENTS_CONTEXTS);
        FastnContext root = FastnVertx.install(cluster.node(0)).runtime().root();
        Waiting.until(() -> {
            FastnContext holder = root.child("holder").open();
            Waiting.take(holder.mutex("door")).close();
            holder.cancel("enough");
            holder.close();
            return !events(locks, "lock_released").isEmpty()
                    && !events(contexts, "closed").isEmpty();
        });
        JsonObject released = events(locks, "lock_released").get(0);
        assertThat(released.getString("lock_name")).isEqualTo("door");
        assertThat(released.getString("lock_type")).isEqualTo("mutex");
        assertThat(released.getLong("fence")).isPositive();
        assertThat(events(contexts, "cancelled")).allSatisfy(event -> {
            assertThat(event.getJsonObject("reason").getString("kind")).isEqualTo("requested");
            assertThat(event.getJsonObject("reason").getString("message")).isEqualTo("enough");
        });
    }

    @Test
    void aNodeThatDoesNotSaySoTellsNobody() {
        List<Object> here = consume(cluster.node(0), Addresses.EVENTS_LOCKS);
        List<Object> there = consume(cluster.node(1), Addresses.EVENTS_LOCKS);
        FastnContext bob = FastnVertx.install(cluster.node(1))
                .runtime()
                .root()
                .child("quiet")
                .open();
        Waiting.until(() -> {
            Waiting.take(bob.mutex("gate")).close();
            return there.stream().anyMatch(EventFrame.class::isInstance);
        });
        bob.close();
        assertThat(here)
                .noneMatch(body ->
                        body instanceof JsonObject frame && frame.encode().contains("\"gate\""));
    }
}
