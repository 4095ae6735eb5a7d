package com.fastn.status;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fastn.context.FastnContext;
import com.fastn.context.vertx.FastnVertx;
import com.hazelcast.config.Config;
import io.vertx.core.Completable;
import io.vertx.core.Context;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.ThreadingModel;
import io.vertx.core.VerticleBase;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.Message;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.eventbus.ReplyFailure;
import io.vertx.core.internal.ContextInternal;
import io.vertx.core.internal.VertxInternal;
import io.vertx.core.json.JsonObject;
import io.vertx.core.spi.cluster.ClusterManager;
import io.vertx.core.spi.cluster.RegistrationInfo;
import io.vertx.spi.cluster.hazelcast.HazelcastClusterManager;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A node that its cluster manager has forgotten, where that manager does not say what becomes of a registration. */
@Tag("slow")
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
            deployAlice(forgotten);
            SilentManager manager = (SilentManager) ((VertxInternal) forgotten).clusterManager();
            String address = "fastn.status.node.alice";
            await().atMost(SOON).until(() -> isAnswered(cluster.node(1), address));

            manager.silent.set(true);
            try {
                String own = "fastn.status.node."
                        + FastnVertx.install(forgotten).node().incarnation();
                List<RegistrationInfo> former = registrations(manager, address);
                List.of(address, own).forEach(each -> forget(manager, each));
                // In between nobody answers, which a busy machine may not leave time to see.
                await().atMost(SOON).until(() -> registrations(manager, address), now -> isAnew(now, former));
                await().atMost(SOON).until(() -> isAnswered(cluster.node(1), address));
            } finally {
                manager.silent.set(false);
            }
        }
    }

    /** One that does what a context registers one after the other, as Hazelcast's does, and may never come to an end with one. */
    private static final class StuckManager extends HazelcastClusterManager {
        private final Set<Context> stuck = ConcurrentHashMap.newKeySet();
        private final AtomicInteger toHang = new AtomicInteger();
        private volatile @Nullable VertxInternal vertx;

        StuckManager(Config config) {
            super(config);
        }

        @Override
        public void init(Vertx owner) {
            vertx = (VertxInternal) owner;
            super.init(owner);
        }

        @Override
        public void addRegistration(String address, RegistrationInfo registration, Completable<Void> added) {
            if (!hangs()) {
                super.addRegistration(address, registration, added);
            }
        }

        @Override
        public void removeRegistration(String address, RegistrationInfo registration, Completable<Void> removed) {
            if (!hangs()) {
                super.removeRegistration(address, registration, removed);
            }
        }

        /** Forgets one, and never hangs itself. */
        void lose(String address, RegistrationInfo registration) {
            super.removeRegistration(address, registration, Promise.promise());
        }

        private boolean hangs() {
            Context here = requireNonNull(vertx).getOrCreateContext().unwrap();
            if (toHang.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
                stuck.add(here);
            }
            return stuck.contains(here);
        }
    }

    @Test
    void D10_aNodeRegistersAnewThoughAFormerRegistrationNeverEnds() {
        try (TestCluster cluster = TestCluster.of(2, StuckManager::new)) {
            Vertx forgotten = cluster.node(0);
            deployAlice(forgotten);
            StuckManager manager = (StuckManager) ((VertxInternal) forgotten).clusterManager();
            String address = "fastn.status.node.alice";
            await().atMost(SOON).until(() -> isAnswered(cluster.node(1), address));

            String own =
                    "fastn.status.node." + FastnVertx.install(forgotten).node().incarnation();
            List<RegistrationInfo> former = registrations(manager, address);
            // Before it is forgotten, for it registers itself anew as soon as it notices.
            manager.toHang.set(1);
            List.of(address, own).forEach(each -> registrations(manager, each).forEach(one -> manager.lose(each, one)));
            await().atMost(SOON).until(() -> registrations(manager, address), now -> isAnew(now, former));
            await().atMost(SOON).until(() -> isAnswered(cluster.node(1), address));
            assertThat(manager.stuck).isNotEmpty();
        }
    }

    @Test
    void D1_D10_aReaderIsToldThoughItsFirstRegistrationNeverEnds() {
        try (TestCluster cluster = TestCluster.of(2, StuckManager::new)) {
            deployAlice(cluster.node(0));
            StuckManager manager = (StuckManager) ((VertxInternal) cluster.node(1)).clusterManager();
            AtomicLong told = new AtomicLong();
            manager.toHang.set(1);
            var unused = StatusClient.create(cluster.node(1)).stream().handler(status -> told.incrementAndGet());
            await().atMost(SOON).until(() -> told.get() > 0);
            assertThat(manager.stuck).hasSize(1);
        }
    }

    @Test
    void D10_aReaderWhoseVerticleIsUndeployedLeavesNothingRegistered() {
        try (TestCluster cluster = TestCluster.of(1, ReaderManager::new)) {
            Vertx vertx = cluster.node(0);
            ReaderManager manager = (ReaderManager) ((VertxInternal) vertx).clusterManager();
            String id = Waiting.result(vertx.deployVerticle(new VerticleBase() {
                @Override
                public Future<?> start() {
                    return Future.succeededFuture(
                            StatusClient.create(vertx).stream().handler(status -> {}));
                }
            }));
            await().atMost(SOON).until(() -> !manager.readers.isEmpty());
            String reader = manager.readers.get(0);
            await().atMost(SOON).until(() -> !registrations(manager, reader).isEmpty());

            Waiting.result(vertx.undeploy(id));
            await().atMost(SOON).until(() -> registrations(manager, reader).isEmpty());
        }
    }

    @Test
    void D10_aVerticleWhoseThreadsGoAsItsStartFailsLeavesNoReaderAndFailsItsDeployment() {
        try (TestCluster cluster = TestCluster.of(1, ReaderManager::new)) {
            Vertx vertx = cluster.node(0);
            ReaderManager manager = (ReaderManager) ((VertxInternal) vertx).clusterManager();
            DeploymentOptions worker = new DeploymentOptions()
                    .setThreadingModel(ThreadingModel.WORKER)
                    .setWorkerPoolName("failing")
                    .setWorkerPoolSize(1);
            Throwable failure = Waiting.failure(vertx.deployVerticle(
                    new VerticleBase() {
                        @Override
                        public Future<?> start() {
                            var unused = StatusClient.create(vertx).stream().handler(status -> {});
                            return vertx.timer(1).compose(late -> Future.failedFuture("no"));
                        }
                    },
                    worker));
            assertThat(failure).hasMessage("no");
            for (String reader : manager.readers) {
                await().atMost(SOON).until(() -> registrations(manager, reader).isEmpty());
            }
        }
    }

    @Test
    void D10_eachAddressOfANodeThatIsLostAloneIsRegisteredAnew() {
        try (TestCluster cluster = TestCluster.of(1)) {
            Vertx vertx = cluster.node(0);
            deployAlice(vertx);
            ClusterManager manager = ((VertxInternal) vertx).clusterManager();
            String own = FastnVertx.install(vertx).node().incarnation();
            List<String> addresses = List.of(
                    "fastn.status",
                    "fastn.status.query",
                    "fastn.status.subscribe",
                    "fastn.status.subscribe." + own,
                    "fastn.status.node.alice",
                    "fastn.status.node." + own,
                    "fastn.status.cancel.alice",
                    "fastn.status.cancel." + own,
                    "fastn.status.hello",
                    "fastn.status.hello." + own);
            for (String each : addresses) {
                List<RegistrationInfo> former = registrations(manager, each);
                forget(manager, each);
                await(each).atMost(SOON).until(() -> registrations(manager, each), now -> isAnew(now, former));
            }
        }
    }

    @Test
    void D10_aNodeThatRegistersAnewIsFoundAllTheTime() {
        try (TestCluster cluster = TestCluster.of(2, SilentManager::new)) {
            Vertx vertx = cluster.node(0);
            deployAlice(vertx);
            SilentManager manager = (SilentManager) ((VertxInternal) vertx).clusterManager();
            String own =
                    "fastn.status.hello." + FastnVertx.install(vertx).node().incarnation();
            assertThat(isFound(cluster.node(1), "fastn.status.node.alice")).isTrue();
            manager.silent.set(true);
            try {
                List<RegistrationInfo> former = registrations(manager, own);
                forget(manager, own);
                await().atMost(SOON).pollInterval(Duration.ofMillis(10)).until(() -> {
                    assertThat(isFound(cluster.node(1), "fastn.status.node.alice"))
                            .isTrue();
                    return isAnew(registrations(manager, own), former);
                });
            } finally {
                manager.silent.set(false);
            }
        }
    }

    @Test
    void D10_aNodeIsDeployedThoughARegistrationNeverEndsAndRegistersThatAnewLater() {
        try (TestCluster cluster = TestCluster.of(1, StuckManager::new)) {
            Vertx vertx = cluster.node(0);
            StuckManager manager = (StuckManager) ((VertxInternal) vertx).clusterManager();
            manager.toHang.set(1);
            deployAlice(vertx);
            assertThat(manager.stuck).hasSize(1);
            await().atMost(SOON)
                    .until(() -> !registrations(manager, "fastn.status").isEmpty());
        }
    }

    /** As Infinispan does after a merge. */
    @Test
    void D10_aNodeSaysThatWhatTheApplicationConsumesWasForgottenThoughItselfIsFoundAgain() {
        try (TestCluster cluster = TestCluster.of(2)) {
            Vertx forgotten = cluster.node(0);
            deployAlice(forgotten);
            Waiting.result(forgotten
                    .eventBus()
                    .consumer("orders", order -> order.reply("served"))
                    .completion());
            await().atMost(SOON).until(() -> isAnswered(cluster.node(1), "orders"));
            // On a busy machine it may warn of event loops that are late, too.
            await().atMost(SOON)
                    .ignoreExceptions()
                    .until(() -> warnings(cluster.node(1)), said -> !said.contains("addresses-forgotten"));

            ClusterManager manager = ((VertxInternal) forgotten).clusterManager();
            String own = FastnVertx.install(forgotten).node().incarnation();
            List.of("fastn.status.node.alice", "fastn.status.node." + own, "fastn.status.witness." + own, "orders")
                    .forEach(each -> forget(manager, each));

            // The consumer still is there, and nobody finds it; the node is found, and says so.
            await().atMost(SOON)
                    .ignoreExceptions()
                    .until(() -> warnings(cluster.node(1)), said -> said.contains("addresses-forgotten"));
            assertThat(isAnswered(cluster.node(1), "orders")).isFalse();
        }
    }

    /** One that says nothing of witnesses until it is told what to say, and counts how often it is asked for others. */
    private static final class WitnessManager extends HazelcastClusterManager {
        final BlockingQueue<Completable<Void>> held = new LinkedBlockingQueue<>();
        final AtomicInteger looks = new AtomicInteger();
        final AtomicBoolean holds = new AtomicBoolean(true);

        WitnessManager(Config config) {
            super(config);
        }

        @Override
        public void addRegistration(String address, RegistrationInfo registration, Completable<Void> added) {
            if (holds.get() && address.startsWith("fastn.status.witness")) {
                held.add(added);
            } else {
                super.addRegistration(address, registration, added);
            }
        }

        @Override
        public void getRegistrations(String address, Completable<List<RegistrationInfo>> found) {
            if (address.equals("here")) {
                looks.incrementAndGet();
            }
            super.getRegistrations(address, found);
        }
    }

    @Test
    void D10_whatWasNeverRegisteredIsNotForgottenAndIsRegisteredAnewOnceThatFailed() throws InterruptedException {
        try (TestCluster cluster = TestCluster.of(1, WitnessManager::new)) {
            Vertx vertx = cluster.node(0);
            WitnessManager manager = (WitnessManager) ((VertxInternal) vertx).clusterManager();
            Waiting.result(vertx.eventBus().consumer("here", message -> {}).completion());
            SelfCheck check = new SelfCheck(
                    vertx, Registry.of(vertx, "looking"), () -> List.of("here"), "1", Future::succeededFuture);
            vertx.getOrCreateContext().runOnContext(now -> {
                var unused = check.start();
                vertx.setPeriodic(50, tick -> check.look());
            });
            Completable<Void> one = manager.held.take();
            Completable<Void> other = manager.held.take();

            int before = manager.looks.get();
            await().atMost(SOON).until(() -> manager.looks.get() >= before + 5);
            assertThat(check.forgotten("/")).isNull();

            manager.holds.set(false);
            one.fail("late");
            other.fail("late");
            for (String witness : List.of("fastn.status.witness", "fastn.status.witness.1")) {
                await(witness)
                        .atMost(SOON)
                        .until(() -> !registrations(manager, witness).isEmpty());
            }
            int found = manager.looks.get();
            await().atMost(SOON).until(() -> manager.looks.get() >= found + 5);
            assertThat(check.forgotten("/")).isNull();
            forget(manager, "fastn.status.witness.1");
            await().atMost(SOON).until(() -> check.forgotten("/") != null);
        }
    }

    /** A cluster manager that answers on a thread of its own, as Infinispan does, or not at all, as both do while they merge. */
    private static final class ElsewhereManager extends HazelcastClusterManager {
        private final boolean answers;

        ElsewhereManager(Config config, boolean answers) {
            super(config);
            this.answers = answers;
        }

        @Override
        public void getRegistrations(String address, Completable<List<RegistrationInfo>> found) {
            if (answers) {
                new Thread(() -> found.succeed(List.of()), "of the cluster manager").start();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void D10_aNodeRegistersAnewOnTheContextThatItLookedOn(boolean answers) {
        try (TestCluster cluster = TestCluster.of(1, config -> new ElsewhereManager(config, answers))) {
            Vertx vertx = cluster.node(0);
            Context looking = vertx.getOrCreateContext();
            Promise<Context> registeredOn = Promise.promise();
            SelfCheck check = new SelfCheck(vertx, Registry.of(vertx, "looking"), () -> List.of("here"), "1", () -> {
                registeredOn.tryComplete(Vertx.currentContext());
                return Future.succeededFuture();
            });
            looking.runOnContext(now -> vertx.setPeriodic(50, tick -> check.look()));
            Context registering = Waiting.result(registeredOn.future());
            assertThat(registering).as("where it registers anew").isNotNull();
            assertThat(((ContextInternal) registering).unwrap()).isSameAs(((ContextInternal) looking).unwrap());
        }
    }

    @Test
    void D10_aNodeWhoseClusterManagerDoesNotAnswerSaysThatAndRegistersAnewOnce() {
        try (TestCluster cluster = TestCluster.of(1, config -> new ElsewhereManager(config, false))) {
            Vertx vertx = cluster.node(0);
            SelfCheck check = new SelfCheck(
                    vertx, Registry.of(vertx, "looking"), () -> List.of("here"), "1", Future::succeededFuture);
            vertx.getOrCreateContext().runOnContext(now -> vertx.setPeriodic(50, tick -> check.look()));
            await().atMost(SOON).until(() -> check.warning("/") != null);
            assertThat(requireNonNull(check.warning("/")).message())
                    .isEqualTo("the cluster manager does not answer this node, so other nodes may not find it");
            assertThat(check.repairs()).isEqualTo(1);
        }
    }

    /** One that tells which readers of streams it knows. */
    private static final class ReaderManager extends HazelcastClusterManager {
        final List<String> readers = new CopyOnWriteArrayList<>();

        ReaderManager(Config config) {
            super(config);
        }

        @Override
        public void addRegistration(String address, RegistrationInfo registration, Completable<Void> added) {
            if (address.startsWith(StreamWire.READER_PREFIX)) {
                readers.add(address);
            }
            super.addRegistration(address, registration, added);
        }
    }

    @Test
    void D1_D10_aReaderThatTheClusterManagerHasForgottenIsToldAgain() {
        try (TestCluster cluster = TestCluster.of(2, ReaderManager::new)) {
            deployAlice(cluster.node(0));
            FastnContext root = FastnVertx.install(cluster.node(0)).runtime().root();
            AtomicLong told = new AtomicLong();
            var unused = StatusClient.create(cluster.node(1)).stream()
                    .handler(status -> told.set(status.totalCounters().getOrDefault("told_again", 0L)));
            root.incrementTotal("told_again");
            await().atMost(SOON).until(() -> told.get() == 1);

            ReaderManager manager = (ReaderManager) ((VertxInternal) cluster.node(1)).clusterManager();
            // One, or on a busy machine the last of some, of which the others are given up.
            int before = manager.readers.size();
            List<String> forgotten = List.copyOf(manager.readers);
            forgotten.forEach(reader -> registrations(manager, reader)
                    .forEach(each -> manager.removeRegistration(reader, each, Promise.promise())));
            // Not before the writer does not find it any more: what it sent a moment earlier would arrive.
            DeliveryOptions quick = new DeliveryOptions().setSendTimeout(500);
            forgotten.forEach(reader -> await().atMost(SOON)
                    .until(() -> isUnknown(cluster.node(0).eventBus().request(reader, new JsonObject(), quick))));
            root.incrementTotal("told_again");

            await().atMost(SOON).until(() -> told.get() == 2);
            assertThat(manager.readers).hasSizeGreaterThan(before);
        }
    }

    private static void deployAlice(Vertx vertx) {
        Waiting.result(vertx.deployVerticle(new StatusVerticle(new StatusOptions()
                .setAlias("alice")
                .setHttp(false)
                .setSystemMetrics(false)
                .setHelloInterval(500))));
    }

    /** The ids of what alice warns of. */
    private static List<Object> warnings(Vertx from) {
        DeliveryOptions quick = new DeliveryOptions().setSendTimeout(1_000);
        JsonObject status = Waiting.result(from.eventBus()
                .<JsonObject>request("fastn.status.node.alice", new JsonObject(), quick)
                .map(Message::body));
        return status.getJsonArray("warnings").stream()
                .map(warning -> ((JsonObject) warning).getValue("id"))
                .toList();
    }

    private static boolean isAnswered(Vertx from, String address) {
        DeliveryOptions quick = new DeliveryOptions().setSendTimeout(1_000);
        return Waiting.result(from.eventBus()
                .request(address, new JsonObject(), quick)
                .map(true)
                .otherwise(false));
    }

    /** However long the answer takes. */
    private static boolean isFound(Vertx from, String address) {
        return Waiting.result(from.eventBus()
                .request(address, new JsonObject())
                .map(true)
                .otherwise(failure ->
                        !(failure instanceof ReplyException e) || e.failureType() != ReplyFailure.NO_HANDLERS));
    }

    private static boolean isUnknown(Future<?> asked) {
        return Waiting.failure(asked) instanceof ReplyException e && e.failureType() == ReplyFailure.NO_HANDLERS;
    }

    private static List<RegistrationInfo> registrations(ClusterManager manager, String address) {
        Promise<List<RegistrationInfo>> registrations = Promise.promise();
        manager.getRegistrations(address, registrations);
        return Waiting.result(registrations.future());
    }

    private static boolean isAnew(List<RegistrationInfo> now, List<RegistrationInfo> former) {
        return !now.isEmpty() && now.stream().noneMatch(former::contains);
    }

    private static void forget(ClusterManager manager, String address) {
        List<RegistrationInfo> all = registrations(manager, address);
        assertThat(all).isNotEmpty();
        all.forEach(each -> manager.removeRegistration(address, each, Promise.promise()));
    }
}
