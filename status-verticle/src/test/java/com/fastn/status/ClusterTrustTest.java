package com.fastn.status;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fastn.context.FastnContext;
import com.fastn.context.Ticker;
import com.fastn.context.status.BlockedPlace;
import com.fastn.context.status.CallerLink;
import com.fastn.context.status.CancelReason;
import com.fastn.context.status.CauseKind;
import com.fastn.context.status.Causes;
import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.ContextKind;
import com.fastn.context.status.ContextPath;
import com.fastn.context.status.ContextRef;
import com.fastn.context.status.ContextStatus;
import com.fastn.context.status.DeadlockReport;
import com.fastn.context.status.FinishedContext;
import com.fastn.context.status.LockMode;
import com.fastn.context.status.LockStatus;
import com.fastn.context.status.LockType;
import com.fastn.context.status.LockWaiter;
import com.fastn.context.status.MetricValue;
import com.fastn.context.status.NodeIdentity;
import com.fastn.context.status.StatusJson;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.context.status.StatusWarning;
import com.fastn.context.status.WaitEpisode;
import com.fastn.context.status.WarningSeverity;
import com.fastn.context.vertx.FastnVertx;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.WorkerExecutor;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.eventbus.ReplyFailure;
import io.vertx.core.internal.VertxInternal;
import io.vertx.core.json.JsonObject;
import io.vertx.core.spi.cluster.ClusterManager;
import io.vertx.core.spi.cluster.RegistrationInfo;
import io.vertx.core.streams.ReadStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** What a node tells a cluster that anybody may have joined, and what it does when the cluster manager forgets it. */
class ClusterTrustTest {
    private static final String SECRET = "the-planted-value";
    private static final CallerLink CALLER = new CallerLink("bob", "i-2", 7, "global.front");

    @Test
    void S4_onAnOpenClusterNoDataValueLeavesItsNodeAndEveryStatusSaysSo() {
        Consumer<String> tellsNoValue = answer -> assertThat(answer).doesNotContain(SECRET);
        Consumer<String> saysSo = answer -> assertThat(answer).contains("cluster-not-authenticated");

        assertThat(answersToOthers(false))
                .allSatisfy(answer -> assertThat(answer).contains("\"order\""))
                .allSatisfy(tellsNoValue)
                .allSatisfy(saysSo);

        // Where the operator trusts the cluster, each of them has to be noticed.
        assertThat(answersToOthers(true)).allSatisfy(answer -> {
            assertThatThrownBy(() -> tellsNoValue.accept(answer)).isInstanceOf(AssertionError.class);
            assertThatThrownBy(() -> saysSo.accept(answer)).isInstanceOf(AssertionError.class);
        });
    }

    /** {@return what a node that does not look like one of loopback tells another one of a context with data, in each way} */
    private static List<String> answersToOthers(boolean trust) {
        try (TestCluster cluster = TestCluster.thatLooksOpen(2)) {
            deploy(cluster.node(0), new StatusOptions().setAlias("alice").setTrustCluster(trust));
            deploy(cluster.node(1), new StatusOptions().setAlias("bob").setTrustCluster(trust));
            cluster.untilMet(0, 1);
            FastnContext order = plant(cluster.node(1));
            JsonObject asked = ask(cluster.node(0), "fastn.status");
            assertThat(asked.getBoolean("complete")).isTrue();
            List<String> answers = List.of(
                    asked.encode(),
                    ask(cluster.node(0), "fastn.status.node.bob").encode(),
                    stream(cluster.node(0)));

            // Whoever is inside of the node sees all of it.
            assertThat(ask(cluster.node(1), "fastn.status").encode()).contains(SECRET);
            assertThat(stream(cluster.node(1))).contains(SECRET);
            order.close();
            return answers;
        }
    }

    /** Whatever an application may have put a value into. */
    @Test
    void S4_onAnOpenClusterNoWordsOfTheApplicationLeaveItsNode() {
        try (TestCluster cluster = TestCluster.thatLooksOpen(1)) {
            ClusterTrust open = ClusterTrust.of(cluster.node(0), false);
            ClusterTrust trusted = ClusterTrust.of(cluster.node(0), true);
            StatusSnapshot planted = planted();
            assertThat(StatusJson.write(trusted.forOthers(planted)).split(SECRET, -1))
                    .as("each field has its value where all is told")
                    .hasSizeGreaterThan(15);

            StatusSnapshot told = open.forOthers(planted);
            Consumer<StatusSnapshot> check =
                    snapshot -> assertThat(StatusJson.write(snapshot)).doesNotContain(SECRET);
            check.accept(told);
            assertThatThrownBy(() -> check.accept(trusted.forOthers(planted))).isInstanceOf(AssertionError.class);
            ContextStatus order = told.globalContext().children().get(0);
            assertThat(order.metrics()).containsOnlyKeys("size");
            assertThat(requireNonNull(order.cancelReason()).message()).isEqualTo("timeout");
            assertThat(told.recent())
                    .extracting(FinishedContext::outcome)
                    .containsExactly(
                            new FinishedContext.Failed("IllegalStateException"),
                            new FinishedContext.Cancelled(
                                    new CancelReason(CancelReason.Kind.REQUESTED, "requested", "global")));
            assertThat(told.recent())
                    .allSatisfy(ended -> assertThat(ended.traceId()).isNull())
                    .extracting(FinishedContext::caller)
                    .containsOnly(CALLER);
            assertThat(told.warnings())
                    .extracting(StatusWarning::message)
                    .containsExactly("event loop e is blocked (2s) by global.order");
            assertThat(told.activeLocks()).hasSize(1);
            assertThat(told.lockWaiters()).hasSize(1);
            assertThat(told.causes().blocked()).hasSize(1);
            assertThat(told.causes().deadlocks()).hasSize(1);
            assertThat(told.causes().episodes()).hasSize(1);
        }
    }

    private static StatusSnapshot planted() {
        Duration second = Duration.ofSeconds(1);
        String place = SECRET + ".java:8";
        ContextStatus shape = Fixtures.context(2, "global.order");
        ContextStatus order = new ContextStatus(
                2,
                "order",
                "order",
                shape.path(),
                shape.kind(),
                shape.state(),
                new CancelReason(CancelReason.Kind.TIMEOUT, SECRET, "global"),
                null,
                second,
                second,
                SECRET,
                false,
                null,
                List.of(),
                Map.of("customer", MetricValue.text(SECRET), "size", MetricValue.counter(3)),
                Map.of("customer", SECRET),
                Map.of(),
                Map.of(),
                Map.of(),
                Map.of(),
                List.of(),
                shape.foldedChildren());
        ContextRef ref = new ContextRef(new NodeIdentity("alice", "i-1"), 2, "global.order", "order", "order#2");
        DeadlockReport.Hold hold = new DeadlockReport.Hold("a", 1, LockType.MUTEX, second, true, place);
        DeadlockReport.Party party =
                new DeadlockReport.Party(ref, List.of(hold), "b", 2, LockType.MUTEX, second, null, place);
        return Fixtures.snapshot(
                        new NodeIdentity("alice", "i-1"),
                        1,
                        Fixtures.context(1, "global", order),
                        List.of(held(place)),
                        List.of(waiting(place)),
                        List.of(new StatusWarning(
                                "event-loop-blocked",
                                WarningSeverity.CRITICAL,
                                "event loop e is blocked (2s) by global.order at " + place,
                                "global",
                                "close the guard; it was locked at com.Shop." + SECRET + "(Shop.java:9)")))
                .withRecent(List.of(
                        finished(new FinishedContext.Failed("IllegalStateException: " + SECRET)),
                        finished(new FinishedContext.Cancelled(
                                new CancelReason(CancelReason.Kind.REQUESTED, SECRET, "global")))))
                .withCauses(new Causes(
                        List.of(new DeadlockReport(true, Fixtures.NOW, List.of(party, party), 2, null)),
                        List.of(new BlockedPlace(
                                CauseKind.EVENT_LOOP, "e", second, place, List.of(2L), List.of(), 0, 0)),
                        List.of(new WaitEpisode(
                                Fixtures.NOW,
                                null,
                                second,
                                CauseKind.EVENT_LOOP,
                                "e",
                                ref,
                                "blocks event loop e at " + place,
                                1))));
    }

    private static LockStatus held(String place) {
        return new LockStatus(
                "a",
                1,
                LockType.MUTEX,
                LockMode.EXCLUSIVE,
                1,
                1,
                "order",
                2,
                ContextPath.parse("global.order"),
                Duration.ofSeconds(1),
                1,
                1,
                true,
                place);
    }

    private static LockWaiter waiting(String place) {
        return new LockWaiter(
                "order",
                2,
                ContextPath.parse("global.order"),
                "b",
                2,
                LockMode.EXCLUSIVE,
                1,
                1,
                Duration.ofSeconds(1),
                true,
                place);
    }

    private static FinishedContext finished(FinishedContext.Outcome outcome) {
        return new FinishedContext(
                3,
                ContextPath.parse("global.gone"),
                "gone",
                ContextKind.TASK,
                Fixtures.NOW,
                Fixtures.NOW,
                Duration.ZERO,
                outcome,
                Map.of(),
                CALLER,
                SECRET);
    }

    @Test
    void S4_S19_onAnOpenClusterNoPlaceInTheCodeIsToldAlsoWhereItHasNoLineNumber() {
        try (TestCluster cluster = TestCluster.thatLooksOpen(1)) {
            ClusterTrust open = ClusterTrust.of(cluster.node(0), false);
            List<StatusWarning> warnings = new ArrayList<>();
            for (String place : List.of(
                    "com.acme.Ledger.book(Ledger.java:88)",
                    "com.acme.Ledger.book(Ledger.java)",
                    "app//com.acme.Ledger$Row.<init>(Unknown Source)",
                    "com.acme.Ledger.book(Native Method)",
                    "Ledger.java:88",
                    "Ledger.kt",
                    "Unknown Source")) {
                warnings.add(new StatusWarning(
                        "waiter-stuck",
                        WarningSeverity.WARNING,
                        "pay stuck waiting (12s) for \"orders\" at " + place + ", held by settle",
                        "global",
                        "what settle is doing since it took the lock at " + place));
            }
            assertThat(open.forOthers(planted().withWarnings(warnings)).warnings())
                    .filteredOn(warning -> warning.id().equals("waiter-stuck"))
                    .hasSameSizeAs(warnings)
                    .allSatisfy(warning -> {
                        assertThat(warning.message())
                                .isEqualTo("pay stuck waiting (12s) for \"orders\", held by settle");
                        assertThat(warning.next()).isEqualTo("what settle is doing since it took the lock");
                    });
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
                cluster.untilMet(0, 1);
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

    @Test
    void aNodeThatIsStoppedWhileItRegistersAnewAnswersNothingAfterwards() {
        try (TestCluster cluster = TestCluster.of(1)) {
            Vertx vertx = cluster.node(0);
            FastnVertx fastn = FastnVertx.install(vertx);
            NodeIdentity self = fastn.node();
            Ticker ticker = Ticker.system();
            WorkerExecutor worker = vertx.createSharedWorkerExecutor("anew");
            LocalStatus local = new LocalStatus(fastn.runtime(), null, List.of());
            NodeDirectory directory = new NodeDirectory(self, 1, Duration.ofMinutes(1), ticker);
            Watches watches = new Watches(vertx, worker, local, directory, new PeerBytes(ticker), ticker);
            ClusterTrust trust = ClusterTrust.of(vertx, true);
            BusService bus = new BusService(
                    vertx,
                    worker,
                    new DeadlockWatch(vertx, fastn, worker, directory, 0, 1_000, ticker, () -> {}),
                    local,
                    new ClusterQuery(vertx, worker, local, directory, trust, 1_000, new PeerBytes(ticker), ticker),
                    new StreamService(vertx, worker, self, local, watches, trust, ticker),
                    trust,
                    new TreePages(fastn.runtime(), trust, ticker),
                    new ToldSince(ticker),
                    new RemoteCancel(vertx, worker, fastn.runtime(), false, trust));
            HelloExchange hellos =
                    new HelloExchange(vertx, null, worker, local, directory, () -> false, false, () -> {});
            Context context = vertx.getOrCreateContext();
            Promise<Void> over = Promise.promise();
            context.runOnContext(now -> bus.start(fastn, self)
                    .compose(ready -> hellos.start(0))
                    .compose(ready -> {
                        List<KeptAddress> all = new ArrayList<>(bus.addresses());
                        all.addAll(hellos.addresses());
                        Future<Void> anew = KeptAddress.registerAnew(all);
                        return Future.join(anew, bus.stop(), hellos.stop()).<Void>mapEmpty();
                    })
                    .onComplete(over));
            Waiting.result(over.future());
            DeliveryOptions here = new DeliveryOptions().setLocalOnly(true);
            for (String address : List.of(
                    "fastn.status.node." + self.incarnation(), HelloExchange.ADDRESS + "." + self.incarnation())) {
                assertThat(Waiting.failure(vertx.eventBus().request(address, null, here)))
                        .as(address)
                        .isInstanceOfSatisfying(
                                ReplyException.class,
                                e -> assertThat(e.failureType()).isEqualTo(ReplyFailure.NO_HANDLERS));
            }
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
        await().atMost(Duration.ofSeconds(60)).until(() -> heard.stream().anyMatch(ClusterStatus::isComplete));
        stream.handler(null);
        // On a busy machine a later one may take a node for silent.
        return StatusJson.write(
                heard.stream().filter(ClusterStatus::isComplete).findFirst().orElseThrow());
    }

    private static void deploy(Vertx vertx, StatusOptions options) {
        // Each node answers, however busy the machine is.
        options.setHttp(false).setQueryTimeout(20_000);
        Waiting.result(vertx.deployVerticle(new StatusVerticle(options)));
    }

    private static JsonObject ask(Vertx vertx, String address) {
        return (JsonObject)
                Waiting.result(vertx.eventBus().request(address, null)).body();
    }
}
