package com.fastn.status;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.event.ContextEvent;
import com.fastn.context.status.ContextKind;
import com.fastn.context.status.ContextPath;
import com.fastn.context.status.LockType;
import com.fastn.context.status.NodeIdentity;
import com.fastn.context.status.StatusWarning;
import com.fastn.context.status.WarningSeverity;
import com.fastn.context.vertx.EventFrame;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class StatusAggregatorTest {
    private static final NodeIdentity ALICE = new NodeIdentity("alice", "i-1");
    private static final ContextPath PATH = ContextPath.of("global", "shop");
    private static final String LOCKS = "locks";
    private static final String COUNTERS = "counters";

    private final StatusAggregator aggregator = new StatusAggregator();

    @BeforeEach
    void aFullSnapshotComesFirst() {
        assertThat(aggregator.needsFull(ALICE)).isTrue();
        assertThat(aggregator.apply(Fixtures.snapshot(ALICE, 1, Fixtures.context(1, "global"))))
                .isTrue();
        assertThat(aggregator.needsFull(ALICE)).isFalse();
    }

    @Test
    void holdersAndWaitersFollowTheEvents() {
        assertThat(apply(LOCKS, 1, held(7))).isTrue();
        assertThat(aggregator.holders(ALICE, 9)).containsExactly(7L);
        assertThat(apply(LOCKS, 2, waits(8))).isTrue();
        assertThat(aggregator.waiters(ALICE, 9)).containsExactly(8L);
        assertThat(apply(LOCKS, 3, released(7), held(8))).isTrue();
        assertThat(aggregator.holders(ALICE, 9)).containsExactly(8L);
        assertThat(aggregator.waiters(ALICE, 9)).isEmpty();
        assertThat(apply(LOCKS, 5, released(8))).isTrue();
        assertThat(aggregator.holders(ALICE, 9)).isEmpty();
        assertThat(aggregator.needsFull(ALICE)).isFalse();
    }

    @Test
    void aReleaseThatArrivesAfterTheNextGrantTakesNothingFromIt() {
        apply(LOCKS, 1, held(7), held(8), released(7));
        assertThat(aggregator.holders(ALICE, 9)).containsExactly(8L);
    }

    @Test
    void D1_aFrameThatWasSeenAlreadyChangesNothing() {
        apply(COUNTERS, 1, counted(5));
        apply(COUNTERS, 2, counted(6));
        assertThat(apply(COUNTERS, 1, counted(5))).isFalse();
        assertThat(apply(COUNTERS, 2, counted(6))).isFalse();
        assertThat(aggregator.total(ALICE, PATH, "orders")).isEqualTo(6);
        assertThat(aggregator.needsFull(ALICE)).isFalse();
    }

    @Test
    void D1_theSeenBeginningOfAFrameIsLeftOutAndItsRestTaken() {
        apply(COUNTERS, 1, counted(5), counted(6));
        assertThat(apply(COUNTERS, 2, counted(6), counted(7))).isTrue();
        assertThat(aggregator.total(ALICE, PATH, "orders")).isEqualTo(7);
        assertThat(aggregator.gaps(ALICE)).isZero();
    }

    @Test
    void D1_aHoleMakesAFullSnapshotDueAndTheSnapshotSettlesIt() {
        apply(LOCKS, 1, held(7));
        apply(LOCKS, 5, waits(8));
        assertThat(aggregator.gaps(ALICE)).isEqualTo(1);
        assertThat(aggregator.needsFull(ALICE)).isTrue();

        aggregator.apply(Fixtures.snapshot(
                ALICE,
                4,
                Fixtures.context(1, "global"),
                List.of(Fixtures.lock(9, 11, "global.shop")),
                List.of(Fixtures.waiter(9, 12, "global.shop")),
                List.of()));

        assertThat(aggregator.needsFull(ALICE)).isFalse();
        assertThat(aggregator.holders(ALICE, 9)).containsExactly(11L);
        assertThat(aggregator.waiters(ALICE, 9)).containsExactly(12L);
        apply(LOCKS, 6, released(11));
        assertThat(aggregator.needsFull(ALICE)).isFalse();
    }

    @Test
    void streamsOfOneNodeAreNumberedEachOnItsOwn() {
        apply(LOCKS, 1, held(7));
        apply(COUNTERS, 40, counted(5));
        apply(LOCKS, 2, released(7));
        assertThat(aggregator.gaps(ALICE)).isZero();
    }

    @Test
    void droppedEventsAreCountedAndMakeAFullSnapshotDue() {
        assertThat(aggregator.apply(LOCKS, new EventFrame("alice", "i-1", 1, List.of(held(7)), 3)))
                .isTrue();
        assertThat(aggregator.dropped(ALICE)).isEqualTo(3);
        assertThat(aggregator.needsFull(ALICE)).isTrue();
    }

    @Test
    void D3_twoLivesOfOneAliasAreNeverMerged() {
        apply(COUNTERS, 1, counted(500));
        aggregator.apply(COUNTERS, new EventFrame("alice", "i-2", 1, List.of(counted(3)), 0));
        assertThat(aggregator.total(ALICE, PATH, "orders")).isEqualTo(500);
        assertThat(aggregator.total(new NodeIdentity("alice", "i-2"), PATH, "orders"))
                .isEqualTo(3);
    }

    @Test
    void theSameValueAgainIsNoChangeAndAnotherContextIsOne() {
        apply(COUNTERS, 1, counted(5));
        assertThat(apply(COUNTERS, 2, counted(5))).isFalse();
        assertThat(apply(LOCKS, 1, new ContextEvent.Opened(8, PATH, 1, ContextKind.TASK)))
                .isTrue();
    }

    @Test
    void passingTimeIsNoChangeButAWarningThatComesOrGoesIs() {
        assertThat(aggregator.apply(Fixtures.snapshot(ALICE, 1, Fixtures.context(1, "global"))))
                .isFalse();
        assertThat(warned("held 10.1s")).isTrue();
        assertThat(warned("held 11.1s")).as("only its words changed").isFalse();
        assertThat(aggregator.apply(Fixtures.snapshot(ALICE, 1, Fixtures.context(1, "global"))))
                .isTrue();
        assertThat(aggregator.apply(Fixtures.snapshot(ALICE, 2, Fixtures.context(1, "global"))))
                .isTrue();
    }

    @Test
    void S16_aFloodOfNodesIsBounded() {
        for (int i = 0; i < 5_000; i++) {
            aggregator.apply(COUNTERS, new EventFrame("x", "flood-" + i, 1, List.of(counted(1)), 0));
        }
        assertThat(aggregator.isFull()).isTrue();
        assertThat(apply(COUNTERS, 1, counted(9)))
                .as("who was there is still followed")
                .isTrue();
    }

    private boolean warned(String words) {
        return aggregator.apply(Fixtures.snapshot(
                ALICE,
                1,
                Fixtures.context(1, "global"),
                List.of(),
                List.of(),
                List.of(new StatusWarning("lock-long-held", WarningSeverity.WARNING, words, "global.shop", null))));
    }

    private boolean apply(String stream, long first, ContextEvent... events) {
        return aggregator.apply(stream, new EventFrame("alice", "i-1", first, List.of(events), 0));
    }

    private static ContextEvent held(long contextId) {
        return new ContextEvent.LockHeld(contextId, PATH, 9, "orders", LockType.MUTEX, contextId);
    }

    private static ContextEvent released(long contextId) {
        return new ContextEvent.LockReleased(contextId, PATH, 9, "orders", LockType.MUTEX, contextId);
    }

    private static ContextEvent waits(long contextId) {
        return new ContextEvent.WaitStarted(contextId, PATH, 9, "orders", LockType.MUTEX);
    }

    private static ContextEvent counted(long total) {
        return new ContextEvent.CounterChanged(7, PATH, "orders", total, 0);
    }
}
