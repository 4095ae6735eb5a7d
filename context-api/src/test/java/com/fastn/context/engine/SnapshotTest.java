package com.fastn.context.engine;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.ContextMutex;
import com.fastn.context.FastnContext;
import com.fastn.context.LiveCount;
import com.fastn.context.LockGuard;
import com.fastn.context.Registration;
import com.fastn.context.status.CancelReason;
import com.fastn.context.status.ContextKind;
import com.fastn.context.status.ContextPath;
import com.fastn.context.status.ContextState;
import com.fastn.context.status.ContextStatus;
import com.fastn.context.status.LockMode;
import com.fastn.context.status.LockStatus;
import com.fastn.context.status.LockType;
import com.fastn.context.status.LockWaiter;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.context.status.SystemMetrics;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class SnapshotTest {
    static final SystemMetrics QUIET_SYSTEM = new SystemMetrics(
            12.3, 13L, 100L, 20L, 100L, null, null, null, null, SystemMetrics.Ages.UNKNOWN, null, null);

    @RegisterExtension
    final TestTree tree = new TestTree();

    @Test
    void aSnapshotShowsTheTreeAsItIs() {
        FastnContext proxy = tree.root
                .child("proxy")
                .withKind(ContextKind.SERVICE)
                .withLabel("HTTP Proxy")
                .open();
        tree.passSeconds(5);
        FastnContext session = tree.open(proxy, "session");
        tree.passSeconds(2);
        session.cancel("stop");
        FastnContext other = tree.open("other");
        StatusSnapshot snapshot = tree.runtime.status();

        assertThat(snapshot.node()).isEqualTo(tree.runtime.node());
        assertThat(snapshot.timestamp()).isEqualTo(TestTree.START.plusSeconds(7));
        assertThat(snapshot.version()).isEqualTo(tree.runtime.version());
        ContextStatus root = snapshot.globalContext();
        assertThat(root.label()).isEqualTo("App");
        assertThat(root.kind()).isEqualTo(ContextKind.ROOT);
        assertThat(root.children()).extracting(ContextStatus::id).containsExactly(proxy.id(), other.id());
        ContextStatus first = root.children().get(0);
        assertThat(first.label()).isEqualTo("HTTP Proxy");
        assertThat(first.duration()).isEqualTo(Duration.ofSeconds(7));
        assertThat(first.lastActivity()).isEqualTo(Duration.ofSeconds(2));
        ContextStatus shown = first.children().get(0);
        assertThat(shown.path()).isEqualTo(ContextPath.of("app", "proxy", "session"));
        assertThat(shown.state()).isEqualTo(ContextState.ACTIVE);
        assertThat(shown.cancelReason())
                .isEqualTo(new CancelReason(CancelReason.Kind.REQUESTED, "stop", "app.proxy.session"));
        assertThat(shown.duration()).isEqualTo(Duration.ofSeconds(2));
        assertThat(shown.foldedChildren().isNone()).isTrue();
    }

    @Test
    void aSnapshotDoesNotChangeAfterwards() {
        FastnContext task = tree.open("task");
        StatusSnapshot before = tree.runtime.status();
        task.setData("late", 1);
        task.close();

        assertThat(before.globalContext().children()).hasSize(1);
        assertThat(before.globalContext().children().get(0).data()).isEmpty();
    }

    @Test
    void aSubtreeIsShownAlone() {
        FastnContext proxy = tree.open("proxy");
        tree.open(proxy, "session");
        tree.open("other");
        ContextStatus shown = proxy.subtreeStatus().globalContext();

        assertThat(shown.path()).isEqualTo(proxy.path());
        assertThat(shown.children()).extracting(ContextStatus::name).containsExactly("session");
    }

    @Test
    void aClosingContextIsShownAsClosingAndAClosedOneIsGone() {
        ContextNode task = tree.open("task");
        ContextNode child = tree.open(task, "child");
        task.close();
        assertThat(tree.runtime.status().globalContext().children())
                .extracting(ContextStatus::state)
                .containsExactly(ContextState.CLOSING);
        child.close();

        assertThat(tree.runtime.status().globalContext().children()).isEmpty();
        assertThat(task.subtreeStatus().globalContext().state()).isEqualTo(ContextState.CLOSED);
    }

    @Test
    void locksAreShownWithHolderAndWaiters() {
        ContextNode alice = tree.open("alice@home");
        ContextNode holder = tree.open(alice, "stdout-handler");
        ContextNode waiter = tree.open(alice, "stderr-stream");
        ContextMutex<Integer> orders = tree.root.mutex("orders", 1);
        LockGuard<Integer> guard = MutexTest.ask(holder, orders).join();
        tree.passSeconds(3);
        CompletableFuture<LockGuard<Integer>> waiting = MutexTest.ask(waiter, orders);
        tree.passSeconds(1);
        StatusSnapshot snapshot = tree.runtime.status();

        assertThat(snapshot.activeLocks())
                .containsExactly(new LockStatus(
                        "orders",
                        ((FifoMutex<?>) orders).id(),
                        LockType.MUTEX,
                        "alice/stdout-handler",
                        holder.id(),
                        holder.path(),
                        Duration.ofSeconds(4),
                        guard.fence(),
                        1,
                        false));
        assertThat(snapshot.lockWaiters())
                .containsExactly(new LockWaiter(
                        "alice/stderr-stream",
                        waiter.id(),
                        waiter.path(),
                        "orders",
                        ((FifoMutex<?>) orders).id(),
                        LockMode.EXCLUSIVE,
                        1,
                        1,
                        Duration.ofSeconds(1),
                        false,
                        null));
        guard.close();
        waiting.join().close();
        assertThat(tree.runtime.status().activeLocks()).isEmpty();
    }

    @Test
    void aSubtreeShowsTheLocksThatItHoldsOrWaitsFor() {
        ContextNode one = tree.open("one");
        ContextNode other = tree.open("other");
        LockGuard<?> held =
                MutexTest.ask(one, tree.root.mutex("of-the-root", 1)).join();
        CompletableFuture<?> waiting = MutexTest.ask(other, tree.root.mutex("of-the-root", 1));
        LockGuard<?> private1 = MutexTest.ask(one, one.mutex("own", 1)).join();

        assertThat(one.subtreeStatus().activeLocks())
                .extracting(LockStatus::name)
                .containsExactlyInAnyOrder("of-the-root", "own");
        assertThat(other.subtreeStatus().activeLocks())
                .extracting(LockStatus::name)
                .containsExactly("of-the-root");
        assertThat(tree.open("third").subtreeStatus().activeLocks()).isEmpty();
        waiting.cancel(false);
        held.close();
        private1.close();
    }

    @Test
    void theLongestHeldLockAndTheLongestWaitAreFirst() {
        LockGuard<?> first =
                tree.root.mutex("first").lock().toCompletableFuture().join();
        tree.passSeconds(1);
        LockGuard<?> second =
                tree.root.mutex("second").lock().toCompletableFuture().join();
        var early = tree.root.mutex("second").lock().toCompletableFuture();
        tree.passSeconds(1);
        var late = tree.root.mutex("first").lock().toCompletableFuture();
        StatusSnapshot snapshot = tree.runtime.status();

        assertThat(snapshot.activeLocks()).extracting(LockStatus::name).containsExactly("first", "second");
        assertThat(snapshot.lockWaiters()).extracting(LockWaiter::lockName).containsExactly("second", "first");
        early.cancel(false);
        late.cancel(false);
        first.close();
        second.close();
    }

    @Test
    void systemMetricsComeFromTheirSourceUntilItIsTakenBack() {
        assertThat(tree.runtime.status().systemMetrics()).isNull();
        Registration source = tree.runtime.setSystemMetrics(() -> QUIET_SYSTEM);
        assertThat(tree.runtime.status().systemMetrics()).isEqualTo(QUIET_SYSTEM);
        Registration newer = tree.runtime.setSystemMetrics(() -> null);
        source.close();
        assertThat(tree.runtime.status().systemMetrics()).isNull();
        newer.close();
    }

    @Test
    void aSourceOrAHookThatFailsDoesNotFailTheSnapshot() {
        AtomicInteger ran = new AtomicInteger();
        Registration hook = tree.runtime.beforeSnapshot(() -> {
            ran.incrementAndGet();
            throw new IllegalStateException("hook");
        });
        tree.runtime.setSystemMetrics(() -> {
            throw new IllegalStateException("source");
        });
        assertThat(tree.runtime.status().systemMetrics()).isNull();
        hook.close();
        tree.runtime.status();

        assertThat(ran).hasValue(1);
    }

    @Test
    void M9_whatIsTrackedIsNeverSeenWithMoreLiveThanTotal() throws InterruptedException {
        AtomicReference<@Nullable ContextNode> next = new AtomicReference<>();
        AtomicBoolean stop = new AtomicBoolean();
        Thread counting = new Thread(() -> {
            for (int turn = 0; !stop.get(); turn++) {
                ContextNode context = next.get();
                if (context == null) {
                    Spin.turn(turn);
                } else {
                    track(context);
                    next.set(null);
                }
            }
        });
        counting.start();
        // Each round waits for the other thread, which takes long where there are more threads than processors.
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        try {
            // A path of its own for each round: the order shows only in the first count of all.
            for (int round = 0; round < 10_000 && System.nanoTime() - end < 0; round++) {
                ContextNode context = tree.open("round-" + round);
                PathCounters path = context.pathCounters();
                next.set(context);
                int turn = 0;
                do {
                    SubtreeCounts.Counts counts = requireNonNull(SubtreeCounts.read(path, Comparator.naturalOrder(), 10)
                            .get(path));
                    assertThat(counts.live().getOrDefault("jobs", 0L))
                            .isLessThanOrEqualTo(counts.total().getOrDefault("jobs", 0L));
                    Spin.turn(turn);
                    turn++;
                } while (next.get() != null);
                context.close();
            }
        } finally {
            stop.set(true);
            counting.join();
        }
    }

    @SuppressWarnings("MustBeClosedChecker")
    private static void track(FastnContext context) {
        var unused = context.trackLive("jobs");
    }

    @Test
    void M9_aSnapshotUnderFullMutationIsAlwaysATree() throws InterruptedException {
        AtomicBoolean stop = new AtomicBoolean();
        AtomicReference<Throwable> failure = new AtomicReference<>();
        List<Thread> mutators = new ArrayList<>();
        ContextMutex<Integer> shared = tree.root.mutex("shared", 1);
        for (int t = 0; t < 2; t++) {
            Thread thread = new Thread(() -> {
                while (!stop.get()) {
                    mutate(shared);
                }
            });
            thread.setUncaughtExceptionHandler((where, e) -> failure.set(e));
            mutators.add(thread);
            thread.start();
        }
        try {
            for (int i = 0; i < 3_000; i++) {
                check(tree.runtime.status());
            }
        } finally {
            stop.set(true);
        }
        for (Thread thread : mutators) {
            thread.join();
        }
        assertThat(failure.get()).isNull();
    }

    private void mutate(ContextMutex<Integer> shared) {
        FastnContext server = tree.open("server");
        FastnContext session = tree.open(server, "session");
        FastnContext request = tree.open(session, "request");
        try (LiveCount ignored = request.trackLive("jobs")) {
            var lock = MutexTest.ask(request, shared);
            session.close();
            server.cancel();
            var unused = lock.handle((guard, error) -> {
                if (guard != null) {
                    guard.close();
                }
                return null;
            });
        }
        request.close();
        server.close();
    }

    private static void check(StatusSnapshot snapshot) {
        Set<Long> ids = new HashSet<>();
        ArrayDeque<ContextStatus> open = new ArrayDeque<>();
        open.add(snapshot.globalContext());
        for (ContextStatus at = open.poll(); at != null; at = open.poll()) {
            ContextStatus parent = at;
            assertThat(ids.add(at.id())).as("%s is seen once", at.path()).isTrue();
            assertThat(at.state()).isNotEqualTo(ContextState.CLOSED);
            at.liveCounters()
                    .forEach((name, live) -> assertThat(live)
                            .isLessThanOrEqualTo(parent.totalCounters().getOrDefault(name, 0L)));
            at.subtreeLiveCounters()
                    .forEach((name, live) -> assertThat(live)
                            .isLessThanOrEqualTo(parent.subtreeTotalCounters().getOrDefault(name, 0L)));
            at.children().forEach(child -> assertThat(child.path().parent()).isEqualTo(parent.path()));
            open.addAll(at.children());
        }
        for (LockStatus lock : snapshot.activeLocks()) {
            assertThat(snapshot.lockWaiters())
                    .filteredOn(w -> w.lockId() == lock.lockId())
                    .hasSize(lock.waiters());
        }
    }

    @Test
    void theRootIsAsActiveAsTheMostActivePartOfItsTreeAndOthersAreAsTheyAre() {
        ContextNode service = tree.open("service");
        ContextNode busy = tree.open(service, "busy");
        tree.passSeconds(30);
        busy.touch();
        tree.passSeconds(2);
        ContextStatus root = tree.runtime.status().globalContext();
        assertThat(root.lastActivity()).isEqualTo(Duration.ofSeconds(2));
        assertThat(root.children().get(0).lastActivity()).isEqualTo(Duration.ofSeconds(32));
    }
}
