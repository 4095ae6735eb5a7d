package com.fastn.context.engine;

import static com.fastn.context.engine.Failures.assertFailure;
import static com.fastn.context.engine.Patience.await;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fastn.context.ContextCancelledException;
import com.fastn.context.ContextMutex;
import com.fastn.context.ContextScope;
import com.fastn.context.FastnContext;
import com.fastn.context.LockGuard;
import com.fastn.context.Registration;
import com.fastn.context.event.ContextEvent;
import com.fastn.context.status.CancelReason;
import com.fastn.context.status.ContextState;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

@SuppressWarnings("MustBeClosedChecker") // guards are closed by hand, in an order that matters
class CancellationTest {
    private static final Duration LIMIT = Duration.ofMinutes(1);

    @RegisterExtension
    final TestTree tree = new TestTree();

    @Test
    void cancelReachesEverythingBelowAndNothingElse() {
        FastnContext a = tree.open("a");
        FastnContext b = tree.open(a, "b");
        FastnContext c = tree.open(b, "c");
        FastnContext sibling = tree.open("sibling");

        b.cancel("enough");

        assertThat(b.isCancelled()).isTrue();
        assertThat(c.isCancelled()).isTrue();
        assertThat(a.isCancelled()).isFalse();
        assertThat(sibling.isCancelled()).isFalse();
        assertThat(b.cancelReason()).isEqualTo(new CancelReason(CancelReason.Kind.REQUESTED, "enough", "app.a.b"));
        assertThat(c.cancelReason()).isEqualTo(new CancelReason(CancelReason.Kind.PARENT, "enough", "app.a.b"));
    }

    @Test
    void aCancelledContextIsStillOpen() {
        FastnContext a = tree.open("a");
        a.cancel();

        assertThat(a.state()).isEqualTo(ContextState.ACTIVE);
        assertThat(tree.root.children()).containsExactly(a);
    }

    @Test
    void theFirstReasonStays() {
        FastnContext a = tree.open("a");
        a.cancel("first");
        a.cancel("second");
        tree.root.cancel("third");

        assertThat(a.cancelReason()).extracting(CancelReason::message).isEqualTo("first");
    }

    @Test
    void C1_aChildOfACancelledContextIsBornCancelled() {
        FastnContext parent = tree.open("parent");
        parent.cancel("stop");
        FastnContext child = tree.open(parent, "child");

        assertThat(child.cancelReason()).isEqualTo(new CancelReason(CancelReason.Kind.PARENT, "stop", "app.parent"));
        assertThat(child.state()).isEqualTo(ContextState.ACTIVE);
    }

    @Test
    void aClosingContextPassesCancellationOn() {
        FastnContext parent = tree.open("parent");
        FastnContext child = tree.open(parent, "child");
        parent.close();
        tree.root.cancel("stop");

        assertThat(parent.isCancelled()).isTrue();
        assertThat(child.isCancelled()).isTrue();
    }

    @Test
    void C9_aClosedContextIsNotCancelledAnyMore() {
        FastnContext child = tree.open("child");
        AtomicInteger calls = new AtomicInteger();
        child.onCancel(reason -> calls.incrementAndGet());
        child.close();
        child.cancel();
        tree.root.cancel();

        assertThat(child.isCancelled()).isFalse();
        assertThat(calls).hasValue(0);
    }

    @Test
    void throwIfCancelledSaysWhatAndWhy() {
        FastnContext child = tree.open("child");
        child.throwIfCancelled();
        child.cancel("too late");

        assertThatExceptionOfType(ContextCancelledException.class)
                .isThrownBy(child::throwIfCancelled)
                .withMessage("app.child was cancelled: too late (app.child)")
                .satisfies(e -> assertThat(e.reason()).isEqualTo(child.cancelReason()));
    }

    @Test
    void C3_everyHandlerRunsAlthoughSomeThrowAndTheFailuresAreReportedOnce() {
        FastnContext child = tree.open("child");
        AtomicInteger calls = new AtomicInteger();
        for (int i = 0; i < 1_000; i++) {
            int number = i;
            child.onCancel(reason -> {
                calls.incrementAndGet();
                if (number % 10 == 0) {
                    throw new IllegalStateException("handler " + number);
                }
                if (number % 10 == 5) {
                    throw new StackOverflowError("handler " + number);
                }
            });
        }

        String log = CapturedLog.of(child::cancel);

        assertThat(calls).hasValue(1_000);
        assertThat(log).containsOnlyOnce("200 of the cancellation handlers of app.child failed");
        assertThat(log).contains("handler 0").doesNotContain("handler 990");
    }

    @Test
    void C3_aHandlerThatComesAfterTheCancellationAndThrowsIsReportedToo() {
        FastnContext child = tree.open("child");
        child.cancel();
        String log = CapturedLog.of(() -> child.onCancel(reason -> {
            throw new IllegalStateException("planted");
        }));

        assertThat(log).containsOnlyOnce("1 of the cancellation handlers of app.child failed");
        assertThat(log).contains("planted");
    }

    @Test
    void C4_aHandlerMayDoAnythingToTheTree() {
        FastnContext parent = tree.open("parent");
        FastnContext child = tree.open(parent, "child");
        List<String> seen = new ArrayList<>();
        child.onCancel(reason -> {
            seen.add("first");
            parent.cancel("from below");
            child.cancel("again");
            child.onCancel(r -> seen.add("added meanwhile"));
            assertThat(child.child("grandchild").open().isCancelled()).isTrue();
            assertThat(child.mutex("lock").lock().toCompletableFuture()).isCompletedExceptionally();
            child.incrementTotal("cancels");
            child.close();
            parent.close();
        });
        child.onCancel(reason -> seen.add("second"));

        child.cancel();

        assertThat(seen).containsExactly("first", "added meanwhile", "second");
        assertThat(parent.isCancelled()).isTrue();
        assertThat(child.getTotal("cancels")).isEqualTo(1);
    }

    @Test
    void allAreMarkedAndToldBeforeTheFirstHandlerRuns() {
        FastnContext a = tree.open("a");
        FastnContext b = tree.open(a, "b");
        AtomicInteger told = new AtomicInteger();
        tree.runtime.addListener(event -> told.incrementAndGet());
        long version = tree.runtime.version();
        List<String> seen = new ArrayList<>();
        a.onCancel(reason -> seen.add(b.isCancelled() + " " + told + " " + (tree.runtime.version() - version)));
        a.cancel();

        assertThat(seen).containsExactly("true 2 1");
    }

    @Test
    void aHandlerThatIsLateRunsAtOnceAndOnce() {
        FastnContext child = tree.open("child");
        child.cancel("stop");
        List<CancelReason> seen = new ArrayList<>();
        child.onCancel(seen::add);
        child.cancel();

        assertThat(seen).containsExactly(child.cancelReason());
    }

    @Test
    void aHandlerThatWasTakenBackDoesNotRun() {
        FastnContext child = tree.open("child");
        List<String> seen = new ArrayList<>();
        child.onCancel(reason -> seen.add("stays"));
        Registration taken = child.onCancel(reason -> seen.add("taken back"));
        taken.close();
        taken.close();
        child.cancel();

        assertThat(seen).containsExactly("stays");
    }

    @Test
    void manyHandlersAreTakenBackInAnyOrderAtTheSameCost() {
        FastnContext child = tree.open("child");
        List<Registration> registrations = new ArrayList<>();
        for (int i = 0; i < 300_000; i++) {
            registrations.add(child.onCancel(reason -> {}));
        }
        // In a list that is searched, these are 10^11 steps.
        registrations.forEach(Registration::close);

        assertThat(((ContextNode) child).cancelHandlers()).isZero();
    }

    @Test
    void C8_aClosedContextKeepsNoHandlersAndNoTimers() {
        ContextNode child = tree.open("child");
        child.onCancel(reason -> {});
        child.cancelAfter(Duration.ofHours(1));
        assertThat(tree.runtime.timers().pending()).isEqualTo(1);
        child.close();
        child.onCancel(reason -> {});
        child.cancelAfter(Duration.ofHours(1));

        assertThat(child.cancelHandlers()).isZero();
        assertThat(tree.runtime.timers().pending()).isZero();
    }

    @Test
    void C8_aCancelledContextKeepsNoHandlersAndNoTimers() {
        ContextNode child = tree.open("child");
        child.onCancel(reason -> {});
        child.cancelAfter(Duration.ofHours(1));
        child.cancel();
        child.cancelAfter(Duration.ofHours(1));

        assertThat(child.cancelHandlers()).isZero();
        assertThat(tree.runtime.timers().pending()).isZero();
    }

    @Test
    void C8_askingForTheCancellationAgainAndAgainRetainsNothing() {
        CompletionStage<CancelReason> first = tree.root.cancellation();

        assertThat(tree.root.cancellation() == first).isTrue();
        assertThat(tree.root.cancelHandlers()).isEqualTo(1);
    }

    @Test
    void C8_aLoopThatSelectsTheCancellationRetainsNothing() {
        CompletionStage<CancelReason> cancelled = tree.root.cancellation();
        for (int i = 0; i < 1_000; i++) {
            CompletableFuture<CancelReason> work = new CompletableFuture<>();
            CompletionStage<CancelReason> first = tree.root.select("next", List.of(work, cancelled));
            work.complete(new CancelReason(CancelReason.Kind.REQUESTED, "done", "work"));
            assertThat(first.toCompletableFuture()).isCompleted();
        }
        assertThat(tree.root.cancelHandlers()).as("that of the stage").isEqualTo(1);
        assertThat(((CompletableFuture<?>) cancelled).getNumberOfDependents()).isZero();
    }

    @Test
    void C10_aSelectedCancellationIsTheFirstAlsoWhenItWasBefore() {
        FastnContext child = tree.open("child");
        CompletionStage<CancelReason> never = new CompletableFuture<>();
        CompletableFuture<CancelReason> first =
                child.select("wait", List.of(never, child.cancellation())).toCompletableFuture();
        assertThat(first).isNotDone();
        child.cancel("stop");

        assertThat(first).isCompletedWithValue(child.cancelReason());
        assertThat(child.select("again", List.of(never, child.cancellation())).toCompletableFuture())
                .isCompletedWithValue(child.cancelReason());
    }

    @Test
    void C8_aStageThatNeverCompletesKeepsNoContextThatWaitedForIt() {
        CompletableFuture<String> never = new CompletableFuture<>();
        List<WeakReference<FastnContext>> ended = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            FastnContext child = tree.open("child");
            var unused = child.awaiting("reply", never);
            var raced = child.race(never);
            CompletableFuture<String> work = new CompletableFuture<>();
            var selected = child.select("first", List.of(never, work));
            work.complete("done");
            assertThat(raced.toCompletableFuture()).isNotDone();
            assertThat(selected.toCompletableFuture()).isCompletedWithValue("done");
            child.close();
            ended.add(new WeakReference<>(child));
        }
        await().atMost(Duration.ofSeconds(30)).until(() -> {
            System.gc();
            return ended.stream().allMatch(context -> context.get() == null);
        });
        assertThat(never).isNotDone();
    }

    @Test
    void C10_cancellationIsAFutureThatCancelCompletes() {
        FastnContext child = tree.open("child");
        CompletableFuture<CancelReason> cancelled = child.cancellation().toCompletableFuture();
        assertThat(cancelled).isNotDone();
        tree.root.cancel("stop");

        assertThat(cancelled).isCompletedWithValue(child.cancelReason());
        assertThat(child.cancellation().toCompletableFuture()).isCompletedWithValue(child.cancelReason());
    }

    @Test
    void C10_aHundredThousandWaitersNeedNoTimerAndNoThread() {
        AtomicInteger told = new AtomicInteger();
        for (int i = 0; i < 100_000; i++) {
            tree.open("waiter").cancellation().thenRun(told::incrementAndGet);
        }
        assertThat(tree.runtime.timers().pending()).isZero();
        tree.root.cancel();

        assertThat(told).hasValue(100_000);
    }

    @Test
    void L1_waitsBelowEndBeforeTheFirstHandlerRuns() {
        ContextNode server = tree.open("server");
        ContextNode request = tree.open(server, "request");
        LockGuard<?> guard =
                tree.root.mutex("orders").lock().toCompletableFuture().join();
        CompletableFuture<? extends LockGuard<?>> wait;
        try (ContextScope ignored = request.makeCurrent()) {
            wait = tree.root.mutex("orders").lock().toCompletableFuture();
        }
        request.cancelAfter(Duration.ofHours(1));
        List<String> found = new ArrayList<>();
        server.onCancel(
                reason -> found.add("wait over " + wait.isDone() + ", time over " + (request.deadlineNanos() == 0)
                        + ", waiters " + tree.runtime.status().lockWaiters().size()));
        server.cancel();

        assertThat(found).containsExactly("wait over true, time over true, waiters 0");
        guard.close();
    }

    @Test
    void C3_aHandlerMayWaitForWhatTheCancellationEndsBelow() throws InterruptedException {
        ContextNode server = tree.open("server");
        List<CompletableFuture<?>> ends = new CopyOnWriteArrayList<>();
        List<String> ran = new CopyOnWriteArrayList<>();
        for (int i = 0; i < 3; i++) {
            ContextNode request = tree.open(server, "request");
            ends.add(request.race(new CompletableFuture<>())
                    .handle((value, failure) -> value)
                    .toCompletableFuture());
            ends.add(request.cancellation().toCompletableFuture());
            CompletableFuture<String> handled = new CompletableFuture<>();
            ends.add(handled);
            String name = "handler " + i;
            // As the first one, it does not come back before the others have run.
            request.onCancel(reason -> {
                ran.add(name);
                handled.complete(name);
                allOf(ends).join();
            });
        }
        CompletableFuture<String> behind = new CompletableFuture<>();
        ends.add(behind);
        CountDownLatch back = new CountDownLatch(1);
        server.onCancel(reason -> {
            ran.add("first");
            allOf(ends).join();
            back.countDown();
        });
        server.onCancel(reason -> {
            ran.add("behind");
            behind.complete("done");
        });
        Thread canceller = new Thread(server::cancel);
        canceller.setDaemon(true);
        canceller.start();

        assertThat(back.await(60, TimeUnit.SECONDS)).isTrue();
        canceller.join();
        assertThat(ran).containsExactlyInAnyOrder("first", "behind", "handler 0", "handler 1", "handler 2");
    }

    /** Waits for a lock, of which each goes on only once all of them are over. */
    private List<CompletableFuture<?>> waitsThatEndTogether(List<ContextNode> askers) {
        List<CompletableFuture<?>> waits = new ArrayList<>();
        for (ContextNode asker : askers) {
            waits.add(MutexTest.ask(asker, tree.root.mutex("orders", 1)));
        }
        return waits.stream()
                .<CompletableFuture<?>>map(wait -> wait.handle((guard, failure) -> {
                    waits.forEach(
                            each -> assertThat(each.handle((other, why) -> why).join())
                                    .isInstanceOf(ContextCancelledException.class));
                    return "went on";
                }))
                .toList();
    }

    private static Thread daemon(Runnable code) {
        Thread thread = new Thread(code);
        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    @Test
    void C3_whoseWaitACancellationEndsMayWaitForTheEndOfAnother() throws InterruptedException {
        ContextNode server = tree.open("server");
        LockGuard<Integer> guard =
                tree.root.mutex("orders", 1).lock().toCompletableFuture().join();
        List<CompletableFuture<?>> wentOn = waitsThatEndTogether(
                List.of(tree.open(server, "one"), tree.open(server, "two"), tree.open(server, "three")));
        Thread canceller = daemon(server::cancel);

        assertThat(allOf(wentOn)).succeedsWithin(LIMIT);
        canceller.join();
        guard.close();
    }

    @Test
    void C3_ofTwoWaitsOfOneContextOneMayWaitForTheOther() throws InterruptedException {
        ContextNode task = tree.open("task");
        LockGuard<Integer> guard =
                tree.root.mutex("orders", 1).lock().toCompletableFuture().join();
        List<CompletableFuture<?>> wentOn = waitsThatEndTogether(List.of(task, task));
        Thread canceller = daemon(task::cancel);

        assertThat(allOf(wentOn)).succeedsWithin(LIMIT);
        canceller.join();
        guard.close();
    }

    @Test
    void C3_aListenerThatIsToldOfTheEndOfAWaitMayWaitForOneThatEndedBefore() throws InterruptedException {
        ContextNode server = tree.open("server");
        LockGuard<Integer> guard =
                tree.root.mutex("orders", 1).lock().toCompletableFuture().join();
        Map<Long, CompletableFuture<?>> waits = new ConcurrentHashMap<>();
        for (String name : List.of("one", "two")) {
            ContextNode request = tree.open(server, name);
            waits.put(
                    request.id(),
                    MutexTest.ask(request, tree.root.mutex("orders", 1)).handle((mine, failure) -> "went on"));
        }
        List<Long> ended = new CopyOnWriteArrayList<>();
        CompletableFuture<String> told = new CompletableFuture<>();
        Registration listening = tree.runtime.addListener(event -> {
            if (event instanceof ContextEvent.WaitEnded end) {
                ended.add(end.contextId());
                if (ended.size() == 2) {
                    requireNonNull(waits.get(ended.get(0))).join();
                    told.complete("told");
                }
            }
        });
        Thread canceller = daemon(server::cancel);

        assertThat(told).succeedsWithin(LIMIT);
        canceller.join();
        listening.close();
        guard.close();
    }

    @Test
    void C3_aHandlerMayWaitForWaitsThatEndBehindTheOneWhoCancels() throws InterruptedException {
        ContextNode server = tree.open("server");
        ContextMutex<Integer> other = tree.root.mutex("other", 1);
        LockGuard<Integer> guard =
                tree.root.mutex("orders", 1).lock().toCompletableFuture().join();
        List<CompletableFuture<?>> wentOn =
                waitsThatEndTogether(List.of(tree.open(server, "one"), tree.open(server, "two")));
        server.onCancel(reason -> allOf(wentOn).join());
        LockGuard<Integer> first = other.lock().toCompletableFuture().join();
        // Goes on in the turn of the thread that releases, and what it ends comes behind it there.
        CompletableFuture<?> cancels = other.lock()
                .thenAccept(mine -> {
                    server.cancel();
                    mine.close();
                })
                .toCompletableFuture();
        Thread releaser = daemon(first::close);

        assertThat(cancels).succeedsWithin(LIMIT);
        releaser.join();
        guard.close();
    }

    private static CompletableFuture<Void> allOf(List<CompletableFuture<?>> all) {
        return CompletableFuture.allOf(all.toArray(new CompletableFuture<?>[0]));
    }

    @Test
    void C3_aListenerThatDoesNotReturnHoldsUpNoHandler() throws InterruptedException {
        ContextNode server = tree.open("server");
        ContextNode request = tree.open(server, "request");
        CountDownLatch handled = new CountDownLatch(2);
        server.onCancel(reason -> handled.countDown());
        request.onCancel(reason -> handled.countDown());
        AtomicInteger told = new AtomicInteger();
        CountDownLatch back = new CountDownLatch(1);
        Registration listening = tree.runtime.addListener(event -> {
            if (event instanceof ContextEvent.Cancelled && told.incrementAndGet() == 1) {
                awaitHandled(handled);
                back.countDown();
            }
        });
        Thread canceller = new Thread(server::cancel);
        canceller.setDaemon(true);
        canceller.start();

        assertThat(back.await(60, TimeUnit.SECONDS)).isTrue();
        canceller.join();
        listening.close();
        assertThat(told).hasValue(2);
    }

    private static void awaitHandled(CountDownLatch handled) {
        try {
            assertThat(handled.await(60, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void theCancellationStageCannotBeCompletedFromOutside() {
        FastnContext child = tree.open("child");
        CompletableFuture<CancelReason> mine = child.cancellation().toCompletableFuture();
        mine.complete(new CancelReason(CancelReason.Kind.DEADLOCK, "forged", "nowhere"));

        assertThat(child.isCancelled()).isFalse();
        assertThat(child.cancellation().toCompletableFuture()).isNotDone();
        CompletableFuture<CancelReason> itself = (CompletableFuture<CancelReason>) child.cancellation();
        assertThatThrownBy(() -> itself.complete(new CancelReason(CancelReason.Kind.DEADLOCK, "forged", "nowhere")))
                .isInstanceOf(UnsupportedOperationException.class)
                .hasMessageContaining("cancel the context");
        assertThatThrownBy(() -> itself.cancel(true)).isInstanceOf(UnsupportedOperationException.class);
        assertThat(child.isCancelled()).isFalse();
    }

    @Test
    void cancelAfterCancelsWhatIsStillOpenThen() {
        FastnContext child = tree.open("child");
        FastnContext below = tree.open(child, "below");
        child.cancelAfter(Duration.ofMillis(1));

        await().until(below::isCancelled);
        assertThat(child.cancelReason())
                .isEqualTo(new CancelReason(CancelReason.Kind.TIMEOUT, "its time of PT0.001S ran out", "app.child"));
    }

    @Test
    void cancelAfterNoTimeCancelsAtOnce() {
        FastnContext none = tree.open("none");
        none.cancelAfter(Duration.ZERO);
        FastnContext less = tree.open("less");
        less.cancelAfter(Duration.ofSeconds(Long.MIN_VALUE));

        assertThat(none.cancelReason()).extracting(CancelReason::kind).isEqualTo(CancelReason.Kind.TIMEOUT);
        assertThat(less.isCancelled()).isTrue();
    }

    @Test
    void cancelAfterCanBeCalledOff() {
        FastnContext child = tree.open("child");
        child.cancelAfter(Duration.ofHours(1)).close();
        child.cancelAfter(Duration.ofSeconds(Long.MAX_VALUE)).close();

        assertThat(tree.runtime.timers().pending()).isZero();
    }

    @Test
    void aHandlerThatBlocksHoldsUpNoTimer() {
        FastnContext slow = tree.open("slow");
        FastnContext other = tree.open("other");
        // The handler of one deadline waits for another deadline: with one thread for both it would wait for ever.
        CompletableFuture<CancelReason> second = other.cancellation().toCompletableFuture();
        CompletableFuture<CancelReason> seen = new CompletableFuture<>();
        slow.onCancel(reason -> seen.complete(second.join()));
        slow.cancelAfter(Duration.ofMillis(1));
        await().until(slow::isCancelled);
        other.cancelAfter(Duration.ofMillis(1));

        assertThat(seen).succeedsWithin(Duration.ofSeconds(30));
    }

    @Test
    void raceEndsAsTheStageDoes() {
        FastnContext child = tree.open("child");
        CompletableFuture<String> work = new CompletableFuture<>();
        CompletableFuture<String> raced = child.race(work).toCompletableFuture();
        assertThat(raced).isNotDone();
        work.complete("done");
        assertThat(raced).isCompletedWithValue("done");

        CompletableFuture<String> failing = new CompletableFuture<>();
        CompletableFuture<String> second = child.race(failing).toCompletableFuture();
        failing.completeExceptionally(new IllegalStateException("no"));
        assertFailure(second).hasMessageContaining("no");
        assertThat(((ContextNode) child).cancelHandlers()).isZero();
    }

    @Test
    void raceFailsWhenTheContextIsCancelledAndTheStageGoesOn() {
        FastnContext child = tree.open("child");
        CompletableFuture<String> work = new CompletableFuture<>();
        CompletableFuture<String> raced = child.race(work).toCompletableFuture();
        child.cancel("stop");

        assertFailure(raced)
                .isInstanceOf(ContextCancelledException.class)
                .hasMessageContaining("a wait of app.child was given up: stop");
        assertThat(work).isNotDone();
    }

    @Test
    void C5_aHandlerRunsOnTheLoopThatRegisteredIt() {
        TestTree bound = new TestTree(new FakeLoop.Binding());
        FakeLoop mine = new FakeLoop();
        FakeLoop other = new FakeLoop();
        ContextNode child = bound.open("child");
        List<FakeLoop> ranOn = new ArrayList<>();
        mine.run(() -> child.onCancel(reason -> ranOn.add(FakeLoop.here())));
        child.onCancel(reason -> ranOn.add(FakeLoop.here()));

        other.run(child::cancel);
        assertThat(ranOn)
                .as("registered off any loop: in the thread that cancels")
                .containsExactly(other);
        mine.turn();
        assertThat(ranOn).containsExactly(other, mine);
    }

    @Test
    void C5_aHandlerWhoseLoopIsGoneRunsWhereItIsCancelled() {
        TestTree bound = new TestTree(new FakeLoop.Binding());
        FakeLoop gone = new FakeLoop();
        ContextNode child = bound.open("child");
        List<String> seen = new ArrayList<>();
        gone.run(() -> child.onCancel(reason -> seen.add("ran")));
        gone.shutDown();
        child.cancel();

        assertThat(seen).containsExactly("ran");
    }

    @Test
    void M4_aRaceThatIsOverKeepsNothingOnWhatItWaitedFor() {
        CompletableFuture<CancelReason> never = new CompletableFuture<>();
        int before = tree.root.cancelHandlers();
        int hung = handlersAfter(tree.root.cancellation());
        assertThat(hung).as("one, of the stage itself").isLessThanOrEqualTo(before + 1);

        WeakReference<Object> gone = raced(never);
        await().atMost(Duration.ofSeconds(60)).until(() -> {
            System.gc();
            return gone.get() == null;
        });
        assertThat(never).isNotDone();
    }

    private int handlersAfter(CompletionStage<CancelReason> stage) {
        for (int i = 0; i < 10; i++) {
            assertThat(raced(stage)).isNotNull();
        }
        return tree.root.cancelHandlers();
    }

    private WeakReference<Object> raced(CompletionStage<CancelReason> stage) {
        ContextNode child = tree.open("child");
        CompletableFuture<CancelReason> raced = child.race(stage).toCompletableFuture();
        child.cancel();
        child.close();
        assertThat(raced).isCompletedExceptionally();
        return new WeakReference<>(raced);
    }

    @Test
    void aRaceOfACancellationEndsAsThatDoes() {
        ContextNode one = tree.open("one");
        ContextNode other = tree.open("other");
        CompletableFuture<CancelReason> first = one.race(other.cancellation()).toCompletableFuture();
        CompletableFuture<CancelReason> own = one.race(one.cancellation()).toCompletableFuture();
        other.cancel("no more");
        assertThat(first)
                .isCompletedWithValueMatching(reason -> reason.message().equals("no more"));
        one.cancel("enough");
        assertThat(own).isCompletedWithValueMatching(reason -> reason.message().equals("enough"));
        assertThat(one.cancelHandlers()).isZero();
        assertThat(one.race(other.cancellation()).toCompletableFuture()).isCompletedExceptionally();
    }
}
