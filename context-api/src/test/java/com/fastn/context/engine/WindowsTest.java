package com.fastn.context.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.FastnContext;
import com.fastn.context.Windows;
import com.fastn.context.status.CancelReason;
import com.fastn.context.status.ContextPath;
import com.fastn.context.status.FinishedContext;
import com.fastn.context.status.Trend;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class WindowsTest {
    private static final CancelReason CANCELLED = new CancelReason(CancelReason.Kind.REQUESTED, "enough", "app");

    /** Few paths, so that some are folded on the way. */
    @RegisterExtension
    final TestTree tree = new TestTree(new CounterStore.Caps(10, 60, 30));

    private Windows of(String... path) {
        return tree.runtime.counters().windows(ContextPath.of(path));
    }

    private void end(FastnContext parent, String name) {
        parent.child(name).persist().open().close();
    }

    @Test
    void windowsSlideAndForget() {
        end(tree.root, "job");
        assertThat(of("app", "job")).isEqualTo(new Windows(1, 1, 1, 1, 1, 1 / 60.0, 0, 0));
        tree.passSeconds(1);
        assertThat(of("app", "job")).isEqualTo(new Windows(0, 1, 1, 1, 1, 1 / 60.0, 0, 0));
        tree.passSeconds(59);
        assertThat(of("app", "job")).isEqualTo(new Windows(0, 0, 1, 1, 1, 0, 0, 0));
        tree.pass(Duration.ofMinutes(59));
        assertThat(of("app", "job")).isEqualTo(new Windows(0, 0, 0, 1, 1, 0, 0, 0));
        tree.pass(Duration.ofHours(23));
        assertThat(of("app", "job")).isEqualTo(new Windows(0, 0, 0, 0, 1, 0, 0, 0));
        end(tree.root, "job");
        tree.pass(Duration.ofDays(40_000));
        assertThat(of("app", "job")).isEqualTo(new Windows(0, 0, 0, 0, 2, 0, 0, 0));
    }

    @Test
    void theTrendComparesTheLastMinuteWithTheHourBefore() {
        assertThat(of("app").trend()).as("nothing ended").isEqualTo(Trend.UNKNOWN);
        tree.pass(Duration.ofDays(1));
        for (int minute = 0; minute < 60; minute++) {
            tree.pass(Duration.ofMinutes(1));
            endMany(10);
            assertThat(of("app").trend()).as("no hour behind the first").isEqualTo(Trend.UNKNOWN);
        }
        tree.pass(Duration.ofMinutes(1));
        endMany(10);
        assertThat(of("app").trend()).isEqualTo(Trend.STEADY);
        endMany(20);
        assertThat(of("app").trend()).isEqualTo(Trend.RISING);
        tree.pass(Duration.ofMinutes(1));
        assertThat(of("app").trend()).as("nothing ends").isEqualTo(Trend.FALLING);
        tree.pass(Duration.ofHours(1));
        assertThat(of("app").trend()).as("for an hour").isEqualTo(Trend.STEADY);
    }

    private void endMany(int n) {
        for (int i = 0; i < n; i++) {
            end(tree.root, "job");
        }
    }

    @Test
    void whatEndedBelowIsCountedAboveAndNowhereElse() {
        ContextNode server = tree.open("server");
        end(server, "job");
        end(server, "job");
        end(tree.root, "other");
        server.persist();
        server.close();

        assertThat(of("app").sinceStart()).isEqualTo(4);
        assertThat(of("app", "server").lastMinute()).isEqualTo(3);
        assertThat(of("app", "server", "job").lastSecond()).isEqualTo(2);
        assertThat(of("app", "nobody")).isSameAs(Windows.NONE);
    }

    @Test
    void failuresAndCancellationsAreCountedApart() {
        FastnContext failed = tree.root.child("job").persist().open();
        failed.failed(new IllegalStateException("no"));
        failed.close();
        FastnContext cancelled = tree.root.child("job").persist().open();
        cancelled.cancel();
        cancelled.close();
        end(tree.root, "job");

        Windows windows = of("app");
        assertThat(windows.sinceStart()).isEqualTo(3);
        assertThat(windows.failedSinceStart()).isEqualTo(1);
        assertThat(windows.cancelledSinceStart()).isEqualTo(1);
    }

    @Test
    void pathsThatRememberNothingHaveNoWindows() {
        ContextNode job = tree.open("job");
        job.incrementTotal("n");
        job.close();

        assertThat(job.pathCounters().windowsOrNull()).isNull();
    }

    @Test
    void whatEndsWhereAStepEndsIsOfTheNextOne() {
        tree.pass(Duration.ofMillis(50));
        end(tree.root, "job");
        tree.pass(Duration.ofMillis(50));
        end(tree.root, "job");
        tree.pass(Duration.ofMillis(950));
        assertThat(of("app").lastSecond()).isEqualTo(1);
    }

    @Test
    void M4_whatWasFoldedIsInTheWindowsOfItsNewPlaceAndTakesNothingMore() {
        long late = Duration.ofSeconds(10).toNanos();
        FinishWindows old = new FinishWindows();
        FinishWindows bucket = new FinishWindows();
        assertThat(bucket.add(0, new FinishedContext.Completed())).isTrue();
        assertThat(old.add(late, new FinishedContext.Completed())).isTrue();
        assertThat(old.add(late, new FinishedContext.Failed("no"))).isTrue();
        assertThat(old.add(late, new FinishedContext.Cancelled(CANCELLED))).isTrue();
        old.foldInto(bucket);
        assertThat(old.add(late, new FinishedContext.Completed()))
                .as("who comes late looks for the new place")
                .isFalse();

        FinishWindows.Sums sums = new FinishWindows.Sums();
        bucket.addTo(sums, late);
        assertThat(sums.windows()).isEqualTo(new Windows(3, 4, 4, 4, 4, 4 / 60.0, 1, 1));
    }

    @Test
    void M7_aClockThatGoesBackLosesNothing() {
        tree.pass(Duration.ofHours(2));
        end(tree.root, "job");
        tree.pass(Duration.ofHours(-1));
        end(tree.root, "job");
        assertThat(of("app")).isEqualTo(new Windows(2, 2, 2, 2, 2, 2 / 60.0, 0, 0));
        tree.pass(Duration.ofHours(1).plusSeconds(1));
        assertThat(of("app").lastSecond()).isZero();
        assertThat(of("app").lastMinute()).isEqualTo(2);
    }

    @Test
    void M4_atAnyMomentTheWindowsAreThoseOfAListOfAllEndsInStepsAlsoWhenPathsAreFolded() {
        long seed = new Random().nextLong();
        System.out.println("WindowsTest seed " + seed);
        Random random = new Random(seed);
        List<Long> ends = new ArrayList<>();
        long[] scales = {
            Duration.ofMillis(30).toNanos(),
            Duration.ofSeconds(3).toNanos(),
            Duration.ofMinutes(4).toNanos(),
            Duration.ofHours(1).toNanos(),
            Duration.ofDays(3).toNanos()
        };
        long start = tree.ticker.nanos();
        for (int i = 0; i < 20_000; i++) {
            int scale = random.nextInt(100) == 0 ? random.nextInt(scales.length) : random.nextInt(3);
            tree.pass(Duration.ofNanos((long) (random.nextDouble() * scales[scale])));
            if (random.nextInt(3) > 0) {
                ContextNode outer = tree.open("outer-" + random.nextInt(6));
                end(outer, "job-" + random.nextInt(20));
                outer.close();
                ends.add(tree.ticker.nanos() - start);
            }
            long now = tree.ticker.nanos() - start;
            Windows windows = of("app");
            agrees(seed, windows.lastSecond(), ends, now, Duration.ofSeconds(1), Duration.ofMillis(100));
            agrees(seed, windows.lastMinute(), ends, now, Duration.ofMinutes(1), Duration.ofSeconds(1));
            agrees(seed, windows.lastHour(), ends, now, Duration.ofHours(1), Duration.ofMinutes(1));
            agrees(seed, windows.lastDay(), ends, now, Duration.ofDays(1), Duration.ofMinutes(15));
            assertThat(windows.sinceStart()).as("seed %d", seed).isEqualTo(ends.size());
            assertThat(windows.ratePerSecond()).isEqualTo(windows.lastMinute() / 60.0);
        }
        assertThat(tree.runtime.counters().folded()).isGreaterThan(100);
    }

    /** Never more than ended within the window, never less than ended within all but its first step. */
    private static void agrees(long seed, long counted, List<Long> ends, long now, Duration window, Duration step) {
        long surely = 0;
        long perhaps = 0;
        for (int i = ends.size() - 1; i >= 0 && now - ends.get(i) < window.toNanos(); i--) {
            perhaps++;
            surely += now - ends.get(i) < window.minus(step).toNanos() ? 1 : 0;
        }
        assertThat(counted).as("seed %d, the last %s at %d", seed, window, now).isBetween(surely, perhaps);
    }

    @Test
    void M4_whatEndedOnceTakesNoRoomForBuckets() {
        FinishWindows once = new FinishWindows();
        FinishWindows often = new FinishWindows();
        FinishWindows.Sums sums = new FinishWindows.Sums();
        once.add(TimeUnit.HOURS.toNanos(1), new FinishedContext.Completed());
        once.addTo(sums, TimeUnit.HOURS.toNanos(2) - 1);
        assertThat(once.room()).isZero();
        assertThat(sums.windows()).isEqualTo(new Windows(0, 0, 1, 1, 1, 0, 0, 0));

        for (int i = 0; i < 10; i++) {
            often.add(TimeUnit.HOURS.toNanos(i), new FinishedContext.Completed());
        }
        once.foldInto(often);
        FinishWindows.Sums both = new FinishWindows.Sums();
        often.addTo(both, TimeUnit.HOURS.toNanos(9));
        assertThat(often.room()).as("those of the day").isEqualTo(96);
        assertThat(both.windows()).isEqualTo(new Windows(1, 1, 1, 11, 11, 1 / 60.0, 0, 0));
    }
}
