package com.fastn.context.status;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class TrendTest {
    private static final Duration HOUR = Duration.ofHours(1);

    /** Of an hour or more, whose first 59 minutes had so many each. */
    private static Trend of(long lastMinute, long before) {
        return Trend.of(lastMinute, lastMinute + 59 * before, Duration.ofDays(3));
    }

    @Test
    void aThirdMoreOrLessIsWhatCounts() {
        assertThat(of(3_000, 3_000)).isEqualTo(Trend.STEADY);
        assertThat(of(3_999, 3_000)).isEqualTo(Trend.STEADY);
        assertThat(of(4_000, 3_000)).isEqualTo(Trend.RISING);
        assertThat(of(2_001, 3_000)).isEqualTo(Trend.STEADY);
        assertThat(of(2_000, 3_000)).isEqualTo(Trend.FALLING);
    }

    @Test
    void whatChanceMakesOfFewIsNoTrend() {
        assertThat(of(14, 9)).as("half more").isEqualTo(Trend.STEADY);
        assertThat(of(18, 9)).as("twice as many").isEqualTo(Trend.RISING);
        assertThat(of(4, 9)).as("half of them").isEqualTo(Trend.STEADY);
        assertThat(of(2, 9)).isEqualTo(Trend.FALLING);
    }

    @Test
    void oneThatComesSeldomIsNoTrendAndABurstFromNothingIs() {
        assertThat(of(0, 0)).isEqualTo(Trend.STEADY);
        assertThat(of(1, 0)).isEqualTo(Trend.STEADY);
        assertThat(of(4, 0)).isEqualTo(Trend.STEADY);
        assertThat(of(5, 0)).isEqualTo(Trend.RISING);
        assertThat(of(0, 4)).isEqualTo(Trend.STEADY);
        assertThat(of(0, 5)).isEqualTo(Trend.FALLING);
    }

    @Test
    void theFirstMinuteIsNoPastAndAShortOneProvesLess() {
        assertThat(Trend.of(100, 100, Duration.ZERO)).isEqualTo(Trend.UNKNOWN);
        assertThat(Trend.of(100, 100, Duration.ofMinutes(2).minusNanos(1))).isEqualTo(Trend.UNKNOWN);
        assertThat(Trend.of(100, 100, Duration.ofMinutes(2))).isEqualTo(Trend.RISING);
        // Ten in the one minute before, ten in each of 59.
        assertThat(Trend.of(20, 30, Duration.ofMinutes(2))).isEqualTo(Trend.STEADY);
        assertThat(Trend.of(20, 20 + 59 * 10, HOUR)).isEqualTo(Trend.RISING);
        assertThat(Trend.of(20, 20 + 9 * 10, Duration.ofMinutes(10)))
                .as("ten each in nine")
                .isEqualTo(Trend.RISING);
    }

    @Test
    void onlyTheLastHourIsCompared() {
        assertThat(Trend.of(10, 10 + 59 * 10, HOUR)).isEqualTo(Trend.STEADY);
        assertThat(Trend.of(10, 10 + 59 * 10, Duration.ofDays(30_000))).isEqualTo(Trend.STEADY);
    }

    @Test
    void M1_numbersAtTheEdgesAreCompared() {
        assertThat(Trend.of(Long.MAX_VALUE, Long.MAX_VALUE, HOUR)).isEqualTo(Trend.RISING);
        assertThat(Trend.of(0, Long.MAX_VALUE, HOUR)).isEqualTo(Trend.FALLING);
        // What another node says may be anything.
        assertThat(Trend.of(Long.MIN_VALUE, Long.MIN_VALUE, HOUR)).isEqualTo(Trend.STEADY);
        assertThat(Trend.of(Long.MAX_VALUE, Long.MIN_VALUE, HOUR)).isEqualTo(Trend.RISING);
        assertThat(Trend.of(1, 1, Duration.ofSeconds(Long.MIN_VALUE))).isEqualTo(Trend.UNKNOWN);
        assertThat(Trend.of(1, 1, Duration.ofSeconds(Long.MAX_VALUE))).isEqualTo(Trend.STEADY);
    }
}
