package com.fastn.status;

import static com.fastn.status.Waiting.await;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.FastnContext;
import com.fastn.context.LockGuard;
import com.fastn.context.WarningIds;
import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.DeadlockReport;
import com.fastn.context.status.Explainer;
import com.fastn.context.status.NodeIdentity;
import com.fastn.context.status.NodeStatus;
import com.fastn.context.status.NodeWaits;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.context.status.StatusWarning;
import com.fastn.context.status.WarningSeverity;
import com.fastn.context.vertx.Addresses;
import com.fastn.context.vertx.FastnVertx;
import com.fastn.context.vertx.FutureContext;
import com.fastn.context.vertx.SharedLock;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.Promise;
import io.vertx.core.VerticleBase;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.DeliveryContext;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.Message;
import io.vertx.core.eventbus.MessageConsumer;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Rule L14 over two real nodes in one process. */
class ClusterDeadlockTest {
    private static final long AFTER = 1_000;
    private static final DeliveryOptions PATIENT = new DeliveryOptions().setSendTimeout(60_000);
    private static final Duration PATIENCE = Duration.ofSeconds(50);
    private static TestCluster cluster;

    private final List<Supplier<Future<?>>> cleaning = new ArrayList<>();

    @BeforeAll
    static void start() {
        cluster = TestCluster.of(2);
        for (int i = 0; i < 2; i++) {
            String alias = i == 0 ? "alice" : "bob";
            Waiting.result(cluster.node(i)
                    .deployVerticle(new StatusVerticle(new StatusOptions()
                            .setAlias(alias)
                            .setHttp(false)
                            .setSystemMetrics(false)
                            // Each node answers, however busy the machine is.
                            .setQueryTimeout(20_000)
                            .setDeadlockSearchAfter(AFTER))));
        }
        cluster.untilMet(0, 1);
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    @AfterEach
    void clean() {
        for (int last = cleaning.size() - 1; last >= 0; last--) {
            Waiting.result(cleaning.get(last).get());
        }
        await().until(() -> {
            ClusterStatus status = status();
            return deadlocks(status).isEmpty() && warnings(status).isEmpty();
        });
    }

    private static FastnContext open(int node, String name) {
        return FastnVertx.install(cluster.node(node))
                .runtime()
                .root()
                .child(name)
                .open();
    }

    private static <T> Future<T> in(FastnContext context, Supplier<Future<T>> work) {
        return FutureContext.of(context).spawn(work);
    }

    private static ClusterStatus status() {
        return Waiting.result(
                StatusClient.create(cluster.node(0)).withTimeout(PATIENCE).status());
    }

    private static List<DeadlockReport> deadlocks(ClusterStatus status) {
        return snapshots(status).stream()
                .flatMap(snapshot -> snapshot.causes().deadlocks().stream())
                .toList();
    }

    private static List<StatusWarning> warnings(ClusterStatus status) {
        return snapshots(status).stream()
                .flatMap(snapshot -> snapshot.warnings().stream())
                .filter(warning -> warning.id().startsWith("deadlock"))
                .toList();
    }

    private static List<StatusSnapshot> snapshots(ClusterStatus status) {
        List<StatusSnapshot> all = new ArrayList<>();
        for (NodeStatus node : status.nodes()) {
            if (node.snapshot() != null) {
                all.add(node.snapshot());
            }
        }
        return all;
    }

    private static ClusterStatus untilFound() {
        return await().pollInterval(Duration.ofMillis(50))
                .until(ClusterDeadlockTest::status, found -> !deadlocks(found).isEmpty());
    }

    private SharedLock.Guard take(FastnContext who, String name) {
        return Waiting.result(
                in(who, () -> FutureContext.current().sharedLock(name).lock()));
    }

    @Test
    void L14_aRingOfLocksOfTheClusterIsToldOnceAndNoLongerWhenItIsResolved() {
        FastnContext checkout = open(0, "checkout");
        FastnContext refill = open(1, "refill");
        SharedLock.Guard orders = take(checkout, "orders");
        SharedLock.Guard stock = take(refill, "stock");
        Future<SharedLock.Guard> first =
                in(checkout, () -> FutureContext.current().sharedLock("stock").lock(PATIENCE));
        Future<SharedLock.Guard> second =
                in(refill, () -> FutureContext.current().sharedLock("orders").lock(PATIENCE));
        cleaning.add(() -> {
            orders.close();
            stock.close();
            return Future.all(first.onSuccess(SharedLock.Guard::close), second.onSuccess(SharedLock.Guard::close));
        });

        ClusterStatus status = untilFound();

        DeadlockReport report = deadlocks(status).get(0);
        assertThat(deadlocks(status)).as("one node tells of it").hasSize(1);
        assertThat(report.proven()).as("a guard may be closed by anybody").isFalse();
        assertThat(report.parties())
                .extracting(party -> party.context().shortName())
                .containsExactlyInAnyOrder("checkout@alice", "refill@bob");
        assertThat(report.parties()).allSatisfy(party -> {
            assertThat(party.holds()).hasSize(1);
            assertThat(party.waited()).as("told when it is old").isGreaterThanOrEqualTo(Duration.ofMillis(AFTER));
            assertThat(party.timesOutIn()).isLessThan(PATIENCE);
        });
        assertThat(report.cycle())
                .startsWith("suspected deadlock: ")
                .contains("checkout@alice holds mutex \"shared:orders\" for ")
                .contains(" and waits for mutex \"shared:stock\" for ")
                .contains("resolves by itself within ");
        assertThat(warnings(status)).hasSize(1).allSatisfy(warning -> {
            assertThat(warning.id()).isEqualTo("deadlock-suspected");
            assertThat(warning.severity()).isEqualTo(WarningSeverity.WARNING);
            assertThat(warning.message()).isEqualTo(report.cycle());
        });
        assertThat(Explainer.of(status).explainAll())
                .anySatisfy(why -> assertThat(why.headline()).contains("suspected deadlock: "));
        assertThat(status.toString()).contains("suspected deadlock: ");
        JsonObject ofAPath = (JsonObject) Waiting.result(
                        cluster.node(0).eventBus().request("fastn.status", new JsonObject().put("path", "global")))
                .body();
        assertThat(ofAPath.encode().split("\"deadlock-suspected\"", -1))
                .as("told once")
                .hasSize(2);
        assertThat(ofAPath.encode().split("\"resolves_within_ms\"", -1)).hasSize(2);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void D8_aRingIsNotToldWhileAnotherNodeHoldsOneOfItsLocksTooOrDoesNotSay(boolean says) {
        NodeIdentity carol = new NodeIdentity("carol", "carol-" + says);
        AtomicBoolean works = new AtomicBoolean(true);
        AtomicInteger questions = new AtomicInteger();
        MessageConsumer<JsonObject> answers = cluster.node(1)
                .eventBus()
                .consumer(Addresses.node(carol.incarnation()), question -> {
                    if (!question.body().containsKey(DeadlockWatch.WAITS)) {
                        question.fail(1, "a test of deadlocks");
                        return;
                    }
                    questions.incrementAndGet();
                    if (says || !works.get()) {
                        List<String> held = works.get() ? List.of("ring.orders") : List.of();
                        question.reply(NodeWaitsJson.write(new NodeWaits(carol, List.of(), List.of(), false, held))
                                .toBuffer());
                    } else {
                        question.fail(1, "silent");
                    }
                });
        Waiting.result(answers.completion());
        hello(carol, Hello.Kind.ALIVE);
        long alive = cluster.node(1).setPeriodic(AFTER, tick -> hello(carol, Hello.Kind.ALIVE));
        // Who looks has to know her, for who is not known is not asked.
        for (int i = 0; i < 2; i++) {
            StatusClient client = StatusClient.create(cluster.node(i)).withTimeout(PATIENCE);
            await().until(() -> Waiting.result(client.status()).nodes().stream()
                    .anyMatch(row -> row.node().equals(carol)));
        }
        FastnContext checkout = open(0, "checkout");
        FastnContext refill = open(1, "refill");
        SharedLock.Guard orders = take(checkout, "ring.orders");
        SharedLock.Guard stock = take(refill, "ring.stock");
        Future<SharedLock.Guard> first = in(
                checkout, () -> FutureContext.current().sharedLock("ring.stock").lock(PATIENCE));
        Future<SharedLock.Guard> second = in(
                refill, () -> FutureContext.current().sharedLock("ring.orders").lock(PATIENCE));
        cleaning.add(() -> {
            cluster.node(1).cancelTimer(alive);
            hello(carol, Hello.Kind.GOODBYE);
            orders.close();
            stock.close();
            return Future.all(
                    first.onSuccess(SharedLock.Guard::close),
                    second.onSuccess(SharedLock.Guard::close),
                    answers.unregister());
        });

        await().until(() -> questions.get() > 0);
        await().pollInterval(Duration.ofMillis(100))
                .during(Duration.ofMillis(2 * AFTER))
                .until(() -> deadlocks(status()).isEmpty());
        if (says) {
            assertThat(warnings(status())).as("she works").isEmpty();
        } else {
            await().until(
                            ClusterDeadlockTest::status,
                            found -> warnings(found).stream()
                                    .anyMatch(warning -> warning.id().equals(WarningIds.DEADLOCKS_NOT_SEARCHED)
                                            && warning.message().contains("carol")));
        }

        works.set(false);
        assertThat(deadlocks(untilFound())).hasSize(1);
    }

    private static void hello(NodeIdentity node, Hello.Kind kind) {
        cluster.node(1)
                .eventBus()
                .publish(HelloExchange.ADDRESS, new JsonObject(new Hello(node, 1, kind, null).toMap()));
    }

    @Test
    void whoWaitsAndHoldsNothingMakesNoNodeAskAnother() {
        AtomicInteger questions = new AtomicInteger();
        Handler<DeliveryContext<Object>> count = delivery -> {
            if (delivery.message().body() instanceof JsonObject body && body.containsKey(DeadlockWatch.WAITS)) {
                questions.incrementAndGet();
            }
            delivery.next();
        };
        cluster.node(1).eventBus().addInboundInterceptor(count);
        cleaning.add(() -> {
            cluster.node(1).eventBus().removeInboundInterceptor(count);
            return Future.succeededFuture();
        });
        // What a look of before, when there was something to look for, asks yet.
        AtomicInteger seen = new AtomicInteger(-1);
        await().pollInterval(Duration.ofMillis(100))
                .during(Duration.ofMillis(2 * AFTER))
                .until(() -> seen.getAndSet(questions.get()) == questions.get());
        int before = questions.get();
        FastnContext checkout = open(0, "checkout");
        Promise<Void> answer = Promise.promise();
        MessageConsumer<Object> slow = cluster.node(1)
                .eventBus()
                .consumer("slow", message -> answer.future().onSuccess(now -> message.reply("at last")));
        Waiting.result(slow.completion());
        cleaning.add(slow::unregister);
        Future<Message<Object>> reply =
                in(checkout, () -> cluster.node(0).eventBus().request("slow", "one", PATIENT));
        cleaning.add(() -> {
            answer.tryComplete();
            return reply;
        });
        await().pollInterval(Duration.ofMillis(100))
                .during(Duration.ofMillis(3 * AFTER))
                .until(() -> questions.get() == before);

        SharedLock.Guard orders = take(checkout, "orders");
        cleaning.add(() -> {
            orders.close();
            return Future.succeededFuture();
        });
        await("and when it holds something, it does").until(() -> questions.get() > before);
        assertThat(deadlocks(status())).isEmpty();
    }

    @Test
    void L14_whoIsToldOfASuspicionOverAndOverLooksAllTheSame() {
        AtomicInteger questions = new AtomicInteger();
        Handler<DeliveryContext<Object>> count = delivery -> {
            if (delivery.message().body() instanceof JsonObject body && body.containsKey(DeadlockWatch.WAITS)) {
                questions.incrementAndGet();
            }
            delivery.next();
        };
        Vertx bob = cluster.node(1);
        bob.eventBus().addInboundInterceptor(count);
        cleaning.add(() -> {
            bob.eventBus().removeInboundInterceptor(count);
            return Future.succeededFuture();
        });
        Promise<Void> answer = Promise.promise();
        MessageConsumer<Object> slow = bob.eventBus()
                .consumer("slow.suspect", message -> answer.future().onSuccess(now -> message.reply("at last")));
        Waiting.result(slow.completion());
        cleaning.add(slow::unregister);
        FastnContext checkout = open(0, "checkout");
        SharedLock.Guard orders = take(checkout, "orders");
        // Each comes well before the look that the one before it asked for.
        JsonObject suspicion = new JsonObject().put(DeadlockWatch.WAITS, 0).put(DeadlockWatch.SUSPECTED, true);
        long urging = bob.setPeriodic(AFTER / 25, tick -> {
            var unused = bob.eventBus().request("fastn.status.node.alice", suspicion);
        });
        cleaning.add(() -> {
            bob.cancelTimer(urging);
            return Future.succeededFuture();
        });
        Future<Message<Object>> reply =
                in(checkout, () -> cluster.node(0).eventBus().request("slow.suspect", "one", PATIENT));
        cleaning.add(() -> {
            answer.tryComplete();
            orders.close();
            return reply;
        });
        await().atMost(Duration.ofSeconds(60)).until(() -> questions.get() > 0);
    }

    @Test
    void L14_aRingThatIsClosedAfterTheOneWhoTellsHasLookedIsToldSoonAllTheSame() {
        String alice = FastnVertx.install(cluster.node(0)).node().incarnation();
        String bob = FastnVertx.install(cluster.node(1)).node().incarnation();
        int teller = alice.compareTo(bob) < 0 ? 0 : 1;
        FastnContext early = open(teller, "early");
        FastnContext late = open(1 - teller, "late");
        SharedLock.Guard orders = take(early, "orders");
        SharedLock.Guard stock = take(late, "stock");
        Future<SharedLock.Guard> first =
                in(early, () -> FutureContext.current().sharedLock("stock").lock(PATIENCE));
        // It looks at 1, 2, 4, 8, 16 and 32 thresholds, and the circle is closed soon after 16.
        await().pollInterval(Duration.ofMillis(20))
                .until(() -> FastnVertx.install(cluster.node(teller)).waitsForOthers().stream()
                        .anyMatch(age -> age.toMillis() > 16 * AFTER + AFTER / 4));
        Future<SharedLock.Guard> second =
                in(late, () -> FutureContext.current().sharedLock("orders").lock(PATIENCE));
        cleaning.add(() -> {
            orders.close();
            stock.close();
            return Future.all(first.onSuccess(SharedLock.Guard::close), second.onSuccess(SharedLock.Guard::close));
        });

        DeadlockReport report = deadlocks(untilFound()).get(0);

        assertThat(report.parties().stream()
                        .filter(party -> party.context().path().endsWith("late"))
                        .findFirst()
                        .orElseThrow()
                        .waited())
                .as("before it would have looked by itself, though the machine is busy")
                .isLessThan(Duration.ofMillis(15 * AFTER + AFTER / 2));
    }

    @Test
    void L14_aRingOfNestedWithLocksIsADeadlock() {
        FastnContext checkout = open(0, "checkout");
        FastnContext refill = open(1, "refill");
        Promise<Void> bothHold = Promise.promise();
        Promise<Void> hasOrders = Promise.promise();
        Promise<Void> hasStock = Promise.promise();
        Future<?> one = in(checkout, () -> nested("orders", "stock", hasOrders, bothHold));
        Future<?> other = in(refill, () -> nested("stock", "orders", hasStock, bothHold));
        Waiting.result(Future.all(hasOrders.future(), hasStock.future()));
        cleaning.add(() -> {
            checkout.cancel();
            refill.cancel();
            return Future.join(one, other).otherwiseEmpty();
        });
        bothHold.complete();

        ClusterStatus status = untilFound();

        DeadlockReport report = deadlocks(status).get(0);
        assertThat(report.proven()).isTrue();
        assertThat(report.cycle()).startsWith("deadlock: ");
        assertThat(warnings(status)).extracting(StatusWarning::id).containsExactly("deadlock");
    }

    /** Waits for the other one within the work of the outer lock: both inner waits end when their contexts are cancelled. */
    private static Future<String> nested(String outer, String inner, Promise<Void> has, Promise<Void> bothHold) {
        FutureContext here = FutureContext.current();
        return here.sharedLock(outer).withLock(PATIENCE, () -> {
            has.complete();
            // Whoever is second comes when the first one waits already, so this work gives the wait itself.
            Waiting.result(bothHold.future());
            return here.sharedLock(inner).withLock(PATIENCE, () -> Future.succeededFuture("done"));
        });
    }

    /** Serves at an address: takes the mutex of this node while it works. */
    private static final class Stock extends VerticleBase {
        private final String address;
        private final FastnContext owner;

        Stock(String address, FastnContext owner) {
            this.address = address;
            this.owner = owner;
        }

        @Override
        public Future<?> start() {
            return vertx.eventBus()
                    .<String>consumer(
                            address,
                            message -> FutureContext.of(owner)
                                    .mutex("shelf")
                                    .lock()
                                    .onSuccess(guard -> {
                                        guard.close();
                                        message.reply("taken");
                                    }))
                    .completion();
        }
    }

    @Test
    void L14_aRingOfRequestsIsToldWithWhoOwesTheReplies() {
        FastnContext here = open(0, "here");
        FastnContext there = open(1, "there");
        deploy(0, new Stock("stock.alice", here));
        deploy(1, new Stock("stock.bob", there));
        LockGuard<?> shelfHere = Waiting.result(in(here, () -> lockOf(here)));
        LockGuard<?> shelfThere = Waiting.result(in(there, () -> lockOf(there)));
        Future<Message<Object>> one = in(here, () -> cluster.node(0).eventBus().request("stock.bob", "one", PATIENT));
        Future<Message<Object>> other =
                in(there, () -> cluster.node(1).eventBus().request("stock.alice", "one", PATIENT));
        cleaning.add(() -> {
            shelfHere.close();
            shelfThere.close();
            return Future.all(one, other);
        });

        ClusterStatus status = untilFound();

        assertThat(deadlocks(status)).hasSize(1);
        DeadlockReport report = deadlocks(status).get(0);
        assertThat(report.parties()).hasSize(4);
        assertThat(report.cycle())
                .startsWith("suspected deadlock: ")
                .contains("here@alice holds mutex \"shelf\" for ")
                .contains(" and waits for a reply of \"stock.bob\" for ")
                .contains("stock.bob@bob owes a reply of \"stock.bob\" for ");
    }

    private static Future<LockGuard<?>> lockOf(FastnContext owner) {
        return FutureContext.of(owner).mutex("shelf").lock().map(guard -> guard);
    }

    private void deploy(int node, VerticleBase verticle) {
        Vertx vertx = cluster.node(node);
        String id = Waiting.result(vertx.deployVerticle(verticle));
        cleaning.add(() -> vertx.undeploy(id));
    }

    @Test
    void aNodeTellsWhoWaitsForWhom() {
        FastnContext checkout = open(0, "checkout");
        SharedLock.Guard orders = take(checkout, "orders");
        cleaning.add(() -> {
            orders.close();
            return Future.succeededFuture();
        });
        JsonObject told = (JsonObject) Waiting.result(
                        cluster.node(1).eventBus().request("fastn.status.node.alice", new JsonObject().put("waits", 0)))
                .body();
        assertThat(told.getString("kind")).isEqualTo("node_waits");
        assertThat(told.getJsonArray("resources"))
                .as("who waits for nothing is part of no circle")
                .isEmpty();
        assertThat(told.getJsonArray("shared_held"))
                .as("but what he holds nobody else can hold, so that is told")
                .containsExactly("orders");
        assertThat(Waiting.failure(cluster.node(1)
                        .eventBus()
                        .request("fastn.status.node.alice", new JsonObject().put("waits", "all"))))
                .hasMessageContaining("\"waits\" stands alone");
    }
}
