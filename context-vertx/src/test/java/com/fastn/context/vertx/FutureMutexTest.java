package com.fastn.context.vertx;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.ContextCancelledException;
import com.fastn.context.FastnContext;
import com.fastn.context.LockGuard;
import com.fastn.context.LockTimeoutException;
import com.fastn.context.engine.EngineRuntime;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.internal.ContextInternal;
import io.vertx.junit5.VertxExtension;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith({OwnTree.class, VertxExtension.class})
class FutureMutexTest {
    private Vertx vertx;
    private FutureContext root;

    @BeforeEach
    void root(Vertx made) {
        vertx = made;
        root = FutureContext.of(((EngineRuntime) FastnVertx.install(vertx).runtime()).root());
    }

    @Test
    void theSameNameInTheSameContextIsTheSameLock() {
        FutureMutex<String> mutex = root.mutex("orders", "value");
        assertThat(mutex.mutex()).isSameAs(root.mutex("orders").mutex());
        assertThat(mutex.name()).isEqualTo("orders");
    }

    @Test
    void aGuardIsGivenAtOnceWhenTheLockIsFreeAndElseWhenItIsReleased() {
        FutureMutex<String> mutex = root.mutex("orders", "value");
        LockGuard<String> first = Waiting.result(mutex.lock());
        assertThat(first.value()).isEqualTo("value");
        Future<LockGuard<String>> second = mutex.lock();
        assertThat(second.isComplete()).isFalse();
        assertThat(mutex.waiters()).isEqualTo(1);
        assertThat(mutex.holder()).isSameAs(root.context());
        first.close();
        Waiting.result(second).close();
        assertThat(mutex.holder()).isNull();
    }

    @Test
    void l5_waitersAreServedInTheOrderTheyAsked() {
        FutureMutex<?> mutex = root.mutex("orders");
        LockGuard<?> held = Waiting.take(mutex.mutex());
        List<Integer> order = new CopyOnWriteArrayList<>();
        List<Future<?>> waiting = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            int number = i;
            waiting.add(mutex.withLock(value -> {
                order.add(number);
                return number % 2 == 0 ? Future.succeededFuture() : vertx.timer(1);
            }));
        }
        held.close();
        Waiting.result(Future.join(waiting));
        assertThat(order)
                .containsExactlyElementsOf(IntStream.range(0, 50).boxed().toList());
    }

    @Test
    void l9_aLockIsHandedOverOnTheVertxContextOfTheWaiterWhoeverReleasesIt() {
        FutureMutex<?> mutex = root.mutex("orders");
        AtomicInteger strays = new AtomicInteger();
        List<Front> fronts = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            fronts.add(Front.deploy(vertx));
        }
        LockGuard<?> held = Waiting.take(mutex.mutex());
        List<Future<?>> done = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            Context place = ((ContextInternal) fronts.get(i % 4).place()).duplicate();
            Promise<@Nullable Void> finished = Promise.promise();
            done.add(finished.future());
            place.runOnContext(now -> {
                FastnContext asker = FastnContext.current();
                mutex.lock()
                        .onSuccess(guard -> {
                            if (Vertx.currentContext() != place
                                    || FastnContext.current() != asker
                                    || mutex.holder() != asker) {
                                strays.incrementAndGet();
                            }
                            // From a thread of its own each time.
                            new Thread(guard::close).start();
                        })
                        .<Void>mapEmpty()
                        .onComplete(finished);
            });
        }
        Waiting.until(() -> mutex.waiters() == 40);
        held.close();
        Waiting.result(Future.join(done));
        assertThat(strays).hasValue(0);
        Waiting.until(() -> mutex.holder() == null);
    }

    @Test
    void withLockReleasesAfterSuccessFailureAndThrowBeforeTheResultIsTold() {
        FutureMutex<String> mutex = root.mutex("orders", "value");
        IllegalStateException thrown = new IllegalStateException("no");
        assertThat(Waiting.result(mutex.withLock(value -> {
                            assertThat(mutex.holder()).isNotNull();
                            return vertx.timer(1).map(fired -> value + "!");
                        })
                        .onComplete(done -> assertThat(mutex.holder()).isNull())))
                .isEqualTo("value!");
        assertThat(Waiting.failure(
                        mutex.withLock(value -> vertx.timer(1).compose(fired -> Future.failedFuture(thrown)))))
                .isSameAs(thrown);
        assertThat(mutex.holder()).isNull();
        assertThat(Waiting.failure(mutex.withLock(value -> {
                    throw thrown;
                })))
                .isSameAs(thrown);
        assertThat(mutex.holder()).isNull();
        assertThat(Waiting.failure(mutex.withLock(value -> nothing()))).isInstanceOf(NullPointerException.class);
        assertThat(mutex.holder()).isNull();
    }

    @SuppressWarnings({"NullAway", "TypeParameterUnusedInFormals"}) // as Java code without annotations may do
    private static <T> Future<T> nothing() {
        return null;
    }

    @Test
    void l1_aWaiterThatIsCancelledLeavesTheQueueBeforeItHearsOfIt() {
        FutureMutex<?> mutex = root.mutex("orders");
        Front front = Front.deploy(vertx);
        LockGuard<?> held = Waiting.take(mutex.mutex());
        Throwable failure = Waiting.onDuplicate(
                front.place(),
                () -> FutureContext.current().child("waiter").run(ctx -> {
                    Future<?> lock = mutex.lock();
                    assertThat(mutex.waiters()).isEqualTo(1);
                    ctx.cancel();
                    return lock.transform(done -> {
                        assertThat(mutex.waiters()).isZero();
                        return Future.succeededFuture(done.cause());
                    });
                }));
        assertThat(failure).isInstanceOf(ContextCancelledException.class);
        held.close();
        assertThat(mutex.holder()).isNull();
    }

    @Test
    void l4_aWaiterWhoseTimeRunsOutIsTold() {
        FutureMutex<?> mutex = root.mutex("orders");
        LockGuard<?> held = Waiting.take(mutex.mutex());
        assertThat(Waiting.failure(mutex.lock(Duration.ofMillis(1)))).isInstanceOf(LockTimeoutException.class);
        assertThat(mutex.waiters()).isZero();
        held.close();
    }

    @Test
    @SuppressWarnings("NullAway") // a guard that is not there fails the test
    void tryLockGivesTheGuardOrNothing() {
        FutureMutex<String> mutex = root.mutex("orders", "value");
        try (LockGuard<String> guard = mutex.tryLock()) {
            guard.set("new");
            try (LockGuard<String> second = mutex.tryLock()) {
                assertThat(second).isNull();
            }
        }
        try (LockGuard<String> guard = mutex.tryLock()) {
            assertThat(guard.value()).isEqualTo("new");
        }
    }
}
