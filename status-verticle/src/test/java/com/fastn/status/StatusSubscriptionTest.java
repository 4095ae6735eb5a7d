package com.fastn.status;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fastn.context.status.ClusterStatus;
import io.vertx.core.Completable;
import io.vertx.core.Vertx;
import io.vertx.core.spi.cluster.RegistrationInfo;
import io.vertx.spi.cluster.hazelcast.HazelcastClusterManager;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

class StatusSubscriptionTest {
    private static final Duration LONG = Duration.ofSeconds(60);

    @Test
    void aReaderWhoseRegistrationNeverEndsTriesAnotherOne() {
        AtomicBoolean swallowed = new AtomicBoolean();
        try (TestCluster cluster = TestCluster.of(1, config -> new HazelcastClusterManager(config) {
            @Override
            public void addRegistration(String address, RegistrationInfo registration, Completable<Void> added) {
                if (address.startsWith(StreamWire.READER_PREFIX) && swallowed.compareAndSet(false, true)) {
                    // As it was seen after two halves of a cluster had come together again.
                    return;
                }
                super.addRegistration(address, registration, added);
            }
        })) {
            Vertx vertx = cluster.node(0);
            Waiting.result(vertx.deployVerticle(new StatusVerticle(
                    new StatusOptions().setHttp(false).setSystemMetrics(false).setDescriptors(false))));
            List<ClusterStatus> heard = new CopyOnWriteArrayList<>();
            List<Throwable> troubles = new CopyOnWriteArrayList<>();
            StatusClient.create(vertx).stream().exceptionHandler(troubles::add).handler(heard::add);
            await().atMost(LONG).until(() -> !heard.isEmpty());
            assertThat(swallowed).isTrue();
            assertThat(troubles)
                    .anySatisfy(trouble ->
                            assertThat(trouble).hasMessageContaining("the cluster manager did not say within 5 s"));
        }
    }
}
