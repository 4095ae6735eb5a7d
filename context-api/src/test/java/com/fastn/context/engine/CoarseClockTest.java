package com.fastn.context.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fastn.context.ManualTicker;
import com.fastn.context.Ticker;
import java.time.Duration;
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
    }

    @Test
    void itStandsStillWhenNobodyReadsItAndIsExactWhenReadAgain() {
        CoarseClock clock = new CoarseClock(Ticker.system(), timers);
        clock.nanos();
        assertThat(clock.isTicking()).isTrue();
        await().until(() -> !clock.isTicking() && timers.pending() == 0);

        long before = System.nanoTime();
        assertThat(clock.nanos() - before).isNotNegative();
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
