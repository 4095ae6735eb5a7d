package com.fastn.status;

import static com.fastn.status.Waiting.await;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.fastn.context.FastnContext;
import com.fastn.context.LiveCount;
import com.fastn.context.LockGuard;
import com.fastn.context.Registration;
import com.fastn.context.status.NodeIdentity;
import com.fastn.context.status.SystemMetrics;
import com.fastn.context.vertx.FastnVertx;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.eventbus.Message;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.eventbus.ReplyFailure;
import io.vertx.core.internal.VertxInternal;
import io.vertx.core.json.JsonObject;
import io.vertx.junit5.VertxExtension;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

@ExtendWith(VertxExtension.class)
class StatusVerticleTest {
    private static final String STATUS = "fastn.status";
    private static final String FOLDER = "fastn.runtime.dir";

    /** Of its own: what other processes leave in that of the user, or remove there, is their business. */
    @TempDir
    static Path runtime;

    @BeforeAll
    static void ownFolder() {
        System.setProperty(FOLDER, runtime.toString());
    }

    @AfterAll
    static void usualFolder() {
        System.clearProperty(FOLDER);
    }

    @Test
    void aPlainRequestIsAnsweredForTheWholeClusterWhichIsOneNodeHere(Vertx vertx) {
        deploy(vertx, "alice");

        JsonObject status = request(vertx, STATUS, null);

        assertThat(status.getString("kind")).isEqualTo("cluster_status");
        assertThat(status.getInteger("schema")).isEqualTo(1);
        assertThat(aliases(status)).containsExactly("alice");
        assertThat(status.getJsonArray("nodes").getJsonObject(0).getString("state"))
                .isEqualTo("up");
        assertThat(request(vertx, STATUS, new JsonObject()).getJsonArray("nodes"))
                .hasSize(1);
        assertThat(request(vertx, "fastn.status.query", null).getJsonArray("nodes"))
                .hasSize(1);
    }

    @Test
    void aNodeAnswersAtItsAliasAndAtItsIncarnation(Vertx vertx) {
        deploy(vertx, "alice");
        String incarnation = FastnVertx.install(vertx).node().incarnation();

        for (String name : List.of("alice", incarnation)) {
            JsonObject snapshot = request(vertx, "fastn.status.node." + name, null);
            assertThat(snapshot.getString("kind")).isEqualTo("status_snapshot");
            assertThat(snapshot.getJsonObject("global_context").getString("name"))
                    .isEqualTo("global");
        }
    }

    @Test
    void peopleGetTextAndColours(Vertx vertx) {
        deploy(vertx, "alice");

        String text = requestText(vertx, new JsonObject().put("format", "text"));
        assertThat(text).contains("alice").contains("Global Context").doesNotContain("\u001b[");
        String ansi = requestText(vertx, new JsonObject().put("format", "ansi").put("width", 80));
        assertThat(ansi).contains("Global Context").contains("\u001b[");
        String node = (String) Waiting.result(
                        vertx.eventBus().request("fastn.status.node.alice", new JsonObject().put("format", "text")))
                .body();
        assertThat(node).contains("Global Context");
    }

    @Test
    void aQuestionCanBeNarrowed(Vertx vertx) {
        deploy(vertx, "alice");
        FastnContext root = FastnVertx.install(vertx).runtime().root();
        try (FastnContext shop = root.child("shop").open();
                FastnContext order = shop.child("order").open()) {
            assertThat(order.isCancelled()).isFalse();

            JsonObject part = request(vertx, STATUS, new JsonObject().put("path", "global.shop"));
            JsonObject tree = snapshot(part).getJsonObject("global_context");
            assertThat(tree.getString("name")).isEqualTo("shop");
            assertThat(tree.getJsonArray("children")).hasSize(1);

            JsonObject shallow = request(
                    vertx, STATUS, new JsonObject().put("path", "global.shop").put("depth", 1));
            assertThat(snapshot(shallow).getJsonObject("global_context").getJsonArray("children"))
                    .satisfiesAnyOf(
                            children -> assertThat(children).isNull(),
                            children -> assertThat(children).isEmpty());

            assertThat(aliases(request(vertx, STATUS, new JsonObject().put("nodes", List.of("alice")))))
                    .containsExactly("alice");
        }
    }

    @Test
    void S16_aFloodOfQuestionsIsRefusedInsteadOfPiledUp(Vertx vertx) {
        deploy(vertx, "alice");
        CountDownLatch flood = new CountDownLatch(1);
        List<Future<Message<Object>>> questions = new ArrayList<>();
        try (Registration ignored = FastnVertx.install(vertx).runtime().setSystemMetrics(() -> held(flood))) {
            for (int i = 0; i < BusService.MOST_UNDER_WAY + 50; i++) {
                questions.add(vertx.eventBus().request("fastn.status.node.alice", null));
            }
            await().until(() -> questions.stream().filter(Future::failed).count() == 50);
        } finally {
            flood.countDown();
        }
        for (Future<Message<Object>> question : questions) {
            if (question.failed()) {
                assertThat(question.cause())
                        .isInstanceOfSatisfying(
                                ReplyException.class,
                                e -> assertThat(e.failureCode()).isEqualTo(429))
                        .hasMessageContaining("open a stream");
            } else {
                Waiting.result(question);
            }
        }
        assertThat(Waiting.result(vertx.eventBus().request("fastn.status.node.alice", null))
                        .body())
                .isNotNull();
    }

    /** No readings, and those late: every status waits for them. */
    private static @Nullable SystemMetrics held(CountDownLatch until) {
        try {
            until.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return null;
    }

    @Test
    void whatIsWrongWithAQuestionIsToldInTheReply(Vertx vertx) {
        deploy(vertx, "alice");

        refused(vertx, STATUS, new JsonObject().put("node", "alice"), 400, "did you mean \"nodes\"");
        refused(vertx, STATUS, new JsonObject().put("format", "xml"), 400, "unknown format \"xml\"");
        refused(vertx, STATUS, "status please", 400, "a question is a JSON object");
        refused(vertx, STATUS, new JsonObject().put("nodes", List.of("alicia")), 404, "unknown node \"alicia\"");
        refused(vertx, STATUS, new JsonObject().put("path", "global.nobody"), 404, "nothing is open at");
        refused(vertx, STATUS, new JsonObject().put("path", "nobody"), 404, "begins with the root's name");
        refused(vertx, "fastn.status.node.alice", new JsonObject().put("path", "x"), 404, "nothing is open at");
        refused(vertx, "fastn.status.node.alice", new JsonObject().put("depht", 1), 400, "did you mean \"depth\"");
    }

    @Test
    void whyContextsAreStuckIsAskedOnTheBus(Vertx vertx) {
        deploy(vertx, "alice");
        FastnContext root = FastnVertx.install(vertx).runtime().root();
        FastnContext holder = root.child("holder").open();
        LockGuard<?> guard = holder.mutex("orders").lock().toCompletableFuture().join();
        JsonObject all = request(vertx, STATUS, new JsonObject().put("explain", true));
        assertThat(all.getString("kind")).isEqualTo("explanations");
        assertThat(all.getBoolean("complete")).isTrue();

        JsonObject one = request(vertx, STATUS, new JsonObject().put("explain", "global.holder"));
        assertThat(one.getJsonArray("explanations")).hasSize(1);
        assertThat(one.encode()).contains("holder");
        assertThat(requestText(
                        vertx, new JsonObject().put("explain", "global.holder").put("format", "text")))
                .contains("holder");
        assertThat(Waiting.result(StatusClient.create(vertx).explain("global.holder")))
                .isNotNull();
        refused(vertx, STATUS, new JsonObject().put("explain", "nobody"), 404, "no context is open that is called");
        refused(vertx, STATUS, new JsonObject().put("explain", 7), 400, "\"explain\" wants true");
        guard.close();
        holder.close();
    }

    @Test
    void whatEndedIsAskedForAndWhoHasTheVersionIsToldSoAndNoMore(Vertx vertx) {
        deploy(vertx, "alice");
        FastnContext root = FastnVertx.install(vertx).runtime().root();
        FastnContext order = root.child("order").open();
        order.persist();
        order.close();
        assertThat(snapshot(request(vertx, STATUS, new JsonObject().put("recent", true)))
                        .getJsonArray("recent")
                        .encode())
                .contains("order");
        assertThat(snapshot(request(vertx, STATUS, null)).getJsonArray("recent"))
                .isNull();

        String life = "fastn.status.node." + FastnVertx.install(vertx).node().incarnation();
        JsonObject unchanged = await().until(
                        () -> {
                            long version = request(vertx, life, null).getLong("version");
                            return request(vertx, life, new JsonObject().put("since_version", version));
                        },
                        answer -> answer.getString("kind").equals("status_unchanged"));
        root.incrementTotal("orders");
        assertThat(request(vertx, life, new JsonObject().put("since_version", unchanged.getLong("version")))
                        .getString("kind"))
                .isEqualTo("status_snapshot");
        refused(vertx, STATUS, new JsonObject().put("recent", "yes"), 400, "\"recent\" wants true or false");
    }

    @Test
    void anApplicationThatConsumesStatusHearsOfItAndQueriesGoOnBesideIt(Vertx vertx) {
        // A consumer is noticed when something changes, and in a node where nothing does, with the next hello.
        deploy(vertx, new StatusOptions().setAlias("alice").setHelloInterval(500));
        List<Message<Object>> heard = new CopyOnWriteArrayList<>();
        vertx.eventBus().consumer(STATUS, heard::add);

        await("once at first").until(() -> !heard.isEmpty());
        JsonObject first = (JsonObject) heard.get(0).body();
        assertThat(first.getString("kind")).isEqualTo("status_snapshot");
        assertThat(first.getInteger("schema")).isEqualTo(1);

        FastnContext root = FastnVertx.install(vertx).runtime().root();
        try (FastnContext shop = root.child("shop").open();
                LiveCount orders = shop.trackLive("orders")) {
            for (int i = 0; i < 50; i++) {
                JsonObject status = request(vertx, STATUS, i % 2 == 0 ? null : new JsonObject());
                assertThat(status.getString("kind")).isEqualTo("cluster_status");
            }
            assertThat(orders).isNotNull();
            await("a change")
                    .until(() -> heard.stream()
                            .anyMatch(m -> ((JsonObject) m.body()).encode().contains("\"orders\"")));
        }
        assertThat(heard)
                .as("an application sees published status, and never a question")
                .allSatisfy(message -> {
                    assertThat(message.replyAddress()).isNull();
                    assertThat(((JsonObject) message.body()).getString("kind")).isEqualTo("status_snapshot");
                });
    }

    @Test
    void aSecondConsumerIsToldAtOnceToo(Vertx vertx) {
        // Where nothing changes any more the first one is noticed with the next hello.
        deploy(vertx, new StatusOptions().setAlias("alice").setHelloInterval(500));
        List<Object> one = new CopyOnWriteArrayList<>();
        List<Object> two = new CopyOnWriteArrayList<>();
        vertx.eventBus().consumer(STATUS, message -> one.add(message.body()));
        await().until(() -> !one.isEmpty());
        vertx.eventBus().consumer(STATUS, message -> two.add(message.body()));
        await().until(() -> !two.isEmpty());
    }

    @Test
    void underConstantChangeStatusIsPublishedAtMostOncePerSecond(Vertx vertx) {
        deploy(vertx, "alice");
        AtomicInteger heard = new AtomicInteger();
        FastnContext root = FastnVertx.install(vertx).runtime().root();
        vertx.setPeriodic(5, id -> root.incrementTotal("ticks"));
        long began = System.nanoTime();
        vertx.eventBus().consumer(STATUS, message -> heard.incrementAndGet());

        await().until(() -> heard.get() >= 4);

        int told = heard.get();
        long seconds = Duration.ofNanos(System.nanoTime() - began).toSeconds();
        // However late each of them comes: one at the beginning, and one with each second.
        assertThat(told).isLessThanOrEqualTo((int) seconds + 2);
    }

    @Test
    void theStatusPortSharesNoThreadWithTheApplication() throws InterruptedException {
        Vertx vertx = Vertx.vertx(
                new VertxOptions().setEventLoopPoolSize(2).setWorkerPoolSize(2).setInternalBlockingPoolSize(2));
        CountDownLatch release = new CountDownLatch(1);
        CountDownLatch blocked = new CountDownLatch(4 + 2 + 2);
        try {
            String url = deploy(vertx, "alice");
            // More contexts than event loops, so that each loop is hit.
            for (int i = 0; i < 4; i++) {
                ((VertxInternal) vertx).createEventLoopContext().runOnContext(v -> block(blocked, release));
            }
            for (int i = 0; i < 2; i++) {
                vertx.<Void>executeBlocking(
                        () -> {
                            block(blocked, release);
                            return null;
                        },
                        false);
                // What Vert.x itself does aside, such as looking up names.
                ((VertxInternal) vertx).<Void>executeBlockingInternal(() -> {
                    block(blocked, release);
                    return null;
                });
            }
            await("2 of 4 on the two loops, both workers, and both threads of Vert.x")
                    .until(() -> blocked.getCount() <= 2);

            for (String target : List.of(
                    "/status",
                    "/status?scope=cluster",
                    "/status/nodes",
                    "/status/recent",
                    "/status/explain",
                    "/status/episodes",
                    "/status/checks",
                    "/metrics",
                    "/",
                    "/threads",
                    "/health")) {
                assertThat(shortestMillis(url, target, 200)).as(target).isLessThanOrEqualTo(200);
            }
            assertThat(shortestMillis(url, "/health?ready=true", 503))
                    .as("not ready while blocked")
                    .isLessThanOrEqualTo(200);
            long stream = Long.MAX_VALUE;
            for (int i = 0; i < 20 && stream > 200; i++) {
                long began = System.nanoTime();
                try (OpenStream opened = new OpenStream(url, "/status/stream")) {
                    assertThat(opened.event()).isNotNull();
                    stream = Math.min(stream, (System.nanoTime() - began) / 1_000_000);
                }
            }
            assertThat(stream).as("/status/stream").isLessThanOrEqualTo(200);
            assertThat(RawHttp.get(url, "/status").body()).contains("Global Context");
            RawHttp.Response cluster = RawHttp.get(url, "/status?scope=cluster&format=json");
            assertThat(cluster.status()).isEqualTo(200);
            assertThat(aliases(new JsonObject(cluster.body()))).containsExactly("alice");
            assertThat(RawHttp.get(url, "/threads").body()).contains("vert.x-eventloop-thread", "CountDownLatch.await");
        } finally {
            release.countDown();
            Waiting.result(vertx.close());
        }
    }

    /** The machine of a test is busy, so the best of some tries counts; a wait that is built in is in all of them. */
    private static long shortestMillis(String url, String target, int status) {
        long shortest = Long.MAX_VALUE;
        for (int i = 0; i < 40 && shortest > 200; i++) {
            long began = System.nanoTime();
            assertThat(RawHttp.get(url, target).status()).as(target).isEqualTo(status);
            shortest = Math.min(shortest, (System.nanoTime() - began) / 1_000_000);
        }
        return shortest;
    }

    private static void block(CountDownLatch blocked, CountDownLatch release) {
        blocked.countDown();
        try {
            release.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void badOptionsFailTheDeployment(Vertx vertx) {
        assertThat(Waiting.failure(
                        vertx.deployVerticle(new StatusVerticle(new StatusOptions().setHttpHost("0.0.0.0")))))
                .hasMessageContaining("httpHost is \"0.0.0.0\"");
        assertThat(Waiting.failure(vertx.deployVerticle(
                        StatusVerticle.class.getName(),
                        new DeploymentOptions().setConfig(new JsonObject().put("aliass", "alice")))))
                .hasMessageContaining("did you mean \"alias\"");
        assertThat(Waiting.failure(vertx.deployVerticle(new StatusVerticle(new StatusOptions().setAlias("")))))
                .hasMessageContaining("alias is empty");
        deploy(vertx, "alice");
    }

    @Test
    void theConfigurationOfADeploymentByNameIsTaken(Vertx vertx) {
        Waiting.result(vertx.deployVerticle(
                StatusVerticle.class.getName(),
                new DeploymentOptions()
                        .setConfig(new JsonObject().put("alias", "bob").put("http", false))));
        assertThat(aliases(request(vertx, STATUS, null))).containsExactly("bob");
    }

    @Test
    void aSecondStatusVerticleInOneVertxIsRefusedAndTheFirstGoesOn(Vertx vertx) {
        deploy(vertx, "alice");
        assertThat(Waiting.failure(vertx.deployVerticle(new StatusVerticle())))
                .hasMessageContaining("deployed in this Vertx already")
                .hasMessageContaining("deploy it once");
        assertThat(aliases(request(vertx, STATUS, null))).containsExactly("alice");
    }

    @Test
    void aPortThatIsTakenFailsTheDeploymentAndLeavesNothingBehind(Vertx vertx) throws IOException {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            assertThat(Waiting.failure(vertx.deployVerticle(new StatusVerticle(
                            new StatusOptions().setAlias("alice").setHttpPort(taken.getLocalPort())))))
                    .hasMessageContaining("cannot listen on 127.0.0.1:" + taken.getLocalPort())
                    .hasMessageContaining("choose another httpPort");
        }
        noHandlers(vertx, STATUS);
        noHandlers(vertx, "fastn.status.node.alice");
        deploy(vertx, "alice");
    }

    @Test
    void afterTheEndNothingAnswersAndNothingIsLeft(Vertx vertx) {
        // Not one that the system hands out: another process may have it as soon as it is closed here.
        int free = TestCluster.freePorts(1).get(0);
        StatusVerticle verticle =
                new StatusVerticle(new StatusOptions().setAlias("gone").setHttpPort(free));
        String id = Waiting.result(vertx.deployVerticle(verticle));
        String url = requireNonNull(verticle.url());
        assertThat(descriptorsOf("gone")).hasSize(1);

        Waiting.result(vertx.undeploy(id));

        assertThat(verticle.url()).isNull();
        assertThat(descriptorsOf("gone")).isEmpty();
        noHandlers(vertx, STATUS);
        noHandlers(vertx, "fastn.status.query");
        noHandlers(vertx, "fastn.status.node.gone");
        assertThat(catchThrowable(() -> RawHttp.get(url, "/health"))).hasMessageContaining("no response");
        deploy(vertx, "again");
    }

    @Test
    void theDescriptorTellsTheAddressOfThePort(Vertx vertx) throws IOException {
        String url = deploy(vertx, "alice-described");
        List<Path> descriptors = descriptorsOf("alice-described");
        assertThat(descriptors).hasSize(1);
        assertThat(new JsonObject(Files.readString(descriptors.get(0))).getString("url"))
                .isEqualTo(url);
    }

    @Test
    void aNodeThatStartsRemovesWhatAKilledOneLeft(Vertx vertx) throws IOException, InterruptedException {
        Process killed = new ProcessBuilder("true").start();
        assertThat(killed.waitFor()).isZero();
        NodeDescriptor left = NodeDescriptor.write(
                NodeDescriptor.folder(System::getProperty, System::getenv),
                new NodeIdentity("killed", "i-1"),
                new NodeDescriptor.Access("http://127.0.0.1:1", null, null),
                new NodeDescriptor.OwnProcess(
                        killed.pid(),
                        Instant.now(),
                        NodeDescriptor.OwnProcess.current().pidScope()),
                Instant.now());

        deploy(vertx, "alice-sweeps");

        await().untilAsserted(() -> assertThat(left.file()).doesNotExist());
        assertThat(descriptorsOf("alice-sweeps")).hasSize(1);
        left.close();
    }

    @Test
    void theMachineIsInTheStatusWhenSomebodyAsks(Vertx vertx) {
        deploy(vertx, "alice");
        await().untilAsserted(() -> {
            JsonObject metrics = snapshot(request(vertx, STATUS, null)).getJsonObject("system_metrics");
            assertThat(metrics).isNotNull();
            assertThat(metrics.getDouble("cpu_usage_percent")).isNotNull();
            assertThat(metrics.getLong("memory_total_bytes")).isPositive();
        });
    }

    @Test
    void aVerticleInWhichNothingHappensIsInTheTreeSoonAfterItsDeploymentThoughNobodyAsks(Vertx vertx) {
        deploy(vertx, "alice");
        FastnContext root = FastnVertx.install(vertx).runtime().root();
        await().untilAsserted(() ->
                assertThat(root.children()).extracting(FastnContext::name).containsExactly("StatusVerticle"));
        Waiting.result(vertx.deployVerticle(new Silent()));
        await().until(() ->
                root.children().stream().anyMatch(child -> child.name().endsWith("Silent")));
    }

    private static final class Silent extends VerticleBase {}

    private static String deploy(Vertx vertx, String alias) {
        return deploy(vertx, new StatusOptions().setAlias(alias));
    }

    private static String deploy(Vertx vertx, StatusOptions options) {
        StatusVerticle verticle = new StatusVerticle(options);
        Waiting.result(vertx.deployVerticle(verticle));
        String url = requireNonNull(verticle.url());
        assertThat(url).startsWith("http://127.0.0.1:");
        return url;
    }

    private static JsonObject request(Vertx vertx, String address, @Nullable Object body) {
        return (JsonObject)
                Waiting.result(vertx.eventBus().request(address, body)).body();
    }

    private static String requestText(Vertx vertx, JsonObject body) {
        return (String) Waiting.result(vertx.eventBus().request(STATUS, body)).body();
    }

    private static void refused(Vertx vertx, String address, Object body, int code, String sentence) {
        Future<Message<Object>> reply = vertx.eventBus().request(address, body);
        assertThat(Waiting.failure(reply)).isInstanceOfSatisfying(ReplyException.class, e -> {
            assertThat(e.failureType()).isEqualTo(ReplyFailure.RECIPIENT_FAILURE);
            assertThat(e.failureCode()).isEqualTo(code);
            assertThat(e.getMessage()).contains(sentence);
        });
    }

    private static void noHandlers(Vertx vertx, String address) {
        assertThat(Waiting.failure(vertx.eventBus().request(address, null)))
                .isInstanceOfSatisfying(
                        ReplyException.class, e -> assertThat(e.failureType()).isEqualTo(ReplyFailure.NO_HANDLERS));
    }

    private static List<String> aliases(JsonObject cluster) {
        List<String> aliases = new ArrayList<>();
        for (Object node : cluster.getJsonArray("nodes")) {
            aliases.add(((JsonObject) node).getJsonObject("node").getString("alias"));
        }
        return aliases;
    }

    private static JsonObject snapshot(JsonObject cluster) {
        return cluster.getJsonArray("nodes").getJsonObject(0).getJsonObject("status");
    }

    private static List<Path> descriptorsOf(String alias) {
        Path folder = NodeDescriptor.folder(System::getProperty, System::getenv);
        try (var files = Files.list(folder)) {
            return files.filter(file -> file.getFileName().toString().startsWith(alias + "-"))
                    .toList();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
