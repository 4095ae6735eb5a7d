package com.fastn.context.engine;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.ContextEngine;
import com.fastn.context.ContextMutex;
import com.fastn.context.LockGuard;
import com.fastn.context.Registration;
import com.fastn.context.Ticker;
import com.fastn.context.event.ContextEvent;
import com.fastn.context.status.CancelReason;
import com.fastn.context.status.ContextKind;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A cancellation step by step: how far it comes in one slice, when it is looked after, and who does what is left. */
@SuppressWarnings("MustBeClosedChecker") // guards are closed by hand, in an order that matters
class CancelWalkEdgesTest {
    private static final Duration LONG = Duration.ofMinutes(1);
    private static final int STEP = 256;

    /** Each look at the clock takes as long as the test says. */
    private static final class Steps implements Ticker {
        private long perLook;
        private long nanos;
        private int looks;
        private boolean broken;

        @Override
        public long nanos() {
            if (broken) {
                throw new IllegalStateException("planted");
            }
            looks++;
            nanos += perLook;
            return nanos;
        }

        @Override
        public Instant wallTime() {
            return TestTree.START;
        }
    }

    /** Nothing runs before the test says so. */
    private static final class ByHand extends Timers {
        private final List<Runnable> looks = new CopyOnWriteArrayList<>();
        private final List<Runnable> soon = new CopyOnWriteArrayList<>();
        private final AtomicInteger times = new AtomicInteger();

        ByHand() {
            super(() -> Runnable::run);
        }

        @Override
        boolean tick(Duration delay, Runnable task) {
            return delay.equals(CancelWatch.PATIENCE) && looks.add(task);
        }

        @Override
        void soon(Runnable task) {
            soon.add(task);
        }

        @Override
        Registration after(Duration delay, Runnable task) {
            times.incrementAndGet();
            return times::decrementAndGet;
        }

        /** The time of the watch has come. */
        void look() {
            runAll(looks);
        }

        void runSoon() {
            runAll(soon);
        }

        /** As the threads of a pool do, while the one that asks is still in code of users. */
        void runSoonInAnotherThread() {
            Thread other = new Thread(this::runSoon);
            other.setDaemon(true);
            other.start();
            try {
                other.join(LONG.toMillis());
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
            assertThat(other.isAlive()).as("a thread that helps").isFalse();
        }

        private static void runAll(List<Runnable> tasks) {
            List<Runnable> now = List.copyOf(tasks);
            tasks.clear();
            now.forEach(Runnable::run);
        }
    }

    private final Steps ticker = new Steps();
    private final ByHand timers = new ByHand();
    private final EngineRuntime runtime = new EngineRuntime(
            new ContextEngine.Settings("app", "App", "alice", ticker),
            new CurrentContext(new FakeLoop.Binding()),
            CounterStore.Caps.DEFAULT,
            timers);
    private final ContextNode server = open(runtime.root(), "server");
    private final FakeLoop loop = new FakeLoop();
    private final List<String> ran = new CopyOnWriteArrayList<>();

    @AfterEach
    void close() {
        ticker.broken = false;
        runtime.close();
    }

    private static ContextNode open(ContextNode parent, String name) {
        return parent.openChild(name, ContextKind.TASK, null);
    }

    private List<ContextNode> open(int children) {
        List<ContextNode> all = new ArrayList<>();
        for (int i = 0; i < children; i++) {
            all.add(open(server, "request"));
        }
        return all;
    }

    private void onCancel(ContextNode node, String says) {
        var unused = node.onCancel(reason -> ran.add(says));
    }

    /** How much was done when the call returned, and in each turn of the loop after it. */
    private List<Integer> cancelOnTheLoop(AtomicInteger done) {
        List<Integer> each = new ArrayList<>();
        loop.run(server::cancel);
        each.add(done.getAndSet(0));
        while (loop.turnOnce()) {
            each.add(done.getAndSet(0));
        }
        return each;
    }

    // --- slices

    @Test
    void C7_aSliceOnALoopIsOverWhenAMillisecondIs() {
        ContextNode child = open(server, "child");
        onCancel(child, "handler");
        ticker.perLook = 1_000_000;
        loop.run(server::cancel);
        assertThat(child.isCancelled()).as("in the first step").isFalse();
        assertThat(runtime.isCancelling()).as("between the slices").isTrue();

        int before = ticker.looks;
        loop.turnOnce();
        assertThat(ticker.looks - before)
                .as("looks of one slice: as it began, and after its first step")
                .isEqualTo(2);
        loop.turn();
        assertThat(ran).containsExactly("handler");
        assertThat(runtime.isCancelling()).isFalse();
    }

    @Test
    void C7_notMoreThanSomeAreToldInARow() {
        open(STEP + 50);
        AtomicInteger told = new AtomicInteger();
        Registration listening = runtime.addListener(event -> {
            if (event instanceof ContextEvent.Cancelled) {
                told.incrementAndGet();
            }
        });
        ticker.perLook = 1_000_000;
        assertThat(cancelOnTheLoop(told)).contains(STEP).containsOnly(0, STEP, 51);
        listening.close();
    }

    @Test
    void C7_notMoreThanSomeTimesAndHandlersEndInARow() {
        List<ContextNode> children = open(STEP + 50);
        AtomicInteger handled = new AtomicInteger();
        children.forEach(child -> {
            var unused = child.onCancel(reason -> {
                assertThat(timers.times).as("times that run on").hasValue(0);
                handled.incrementAndGet();
            });
            var unusedToo = child.cancelAfter(Duration.ofHours(1));
        });
        List<Integer> left = new ArrayList<>();
        ticker.perLook = 1_000_000;
        loop.run(server::cancel);
        do {
            left.add(timers.times.get());
        } while (timers.times.get() > 0 && loop.turnOnce());
        assertThat(left).endsWith(STEP + 50, 50, 0);
        assertThat(handled).as("before all times have ended").hasValue(0);
        loop.turnOnce();
        assertThat(handled).hasValue(STEP);
        loop.turnOnce();
        assertThat(handled).hasValue(STEP + 50);
        assertThat(loop.turn()).isZero();
    }

    @Test
    void C7_ofManyWaitsOffALoopAllHaveEndedWhenTheFirstGoesOn() {
        ContextMutex<Integer> lock = runtime.root().mutex("orders", 1);
        LockGuard<Integer> held = lock.lock().toCompletableFuture().join();
        List<Integer> waiters = new ArrayList<>();
        for (ContextNode child : open(STEP + 50)) {
            var unused = MutexTest.ask(child, lock).whenComplete((mine, why) -> waiters.add(lock.waiters()));
        }
        server.cancel();
        assertThat(waiters).hasSize(STEP + 50).containsOnly(0);
        held.close();
    }

    // --- what is over

    @Test
    void whoHasNoChildrenIsNeverUnderWay() {
        List<Boolean> underWay = new ArrayList<>();
        var unused = server.onCancel(reason -> underWay.add(runtime.isCancelling()));
        server.cancel();
        assertThat(underWay).containsExactly(false);
        // Nor does it end one that is: another one is counted after it.
        ContextNode other = open(runtime.root(), "other");
        open(other, "below");
        ticker.perLook = 1_000_000;
        loop.run(other::cancel);
        assertThat(runtime.isCancelling()).isTrue();
        loop.turn();
        assertThat(runtime.isCancelling()).isFalse();
    }

    @Test
    void C3_whatFailsBehindTheMarksLeavesNobodyToBeLookedFor() {
        ContextNode child = open(server, "child");
        onCancel(child, "handler");
        ticker.perLook = 1_000_000;
        loop.run(server::cancel);
        while (runtime.isCancelling()) {
            assertThat(loop.turnOnce()).isTrue();
        }
        assertThat(child.isCancelled()).isTrue();
        assertThat(ran).isEmpty();

        ticker.broken = true;
        String log = CapturedLog.of(loop::turn);
        assertThat(log).contains("a cancellation met a failure");
        assertThat(ran).as("it hurries to its end").containsExactly("handler");
        assertThat(runtime.isCancelling()).isFalse();
        assertThat(runtime.hasCancellationBrokenOff()).isFalse();
        assertThat(loop.turn()).isZero();
    }

    @Test
    void C3_whatBreaksOffBeforeAllIsMarkedIsDoneByASecondCall() {
        List<ContextNode> children = open(STEP + 50);
        children.forEach(child -> onCancel(child, "handler"));
        ticker.perLook = 1_000_000;
        loop.run(server::cancel);
        loop.turnOnce();
        assertThat(children.stream().filter(ContextNode::isCancelled)).hasSize(STEP);
        ticker.broken = true;
        assertThat(CapturedLog.of(loop::turn)).contains("a cancellation met a failure");
        ticker.broken = false;
        assertThat(ran).as("of those that were marked").hasSize(STEP);
        assertThat(runtime.isCancelling()).as("somebody may be alive").isTrue();
        assertThat(runtime.hasCancellationBrokenOff()).isTrue();
        assertThat(server.isWatched()).as("the walk has given up its place").isFalse();

        loop.run(server::cancel);
        loop.turn();
        assertThat(children).allMatch(ContextNode::isCancelled);
        assertThat(ran).as("each once").hasSize(STEP + 50);
    }

    @Test
    void C7_aSecondCallOnALoopLeavesTheWalkThatIsUnderWayAloneAndOneOffALoopDoesNot() {
        List<ContextNode> children = open(3);
        ticker.perLook = 1_000_000;
        loop.run(server::cancel);
        loop.run(server::cancel);
        assertThat(children).noneMatch(ContextNode::isCancelled);
        server.cancel();
        assertThat(children).allMatch(ContextNode::isCancelled);
        loop.turn();
        assertThat(runtime.isCancelling()).isFalse();
    }

    @Test
    void C7_aLoopThatTakesNothingMoreIsNotWaitedFor() {
        List<ContextNode> children = open(3);
        children.forEach(child -> onCancel(child, "handler"));
        ticker.perLook = 1_000_000;
        loop.shutDown();
        loop.run(server::cancel);
        assertThat(children).allMatch(ContextNode::isCancelled);
        assertThat(ran).hasSize(3);
        assertThat(runtime.isCancelling()).isFalse();
    }

    @Test
    void aWalkThatMarksNobodyIsNoChange() {
        List<ContextNode> children = open(10);
        ticker.perLook = 1_000_000;
        loop.run(server::cancel);
        long atFirst = runtime.version();
        server.cancel("off the loop");
        assertThat(children).allMatch(ContextNode::isCancelled);
        assertThat(runtime.version()).as("the others were marked").isGreaterThan(atFirst);
        long allMarked = runtime.version();
        server.cancel("again");
        assertThat(runtime.isCancelling()).isTrue();
        assertThat(runtime.version()).isEqualTo(allMarked);
        loop.turn();
    }

    // --- for somebody who must not be held up

    @Test
    void C5_cancelledAsideTheyAreMarkedAtOnceAndTheRestIsLeftToAThreadOfItsOwn() {
        ContextNode other = open(runtime.root(), "other");
        ContextNode below = open(other, "below");
        onCancel(server, "server");
        onCancel(below, "below");
        CancelWalk.cancelAside(
                List.of(server, other),
                CancelReason.Kind.SHUTDOWN,
                "over",
                () -> ran.add("done " + below.isCancelled()));
        assertThat(server.cancelReason()).isEqualTo(new CancelReason(CancelReason.Kind.SHUTDOWN, "over", "app.server"));
        assertThat(other.cancelReason()).isEqualTo(new CancelReason(CancelReason.Kind.SHUTDOWN, "over", "app.other"));
        assertThat(below.isCancelled()).isFalse();
        assertThat(runtime.isCancelling()).isTrue();
        assertThat(ran).isEmpty();

        timers.runSoon();
        assertThat(below.cancelReason()).isEqualTo(new CancelReason(CancelReason.Kind.PARENT, "over", "app.other"));
        assertThat(ran).containsExactly("server", "below", "done true");
        assertThat(runtime.isCancelling()).isFalse();
    }

    @Test
    void aWalkIsHandedOnWhereItIsInCodeOfUsers() {
        ContextNode other = open(runtime.root(), "other");
        AtomicReference<CancelWalk> walk = new AtomicReference<>();
        var unused = server.onCancel(reason -> {
            requireNonNull(walk.get()).handOn();
            assertThat(timers.soon).hasSize(1);
            timers.runSoonInAnotherThread();
            ran.add("first");
        });
        onCancel(other, "behind");
        walk.set(CancelWalk.cancelAside(
                List.of(server, other), CancelReason.Kind.SHUTDOWN, "over", () -> ran.add("done")));
        requireNonNull(walk.get()).handOn();
        assertThat(timers.soon).as("it is in nobody's code before it begins").hasSize(1);
        timers.runSoon();
        assertThat(ran).containsExactly("behind", "first", "done");
    }

    // --- watched

    @Test
    void whereNothingComesBehindAHandlerNobodyLooks() {
        onCancel(server, "handler");
        server.cancel();
        ContextNode other = open(runtime.root(), "other");
        onCancel(open(other, "below"), "below");
        other.cancel();
        assertThat(ran).containsExactly("handler", "below");
        assertThat(timers.looks).isEmpty();
    }

    @Test
    void whereAnotherHandlerComesBehindItIsLookedAfterUntilTheEnd() {
        List<Integer> looks = new ArrayList<>();
        var unused = server.onCancel(reason -> looks.add(timers.looks.size()));
        onCancel(server, "second");
        server.cancel();
        assertThat(looks).containsExactly(1);
        timers.look();
        assertThat(timers.looks).as("all is done").isEmpty();
        assertThat(timers.soon).isEmpty();
    }

    @Test
    void whereAnotherContextComesBehindItIsLookedAfterUntilTheEnd() {
        List<Integer> looks = new ArrayList<>();
        ContextNode below = open(server, "below");
        var unused = server.onCancel(reason -> looks.add(timers.looks.size()));
        var unusedToo = below.onCancel(reason -> looks.add(timers.looks.size()));
        server.cancel();
        assertThat(looks).containsExactly(1, 1);
        timers.look();
        assertThat(timers.looks).as("all is done").isEmpty();
    }

    @Test
    void whereSomebodyListensItIsLookedAfter() {
        List<Integer> looks = new ArrayList<>();
        Registration listening = runtime.addListener(event -> looks.add(timers.looks.size()));
        server.cancel();
        listening.close();
        assertThat(looks).containsExactly(1);
    }

    @Test
    void onALoopNobodyLooks() {
        onCancel(server, "first");
        onCancel(server, "second");
        onCancel(open(server, "below"), "below");
        loop.run(server::cancel);
        loop.turn();
        assertThat(timers.looks).isEmpty();
    }

    @Test
    void ofARuntimeThatClosesTheLastHandlerIsLookedAfterToo() {
        List<Integer> looks = new ArrayList<>();
        var unused = runtime.root().onCancel(reason -> looks.add(timers.looks.size()));
        server.close();
        runtime.close();
        assertThat(looks).containsExactly(1);
    }

    @Test
    void ofWaitsTheLastIsLookedAfterWhereAHandlerComesBehindIt() {
        ContextMutex<Integer> lock = runtime.root().mutex("orders", 1);
        LockGuard<Integer> held = lock.lock().toCompletableFuture().join();
        List<Integer> looks = new ArrayList<>();
        var unused = MutexTest.ask(server, lock).whenComplete((mine, why) -> looks.add(timers.looks.size()));
        server.cancel();
        ContextNode other = open(runtime.root(), "other");
        onCancel(other, "handler");
        var unusedToo = MutexTest.ask(other, lock).whenComplete((mine, why) -> looks.add(timers.looks.size()));
        other.cancel();
        ContextNode two = open(runtime.root(), "two");
        var one = MutexTest.ask(two, lock).whenComplete((mine, why) -> looks.add(timers.looks.size()));
        var another = MutexTest.ask(two, lock);
        timers.look();
        two.cancel();
        assertThat(looks).containsExactly(0, 1, 1);
        assertThat(one).isCompletedExceptionally();
        assertThat(another).isCompletedExceptionally();
        held.close();
    }

    // --- helped

    @Test
    void C3_whatComesBehindAHandlerThatDoesNotReturnIsDoneByAnotherThreadAndOnce() {
        ContextNode below = open(server, "below");
        List<String> meanwhile = new ArrayList<>();
        var unused = server.onCancel(reason -> {
            timers.look();
            assertThat(timers.soon).as("after the first look").isEmpty();
            timers.look();
            assertThat(timers.soon).as("where it stands still").hasSize(1);
            timers.runSoonInAnotherThread();
            meanwhile.addAll(ran);
            timers.look();
            assertThat(timers.looks).as("when all is done, or begun").isEmpty();
            throw new IllegalStateException("planted");
        });
        onCancel(server, "second");
        onCancel(below, "below");
        var unusedToo = below.cancelAfter(Duration.ofHours(1));
        String log = CapturedLog.of(server::cancel);
        assertThat(meanwhile).containsExactly("second", "below");
        assertThat(ran).isEqualTo(meanwhile);
        assertThat(timers.times).hasValue(0);
        assertThat(log).contains("1 of the cancellation handlers of app.server failed");
        assertThat(timers.soon).isEmpty();
    }

    @Test
    void aCancellationThatGoesOnIsNotHelped() {
        open(5).forEach(child -> {
            var unused = child.onCancel(reason -> timers.look());
            onCancel(child, "handler");
        });
        server.cancel();
        assertThat(ran).hasSize(5);
        assertThat(timers.soon).isEmpty();
    }

    @Test
    void aCancellationThatTellsOneAfterTheOtherIsNotHelped() {
        open(5);
        AtomicInteger told = new AtomicInteger();
        Registration listening = runtime.addListener(event -> {
            told.incrementAndGet();
            timers.look();
        });
        server.cancel();
        listening.close();
        assertThat(told).hasValue(6);
        assertThat(timers.soon).isEmpty();
    }

    @Test
    void C3_ofAListenerThatDoesNotReturnTheOthersAreToldOnceByAnotherThread() {
        open(5).forEach(child -> onCancel(child, "handler"));
        List<Long> told = new CopyOnWriteArrayList<>();
        List<Integer> meanwhile = new ArrayList<>();
        Registration listening = runtime.addListener(event -> {
            if (event instanceof ContextEvent.Cancelled && told.isEmpty()) {
                told.add(event.contextId());
                timers.look();
                timers.look();
                timers.runSoonInAnotherThread();
                meanwhile.add(told.size());
                meanwhile.add(ran.size());
            } else if (event instanceof ContextEvent.Cancelled) {
                told.add(event.contextId());
            }
        });
        server.cancel();
        listening.close();
        assertThat(meanwhile).containsExactly(6, 5);
        assertThat(told).hasSize(6).doesNotHaveDuplicates();
        assertThat(ran).as("each once").hasSize(5);
    }

    @Test
    void C3_whoWaitedBehindOneThatDoesNotReturnGoesOnInAnotherThread() {
        ContextMutex<Integer> lock = runtime.root().mutex("orders", 1);
        LockGuard<Integer> held = lock.lock().toCompletableFuture().join();
        ContextNode one = open(server, "one");
        ContextNode other = open(server, "other");
        onCancel(other, "handler");
        Thread mine = Thread.currentThread();
        List<String> meanwhile = new ArrayList<>();
        CompletableFuture<?> first = MutexTest.ask(one, lock).whenComplete((guard, why) -> {
            timers.look();
            timers.look();
            timers.runSoonInAnotherThread();
            meanwhile.addAll(ran);
            timers.look();
            assertThat(timers.looks).as("all is done, or begun").isEmpty();
        });
        CompletableFuture<?> second = MutexTest.ask(other, lock)
                .whenComplete((guard, why) -> ran.add("went on here " + (Thread.currentThread() == mine)));
        server.cancel();
        assertThat(first).isCompletedExceptionally();
        assertThat(second).isCompletedExceptionally();
        assertThat(meanwhile).containsExactly("went on here false", "handler");
        assertThat(ran).isEqualTo(meanwhile);
        held.close();
    }

    @Test
    void aRuntimeWhoseCloseIsHelpedIsClosedByWhoHelps() {
        List<Boolean> closed = new ArrayList<>();
        var unused = runtime.root().onCancel(reason -> {
            timers.look();
            timers.look();
            timers.runSoonInAnotherThread();
            closed.add(runtime.root().isClosed());
        });
        server.close();
        runtime.close();
        assertThat(closed).containsExactly(true);
    }
}
