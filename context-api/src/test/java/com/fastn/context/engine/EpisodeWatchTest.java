package com.fastn.context.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fastn.context.ContextEngine;
import com.fastn.context.ContextMutex;
import com.fastn.context.ContextRuntime;
import com.fastn.context.ContextScope;
import com.fastn.context.DeadlockPolicy;
import com.fastn.context.FastnContext;
import com.fastn.context.LockGuard;
import com.fastn.context.Thresholds;
import com.fastn.context.Ticker;
import com.fastn.context.status.CauseKind;
import com.fastn.context.status.WaitEpisode;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Stalls that nobody looks at while they last: what is known of them is read without a look. */
class EpisodeWatchTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Duration SOON = Duration.ofMillis(100);
    /** So many wait in a second that whoever looks at some of them sees none of the stall. */
    private static final int BUSY = 500;

    private final AtomicBoolean over = new AtomicBoolean();
    private final List<Thread> busy = new ArrayList<>();
    private ContextRuntime runtime = ContextRuntime.builder().rootName("app").build();

    @AfterEach
    void stop() throws InterruptedException {
        over.set(true);
        for (Thread thread : busy) {
            thread.join();
        }
        runtime.close();
    }

    private List<WaitEpisode> known() {
        return ((EngineRuntime) runtime).causes().knownEpisodes();
    }

    private static <R> R in(FastnContext who, Supplier<R> work) {
        try (ContextScope ignored = who.makeCurrent()) {
            return work.get();
        }
    }

    /** One context waits for its own lock all the time, and is served at once. */
    private void keepBusy() {
        FastnContext healthy = runtime.root().child("healthy").open();
        ContextMutex<Integer> own = healthy.mutex("own", 1);
        AtomicLong waits = new AtomicLong();
        Thread thread = new Thread(() -> in(healthy, () -> {
            while (!over.get()) {
                LockGuard<Integer> held = own.lock().toCompletableFuture().join();
                CompletionStage<Void> next = own.lock().thenAccept(LockGuard::close);
                held.close();
                next.toCompletableFuture().join();
                waits.incrementAndGet();
                Thread.onSpinWait();
            }
            return null;
        }));
        busy.add(thread);
        thread.start();
        await().atMost(PATIENCE).until(() -> waits.get() > BUSY);
    }

    @Test
    void aStallAmongThousandsOfHealthyWaitsIsKnownWhileNobodyAsks() {
        runtime.root().setSetting(Thresholds.WAITER_STUCK, SOON);
        keepBusy();
        ContextMutex<Integer> orders = runtime.root().mutex("orders", 1);
        FastnContext settle = runtime.root().child("settle").open();
        FastnContext req = runtime.root().child("req").open();
        LockGuard<Integer> held =
                in(settle, () -> orders.lock().toCompletableFuture().join());
        CompletionStage<Void> waits = in(req, () -> orders.lock().thenAccept(LockGuard::close));
        // The healthy one may be stuck as well, where its thread gets no time.
        await().atMost(PATIENCE)
                .until(() -> known().stream().anyMatch(each -> each.name().equals("orders")));
        held.close();
        assertThat(waits.toCompletableFuture()).isCompleted();
        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(known())
                        .filteredOn(each -> each.name().equals("orders"))
                        .singleElement()
                        .satisfies(each -> {
                            assertThat(each.isOpen()).isFalse();
                            assertThat(each.root().shortName()).isEqualTo("settle");
                            assertThat(each.mostWaiters()).isEqualTo(1);
                        }));
    }

    @Test
    void aStallIsKnownAmongMoreLocksThanAreWatched() {
        EpisodeWatch watch = ((EngineRuntime) runtime).causes().watch();
        watch.watchAtMost(10);
        runtime.root().setSetting(Thresholds.WAITER_STUCK, Duration.ofHours(1));
        FastnContext patient = runtime.root().child("patient").open();
        FastnContext settle = runtime.root().child("settle").open();
        List<LockGuard<Integer>> guards = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            ContextMutex<Integer> one = patient.mutex("order" + i, 1);
            guards.add(in(settle, () -> one.lock().toCompletableFuture().join()));
            var unused = in(patient, () -> one.lock().thenAccept(LockGuard::close));
        }
        FastnContext req = runtime.root().child("req").open();
        req.setSetting(Thresholds.WAITER_STUCK, SOON);
        ContextMutex<Integer> last = runtime.root().mutex("last", 1);
        LockGuard<Integer> held =
                in(settle, () -> last.lock().toCompletableFuture().join());
        CompletionStage<Void> waits = in(req, () -> last.lock().thenAccept(LockGuard::close));
        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(known())
                        .singleElement()
                        .satisfies(each -> assertThat(each.name()).isEqualTo("last")));
        held.close();
        assertThat(waits.toCompletableFuture()).isCompleted();
        guards.forEach(LockGuard::close);
        // Nobody waits any longer, so nothing is watched and nothing wakes up.
        await().atMost(PATIENCE).until(() -> watch.count() == 0 && !watch.isTicking());
        assertThat(known()).singleElement().matches(each -> !each.isOpen());
    }

    /** One who may wait for an hour is first in the queue, and one who may not stands behind. */
    @Test
    void aStallIsKnownBehindOneWhoHasMoreTime() {
        FastnContext patient = runtime.root().child("patient").open();
        patient.setSetting(Thresholds.WAITER_STUCK, Duration.ofHours(1));
        FastnContext req = runtime.root().child("req").open();
        req.setSetting(Thresholds.WAITER_STUCK, SOON);
        ContextMutex<Integer> orders = runtime.root().mutex("orders", 1);
        LockGuard<Integer> held =
                in(patient, () -> orders.lock().toCompletableFuture().join());
        var first = in(patient, () -> orders.lock().thenAccept(LockGuard::close));
        var second = in(req, () -> orders.lock().thenAccept(LockGuard::close));
        await().atMost(PATIENCE).until(() -> !known().isEmpty());
        held.close();
        assertThat(first.toCompletableFuture()).isCompleted();
        assertThat(second.toCompletableFuture()).isCompleted();
    }

    /** It lasts for some milliseconds, and for nobody's patience too long. */
    @Test
    void L14_aDeadlockThatThePolicyEndsIsAnEpisodeWhileNobodyAsks() {
        runtime.close();
        runtime = ContextRuntime.builder()
                .rootName("app")
                .deadlockPolicy(DeadlockPolicy.FAIL_YOUNGEST_WAITER)
                .build();
        List<CompletableFuture<String>> both = deadlock();
        await().atMost(PATIENCE).until(() -> both.stream().allMatch(CompletableFuture::isDone));
        assertThat(both).filteredOn(CompletableFuture::isCompletedExceptionally).hasSize(1);
        await().atMost(PATIENCE)
                .untilAsserted(
                        () -> assertThat(known()).singleElement().satisfies(EpisodeWatchTest::isThatOfTheDeadlock));
    }

    @Test
    void L14_aDeadlockOnABusySystemIsOneEpisodeUntilItEnds() {
        keepBusy();
        List<CompletableFuture<String>> both = deadlock();
        await().atMost(PATIENCE)
                .until(() -> known().stream().anyMatch(each -> each.rootText().startsWith("deadlock: ")));
        runtime.root().children().stream()
                .filter(each -> each.name().equals("a"))
                .forEach(FastnContext::cancel);
        await().atMost(PATIENCE).until(() -> both.stream().allMatch(CompletableFuture::isDone));
        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(known())
                        .filteredOn(each -> !each.name().equals("own"))
                        .singleElement()
                        .satisfies(EpisodeWatchTest::isThatOfTheDeadlock));
    }

    private static void isThatOfTheDeadlock(WaitEpisode episode) {
        assertThat(episode.isOpen()).isFalse();
        assertThat(episode.kind()).isEqualTo(CauseKind.LOCK);
        assertThat(episode.root().shortName()).isEqualTo("a");
        assertThat(episode.name()).isEqualTo("n");
        assertThat(episode.rootText()).startsWith("deadlock: a holds mutex \"m\"");
        assertThat(episode.mostWaiters()).isEqualTo(2);
    }

    /** Each holds what the other one waits for. */
    private List<CompletableFuture<String>> deadlock() {
        FastnContext a = runtime.root().child("a").open();
        FastnContext b = runtime.root().child("b").open();
        ContextMutex<Integer> m = runtime.root().mutex("m", 1);
        ContextMutex<Integer> n = runtime.root().mutex("n", 1);
        CountDownLatch bothHold = new CountDownLatch(2);
        CompletableFuture<String> first = new CompletableFuture<>();
        CompletableFuture<String> second = new CompletableFuture<>();
        inThread(
                a,
                first,
                () -> m.withLock(held -> {
                    meet(bothHold);
                    return n.withLock(value -> CompletableFuture.completedFuture("a"));
                }));
        inThread(
                b,
                second,
                () -> n.withLock(held -> {
                    meet(bothHold);
                    return m.withLock(value -> CompletableFuture.completedFuture("b"));
                }));
        return List.of(first, second);
    }

    private void inThread(FastnContext who, CompletableFuture<String> end, Supplier<CompletionStage<String>> work) {
        Thread thread = new Thread(() -> {
            var unused = in(who, work).whenComplete((result, failure) -> {
                if (failure == null) {
                    end.complete(result);
                } else {
                    end.completeExceptionally(failure);
                }
            });
        });
        busy.add(thread);
        thread.start();
    }

    private static void meet(CountDownLatch all) {
        all.countDown();
        try {
            all.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void whatIsWatchedKeepsNoLockOfAContextThatHasEnded() {
        // Whatever was planned for later would look, and forget by itself.
        Timers none = new Timers(() -> Runnable::run) {
            @Override
            boolean tick(Duration delay, Runnable task) {
                return false;
            }
        };
        try (EngineRuntime quiet = new EngineRuntime(
                new ContextEngine.Settings("app", "App", "alice", Ticker.system(), Integer.MAX_VALUE, 0, false),
                Engine.instance().currentContext(),
                CounterStore.Caps.DEFAULT,
                none)) {
            WeakReference<FastnContext> ended = waitedInAndEnded(quiet);
            assertThat(quiet.causes().watch().count()).isEqualTo(1);
            await().atMost(PATIENCE).until(() -> {
                System.gc();
                return ended.get() == null;
            });
        }
    }

    private static WeakReference<FastnContext> waitedInAndEnded(EngineRuntime quiet) {
        FastnContext request = quiet.root().child("request").open();
        ContextMutex<Integer> own = request.mutex("own", 1);
        LockGuard<Integer> held = own.lock().toCompletableFuture().join();
        CompletionStage<Void> next = own.lock().thenAccept(LockGuard::close);
        held.close();
        assertThat(next.toCompletableFuture()).isCompleted();
        request.close();
        return new WeakReference<>(request);
    }
}
