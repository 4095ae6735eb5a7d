package com.fastn.status;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fastn.context.ContextRuntime;
import com.fastn.context.ManualTicker;
import com.fastn.context.Registration;
import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.NodeIdentity;
import com.fastn.context.status.NodeState;
import com.fastn.context.status.NodeStatus;
import com.fastn.status.http.HttpQuestion;
import com.fastn.status.http.StreamReader;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Who watches at a status port costs no more looks than there is news, by a clock that the test moves. */
@Timeout(120)
@SuppressWarnings("MustBeClosedChecker") // the runtime ends with the test
class StatusFeedsTest {
    private static final Duration LONG = Duration.ofSeconds(60);
    private static final Duration PACE = Duration.ofMillis(200);
    private static final NodeIdentity BOB = new NodeIdentity("bob", "bbbb-1");
    /** As many as the port has. */
    private static final int WORKERS = 4;

    private final ContextRuntime runtime =
            ContextRuntime.builder().alias("alice").build();
    private final ManualTicker ticker = new ManualTicker(Fixtures.NOW);
    private final PortThreads threads = new PortThreads(Duration.ofSeconds(10));
    private final Bus bus = new Bus();
    private final LocalStatus local = new LocalStatus(runtime, null, List.of());
    private final StatusFeeds feeds = new StatusFeeds(
            threads,
            local,
            new ClusterAnswers(
                    threads,
                    local,
                    new NodeDirectory(runtime.node(), 1, Duration.ofHours(1), ticker),
                    bus,
                    LONG,
                    ticker),
            bus,
            ticker,
            PACE);

    @AfterEach
    void close() {
        feeds.close();
        threads.close();
        runtime.close();
    }

    @Test
    void S22_whereNothingIsOpenAtThePathAChangeElsewhereIsALookAPaceAtMost() {
        AtomicInteger looks = new AtomicInteger();
        // Each snapshot asks for the figures of the machine.
        Registration counting = runtime.setSystemMetrics(() -> {
            looks.incrementAndGet();
            return null;
        });
        AtomicInteger news = new AtomicInteger();
        StreamReader attic = feeds.open(question(Map.of("path", "global.attic")), news::incrementAndGet);
        await().atMost(LONG).until(() -> news.get() == 1);
        settle();
        ticker.advance(PACE);

        looks.set(0);
        for (int i = 0; i < 20; i++) {
            runtime.root().child("elsewhere " + i).open();
            settle();
        }
        // One of them for time, if it was due.
        assertThat(looks.get()).isBetween(1, 2);
        assertThat(news).hasValue(1);
        attic.close();
        counting.close();
    }

    @Test
    void S22_aChangeOfThisNodeIsNoLookAtTheClusterAndDelaysNothingThatTheBusTells() {
        AtomicInteger news = new AtomicInteger();
        StreamReader cluster = feeds.open(question(Map.of("scope", "cluster")), news::incrementAndGet);
        await().atMost(LONG).until(() -> news.get() == 1);
        ticker.advance(PACE);
        // What time alone asks for.
        await().atMost(LONG).until(() -> bus.knocks.get() == 2);
        settle();

        runtime.root().child("here").open();
        settle();
        assertThat(bus.knocks).as("looks").hasValue(2);

        bus.tell(2);
        await("at once: the last telling is a pace ago").atMost(LONG).until(() -> news.get() == 2);
        cluster.close();
    }

    private static HttpQuestion question(Map<String, String> parameters) {
        return new HttpQuestion(parameters, "", true, true);
    }

    /** Until nothing is left of what was begun before. */
    private void settle() {
        for (int turn = 0; turn < 3; turn++) {
            CompletableFuture<@Nullable Void> timer = new CompletableFuture<>();
            threads.after(Duration.ZERO, () -> timer.complete(null));
            timer.join();
            CyclicBarrier all = new CyclicBarrier(WORKERS);
            CompletableFuture.allOf(
                            threads.work(all::await),
                            threads.work(all::await),
                            threads.work(all::await),
                            threads.work(all::await))
                    .join();
        }
    }

    /** A bus on which one node is, whose version is told. */
    private static final class Bus implements BusDoor {
        private final AtomicInteger knocks = new AtomicInteger();
        private volatile @Nullable Consumer<ClusterStatus> watcher;

        private static ClusterStatus cluster(long version) {
            return new ClusterStatus(
                    Fixtures.NOW,
                    "alice",
                    List.of(new NodeStatus(
                            BOB,
                            NodeState.UP,
                            Duration.ZERO,
                            null,
                            null,
                            Fixtures.snapshot(BOB, version, Fixtures.context(1, "global")))));
        }

        void tell(long version) {
            requireNonNull(watcher).accept(cluster(version));
        }

        @Override
        public CompletableFuture<@Nullable Void> knock() {
            knocks.incrementAndGet();
            return CompletableFuture.completedFuture(null);
        }

        @Override
        public CompletableFuture<ClusterAnswer> ask(BusQuestion question) {
            return CompletableFuture.completedFuture(ClusterAnswer.of(cluster(1)));
        }

        @Override
        public CompletableFuture<List<NodeCheck>> look() {
            return CompletableFuture.completedFuture(List.of());
        }

        @Override
        public CompletableFuture<Registration> watch(StatusQuery query, Consumer<ClusterStatus> told) {
            watcher = told;
            return CompletableFuture.completedFuture(() -> {});
        }
    }
}
