package com.fastn.status.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import picocli.CommandLine.TypeConversionException;

class DurationConverterTest {
    private final DurationConverter converter = new DurationConverter();

    @Test
    void timesHaveAUnitAndSecondsNeedNone() {
        assertThat(converter.convert("500ms")).isEqualTo(Duration.ofMillis(500));
        assertThat(converter.convert("3s")).isEqualTo(Duration.ofSeconds(3));
        assertThat(converter.convert("1.5s")).isEqualTo(Duration.ofMillis(1_500));
        assertThat(converter.convert("2m")).isEqualTo(Duration.ofMinutes(2));
        assertThat(converter.convert("4")).isEqualTo(Duration.ofSeconds(4));
        assertThat(converter.convert("8h")).isEqualTo(Duration.ofHours(8));
        assertThat(converter.convert("2d")).isEqualTo(Duration.ofDays(2));
    }

    @Test
    void whatIsNoTimeIsRefusedWithAnExample() {
        for (String text : new String[] {"", "s", "-1s", "1w", "1 s", "1e3", "99999999999s"}) {
            assertThatThrownBy(() -> converter.convert(text))
                    .as(text)
                    .isInstanceOf(TypeConversionException.class)
                    .hasMessageContaining("500ms or 3s");
        }
    }
}
