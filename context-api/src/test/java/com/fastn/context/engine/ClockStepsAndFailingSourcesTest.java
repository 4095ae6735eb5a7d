package com.fastn.context.engine;

import static com.fastn.context.engine.Patience.await;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.ContextEngine;
import com.fastn.context.ContextMutex;
import com.fastn.context.ContextScope;
import com.fastn.context.DeadlockPolicy;
import com.fastn.context.FastnContext;
import com.fastn.context.LockGuard;
import com.fastn.context.Operation;
import com.fastn.context.Registration;
import com.fastn.context.Thresholds;
import com.fastn.context.Ticker;
import com.fastn.context.status.StatusSnapshot;
import java.io.ByteArrayOutputStream;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Causes while the wall clock is set, and while what is asked for a status fails as a class that is missing does. */
class ClockStepsAndFailingSourcesTest {
    /** A look for stalls that is held up, as by a pause of this process, is followed by a rest of fifty times as long. */
    private static final Duration LONG = Duration.ofMinutes(4);

    /** Time that passes by hand, and a wall clock that is set besides. */
    private static final class SetClock implements Ticker {
        private final AtomicLong nanos = new AtomicLong();
        private volatile Instant wall = Instant.parse("2026-01-01T12:00:00Z");
        private volatile boolean fails;

        @Override
        public long nanos() {
            return nanos.get();
        }

        @Override
        public Instant wallTime() {
            if (fails) {
                throw missing();
            }
            return wall;
        }

        void pass(Duration time) {
            nanos.addAndGet(time.toNanos());
            wall = wall.plus(time);
        }

        void set(Duration step) {
            wall = wall.plus(step);
        }
    }

    private final SetClock clock = new SetClock();
    private EngineRuntime runtime = with(clock);

    private static EngineRuntime with(Ticker ticker) {
        return new EngineRuntime(
                new ContextEngine.Settings("app", "App", "alice", ticker, 10_000, 100, false, DeadlockPolicy.REPORT),
                Engine.instance().currentContext());
    }

    @AfterEach
    void close() {
        runtime.close();
    }

    private CompletableFuture<LockGuard<Integer>> ask(FastnContext who, ContextMutex<Integer> lock) {
        try (ContextScope ignored = who.makeCurrent()) {
            return lock.lock().toCompletableFuture();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"PT-1H", "PT87600H"})
    void M7_anEpisodeEndsAndLastsAsLongAsItWasWhenTheWallClockIsSet(Duration step) {
        ContextMutex<Integer> orders = runtime.root().mutex("orders", 1);
        LockGuard<Integer> held =
                ask(runtime.root().child("holder").open(), orders).join();
        CompletableFuture<LockGuard<Integer>> waiter =
                ask(runtime.root().child("waiter").open(), orders);
        clock.pass(Duration.ofSeconds(60));
        assertThat(runtime.episodes()).singleElement().satisfies(episode -> {
            assertThat(episode.isOpen()).isTrue();
            assertThat(episode.lasted()).isEqualTo(Duration.ofSeconds(60));
        });
        clock.set(step);
        clock.pass(Duration.ofSeconds(1));
        assertThat(runtime.episodes())
                .singleElement()
                .satisfies(episode -> assertThat(episode.lasted()).isEqualTo(Duration.ofSeconds(61)));
        held.close();
        waiter.join().close();
        assertThat(runtime.episodes()).singleElement().satisfies(episode -> {
            assertThat(episode.isOpen()).isFalse();
            assertThat(episode.lasted()).isEqualTo(Duration.ofSeconds(61));
        });
        assertThat(runtime.causes().isEpisodeOpen()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"PT-1H", "PT87600H"})
    void M7_aDeadlockIsAsOldAsItsLastWaitWhenTheWallClockIsSet(Duration step) {
        ContextMutex<Integer> m = runtime.root().mutex("m", 1);
        ContextMutex<Integer> n = runtime.root().mutex("n", 1);
        FastnContext a = runtime.root().child("a").open();
        FastnContext b = runtime.root().child("b").open();
        LockGuard<Integer> first = ask(a, m).join();
        LockGuard<Integer> second = ask(b, n).join();
        CompletableFuture<LockGuard<Integer>> aWants = ask(a, n);
        clock.pass(Duration.ofSeconds(5));
        CompletableFuture<LockGuard<Integer>> bWants = ask(b, m);
        assertThat(runtime.status().deadlocks()).hasSize(1);
        clock.set(step);
        clock.pass(Duration.ofSeconds(2));
        assertThat(runtime.status().warnings())
                .filteredOn(warning -> warning.id().startsWith("deadlock"))
                .singleElement()
                .satisfies(warning -> assertThat(warning.since()).isEqualTo(Duration.ofSeconds(2)));
        first.close();
        second.close();
        aWants.join().close();
        bWants.join().close();
    }

    private static NoClassDefFoundError missing() {
        return new NoClassDefFoundError("a class of the application");
    }

    @Test
    void S5_anErrorOfASourceDoesNotReachWhoAsksForAStatus() {
        var unusedMetrics = runtime.setSystemMetrics(() -> {
            throw missing();
        });
        var unusedPlaces = runtime.setBlockedPlaces(() -> {
            throw missing();
        });
        var unusedHook = runtime.beforeSnapshot(() -> {
            throw missing();
        });
        StatusSnapshot status = runtime.status();
        assertThat(status.systemMetrics()).isNull();
        assertThat(status.causes().blocked()).isEmpty();
        assertThat(runtime.explainAll()).isEmpty();
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        runtime.writeStatus(out);
        assertThat(out.size()).isPositive();
    }

    @Test
    @SuppressWarnings("MustBeClosedChecker") // the end of its context ends it
    void S5_anErrorOfTheClockDoesNotReachWhoEndsASlowOperationOrItsContext() {
        FastnContext task = runtime.root().child("task").open();
        Operation byItself = task.operation("db-query");
        task.operation("left-open");
        clock.pass(Duration.ofSeconds(12));
        clock.fails = true;
        byItself.close();
        task.close();
        clock.fails = false;
        assertThat(runtime.openContexts()).as("the root").isOne();
        assertThat(runtime.status().globalContext().children()).isEmpty();
        assertThat(runtime.episodes()).isEmpty();
    }

    @Test
    void S5_anErrorOfASourceDoesNotEndTheLookForStalls() {
        runtime.close();
        runtime = with(Ticker.system());
        runtime.root().setSetting(Thresholds.WAITER_STUCK, Duration.ofMillis(1));
        CompletableFuture<Void> asked = new CompletableFuture<>();
        Registration source = runtime.setBlockedPlaces(() -> {
            asked.complete(null);
            throw missing();
        });
        ContextMutex<Integer> orders = runtime.root().mutex("orders", 1);
        LockGuard<Integer> held =
                ask(runtime.root().child("holder").open(), orders).join();
        CompletableFuture<LockGuard<Integer>> waiter =
                ask(runtime.root().child("waiter").open(), orders);
        assertThat(asked).succeedsWithin(LONG);
        source.close();
        await().atMost(LONG).until(() -> runtime.causes().isEpisodeOpen());
        held.close();
        waiter.join().close();
        await().atMost(LONG).until(() -> !runtime.causes().isEpisodeOpen());
    }

    @Test
    void aCrowdThatMayWaitForLongDoesNotKeepTheLookFromThoseWhoMayNot() {
        runtime.close();
        runtime = with(Ticker.system());
        ContextNode patient = (ContextNode) runtime.root()
                .child("patient")
                .withSetting(Thresholds.WAITER_STUCK, Duration.ofHours(1))
                .open();
        ContextMutex<Integer> batch = runtime.root().mutex("batch", 1);
        ContextMutex<Integer> orders = runtime.root().mutex("orders", 1);
        List<LockGuard<Integer>> held = List.of(
                ask(runtime.root().child("holder").open(), batch).join(),
                ask(runtime.root().child("other").open(), orders).join());
        for (int i = 0; i < 100; i++) {
            var unused = ask(patient, batch);
        }
        ContextNode impatient = (ContextNode) runtime.root()
                .child("impatient")
                .withSetting(Thresholds.WAITER_STUCK, Duration.ofMillis(1))
                .open();
        await().atMost(LONG).until(() -> {
            var unused = ask(impatient, orders);
            return runtime.causes().isEpisodeOpen();
        });
        patient.cancel();
        impatient.cancel();
        held.forEach(LockGuard::close);
    }
}
