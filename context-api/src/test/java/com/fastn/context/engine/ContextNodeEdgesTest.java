package com.fastn.context.engine;

import static com.fastn.context.engine.Failures.assertFailure;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fastn.context.ContextEngine;
import com.fastn.context.ContextMutex;
import com.fastn.context.ContextScope;
import com.fastn.context.LockGuard;
import com.fastn.context.Operation;
import com.fastn.context.event.ContextEvent;
import com.fastn.context.status.CallerLink;
import com.fastn.context.status.CancelReason;
import com.fastn.context.status.ContextKind;
import com.fastn.context.status.ContextState;
import com.fastn.context.status.FinishedContext;
import com.fastn.context.status.SnapshotLimits;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What is asked of one context where there is nothing, too much or somebody else. */
@SuppressWarnings("MustBeClosedChecker") // closed by hand, in an order that matters
class ContextNodeEdgesTest {
    @RegisterExtension
    final TestTree tree = new TestTree();

    private final ContextNode context = tree.open("context");

    // --- children

    @Test
    void aCountedChildIsRememberedAndIsOneMoreInTotalAndAlive() {
        CallerLink caller = new CallerLink("bob", "1-2", 7, "app.caller");
        ContextNode child = context.openCounted("request", ContextKind.REQUEST, caller, "requests");
        assertThat(child.kind()).isEqualTo(ContextKind.REQUEST);
        assertThat(child.caller()).isEqualTo(caller);
        assertThat(child.parent()).isSameAs(context);
        assertThat(child.getTotal("requests")).isEqualTo(1);
        assertThat(child.getLive("requests")).isEqualTo(1);
        ContextNode other = context.openCounted("request", ContextKind.REQUEST, null, "requests");
        assertThat(other.caller()).isNull();
        assertThat(other.getTotal("requests")).isEqualTo(2);
        assertThat(context.subtreeLive("requests")).isEqualTo(2);
        child.close();
        other.close();
        assertThat(context.subtreeLive("requests")).isZero();
        assertThat(context.subtreeTotal("requests")).isEqualTo(2);
        assertThat(tree.runtime.recent()).extracting(FinishedContext::path).containsExactly(child.path(), child.path());
    }

    @Test
    void C9_aCountedChildThatIsClosedFromTheStartIsToldOfOnce() {
        context.close();
        List<ContextEvent> told = new ArrayList<>();
        var listening = tree.runtime.addListener(told::add);
        ContextNode late = context.openCounted("late", ContextKind.REQUEST, null, "requests");
        listening.close();
        assertThat(late.getTotal("requests")).isEqualTo(1);
        assertThat(late.getLive("requests")).isZero();
        assertThat(told).singleElement().isInstanceOf(ContextEvent.CounterChanged.class);
    }

    @Test
    void whatIsDeeperThanATreeMayBeIsClosedFromTheStartAndSaysWhy() {
        try (EngineRuntime runtime = new EngineRuntime(
                new ContextEngine.Settings("low", "Low", "bob", tree.ticker, 2, 100, false), tree.runtime.current())) {
            ContextNode one = runtime.root().openChild("one", ContextKind.TASK, null);
            ContextNode two = one.openChild("two", ContextKind.TASK, null);
            ContextNode three = two.openChild("three", ContextKind.TASK, null);
            assertThat(two.state()).isEqualTo(ContextState.ACTIVE);
            assertThat(three.state()).isEqualTo(ContextState.CLOSED);
            assertThat(three.cancelReason())
                    .isEqualTo(new CancelReason(CancelReason.Kind.REQUESTED, "the tree may be 2 deep at most", "low"));
            assertThat(two.isChildless()).isTrue();
            assertThat(runtime.openContexts()).isEqualTo(3);
            runtime.endChildren();
        }
    }

    @Test
    void aChildOfOneThatEndedCancelledHasThatReason() {
        context.cancel("enough");
        context.close();
        ContextNode late = context.openChild("late", ContextKind.TASK, null);
        assertThat(late.cancelReason()).isEqualTo(new CancelReason(CancelReason.Kind.PARENT, "enough", "app.context"));
        assertThat(late.isClosed()).isTrue();
    }

    @Test
    void theChildrenThatAreGivenAreACopyThatNobodyChanges() {
        tree.open(context, "child");
        var children = context.children();
        assertThatThrownBy(children::clear).isInstanceOf(UnsupportedOperationException.class);
        tree.open(context, "other");
        assertThat(children).hasSize(1);
    }

    // --- time

    @Test
    void theTimeThatIsOverAtOnceSaysSo() {
        context.cancelAfter(Duration.ZERO).close();
        assertThat(context.cancelReason())
                .isEqualTo(new CancelReason(
                        CancelReason.Kind.TIMEOUT, "its time of PT0S was over at once", "app.context"));
        assertThat(context.deadlineNanos()).isZero();
    }

    @Test
    void theTimeOfAnEndedContextIsNotKept() {
        context.close();
        int before = tree.runtime.timers().pending();
        context.cancelAfter(Duration.ofHours(1)).close();
        assertThat(tree.runtime.timers().pending()).isEqualTo(before);
        assertThat(context.deadlineNanos()).isZero();
        assertThat(context.isCancelled()).isFalse();
    }

    @Test
    void ageIdlenessAndTheTimeOfClosingAreByTheTimeThatIsAskedFor() {
        tree.open(context, "child");
        tree.passSeconds(2);
        context.touch();
        tree.passSeconds(3);
        long now = tree.runtime.nanos();
        assertThat(context.ageNanos(now)).isEqualTo(Duration.ofSeconds(5).toNanos());
        assertThat(context.durationNanos(now)).isEqualTo(context.ageNanos(now));
        assertThat(context.idleNanos(now)).isEqualTo(Duration.ofSeconds(3).toNanos());
        context.close();
        tree.passSeconds(1);
        assertThat(context.closingNanos(tree.runtime.nanos()))
                .isEqualTo(Duration.ofSeconds(1).toNanos());
    }

    @Test
    void whoHasLookedAtTheClockAnywayTouchesWithThat() {
        tree.passSeconds(2);
        context.touch(tree.runtime.nanos());
        assertThat(context.idleDuration()).isZero();
    }

    // --- operations

    @Test
    void anOperationOfAStageThatTakesNobodyInIsNotUnderWay() {
        CompletableFuture<String> broken = new CompletableFuture<>() {
            @Override
            public CompletableFuture<String> whenComplete(BiConsumer<? super String, ? super Throwable> action) {
                throw new IllegalStateException("planted");
            }
        };
        assertThatIllegalStateException()
                .isThrownBy(() -> context.awaiting("reply", broken))
                .withMessage("planted");
        assertThat(context.isInOperation()).isFalse();
        assertThat(context.operationsUnderWay()).isEmpty();
    }

    @Test
    void anOperationEndsWithTheStageThatItWaitsForWhicheverWayThatEnds() {
        CompletableFuture<String> reply = new CompletableFuture<>();
        CompletableFuture<String> failing = new CompletableFuture<>();
        CompletionStage<String> one = context.awaiting("reply", reply);
        CompletionStage<String> other = context.awaiting("failing", failing);
        assertThat(context.operationsUnderWay())
                .extracting(RunningOperation::name)
                .containsExactly("reply", "failing");
        List<Boolean> underWay = new ArrayList<>();
        var unused = one.thenAccept(value -> underWay.add(context.isInOperation()));
        failing.completeExceptionally(new IllegalStateException("planted"));
        assertFailure(other).hasMessage("planted");
        assertThat(context.isInOperation()).isTrue();
        reply.complete("done");
        assertThat(one.toCompletableFuture()).isCompletedWithValue("done");
        assertThat(underWay).as("it has ended before whoever waited goes on").containsExactly(false);
    }

    @Test
    void anOperationThatWaitsForALockIsUnderWayUntilItHasIt() {
        ContextMutex<Integer> lock = tree.root.mutex("orders", 1);
        LockGuard<Integer> held = lock.lock().toCompletableFuture().join();
        CompletionStage<LockGuard<Integer>> asked;
        try (ContextScope ignored = context.makeCurrent()) {
            asked = lock.lock();
        }
        assertThat(context.awaiting("orders", asked) == asked).isTrue();
        assertThat(context.isInOperation()).isTrue();
        held.close();
        assertThat(context.isInOperation()).isFalse();
        asked.toCompletableFuture().join().close();
    }

    @Test
    void aSelectOfNoStagesIsRefusedAndIsNotUnderWay() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> context.select("first", List.<CompletionStage<String>>of()))
                .withMessageContaining("a select of no stages would never complete");
        assertThat(context.isInOperation()).isFalse();
    }

    @Test
    void anOperationOfAnEndedContextIsToldAndNotKept() {
        context.close();
        List<String> told = new ArrayList<>();
        var listening =
                tree.runtime.addListener(event -> told.add(event.getClass().getSimpleName()));
        context.operation("late").close();
        listening.close();
        assertThat(told).containsExactly("OperationStarted", "OperationEnded");
        assertThat(context.operationsUnderWay()).isEmpty();
    }

    @Test
    void aContextThatClosesWhenItIsDoneWaitsForItsLocksToo() {
        ContextMutex<Integer> lock = tree.root.mutex("orders", 1);
        LockGuard<Integer> held = lock.lock().toCompletableFuture().join();
        CompletableFuture<LockGuard<Integer>> asked = MutexTest.ask(context, lock);
        context.closeWhenDone();
        assertThat(context.state()).isEqualTo(ContextState.ACTIVE);
        assertThat(context.waits()).hasSize(1);
        assertThat(context.isWaitingForLock(null)).isTrue();
        assertThat(context.locksWaitedFor()).hasSize(1);
        held.close();
        assertThat(asked).isCompleted();
        assertThat(context.state()).isEqualTo(ContextState.CLOSED);
        asked.join().close();
    }

    @Test
    void aWaitThatIsGivenUpLetsItsContextClose() {
        ContextMutex<Integer> lock = tree.root.mutex("orders", 1);
        LockGuard<Integer> held = lock.lock().toCompletableFuture().join();
        CompletableFuture<LockGuard<Integer>> asked = MutexTest.ask(context, lock);
        CompletableFuture<LockGuard<Integer>> another = MutexTest.ask(context, lock);
        context.closeWhenDone();
        asked.cancel(false);
        assertThat(context.state()).isEqualTo(ContextState.ACTIVE);
        another.cancel(false);
        assertThat(context.state()).isEqualTo(ContextState.CLOSED);
        held.close();
    }

    @Test
    void whatBeginsBeforeTheEndThatWasPutOffIsWaitedForToo() {
        List<Operation> next = new ArrayList<>();
        var listening = tree.runtime.addListener(event -> {
            // Between the end of the last operation and that of its context, as another thread may.
            if (event instanceof ContextEvent.OperationEnded && next.isEmpty()) {
                next.add(context.operation("next"));
            }
        });
        Operation first = context.operation("first");
        context.closeWhenDone();
        first.close();
        listening.close();
        assertThat(context.state()).isEqualTo(ContextState.ACTIVE);
        assertThat(context.isInOperation()).isTrue();
        next.get(0).close();
        assertThat(context.state()).isEqualTo(ContextState.CLOSED);
    }

    @Test
    void whoWaitsForNothingSaysSo() {
        assertThat(context.waits()).isEmpty();
        assertThat(context.isWaitingForLock(null)).isFalse();
        assertThat(context.locksWaitedFor()).isEmpty();
        context.setData("key", 1);
        assertThat(context.waits()).isEmpty();
        assertThat(context.isWaitingForLock(null)).isFalse();
        assertThat(context.locksWaitedFor()).isEmpty();
        assertThat(context.operationsUnderWay()).isEmpty();
        assertThat(context.isInOperation()).isFalse();
    }

    // --- locks

    @Test
    void whatWasReleasedBeforeIsNotReleasedAgainWithItsContext() {
        ContextMutex<Integer> lock = tree.root.mutex("orders", 1);
        lock.setAutoReleaseOnEnd(true);
        MutexTest.ask(context, lock).join().close();
        LockGuard<Integer> another = MutexTest.ask(tree.root, lock).join();
        context.close();
        assertThat(lock.holder()).isSameAs(tree.root);
        assertThat(tree.runtime.misuses()).isEmpty();
        another.close();
    }

    @Test
    void aNameIsOfOneKindOfLockAndOthersAreTold() {
        ContextNode asker = tree.open("asker");
        context.semaphore("lock", 1);
        assertThatIllegalStateException()
                .isThrownBy(() -> {
                    try (var ignored = asker.makeCurrent()) {
                        context.mutex("lock");
                    }
                })
                .withMessage(
                        "semaphore \"lock\" of app.context was asked for as a mutex by app.asker; give that one a name"
                                + " of its own");
        assertThat(context.lockList()).hasSize(1);
    }

    @Test
    void aSemaphoreHasAPermitAtLeast() {
        for (int none : new int[] {0, -1}) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> context.semaphore("permits", none))
                    .withMessage("semaphore \"permits\" of app.context was to have " + none
                            + " permits, so that it could never be acquired; make it with at least one");
        }
        assertThat(context.lockList()).isEmpty();
        assertThat(context.semaphore("permits", 1)).isSameAs(context.semaphore("permits", 1));
        assertThat(tree.runtime.misuses()).isEmpty();
        context.readWriteLock("shared", "value");
        context.readWriteLock("shared", "value");
        assertThat(tree.runtime.misuses()).isEmpty();
    }

    @Test
    void aFirstValueThatIsNoneIsShownAsThat() {
        context.mutex("lock");
        context.mutex("lock", 5);
        assertThat(tree.runtime.misuses())
                .singleElement()
                .asString()
                .contains("app.context, which has null, with 5 at ");
    }

    // --- counters and settings

    @Test
    void whereNobodyCountedAllIsZeroAndNoPathIsMade() {
        assertThat(context.getTotal("none")).isZero();
        assertThat(context.getLive("none")).isZero();
        assertThat(context.subtreeTotal("none")).isZero();
        assertThat(context.subtreeLive("none")).isZero();
        assertThat(context.countersOrNull()).isNull();
        context.addTotal("some", 2);
        context.incrementLive("busy");
        assertThat(context.getTotal("none")).isZero();
        assertThat(context.getLive("none")).isZero();
        assertThat(context.getTotal("some")).isEqualTo(2);
        assertThat(context.totalCounter("some").get()).isEqualTo(2);
        assertThat(context.getLive("busy")).isEqualTo(1);
        assertThat(tree.root.subtreeTotal("some")).isEqualTo(2);
        assertThat(tree.root.subtreeLive("busy")).isEqualTo(1);
        ContextNode sibling = tree.open("context");
        assertThat(sibling.getTotal("some")).as("of the same path").isEqualTo(2);
        assertThat(sibling.countersOrNull()).as("who only asks").isNull();
    }

    @Test
    void ownSettingsAreThoseOfTheContextItself() {
        assertThat(context.ownSettings("warn.")).isEmpty();
        tree.root.setSetting("colour", "blue");
        assertThat(context.ownSetting("colour")).isNull();
        assertThat(context.setting("colour")).isEqualTo("blue");
        context.setSetting("colour", "red");
        assertThat(context.ownSetting("colour")).isEqualTo("red");
        assertThat(context.ownSettings("col")).containsOnlyKeys("colour");
        assertThat(context.ownSettings("x")).isEmpty();
    }

    @Test
    void theKeyOfAChangeIsToldShortened() {
        List<String> keys = new ArrayList<>();
        var listening = tree.runtime.addListener(event -> {
            if (event instanceof ContextEvent.Changed changed) {
                keys.add(changed.key());
            }
        });
        context.setData("k".repeat(10_000), 1);
        context.addMetric("metric", 1);
        context.setSetting("setting", 1);
        listening.close();
        assertThat(keys).hasSize(3).allMatch(key -> key.length() < 1_000).endsWith("metric", "setting");
    }

    // --- status and the end

    @Test
    void theStatusOfASubtreeKeepsToTheLimitsThatAreGiven() {
        for (int i = 0; i < 5; i++) {
            tree.open(context, "child");
        }
        SnapshotLimits two = new SnapshotLimits(30, 2, 100, 1 << 20);
        assertThat(context.subtreeStatus(two).globalContext().children()).hasSize(2);
        assertThat(context.subtreeStatus().globalContext().children()).hasSize(5);
    }

    @Test
    void theFirstFailureIsTheOneThatIsRemembered() {
        context.persist();
        context.failed(new IllegalStateException("first"));
        context.failed(new IllegalStateException("second"));
        context.close();
        context.failed(new IllegalStateException("late"));
        assertThat(tree.runtime.recent())
                .singleElement()
                .satisfies(ended -> assertThat(ended.outcome().toString()).contains("first"));
    }

    @Test
    void whoIsNotOnThisThreadIsNotThere() {
        assertThat(context.isOn(Thread.currentThread())).isFalse();
        assertThat(context.isOnOtherThread()).isFalse();
        context.enterThread();
        assertThat(context.isOn(Thread.currentThread())).isTrue();
        assertThat(context.isOnOtherThread()).isFalse();
        assertThat(context.threads()).containsExactly(Thread.currentThread());
        context.leaveThread();
        assertThat(context.threads()).isEmpty();
    }
}
