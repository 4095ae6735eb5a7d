package com.fastn.status;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fastn.context.FastnContext;
import com.fastn.context.ManualTicker;
import com.fastn.context.Registration;
import com.fastn.context.Ticker;
import com.fastn.context.status.StatusSnapshot;
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
    private final NodeWatch watch =
            new NodeWatch(vertx, worker, local, fastn.runtime(), StatusQuery.all(), new Ticker() {
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
    /** The runtime outlives the Vertx of a test: what is begun here is ended here. */
    private final List<Runnable> ends = new CopyOnWriteArrayList<>();

    NodeWatchTest() {
        // Asked when the tree has been read.
        local.addWarning(root -> {
            boolean held = hold.get();
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
    void aSnapshotThatOvertakesTheVersionOfItsEventIsTold() throws InterruptedException {
        List<StatusSnapshot> told = new CopyOnWriteArrayList<>();
        watching(told::add);
        await().atMost(LONG).until(() -> told.size() == 1);
        settle();
        int before = told.size();
        CountDownLatch heard = new CountDownLatch(1);
        CountDownLatch end = new CountDownLatch(1);
        // After the watch, so that it has its event and the version has not risen.
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

    /** A watch whose clock and timers the test moves. The first status has been told, and nothing since a second ago. */
    private final class ByHand {
        final ManualTicker ticker = new ManualTicker(Fixtures.NOW);
        final HandTimers timers = new HandTimers(vertx, ticker);
        final FailingWorker failing = new FailingWorker(worker);
        final NodeWatch watch =
                new NodeWatch(timers.vertx(), failing.worker(), local, fastn.runtime(), StatusQuery.all(), ticker);
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
