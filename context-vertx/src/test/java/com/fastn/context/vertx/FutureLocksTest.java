package com.fastn.context.vertx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import com.fastn.context.ContextRuntime;
import com.fastn.context.FastnContext;
import com.fastn.context.LockGuard;
import com.fastn.context.LockTimeoutException;
import com.fastn.context.PermitGuard;
import com.fastn.context.ReadGuard;
import com.fastn.context.SelfDeadlockException;
import com.fastn.context.engine.EngineRuntime;
import com.fastn.context.status.DeadlockReport;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.internal.ContextInternal;
import io.vertx.junit5.VertxExtension;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Supplier;
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

    /** How one verticle asks for the second lock inside of the first. */
    private interface Second {
        Future<String> ask(FutureMutex<String> lock);
    }

    /** Two verticles, each in the context of its own service, that take two locks in opposite orders. */
    private List<DeadlockReport> crossed(Second second) {
        FutureMutex<String> orders = root.mutex("orders", "o");
        FutureMutex<String> stock = root.mutex("stock", "s");
        LockGuard<?> firstOrders = Waiting.take(orders.mutex());
        LockGuard<?> firstStock = Waiting.take(stock.mutex());
        Front up = Front.deploy(vertx);
        Front down = Front.deploy(vertx);
        List<Future<String>> results = new CopyOnWriteArrayList<>();
        up.place().runOnContext(now -> results.add(orders.withLock(value -> second.ask(stock))));
        down.place().runOnContext(now -> results.add(stock.withLock(value -> second.ask(orders))));
        Waiting.until(() -> orders.waiters() == 1 && stock.waiters() == 1);
        firstOrders.close();
        firstStock.close();
        Waiting.until(() -> !root.context().runtime().status().deadlocks().isEmpty());
        // The work of a wait gives its future a moment after it queued, in the same task.
        Waiting.on(up.place(), Future::succeededFuture);
        Waiting.on(down.place(), Future::succeededFuture);
        List<DeadlockReport> first = root.context().runtime().status().deadlocks();
        assertThat(results).noneMatch(Future::isComplete);
        return first;
    }

    @Test
    void l14_aDeadlockOfFuturesIsProvenWhereTheWorkGivesTheFutureOfTheInnerOne() {
        assertThat(crossed(lock -> lock.withLock(value -> Future.succeededFuture(value))))
                .singleElement()
                .satisfies(report -> {
                    assertThat(report.proven()).isTrue();
                    assertThat(report.size()).isEqualTo(2);
                });
    }

    @Test
    void l14_itIsProvenThroughAChildThatRunsTheInnerOne() {
        assertThat(crossed(lock -> FutureContext.current()
                        .child("inner")
                        .run(child -> lock.withLock(value -> Future.succeededFuture(value)))))
                .singleElement()
                .satisfies(report -> assertThat(report.proven()).isTrue());
    }

    @Test
    void l14_itIsSuspectedWhereTheWorkGivesAFutureThatIsMadeOfIt() {
        assertThat(crossed(lock -> lock.lock().compose(guard -> Future.succeededFuture(guard.lockName()))))
                .singleElement()
                .satisfies(report -> assertThat(report.proven()).isFalse());
    }

    @Test
    void aFutureThatWasWaitedForInsideIsOverBeforeTheOuterLockIsReleased() {
        FutureMutex<String> orders = root.mutex("orders", "o");
        FutureMutex<String> stock = root.mutex("stock", "s");
        LockGuard<?> held = Waiting.take(stock.mutex());
        Front front = Front.deploy(vertx);
        Promise<Boolean> heldThen = Promise.promise();
        Promise<String> result = Promise.promise();
        front.place()
                .runOnContext(now -> orders.withLock(value -> {
                            Future<String> inner = stock.withLock(other -> Future.succeededFuture(value + other));
                            inner.onSuccess(done -> heldThen.complete(orders.holder() != null));
                            return inner;
                        })
                        .onComplete(result));
        Waiting.until(() -> stock.waiters() == 1);
        held.close();
        assertThat(Waiting.result(heldThen.future())).isTrue();
        assertThat(Waiting.result(result.future())).isEqualTo("os");
        assertThat(orders.holder()).isNull();
    }

    @Test
    void l4_workThatIsNotGrantedItsLockInTimeIsNeverRun() {
        FutureReadWriteLock<String> prices = root.readWriteLock("prices", "p");
        FutureSemaphore pool = root.semaphore("pool", 1);
        LockGuard<String> writer = Waiting.result(prices.writeLock());
        PermitGuard permit = Waiting.result(pool.acquire());
        Duration soon = Duration.ofMillis(1);
        assertThat(List.of(
                        prices.<String>withReadLock(soon, value -> Future.failedFuture("read")),
                        prices.<String>withWriteLock(soon, guard -> Future.failedFuture("written")),
                        pool.<String>withPermit(soon, () -> Future.failedFuture("one")),
                        pool.<String>withPermits(1, soon, () -> Future.failedFuture("some"))))
                .allSatisfy(asked -> assertThat(Waiting.failure(asked)).isInstanceOf(LockTimeoutException.class));
        writer.close();
        permit.close();
        Duration enough = Duration.ofSeconds(30);
        assertThat(Waiting.<String>result(prices.withWriteLock(enough, guard -> Future.succeededFuture(guard.value()))))
                .isEqualTo("p");
        assertThat(Waiting.<String>result(prices.withReadLock(enough, value -> Future.succeededFuture(value))))
                .isEqualTo("p");
        assertThat(Waiting.<String>result(pool.withPermit(enough, () -> Future.succeededFuture("done"))))
                .isEqualTo("done");
        assertThat(prices.holders()).isEmpty();
        assertThat(pool.availablePermits()).isEqualTo(1);
    }

    @Test
    @SuppressWarnings("MustBeClosedChecker") // who calls a form closes what it gives
    void eachFaceHasFormsThatBlockAWorkerAndAreRefusedOnAnEventLoop() {
        FutureMutex<String> orders = root.mutex("orders", "value");
        FutureReadWriteLock<String> prices = root.readWriteLock("prices", "value");
        FutureSemaphore tills = root.semaphore("tills", 2);
        List<Supplier<@Nullable AutoCloseable>> forms = List.of(
                orders::lockBlocking,
                () -> orders.lockBlocking(Duration.ofMillis(1)),
                prices::readLockBlocking,
                () -> prices.readLockBlocking(Duration.ofMillis(1)),
                prices::writeLockBlocking,
                () -> prices.writeLockBlocking(Duration.ofMillis(1)),
                () -> tills.acquireBlocking(2),
                () -> tills.acquireBlocking(2, Duration.ofMillis(1)));
        Front front = Front.deploy(vertx);
        for (Supplier<@Nullable AutoCloseable> form : forms) {
            Throwable refused = Waiting.onDuplicate(front.place(), () -> {
                try (AutoCloseable guard = form.get()) {
                    return Future.succeededFuture(new AssertionError("granted " + guard));
                } catch (IllegalStateException e) {
                    return Future.succeededFuture(e);
                }
            });
            assertThat(refused).hasMessageContaining("on an event loop");
            Waiting.result(vertx.executeBlocking(() -> {
                try (AutoCloseable guard = form.get()) {
                    assertThat(guard).isNotNull();
                }
                return null;
            }));
        }
        LockGuard<?> held = Waiting.take(orders.mutex());
        assertThat(Waiting.result(vertx.executeBlocking(() -> orders.lockBlocking(Duration.ofMillis(1)))))
                .isNull();
        held.close();
    }

    @Test
    void L1_aWaiterLeavesTheQueueWhenWhatItHangsOnEnds() {
        FutureMutex<String> orders = root.mutex("orders", "value");
        FutureReadWriteLock<String> prices = root.readWriteLock("prices", "value");
        FutureSemaphore tills = root.semaphore("tills", 2);
        Promise<Void> connection = Promise.promise();
        List<AutoCloseable> held = List.of(
                Waiting.result(orders.lock()), Waiting.result(prices.writeLock()), Waiting.result(tills.acquire(2)));
        List<Future<?>> asked = List.of(
                orders.lockUnless(connection.future()),
                prices.readLockUnless(connection.future()),
                prices.writeLockUnless(connection.future()),
                tills.acquireUnless(1, connection.future()));
        assertThat(orders.waiters()).isEqualTo(1);
        assertThat(prices.waiters()).isEqualTo(2);
        assertThat(tills.waiters()).isEqualTo(1);
        connection.fail("closed by the peer");
        for (Future<?> each : asked) {
            assertThat(Waiting.failure(each)).isInstanceOf(CancellationException.class);
        }
        assertThat(orders.waiters() + prices.waiters() + tills.waiters()).isZero();
        assertThat(Waiting.failure(orders.lockUnless(connection.future()))).hasMessageContaining("had ended");
        for (AutoCloseable each : held) {
            assertThatCode(each::close).doesNotThrowAnyException();
        }
        assertThat(orders.holder()).isNull();
        assertThat(tills.availablePermits()).isEqualTo(2);
    }

    @Test
    void whatAWaitHangsOnHasNoEffectOnAGuardThatWasGiven() {
        FutureMutex<String> orders = root.mutex("orders", "value");
        Promise<Void> free = Promise.promise();
        LockGuard<String> first = Waiting.result(orders.lockUnless(free.future()));
        Promise<Void> connection = Promise.promise();
        Future<LockGuard<String>> asked = orders.lockUnless(connection.future());
        first.close();
        LockGuard<String> guard = Waiting.result(asked);
        connection.complete();
        assertThat(orders.holder()).isNotNull();
        assertThat(guard.value()).isEqualTo("value");
        guard.close();
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

    /** In strict mode a guard that is left open is told with the line that asked for it, whatever the form. */
    @Test
    void L11_everyFormIsToldWithTheLineOfItsCaller() {
        try (ContextRuntime strict = ContextRuntime.builder().strict(true).build()) {
            FutureContext there = FutureContext.of(strict.root());
            Future<?> never = Promise.promise().future();
            List<AutoCloseable> guards = List.of(
                    Waiting.result(there.mutex("a", 1).lock()),
                    Waiting.result(there.mutex("b", 1).lockUnless(never)),
                    Waiting.result(there.readWriteLock("c", 1).readLockUnless(never)),
                    Waiting.result(there.readWriteLock("d", 1).writeLockUnless(never)),
                    Waiting.result(there.semaphore("e", 3).acquireUnless(2, never)),
                    Waiting.result(there.semaphore("f", 3).acquire(2)));
            assertThat(strict.unclosed())
                    .hasSize(guards.size())
                    .allSatisfy(one -> assertThat(one.openedAt().get(0).getClassName())
                            .as(one.describe())
                            .isEqualTo(FutureLocksTest.class.getName()));
            for (AutoCloseable guard : guards) {
                assertThatCode(guard::close).doesNotThrowAnyException();
            }
        }
    }

    @Test
    void L11_aSharedLockIsToldWithTheLineOfItsCaller() {
        String before = System.setProperty("fastn.context.strict", "true");
        Vertx own = Vertx.vertx();
        try {
            ContextRuntime strict = FastnVertx.install(own).runtime();
            SharedLock.Guard guard = Waiting.result(
                    FutureContext.of(strict.root()).sharedLock("orders").lock());
            assertThat(strict.unclosed())
                    .as("%s", strict.unclosed())
                    .singleElement()
                    .satisfies(one -> assertThat(one.openedAt().get(0).getClassName())
                            .as(one.describe())
                            .isEqualTo(FutureLocksTest.class.getName()));
            guard.close();
        } finally {
            if (before == null) {
                System.clearProperty("fastn.context.strict");
            } else {
                System.setProperty("fastn.context.strict", before);
            }
            Waiting.result(own.close());
        }
    }
}
