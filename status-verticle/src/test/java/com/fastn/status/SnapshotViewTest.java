package com.fastn.status;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.status.ContextPath;
import com.fastn.context.status.ContextStatus;
import com.fastn.context.status.LockWaiter;
import com.fastn.context.status.NodeIdentity;
import com.fastn.context.status.OperationStatus;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.context.status.StatusWarning;
import com.fastn.context.status.WarningSeverity;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class SnapshotViewTest {
    private static final NodeIdentity ALICE = new NodeIdentity("alice", "i-1");

    @Test
    void aPathShowsItsPartOfTheTreeWithTheLocksWaitersAndWarningsOfThatPart() {
        StatusSnapshot whole = Fixtures.snapshot(
                ALICE,
                1,
                Fixtures.context(
                        1,
                        "global",
                        Fixtures.context(2, "global.shop", Fixtures.context(3, "global.shop.req")),
                        Fixtures.context(4, "global.shopping")),
                List.of(Fixtures.lock(9, 3, "global.shop.req"), Fixtures.lock(8, 4, "global.shopping")),
                List.of(Fixtures.waiter(8, 3, "global.shop.req"), Fixtures.waiter(9, 4, "global.shopping")),
                List.of(warning("global.shop"), warning("global")));

        StatusSnapshot part = requireNonNull(SnapshotView.at(whole, ContextPath.of("global", "shop")));

        assertThat(part.globalContext().id()).isEqualTo(2);
        assertThat(part.activeLocks()).extracting(lock -> lock.lockId()).containsExactly(9L);
        assertThat(part.lockWaiters()).extracting(waiter -> waiter.lockId()).containsExactly(8L);
        assertThat(part.warnings()).extracting(StatusWarning::contextPath).containsExactly("global.shop");
        assertThat(part.node()).isEqualTo(ALICE);
    }

    @Test
    void amongSiblingsOfOneNameTheWayIsFoundAndTheOldestTaken() {
        StatusSnapshot whole = Fixtures.snapshot(
                ALICE,
                1,
                Fixtures.context(
                        1,
                        "global",
                        Fixtures.context(2, "global.req"),
                        Fixtures.context(3, "global.req", Fixtures.context(5, "global.req.db")),
                        Fixtures.context(4, "global.req", Fixtures.context(6, "global.req.db"))));

        assertThat(root(SnapshotView.at(whole, ContextPath.of("global", "req"))))
                .isEqualTo(2);
        assertThat(root(SnapshotView.at(whole, ContextPath.of("global", "req", "db"))))
                .isEqualTo(5);
        assertThat(root(SnapshotView.at(whole, ContextPath.of("global")))).isEqualTo(1);
        assertThat(SnapshotView.at(whole, ContextPath.of("global", "nobody"))).isNull();
        assertThat(SnapshotView.at(whole, ContextPath.of("req"))).isNull();
    }

    @Test
    void depthCutsTheTreeAndCountsWhatIsLeftOut() {
        StatusSnapshot whole = Fixtures.snapshot(
                ALICE,
                1,
                Fixtures.context(
                        1,
                        "global",
                        Fixtures.context(
                                2, "global.a", Fixtures.context(4, "global.a.x"), Fixtures.context(5, "global.a.y")),
                        Fixtures.context(3, "global.b")));

        ContextStatus two = SnapshotView.folded(whole, 2, 100).globalContext();
        assertThat(two.children()).extracting(ContextStatus::id).containsExactly(2L, 3L);
        assertThat(two.children().get(0).children()).isEmpty();
        assertThat(two.children().get(0).foldedChildren().count()).isEqualTo(2);
        assertThat(two.children().get(1).foldedChildren().count()).isZero();

        ContextStatus one = SnapshotView.folded(whole, 1, 100).globalContext();
        assertThat(one.children()).isEmpty();
        assertThat(one.foldedChildren().count()).isEqualTo(2);

        assertThat(SnapshotView.folded(whole, 3, 100)).isSameAs(whole);
    }

    @Test
    void M10_whoIsInTroubleIsNeverFoldedAwayBeforeOthers() {
        List<ContextStatus> requests = new ArrayList<>();
        for (int i = 0; i < 10_000; i++) {
            ContextPath path = ContextPath.of("global", "shop", "req" + i);
            List<OperationStatus> operations =
                    i == 9_001 ? List.of(new OperationStatus("db", Duration.ofMinutes(1), true)) : List.of();
            requests.add(Fixtures.context(100 + i, path, operations));
        }
        ContextStatus shop = Fixtures.context(2, "global.shop", requests.toArray(new ContextStatus[0]));
        StatusSnapshot whole = Fixtures.snapshot(
                ALICE,
                1,
                Fixtures.context(1, "global", shop),
                List.of(Fixtures.lock(9, 100 + 7_777, "global.shop.req7777")),
                List.of(Fixtures.waiter(9, 100 + 8_888, "global.shop.req8888")),
                List.of(warning("global.shop.req9999")));

        StatusSnapshot folded = SnapshotView.folded(whole, 30, 50);

        assertThat(ids(folded)).hasSize(50).contains(1L, 2L, 7_877L, 8_988L, 9_101L, 10_099L, 100L, 101L);
        ContextStatus shownShop = folded.globalContext().children().get(0);
        assertThat(shownShop.children().size() + shownShop.foldedChildren().count())
                .isEqualTo(10_000);
        assertThat(folded.activeLocks()).hasSize(1);
    }

    @Test
    void M10_listsThatAreTooLongLoseTheirEndsAndAWarningSaysHowMany() {
        List<LockWaiter> waiters = new ArrayList<>();
        for (int i = 0; i < 5_000; i++) {
            waiters.add(Fixtures.waiter(9, 1, "global"));
        }
        StatusSnapshot whole = Fixtures.snapshot(
                ALICE, 1, Fixtures.context(1, "global"), List.of(), waiters, List.of(warning("global")));

        StatusSnapshot folded = SnapshotView.folded(whole, 30, 100);

        assertThat(folded.lockWaiters()).hasSize(100);
        assertThat(folded.warnings()).hasSize(2);
        assertThat(folded.warnings().get(1).message()).contains("100 of 5000 lock waiters");
        assertThat(SnapshotView.folded(whole, 30, 5_000)).isSameAs(whole);
    }

    @Test
    void C6_aTreeOfAnyDepthIsCutWithoutRecursion() {
        ContextStatus chain = Fixtures.context(200_000, "x");
        for (int id = 199_999; id >= 1; id--) {
            chain = Fixtures.context(id, "x", chain);
        }
        StatusSnapshot deep = Fixtures.snapshot(ALICE, 1, chain);

        assertThat(ids(SnapshotView.folded(deep, 30, 1_000_000))).hasSize(30);
        assertThat(ids(SnapshotView.folded(deep, 1_000_000, 10))).hasSize(10);
    }

    private static List<Long> ids(StatusSnapshot snapshot) {
        List<Long> ids = new ArrayList<>();
        ArrayDeque<ContextStatus> open = new ArrayDeque<>(List.of(snapshot.globalContext()));
        while (!open.isEmpty()) {
            ContextStatus context = open.pop();
            ids.add(context.id());
            open.addAll(context.children());
        }
        return ids;
    }

    private static long root(@Nullable StatusSnapshot snapshot) {
        return requireNonNull(snapshot).globalContext().id();
    }

    private static StatusWarning warning(String path) {
        return new StatusWarning("idle", WarningSeverity.WARNING, "something", path, null);
    }
}
