package com.fastn.context.engine;

import static com.fastn.context.engine.Patience.await;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.ContextEngine;
import com.fastn.context.LockGuard;
import com.fastn.context.Operation;
import com.fastn.context.Registration;
import com.fastn.context.Thresholds;
import com.fastn.context.status.ContextStatus;
import com.fastn.context.status.LockWaiter;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.context.status.StatusWarning;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Flow;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class StatusStreamTest {
    /** A little less than a second: the clocks of timers are not exact. */
    private static final long PACE_NANOS = TimeUnit.MILLISECONDS.toNanos(950);

    @RegisterExtension
    final TestTree tree = new TestTree();

    /** Keeps what it is sent, and when. */
    private static class Watcher implements Flow.Subscriber<StatusSnapshot> {
        final List<StatusSnapshot> snapshots = new CopyOnWriteArrayList<>();
        final List<Long> times = new CopyOnWriteArrayList<>();
        final List<Throwable> errors = new CopyOnWriteArrayList<>();
        final AtomicBoolean completed = new AtomicBoolean();
        final AtomicReference<Flow.@Nullable Subscription> subscription = new AtomicReference<>();
        private final long first;

        Watcher(long first) {
            this.first = first;
        }

        @Override
        public void onSubscribe(Flow.Subscription given) {
            subscription.set(given);
            if (first != 0) {
                given.request(first);
            }
        }

        @Override
        public void onNext(StatusSnapshot snapshot) {
            times.add(System.nanoTime());
            snapshots.add(snapshot);
        }

        @Override
        public void onError(Throwable failure) {
            errors.add(failure);
        }

        @Override
        public void onComplete() {
            completed.set(true);
        }

        void request(long n) {
            Flow.Subscription given = subscription.get();
            if (given != null) {
                given.request(n);
            }
        }

        void cancel() {
            Flow.Subscription given = subscription.get();
            if (given != null) {
                given.cancel();
            }
        }

        void awaitSnapshots(int n) {
            await().atMost(30, TimeUnit.SECONDS).until(() -> snapshots.size() >= n);
        }

        void awaitChanges(long n) {
            await().atMost(30, TimeUnit.SECONDS).until(() -> {
                ContextStatus newest = snapshots.get(snapshots.size() - 1).globalContext();
                return newest.totalCounters().getOrDefault("changes", 0L) == n;
            });
        }
    }

    private Watcher watch(long first) {
        Watcher watcher = new Watcher(first);
        tree.runtime.statusStream().subscribe(watcher);
        return watcher;
    }

    /** Nothing is scheduled any more, as nobody has asked for more. */
    private void awaitRest() {
        await().atMost(30, TimeUnit.SECONDS).until(() -> tree.runtime.timers().pending() == 0);
    }

    /** Longer than it takes until what has changed is told. */
    private static void staysAt(Watcher watcher, int snapshots) {
        await().atMost(30, TimeUnit.SECONDS)
                .during(2, TimeUnit.SECONDS)
                .until(() -> watcher.snapshots.size() == snapshots);
    }

    @Test
    void theFirstSnapshotComesAtOnceAndNothingMoreUntilSomethingChanges() {
        Watcher watcher = watch(Long.MAX_VALUE);
        watcher.awaitSnapshots(1);
        tree.passSeconds(1_000);
        staysAt(watcher, 1);

        tree.open("task");
        watcher.awaitSnapshots(2);
        assertThat(watcher.snapshots.get(1).globalContext().children()).hasSize(1);
        staysAt(watcher, 2);
        watcher.cancel();
    }

    @Test
    void whoAsksForNothingWhileASnapshotIsBeingSentIsToldSoBehindIt() throws InterruptedException {
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        Watcher watcher = new Watcher(5) {
            @Override
            public void onNext(StatusSnapshot snapshot) {
                inside.countDown();
                try {
                    goOn.await();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
                super.onNext(snapshot);
            }
        };
        tree.runtime.statusStream().subscribe(watcher);
        try {
            assertThat(inside.await(20, TimeUnit.SECONDS)).isTrue();
            watcher.request(0);
            watcher.request(-1);
            assertThat(watcher.errors).as("one signal at a time").isEmpty();
        } finally {
            goOn.countDown();
        }
        await().until(() -> !watcher.errors.isEmpty());

        assertThat(watcher.errors).singleElement().isInstanceOf(IllegalArgumentException.class);
        tree.open("task");
        awaitRest();
        assertThat(watcher.snapshots).hasSize(1);
        assertThat(watcher.completed).isFalse();
    }

    @Test
    void manyChangesAreToldAtMostOncePerSecondAndTheLastIsNotLost() {
        Watcher watcher = watch(Long.MAX_VALUE);
        while (watcher.snapshots.size() < 3) {
            tree.root.incrementTotal("changes");
        }
        long last = tree.root.getTotal("changes");
        watcher.awaitChanges(last);
        checkPace(watcher);
        watcher.cancel();
    }

    @Test
    void changesWhileItLooksForThresholdsDoNotSpeedItUp() {
        LockGuard<?> held =
                tree.root.mutex("orders").lock().toCompletableFuture().join();
        Watcher watcher = watch(Long.MAX_VALUE);
        watcher.awaitSnapshots(1);
        // The first change comes while it looks once a second; the next ones while it rests from telling that.
        ScheduledExecutorService changes = Executors.newSingleThreadScheduledExecutor();
        try {
            for (int millis : new int[] {1_400, 1_500, 2_600}) {
                var unused = changes.schedule(() -> tree.root.incrementTotal("changes"), millis, TimeUnit.MILLISECONDS);
            }
            watcher.awaitChanges(3);
        } finally {
            changes.shutdownNow();
        }
        checkPace(watcher);
        held.close();
        watcher.cancel();
    }

    private static void checkPace(Watcher watcher) {
        for (int i = 1; i < watcher.times.size(); i++) {
            assertThat(watcher.times.get(i) - watcher.times.get(i - 1))
                    .as("between snapshot %d and %d", i - 1, i)
                    .isGreaterThan(PACE_NANOS);
        }
    }

    @Test
    void aSilentSystemStillTurnsStuck() {
        LockGuard<?> held =
                tree.root.mutex("orders").lock().toCompletableFuture().join();
        var waiting = MutexTest.ask(tree.open("waiter"), tree.root.mutex("orders"));
        Watcher watcher = watch(Long.MAX_VALUE);
        watcher.awaitSnapshots(1);
        assertThat(watcher.snapshots.get(0).lockWaiters()).noneMatch(LockWaiter::stuck);
        tree.passSeconds(6);

        watcher.awaitSnapshots(2);
        assertThat(watcher.snapshots.get(1).lockWaiters()).allMatch(LockWaiter::stuck);
        waiting.cancel(false);
        held.close();
        watcher.cancel();
    }

    @Test
    void whatIdlesTooLongIsToldThoughNothingIsHeldOrUnderWay() {
        tree.root
                .child("poller")
                .withSetting(Thresholds.CONTEXT_IDLE, Duration.ofSeconds(30))
                .open();
        Watcher watcher = watch(Long.MAX_VALUE);
        watcher.awaitSnapshots(1);
        assertThat(watcher.snapshots.get(0).warnings()).isEmpty();
        tree.passSeconds(60);

        await().atMost(30, TimeUnit.SECONDS).until(() -> watcher.snapshots.size() > 1);
        assertThat(watcher.snapshots.get(1).warnings())
                .extracting(StatusWarning::id)
                .contains("context-idle");
        watcher.cancel();
    }

    @Test
    @SuppressWarnings("MustBeClosedChecker") // closed at the end
    void oneMoreThanTheTwentyThatAreNamedIsToldToo() {
        List<Operation> queries = new ArrayList<>();
        for (int i = 0; i <= Findings.MAX_PER_RULE; i++) {
            queries.add(tree.open("reader").operation("db"));
        }
        tree.passSeconds(5);
        queries.add(tree.open("reader").operation("db"));
        tree.passSeconds(6);
        Watcher watcher = watch(Long.MAX_VALUE);
        watcher.awaitSnapshots(1);
        assertThat(watcher.snapshots.get(0).warnings())
                .extracting(StatusWarning::message)
                .contains("+1 more operations slow");
        tree.passSeconds(6);

        watcher.awaitSnapshots(2);
        assertThat(watcher.snapshots.get(1).warnings())
                .extracting(StatusWarning::message)
                .contains("+2 more operations slow");
        queries.forEach(Operation::close);
        watcher.cancel();
    }

    @Test
    void whoAsksForNothingIsSentNothingAndCostsNothing() {
        Watcher watcher = watch(0);
        tree.open("task");

        assertThat(tree.runtime.hasChangeHooks()).isFalse();
        assertThat(tree.runtime.timers().pending()).isZero();
        assertThat(watcher.snapshots).isEmpty();
        watcher.request(1);
        watcher.awaitSnapshots(1);
        watcher.cancel();
    }

    @Test
    void whoAskedForOneIsSentOneAndLaterTheNewest() {
        Watcher watcher = watch(1);
        watcher.awaitSnapshots(1);
        tree.open("one");
        tree.open("two");
        awaitRest();
        assertThat(watcher.snapshots).hasSize(1);

        watcher.request(1);
        watcher.awaitSnapshots(2);
        assertThat(watcher.snapshots.get(1).globalContext().children()).hasSize(2);
        watcher.cancel();
    }

    @Test
    void aSlowWatcherThatAsksAgainHearsWhatTurnedStuckMeanwhile() {
        LockGuard<?> held =
                tree.root.mutex("orders").lock().toCompletableFuture().join();
        Watcher watcher = watch(1);
        watcher.awaitSnapshots(1);
        awaitRest();
        tree.passSeconds(60);
        watcher.request(1);

        watcher.awaitSnapshots(2);
        assertThat(watcher.snapshots.get(1).activeLocks()).singleElement().matches(lock -> lock.longHeld());
        held.close();
        watcher.cancel();
    }

    @Test
    void whoCancelsIsSentNothingMore() {
        Watcher watcher = watch(Long.MAX_VALUE);
        watcher.awaitSnapshots(1);
        watcher.cancel();
        watcher.cancel();
        watcher.request(1);
        tree.open("task");
        awaitRest();

        assertThat(watcher.snapshots).hasSize(1);
        assertThat(watcher.completed).isFalse();
        assertThat(tree.runtime.hasChangeHooks()).isFalse();
    }

    @Test
    void askingForLessThanOneIsAnErrorThatIsToldOnce() {
        Watcher watcher = watch(0);
        watcher.request(0);
        watcher.request(-1);

        assertThat(watcher.errors)
                .singleElement()
                .isInstanceOf(IllegalArgumentException.class)
                .extracting(Throwable::getMessage)
                .isEqualTo("asked for 0 snapshots; ask for at least 1");
    }

    @Test
    void aWatcherThatThrowsIsLetGo() {
        AtomicBoolean told = new AtomicBoolean();
        tree.runtime.statusStream().subscribe(new Watcher(1) {
            @Override
            public void onNext(StatusSnapshot snapshot) {
                told.set(true);
                throw new IllegalStateException("broken watcher");
            }
        });
        await().until(() -> told.get() && !tree.runtime.hasChangeHooks());
    }

    @Test
    void theEndOfTheRuntimeEndsTheStream() {
        Watcher watcher = watch(Long.MAX_VALUE);
        Watcher silent = watch(0);
        watcher.awaitSnapshots(1);
        tree.runtime.close();

        await().untilTrue(watcher.completed);
        await().untilTrue(silent.completed);
        Watcher late = watch(1);
        await().untilTrue(late.completed);
    }

    @Test
    void aStreamThatCannotRestEndsWithAnError() {
        OutOfMemoryError noThread = new OutOfMemoryError("no thread for now");
        Timers none = new Timers(() -> Runnable::run) {
            @Override
            Registration after(Duration delay, Runnable task) {
                throw noThread;
            }
        };
        try (EngineRuntime runtime = new EngineRuntime(
                new ContextEngine.Settings("other", "Other", "bob", tree.ticker, 10, 10, false),
                tree.runtime.current(),
                CounterStore.Caps.DEFAULT,
                none)) {
            Watcher watcher = new Watcher(Long.MAX_VALUE);
            runtime.statusStream().subscribe(watcher);
            assertThat(watcher.snapshots).hasSize(1);
            assertThat(watcher.errors).containsExactly(noThread);
        }
    }
}
