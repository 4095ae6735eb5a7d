package com.fastn.status;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fastn.context.ManualTicker;
import com.fastn.context.Registration;
import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.ContextPath;
import com.fastn.context.status.NodeIdentity;
import com.fastn.context.status.NodeState;
import com.fastn.context.status.NodeStatus;
import com.fastn.context.status.NodeSummary;
import com.fastn.context.vertx.Addresses;
import com.fastn.context.vertx.FastnVertx;
import com.fastn.status.stream.Outbox;
import com.fastn.status.stream.StreamFrame;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.WorkerExecutor;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.MessageConsumer;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Who watches the cluster is told of its nodes as they are, by a clock and timers that the test moves. */
class ClusterFeedTest {
    private static final Duration LONG = Duration.ofSeconds(60);
    private static final NodeIdentity BOB = new NodeIdentity("bob", "bbbb-1");

    // One event loop, so that what is registered on another context comes in the order of all the rest.
    private final Vertx vertx = Vertx.vertx(new VertxOptions().setEventLoopPoolSize(1));
    private final ManualTicker ticker = new ManualTicker(Fixtures.NOW);
    private final HandTimers timers = new HandTimers(vertx, ticker);
    private final FastnVertx fastn = FastnVertx.install(vertx);
    private final Context context = vertx.getOrCreateContext();
    // One thread, so that what is done after something comes after it.
    private final WorkerExecutor worker = vertx.createSharedWorkerExecutor("feed", 1);
    private final FailingWorker failing = new FailingWorker(worker);
    private final LocalStatus local = new LocalStatus(fastn.runtime(), null, List.of());
    private final NodeDirectory directory = new NodeDirectory(fastn.node(), 1, Duration.ofHours(1), ticker);
    private final PeerBytes bytes = new PeerBytes(ticker);
    private final Watches watches = new Watches(timers.vertx(), failing.worker(), local, directory, bytes, ticker);
    private final StreamService streams = new StreamService(
            timers.vertx(), worker, fastn.node(), local, watches, ClusterTrust.of(vertx, true), ticker);
    private final List<ClusterStatus> told = new CopyOnWriteArrayList<>();
    private final AtomicInteger refused = new AtomicInteger();
    /** The runtime outlives the Vertx of a test: what is begun here is ended here. */
    private final List<Runnable> ends = new CopyOnWriteArrayList<>();

    @BeforeEach
    void answerOnTheContextOfTheVerticle() {
        onContext(() -> {
            vertx.eventBus()
                    .<JsonObject>consumer(
                            Addresses.STATUS_SUBSCRIBE,
                            asked -> asked.reply(streams.open(asked.body().getMap(), true, true)));
            vertx.eventBus()
                    .<JsonObject>consumer(Addresses.subscribe(fastn.node().incarnation()), asked -> {
                        JsonObject reply = streams.control(asked.body().getMap());
                        if (asked.replyAddress() != null) {
                            asked.reply(reply);
                        }
                    });
        });
    }

    @AfterEach
    void close() {
        onContext(() -> ends.forEach(Runnable::run));
        Waiting.result(vertx.close());
    }

    @Test
    void D7_aNodeThatIsMetWhileSomebodyWatchesIsUpWhileItsStreamIsOpened() {
        watch();
        // It is asked for a stream, and takes its time.
        vertx.eventBus().consumer(Addresses.subscribe(BOB.incarnation()), asked -> {});
        directory.heard(new Hello(BOB, 100, Hello.Kind.NEWCOMER, null));
        tick(Duration.ofSeconds(1));
        await().atMost(LONG).until(() -> !rows("bob").isEmpty());
        assertThat(rows("bob")).allSatisfy(row -> {
            assertThat(row.state()).isEqualTo(NodeState.UP);
            assertThat(row.reason()).isEqualTo("its stream is being opened");
            assertThat(row.snapshot()).isNull();
        });

        tick(Duration.ofSeconds(3));
        tick(Duration.ofMillis(1));
        await().atMost(LONG).until(() -> state("bob") == NodeState.STALE);
        // Its only word was its hello.
        tick(Duration.ofSeconds(10));
        assertThat(state("bob")).isEqualTo(NodeState.STALE);
        tick(Duration.ofSeconds(2));
        await().atMost(LONG).until(() -> state("bob") == NodeState.DOWN);
    }

    @Test
    void D7_S16_aNodeThatIsDownIsAskedSeldomHoldsNothingHereAndIsAskedAtOnceWhenItSpeaks() {
        AtomicInteger asked = new AtomicInteger();
        AtomicReference<String> reader = new AtomicReference<>("");
        vertx.eventBus().<JsonObject>addOutboundInterceptor(delivery -> {
            if (delivery.message().address().equals(Addresses.subscribe(BOB.incarnation()))
                    && delivery.message().body().containsKey(StreamWire.ADDRESS)) {
                asked.incrementAndGet();
                reader.set(delivery.message().body().getString(StreamWire.ADDRESS));
            }
            delivery.next();
        });
        MessageConsumer<JsonObject> living = streamsOfBob();
        watch();
        directory.heard(new Hello(BOB, 100, Hello.Kind.NEWCOMER, null));
        tick(Duration.ofSeconds(1));
        await().atMost(LONG).until(() -> !rows("bob").isEmpty() && asked.get() == 1);
        settle();
        await().atMost(LONG).until(() -> {
            // What comes before the reader has taken the reply is not taken up.
            assertThat(send(new Outbox(), 1, requireNonNull(reader.get()))).isEqualTo(2);
            return bytes.held() > 0;
        });

        Waiting.result(living.unregister());
        for (int second = 0; second < 20; second++) {
            tick(Duration.ofSeconds(1));
        }
        await().atMost(LONG).until(() -> state("bob") == NodeState.DOWN);
        assertThat(bytes.held()).isZero();

        int before = asked.get();
        for (int second = 0; second < 60; second++) {
            tick(Duration.ofSeconds(1));
        }
        int inAMinute = asked.get() - before;
        assertThat(inAMinute).as("asked in a minute").isBetween(10, 14);

        var unused = streamsOfBob();
        directory.heard(new Hello(BOB, 100, Hello.Kind.ALIVE, null));
        tick(Duration.ofSeconds(1));
        // Of the feed and the stream either may have had its turn first.
        tick(Duration.ofMillis(1));
        assertThat(asked.get() - before).isEqualTo(inAMinute + 1);
        await().atMost(LONG).until(() -> {
            tick(Duration.ofMillis(100));
            return state("bob") == NodeState.UP;
        });
    }

    @Test
    void D7_aNodeThatIsHeardAgainIsUpAndNotShownByWhatItDidBeforeTheSilence() {
        AtomicReference<String> reader = new AtomicReference<>("");
        AtomicBoolean hears = new AtomicBoolean(true);
        AtomicLong sent = new AtomicLong();
        vertx.eventBus().<JsonObject>consumer(Addresses.subscribe(BOB.incarnation()), asked -> {
            if (asked.body().containsKey(StreamWire.ADDRESS)) {
                reader.set(asked.body().getString(StreamWire.ADDRESS));
            }
            if (hears.get()) {
                asked.reply(StreamWire.reply()
                        .put(StreamWire.STREAM, "of bob")
                        .put(StreamWire.CONTROL, Addresses.subscribe(BOB.incarnation()))
                        .put(StreamWire.LEASE_MILLIS, 10_000)
                        .put(StreamWire.EPOCH, 1)
                        .put(StreamWire.SENT, sent.get()));
            }
        });
        watch();
        directory.heard(new Hello(BOB, 100, Hello.Kind.NEWCOMER, null));
        tick(Duration.ofSeconds(1));
        await().atMost(LONG).until(() -> !"".equals(reader.get()));
        // What comes before the reader has taken the reply is not taken up.
        settle();
        Outbox outbox = new Outbox();
        sent.set(send(outbox, 1, requireNonNull(reader.get())));
        await().atMost(LONG).until(() -> {
            tick(Duration.ofSeconds(1));
            return last("bob").snapshot() != null;
        });

        hears.set(false);
        tick(ClusterFeed.UP_FOR);
        tick(Duration.ofMillis(1));
        await().atMost(LONG).until(() -> state("bob") == NodeState.STALE);
        // The frame of what happened meanwhile is on its way.
        sent.incrementAndGet();
        hears.set(true);
        int before = rows("bob").size();
        tick(Duration.ofMillis(500));
        await().atMost(LONG).until(() -> {
            tick(Duration.ofMillis(100));
            return state("bob") == NodeState.UP;
        });
        List<NodeStatus> again = rows("bob").subList(before, rows("bob").size());
        assertThat(again).extracting(NodeStatus::snapshot).containsOnlyNulls();
        assertThat(last("bob").reason()).isEqualTo("it was silent, and its status of now has not arrived yet");

        await().atMost(LONG).until(() -> {
            // The stream may have been asked to begin anew meanwhile, and at another address.
            outbox.restart();
            assertThat(send(outbox, 2, requireNonNull(reader.get()))).isEqualTo(2);
            tick(Duration.ofSeconds(1));
            return last("bob").snapshot() != null;
        });
        assertThat(requireNonNull(last("bob").snapshot()).version()).isEqualTo(2);
    }

    /** {@return the number of the last frame} */
    private long send(Outbox outbox, long version, String to) {
        NodeStatus row = new NodeStatus(
                BOB,
                NodeState.UP,
                Duration.ZERO,
                null,
                null,
                Fixtures.snapshot(BOB, version, Fixtures.context(1, "global")));
        long last = 0;
        for (StreamFrame frame : outbox.tell(new ClusterStatus(Fixtures.NOW, "bob", List.of(row)))) {
            vertx.eventBus().send(to, Buffer.buffer(frame.body()), StreamWire.headers("of bob", frame));
            last = frame.sequence();
        }
        return last;
    }

    private MessageConsumer<JsonObject> streamsOfBob() {
        return vertx.eventBus()
                .consumer(
                        Addresses.subscribe(BOB.incarnation()),
                        question -> question.reply(StreamWire.reply()
                                .put(StreamWire.STREAM, "of bob")
                                .put(StreamWire.CONTROL, Addresses.subscribe(BOB.incarnation()))
                                .put(StreamWire.LEASE_MILLIS, 10_000)));
    }

    @Test
    void whileNobodyWatchesThereIsNoTimer() {
        var unused = streamsOfBob();
        directory.heard(new Hello(BOB, 100, Hello.Kind.NEWCOMER, null));
        assertThat(timers.count()).isZero();
        AtomicReference<Registration> watching = new AtomicReference<>();
        AtomicInteger begun = new AtomicInteger();
        // In the same turn: one that is set anew is not there for a moment.
        onContext(() -> {
            watching.set(watches.cluster(StatusQuery.all(), told::add));
            begun.set(timers.count());
        });
        assertThat(begun)
                .as("of the feed, of the look at this node, of the stream of bob")
                .hasValue(3);
        onContext(() -> requireNonNull(watching.get()).close());
        assertThat(timers.count()).isZero();
    }

    @Test
    void whoLeavesBeforeTheNextMayBeToldLeavesNoTimer() {
        AtomicReference<Registration> watching = new AtomicReference<>();
        onContext(() -> watching.set(watches.cluster(StatusQuery.all(), told::add)));
        await().atMost(LONG).until(() -> !told.isEmpty());
        quieten();
        int quiet = timers.count();
        change("first");
        tick(Duration.ofMillis(1));
        assertThat(timers.count()).as("one more, for when the next may be told").isEqualTo(quiet + 1);
        onContext(() -> requireNonNull(watching.get()).close());
        assertThat(timers.count()).isZero();
    }

    @Test
    void D7_aNodeThatRefusesAStreamHasSpoken() {
        refuse("1000 streams of this node are open already");
        watch();
        directory.heard(new Hello(BOB, 100, Hello.Kind.NEWCOMER, null));
        for (int i = 0; i < 12; i++) {
            int before = refused.get();
            tick(Duration.ofSeconds(2));
            await().atMost(LONG).until(() -> refused.get() > before);
        }
        tick(Duration.ofSeconds(1));
        await().atMost(LONG).until(() -> !rows("bob").isEmpty() && last("bob").reason() != null);
        assertThat(rows("bob")).extracting(NodeStatus::state).containsOnly(NodeState.UP);
        assertThat(last("bob").reason()).isEqualTo("1000 streams of this node are open already");
    }

    @Test
    void streamsOfOtherNodesDoNotUseUpThoseOfTheOnesWhoWatchTheCluster() {
        for (int i = 0; i < 200; i++) {
            open(false, i);
        }
        for (int i = 0; i < 64; i++) {
            open(true, i);
        }
        assertThat(Waiting.failure(opened(true, 64)))
                .isInstanceOf(BadQueryException.class)
                .hasMessageContaining("64 streams of the cluster are open here already");
        open(false, 200);
        assertThat(streams.count()).isEqualTo(265);
    }

    @Test
    void ofAStreamTheFirstChangeComesAtOnceAndLaterOnesOnceASecond() {
        List<ClusterStatus> heard = new CopyOnWriteArrayList<>();
        // By the clock of the test it is never silent for long, after which it would tell the last status once more.
        new StatusStream(vertx, new JsonObject(), ticker).handler(heard::add);
        await().atMost(LONG).until(() -> !heard.isEmpty());
        settle();
        ticker.advance(NodeWatch.PACE);

        change("first");
        // No timer has gone off, so this came by itself.
        await().atMost(LONG).until(() -> shows(heard, "first"));
        settle();
        int before = heard.size();
        change("second");
        assertThat(heard).as("within the same second").hasSize(before);
        assertThat(shows(heard, "second")).isFalse();

        // The change may be taken up after a first tick, and then waits for the next.
        await().atMost(LONG).until(() -> {
            tick(NodeWatch.PACE);
            return shows(heard, "second");
        });
    }

    @Test
    void whatChangesWithinASecondOfATellingIsToldWhenThatIsOver() {
        watch();
        quieten();
        // It is asked for a stream, and takes its time.
        vertx.eventBus().consumer(Addresses.subscribe(BOB.incarnation()), asked -> {});
        directory.heard(new Hello(BOB, 100, Hello.Kind.NEWCOMER, null));
        tick(Duration.ofMillis(950));
        assertThat(rows("bob")).as("told at once").hasSize(1);
        int before = told.size();

        change("second");
        tick(Duration.ofMillis(50));
        assertThat(told).as("looked for silence, but within the same second").hasSize(before);
        tick(Duration.ofMillis(949));
        assertThat(told).as("within the same second").hasSize(before);
        tick(Duration.ofMillis(1));
        assertThat(told).as("after a second").hasSize(before + 1);
        assertThat(shows(told, "second")).isTrue();
    }

    @Test
    void whatChangedIsToldASecondAfterItCouldNotBeSummedUp() {
        watch();
        quieten();
        int before = told.size();
        // The first is the look at this node.
        failing.fail(2);
        change("untold");
        tick(Duration.ofMillis(999));
        assertThat(told).hasSize(before);
        tick(Duration.ofMillis(1));
        assertThat(told).hasSize(before + 1);
        assertThat(shows(told, "untold")).isTrue();
    }

    @Test
    void D7_aNodeThatWasNamedAndLeavesIsARowWithAReasonUntilItIsBack() {
        refuse("not now");
        directory.heard(new Hello(BOB, 100, Hello.Kind.NEWCOMER, null));
        directory.heard(new Hello(new NodeIdentity("carol", "cccc-1"), 100, Hello.Kind.NEWCOMER, null));
        watch(fastn.node().alias(), "bob");
        assertThat(told.get(0).nodes()).extracting(row -> row.node().alias()).doesNotContain("carol");

        directory.heard(new Hello(BOB, 100, Hello.Kind.GOODBYE, null));
        change("after");
        await().atMost(LONG).until(() -> {
            tick(NodeWatch.PACE);
            return state("bob") == NodeState.DOWN && shows(told, "after");
        });
        assertThat(last("bob").node()).isEqualTo(BOB);
        assertThat(last("bob").reason()).contains("has left the cluster");
        assertThat(last("bob").snapshot()).isNull();
        assertThat(told.get(told.size() - 1).isComplete()).isFalse();

        Duration age = last("bob").age();
        ticker.advance(Duration.ofSeconds(10));
        change("later");
        await().atMost(LONG).until(() -> {
            tick(NodeWatch.PACE);
            return shows(told, "later");
        });
        assertThat(last("bob").age()).isGreaterThanOrEqualTo(age.plusSeconds(10));

        NodeIdentity again = new NodeIdentity("bob", "bbbb-2");
        vertx.eventBus().consumer(Addresses.subscribe(again.incarnation()), asked -> {});
        directory.heard(new Hello(again, 200, Hello.Kind.NEWCOMER, null));
        await().atMost(LONG).until(() -> {
            tick(NodeWatch.PACE);
            return last("bob").node().equals(again);
        });
        assertThat(told.get(told.size() - 1).nodes()).hasSize(2);
    }

    @Test
    void whoNamesNodesFollowsThoseAloneAndWhoNamesNoneComesToKnowAll() {
        List<String> asked = new CopyOnWriteArrayList<>();
        NodeIdentity carol = new NodeIdentity("carol", "cccc-1");
        for (NodeIdentity node : List.of(BOB, carol)) {
            vertx.eventBus().consumer(Addresses.subscribe(node.incarnation()), question -> {
                asked.add(node.alias());
                question.fail(429, "not now");
            });
            directory.heard(new Hello(node, 100, Hello.Kind.NEWCOMER, null));
        }
        watch(fastn.node().alias(), "bob");
        for (int second = 0; second < 5; second++) {
            tick(NodeWatch.PACE);
        }
        assertThat(asked).contains("bob").doesNotContain("carol");
        assertThat(rows("carol")).isEmpty();

        List<ClusterStatus> all = new CopyOnWriteArrayList<>();
        List<ClusterStatus> ofCarol = new CopyOnWriteArrayList<>();
        onContext(() -> {
            StatusQuery query = StatusQuery.all();
            ends.add(watches.cluster(query, all::add)::close);
            ends.add(
                    watches.cluster(
                            new StatusQuery(List.of("cccc"), query.format(), null, null, query.width(), 0),
                            ofCarol::add)::close);
        });
        await().atMost(LONG).until(() -> {
            tick(NodeWatch.PACE);
            return !all.isEmpty() && !ofCarol.isEmpty();
        });
        assertThat(all.get(0).nodes()).hasSize(3);
        assertThat(ofCarol)
                .allSatisfy(status ->
                        assertThat(status.nodes()).extracting(NodeStatus::node).containsExactly(carol));
        assertThat(asked).contains("carol");
        assertThat(rows("carol")).isEmpty();
    }

    @Test
    void whoWatchesTheSamePartSharesOneStreamToEachNodeAndAnotherPartHasItsOwn() {
        List<String> asked = new CopyOnWriteArrayList<>();
        vertx.eventBus().<JsonObject>consumer(Addresses.subscribe(BOB.incarnation()), question -> {
            if (question.body().containsKey(StreamWire.ADDRESS)) {
                asked.add(question.body().getString("path"));
            }
            question.reply(StreamWire.reply()
                    .put(StreamWire.STREAM, "of bob")
                    .put(StreamWire.CONTROL, Addresses.subscribe(BOB.incarnation()))
                    .put(StreamWire.LEASE_MILLIS, 10_000));
        });
        directory.heard(new Hello(BOB, 100, Hello.Kind.NEWCOMER, null));
        watchPart("Till");
        watchPart("Till");
        watchPart("Till", "bob");
        watchPart("Shop");
        for (int second = 0; second < 5; second++) {
            tick(NodeWatch.PACE);
        }
        await().atMost(LONG).until(() -> asked.size() >= 2);
        assertThat(asked).containsExactlyInAnyOrder("global.Till", "global.Shop");
    }

    private void watchPart(String name, String... nodes) {
        StatusQuery all = StatusQuery.all();
        ContextPath path = ContextPath.of("global", name);
        onContext(() -> ends.add(watches.cluster(
                new StatusQuery(List.of(nodes), all.format(), null, path, all.width(), 0), told::add)::close));
    }

    @Test
    void D7_aStreamOfAThousandNodesThatFellSilentTellsAllOfThem() {
        for (int i = 0; i < 999; i++) {
            NodeIdentity node = new NodeIdentity("checkout-" + "x".repeat(100) + i, "incarnation-" + i);
            directory.heard(new Hello(node, 100, Hello.Kind.NEWCOMER, new NodeSummary(700, 1, 1, 1)));
        }
        List<ClusterStatus> heard = new CopyOnWriteArrayList<>();
        List<Throwable> troubles = new CopyOnWriteArrayList<>();
        StatusStream stream = new StatusStream(vertx, new JsonObject(), ticker);
        stream.exceptionHandler(troubles::add).handler(heard::add);
        await().atMost(LONG).until(() -> {
            tick(NodeWatch.PACE);
            return !heard.isEmpty()
                    && heard.get(heard.size() - 1).nodes().stream()
                                    .filter(row -> row.state() == NodeState.STALE)
                                    .count()
                            == 999;
        });
        assertThat(heard.get(heard.size() - 1).nodes()).hasSize(1_000);
        assertThat(troubles)
                .as("on a busy machine it may wait for an answer, and misses nothing")
                .noneSatisfy(trouble -> assertThat(trouble).hasMessageContaining("begins anew"));
        onContext(() -> stream.handler(null));
    }

    @Test
    void D7_whoWatchesLaterIsToldTheAgesOfThen() {
        watch();
        meetSilentBob();
        await().atMost(LONG).until(() -> {
            tick(NodeWatch.PACE);
            return !rows("bob").isEmpty() && state("bob") == NodeState.DOWN;
        });
        quieten();
        Duration before = last("bob").age();
        int mark = told.size();
        ticker.advance(Duration.ofSeconds(60));
        watch("bob");
        assertThat(told.size()).isGreaterThan(mark);
        assertThat(last("bob").age()).isGreaterThanOrEqualTo(before.plusSeconds(60));
    }

    @Test
    void D7_ofASilentNodeWhatAHelloSaysIsTold() {
        watch();
        meetSilentBob();
        await().atMost(LONG).until(() -> {
            tick(NodeWatch.PACE);
            return !rows("bob").isEmpty() && state("bob") == NodeState.STALE;
        });
        quieten();
        int mark = told.size();
        NodeSummary numbers = new NodeSummary(2_005, 2, 0, 0);
        directory.heard(new Hello(BOB, 100, Hello.Kind.ALIVE, numbers));
        tick(NodeWatch.PACE);
        await().atMost(LONG).until(() -> told.size() > mark);
        assertThat(last("bob").summary()).isEqualTo(numbers);
        assertThat(last("bob").state()).isEqualTo(NodeState.STALE);
        assertThat(last("bob").age()).isLessThanOrEqualTo(NodeWatch.PACE);
        quieten();
        int quiet = told.size();
        directory.heard(new Hello(BOB, 100, Hello.Kind.ALIVE, numbers));
        tick(Duration.ofSeconds(5));
        directory.heard(new Hello(BOB, 100, Hello.Kind.ALIVE, numbers));
        tick(NodeWatch.PACE);
        await().atMost(LONG).until(() -> told.size() > quiet);
        assertThat(last("bob").age()).isLessThanOrEqualTo(NodeWatch.PACE);
    }

    @Test
    void D6_ofANodeWhoseTreeIsNotToldNumbersAloneAreToldEachFiveSeconds() {
        refuse("nothing is open there");
        watch();
        directory.heard(new Hello(BOB, 100, Hello.Kind.NEWCOMER, new NodeSummary(1, 0, 0, 0)));
        await().atMost(LONG).until(() -> {
            tick(NodeWatch.PACE);
            return !rows("bob").isEmpty()
                    && "nothing is open there".equals(last("bob").reason());
        });
        quieten();
        int mark = told.size();
        for (int i = 2; i <= 21; i++) {
            directory.heard(new Hello(BOB, 100, Hello.Kind.ALIVE, new NodeSummary(i, 0, 0, 0)));
            tick(NodeWatch.PACE);
        }
        assertThat(told.size() - mark).isBetween(1, 4);
        await().atMost(LONG).until(() -> {
            tick(NodeWatch.PACE);
            return new NodeSummary(21, 0, 0, 0).equals(last("bob").summary());
        });
    }

    /** Bob was met, and never answers. */
    private void meetSilentBob() {
        vertx.eventBus().consumer(Addresses.subscribe(BOB.incarnation()), asked -> {});
        directory.heard(new Hello(BOB, 100, Hello.Kind.NEWCOMER, null));
        tick(NodeWatch.PACE);
    }

    /** Until nothing was told for a second. */
    private void quieten() {
        int before;
        do {
            before = told.size();
            tick(NodeWatch.PACE);
        } while (told.size() > before);
    }

    /** On the context, so that it is looked at when it is whole. */
    private void change(String name) {
        onContext(() -> {
            ends.add(fastn.runtime().root().child(name).open()::close);
        });
        settle();
    }

    private boolean shows(List<ClusterStatus> heard, String child) {
        List<NodeStatus> own = heard.get(heard.size() - 1).nodes().stream()
                .filter(row -> row.node().equals(fastn.node()))
                .toList();
        return requireNonNull(own.get(0).snapshot()).globalContext().children().stream()
                .anyMatch(context -> context.name().equals(child));
    }

    private void open(boolean cluster, int number) {
        Waiting.result(opened(cluster, number));
    }

    private Future<JsonObject> opened(boolean cluster, int number) {
        JsonObject body = new JsonObject().put(StreamWire.ADDRESS, StreamWire.READER_PREFIX + cluster + number);
        Promise<JsonObject> done = Promise.promise();
        context.runOnContext(now -> {
            try {
                done.complete(streams.open(body.getMap(), cluster, true));
            } catch (BadQueryException e) {
                done.fail(e);
            }
        });
        return done.future();
    }

    private void watch(String... names) {
        StatusQuery all = StatusQuery.all();
        onContext(() -> {
            ends.add(watches.cluster(
                    new StatusQuery(List.of(names), all.format(), null, null, all.width(), 0), told::add)::close);
        });
        await().atMost(LONG).until(() -> {
            if (names.length > 0 && told.isEmpty()) {
                // The first waits for those that are named.
                tick(NodeWatch.PACE);
            }
            return !told.isEmpty();
        });
    }

    private void refuse(String why) {
        vertx.eventBus().consumer(Addresses.subscribe(BOB.incarnation()), asked -> {
            asked.fail(429, why);
            refused.incrementAndGet();
        });
    }

    private void tick(Duration time) {
        ticker.advance(time);
        onContext(timers::goOff);
        settle();
    }

    /** Until what is under way on the context, on the worker and on the bus is done. */
    private void settle() {
        for (int i = 0; i < 5; i++) {
            onContext(() -> {});
            Waiting.result(worker.executeBlocking(() -> null));
        }
    }

    private void onContext(Runnable work) {
        Promise<Void> done = Promise.promise();
        context.runOnContext(now -> {
            work.run();
            done.complete();
        });
        Waiting.result(done.future());
    }

    private List<NodeStatus> rows(String alias) {
        return told.stream()
                .flatMap(status -> status.nodes().stream())
                .filter(row -> row.node().alias().equals(alias))
                .toList();
    }

    private NodeStatus last(String alias) {
        List<NodeStatus> rows = rows(alias);
        return rows.get(rows.size() - 1);
    }

    private NodeState state(String alias) {
        return last(alias).state();
    }
}
