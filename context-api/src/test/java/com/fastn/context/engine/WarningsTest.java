package com.fastn.context.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import com.fastn.context.ContextMutex;
import com.fastn.context.ContextScope;
import com.fastn.context.FastnContext;
import com.fastn.context.LockGuard;
import com.fastn.context.Thresholds;
import com.fastn.context.status.ContextKind;
import com.fastn.context.status.LockWaiter;
import com.fastn.context.status.OperationStatus;
import com.fastn.context.status.StatusWarning;
import com.fastn.context.status.SystemMetrics;
import com.fastn.context.status.WarningSeverity;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class WarningsTest {
    private static final Duration NEVER = ChronoUnit.FOREVER.getDuration();

    @RegisterExtension
    final TestTree tree = new TestTree();

    private List<StatusWarning> warnings() {
        return tree.runtime.status().warnings();
    }

    private ContextNode service(String name) {
        return (ContextNode) tree.root.child(name).withKind(ContextKind.SERVICE).open();
    }

    @Test
    void aQuietTreeHasNoWarnings() {
        service("server");
        tree.open("task");
        assertThat(warnings()).isEmpty();
    }

    @Test
    void aLockIsLongHeldAfterTenSeconds() {
        ContextNode holder = service("settle");
        ContextMutex<Integer> orders = tree.root.mutex("orders", 1);
        LockGuard<Integer> guard = MutexTest.ask(holder, orders).join();
        tree.passSeconds(10);
        assertThat(warnings()).isEmpty();
        tree.passSeconds(2.3);

        assertThat(warnings())
                .containsExactly(new StatusWarning(
                        "lock-long-held",
                        WarningSeverity.WARNING,
                        "Long-held lock \"orders\" (12.3s) held by settle",
                        "app.settle",
                        holder.id(),
                        "what settle is doing while it holds the lock",
                        Duration.ofMillis(12_300)));
        assertThat(tree.runtime.status().activeLocks()).singleElement().matches(lock -> lock.longHeld());
        guard.close();
    }

    @Test
    void L15_aWaiterIsStuckAfterFiveSecondsAndThatIsNeverCalledADeadlock() {
        ContextMutex<Integer> orders = tree.root.mutex("orders", 1);
        LockGuard<Integer> guard = MutexTest.ask(service("settle"), orders).join();
        ContextNode waiter = service("checkout");
        CompletableFuture<LockGuard<Integer>> waiting = MutexTest.ask(waiter, orders);
        tree.passSeconds(5);
        assertThat(warnings()).isEmpty();
        tree.passSeconds(3.1);

        assertThat(warnings())
                .containsExactly(new StatusWarning(
                        "waiter-stuck",
                        WarningSeverity.WARNING,
                        "checkout stuck waiting (8.1s) for \"orders\", held by settle",
                        "app.checkout",
                        waiter.id(),
                        "what settle is doing while it holds the lock",
                        Duration.ofMillis(8_100)));
        assertThat(tree.runtime.status().lockWaiters()).singleElement().matches(LockWaiter::stuck);
        assertThat(tree.runtime.status().toString()).doesNotContainIgnoringCase("deadlock");
        waiting.cancel(false);
        guard.close();
    }

    /** It may well go on for a while, and is given back when it ends; but perhaps nobody is left to end it. */
    @Test
    void L10_aWithLockThatOutlivesItsContextForTooLongIsLeaked() {
        ContextNode settle = tree.open("settle");
        ContextMutex<Integer> orders = tree.root.mutex("orders", 1);
        CompletableFuture<String> work = new CompletableFuture<>();
        try (var ignored = settle.makeCurrent()) {
            var unused = orders.withLock(value -> work);
        }
        settle.close();
        tree.passSeconds(10);
        assertThat(warnings()).isEmpty();
        tree.passSeconds(2.3);
        assertThat(warnings()).singleElement().satisfies(warning -> {
            assertThat(warning.id()).isEqualTo("lock-leaked");
            assertThat(warning.severity()).isEqualTo(WarningSeverity.CRITICAL);
            assertThat(warning.message())
                    .isEqualTo("Leaked lock \"orders\" (12.3s) held by settle, which has ended, while its withLock"
                            + " goes on");
        });
        work.complete("done");
        assertThat(warnings()).isEmpty();
        assertThat(orders.holder()).isNull();
    }

    @Test
    void anOperationIsSlowAfterTenSeconds() {
        ContextNode task = service("checkout");
        CompletableFuture<String> query = new CompletableFuture<>();
        task.awaiting("db-query", query);
        tree.passSeconds(10);
        assertThat(warnings()).isEmpty();
        tree.passSeconds(1);

        assertThat(warnings())
                .containsExactly(new StatusWarning(
                        "operation-slow",
                        WarningSeverity.WARNING,
                        "checkout stuck on \"db-query\" (11s)",
                        "app.checkout",
                        task.id(),
                        "who has to answer \"db-query\", and whether the wait has a timeout",
                        Duration.ofSeconds(11)));
        assertThat(task.subtreeStatus().globalContext().operations())
                .singleElement()
                .matches(OperationStatus::stuck);
        query.complete("done");
        assertThat(warnings()).isEmpty();
    }

    @Test
    void aFreshOperationBesideASlowOneDoesNotHideIt() {
        ContextNode task = service("checkout");
        task.awaiting("slow", new CompletableFuture<>());
        tree.passSeconds(20);
        task.awaiting("fresh", new CompletableFuture<>());

        assertThat(warnings()).extracting(StatusWarning::message).containsExactly("checkout stuck on \"slow\" (20s)");
    }

    @Test
    void ofNestedSlowOperationsTheInnermostIsNamed() {
        ContextNode task = service("checkout");
        task.awaiting("outer", new CompletableFuture<>());
        task.awaiting("inner", new CompletableFuture<>());
        tree.passSeconds(20);

        assertThat(warnings()).extracting(StatusWarning::message).containsExactly("checkout stuck on \"inner\" (20s)");
    }

    @Test
    void aTaskIsIdleAfterAMinuteAndAServiceNever() {
        service("server");
        FastnContext one = tree.open("one");
        tree.passSeconds(60);
        FastnContext two = tree.open("two");
        assertThat(warnings()).isEmpty();
        tree.passSeconds(5);

        assertThat(warnings())
                .containsExactly(new StatusWarning(
                        "context-idle",
                        WarningSeverity.INFO,
                        "one idle for 1m 5s",
                        "app.one",
                        one.id(),
                        "whether one is done and was never closed; touch() says that it lives",
                        Duration.ofSeconds(65)));
        tree.passSeconds(60);
        assertThat(warnings())
                .singleElement()
                .extracting(StatusWarning::message)
                .isEqualTo("2 contexts idle, the longest one for 2m 5s");
        one.touch();
        two.touch();
        assertThat(warnings()).isEmpty();
    }

    @Test
    void thresholdsAreSettingsOfTheSubtree() {
        FastnContext batch = tree.root
                .child("batch")
                .withKind(ContextKind.SERVICE)
                .withSetting(Thresholds.LOCK_LONG_HELD, Duration.ofMinutes(1))
                .withSetting(Thresholds.WAITER_STUCK, Duration.ofMinutes(1))
                .withSetting(Thresholds.OPERATION_SLOW, Duration.ofMinutes(1))
                .withSetting(Thresholds.CONTEXT_IDLE, Duration.ofMinutes(1))
                .open();
        ContextNode holder = tree.open(tree.open(batch, "group"), "holder");
        ContextNode waiter = tree.open(batch, "waiter");
        ContextMutex<Integer> orders = tree.root.mutex("orders", 1);
        LockGuard<Integer> guard = MutexTest.ask(holder, orders).join();
        var waiting = MutexTest.ask(waiter, orders);
        holder.awaiting("query", new CompletableFuture<>());
        tree.open(batch, "idle");
        tree.passSeconds(60);
        assertThat(warnings()).isEmpty();
        tree.passSeconds(1);

        assertThat(warnings())
                .extracting(StatusWarning::id)
                .containsExactly("lock-long-held", "waiter-stuck", "operation-slow", "context-idle");
        waiting.cancel(false);
        guard.close();
    }

    @Test
    void aShorterThresholdCountsFromWhereItIsSet() {
        FastnContext strict = tree.root
                .child("strict")
                .withSetting(Thresholds.CONTEXT_IDLE, Duration.ofSeconds(1))
                .open();
        tree.open(strict, "below");
        tree.open("other");
        tree.passSeconds(2);

        assertThat(warnings())
                .singleElement()
                .extracting(StatusWarning::message)
                .isEqualTo("2 contexts idle, the longest strict for 2s");
        assertThat(strict.children().get(0).subtreeStatus().warnings())
                .as("inherited from above the subtree that is asked for")
                .hasSize(1);
    }

    @Test
    void aThresholdMayBeForEver() {
        FastnContext batch = tree.root
                .child("batch")
                .withSetting(Thresholds.LOCK_LONG_HELD, NEVER)
                .withSetting(Thresholds.OPERATION_SLOW, NEVER)
                .withSetting(Thresholds.CONTEXT_IDLE, NEVER)
                .open();
        LockGuard<Integer> guard =
                MutexTest.ask(batch, tree.root.mutex("orders", 1)).join();
        batch.awaiting("query", new CompletableFuture<>());
        tree.pass(Duration.ofDays(10_000));

        assertThat(warnings()).isEmpty();
        guard.close();
    }

    @Test
    void manyOfAKindAreToldShort() {
        ContextMutex<Integer> orders = tree.root.mutex("orders", 1);
        List<CompletableFuture<? extends LockGuard<?>>> locks = new ArrayList<>();
        for (int i = 0; i < 30; i++) {
            ContextNode task = service("task-" + i);
            task.awaiting("query", new CompletableFuture<>());
            locks.add(MutexTest.ask(task, task.mutex("own", 1)));
            locks.add(MutexTest.ask(task, orders));
        }
        tree.passSeconds(20);
        List<StatusWarning> warnings = warnings();

        for (String id : List.of("lock-long-held", "waiter-stuck", "operation-slow")) {
            assertThat(warnings).filteredOn(w -> w.id().equals(id)).hasSize(21);
        }
        assertThat(warnings)
                .extracting(StatusWarning::message)
                .contains("+11 more locks long held", "+9 more waiters stuck", "+10 more operations slow");
        locks.forEach(lock -> lock.cancel(false));
        locks.stream()
                .filter(lock -> !lock.isCompletedExceptionally())
                .forEach(lock -> lock.join().close());
    }

    @Test
    void goodNewsOfTheSystemIsToldAndHighUsageIsAWarning() {
        tree.runtime.setSystemMetrics(() -> SnapshotTest.QUIET_SYSTEM);
        assertThat(warnings())
                .containsExactly(new StatusWarning(
                        "usage-normal",
                        WarningSeverity.INFO,
                        "CPU usage normal (12.3%), memory usage low (13%), disk usage low (20%)",
                        "app",
                        null));

        tree.runtime.setSystemMetrics(() -> usage(95.0, 91L, null));
        assertThat(warnings())
                .extracting(StatusWarning::id, StatusWarning::severity, StatusWarning::message)
                .containsExactly(
                        tuple("cpu-high", WarningSeverity.WARNING, "CPU usage high (95.0%)"),
                        tuple("memory-high", WarningSeverity.WARNING, "Memory usage high (91%)"));
        assertThat(tree.open("task").subtreeStatus().warnings())
                .as("a subtree says nothing of the system")
                .isEmpty();
    }

    @Test
    void aFigureIsHighSinceTheFirstLookAtWhichItWas() {
        tree.runtime.setSystemMetrics(() -> usage(95.0, 91L, 10L));
        assertThat(since("cpu-high")).isEqualTo(Duration.ZERO);
        tree.passSeconds(30);
        // A look at a part of the tree knows nothing of the machine, and so changes nothing.
        assertThat(tree.open("task").subtreeStatus().warnings()).isEmpty();
        tree.root.setSetting(Thresholds.WARNINGS_OFF, "cpu-high");
        tree.runtime.status();
        tree.root.setSetting(Thresholds.WARNINGS_OFF, null);
        assertThat(since("cpu-high")).isEqualTo(Duration.ofSeconds(30));
        assertThat(since("memory-high")).isEqualTo(Duration.ofSeconds(30));

        tree.runtime.setSystemMetrics(() -> usage(20.0, 91L, 95L));
        tree.passSeconds(5);
        assertThat(since("memory-high")).isEqualTo(Duration.ofSeconds(35));
        assertThat(since("disk-high")).isEqualTo(Duration.ZERO);
        tree.runtime.setSystemMetrics(() -> usage(95.0, 91L, 95L));
        tree.passSeconds(5);
        assertThat(since("cpu-high")).as("it was normal meanwhile").isEqualTo(Duration.ZERO);
        tree.passSeconds(1);
        assertThat(since("cpu-high")).isEqualTo(Duration.ofSeconds(1));
        assertThat(since("disk-high")).isEqualTo(Duration.ofSeconds(6));
    }

    @Test
    void aTreeIsDeepSinceItsOldestContextThatIsTooDeep() {
        tree.root.setSetting(Thresholds.TREE_DEEP, 3);
        FastnContext two = tree.open(tree.open("one"), "two");
        tree.passSeconds(10);
        FastnContext three = tree.open(two, "three");
        tree.passSeconds(3);
        FastnContext four = tree.open(three, "four");
        tree.passSeconds(2);
        assertThat(since("tree-deep")).isEqualTo(Duration.ofSeconds(5));
        four.close();
        three.close();
        assertThat(warnings()).isEmpty();
        tree.open(two, "another");
        assertThat(since("tree-deep")).isEqualTo(Duration.ZERO);
    }

    private @Nullable Duration since(String id) {
        return warnings().stream()
                .filter(warning -> warning.id().equals(id))
                .findFirst()
                .orElseThrow()
                .since();
    }

    private static SystemMetrics usage(double cpu, long memory, @Nullable Long disk) {
        return new SystemMetrics(
                cpu, memory, 100L, disk, 100L, null, null, null, null, SnapshotTest.QUIET_SYSTEM.ages(), null, null);
    }

    @Test
    void theWorstIsFirst() {
        tree.open("idle");
        ContextNode task = service("task");
        task.awaiting("query", new CompletableFuture<>());
        tree.passSeconds(100);

        assertThat(warnings())
                .extracting(StatusWarning::severity)
                .containsExactly(WarningSeverity.WARNING, WarningSeverity.INFO);
    }

    @Test
    void slowSiblingsOfOnePathAreToldApart() {
        ContextNode one = tree.open("checkout");
        ContextNode two = tree.open("checkout");
        CompletableFuture<String> never = new CompletableFuture<>();
        one.awaiting("reserve", never);
        two.awaiting("reserve", never);
        tree.passSeconds(12.3);
        assertThat(warnings())
                .extracting(StatusWarning::message)
                .containsExactly(
                        "checkout#" + one.id() + " stuck on \"reserve\" (12.3s)",
                        "checkout#" + two.id() + " stuck on \"reserve\" (12.3s)");
    }

    @Test
    void aThresholdCanBeSetOnTheRootAndTakenBack() {
        CompletableFuture<String> never = new CompletableFuture<>();
        tree.open("checkout").awaiting("reserve", never);
        tree.passSeconds(12);
        assertThat(warnings()).hasSize(1);
        tree.root.setSetting(Thresholds.OPERATION_SLOW, Duration.ofMinutes(1));
        assertThat(warnings()).isEmpty();
        tree.root.setSetting(Thresholds.OPERATION_SLOW, null);
        assertThat(warnings()).hasSize(1);
    }

    @Test
    void whatRunsOrWaitsOrHasALiveChildIsNotIdle() {
        ContextNode running = tree.open("running");
        ContextNode inside = tree.open("inside");
        ContextNode holder = tree.open("holder");
        ContextNode waiter = tree.open("waiter");
        ContextNode parent = tree.open(tree.open("grandparent"), "parent");
        ContextNode child = tree.open(parent, "child");
        ContextNode around = tree.open("around");
        around.child("server").withKind(ContextKind.SERVICE).open();
        ContextNode done = tree.open("done");
        ContextMutex<Integer> orders = tree.root.mutex("orders", 1);
        LockGuard<Integer> guard = MutexTest.ask(holder, orders).join();
        var waiting = MutexTest.ask(waiter, orders);
        CompletableFuture<String> query = new CompletableFuture<>();
        inside.awaiting("query", query);
        try (ContextScope entered = running.makeCurrent()) {
            assertThat(entered).isNotNull();
            tree.passSeconds(90);
            child.touch();
            assertThat(idle()).isEqualTo("done idle for 1m 30s");
        }
        // Nothing holds them up any more, and they do nothing either.
        waiting.cancel(false);
        guard.close();
        query.complete("rows");
        done.close();
        tree.passSeconds(61);
        assertThat(idle()).startsWith("7 contexts idle");
    }

    private String idle() {
        return warnings().stream()
                .filter(warning -> warning.id().equals("context-idle"))
                .map(StatusWarning::message)
                .collect(Collectors.joining());
    }

    @Test
    void aFigureThatIsNoneIsNotKnownAndNotPraised() {
        SystemMetrics none = new SystemMetrics(
                Double.NaN,
                -1L,
                100L,
                50L,
                -100L,
                -1L,
                -1L,
                List.of(1.0, Double.NaN, 0.5),
                null,
                SnapshotTest.QUIET_SYSTEM.ages(),
                null,
                new SystemMetrics.Container(Double.NEGATIVE_INFINITY, -1L, 7L));
        assertThat(none.cpuUsagePercent()).isNull();
        assertThat(none.memoryUsedBytes()).isNull();
        assertThat(none.diskTotalBytes()).isNull();
        assertThat(none.networkRxBytesPerSec()).isNull();
        assertThat(none.loadAverage()).isNull();
        assertThat(none.container()).isEqualTo(new SystemMetrics.Container(null, null, 7L));
        tree.runtime.setSystemMetrics(() -> none);
        assertThat(warnings()).isEmpty();
        assertThat(usage(0, 0, null).cpuUsagePercent()).isZero();
    }
}
