package com.fastn.context.engine;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import com.fastn.context.TotalCounter;
import com.fastn.context.engine.SubtreeCounts.Counts;
import com.fastn.context.status.ContextPath;
import com.fastn.context.status.ContextStatus;
import com.fastn.context.status.CounterWindows;
import com.fastn.context.status.SnapshotLimits;
import com.fastn.context.status.StatusSnapshot;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class SubtreeCountsTest {
    /** Ten names in a path, and twenty with those below it; of further ones the sums are kept. */
    @RegisterExtension
    final TestTree tree = new TestTree(new CounterStore.Caps(10, 100_000, 100_000));

    private final CounterStore store = tree.runtime.counterStore();

    /** Contexts below one another, each with counters of its own. */
    private List<ContextNode> chain(int depth, int names) {
        List<ContextNode> chain = new ArrayList<>(List.of(tree.root));
        for (int d = 0; d < depth; d++) {
            ContextNode node = tree.open(chain.get(d), "d" + d);
            for (int i = 0; i < names; i++) {
                node.addTotal("n" + d + "_" + i, 1);
            }
            chain.add(node);
        }
        return chain;
    }

    @Test
    void M4_aStatusOfALeafReadsNoCountersOfPathsBesideIt() {
        List<ContextNode> chain = chain(3, 3);
        ContextNode leaf = chain.get(3);
        assertThat(store.readAll(leaf.path())).containsOnlyKeys(leaf.pathCounters());
        assertThat(store.readAll(chain.get(2).path()))
                .containsOnlyKeys(leaf.pathCounters(), chain.get(2).pathCounters());
        assertThat(store.readAll(ContextPath.of("app", "nobody"))).isEmpty();
        assertThat(leaf.subtreeStatus(SnapshotLimits.DEFAULT).globalContext().subtreeTotalCounters())
                .containsExactlyInAnyOrderEntriesOf(Map.of("n2_0", 1L, "n2_1", 1L, "n2_2", 1L));
    }

    @Test
    void M4_namesBeyondThoseKeptApartAreSummedUpExactly() {
        chain(6, 4);
        ContextStatus top = tree.runtime.status().globalContext();
        assertThat(top.subtreeTotalCounters())
                .hasSize(21)
                .containsEntry("n0_0", 1L)
                .containsEntry(CounterStore.FOLDED, 4L);
        assertThat(tree.root.subtreeTotal("n5_3")).as("asked for by name").isEqualTo(1);
    }

    @Test
    void M4_theWindowsOfACounterThatIsSummedUpShowItsOwnTotal() {
        chain(6, 4);
        tree.runtime.counters().windows(tree.root.path(), "n5_3");
        tree.runtime.counters().windows(tree.root.path(), "never");
        assertThat(tree.runtime.status().counterWindows())
                .extracting(CounterWindows::counter, CounterWindows::sinceStart)
                .containsExactly(tuple("n5_3", 1L), tuple("never", 0L));
    }

    @Test
    void M4_manyNamesInADeepTreeTakeNoMoreThanABoundedNumberOfSums() {
        CounterStore wide = new CounterStore(tree.runtime, "wide", new CounterStore.Caps(2_000, 1_000_000, 100_000));
        PathCounters at = wide.root();
        for (int d = 0; d < 600; d++) {
            at = requireNonNull(at.child("d" + d));
            for (int i = 0; i < 100; i++) {
                requireNonNull(at.cell("n" + d + "_" + i)).add(1);
            }
        }
        Map<PathCounters, Counts> counts = wide.readAll(ContextPath.of("wide"));
        assertThat(counts).hasSize(601);
        assertThat(counts.values().stream().mapToLong(c -> c.allTotal().size()).sum())
                .isLessThanOrEqualTo(SubtreeCounts.MOST_SUMS);
        Map<String, Long> all = requireNonNull(counts.get(wide.root())).allTotal();
        assertThat(sum(all)).isEqualTo(60_000);
        assertThat(all).as("a quarter of the names is few enough").hasSizeGreaterThan(900);
    }

    @Test
    void M9_eachSumIsThatOfTheCountersBelow() {
        long seed = new Random().nextLong();
        System.out.println("SubtreeCountsTest seed " + seed);
        Random random = new Random(seed);
        List<ContextNode> nodes = new ArrayList<>(List.of(tree.root));
        for (int i = 0; i < 60; i++) {
            ContextNode node = tree.open(nodes.get(random.nextInt(nodes.size())), "c" + i);
            nodes.add(node);
            for (int k = random.nextInt(8); k > 0; k--) {
                node.addTotal("n" + random.nextInt(40), random.nextInt(5));
            }
        }
        StatusSnapshot snapshot = tree.runtime.status();
        List<ContextStatus> open = new ArrayList<>(List.of(snapshot.globalContext()));
        for (int i = 0; i < open.size(); i++) {
            ContextStatus status = open.get(i);
            open.addAll(status.children());
            Map<String, Long> exact = exact(status);
            Map<String, Long> shown = new HashMap<>(status.subtreeTotalCounters());
            assertThat(sum(shown)).as("seed %d, all of %s", seed, status.path()).isEqualTo(sum(exact));
            assertThat(shown.size()).isLessThanOrEqualTo(21);
            shown.remove(CounterStore.FOLDED);
            assertThat(exact).as("seed %d, %s", seed, status.path()).containsAllEntriesOf(shown);
            assertThat(shown.size()).isEqualTo(Math.min(20, exact.size()));
        }
    }

    private static Map<String, Long> exact(ContextStatus top) {
        Map<String, Long> sums = new TreeMap<>();
        List<ContextStatus> open = new ArrayList<>(List.of(top));
        for (int i = 0; i < open.size(); i++) {
            open.get(i).totalCounters().forEach((name, n) -> sums.merge(name, n, Long::sum));
            open.addAll(open.get(i).children());
        }
        return sums;
    }

    private static long sum(Map<String, Long> counts) {
        return counts.values().stream().mapToLong(n -> n).sum();
    }

    private Map<PathCounters, Counts> read(int mostNames) {
        return SubtreeCounts.read(store.root(), Comparator.naturalOrder(), mostNames);
    }

    private Counts of(ContextNode node, int mostNames) {
        return requireNonNull(read(mostNames).get(node.pathCounters()));
    }

    @Test
    void M4_theFirstNamesInTheirOrderAreKeptAndOneMoreForTheOthers() {
        ContextNode a = tree.open("a");
        ContextNode b = tree.open("b");
        a.addTotal("n3", 1);
        a.addTotal("n1", 10);
        b.addTotal("n2", 100);
        b.addTotal("n1", 1_000);
        b.addTotal("n4", 10_000);
        assertThat(of(tree.root, 4).allTotal())
                .as("just as many as may be")
                .isEqualTo(Map.of("n1", 1_010L, "n2", 100L, "n3", 1L, "n4", 10_000L));
        a.addTotal("n5", 5);
        b.addTotal("n6", 7);
        Map<String, Long> folded = Map.of("n1", 1_010L, "n2", 100L, "n3", 1L, "n4", 10_000L, CounterStore.FOLDED, 12L);
        assertThat(of(tree.root, 4).allTotal()).isEqualTo(folded);
        assertThat(of(tree.root, 0).allTotal()).as("never fewer than four").isEqualTo(folded);
        assertThat(of(tree.root, 5).allTotal()).containsEntry("n5", 5L).containsEntry(CounterStore.FOLDED, 7L);
        assertThat(of(a, 4).allTotal()).isEqualTo(Map.of("n1", 10L, "n3", 1L, "n5", 5L));
        assertThat(of(tree.root, 4).total()).as("its own").isEmpty();
    }

    @Test
    void M4_whatAPathCountsTogetherAlreadyIsSummedUpWithTheRest() {
        List<ContextNode> chain = chain(2, 15);
        // Ten names of each have a place, the other five are counted together.
        Map<String, Long> all = of(chain.get(1), 12).allTotal();
        assertThat(all).hasSize(13).containsEntry(CounterStore.FOLDED, 30L - 12);
        assertThat(sum(all)).isEqualTo(30);
    }

    @Test
    void liveCountsAreSummedUpApartAndWhatIsNoneIsLeftOut() {
        ContextNode a = tree.open("a");
        ContextNode b = tree.open(a, "b");
        a.incrementLive("jobs");
        b.incrementLive("jobs");
        b.incrementLive("calls");
        b.incrementLive("over");
        b.decrementLive("over");
        TotalCounter unused = a.totalCounter("never");
        b.addTotal("rows", 3);

        assertThat(of(a, 10))
                .isEqualTo(
                        new Counts(Map.of(), Map.of("jobs", 1L), Map.of("rows", 3L), Map.of("jobs", 2L, "calls", 1L)));
        assertThat(of(b, 10).live()).isEqualTo(Map.of("jobs", 1L, "calls", 1L));
    }

    @Test
    void M1_sumsStayAtTheGreatest() {
        for (int i = 0; i < 6; i++) {
            ContextNode node = tree.open("c" + i);
            node.addTotal("n", Long.MAX_VALUE / 2);
            node.addTotal("n" + i, Long.MAX_VALUE / 2);
        }
        // Three of n0 to n5 have a place behind n.
        assertThat(of(tree.root, 4).allTotal())
                .containsEntry("n", Long.MAX_VALUE)
                .containsEntry(CounterStore.FOLDED, Long.MAX_VALUE);
    }

    @Test
    void M6_aCounterWhoseNameHadToBeChangedIsUsedWithoutTheStoresMonitor() throws Exception {
        List<String> names = List.of("x".repeat(500), "of password=hunter2");
        names.forEach(name -> tree.root.addTotal(name, 1));
        synchronized (store.monitor()) {
            CompletableFuture.runAsync(() -> names.forEach(name -> tree.root.addTotal(name, 1)))
                    .get(20, TimeUnit.SECONDS);
        }
        assertThat(names)
                .allSatisfy(name -> assertThat(tree.root.subtreeTotal(name)).isEqualTo(2));
        assertThat(Collections.max(tree.root.pathCounters().cells().stream()
                        .map(c -> c.name().length())
                        .toList()))
                .isEqualTo(256);
    }
}
