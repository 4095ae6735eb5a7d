package com.fastn.status;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.status.StatusWarning;
import com.fastn.context.status.WarningSeverity;
import com.fastn.context.vertx.EventLoopDelay;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LateEventLoopsTest {
    private static EventLoopDelay delay(String loop, int millis) {
        return new EventLoopDelay(loop, Duration.ofMillis(millis), Duration.ofSeconds(10));
    }

    @Test
    void theLatestLoopIsNamedAndTheOthersAreCounted() {
        StatusWarning warning = requireNonNull(
                new LateEventLoops(() -> List.of(delay("loop-0", 120), delay("loop-1", 1_400), delay("loop-2", 20)))
                        .warning("global"));
        assertThat(warning.id()).isEqualTo("event-loop-late");
        assertThat(warning.severity()).isEqualTo(WarningSeverity.WARNING);
        assertThat(warning.message()).isEqualTo("loop-1 runs tasks 1.4s late, and 1 more event loop is late");
        assertThat(warning.contextPath()).isEqualTo("global");
    }

    @Test
    void oneLateLoopIsNamedAlone() {
        assertThat(requireNonNull(new LateEventLoops(() -> List.of(delay("loop-0", 340))).warning("global"))
                        .message())
                .isEqualTo("loop-0 runs tasks 0.3s late");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 99})
    void whoIsInTimeOrIsNotMeasuredIsNoWarning(int millis) {
        assertThat(new LateEventLoops(() -> List.of(delay("loop-0", millis))).warning("global"))
                .isNull();
        assertThat(new LateEventLoops(List::of).warning("global")).isNull();
    }
}
