package com.fastn.context.status;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class RecentShareTest {
    private static final FinishedContext.Outcome WELL = new FinishedContext.Completed();
    private static final FinishedContext.Outcome WRONG = new FinishedContext.Failed("disk full");

    /** {@return contexts with these numbers, the highest and newest first} */
    private static List<FinishedContext> ended(int from, int to, FinishedContext.Outcome outcome) {
        return IntStream.iterate(to, id -> id >= from, id -> id - 1)
                .mapToObj(id -> Scenes.ended(id, "job-" + id, "1s", outcome))
                .toList();
    }

    private static List<FinishedContext> both(List<FinishedContext> newer, List<FinishedContext> older) {
        return Stream.concat(newer.stream(), older.stream()).toList();
    }

    private static List<Long> ids(List<FinishedContext> recent) {
        return recent.stream().map(FinishedContext::id).toList();
    }

    @Test
    void whatWentWrongHasHalfOfTheRoomHoweverManyCompletedAfterIt() {
        List<FinishedContext> all = both(ended(11, 20, WELL), ended(1, 10, WRONG));
        assertThat(ids(FinishedContext.atMost(all, 6))).containsExactly(20L, 19L, 18L, 10L, 9L, 8L);
        assertThat(ids(FinishedContext.atMost(all, 5))).containsExactly(20L, 19L, 18L, 10L, 9L);
        assertThat(ids(FinishedContext.atMost(all, 1))).containsExactly(20L);
        assertThat(FinishedContext.atMost(all, 0)).isEmpty();
        assertThat(FinishedContext.atMost(all, 20)).isEqualTo(all);
        assertThat(FinishedContext.atMost(all, Integer.MAX_VALUE)).isEqualTo(all);
        assertThat(FinishedContext.atMost(List.of(), 5)).isEmpty();
    }

    @Test
    void ofFewThatWentWrongAllAreToldAndTheNewestWhateverTheyAre() {
        List<FinishedContext> oneWrong = both(ended(2, 20, WELL), ended(1, 1, WRONG));
        assertThat(ids(FinishedContext.atMost(oneWrong, 4))).containsExactly(20L, 19L, 18L, 1L);
        List<FinishedContext> newestWrong = both(ended(11, 20, WRONG), ended(1, 10, WELL));
        assertThat(FinishedContext.atMost(newestWrong, 4)).isEqualTo(newestWrong.subList(0, 4));
        assertThat(FinishedContext.atMost(newestWrong, 14)).isEqualTo(newestWrong.subList(0, 14));
    }

    @Test
    void onePlaceMoreIsForOneMore() {
        List<FinishedContext> all = new ArrayList<>();
        for (int id = 64; id > 0; id--) {
            all.addAll(ended(id, id, Integer.bitCount(id) % 3 == 0 ? WRONG : WELL));
        }
        for (int most = 2; most <= all.size(); most++) {
            assertThat(FinishedContext.atMost(all, most))
                    .hasSize(most)
                    .containsAll(FinishedContext.atMost(all, most - 1));
        }
    }

    @Test
    void M10_anAnswerThatIsTooLargeKeepsWhatWentWrongToo() {
        StatusSnapshot whole = Scenes.recent().withRecent(both(ended(101, 200, WELL), ended(1, 100, WRONG)));
        StatusSnapshot folded = SnapshotFold.fold(whole, SnapshotLimits.DEFAULT.withMaxBytes(20_000));
        assertThat(folded.recent()).hasSizeBetween(4, 100);
        assertThat(folded.recent().get(0).id()).isEqualTo(200);
        assertThat(folded.recent())
                .filteredOn(finished -> finished.outcome().equals(WRONG))
                .hasSize(folded.recent().size() / 2)
                .first()
                .extracting(FinishedContext::id)
                .isEqualTo(100L);
    }
}
