package com.fastn.status;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.ContextRuntime;
import com.fastn.context.FastnContext;
import com.fastn.context.vertx.FastnVertx;
import com.fastn.status.NodeChecks.Place;
import com.fastn.status.NodeChecks.Trip;
import io.vertx.core.Handler;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.eventbus.DeliveryContext;
import io.vertx.core.internal.VertxInternal;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a node finds when it looks at itself. */
@Timeout(240)
class NodeChecksTest {

    private static StatusVerticle deploy(Vertx vertx, String alias) {
        // Whoever lives answers, however busy the machine is.
        StatusVerticle verticle = new StatusVerticle(new StatusOptions()
                .setAlias(alias)
                .setDescriptors(false)
                .setSystemMetrics(false)
                .setQueryTimeout(5_000));
        Waiting.result(vertx.deployVerticle(verticle));
        return verticle;
    }

    /** {@return what is found once the event loop has time} A busy machine lets it wait like one that is blocked. */
    private static Map<String, JsonObject> checks(StatusVerticle verticle) {
        return Waiting.await().until(() -> look(verticle), checks -> !checks.containsKey("event loop"));
    }

    private static Map<String, JsonObject> look(StatusVerticle verticle) {
        RawHttp.Response answer = RawHttp.get(requireNonNull(verticle.url()), "/status/checks?format=json");
        assertThat(answer.status()).isEqualTo(200);
        Map<String, JsonObject> checks = new LinkedHashMap<>();
        JsonArray all = new JsonObject(answer.body()).getJsonArray("checks");
        all.forEach(each -> checks.put(((JsonObject) each).getString("what"), (JsonObject) each));
        return checks;
    }

    private static void isWell(Map<String, JsonObject> checks, String what, String found) {
        assertThat(checks).containsKey(what);
        JsonObject check = requireNonNull(checks.get(what));
        assertThat(check.getString("found")).contains(found);
        assertThat(check.getBoolean("well")).as(check.encode()).isTrue();
    }

    private static void isWrong(Map<String, JsonObject> checks, String what, String found) {
        JsonObject check = requireNonNull(checks.get(what));
        assertThat(check.getString("found")).contains(found);
        assertThat(check.getBoolean("well")).as(check.encode()).isFalse();
        assertThat(check.getString("next")).isNotBlank();
    }

    @Test
    void whatTakesTooLongIsToldInWords() {
        Throwable late = Waiting.failure(Promise.promise().future().timeout(1, TimeUnit.MILLISECONDS));
        assertThat(NodeChecks.unseen("contexts", late, 1_000).found())
                .isEqualTo("could not be looked at: there was no answer within 1000 ms");
        assertThat(NodeChecks.unseen("members", new IllegalStateException("gone"), 1_000)
                        .found())
                .contains("IllegalStateException: gone");
    }

    @Test
    void aNodeThatIsAloneFindsItselfWell() {
        Vertx vertx = Vertx.vertx();
        try {
            StatusVerticle verticle = deploy(vertx, "alice");
            ContextRuntime runtime = FastnVertx.install(vertx).runtime();
            // What the deployment itself changed may come late.
            Waiting.await("who watches the tree sees nothing of it").until(() -> {
                long before = runtime.version();
                assertThat(checks(verticle)).isNotEmpty();
                return runtime.version() == before;
            });
            // Each of them has its time, which a busy machine may not leave it at once.
            Waiting.await().untilAsserted(() -> {
                Map<String, JsonObject> now = checks(verticle);
                isWell(now, "node", "Vert.x 5.");
                isWell(now, "requests", "get contexts");
                isWell(now, "members", "not clustered");
                isWell(now, "addresses", "fastn.status is answered here");
                isWell(now, "round trip", "to itself over the event bus in");
                isWell(now, "contexts", "each kept its own");
            });
            Waiting.await()
                    .until(() -> RawHttp.get(requireNonNull(verticle.url()), "/status/checks")
                            .body()
                            .contains("ok    contexts: of two branches at once"));
        } finally {
            Waiting.result(vertx.close());
        }
    }

    @Test
    void ofAClusterTheMembersTheirAddressesAndTheWayToThemAreTold() {
        try (TestCluster cluster = TestCluster.of(3)) {
            StatusVerticle alice = deploy(cluster.node(0), "alice");
            deploy(cluster.node(1), "bob");
            cluster.untilMet(0, 1);
            Waiting.await().untilAsserted(() -> {
                Map<String, JsonObject> checks = checks(alice);
                isWell(checks, "members", "3 members of HazelcastClusterManager; this one is reached at 127.0.0.1:");
                isWell(checks, "addresses", "fastn.status is answered on 2 of 3 members, this one among them");
                isWell(checks, "round trip", "1 of 1 other node answered, the slowest first: bob ");
            });

            Handler<DeliveryContext<Object>> deaf = delivery -> {
                if (!delivery.message().address().startsWith("fastn.status.node")) {
                    delivery.next();
                }
            };
            cluster.node(1).eventBus().addInboundInterceptor(deaf);
            Waiting.await()
                    .untilAsserted(
                            () -> isWrong(checks(alice), "round trip", "0 of 1 other node answered; silent: bob"));
        }
    }

    @Test
    void aNodeWhoseEventLoopIsBlockedFindsThatAndNothingElse() {
        Vertx vertx = Vertx.vertx();
        CountDownLatch free = new CountDownLatch(1);
        try {
            StatusVerticle verticle = deploy(vertx, "alice");
            // Every loop, for which one is the verticle's is not known here; contexts are given to them in turns, and
            // others may
            // make some meanwhile.
            int loops = VertxOptions.DEFAULT_EVENT_LOOP_POOL_SIZE;
            CountDownLatch blocked = new CountDownLatch(loops);
            for (int i = 0; i < 2 * loops; i++) {
                ((VertxInternal) vertx).createEventLoopContext().runOnContext(now -> {
                    blocked.countDown();
                    await(free);
                });
            }
            await(blocked);
            Map<String, JsonObject> checks = look(verticle);
            assertThat(checks).containsOnlyKeys("event loop");
            isWrong(checks, "event loop", "stands still");
        } finally {
            free.countDown();
            Waiting.result(vertx.close());
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            assertThat(latch.await(1, TimeUnit.MINUTES)).isTrue();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void aBranchThatIsInTheContextOfAnotherIsFoundAfterEachHop() {
        Vertx vertx = Vertx.vertx();
        try {
            FastnContext root = FastnVertx.install(vertx).runtime().root();
            try (FastnContext other = root.child("other").open()) {
                assertThat(Waiting.result(new ContextProbe(vertx, FastnContext::current).lost(root, other)))
                        .isEmpty();
                // As if both branches wrote one slot.
                List<String> lost = Waiting.result(new ContextProbe(vertx, () -> root).lost(root, other));
                assertThat(lost)
                        .containsExactly(
                                "\"other\" was \"global\" at its beginning",
                                "\"other\" was \"global\" after a timer",
                                "\"other\" was \"global\" on a worker",
                                "\"other\" was \"global\" after a worker",
                                "\"other\" was \"global\" after an answer of another thread");
                assertThat(NodeChecks.judge(lost).well()).isFalse();
            }
        } finally {
            Waiting.result(vertx.close());
        }
    }

    @Test
    void aMemberThatTellsTheOthersToLookForItOnTheirOwnMachineIsNamed() {
        Place here = new Place("a", "10.0.0.5", 4711);
        NodeCheck fine = NodeChecks.judge("Manager", "a", 2, List.of(here, new Place("b", "10.0.0.6", 4711)));
        assertThat(fine.well()).isTrue();
        assertThat(fine.found()).isEqualTo("2 members of Manager; this one is reached at 10.0.0.5:4711");
        for (String loopback : List.of("127.0.0.1", "localhost", "0.0.0.0", "::1")) {
            NodeCheck wrong = NodeChecks.judge("Manager", "a", 2, List.of(here, new Place("b", loopback, 4712)));
            assertThat(wrong.well()).as(loopback).isFalse();
            assertThat(wrong.found()).contains("at " + loopback + ":4712 the others only find themselves");
            assertThat(wrong.next()).contains("setClusterPublicHost");
        }
        Place unknown = new Place("b", "", 0);
        assertThat(NodeChecks.judge("Manager", "a", 2, List.of(here, unknown)).found())
                .contains("of 1 nobody knows where");
        assertThat(NodeChecks.judge("Manager", "b", 2, List.of(here, unknown)).found())
                .contains("this node is not among those that can be reached");
    }

    @Test
    void manyNodesAreNamedTheSlowestFirst() {
        List<Trip> trips = List.of(
                new Trip("quick", Duration.ofMillis(1)),
                new Trip("slow", Duration.ofMillis(40)),
                new Trip("dead", null));
        NodeCheck check = NodeChecks.judge(3, trips);
        assertThat(check.well()).isFalse();
        assertThat(check.found())
                .isEqualTo("2 of 3 other nodes answered, the slowest first: slow 40 ms, quick 1 ms; silent: dead");
    }
}
