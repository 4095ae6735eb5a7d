package com.fastn.status;

import static com.fastn.status.Waiting.await;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.FastnContext;
import com.fastn.context.vertx.Addresses;
import com.fastn.context.vertx.FastnVertx;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.DeliveryContext;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.Message;
import io.vertx.core.eventbus.MessageConsumer;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.eventbus.ReplyFailure;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Applications that consume the status of the cluster: two nodes that publish it, and a third without a status verticle. */
class ClusterPublicationTest {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final DeliveryOptions QUICK = new DeliveryOptions().setSendTimeout(500);
    private static TestCluster cluster;

    private final Map<Vertx, String> deployments = new LinkedHashMap<>();
    private final List<MessageConsumer<?>> consumers = new ArrayList<>();
    private final List<FastnContext> opened = new ArrayList<>();
    private final List<String> sent = new CopyOnWriteArrayList<>();
    private final Handler<DeliveryContext<Object>> note = delivery -> {
        Message<Object> message = delivery.message();
        boolean close = delivery.body() instanceof JsonObject json && json.getBoolean(StreamWire.CLOSE, false);
        sent.add(message.address() + (close ? " close" : ""));
        delivery.next();
    };

    @BeforeAll
    static void start() {
        cluster = TestCluster.of(3);
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    @BeforeEach
    void listen() {
        for (int i = 0; i < 3; i++) {
            node(i).eventBus().addOutboundInterceptor(note);
        }
    }

    @AfterEach
    void undeploy() {
        for (int i = 0; i < 3; i++) {
            node(i).eventBus().removeOutboundInterceptor(note);
        }
        opened.forEach(FastnContext::close);
        consumers.forEach(consumer -> Waiting.result(consumer.unregister()));
        deployments.forEach((vertx, id) -> Waiting.result(vertx.undeploy(id)));
        for (int i = 0; i < 3; i++) {
            Vertx vertx = node(i);
            await().until(() ->
                    Waiting.failure(vertx.eventBus().request("fastn.status", null, QUICK)) instanceof ReplyException e
                            && e.failureType() == ReplyFailure.NO_HANDLERS);
        }
    }

    @Test
    void whoeverConsumesOnAnyNodeHearsTheWholeClusterFromOneOfItsNodes() {
        deployBoth();
        List<JsonObject> atAlice = consume(0, Addresses.STATUS);
        List<JsonObject> atBob = consume(1, Addresses.STATUS);
        List<JsonObject> elsewhere = consume(2, Addresses.STATUS_CHANGES);
        for (List<JsonObject> heard : List.of(atAlice, atBob, elsewhere)) {
            await().atMost(SOON).until(() -> !heard.isEmpty() && isComplete(last(heard)));
        }

        opened.add(root(1).child("order").open());
        opened.add(root(0).child("shelf").open());

        for (List<JsonObject> heard : List.of(atAlice, atBob, elsewhere)) {
            await().atMost(SOON)
                    .until(() -> last(heard).encode().contains("\"order\"")
                            && last(heard).encode().contains("\"shelf\""));
            assertThat(heard).allSatisfy(status -> {
                assertThat(status.getString("kind")).isEqualTo("cluster_status");
                assertThat(status.getString("answered_by")).isEqualTo("alice");
            });
        }
    }

    @Test
    void aBurstOfChangesIsToldOnceASecondAtMostAndTheLastOneForSure() {
        deployBoth();
        List<JsonObject> heard = consume(2, Addresses.STATUS_CHANGES);
        await().atMost(SOON).until(() -> !heard.isEmpty() && isComplete(last(heard)));

        int before = heard.size();
        long began = System.nanoTime();
        await().atMost(SOON).pollInterval(Duration.ofMillis(10)).until(() -> {
            root(1).incrementTotal("orders");
            return heard.size() >= before + 6;
        });
        root(1).incrementTotal("the-last");
        await().atMost(SOON).until(() -> last(heard).encode().contains("the-last"));
        int told = heard.size() - before;
        long seconds = Duration.ofNanos(System.nanoTime() - began).toSeconds();
        // On a busy machine two may be on their way when it begins, and the first in it comes by itself.
        assertThat(told).isLessThanOrEqualTo((int) seconds + 4);
    }

    @Test
    void whereNobodyConsumesNothingIsPublishedAndNoNodeIsFollowed() {
        deployBoth();
        opened.add(root(0).child("order").open());
        long hellos = sent.stream().filter(HelloExchange.ADDRESS::equals).count();
        await().atMost(SOON)
                .until(() -> sent.stream().filter(HelloExchange.ADDRESS::equals).count() > hellos + 20);
        assertThat(sent).noneMatch(ClusterPublicationTest::costs);

        List<JsonObject> heard = consume(2, Addresses.STATUS_CHANGES);
        await().atMost(SOON).until(() -> !heard.isEmpty() && isComplete(last(heard)));
        assertThat(sent).anyMatch(ClusterPublicationTest::costs);

        Waiting.result(consumers.remove(0).unregister());
        String end = Addresses.subscribe(FastnVertx.install(node(1)).node().incarnation()) + " close";
        await().atMost(SOON).until(() -> sent.contains(end));
        // Bob has heard that, and what he sent before is counted.
        JsonObject unknown = new JsonObject().put(StreamWire.STREAM, "none");
        assertThat(Waiting.failure(node(0).eventBus().request(end.substring(0, end.indexOf(' ')), unknown)))
                .isInstanceOf(ReplyException.class);
        sent.clear();
        await().atMost(SOON)
                .until(() -> sent.stream().filter(HelloExchange.ADDRESS::equals).count() > 20);
        assertThat(sent).noneMatch(ClusterPublicationTest::costs);
    }

    @Test
    void anotherNodePublishesWhenTheOneThatDidHasLeft() {
        deployBoth();
        List<JsonObject> heard = consume(1, Addresses.STATUS);
        await().atMost(SOON).until(() -> !heard.isEmpty() && isComplete(last(heard)));
        assertThat(last(heard).getString("answered_by")).isEqualTo("alice");

        Waiting.result(node(0).undeploy(requireNonNull(deployments.remove(node(0)))));

        await().atMost(SOON).until(() -> last(heard).getString("answered_by").equals("bob"));
        await().atMost(SOON).until(() -> last(heard).getJsonArray("nodes").size() == 1);
    }

    @Test
    void whoBeginsToPublishSaysSoAtOnceToThoseWhoMayNotHaveHeardItForLong() {
        List<String> alive = new CopyOnWriteArrayList<>();
        MessageConsumer<JsonObject> hellos = node(1).eventBus().consumer(HelloExchange.ADDRESS, hello -> {
            if ("alive".equals(hello.body().getString("kind"))) {
                alive.add(hello.body().getString("alias"));
            }
        });
        consumers.add(hellos);
        Waiting.result(hellos.completion());
        List<JsonObject> heard = consume(2, Addresses.STATUS_CHANGES);

        deployments.put(node(0), deploy(node(0), "alice", StatusPublication.CLUSTER, 1_000_000));

        await().atMost(SOON).until(() -> !heard.isEmpty());
        await("the time of its next hello is far away").atMost(SOON).until(() -> alive.contains("alice"));
    }

    @Test
    void whereItIsPublishedLocallyNothingLeavesTheNode() {
        deploy(0, "alice", StatusPublication.LOCAL);
        deploy(1, "bob", StatusPublication.LOCAL);
        List<JsonObject> elsewhere = consume(2, Addresses.STATUS_CHANGES);
        List<JsonObject> own = consume(0, Addresses.STATUS);
        List<JsonObject> changes = consume(0, Addresses.STATUS_CHANGES);
        await().atMost(SOON).until(() -> !own.isEmpty() && !changes.isEmpty());
        FastnContext order = root(0).child("order").open();
        opened.add(order);
        await().atMost(SOON)
                .until(() -> last(own).encode().contains("\"order\"")
                        && last(changes).encode().contains("\"order\""));
        assertThat(own)
                .allSatisfy(status -> assertThat(status.getString("kind")).isEqualTo("status_snapshot"));
        assertThat(changes)
                .allSatisfy(status -> assertThat(status.getString("kind")).isEqualTo("status_snapshot"));
        assertThat(elsewhere).isEmpty();
        assertThat(sent).noneMatch(address -> address.startsWith(Addresses.STATUS_SUBSCRIBE));
    }

    @Test
    void S4_onAnOpenClusterWhatIsPublishedHasNoDataValues() {
        try (TestCluster open = TestCluster.thatLooksOpen(1)) {
            Vertx vertx = open.node(0);
            deploy(vertx, "alice", StatusPublication.CLUSTER);
            FastnContext order = FastnVertx.install(vertx)
                    .runtime()
                    .root()
                    .child("order")
                    .withData("customer", "hush-hush")
                    .open();
            List<JsonObject> heard = new CopyOnWriteArrayList<>();
            vertx.eventBus().<JsonObject>consumer(Addresses.STATUS_CHANGES, message -> heard.add(message.body()));
            await().atMost(SOON)
                    .until(() -> !heard.isEmpty() && last(heard).encode().contains("\"order\""));
            assertThat(last(heard).encode()).doesNotContain("hush-hush").contains("cluster-not-authenticated");
            order.close();
        }
    }

    /** What crosses the bus only for somebody who consumes. A probe, which stays in its node, is nothing of that. */
    private static boolean costs(String address) {
        return address.startsWith(Addresses.STATUS_SUBSCRIBE) || address.startsWith(StreamWire.READER_PREFIX);
    }

    private List<JsonObject> consume(int index, String address) {
        List<JsonObject> heard = new CopyOnWriteArrayList<>();
        MessageConsumer<JsonObject> consumer =
                node(index).eventBus().consumer(address, message -> heard.add(message.body()));
        Waiting.result(consumer.completion());
        consumers.add(consumer);
        return heard;
    }

    private static JsonObject last(List<JsonObject> heard) {
        return heard.get(heard.size() - 1);
    }

    private static boolean isComplete(JsonObject status) {
        return status.getJsonArray("nodes", new JsonArray()).stream()
                .map(row -> ((JsonObject) row).getJsonObject("node").getString("alias"))
                .collect(Collectors.toSet())
                .containsAll(List.of("alice", "bob"));
    }

    private static FastnContext root(int index) {
        return FastnVertx.install(node(index)).runtime().root();
    }

    private static Vertx node(int index) {
        return cluster.node(index);
    }

    /** Until bob knows that alice publishes he may do that too. */
    private void deployBoth() {
        deploy(0, "alice", StatusPublication.CLUSTER);
        deploy(1, "bob", StatusPublication.CLUSTER);
        cluster.untilMet(0, 1);
    }

    private void deploy(int index, String alias, StatusPublication publication) {
        deployments.put(node(index), deploy(node(index), alias, publication));
    }

    private static String deploy(Vertx vertx, String alias, StatusPublication publication) {
        return deploy(vertx, alias, publication, 100);
    }

    private static String deploy(Vertx vertx, String alias, StatusPublication publication, long helloMillis) {
        return Waiting.result(vertx.deployVerticle(new StatusVerticle(new StatusOptions()
                .setAlias(alias)
                .setHttp(false)
                .setSystemMetrics(false)
                .setHelloInterval(helloMillis)
                .setPublish(publication))));
    }
}
