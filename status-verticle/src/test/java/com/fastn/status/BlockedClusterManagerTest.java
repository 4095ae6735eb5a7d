package com.fastn.status;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.hazelcast.config.Config;
import io.vertx.core.Completable;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.ThreadingModel;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.internal.ContextInternal;
import io.vertx.core.internal.VertxInternal;
import io.vertx.core.json.JsonObject;
import io.vertx.core.spi.cluster.NodeInfo;
import io.vertx.core.spi.cluster.RegistrationInfo;
import io.vertx.spi.cluster.hazelcast.HazelcastClusterManager;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A node whose cluster manager stands still for a while, and keeps the threads on which it works meanwhile, as Hazelcast does while it
 * puts out a member that hangs.
 */
@Tag("slow")
@Timeout(120)
class BlockedClusterManagerTest {
    private static final Duration LONG = Duration.ofSeconds(60);
    /** So many threads the application has at least; what Vert.x itself looks up for a message may have some too. */
    private static final int FREE = VertxOptions.DEFAULT_WORKER_POOL_SIZE - 2 * RegistrationPlaces.MOST;

    /** Looks up on a worker of the context that asks, and registers on a worker context for each context that does. */
    private static final class BlockedManager extends HazelcastClusterManager {
        final AtomicInteger registering = new AtomicInteger();
        final Map<String, Integer> lookedUp = new ConcurrentHashMap<>();
        private final Map<Context, ContextInternal> workers = new ConcurrentHashMap<>();
        private volatile @Nullable VertxInternal vertx;
        private volatile @Nullable CountDownLatch blocked;

        BlockedManager(Config config) {
            super(config);
        }

        @Override
        public void init(Vertx owner) {
            vertx = (VertxInternal) owner;
            super.init(owner);
        }

        void block() {
            blocked = new CountDownLatch(1);
        }

        void release() {
            CountDownLatch standing = requireNonNull(blocked);
            blocked = null;
            standing.countDown();
        }

        @Override
        public void getRegistrations(String address, Completable<List<RegistrationInfo>> found) {
            lookUp(address, () -> super.getRegistrations(address, found));
        }

        @Override
        public void getNodeInfo(String nodeId, Completable<NodeInfo> found) {
            lookUp(nodeId, () -> super.getNodeInfo(nodeId, found));
        }

        @Override
        public void addRegistration(String address, RegistrationInfo registration, Completable<Void> added) {
            register(() -> super.addRegistration(address, registration, added));
        }

        @Override
        public void removeRegistration(String address, RegistrationInfo registration, Completable<Void> removed) {
            register(() -> super.removeRegistration(address, registration, removed));
        }

        private void lookUp(String what, Runnable work) {
            CountDownLatch standing = blocked;
            if (standing == null) {
                work.run();
                return;
            }
            lookedUp.merge(what, 1, Integer::sum);
            var unused = requireNonNull(vertx)
                    .executeBlocking(() -> awaited(standing), false)
                    .onComplete(done -> work.run());
        }

        private void register(Runnable work) {
            CountDownLatch standing = blocked;
            if (standing == null) {
                work.run();
                return;
            }
            registering.incrementAndGet();
            VertxInternal owner = requireNonNull(vertx);
            workers.computeIfAbsent(
                            owner.getOrCreateContext().unwrap(), each -> owner.createContext(ThreadingModel.WORKER))
                    .executor()
                    .execute(() -> {
                        var unused = awaited(standing);
                        work.run();
                    });
        }

        private static boolean awaited(CountDownLatch standing) {
            try {
                return standing.await(100, TimeUnit.SECONDS);
            } catch (InterruptedException e) {
                return false;
            }
        }
    }

    @Test
    void D10_aClusterManagerThatBlocksItsThreadsLeavesThoseOfTheApplicationAlone() {
        try (TestCluster cluster = TestCluster.of(1, BlockedManager::new)) {
            Vertx vertx = cluster.node(0);
            BlockedManager manager = (BlockedManager) requireNonNull(((VertxInternal) vertx).clusterManager());
            Waiting.result(vertx.deployVerticle(new StatusVerticle(new StatusOptions()
                    .setAlias("alice")
                    .setHttp(false)
                    .setSystemMetrics(false)
                    .setDescriptors(false)
                    .setHelloInterval(200))));
            manager.block();
            try {
                // Two looks have found nothing, and it registers itself anew.
                await().atMost(LONG).until(() -> manager.registering.get() >= RegistrationPlaces.MOST);
                assertThat(meet(vertx, FREE))
                        .as("threads of the application that are free")
                        .isTrue();
                // Looks go on, and ask for nothing that is asked for already.
                await().atMost(LONG).until(() -> manager.registering.get() >= 2 * RegistrationPlaces.MOST);
                assertThat(manager.lookedUp)
                        .isNotEmpty()
                        .allSatisfy((what, times) -> assertThat(times).as(what).isEqualTo(1));
                assertThat(meet(vertx, FREE)).isTrue();
            } finally {
                manager.release();
            }
            // A question that comes just as a former registration ends is lost with it.
            await().atMost(LONG)
                    .untilAsserted(() -> assertThat(Waiting.result(
                                            vertx.eventBus().<JsonObject>request("fastn.status.node.alice", null))
                                    .body()
                                    .getString("kind"))
                            .isEqualTo("status_snapshot"));
        }
    }

    /** {@return whether so many tasks of the application run at the same time} */
    private static boolean meet(Vertx vertx, int tasks) {
        CyclicBarrier all = new CyclicBarrier(tasks);
        return Waiting.result(Future.all(Stream.generate(
                                () -> vertx.<Integer>executeBlocking(() -> all.await(20, TimeUnit.SECONDS), false))
                        .limit(tasks)
                        .toList())
                .map(true)
                .otherwise(false));
    }
}
