package com.fastn.context.vertx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fastn.context.ContextCancelledException;
import com.fastn.context.ContextMutex;
import com.fastn.context.ContextReadWriteLock;
import com.fastn.context.DeadlockException;
import com.fastn.context.FastnContext;
import com.fastn.context.LockGuard;
import com.fastn.context.ReadGuard;
import com.fastn.context.SelfDeadlockException;
import com.fastn.context.status.ContextState;
import io.vertx.core.Context;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.ThreadingModel;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.internal.ContextInternal;
import io.vertx.core.internal.VertxInternal;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A handler that waits for a lock in its thread, while others of its verticle are before it. */
@ExtendWith(OwnTree.class)
class BlockingOnWorkersTest {
    private final Vertx vertx = Vertx.vertx(new VertxOptions().setWorkerPoolSize(2));
    private final FastnContext root = FastnVertx.install(vertx).runtime().root();
    private final ContextMutex<Object> orders = root.mutex("orders", (Object) "v");
    private final List<String> order = new CopyOnWriteArrayList<>();

    @BeforeEach
    void endsAtOnce() {
        Waiting.endsWithoutGrace(vertx);
    }

    @AfterEach
    void stop() {
        Waiting.result(vertx.close());
    }

    private Front deployed(ThreadingModel model) {
        assumeTrue(
                model != ThreadingModel.VIRTUAL_THREAD || ((VertxInternal) vertx).isVirtualThreadAvailable(),
                "virtual threads need Java 21");
        Front front = new Front();
        Waiting.result(vertx.deployVerticle(front, new DeploymentOptions().setThreadingModel(model)));
        return front;
    }

    /** Begins a handler of a verticle; what it gives ends with it. */
    private static <T> Future<T> handler(Front front, Callable<Future<T>> code) {
        Promise<T> done = Promise.promise();
        front.place().runOnContext(now -> {
            try {
                code.call().onComplete(done);
            } catch (Exception e) {
                done.fail(e);
            }
        });
        return done.future();
    }

    private Future<String> takesByFuture(Front front) {
        Future<String> done = handler(
                front,
                () -> new FutureMutex<>(orders).lock().map(guard -> {
                    order.add("future");
                    guard.close();
                    return "had it";
                }));
        return done;
    }

    private Future<String> takesInThread(Front front) {
        return handler(front, () -> {
            try (LockGuard<?> guard = orders.lockBlocking()) {
                assertThat(guard.lockName()).isEqualTo("orders");
                order.add("thread");
            }
            return Future.succeededFuture("had it");
        });
    }

    private void wait(int waiters) {
        Waiting.until(() -> orders.waiters() == waiters);
    }

    @Test
    void L9_aWorkerThatWouldBlockBehindAHandlerOfItsOwnIsToldSoAndTheLockIsNotLost() {
        Front worker = deployed(ThreadingModel.WORKER);
        LockGuard<?> held = Waiting.take(orders);
        Future<String> first = takesByFuture(worker);
        wait(1);
        Throwable refused = Waiting.failure(takesInThread(worker));
        assertThat(refused)
                .isInstanceOf(SelfDeadlockException.class)
                .hasMessageContaining("mutex \"orders\" was asked for by")
                .hasMessageContaining("on an ordered worker that")
                .hasMessageContaining(", who is before it, needs to go on; use the form that gives a stage")
                .hasMessageContaining("executeBlocking(.., false)");
        held.close();
        assertThat(Waiting.<String>result(first)).isEqualTo("had it");
        assertThat(orders.holder()).isNull();
    }

    /** A verticle with a pool of its own of one thread, which is busy until the latch is open. */
    private Front busy(CountDownLatch open) {
        Front front = new Front();
        Waiting.result(vertx.deployVerticle(
                front, new DeploymentOptions().setWorkerPoolName("busy").setWorkerPoolSize(1)));
        CountDownLatch begun = new CountDownLatch(1);
        // Not an ordered one, which an undeployment would wait for.
        front.place()
                .executeBlocking(
                        () -> {
                            begun.countDown();
                            while (open.getCount() > 0) {
                                try {
                                    open.await();
                                } catch (InterruptedException e) {
                                    // The pool is closed, and this goes on.
                                }
                            }
                            return null;
                        },
                        false);
        Waiting.until(() -> begun.getCount() == 0);
        return front;
    }

    private static FastnContext serviceOf(Front front) {
        return Waiting.on(front.place(), () -> Future.succeededFuture(FastnContext.current()));
    }

    @Test
    void aBlockingTaskThatItsPoolRefusesIsNeitherOpenNorInTheQueue() {
        Front front = new Front();
        Waiting.result(vertx.deployVerticle(front, new DeploymentOptions().setWorkerPoolName("closed")));
        FastnContext service = serviceOf(front);
        var unused = ((ContextInternal) front.place()).workerPool().executor().shutdownNow();
        FutureContext ctx = FutureContext.of(service);
        Future<Integer> spawned = ctx.child("spawned").spawnBlocking(() -> 1);
        assertThat(Waiting.failure(spawned)).isInstanceOf(RejectedExecutionException.class);
        List<Future<Integer>> blocking = Waiting.on(
                front.place(),
                () -> Future.succeededFuture(List.of(FutureContext.current().<Integer>blocking(() -> 1))));
        assertThat(Waiting.failure(blocking.get(0))).isInstanceOf(RejectedExecutionException.class);
        assertThat(service.children()).isEmpty();
        assertThat(FastnVertx.install(vertx).workerQueue().count()).isZero();
    }

    /** Vert.x tells nobody of the tasks that a pool still has when it is closed. */
    @Test
    void aBlockingTaskThatHasNotBegunWhenItsContextIsCancelledEndsAtOnceAndIsNotLostWithItsPool() {
        CountDownLatch open = new CountDownLatch(1);
        Front front = busy(open);
        FastnContext service = serviceOf(front);
        Future<Integer> spawned = FutureContext.of(service).child("spawned").spawnBlocking(() -> 1);
        Waiting.until(() -> FastnVertx.install(vertx).workerQueue().count() == 1);
        Future<Void> undeployed = front.undeploy();
        assertThat(Waiting.failure(spawned)).isInstanceOf(ContextCancelledException.class);
        Waiting.result(undeployed);
        assertThat(service.state()).isEqualTo(ContextState.CLOSED);
        assertThat(FastnVertx.install(vertx).workerQueue().count()).isZero();
        open.countDown();
    }

    /** Its context goes on, so it is the end of the verticle that has to be told. */
    @Test
    void aBlockingTaskOfALastingContextThatHasNotBegunEndsWithTheVerticleWhosePoolItWaitsFor() {
        CountDownLatch open = new CountDownLatch(1);
        Front front = busy(open);
        FastnVertx fastn = FastnVertx.install(vertx);
        List<Future<Integer>> spawned = Waiting.on(
                front.place(),
                () -> Future.succeededFuture(
                        List.of(FutureContext.of(root).child("spawned").spawnBlocking(() -> 1))));
        assertThat(fastn.workerQueue().count()).isEqualTo(1);
        Waiting.result(front.undeploy());
        assertThat(Waiting.failure(spawned.get(0)))
                .isInstanceOf(CancellationException.class)
                .hasMessageContaining("undeployed");
        assertThat(root.isCancelled()).isFalse();
        assertThat(root.children()).isEmpty();
        assertThat(fastn.workerQueue().count()).isZero();
        open.countDown();
    }

    @Test
    void aBlockingTaskOfALastingContextThatHasBegunGoesOnAndAVerticleKeepsNothingOfOneThatHasEnded() {
        Front front = Front.deploy(vertx);
        List<WeakReference<Object>> kept = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            Object big = new Object();
            kept.add(new WeakReference<>(big));
            Waiting.on(
                    front.place(), () -> FutureContext.of(root).child("spawned").spawnBlocking(big::hashCode));
        }
        // The last one may be referred to from a thread that ran it.
        Waiting.until(() -> {
            System.gc();
            return kept.stream().filter(each -> each.get() != null).count() <= 3;
        });
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch enough = new CountDownLatch(1);
        List<Future<Boolean>> spawned = Waiting.on(
                front.place(),
                () -> Future.succeededFuture(
                        List.of(FutureContext.of(root).child("spawned").spawnBlocking(() -> {
                            begun.countDown();
                            enough.await();
                            return FastnContext.current().isCancelled();
                        }))));
        Waiting.until(() -> begun.getCount() == 0);
        Waiting.result(front.undeploy());
        enough.countDown();
        assertThat(Waiting.<Boolean>result(spawned.get(0))).isFalse();
    }

    @Test
    void whatWaitedOnAWorkerContextOfNoVerticleDoesNotKeepIt() {
        List<WeakReference<Context>> places = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            Context place = ((VertxInternal) vertx).createWorkerContext();
            LockGuard<?> held = Waiting.take(orders);
            Promise<Void> done = Promise.promise();
            place.runOnContext(now -> new FutureMutex<>(orders)
                    .lock()
                    .onSuccess(LockGuard::close)
                    .<Void>mapEmpty()
                    .onComplete(done));
            wait(1);
            held.close();
            Waiting.result(done.future());
            places.add(new WeakReference<>(place));
        }
        // The last one may be referred to from a thread that ran it.
        Waiting.until(() -> {
            System.gc();
            return places.stream().filter(place -> place.get() != null).count() <= 3;
        });
    }

    /** Whoever has it in a thread of his own releases it there, however the worker is kept. */
    @Test
    void L9_aHolderInABlockingTaskOfTheVerticleIsWaitedForWhateverHeHolds() {
        Front worker = deployed(ThreadingModel.WORKER);
        ContextReadWriteLock<Object> price = root.readWriteLock("price", (Object) "v");
        Promise<Void> reads = Promise.promise();
        CountDownLatch enough = new CountDownLatch(1);
        Future<Object> reader = handler(
                worker,
                () -> vertx.executeBlocking(
                        () -> {
                            try (ReadGuard<?> guard = price.readLockBlocking()) {
                                reads.complete();
                                enough.await();
                                return guard.value();
                            }
                        },
                        false));
        Waiting.result(reads.future());
        Future<String> writer = handler(worker, () -> {
            try (LockGuard<?> guard = price.writeLockBlocking()) {
                return Future.succeededFuture(guard.lockName());
            }
        });
        Waiting.until(() -> price.waiters() == 1);
        enough.countDown();
        assertThat(Waiting.<String>result(writer)).isEqualTo("price");
        assertThat(Waiting.<Object>result(reader)).isEqualTo("v");
    }

    /** It was granted, and he is not told yet: that waits behind the handler that asks now. */
    @Test
    void L9_aGrantThatIsOnItsWayToAWorkerIsBeforeTheHandlerThatRunsThere() {
        Front worker = deployed(ThreadingModel.WORKER);
        LockGuard<?> held = Waiting.take(orders);
        Future<String> first = takesByFuture(worker);
        wait(1);
        Throwable refused = Waiting.failure(handler(worker, () -> {
            held.close();
            try (LockGuard<?> guard = orders.lockBlocking()) {
                return Future.succeededFuture(guard.lockName());
            }
        }));
        assertThat(refused).isInstanceOf(SelfDeadlockException.class);
        assertThat(Waiting.<String>result(first)).isEqualTo("had it");
    }

    @Test
    void L9_onAVirtualThreadTheOneBeforeIsServedWhileTheThreadWaits() {
        Front front = deployed(ThreadingModel.VIRTUAL_THREAD);
        LockGuard<?> held = Waiting.take(orders);
        Future<String> first = takesByFuture(front);
        wait(1);
        Future<String> second = takesInThread(front);
        wait(2);
        held.close();
        assertThat(Waiting.<String>result(first)).isEqualTo("had it");
        assertThat(Waiting.<String>result(second)).isEqualTo("had it");
        assertThat(order).containsExactly("future", "thread");
        assertThat(orders.holder()).isNull();
    }

    @ParameterizedTest
    @EnumSource(
            value = ThreadingModel.class,
            names = {"WORKER", "VIRTUAL_THREAD"})
    void L9_aScopeThatGoesOnInTheVerticleIsBeforeTheHandlerThatRunsThere(ThreadingModel model) {
        Front front = deployed(model);
        Promise<String> inside = Promise.promise();
        Promise<Void> begun = Promise.promise();
        Future<String> scope = handler(
                front,
                () -> new FutureMutex<>(orders).withLock(value -> {
                    begun.complete();
                    // Its steps run in the verticle, as the reply of a request would.
                    Promise<String> step = Promise.promise();
                    inside.future().onComplete(done -> front.place().runOnContext(now -> step.handle(done)));
                    return step.future();
                }));
        Waiting.result(begun.future());
        Future<String> second = takesInThread(front);
        if (model == ThreadingModel.WORKER) {
            // It could release elsewhere, so this is no deadlock for all that anybody knows (rule L15).
            assertThat(Waiting.failure(second))
                    .isInstanceOf(IllegalStateException.class)
                    .isNotInstanceOf(DeadlockException.class)
                    .hasMessageContaining("in a way that blocks, on an ordered worker; ")
                    .hasMessageContaining(
                            ", who has it, was not seen to release it within 5s, and may need this worker to go on; use")
                    .hasMessageContaining("executeBlocking(.., false)");
        } else {
            wait(1);
        }
        inside.complete("done");
        assertThat(Waiting.<String>result(scope)).isEqualTo("done");
        if (model == ThreadingModel.VIRTUAL_THREAD) {
            assertThat(Waiting.<String>result(second)).isEqualTo("had it");
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = ThreadingModel.class,
            names = {"WORKER", "VIRTUAL_THREAD"})
    void whoIsHeldUpByNobodyOfTheVerticleIsWaitedFor(ThreadingModel model) {
        Front front = deployed(model);
        Front loop = Front.deploy(vertx);
        Promise<LockGuard<Object>> elsewhere = Promise.promise();
        loop.place().runOnContext(now -> new FutureMutex<>(orders).lock().onComplete(elsewhere));
        LockGuard<?> held = Waiting.result(elsewhere.future());
        Future<String> waits = takesInThread(front);
        wait(1);
        held.close();
        assertThat(Waiting.<String>result(waits)).isEqualTo("had it");

        // One of the same verticle that has it in a thread of the pool.
        Promise<Void> has = Promise.promise();
        Promise<Void> release = Promise.promise();
        Future<String> aside = handler(
                front,
                () -> vertx.executeBlocking(
                        () -> {
                            try (LockGuard<?> guard = orders.lockBlocking()) {
                                has.complete();
                                Waiting.result(release.future());
                                return guard.lockName();
                            }
                        },
                        false));
        Waiting.result(has.future());
        Future<String> behind = takesInThread(front);
        wait(1);
        release.complete();
        assertThat(Waiting.<String>result(behind)).isEqualTo("had it");
        assertThat(Waiting.<String>result(aside)).isEqualTo("orders");
    }

    @Test
    void anInterruptedWaitOfAVirtualThreadLeavesTheQueueAndItsVerticleGoesOn() {
        Front front = deployed(ThreadingModel.VIRTUAL_THREAD);
        LockGuard<?> held = Waiting.take(orders);
        Promise<Thread> thread = Promise.promise();
        Future<String> waits = handler(front, () -> {
            thread.complete(Thread.currentThread());
            try (LockGuard<?> guard = orders.lockBlocking()) {
                return Future.succeededFuture(guard.lockName());
            } finally {
                // The verticle goes on with this thread.
                assertThat(Thread.interrupted()).isTrue();
            }
        });
        wait(1);
        Waiting.result(thread.future()).interrupt();
        assertThat(Waiting.failure(waits)).isInstanceOf(CancellationException.class);
        wait(0);
        held.close();
        for (int i = 0; i < 20; i++) {
            assertThat(Waiting.<String>result(takesInThread(front))).isEqualTo("had it");
        }
    }
}
