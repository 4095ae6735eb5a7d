package com.fastn.status;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fastn.context.FastnContext;
import com.fastn.context.ManualTicker;
import com.fastn.context.Registration;
import com.fastn.context.Ticker;
import com.fastn.context.WarningIds;
import com.fastn.context.status.ContextPath;
import com.fastn.context.status.NodeStatus;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.context.status.StatusWarning;
import com.fastn.context.status.SystemMetrics;
import com.fastn.context.vertx.FastnVertx;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.WorkerExecutor;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Who watches a node is told how it is, however quiet the node and whoever watched before. */
class NodeWatchTest {
    private static final Duration LONG = Duration.ofSeconds(60);

    private final Vertx vertx = Vertx.vertx();
    private final FastnVertx fastn = FastnVertx.install(vertx);
    private final Context context = vertx.getOrCreateContext();
    // One thread, so that what is done after a snapshot comes after it.
    private final WorkerExecutor worker = vertx.createSharedWorkerExecutor("watch", 1);
    private final LocalStatus local = new LocalStatus(fastn.runtime(), null, List.of());
    private final AtomicLong nanos = new AtomicLong();
    private final NodeWatch watch = new NodeWatch(vertx, worker, local, StatusQuery.all(), new Ticker() {
        @Override
        public long nanos() {
            return nanos.get();
        }

        @Override
        public Instant wallTime() {
            return Fixtures.NOW;
        }
    });
    private final Semaphore taken = new Semaphore(0);
    private final Semaphore goOn = new Semaphore(0);
    private final AtomicBoolean hold = new AtomicBoolean();
    private volatile Runnable cost = () -> {};
    /** The runtime outlives the Vertx of a test: what is begun here is ended here. */
    private final List<Runnable> ends = new CopyOnWriteArrayList<>();

    NodeWatchTest() {
        // Asked when the tree has been read.
        local.addWarning(root -> {
            boolean held = hold.get();
            cost.run();
            taken.release();
            if (held) {
                goOn.acquireUninterruptibly();
            }
            return null;
        });
    }

    @AfterEach
    void close() {
        goOn.release(100);
        onContext(() -> {
            ends.forEach(Runnable::run);
            return null;
        });
        Waiting.result(vertx.close());
    }

    @Test
    void whatIsMeasuredForThoseWhoWatchBeginsWithTheFirstAndEndsWithTheLast() {
        AtomicInteger measuring = new AtomicInteger();
        watch.whileWatched(() -> {
            measuring.incrementAndGet();
            return measuring::decrementAndGet;
        });
        Registration first = watching(snapshot -> {});
        Registration second = watching(snapshot -> {});
        assertThat(measuring).hasValue(1);
        onContext(() -> {
            first.close();
            return null;
        });
        assertThat(measuring).hasValue(1);
        onContext(() -> {
            second.close();
            return null;
        });
        assertThat(measuring).hasValue(0);
    }

    @Test
    void whoWatchesAfterTheLastOneLeftWhileASnapshotWasTakenIsTold() {
        hold.set(true);
        Registration first = watching(snapshot -> {});
        taken.acquireUninterruptibly();
        onContext(() -> {
            first.close();
            return null;
        });
        hold.set(false);
        goOn.release();
        Waiting.result(worker.executeBlocking(() -> null));

        List<StatusSnapshot> told = new CopyOnWriteArrayList<>();
        watching(told::add);
        await().atMost(LONG).until(() -> !told.isEmpty());
    }

    @Test
    void whoComesWhileASnapshotIsTakenIsToldTheOneBefore() {
        // No timer of it goes off, so that nothing is looked at but what changes here.
        ByHand hand = new ByHand();
        taken.drainPermits();
        hold.set(true);
        onContext(() -> ends.add(fastn.runtime().root().child("change").open()::close));
        taken.acquireUninterruptibly();

        List<StatusSnapshot> second = new CopyOnWriteArrayList<>();
        onContext(() -> ends.add(hand.watch.watch(second::add)::close));
        assertThat(second).hasSize(1);
        assertThat(hand.told).isEmpty();
    }

    @Test
    void aChangeIsToldWhileAListenerHoldsUpWhoMadeIt() throws InterruptedException {
        List<StatusSnapshot> told = new CopyOnWriteArrayList<>();
        watching(told::add);
        await().atMost(LONG).until(() -> told.size() == 1);
        settle();
        int before = told.size();
        CountDownLatch heard = new CountDownLatch(1);
        CountDownLatch end = new CountDownLatch(1);
        Registration slow = fastn.runtime().addListener(event -> {
            heard.countDown();
            try {
                end.await();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        nanos.addAndGet(NodeWatch.PACE.toNanos());
        Thread changer = new Thread(() -> fastn.runtime().root().child("change").open());
        changer.start();
        heard.await();
        await().atMost(LONG).until(() -> told.size() > before);
        end.countDown();
        changer.join();
        slow.close();
        await().atMost(LONG)
                .until(() ->
                        told.get(told.size() - 1).version() == fastn.runtime().version());
    }

    @Test
    void aChangeIsToldAtOnceAndTheNextOneASecondAfterItWheneverTheFirstCame() {
        ByHand hand = new ByHand();
        hand.advance(Duration.ofMillis(950));
        hand.change("first");
        assertThat(hand.told).as("at once").hasSize(1);
        hand.change("second");
        hand.advance(Duration.ofMillis(50));
        assertThat(hand.told).as("a second after the last look").hasSize(1);
        hand.advance(Duration.ofMillis(949));
        assertThat(hand.told).as("within a second").hasSize(1);
        hand.advance(Duration.ofMillis(1));
        assertThat(hand.told).as("after a second").hasSize(2);
    }

    @Test
    void aLookThatFoundNothingDelaysNoChange() {
        ByHand hand = new ByHand();
        // One of them looks at the machine.
        for (int second = 0; second < 6; second++) {
            taken.drainPermits();
            hand.advance(NodeWatch.PACE);
            if (taken.availablePermits() > 0) {
                hand.change("after " + second);
                assertThat(hand.told).hasSize(1);
                return;
            }
        }
        throw new AssertionError("the machine was not looked at");
    }

    @Test
    void S22_whereNothingIsOpenAtThePathAChangeElsewhereIsALookASecondAtMost() {
        AtomicInteger looks = new AtomicInteger();
        // Each snapshot asks for the figures of the machine.
        Registration counting = fastn.runtime().setSystemMetrics(() -> {
            looks.incrementAndGet();
            return null;
        });
        ends.add(counting::close);
        ManualTicker ticker = new ManualTicker(Fixtures.NOW);
        HandTimers timers = new HandTimers(vertx, ticker);
        StatusQuery all = StatusQuery.all();
        NodeWatch attic = new NodeWatch(
                timers.vertx(),
                worker,
                local,
                new StatusQuery(List.of(), all.format(), null, ContextPath.of("global", "attic"), all.width(), 0),
                ticker);
        List<NodeStatus> told = new CopyOnWriteArrayList<>();
        onContext(() -> ends.add(attic.watchRow(told::add)::close));
        await().atMost(LONG).until(() -> !told.isEmpty());
        ticker.advance(NodeWatch.PACE);

        looks.set(0);
        for (int i = 0; i < 20; i++) {
            String name = "elsewhere " + i;
            onContext(() -> ends.add(fastn.runtime().root().child(name).open()::close));
            for (int turn = 0; turn < 3; turn++) {
                onContext(() -> null);
                Waiting.result(worker.executeBlocking(() -> null));
            }
        }
        assertThat(looks.get()).isBetween(1, 2);
        assertThat(told).hasSize(1);
    }

    @Test
    void S22_aPartThatIsCostlyToLookAtIsLookedAtTheLessOften() {
        ByHand hand = new ByHand();
        cost = () -> hand.ticker.advance(Duration.ofMillis(500));
        hand.change("first");
        hand.change("second");
        hand.advance(NodeWatch.PACE);
        assertThat(hand.told).hasSize(2);
        hand.change("third");
        hand.advance(Duration.ofMillis(1_999));
        assertThat(hand.told).as("within four times what the looks took").hasSize(2);
        cost = () -> hand.ticker.advance(Duration.ofMinutes(1));
        hand.advance(Duration.ofMillis(1));
        assertThat(hand.told).hasSize(3);
        hand.change("fourth");
        hand.advance(Duration.ofSeconds(2));
        assertThat(hand.told).hasSize(4);
        cost = () -> {};
        hand.change("fifth");
        hand.advance(Duration.ofMillis(9_999));
        assertThat(hand.told).hasSize(4);
        hand.advance(Duration.ofMillis(1));
        assertThat(hand.told).as("no pace is longer than ten seconds").hasSize(5);
        hand.change("sixth");
        hand.advance(NodeWatch.PACE);
        assertThat(hand.told).as("looks are cheap again").hasSize(6);
    }

    @Test
    void aLookThatWasHeldUpOnceDelaysNothing() {
        ByHand hand = new ByHand();
        // As where the process stands still meanwhile.
        cost = () -> hand.ticker.advance(Duration.ofMinutes(1));
        hand.change("first");
        assertThat(hand.told).as("at once").hasSize(1);
        cost = () -> {};
        hand.change("second");
        hand.advance(NodeWatch.PACE);
        assertThat(hand.told).as("after a second").hasSize(2);
    }

    @Test
    @SuppressWarnings("MustBeClosedChecker") // it ends with its context
    void S22_whatTimeAloneMayTurnIsLookedForLessOftenWhereThatIsCostly() {
        ByHand hand = new ByHand();
        onContext(() -> {
            FastnContext waits = fastn.runtime()
                    .root()
                    .child("waits")
                    .withSetting("fastn.operation-slow", Duration.ofHours(1))
                    .open();
            ends.add(waits::close);
            return waits.operation("wait");
        });
        hand.quieten();
        cost = () -> hand.ticker.advance(Duration.ofMillis(500));
        // The first of them finds out what it costs.
        hand.advance(NodeWatch.PACE);
        hand.advance(NodeWatch.PACE);
        taken.drainPermits();
        for (int second = 0; second < 10; second++) {
            hand.advance(NodeWatch.PACE);
        }
        assertThat(taken.availablePermits()).isBetween(3, 6);

        do {
            taken.drainPermits();
            hand.advance(NodeWatch.PACE);
        } while (taken.availablePermits() == 0);
        hand.told.clear();
        hand.change("soon after a look");
        hand.advance(Duration.ofMillis(1_999));
        assertThat(hand.told).as("though that look told nothing").isEmpty();
        hand.advance(Duration.ofMillis(1));
        assertThat(hand.told).hasSize(1);
    }

    @Test
    void S22_partsAreLookedAtOneAfterTheOtherSoThatWorkersAreLeftToThoseWhoAsk() {
        WorkerExecutor two = vertx.createSharedWorkerExecutor("watch-two", 2);
        List<NodeStatus> told = new CopyOnWriteArrayList<>();
        hold.set(true);
        for (int depth = 1; depth <= 3; depth++) {
            NodeWatch part = new NodeWatch(
                    vertx,
                    two,
                    local,
                    new StatusQuery(List.of(), StatusQuery.Format.JSON, depth, null, StatusQuery.DEFAULT_WIDTH, 0),
                    Ticker.system());
            onContext(() -> ends.add(part.watchRow(told::add)::close));
        }
        taken.acquireUninterruptibly();
        assertThat(Waiting.<String>result(two.executeBlocking(() -> "answered", false)))
                .isEqualTo("answered");
        assertThat(taken.availablePermits()).as("looks beside the first").isZero();
        hold.set(false);
        goOn.release(3);
        await().atMost(LONG).until(() -> told.size() >= 3);
    }

    @Test
    void whatChangedIsToldASecondAfterALookThatFailed() {
        ByHand hand = new ByHand();
        hand.failing.fail(1);
        hand.change("untold");
        hand.advance(Duration.ofMillis(999));
        assertThat(hand.told).isEmpty();
        hand.advance(Duration.ofMillis(1));
        assertThat(hand.told).hasSize(1);
    }

    @Test
    @SuppressWarnings("MustBeClosedChecker") // it ends with its context
    void whatTimeAloneMayTurnIsLookedForEachSecond() {
        ByHand hand = new ByHand();
        onContext(() -> {
            FastnContext waits = fastn.runtime().root().child("waits").open();
            ends.add(waits::close);
            return waits.operation("wait");
        });
        hand.quieten();
        for (int second = 0; second < 12; second++) {
            taken.drainPermits();
            hand.advance(NodeWatch.PACE);
            assertThat(taken.availablePermits()).as("looks").isEqualTo(1);
        }
    }

    @Test
    void whatTurnsAtTheMachineIsToldWithinFiveSecondsThoughNothingInTheTreeChanges() {
        AtomicReference<Double> processor = new AtomicReference<>(10.0);
        Registration source = fastn.runtime()
                .setSystemMetrics(() -> new SystemMetrics(
                        processor.get(),
                        null,
                        null,
                        null,
                        null,
                        null,
                        null,
                        null,
                        null,
                        SystemMetrics.Ages.UNKNOWN,
                        null,
                        null));
        ends.add(source::close);
        ByHand hand = new ByHand();

        processor.set(99.0);
        for (int second = 0; second < 5; second++) {
            hand.advance(NodeWatch.PACE);
        }
        assertThat(hand.told)
                .singleElement()
                .satisfies(snapshot -> assertThat(snapshot.warnings())
                        .extracting(StatusWarning::id)
                        .contains(WarningIds.CPU_HIGH));
    }

    /** A watch whose clock and timers the test moves. The first status has been told, and nothing since a second ago. */
    private final class ByHand {
        final ManualTicker ticker = new ManualTicker(Fixtures.NOW);
        final HandTimers timers = new HandTimers(vertx, ticker);
        final FailingWorker failing = new FailingWorker(worker);
        final NodeWatch watch = new NodeWatch(timers.vertx(), failing.worker(), local, StatusQuery.all(), ticker);
        final List<StatusSnapshot> told = new CopyOnWriteArrayList<>();

        ByHand() {
            onContext(() -> ends.add(watch.watch(told::add)::close));
            await().atMost(LONG).until(() -> !told.isEmpty());
            quieten();
        }

        void quieten() {
            do {
                told.clear();
                advance(NodeWatch.PACE);
            } while (!told.isEmpty());
        }

        /** On the context, so that it is looked at when it is whole. */
        void change(String name) {
            onContext(() -> ends.add(fastn.runtime().root().child(name).open()::close));
            untilDone();
        }

        void advance(Duration time) {
            ticker.advance(time);
            onContext(() -> {
                timers.goOff();
                return null;
            });
            untilDone();
        }

        private void untilDone() {
            for (int i = 0; i < 3; i++) {
                onContext(() -> null);
                Waiting.result(worker.executeBlocking(() -> null));
            }
        }
    }

    /** Until nothing is left of what the first snapshot found. */
    private void settle() {
        await().atMost(LONG).until(() -> {
            long version = fastn.runtime().version();
            Waiting.result(worker.executeBlocking(() -> null));
            return version == fastn.runtime().version();
        });
    }

    private Registration watching(Consumer<StatusSnapshot> watcher) {
        return onContext(() -> watch.watch(watcher));
    }

    private <T> T onContext(Supplier<T> work) {
        Promise<T> done = Promise.promise();
        context.runOnContext(now -> done.handle(Future.succeededFuture(work.get())));
        return Waiting.result(done.future());
    }
}
