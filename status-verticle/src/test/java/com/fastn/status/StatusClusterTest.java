package com.fastn.status;

import static com.fastn.status.Waiting.await;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.status.NodeIdentity;
import com.fastn.context.status.NodeSummary;
import com.fastn.context.vertx.FastnVertx;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.DeliveryContext;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.Message;
import io.vertx.core.eventbus.MessageConsumer;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.eventbus.ReplyFailure;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Three nodes with a status verticle, and a fourth that has none. */
class StatusClusterTest {
    private static final String STATUS = "fastn.status";
    private static final DeliveryOptions QUICK = new DeliveryOptions().setSendTimeout(500);
    /** What a newcomer waits for those who are there; whoever is slower is met later. */
    private static final Duration MEETING = Duration.ofSeconds(2);
    /** What a node has to answer where each does. A busy machine makes none of them silent. */
    private static final int PATIENT_MILLIS = 30_000;
    /** What it has where one does not, so that the test need not wait for long. */
    private static final int QUICK_MILLIS = 2_500;

    private static final DeliveryOptions PATIENT = new DeliveryOptions().setSendTimeout(2 * PATIENT_MILLIS);
    private static TestCluster cluster;

    private final Map<Vertx, String> deployments = new LinkedHashMap<>();
    private final Map<Vertx, String> urls = new LinkedHashMap<>();
    private final List<MessageConsumer<?>> consumers = new ArrayList<>();

    @BeforeAll
    static void start() {
        cluster = TestCluster.of(4);
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    @AfterEach
    void undeploy() {
        consumers.forEach(consumer -> Waiting.result(consumer.unregister()));
        deployments.forEach((vertx, id) -> Waiting.result(vertx.undeploy(id)));
        // Until all nodes have learned that nobody listens, a question may still be sent to where nobody is.
        for (int i = 0; i < 4; i++) {
            Vertx vertx = node(i);
            await().until(() ->
                    Waiting.failure(vertx.eventBus().request(STATUS, null, QUICK)) instanceof ReplyException e
                            && e.failureType() == ReplyFailure.NO_HANDLERS);
        }
    }

    @Test
    void allNodesThatStartAtOnceKnowEachOtherWhenTheirDeploymentsAreDone() {
        deployAll();
        for (int i = 0; i < 3; i++) {
            JsonObject status = ask(node(i), null);
            assertThat(states(status))
                    .as("asked at node " + i)
                    .containsExactly(Map.entry("alice", "up"), Map.entry("bob", "up"), Map.entry("carol", "up"));
            assertThat(nodes(status)).allSatisfy(row -> {
                assertThat(row.getJsonObject("status")).isNotNull();
                assertThat(row.getString("reason")).isNull();
            });
        }
    }

    @Test
    void aNodeThatJustStartedIsKnownEverywhereAndKnowsAll() {
        deploy(0, "alice");
        assertThat(states(ask(node(0), null))).containsOnlyKeys("alice");
        deploy(1, "bob");
        assertThat(states(ask(node(1), null))).containsOnlyKeys("alice", "bob");
        assertThat(states(ask(node(0), null))).containsOnlyKeys("alice", "bob");
    }

    @Test
    void aNodeThatHasNoStatusVerticleGetsAnAnswerFromOneThatHas() {
        deployAll();
        assertThat(states(ask(node(3), null))).containsOnlyKeys("alice", "bob", "carol");
        assertThat(states(ask(node(3), new JsonObject()))).containsOnlyKeys("alice", "bob", "carol");
        JsonObject bob = (JsonObject) Waiting.result(node(3).eventBus().request("fastn.status.node.bob", null))
                .body();
        assertThat(bob.getString("kind")).isEqualTo("status_snapshot");
    }

    @Test
    void chosenNodesAloneAreAsked() {
        deployAll();
        assertThat(states(ask(node(2), new JsonObject().put("nodes", List.of("alice", "bob")))))
                .containsOnlyKeys("alice", "bob");
        String incarnation = FastnVertx.install(node(1)).node().incarnation();
        assertThat(states(ask(node(2), new JsonObject().put("nodes", List.of(incarnation)))))
                .containsOnlyKeys("bob");
        Throwable unknown =
                Waiting.failure(node(0).eventBus().request(STATUS, new JsonObject().put("nodes", List.of("dave"))));
        assertThat(unknown)
                .isInstanceOf(ReplyException.class)
                .hasMessageContaining("unknown node \"dave\"")
                .hasMessageContaining("alice, bob, carol");
    }

    @Test
    void applicationsThatConsumeStatusHearOfTheirOwnNodeAndNeverSwallowAQuestion() {
        deployAll();
        List<Message<Object>> atAlice = new CopyOnWriteArrayList<>();
        List<Message<Object>> atBob = new CopyOnWriteArrayList<>();
        consume(0, atAlice);
        consume(1, atBob);
        // Where nothing changes any more they are noticed with the next hello, within 15 seconds.
        await().until(() -> !atAlice.isEmpty() && !atBob.isEmpty());

        for (int i = 0; i < 60; i++) {
            // Questions go round over all consumers of the address, those of the application among them.
            assertThat(states(ask(node(i % 4), i % 2 == 0 ? null : new JsonObject())))
                    .containsOnlyKeys("alice", "bob", "carol");
        }

        assertPublishedOnly(atAlice, "alice");
        assertPublishedOnly(atBob, "bob");
    }

    @Test
    void D7_aNodeThatDoesNotAnswerIsListedWithTheReasonAndWhatWasLastKnown() {
        deployAll(new StatusOptions().setQueryTimeout(QUICK_MILLIS));
        // A request on the bus may be served by any node, by the deaf one too; the status port is alice's for sure.
        String alice = requireNonNull(urls.get(node(0)));
        Handler<DeliveryContext<Object>> deaf = delivery -> {
            if (!delivery.message().address().startsWith("fastn.status.node.")) {
                delivery.next();
            }
        };
        node(1).eventBus().addInboundInterceptor(deaf);
        try {
            // Carol may need longer than that, on a busy machine.
            JsonObject status = await().until(
                            () -> new JsonObject(askPort(alice, "/status?nodes=alice,bob,carol&format=json")),
                            told -> "up".equals(states(told).get("carol")));

            JsonObject bob = row(status, "bob");
            assertThat(bob.getString("state")).isEqualTo("stale");
            assertThat(bob.getString("reason")).contains("no answer within " + QUICK_MILLIS + " ms");
            assertThat(bob.getJsonObject("status")).isNull();
            assertThat(row(status, "alice").getString("state")).isEqualTo("up");
            assertThat(row(status, "carol").getString("state")).isEqualTo("up");
            assertThat(askPort(alice, "/status?scope=cluster"))
                    .contains("bob")
                    .contains("no answer within " + QUICK_MILLIS + " ms");
        } finally {
            node(1).eventBus().removeInboundInterceptor(deaf);
        }
        await().untilAsserted(() -> assertThat(states(ask(node(0), null))).containsEntry("bob", "up"));
    }

    @Test
    void D7_aNodeThatIsGoneWithoutAGoodbyeIsListedWithItsLastSummary() {
        deploy(0, "alice");
        hello(new Hello(new NodeIdentity("ghost", "ghost-1"), 1, Hello.Kind.NEWCOMER, new NodeSummary(7, 1, 2, 3)));

        JsonObject ghost = row(askUntil("ghost"), "ghost");

        assertThat(ghost.getString("state")).isEqualTo("stale");
        assertThat(ghost.getString("reason")).contains("nobody answers at its address");
        assertThat(ghost.getJsonObject("summary").getLong("contexts")).isEqualTo(7);
        assertThat(ghost.getJsonObject("summary").getLong("lock_waiters")).isEqualTo(2);
        goodbye("ghost", "ghost-1");
    }

    @Test
    void aNodeThatStopsCleanlyIsNotListedAnyMore() {
        deployAll();
        Vertx bob = node(1);
        Waiting.result(bob.undeploy(deployments.remove(bob)));
        await().untilAsserted(() -> assertThat(states(ask(node(0), null))).containsOnlyKeys("alice", "carol"));
        deploy(1, "bob");
        assertThat(states(ask(node(0), null))).containsOnlyKeys("alice", "bob", "carol");
    }

    @Test
    void D4_twoLivingNodesOfOneAliasAreBothShownAsAConflict() {
        deploy(0, "alice");
        deploy(1, "alice");
        List<JsonObject> rows = nodes(ask(node(0), null));
        assertThat(rows).hasSize(2).allSatisfy(row -> {
            assertThat(row.getJsonObject("node").getString("alias")).isEqualTo("alice");
            assertThat(row.getString("state")).isEqualTo("conflict");
            assertThat(row.getString("reason")).contains("two live nodes use the alias");
        });
    }

    @Test
    void S13_S15_aHostileNodesAnswerBecomesARowWithTheReason() {
        deploy(0, "alice");
        Map<String, Buffer> answers = new LinkedHashMap<>();
        answers.put("mallory-garbage", Buffer.buffer("{\"kind\": \"status_snapshot\", "));
        answers.put("mallory-bomb", Buffer.buffer("[".repeat(200_000)));
        answers.put("mallory-large", Buffer.buffer(new byte[2_000_000]));
        answers.put("mallory-other", aliceOverTheWire());
        answers.put("mallory-empty", Buffer.buffer());
        for (Map.Entry<String, Buffer> answer : answers.entrySet()) {
            consumers.add(consumer(3, "fastn.status.node." + answer.getKey() + "-1", m -> m.reply(answer.getValue())));
            hello(new Hello(new NodeIdentity(answer.getKey(), answer.getKey() + "-1"), 1, Hello.Kind.NEWCOMER, null));
        }
        consumers.add(consumer(3, "fastn.status.node.mallory-text-1", m -> m.reply("hello")));
        hello(new Hello(new NodeIdentity("mallory-text", "mallory-text-1"), 1, Hello.Kind.NEWCOMER, null));
        consumers.add(consumer(3, "fastn.status.node.mallory-fail-1", m -> m.fail(7, "no\r\nway\u001b[2J")));
        hello(new Hello(new NodeIdentity("mallory-fail", "mallory-fail-1"), 1, Hello.Kind.NEWCOMER, null));

        JsonObject status = askUntil("mallory-fail");

        for (String name : answers.keySet()) {
            JsonObject row = row(status, name);
            assertThat(row.getString("reason")).as(name).contains("its answer cannot be read: ");
            assertThat(row.getJsonObject("status")).isNull();
        }
        assertThat(row(status, "mallory-large").getString("reason")).contains("2000000 bytes");
        assertThat(row(status, "mallory-other").getString("reason")).contains("another node, \"alice\"");
        assertThat(row(status, "mallory-text").getString("reason")).contains("not made of bytes");
        assertThat(row(status, "mallory-fail").getString("reason"))
                .contains("no")
                .doesNotContain("\n", "\u001b");
        assertThat(row(status, "alice").getString("state")).isEqualTo("up");
        answers.keySet().forEach(name -> goodbye(name, name + "-1"));
        goodbye("mallory-text", "mallory-text-1");
        goodbye("mallory-fail", "mallory-fail-1");
    }

    @Test
    void D9_aNodeThatWantsANewerReaderIsARowThatSaysSoAndOneThatAddsFieldsIsRead() {
        deploy(0, "alice");
        JsonObject later = new JsonObject(aliceOverTheWire())
                .put("schema", 2)
                .put("node", new JsonObject().put("alias", "later").put("incarnation", "later-1"))
                .put("mood", new JsonObject().put("colour", "green"));
        later.getJsonObject("global_context").put("mood", "fine");
        JsonObject muchLater = new JsonObject()
                .put("kind", "status_snapshot")
                .put("schema", 3)
                .put("min_schema", 2)
                .put("everything", "is other");
        consumers.add(consumer(3, "fastn.status.node.later-1", m -> m.reply(later.toBuffer())));
        consumers.add(consumer(3, "fastn.status.node.much-later-1", m -> m.reply(muchLater.toBuffer())));
        for (String name : List.of("later", "much-later")) {
            Map<String, Object> hello = new LinkedHashMap<>(
                    new Hello(new NodeIdentity(name, name + "-1"), 1, Hello.Kind.NEWCOMER, null).toMap());
            hello.put("schema", 3);
            hello.put("mood", "fine");
            node(3).eventBus().publish(HelloExchange.ADDRESS, new JsonObject(hello));
        }

        JsonObject status = askUntil("much-later");

        assertThat(row(status, "much-later").getString("state")).isEqualTo("up");
        assertThat(row(status, "much-later").getString("reason"))
                .isEqualTo("it speaks a newer schema: upgrade needed on this side");
        assertThat(row(status, "later").getJsonObject("status")).isNotNull();
        assertThat(row(status, "later").getString("reason")).isNull();
        goodbye("later", "later-1");
        goodbye("much-later", "much-later-1");
    }

    @Test
    void whatIsNoHelloHarmsNobody() {
        deploy(0, "alice");
        for (Object body :
                List.of("hello", new JsonObject(), new JsonObject().put("alias", 1), 7L, Buffer.buffer("x"))) {
            node(3).eventBus().publish(HelloExchange.ADDRESS, body);
        }
        node(3).eventBus().publish(HelloExchange.ADDRESS, null);
        assertThat(states(ask(node(0), null))).containsOnlyKeys("alice");
    }

    @Test
    void theStatusPortAsksTheClusterAndSaysSoWhenTheEventLoopOfItsVerticleIsBlocked() {
        Vertx alice = node(0);
        deploy(0, new StatusOptions().setAlias("alice").setQueryTimeout(QUICK_MILLIS));
        deploy(1, "bob");
        String url = requireNonNull(urls.get(alice));

        await().untilAsserted(() -> {
            JsonObject cluster = new JsonObject(askPort(url, "/status?scope=cluster&format=json"));
            assertThat(states(cluster)).containsExactly(Map.entry("alice", "up"), Map.entry("bob", "up"));
            JsonObject bob = new JsonObject(askPort(url, "/status?nodes=bob&format=json"));
            assertThat(states(bob)).containsExactly(Map.entry("bob", "up"));
        });

        CountDownLatch release = new CountDownLatch(1);
        Handler<DeliveryContext<Object>> blocker = delivery -> {
            if (delivery.message().address().startsWith("fastn.status.node.")) {
                awaitQuietly(release);
            }
            delivery.next();
        };
        alice.eventBus().addOutboundInterceptor(blocker);
        try {
            JsonObject blocked = new JsonObject(
                    RawHttp.get(url, "/status?scope=cluster&format=json").body());
            assertThat(row(blocked, "alice").getString("state")).isEqualTo("up");
            assertThat(row(blocked, "alice").getJsonObject("status")).isNotNull();
            assertThat(row(blocked, "bob").getString("state")).isEqualTo("stale");
            assertThat(row(blocked, "bob").getString("reason"))
                    .contains("the event loop of the status verticle of alice did not answer");

            JsonObject part = new JsonObject(RawHttp.get(url, "/status?scope=cluster&format=json&path=global.elsewhere")
                    .body());
            assertThat(row(part, "alice").getString("reason")).contains("nothing is open at \"global.elsewhere\"");
            assertThat(row(part, "bob").getString("reason"))
                    .as("nobody knows what is open there")
                    .startsWith("not asked");
        } finally {
            release.countDown();
            alice.eventBus().removeOutboundInterceptor(blocker);
        }
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static Vertx node(int index) {
        return cluster.node(index);
    }

    /** {@return what a port says once the event loop of its verticle has time} On a busy machine it may seem to be blocked. */
    private static String askPort(String url, String target) {
        return await().until(
                        () -> RawHttp.get(url, target).body(),
                        answer -> !answer.contains("not asked: the event loop of the status verticle"));
    }

    private static StatusOptions patient() {
        return new StatusOptions().setQueryTimeout(PATIENT_MILLIS);
    }

    private void deployAll() {
        deployAll(patient());
    }

    private void deployAll(StatusOptions options) {
        List<String> aliases = List.of("alice", "bob", "carol");
        List<StatusVerticle> verticles = new ArrayList<>();
        List<Future<String>> all = new ArrayList<>();
        long began = System.nanoTime();
        for (int i = 0; i < 3; i++) {
            StatusVerticle verticle = new StatusVerticle(new StatusOptions(options).setAlias(aliases.get(i)));
            verticles.add(verticle);
            all.add(node(i).deployVerticle(verticle));
        }
        for (int i = 0; i < 3; i++) {
            deployments.put(node(i), Waiting.result(all.get(i)));
            urls.put(node(i), requireNonNull(verticles.get(i).url()));
        }
        untilMet(began);
    }

    private void deploy(int index, String alias) {
        deploy(index, patient().setAlias(alias));
    }

    private void deploy(int index, StatusOptions options) {
        StatusVerticle verticle = new StatusVerticle(options);
        long began = System.nanoTime();
        deployments.put(node(index), Waiting.result(node(index).deployVerticle(verticle)));
        urls.put(node(index), requireNonNull(verticle.url()));
        untilMet(began);
    }

    /** A deployment that was done sooner has met everybody. One that was not may have given that up, on a busy machine. */
    private void untilMet(long began) {
        if (System.nanoTime() - began > MEETING.toNanos()) {
            deployments.forEach((vertx, id) -> await("all nodes are met")
                    .until(() -> nodes(ask(vertx, null)).size() == deployments.size()));
        }
    }

    private void consume(int index, List<Message<Object>> heard) {
        consumers.add(consumer(index, STATUS, heard::add));
    }

    private static MessageConsumer<Object> consumer(int index, String address, Handler<Message<Object>> handler) {
        MessageConsumer<Object> consumer = node(index).eventBus().consumer(address, handler);
        Waiting.result(consumer.completion());
        return consumer;
    }

    private static void hello(Hello hello) {
        node(3).eventBus().publish(HelloExchange.ADDRESS, new JsonObject(hello.toMap()));
    }

    private static void goodbye(String alias, String incarnation) {
        hello(new Hello(new NodeIdentity(alias, incarnation), 1, Hello.Kind.GOODBYE, null));
    }

    private static Buffer aliceOverTheWire() {
        return (Buffer) Waiting.result(node(3).eventBus()
                        .request(
                                "fastn.status.node.alice",
                                null,
                                new DeliveryOptions().addHeader(ClusterQuery.WIRE_HEADER, ClusterQuery.WIRE_VERSION)))
                .body();
    }

    private static JsonObject askUntil(String alias) {
        return await().until(() -> ask(node(0), null), status -> states(status).containsKey(alias));
    }

    private static JsonObject ask(Vertx vertx, @Nullable JsonObject body) {
        return (JsonObject)
                Waiting.result(vertx.eventBus().request(STATUS, body, PATIENT)).body();
    }

    private static List<JsonObject> nodes(JsonObject status) {
        return status.getJsonArray("nodes").stream().map(JsonObject.class::cast).toList();
    }

    private static Map<String, String> states(JsonObject status) {
        Map<String, String> states = new LinkedHashMap<>();
        nodes(status).forEach(row -> states.put(row.getJsonObject("node").getString("alias"), row.getString("state")));
        return states;
    }

    private static JsonObject row(JsonObject status, String alias) {
        return nodes(status).stream()
                .filter(row -> row.getJsonObject("node").getString("alias").equals(alias))
                .findFirst()
                .orElseThrow(() -> new AssertionError(alias + " is not in " + status.encode()));
    }

    private static void assertPublishedOnly(List<Message<Object>> heard, String alias) {
        assertThat(heard).allSatisfy(message -> {
            assertThat(message.replyAddress()).isNull();
            JsonObject body = (JsonObject) message.body();
            assertThat(body.getString("kind")).isEqualTo("status_snapshot");
            assertThat(body.encode()).contains('"' + alias + '"');
        });
    }
}
