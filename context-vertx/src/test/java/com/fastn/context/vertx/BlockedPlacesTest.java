package com.fastn.context.vertx;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.ContextCancelledException;
import com.fastn.context.ContextMutex;
import com.fastn.context.FastnContext;
import com.fastn.context.LockGuard;
import com.fastn.context.engine.EngineRuntime;
import com.fastn.context.status.BlockedPlace;
import com.fastn.context.status.Cause;
import com.fastn.context.status.CauseKind;
import com.fastn.context.status.ContextKind;
import com.fastn.context.status.Explanation;
import com.fastn.context.status.RootCause;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.VerticleBase;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.WorkerExecutor;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(OwnTree.class)
class BlockedPlacesTest {
    private static final Duration LONG_ENOUGH =
            BlockedPlaces.POOL_FULL.multipliedBy(3).dividedBy(2);

    private final CountDownLatch atEnd = new CountDownLatch(1);
    private Vertx vertx;
    private EngineRuntime runtime;

    @BeforeEach
    void start() {
        // A busy machine may well hold up a loop for 50 ms.
        start(600_000);
    }

    /** Begins anew, with so short a time on event loops that one is soon held up. */
    private void startWithImpatientLoops() {
        Waiting.result(vertx.close());
        start(50);
    }

    private void start(long mostMillisOnAnEventLoop) {
        vertx = Vertx.vertx(new VertxOptions()
                .setEventLoopPoolSize(4)
                .setWorkerPoolSize(2)
                .setMaxEventLoopExecuteTime(mostMillisOnAnEventLoop)
                .setMaxEventLoopExecuteTimeUnit(TimeUnit.MILLISECONDS)
                .setBlockedThreadCheckInterval(1_000_000));
        runtime = (EngineRuntime) FastnVertx.install(vertx).runtime();
    }

    @AfterEach
    void stop() {
        atEnd.countDown();
        runtime.root().children().forEach(FastnContext::cancel);
        Waiting.result(vertx.close());
    }

    /** Answers only when the test ends, and holds up its event loop until then. */
    private final class Bank extends VerticleBase {
        @Override
        public Future<?> start() {
            return vertx.eventBus()
                    .consumer("bank.pay", message -> {
                        holdUp();
                        message.reply("paid");
                    })
                    .completion();
        }
    }

    private void holdUp() {
        try {
            atEnd.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void aRequestWhoseHandlerBlocksItsEventLoopEndsAtThatLoopWithItsStack() {
        startWithImpatientLoops();
        Waiting.result(vertx.deployVerticle(new Bank()));
        FastnContext req =
                runtime.root().child("req").withKind(ContextKind.REQUEST).open();
        LockGuard<?> orders = Waiting.take(runtime.root().mutex("orders"));
        FutureContext.of(req)
                .spawn(() -> FutureContext.current()
                        .awaiting(
                                "pay", vertx.eventBus().request("bank.pay", "1").mapEmpty()));
        // A busy machine may hold up a loop before the handler stands still.
        Waiting.until(() -> {
            RootCause now = requireNonNull(runtime.explain(req.id())).root();
            return now.kind() == CauseKind.EVENT_LOOP
                    && now.stack().stream().anyMatch(frame -> frame.contains("BlockedPlacesTest.holdUp"));
        });

        Explanation why = requireNonNull(runtime.explain(req.id()));
        assertThat(why.chain()).as("%s", why).extracting(Cause::kind).containsExactly(CauseKind.REQUEST);
        assertThat(why.root().kind()).isEqualTo(CauseKind.EVENT_LOOP);
        assertThat(why.root().context().path()).endsWith("bank\\.pay");
        assertThat(why.root().stack()).anyMatch(frame -> frame.contains("BlockedPlacesTest.holdUp"));
        assertThat(why.toString().lines().findFirst().orElse(""))
                .contains("bank.pay: event loop blocked", "at BlockedPlacesTest.java:");
        assertThat(runtime.status().warnings())
                .anyMatch(w -> w.id().equals("place-blocked") && w.message().contains("BlockedPlacesTest.java"));
        assertThat(runtime.explainAll())
                .anyMatch(each -> each.root().context().equals(why.root().context()));

        atEnd.countDown();
        Waiting.until(() -> runtime.status().causes().blocked().isEmpty());
        orders.close();
    }

    @Test
    void aPoolFullOfThoseWhoWaitForTheOneInItsQueueIsNamed() {
        ContextMutex<?> orders = runtime.root().mutex("orders");
        FastnContext settle = runtime.root().child("settle").open();
        LockGuard<?> guard = takeIn(settle, orders);
        for (int i = 0; i < 2; i++) {
            var unused = runtime.root().child("worker" + i).<String>spawnBlocking(() -> {
                try (LockGuard<?> mine = orders.lockBlocking()) {
                    return mine.lockName();
                }
            });
        }
        Waiting.until(() -> orders.waiters() == 2);
        var release = settle.child("release").<String>spawnBlocking(() -> {
            guard.close();
            return "done";
        });
        Waiting.until(() -> !runtime.status().causes().blocked().isEmpty());
        Explanation why = requireNonNull(runtime.explain(settle.id()));
        assertThat(why.toString().lines().findFirst().orElse(""))
                .as("%s", why)
                .contains("the pool is full of those that wait for each other", "settle", "worker");
        assertThat(why.root().kind()).isEqualTo(CauseKind.POOL);
        guard.close();
        Waiting.result(release);
        // Those who waited have their turn one after the other.
        Waiting.until(() -> runtime.explainAll().isEmpty());
        assertThat(runtime.status().causes().blocked()).isEmpty();
    }

    @Test
    void aTaskInTheQueueOfAPoolWaitsForTheTasksOfThatPoolOnly() {
        Vertx other = Vertx.vertx(new VertxOptions().setWorkerPoolSize(1));
        try {
            FastnContext busyElsewhere = spawnsOne(inPool("other-pool"), "elsewhere");
            var unused = other.executeBlocking(
                    () -> {
                        holdUp();
                        return null;
                    },
                    false);
            FastnContext one = spawnsOne(runtime.root(), "one");
            FastnContext two = spawnsOne(runtime.root(), "two");
            var late = runtime.root().child("late").<String>spawnBlocking(() -> "done");
            Waiting.until(() -> !runtime.status().causes().blocked().isEmpty());
            assertThat(runtime.status().causes().blocked()).singleElement().satisfies(place -> {
                assertThat(place.name()).isEqualTo("vert.x-worker-thread");
                assertThat(place.busy())
                        .containsExactlyInAnyOrder(one.id(), two.id())
                        .doesNotContain(busyElsewhere.id());
                assertThat(place.waiting()).hasSize(1);
                assertThat(place.queued()).isEqualTo(1);
            });
            atEnd.countDown();
            Waiting.result(late);
        } finally {
            atEnd.countDown();
            Waiting.result(other.close());
        }
    }

    @Test
    void aNamedPoolThatIsFullIsNamedWithThoseWhoFillIt() {
        FastnContext service = inPool("ledger-pool");
        FastnContext first = spawnsOne(service, "first");
        var waits = service.child("second").<String>spawnBlocking(() -> "done");
        Waiting.until(() -> !runtime.status().causes().blocked().isEmpty());
        Explanation why = requireNonNull(runtime.explain(
                runtime.status().causes().blocked().get(0).waiting().get(0)));
        assertThat(why.root().context().contextId()).isEqualTo(first.id());
        assertThat(why.toString().lines().findFirst().orElse(""))
                .as("%s", why)
                .startsWith("Front/first")
                .contains("runs on a thread at BlockedPlacesTest.java:")
                .contains("waits for a place in pool \"ledger-pool\"");
        atEnd.countDown();
        Waiting.result(waits);
        Waiting.until(() -> runtime.status().causes().blocked().isEmpty());
    }

    @Test
    void aSharedWorkerExecutorThatIsFullIsNamedWithThoseWhoFillIt() {
        WorkerExecutor ledger = vertx.createSharedWorkerExecutor("ledger", 1);
        FastnContext fills = runtime.root().child("fills").open();
        FastnContext settle = runtime.root().child("settle").open();
        LockGuard<?> guard = takeIn(settle, runtime.root().mutex("orders"));
        var unused = ledger.executeBlocking(
                () -> {
                    try (var ignored = fills.makeCurrent()) {
                        holdUp();
                    }
                    return "done";
                },
                false);
        Future<String> release = ledger.executeBlocking(
                () -> {
                    guard.close();
                    return "done";
                },
                false);
        Waiting.until(() -> !runtime.status().causes().blocked().isEmpty());
        assertThat(onlyPlace()).satisfies(place -> {
            assertThat(place.kind()).isEqualTo(CauseKind.POOL);
            assertThat(place.name()).isEqualTo("ledger");
            assertThat(place.busy()).containsExactly(fills.id());
            assertThat(place.queued()).isEqualTo(1);
            assertThat(place.unknown()).isEqualTo(1);
        });
        assertThat(requireNonNull(runtime.explain(settle.id())).toString())
                .contains("holds mutex \"orders\"")
                .contains("pool \"ledger\" is full for ", "with 1 task in its queue");

        atEnd.countDown();
        assertThat(Waiting.<String>result(release)).isEqualTo("done");
        Waiting.until(() -> runtime.status().causes().blocked().isEmpty());
        // To be looked at neither ends the pool nor keeps it.
        assertThat(Waiting.<String>result(ledger.executeBlocking(() -> "again")))
                .isEqualTo("again");
        Waiting.result(ledger.close());
        assertThat(vertx.sharedData().getLocalMap(BlockedPlaces.SHARED_POOLS).keySet())
                .doesNotContain("ledger");
    }

    /** The context of a verticle that has a worker pool of its own, with one thread. */
    private FastnContext inPool(String name) {
        Front front = new Front();
        Waiting.result(vertx.deployVerticle(
                front, new DeploymentOptions().setWorkerPoolName(name).setWorkerPoolSize(1)));
        return Waiting.on(front.place(), () -> Future.succeededFuture(FastnContext.current()));
    }

    /** Fills a thread of the pool of a context until the test ends; gives who does. */
    private FastnContext spawnsOne(FastnContext parent, String name) {
        Promise<FastnContext> begun = Promise.promise();
        var unused = parent.child(name).<String>spawnBlocking(() -> {
            begun.complete(FastnContext.current());
            holdUp();
            return "done";
        });
        return Waiting.result(begun.future());
    }

    private static LockGuard<?> takeIn(FastnContext who, ContextMutex<?> mutex) {
        try (var ignored = who.makeCurrent()) {
            return Waiting.take(mutex);
        }
    }

    @Test
    void aTaskOfAFutureContextInTheQueueOfAPoolIsKnownUntilItBeginsOrIsNotWanted() {
        FastnContext one = spawnsOne(runtime.root(), "one");
        FastnContext two = spawnsOne(runtime.root(), "two");
        FastnContext late = runtime.root().child("late").open();
        FastnContext gone = runtime.root().child("gone").open();
        Future<String> waits = FutureContext.of(late).blocking(() -> "done");
        Future<String> cancelled = FutureContext.of(gone).blockingInterruptibly(() -> "never");
        areQueued(2);
        assertThat(runtime.status().causes().blocked().get(0).waiting()).containsExactly(late.id(), gone.id());
        assertThat(requireNonNull(runtime.explain(late.id())).toString().lines().findFirst())
                .hasValueSatisfying(line -> assertThat(line)
                        .containsAnyOf("one: runs on a thread", "two: runs on a thread")
                        .contains("late waits for a place in pool \"vert.x-worker-thread\""));
        gone.cancel();
        assertThat(Waiting.failure(cancelled)).isInstanceOf(ContextCancelledException.class);
        assertThat(runtime.status().causes().blocked()).singleElement().satisfies(place -> {
            assertThat(place.waiting()).containsExactly(late.id());
            // What nobody wants is in the queue until its turn, and is known all the same.
            assertThat(place.queued()).isEqualTo(2);
            assertThat(place.unknown()).isZero();
            assertThat(place.busy()).containsExactlyInAnyOrder(one.id(), two.id());
        });
        atEnd.countDown();
        assertThat(Waiting.<String>result(waits)).isEqualTo("done");
        Waiting.until(() -> runtime.status().causes().blocked().isEmpty());
    }

    /** More contexts than are named, and one that has several tasks. */
    @Test
    void allTasksOfContextsInTheQueueOfAFullPoolAreKnownHoweverMany() {
        var unusedOne = spawnsOne(runtime.root(), "one");
        var unusedTwo = spawnsOne(runtime.root(), "two");
        FastnContext three = runtime.root().child("three").open();
        for (int i = 0; i < 3; i++) {
            var unused = FutureContext.of(three).blocking(() -> "done");
        }
        areQueued(3);
        assertThat(onlyPlace()).matches(place -> place.queued() == 3 && place.unknown() == 0);
        for (int i = 0; i < 60; i++) {
            var unused = runtime.root().child("job").<String>spawnBlocking(() -> "done");
        }
        assertThat(onlyPlace())
                .matches(place -> place.queued() == 63 && place.unknown() == 0)
                .matches(place -> place.waiting().size() == 50);
        var unused = vertx.executeBlocking(() -> "done", false);
        assertThat(onlyPlace()).matches(place -> place.queued() == 64 && place.unknown() == 1);
    }

    @Test
    void ourOwnTasksInTheQueueOfAFullPoolAreKnown() {
        FastnVertx fastn = FastnVertx.install(vertx);
        FastnContext one = spawnsOne(runtime.root(), "one");
        var unusedTwo = spawnsOne(runtime.root(), "two");
        FastnContext idle = runtime.root().child("idle").open();
        takeIn(idle, runtime.root().mutex("orders"));
        CountDownLatch looked = new CountDownLatch(2);
        LateLook late = new LateLook(fastn.home(), fastn.workerQueue(), LONG_ENOUGH, () -> false, () -> {});
        late.aside("nothing was looked at", looked::countDown);
        late.aside("nothing was looked at", looked::countDown);
        Waiting.until(() -> !runtime.status().causes().blocked().isEmpty());
        assertThat(onlyPlace())
                .matches(place -> place.queued() == 2 && place.unknown() == 0)
                .matches(place -> place.waiting().isEmpty());
        assertThat(requireNonNull(runtime.explain(idle.id())).toString())
                .contains("holds mutex \"orders\"")
                .doesNotContain("in its queue");
        // Of one who consumes events the first thing is a snapshot.
        var consumer = vertx.eventBus().<Object>localConsumer(Addresses.EVENTS_COUNTERS, frame -> {});
        Waiting.result(consumer.completion());
        Waiting.until(() -> {
            one.incrementTotal("noise");
            return onlyPlace().queued() == 3;
        });
        assertThat(onlyPlace().unknown()).isZero();
        atEnd.countDown();
        Waiting.until(() -> looked.getCount() == 0);
    }

    /** From a plain thread each task gets there by an event loop of its own. */
    private void areQueued(int tasks) {
        Waiting.until(() -> runtime.status().causes().blocked().stream().anyMatch(place -> place.queued() == tasks));
    }

    private BlockedPlace onlyPlace() {
        List<BlockedPlace> places = runtime.status().causes().blocked();
        assertThat(places).hasSize(1);
        return places.get(0);
    }

    /** One thread is at one task for long; the other one goes on, so that those in the queue have their turn. */
    @Test
    void aPoolWithAQueueIsNoCauseWhileOneOfItsThreadsGoesFromTaskToTask() {
        spawnsOne(runtime.root(), "long");
        long began = System.nanoTime();
        AtomicInteger begun = new AtomicInteger();
        Semaphore turns = new Semaphore(0);
        for (int i = 0; i < 3; i++) {
            job(begun, turns);
        }
        Waiting.until(() -> begun.get() == 1);
        int looks = 0;
        while (looks == 0 || System.nanoTime() - began < LONG_ENOUGH.toNanos()) {
            int before = begun.get();
            job(begun, turns);
            long next = System.nanoTime();
            turns.release();
            Waiting.until(() -> begun.get() > before);
            List<BlockedPlace> blocked = runtime.status().causes().blocked();
            List<Explanation> explained = runtime.explainAll();
            // On a machine that stands still the pool may well have been full.
            if (System.nanoTime() - next < BlockedPlaces.POOL_FULL.toNanos()) {
                assertThat(blocked).isEmpty();
                assertThat(explained).isEmpty();
                looks++;
            }
        }
        // The same once it stays at one, too.
        Waiting.until(() -> !runtime.status().causes().blocked().isEmpty());
        turns.release(1_000_000);
    }

    /** Whoever asks has just begun a task, so the queue has moved a moment ago. */
    @Test
    void aPoolIsNotFullForOneOfItsThreadsThatAsksInATaskThatHasJustBegun() {
        spawnsOne(runtime.root(), "long");
        List<BlockedPlace> seen;
        long took;
        do {
            AtomicInteger begun = new AtomicInteger();
            Semaphore turns = new Semaphore(0);
            job(begun, turns);
            Waiting.until(() -> begun.get() == 1);
            Promise<List<BlockedPlace>> look = Promise.promise();
            var asks = runtime.root().child("asks").<String>spawnBlocking(() -> {
                look.complete(runtime.status().causes().blocked());
                return "done";
            });
            var late = runtime.root().child("late").<String>spawnBlocking(() -> "done");
            Waiting.until(() -> !runtime.status().causes().blocked().isEmpty());
            long next = System.nanoTime();
            turns.release();
            seen = Waiting.result(look.future());
            took = System.nanoTime() - next;
            Waiting.result(asks);
            Waiting.result(late);
            // On a machine that stands still its task may well have begun long ago.
        } while (took >= BlockedPlaces.POOL_FULL.toNanos());
        assertThat(seen).isEmpty();
    }

    private void job(AtomicInteger begun, Semaphore turns) {
        var unused = runtime.root().child("job").<String>spawnBlocking(() -> {
            begun.incrementAndGet();
            turns.acquireUninterruptibly();
            return "done";
        });
    }

    @Test
    void aStayOnAnEventLoopThatVertxAllowsIsNoCause() {
        startWithImpatientLoops();
        Vertx patient = Vertx.vertx(new VertxOptions()
                .setMaxEventLoopExecuteTime(1)
                .setMaxEventLoopExecuteTimeUnit(TimeUnit.HOURS)
                .setBlockedThreadCheckInterval(1_000_000));
        try {
            EngineRuntime its = (EngineRuntime) FastnVertx.install(patient).runtime();
            CountDownLatch begun = new CountDownLatch(1);
            CountDownLatch goOn = new CountDownLatch(1);
            patient.runOnContext(now -> {
                begun.countDown();
                try {
                    goOn.await();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            });
            vertx.runOnContext(now -> holdUp());
            Waiting.until(() -> begun.getCount() == 0);
            // The other one allows no such stay, and by then this one has lasted as long.
            Waiting.until(() -> !runtime.status().causes().blocked().isEmpty());
            assertThat(its.status().causes().isNone()).isTrue();
            assertThat(its.explainAll()).isEmpty();
            goOn.countDown();
        } finally {
            Waiting.result(patient.close());
        }
    }
}
