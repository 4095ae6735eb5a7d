package com.fastn.context.engine;

import static com.fastn.context.engine.Patience.await;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.ContextEngine;
import com.fastn.context.Registration;
import com.fastn.context.event.ContextEvent;
import com.fastn.context.status.ContextPath;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Counters and paths near the caps, where one more or one less matters (rule M4). */
class CounterCapsEdgesTest {
    private static final ContextPath BUCKET = ContextPath.of("app", CounterStore.FOLDED);

    /** Ten names in a path, a hundred counters, fifty paths: the root and 49 others. */
    @RegisterExtension
    final TestTree tree = new TestTree(new CounterStore.Caps(10, 100, 50));

    private final CounterStore store = tree.runtime.counterStore();

    private ContextNode count(String name, String counter) {
        ContextNode context = tree.open(name);
        context.incrementTotal(counter);
        return context;
    }

    private void countAndClose(int from, int to) {
        for (int i = from; i < to; i++) {
            tree.pass(Duration.ofSeconds(1));
            count("job-" + i, "n").close();
        }
    }

    /** Ten contexts with ten counters each: all that there may be. */
    private List<ContextNode> fillWithCounters() {
        List<ContextNode> all = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            ContextNode context = tree.open("full-" + i);
            for (int name = 0; name < 10; name++) {
                context.incrementTotal("c" + name);
            }
            all.add(context);
        }
        assertThat(store.cellCount()).isEqualTo(100);
        return all;
    }

    private long total(ContextPath path, String counter) {
        return tree.runtime.counters().total(path, counter);
    }

    @Test
    void M4_fromNineTenthsOfThePathsOnSomeAreFoldedUntilEightTenthsAreLeft() {
        countAndClose(0, 43);
        assertThat(store.pathCount()).isEqualTo(44);
        assertThat(store.folded()).isZero();

        countAndClose(43, 44);
        assertThat(store.folded()).as("five, and one for their bucket").isEqualTo(6);
        assertThat(store.pathCount()).isEqualTo(40);
    }

    @Test
    void M4_fromNineTenthsOfTheCountersOnSomePathsAreFoldedUntilEightTenthsAreLeft() {
        for (int i = 0; i < 89; i++) {
            tree.pass(Duration.ofSeconds(1));
            count("job-" + i / 10, "c" + i % 10).close();
        }
        assertThat(store.cellCount()).isEqualTo(89);
        assertThat(store.folded()).isZero();

        count("job-8", "c9").close();
        assertThat(store.folded())
                .as("one, and one whose counters the bucket took")
                .isEqualTo(2);
        assertThat(store.cellCount()).isEqualTo(80);
    }

    @Test
    void M4_aFoldIsToldAsAChangeWhenItIsDone() {
        List<Runnable> folds = new ArrayList<>();
        store.foldOn(folds::add);
        countAndClose(0, 44);
        long version = tree.runtime.version();
        folds.get(0).run();
        assertThat(tree.runtime.version()).isGreaterThan(version);
    }

    @Test
    void M4_pathsWithoutCountersAreFoldedInTimeToo() {
        for (int i = 0; i < 200; i++) {
            tree.pass(Duration.ofSeconds(1));
            ContextNode job = tree.open("job-" + i);
            job.persist();
            job.close();
        }
        assertThat(tree.runtime.counters().windows(tree.root.path()).sinceStart())
                .isEqualTo(200);
        assertThat(tree.runtime.misuses())
                .as("there was room for each")
                .singleElement()
                .asString()
                .contains("those that ended least recently were folded");
    }

    @Test
    void M4_aWholeBranchIsFoldedAtOnceFromItsEnd() {
        store.foldOn(task -> {});
        ContextNode here = tree.root;
        for (int i = 0; i < 9; i++) {
            here = tree.open(here, "level-" + i);
            here.incrementTotal("n");
        }
        tree.nodes().forEach(ContextNode::close);
        for (int i = 0; i < 35; i++) {
            count("open-" + i, "n");
        }
        assertThat(store.pathCount()).isEqualTo(45);

        assertThat(store.fold(new ArrayList<>()))
                .as("the first one makes a bucket")
                .isEqualTo(6);
        assertThat(store.pathCount()).isEqualTo(40);
        assertThat(tree.root.subtreeTotal("n")).isEqualTo(44);
    }

    @Test
    void M4_aFoldOfManyPathsGoesOnUntilThereIsRoom() {
        TestTree large = new TestTree(new CounterStore.Caps(10, 100_000, 2_000));
        CounterStore kept = large.runtime.counterStore();
        kept.foldOn(task -> {});
        for (int i = 0; i < 1_998; i++) {
            ContextNode job = large.open("job-" + i);
            job.incrementTotal("n");
            job.close();
        }
        kept.fold(new ArrayList<>());
        assertThat(kept.pathCount()).isEqualTo(1_600);
        assertThat(large.root.subtreeTotal("n")).isEqualTo(1_998);
        large.end();
    }

    @Test
    void M4_whereAllIsInUseEachPathWithoutRoomIsCountedAndSaid() {
        for (int i = 0; i < 200; i++) {
            count("job-" + i, "n");
        }
        assertThat(store.folded()).isEqualTo(151);
        assertThat(total(BUCKET, "n")).isEqualTo(151);
        assertThat(tree.runtime.misuses())
                .singleElement()
                .asString()
                .contains("more context paths than are kept apart (50, with 100 counters) are in use");
    }

    @Test
    void M4_theLastFreeCounterIsOfItsOwnNameAndTheNextOneIsNot() {
        List<ContextNode> full = fillWithCounters();
        assertThat(full.get(9).getTotal("c9")).isEqualTo(1);
        tree.root.incrementTotal("one more");

        assertThat(tree.root.getTotal("one more")).isZero();
        assertThat(tree.root.getTotal(CounterStore.FOLDED)).isEqualTo(1);
        assertThat(tree.runtime.misuses()).singleElement().asString().startsWith("1x a context path got more counter");
    }

    @Test
    void M4_whereThereIsNoCounterLeftBucketsTakeAsManyAgain() {
        List<ContextNode> full = fillWithCounters();
        for (ContextNode context : full) {
            ContextNode late = tree.open(context, "late");
            for (int name = 0; name < 10; name++) {
                late.incrementTotal("n" + name);
            }
            ContextPath bucket = context.path().child(CounterStore.FOLDED);
            for (int name = 0; name < 10; name++) {
                assertThat(total(bucket, "n" + name)).isEqualTo(1);
            }
        }
        assertThat(store.cellCount()).isEqualTo(200);

        count("latest", "n0");
        assertThat(total(BUCKET, "n0")).isZero();
        assertThat(total(BUCKET, CounterStore.FOLDED)).isEqualTo(1);
        assertThat(tree.root.subtreeTotal("n0")).isEqualTo(10);
    }

    @Test
    void S22_whoCountsWhereThereIsNoCounterLeftWaitsForNobody() {
        fillWithCounters();
        store.foldOn(task -> {});
        tree.root.incrementTotal("one more");
        synchronized (store.monitor()) {
            assertThat(CompletableFuture.runAsync(() -> tree.root.incrementTotal("another")))
                    .succeedsWithin(Duration.ofSeconds(20));
        }
        assertThat(tree.root.getTotal(CounterStore.FOLDED)).isEqualTo(2);
    }

    @Test
    void M4_whoFoundNoCounterForItSeesToThatThereIsOneWhenOthersHaveEnded() {
        List<ContextNode> full = fillWithCounters();
        tree.root.incrementTotal("one more");
        // From here on each addition matters.
        store.fold(new ArrayList<>());
        tree.root.incrementTotal("a");
        full.forEach(ContextNode::close);
        tree.root.incrementTotal("b");
        tree.root.incrementTotal("c");

        assertThat(tree.root.getTotal(CounterStore.FOLDED)).isEqualTo(3);
        assertThat(tree.root.getTotal("c")).isEqualTo(1);
    }

    @Test
    void M4_whoFoundNoRoomForItsPathSeesToThatThereIsSomeWhenOthersHaveEnded() {
        List<ContextNode> open = new ArrayList<>();
        for (int i = 0; i < 60; i++) {
            open.add(count("job-" + i, "n"));
        }
        // From here on each path matters.
        store.fold(new ArrayList<>());
        count("a", "n");
        open.forEach(ContextNode::close);
        count("b", "n");
        count("c", "n");

        assertThat(total(ContextPath.of("app", "a"), "n")).isZero();
        assertThat(total(ContextPath.of("app", "b"), "n")).isZero();
        assertThat(total(ContextPath.of("app", "c"), "n")).isEqualTo(1);
        assertThat(tree.root.subtreeTotal("n")).isEqualTo(63);
    }

    @Test
    void S22_whereAllIsInUseNobodyWalksOverItForEachThatFindsNoRoom() {
        for (int i = 0; i < 60; i++) {
            count("job-" + i, "n");
        }
        store.fold(new ArrayList<>());
        List<Runnable> folds = new ArrayList<>();
        store.foldOn(folds::add);
        for (int i = 0; i < 31; i++) {
            count("late-" + i, "n");
        }
        assertThat(folds).isEmpty();
        count("last", "n");
        assertThat(folds).as("now and then all the same").hasSize(1);
    }

    @Test
    void S22_pathsAreFoldedOnAWorkerOfTheRuntime() {
        EngineRuntime runtime = new EngineRuntime(
                new ContextEngine.Settings("app", "App", "other", tree.ticker, Integer.MAX_VALUE, 100, false),
                tree.runtime.current(),
                new CounterStore.Caps(10, 100, 50));
        for (int i = 0; i < 45; i++) {
            ContextNode job = (ContextNode) runtime.root().child("job-" + i).open();
            job.incrementTotal("n");
            job.close();
        }
        await().until(() -> runtime.counterStore().folded() > 0);
        assertThat(runtime.root().subtreeTotal("n")).isEqualTo(45);
        runtime.close();
    }

    @Test
    void M1_aTotalThatOverflowsAsPathsAreFoldedIsSaidThoughNobodyReadsIt() {
        for (int i = 0; i < 2; i++) {
            ContextNode context = tree.open("large-" + i);
            context.addTotal("bytes", Long.MAX_VALUE - 10);
            context.incrementTotal("zeros");
            context.close();
        }
        countAndClose(0, 100);
        assertThat(tree.runtime.misuses()).anyMatch(said -> said.contains("a total counter reached"));
        assertThat(total(BUCKET, "bytes")).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void M1_anOverflowThatIsFoundWhereAFoldIsToldIsSaidAtOnce() {
        store.foldOn(task -> {});
        CounterCell bucket =
                requireNonNull(requireNonNull(tree.root.pathCounters().child(CounterStore.FOLDED))
                        .cell("n"));
        bucket.add(Long.MAX_VALUE);
        // As of a thread that has added and has not looked at the sum yet.
        bucket.plus(1);
        for (int i = 0; i < 44; i++) {
            ContextNode quiet = tree.open("quiet-" + i);
            quiet.incrementLive("n");
            quiet.close();
        }
        assertThat(tree.runtime.misuses()).isEmpty();
        List<ContextEvent> news = new ArrayList<>();
        try (Registration listening = tree.runtime.addListener(event -> {})) {
            assertThat(listening).isNotNull();
            store.fold(news);
        }
        assertThat(news).isNotEmpty();
        assertThat(tree.runtime.misuses()).anyMatch(said -> said.contains("a total counter reached"));
    }

    @Test
    void M4_theOrderOfTheirFirstUseIsKeptOfTenThousandNames() {
        TestTree large = new TestTree();
        for (int i = 0; i < 6; i++) {
            ContextNode context = large.open("job-" + i);
            for (int name = 0; name < 2_000; name++) {
                context.incrementTotal("name-" + i + "-" + name);
            }
        }
        CounterStore kept = large.runtime.counterStore();
        assertThat(kept.cellCount()).isEqualTo(12_000);
        assertThat(kept.rankCount()).isEqualTo(10_000);
        large.end();
    }
}
