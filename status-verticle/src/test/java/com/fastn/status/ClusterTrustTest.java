package com.fastn.status;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fastn.context.FastnContext;
import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.StatusJson;
import com.fastn.context.vertx.FastnVertx;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.internal.VertxInternal;
import io.vertx.core.json.JsonObject;
import io.vertx.core.spi.cluster.ClusterManager;
import io.vertx.core.spi.cluster.RegistrationInfo;
import io.vertx.core.streams.ReadStream;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;

/** What a node tells a cluster that anybody may have joined, and what it does when the cluster manager forgets it. */
class ClusterTrustTest {
    private static final String SECRET = "the-planted-value";

    @Test
    void S4_onAnOpenClusterNoDataValueLeavesItsNodeAndEveryStatusSaysSo() {
        try (TestCluster cluster = TestCluster.thatLooksOpen(2)) {
            deploy(cluster.node(0), new StatusOptions().setAlias("alice"));
            deploy(cluster.node(1), new StatusOptions().setAlias("bob"));
            FastnContext order = plant(cluster.node(1));

            JsonObject asked = ask(cluster.node(0), "fastn.status");
            assertThat(asked.getBoolean("complete")).isTrue();
            assertThat(asked.encode())
                    .contains(order.name())
                    .contains("cluster-not-authenticated")
                    .doesNotContain(SECRET);
            assertThat(ask(cluster.node(0), "fastn.status.node.bob").encode()).doesNotContain(SECRET);
            assertThat(stream(cluster.node(0)))
                    .contains(order.name())
                    .contains("cluster-not-authenticated")
                    .doesNotContain(SECRET);

            // Whoever is inside of the node sees all of it.
            assertThat(ask(cluster.node(1), "fastn.status").encode()).contains(SECRET);
            assertThat(stream(cluster.node(1))).contains(SECRET);
            order.close();
        }
    }

    @Test
    void S4_whereTheOperatorTrustsTheClusterOrItIsOnLoopbackEverythingIsTold() {
        try (TestCluster open = TestCluster.thatLooksOpen(2);
                TestCluster loopback = TestCluster.of(2)) {
            for (TestCluster cluster : List.of(open, loopback)) {
                boolean trust = cluster.equals(open);
                deploy(cluster.node(0), new StatusOptions().setAlias("alice").setTrustCluster(trust));
                deploy(cluster.node(1), new StatusOptions().setAlias("bob").setTrustCluster(trust));
                FastnContext order = plant(cluster.node(1));
                assertThat(ask(cluster.node(0), "fastn.status").encode())
                        .contains(SECRET)
                        .doesNotContain("cluster-not-authenticated");
                order.close();
            }
        }
    }

    @Test
    void D10_aNodeThatTheClusterManagerForgotRegistersAnew() {
        try (TestCluster cluster = TestCluster.of(2)) {
            deploy(cluster.node(0), new StatusOptions().setAlias("alice").setHelloInterval(200));
            Vertx other = cluster.node(1);
            String address = "fastn.status.node."
                    + FastnVertx.install(cluster.node(0)).node().incarnation();
            ask(other, address);

            forget(cluster.node(0), address);

            DeliveryOptions quick = new DeliveryOptions().setSendTimeout(500);
            await().atMost(Duration.ofSeconds(30))
                    .until(() -> other.eventBus()
                            .request(address, null, quick)
                            .map(true)
                            .otherwise(false)
                            .toCompletionStage()
                            .toCompletableFuture()
                            .join());
        }
    }

    private static void forget(Vertx vertx, String address) {
        ClusterManager manager = ((VertxInternal) vertx).clusterManager();
        Promise<List<RegistrationInfo>> registrations = Promise.promise();
        manager.getRegistrations(address, registrations);
        List<RegistrationInfo> all = Waiting.result(registrations.future());
        assertThat(all).isNotEmpty();
        for (RegistrationInfo each : all) {
            Promise<Void> removed = Promise.promise();
            manager.removeRegistration(address, each, removed);
            Waiting.result(removed.future());
        }
    }

    private static FastnContext plant(Vertx vertx) {
        return FastnVertx.install(vertx)
                .runtime()
                .root()
                .child("order")
                .withData("customer", SECRET)
                .withData("note", SECRET)
                .open();
    }

    private static String stream(Vertx vertx) {
        List<ClusterStatus> heard = new CopyOnWriteArrayList<>();
        ReadStream<ClusterStatus> stream = StatusClient.create(vertx).stream();
        stream.handler(heard::add);
        await().atMost(Duration.ofSeconds(30)).until(() -> heard.stream().anyMatch(ClusterStatus::isComplete));
        stream.handler(null);
        return StatusJson.write(heard.get(heard.size() - 1));
    }

    private static void deploy(Vertx vertx, StatusOptions options) {
        Waiting.result(vertx.deployVerticle(new StatusVerticle(options.setHttp(false))));
    }

    private static JsonObject ask(Vertx vertx, String address) {
        return (JsonObject)
                Waiting.result(vertx.eventBus().request(address, null)).body();
    }
}
