package com.fastn.context.vertx;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.FastnContext;
import com.fastn.context.LockGuard;
import com.fastn.context.LockTimeoutException;
import com.fastn.context.PermitGuard;
import com.fastn.context.ReadGuard;
import com.fastn.context.SelfDeadlockException;
import com.fastn.context.engine.EngineRuntime;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.internal.ContextInternal;
import io.vertx.junit5.VertxExtension;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Read-write locks and semaphores by Vert.x futures, and what all locks do on Vert.x threads. */
@ExtendWith({OwnTree.class, VertxExtension.class})
class FutureLocksTest {
    private Vertx vertx;
    private FutureContext root;

    @BeforeEach
    void root(Vertx made) {
        vertx = made;
        root = FutureContext.of(((EngineRuntime) FastnVertx.install(vertx).runtime()).root());
    }

    @Test
    void readersShareAndAWriterIsAlone() {
        FutureReadWriteLock<String> prices = root.readWriteLock("prices", "old");
        ReadGuard<String> one = Waiting.result(prices.readLock());
        ReadGuard<String> two = Waiting.result(prices.readLock(Duration.ofSeconds(30)));
        Future<LockGuard<String>> writer = prices.writeLock();
        assertThat(prices.holders()).hasSize(2);
        assertThat(prices.waiters()).isEqualTo(1);
        one.close();
        two.close();
        LockGuard<String> guard = Waiting.result(writer);
        guard.set("new");
        assertThat(Waiting.failure(prices.writeLock(Duration.ofMillis(1)))).isInstanceOf(LockTimeoutException.class);
        guard.close();

        String read = Waiting.result(prices.withReadLock(value -> Future.succeededFuture(value)));
        assertThat(read).isEqualTo("new");
        String written = Waiting.result(prices.withWriteLock(
                alone -> vertx.timer(1).map(fired -> alone.update(value -> value + "er"))));
        assertThat(written).isEqualTo("newer");
        assertThat(prices.lock()).isSameAs(root.context().readWriteLock("prices", "old"));
        assertThat(prices.holders()).isEmpty();
    }

    @Test
    void permitsComeBackAfterSuccessFailureAndThrow() {
        FutureSemaphore pool = root.semaphore("pool", 3);
        PermitGuard two = Waiting.result(pool.acquire(2));
        Future<PermitGuard> large = pool.acquire(3, Duration.ofSeconds(30));
        assertThat(pool.availablePermits()).isEqualTo(1);
        try (PermitGuard tried = pool.tryAcquire()) {
            assertThat(tried).as("somebody waits").isNull();
        }
        two.close();
        Waiting.result(large).close();

        Integer left = Waiting.result(pool.withPermit(() -> vertx.timer(1).map(fired -> pool.availablePermits())));
        assertThat(left).isEqualTo(2);
        IllegalStateException thrown = new IllegalStateException("no");
        assertThat(Waiting.failure(pool.withPermits(2, () -> {
                    throw thrown;
                })))
                .isSameAs(thrown);
        assertThat(Waiting.failure(pool.acquire(4))).isInstanceOf(IllegalArgumentException.class);
        assertThat(pool.availablePermits()).isEqualTo(pool.permits());
    }

    @Test
    void l7_aSecondLockInsideTheSameScopeFailsOnAnEventLoopToo() {
        FutureMutex<String> orders = root.mutex("orders", "value");
        Front front = Front.deploy(vertx);
        Throwable failure = Waiting.onDuplicate(
                front.place(),
                () -> orders.withLock(value -> orders.lock()).transform(done -> Future.succeededFuture(done.cause())));
        assertThat(failure).isInstanceOf(SelfDeadlockException.class).hasMessageContaining("FutureLocksTest.java:");
        assertThat(orders.holder()).isNull();
    }

    @Test
    void aWorkerMayWaitAndAnEventLoopMayNot() {
        FutureMutex<String> orders = root.mutex("orders", "value");
        Front front = Front.deploy(vertx);
        Throwable refused = Waiting.onDuplicate(front.place(), () -> {
            try (LockGuard<String> guard = orders.mutex().lockBlocking()) {
                return Future.succeededFuture(new AssertionError("granted as " + guard.fence()));
            } catch (IllegalStateException e) {
                return Future.succeededFuture(e);
            }
        });
        assertThat(refused).isInstanceOf(IllegalStateException.class).hasMessageContaining("on an event loop");

        LockGuard<?> held = Waiting.take(orders.mutex());
        Promise<FastnContext> holder = Promise.promise();
        ((ContextInternal) front.place())
                .duplicate()
                .<@Nullable FastnContext>executeBlocking(
                        () -> {
                            try (LockGuard<String> guard = orders.mutex().lockBlocking()) {
                                return guard.context();
                            }
                        },
                        false)
                .onComplete(holder);
        Waiting.until(() -> orders.waiters() == 1);
        held.close();
        assertThat(Waiting.result(holder.future())).isNotNull();
        assertThat(orders.holder()).isNull();
    }
}
