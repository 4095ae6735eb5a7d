package com.fastn.context.vertx;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.ContextMutex;
import com.fastn.context.ContextRuntime;
import com.fastn.context.FastnContext;
import com.fastn.context.LockGuard;
import io.vertx.core.Context;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.ThreadingModel;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.internal.ContextInternal;
import io.vertx.core.internal.VertxInternal;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Locks that were granted to somebody whose place goes away before he is told. */
@ExtendWith(OwnTree.class)
class LostDeliveryTest {
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
        Front worker = new Front();
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
}
