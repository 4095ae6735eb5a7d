package com.fastn.status;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fastn.context.vertx.FastnVertx;
import com.hazelcast.config.Config;
import io.vertx.core.Completable;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.internal.VertxInternal;
import io.vertx.core.json.JsonObject;
import io.vertx.core.spi.cluster.ClusterManager;
import io.vertx.core.spi.cluster.RegistrationInfo;
import io.vertx.spi.cluster.hazelcast.HazelcastClusterManager;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** A node that its cluster manager has forgotten, where that manager does not say what becomes of a registration. */
class SelfCheckTest {
    private static final Duration SOON = Duration.ofSeconds(60);

    /** As Hazelcast was seen to be right after a merge. */
    private static final class SilentManager extends HazelcastClusterManager {
        final AtomicBoolean silent = new AtomicBoolean();

        SilentManager(Config config) {
            super(config);
        }

        @Override
        public void removeRegistration(String address, RegistrationInfo registration, Completable<Void> removed) {
            super.removeRegistration(address, registration, silent.get() ? Promise.promise() : removed);
        }
    }

    @Test
    void D10_aNodeRegistersAnewThoughNobodySaysThatItsFormerRegistrationsAreGone() {
        try (TestCluster cluster = TestCluster.of(2, SilentManager::new)) {
            Vertx forgotten = cluster.node(0);
            Waiting.result(forgotten.deployVerticle(new StatusVerticle(new StatusOptions()
                    .setAlias("alice")
                    .setHttp(false)
                    .setSystemMetrics(false)
                    .setHelloInterval(500))));
            SilentManager manager = (SilentManager) ((VertxInternal) forgotten).clusterManager();
            String address = "fastn.status.node.alice";
            assertThat(isAnswered(cluster.node(1), address)).isTrue();

            manager.silent.set(true);
            try {
                String own = "fastn.status.node."
                        + FastnVertx.install(forgotten).node().incarnation();
                List.of(address, own).forEach(each -> forget(manager, each));
                await().atMost(SOON).until(() -> !isAnswered(cluster.node(1), address));
                await().atMost(SOON).until(() -> isAnswered(cluster.node(1), address));
            } finally {
                manager.silent.set(false);
            }
        }
    }

    private static boolean isAnswered(Vertx from, String address) {
        DeliveryOptions quick = new DeliveryOptions().setSendTimeout(1_000);
        return Waiting.result(from.eventBus()
                .request(address, new JsonObject(), quick)
                .map(true)
                .otherwise(false));
    }

    private static void forget(ClusterManager manager, String address) {
        Promise<List<RegistrationInfo>> registrations = Promise.promise();
        manager.getRegistrations(address, registrations);
        List<RegistrationInfo> all = Waiting.result(registrations.future());
        assertThat(all).isNotEmpty();
        all.forEach(each -> manager.removeRegistration(address, each, Promise.promise()));
    }
}
