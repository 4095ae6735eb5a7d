package com.fastn.context.engine;

import static com.fastn.context.engine.DeadlockScene.ask;
import static com.fastn.context.engine.DeadlockScene.awaitLatch;
import static com.fastn.context.engine.DeadlockScene.in;
import static com.fastn.context.engine.Patience.await;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fastn.context.ContextMutex;
import com.fastn.context.DeadlockException;
import com.fastn.context.DeadlockPolicy;
import com.fastn.context.FastnContext;
import com.fastn.context.LockGuard;
import com.fastn.context.status.CancelReason;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What becomes of those who wait for each other, by the policy. */
class DeadlockPolicyTest {
    @RegisterExtension
    final DeadlockScene scene = new DeadlockScene();

    @Test
    void failYoungestWaiterFailsOneWaitWithTheCycleAndTheOthersGoOn() {
        scene.restart(DeadlockPolicy.FAIL_YOUNGEST_WAITER);
        List<CompletableFuture<String>> all = scene.ring(2);
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
        assertThat(scene.runtime.status().activeLocks()).isEmpty();
    }

    @Test
    void cancelYoungestWaiterEndsItsContextForThatReasonAndTheOthersGoOn() {
        scene.restart(DeadlockPolicy.CANCEL_YOUNGEST_WAITER);
        List<CompletableFuture<String>> all = scene.ring(2);
        await().atMost(Duration.ofSeconds(30)).until(() -> all.stream().allMatch(CompletableFuture::isDone));
        assertThat(all).filteredOn(CompletableFuture::isCompletedExceptionally).hasSize(1);
        // The wait fails first, and then its context is cancelled.
        await().atMost(Duration.ofSeconds(30))
                .until(() -> scene.runtime.root().children().stream().anyMatch(FastnContext::isCancelled));

        assertThat(scene.runtime.root().children())
                .filteredOn(FastnContext::isCancelled)
                .singleElement()
                .satisfies(context -> {
                    CancelReason reason = requireNonNull(context.cancelReason());
                    assertThat(reason.kind()).isEqualTo(CancelReason.Kind.DEADLOCK);
                    assertThat(reason.message()).startsWith("deadlock: ").contains("mutex \"m0\"");
                    assertThat(reason.source()).isEqualTo(context.path().toString());
                });
        assertThat(scene.runtime.status().activeLocks()).isEmpty();
    }

    @Test
    void cancelYoungestWaiterNeverEndsTheRoot() {
        scene.restart(DeadlockPolicy.CANCEL_YOUNGEST_WAITER);
        ContextMutex<Integer> a = scene.runtime.root().mutex("a", 1);
        ContextMutex<Integer> b = scene.runtime.root().mutex("b", 1);
        ContextNode helper = scene.open("helper");
        LockGuard<Integer> firstOfA = ask(helper, a).join();
        LockGuard<Integer> firstOfB = ask(helper, b).join();
        ContextNode child = scene.open("child");
        CompletionStage<String> older = bothLocks(child, a, b);
        CompletionStage<String> younger = bothLocks(scene.runtime.root(), b, a);
        firstOfA.close();
        scene.ticker.advance(Duration.ofMillis(1));
        firstOfB.close();

        await().atMost(Duration.ofSeconds(30))
                .until(() -> older.toCompletableFuture().isDone()
                        && younger.toCompletableFuture().isDone());
        assertThat(younger.toCompletableFuture()).isCompletedExceptionally();
        assertThat(older.toCompletableFuture()).isCompletedWithValue("done");
        assertThat(scene.runtime.root().isCancelled()).isFalse();
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
        scene.restart(DeadlockPolicy.FAIL_YOUNGEST_WAITER);
        for (int i = 0; i < 5; i++) {
            List<CompletableFuture<String>> all = scene.ring(2);
            await().atMost(Duration.ofSeconds(30)).until(() -> all.stream().allMatch(CompletableFuture::isDone));
            scene.runtime.root().children().forEach(FastnContext::close);
        }
        // Nobody takes a snapshot.
        await().atMost(Duration.ofSeconds(30))
                .until(() -> scene.runtime.causes().deadlocks().knownCount() == 0);
    }

    @Test
    void C4_whoIsToldThatItsWaitFailedMayBlockAndTheNextDeadlockIsFoundAllTheSame() throws InterruptedException {
        scene.restart(DeadlockPolicy.FAIL_YOUNGEST_WAITER);
        CountDownLatch told = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        // Were it said after the ring is closed, it could be this thread that is told, and blocks.
        var unused = scene.ring(2, "first", each -> {
            var unusedToo = each.whenComplete((value, failure) -> {
                if (failure != null) {
                    told.countDown();
                    awaitLatch(goOn);
                }
            });
        });
        assertThat(told.await(60, TimeUnit.SECONDS)).isTrue();
        List<CompletableFuture<String>> second = scene.ring(2, "second");
        await().atMost(Duration.ofSeconds(30)).until(() -> second.stream().allMatch(CompletableFuture::isDone));
        // A snapshot waits for nobody either.
        assertThat(scene.runtime.status().deadlocks()).isEmpty();
        goOn.countDown();
    }

    @Test
    void L14_aWaitDoesNotFailForADeadlockThatIsOverByThen() {
        ArrayDeque<Runnable> later = scene.restartWithLooksPutOff(DeadlockPolicy.FAIL_YOUNGEST_WAITER);
        ContextMutex<Object> one = scene.runtime.root().mutex("one", (Object) "v");
        ContextMutex<Object> two = scene.runtime.root().mutex("two", (Object) "v");
        LockGuard<Object> taken = two.lock().toCompletableFuture().join();
        CompletableFuture<String> work = new CompletableFuture<>();
        ContextNode elder = scene.open("elder");
        ContextNode younger = scene.open("younger");
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
        while (scene.runtime.causes().deadlocks().knownCount() == 0) {
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
        ArrayDeque<Runnable> later = scene.restartWithLooksPutOff(DeadlockPolicy.FAIL_YOUNGEST_WAITER);
        List<CompletableFuture<String>> all = scene.ring(2);
        while (scene.runtime.causes().deadlocks().knownCount() == 0) {
            later.remove().run();
        }
        scene.runtime.root().children().forEach(FastnContext::cancel);
        assertThat(all).allMatch(CompletableFuture::isDone);
        assertThat(scene.runtime.causes().deadlocks().knownCount()).isEqualTo(1);
        // The look left the failing of that wait for last; there is none after it.
        later.removeLast().run();
        assertThat(scene.runtime.causes().deadlocks().knownCount()).isZero();
    }
}
