package com.fastn.status;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.ContextRuntime;
import com.fastn.context.FastnContext;
import com.fastn.context.status.StatusSnapshot;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class MetricsTextTest {
    private static final Pattern SAMPLE = Pattern.compile(
            "[a-z_]+(\\{[a-z]+=\"([^\"\\\\\\n]|\\\\[\\\\\"n])*\"(,[a-z]+=\"([^\"\\\\\\n]|\\\\[\\\\\"n])*\")*})? -?[0-9][0-9.E-]*");

    private final ContextRuntime runtime =
            ContextRuntime.builder().alias("alice").build();

    @AfterEach
    void close() {
        runtime.close();
    }

    private String text(boolean openMetrics) {
        StatusSnapshot snapshot = runtime.status();
        return MetricsText.of(snapshot, runtime.counters().flat(runtime.root().path()), openMetrics);
    }

    @Test
    void countersLocksAndWaitersAreTold() {
        try (FastnContext shop = runtime.root().child("shop").open()) {
            shop.addTotal("requests", 7);
            shop.incrementLive("requests");
            shop.incrementTotal("live_and_well");
            shop.mutex("stock").tryLock();

            assertThat(text(false).lines())
                    .contains(
                            "# TYPE fastn_counter_total counter",
                            "fastn_counter_total{path=\"global.shop\",counter=\"requests\"} 7",
                            "fastn_counter_total{path=\"global.shop\",counter=\"live_and_well\"} 1",
                            "fastn_live{path=\"global.shop\",counter=\"requests\"} 1",
                            "fastn_locks_held 1",
                            "fastn_contexts 2");
            assertThat(text(true).lines())
                    .contains("# TYPE fastn_counter counter")
                    .last()
                    .isEqualTo("# EOF");
        }
    }

    @Test
    void S7_aHostileNameStaysInItsLabel() {
        for (String name : List.of("a\"} 1\nfake 2", "back\\slash", "dots.and\\.more", "\u202Eevil", "{}=,")) {
            try (FastnContext hostile = runtime.root().child(name).open()) {
                hostile.incrementTotal(name);
                hostile.incrementLive(name);
                assertThat(text(false).lines().filter(line -> !line.startsWith("#")))
                        .allMatch(line -> SAMPLE.matcher(line).matches())
                        .noneMatch(line -> line.startsWith("fake"));
            }
        }
    }

    @Test
    void theNumberOfSeriesIsBoundedAndTheRestIsCounted() {
        Map<String, Long> flat = new TreeMap<>();
        for (int i = 0; i < MetricsText.MOST_COUNTERS + 500; i++) {
            flat.put("global.user-" + i + ".requests", 1L);
        }
        flat.put("global.requests", 5L);
        String text = MetricsText.of(runtime.status(), flat, false);
        assertThat(text.lines().filter(line -> line.startsWith("fastn_counter_total{")))
                .hasSize(MetricsText.MOST_COUNTERS)
                .contains("fastn_counter_total{path=\"global\",counter=\"requests\"} 5");
        assertThat(text).contains("fastn_counters_left_out 501\n");
    }
}
