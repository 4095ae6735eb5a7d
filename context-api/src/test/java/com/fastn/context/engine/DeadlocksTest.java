package com.fastn.context.engine;

import static com.fastn.context.engine.Patience.await;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fastn.context.ContextEngine;
import com.fastn.context.ContextMutex;
import com.fastn.context.ContextReadWriteLock;
import com.fastn.context.ContextScope;
import com.fastn.context.ContextSemaphore;
import com.fastn.context.DeadlockException;
import com.fastn.context.DeadlockPolicy;
import com.fastn.context.FastnContext;
import com.fastn.context.LockGuard;
import com.fastn.context.ManualTicker;
import com.fastn.context.PermitGuard;
import com.fastn.context.Thresholds;
import com.fastn.context.Ticker;
import com.fastn.context.status.CancelReason;
import com.fastn.context.status.DeadlockReport;
import com.fastn.context.status.LockMode;
import com.fastn.context.status.StatusWarning;
import com.fastn.context.status.WarningSeverity;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class DeadlocksTest {
    private final ManualTicker ticker = new ManualTicker(Instant.parse("2026-01-01T12:00:00Z"));
    private EngineRuntime runtime = with(DeadlockPolicy.REPORT);

    private EngineRuntime with(DeadlockPolicy policy) {
        return new EngineRuntime(
                new ContextEngine.Settings("app", "App", "alice", ticker, 10_000, 100, false, policy),
                Engine.instance().currentContext());
    }

    @AfterEach
    void close() {
        runtime.close();
    }

    private ContextNode open(String name) {
        return (ContextNode) runtime.root().child(name).open();
    }

    private static <T> T in(FastnContext context, Supplier<T> code) {
        try (ContextScope ignored = context.makeCurrent()) {
            return code.get();
        }
    }

    /** Contexts that each hold a lock of a ring and ask for the next one inside of it. */
    private List<CompletableFuture<String>> ring(int size) {
        return ring(size, "m");
    }

    private List<CompletableFuture<String>> ring(int size, String name) {
        return ring(size, name, result -> {});
    }

    /** The same; something is done with each of their results before the ring is closed, and so before one of them can end. */
    private List<CompletableFuture<String>> ring(int size, String name, Consumer<CompletableFuture<String>> before) {
        List<ContextMutex<Object>> locks = new ArrayList<>();
        for (int i = 0; i < size; i++) {
            locks.add(runtime.root().mutex(name + i, (Object) "v"));
        }
        List<CompletableFuture<String>> all = new ArrayList<>();
        List<LockGuard<Object>> first = new ArrayList<>();
        // All take their lock first: each of the ring's locks is held by a helper until everybody stands in line for
        // it.
        for (ContextMutex<Object> lock : locks) {
            first.add(lock.lock().toCompletableFuture().join());
        }
        for (int i = 0; i < size; i++) {
            int next = (i + 1) % size;
            ContextNode who = open("c" + i);
            ContextMutex<Object> own = locks.get(i);
            ContextMutex<Object> other = locks.get(next);
            all.add(in(
                    who,
                    () -> own.<String>withLock(v -> in(
                                    who, () -> other.<String>withLock(w -> CompletableFuture.completedFuture("done"))))
                            .toCompletableFuture()));
        }
        all.forEach(before);
        // The releases are in one thread: each guard lets one in, which queues behind the helper of the next lock.
        first.forEach(LockGuard::close);
        return all;
    }

    @Test
    void L14_aRingOfScopesIsProvenAndNamesEachParty() {
        List<CompletableFuture<String>> all = ring(3);
        ticker.advance(Duration.ofSeconds(2));

        DeadlockReport report = runtime.status().deadlocks().get(0);
        assertThat(runtime.status().deadlocks()).hasSize(1);
        assertThat(report.proven()).isTrue();
        assertThat(report.size()).isEqualTo(3);
        assertThat(report.resolvesWithin()).isNull();
        assertThat(report.parties())
                .extracting(p -> p.context().shortName())
                .containsExactlyInAnyOrder("c0", "c1", "c2");
        for (DeadlockReport.Party party : report.parties()) {
            int i = Integer.parseInt(party.context().shortName().substring(1));
            assertThat(party.waitsFor()).isEqualTo("m" + (i + 1) % 3);
            assertThat(party.waited()).isEqualTo(Duration.ofSeconds(2));
            assertThat(party.holds()).singleElement().satisfies(hold -> {
                assertThat(hold.lockName()).isEqualTo("m" + i);
                assertThat(hold.scoped()).isTrue();
            });
        }
        StatusWarning warning = runtime.status().warnings().get(0);
        assertThat(warning.id()).isEqualTo("deadlock");
        assertThat(warning.severity()).isEqualTo(WarningSeverity.CRITICAL);
        assertThat(warning.message()).isEqualTo(report.cycle()).startsWith("deadlock: ");
        assertThat(runtime.explainAll())
                .isNotEmpty()
                .allMatch(why -> why.headline().contains("deadlock: "));

        // It is not told any longer than it lasts.
        all.get(0).cancel(false);
        requireNonNull(runtime.find(runtime.root().path().child("c0"))).cancel();
        await().untilAsserted(() -> assertThat(runtime.status().deadlocks()).isEmpty());
        assertThat(all.get(1)).succeedsWithin(Duration.ofSeconds(20));
        assertThat(all.get(2)).succeedsWithin(Duration.ofSeconds(20));
        assertThat(runtime.status().warnings()).noneMatch(w -> w.id().contains("deadlock"));
    }

    @Test
    void ringsOfUpToAThousandLocksAreFoundInOnePiece() {
        for (int size : new int[] {2, 10, 100, 1_000}) {
            runtime.close();
            runtime = with(DeadlockPolicy.REPORT);
            var unused = ring(size);
            assertThat(runtime.status().deadlocks()).singleElement().satisfies(report -> {
                assertThat(report.size()).isEqualTo(size);
                assertThat(report.parties()).hasSize(Math.min(size, 16));
            });
        }
    }

    private List<String> deadlockWarnings(String id) {
        return runtime.status().warnings().stream()
                .filter(warning -> warning.id().equals(id))
                .map(StatusWarning::message)
                .toList();
    }

    @Test
    void ofManyDeadlocksTenAreToldAndTheOthersCounted() {
        for (int i = 0; i < 12; i++) {
            var unused = ring(2, "ring" + i + "-");
        }
        assertThat(runtime.status().deadlocks()).hasSize(10);
        assertThat(deadlockWarnings("deadlock"))
                .hasSize(11)
                .filteredOn(message -> !message.startsWith("deadlock: "))
                .containsExactly("+2 more deadlocks");
        assertThat(runtime.status().warnings())
                .filteredOn(warning -> warning.message().equals("+2 more deadlocks"))
                .singleElement()
                .satisfies(warning -> assertThat(warning.severity()).isEqualTo(WarningSeverity.CRITICAL));

        // The proven ones come first, so of suspected ones nothing but their number is left.
        ContextNode a = open("a");
        ContextNode b = open("b");
        ContextMutex<Integer> m = runtime.root().mutex("m", 1);
        ContextMutex<Integer> n = runtime.root().mutex("n", 1);
        LockGuard<Integer> first = ask(a, m).join();
        LockGuard<Integer> second = ask(b, n).join();
        var unusedA = ask(a, n);
        var unusedB = ask(b, m);
        assertThat(deadlockWarnings("deadlock-suspected")).containsExactly("+1 more suspected deadlocks");

        runtime.root().setSetting(Thresholds.WARNINGS_OFF, "deadlock");
        assertThat(deadlockWarnings("deadlock")).isEmpty();
        assertThat(deadlockWarnings("warnings-silenced")).containsExactly("12 warnings silenced: deadlock");
        runtime.root().children().forEach(FastnContext::cancel);
        first.close();
        second.close();
    }

    @Test
    void failYoungestWaiterFailsOneWaitWithTheCycleAndTheOthersGoOn() {
        runtime.close();
        runtime = with(DeadlockPolicy.FAIL_YOUNGEST_WAITER);
        List<CompletableFuture<String>> all = ring(2);
        // Nobody asks for a status: it is found because somebody queued.
        await().atMost(Duration.ofSeconds(30)).until(() -> all.stream().allMatch(CompletableFuture::isDone));
        List<CompletableFuture<String>> failed =
                all.stream().filter(CompletableFuture::isCompletedExceptionally).toList();
        assertThat(failed).hasSize(1);
        assertThatThrownBy(failed.get(0)::join)
                .rootCause()
                .isInstanceOf(DeadlockException.class)
                .hasMessageContaining("deadlock: ")
                .hasMessageContaining("c0 holds mutex \"m0\"")
                .hasMessageContaining("c1 holds mutex \"m1\"");
        assertThat(runtime.status().activeLocks()).isEmpty();
    }

    @Test
    void cancelYoungestWaiterEndsItsContextForThatReasonAndTheOthersGoOn() {
        runtime.close();
        runtime = with(DeadlockPolicy.CANCEL_YOUNGEST_WAITER);
        List<CompletableFuture<String>> all = ring(2);
        await().atMost(Duration.ofSeconds(30)).until(() -> all.stream().allMatch(CompletableFuture::isDone));
        assertThat(all).filteredOn(CompletableFuture::isCompletedExceptionally).hasSize(1);
        // The wait fails first, and then its context is cancelled.
        await().atMost(Duration.ofSeconds(30))
                .until(() -> runtime.root().children().stream().anyMatch(FastnContext::isCancelled));

        assertThat(runtime.root().children())
                .filteredOn(FastnContext::isCancelled)
                .singleElement()
                .satisfies(context -> {
                    CancelReason reason = requireNonNull(context.cancelReason());
                    assertThat(reason.kind()).isEqualTo(CancelReason.Kind.DEADLOCK);
                    assertThat(reason.message()).startsWith("deadlock: ").contains("mutex \"m0\"");
                    assertThat(reason.source()).isEqualTo(context.path().toString());
                });
        assertThat(runtime.status().activeLocks()).isEmpty();
    }

    @Test
    void cancelYoungestWaiterNeverEndsTheRoot() {
        runtime.close();
        runtime = with(DeadlockPolicy.CANCEL_YOUNGEST_WAITER);
        ContextMutex<Integer> a = runtime.root().mutex("a", 1);
        ContextMutex<Integer> b = runtime.root().mutex("b", 1);
        ContextNode helper = open("helper");
        LockGuard<Integer> firstOfA = ask(helper, a).join();
        LockGuard<Integer> firstOfB = ask(helper, b).join();
        ContextNode child = open("child");
        CompletionStage<String> older = bothLocks(child, a, b);
        CompletionStage<String> younger = bothLocks(runtime.root(), b, a);
        firstOfA.close();
        ticker.advance(Duration.ofMillis(1));
        firstOfB.close();

        await().atMost(Duration.ofSeconds(30))
                .until(() -> older.toCompletableFuture().isDone()
                        && younger.toCompletableFuture().isDone());
        assertThat(younger.toCompletableFuture()).isCompletedExceptionally();
        assertThat(older.toCompletableFuture()).isCompletedWithValue("done");
        assertThat(runtime.root().isCancelled()).isFalse();
    }

    private static CompletionStage<String> bothLocks(
            FastnContext who, ContextMutex<Integer> first, ContextMutex<Integer> second) {
        return in(
                who,
                () -> first.<String>withLock(
                        v -> in(who, () -> second.<String>withLock(w -> CompletableFuture.completedFuture("done")))));
    }

    @Test
    void deadlocksThatWereResolvedLeaveNothing() {
        runtime.close();
        runtime = with(DeadlockPolicy.FAIL_YOUNGEST_WAITER);
        for (int i = 0; i < 5; i++) {
            List<CompletableFuture<String>> all = ring(2);
            await().atMost(Duration.ofSeconds(30)).until(() -> all.stream().allMatch(CompletableFuture::isDone));
            runtime.root().children().forEach(FastnContext::close);
        }
        // Nobody takes a snapshot.
        await().atMost(Duration.ofSeconds(30))
                .until(() -> runtime.causes().deadlocks().knownCount() == 0);
    }

    @Test
    void oneThatIsCompleteOnlyAfterTooManyQueuedIsFoundAllTheSame() throws InterruptedException {
        runtime.close();
        runtime = with(DeadlockPolicy.FAIL_YOUNGEST_WAITER);
        ContextMutex<Integer> front = runtime.root().mutex("front", 1);
        ContextMutex<Integer> back = runtime.root().mutex("back", 1);
        LockGuard<Integer> held = ask(open("holder"), back).join();
        ContextNode middle = open("middle");
        LockGuard<Integer> second = ask(middle, front).join();
        CompletableFuture<LockGuard<Integer>> third = ask(middle, back);
        List<CompletableFuture<LockGuard<Integer>>> crowd = new ArrayList<>();
        for (int i = 0; i < 1_500; i++) {
            crowd.add(ask(open("crowd" + i), front));
        }
        // The looks at the crowd become rare, so that the list of those to look at stays full.
        await().pollDelay(Duration.ofMillis(1_500)).until(() -> true);
        // Both queue, and nobody can tell what their scopes wait for before the work has given its stage.
        ContextMutex<Integer> m = runtime.root().mutex("m", 1);
        ContextMutex<Integer> n = runtime.root().mutex("n", 1);
        CountDownLatch bothHold = new CountDownLatch(2);
        CountDownLatch bothQueued = new CountDownLatch(2);
        CountDownLatch giveStage = new CountDownLatch(1);
        List<CompletableFuture<String>> results = new CopyOnWriteArrayList<>();
        List<Thread> threads = new ArrayList<>();
        for (boolean up : new boolean[] {true, false}) {
            ContextNode who = open(up ? "up" : "down");
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

    private static void awaitLatch(CountDownLatch latch) {
        try {
            assertThat(latch.await(60, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void oneOverTheLastOfManyHoldersIsFoundWithoutASnapshot() {
        runtime.close();
        runtime = with(DeadlockPolicy.FAIL_YOUNGEST_WAITER);
        ContextReadWriteLock<Integer> table = runtime.root().readWriteLock("table", 1);
        ContextMutex<Integer> index = runtime.root().mutex("index", 1);
        ContextNode a = open("a");
        ContextNode b = open("b");
        for (int i = 0; i < 100; i++) {
            var unused = in(
                    open("reader" + i),
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

    /** Two who each hold a lock, and whose child asks for the other one's. */
    private List<CompletableFuture<String>> parentsHoldAndChildrenWait() {
        ContextMutex<Integer> m = runtime.root().mutex("m", 1);
        ContextMutex<Integer> n = runtime.root().mutex("n", 1);
        LockGuard<Integer> firstM = m.lock().toCompletableFuture().join();
        LockGuard<Integer> firstN = n.lock().toCompletableFuture().join();
        List<CompletableFuture<String>> all = new ArrayList<>();
        for (boolean up : new boolean[] {true, false}) {
            ContextNode parent = open(up ? "up" : "down");
            ContextNode child = (ContextNode) parent.child("inner").open();
            all.add(in(
                    parent,
                    () -> (up ? m : n)
                            .<String>withLock(v -> in(
                                    child,
                                    () -> (up ? n : m)
                                            .<String>withLock(w -> CompletableFuture.completedFuture("done"))))
                            .toCompletableFuture()));
        }
        firstM.close();
        firstN.close();
        return all;
    }

    @Test
    void L14_itIsFoundWhereTheParentHoldsAndItsChildWaits() {
        List<CompletableFuture<String>> all = parentsHoldAndChildrenWait();
        assertThat(runtime.status().deadlocks()).singleElement().satisfies(report -> {
            assertThat(report.proven()).isTrue();
            assertThat(report.parties())
                    .extracting(p -> p.context().path())
                    .containsExactlyInAnyOrder("app.up.inner", "app.down.inner");
        });
        assertThat(all).noneMatch(CompletableFuture::isDone);
    }

    @Test
    void L14_alsoByALookWithoutASnapshot() {
        runtime.close();
        runtime = with(DeadlockPolicy.FAIL_YOUNGEST_WAITER);
        List<CompletableFuture<String>> all = parentsHoldAndChildrenWait();
        await().atMost(Duration.ofSeconds(30)).until(() -> all.stream().allMatch(CompletableFuture::isDone));
        assertThat(all).filteredOn(CompletableFuture::isCompletedExceptionally).hasSize(1);
    }

    @Test
    void L14_itIsFoundOverAScopeThatHadToWaitForItsLock() {
        // One takes a, then waits for b and gets it, then wants c; the other one holds c and wants a.
        ContextMutex<Integer> a = runtime.root().mutex("a", 1);
        ContextMutex<Integer> b = runtime.root().mutex("b", 1);
        ContextMutex<Integer> c = runtime.root().mutex("c", 1);
        ContextNode one = open("one");
        ContextNode other = open("other");
        LockGuard<Integer> heldB = b.lock().toCompletableFuture().join();
        List<CompletionStage<String>> results = new ArrayList<>();
        results.add(in(
                one,
                () -> a.<String>withLock(v ->
                        b.<String>withLock(w -> c.<String>withLock(x -> CompletableFuture.completedFuture("done"))))));
        results.add(in(
                other,
                () -> c.<String>withLock(v -> {
                    CompletionStage<String> inner = a.<String>withLock(w -> CompletableFuture.completedFuture("done"));
                    heldB.close();
                    return inner;
                })));
        assertThat(runtime.status().deadlocks()).singleElement().satisfies(report -> {
            assertThat(report.proven()).isTrue();
            assertThat(report.size()).isEqualTo(2);
        });
        assertThat(results).noneMatch(result -> result.toCompletableFuture().isDone());
    }

    @Test
    void L14_whatIsAskedForInsideOfAScopeIsSuspectedAlsoWhereAContextDoesManyThings() {
        // Both are of the root, of which no context can be told to do one thing at a time.
        ContextMutex<Integer> m = runtime.root().mutex("m", 1);
        ContextMutex<Integer> n = runtime.root().mutex("n", 1);
        LockGuard<Integer> firstM = m.lock().toCompletableFuture().join();
        LockGuard<Integer> firstN = n.lock().toCompletableFuture().join();
        // Others may complete what they give, so it is no proof.
        var unusedOne = m.withLock(
                v -> n.<Integer>withLock(CompletableFuture::completedFuture).toCompletableFuture());
        var unusedOther = n.withLock(
                v -> m.<Integer>withLock(CompletableFuture::completedFuture).toCompletableFuture());
        firstM.close();
        firstN.close();
        assertThat(runtime.status().deadlocks())
                .singleElement()
                .satisfies(report -> assertThat(report.proven()).isFalse());
    }

    @Test
    void C4_whoIsToldThatItsWaitFailedMayBlockAndTheNextDeadlockIsFoundAllTheSame() throws InterruptedException {
        runtime.close();
        runtime = with(DeadlockPolicy.FAIL_YOUNGEST_WAITER);
        CountDownLatch told = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        // Were it said after the ring is closed, it could be this thread that is told, and blocks.
        var unused = ring(2, "first", each -> {
            var unusedToo = each.whenComplete((value, failure) -> {
                if (failure != null) {
                    told.countDown();
                    awaitLatch(goOn);
                }
            });
        });
        assertThat(told.await(60, TimeUnit.SECONDS)).isTrue();
        List<CompletableFuture<String>> second = ring(2, "second");
        await().atMost(Duration.ofSeconds(30)).until(() -> second.stream().allMatch(CompletableFuture::isDone));
        // A snapshot waits for nobody either.
        assertThat(runtime.status().deadlocks()).isEmpty();
        goOn.countDown();
    }

    @Test
    void whereNoThreadIsLeftForALookTheNextOneWhoQueuesAsksForItAgain() {
        runtime.close();
        AtomicInteger failures = new AtomicInteger(1);
        runtime = with(DeadlockPolicy.FAIL_YOUNGEST_WAITER, new Timers(ForkJoinPool::commonPool) {
            @Override
            boolean tick(Duration delay, Runnable task) {
                if (delay.toMillis() == 10 && failures.getAndDecrement() > 0) {
                    throw new OutOfMemoryError("unable to create native thread");
                }
                return super.tick(delay, task);
            }
        });
        List<CompletableFuture<String>> first = ring(2, "first");
        assertThat(failures.get()).isLessThan(1);
        List<CompletableFuture<String>> second = ring(2, "second");
        await().atMost(Duration.ofSeconds(30))
                .until(() -> first.stream().allMatch(CompletableFuture::isDone)
                        && second.stream().allMatch(CompletableFuture::isDone));
    }

    @Test
    void L14_aWaitDoesNotFailForADeadlockThatIsOverByThen() {
        runtime.close();
        ArrayDeque<Runnable> later = new ArrayDeque<>();
        runtime = with(DeadlockPolicy.FAIL_YOUNGEST_WAITER, new Timers(() -> later::add) {
            @Override
            boolean tick(Duration delay, Runnable task) {
                later.add(task);
                return true;
            }
        });
        ContextMutex<Object> one = runtime.root().mutex("one", (Object) "v");
        ContextMutex<Object> two = runtime.root().mutex("two", (Object) "v");
        LockGuard<Object> taken = two.lock().toCompletableFuture().join();
        CompletableFuture<String> work = new CompletableFuture<>();
        ContextNode elder = open("elder");
        ContextNode younger = open("younger");
        CompletableFuture<String> second = in(
                        younger,
                        () -> two.<String>withLock(v -> in(
                                younger, () -> one.<String>withLock(w -> CompletableFuture.completedFuture("done")))))
                .toCompletableFuture();
        // It goes on with other work when it does not get the second lock.
        CompletableFuture<String> first = in(
                        elder,
                        () -> one.<String>withLock(
                                v -> two.<String>withLock(w -> CompletableFuture.completedFuture("done"))
                                        .handle((done, failure) -> failure)
                                        .thenCompose(failure -> work)))
                .toCompletableFuture();
        taken.close();
        while (runtime.causes().deadlocks().knownCount() == 0) {
            later.remove().run();
        }
        elder.cancel();
        for (int i = 0; i < 50 && !later.isEmpty(); i++) {
            later.remove().run();
        }
        assertThat(first).isNotDone();
        assertThat(second).as("it waits for one who goes on").isNotDone();
        work.complete("other work");
        assertThat(first).isCompletedWithValue("other work");
        assertThat(second).isCompletedWithValue("done");
    }

    @Test
    void whoWasToFailAndIsOutOfTheQueueByThenIsForgottenAtOnce() {
        runtime.close();
        ArrayDeque<Runnable> later = new ArrayDeque<>();
        runtime = with(DeadlockPolicy.FAIL_YOUNGEST_WAITER, new Timers(() -> later::add) {
            @Override
            boolean tick(Duration delay, Runnable task) {
                later.add(task);
                return true;
            }
        });
        List<CompletableFuture<String>> all = ring(2);
        while (runtime.causes().deadlocks().knownCount() == 0) {
            later.remove().run();
        }
        runtime.root().children().forEach(FastnContext::cancel);
        assertThat(all).allMatch(CompletableFuture::isDone);
        assertThat(runtime.causes().deadlocks().knownCount()).isEqualTo(1);
        // The look left the failing of that wait for last; there is none after it.
        later.removeLast().run();
        assertThat(runtime.causes().deadlocks().knownCount()).isZero();
    }

    private static EngineRuntime with(DeadlockPolicy policy, Timers timers) {
        return new EngineRuntime(
                new ContextEngine.Settings("app", "App", "alice", Ticker.system(), 10_000, 100, false, policy),
                Engine.instance().currentContext(),
                CounterStore.Caps.DEFAULT,
                timers);
    }

    @Test
    void ignoreLooksForNothing() {
        runtime.close();
        runtime = with(DeadlockPolicy.IGNORE);
        var unused = ring(2);
        assertThat(runtime.status().deadlocks()).isEmpty();
        assertThat(runtime.status().warnings()).noneMatch(w -> w.id().contains("deadlock"));
    }

    private <T> CompletableFuture<LockGuard<T>> ask(FastnContext who, ContextMutex<T> lock) {
        return in(who, () -> lock.lock().toCompletableFuture());
    }

    @Test
    void L14_rawGuardsAreSuspectedOneSeverityLower() {
        ContextNode a = open("a");
        ContextNode b = open("b");
        ContextMutex<Integer> m = runtime.root().mutex("m", 1);
        ContextMutex<Integer> n = runtime.root().mutex("n", 1);
        LockGuard<Integer> first = ask(a, m).join();
        LockGuard<Integer> second = ask(b, n).join();
        CompletableFuture<LockGuard<Integer>> wantsN = ask(a, n);
        assertThat(runtime.status().deadlocks()).isEmpty();
        CompletableFuture<LockGuard<Integer>> wantsM = ask(b, m);

        assertThat(runtime.status().deadlocks()).singleElement().satisfies(report -> {
            assertThat(report.proven()).isFalse();
            assertThat(report.cycle()).startsWith("suspected deadlock: ");
        });
        assertThat(runtime.status().warnings())
                .filteredOn(w -> w.id().startsWith("deadlock"))
                .singleElement()
                .satisfies(w -> {
                    assertThat(w.id()).isEqualTo("deadlock-suspected");
                    assertThat(w.severity()).isEqualTo(WarningSeverity.WARNING);
                });
        // Another branch may always release.
        first.close();
        assertThat(runtime.status().deadlocks()).isEmpty();
        wantsM.join().close();
        second.close();
        wantsN.join().close();
    }

    /** One who holds the first lock in a scope and wants the other one, for a time if there is one. */
    private CompletionStage<String> holdsAndWants(
            String who, ContextMutex<?> first, ContextMutex<?> second, @Nullable Duration timeout) {
        return in(
                open(who),
                () -> first.<String>withLock(v -> timeout == null
                        ? second.<String>withLock(w -> CompletableFuture.completedFuture("done"))
                        : second.<String>withLock(timeout, w -> CompletableFuture.completedFuture("done"))));
    }

    @Test
    void aDeadlockWithATimeoutSaysWhenItResolvesByItself() {
        ContextMutex<Integer> m = runtime.root().mutex("m", 1);
        ContextMutex<Integer> n = runtime.root().mutex("n", 1);
        LockGuard<Integer> first = m.lock().toCompletableFuture().join();
        LockGuard<Integer> second = n.lock().toCompletableFuture().join();
        var unusedA = holdsAndWants("a", m, n, Duration.ofHours(2));
        var unusedB = holdsAndWants("b", n, m, Duration.ofHours(1));
        first.close();
        second.close();
        ticker.advance(Duration.ofMinutes(20));
        DeadlockReport report = runtime.status().deadlocks().get(0);
        assertThat(report.resolvesWithin()).isEqualTo(Duration.ofMinutes(40));
        assertThat(report.cycle()).endsWith("resolves by itself within 40m, when a wait times out");
    }

    @Test
    void aDeadlockWithAContextWhoseTimeRunsOutSaysWhenItResolvesByItself() {
        ContextMutex<Integer> m = runtime.root().mutex("m", 1);
        ContextMutex<Integer> n = runtime.root().mutex("n", 1);
        LockGuard<Integer> first = m.lock().toCompletableFuture().join();
        LockGuard<Integer> second = n.lock().toCompletableFuture().join();
        ContextNode above = open("request");
        var time = above.cancelAfter(Duration.ofHours(1));
        var unusedA = in(
                (ContextNode) above.child("a").open(),
                () -> m.<String>withLock(v -> n.<String>withLock(w -> CompletableFuture.completedFuture("done"))));
        var unusedB = holdsAndWants("b", n, m, Duration.ofHours(2));
        first.close();
        second.close();
        ticker.advance(Duration.ofMinutes(20));
        DeadlockReport report = runtime.status().deadlocks().get(0);
        assertThat(report.proven()).isTrue();
        assertThat(report.resolvesWithin()).isEqualTo(Duration.ofMinutes(40));
        assertThat(report.parties())
                .extracting(DeadlockReport.Party::timesOutIn)
                .contains(Duration.ofMinutes(40));
        time.close();
        assertThat(runtime.status().deadlocks().get(0).resolvesWithin()).isEqualTo(Duration.ofMinutes(100));
        above.cancel();
        assertThat(runtime.status().deadlocks()).isEmpty();
    }

    /** Sees to no time by itself: the delays that it is told are what a test looks at. */
    private static final class RecordedTimers extends Timers {
        final List<Duration> delays = new CopyOnWriteArrayList<>();
        private final ArrayDeque<Runnable> tasks = new ArrayDeque<>();

        RecordedTimers() {
            super(() -> Runnable::run);
        }

        @Override
        synchronized boolean tick(Duration delay, Runnable task) {
            delays.add(delay);
            tasks.add(task);
            return true;
        }

        synchronized void runAll() {
            List<Runnable> now = List.copyOf(tasks);
            tasks.clear();
            delays.clear();
            now.forEach(Runnable::run);
        }
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
                return ticker.wallTime();
            }
        };
        runtime.close();
        runtime = new EngineRuntime(
                new ContextEngine.Settings("app", "App", "alice", slow, 10_000, 100, false, DeadlockPolicy.REPORT),
                Engine.instance().currentContext(),
                CounterStore.Caps.DEFAULT,
                timers);
        ContextMutex<Integer> m = runtime.root().mutex("m", 1);
        ContextMutex<Integer> n = runtime.root().mutex("n", 1);
        LockGuard<Integer> held = n.lock().toCompletableFuture().join();
        ContextNode holder = open("holder");
        var unused = in(
                holder,
                () -> m.<String>withLock(v -> n.<String>withLock(w -> CompletableFuture.completedFuture("done"))));
        timers.runAll();
        var unusedToo = ask(open("first"), m);
        assertThat(timers.delays).as("of the first look").contains(Duration.ofMillis(10));
        costNanos.set(cost.toNanos());
        timers.runAll();
        costNanos.set(0);
        assertThat(timers.delays)
                .as("of those that look again")
                .allSatisfy(delay -> assertThat(delay).isLessThanOrEqualTo(Duration.ofSeconds(10)));
        timers.delays.clear();
        passed.addAndGet(later.toNanos());
        var unusedThree = ask(open("second"), m);
        assertThat(timers.delays).as("of the next look").hasSize(1);
        Duration next = timers.delays.get(0);
        holder.cancel();
        held.close();
        return next;
    }

    @Test
    void aTimeoutThatLeavesItsGuardOpenIsNoPromise() {
        ContextNode a = open("a");
        ContextNode b = open("b");
        ContextMutex<Integer> m = runtime.root().mutex("m", 1);
        ContextMutex<Integer> n = runtime.root().mutex("n", 1);
        LockGuard<Integer> first = ask(a, m).join();
        LockGuard<Integer> second = ask(b, n).join();
        var unused = ask(a, n);
        CompletableFuture<LockGuard<Integer>> limited =
                in(b, () -> m.lock(Duration.ofHours(1)).toCompletableFuture());
        DeadlockReport report = runtime.status().deadlocks().get(0);
        assertThat(report.proven()).isFalse();
        assertThat(report.resolvesWithin()).isNull();
        assertThat(report.cycle()).doesNotContain("by itself");
        limited.cancel(false);
        first.close();
        second.close();
    }

    @Test
    void aTimeoutIsNoPromiseWhileAnotherWaitHoldsTheSamePartiesUp() {
        ContextSemaphore permits = runtime.root().semaphore("permits", 2);
        ContextMutex<Integer> m = runtime.root().mutex("m", 1);
        LockGuard<Integer> first = m.lock().toCompletableFuture().join();
        var unused = in(
                open("large"),
                () -> m.<String>withLock(
                        v -> permits.<String>withPermits(2, () -> CompletableFuture.completedFuture("done"))));
        for (int hours : new int[] {1, 3}) {
            var unusedToo = in(
                    open("hours" + hours),
                    () -> permits.<String>withPermit(() -> m.<String>withLock(
                            Duration.ofHours(hours), v -> CompletableFuture.completedFuture("done"))));
        }
        first.close();
        // After an hour one permit is free, and two are wanted.
        assertThat(runtime.status().deadlocks()).singleElement().satisfies(report -> {
            assertThat(report.proven()).isTrue();
            assertThat(report.resolvesWithin()).isEqualTo(Duration.ofHours(3));
        });
    }

    @Test
    void aReaderBehindAWriterCompletesACycle() {
        ContextReadWriteLock<Integer> table = runtime.root().readWriteLock("table", 1);
        ContextMutex<Integer> index = runtime.root().mutex("index", 1);
        ContextNode a = open("a");
        ContextNode b = open("b");
        ContextNode x = open("x");
        List<CompletableFuture<?>> waits = new ArrayList<>();
        var unused = in(
                b,
                () -> index.<String>withLock(v -> {
                    waits.add(in(
                            a,
                            () -> table.<String>withReadLock(r -> in(
                                            a,
                                            () -> index.<String>withLock(
                                                    w -> CompletableFuture.completedFuture("done"))))
                                    .toCompletableFuture()));
                    waits.add(in(x, () -> table.writeLock().toCompletableFuture()));
                    // Beside a it could read, but not before the writer.
                    return in(b, () -> table.<String>withReadLock(r -> CompletableFuture.completedFuture("done")));
                }));
        assertThat(runtime.status().deadlocks()).singleElement().satisfies(report -> {
            assertThat(report.proven()).isTrue();
            assertThat(report.parties())
                    .extracting(p -> p.context().shortName())
                    .containsExactlyInAnyOrder("a", "b");
            // Who leads to whom is not to be seen without the one between them.
            assertThat(report.parties())
                    .filteredOn(p -> p.ahead() != null)
                    .singleElement()
                    .satisfies(p -> {
                        assertThat(p.context().shortName()).isEqualTo("b");
                        assertThat(p.mode()).isEqualTo(LockMode.READ);
                        DeadlockReport.Ahead ahead = requireNonNull(p.ahead());
                        assertThat(ahead.context().shortName()).isEqualTo("x");
                        assertThat(ahead.mode()).isEqualTo(LockMode.WRITE);
                    });
            assertThat(report.cycle())
                    .contains("b holds mutex \"index\" for 0s and waits to read rwlock \"table\" for 0s, behind x who"
                            + " waits to write it for 0s")
                    .contains("a holds rwlock \"table\" for 0s (reading) and waits for mutex \"index\" for 0s");
        });
        waits.get(1).cancel(false);
        assertThat(runtime.status().deadlocks()).isEmpty();
        assertThat(waits.get(0)).succeedsWithin(Duration.ofSeconds(20));
    }

    @Test
    void aKnotOfPermitsIsADeadlockUnlessOneMoreIsFree() {
        for (int free : new int[] {0, 1}) {
            ContextSemaphore permits = runtime.root().semaphore("connections" + free, 2 + free);
            var all = permits.acquire(2 + free).toCompletableFuture().join();
            List<CompletableFuture<String>> people = new ArrayList<>();
            for (String name : List.of("a", "b")) {
                ContextNode who = open(name);
                people.add(in(
                        who,
                        () -> permits.<String>withPermit(() -> in(
                                        who,
                                        () -> permits.<String>withPermit(
                                                () -> CompletableFuture.completedFuture("done"))))
                                .toCompletableFuture()));
            }
            all.close();
            if (free == 0) {
                assertThat(runtime.status().deadlocks()).singleElement().satisfies(report -> {
                    assertThat(report.proven()).isTrue();
                    assertThat(report.cycle()).contains("a holds 1 of 2 permits of semaphore \"connections0\"");
                });
                runtime.root().children().forEach(FastnContext::cancel);
            } else {
                people.forEach(each -> assertThat(each).succeedsWithin(Duration.ofSeconds(20)));
                assertThat(runtime.status().deadlocks()).isEmpty();
            }
        }
    }

    /** It has a permit from before, and so it seems to close a circle over one of them. */
    @Test
    void L14_whoStandsBehindAProvenDeadlockIsNoSuspectedOneBesideIt() {
        ContextSemaphore permits = runtime.root().semaphore("connections", 4);
        ContextNode behind = open("behind");
        PermitGuard first = askForOne(behind, permits).join();
        PermitGuard others = permits.acquire(3).toCompletableFuture().join();
        for (String name : List.of("a", "b")) {
            ContextNode who = open(name);
            var unused = in(
                    who,
                    () -> permits.<String>withPermit(() -> in(
                            who,
                            () -> permits.<String>withPermits(3, () -> CompletableFuture.completedFuture("done")))));
        }
        others.close();
        CompletableFuture<PermitGuard> more = askForOne(behind, permits);
        ticker.advance(Duration.ofSeconds(6));
        assertThat(runtime.status().deadlocks()).singleElement().satisfies(report -> {
            assertThat(report.proven()).isTrue();
            assertThat(report.parties())
                    .extracting(p -> p.context().shortName())
                    .containsExactly("a", "b");
        });
        runtime.root().children().forEach(FastnContext::cancel);
        assertThat(more).isCompletedExceptionally();
        first.close();
    }

    @Test
    void fromWhenOnAWaitIsStuckIsAskedOnceForEachContextInASearch() {
        ContextSemaphore permits = runtime.root().semaphore("connections", 3);
        List<ContextNode> all = List.of(open("a"), open("b"), open("c"));
        List<CompletableFuture<PermitGuard>> asked = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            all.forEach(each -> asked.add(askForOne(each, permits)));
        }
        ticker.advance(Duration.ofSeconds(2));
        all.get(0).setSetting(Thresholds.WAITER_STUCK, Duration.ofSeconds(1));
        runtime.root().setSetting(Thresholds.WAITER_STUCK, Duration.ofSeconds(3));
        List<ContextNode> looked = new ArrayList<>();
        WaitForGraph.Guesses guesses = runtime.causes().deadlocks().guesses(runtime.nanos(), by -> {
            looked.add(by);
            return WarningSettings.waiterStuckNanos(by);
        });
        List<WaitForGraph.Lock> locks = DeadlockDetector.locks(LockView.ofAll(runtime));
        for (int i = 0; i < 3; i++) {
            assertThat(WaitForGraph.suspected(locks, guesses)).isEmpty();
        }
        assertThat(looked).containsExactlyInAnyOrderElementsOf(all);
        for (ContextNode each : all) {
            assertThat(WarningSettings.waiterStuckNanos(each)).isEqualTo(WarningSettings.of(each).waiterStuckNanos);
        }
        assertThat(runtime.status().deadlocks()).isEmpty();
        ticker.advance(Duration.ofSeconds(2));
        assertThat(runtime.status().deadlocks()).hasSize(1);
        runtime.root().children().forEach(FastnContext::cancel);
    }

    private static CompletableFuture<PermitGuard> askForOne(ContextNode who, ContextSemaphore permits) {
        return in(who, () -> permits.acquire(1).toCompletableFuture());
    }

    @Test
    void L14_twoThatHoldAPermitAndWantOneMoreAreSuspectedOnceTheyAreStuck() {
        ContextSemaphore permits = runtime.root().semaphore("connections", 2);
        ContextNode a = open("a");
        ContextNode b = open("b");
        List<PermitGuard> first =
                List.of(askForOne(a, permits).join(), askForOne(b, permits).join());
        CompletableFuture<PermitGuard> wanted = askForOne(a, permits);
        CompletableFuture<PermitGuard> wantedToo = askForOne(b, permits);
        ticker.advance(Duration.ofSeconds(5));
        // As long as that two queries beside each other may take, and nobody knows that these are none.
        assertThat(runtime.status().deadlocks()).isEmpty();
        ticker.advance(Duration.ofSeconds(1));
        assertThat(runtime.status().deadlocks()).singleElement().satisfies(report -> {
            assertThat(report.proven()).isFalse();
            assertThat(report.cycle())
                    .startsWith(
                            "suspected deadlock: a holds 1 of 2 permits of semaphore \"connections\" for 6s and waits for"
                                    + " 1 of 2 permits of")
                    .contains("; b holds 1 of 2 permits of semaphore \"connections\"");
        });
        assertThat(runtime.status().warnings())
                .filteredOn(w -> w.id().startsWith("deadlock"))
                .extracting(StatusWarning::id)
                .containsExactly("deadlock-suspected");
        first.get(0).close();
        assertThat(runtime.status().deadlocks()).isEmpty();
        wanted.join().close();
        first.get(1).close();
        wantedToo.join().close();
    }

    @Test
    void L14_thatTwoWantOneMorePermitIsFoundByALookWithoutASnapshot() {
        RecordedTimers timers = new RecordedTimers();
        runtime.close();
        runtime = new EngineRuntime(
                new ContextEngine.Settings("app", "App", "alice", ticker, 10_000, 100, false, DeadlockPolicy.REPORT),
                Engine.instance().currentContext(),
                CounterStore.Caps.DEFAULT,
                timers);
        ContextSemaphore permits = runtime.root().semaphore("connections", 2);
        List<ContextNode> both = List.of(open("a"), open("b"));
        List<CompletableFuture<PermitGuard>> asked = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            both.forEach(each -> asked.add(askForOne(each, permits)));
        }
        timers.runAll();
        assertThat(runtime.causes().deadlocks().knownCount()).isZero();
        ticker.advance(Duration.ofSeconds(6));
        timers.runAll();
        assertThat(runtime.causes().deadlocks().knownCount()).isEqualTo(1);
    }

    /** After its first step nobody can tell that it is the work which asks. */
    @Test
    void L14_workThatWantsOneMorePermitAfterItsFirstStepIsSuspected() {
        ContextSemaphore permits = runtime.root().semaphore("connections", 2);
        CompletableFuture<String> query = new CompletableFuture<>();
        List<CompletionStage<String>> all = new ArrayList<>();
        for (String name : List.of("a", "b")) {
            ContextNode who = open(name);
            all.add(in(
                    who,
                    () -> permits.<String>withPermit(() -> query.thenCompose(row ->
                            in(who, () -> permits.<String>withPermit(() -> CompletableFuture.completedFuture(row)))))));
        }
        ticker.advance(Duration.ofSeconds(1));
        query.complete("row");
        ticker.advance(Duration.ofSeconds(6));
        assertThat(runtime.status().deadlocks()).singleElement().satisfies(report -> {
            assertThat(report.proven()).isFalse();
            assertThat(report.parties())
                    .extracting(p -> p.context().shortName())
                    .containsExactly("a", "b");
        });
        assertThat(all).noneMatch(each -> each.toCompletableFuture().isDone());
        runtime.root().children().forEach(FastnContext::cancel);
    }

    @Test
    void L14_twoReadersThatWantToWriteAreSuspectedOnceTheyAreStuck() {
        ContextReadWriteLock<Integer> table = runtime.root().readWriteLock("table", 1);
        ContextNode a = open("a");
        ContextNode b = open("b");
        var reads = in(a, () -> table.readLock().toCompletableFuture()).join();
        var readsToo = in(b, () -> table.readLock().toCompletableFuture()).join();
        var writes = in(a, () -> table.writeLock().toCompletableFuture());
        var writesToo = in(b, () -> table.writeLock().toCompletableFuture());
        ticker.advance(Duration.ofSeconds(6));
        assertThat(runtime.status().deadlocks()).singleElement().satisfies(report -> {
            assertThat(report.proven()).isFalse();
            assertThat(report.cycle())
                    .contains("a holds rwlock \"table\" for 6s (reading) and waits to write rwlock \"table\" for 6s")
                    .contains("b holds rwlock \"table\" for 6s (reading)");
        });
        readsToo.close();
        // What is left is one that may have two branches.
        assertThat(runtime.status().deadlocks()).isEmpty();
        reads.close();
        writes.join().close();
        writesToo.join().close();
    }

    /** As long as anybody likes: who has many branches there goes on with each of them by itself. */
    @Test
    void L14_requestsWithManyBranchesAtOnePoolAreNotSuspected() {
        ContextSemaphore permits = runtime.root().semaphore("connections", 2);
        List<ContextNode> requests = List.of(open("a"), open("b"));
        List<CompletableFuture<PermitGuard>> queries = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            requests.forEach(request -> queries.add(askForOne(request, permits)));
        }
        for (CompletableFuture<PermitGuard> query : queries) {
            ticker.advance(Duration.ofSeconds(6));
            assertThat(runtime.status().deadlocks()).isEmpty();
            query.join().close();
        }
    }

    /** The second of each was asked for before the first was granted, so it was not asked for with that in hand. */
    @Test
    void L14_requestsThatAskedForBothAtOnceAreNotSuspected() {
        ContextSemaphore permits = runtime.root().semaphore("connections", 2);
        List<PermitGuard> before = List.of(
                askForOne(open("x"), permits).join(),
                askForOne(open("y"), permits).join());
        List<ContextNode> requests = List.of(open("a"), open("b"));
        List<CompletableFuture<PermitGuard>> queries = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            requests.forEach(request -> queries.add(askForOne(request, permits)));
        }
        // In the same moment: it is the order that counts, since the times are those of a coarse clock.
        before.forEach(PermitGuard::close);
        ticker.advance(Duration.ofSeconds(20));
        assertThat(runtime.status().deadlocks()).isEmpty();
        queries.forEach(query -> query.join().close());
    }

    @Test
    void busyLocksInOneOrderAreNeverCalledADeadlock() {
        List<ContextMutex<Integer>> locks = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            locks.add(runtime.root().mutex("m" + i, i));
        }
        List<CompletableFuture<Integer>> all = new ArrayList<>();
        for (int i = 0; i < 300; i++) {
            ContextNode who = open("c" + i);
            int from = i % 3;
            all.add(CompletableFuture.supplyAsync(() -> in(
                            who,
                            () -> locks.get(from)
                                    .<Integer>withLock(v -> in(
                                            who,
                                            () -> locks.get(from + 1)
                                                    .<Integer>withLock(w -> CompletableFuture.completedFuture(w)))))
                    .toCompletableFuture()
                    .join()));
            assertThat(runtime.status().deadlocks()).isEmpty();
        }
        all.forEach(CompletableFuture::join);
        assertThat(runtime.status().deadlocks()).isEmpty();
        assertThat(runtime.explainAll()).isEmpty();
    }
}
