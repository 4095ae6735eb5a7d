package com.fastn.context.engine;

import static com.fastn.context.engine.Patience.await;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.ManualTicker;
import com.fastn.context.Ticker;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class CoarseClockTest {
    private final Timers timers = new Timers(() -> Runnable::run);

    @AfterEach
    void close() {
        timers.close();
    }

    @Test
    void itMovesOnWhileItIsRead() {
        CoarseClock clock = new CoarseClock(Ticker.system(), timers);
        long first = clock.nanos();
        await().until(() -> clock.nanos() - first >= CoarseClock.STEP.toNanos());
        assertThat(clock.nanos() - System.nanoTime()).isNotPositive();
        await().until(() -> !clock.isTicking() && timers.pending() == 0);
    }

    @Test
    void itStandsStillWhenNobodyReadsItAndIsExactWhenReadAgain() {
        ManualTicker ticker = new ManualTicker(TestTree.START);
        LateTimers ticks = new LateTimers(ticker);
        CoarseClock clock = new CoarseClock(ticker, ticks, false);
        clock.nanos();
        assertThat(clock.isTicking()).isTrue();
        // The first tick finds that it was read, and the second one that it was not.
        ticks.passMicros(50_000, 0);
        assertThat(ticks.stops).isEqualTo(1);
        assertThat(clock.isTicking()).isFalse();

        ticks.passMicros(3_333, 0);
        assertThat(clock.nanos()).isEqualTo(ticker.nanos());
        assertThat(clock.isTicking()).isTrue();
    }

    @Test
    void aClockThatIsMovedByHandIsAskedEachTime() {
        ManualTicker ticker = new ManualTicker(TestTree.START);
        CoarseClock clock = new CoarseClock(ticker, timers);
        clock.nanos();
        ticker.advance(Duration.ofMillis(1));
        assertThat(clock.nanos()).isEqualTo(1_000_000);
        assertThat(timers.pending()).isZero();
    }

    @Test
    void withoutTimersItIsExact() {
        timers.close();
        CoarseClock clock = new CoarseClock(Ticker.system(), timers);
        long before = System.nanoTime();
        assertThat(clock.nanos() - before).isNotNegative();
        long later = System.nanoTime();
        assertThat(clock.nanos() - later).isNotNegative();
    }

    /** The timer is as punctual as timers are: up to 25 ms late. What is promised is 50 ms. */
    @Test
    void whatIsTouchedIsKnownToWithin50Milliseconds() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        ManualTicker ticker = new ManualTicker(TestTree.START);
        LateTimers late = new LateTimers(ticker);
        CoarseClock clock = new CoarseClock(ticker, late, false);
        long last = clock.nanos();
        long greatestLag = 0;
        for (int i = 0; i < 100_000; i++) {
            // Bursts, in which each tick finds that it was looked at, and pauses, in which the clock stops.
            int pause = random.nextInt(20) == 0 ? 200_000 : 5_000;
            late.passMicros(random.nextInt(pause), random.nextInt(25_000));
            if (random.nextBoolean()) {
                // As a context does when it is touched.
                last = clock.isOfThisTick(last) ? last : clock.nanos();
            } else {
                last = clock.nanos();
            }
            long lag = ticker.nanos() - last;
            assertThat(lag).as("seed %d, step %d", seed, i).isBetween(0L, 50_000_000L);
            greatestLag = Math.max(greatestLag, lag);
        }
        assertThat(greatestLag)
                .as("it is read without a look at the ticker, seed %d", seed)
                .isGreaterThan(CoarseClock.STEP.toNanos() / 2);
        assertThat(late.stops).as("seed %d", seed).isPositive();
    }

    /** One timer, which runs while time passes, and later than it should. */
    private static final class LateTimers extends Timers {
        private final ManualTicker ticker;
        private @Nullable Runnable task;
        private long due;
        private int stops;

        LateTimers(ManualTicker ticker) {
            super(() -> Runnable::run);
            this.ticker = ticker;
        }

        @Override
        boolean tickOrDrop(Duration delay, Runnable next) {
            assertThat(task).as("one at a time").isNull();
            task = next;
            due = ticker.nanos() + delay.toNanos();
            return true;
        }

        void passMicros(int micros, int late) {
            long until = ticker.nanos() + TimeUnit.MICROSECONDS.toNanos(micros);
            while (task != null && due + TimeUnit.MICROSECONDS.toNanos(late) <= until) {
                ticker.advance(
                        Duration.ofNanos(Math.max(0, due + TimeUnit.MICROSECONDS.toNanos(late) - ticker.nanos())));
                Runnable now = task;
                task = null;
                now.run();
                stops += task == null ? 1 : 0;
            }
            ticker.advance(Duration.ofNanos(until - ticker.nanos()));
        }
    }

    @Test
    void itIsExactWhileNoThreadCanBeMadeAndTicksOnceOneCan() {
        ManualTicker ticker = new ManualTicker(TestTree.START);
        AtomicInteger refused = new AtomicInteger();
        try (Timers none = new Timers(() -> Runnable::run, task -> {
            if (refused.getAndIncrement() < 1) {
                throw new OutOfMemoryError("unable to create native thread");
            }
            return new Thread(task);
        })) {
            CoarseClock clock = new CoarseClock(ticker, none, false);
            long first = clock.nanos();
            assertThat(refused).hasValue(1);
            assertThat(clock.isTicking()).isFalse();
            assertThat(none.pending()).isZero();
            ticker.advance(Duration.ofMillis(1));
            assertThat(clock.nanos() - first).isEqualTo(1_000_000);
            assertThat(refused).as("not at each look").hasValue(1);
            ticker.advance(CoarseClock.STEP);
            assertThat(clock.nanos() - first).isEqualTo(21_000_000);
            // Whether it ticks still depends on how long ago that was.
            assertThat(refused).as("a thread was made").hasValue(2);
        }
    }

    @Test
    void oneThatIsStoppedWithItsTimersDoesNotStandStill() {
        CoarseClock clock = new CoarseClock(Ticker.system(), timers);
        clock.nanos();
        timers.close();
        clock.stop();
        long before = System.nanoTime();
        assertThat(clock.nanos() - before).isNotNegative();
    }
}
