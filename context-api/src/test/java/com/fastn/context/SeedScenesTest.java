package com.fastn.context;

import static com.fastn.context.Golden.golden;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.status.StatusRenderer;
import com.fastn.context.status.StatusSnapshot;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * The seed's four sample displays, of an application that has lived through them: every text of a row comes through the
 * public API, every age from the clock. {@code docs/seed-coverage.md} lists where they differ from the seed, and why.
 */
class SeedScenesTest {
    @Test
    void theFirstDisplayIsTheTreeWithItsNotesAndMetrics() {
        golden("seed-1-brief.txt").matches(StatusRenderer.plain().brief().render(SeedScene.brief()));
    }

    @Test
    void theSecondDisplayShowsTimingAndLocks() {
        golden("seed-2-locks.txt").matches(StatusRenderer.plain().render(SeedScene.locks()));
    }

    @Test
    void theThirdDisplayShowsCounters() {
        golden("seed-3-counters.txt").matches(StatusRenderer.plain().render(SeedScene.counters()));
    }

    @Test
    void theFourthDisplayShowsTheMachineAndGoodNews() {
        golden("seed-4-system.txt").matches(StatusRenderer.plain().render(SeedScene.system()));
        golden("seed-4-system.ansi").matches(StatusRenderer.ansi(0).render(SeedScene.system()));
    }

    @Test
    void M9_totalsOfTheSceneRollUpToTheRoot() {
        StatusSnapshot counted = SeedScene.counters();
        assertThat(counted.globalContext().subtreeTotalCounters())
                .containsEntry("commands", 2_156L + 45 + 12)
                .containsEntry("connections", 1_247L + 234);
        assertThat(List.copyOf(counted.globalContext().liveCounters().keySet()))
                .contains("connections", "active_requests");
    }
}
