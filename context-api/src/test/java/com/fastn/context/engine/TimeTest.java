package com.fastn.context.engine;

import static com.fastn.context.engine.Patience.await;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.LockGuard;
import com.fastn.context.Operation;
import com.fastn.context.status.ContextStatus;
import com.fastn.context.status.StatusSnapshot;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class TimeTest {
    @RegisterExtension
    final TestTree tree = new TestTree();

    @Test
    void M7_noDurationIsNegativeWhenTheClockGoesBack() {
        tree.pass(Duration.ofDays(1));
        ContextNode task = tree.open("task");
        LockGuard<Integer> guard =
                MutexTest.ask(task, tree.root.mutex("orders", 1)).join();
        var waiting = MutexTest.ask(task, tree.root.mutex("orders", 1));
        try (Operation operation = task.operation("query")) {
            tree.pass(Duration.ofHours(-1));
            assertThat(operation.elapsed()).isZero();
            StatusSnapshot snapshot = tree.runtime.status();
            ContextStatus shown = snapshot.globalContext().children().get(0);
            assertThat(shown.duration()).isZero();
            assertThat(shown.lastActivity()).isZero();
            assertThat(shown.operations().get(0).elapsed()).isZero();
            assertThat(snapshot.activeLocks().get(0).heldDuration()).isZero();
            assertThat(snapshot.lockWaiters().get(0).waitingDuration()).isZero();
        }
        assertThat(task.duration()).isZero();
        assertThat(task.idleDuration()).isZero();
        waiting.cancel(false);
        guard.close();
        task.close();
        assertThat(task.duration()).isZero();
    }

    @Test
    void M7_eachLookAtAClockThatWentBackIsCounted() {
        tree.pass(Duration.ofDays(1));
        ContextNode task = tree.open("task");
        assertThat(task.duration()).isZero();
        assertThat(tree.root.getTotal("clock_anomaly")).isZero();
        tree.pass(Duration.ofNanos(-1));
        assertThat(task.duration()).isZero();
        assertThat(task.idleDuration()).isZero();

        assertThat(tree.root.getTotal("clock_anomaly")).isEqualTo(2);
        tree.pass(Duration.ofNanos(1));
        assertThat(task.duration()).isZero();
        assertThat(tree.root.getTotal("clock_anomaly")).isEqualTo(2);
    }

    @Test
    void M7_whatBeganAfterTheClockWasReadIsNoAnomaly() {
        long read = tree.runtime.nanos();
        tree.pass(Duration.ofSeconds(1));
        ContextNode task = tree.open("task");
        assertThat(task.durationNanos(read)).isZero();

        assertThat(tree.root.getTotal("clock_anomaly")).isZero();
    }

    @Test
    void M7_aClockThatLeapsTenYearsOrStandsStillIsBorne() {
        ContextNode task = tree.open("task");
        assertThat(task.duration()).isZero();
        tree.pass(Duration.ofDays(3_652));

        assertThat(task.duration()).isEqualTo(Duration.ofDays(3_652));
        assertThat(tree.runtime.status().warnings()).hasSize(1);
    }

    @Test
    void tasksOfTimersRunOnTheWorkersAndNotOnTheTimersThread() {
        AtomicReference<Thread> ranOn = new AtomicReference<>();
        List<Runnable> handed = new ArrayList<>();
        Executor workers = task -> {
            synchronized (handed) {
                handed.add(task);
            }
        };
        try (Timers timers = new Timers(() -> workers)) {
            timers.after(Duration.ofMillis(1), () -> ranOn.set(Thread.currentThread()));
            await().until(() -> {
                synchronized (handed) {
                    return handed.size() == 1;
                }
            });
            assertThat(ranOn).hasValue(null);
        }
    }

    @Test
    void aTimerWithoutWorkersRunsItsTaskItself() {
        CompletableFuture<String> ran = new CompletableFuture<>();
        Executor gone = task -> {
            throw new RejectedExecutionException("closed");
        };
        try (Timers timers = new Timers(() -> gone)) {
            timers.after(
                    Duration.ZERO, () -> ran.complete(Thread.currentThread().getName()));
            assertThat(ran).succeedsWithin(Duration.ofSeconds(60)).isEqualTo("fastn-context-timer");
        }
    }

    @Test
    void theThreadOfTimersExistsOnlyWhileItIsNeeded() throws InterruptedException {
        BlockingQueue<Thread> seen = new LinkedBlockingQueue<>();
        Executor workers = task -> seen.add(Thread.currentThread());
        try (Timers timers = new Timers(() -> workers)) {
            timers.after(Duration.ZERO, () -> {});
            Thread first = seen.take();
            assertThat(first.isDaemon()).isTrue();
            await().atMost(Duration.ofSeconds(30)).until(() -> !first.isAlive());

            timers.after(Duration.ZERO, () -> {});
            assertThat(seen.take()).isNotSameAs(first);
        }
    }

    @Test
    void aClosedTimerTakesNothing() {
        Timers timers = new Timers(() -> Runnable::run);
        timers.after(Duration.ofHours(1), () -> {});
        timers.close();
        timers.after(Duration.ofHours(1), () -> {}).close();

        assertThat(timers.pending()).isZero();
    }
}
