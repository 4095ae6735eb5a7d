package com.fastn.context.vertx;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class RepliesByCallerTest {
    private static final int MANY = 100_000;

    private record Kept(String caller, int number) {}

    private final AtomicInteger looks = new AtomicInteger();
    private final RepliesByCaller<String, Kept> replies = new RepliesByCaller<>(kept -> {
        looks.incrementAndGet();
        return kept.caller;
    });

    private void keepMany() {
        for (int i = 0; i < MANY; i++) {
            assertThat(replies.put("reply-" + i, new Kept("caller-" + i, i))).isNull();
        }
    }

    private List<Integer> of(String... callers) {
        List<Integer> found = new ArrayList<>();
        replies.of(Set.of(callers), kept -> found.add(kept.number));
        return found;
    }

    /** By counting: a look at each of them would be one of a hundred thousand. */
    @Test
    void whoIsLookedForIsFoundAmongFewHoweverManyRepliesAreOwed() {
        keepMany();
        for (int number : new int[] {0, RepliesByCaller.FEW - 1, RepliesByCaller.FEW, MANY - 1}) {
            looks.set(0);
            assertThat(of("caller-" + number, "nobody")).containsExactly(number);
            assertThat(looks.get()).isLessThanOrEqualTo(RepliesByCaller.FEW);
        }
    }

    @Test
    void whatIsTakenIsFoundNoMoreAndLeavesNothing() {
        keepMany();
        assertThat(replies.size()).isEqualTo(MANY);
        // Those of the first few last, so that both kinds are taken while there are others.
        for (int i = MANY - 1; i >= 0; i--) {
            Kept kept = i % 2 == 0 ? replies.remove("reply-" + i) : replies.get("reply-" + i);
            assertThat(kept).isEqualTo(new Kept("caller-" + i, i));
            if (i % 2 != 0) {
                assertThat(replies.remove("reply-" + i, new Kept("caller-" + i, -1)))
                        .isFalse();
                assertThat(replies.remove("reply-" + i, new Kept("caller-" + i, i)))
                        .isTrue();
            }
        }
        assertThat(replies.isEmpty()).isTrue();
        assertThat(replies.callers()).isZero();
        assertThat(of("caller-5", "caller-" + (MANY - 1))).isEmpty();
    }

    @Test
    void aCallerThatWaitsForManyIsToldOfEach() {
        keepMany();
        IntStream.range(0, 3).forEach(i -> replies.put("more-" + i, new Kept("caller-7", MANY + i)));
        assertThat(of("caller-7")).containsExactlyInAnyOrder(7, MANY, MANY + 1, MANY + 2);
        replies.remove("more-1");
        assertThat(of("caller-7")).containsExactlyInAnyOrder(7, MANY, MANY + 2);
    }

    /** Whoever sends may write the address of another one's reply. */
    @Test
    void anAddressThatIsUsedAgainGivesWhatWasThereAndHasOneEntry() {
        keepMany();
        for (int number : new int[] {0, MANY - 1}) {
            Kept again = new Kept("another", number);
            assertThat(replies.put("reply-" + number, again)).isEqualTo(new Kept("caller-" + number, number));
            assertThat(replies.get("reply-" + number)).isEqualTo(again);
            assertThat(of("caller-" + number)).isEmpty();
        }
        assertThat(of("another")).containsExactlyInAnyOrder(0, MANY - 1);
        assertThat(replies.size()).isEqualTo(MANY);
    }

    @Test
    void whatIsReplacedIsFoundInItsNewForm() {
        keepMany();
        for (int number : new int[] {0, MANY - 1}) {
            Kept before = new Kept("caller-" + number, number);
            Kept after = new Kept("caller-" + number, -number - 1);
            assertThat(replies.replace("reply-" + number, after, before)).isFalse();
            assertThat(replies.replace("reply-" + number, before, after)).isTrue();
            assertThat(of("caller-" + number)).containsExactly(-number - 1);
        }
    }
}
