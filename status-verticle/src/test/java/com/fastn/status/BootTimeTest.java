package com.fastn.status;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.ContextRuntime;
import com.fastn.context.ManualTicker;
import com.fastn.context.status.NodeIdentity;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class BootTimeTest {
    @Test
    void D3_theIncarnationOfARuntimeTellsWhenItBegan() {
        Instant boot = Instant.parse("2026-03-01T10:15:30.123Z");
        try (ContextRuntime runtime =
                ContextRuntime.builder().ticker(new ManualTicker(boot)).build()) {
            assertThat(BootTime.of(runtime.node())).isEqualTo(boot.toEpochMilli());
        }
    }

    @Test
    void anIncarnationOfAnotherFormTellsNothing() {
        for (String incarnation :
                new String[] {"", "-", "ghost-1", "0123456789ab", "0123456789zz-1", "-123456789ab-1", "+123456789ab-1"
                }) {
            assertThat(BootTime.of(new NodeIdentity("ghost", incarnation)))
                    .as(incarnation)
                    .isZero();
        }
    }
}
