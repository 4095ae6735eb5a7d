package com.fastn.status;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.ContextRuntime;
import com.fastn.context.ManualTicker;
import com.fastn.context.Registration;
import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.ContextPath;
import com.fastn.context.status.NodeIdentity;
import com.fastn.context.status.NodeState;
import com.fastn.context.status.NodeStatus;
import com.fastn.context.status.StatusSnapshot;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Who watches the cluster at a status port, by a bus that the test answers. */
class FollowedClusterTest {
    private static final NodeIdentity BOB = new NodeIdentity("bob", "bbbb-1");
    private static final String NOTHING = "nothing is open at \"global.attic\" on alice";

    private final ContextRuntime runtime =
            ContextRuntime.builder().alias("alice").build();
    private final ManualTicker ticker = new ManualTicker(Fixtures.NOW);
    private final PortThreads threads = new PortThreads(Duration.ofSeconds(1));
    private final Bus bus = new Bus();
    private final ClusterAnswers answers = new ClusterAnswers(
            threads,
            new LocalStatus(runtime, null, List.of()),
            new NodeDirectory(runtime.node(), 1, Duration.ofHours(1), ticker),
            bus,
            Duration.ofSeconds(60),
            ticker);
    private final FollowedCluster attic = new FollowedCluster(
            new StatusQuery(List.of(), StatusQuery.Format.JSON, null, ContextPath.of("global", "attic"), 100, 0),
            answers,
            bus,
            () -> {});

    @AfterEach
    void close() {
        attic.close();
        threads.close();
        runtime.close();
    }

    @Test
    void whetherAPathIsOpenNowhereIsAskedOnceForWhatWasToldAndNotWithEachLook() {
        assertThat(look()).isEqualTo(NOTHING);
        assertThat(bus.asked).isEqualTo(1);

        for (int told = 1; told <= 2; told++) {
            bus.tell(null);
            for (int look = 0; look < 10; look++) {
                assertThat(look()).isEqualTo(NOTHING);
            }
            assertThat(bus.asked).as("once for each that was told").isEqualTo(1 + told);
        }

        bus.tell(Fixtures.snapshot(BOB, 1, Fixtures.context(9, "global.attic")));
        assertThat(look()).isEqualTo("1 node");
        assertThat(bus.asked).isEqualTo(3);
    }

    private String look() {
        try {
            return attic.look().join().nodes().size() + " node";
        } catch (CompletionException e) {
            return String.valueOf(requireNonNull(e.getCause()).getMessage());
        }
    }

    /** All nodes say that nothing is open there. */
    private static final class Bus implements BusDoor {
        private int asked;
        private @Nullable Consumer<ClusterStatus> watcher;

        void tell(@Nullable StatusSnapshot snapshot) {
            NodeStatus row =
                    new NodeStatus(BOB, NodeState.UP, Duration.ZERO, snapshot == null ? NOTHING : null, null, snapshot);
            requireNonNull(watcher).accept(new ClusterStatus(Fixtures.NOW, "alice", List.of(row)));
        }

        @Override
        public CompletableFuture<@Nullable Void> knock() {
            return CompletableFuture.completedFuture(null);
        }

        @Override
        public CompletableFuture<ClusterAnswer> ask(BusQuestion question) {
            asked++;
            return CompletableFuture.failedFuture(new BadQueryException(BadQueryException.NOT_FOUND, NOTHING));
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
