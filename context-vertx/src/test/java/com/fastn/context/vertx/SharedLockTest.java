package com.fastn.context.vertx;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import com.fastn.context.ContextCancelledException;
import com.fastn.context.ContextMutex;
import com.fastn.context.ContextRuntime;
import com.fastn.context.FastnContext;
import com.fastn.context.LockGuard;
import com.fastn.context.LockTimeoutException;
import com.fastn.context.SelfDeadlockException;
import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.Explainer;
import com.fastn.context.status.Explanation;
import com.fastn.context.status.LockWaiter;
import com.fastn.context.status.NodeState;
import com.fastn.context.status.NodeStatus;
import com.fastn.context.status.StatusSnapshot;
import io.vertx.core.Context;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.ThreadingModel;
import io.vertx.core.Vertx;
import io.vertx.core.shareddata.Lock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(OwnTree.class)
class SharedLockTest {
    private static Future<SharedLock.Guard> lock(FastnContext who) {
        return FutureContext.of(who)
                .<SharedLock.Guard>spawn(
                        () -> FutureContext.current().sharedLock("orders").lock(Duration.ofSeconds(50)));
    }

    private static Future<SharedLock.Guard> localLock(FastnContext who) {
        return FutureContext.of(who)
                .<SharedLock.Guard>spawn(
                        () -> FutureContext.current().sharedLocalLock("orders").lock(Duration.ofSeconds(50)));
    }

    private static ContextRuntime runtime(Vertx vertx) {
        return FastnVertx.install(vertx).runtime();
    }

    @Test
    void holderAndWaitersAreShownAndVertxItselfRespectsIt() {
        Vertx vertx = Vertx.vertx();
        try {
            ContextRuntime runtime = runtime(vertx);
            FastnContext a = runtime.root().child("a").open();
            FastnContext b = runtime.root().child("b").open();
            SharedLock.Guard held = Waiting.result(lock(a));
            SharedLock lock = FutureContext.of(b).sharedLock("orders");
            assertThat(lock.holder()).isSameAs(a);
            assertThat(held.context()).isSameAs(a);
            Future<SharedLock.Guard> waiting = lock(b);
            Waiting.until(() -> lock.waiters() == 1);
            assertThat(requireNonNull(runtime.explain(b.id())).headline())
                    .startsWith("a: ")
                    .contains("b waits for mutex \"shared:orders\"");
            assertThat(Waiting.failure(vertx.sharedData().getLockWithTimeout("orders", 20)))
                    .isNotNull();
            held.close();
            assertThat(runtime.misuses()).isEmpty();
            held.close();
            assertThat(runtime.misuses())
                    .singleElement()
                    .asString()
                    .startsWith("1x a guard of the shared lock \"orders\" was closed twice;");
            Waiting.result(waiting).close();
            Waiting.result(vertx.sharedData().getLockWithTimeout("orders", 10_000))
                    .release();
            assertThat(Waiting.<String>result(lock.withLock(() -> Future.succeededFuture("done"))))
                    .isEqualTo("done");
            assertThat(Waiting.failure(lock.withLock(() -> Future.failedFuture("no"))))
                    .hasMessage("no");
            Waiting.until(() -> lock.holder() == null);
        } finally {
            Waiting.result(vertx.close());
        }
    }

    @Test
    void anExplanationOfTheClusterGoesOnAtTheNodeThatHoldsIt() {
        try (TestCluster cluster = TestCluster.of(2)) {
            ContextRuntime one = runtime(cluster.node(0));
            ContextRuntime two = runtime(cluster.node(1));
            FastnVertx.install(cluster.node(0)).alias("alice");
            FastnVertx.install(cluster.node(1)).alias("bob");
            FastnContext holder = one.root().child("settle").open();
            FastnContext first = two.root().child("first").open();
            FastnContext second = two.root().child("second").open();
            SharedLock.Guard held = Waiting.result(lock(holder));
            Future<SharedLock.Guard> waiting = lock(first);
            SharedLock there = FutureContext.of(first).sharedLock("orders");
            Waiting.until(() -> there.holder() == first);
            Future<SharedLock.Guard> behind = lock(second);
            Waiting.until(() -> there.waiters() == 1);
            Waiting.until(() -> two.status().globalContext().children().stream()
                    .anyMatch(child ->
                            child.id() == first.id() && !child.operations().isEmpty()));

            List<NodeStatus> nodes = new ArrayList<>();
            for (StatusSnapshot each : List.of(one.status(), two.status())) {
                nodes.add(new NodeStatus(each.node(), NodeState.UP, Duration.ZERO, null, null, each));
            }
            Explanation why = requireNonNull(Explainer.of(new ClusterStatus(Instant.EPOCH, "alice", nodes))
                    .explain("bob", second.id()));
            assertThat(why.chain()).as("%s", why).hasSize(2);
            assertThat(why.headline()).startsWith("settle@alice: ").contains("second@bob waits for");
            held.close();
            Waiting.result(waiting).close();
            Waiting.result(behind).close();
        }
    }

    @Test
    void whoAsksVertxForTheLockIsShownAsOneWhoWaitsForItAndNotAsItsHolder() {
        Vertx vertx = Vertx.vertx();
        try {
            ContextRuntime runtime = runtime(vertx);
            FastnContext first = runtime.root().child("first").open();
            FastnContext second = runtime.root().child("second").open();
            Lock elsewhere = Waiting.result(vertx.sharedData().getLock("orders"));
            Future<SharedLock.Guard> waiting = lock(first);
            Waiting.until(() -> runtime.status().lockWaiters().size() == 1);
            Waiting.until(
                    () -> !first.subtreeStatus().globalContext().operations().isEmpty());
            Future<SharedLock.Guard> behind = lock(second);
            Waiting.until(() -> runtime.status().lockWaiters().size() == 2);
            StatusSnapshot status = runtime.status();
            assertThat(status.activeLocks()).isEmpty();
            assertThat(status.lockWaiters())
                    .extracting(LockWaiter::contextId, LockWaiter::position)
                    .containsExactlyInAnyOrder(tuple(first.id(), 1), tuple(second.id(), 2));
            assertThat(status.toString()).contains("WAITING \"shared:orders\"").doesNotContain("HOLDS");
            assertThat(requireNonNull(runtime.explain(second.id())).headline())
                    .startsWith("first: inside of \"shared:orders\"");

            elsewhere.release();
            SharedLock.Guard guard = Waiting.result(waiting);
            assertThat(runtime.status().activeLocks())
                    .singleElement()
                    .satisfies(held -> assertThat(held.holderId()).isEqualTo(first.id()));
            guard.close();
            Waiting.result(behind).close();
        } finally {
            Waiting.result(vertx.close());
        }
    }

    @Test
    void L13_aLineThatNobodyIsInIsForgotten() {
        Vertx vertx = Vertx.vertx();
        try {
            FastnVertx fastn = FastnVertx.install(vertx);
            FastnContext root = fastn.runtime().root();
            SharedLock.Guard held = Waiting.result(FutureContext.of(root)
                    .<SharedLock.Guard>spawn(
                            () -> FutureContext.current().sharedLock("user:1").lock()));
            ContextMutex<?> line = requireNonNull(fastn.sharedLines().of("shared:user:1"));
            assertThat(root.mutex("shared:user:1")).isSameAs(line);
            Throwable late = Waiting.failure(FutureContext.of(root)
                    .<SharedLock.Guard>spawn(
                            () -> FutureContext.current().sharedLock("user:1").lock(Duration.ofMillis(1))));
            assertThat(late).isInstanceOf(LockTimeoutException.class);
            assertThat(fastn.sharedLines().of("shared:user:1")).isSameAs(line);
            held.close();
            assertThat(fastn.sharedLines().of("shared:user:1")).isNull();
            assertThat(root.mutex("shared:user:1")).as("the root forgot it").isNotSameAs(line);
        } finally {
            Waiting.result(vertx.close());
        }
    }

    @Test
    void aLockThatFailsToBeReleasedIsPassedOnToTheNextOfThisVertxAllTheSame() {
        Vertx vertx = Vertx.vertx();
        try {
            FastnVertx fastn = FastnVertx.install(vertx);
            SharedLines.Line line = fastn.sharedLines().enter("shared:orders");
            LockGuard<?> head = Waiting.take(line.mutex);
            SharedLock.Guard guard = new SharedLock.Guard(
                    () -> {
                        throw new IllegalStateException("the cluster is gone");
                    },
                    fastn.remoteWaits().turns().ask("orders", true, head, null, 0, 0),
                    line);
            Future<SharedLock.Guard> next = lock(fastn.runtime().root());
            Waiting.until(() -> line.mutex.waiters() == 1);
            assertThatThrownBy(guard::close).hasMessage("the cluster is gone");
            Waiting.result(next).close();
        } finally {
            Waiting.result(vertx.close());
        }
    }

    @Test
    void L1_aContextThatIsCancelledWhileItAsksVertxIsToldAtOnceAndKeepsNothing() {
        Vertx vertx = Vertx.vertx();
        try {
            FastnVertx fastn = FastnVertx.install(vertx);
            FastnContext first = fastn.runtime().root().child("first").open();
            FastnContext second = fastn.runtime().root().child("second").open();
            Lock elsewhere = Waiting.result(vertx.sharedData().getLock("orders"));
            Future<SharedLock.Guard> cancelled = lock(first);
            SharedLock lock = FutureContext.of(second).sharedLock("orders");
            Waiting.until(() -> lock.holder() == first);
            Future<SharedLock.Guard> behind = lock(second);
            Waiting.until(() -> lock.waiters() == 1);

            first.cancel("not wanted");
            assertThat(Waiting.failure(cancelled)).isInstanceOf(ContextCancelledException.class);
            // Vert.x still has both in its line, and nobody gets the lock for the one who has gone.
            Waiting.until(() -> lock.holder() == second);
            elsewhere.release();
            Waiting.result(behind).close();
            Waiting.result(vertx.sharedData().getLockWithTimeout("orders", 10_000))
                    .release();
            assertThat(fastn.sharedLines().of("shared:orders")).isNull();
        } finally {
            Waiting.result(vertx.close());
        }
    }

    @Test
    void L2_aContextThatHasEndedBeforeVertxAnswersDoesNotGetTheLock() {
        Vertx vertx = Vertx.vertx();
        try {
            FastnVertx fastn = FastnVertx.install(vertx);
            FastnContext first = fastn.runtime().root().child("first").open();
            Lock elsewhere = Waiting.result(vertx.sharedData().getLock("orders"));
            Promise<SharedLock.Guard> asked = Promise.promise();
            Context loop = vertx.getOrCreateContext();
            loop.runOnContext(now -> {
                try (var ignored = first.makeCurrent()) {
                    FutureContext.current()
                            .sharedLock("orders")
                            .lock(Duration.ofSeconds(50))
                            .onComplete(asked);
                }
            });
            Waiting.until(() -> !runtime(vertx).status().lockWaiters().isEmpty());
            first.close();
            elsewhere.release();
            assertThat(Waiting.failure(asked.future()))
                    .hasMessageContaining("shared lock \"orders\" was not given to")
                    .hasMessageContaining("which has ended");
            Waiting.result(vertx.sharedData().getLockWithTimeout("orders", 10_000))
                    .release();
            assertThat(fastn.sharedLines().of("shared:orders")).isNull();
        } finally {
            Waiting.result(vertx.close());
        }
    }

    @Test
    void L9_aLockOnItsWayToAWorkerWhoseVerticleIsUndeployedGoesToTheNextOne() {
        Vertx vertx = Vertx.vertx();
        CountDownLatch atEnd = new CountDownLatch(1);
        try {
            Waiting.endsWithoutGrace(vertx);
            FastnVertx fastn = FastnVertx.install(vertx);
            Promise<Void> stopped = Promise.promise();
            CountDownLatch stopping = new CountDownLatch(1);
            Front worker = new Front() {
                @Override
                public Future<?> stop() {
                    stopping.countDown();
                    return stopped.future();
                }
            };
            Waiting.result(vertx.deployVerticle(
                    worker,
                    new DeploymentOptions()
                            .setThreadingModel(ThreadingModel.WORKER)
                            .setWorkerPoolName("shared-reports")
                            .setWorkerPoolSize(1)));
            FastnContext asker = fastn.runtime().root().child("req").open();
            Lock elsewhere = Waiting.result(vertx.sharedData().getLock("orders"));
            Promise<SharedLock.Guard> asked = Promise.promise();
            worker.place().runOnContext(now -> {
                try (var ignored = asker.makeCurrent()) {
                    FutureContext.current()
                            .sharedLock("orders")
                            .lock(Duration.ofSeconds(50))
                            .onComplete(asked);
                }
            });
            SharedLock lock = FutureContext.of(asker).sharedLock("orders");
            Waiting.until(() -> lock.holder() == asker);
            Future<Void> undeployed = worker.undeploy();
            Waiting.until(() -> stopping.getCount() == 0);
            CountDownLatch begun = new CountDownLatch(1);
            worker.place().runOnContext(now -> {
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
            });
            Waiting.until(() -> begun.getCount() == 0);
            elsewhere.release();
            Waiting.until(() -> runtime(vertx).status().activeLocks().size() == 1);
            assertThat(asked.future().isComplete())
                    .as("the worker has it, and is not told")
                    .isFalse();

            stopped.complete();
            Waiting.result(vertx.sharedData().getLockWithTimeout("orders", 30_000))
                    .release();
            Waiting.until(() -> fastn.sharedLines().of("shared:orders") == null);
            assertThat(asked.future().succeeded()).isFalse();
            atEnd.countDown();
            Waiting.result(undeployed);
        } finally {
            atEnd.countDown();
            Waiting.result(vertx.close());
        }
    }

    @Test
    void L7_inItsOwnWorkItFailsAtOnce() {
        Vertx vertx = Vertx.vertx();
        try {
            FastnContext root = runtime(vertx).root();
            Throwable refused = Waiting.failure(FutureContext.of(root).<String>spawn(() -> {
                SharedLock lock = FutureContext.current().sharedLock("orders");
                return lock.withLock(() -> lock.withLock(() -> Future.succeededFuture("never")));
            }));
            assertThat(refused)
                    .isInstanceOf(SelfDeadlockException.class)
                    .hasMessageContaining("the shared lock \"orders\" is held by")
                    .hasMessageContaining("let another branch ask");
            // Others inside of it are asked for as ever, and the same one afterwards.
            assertThat(Waiting.<String>result(FutureContext.of(root).<String>spawn(() -> {
                        FutureContext here = FutureContext.current();
                        return here.sharedLock("orders")
                                .withLock(
                                        () -> here.sharedLock("other").withLock(() -> Future.succeededFuture("done")));
                    })))
                    .isEqualTo("done");
        } finally {
            Waiting.result(vertx.close());
        }
    }

    @Test
    void aLocalOneIsOfOneVertxAlsoInACluster() {
        try (TestCluster cluster = TestCluster.of(2)) {
            FastnVertx.install(cluster.node(0)).alias("alice");
            FastnVertx.install(cluster.node(1)).alias("bob");
            ContextRuntime one = runtime(cluster.node(0));
            ContextRuntime two = runtime(cluster.node(1));
            FastnContext here = one.root().child("here").open();
            FastnContext behind = one.root().child("behind").open();
            FastnContext there = two.root().child("there").open();
            SharedLock.Guard ofCluster = Waiting.result(lock(there));
            SharedLock.Guard ofThere = Waiting.result(localLock(there));
            SharedLock.Guard held = Waiting.result(localLock(here));
            assertThat(Waiting.failure(cluster.node(0).sharedData().getLocalLockWithTimeout("orders", 20)))
                    .isNotNull();
            assertThat(one.status().activeLocks())
                    .singleElement()
                    .satisfies(lock -> assertThat(lock.name()).isEqualTo("shared-local:orders"));
            Future<SharedLock.Guard> waiting = localLock(behind);
            SharedLock lock = FutureContext.of(behind).sharedLocalLock("orders");
            Waiting.until(() -> lock.waiters() == 1);
            assertThat(lock.holder()).isSameAs(here);
            assertThat(requireNonNull(one.explain(behind.id())).headline())
                    .startsWith("here: ")
                    .contains("behind waits for mutex \"shared-local:orders\"");
            assertThat(FastnVertx.install(cluster.node(0)).remoteWaits().ages()).isEmpty();
            held.close();

            // Who waits for Vert.x itself waits for nobody of another node.
            SharedLock.Guard next = Waiting.result(waiting);
            next.close();
            Lock past = Waiting.result(cluster.node(0).sharedData().getLocalLock("orders"));
            Future<SharedLock.Guard> asks = localLock(behind);
            Waiting.until(() -> one.status().lockWaiters().size() == 1);
            List<NodeStatus> nodes = new ArrayList<>();
            for (StatusSnapshot each : List.of(one.status(), two.status())) {
                nodes.add(new NodeStatus(each.node(), NodeState.UP, Duration.ZERO, null, null, each));
            }
            assertThat(requireNonNull(Explainer.of(new ClusterStatus(Instant.EPOCH, "alice", nodes))
                                    .explain("alice", behind.id()))
                            .chain())
                    .isEmpty();
            past.release();
            Waiting.result(asks).close();
            ofThere.close();
            ofCluster.close();
        }
    }

    @Test
    void inAVertxThatIsNotClusteredTheLocalOneIsTheOneThatThereIs() {
        Vertx vertx = Vertx.vertx();
        try {
            FastnContext root = runtime(vertx).root();
            SharedLock.Guard held = Waiting.result(lock(root));
            SharedLock local = FutureContext.of(root).sharedLocalLock("orders");
            assertThat(local.holder()).isSameAs(root);
            assertThat(Waiting.failure(local.lock(Duration.ofMillis(1)))).isInstanceOf(LockTimeoutException.class);
            held.close();
        } finally {
            Waiting.result(vertx.close());
        }
    }

    @Test
    void offAnyVertxItIsRefusedWithAReason() {
        try (ContextRuntime plain = ContextRuntime.builder().build()) {
            assertThatThrownBy(() -> FutureContext.of(plain.root()).sharedLock("orders"))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("belongs to no Vertx");
        }
    }
}
