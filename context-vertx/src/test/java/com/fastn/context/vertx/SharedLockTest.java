package com.fastn.context.vertx;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fastn.context.ContextRuntime;
import com.fastn.context.FastnContext;
import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.Explainer;
import com.fastn.context.status.Explanation;
import com.fastn.context.status.NodeState;
import com.fastn.context.status.NodeStatus;
import com.fastn.context.status.StatusSnapshot;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(OwnTree.class)
class SharedLockTest {
    private static Future<SharedLock.Guard> lock(FastnContext who) {
        return FutureContext.of(who)
                .<SharedLock.Guard>spawn(
                        () -> FutureContext.current().sharedLock("orders").lock(Duration.ofSeconds(50)));
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
            held.close();
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
            Waiting.until(() -> !requireNonNull(two.status().globalContext().children().stream()
                            .filter(child -> child.id() == first.id())
                            .findFirst()
                            .orElseThrow())
                    .operations()
                    .isEmpty());

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
    void offAnyVertxItIsRefusedWithAReason() {
        try (ContextRuntime plain = ContextRuntime.builder().build()) {
            assertThatThrownBy(() -> FutureContext.of(plain.root()).sharedLock("orders"))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("belongs to no Vertx");
        }
    }
}
