package com.fastn.context.engine;

import static com.fastn.context.engine.Patience.await;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fastn.context.FastnContext;
import com.fastn.context.LiveCount;
import com.fastn.context.Registration;
import com.fastn.context.TotalCounter;
import com.fastn.context.event.ContextEvent;
import com.fastn.context.status.ContextPath;
import com.fastn.context.status.ContextStatus;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CounterCapsTest {
    private static final ContextPath FOLDED = ContextPath.of("app", CounterStore.FOLDED);

    /** Ten names in a path, a hundred counters, fifty paths. */
    @RegisterExtension
    final TestTree tree = new TestTree(new CounterStore.Caps(10, 100, 50));

    private final CounterStore store = tree.runtime.counterStore();

    private void count(String name, String counter, long n) {
        ContextNode context = tree.open(name);
        context.addTotal(counter, n);
        context.close();
    }

    @Test
    void M4_thePathsThatEndedLeastRecentlyAreFoldedAndSumsStay() {
        for (int i = 0; i < 30; i++) {
            tree.pass(Duration.ofSeconds(1));
            count("job-" + i, "n", 1);
        }
        tree.pass(Duration.ofSeconds(1));
        count("job-0", "n", 1);
        for (int i = 30; i < 48; i++) {
            tree.pass(Duration.ofSeconds(1));
            count("job-" + i, "n", 1);
        }

        assertThat(tree.root.subtreeTotal("n")).isEqualTo(49);
        assertThat(tree.runtime.counters().folded()).isBetween(5L, 12L);
        assertThat(tree.runtime.counters().total(FOLDED, "n")).isEqualTo(store.folded());
        assertThat(tree.runtime.counters().total(ContextPath.of("app", "job-0"), "n"))
                .as("it was used again")
                .isEqualTo(2);
        assertThat(tree.runtime.counters().total(ContextPath.of("app", "job-1"), "n"))
                .as("it was not")
                .isZero();
        assertThat(tree.runtime.status().globalContext().subtreeTotalCounters()).containsEntry("n", 49L);
        assertThat(tree.runtime.misuses()).singleElement().asString().contains("folded into __folded__");
    }

    @Test
    void M4_theStatusSaysHowManyPathsWereFolded() {
        assertThat(tree.runtime.status().warnings()).isEmpty();
        for (int i = 0; i < 60; i++) {
            tree.pass(Duration.ofSeconds(1));
            count("job-" + i, "n", 1);
        }
        assertThat(tree.runtime.status().warnings()).singleElement().satisfies(warning -> {
            assertThat(warning.id()).isEqualTo("counters-folded");
            assertThat(warning.message())
                    .isEqualTo("Counters of paths were folded into __folded__ of their parents " + store.folded()
                            + " times");
            assertThat(warning.next()).contains("name the kind of work");
            assertThat(warning.since()).isEqualTo(Duration.ZERO);
        });
        tree.pass(Duration.ofMinutes(2));
        assertThat(tree.runtime.status().warnings())
                .as("nobody looked before")
                .singleElement()
                .satisfies(warning -> assertThat(warning.since()).isEqualTo(Duration.ofMinutes(2)));
    }

    @Test
    void M4_aPathThatComesBackCountsAnew() {
        count("first", "n", 7);
        for (int i = 0; i < 100; i++) {
            tree.pass(Duration.ofSeconds(1));
            count("job-" + i, "n", 1);
        }
        count("first", "n", 2);

        assertThat(tree.runtime.counters().total(ContextPath.of("app", "first"), "n"))
                .isEqualTo(2);
        assertThat(tree.root.subtreeTotal("n")).isEqualTo(109);
    }

    @Test
    void M4_pathsOfOpenContextsAreKeptAlsoThoseOfTheirAncestors() {
        ContextNode parent = tree.open("parent");
        ContextNode open = tree.open(parent, "open");
        open.addTotal("n", 5);
        parent.addTotal("n", 3);
        ContextNode silent = tree.open("silent");
        count("silent", "n", 4);
        parent.close();
        for (int i = 0; i < 300; i++) {
            tree.pass(Duration.ofSeconds(1));
            count("job-" + i, "n", 1);
        }

        assertThat(open.getTotal("n")).isEqualTo(5);
        assertThat(parent.getTotal("n")).isEqualTo(3);
        assertThat(silent.getTotal("n")).isEqualTo(4);
        assertThat(tree.root.subtreeTotal("n")).isEqualTo(312);
    }

    @Test
    void M4_aWholeBranchIsFoldedFromItsEnd() {
        ContextNode a = tree.open("a");
        ContextNode b = tree.open(a, "b");
        ContextNode c = tree.open(b, "c");
        c.addTotal("n", 1);
        b.addTotal("m", 2);
        c.close();
        b.close();
        a.close();
        for (int i = 0; i < 300; i++) {
            tree.pass(Duration.ofSeconds(1));
            count("job-" + i, "n", 1);
        }

        assertThat(store.find(ContextPath.of("app", "a"))).isNull();
        assertThat(tree.root.subtreeTotal("m")).isEqualTo(2);
        assertThat(tree.root.subtreeTotal("n")).isEqualTo(301);
        assertThat(tree.runtime.counters().total(FOLDED, "m")).isEqualTo(2);
    }

    @Test
    void M4_whoeverOnlyAsksMakesNoPath() {
        int before = store.pathCount();
        List<ContextNode> silent = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            ContextNode context = tree.open("silent-" + i);
            silent.add(context);
            assertThat(context.getTotal("n")).isZero();
            assertThat(context.getLive("n")).isZero();
            assertThat(context.subtreeTotal("n")).isZero();
            assertThat(context.subtreeLive("n")).isZero();
        }
        assertThat(store.pathCount()).isEqualTo(before);
        assertThat(store.folded()).isZero();
        silent.get(7).addTotal("n", 3);
        assertThat(silent.get(7).getTotal("n")).isEqualTo(3);
        assertThat(tree.open("silent-7").getTotal("n"))
                .as("a sibling of that name")
                .isEqualTo(3);
    }

    @Test
    void M4_whoTracksUnderEverNewNamesKeepsNoneThatIsOver() {
        ContextNode service = tree.open("service");
        for (int i = 0; i < 100_000; i++) {
            try (LiveCount user = service.trackLive("user-" + i)) {
                assertThat(user).isNotNull();
            }
        }
        assertThat(service.extras().liveOrNull("user-99999")).isNull();
        assertThat(service.extras().takeLive()).hasSize(1);
        assertThat(service.getLive(CounterStore.FOLDED)).isZero();
    }

    @Test
    void M4_aLiveCountThatFoundNoRoomIsTakenBackByItsName() {
        ContextNode job = tree.open("job");
        for (int i = 0; i < 10; i++) {
            job.addTotal("c" + i, 1);
        }
        job.incrementLive("users");
        job.incrementLive("users");
        job.incrementLive("rooms");
        assertThat(job.getLive(CounterStore.FOLDED)).isEqualTo(3);
        job.decrementLive("users");
        job.decrementLive("rooms");
        assertThat(job.getLive(CounterStore.FOLDED)).isEqualTo(1);
        int misuses = tree.runtime.misuses().size();
        job.decrementLive("rooms");

        assertThat(job.getLive(CounterStore.FOLDED)).as("that of another name").isEqualTo(1);
        assertThat(tree.runtime.misuses()).hasSizeGreaterThanOrEqualTo(misuses);
    }

    /** A total under one name beside a live count under the other would show more alive than there ever were. */
    @Test
    @SuppressWarnings("MustBeClosedChecker") // by their context's end
    void M9_whatIsTrackedIsCountedInTotalAndLiveInOnePlaceAlsoWhenThereIsRoomAgain() {
        ContextNode job = tree.open("job");
        job.incrementTotal("jobs");
        for (int i = 0; i < 10; i++) {
            ContextNode other = tree.open("other-" + i);
            for (int name = 0; name < 10; name++) {
                other.incrementTotal("c" + name);
            }
        }
        LiveCount first = job.trackLive("users");
        assertThat(job.getLive(CounterStore.FOLDED)).isEqualTo(1);
        tree.root.childNodes().stream().filter(node -> node != job).forEach(ContextNode::close);
        tree.root.incrementTotal("makes room");
        job.incrementTotal("has room");
        assertThat(job.getTotal("has room")).isEqualTo(1);

        LiveCount second = job.trackLive("users");
        assertThat(job.getTotal(CounterStore.FOLDED))
                .as("all that were counted there")
                .isGreaterThanOrEqualTo(job.getLive(CounterStore.FOLDED));
        assertThat(job.getLive("users") + job.getLive(CounterStore.FOLDED)).isEqualTo(2);

        first.close();
        second.close();
        job.trackLive("users");
        assertThat(job.getLive("users"))
                .as("under its own name, as none is left of before")
                .isEqualTo(1);
        assertThat(job.getLive(CounterStore.FOLDED)).isZero();
    }

    @Test
    void M4_aLiveCountIsToldOfWhereItIsCountedAlsoWhenThereIsRoomAgain() {
        ContextNode job = tree.open("job");
        job.incrementTotal("jobs");
        for (int i = 0; i < 10; i++) {
            ContextNode other = tree.open("other-" + i);
            for (int name = 0; name < 10; name++) {
                other.incrementTotal("c" + name);
            }
        }
        job.incrementLive("users");
        assertThat(job.getLive(CounterStore.FOLDED)).isEqualTo(1);
        tree.root.childNodes().stream().filter(node -> node != job).forEach(ContextNode::close);
        tree.root.incrementTotal("makes room");
        List<ContextEvent.CounterChanged> heard = new ArrayList<>();
        Registration listening = tree.runtime.addListener(event -> heard.add((ContextEvent.CounterChanged) event));
        job.incrementLive("users");
        listening.close();

        assertThat(job.getLive(CounterStore.FOLDED)).isEqualTo(2);
        assertThat(heard).singleElement().satisfies(told -> {
            assertThat(told.counter()).isEqualTo(CounterStore.FOLDED);
            assertThat(told.live()).isEqualTo(2);
        });
    }

    @Test
    @SuppressWarnings("MustBeClosedChecker") // closed by hand, when there is room again
    void M4_theEndOfALiveCountIsToldOfWhereItWasTaken() {
        ContextNode job = tree.open("job");
        job.incrementTotal("jobs");
        for (int i = 0; i < 10; i++) {
            ContextNode other = tree.open("other-" + i);
            for (int name = 0; name < 10; name++) {
                other.incrementTotal("c" + name);
            }
        }
        // The first of a context is kept at its place, so that the second one leaves none.
        job.incrementLive("first");
        LiveCount folded = job.trackLive("users");
        assertThat(job.getLive(CounterStore.FOLDED)).isEqualTo(2);
        job.decrementLive("users");
        tree.root.childNodes().stream().filter(node -> node != job).forEach(ContextNode::close);
        tree.root.incrementTotal("makes room");
        job.incrementLive("users");
        assertThat(job.getLive("users")).isEqualTo(1);
        List<ContextEvent.CounterChanged> heard = new ArrayList<>();
        Registration listening = tree.runtime.addListener(event -> heard.add((ContextEvent.CounterChanged) event));
        folded.close();
        listening.close();

        assertThat(job.getLive("users")).isZero();
        assertThat(heard).singleElement().satisfies(told -> {
            assertThat(told.counter()).isEqualTo("users");
            assertThat(told.live()).isZero();
        });
    }

    @Test
    void M4_aHandleOfAFoldedPathGoesOnCounting() {
        ContextNode first = tree.open("first");
        TotalCounter handle = first.totalCounter("n");
        handle.add(7);
        first.close();
        for (int i = 0; i < 200; i++) {
            tree.pass(Duration.ofSeconds(1));
            count("job-" + i, "n", 1);
        }
        assertThat(store.find(ContextPath.of("app", "first"))).isNull();
        handle.add(100);
        first.addTotal("n", 1_000);

        assertThat(tree.root.subtreeTotal("n")).isEqualTo(1_307);
        assertThat(handle.get())
                .as("what was counted since its path was folded")
                .isEqualTo(1_100)
                .isEqualTo(first.getTotal("n"));
        assertThat(tree.runtime.counters().total(FOLDED, "n")).isGreaterThanOrEqualTo(7);
    }

    @Test
    void M4_namesBeyondTheCapOfAPathAreCountedTogether() {
        for (int i = 0; i < 25; i++) {
            tree.root.addTotal("name-" + i, 1);
        }
        tree.root.addTotal("name-3", 1);
        tree.root.incrementLive("one more");
        assertThat(tree.root.getLive(CounterStore.FOLDED)).isEqualTo(1);
        tree.root.decrementLive("one more");

        assertThat(tree.root.getTotal("name-3")).isEqualTo(2);
        assertThat(tree.root.getTotal("name-20")).isZero();
        assertThat(tree.root.getTotal(CounterStore.FOLDED)).isEqualTo(15);
        assertThat(tree.root.getLive(CounterStore.FOLDED)).isZero();
        assertThat(tree.runtime.misuses()).singleElement().asString().startsWith("1x a context path got more counter");
    }

    @Test
    void M4_whereAllIsInUseFurtherPathsAreCountedInTheirParentsFoldedPath() {
        List<ContextNode> open = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            ContextNode context = tree.open("job-" + i);
            context.incrementTotal("n");
            context.incrementLive("busy");
            open.add(context);
        }

        assertThat(store.pathCount()).isLessThanOrEqualTo(51);
        assertThat(tree.root.subtreeTotal("n")).isEqualTo(200);
        assertThat(tree.root.subtreeLive("busy")).isEqualTo(200);
        ContextNode last = open.get(199);
        assertThat(last.path()).isEqualTo(ContextPath.of("app", "job-199"));
        ContextStatus shown = tree.runtime.status().globalContext();
        assertThat(shown.subtreeTotalCounters()).containsEntry("n", 200L);
        assertThat(shown.children().get(199).path()).isEqualTo(last.path());
        assertThat(shown.children().get(199).totalCounters())
                .as("those of others are not its own")
                .isEmpty();

        open.forEach(ContextNode::close);
        assertThat(tree.root.subtreeLive("busy")).isZero();
        for (int i = 0; i < 20; i++) {
            count("later-" + i, "n", 1);
        }
        assertThat(tree.runtime.counters().total(ContextPath.of("app", "later-19"), "n"))
                .as("there is room again")
                .isEqualTo(1);
        assertThat(tree.root.subtreeTotal("n")).isEqualTo(220);
    }

    @Test
    void M4_aCountOfALiveThingSurvivesTheFoldingOfItsPath() {
        ContextNode worker = tree.open("worker");
        PathCounters path = worker.pathCounters();
        LiveCount tracked = track(worker);
        // As if it had begun to count after the walk over the open contexts.
        worker.decrementLive("jobs");
        for (int i = 0; i < 200; i++) {
            tree.pass(Duration.ofSeconds(1));
            count("job-" + i, "n", 1);
        }
        assertThat(path.isFolded()).as("its context is open").isFalse();
        worker.incrementLive("jobs");
        tracked.close();
        assertThat(tree.root.subtreeLive("jobs")).isZero();
    }

    @SuppressWarnings("MustBeClosedChecker")
    private static LiveCount track(ContextNode context) {
        return context.trackLive("jobs");
    }

    @Test
    void M4_listenersHearWhatWasFoldedSoThatTheirSumsStayExactToo() {
        Map<String, Long> heard = new HashMap<>();
        var listening = tree.runtime.addListener(event -> {
            if (event instanceof ContextEvent.CounterChanged counted) {
                heard.put(counted.path() + " " + counted.counter(), counted.total());
            }
        });
        for (int i = 0; i < 300; i++) {
            tree.pass(Duration.ofSeconds(1));
            count("job-" + i, "n", 1);
        }
        listening.close();

        assertThat(heard.values().stream().mapToLong(n -> n).sum()).isEqualTo(300);
        assertThat(heard).containsEntry("app.job-0 n", 0L);
    }

    @Test
    void M1_aTotalThatOverflowedStaysSoWhenItsPathIsFolded() {
        count("first", "bytes", Long.MAX_VALUE);
        count("first", "bytes", 5);
        assertThat(tree.runtime.counters().overflowed(ContextPath.of("app", "first"), "bytes"))
                .isTrue();
        for (int i = 0; i < 200; i++) {
            tree.pass(Duration.ofSeconds(1));
            count("job-" + i, "n", 1);
        }

        assertThat(tree.root.subtreeTotal("bytes")).isEqualTo(Long.MAX_VALUE);
        assertThat(tree.runtime.counters().overflowed(FOLDED, "bytes")).isTrue();
        assertThat(tree.runtime.counters().overflowed(FOLDED, "n")).isFalse();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void M1_anOverflowThatALiveCountBringsToLightIsLoggedOutsideOfMonitors(boolean more) {
        ContextNode context = tree.open("worker");
        context.incrementLive("bytes");
        tree.root.addTotal("bytes", Long.MAX_VALUE - 10);
        CounterCell cell = requireNonNull(context.pathCounters().cellOrNull("bytes"));
        cell.foldInto(requireNonNull(tree.root.pathCounters().cellOrNull("bytes")));
        // As of a thread that has added and has not looked at the mark yet.
        cell.plus(100);
        NodeExtras extras = context.extras();
        List<Boolean> held = new ArrayList<>();
        OutputStream looking = new OutputStream() {
            @Override
            public void write(int b) {
                held.add(Thread.holdsLock(extras));
            }
        };

        PrintStream before = System.err;
        try (PrintStream log = new PrintStream(looking, true, StandardCharsets.UTF_8)) {
            System.setErr(log);
            if (more) {
                context.incrementLive("bytes");
            } else {
                context.decrementLive("bytes");
            }
        } finally {
            System.setErr(before);
        }
        assertThat(tree.runtime.misuses()).singleElement().asString().contains("a total counter reached");
        assertThat(held).isNotEmpty().containsOnly(false);
    }

    @Test
    void M4_nothingIsLostWhileSeveralThreadsCountAndPathsAreFolded() throws InterruptedException {
        int threads = 4;
        int rounds = 20_000;
        AtomicBoolean done = new AtomicBoolean();
        List<Long> falls = java.util.Collections.synchronizedList(new ArrayList<>());
        List<Thread> all = new ArrayList<>();
        for (int t = 0; t < threads; t++) {
            Random random = new Random(42 + t);
            all.add(new Thread(() -> {
                List<TotalCounter> handles = new ArrayList<>();
                for (int i = 0; i < rounds; i++) {
                    ContextNode outer = tree.open("outer-" + random.nextInt(20));
                    ContextNode context = tree.open(outer, "job-" + random.nextInt(200));
                    context.incrementTotal("n");
                    if (handles.size() < 50) {
                        handles.add(context.totalCounter("n"));
                    } else {
                        handles.set(random.nextInt(50), context.totalCounter("n"));
                    }
                    context.incrementLive("busy");
                    handles.get(random.nextInt(handles.size())).increment();
                    outer.close();
                    context.close();
                    context.incrementTotal("n");
                }
            }));
        }
        Thread reader = new Thread(() -> {
            long before = 0;
            while (!done.get()) {
                long now = tree.root.subtreeTotal("n");
                if (now < before) {
                    falls.add(before - now);
                }
                before = now;
                tree.pass(Duration.ofMillis(1));
            }
        });
        reader.start();
        all.forEach(Thread::start);
        for (Thread thread : all) {
            thread.join();
        }
        done.set(true);
        reader.join();

        assertThat(store.folded()).isGreaterThan(100);
        assertThat(tree.root.subtreeTotal("n")).isEqualTo(3L * threads * rounds);
        assertThat(tree.root.subtreeLive("busy")).isZero();
        assertThat(falls).as("sums that fell").isEmpty();
        assertThat(store.pathCount()).isLessThanOrEqualTo(100);
        assertThat(store.cellCount()).isLessThanOrEqualTo(250);
    }

    @Test
    void S22_whoCountsDoesNotFoldAndLosesNothingUntilSomebodyElseDoes() {
        List<Runnable> folds = new ArrayList<>();
        store.foldOn(folds::add);
        for (int i = 0; i < 200; i++) {
            tree.pass(Duration.ofSeconds(1));
            count("job-" + i, "n", 1);
        }
        assertThat(folds).as("one at a time").hasSize(1);
        assertThat(tree.root.subtreeTotal("n")).isEqualTo(200);
        assertThat(store.pathCount()).as("the cap, and the bucket").isLessThanOrEqualTo(51);
        int before = store.pathCount();

        folds.get(0).run();
        assertThat(store.pathCount()).isLessThan(before);
        assertThat(tree.root.subtreeTotal("n")).isEqualTo(200);
    }

    @Test
    void M4_whereNoThreadIsFreeToFoldCountingGoesOnAndALaterOneFolds() {
        store.foldOn(task -> {
            throw new OutOfMemoryError("unable to create a thread");
        });
        for (int i = 0; i < 100; i++) {
            tree.pass(Duration.ofSeconds(1));
            count("job-" + i, "n", 1);
        }
        assertThat(tree.root.subtreeTotal("n")).isEqualTo(100);

        store.foldOn(Runnable::run);
        int full = store.pathCount();
        for (int i = 0; i < 100; i++) {
            tree.pass(Duration.ofSeconds(1));
            count("later-" + i, "n", 1);
        }
        assertThat(store.pathCount()).isLessThan(full);
        assertThat(tree.root.subtreeTotal("n")).isEqualTo(200);
    }

    @Test
    void M4_aFoldThatFindsNoMemoryOnItsWayLosesNothingAndHoldsUpNobody() {
        store.foldOn(task -> {});
        for (int i = 0; i < 48; i++) {
            tree.pass(Duration.ofSeconds(1));
            count("job-" + i, "n", 1);
        }
        List<ContextEvent> noMemory = new AbstractList<>() {
            @Override
            public boolean add(ContextEvent event) {
                throw new OutOfMemoryError("planted");
            }

            @Override
            public ContextEvent get(int index) {
                throw new IndexOutOfBoundsException(index);
            }

            @Override
            public int size() {
                return 0;
            }
        };
        try (Registration listening = tree.runtime.addListener(event -> {})) {
            assertThat(listening).isNotNull();
            assertThatThrownBy(() -> store.fold(noMemory)).isInstanceOf(OutOfMemoryError.class);
        }

        synchronized (store.monitor()) {
            // Whoever takes it that paths are being folded would wait for the monitor.
            assertThat(CompletableFuture.supplyAsync(() -> tree.root.subtreeTotal("n")))
                    .succeedsWithin(Duration.ofSeconds(20))
                    .isEqualTo(48L);
        }
        for (int i = 0; i < 48; i++) {
            count("job-" + i, "n", 1);
        }
        assertThat(tree.root.subtreeTotal("n")).isEqualTo(96);
    }

    @Test
    void M4_nothingIsLostWhileWorkersFoldWhatOthersGoOnCounting() throws InterruptedException {
        store.foldOn(task -> tree.runtime.timers().soon(task));
        int threads = 3;
        CountDownLatch done = new CountDownLatch(threads);
        for (int t = 0; t < threads; t++) {
            int thread = t;
            new Thread(() -> {
                        ContextNode parent = tree.open("parent-" + thread);
                        for (int i = 0; i < 5_000; i++) {
                            ContextNode job = tree.open(parent, "job-" + i % 97);
                            job.addTotal("n", 1);
                            job.incrementLive("n");
                            job.decrementLive("n");
                            // A path below one that may be about to be folded.
                            tree.open(job, "step").addTotal("n", 1);
                            job.children().forEach(FastnContext::close);
                            job.close();
                        }
                        parent.close();
                        done.countDown();
                    })
                    .start();
        }
        while (done.getCount() > 0) {
            assertThat(tree.root.subtreeTotal("n")).isBetween(0L, 2L * threads * 5_000);
        }
        assertThat(tree.root.subtreeTotal("n")).isEqualTo(2L * threads * 5_000);
        assertThat(tree.root.subtreeLive("n")).isZero();
        // A worker may not have come to it while the others counted.
        await().until(() -> store.folded() > 0);
        assertThat(tree.root.subtreeTotal("n")).isEqualTo(2L * threads * 5_000);
    }

    @Test
    void M4_aMillionPathsAndAMillionNamesTakeLittleAndAddUp() {
        TestTree large = new TestTree();
        CounterStore kept = large.runtime.counterStore();
        for (int i = 0; i < 1_000_000; i++) {
            ContextNode context = large.open("user-" + i);
            context.incrementTotal("requests");
            context.close();
        }
        assertThat(large.root.subtreeTotal("requests")).isEqualTo(1_000_000);
        assertThat(kept.pathCount()).isLessThanOrEqualTo(100_001);
        assertThat(kept.folded() + kept.pathCount()).isEqualTo(1_000_002);

        ContextNode context = large.open("names");
        for (int i = 0; i < 1_000_000; i++) {
            context.incrementTotal("name-" + i);
        }
        assertThat(context.pathCounters().cellCount()).isLessThanOrEqualTo(2_001);
        assertThat(kept.cellCount()).isLessThanOrEqualTo(100_001);
        assertThat(kept.rankCount()).isLessThanOrEqualTo(10_000);
        long sum = large.root.getTotal("none");
        for (CounterCell cell : context.pathCounters().cells()) {
            sum += cell.get();
        }
        assertThat(sum).isEqualTo(1_000_000);
        assertThat(large.runtime.status().globalContext().subtreeTotalCounters())
                .containsEntry("requests", 1_000_000L)
                .containsEntry(CounterStore.FOLDED, 998_000L);
        context.close();
        large.runtime.close();
    }
}
