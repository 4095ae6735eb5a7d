package com.fastn.status;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fastn.context.FastnContext;
import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.ContextPath;
import com.fastn.context.status.NodeState;
import com.fastn.context.status.NodeStatus;
import com.fastn.context.status.StatusJson;
import com.fastn.context.vertx.FastnVertx;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.DeliveryContext;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.eventbus.ReplyFailure;
import io.vertx.core.json.JsonObject;
import io.vertx.core.streams.ReadStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Programs that ask and watch: three nodes with a status verticle, and a fourth that has none. */
class StatusClientTest {
    private static final Duration SOON = Duration.ofSeconds(30);
    private static TestCluster cluster;

    private final Map<Vertx, String> deployments = new LinkedHashMap<>();
    private final List<ReadStream<?>> streams = new ArrayList<>();
    private final List<FastnContext> opened = new ArrayList<>();
    private @Nullable StatusVerticle alice;

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
        opened.forEach(FastnContext::close);
        streams.forEach(stream -> stream.handler(null));
        deployments.forEach((vertx, id) -> Waiting.result(vertx.undeploy(id)));
        DeliveryOptions quick = new DeliveryOptions().setSendTimeout(500);
        for (int i = 0; i < 4; i++) {
            Vertx vertx = node(i);
            await().until(() ->
                    Waiting.failure(vertx.eventBus().request("fastn.status", null, quick)) instanceof ReplyException e
                            && e.failureType() == ReplyFailure.NO_HANDLERS);
        }
    }

    @Test
    void aProgramAsksInOneLineOnANodeWithAStatusVerticleAndOnOneWithout() {
        deployAll();
        for (int i : new int[] {0, 3}) {
            StatusClient client = StatusClient.create(node(i));
            assertThat(states(Waiting.result(client.status())))
                    .containsExactly(
                            Map.entry("alice", NodeState.UP),
                            Map.entry("bob", NodeState.UP),
                            Map.entry("carol", NodeState.UP));
            assertThat(states(Waiting.result(client.status("alice", "bob")))).containsOnlyKeys("alice", "bob");
            assertThat(Waiting.failure(client.status("alize")))
                    .isInstanceOfSatisfying(
                            ReplyException.class,
                            e -> assertThat(e.failureCode()).isEqualTo(404))
                    .hasMessageContaining("did you mean \"alice\"");
        }
        opened.add(root(1).child("shelf").open());
        ClusterStatus part = Waiting.result(StatusClient.create(node(3)).status(ContextPath.of("global", "shelf")));
        assertThat(part.nodes()).filteredOn(row -> row.snapshot() != null).hasSize(1);
    }

    /** The other nodes are found to be deaf by nobody but the one that was asked: it is asked first, wherever it is. */
    @Test
    void aNodeAnswersItsOwnQuestionsSoThatNoOtherNodeThatHangsCanHoldThemUp() {
        deployAll();
        Handler<DeliveryContext<Object>> deaf = delivery -> {
            if (!delivery.message().address().startsWith("fastn.status")) {
                delivery.next();
            }
        };
        node(1).eventBus().addInboundInterceptor(deaf);
        node(2).eventBus().addInboundInterceptor(deaf);
        try {
            for (String address : List.of("fastn.status", "fastn.status.query")) {
                for (int i = 0; i < 4; i++) {
                    JsonObject answer =
                            (JsonObject) Waiting.result(node(0).eventBus().request(address, null))
                                    .body();
                    assertThat(answer.getString("answered_by")).isEqualTo("alice");
                    assertThat(answer.getBoolean("complete")).isFalse();
                }
            }
            ClusterStatus elsewhere = Waiting.result(StatusClient.create(node(3))
                    .withTimeout(Duration.ofMillis(2_500))
                    .status());
            assertThat(states(elsewhere)).containsEntry("bob", NodeState.STALE).containsEntry("carol", NodeState.STALE);
        } finally {
            node(1).eventBus().removeInboundInterceptor(deaf);
            node(2).eventBus().removeInboundInterceptor(deaf);
        }
    }

    @Test
    void aStreamBeginsWithTheWholeAndTellsWhatChangesOnAnyNode() {
        deployAll();
        for (int i : new int[] {0, 3}) {
            List<ClusterStatus> heard = listen(i);
            await().atMost(SOON).until(() -> isComplete(last(heard)));

            FastnContext order = root(1).child("order-" + i).open();
            opened.add(order);
            await().atMost(SOON).until(() -> shows(last(heard), "bob", order.name()));
            order.close();
            await().atMost(SOON).until(() -> !shows(last(heard), "bob", order.name()));
            assertThat(states(requireNonNull(last(heard)))).containsOnlyKeys("alice", "bob", "carol");
        }
    }

    @Test
    void aStreamIsNarrowedToNodesAndAnUnknownOneIsToldToTheExceptionHandler() {
        deployAll();
        List<ClusterStatus> heard = listen(3, "bob");
        await().atMost(SOON).until(() -> isComplete(last(heard)));
        assertThat(heard).allSatisfy(status -> assertThat(states(status)).containsOnlyKeys("bob"));

        List<Throwable> troubles = new CopyOnWriteArrayList<>();
        ReadStream<ClusterStatus> wrong = StatusClient.create(node(0)).stream("bobb");
        streams.add(wrong);
        wrong.exceptionHandler(troubles::add).handler(status -> {});
        await().atMost(SOON).until(() -> !troubles.isEmpty());
        assertThat(troubles.get(0)).hasMessageContaining("did you mean \"bob\"");
    }

    @Test
    void aPausedStreamKeepsTheNewestOnly() {
        deployAll();
        List<ClusterStatus> heard = new CopyOnWriteArrayList<>();
        ReadStream<ClusterStatus> stream = StatusClient.create(node(3)).stream();
        streams.add(stream);
        stream.pause().handler(heard::add);
        opened.add(root(1).child("first").open());
        opened.add(root(1).child("second").open());
        stream.fetch(1);
        await().atMost(SOON).until(() -> heard.size() == 1);
        opened.add(root(1).child("third").open());
        stream.resume();
        await().atMost(SOON).until(() -> shows(last(heard), "bob", "third"));
    }

    @Test
    void D7_aNodeThatFallsSilentIsStaleInTheStreamAndComesBack() {
        deployAll();
        List<ClusterStatus> heard = listen(0);
        await().atMost(SOON).until(() -> isComplete(last(heard)));
        // Deaf and dumb, as far as status goes.
        Handler<DeliveryContext<Object>> gone = delivery -> {
            if (!delivery.message().address().startsWith("fastn.status")) {
                delivery.next();
            }
        };
        node(1).eventBus().addInboundInterceptor(gone);
        node(1).eventBus().addOutboundInterceptor(gone);
        try {
            await().atMost(SOON).until(() -> state(last(heard), "bob") == NodeState.STALE);
            NodeStatus bob = row(requireNonNull(last(heard)), "bob");
            assertThat(bob.snapshot()).isNull();
            assertThat(bob.summary()).isNotNull();
            assertThat(bob.reason()).contains("silent");
        } finally {
            node(1).eventBus().removeInboundInterceptor(gone);
            node(1).eventBus().removeOutboundInterceptor(gone);
        }
        await().atMost(SOON).until(() -> isComplete(last(heard)));
    }

    @Test
    void D1_framesThatAreLostAreMissedAndTheStreamBeginsAnew() {
        deployAll();
        AtomicInteger frames = new AtomicInteger();
        Handler<DeliveryContext<Object>> lossy = delivery -> {
            if (delivery.message().address().startsWith(StreamWire.READER_PREFIX)
                    && frames.incrementAndGet() % 7 == 0) {
                return;
            }
            delivery.next();
        };
        node(3).eventBus().addInboundInterceptor(lossy);
        try {
            List<ClusterStatus> heard = listen(3);
            for (int i = 0; i < 3; i++) {
                FastnContext order = root(2).child("lossy-" + i).open();
                opened.add(order);
                await().atMost(SOON).until(() -> shows(last(heard), "carol", order.name()));
            }
        } finally {
            node(3).eventBus().removeInboundInterceptor(lossy);
        }
    }

    /** Nothing comes after it, so no hole shows: the renewal tells how far the writer is. */
    @Test
    void D1_theLastFrameForAWhileIsMissedTooWhenItIsLost() {
        deployAll();
        List<ClusterStatus> heard = listen(3);
        await().atMost(SOON).until(() -> isComplete(last(heard)));
        AtomicBoolean deaf = new AtomicBoolean(true);
        AtomicInteger lost = new AtomicInteger();
        Handler<DeliveryContext<Object>> lossy = delivery -> {
            if (deaf.get() && delivery.message().address().startsWith(StreamWire.READER_PREFIX)) {
                lost.incrementAndGet();
                return;
            }
            delivery.next();
        };
        node(3).eventBus().addInboundInterceptor(lossy);
        try {
            FastnContext order = root(2).child("lost-at-the-end").open();
            opened.add(order);
            await().atMost(SOON).until(() -> lost.get() > 0);
            await().atMost(SOON).during(Duration.ofSeconds(2)).until(settled(lost));
            deaf.set(false);
            await().atMost(SOON).until(() -> shows(last(heard), "carol", order.name()));
        } finally {
            node(3).eventBus().removeInboundInterceptor(lossy);
        }
    }

    @Test
    void anIdleClusterSendsNothingButRenewalsAndNobodyWatchingNotEvenThese() {
        deployAll();
        AtomicInteger frames = new AtomicInteger();
        AtomicInteger renewals = new AtomicInteger();
        Handler<DeliveryContext<Object>> count = delivery -> {
            String address = delivery.message().address();
            if (address.startsWith(StreamWire.READER_PREFIX)) {
                frames.incrementAndGet();
            } else if (address.startsWith("fastn.status.subscribe")) {
                renewals.incrementAndGet();
            }
            delivery.next();
        };
        for (int i = 0; i < 4; i++) {
            node(i).eventBus().addOutboundInterceptor(count);
        }
        try {
            List<ClusterStatus> heard = listen(3);
            await().atMost(SOON).until(() -> isComplete(last(heard)));
            // Until what the deployments themselves changed has been told.
            await().atMost(SOON).during(Duration.ofSeconds(2)).until(settled(frames));
            int before = frames.get();
            int renewed = renewals.get();
            await().atMost(SOON).until(() -> renewals.get() >= renewed + 9);
            assertThat(frames.get()).isEqualTo(before);

            streams.get(0).handler(null);
            await().atMost(SOON).during(Duration.ofSeconds(3)).until(settled(renewals));
            int ended = renewals.get();
            await().pollDelay(Duration.ofSeconds(3)).until(() -> true);
            assertThat(renewals.get()).isEqualTo(ended);
            assertThat(frames.get()).isEqualTo(before);
        } finally {
            for (int i = 0; i < 4; i++) {
                node(i).eventBus().removeOutboundInterceptor(count);
            }
        }
    }

    /** At first it asks; from then on it hears. */
    @Test
    void aStreamOverHttpHearsOfOtherNodesWithoutAskingThem() {
        deployAll(true);
        AtomicInteger asked = new AtomicInteger();
        Handler<DeliveryContext<Object>> count = delivery -> {
            if (delivery.message().address().startsWith("fastn.status.node.")) {
                asked.incrementAndGet();
            }
            delivery.next();
        };
        node(0).eventBus().addOutboundInterceptor(count);
        try (OpenStream stream = new OpenStream(
                requireNonNull(requireNonNull(alice).url()), "/status/stream?scope=cluster&format=ndjson")) {
            AtomicInteger changes = new AtomicInteger();
            await().atMost(SOON).until(() -> {
                int before = asked.get();
                ClusterStatus told = untilShown(stream, "heard-" + changes.incrementAndGet());
                assertThat(states(told)).containsOnlyKeys("alice", "bob", "carol");
                return asked.get() == before;
            });
        } finally {
            node(0).eventBus().removeOutboundInterceptor(count);
        }
    }

    private ClusterStatus untilShown(OpenStream stream, String name) {
        opened.add(root(1).child(name).open());
        ClusterStatus told = StatusJson.readCluster(stream.document());
        while (!shows(told, "bob", name)) {
            told = StatusJson.readCluster(stream.document());
        }
        return told;
    }

    private static Callable<Boolean> settled(AtomicInteger counter) {
        AtomicInteger seen = new AtomicInteger(-1);
        return () -> seen.getAndSet(counter.get()) == counter.get();
    }

    private List<ClusterStatus> listen(int index, String... nodes) {
        List<ClusterStatus> heard = new CopyOnWriteArrayList<>();
        ReadStream<ClusterStatus> stream = StatusClient.create(node(index)).stream(nodes);
        streams.add(stream);
        stream.handler(heard::add);
        return heard;
    }

    private static @Nullable ClusterStatus last(List<ClusterStatus> heard) {
        return heard.isEmpty() ? null : heard.get(heard.size() - 1);
    }

    private static boolean isComplete(@Nullable ClusterStatus status) {
        return status != null && status.isComplete();
    }

    private static boolean shows(@Nullable ClusterStatus status, String alias, String child) {
        return status != null
                && any(
                        status,
                        row -> row.node().alias().equals(alias)
                                && row.snapshot() != null
                                && row.snapshot().globalContext().children().stream()
                                        .anyMatch(c -> c.name().equals(child)));
    }

    private static boolean any(ClusterStatus status, Predicate<NodeStatus> wanted) {
        return status.nodes().stream().anyMatch(wanted);
    }

    private static @Nullable NodeState state(@Nullable ClusterStatus status, String alias) {
        return status == null ? null : states(status).get(alias);
    }

    private static NodeStatus row(ClusterStatus status, String alias) {
        return status.nodes().stream()
                .filter(row -> row.node().alias().equals(alias))
                .findFirst()
                .orElseThrow();
    }

    private static Map<String, NodeState> states(ClusterStatus status) {
        Map<String, NodeState> states = new LinkedHashMap<>();
        status.nodes().forEach(row -> states.put(row.node().alias(), row.state()));
        return states;
    }

    private static FastnContext root(int index) {
        return FastnVertx.install(node(index)).runtime().root();
    }

    private static Vertx node(int index) {
        return cluster.node(index);
    }

    private void deployAll() {
        deployAll(false);
    }

    private void deployAll(boolean http) {
        List<String> aliases = List.of("alice", "bob", "carol");
        for (int i = 0; i < 3; i++) {
            StatusVerticle verticle = new StatusVerticle(new StatusOptions()
                    .setAlias(aliases.get(i))
                    .setHttp(http)
                    .setSystemMetrics(false)
                    .setQueryTimeout(500));
            deployments.put(node(i), Waiting.result(node(i).deployVerticle(verticle)));
            alice = i == 0 ? verticle : alice;
        }
    }
}
