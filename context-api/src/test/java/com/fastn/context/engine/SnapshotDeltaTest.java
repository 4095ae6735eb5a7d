package com.fastn.context.engine;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fastn.context.FastnContext;
import com.fastn.context.LockGuard;
import com.fastn.context.Operation;
import com.fastn.context.status.ContextStatus;
import com.fastn.context.status.FinishedContext;
import com.fastn.context.status.FoldedChildren;
import com.fastn.context.status.SnapshotDelta;
import com.fastn.context.status.SnapshotLimits;
import com.fastn.context.status.StatusFormatException;
import com.fastn.context.status.StatusJson;
import com.fastn.context.status.StatusSnapshot;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class SnapshotDeltaTest {
    @RegisterExtension
    final TestTree tree = new TestTree();

    @Test
    void M9_aDeltaAppliedToItsBaseGivesTheNextSnapshot() {
        long seed = new Random().nextLong();
        System.out.println("SnapshotDeltaTest seed " + seed);
        Random random = new Random(seed);
        LiveTree live = new LiveTree(tree, random);
        tree.root.counterWindows("total1");
        tree.runtime.setSystemMetrics(() -> random.nextBoolean() ? null : SnapshotTest.QUIET_SYSTEM);
        StatusSnapshot base = tree.runtime.status();
        StatusSnapshot read = StatusJson.readSnapshot(StatusJson.write(base));
        boolean recentTold = false;
        boolean baselinesTold = false;
        // Some seeds are long in coming to an end of an operation.
        for (int i = 0; i < 150 || (i < 2_000 && !(recentTold && baselinesTold)); i++) {
            live.change(random.nextInt(30));
            StatusSnapshot later = random.nextInt(4) == 0
                    ? tree.runtime.status(SnapshotLimits.DEFAULT.withMaxContexts(1 + random.nextInt(100)))
                    : tree.runtime.status();
            later = random.nextInt(3) == 0 ? later : later.withRecent(tree.runtime.recent());
            SnapshotDelta delta = SnapshotDelta.between(base, later);
            assertThat(delta.apply(base)).as("seed %d, step %d", seed, i).isEqualTo(later);

            // The clock of this test moves by whole milliseconds, so nothing is lost on the way through JSON.
            SnapshotDelta sent = StatusJson.readDelta(StatusJson.write(delta));
            read = sent.apply(read);
            assertThat(read)
                    .as("seed %d, step %d, read", seed, i)
                    .isEqualTo(StatusJson.readSnapshot(StatusJson.write(later)));
            recentTold |= delta.recent() != null;
            baselinesTold |= !delta.changedBaselines().isEmpty();
            base = later;
        }
        assertThat(recentTold && baselinesTold)
                .as("seed %d told of all parts", seed)
                .isTrue();
        live.end();
    }

    @Test
    void passingTimeAloneChangesNoContextAndNoLock() {
        ContextNode task = tree.open("task");
        LockGuard<?> guard = MutexTest.ask(task, task.mutex("orders", 1)).join();
        for (int i = 0; i < 100; i++) {
            tree.open(task, "request");
        }
        StatusSnapshot base = tree.runtime.status();
        tree.passSeconds(1);
        StatusSnapshot later = tree.runtime.status();
        SnapshotDelta delta = SnapshotDelta.between(base, later);

        assertThat(delta.elapsed()).isEqualTo(Duration.ofSeconds(1));
        assertThat(delta.changed()).isEmpty();
        assertThat(delta.removed()).isEmpty();
        assertThat(delta.orders()).isEmpty();
        assertThat(delta.activeLocks()).isNull();
        assertThat(delta.lockWaiters()).isNull();
        assertThat(delta.apply(base)).isEqualTo(later);
        assertThat(StatusJson.write(delta)).hasSizeLessThan(500);
        guard.close();
    }

    @Test
    void onlyWhatChangedIsTold() {
        ContextNode first = tree.open("first");
        ContextNode gone = tree.open("gone");
        ContextNode below = tree.open(gone, "below");
        ContextNode last = tree.open("last");
        StatusSnapshot base = tree.runtime.status();
        tree.passSeconds(2);
        below.close();
        gone.close();
        last.setData("note", "busy");
        ContextNode come = tree.open(first, "come");
        SnapshotDelta delta = SnapshotDelta.between(base, tree.runtime.status());

        assertThat(delta.removed()).containsExactlyInAnyOrder(gone.id(), below.id());
        assertThat(delta.changed())
                .extracting(change -> change.context().id())
                .contains(last.id(), come.id())
                .doesNotContain(gone.id(), below.id());
        assertThat(delta.changed())
                .filteredOn(change -> change.context().id() == come.id())
                .singleElement()
                .satisfies(change -> assertThat(change.parentId()).isEqualTo(first.id()));
    }

    @Test
    void theEndOfAnOperationTellsItsBaselineAndNoOtherContextInsideOfOne() {
        List<Operation> running = new ArrayList<>();
        ContextNode ends = tree.open("ends");
        Operation first = begin(ends);
        for (int i = 0; i < 50; i++) {
            running.add(begin(tree.open("task")));
        }
        StatusSnapshot base = tree.runtime.status();
        tree.passSeconds(1);
        first.close();
        StatusSnapshot later = tree.runtime.status();
        SnapshotDelta delta = SnapshotDelta.between(base, later);

        assertThat(base.operationBaselines()).isEmpty();
        assertThat(delta.changedBaselines()).containsOnlyKeys("db-query");
        // The root, whose last sign of life is that of the tree, and the one whose operation ended.
        assertThat(delta.changed())
                .extracting(change -> change.context().id())
                .containsExactlyInAnyOrder(tree.root.id(), ends.id());
        assertThat(delta.apply(base)).isEqualTo(later);
        running.forEach(Operation::close);
        assertThat(SnapshotDelta.between(later, tree.runtime.status()).removedBaselines())
                .containsExactly("db-query");
    }

    @SuppressWarnings("MustBeClosedChecker") // the test closes it
    private static Operation begin(ContextNode context) {
        return context.operation("db-query");
    }

    @Test
    void ofTheContextsThatEndedOnlyTheNewOnesAreTold() {
        for (int i = 0; i < 100; i++) {
            tree.root.child("old-" + i).persist().open().close();
        }
        StatusSnapshot base = tree.runtime.statusWithRecent();
        tree.root.child("new").persist().open().close();
        StatusSnapshot later = tree.runtime.statusWithRecent();
        SnapshotDelta.RecentChange change =
                requireNonNull(SnapshotDelta.between(base, later).recent());

        assertThat(change.added()).extracting(FinishedContext::label).containsExactly("new");
        assertThat(change.kept()).isEqualTo(99);
        assertThat(SnapshotDelta.between(base, later).apply(base).recent()).isEqualTo(later.recent());
        assertThat(SnapshotDelta.between(later, later).recent()).isNull();
        SnapshotDelta toNone = SnapshotDelta.between(later, tree.runtime.status());
        assertThat(toNone.apply(later).recent()).isEmpty();

        SnapshotDelta hostile = StatusJson.readDelta(StatusJson.write(SnapshotDelta.between(base, later))
                .replace("\"recent_kept\":99", "\"recent_kept\":101"));
        assertThatThrownBy(() -> hostile.apply(base))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("101");
    }

    @Test
    void whatIsDroppedFromTheMiddleOfThoseThatEndedMakesNobodyTellTheRestAgain() {
        for (int i = 0; i < 50; i++) {
            FastnContext failed = tree.root.child("failed-" + i).persist().open();
            failed.cancel();
            failed.close();
        }
        for (int i = 0; i < 60; i++) {
            tree.root.child("well-" + i).persist().open().close();
        }
        StatusSnapshot base = tree.runtime.statusWithRecent();
        for (int i = 0; i < 3; i++) {
            tree.root.child("new-" + i).persist().open().close();
        }
        StatusSnapshot later = tree.runtime.statusWithRecent();
        SnapshotDelta delta = SnapshotDelta.between(base, later);
        SnapshotDelta.RecentChange change = requireNonNull(delta.recent());

        assertThat(change.added()).extracting(FinishedContext::label).containsExactly("new-2", "new-1", "new-0");
        assertThat(delta.apply(base).recent()).isEqualTo(later.recent());
        String json = StatusJson.write(delta);
        assertThat(StatusJson.readDelta(json)
                        .apply(StatusJson.readSnapshot(StatusJson.write(base)))
                        .recent())
                .isEqualTo(StatusJson.readSnapshot(StatusJson.write(later)).recent());
    }

    @Test
    void M9_aDeltaOfAPartOfTheTreeGivesTheNextSnapshotOfThatPart() {
        long seed = new Random().nextLong();
        System.out.println("SnapshotDeltaTest seed " + seed);
        LiveTree live = new LiveTree(tree, new Random(seed));
        live.change(300);
        ContextNode part = live.any();
        StatusSnapshot base = part.subtreeStatus();
        StatusSnapshot read = StatusJson.readSnapshot(StatusJson.write(base));
        for (int i = 0; i < 50; i++) {
            live.change(20);
            tree.open(part, "inside");
            StatusSnapshot later = part.subtreeStatus();
            SnapshotDelta delta = SnapshotDelta.between(base, later);
            assertThat(delta.apply(base)).as("seed %d, step %d", seed, i).isEqualTo(later);
            read = StatusJson.readDelta(StatusJson.write(delta)).apply(read);
            assertThat(read)
                    .as("seed %d, step %d, read", seed, i)
                    .isEqualTo(StatusJson.readSnapshot(StatusJson.write(later)));
            base = later;
        }
        live.end();
    }

    @Test
    void childrenInAnyOrderComeInThatOrder() {
        tree.open("a");
        tree.open("b");
        tree.open("c");
        StatusSnapshot base = tree.runtime.status();
        List<ContextStatus> turned = new ArrayList<>(base.globalContext().children());
        Collections.reverse(turned);
        StatusSnapshot later = base.withGlobalContext(base.globalContext().withChildren(turned, FoldedChildren.NONE));
        SnapshotDelta delta = SnapshotDelta.between(base, later);

        assertThat(delta.changed()).isEmpty();
        assertThat(delta.orders()).hasSize(1);
        assertThat(delta.apply(base)).isEqualTo(later);
        assertThat(StatusJson.readDelta(StatusJson.write(delta))).isEqualTo(delta);
    }

    @Test
    void aDeltaFitsItsBaseOnly() {
        StatusSnapshot base = tree.runtime.status();
        tree.open("task");
        tree.passSeconds(1);
        StatusSnapshot later = tree.runtime.status();
        SnapshotDelta delta = SnapshotDelta.between(base, later);

        assertThatThrownBy(() -> delta.apply(later))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("version " + base.version());
        tree.runtime.rename("bob");
        assertThatThrownBy(() -> SnapshotDelta.between(base, tree.runtime.status()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("bob");
    }

    @Test
    void S15_aDeltaThatMakesNoTreeIsRefused() {
        ContextNode task = tree.open("task");
        ContextNode child = tree.open(task, "child");
        StatusSnapshot base = tree.runtime.status();
        long root = tree.root.id();
        List<SnapshotDelta> hostile = List.of(
                hostile(base, List.of(root), Map.of()),
                hostile(base, List.of(task.id()), Map.of()),
                hostile(base, List.of(), Map.of(root, List.of())),
                hostile(base, List.of(), Map.of(root, List.of(task.id(), task.id()))),
                hostile(base, List.of(), Map.of(root, List.of(999L))),
                hostile(base, List.of(), Map.of(child.id(), List.of(task.id()))),
                hostile(base, List.of(), Map.of(child.id(), List.of(task.id()), root, List.of())));
        for (SnapshotDelta each : hostile) {
            assertThatThrownBy(() -> each.apply(base)).isInstanceOf(IllegalArgumentException.class);
        }
        assertThat(hostile(base, List.of(), Map.of()).apply(base)).isEqualTo(base);
    }

    private static SnapshotDelta hostile(StatusSnapshot base, List<Long> removed, Map<Long, List<Long>> orders) {
        return new SnapshotDelta(
                base.node(),
                base.timestamp(),
                base.timestamp(),
                base.version(),
                base.version(),
                Duration.ZERO,
                null,
                List.of(),
                removed,
                orders,
                null,
                null,
                null,
                null,
                Map.of(),
                List.of(),
                null,
                null);
    }

    @Test
    void S13_aDeltaIsReadWithinLimits() {
        StatusSnapshot base = tree.runtime.status();
        for (int i = 0; i < 100; i++) {
            tree.open("task");
        }
        String json = StatusJson.write(SnapshotDelta.between(base, tree.runtime.status()));
        byte[] utf8 = json.getBytes(StandardCharsets.UTF_8);
        assertThat(StatusJson.readDelta(utf8, StatusJson.ReadLimits.DEFAULT)).isEqualTo(StatusJson.readDelta(json));
        assertThatThrownBy(
                        () -> StatusJson.readDelta(utf8, StatusJson.ReadLimits.DEFAULT.withMaxLength(utf8.length - 1)))
                .isInstanceOfSatisfying(
                        StatusFormatException.class,
                        e -> assertThat(e.kind()).isEqualTo(StatusFormatException.Kind.TOO_LARGE));
        for (int end = 0; end < json.length(); end += 97) {
            String start = json.substring(0, end);
            assertThatThrownBy(() -> StatusJson.readDelta(start)).isInstanceOf(StatusFormatException.class);
        }
        assertThatThrownBy(() -> StatusJson.readDelta(StatusJson.write(base)))
                .isInstanceOf(StatusFormatException.class)
                .hasMessageContaining("status_snapshot");
        assertThatThrownBy(() -> StatusJson.readDelta(json.replace("\"min_schema\":1", "\"min_schema\":2")))
                .isInstanceOfSatisfying(
                        StatusFormatException.class,
                        e -> assertThat(e.kind()).isEqualTo(StatusFormatException.Kind.UPGRADE_NEEDED));
    }
}
