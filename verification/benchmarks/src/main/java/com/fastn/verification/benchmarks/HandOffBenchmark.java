package com.fastn.verification.benchmarks;

import com.fastn.context.ContextMutex;
import com.fastn.context.ContextReadWriteLock;
import com.fastn.context.ContextSemaphore;
import com.fastn.context.LockGuard;
import com.fastn.context.PermitGuard;
import com.fastn.context.ReadGuard;
import com.fastn.context.vertx.FutureContext;
import com.fastn.context.vertx.FutureMutex;
import com.google.common.util.concurrent.Monitor;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.shareddata.Lock;
import io.vertx.core.shareddata.SharedData;
import java.util.ArrayDeque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import kotlin.Unit;
import kotlin.coroutines.CoroutineContext;
import kotlin.coroutines.EmptyCoroutineContext;
import kotlinx.coroutines.ExecutorsKt;
import kotlinx.coroutines.sync.Mutex;
import kotlinx.coroutines.sync.MutexKt;
import kotlinx.coroutines.sync.Semaphore;
import kotlinx.coroutines.sync.SemaphoreKt;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/**
 * Budget "queued hand-off": 64 wait for one lock, each releases it when it gets it. Counted is all of it for one of them:
 * asking, waiting in the queue, getting it and releasing it. On the loop, each is told by a task of its own; otherwise in
 * the thread that released. The lock of Vert.x calls the next from inside of the release of the one before, which needs no
 * turn of the loop; it is measured with such turns as well. Where threads wait, as with Guava and the JDK, 64 of them do.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@OperationsPerInvocation(HandOffBenchmark.WAITERS)
public class HandOffBenchmark {
    static final int WAITERS = 64;
    private static final int ROUNDS_AT_ONCE = 100;

    private final ArrayDeque<Runnable> loop = new ArrayDeque<>();
    private final ContextMutex<String> ours =
            Trees.runtime().root().child("service").open().mutex("stock", "value");
    private final Mutex kotlin = MutexKt.Mutex(false);
    private final CoroutineContext kotlinLoop = ExecutorsKt.from(loop::add);
    private final ContextReadWriteLock<String> readWrite =
            Trees.runtime().root().child("service").open().readWriteLock("prices", "value");
    private final ContextSemaphore semaphore =
            Trees.runtime().root().child("service").open().semaphore("tills", 1);
    private final Semaphore kotlinSemaphore = SemaphoreKt.Semaphore(1, 0);
    private final ReentrantLock reentrant = new ReentrantLock(true);
    private final Monitor monitor = new Monitor(true);
    private final Queue queue = new Queue();
    private int turns;

    private void runLoop() {
        for (Runnable task = loop.poll(); task != null; task = loop.poll()) {
            task.run();
        }
    }

    @Benchmark
    public int ours() {
        try (LockGuard<String> first = ours.tryLock()) {
            for (int i = 0; i < WAITERS; i++) {
                var unused = ours.lock().thenAccept(LockGuard::close);
            }
        }
        return ours.waiters();
    }

    @Benchmark
    public int oursOnLoop() {
        try (LockGuard<String> first = ours.tryLock()) {
            for (int i = 0; i < WAITERS; i++) {
                var unused = ours.lock().thenAcceptAsync(LockGuard::close, loop::add);
            }
        }
        runLoop();
        return ours.waiters();
    }

    /** Each waiter is told in a turn of the loop of its own (rules L8 and L9). */
    @Benchmark
    @OperationsPerInvocation(WAITERS * ROUNDS_AT_ONCE)
    public void oursOnVertx(VertxLoop vertx) {
        vertx.runRounds(ROUNDS_AT_ONCE, over -> {
            FutureMutex<?> mutex = FutureContext.current().mutex("stock");
            try (LockGuard<?> first = mutex.tryLock()) {
                isHeld(first);
                for (int i = 1; i < WAITERS; i++) {
                    mutex.lock().onSuccess(LockGuard::close);
                }
                mutex.lock().onSuccess(last -> {
                    last.close();
                    over.run();
                });
            }
        });
    }

    /** As the lock of Vert.x does it: all in one turn of the loop, each waiter inside of the release before. */
    @Benchmark
    @OperationsPerInvocation(WAITERS * ROUNDS_AT_ONCE)
    public int vertxLocalLock(VertxLoop vertx) {
        SharedData shared = vertx.vertx().sharedData();
        return vertx.run(() -> {
            int sum = 0;
            for (int round = 0; round < ROUNDS_AT_ONCE; round++) {
                Lock first = shared.getLocalLock("stock").result();
                for (int i = 0; i < WAITERS; i++) {
                    shared.getLocalLock("stock").onSuccess(Lock::release);
                }
                first.release();
                sum += first.hashCode();
            }
            return sum;
        });
    }

    /** The lock of Vert.x with a turn of the loop for each waiter, so that it needs as many as ours, and no deeper stack. */
    @Benchmark
    @OperationsPerInvocation(WAITERS * ROUNDS_AT_ONCE)
    public void vertxLocalLockByTurns(VertxLoop vertx) {
        SharedData shared = vertx.vertx().sharedData();
        vertx.runRounds(ROUNDS_AT_ONCE, over -> {
            Context here = Vertx.currentContext();
            Lock first = isHeld(shared.getLocalLock("stock").result());
            for (int i = 1; i < WAITERS; i++) {
                shared.getLocalLock("stock").onSuccess(lock -> here.runOnContext(turn -> lock.release()));
            }
            shared.getLocalLock("stock")
                    .onSuccess(last -> here.runOnContext(turn -> {
                        last.release();
                        over.run();
                    }));
            first.release();
        });
    }

    private static <T> T isHeld(@Nullable T guard) {
        if (guard == null) {
            throw new IllegalStateException("the round before is not over");
        }
        return guard;
    }

    @Benchmark
    public int oursReadersAndWriters() {
        try (LockGuard<String> first = readWrite.tryWriteLock()) {
            for (int i = 0; i < WAITERS; i += 2) {
                var unused = readWrite.readLock().thenAccept(ReadGuard::close);
                unused = readWrite.writeLock().thenAccept(LockGuard::close);
            }
        }
        return readWrite.waiters();
    }

    @Benchmark
    public int oursSemaphore() {
        try (PermitGuard first = semaphore.tryAcquire()) {
            for (int i = 0; i < WAITERS; i++) {
                var unused = semaphore.acquire().thenAccept(PermitGuard::close);
            }
        }
        return semaphore.waiters();
    }

    @Benchmark
    public int kotlinSemaphore() {
        if (!kotlinSemaphore.tryAcquire()) {
            throw new IllegalStateException("there was no permit");
        }
        for (int i = 0; i < WAITERS; i++) {
            Object suspended =
                    kotlinSemaphore.acquire(new KotlinWaiter(kotlinSemaphore::release, EmptyCoroutineContext.INSTANCE));
            if (suspended == Unit.INSTANCE) {
                throw new IllegalStateException("there was a permit");
            }
        }
        kotlinSemaphore.release();
        return kotlinSemaphore.getAvailablePermits();
    }

    @Benchmark
    @OperationsPerInvocation(WAITERS * WaitingThreads.TIMES)
    public int reentrantLock(WaitingThreads threads) {
        threads.run(() -> {
            reentrant.lock();
            try {
                turns++;
            } finally {
                reentrant.unlock();
            }
        });
        return turns;
    }

    @Benchmark
    @OperationsPerInvocation(WAITERS * WaitingThreads.TIMES)
    public int guavaMonitor(WaitingThreads threads) {
        threads.run(() -> {
            monitor.enter();
            try {
                turns++;
            } finally {
                monitor.leave();
            }
        });
        return turns;
    }

    @Benchmark
    public boolean kotlinMutex() {
        handOff(EmptyCoroutineContext.INSTANCE);
        return kotlin.isLocked();
    }

    @Benchmark
    public boolean kotlinMutexOnLoop() {
        handOff(kotlinLoop);
        runLoop();
        return kotlin.isLocked();
    }

    private void handOff(CoroutineContext context) {
        if (!kotlin.tryLock(null)) {
            throw new IllegalStateException("the lock was not free");
        }
        Runnable unlock = () -> kotlin.unlock(null);
        for (int i = 0; i < WAITERS; i++) {
            Object suspended = kotlin.lock(null, new KotlinWaiter(unlock, context));
            if (suspended == Unit.INSTANCE) {
                throw new IllegalStateException("the lock was free");
            }
        }
        kotlin.unlock(null);
    }

    @Benchmark
    public boolean limit() {
        var first = queue.lock();
        for (int i = 0; i < WAITERS; i++) {
            var unused = queue.lock().thenAccept(q -> q.release(loop));
        }
        queue.release(loop);
        runLoop();
        return first.isDone() && queue.locked;
    }

    /** A flag and a queue of futures that are completed on the loop. No holder, no fence, no cancellation, no time. */
    private static final class Queue {
        private final ArrayDeque<CompletableFuture<Queue>> waiters = new ArrayDeque<>();
        private boolean locked;

        synchronized CompletableFuture<Queue> lock() {
            CompletableFuture<Queue> future = new CompletableFuture<>();
            if (locked) {
                waiters.add(future);
            } else {
                locked = true;
                future.complete(this);
            }
            return future;
        }

        void release(ArrayDeque<Runnable> loop) {
            CompletableFuture<Queue> next;
            synchronized (this) {
                next = waiters.poll();
                locked = next != null;
            }
            if (next != null) {
                loop.add(() -> next.complete(this));
            }
        }
    }
}
