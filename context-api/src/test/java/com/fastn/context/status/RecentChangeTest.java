package com.fastn.context.status;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fastn.context.status.SnapshotDelta.RecentChange;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class RecentChangeTest {
    /** The newest first. */
    private static List<FinishedContext> ended(int count) {
        return IntStream.range(0, count)
                .mapToObj(i -> new FinishedContext(
                        count - i,
                        ContextPath.of(List.of("app", "job")),
                        "job",
                        ContextKind.TASK,
                        Instant.EPOCH,
                        Instant.EPOCH.plusSeconds(count - i),
                        Duration.ofSeconds(count - i),
                        new FinishedContext.Completed(),
                        Map.of(),
                        null,
                        null))
                .toList();
    }

    @Test
    void aListOfWhatEndedIsFoundAgainWhateverIsDroppedFromIt() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        List<FinishedContext> all = ended(40);
        for (int round = 0; round < 500; round++) {
            int from = random.nextInt(all.size());
            List<FinishedContext> base = some(all.subList(from, all.size()), random);
            List<FinishedContext> later = new ArrayList<>(some(all.subList(0, from), random));
            later.addAll(some(base, random));
            RecentChange change = RecentChange.between(base, later);
            assertThat(change == null ? base : change.apply(base))
                    .as("seed %d, round %d", seed, round)
                    .isEqualTo(later);
        }
    }

    private static List<FinishedContext> some(List<FinishedContext> all, Random random) {
        return all.stream().filter(each -> random.nextInt(3) > 0).toList();
    }

    @Test
    void aDeltaThatDropsWhatItsBaseDoesNotHaveIsRefused() {
        List<FinishedContext> base = ended(5);
        for (List<Integer> dropped : List.of(List.of(5), List.of(-1), List.of(1, 1), List.of(2, 1))) {
            assertThatThrownBy(() -> new RecentChange(List.of(), 1, dropped).apply(base))
                    .as("%s", dropped)
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("the delta drops the recent context at " + dropped.get(dropped.size() - 1));
        }
        assertThatThrownBy(() -> new RecentChange(List.of(), 4, List.of(0, 2)).apply(base))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("keeps 4 recent contexts, and its base has 3 without");
        assertThatThrownBy(() -> new RecentChange(List.of(), 1, List.of(3)).apply(base))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("keeps 1 recent contexts, and its base has 4 without");
    }
}
