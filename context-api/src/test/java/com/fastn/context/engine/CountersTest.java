package com.fastn.context.engine;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.Counters;
import com.fastn.context.FastnContext;
import com.fastn.context.LiveCount;
import com.fastn.context.TotalCounter;
import com.fastn.context.status.CallerLink;
import com.fastn.context.status.ContextKind;
import com.fastn.context.status.ContextPath;
import com.fastn.context.status.ContextStatus;
import com.fastn.context.status.FinishedContext;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class CountersTest {
    @RegisterExtension
    final TestTree tree = new TestTree();

    @SuppressWarnings("MustBeClosedChecker")
    private static LiveCount track(FastnContext context, String counter) {
        return context.trackLive(counter);
    }

    @Test
    void totalsOutliveTheContextAndAddUpOverAllOfAPath() {
        FastnContext first = tree.open("worker");
        first.incrementTotal("requests");
        first.addTotal("requests", 4);
        first.close();
        FastnContext second = tree.open("worker");
        second.incrementTotal("requests");

        assertThat(second.getTotal("requests")).isEqualTo(6);
        assertThat(first.getTotal("requests")).isEqualTo(6);
        assertThat(tree.runtime.counters().total(ContextPath.of("app", "worker"), "requests"))
                .isEqualTo(6);
    }

    @Test
    void liveCountsFallBackWhenTheirContextCloses() {
        FastnContext first = tree.open("worker");
        FastnContext second = tree.open("worker");
        first.incrementLive("connections");
        first.incrementLive("connections");
        second.incrementLive("connections");
        assertThat(second.getLive("connections")).isEqualTo(3);

        first.close();
        assertThat(second.getLive("connections")).isEqualTo(1);
        second.decrementLive("connections");
        assertThat(second.getLive("connections")).isZero();
    }

    @Test
    void liveCountsFallBackWhenTheirContextIsClosingStill() {
        FastnContext parent = tree.open("parent");
        tree.open(parent, "child");
        parent.incrementLive("connections");
        parent.close();

        assertThat(parent.getLive("connections")).isZero();
    }

    @Test
    void M3_aLiveCountNeverFallsBelowWhatItsContextAdded() {
        FastnContext first = tree.open("worker");
        FastnContext second = tree.open("worker");
        first.incrementLive("connections");
        second.decrementLive("connections");
        second.decrementLive("never-used");
        second.incrementLive("connections");
        second.decrementLive("connections");
        second.decrementLive("connections");

        assertThat(second.getLive("connections")).isEqualTo(1);
        assertThat(tree.runtime.misuses())
                .singleElement()
                .asString()
                .startsWith(
                        "3x decrementLive took more from a counter than its context had added; it was kept at 0; the"
                                + " first was \"connections\" of app.worker at ")
                .contains("CountersTest.java");
        assertThat(tree.root.getTotal("underflow")).isEqualTo(3);
    }

    @Test
    void eachStepOfALiveCountIsASignOfLife() {
        ContextNode job = tree.open("job");
        signOfLife(job, () -> job.incrementLive("open"));
        signOfLife(job, () -> job.decrementLive("open"));
        List<LiveCount> tracked = new ArrayList<>();
        signOfLife(job, () -> tracked.add(track(job, "open")));
        signOfLife(job, () -> tracked.get(0).close());
        tree.passSeconds(5);
        tracked.get(0).close();
        assertThat(job.idleDuration()).as("the second time it does nothing").isEqualTo(Duration.ofSeconds(5));
    }

    private void signOfLife(ContextNode node, Runnable step) {
        tree.passSeconds(5);
        assertThat(node.idleDuration()).isEqualTo(Duration.ofSeconds(5));
        step.run();
        assertThat(node.idleDuration()).isZero();
    }

    @Test
    void M3_aTrackedCountEndsOnceHoweverOftenItIsClosed() {
        FastnContext worker = tree.open("worker");
        LiveCount one = track(worker, "jobs");
        LiveCount other = track(worker, "jobs");
        assertThat(worker.getLive("jobs")).isEqualTo(2);
        assertThat(worker.getTotal("jobs")).isEqualTo(2);

        one.close();
        one.close();
        assertThat(worker.getLive("jobs")).isEqualTo(1);
        other.close();
        assertThat(worker.getLive("jobs")).isZero();
        assertThat(worker.getTotal("jobs")).isEqualTo(2);
        assertThat(tree.runtime.misuses()).isEmpty();
    }

    @Test
    void M3_aTrackedCountThatIsClosedAfterItsContextTakesNothing() {
        FastnContext ended = tree.open("worker");
        FastnContext going = tree.open("worker");
        LiveCount late = track(ended, "jobs");
        going.incrementLive("jobs");
        ended.close();
        late.close();

        assertThat(going.getLive("jobs")).isEqualTo(1);
        assertThat(tree.runtime.misuses()).isEmpty();
    }

    @Test
    void aChildThatIsOpenedAndCountedInOneIsAliveUntilItEndsAndIsRemembered() {
        CallerLink caller = new CallerLink("bob", "1-2", 7, "app.caller");
        ContextNode request = tree.root.openCounted("request", ContextKind.REQUEST, caller, "requests");
        tree.root.openCounted("request", ContextKind.REQUEST, null, "requests").close();

        assertThat(request.kind()).isEqualTo(ContextKind.REQUEST);
        assertThat(request.caller()).isEqualTo(caller);
        assertThat(tree.root.children()).containsExactly(request);
        assertThat(request.getTotal("requests")).isEqualTo(2);
        assertThat(request.getLive("requests")).isEqualTo(1);
        request.close();
        assertThat(request.getLive("requests")).isZero();
        assertThat(request.getTotal("requests")).isEqualTo(2);
        assertThat(tree.runtime.recent())
                .extracting(FinishedContext::path)
                .containsExactly(request.path(), request.path());
    }

    @Test
    void M3_aContextThatWasBornDeadAddsNoLiveCountForEver() {
        FastnContext parent = tree.open("parent");
        parent.close();
        FastnContext dead = parent.child("late").withData("made", "with extras").open();
        dead.incrementLive("jobs");

        assertThat(dead.getLive("jobs")).isZero();
    }

    @Test
    void totalsOnlyGrow() {
        TotalCounter handle = tree.root.totalCounter("requests");
        handle.add(3);
        handle.add(-1);
        tree.root.addTotal("requests", -5);

        assertThat(handle.get()).isEqualTo(3);
        assertThat(tree.runtime.misuses())
                .containsExactly("2x a total counter was asked to add a negative number; it only grows, so nothing was"
                        + " added");
    }

    @Test
    void aHandleCountsForItsPathAlsoWhenItsContextIsClosed() {
        FastnContext worker = tree.open("worker");
        TotalCounter handle = worker.totalCounter("requests");
        handle.increment();
        worker.close();
        handle.increment();

        assertThat(handle.get()).isEqualTo(2);
        assertThat(tree.open("worker").getTotal("requests")).isEqualTo(2);
    }

    @Test
    void M1_totalsSaturateAndSaySo() {
        tree.root.addTotal("bytes", Long.MAX_VALUE - 1);
        assertThat(tree.root.getTotal("bytes")).isEqualTo(Long.MAX_VALUE - 1);
        tree.root.addTotal("bytes", 1);
        assertThat(tree.root.getTotal("bytes")).isEqualTo(Long.MAX_VALUE);
        assertThat(tree.runtime.misuses()).isEmpty();
        tree.root.addTotal("bytes", Long.MAX_VALUE);
        assertThat(tree.root.getTotal("bytes")).isEqualTo(Long.MAX_VALUE);
        assertThat(tree.runtime.misuses())
                .containsExactly("1x a total counter reached 9223372036854775807, the greatest number; it stays there");
    }

    @Test
    void M1_anOverflowCanBeAskedFor() {
        Counters counters = tree.runtime.counters();
        tree.root.addTotal("bytes", Long.MAX_VALUE);
        assertThat(counters.overflowed(tree.root.path(), "bytes"))
                .as("it is full, and right")
                .isFalse();
        tree.root.addTotal("bytes", 1);
        assertThat(counters.overflowed(tree.root.path(), "bytes")).isTrue();
        assertThat(counters.overflowed(tree.root.path(), "other")).isFalse();
        assertThat(counters.overflowed(ContextPath.of("nobody"), "bytes")).isFalse();
    }

    @Test
    void M1_smallAdditionsOverTheEdgeSaturateToo() {
        tree.root.addTotal("bytes", Long.MAX_VALUE);
        for (int i = 0; i < 10; i++) {
            tree.root.incrementTotal("bytes");
        }
        assertThat(tree.root.getTotal("bytes")).isEqualTo(Long.MAX_VALUE);
        for (int i = 0; i < 10; i++) {
            tree.root.addTotal("bytes", Long.MAX_VALUE / 2);
        }
        assertThat(tree.root.getTotal("bytes")).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void M1_aTotalThatPassedTheEdgeNeverComesBack() {
        long step = (1L << 40) - 1;
        tree.root.addTotal("bytes", Long.MAX_VALUE - step);
        // Unchecked, so many steps lead through all negative numbers and back to the small ones.
        for (int i = 0; i < (1 << 23) + 10; i++) {
            tree.root.addTotal("bytes", step);
        }
        assertThat(tree.root.getTotal("bytes")).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void M1_sumsOfSaturatedTotalsSaturate() {
        tree.open("a").addTotal("bytes", Long.MAX_VALUE);
        tree.open("b").addTotal("bytes", Long.MAX_VALUE);

        assertThat(tree.root.subtreeTotal("bytes")).isEqualTo(Long.MAX_VALUE);
        assertThat(tree.runtime.status().globalContext().subtreeTotalCounters()).containsEntry("bytes", Long.MAX_VALUE);
    }

    @Test
    void M1_eightThreadsNearTheEdgeNeverWrap() throws InterruptedException {
        tree.root.addTotal("bytes", Long.MAX_VALUE - (1L << 40));
        List<Thread> threads = new ArrayList<>();
        List<Long> wrong = java.util.Collections.synchronizedList(new ArrayList<>());
        for (int t = 0; t < 8; t++) {
            long step = 1L << (30 + t);
            Thread thread = new Thread(() -> {
                for (int i = 0; i < 10_000; i++) {
                    tree.root.addTotal("bytes", step);
                    long seen = tree.root.getTotal("bytes");
                    if (seen < Long.MAX_VALUE - (1L << 40)) {
                        wrong.add(seen);
                    }
                }
            });
            threads.add(thread);
            thread.start();
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertThat(wrong).isEmpty();
        assertThat(tree.root.getTotal("bytes")).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void ownCountsAndThoseBelowAreToldApart() {
        FastnContext server = tree.open("server");
        FastnContext worker = tree.open(server, "worker");
        server.addTotal("requests", 2);
        worker.addTotal("requests", 5);
        worker.incrementLive("connections");
        server.incrementLive("connections");
        tree.open("other").addTotal("requests", 100);

        assertThat(server.getTotal("requests")).isEqualTo(2);
        assertThat(server.subtreeTotal("requests")).isEqualTo(7);
        assertThat(tree.root.subtreeTotal("requests")).isEqualTo(107);
        assertThat(server.getLive("connections")).isEqualTo(1);
        assertThat(server.subtreeLive("connections")).isEqualTo(2);
        assertThat(tree.root.getTotal("requests")).isZero();

        Counters counters = tree.runtime.counters();
        assertThat(counters.live(server.path(), "connections")).isEqualTo(1);
        assertThat(counters.subtreeTotal(server.path(), "requests")).isEqualTo(7);
        assertThat(counters.subtreeLive(server.path(), "connections")).isEqualTo(2);
        assertThat(counters.total(ContextPath.of("app", "nobody"), "requests")).isZero();
        assertThat(counters.subtreeTotal(ContextPath.of("nobody"), "requests")).isZero();
    }

    @Test
    void flatKeysArePathAndCounter() {
        FastnContext server = tree.open("server");
        server.addTotal("requests", 2);
        server.incrementLive("connections");
        FastnContext worker = tree.open(server, "worker.1");
        worker.addTotal("jobs", 3);
        worker.close();
        tree.open("idle").addTotal("nothing", 0);

        assertThat(tree.runtime.counters().flat(tree.root.path()))
                .containsExactly(
                        Map.entry("app.server.live_connections", 1L),
                        Map.entry("app.server.requests", 2L),
                        Map.entry("app.server.worker\\.1.jobs", 3L));
        assertThat(tree.runtime.counters().flat(worker.path())).containsOnlyKeys("app.server.worker\\.1.jobs");
        assertThat(tree.runtime.counters().flat(ContextPath.of("nobody"))).isEmpty();
    }

    @Test
    void flatKeysOfALiveCounterAndOfATotalThatIsNamedLikeItDiffer() {
        FastnContext server = tree.open("ser.ver");
        server.addTotal("x", 1);
        server.incrementLive("x");
        server.addTotal("live_x", 3);
        server.incrementLive("live_x");
        server.addTotal("live_live_x", 5);

        var flat = tree.runtime.counters().flat(tree.root.path());
        assertThat(flat)
                .containsExactly(
                        Map.entry("app.ser\\.ver.\\live_live_x", 5L),
                        Map.entry("app.ser\\.ver.\\live_x", 3L),
                        Map.entry("app.ser\\.ver.live_live_x", 1L),
                        Map.entry("app.ser\\.ver.live_x", 1L),
                        Map.entry("app.ser\\.ver.x", 1L));
        assertThat(ContextPath.parse(flat.firstKey()).leaf()).isEqualTo("live_live_x");
        server.decrementLive("live_x");
        server.decrementLive("x");
    }

    @Test
    void M5_namesWithDotsCountForThemselves() {
        FastnContext ab = tree.open("a.b");
        FastnContext c = tree.open(ab, "c");
        FastnContext other = tree.open(tree.open("a"), "b.c");
        c.addTotal("n", 1);
        other.addTotal("n", 10);

        assertThat(c.getTotal("n")).isEqualTo(1);
        assertThat(other.getTotal("n")).isEqualTo(10);
        assertThat(tree.runtime.counters().flat(tree.root.path())).containsOnlyKeys("app.a\\.b.c.n", "app.a.b\\.c.n");
    }

    @Test
    void readingMakesNoCounter() {
        FastnContext server = tree.open("server");
        for (int i = 0; i < 100; i++) {
            assertThat(server.getTotal("asked-" + i)).isZero();
            assertThat(server.getLive("asked-" + i)).isZero();
        }
        assertThat(((ContextNode) server).pathCounters().cells()).isEmpty();
    }

    @Test
    void aSnapshotShowsCountersInTheOrderOfTheirFirstUse() {
        FastnContext server = tree.open("server");
        server.incrementTotal("zebras");
        server.incrementTotal("apples");
        server.incrementLive("lions");
        FastnContext ended = tree.open(server, "ended");
        ended.addTotal("apples", 4);
        ended.close();

        ContextStatus shown = server.subtreeStatus().globalContext();
        assertThat(shown.totalCounters()).containsExactly(Map.entry("zebras", 1L), Map.entry("apples", 1L));
        assertThat(shown.liveCounters()).containsExactly(Map.entry("lions", 1L));
        assertThat(shown.subtreeTotalCounters()).containsExactly(Map.entry("zebras", 1L), Map.entry("apples", 5L));
    }

    @Test
    void aContextThatNeverCountedShowsWhatItsPathCounted() {
        FastnContext first = tree.open("worker");
        first.addTotal("jobs", 3);
        first.close();
        FastnContext second = tree.open("worker");

        assertThat(second.subtreeStatus().globalContext().totalCounters()).containsExactly(Map.entry("jobs", 3L));
        assertThat(tree.runtime.status().globalContext().children().get(0).totalCounters())
                .containsExactly(Map.entry("jobs", 3L));
    }

    @Test
    void M4_flatKeysOfADeepTreeAreBounded() {
        String name = "n".repeat(250);
        ContextNode deep = tree.root;
        for (int i = 0; i < 1_000; i++) {
            deep = tree.open(deep, name);
            deep.incrementTotal("rows");
            deep.incrementLive("rows");
        }
        var flat = tree.runtime.counters().flat(tree.root.path());
        assertThat(flat.keySet().stream().mapToLong(String::length).sum())
                .isLessThanOrEqualTo(2 * CounterStore.MOST_FLAT_CHARS + 1_000);
        assertThat(flat.values().stream().mapToLong(Long::longValue).sum()).isEqualTo(2_000);
        assertThat(flat).containsEntry("app." + name + ".rows", 1L);
        assertThat(requireNonNull(flat.get("app.__folded__.rows")))
                .isEqualTo(flat.get("app.__folded__.live_rows"))
                .isGreaterThan(400);
    }
}
