package com.fastn.context.status;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class HumanTextTest {
    @Test
    void durationsAreShortAndNeverMoreThanHasPassed() {
        for (String text : List.of(
                "0s", "0.1s", "12.3s", "30s", "59.9s", "35m", "1h 45m", "2h 15m 32s", "5d 12h 45m", "2h 0m 3s")) {
            assertThat(HumanText.duration(Row.time(text))).isEqualTo(text);
        }
        assertThat(HumanText.duration(Duration.ofMillis(59_999))).isEqualTo("59.9s");
        assertThat(HumanText.duration(Duration.ofDays(1).plusSeconds(30))).isEqualTo("1d");
        assertThat(HumanText.duration(Duration.ofMillis(-1))).isEqualTo("0s");
        assertThat(HumanText.duration(Duration.ofSeconds(Long.MAX_VALUE))).startsWith("106751991167300d");
    }

    @Test
    void bytesAreDecimalAndRollOverToTheNextUnit() {
        assertThat(List.of(
                        0L,
                        512L,
                        2_100L,
                        125_000L,
                        15_200_000L,
                        99_960L,
                        999_499L,
                        999_999L,
                        16_000_000_000L,
                        Long.MAX_VALUE))
                .extracting(HumanText::bytes)
                .containsExactly("0B", "512B", "2.1KB", "125KB", "15.2MB", "100KB", "999KB", "1MB", "16GB", "9.2EB");
    }

    @Test
    void oneOfAThingIsSingular() {
        assertThat(List.of(
                        "commands",
                        "users_joined",
                        "addresses",
                        "status",
                        "retries",
                        "batches",
                        "caches",
                        "requests",
                        "boxes"))
                .extracting(name -> HumanText.count(1, name))
                .containsExactly(
                        "1 command",
                        "1 user joined",
                        "1 address",
                        "1 status",
                        "1 retry",
                        "1 batch",
                        "1 cache",
                        "1 request",
                        "1 box");
        assertThat(LongStream.of(0, 7, -7, 999, -999, 1_000, -1_000, 1_000_000, Long.MAX_VALUE, Long.MIN_VALUE)
                        .mapToObj(HumanText::count))
                .containsExactly(
                        "0",
                        "7",
                        "-7",
                        "999",
                        "-999",
                        "1,000",
                        "-1,000",
                        "1,000,000",
                        "9,223,372,036,854,775,807",
                        "-9,223,372,036,854,775,808");
        assertThat(HumanText.count(1_234_567, "bus_messages")).isEqualTo("1,234,567 bus messages");
    }

    @Test
    void numbersShowOnlyTheDecimalsThatSaySomething() {
        assertThat(List.of(0.0, 1.0, 0.756, -0.756, 1234.5678, 0.00012, 1e300, Double.NaN, -2.0, -0.001))
                .extracting(HumanText::number)
                .containsExactly("0", "1", "0.76", "-0.76", "1,234.57", "0.00012", "1.0E300", "?", "-2", "-0.001");
    }

    @Test
    void fourNamesAreShownAndTheRestCounted() {
        Row row = new Row(1, "x", ContextKind.OTHER)
                .total("a", 1)
                .total("b", 2)
                .below("b", 9, 0)
                .below("c", 3, 0)
                .below("d", 4, 0)
                .below("e", 5, 5)
                .below("f", 6, 0);
        assertThat(CounterText.of(row.status())).isEqualTo("Total: 1 a, 2 b, 3 c, 4 d, +2 more | Live: 5 e");
    }

    @Test
    void outcomesJoinOnlyACountOfTheSameReach() {
        Row row = new Row(1, "x", ContextKind.OTHER)
                .total("jobs", 2)
                .below("jobs", 9, 0)
                .below("successful_jobs", 6, 0)
                .below("failed_jobs", 3, 0);
        assertThat(CounterText.of(row.status())).isEqualTo("Total: 2 jobs, 3 failed jobs");
    }

    @Test
    void nothingCountedIsNoRow() {
        assertThat(CounterText.of(
                        new Row(1, "x", ContextKind.OTHER).live("a", 0).status()))
                .isNull();
    }
}
