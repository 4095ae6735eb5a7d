package com.fastn.context.vertx;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fastn.context.ContextCancelledException;
import com.fastn.context.ContextMutex;
import com.fastn.context.ContextRuntime;
import com.fastn.context.FastnContext;
import com.fastn.context.LockGuard;
import com.fastn.context.Registration;
import com.fastn.context.status.ContextState;
import io.netty.channel.EventLoop;
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
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Locks that were granted to somebody whose place goes away before he is told, and tasks that wait there to start. */
@ExtendWith(OwnTree.class)
class LostDeliveryTest {
    private static final int MANY = 100_000;

    private final CountDownLatch atEnd = new CountDownLatch(1);
    private final Vertx vertx = Vertx.vertx(new VertxOptions().setWorkerPoolSize(1));
    private final ContextRuntime shared = ContextRuntime.builder().build();
    private final ContextMutex<Object> orders = shared.root().mutex("orders", (Object) "v");

    @AfterEach
    void stop() {
        atEnd.countDown();
        Waiting.result(vertx.close());
        shared.close();
    }

    /** Holds up a worker, whatever interrupts it. */
    private void holdUp(CountDownLatch begun) {
        begun.countDown();
        boolean interrupted = false;
        while (atEnd.getCount() > 0) {
            try {
                atEnd.await();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void isHeldUp(Context place) {
        CountDownLatch begun = new CountDownLatch(1);
        place.runOnContext(now -> holdUp(begun));
        Waiting.until(() -> begun.getCount() == 0);
    }

    private Future<LockGuard<Object>> asks(Context place, FastnContext context) {
        int before = orders.waiters();
        Promise<LockGuard<Object>> seen = Promise.promise();
        place.runOnContext(now -> {
            try (var ignored = context.makeCurrent()) {
                new FutureMutex<>(orders).lock().onComplete(seen);
            }
        });
        Waiting.until(() -> orders.waiters() == before + 1);
        return seen.future();
    }

    private CompletableFuture<LockGuard<Object>> isNext() {
        return orders.lock().toCompletableFuture();
    }

    @Test
    void L9_aGrantThatWaitsInTheQueueOfAWorkerGoesToTheNextOneWhenTheVertxCloses() {
        LockGuard<?> held = Waiting.take(orders);
        ContextInternal worker = ((VertxInternal) vertx).createWorkerContext();
        var unused = asks(worker, shared.root().child("req").open());
        isHeldUp(worker);
        var next = isNext();
        held.close();
        assertThat(next.isDone()).as("the worker has it, and is not told yet").isFalse();

        Future<Void> closing = vertx.close();
        Waiting.until(next::isDone);
        next.join().close();
        assertThat(orders.holder()).isNull();
        atEnd.countDown();
        Waiting.result(closing);
    }

    /** Its own contexts are cancelled, and the lock is not lost with what waits in its queue. */
    @Test
    void L9_aGrantThatWaitsInTheQueueOfAWorkerGoesToTheNextOneWhenItsVerticleIsUndeployed() {
        Promise<Void> stopped = Promise.promise();
        CountDownLatch stopping = new CountDownLatch(1);
        Front worker = new Front() {
            @Override
            public Future<?> stop() {
                stopping.countDown();
                return stopped.future();
            }
        };
        Waiting.endsWithoutGrace(vertx);
        Waiting.result(vertx.deployVerticle(
                worker,
                new DeploymentOptions()
                        .setThreadingModel(ThreadingModel.WORKER)
                        .setWorkerPoolName("reports")
                        .setWorkerPoolSize(1)));
        LockGuard<?> held = Waiting.take(orders);
        Future<LockGuard<Object>> asked =
                asks(worker.place(), shared.root().child("req").open());
        Future<Void> undeployed = worker.undeploy();
        // Otherwise its stop() may stand behind what holds it up.
        Waiting.until(() -> stopping.getCount() == 0);
        isHeldUp(worker.place());
        var next = isNext();
        held.close();
        assertThat(next.isDone()).isFalse();

        stopped.complete();
        Waiting.until(next::isDone);
        next.join().close();
        assertThat(asked.succeeded()).isFalse();
        atEnd.countDown();
        Waiting.result(undeployed);
        assertThat(orders.holder()).isNull();
    }

    @Test
    void aGrantReachesAWorkerAsBeforeAndOnItsContext() {
        LockGuard<?> held = Waiting.take(orders);
        ContextInternal worker = ((VertxInternal) vertx).createWorkerContext();
        Promise<Context> told = Promise.promise();
        worker.runOnContext(now -> {
            var unused = orders.lock().thenAccept(guard -> {
                guard.close();
                told.complete(Vertx.currentContext());
            });
        });
        Waiting.until(() -> orders.waiters() == 1);
        held.close();
        assertThat(Waiting.result(told.future())).isSameAs(worker);
    }

    /** The stage is ended where nobody is left, and the future of an event loop that is gone takes no guard. */
    @Test
    void L9_aGuardForAnEventLoopThatIsGoneIsGivenBack() {
        LockGuard<?> held = Waiting.take(orders);
        Context loop = vertx.getOrCreateContext();
        var unused = asks(loop, shared.root().child("req").open());
        Waiting.result(vertx.close());
        var next = isNext();
        held.close();
        Waiting.until(next::isDone);
        next.join().close();
        assertThat(orders.holder()).isNull();
    }

    /** Of a work that is under way when its place goes away nobody would ever hear that it has ended. */
    private Future<String> worksIn(Front worker, Future<String> inFlight) {
        Promise<Void> begun = Promise.promise();
        worker.place().runOnContext(now -> {
            try (var ignored = shared.root().child("req").open().makeCurrent()) {
                var unused = new FutureMutex<>(orders).withLock(value -> {
                    begun.complete();
                    // As of a database: it is answered elsewhere, and told on the context that asked.
                    Promise<String> answer = ((ContextInternal) worker.place()).promise();
                    inFlight.onComplete(answer);
                    return answer.future().map(answered -> answered + "!");
                });
            }
        });
        return begun.future().map("begun");
    }

    private Front deployedWithItsOwnPool() {
        return deployedWithItsOwnPool(1);
    }

    private Front deployedWithItsOwnPool(int threads) {
        return deployedWithItsOwnPool(new Front(), threads);
    }

    private Front deployedWithItsOwnPool(Front worker, int threads) {
        Waiting.endsWithoutGrace(vertx);
        Waiting.result(vertx.deployVerticle(
                worker,
                new DeploymentOptions()
                        .setThreadingModel(ThreadingModel.WORKER)
                        .setWorkerPoolName("settlements")
                        .setWorkerPoolSize(threads)));
        return worker;
    }

    @Test
    void L10_aWithLockWhoseWorkersPoolIsGoneEndsAndTheNextOneIsServed() {
        Front worker = deployedWithItsOwnPool();
        Promise<String> inFlight = Promise.promise();
        Waiting.result(worksIn(worker, inFlight.future()));
        var next = isNext();
        Waiting.result(worker.undeploy());
        try {
            inFlight.tryComplete("paid");
        } catch (RejectedExecutionException e) {
            // Vert.x 5.0 tells who answers that the pool is gone.
        }
        Waiting.until(next::isDone);
        next.join().close();
        assertThat(orders.holder()).isNull();
        assertThat(shared.misuses()).anyMatch(misuse -> misuse.contains("lasted longer than the verticle"));
    }

    /** Also where the answer never comes. */
    @Test
    void L10_itEndsThoughItsWorkNeverWould() {
        Front worker = deployedWithItsOwnPool();
        Waiting.result(worksIn(worker, Promise.<String>promise().future()));
        var next = isNext();
        Waiting.result(worker.undeploy());
        Waiting.until(next::isDone);
        next.join().close();
    }

    /** The default pool goes on: what is told there is told, and the critical section lasts as long as it says. */
    @Test
    void L10_aWithLockOfAWorkerOnTheDefaultPoolLastsUntilItsWorkHasEnded() {
        Front worker = new Front();
        Waiting.endsWithoutGrace(vertx);
        Waiting.result(vertx.deployVerticle(worker, new DeploymentOptions().setThreadingModel(ThreadingModel.WORKER)));
        Promise<String> inFlight = Promise.promise();
        Waiting.result(worksIn(worker, inFlight.future()));
        var next = isNext();
        Waiting.result(worker.undeploy());
        assertThat(next.isDone()).isFalse();
        inFlight.complete("paid");
        Waiting.until(next::isDone);
        next.join().close();
        assertThat(shared.misuses()).isEmpty();
    }

    @Test
    void L10_aSharedLockIsReleasedWhenItsWorkIsLostWithThePoolOfItsWorker() {
        Front worker = deployedWithItsOwnPool();
        Promise<Void> begun = Promise.promise();
        worker.place().runOnContext(now -> {
            var unused = FutureContext.of(FastnVertx.install(vertx).runtime().root())
                    .sharedLock("ledger")
                    .withLock(() -> {
                        begun.complete();
                        return ((ContextInternal) worker.place()).promise().future();
                    });
        });
        Waiting.result(begun.future());
        Waiting.result(worker.undeploy());
        Waiting.result(vertx.sharedData().getLockWithTimeout("ledger", 60_000)).release();
    }

    @Test
    void L10_whoAskedForASharedLockFromElsewhereIsToldThatItsWorkWasLost() {
        Front worker = deployedWithItsOwnPool();
        Front loop = Front.deploy(vertx);
        Promise<Future<String>> asked = Promise.promise();
        Promise<Void> begun = Promise.promise();
        loop.place()
                .runOnContext(now -> asked.complete(
                        FutureContext.of(FastnVertx.install(vertx).runtime().root())
                                .sharedLock("ledger")
                                .withLock(() -> {
                                    begun.complete();
                                    return ((ContextInternal) worker.place())
                                            .<String>promise()
                                            .future();
                                })));
        Future<String> result = Waiting.result(asked.future());
        Waiting.result(begun.future());
        Waiting.result(worker.undeploy());
        assertThat(Waiting.failure(result))
                .isInstanceOf(CancellationException.class)
                .hasMessageContaining("shared lock \"ledger\"")
                .hasMessageContaining("was lost with the worker pool");
        Waiting.result(vertx.sharedData().getLockWithTimeout("ledger", 60_000)).release();
    }

    /** The pool is looked at from an event loop, which ends before a task that lasts longer than its Vertx. */
    @Test
    void L10_aWithLockOfALongerLivedRuntimeEndsWithTheVertxThoughATaskIsLeftInThePoolOfItsWorker() {
        Front worker = deployedWithItsOwnPool(2);
        Waiting.result(worksIn(worker, Promise.<String>promise().future()));
        CountDownLatch begun = new CountDownLatch(1);
        // Not a task of the Vert.x context, which an undeployment would wait for.
        ((ContextInternal) worker.place()).workerPool().executor().execute(() -> holdUp(begun));
        Waiting.until(() -> begun.getCount() == 0);
        var next = isNext();
        Waiting.result(worker.undeploy());
        assertThat(next.isDone()).as("a task is left in the pool").isFalse();
        var unused = vertx.close();
        Waiting.until(next::isDone);
        next.join().close();
        assertThat(atEnd.getCount()).isEqualTo(1);
    }

    @Test
    void C5_aHandlerThatHoldsUpItsWorkerDoesNotKeepTheContextOfItsVerticleOpen() {
        Front worker = deployedWithItsOwnPool();
        CountDownLatch begun = new CountDownLatch(1);
        Promise<FastnContext> registered = Promise.promise();
        worker.place().runOnContext(now -> {
            FastnContext verticle = FastnContext.current();
            var unused = verticle.onCancel(reason -> holdUp(begun));
            registered.complete(verticle);
        });
        FastnContext verticle = Waiting.result(registered.future());
        Future<Void> undeployed = worker.undeploy();
        Waiting.until(() -> verticle.state() == ContextState.CLOSED);
        // It is waited for no longer than two seconds, and a busy machine may begin it later.
        Waiting.until(() -> begun.getCount() == 0);
        assertThat(atEnd.getCount()).as("it has not returned").isEqualTo(1);
        atEnd.countDown();
        Waiting.result(undeployed);
    }

    /** Vert.x drops what the pool has accepted and not begun; the cancellation has told nobody of it then. */
    @Test
    void C3_aHandlerThatWasDroppedWithThePoolOfItsWorkerRunsInAnotherOne() {
        Front worker = deployedWithItsOwnPool();
        ContextInternal place = (ContextInternal) worker.place();
        FastnContext goesOn =
                FastnVertx.install(vertx).runtime().root().child("goes-on").open();
        CompletableFuture<String> ranOn = new CompletableFuture<>();
        Promise<Void> registered = Promise.promise();
        place.runOnContext(now -> {
            var unused = goesOn.onCancel(
                    reason -> ranOn.complete(Thread.currentThread().getName()));
            registered.complete();
        });
        Waiting.result(registered.future());
        List<Runnable> dropped = new ArrayList<>();
        place.closeFuture().add(done -> {
            ExecutorService pool = place.workerPool().executor();
            pool.execute(() -> holdUp(new CountDownLatch(1)));
            goesOn.cancel("enough");
            dropped.addAll(pool.shutdownNow());
            atEnd.countDown();
            done.succeed();
        });
        Waiting.result(worker.undeploy());
        assertThat(Waiting.result(Future.fromCompletionStage(ranOn))).startsWith("vert.x-worker-thread");
        assertThat(dropped).isNotEmpty();
        goesOn.close();
    }

    private static Stream<Named<BiFunction<FutureContextBuilder, Supplier<Future<String>>, Future<String>>>> starts() {
        return Stream.of(
                Named.of("run", (child, work) -> child.run(step -> work.get())),
                Named.of("spawn", (child, work) -> child.spawn(step -> work.get())));
    }

    /** Begins work in a child of a context that is of no verticle; its end is told on the Vert.x context of a worker. */
    private FastnContext begin(
            BiFunction<FutureContextBuilder, Supplier<Future<String>>, Future<String>> start,
            Front worker,
            Future<String> inFlight) {
        FastnContext goesOn =
                FastnVertx.install(vertx).runtime().root().child("goes-on").open();
        Promise<Void> begun = Promise.promise();
        worker.place().runOnContext(now -> {
            var unused = start.apply(FutureContext.of(goesOn).child("step"), () -> {
                begun.complete();
                Promise<String> answer = ((ContextInternal) worker.place()).promise();
                inFlight.onComplete(answer);
                return answer.future();
            });
        });
        Waiting.result(begun.future());
        return goesOn;
    }

    @ParameterizedTest
    @MethodSource("starts")
    void C8_aChildIsClosedThoughTheEndOfItsWorkIsLostWithThePoolOfItsWorker(
            BiFunction<FutureContextBuilder, Supplier<Future<String>>, Future<String>> start) {
        Front worker = deployedWithItsOwnPool();
        FastnContext goesOn = begin(start, worker, Promise.<String>promise().future());
        assertThat(goesOn.children()).hasSize(1);
        Waiting.result(worker.undeploy());
        Waiting.until(() -> goesOn.children().isEmpty());
        assertThat(goesOn.isCancelled()).isFalse();
        assertThat(goesOn.runtime().misuses()).anyMatch(misuse -> misuse.contains("the child was closed"));
        goesOn.close();
    }

    @ParameterizedTest
    @MethodSource("starts")
    void C8_aChildOfAWorkerOnTheDefaultPoolIsOpenUntilItsWorkHasEnded(
            BiFunction<FutureContextBuilder, Supplier<Future<String>>, Future<String>> start) {
        Front worker = new Front();
        Waiting.result(vertx.deployVerticle(worker, new DeploymentOptions().setThreadingModel(ThreadingModel.WORKER)));
        Promise<String> inFlight = Promise.promise();
        FastnContext goesOn = begin(start, worker, inFlight.future());
        Waiting.result(worker.undeploy());
        assertThat(goesOn.children()).hasSize(1);
        inFlight.complete("paid");
        Waiting.until(() -> goesOn.children().isEmpty());
        assertThat(goesOn.runtime().misuses()).isEmpty();
        goesOn.close();
    }

    /**
     * Begins something in a worker verticle that ends, and holds up the only thread of its pool from then on: what was handed to
     * that is dropped with it.
     */
    private <T> T losesWithItsPool(Function<FastnContext, T> begin) {
        Promise<Void> stopped = Promise.promise();
        CountDownLatch stopping = new CountDownLatch(1);
        Front worker = deployedWithItsOwnPool(
                new Front() {
                    @Override
                    public Future<?> stop() {
                        stopping.countDown();
                        return stopped.future();
                    }
                },
                1);
        Future<Void> undeployed = worker.undeploy();
        Waiting.until(() -> stopping.getCount() == 0);
        ContextInternal place = (ContextInternal) worker.place();
        CountDownLatch begun = new CountDownLatch(1);
        CompletableFuture<T> result = new CompletableFuture<>();
        // Not a task of the Vert.x context, which an undeployment would wait for.
        var unused = place.executeBlocking(
                () -> {
                    result.complete(begin.apply(FastnContext.current()));
                    holdUp(begun);
                    return null;
                },
                false);
        Waiting.until(() -> begun.getCount() == 0);
        stopped.complete();
        Waiting.until(place.workerPool().executor()::isShutdown);
        atEnd.countDown();
        Waiting.result(undeployed);
        return result.join();
    }

    private record Started(FastnContext child, CompletionStage<String> result) {}

    private static Started starts(FastnContext parent, AtomicBoolean ran) {
        CompletionStage<String> result = parent.spawnChild("step", step -> {
            ran.set(true);
            return CompletableFuture.completedFuture("done");
        });
        return new Started(parent.children().get(0), result);
    }

    private static void isCancelled(Started started, AtomicBoolean ran) {
        assertThat(Waiting.failure(Future.fromCompletionStage(started.result)))
                .isInstanceOf(ContextCancelledException.class)
                .hasMessageContaining("was not started");
        assertThat(started.child.isCancelled()).isTrue();
        assertThat(started.child.state()).isEqualTo(ContextState.CLOSED);
        assertThat(ran).isFalse();
    }

    @Test
    void C8_aChildOfAVerticleWhoseTaskIsLostInTheQueueOfThePoolOfItsWorkerEndsAsCancelled() {
        AtomicBoolean ran = new AtomicBoolean();
        AtomicReference<FastnContext> verticle = new AtomicReference<>();
        isCancelled(
                losesWithItsPool(mine -> {
                    verticle.set(mine);
                    return starts(mine, ran);
                }),
                ran);
        assertThat(requireNonNull(verticle.get()).state()).isEqualTo(ContextState.CLOSED);
    }

    @Test
    void C8_aChildOfAContextThatGoesOnWhoseTaskIsLostInTheQueueOfThePoolOfItsWorkerEndsAsCancelled() {
        AtomicBoolean ran = new AtomicBoolean();
        FastnContext goesOn =
                FastnVertx.install(vertx).runtime().root().child("goes-on").open();
        isCancelled(losesWithItsPool(mine -> starts(goesOn, ran)), ran);
        assertThat(goesOn.isCancelled()).isFalse();
        assertThat(goesOn.children()).isEmpty();
        goesOn.close();
    }

    /** Who runs work from a thread that is none of Vert.x has it started on the verticle, and is told on that thread or another. */
    @Test
    void C8_aRunFromAnotherThreadThatIsLostInTheQueueOfThePoolOfAWorkerFails() {
        AtomicBoolean ran = new AtomicBoolean();
        Future<String> result = losesWithItsPool(mine -> CompletableFuture.supplyAsync(
                        () -> FutureContext.of(mine).child("step").run(step -> {
                            ran.set(true);
                            return Future.succeededFuture("done");
                        }))
                .join());
        assertThat(Waiting.failure(result)).isInstanceOf(ContextCancelledException.class);
        assertThat(ran).isFalse();
    }

    /** The context is not the task's own, and goes on. */
    @Test
    void C8_aTaskWithoutAChildThatIsLostInTheQueueOfThePoolOfItsWorkerFailsAlone() {
        AtomicBoolean ran = new AtomicBoolean();
        FastnContext goesOn =
                FastnVertx.install(vertx).runtime().root().child("goes-on").open();
        CompletionStage<String> result = losesWithItsPool(mine -> goesOn.spawn(() -> {
            ran.set(true);
            return CompletableFuture.completedFuture("done");
        }));
        assertThat(Waiting.failure(Future.fromCompletionStage(result)))
                .isInstanceOf(CancellationException.class)
                .hasMessageContaining("goes-on was not started: the verticle");
        assertThat(goesOn.isCancelled()).isFalse();
        assertThat(ran).isFalse();
        goesOn.close();
    }

    /** Begins something in a worker of the default pool whose only thread is held up from then on by another task. */
    private <T> T begunWhileThePoolIsHeldUp(Context worker, Supplier<T> begin) {
        CountDownLatch begun = new CountDownLatch(1);
        CompletableFuture<T> result = new CompletableFuture<>();
        // Not a task of the Vert.x context itself, whose queue would run on behind it even in a pool that is closed.
        var unused = ((ContextInternal) worker)
                .executeBlocking(
                        () -> {
                            result.complete(begin.get());
                            holdUp(begun);
                            return null;
                        },
                        false);
        Waiting.until(() -> begun.getCount() == 0);
        return result.join();
    }

    private Context workerVerticle() {
        Front worker = new Front();
        Waiting.result(vertx.deployVerticle(worker, new DeploymentOptions().setThreadingModel(ThreadingModel.WORKER)));
        return worker.place();
    }

    private static Stream<Named<Function<LostDeliveryTest, Context>>> workersOfTheDefaultPool() {
        return Stream.of(
                Named.of("a verticle", LostDeliveryTest::workerVerticle),
                Named.of("a context of no verticle", test -> ((VertxInternal) test.vertx).createWorkerContext()));
    }

    @ParameterizedTest
    @MethodSource("workersOfTheDefaultPool")
    void C8_aChildWhoseTaskWaitsInTheDefaultPoolEndsWithTheVertx(Function<LostDeliveryTest, Context> worker) {
        Waiting.endsWithoutGrace(vertx);
        AtomicBoolean ran = new AtomicBoolean();
        Started started = begunWhileThePoolIsHeldUp(worker.apply(this), () -> starts(FastnContext.current(), ran));
        assertThat(started.result.toCompletableFuture()).isNotDone();
        Future<Void> closing = vertx.close();
        isCancelled(started, ran);
        atEnd.countDown();
        Waiting.result(closing);
        assertThat(ran).isFalse();
    }

    /** Before the handler has come back, and whether it ever does. */
    @ParameterizedTest
    @EnumSource(
            value = ThreadingModel.class,
            names = {"WORKER", "VIRTUAL_THREAD"})
    void C8_aChildWhoseTaskWaitsBehindAHandlerOfItsVerticleEndsWithTheVertx(ThreadingModel model) {
        assumeTrue(
                model != ThreadingModel.VIRTUAL_THREAD || ((VertxInternal) vertx).isVirtualThreadAvailable(),
                "virtual threads need Java 21");
        Waiting.endsWithoutGrace(vertx);
        Front worker = new Front();
        Waiting.result(vertx.deployVerticle(worker, new DeploymentOptions().setThreadingModel(model)));
        AtomicBoolean ran = new AtomicBoolean();
        CompletableFuture<Started> started = new CompletableFuture<>();
        CountDownLatch begun = new CountDownLatch(1);
        worker.place().runOnContext(now -> {
            started.complete(starts(FastnContext.current(), ran));
            holdUp(begun);
        });
        Waiting.until(() -> begun.getCount() == 0);
        Future<Void> closing = vertx.close();
        isCancelled(started.join(), ran);
        atEnd.countDown();
        Waiting.result(closing);
        assertThat(ran).isFalse();
    }

    /** The root is not cancelled when its Vertx closes. */
    @ParameterizedTest
    @MethodSource("workersOfTheDefaultPool")
    void C8_aTaskOfTheRootThatWaitsInTheDefaultPoolFailsWhenTheVertxCloses(Function<LostDeliveryTest, Context> worker) {
        Waiting.endsWithoutGrace(vertx);
        AtomicBoolean ran = new AtomicBoolean();
        FastnContext root = FastnVertx.install(vertx).runtime().root();
        CompletionStage<String> result = begunWhileThePoolIsHeldUp(
                worker.apply(this),
                () -> root.spawn(() -> {
                    ran.set(true);
                    return CompletableFuture.completedFuture("done");
                }));
        Future<Void> closing = vertx.close();
        assertThat(Waiting.failure(Future.fromCompletionStage(result)))
                .isExactlyInstanceOf(CancellationException.class)
                .hasMessageContaining("was not started: the verticle");
        atEnd.countDown();
        Waiting.result(closing);
        assertThat(ran).isFalse();
    }

    /** The close hooks run in the thread that closes, with the monitor of the Vertx. */
    @Test
    void S22_whoIsToldThatATaskWasNotStartedDoesNotHoldUpTheEventLoopThatClosesTheVertx() {
        Waiting.endsWithoutGrace(vertx);
        CompletableFuture<Boolean> told = new CompletableFuture<>();
        var unused = begunWhileThePoolIsHeldUp(
                workerVerticle(),
                () -> FastnContext.current()
                        .spawn(() -> CompletableFuture.completedFuture("done"))
                        .whenComplete((value, failure) ->
                                told.complete(Context.isOnEventLoopThread() || Thread.holdsLock(vertx))));
        vertx.runOnContext(now -> vertx.close());
        assertThat(told.join()).isFalse();
    }

    /** What is handed to the default pool runs there as before, and nothing is kept of it. */
    @ParameterizedTest
    @MethodSource("workersOfTheDefaultPool")
    void aTaskRunsInTheDefaultPoolOnAContextOfItsOwn(Function<LostDeliveryTest, Context> worker) {
        Context place = worker.apply(this);
        List<Context> seen = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            String name = Waiting.on(
                    place,
                    () -> Future.fromCompletionStage(FastnContext.current().spawnChild("step", step -> {
                        seen.add(Vertx.currentContext());
                        return CompletableFuture.completedFuture(
                                Thread.currentThread().getName() + " "
                                        + FastnContext.current().name());
                    })));
            assertThat(name).startsWith("vert.x-worker-thread").endsWith(" step");
        }
        assertThat(seen).doesNotHaveDuplicates().allMatch(each -> ((ContextInternal) each).unwrap() == place);
    }

    @Test
    void C8_ofManyTasksThatWaitForThePoolOfAWorkerEachFailsWithIt() {
        FastnContext goesOn =
                FastnVertx.install(vertx).runtime().root().child("goes-on").open();
        AtomicBoolean ran = new AtomicBoolean();
        List<CompletionStage<String>> results = losesWithItsPool(mine -> {
            List<CompletionStage<String>> begun = new ArrayList<>();
            for (int i = 0; i < MANY; i++) {
                begun.add(goesOn.spawn(() -> {
                    ran.set(true);
                    return CompletableFuture.completedFuture("done");
                }));
            }
            return begun;
        });
        Waiting.until(() ->
                results.stream().allMatch(each -> each.toCompletableFuture().isCompletedExceptionally()));
        assertThat(ran).isFalse();
        goesOn.close();
    }

    /** The pool of the Vertx would drop it with itself. */
    @Test
    void C8_aTaskThatIsLostWithThePoolOfItsWorkerFailsThoughThePoolOfTheVertxIsHeldUp() {
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch end = new CountDownLatch(1);
        var unused = vertx.executeBlocking(
                () -> {
                    begun.countDown();
                    boolean over = false;
                    while (!over) {
                        try {
                            end.await();
                            over = true;
                        } catch (InterruptedException e) {
                            // It is held up all the same.
                        }
                    }
                    return null;
                },
                false);
        Waiting.until(() -> begun.getCount() == 0);
        FastnContext goesOn =
                FastnVertx.install(vertx).runtime().root().child("goes-on").open();
        try {
            CompletionStage<String> result =
                    losesWithItsPool(mine -> goesOn.spawn(() -> CompletableFuture.completedFuture("done")));
            assertThat(Waiting.failure(Future.fromCompletionStage(result))).isInstanceOf(CancellationException.class);
        } finally {
            end.countDown();
            goesOn.close();
        }
    }

    /** They may wait for as long as another verticle has the pool, or a task does not return. */
    @Test
    void asMuchAsWaitsForThePoolOfAWorkerItIsLookedAtByOneTimer() {
        Front worker = deployedWithItsOwnPool(2);
        AtomicInteger looks = new AtomicInteger();
        ContextInternal place = withLoop(
                (ContextInternal) worker.place(), counting(((ContextInternal) worker.place()).nettyEventLoop(), looks));
        AtomicInteger over = new AtomicInteger();
        List<Registration> waiting = new ArrayList<>();
        for (int i = 0; i < MANY / 2; i++) {
            waiting.add(VerticleEnd.onPoolGone(place, over::incrementAndGet));
        }
        CountDownLatch begun = new CountDownLatch(1);
        // Not a task of the Vert.x context, which an undeployment would wait for.
        place.workerPool().executor().execute(() -> holdUp(begun));
        Waiting.until(() -> begun.getCount() == 0);
        Waiting.result(worker.undeploy());
        // Something of it still runs.
        for (int i = 0; i < MANY / 2; i++) {
            waiting.add(VerticleEnd.onPoolGone(place, over::incrementAndGet));
        }
        Waiting.until(() -> looks.get() > 2);
        assertThat(looks).as("looks at the pool").hasValueLessThan(MANY / 100);
        assertThat(over).hasValue(0);
        waiting.get(0).close();
        atEnd.countDown();
        Waiting.until(() -> over.get() == MANY - 1);
        assertThat(looks).as("looks at the pool").hasValueLessThan(MANY / 100);
        // What comes later is given up at once.
        var unused = VerticleEnd.onPoolGone(place, over::incrementAndGet);
        assertThat(over).hasValue(MANY);
    }

    @Test
    void nothingIsKeptOfAWorkerWhosePoolIsGone() {
        List<WeakReference<Context>> gone = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            Front worker = deployedWithItsOwnPool();
            Waiting.on(
                    worker.place(),
                    () -> Future.fromCompletionStage(FastnContext.current()
                            .spawnChild("step", step -> CompletableFuture.completedFuture("done"))));
            Waiting.result(worker.undeploy());
            gone.add(new WeakReference<>(worker.place()));
        }
        // Some may still be referred to from a stack or a thread's last task.
        Waiting.until(() -> {
            System.gc();
            return gone.stream().filter(place -> place.get() != null).count() <= 5;
        });
    }

    /** The context belongs to another runtime, as that of a monitor would. */
    @Test
    void nothingIsKeptOfWhatWasToldToAWorkerOfAVertxWithoutContexts() throws ReflectiveOperationException {
        Vertx bare = FastnVertx.withoutContexts(Vertx::vertx);
        try {
            Front worker = new Front();
            Waiting.result(bare.deployVerticle(
                    worker,
                    new DeploymentOptions()
                            .setThreadingModel(ThreadingModel.WORKER)
                            .setWorkerPoolName("its-own")
                            .setWorkerPoolSize(1)));
            FastnContext asker = shared.root().child("asker").open();
            for (int i = 0; i < 100; i++) {
                LockGuard<?> held = Waiting.take(orders);
                Future<LockGuard<Object>> next = asks(worker.place(), asker);
                held.close();
                Waiting.result(next).close();
            }
            java.lang.reflect.Field hooks = io.vertx.core.internal.CloseFuture.class.getDeclaredField("children");
            hooks.setAccessible(true);
            assertThat((java.util.Map<?, ?>) hooks.get(((ContextInternal) worker.place()).closeFuture()))
                    .hasSizeLessThan(5);
            asker.close();
        } finally {
            Waiting.result(bare.close());
        }
    }

    private static ContextInternal withLoop(ContextInternal root, EventLoop loop) {
        return (ContextInternal) Proxy.newProxyInstance(
                LostDeliveryTest.class.getClassLoader(),
                new Class<?>[] {ContextInternal.class},
                (proxy, method, arguments) -> switch (method.getName()) {
                    case "unwrap" -> proxy;
                    case "nettyEventLoop" -> loop;
                    case "hashCode" -> 1;
                    case "equals" -> proxy == arguments[0];
                    default -> method.invoke(root, arguments);
                });
    }

    private static EventLoop counting(EventLoop loop, AtomicInteger scheduled) {
        return (EventLoop) Proxy.newProxyInstance(
                LostDeliveryTest.class.getClassLoader(),
                new Class<?>[] {EventLoop.class},
                (proxy, method, arguments) -> {
                    if (method.getName().equals("schedule")) {
                        scheduled.incrementAndGet();
                    }
                    return method.invoke(loop, arguments);
                });
    }
}
