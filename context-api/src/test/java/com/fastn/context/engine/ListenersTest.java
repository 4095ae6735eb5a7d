package com.fastn.context.engine;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.ContextMutex;
import com.fastn.context.FastnContext;
import com.fastn.context.LiveCount;
import com.fastn.context.LockGuard;
import com.fastn.context.Operation;
import com.fastn.context.Registration;
import com.fastn.context.event.ContextEvent;
import com.fastn.context.status.CancelReason;
import com.fastn.context.status.ContextKind;
import com.fastn.context.status.ContextPath;
import com.fastn.context.status.ContextStatus;
import com.fastn.context.status.LockStatus;
import com.fastn.context.status.LockType;
import com.fastn.context.status.LockWaiter;
import com.fastn.context.status.StatusSnapshot;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

@SuppressWarnings("MustBeClosedChecker") // the guard is closed by hand
class ListenersTest {
    private static final ContextPath TASK = ContextPath.of("app", "task");

    @RegisterExtension
    final TestTree tree = new TestTree();

    private final List<@Nullable ContextEvent> events = new ArrayList<>();

    private void listen() {
        tree.runtime.addListener(event -> events.add(withoutNumber(event)));
    }

    private static ContextEvent withoutNumber(ContextEvent event) {
        return event instanceof ContextEvent.CounterChanged c
                ? new ContextEvent.CounterChanged(c.contextId(), c.path(), c.counter(), c.total(), c.live())
                : event;
    }

    @Test
    void theLifeOfAContextIsTold() {
        listen();
        FastnContext task =
                tree.root.child("task").withKind(ContextKind.REQUEST).open();
        task.cancel("stop");
        task.close();

        assertThat(events)
                .containsExactly(
                        new ContextEvent.Opened(task.id(), TASK, tree.root.id(), ContextKind.REQUEST),
                        new ContextEvent.Cancelled(
                                task.id(), TASK, new CancelReason(CancelReason.Kind.REQUESTED, "stop", "app.task")),
                        new ContextEvent.Closed(task.id(), TASK));
    }

    @Test
    void whoIsToldOfALockAndAsksForTheStatusSeesItInANewerVersion() {
        List<String> seen = new ArrayList<>();
        long[] last = {tree.runtime.version()};
        tree.runtime.addListener(event -> {
            StatusSnapshot now = tree.runtime.status();
            assertThat(now.version()).as("at %s", event).isGreaterThan(last[0]);
            last[0] = now.version();
            seen.add("%s: %s held, %d wait"
                    .formatted(
                            event.getClass().getSimpleName(),
                            now.activeLocks().stream()
                                    .map(LockStatus::heldByContext)
                                    .toList(),
                            now.lockWaiters().size()));
        });
        ContextMutex<Integer> orders = tree.root.mutex("orders", 1);
        LockGuard<Integer> first = orders.lock().toCompletableFuture().join();
        CompletableFuture<LockGuard<Integer>> second = orders.lock().toCompletableFuture();
        CompletableFuture<LockGuard<Integer>> third = orders.lock().toCompletableFuture();
        third.cancel(false);
        first.close();
        second.join().close();
        assertThat(orders.withLock(CompletableFuture::completedFuture)).isCompletedWithValue(1);

        assertThat(seen)
                .containsExactly(
                        "LockHeld: [app] held, 0 wait",
                        "WaitStarted: [app] held, 1 wait",
                        "WaitStarted: [app] held, 2 wait",
                        "WaitEnded: [app] held, 1 wait",
                        "LockReleased: [app] held, 0 wait",
                        "LockHeld: [app] held, 0 wait",
                        "LockReleased: [] held, 0 wait",
                        "LockHeld: [app] held, 0 wait",
                        "LockReleased: [] held, 0 wait");
    }

    @Test
    void whoIsToldOfAChangeAndAsksForTheVersionFindsItRaised() {
        FastnContext task = tree.open("task");
        List<String> stale = new ArrayList<>();
        List<String> told = new ArrayList<>();
        long[] last = {tree.runtime.version()};
        tree.runtime.addListener(event -> {
            long now = tree.runtime.version();
            told.add(event.getClass().getSimpleName());
            if (now <= last[0]) {
                stale.add(event.toString());
            }
            last[0] = now;
        });
        FastnContext child = task.child("child").open();
        try (Operation ignored = child.operation("db")) {
            child.setData("order", 7);
        }
        child.addTotal("rows", 1);
        child.cancel("stop");
        task.close();
        child.close();

        assertThat(stale).isEmpty();
        assertThat(told)
                .containsExactly(
                        "Opened",
                        "OperationStarted",
                        "Changed",
                        "OperationEnded",
                        "CounterChanged",
                        "Cancelled",
                        "Changed",
                        "Closed",
                        "Closed");
    }

    @Test
    void aChildThatIsBornCancelledIsToldAsOpenedAndCancelled() {
        FastnContext task = tree.open("task");
        task.cancel("stop");
        listen();
        FastnContext child = tree.open(task, "child");

        assertThat(events)
                .containsExactly(
                        new ContextEvent.Opened(child.id(), child.path(), task.id(), ContextKind.TASK),
                        new ContextEvent.Cancelled(
                                child.id(),
                                child.path(),
                                new CancelReason(CancelReason.Kind.PARENT, "stop", "app.task")));
    }

    @Test
    void aContextThatWasBornDeadIsNotTold() {
        FastnContext task = tree.open("task");
        task.close();
        listen();
        tree.open(task, "late");

        assertThat(events).isEmpty();
    }

    @Test
    void aClosingContextIsToldAndItsEndIsToldWithItsLastChild() {
        FastnContext task = tree.open("task");
        FastnContext child = tree.open(task, "child");
        listen();
        task.close();
        assertThat(events).containsExactly(new ContextEvent.Changed(task.id(), TASK, "state"));
        child.close();

        assertThat(events.subList(1, events.size()))
                .containsExactly(
                        new ContextEvent.Closed(child.id(), TASK.child("child")),
                        new ContextEvent.Closed(task.id(), TASK));
    }

    @Test
    void onlyAChangeOfDataMetricsAndLabelIsTold() {
        ContextNode task = tree.open("task");
        listen();
        task.setData("a", List.of(1));
        task.setData("a", List.of(1));
        task.addMetric("m", 1);
        task.addMetric("m", 1);
        task.setLabel("Task");
        task.setLabel("Task");
        task.setData("a", null);

        assertThat(events)
                .containsExactly(
                        new ContextEvent.Changed(task.id(), TASK, "a"),
                        new ContextEvent.Changed(task.id(), TASK, "m"),
                        new ContextEvent.Changed(task.id(), TASK, "label"),
                        new ContextEvent.Changed(task.id(), TASK, "a"));
    }

    @Test
    void operationsAreTold() {
        FastnContext task = tree.open("task");
        listen();
        try (Operation ignored = task.operation("db-query")) {
            tree.passSeconds(2);
        }
        assertThat(events)
                .containsExactly(
                        new ContextEvent.OperationStarted(task.id(), TASK, "db-query"),
                        new ContextEvent.OperationEnded(task.id(), TASK, "db-query", 2_000_000_000L));
    }

    @Test
    void whatAContextLeavesOpenIsToldAsEndedBeforeItsEnd() {
        FastnContext task = tree.open("task");
        task.incrementLive("jobs");
        CompletableFuture<String> wait = new CompletableFuture<>();
        task.awaiting("reply", wait);
        listen();
        task.close();
        wait.complete("late");

        assertThat(events)
                .containsExactly(
                        new ContextEvent.CounterChanged(task.id(), TASK, "jobs", 0, 0),
                        new ContextEvent.OperationEnded(task.id(), TASK, "reply", 0),
                        new ContextEvent.Closed(task.id(), TASK));
    }

    @Test
    void countersAreToldAsTheyStandAfterTheChange() {
        FastnContext task = tree.open("task");
        listen();
        task.addTotal("requests", 5);
        task.totalCounter("requests").increment();
        task.addTotal("requests", -1);
        task.addTotal("requests", 0);
        task.incrementLive("jobs");
        task.decrementLive("jobs");
        task.decrementLive("jobs");
        try (LiveCount ignored = task.trackLive("calls")) {
            assertThat(events).hasSize(6);
        }
        assertThat(events)
                .containsExactly(
                        new ContextEvent.CounterChanged(task.id(), TASK, "requests", 5, 0),
                        new ContextEvent.CounterChanged(task.id(), TASK, "requests", 6, 0),
                        new ContextEvent.CounterChanged(task.id(), TASK, "jobs", 0, 1),
                        new ContextEvent.CounterChanged(task.id(), TASK, "jobs", 0, 0),
                        new ContextEvent.CounterChanged(tree.root.id(), tree.root.path(), "underflow", 1, 0),
                        new ContextEvent.CounterChanged(task.id(), TASK, "calls", 1, 1),
                        new ContextEvent.CounterChanged(task.id(), TASK, "calls", 1, 0));
    }

    @Test
    void aTotalThatCountsInAnEndedContextIsTold() {
        FastnContext task = tree.open("task");
        task.close();
        listen();
        try (LiveCount ignored = task.trackLive("calls")) {
            assertThat(events).containsExactly(new ContextEvent.CounterChanged(task.id(), TASK, "calls", 1, 0));
        }
        assertThat(events).hasSize(1);
    }

    @Test
    void locksAreTold() {
        ContextNode task = tree.open("task");
        FifoMutex<?> orders = (FifoMutex<?>) tree.root.mutex("orders");
        listen();
        LockGuard<?> first = orders.lock().toCompletableFuture().join();
        long fence = first.fence();
        var second = MutexTest.ask(task, orders);
        var given = MutexTest.ask(task, orders);
        given.cancel(false);
        first.close();
        second.join().close();

        ContextPath root = tree.root.path();
        assertThat(events)
                .containsExactly(
                        new ContextEvent.LockHeld(tree.root.id(), root, orders.id(), "orders", LockType.MUTEX, fence),
                        new ContextEvent.WaitStarted(task.id(), TASK, orders.id(), "orders", LockType.MUTEX),
                        new ContextEvent.WaitStarted(task.id(), TASK, orders.id(), "orders", LockType.MUTEX),
                        new ContextEvent.WaitEnded(task.id(), TASK, orders.id(), "orders", LockType.MUTEX),
                        new ContextEvent.LockReleased(
                                tree.root.id(), root, orders.id(), "orders", LockType.MUTEX, fence),
                        new ContextEvent.LockHeld(task.id(), TASK, orders.id(), "orders", LockType.MUTEX, fence + 1),
                        new ContextEvent.LockReleased(
                                task.id(), TASK, orders.id(), "orders", LockType.MUTEX, fence + 1));
    }

    /** While it is told, another thread gets at everything that the event may speak of, and finds it changed. */
    @Test
    @Timeout(60)
    void eachKindOfEventIsToldAfterTheChangeAndOutsideOfLocks() {
        FastnContext other = tree.open("other");
        ContextNode task = tree.open("task");
        ContextMutex<Integer> orders = tree.root.mutex("orders", 1);
        Thread changer = Thread.currentThread();
        Set<Class<?>> told = new LinkedHashSet<>();
        tree.runtime.addListener(event -> {
            if (Thread.currentThread() == changer) {
                CompletableFuture<@Nullable Void> met = CompletableFuture.runAsync(
                        () -> {
                            assertThat(tree.runtime.status()).satisfies(now -> isThere(event, now));
                            for (FastnContext context : List.of(tree.root, other, task)) {
                                context.setData("met", told.size());
                                context.incrementLive("met");
                                context.decrementLive("met");
                                context.incrementTotal("met");
                                context.child("met").open().close();
                            }
                            LockGuard<Integer> free = orders.tryLock();
                            if (free != null) {
                                free.close();
                            }
                        },
                        code -> new Thread(code, "other").start());
                assertThat(met).as("at %s", event).succeedsWithin(Duration.ofSeconds(20));
                told.add(event.getClass());
            }
        });
        LockGuard<Integer> guard = orders.lock().toCompletableFuture().join();
        MutexTest.ask(task, orders).cancel(false);
        guard.close();
        try (Operation ignored = task.operation("db")) {
            task.setData("order", 7);
        }
        task.addTotal("rows", 1);
        tree.open(task, "child").close();
        task.cancel("stop");
        task.close();

        assertThat(told).containsExactlyInAnyOrderElementsOf(kinds(ContextEvent.class));
    }

    private static List<Class<?>> kinds(Class<?> of) {
        Class<?>[] below = of.getPermittedSubclasses();
        return below == null
                ? List.of(of)
                : Arrays.stream(below).flatMap(each -> kinds(each).stream()).toList();
    }

    private static void isThere(ContextEvent event, StatusSnapshot now) {
        ContextStatus found = contextOf(event, now);
        if (event instanceof ContextEvent.Closed) {
            assertThat(found).isNull();
            return;
        }
        ContextStatus context = requireNonNull(found, "the context of " + event);
        if (event instanceof ContextEvent.Cancelled cancelled) {
            assertThat(context.cancelReason()).isEqualTo(cancelled.reason());
        } else if (event instanceof ContextEvent.Changed changed
                && !changed.key().equals("state")) {
            assertThat(context.data()).containsKey(changed.key());
        } else if (event instanceof ContextEvent.OperationStarted) {
            assertThat(context.operations()).hasSize(1);
        } else if (event instanceof ContextEvent.OperationEnded) {
            assertThat(context.operations()).isEmpty();
        } else if (event instanceof ContextEvent.CounterChanged counted) {
            assertThat(context.totalCounters()).containsEntry(counted.counter(), counted.total());
        } else if (event instanceof ContextEvent.LockHeld held) {
            assertThat(now.activeLocks()).extracting(LockStatus::fence).contains(held.fence());
        } else if (event instanceof ContextEvent.LockReleased released) {
            assertThat(now.activeLocks()).extracting(LockStatus::fence).doesNotContain(released.fence());
        } else if (event instanceof ContextEvent.WaitStarted) {
            assertThat(now.lockWaiters()).extracting(LockWaiter::contextId).contains(event.contextId());
        } else if (event instanceof ContextEvent.WaitEnded) {
            assertThat(now.lockWaiters()).extracting(LockWaiter::contextId).doesNotContain(event.contextId());
        }
    }

    private static @Nullable ContextStatus contextOf(ContextEvent event, StatusSnapshot now) {
        ArrayDeque<ContextStatus> open = new ArrayDeque<>(List.of(now.globalContext()));
        for (ContextStatus context = open.poll(); context != null; context = open.poll()) {
            if (context.id() == event.contextId()) {
                return context;
            }
            open.addAll(context.children());
        }
        return null;
    }

    @Test
    void aListenerThatThrowsHarmsNobody() {
        tree.runtime.addListener(event -> {
            throw new IllegalStateException("broken");
        });
        tree.runtime.addListener(event -> {
            throw new NoClassDefFoundError("broken");
        });
        listen();
        tree.open("task");

        assertThat(events).hasSize(1);
    }

    @Test
    void aListenerThatThrowsIsLoggedOnceAndCountedEachTime() {
        tree.runtime.addListener(event -> {
            throw new IllegalStateException("broken one");
        });
        tree.runtime.addListener(event -> {
            throw new IllegalStateException("broken two");
        });
        String log = CapturedLog.of(() -> {
            for (int i = 0; i < 50; i++) {
                tree.root.incrementTotal("events");
            }
        });

        assertThat(log).containsOnlyOnce("broken one").containsOnlyOnce("broken two");
        assertThat(log)
                .contains("a listener failed on CounterChanged; what the one made by " + ListenersTest.class.getName());
        assertThat(tree.runtime.misuses())
                .singleElement()
                .asString()
                .startsWith("100x a listener, made by " + ListenersTest.class.getName());
    }

    @Test
    void whatAListenerChangesIsToldAfterTheEventToAllAndInOrder() {
        List<String> second = new ArrayList<>();
        List<String> first = new ArrayList<>();
        tree.runtime.addListener(event -> {
            first.add(text(event));
            if (event instanceof ContextEvent.Opened) {
                tree.root.incrementTotal("opened");
                tree.root.setLabel("busy");
                first.add("returns");
            }
        });
        tree.runtime.addListener(event -> second.add(text(event)));
        tree.open("task");

        assertThat(first).containsExactly("Opened", "returns", "CounterChanged", "Changed");
        assertThat(second).containsExactly("Opened", "CounterChanged", "Changed");
        // The thread is free again.
        tree.root.setLabel("idle");
        assertThat(second).hasSize(4);
        assertThat(tree.runtime.misuses()).isEmpty();
    }

    @Test
    void aListenerThatCountsEventsIsToldOfAFewOfItsOwnOnly() {
        List<ContextEvent> told = new ArrayList<>();
        tree.runtime.addListener(event -> {
            told.add(event);
            tree.root.incrementTotal("events");
        });
        tree.open("task");

        assertThat(told).hasSize(1 + Listeners.LONGEST_CHAIN);
        assertThat(tree.root.getTotal("events")).isEqualTo(1 + Listeners.LONGEST_CHAIN);
        assertThat(tree.runtime.misuses())
                .singleElement()
                .asString()
                .startsWith("1x a listener changes the tree at every event, also at those of its own changes");
    }

    @Test
    @Timeout(60) // each doubles what the other is told, so without an end this is one
    void twoListenersThatCountEventsComeToAnEnd() {
        int[] told = {0, 0};
        for (int i = 0; i < 2; i++) {
            int number = i;
            tree.runtime.addListener(event -> {
                told[number]++;
                tree.root.incrementTotal("events of " + number);
            });
        }
        tree.open("task");

        // 1, and twice as many in each step of the chain.
        assertThat(told)
                .containsExactly((1 << (Listeners.LONGEST_CHAIN + 1)) - 1, (1 << (Listeners.LONGEST_CHAIN + 1)) - 1);
    }

    @Test
    @Timeout(60)
    void manyListenersThatCountEventsComeToAnEndSoon() {
        int[] told = new int[20];
        for (int i = 0; i < told.length; i++) {
            int number = i;
            tree.runtime.addListener(event -> {
                told[number]++;
                tree.root.incrementTotal("events of " + number);
            });
        }
        tree.open("task");

        assertThat(told).containsOnly(1 + Listeners.MOST_MADE);
    }

    @Test
    void moreEventsThanAreToldBecauseOfOneAreDroppedAndCounted() {
        int[] told = {0};
        tree.runtime.addListener(event -> {
            told[0]++;
            if (event instanceof ContextEvent.Opened) {
                for (int i = 0; i < Listeners.MOST_MADE + 5; i++) {
                    tree.root.incrementTotal("many");
                }
            }
        });
        tree.open("task");

        assertThat(told[0]).isEqualTo(1 + Listeners.MOST_MADE);
        assertThat(tree.runtime.misuses()).singleElement().asString().startsWith("5x listeners made more than");
    }

    @Test
    void anotherThreadThatAListenerWaitsForIsToldAtOnce() {
        tree.runtime.addListener(event -> {
            events.add(event);
            if (event instanceof ContextEvent.Opened) {
                Thread other = new Thread(() -> tree.root.setLabel("busy"));
                other.start();
                try {
                    other.join();
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
                events.add(null);
            }
        });
        tree.open("task");

        assertThat(events).hasSize(3);
        assertThat(events.get(1)).isInstanceOf(ContextEvent.Changed.class);
    }

    private static String text(ContextEvent event) {
        return event.getClass().getSimpleName();
    }

    @Test
    void aListenerIsTakenBackOnceHoweverOftenItWasAdded() {
        Registration one = tree.runtime.addListener(events::add);
        com.fastn.context.event.ContextListener same = events::add;
        Registration two = tree.runtime.addListener(same);
        Registration three = tree.runtime.addListener(same);
        one.close();
        two.close();
        two.close();
        tree.open("task");
        assertThat(events).hasSize(1);

        three.close();
        assertThat(tree.runtime.hasListeners()).isFalse();
        tree.open("task");
        assertThat(events).hasSize(1);
    }

    @Test
    void theVersionRisesWithEveryChangeAndWithNothingElse() {
        ContextNode task = tree.open("task");
        FifoMutex<?> orders = (FifoMutex<?>) tree.root.mutex("orders");
        long version = tree.runtime.version();
        assertThat(tree.runtime.version()).isEqualTo(version);
        tree.passSeconds(100);
        tree.runtime.status();
        task.touch();
        assertThat(tree.runtime.version()).isEqualTo(version);

        List<Runnable> changes = List.of(
                () -> tree.open("other"),
                () -> task.setData("a", 1),
                () -> task.addMetric("a", 1),
                () -> task.setLabel("Task"),
                () -> task.incrementTotal("a"),
                () -> task.totalCounter("a").increment(),
                () -> task.incrementLive("a"),
                () -> task.decrementLive("a"),
                () -> task.awaiting("a", new CompletableFuture<>()),
                () -> orders.lock(),
                () -> orders.lock().toCompletableFuture().cancel(false),
                () -> task.cancel(),
                () -> tree.open(task, "child"),
                task::close,
                () -> tree.root.children().get(1).close(),
                () -> tree.runtime.rename("bob"));
        for (int i = 0; i < changes.size(); i++) {
            changes.get(i).run();
            long next = tree.runtime.version();
            assertThat(next).as("after change %d", i).isGreaterThan(version);
            version = next;
        }
    }

    @Test
    void whoWantsToKnowOfTheFirstChangeIsToldOnceAfterEachLookAndMakesNoEvent() {
        List<String> told = new ArrayList<>();
        Runnable hook = () -> told.add("one");
        Registration one = tree.runtime.onFirstChange(hook);
        // The same once more is another one.
        Registration same = tree.runtime.onFirstChange(hook);
        Registration two = tree.runtime.onFirstChange(() -> told.add("two"));
        var unused = tree.runtime.status();
        for (int i = 0; i < 100; i++) {
            tree.root.child("task").open().close();
        }
        assertThat(told).containsExactly("one", "one", "two");
        assertThat(tree.runtime.hasListeners()).isFalse();

        two.close();
        two.close();
        same.close();
        told.clear();
        unused = tree.runtime.status();
        tree.root.addTotal("orders", 1);
        assertThat(told).containsExactly("one");

        one.close();
        told.clear();
        unused = tree.runtime.status();
        tree.root.addTotal("orders", 1);
        assertThat(told).isEmpty();
        assertThat(tree.runtime.hasChangeHooks()).isFalse();
    }

    @Test
    void aContextThatIsClosedWhileItIsOpenedIsNotToldAsOpenedBehindThat() {
        listen();
        var unused = tree.runtime.version();
        Registration hook = tree.runtime.onFirstChange(
                () -> List.copyOf(tree.root.childNodes()).forEach(ContextNode::close));
        FastnContext task = tree.root.child("task").open();
        hook.close();

        assertThat(events).containsExactly(new ContextEvent.Closed(task.id(), TASK));
    }
}
