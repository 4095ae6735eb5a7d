package com.fastn.verification.cluster;

import static com.fastn.verification.cluster.Answers.context;
import static com.fastn.verification.cluster.Answers.contexts;
import static com.fastn.verification.cluster.Answers.counted;
import static com.fastn.verification.cluster.Answers.list;
import static com.fastn.verification.cluster.Answers.states;
import static com.fastn.verification.cluster.Answers.status;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What is said of a cluster that works, mostly to a node that has no part in it and nothing of ours on its class path. */
class ClusterStatusTest {
    private static final String STATUS = "fastn.status";
    private static final long TIMEOUT = 20_000;
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final Map<String, String> ALL_UP = Map.of("alice", "up", "bob", "up", "carol", "up");

    @RegisterExtension
    static final ClusterExtension CLUSTER = new ClusterExtension("alice", "bob", "carol", ClusterExtension.STRANGER);

    private final Jvm alice = CLUSTER.node("alice");
    private final Jvm dave = CLUSTER.node(ClusterExtension.STRANGER);

    @AfterEach
    void openTheTill() {
        dave.askText("till.open", null, TIMEOUT);
    }

    @Test
    void aNodeThatHasNothingOfOursIsAnsweredAsEverybodyElse() {
        assertThat(dave.facts().getBoolean("has_library")).isFalse();
        for (JsonObject question : new JsonObject[] {null, new JsonObject()}) {
            JsonObject answer = askUntil(question, all -> true);
            assertThat(answer.getString("kind")).isEqualTo("cluster_status");
            assertThat(answer.getInteger("schema")).isEqualTo(1);
            assertThat(answer.getBoolean("complete")).isTrue();
            assertThat(states(answer)).isEqualTo(ALL_UP);
        }
    }

    @Test
    void allNodesCountTheirPartOfTheSameOrders() {
        JsonObject before = askUntil(null, all -> true);
        Customers customers = Customers.at(alice, 4);
        await().atMost(SOON).until(() -> customers.served() >= 50);
        customers.finish();

        // Who has replied ends its context after that, so a customer may be served a moment before.
        JsonObject after = askUntil(
                null, all -> contexts(all, "bob").stream().noneMatch(context -> context.containsKey("caller")));

        assertThat(customers.refused()).isZero();
        Map<String, String> counters = Map.of("alice", "orders", "bob", "taken", "carol", "payments");
        counters.forEach(
                (alias, counter) -> assertThat(counted(after, alias, counter) - counted(before, alias, counter))
                        .as(counter + " of " + alias)
                        .isEqualTo(customers.served()));
        assertThat(status(after, "bob").getJsonArray("active_locks")).isEmpty();
    }

    @Test
    void whoHoldsALockWhoWaitsForItAndWhoCalledThemIsSeenAcrossNodes() {
        dave.askText("till.close", null, TIMEOUT);
        try (Customers customers = Customers.at(alice, 4)) {
            Predicate<JsonObject> allHang =
                    answer -> status(answer, "bob").getJsonArray("lock_waiters").size() == 3
                            && named(answer, "carol", "till.pay").size() == 1;
            var unused = askUntil(null, allHang);
            // In that answer a node may tell of a moment at which not all had come to it; now nothing moves any more.
            JsonObject cluster = askUntil(null, allHang);

            // The lock: bob's, held by one order, which waits for carol.
            JsonObject lock = list(status(cluster, "bob"), "active_locks").get(0);
            assertThat(lock.getString("name")).isEqualTo("shelf");
            assertThat(lock.getString("lock_type")).isEqualTo("mutex");
            assertThat(lock.getInteger("waiters")).isEqualTo(3);
            JsonObject holder = context(cluster, "bob", lock.getLong("holder_id"));
            assertThat(holder.getString("name")).isEqualTo("stock.take");
            assertThat(list(holder, "operations"))
                    .extracting(operation -> operation.getString("name"))
                    .contains("pay");

            // Three more orders wait for it, and they and the holder were called by four requests on alice.
            List<JsonObject> called = new ArrayList<>(List.of(holder));
            for (JsonObject waiter : list(status(cluster, "bob"), "lock_waiters")) {
                assertThat(waiter.getString("lock_name")).isEqualTo("shelf");
                assertThat(waiter.getLong("lock_id")).isEqualTo(lock.getLong("lock_id"));
                called.add(context(cluster, "bob", waiter.getLong("context_id")));
            }
            assertThat(called).extracting(context -> context.getLong("id")).doesNotHaveDuplicates();
            List<Long> callers = new ArrayList<>();
            for (JsonObject order : called) {
                assertThat(order.containsKey("caller")).isTrue();
                JsonObject caller = order.getJsonObject("caller");
                assertThat(caller.getString("node")).isEqualTo("alice");
                callers.add(caller.getLong("context_id"));
                JsonObject request = context(cluster, "alice", caller.getLong("context_id"));
                assertThat(request.getString("kind")).isEqualTo("request");
                assertThat(request.getString("path")).isEqualTo(caller.getString("path"));
            }
            assertThat(callers).hasSize(4).doesNotHaveDuplicates();

            // The payment on carol was called by the holder.
            JsonObject payment = named(cluster, "carol", "till.pay").get(0).getJsonObject("caller");
            assertThat(payment.getString("node")).isEqualTo("bob");
            assertThat(payment.getLong("context_id")).isEqualTo(holder.getLong("id"));

            // Time goes on.
            JsonObject later = askUntil(null, all -> true);
            assertThat(list(status(later, "bob"), "active_locks").get(0).getLong("held_duration_ms"))
                    .isGreaterThan(lock.getLong("held_duration_ms"));
            assertThat(waited(later)).isGreaterThan(waited(cluster)).isPositive();

            // People read it too.
            await().atMost(SOON)
                    .untilAsserted(() -> assertThat(
                                    dave.askText(STATUS, new JsonObject().put("format", "text"), TIMEOUT))
                            .contains("called by POST /orders#" + callers.get(0) + "@alice")
                            .contains("called by stock.take#" + holder.getLong("id") + "@bob")
                            .contains("HOLDS \"shelf\"")
                            .contains("WAITING \"shelf\""));

            customers.close();
            dave.askText("till.open", null, TIMEOUT);
            customers.finish();
            JsonObject end = askUntil(null, all -> true);
            assertThat(status(end, "bob").getJsonArray("active_locks")).isEmpty();
            assertThat(status(end, "bob").getJsonArray("lock_waiters")).isEmpty();
        }
    }

    @Test
    void aQuestionForSomeNodesIsAnsweredForThemAlone() {
        askUntilUp(nodes("bob"), Map.of("bob", "up"));
        askUntilUp(nodes("carol", "alice"), Map.of("alice", "up", "carol", "up"));
        JsonObject unknown = dave.asking(STATUS, nodes("bop"), TIMEOUT).join();
        assertThat(unknown.getString("failure")).contains("unknown node \"bop\"", "bob");
    }

    @Test
    void aConsumerHearsOfChangesOncePerSecondAtMostAndSwallowsNoQuestion() {
        alice.consume(STATUS);
        try (Customers customers = Customers.at(alice, 2)) {
            List<Jvm> askers = List.of(dave, CLUSTER.node("bob"), CLUSTER.node("carol"), dave);
            for (int round = 0; round < 50; round++) {
                List<CompletableFuture<JsonObject>> questions = askers.stream()
                        .map(asker -> asker.asking(STATUS, new JsonObject(), TIMEOUT))
                        .toList();
                // At once: a question that is swallowed is not noticed sooner than its time runs out.
                assertThat(questions).allSatisfy(question -> {
                    JsonObject answer = question.join();
                    assertThat(answer.getString("failure")).isNull();
                    assertThat(states(answer.getJsonObject("body"))).containsOnlyKeys(ALL_UP.keySet());
                });
            }
            List<JsonObject> heard = await().atMost(SOON).until(alice::heard, list -> list.size() >= 16);

            assertThat(customers.served()).isPositive();
            assertThat(heard).allSatisfy(message -> {
                assertThat(message.getBoolean("question")).isFalse();
                JsonObject body = message.getJsonObject("body");
                assertThat(body.getString("kind")).isEqualTo("status_snapshot");
                assertThat(body.getJsonObject("node").getString("alias")).isEqualTo("alice");
            });
            // Of a busy machine a message may lie about for a while on its way, so the distance is that of many, and
            // half of it is far more than without a limit, where they come as fast as orders do.
            long first = heard.get(0).getLong("at_ms");
            long last = heard.get(heard.size() - 1).getLong("at_ms");
            assertThat(last - first).isGreaterThan(500L * (heard.size() - 1));
            customers.finish();
        }
    }

    /** On a machine that has other things to do, a node that lives may be late for an answer; then it is asked again. */
    private JsonObject askUntil(@Nullable JsonObject question, Predicate<JsonObject> expected) {
        return await().atMost(SOON)
                .until(
                        () -> dave.ask(STATUS, question, TIMEOUT),
                        answer -> states(answer).equals(ALL_UP) && expected.test(answer));
    }

    /** The same, of some; of others nothing may ever be said. */
    private void askUntilUp(JsonObject question, Map<String, String> expected) {
        var unused = await().atMost(SOON)
                .until(
                        () -> {
                            Map<String, String> states = states(dave.ask(STATUS, question, TIMEOUT));
                            assertThat(states).containsOnlyKeys(expected.keySet());
                            return states;
                        },
                        expected::equals);
    }

    private static JsonObject nodes(String... aliases) {
        return new JsonObject().put("nodes", new JsonArray(List.of(aliases)));
    }

    private static List<JsonObject> named(JsonObject cluster, String alias, String name) {
        return contexts(cluster, alias).stream()
                .filter(context -> context.getString("name").equals(name))
                .toList();
    }

    private static long waited(JsonObject cluster) {
        return list(status(cluster, "bob"), "lock_waiters").stream()
                .mapToLong(waiter -> waiter.getLong("waiting_duration_ms"))
                .min()
                .orElseThrow();
    }
}
