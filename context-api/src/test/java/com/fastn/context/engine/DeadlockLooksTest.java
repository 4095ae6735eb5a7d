package com.fastn.context.engine;

import static com.fastn.context.engine.DeadlockScene.ask;
import static com.fastn.context.engine.DeadlockScene.askForOne;
import static com.fastn.context.engine.DeadlockScene.awaitLatch;
import static com.fastn.context.engine.DeadlockScene.in;
import static com.fastn.context.engine.Patience.await;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.ContextMutex;
import com.fastn.context.ContextReadWriteLock;
import com.fastn.context.ContextSemaphore;
import com.fastn.context.DeadlockPolicy;
import com.fastn.context.LockGuard;
import com.fastn.context.PermitGuard;
import com.fastn.context.Ticker;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** When somebody looks for deadlocks though nobody asks for a snapshot. */
class DeadlockLooksTest {
    @RegisterExtension
    final DeadlockScene scene = new DeadlockScene();

    @Test
    void L14_alsoByALookWithoutASnapshot() {
        scene.restart(DeadlockPolicy.FAIL_YOUNGEST_WAITER);
        List<CompletableFuture<String>> all = scene.parentsHoldAndChildrenWait();
        await().atMost(Duration.ofSeconds(30)).until(() -> all.stream().allMatch(CompletableFuture::isDone));
        assertThat(all).filteredOn(CompletableFuture::isCompletedExceptionally).hasSize(1);
    }

    @Test
    void oneThatIsCompleteOnlyAfterTooManyQueuedIsFoundAllTheSame() throws InterruptedException {
        scene.restart(DeadlockPolicy.FAIL_YOUNGEST_WAITER);
        ContextMutex<Integer> front = scene.runtime.root().mutex("front", 1);
        ContextMutex<Integer> back = scene.runtime.root().mutex("back", 1);
        LockGuard<Integer> held = ask(scene.open("holder"), back).join();
        ContextNode middle = scene.open("middle");
        LockGuard<Integer> second = ask(middle, front).join();
        CompletableFuture<LockGuard<Integer>> third = ask(middle, back);
        List<CompletableFuture<LockGuard<Integer>>> crowd = new ArrayList<>();
        for (int i = 0; i < 1_500; i++) {
            crowd.add(ask(scene.open("crowd" + i), front));
        }
        // The looks at the crowd become rare, so that the list of those to look at stays full.
        await().pollDelay(Duration.ofMillis(1_500)).until(() -> true);
        // Both queue, and nobody can tell what their scopes wait for before the work has given its stage.
        ContextMutex<Integer> m = scene.runtime.root().mutex("m", 1);
        ContextMutex<Integer> n = scene.runtime.root().mutex("n", 1);
        CountDownLatch bothHold = new CountDownLatch(2);
        CountDownLatch bothQueued = new CountDownLatch(2);
        CountDownLatch giveStage = new CountDownLatch(1);
        List<CompletableFuture<String>> results = new CopyOnWriteArrayList<>();
        List<Thread> threads = new ArrayList<>();
        for (boolean up : new boolean[] {true, false}) {
            ContextNode who = scene.open(up ? "up" : "down");
            threads.add(new Thread(() -> results.add(in(
                            who,
                            () -> (up ? m : n).<String>withLock(v -> {
                                bothHold.countDown();
                                awaitLatch(bothHold);
                                CompletionStage<String> inner =
                                        (up ? n : m).<String>withLock(w -> CompletableFuture.completedFuture("done"));
                                bothQueued.countDown();
                                awaitLatch(giveStage);
                                return inner;
                            }))
                    .toCompletableFuture())));
        }
        threads.forEach(Thread::start);
        awaitLatch(bothQueued);
        // The first looks are over, and found nothing.
        await().pollDelay(Duration.ofMillis(300)).until(() -> true);
        giveStage.countDown();
        for (Thread thread : threads) {
            thread.join(30_000);
        }
        await().atMost(Duration.ofSeconds(60))
                .until(() -> results.size() == 2 && results.stream().allMatch(CompletableFuture::isDone));
        assertThat(results)
                .filteredOn(CompletableFuture::isCompletedExceptionally)
                .hasSize(1);
        crowd.forEach(each -> each.cancel(false));
        second.close();
        held.close();
        third.join().close();
    }

    @Test
    void oneOverTheLastOfManyHoldersIsFoundWithoutASnapshot() {
        scene.restart(DeadlockPolicy.FAIL_YOUNGEST_WAITER);
        ContextReadWriteLock<Integer> table = scene.runtime.root().readWriteLock("table", 1);
        ContextMutex<Integer> index = scene.runtime.root().mutex("index", 1);
        ContextNode a = scene.open("a");
        ContextNode b = scene.open("b");
        for (int i = 0; i < 100; i++) {
            var unused = in(
                    scene.open("reader" + i),
                    () -> table.readLock().toCompletableFuture().join());
        }
        List<CompletableFuture<String>> waits = new ArrayList<>();
        waits.add(in(
                b,
                () -> index.<String>withLock(v -> {
                            waits.add(in(
                                    a,
                                    () -> table.<String>withReadLock(r -> in(
                                                    a,
                                                    () -> index.<String>withLock(
                                                            w -> CompletableFuture.completedFuture("done"))))
                                            .toCompletableFuture()));
                            return in(
                                    b,
                                    () -> table.<String>withWriteLock(g -> CompletableFuture.completedFuture("done")));
                        })
                        .toCompletableFuture()));
        await().atMost(Duration.ofSeconds(60))
                .until(() -> waits.stream().anyMatch(CompletableFuture::isCompletedExceptionally));
    }

    @Test
    void L14_thatTwoWantOneMorePermitIsFoundByALookWithoutASnapshot() {
        RecordedTimers timers = new RecordedTimers();
        scene.restart(DeadlockPolicy.REPORT, scene.ticker, timers);
        ContextSemaphore permits = scene.runtime.root().semaphore("connections", 2);
        List<ContextNode> both = List.of(scene.open("a"), scene.open("b"));
        List<CompletableFuture<PermitGuard>> asked = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            both.forEach(each -> asked.add(askForOne(each, permits)));
        }
        timers.runAll();
        assertThat(scene.runtime.causes().deadlocks().knownCount()).isZero();
        scene.ticker.advance(Duration.ofSeconds(6));
        timers.runAll();
        assertThat(scene.runtime.causes().deadlocks().knownCount()).isEqualTo(1);
    }

    @Test
    void whereNoThreadIsLeftForALookTheNextOneWhoQueuesAsksForItAgain() {
        AtomicInteger failures = new AtomicInteger(1);
        scene.restart(DeadlockPolicy.FAIL_YOUNGEST_WAITER, Ticker.system(), new Timers(ForkJoinPool::commonPool) {
            @Override
            boolean tick(Duration delay, Runnable task) {
                if (delay.toMillis() == 10 && failures.getAndDecrement() > 0) {
                    throw new OutOfMemoryError("unable to create native thread");
                }
                return super.tick(delay, task);
            }
        });
        List<CompletableFuture<String>> first = scene.ring(2, "first");
        assertThat(failures.get()).isLessThan(1);
        List<CompletableFuture<String>> second = scene.ring(2, "second");
        await().atMost(Duration.ofSeconds(30))
                .until(() -> first.stream().allMatch(CompletableFuture::isDone)
                        && second.stream().allMatch(CompletableFuture::isDone));
    }

    /** Under contention that goes on somebody new is suspected all the time, and a look may be at queues of thousands. */
    @Test
    void afterALookThatTookLongNoneBeginsForTwentyTimesAsLong() {
        assertThat(nextLookAfterOneOf(Duration.ofMillis(50), Duration.ZERO))
                .isBetween(Duration.ofSeconds(1), Duration.ofSeconds(10));
    }

    @Test
    void anHourAfterALookThatTookLongTheNextOneBeginsAtOnce() {
        assertThat(nextLookAfterOneOf(Duration.ofMillis(50), Duration.ofHours(1)))
                .isEqualTo(Duration.ofMillis(10));
    }

    /** A look in which the process was suspended says nothing about what looks cost. */
    @Test
    void afterALookOfAMinuteTheNextOneBeginsWithinTenSeconds() {
        assertThat(nextLookAfterOneOf(Duration.ofMinutes(1), Duration.ZERO)).isEqualTo(Duration.ofSeconds(10));
    }

    /** How long the next one who queues behind one who waits is not looked at, so long after a look that cost so much. */
    private Duration nextLookAfterOneOf(Duration cost, Duration later) {
        RecordedTimers timers = new RecordedTimers();
        AtomicLong costNanos = new AtomicLong();
        AtomicLong passed = new AtomicLong();
        Ticker slow = new Ticker() {
            @Override
            public long nanos() {
                return passed.addAndGet(costNanos.get());
            }

            @Override
            public Instant wallTime() {
                return scene.ticker.wallTime();
            }
        };
        scene.restart(DeadlockPolicy.REPORT, slow, timers);
        ContextMutex<Integer> m = scene.runtime.root().mutex("m", 1);
        ContextMutex<Integer> n = scene.runtime.root().mutex("n", 1);
        LockGuard<Integer> held = n.lock().toCompletableFuture().join();
        ContextNode holder = scene.open("holder");
        var unused = in(
                holder,
                () -> m.<String>withLock(v -> n.<String>withLock(w -> CompletableFuture.completedFuture("done"))));
        timers.runAll();
        var unusedToo = ask(scene.open("first"), m);
        assertThat(timers.delays).as("of the first look").contains(Duration.ofMillis(10));
        costNanos.set(cost.toNanos());
        timers.runAll();
        costNanos.set(0);
        assertThat(timers.delays)
                .as("of those that look again")
                .allSatisfy(delay -> assertThat(delay).isLessThanOrEqualTo(Duration.ofSeconds(10)));
        timers.delays.clear();
        passed.addAndGet(later.toNanos());
        var unusedThree = ask(scene.open("second"), m);
        assertThat(timers.delays).as("of the next look").hasSize(1);
        Duration next = timers.delays.get(0);
        holder.cancel();
        held.close();
        return next;
    }
}
