package com.fastn.status;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;

class ForgettingTest {
    private static final Duration TIME = Duration.ofMinutes(1);

    private final Deque<Runnable> timers = new ArrayDeque<>();
    private final AtomicBoolean wanted = new AtomicBoolean(true);
    private final AtomicBoolean left = new AtomicBoolean(true);
    private final Forgetting forgetting = new Forgetting((time, look) -> timers.add(look), wanted::get);

    private void keep() {
        left.set(true);
        forgetting.keeps("pages", TIME, left::get);
    }

    private void goOff() {
        timers.remove().run();
    }

    @Test
    void thereIsOneLookToComeAsLongAsSomethingIsKept() {
        keep();
        keep();
        assertThat(timers).hasSize(1);
        goOff();
        assertThat(timers).hasSize(1);
        left.set(false);
        goOff();
        assertThat(timers).isEmpty();
        keep();
        assertThat(timers).hasSize(1);
    }

    @Test
    void whatIsKeptWhileTheLastLookFindsNothingIsForgottenToo() {
        AtomicBoolean keepsMore = new AtomicBoolean(true);
        BooleanSupplier isAnyLeft = () -> {
            boolean found = left.get();
            if (keepsMore.getAndSet(false)) {
                // On another thread, after this one has looked.
                keep();
            }
            return found;
        };
        left.set(false);
        forgetting.keeps("pages", TIME, isAnyLeft);
        goOff();
        assertThat(timers).as("looks to come").hasSize(1);
        assertThat(left).isTrue();
    }

    @Test
    void twoThatKeepThingsForTheSameTimeAreBothLookedAt() {
        keep();
        AtomicBoolean looked = new AtomicBoolean();
        forgetting.keeps("told", TIME, () -> looked.getAndSet(true));
        assertThat(timers).hasSize(2);
        goOff();
        goOff();
        assertThat(looked).isTrue();
    }

    @Test
    void nothingIsLookedAtWhenNobodyMayAskAnyMore() {
        keep();
        wanted.set(false);
        goOff();
        assertThat(timers).isEmpty();
    }
}
