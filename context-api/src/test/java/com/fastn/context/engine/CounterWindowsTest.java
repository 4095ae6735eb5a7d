package com.fastn.context.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.LiveCount;
import com.fastn.context.TotalCounter;
import com.fastn.context.status.ContextPath;
import com.fastn.context.status.CounterWindows;
import com.fastn.context.status.StatusJson;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.context.status.Trend;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** How much a counter grew lately, for those of whom somebody asked. */
class CounterWindowsTest {
    private static final int ROUNDS = 200;

    /** Few paths, so that some are folded on the way. */
    @RegisterExtension
    final TestTree tree = new TestTree(new CounterStore.Caps(10, 60, 30));

    /** Few paths, and room for the names of all of them. */
    @RegisterExtension
    final TestTree wide = new TestTree(new CounterStore.Caps(1_000, 100_000, 30));

    private CounterWindows of(String counter, String... path) {
        return tree.runtime.counters().windows(ContextPath.of(path), counter);
    }

    private static List<Long> figures(CounterWindows windows) {
        return List.of(
                windows.lastSecond(),
                windows.lastMinute(),
                windows.lastHour(),
                windows.lastDay(),
                windows.sinceStart());
    }

    @Test
    void nothingIsKeptUntilSomebodyAsks() {
        ContextNode job = tree.open("job");
        job.addTotal("rows", 7);
        assertThat(tree.runtime.status().counterWindows()).isEmpty();

        assertThat(figures(job.counterWindows("rows"))).containsExactly(0L, 0L, 0L, 0L, 7L);
        job.addTotal("rows", 3);
        assertThat(figures(job.counterWindows("rows"))).containsExactly(3L, 3L, 3L, 3L, 10L);
        assertThat(tree.runtime.status().counterWindows()).singleElement().isEqualTo(of("rows", "app", "job"));
    }

    @Test
    void windowsSlideAndForget() {
        ContextNode job = tree.open("job");
        job.counterWindows("rows");
        job.addTotal("rows", 120);
        assertThat(figures(job.counterWindows("rows"))).containsExactly(120L, 120L, 120L, 120L, 120L);
        tree.passSeconds(1);
        assertThat(figures(job.counterWindows("rows"))).containsExactly(0L, 120L, 120L, 120L, 120L);
        tree.passSeconds(59);
        assertThat(figures(job.counterWindows("rows"))).containsExactly(0L, 0L, 120L, 120L, 120L);
        tree.pass(Duration.ofMinutes(59));
        assertThat(figures(job.counterWindows("rows"))).containsExactly(0L, 0L, 0L, 120L, 120L);
        tree.pass(Duration.ofHours(23));
        assertThat(figures(job.counterWindows("rows"))).containsExactly(0L, 0L, 0L, 0L, 120L);
        assertThat(job.counterWindows("rows").watched()).isEqualTo(Duration.ofDays(1));
    }

    @Test
    void theRateIsOverTheLastMinuteOrSinceTheFirstQuestion() {
        ContextNode job = tree.open("job");
        tree.passSeconds(7);
        assertThat(job.counterWindows("rows").ratePerSecond()).isZero();
        job.addTotal("rows", 20);
        tree.passSeconds(10);
        assertThat(job.counterWindows("rows").ratePerSecond()).isEqualTo(2);
        tree.passSeconds(49);
        job.addTotal("rows", 100);
        tree.passSeconds(41);
        assertThat(job.counterWindows("rows").ratePerSecond()).isEqualTo(100 / 60.0);
    }

    @Test
    void whatIsTrackedIsInTheWindowsToo() {
        ContextNode job = tree.open("job");
        job.counterWindows("calls");
        try (LiveCount ignored = job.trackLive("calls")) {
            assertThat(figures(job.counterWindows("calls"))).containsOnly(1L);
        }
        job.incrementLive("calls");
        assertThat(figures(job.counterWindows("calls"))).as("of totals").containsOnly(1L);
        job.close();
        try (LiveCount ignored = job.trackLive("calls")) {
            assertThat(figures(job.counterWindows("calls")))
                    .as("in total, though it ended")
                    .containsOnly(2L);
        }
    }

    @Test
    void theTrendComparesTheLastMinuteWithTheTimeBefore() {
        ContextNode job = tree.open("job");
        assertThat(job.counterWindows("rows").trend()).isEqualTo(Trend.UNKNOWN);
        everySecond(job, 1, 119);
        assertThat(job.counterWindows("rows").trend()).as("too young").isEqualTo(Trend.UNKNOWN);
        everySecond(job, 1, 1);
        assertThat(job.counterWindows("rows").trend()).isEqualTo(Trend.STEADY);
        everySecond(job, 3, 60);
        assertThat(job.counterWindows("rows").trend()).isEqualTo(Trend.RISING);
        everySecond(job, 3, 3_600);
        assertThat(job.counterWindows("rows").trend())
                .as("what is usual by now")
                .isEqualTo(Trend.STEADY);
        everySecond(job, 1, 60);
        assertThat(job.counterWindows("rows").trend()).isEqualTo(Trend.FALLING);
        tree.pass(Duration.ofMinutes(30));
        assertThat(job.counterWindows("rows").trend()).as("nothing comes").isEqualTo(Trend.FALLING);
        tree.pass(Duration.ofMinutes(31));
        assertThat(job.counterWindows("rows").trend()).as("for an hour").isEqualTo(Trend.STEADY);
        job.addTotal("rows", 100);
        assertThat(job.counterWindows("rows").trend()).as("a burst").isEqualTo(Trend.RISING);
    }

    private void everySecond(ContextNode job, int n, int seconds) {
        for (int i = 0; i < seconds; i++) {
            tree.passSeconds(1);
            job.addTotal("rows", n);
        }
    }

    @Test
    void whatIsCountedBelowIsCountedAboveAlsoInPathsAndCountersThatComeLater() {
        of("rows", "app");
        of("rows", "app", "later");
        ContextNode later = tree.open("later");
        TotalCounter handle = tree.open(later, "below").totalCounter("rows");
        handle.add(5);
        later.addTotal("rows", 2);
        tree.open("aside").addTotal("rows", 1);
        later.addTotal("others", 100);

        assertThat(of("rows", "app").lastMinute()).isEqualTo(8);
        assertThat(of("rows", "app", "later").lastMinute()).isEqualTo(7);
        assertThat(later.subtreeStatus().counterWindows())
                .extracting(windows -> windows.path().toString())
                .containsExactly("app.later");
    }

    @Test
    void aSnapshotShowsThemByPathAndThenByCounter() {
        of("rows", "app", "b");
        of("bytes", "app", "b");
        of("rows", "app", "a");
        of("zeros", "app", "a");
        assertThat(tree.runtime.status().counterWindows())
                .extracting(windows -> windows.path() + " " + windows.counter())
                .containsExactly("app.a rows", "app.a zeros", "app.b bytes", "app.b rows");
    }

    @Test
    void anotherRootHasNoWindows() {
        assertThat(figures(of("rows", "nobody"))).containsExactly(0L, 0L, 0L, 0L, 0L);
        assertThat(tree.runtime.status().counterWindows()).isEmpty();
    }

    @Test
    void M1_largeNumbersAreCountedAndStayAtTheGreatest() {
        ContextNode job = tree.open("job");
        job.counterWindows("bytes");
        job.addTotal("bytes", 5_000_000_000L);
        tree.passSeconds(0.5);
        job.addTotal("bytes", 1);
        assertThat(figures(job.counterWindows("bytes"))).containsOnly(5_000_000_001L);
        job.addTotal("bytes", Long.MAX_VALUE - 10);
        assertThat(figures(job.counterWindows("bytes"))).containsOnly(Long.MAX_VALUE);
        tree.pass(Duration.ofHours(2));
        assertThat(job.counterWindows("bytes").lastHour()).isZero();
    }

    @Test
    void whatIsCountedWhereAStepEndsIsOfTheNextOne() {
        ContextNode job = tree.open("job");
        job.counterWindows("rows");
        job.addTotal("rows", 10);
        tree.pass(Duration.ofMillis(100));
        job.addTotal("rows", 1);
        tree.pass(Duration.ofMillis(950));
        assertThat(job.counterWindows("rows").lastSecond()).isEqualTo(1);
    }

    @Test
    void M1_largeNumbersOfOneStepStayAtTheGreatest() {
        ContextNode job = tree.open("job");
        job.counterWindows("bytes");
        // Three of them are a positive number again where nobody looks.
        for (int i = 0; i < 3; i++) {
            job.addTotal("bytes", Long.MAX_VALUE - 10);
        }
        assertThat(figures(job.counterWindows("bytes"))).containsOnly(Long.MAX_VALUE);
    }

    @Test
    void M1_whatWasCountedBeforeALargeNumberStaysBesideIt() {
        ContextNode job = tree.open("job");
        job.counterWindows("bytes");
        for (int i = 0; i < 3; i++) {
            job.addTotal("bytes", 1);
            tree.passSeconds(5);
        }
        job.addTotal("bytes", 5_000_000_000L);

        CounterWindows windows = job.counterWindows("bytes");
        assertThat(windows.lastMinute()).isEqualTo(5_000_000_003L);
        assertThat(windows.lastSecond()).isEqualTo(5_000_000_000L);
    }

    @Test
    void M4_atAnyMomentTheWindowsAreThoseOfAListOfAllThatWasCountedAlsoWhenPathsAreFolded() {
        long seed = new Random().nextLong();
        System.out.println("CounterWindowsTest seed " + seed);
        Random random = new Random(seed);
        of("rows", "app");
        List<long[]> all = new ArrayList<>();
        List<TotalCounter> handles = new ArrayList<>();
        long sum = 0;
        for (int i = 0; i < 10_000; i++) {
            tree.pass(Duration.ofMillis(random.nextInt(3_000)));
            long n = random.nextInt(100);
            if (handles.isEmpty() || random.nextInt(3) > 0) {
                ContextNode outer = tree.open("outer-" + random.nextInt(60));
                TotalCounter handle = outer.totalCounter("rows");
                handle.add(n);
                handles.add(handle);
                outer.close();
            } else {
                // Also one whose path was folded long ago.
                handles.get(random.nextInt(handles.size())).add(n);
            }
            sum += n;
            long now = tree.ticker.nanos();
            all.add(new long[] {now, n});
            CounterWindows windows = of("rows", "app");
            assertThat(windows.sinceStart()).as("seed %d", seed).isEqualTo(sum);
            agrees(seed, windows.lastMinute(), all, now, Duration.ofMinutes(1), Duration.ofSeconds(1));
            agrees(seed, windows.lastHour(), all, now, Duration.ofHours(1), Duration.ofMinutes(1));
        }
        assertThat(tree.runtime.counters().folded()).isGreaterThan(100);
    }

    /** Never more than was counted within the window, never less than within all but its first step. */
    private static void agrees(long seed, long counted, List<long[]> all, long now, Duration window, Duration step) {
        long surely = 0;
        long perhaps = 0;
        for (int i = all.size() - 1; i >= 0 && now - all.get(i)[0] < window.toNanos(); i--) {
            perhaps += all.get(i)[1];
            surely += now - all.get(i)[0] < window.minus(step).toNanos() ? all.get(i)[1] : 0;
        }
        assertThat(counted).as("seed %d, the last %s at %d", seed, window, now).isBetween(surely, perhaps);
    }

    @Test
    void M4_aPathWithWindowsIsNotFolded() {
        tree.open("kept").counterWindows("rows");
        tree.open("kept").addTotal("rows", 1);
        tree.nodes().forEach(ContextNode::close);
        for (int i = 0; i < 200; i++) {
            ContextNode other = tree.open("other-" + i);
            other.addTotal("rows", 1);
            other.close();
        }
        assertThat(tree.runtime.counters().folded()).isPositive();
        assertThat(tree.runtime.counters().total(ContextPath.of("app", "other-0"), "rows"))
                .as("a path that nobody watches")
                .isZero();
        assertThat(figures(of("rows", "app", "kept"))).containsExactly(1L, 1L, 1L, 1L, 1L);
    }

    @Test
    void M4_furtherWindowsThanThereMayBeAreSaidAndShowTheTotal() {
        ContextNode job = tree.open("job");
        // None of them is old, though the runtime is.
        tree.passSeconds(90);
        for (int i = 0; i < CounterStore.MOST_WINDOWS; i++) {
            job.counterWindows("c" + i);
        }
        job.addTotal("rows", 4);
        assertThat(figures(job.counterWindows("rows"))).containsExactly(0L, 0L, 0L, 0L, 4L);
        assertThat(tree.runtime.misuses()).anyMatch(said -> said.contains("windows of more than 1000 counters"));
        assertThat(tree.runtime.status().counterWindows()).hasSize(CounterStore.MOST_WINDOWS);
    }

    @Test
    void M4_windowsThatNobodyReadsMakeRoomForOthers() {
        ContextNode job = tree.open("job");
        job.addTotal("c0", 1);
        for (int i = 0; i < CounterStore.MOST_WINDOWS; i++) {
            job.counterWindows("c" + i);
        }
        tree.passSeconds(90);
        for (int i = 1; i < CounterStore.MOST_WINDOWS; i++) {
            job.counterWindows("c" + i);
        }
        // Whoever looks at the status asks for none of them.
        tree.runtime.status();
        job.counterWindows("rows");
        job.addTotal("rows", 4);

        assertThat(figures(job.counterWindows("rows"))).containsExactly(4L, 4L, 4L, 4L, 4L);
        assertThat(tree.runtime.misuses()).isEmpty();
        assertThat(tree.runtime.status().counterWindows())
                .hasSize(CounterStore.MOST_WINDOWS)
                .noneMatch(windows -> windows.counter().equals("c0"));
        job.addTotal("c0", 1);
        assertThat(job.getTotal("c0")).isEqualTo(2);
    }

    @Test
    void M4_windowsThatAreKnownNeedNoRoom() {
        ContextNode job = tree.open("job");
        for (int i = 0; i < CounterStore.MOST_WINDOWS; i++) {
            job.counterWindows("c" + i);
        }
        tree.passSeconds(90);
        job.counterWindows("c0");
        assertThat(tree.runtime.status().counterWindows()).hasSize(CounterStore.MOST_WINDOWS);
    }

    @Test
    void whatManyThreadsCountWhileOneAsksIsCountedOnce() throws InterruptedException {
        int threads = 4;
        CountDownLatch done = new CountDownLatch(threads);
        of("rows", "app");
        for (int t = 0; t < threads; t++) {
            String name = "job-" + t % 2;
            new Thread(() -> {
                        ContextNode job = tree.open(name);
                        for (int i = 0; i < 10_000; i++) {
                            job.addTotal("rows", 1);
                        }
                        done.countDown();
                    })
                    .start();
        }
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(100);
        while (done.getCount() > 0) {
            assertThat(System.nanoTime() - end).as("they count").isNegative();
            CounterWindows windows = of("rows", "app");
            assertThat(windows.lastMinute()).isBetween(0L, 40_000L);
            of("rows", "app", "job-0");
        }
        assertThat(figures(of("rows", "app"))).containsOnly(40_000L);
    }

    @Test
    void whatIsCountedBehindTheFirstAnswerIsInTheWindowsAlsoInPathsThatWereMadeMeanwhile() throws InterruptedException {
        AtomicInteger round = new AtomicInteger();
        List<Thread> counting = new ArrayList<>();
        for (int t = 0; t < 2; t++) {
            int number = t;
            Thread thread = new Thread(() -> {
                for (int i = 0; round.get() < ROUNDS; i++) {
                    ContextNode job = wide.open("job-" + number + "-" + i % 40);
                    job.addTotal("rows-" + round.get(), 1);
                    job.close();
                }
            });
            thread.setDaemon(true);
            counting.add(thread);
        }
        List<CounterWindows> first = new ArrayList<>();
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(100);
        try {
            counting.forEach(Thread::start);
            while (round.get() < ROUNDS) {
                first.add(wide.root.counterWindows("rows-" + round.get()));
                // Some more of this one.
                long until = first.get(first.size() - 1).sinceStart() + 20;
                for (int turn = 0; wide.root.subtreeTotal("rows-" + round.get()) < until; turn++) {
                    assertThat(System.nanoTime() - end).as("they count").isNegative();
                    Spin.turn(turn);
                }
                round.incrementAndGet();
            }
        } finally {
            round.set(ROUNDS);
        }
        for (Thread thread : counting) {
            thread.join(20_000);
            assertThat(thread.isAlive()).isFalse();
        }
        for (CounterWindows answer : first) {
            CounterWindows last = wide.root.counterWindows(answer.counter());
            assertThat(last.lastDay())
                    .as(answer.counter())
                    .isBetween(last.sinceStart() - answer.sinceStart(), last.sinceStart());
        }
    }

    @Test
    void M6_S5_windowsAreAskedForByAnyTextAndKeepNothingOfItThatIsLongOrSecret() {
        String huge = "ü".repeat(10_000_000);
        String secret = "login password=hunter2";
        tree.open(huge).addTotal("rows", 1);
        tree.open(secret).addTotal("rows", 2);

        assertThat(figures(of("rows", "app", huge))).containsExactly(0L, 0L, 0L, 0L, 1L);
        assertThat(figures(of("rows", "app", secret))).containsExactly(0L, 0L, 0L, 0L, 2L);
        assertThat(of("rows", "app", huge, secret).sinceStart()).isZero();
        assertThat(tree.runtime.counters().total(ContextPath.of("app", huge), "rows"))
                .isEqualTo(1);
        assertThat(tree.runtime.counters().subtreeTotal(ContextPath.of("app", secret), "rows"))
                .isEqualTo(2);
        assertThat(tree.runtime.counters().flat(ContextPath.of("app", secret))).hasSize(1);
        assertThat(tree.runtime.find(ContextPath.of("app", huge)))
                .isSameAs(tree.root.children().get(0));
        assertThat(StatusJson.write(tree.runtime.status()))
                .hasSizeLessThan(20_000)
                .doesNotContain("hunter2");
    }

    @Test
    void theyTravelAsJson() {
        ContextNode job = tree.open("job");
        job.counterWindows("rows");
        job.addTotal("rows", 7);
        tree.passSeconds(3);
        StatusSnapshot snapshot = tree.runtime.status();
        assertThat(StatusJson.readSnapshot(StatusJson.write(snapshot)).counterWindows())
                .isEqualTo(snapshot.counterWindows())
                .singleElement()
                .satisfies(windows -> assertThat(windows.lastMinute()).isEqualTo(7));
    }

    @Test
    void M4_aHandleCountsForItsPathAgainAfterThatWasFolded() {
        ContextNode job = tree.open("job");
        TotalCounter rows = job.totalCounter("rows");
        rows.add(1_000);
        job.close();
        for (int i = 0; i < 100; i++) {
            tree.passSeconds(1);
            ContextNode other = tree.open("other-" + i);
            other.addTotal("rows", 5);
            other.close();
        }
        assertThat(tree.runtime.counters().total(job.path(), "rows")).isZero();

        rows.add(1);
        assertThat(rows.get()).isEqualTo(1);
        assertThat(tree.runtime.counters().total(job.path(), "rows")).isEqualTo(1);
        assertThat(figures(of("rows", "app", "job"))).containsExactly(0L, 0L, 0L, 0L, 1L);
        rows.increment();
        assertThat(figures(of("rows", "app", "job"))).containsExactly(1L, 1L, 1L, 1L, 2L);
        assertThat(tree.root.subtreeTotal("rows")).isEqualTo(1_502);
    }
}
