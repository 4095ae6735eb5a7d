package com.fastn.status.deadlock;

import static com.fastn.status.deadlock.ClusterDeadlockSearchTest.held;
import static com.fastn.status.deadlock.ClusterDeadlockSearchTest.node;
import static com.fastn.status.deadlock.ClusterDeadlockSearchTest.wanted;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.ManualTicker;
import com.fastn.context.status.DeadlockReport;
import com.fastn.context.status.NodeWaits;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

class StandingDeadlocksTest {
    private static final NodeWaits ALICE = node("alice", held("orders", 1, 11), wanted("stock", 1, 12));
    private static final NodeWaits BOB = node("bob", held("stock", 1, 21), wanted("orders", 1, 22));
    private static final NodeWaits ALICE_INSIDE = node("alice", held("orders", 1, 11), wanted("stock", 1, 12, 11L));
    private static final NodeWaits BOB_INSIDE = node("bob", held("stock", 1, 21), wanted("orders", 1, 22, 21L));

    private final ManualTicker ticker = new ManualTicker(Instant.EPOCH);
    private final StandingDeadlocks standing = new StandingDeadlocks(ticker, Duration.ofSeconds(15));

    private static ClusterCycle cycle(NodeWaits... nodes) {
        return CircleGraph.cycles(List.of(nodes), key -> true).get(0);
    }

    @Test
    void aDeadlockIsNewsOnceAndOnceMoreWhenItIsProven() {
        assertThat(standing.add(cycle(ALICE, BOB))).isNotNull();
        assertThat(standing.add(cycle(BOB, ALICE))).isNull();
        assertThat(standing.add(cycle(ALICE_INSIDE, BOB_INSIDE))).isNotNull();
        assertThat(standing.add(cycle(ALICE_INSIDE, BOB_INSIDE))).isNull();
        assertThat(standing.reports()).extracting(DeadlockReport::proven).containsExactly(true);
    }

    @Test
    void itGrowsOlderAndKeepsTheMomentAtWhichItWasFound() {
        DeadlockReport first = requireNonNull(standing.add(cycle(ALICE, BOB)));
        ticker.advance(Duration.ofSeconds(3));
        assertThat(standing.check(List.of(ALICE, BOB))).isFalse();
        assertThat(standing.add(cycle(ALICE, BOB))).isNull();
        DeadlockReport later = standing.reports().get(0);
        assertThat(later.foundAt()).isEqualTo(first.foundAt());
    }

    @Test
    void itIsOverWhenAHoldOrAWaitOfItIs() {
        assertThat(standing.add(cycle(ALICE, BOB))).isNotNull();
        assertThat(standing.nodes()).containsExactlyInAnyOrder("alice-1", "bob-1");
        assertThat(standing.check(List.of(ALICE)))
                .as("who is silent says nothing")
                .isFalse();
        assertThat(standing.check(List.of(new NodeWaits(BOB.node(), List.of(), List.of(), true, List.of()))))
                .as("who leaves some out says nothing")
                .isFalse();
        assertThat(standing.isEmpty()).isFalse();
        assertThat(standing.check(List.of(ALICE, node("bob", held("stock", 1, 21), wanted("orders", 1, 29)))))
                .isTrue();
        assertThat(standing.isEmpty()).isTrue();
        assertThat(standing.reports()).isEmpty();
    }

    @Test
    void thoseThatAreTooManyAreCountedAndToldWhenThereIsRoom() {
        for (int i = 0; i < StandingDeadlocks.MOST + 3; i++) {
            NodeWaits one = node("alice", held("orders" + i, 1, 11 + 100L * i), wanted("stock" + i, 1, 12 + 100L * i));
            NodeWaits other = node("bob", held("stock" + i, 1, 21 + 100L * i), wanted("orders" + i, 1, 22 + 100L * i));
            assertThat(standing.add(cycle(one, other))).isNotNull();
        }
        assertThat(standing.reports()).hasSize(StandingDeadlocks.MOST);
        assertThat(standing.more()).isEqualTo(3);

        // The first of them is over; what else is held and waited for is left out of this answer, so all others are
        // over too.
        assertThat(standing.check(List.of(ALICE, BOB))).isTrue();
        assertThat(standing.reports()).hasSize(1);
        assertThat(standing.more()).isZero();
    }

    @Test
    void itIsToldNoLongerWhenItsNodesWereSilentForLong() {
        assertThat(standing.add(cycle(ALICE, BOB))).isNotNull();
        ticker.advance(Duration.ofSeconds(10));
        assertThat(standing.check(List.of(ALICE, BOB))).isFalse();
        ticker.advance(Duration.ofSeconds(15));
        assertThat(standing.check(List.of(ALICE))).isFalse();
        ticker.advance(Duration.ofMillis(1));
        assertThat(standing.check(List.of(ALICE))).isTrue();
        assertThat(standing.isEmpty()).isTrue();
    }

    @Test
    void D8_nobodyKnowsOfItAnyMoreWhenAnotherNodeHoldsOneOfItsLocksToo() {
        assertThat(standing.add(cycle(ALICE, BOB))).isNotNull();
        assertThat(standing.check(List.of(ALICE, BOB, node("carol", held("till", 1, 31)))))
                .isFalse();
        assertThat(standing.check(List.of(ALICE, BOB, node("carol", held("stock", 1, 31)))))
                .isTrue();
        assertThat(standing.isEmpty()).isTrue();
    }
}
