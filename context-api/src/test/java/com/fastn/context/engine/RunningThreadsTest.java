package com.fastn.context.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Who runs in a context, also when one leaves it that never entered. */
class RunningThreadsTest {
    private final Thread first = new Thread(() -> {}, "first");
    private final Thread second = new Thread(() -> {}, "second");
    private final Thread third = new Thread(() -> {}, "third");
    private final Thread stranger = new Thread(() -> {}, "stranger");

    private static Object entered(Thread... threads) {
        Object all = threads[0];
        for (int i = 1; i < threads.length; i++) {
            all = new RunningThreads(threads[i], all);
        }
        return all;
    }

    private static List<Thread> left(@Nullable Object threads) {
        return RunningThreads.list(threads);
    }

    @Test
    void whoeverLeavesTheOthersAreStillThere() {
        assertThat(left(RunningThreads.without(entered(first, second, third), first)))
                .containsExactly(third, second);
        assertThat(left(RunningThreads.without(entered(first, second, third), second)))
                .containsExactly(third, first);
        assertThat(left(RunningThreads.without(entered(first, second, third), third)))
                .containsExactly(second, first);
    }

    @Test
    void aThreadThatEnteredTwiceIsThereUntilItHasLeftTwice() {
        Object once = RunningThreads.without(entered(first, second, first), first);
        assertThat(left(once)).containsExactly(second, first);
        assertThat(left(RunningThreads.without(java.util.Objects.requireNonNull(once), first)))
                .containsExactly(second);
    }

    @Test
    void leavingOnAThreadThatNeverEnteredTakesTheLastOneSoThatNobodyIsShownForEver() {
        Object two = entered(first, second);
        Object one = RunningThreads.without(two, stranger);
        assertThat(left(one)).containsExactly(first);
        assertThat(RunningThreads.without(java.util.Objects.requireNonNull(one), stranger))
                .isNull();
        assertThat(left(null)).isEmpty();
    }
}
