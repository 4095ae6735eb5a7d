package com.fastn.status;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fastn.context.FastnContext;
import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.ContextPath;
import com.fastn.context.status.ContextStatus;
import com.fastn.context.status.NodeState;
import com.fastn.context.status.NodeStatus;
import com.fastn.context.status.StatusJson;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.context.vertx.FastnVertx;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.DeliveryContext;
import io.vertx.core.eventbus.Message;
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
import org.junit.jupiter.api.Timeout;

/** Programs that ask and watch: three nodes with a status verticle, and a fourth that has none. */
class StatusClientTest {
    private static final Duration SOON = Duration.ofSeconds(60);
    /** Long enough for a busy machine, and for the test in which two do not answer not to wait for long. */
    private static final int QUERY_MILLIS = 2_500;

    private static final StatusVerticle ALICE = verticle("alice");
    private static TestCluster cluster;

    private final List<ReadStream<?>> streams = new ArrayList<>();
    private final List<FastnContext> opened = new ArrayList<>();

    /** They stay for all tests, each of which leaves them as they were. */
    @BeforeAll
    static void start() {
        cluster = TestCluster.of(4);
        List<StatusVerticle> verticles = List.of(ALICE, verticle("bob"), verticle("carol"));
        for (int i = 0; i < verticles.size(); i++) {
            Waiting.result(node(i).deployVerticle(verticles.get(i)));
        }
        cluster.untilMet(0, 1, 2);
    }

    private static StatusVerticle verticle(String alias) {
        return new StatusVerticle(new StatusOptions()
                .setAlias(alias)
                .setDescriptors(false)
                .setSystemMetrics(false)
                .setQueryTimeout(QUERY_MILLIS));
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    @AfterEach
    void closeAll() {
        opened.forEach(FastnContext::close);
        streams.forEach(stream -> stream.handler(null));
    }

    @Test
    void aProgramAsksInOneLineOnANodeWithAStatusVerticleAndOnOneWithout() {
        for (int i : new int[] {0, 3}) {
            StatusClient client = StatusClient.create(node(i)).withTimeout(SOON);
            // Each of them has its time to answer, which may be too short on a busy machine.
            await().atMost(SOON)
                    .untilAsserted(() -> assertThat(states(Waiting.result(client.status())))
                            .containsExactly(
                                    Map.entry("alice", NodeState.UP),
                                    Map.entry("bob", NodeState.UP),
                                    Map.entry("carol", NodeState.UP)));
            assertThat(states(Waiting.result(client.status("alice", "bob")))).containsOnlyKeys("alice", "bob");
            assertThat(Waiting.failure(client.status("alize")))
                    .isInstanceOfSatisfying(
                            ReplyException.class,
                            e -> assertThat(e.failureCode()).isEqualTo(404))
                    .hasMessageContaining("did you mean \"alice\"");
        }
        opened.add(root(1).child("shelf").open());
        await().atMost(SOON).untilAsserted(() -> {
            ClusterStatus part = Waiting.result(
                    StatusClient.create(node(3)).withTimeout(SOON).status(ContextPath.of("global", "shelf")));
            assertThat(part.nodes()).filteredOn(row -> row.snapshot() != null).hasSize(1);
        });
    }

    /** The other nodes are found to be deaf by nobody but the one that was asked: it is asked first, wherever it is. */
    @Test
    void aNodeAnswersItsOwnQuestionsSoThatNoOtherNodeThatHangsCanHoldThemUp() {
        Handler<DeliveryContext<Object>> deaf = delivery -> {
            if (!delivery.message().address().startsWith("fastn.status")) {
                delivery.next();
            }
        };
        node(1).eventBus().addInboundInterceptor(deaf);
        node(2).eventBus().addInboundInterceptor(deaf);
        try {
            List<Future<Message<JsonObject>>> answers = new ArrayList<>();
            for (String address : List.of("fastn.status", "fastn.status.query")) {
                for (int i = 0; i < 4; i++) {
                    // Each by itself would wait for the deaf ones.
                    answers.add(node(0).eventBus().request(address, null));
                }
            }
            for (Future<Message<JsonObject>> each : answers) {
                JsonObject answer = Waiting.result(each).body();
                assertThat(answer.getString("answered_by")).isEqualTo("alice");
                assertThat(answer.getBoolean("complete")).isFalse();
            }
            ClusterStatus elsewhere = Waiting.result(StatusClient.create(node(3))
                    .withTimeout(Duration.ofMillis(4 * QUERY_MILLIS))
                    .status());
            assertThat(states(elsewhere)).containsEntry("bob", NodeState.STALE).containsEntry("carol", NodeState.STALE);
        } finally {
            node(1).eventBus().removeInboundInterceptor(deaf);
            node(2).eventBus().removeInboundInterceptor(deaf);
        }
    }

    @Test
    void aStreamBeginsWithTheWholeAndTellsWhatChangesOnAnyNode() {
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
    void aStreamOfAPartTellsThatPartAloneAndWhereNothingIsOpenThereThatItIsSo() {
        List<ClusterStatus> heard = new CopyOnWriteArrayList<>();
        ReadStream<ClusterStatus> stream =
                StatusClient.create(node(3)).withDepth(2).stream(ContextPath.of("global", "shelf"));
        streams.add(stream);
        stream.handler(heard::add);
        // Until each of the three has answered, the rows of the others say that they were not heard yet.
        await().atMost(SOON).untilAsserted(() -> {
            assertThat(heard).isNotEmpty();
            assertThat(requireNonNull(last(heard)).nodes()).hasSize(3).allSatisfy(row -> {
                assertThat(row.snapshot()).isNull();
                assertThat(row.reason()).contains("nothing is open at \"global.shelf\"");
            });
        });

        for (int i = 0; i < 2; i++) {
            FastnContext shelf = root(1).child("shelf").open();
            FastnContext box = shelf.child("box").open();
            FastnContext screw = box.child("screw").open();
            opened.addAll(List.of(screw, box, shelf));
            // It may be told of before what is in it is open.
            await().atMost(SOON).untilAsserted(() -> {
                ClusterStatus told = requireNonNull(last(heard));
                assertThat(shows(told, "bob", "box")).isTrue();
                StatusSnapshot part = requireNonNull(row(told, "bob").snapshot());
                assertThat(part.globalContext().path()).isEqualTo(ContextPath.of("global", "shelf"));
                ContextStatus shown = part.globalContext().children().get(0);
                assertThat(shown.children()).isEmpty();
                assertThat(shown.foldedChildren().count()).isEqualTo(1);
                assertThat(row(told, "alice").snapshot()).isNull();
                assertThat(row(told, "alice").reason()).contains("nothing is open at");
                assertThat(row(told, "bob").reason()).isNull();
            });

            opened.forEach(FastnContext::close);
            opened.clear();
            await().atMost(SOON).untilAsserted(() -> {
                NodeStatus bob = row(requireNonNull(last(heard)), "bob");
                assertThat(bob.snapshot()).isNull();
                assertThat(bob.reason()).contains("nothing is open at");
            });
        }
    }

    /** At first it asks; from then on it hears. */
    @Test
    void aStreamOfAPartOverHttpHearsOfOtherNodesTooWithoutAskingThem() {
        FastnContext shelf = root(1).child("shelf").open();
        opened.add(shelf);
        AtomicInteger asked = new AtomicInteger();
        Handler<DeliveryContext<Object>> count = delivery -> {
            if (delivery.message().address().startsWith("fastn.status.node.")) {
                asked.incrementAndGet();
            }
            delivery.next();
        };
        node(0).eventBus().addOutboundInterceptor(count);
        try (OpenStream stream = new OpenStream(
                requireNonNull(ALICE.url()), "/status/stream?scope=cluster&format=ndjson&path=global.shelf&depth=2")) {
            AtomicInteger changes = new AtomicInteger();
            await().atMost(SOON).until(() -> {
                int before = asked.get();
                FastnContext box =
                        shelf.child("box-" + changes.incrementAndGet()).open();
                ClusterStatus told = StatusJson.readCluster(stream.document());
                while (!shows(told, "bob", box.name())) {
                    told = StatusJson.readCluster(stream.document());
                }
                box.close();
                return asked.get() == before;
            });
        } finally {
            node(0).eventBus().removeOutboundInterceptor(count);
        }
    }

    @Test
    void theWholeTreeOfALargeNodeIsHadInPagesNoneOfWhichIsLarge() {
        for (int i = 0; i < 30; i++) {
            FastnContext batch = root(1).child("batch-" + i).open();
            opened.add(batch);
            for (int j = 0; j < 100; j++) {
                FastnContext job = batch.child("job-" + j).withData("number", j).open();
                opened.add(0, job);
            }
        }
        List<Integer> sizes = new CopyOnWriteArrayList<>();
        Handler<DeliveryContext<Object>> measure = delivery -> {
            if (delivery.body() instanceof Buffer bytes) {
                sizes.add(bytes.length());
            }
            delivery.next();
        };
        node(1).eventBus().addOutboundInterceptor(measure);
        try {
            ContextStatus tree = Waiting.result(
                    StatusClient.create(node(3)).withTimeout(SOON).tree("bob"));
            assertThat(sizes).hasSizeGreaterThan(5).allMatch(bytes -> bytes <= Answers.MOST_WIRE_BYTES);
            List<ContextStatus> batches = tree.children().stream()
                    .filter(child -> child.name().startsWith("batch-"))
                    .toList();
            assertThat(batches).hasSize(30);
            for (int i = 0; i < 30; i++) {
                assertThat(batches.get(i).name()).isEqualTo("batch-" + i);
                assertThat(batches.get(i).children()).hasSize(100);
                assertThat(batches.get(i).children().get(7).data()).containsEntry("number", 7);
            }
        } finally {
            node(1).eventBus().removeOutboundInterceptor(measure);
        }
        assertThat(Waiting.failure(StatusClient.create(node(3)).tree("nobody")))
                .isInstanceOfSatisfying(
                        ReplyException.class, e -> assertThat(e.failureType()).isEqualTo(ReplyFailure.NO_HANDLERS));
    }

    @Test
    void aPausedStreamKeepsTheNewestOnly() {
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
            ClusterStatus told =
                    await().atMost(SOON).until(() -> last(heard), now -> state(now, "bob") == NodeState.STALE);
            NodeStatus bob = row(requireNonNull(told), "bob");
            assertThat(bob.snapshot()).isNull();
            assertThat(bob.summary()).isNotNull();
            assertThat(bob.reason()).contains("silent");
        } finally {
            node(1).eventBus().removeInboundInterceptor(gone);
            node(1).eventBus().removeOutboundInterceptor(gone);
        }
        await().atMost(SOON).until(() -> isComplete(last(heard)));
    }

    /** As where the writer's cluster manager does not find the reader: questions and answers pass, frames do not. */
    @Test
    @Timeout(180)
    void D5_D7_aNodeWhoseFramesDoNotComeIsNotShownByWhatItToldBefore() {
        FastnContext before = root(1).child("before-the-frames-stopped").open();
        opened.add(before);
        try (OpenStream stream =
                new OpenStream(requireNonNull(ALICE.url()), "/status/stream?scope=cluster&format=ndjson")) {
            untilTold(stream, told -> shows(told, "bob", before.name()));
            Handler<DeliveryContext<Object>> noFrames = delivery -> {
                if (!delivery.message().address().startsWith(StreamWire.READER_PREFIX)) {
                    delivery.next();
                }
            };
            node(0).eventBus().addInboundInterceptor(noFrames);
            try {
                opened.add(root(1).child("after-the-frames-stopped").open());
                ClusterStatus told = untilTold(
                        stream,
                        status -> row(status, "bob").state() == NodeState.UP
                                && row(status, "bob").snapshot() == null);
                assertThat(told.isComplete()).isFalse();
                // One of the latter where the stream was opened anew within these 3 s.
                assertThat(row(told, "bob").reason())
                        .containsAnyOf("has not come for more than 3 s", "has not arrived yet", "is being opened");
                assertThat(row(told, "bob").summary()).isNotNull();
            } finally {
                node(0).eventBus().removeInboundInterceptor(noFrames);
            }
            untilTold(stream, told -> shows(told, "bob", "after-the-frames-stopped"));
        }
    }

    private static ClusterStatus untilTold(OpenStream stream, Predicate<ClusterStatus> wanted) {
        ClusterStatus told = StatusJson.readCluster(stream.document());
        while (!wanted.test(told)) {
            told = StatusJson.readCluster(stream.document());
        }
        return told;
    }

    @Test
    void D1_framesThatAreLostAreMissedAndTheStreamBeginsAnew() {
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
            // A second in which it tries nothing: it takes two between one new beginning and the next.
            await().atMost(SOON).during(Duration.ofMillis(1_200)).until(settled(lost));
            deaf.set(false);
            await().atMost(SOON).until(() -> shows(last(heard), "carol", order.name()));
        } finally {
            node(3).eventBus().removeInboundInterceptor(lossy);
        }
    }

    @Test
    void anIdleClusterSendsNothingButRenewalsAndNobodyWatchingNotEvenThese() {
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
            // What the deployments and former tests changed is told first, and that an event loop is late on a busy
            // machine.
            await("nine renewals and no frame").atMost(SOON).until(() -> {
                int before = frames.get();
                int renewed = renewals.get();
                await().atMost(SOON).until(() -> renewals.get() >= renewed + 9);
                return frames.get() == before;
            });

            streams.get(0).handler(null);
            // More than a second without any: each stream would be renewed each second.
            await().atMost(SOON).during(Duration.ofMillis(2_200)).until(settled(renewals));
            int last = frames.get();
            opened.add(root(1).child("seen-by-nobody").open());
            await().atMost(SOON).during(Duration.ofMillis(2_200)).until(settled(renewals));
            assertThat(frames.get()).isEqualTo(last);
        } finally {
            for (int i = 0; i < 4; i++) {
                node(i).eventBus().removeOutboundInterceptor(count);
            }
        }
    }

    /** At first it asks; from then on it hears. */
    @Test
    void aStreamOverHttpHearsOfOtherNodesWithoutAskingThem() {
        AtomicInteger asked = new AtomicInteger();
        Handler<DeliveryContext<Object>> count = delivery -> {
            if (delivery.message().address().startsWith("fastn.status.node.")) {
                asked.incrementAndGet();
            }
            delivery.next();
        };
        node(0).eventBus().addOutboundInterceptor(count);
        try (OpenStream stream =
                new OpenStream(requireNonNull(ALICE.url()), "/status/stream?scope=cluster&format=ndjson")) {
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
}
