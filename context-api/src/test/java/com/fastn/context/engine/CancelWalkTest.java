package com.fastn.context.engine;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.ContextEngine;
import com.fastn.context.ContextMutex;
import com.fastn.context.LockGuard;
import com.fastn.context.Registration;
import com.fastn.context.Ticker;
import com.fastn.context.status.CancelReason;
import com.fastn.context.status.ContextKind;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Cancellation on a loop that must not be held up, and beside clocks that are slow or fail. */
@SuppressWarnings("MustBeClosedChecker") // guards are closed by hand, in an order that matters
class CancelWalkTest {
    private static final int CHILDREN = 10_000;

    /** Each look at the clock takes 0.4 ms. */
    private static final class SlowTicker implements Ticker {
        private long nanos;
        private boolean broken;
        // Within what it fails once.
        private @Nullable String failsIn;

        @Override
        public long nanos() {
            String planted = failsIn;
            if (planted != null && isWithin(planted)) {
                failsIn = null;
                throw new IllegalStateException("planted");
            }
            if (broken) {
                throw new OutOfMemoryError("planted");
            }
            nanos += 400_000;
            return nanos;
        }

        private static boolean isWithin(String method) {
            return StackWalker.getInstance()
                    .walk(frames ->
                            frames.anyMatch(frame -> frame.getMethodName().equals(method)));
        }

        @Override
        public Instant wallTime() {
            return TestTree.START;
        }
    }

    private final SlowTicker ticker = new SlowTicker();
    private final EngineRuntime runtime = new EngineRuntime(
            new ContextEngine.Settings("app", "App", "alice", ticker), new CurrentContext(new FakeLoop.Binding()));
    private final ContextNode server =
            (ContextNode) runtime.root().child("server").open();
    private final FakeLoop loop = new FakeLoop();

    @AfterEach
    void close() {
        runtime.close();
    }

    private List<ContextNode> openChildren() {
        List<ContextNode> children = new ArrayList<>();
        for (int i = 0; i < CHILDREN; i++) {
            children.add(server.openChild("request", ContextKind.REQUEST, null));
        }
        return children;
    }

    private static long cancelled(List<ContextNode> nodes) {
        return nodes.stream().filter(ContextNode::isCancelled).count();
    }

    @Test
    void C7_cancelOnALoopYieldsAndGoesOnThere() {
        List<ContextNode> children = openChildren();
        List<FakeLoop> handled = new ArrayList<>();
        children.forEach(child -> child.onCancel(reason -> handled.add(FakeLoop.here())));

        loop.run(server::cancel);
        assertThat(server.isCancelled()).isTrue();
        assertThat(cancelled(children)).isPositive().isLessThan(CHILDREN / 4);
        assertThat(handled).as("handlers before all is marked").isEmpty();

        int turns = 0;
        while (loop.turn() > 0) {
            turns++;
        }
        assertThat(turns).isPositive();
        assertThat(cancelled(children)).isEqualTo(CHILDREN);
        assertThat(handled).hasSize(CHILDREN).containsOnly(loop);
    }

    @Test
    void C1_whatIsOpenedBetweenTheSlicesIsCancelledToo() {
        List<ContextNode> children = openChildren();
        loop.run(server::cancel);
        ContextNode late = server.openChild("late", ContextKind.REQUEST, null);
        ContextNode below = children.get(CHILDREN - 1).openChild("below", ContextKind.REQUEST, null);
        assertThat(late.isCancelled()).isTrue();
        while (loop.turn() > 0) {}
        assertThat(below.isCancelled()).isTrue();
    }

    @Test
    void C7_childrenThatLeaveBetweenTheSlicesDoNotStopTheWalk() {
        List<ContextNode> children = openChildren();
        loop.run(server::cancel);
        List<ContextNode> leaving = new ArrayList<>(children);
        Collections.shuffle(leaving, new Random(11));
        leaving.subList(0, CHILDREN / 2).forEach(ContextNode::close);
        List<ContextNode> staying = server.childNodes();
        while (loop.turn() > 0) {}
        assertThat(cancelled(staying)).isEqualTo(CHILDREN / 2);

        // The place of the walk was given up with its end.
        staying.forEach(ContextNode::close);
        assertThat(server.isChildless()).isTrue();
    }

    @Test
    void L1_aWaitThatFailsToEndKeepsNoOtherWaitOfItsContext() {
        ContextMutex<Integer> lock = runtime.root().mutex("orders", 1);
        LockGuard<Integer> held = lock.lock().toCompletableFuture().join();
        CompletableFuture<?> first = MutexTest.ask(server, lock);
        CompletableFuture<?> second = MutexTest.ask(server, lock);
        ticker.failsIn = "endWithContext";
        server.cancel();

        assertThat(ticker.failsIn).isNull();
        assertThat(second).isCompletedExceptionally();
        assertThat(first).isNotDone();
        held.close();
        assertThat(first).isCompletedExceptionally();
        assertThat(lock.holder()).isNull();
    }

    @Test
    void L1_aWaitThatFailsToEndKeepsNoLockThatEndsWithItsContext() {
        ContextMutex<Integer> lock = runtime.root().mutex("orders", 1);
        ContextMutex<Integer> own = runtime.root().mutex("own", 1);
        own.setAutoReleaseOnEnd(true);
        LockGuard<Integer> held = lock.lock().toCompletableFuture().join();
        assertThat(MutexTest.ask(server, own)).isCompleted();
        CompletableFuture<?> first = MutexTest.ask(server, lock);
        CompletableFuture<?> second = MutexTest.ask(server, lock);
        ticker.failsIn = "endWithContext";
        server.close();

        assertThat(ticker.failsIn).isNull();
        assertThat(second).isCompletedExceptionally();
        assertThat(own.holder()).isNull();
        held.close();
        assertThat(first).isCompletedExceptionally();
        assertThat(lock.holder()).isNull();
    }

    @Test
    void aSecondCancelOffTheLoopDoesNotReturnBeforeAllIsCancelled() {
        List<ContextNode> children = openChildren();
        List<FakeLoop> handled = new ArrayList<>();
        children.forEach(child -> child.onCancel(reason -> handled.add(FakeLoop.here())));
        loop.run(() -> server.cancel("first"));
        assertThat(cancelled(children)).isLessThan(CHILDREN);

        loop.run(() -> server.cancel("on the loop"));
        assertThat(cancelled(children)).as("after a second call on the loop").isLessThan(CHILDREN);
        server.cancel("off the loop");
        assertThat(cancelled(children)).isEqualTo(CHILDREN);
        assertThat(children)
                .allSatisfy(child -> assertThat(child.cancelReason())
                        .isNotNull()
                        .satisfies(reason -> assertThat(reason.message()).isEqualTo("first")));

        while (loop.turn() > 0) {}
        assertThat(handled).as("each handler once").hasSize(CHILDREN);
        assertThat(runtime.isCancelling()).isFalse();
    }

    @Test
    void C7_offALoopAllIsCancelledWhenTheCallReturns() {
        List<ContextNode> children = openChildren();
        server.cancel();
        assertThat(cancelled(children)).isEqualTo(CHILDREN);
    }

    @Test
    void C7_aLoopThatTakesNoMoreTasksIsNotWaitedFor() {
        List<ContextNode> children = openChildren();
        loop.shutDown();
        loop.run(server::cancel);
        assertThat(cancelled(children)).isEqualTo(CHILDREN);
    }

    @Test
    void C3_aHookThatFailsKeepsNobodyFromItsHandlers() {
        List<ContextNode> children = openChildren().subList(0, 100);
        AtomicInteger handled = new AtomicInteger();
        children.forEach(child -> child.onCancel(reason -> handled.incrementAndGet()));
        AtomicInteger asked = new AtomicInteger();
        Registration hook = runtime.onCancelled(context -> {
            asked.incrementAndGet();
            throw new IllegalStateException("planted");
        });

        String log = CapturedLog.of(server::cancel);
        hook.close();

        assertThat(log).contains("the hook on cancelled contexts failed");
        assertThat(asked).hasValue(100);
        assertThat(handled).hasValue(100);
        assertThat(runtime.isCancelling()).isFalse();
    }

    @Test
    void C3_aLoopThatFailsInAnyWayIsNotWaitedFor() {
        List<ContextNode> children = openChildren();
        loop.shutDown(new OutOfMemoryError("planted"));
        loop.run(server::cancel);
        assertThat(cancelled(children)).isEqualTo(CHILDREN);
        assertThat(runtime.isCancelling()).isFalse();
    }

    @Test
    void C3_whatAFailureLeftAliveIsCancelledByASecondCall() {
        List<ContextNode> children = openChildren();
        AtomicInteger handled = new AtomicInteger();
        children.forEach(child -> child.onCancel(reason -> handled.incrementAndGet()));
        loop.run(server::cancel);
        long before = cancelled(children);
        assertThat(before).isPositive().isLessThan(CHILDREN);

        ticker.broken = true;
        String log = CapturedLog.of(loop::turn);
        ticker.broken = false;

        assertThat(log)
                .contains("a cancellation met a failure; what it did not reach is cancelled when it is called again");
        assertThat(cancelled(children)).as("those that were reached").isEqualTo(before);
        assertThat(handled).as("handlers of those").hasValue((int) before);

        loop.run(server::cancel);
        while (loop.turn() > 0) {}
        assertThat(cancelled(children)).isEqualTo(CHILDREN);
        assertThat(handled).as("each once").hasValue(CHILDREN);
        // The place of the walk that broke off was given up: nobody is told of one that leaves.
        children.forEach(ContextNode::close);
        assertThat(server.isWatched()).isFalse();
    }

    @Test
    void C5_aSelectedCancellationGoesOnWhereItWasSelected() {
        List<FakeLoop> seen = new ArrayList<>();
        FakeLoop other = new FakeLoop();
        CompletableFuture<CancelReason> never = new CompletableFuture<>();
        loop.run(() -> server.select(never, server.cancellation()).thenRun(() -> seen.add(FakeLoop.here())));
        other.run(server::cancel);
        assertThat(seen).as("before its loop has its turn").isEmpty();
        loop.turn();
        assertThat(seen).containsExactly(loop);

        loop.run(() -> server.select(server.cancellation(), CompletableFuture.completedFuture(null))
                .thenAccept(reason -> assertThat(reason).isSameAs(server.cancelReason()))
                .thenRun(() -> seen.add(FakeLoop.here())));
        assertThat(seen).as("at once, and the first in order").containsExactly(loop, loop);
    }

    @Test
    void C5_whatHangsOnTheCancellationRunsInTheThreadThatCancelsUnlessItSaysWhere() {
        List<FakeLoop> seen = new ArrayList<>();
        List<FakeLoop> seenThere = new ArrayList<>();
        FakeLoop other = new FakeLoop();
        loop.run(() -> {
            Executor here = requireNonNull(runtime.current().completions());
            server.cancellation().thenRun(() -> seen.add(FakeLoop.here()));
            server.cancellation().thenRunAsync(() -> seenThere.add(FakeLoop.here()), here);
            server.onCancel(reason -> seenThere.add(FakeLoop.here()));
        });
        other.run(server::cancel);
        loop.turn();
        assertThat(seen).containsExactly(other);
        assertThat(seenThere).containsExactly(loop, loop);
    }

    @Test
    void aWalkInBatchesMeetsEveryChildThatStaysOnce() {
        Random random = new Random(5);
        for (int round = 0; round < 50; round++) {
            List<ContextNode> children = openChildren().subList(0, CHILDREN);
            List<ContextNode> met = new ArrayList<>();
            ChildBatches walk = new ChildBatches(server);
            for (List<ContextNode> batch = walk.next(); !batch.isEmpty(); batch = walk.next()) {
                met.addAll(batch);
                for (int i = 0; i < 40; i++) {
                    children.get(random.nextInt(CHILDREN)).close();
                }
            }
            Set<ContextNode> once = new HashSet<>(met);
            assertThat(once).as("each once").hasSize(met.size());
            assertThat(once.containsAll(server.childNodes()))
                    .as("all that stay")
                    .isTrue();
            server.childNodes().forEach(ContextNode::close);
        }
    }
}
