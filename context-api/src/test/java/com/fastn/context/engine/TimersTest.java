package com.fastn.context.engine;

import static com.fastn.context.engine.Patience.await;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.Registration;
import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** A process at its limit of threads, for a while. */
class TimersTest {
    private static final Duration SOON = Duration.ofMillis(1);

    private final AtomicInteger refusals = new AtomicInteger();
    private final AtomicInteger runs = new AtomicInteger();
    private final Executor workers = task -> {
        refuseIfTold();
        task.run();
    };

    private void refuseIfTold() {
        if (refusals.getAndUpdate(n -> Math.max(0, n - 1)) > 0) {
            throw new OutOfMemoryError("unable to create native thread");
        }
    }

    @Test
    void whatIsDueWhileThereIsNoWorkerIsTriedAgain() {
        refusals.set(3);
        try (Timers timers = new Timers(() -> workers)) {
            timers.after(SOON, runs::incrementAndGet);

            await().untilAsserted(() -> assertThat(runs).hasValue(1));
            assertThat(refusals).hasValue(0);
        }
    }

    @Test
    void whatIsToRunSoonIsTriedAgainAndNobodyHearsOfIt() {
        refusals.set(2);
        try (Timers timers = new Timers(() -> workers)) {
            timers.soon(runs::incrementAndGet);

            await().untilAsserted(() -> assertThat(runs).hasValue(1));
        }
    }

    @Test
    void aTaskWhoseThreadCouldNotBeMadeWaitsForTheNextOne() {
        refusals.set(1);
        try (Timers timers = new Timers(() -> Runnable::run, this::thread)) {
            timers.after(SOON, runs::incrementAndGet);
            assertThat(timers.pending()).isEqualTo(1);
            assertThat(timers.tick(SOON, runs::incrementAndGet)).isTrue();

            await().untilAsserted(() -> assertThat(runs).hasValue(2));
        }
    }

    @Test
    void L4_aTaskThatHasNoThreadYetCanBeTakenBack() {
        refusals.set(1);
        try (Timers timers = new Timers(() -> Runnable::run, this::thread)) {
            Registration waiting = timers.after(SOON, runs::incrementAndGet);
            waiting.close();
            assertThat(timers.pending()).isZero();
            timers.after(SOON, () -> runs.addAndGet(100));

            await().untilAsserted(() -> assertThat(runs).hasValue(100));
        }
    }

    @Test
    void whatIsDueOnceTheyAreClosedRunsWhereItIsAskedFor() {
        refusals.set(1);
        Timers timers = new Timers(() -> workers);
        timers.close();
        timers.soon(runs::incrementAndGet);

        assertThat(runs).hasValue(1);
        assertThat(timers.tick(SOON, runs::incrementAndGet)).isFalse();
    }

    private Thread thread(Runnable task) {
        refuseIfTold();
        return new Thread(task);
    }
}
