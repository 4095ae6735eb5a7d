package com.fastn.context.vertx;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.ManualTicker;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.Test;

class HeardCancellationsTest {
    private static final String KEY = "0123456789abcdef";
    private static final String OTHER_KEY = "fedcba9876543210";

    private final ManualTicker ticker = new ManualTicker(Instant.EPOCH);
    private final HeardCancellations heard = new HeardCancellations(ticker);

    @Test
    void aCallerIsKnownByItsNodeItsIdAndItsKey() {
        assertThat(heard.isEmpty()).isTrue();
        heard.add("1-a", Map.of(7L, KEY));
        assertThat(heard.isEmpty()).isFalse();
        assertThat(heard.contains("1-a", 7, KEY)).isTrue();
        assertThat(heard.contains("1-a", 7, OTHER_KEY)).isFalse();
        assertThat(heard.contains("1-a", 7, null)).isFalse();
        assertThat(heard.contains("1-a", 8, KEY)).isFalse();
        assertThat(heard.contains("1-b", 7, KEY)).isFalse();
    }

    @Test
    void oneThatWasMadeUpDoesNotTakeTheTrueOneAway() {
        heard.add("1-a", Map.of(7L, KEY));
        heard.add("1-a", Map.of(7L, OTHER_KEY));
        assertThat(heard.contains("1-a", 7, KEY)).isTrue();
    }

    @Test
    void eachIsKeptForAMinuteSinceItWasHeardLast() {
        heard.add("1-a", Map.of(7L, KEY));
        heard.add("1-a", Map.of(8L, KEY));
        ticker.advance(Duration.ofSeconds(40));
        heard.add("1-a", Map.of(7L, KEY));
        ticker.advance(Duration.ofSeconds(40));
        assertThat(heard.contains("1-a", 7, KEY)).isTrue();
        assertThat(heard.contains("1-a", 8, KEY)).isFalse();
        ticker.advance(Duration.ofSeconds(40));
        assertThat(heard.contains("1-a", 7, KEY)).isFalse();
        assertThat(heard.isEmpty()).isTrue();
    }

    @Test
    void ofTooManyTheLastAreKept() {
        for (long id = 0; id < 2L * HeardCancellations.MOST; id++) {
            heard.add("1-a", Map.of(id, KEY));
        }
        assertThat(heard.contains("1-a", HeardCancellations.MOST - 1, KEY)).isFalse();
        assertThat(heard.contains("1-a", HeardCancellations.MOST, KEY)).isTrue();
        assertThat(heard.contains("1-a", 2L * HeardCancellations.MOST - 1, KEY)).isTrue();
    }
}
