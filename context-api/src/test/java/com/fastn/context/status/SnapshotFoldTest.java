package com.fastn.context.status;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class SnapshotFoldTest {
    @Test
    void M10_whatIsFoldedIsWithinTheLimitsAndEverythingIsShownOrCounted() {
        long seed = new Random().nextLong();
        System.out.println("SnapshotFoldTest seed " + seed);
        for (int i = 0; i < 300; i++) {
            RandomTree random = new RandomTree(seed + i, 2_000);
            SnapshotLimits limits = random.limits();
            StatusSnapshot whole = random.snapshot();
            StatusSnapshot folded = SnapshotFold.fold(whole, limits);
            String what = "seed " + (seed + i) + " " + limits;

            assertThat(bytes(folded)).as(what).isLessThanOrEqualTo(limits.maxBytes());
            Sum sum = Sum.of(folded.globalContext(), random.troubled);
            assertThat(sum.shown + sum.hidden).as(what).isEqualTo(random.contexts);
            assertThat(sum.troubledShown + sum.troubledHidden).as(what).isEqualTo(random.troubled.size());
            assertThat(sum.shown).as(what).isLessThanOrEqualTo(limits.maxContexts());
            assertThat(sum.levels).as(what).isLessThanOrEqualTo(limits.maxDepth());
            assertThat(sum.othersBeyond(limits.maxChildrenPerNode()))
                    .as("%s: children beyond, without anybody in trouble", what)
                    .isEmpty();
            assertThat(sum.orderIsKept).as(what).isTrue();
        }
    }

    @Test
    void M10_whoIsInTroubleIsShownWhileThereIsRoomForThem() {
        long seed = new Random().nextLong();
        System.out.println("SnapshotFoldTest trouble seed " + seed);
        for (int i = 0; i < 200; i++) {
            RandomTree random = new RandomTree(seed + i, 3_000);
            StatusSnapshot whole = random.snapshot();
            Sum all = Sum.of(whole.globalContext(), random.troubled);
            // Each in trouble needs itself and those above it: these many are enough in any case.
            int enough = 1 + random.troubled.size() * all.levels;
            StatusSnapshot folded =
                    SnapshotFold.fold(whole, SnapshotLimits.UNLIMITED.withMaxContexts(Math.max(1, enough)));

            assertThat(Sum.of(folded.globalContext(), random.troubled).troubledHidden)
                    .as("seed %d", seed + i)
                    .isZero();
        }
    }

    @Test
    void M10_theTreeOnTheScreenHasNoMoreLinesThanAskedForAndHidesNoTroubleInSilence() {
        long seed = new Random().nextLong();
        System.out.println("SnapshotFoldTest lines seed " + seed);
        for (int i = 0; i < 200; i++) {
            RandomTree random = new RandomTree(seed + i, 1_000);
            StatusSnapshot whole = random.snapshot();
            int lines = 10 + random.next(60);
            String drawn = StatusRenderer.plain().brief().maxTreeLines(lines).render(whole);
            List<String> tree = drawn.lines().takeWhile(line -> !line.isEmpty()).toList();

            assertThat(tree).as("seed %d", seed + i).hasSizeLessThanOrEqualTo(lines);
            assertThat(StatusRenderer.plain()
                            .maxTreeLines(lines)
                            .render(whole)
                            .lines()
                            .dropWhile(line -> !line.isEmpty())
                            .skip(1)
                            .takeWhile(line -> !line.isEmpty()))
                    .as("seed %d, with counters", seed + i)
                    .isNotEmpty()
                    .hasSizeLessThanOrEqualTo(lines);
            assertThat(StatusRenderer.plain().brief().maxTreeLines(0).render(whole))
                    .isEqualTo(StatusRenderer.plain().brief().render(whole));
            long hidden = tree.stream()
                    .filter(line -> line.endsWith(" stuck"))
                    .mapToLong(SnapshotFoldTest::stuckIn)
                    .sum();
            long shown = random.troubled.stream()
                    .filter(id -> tree.stream().anyMatch(line -> line.contains("n" + id + "_")))
                    .count();
            assertThat(shown + hidden).as("seed %d", seed + i).isEqualTo(random.troubled.size());
        }
    }

    private static long stuckIn(String line) {
        String[] words = line.split(" ", -1);
        return Long.parseLong(words[words.length - 2].replace(",", ""));
    }

    @Test
    void M10_theFirstOfEachShapeIsKeptBeforeTheManyOfOne() {
        Row root = new Row(1, "app", ContextKind.ROOT);
        for (int i = 2; i < 1_000; i++) {
            root.with(new Row(i, "request", ContextKind.REQUEST).age("34m"));
        }
        root.with(new Row(1_000, "pool", ContextKind.SERVICE));
        StatusSnapshot folded = SnapshotFold.fold(Scenes.of(root), SnapshotLimits.DEFAULT.withMaxChildrenPerNode(3));

        assertThat(folded.globalContext().children())
                .extracting(ContextStatus::id)
                .containsExactly(2L, 3L, 1_000L);
        assertThat(folded.globalContext().foldedChildren())
                .isEqualTo(new FoldedChildren(996, 996, Duration.ofMinutes(34), 0));
        assertThat(StatusRenderer.plain().render(folded)).contains("└── +996 more, oldest 34m\n");
    }

    @Test
    void M10_ofManyOnThePathThatAWarningNamesTheLongestQuietIsKept() {
        Row root = new Row(1, "app", ContextKind.ROOT);
        for (int i = 2; i < 1_000; i++) {
            root.with(new Row(i, "request", ContextKind.REQUEST).active(i == 777 ? "40s" : "30s"));
        }
        StatusSnapshot whole = withWarnings(Scenes.of(root), List.of(warning("app.request")));
        StatusSnapshot folded = SnapshotFold.fold(whole, SnapshotLimits.DEFAULT.withMaxContexts(2));

        assertThat(folded.globalContext().children())
                .extracting(ContextStatus::id)
                .containsExactly(777L);
    }

    @Test
    void M10_ofManyOnOnePathTheOneThatAWarningIsAboutIsKept() {
        Row root = new Row(1, "app", ContextKind.ROOT);
        for (int i = 2; i < 1_000; i++) {
            root.with(new Row(i, "request", ContextKind.REQUEST).active(i == 777 ? "0s" : "30s"));
        }
        StatusWarning blocked = new StatusWarning(
                "place-blocked", WarningSeverity.WARNING, "event loop blocked", "app.request", 777, null, null);
        StatusSnapshot whole = withWarnings(Scenes.of(root), List.of(blocked));
        StatusSnapshot folded = SnapshotFold.fold(whole, SnapshotLimits.DEFAULT.withMaxContexts(2));

        assertThat(folded.globalContext().children())
                .extracting(ContextStatus::id)
                .containsExactly(777L);
    }

    @Test
    void M10_ofMoreThanAFamilyShowsThoseAboveSomebodyInTroubleAreShownAlsoWhereThatOneIsTooDeep() {
        Row root = new Row(1, "app", ContextKind.ROOT);
        List<StatusWarning> warnings = new ArrayList<>();
        for (int i = 2; i < 100; i++) {
            Row request = new Row(i, "request", ContextKind.REQUEST);
            request.with(new Row(1_000 + i, "query", ContextKind.TASK));
            root.with(request);
            if (i % 20 == 7) {
                warnings.add(new StatusWarning(
                        "operation-slow", WarningSeverity.WARNING, "slow", "app.request.query", 1_000 + i, null, null));
            }
        }
        StatusSnapshot whole = withWarnings(Scenes.of(root), warnings);
        SnapshotLimits limits = SnapshotLimits.DEFAULT.withMaxDepth(2).withMaxChildrenPerNode(2);

        assertThat(SnapshotFold.fold(whole, limits).globalContext().children())
                .extracting(ContextStatus::id)
                .containsExactly(7L, 27L, 47L, 67L, 87L);
    }

    @Test
    void M10_contextsWithMuchToTellHideNobodyWhoIsStuck() {
        Row service = new Row(2, "orders", ContextKind.SERVICE);
        for (int i = 0; i < 5; i++) {
            service.data("table" + i, "x".repeat(60_000));
        }
        Set<Long> stuck = new HashSet<>();
        for (long id = 10; id < 60; id++) {
            service.with(new Row(id, "GET /orders", ContextKind.REQUEST).inside("db-query", "34m", true));
            stuck.add(id);
        }
        Row root = new Row(1, "app", ContextKind.ROOT).with(service);
        for (long id = 1_000; id < 2_000; id++) {
            root.with(new Row(id, "healthy", ContextKind.REQUEST));
        }
        SnapshotLimits limits = SnapshotLimits.DEFAULT.withMaxBytes(256 << 10);
        StatusSnapshot folded = SnapshotFold.fold(Scenes.of(root), limits);

        Sum sum = Sum.of(folded.globalContext(), stuck);
        assertThat(sum.troubledShown).isEqualTo(50);
        assertThat(sum.troubledHidden).isZero();
        assertThat(bytes(folded)).isLessThanOrEqualTo(limits.maxBytes());
        assertThat(folded.globalContext().children().get(0).data()).isEmpty();
        assertThat(folded.warnings())
                .filteredOn(warning -> warning.id().equals("status-shortened"))
                .singleElement()
                .extracting(StatusWarning::message)
                .asString()
                .contains("1 context without values and counters");
    }

    @Test
    void M10_aValueThatIsLargeStaysWhereNobodyInTroubleNeedsTheRoom() {
        Row root = new Row(1, "app", ContextKind.ROOT)
                .with(new Row(2, "orders", ContextKind.SERVICE).data("table", "x".repeat(60_000)))
                .with(new Row(3, "stuck", ContextKind.TASK).inside("db-query", "34m", true));
        for (long id = 1_000; id < 2_000; id++) {
            root.with(new Row(id, "healthy", ContextKind.REQUEST));
        }
        StatusSnapshot folded = SnapshotFold.fold(Scenes.of(root), SnapshotLimits.DEFAULT.withMaxBytes(256 << 10));

        assertThat(folded.globalContext().foldedChildren().count()).isPositive();
        assertThat(folded.globalContext().children().get(0).data()).isNotEmpty();
        assertThat(folded.warnings()).isEmpty();
    }

    @Test
    void M10_whoWasOnlyInTheLostEndOfAListIsStillCountedAsStuckWhenItIsFoldedAgain() {
        ContextPath path = ContextPath.of("app", "request");
        Row root = new Row(1, "app", ContextKind.ROOT);
        List<LockWaiter> waiters = new ArrayList<>();
        for (long id = 2; id < 402; id++) {
            root.with(new Row(id, "request", ContextKind.REQUEST));
            waiters.add(new LockWaiter("request#" + id, id, path, "stock", 1, Duration.ofSeconds(9), true));
        }
        StatusSnapshot scene = Scenes.of(root);
        StatusSnapshot whole = new StatusSnapshot(
                scene.node(), scene.timestamp(), 1, null, scene.globalContext(), List.of(), waiters, List.of());
        StatusSnapshot once = SnapshotFold.fold(whole, SnapshotLimits.DEFAULT.withMaxBytes(256 << 10));
        assertThat(once.lockWaiters()).hasSizeLessThan(400);
        assertThat(once.globalContext().children()).hasSize(400);
        StatusSnapshot read = StatusJson.readSnapshot(StatusJson.write(once));
        StatusSnapshot twice = SnapshotFold.fold(read, SnapshotLimits.DEFAULT.withMaxContexts(11));

        assertThat(twice.globalContext().children()).hasSize(10);
        assertThat(twice.globalContext().foldedChildren().stuck()).isEqualTo(390);
        List<String> tree = StatusRenderer.plain()
                .brief()
                .maxTreeLines(20)
                .render(read)
                .lines()
                .takeWhile(line -> !line.isEmpty())
                .toList();
        long shown = tree.stream().filter(line -> line.contains("request#")).count();
        assertThat(shown).isBetween(5L, 20L);
        assertThat(tree.get(tree.size() - 1)).endsWith(", " + (400 - shown) + " stuck");
    }

    @Test
    void M10_ifTroubleItselfIsTooMuchTheWorstIsShownAndTheRestIsCounted() {
        Row root = new Row(1, "app", ContextKind.ROOT);
        for (int i = 2; i < 102; i++) {
            root.with(new Row(i, "job" + i, ContextKind.TASK).age("1m").cancelled("stop"));
        }
        root.with(new Row(200, "stuck", ContextKind.TASK).age("5s").inside("db", "5s", true));
        StatusSnapshot folded = SnapshotFold.fold(Scenes.of(root), SnapshotLimits.DEFAULT.withMaxContexts(3));

        assertThat(folded.globalContext().children())
                .extracting(ContextStatus::id)
                .containsExactly(2L, 200L);
        assertThat(folded.globalContext().foldedChildren())
                .isEqualTo(new FoldedChildren(99, 99, Duration.ofMinutes(1), 99));
    }

    @Test
    void M10_aFoldOfAFoldAddsUp() {
        RandomTree random = new RandomTree(5, 2_000);
        StatusSnapshot whole = random.snapshot();
        StatusSnapshot once = SnapshotFold.fold(whole, SnapshotLimits.UNLIMITED.withMaxContexts(500));
        StatusSnapshot twice = SnapshotFold.fold(once, SnapshotLimits.UNLIMITED.withMaxContexts(50));

        Sum sum = Sum.of(twice.globalContext(), random.troubled);
        assertThat(sum.shown + sum.hidden).isEqualTo(random.contexts);
        assertThat(sum.troubledShown + sum.troubledHidden).isEqualTo(random.troubled.size());
        assertThat(NodeSummary.of(twice).contexts()).isEqualTo(random.contexts);
    }

    @Test
    void M10_noFoldForgetsWhatAnotherKnew() {
        long seed = new Random().nextLong();
        System.out.println("SnapshotFoldTest again seed " + seed);
        for (int i = 0; i < 200; i++) {
            RandomTree random = new RandomTree(seed + i, 2_000);
            StatusSnapshot at = random.snapshot();
            for (int times = 0; times < 3; times++) {
                SnapshotLimits limits = random.limits();
                at = StatusJson.readSnapshot(StatusJson.write(SnapshotFold.fold(at, limits)));
                Sum sum = Sum.of(at.globalContext(), random.troubled);
                String what = "seed " + (seed + i) + " " + limits;

                assertThat(bytes(at)).as(what).isLessThanOrEqualTo(limits.maxBytes());
                assertThat(sum.shown + sum.hidden).as(what).isEqualTo(random.contexts);
                assertThat(sum.troubledShown + sum.troubledHidden).as(what).isEqualTo(random.troubled.size());
            }
        }
    }

    @Test
    void M10_whatFitsIsNotTouched() {
        StatusSnapshot scene = Scenes.system();
        assertThat(SnapshotFold.fold(scene, SnapshotLimits.DEFAULT)).isSameAs(scene);
        assertThat(SnapshotFold.fold(scene, SnapshotLimits.UNLIMITED)).isSameAs(scene);
        assertThat(SnapshotFold.fold(scene, SnapshotLimits.DEFAULT.withMaxBytes((int) Math.max(16_384, bytes(scene)))))
                .isSameAs(scene);
    }

    @Test
    void M10_aRootThatIsTooLargeAloneComesWithoutItsValuesAndAWarningSaysSo() {
        Row root = new Row(1, "app", ContextKind.ROOT);
        for (int i = 0; i < 1_000; i++) {
            root.data("key" + i, "some value");
        }
        StatusSnapshot folded = SnapshotFold.fold(Scenes.of(root), SnapshotLimits.DEFAULT.withMaxBytes(16 << 10));

        assertThat(bytes(folded)).isLessThanOrEqualTo(16 << 10);
        assertThat(folded.globalContext().data()).isEmpty();
        assertThat(folded.warnings()).extracting(StatusWarning::id).contains("status-shortened");
    }

    @Test
    void M10_linesOfManyLocksOfOneContextAreCounted() {
        List<LockStatus> locks = new ArrayList<>();
        List<LockWaiter> waiters = new ArrayList<>();
        ContextPath path = ContextPath.of("app");
        for (int i = 0; i < 500; i++) {
            locks.add(new LockStatus("l" + i, i, LockType.MUTEX, "app", 1, path, Duration.ZERO, 1, 1, false));
            waiters.add(new LockWaiter("app", 1, path, "l" + i, i, Duration.ZERO, false));
        }
        StatusSnapshot scene = Scenes.of(new Row(1, "app", ContextKind.ROOT));
        StatusSnapshot whole = new StatusSnapshot(
                scene.node(), scene.timestamp(), 1, null, scene.globalContext(), locks, waiters, List.of());
        String drawn = StatusRenderer.plain().brief().maxTreeLines(20).render(whole);

        assertThat(drawn.lines().takeWhile(line -> !line.isEmpty()))
                .hasSizeLessThanOrEqualTo(20)
                .contains("├── 🔒 HOLDS +498 more", "└── ⏳ WAITING +498 more");
    }

    @Test
    void S13_whatIsFoldedCanBeReadHoweverShortItsTokensAre() {
        Row root = new Row(1, "app", ContextKind.ROOT);
        for (int i = 2; i < 500; i++) {
            Row row = new Row(i, "c", ContextKind.TASK);
            for (int n = 0; n < 1_000; n++) {
                row.total(Integer.toString(n, 36), 1);
            }
            root.with(row);
        }
        StatusSnapshot folded = SnapshotFold.fold(Scenes.of(root), SnapshotLimits.DEFAULT);

        assertThat(folded.globalContext().children()).hasSizeGreaterThan(50);
        assertThat(StatusJson.readSnapshot(StatusJson.write(folded))).isEqualTo(folded);
    }

    @Test
    void C6_aMillionDeepAreFoldedWithoutRecursion() {
        ContextStatus leaf = new Row(0, "x", ContextKind.OTHER).status();
        ContextStatus chain = leaf;
        for (int i = 1; i < 1_000_000; i++) {
            chain = leaf.withChildren(List.of(chain), FoldedChildren.NONE);
        }
        StatusSnapshot deep = Scenes.of(new Row(1, "x", ContextKind.ROOT)).withGlobalContext(chain);
        ContextStatus folded = SnapshotFold.fold(deep, SnapshotLimits.DEFAULT).globalContext();

        Sum sum = Sum.of(folded, Set.of());
        assertThat(sum.levels).isEqualTo(30);
        assertThat(sum.shown + sum.hidden).isEqualTo(1_000_000);
    }

    @Test
    void limitsThatCannotBeKeptAreRefused() {
        assertThatThrownBy(() -> SnapshotLimits.DEFAULT.withMaxDepth(0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> SnapshotLimits.DEFAULT.withMaxContexts(0))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> SnapshotLimits.DEFAULT.withMaxChildrenPerNode(-1))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> SnapshotLimits.DEFAULT.withMaxBytes(1_000))
                .hasMessageContaining("1000")
                .hasMessageContaining("16384");
    }

    private static long bytes(StatusSnapshot snapshot) {
        return StatusJson.write(snapshot).getBytes(StandardCharsets.UTF_8).length;
    }

    private static StatusWarning warning(String path) {
        return new StatusWarning("context-idle", WarningSeverity.INFO, "idle", path, null);
    }

    private static StatusSnapshot withWarnings(StatusSnapshot scene, List<StatusWarning> warnings) {
        return new StatusSnapshot(
                scene.node(),
                scene.timestamp(),
                scene.version(),
                scene.systemMetrics(),
                scene.globalContext(),
                scene.activeLocks(),
                scene.lockWaiters(),
                warnings);
    }

    /** What a tree shows and counts. */
    private static final class Sum {
        long shown;
        long hidden;
        long troubledShown;
        long troubledHidden;
        int levels;
        boolean orderIsKept = true;
        // Parents before their children.
        private final List<ContextStatus> all = new ArrayList<>();
        private final Set<Long> troubled;

        private Sum(Set<Long> troubled) {
            this.troubled = troubled;
        }

        /** The children of larger families that are not in trouble and have nobody below them who is. */
        List<Long> othersBeyond(int mostChildren) {
            Set<Long> leadThere = new HashSet<>();
            List<Long> others = new ArrayList<>();
            for (int i = all.size() - 1; i >= 0; i--) {
                ContextStatus context = all.get(i);
                List<Long> children =
                        context.children().stream().map(ContextStatus::id).toList();
                if (troubled.contains(context.id())
                        || context.foldedChildren().stuck() > 0
                        || children.stream().anyMatch(leadThere::contains)) {
                    leadThere.add(context.id());
                }
                if (children.size() > mostChildren) {
                    children.stream()
                            .filter(child -> !leadThere.contains(child))
                            .forEach(others::add);
                }
            }
            return others;
        }

        static Sum of(ContextStatus root, Set<Long> troubled) {
            Sum sum = new Sum(troubled);
            List<ContextStatus> level = List.of(root);
            while (!level.isEmpty()) {
                sum.levels++;
                List<ContextStatus> below = new ArrayList<>();
                for (ContextStatus context : level) {
                    sum.all.add(context);
                    sum.shown++;
                    sum.troubledShown += troubled.contains(context.id()) ? 1 : 0;
                    sum.hidden += context.foldedChildren().contexts();
                    sum.troubledHidden += context.foldedChildren().stuck();
                    long before = 0;
                    for (ContextStatus child : context.children()) {
                        sum.orderIsKept &= before < child.id();
                        before = child.id();
                    }
                    below.addAll(context.children());
                }
                level = below;
            }
            return sum;
        }
    }

    /** A tree of any shape out of a seed, with some in trouble. */
    private static final class RandomTree {
        final Set<Long> troubled = new HashSet<>();
        final int contexts;
        private final Random random;
        private final List<LockStatus> locks = new ArrayList<>();
        private final List<LockWaiter> waiters = new ArrayList<>();
        private final List<StatusWarning> warnings = new ArrayList<>();

        RandomTree(long seed, int most) {
            random = new Random(seed);
            contexts = 1 + random.nextInt(most);
        }

        int next(int bound) {
            return random.nextInt(bound);
        }

        SnapshotLimits limits() {
            return new SnapshotLimits(
                    1 + next(12), 1 + next(next(2) == 0 ? 10 : 300), 1 + next(1_000), (16 << 10) + next(300_000));
        }

        StatusSnapshot snapshot() {
            List<Row> rows = new ArrayList<>();
            List<ContextPath> paths = new ArrayList<>();
            int inTrouble = 1 + next(60);
            boolean deep = next(3) == 0;
            for (int i = 0; i < contexts; i++) {
                String name = "n" + (i + 1) + "_";
                Row row = new Row(i + 1, name, ContextKind.TASK)
                        .age(next(1_000) + "s")
                        .active(next(9) + "s");
                int parent = i == 0 ? -1 : deep ? Math.max(0, i - 1 - next(40)) : next(Math.min(i, 1 + next(i)));
                ContextPath path =
                        parent < 0 ? ContextPath.of(name) : paths.get(parent).child(name);
                if (i > 0) {
                    rows.get(parent).with(row);
                    trouble(row, i + 1, path, inTrouble);
                }
                if (next(5) == 0) {
                    row.note("é".repeat(next(200))).total("jobs", next(9));
                }
                if (next(200) == 0) {
                    row.data("table", "x".repeat(next(60_000)));
                }
                rows.add(row);
                paths.add(path);
            }
            return new StatusSnapshot(
                    new NodeIdentity("alice", "i"),
                    Scenes.NOON,
                    1,
                    null,
                    rows.get(0).status(),
                    locks,
                    waiters,
                    warnings);
        }

        private void trouble(Row row, long id, ContextPath path, int inTrouble) {
            if (next(contexts) >= inTrouble) {
                return;
            }
            switch (next(6)) {
                case 0 -> row.inside("db", "9s", true);
                case 1 -> row.cancelled("stop");
                case 2 -> waiters.add(new LockWaiter("w", id, path, "l", 1, Duration.ZERO, next(2) == 0));
                case 3 ->
                    locks.add(new LockStatus("l", id, LockType.MUTEX, "h", id, path, Duration.ofDays(1), 1, 0, true));
                case 4 -> warnings.add(warning(path.toString()));
                default -> {
                    // It only holds a lock, which is no trouble.
                    locks.add(new LockStatus("l", id, LockType.MUTEX, "h", id, path, Duration.ZERO, 1, 0, false));
                    return;
                }
            }
            troubled.add(id);
        }
    }
}
