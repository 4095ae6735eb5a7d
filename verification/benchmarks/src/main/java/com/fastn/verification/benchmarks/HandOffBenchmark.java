package com.fastn.verification.benchmarks;

import com.fastn.context.ContextMutex;
import com.fastn.context.LockGuard;
import java.util.ArrayDeque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import kotlin.Unit;
import kotlin.coroutines.CoroutineContext;
import kotlin.coroutines.EmptyCoroutineContext;
import kotlinx.coroutines.ExecutorsKt;
import kotlinx.coroutines.sync.Mutex;
import kotlinx.coroutines.sync.MutexKt;
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
 * the thread that released.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@OperationsPerInvocation(HandOffBenchmark.WAITERS)
public class HandOffBenchmark {
    static final int WAITERS = 64;

    private final ArrayDeque<Runnable> loop = new ArrayDeque<>();
    private final ContextMutex<String> ours =
            Trees.runtime().root().child("service").open().mutex("stock", "value");
    private final Mutex kotlin = MutexKt.Mutex(false);
    private final CoroutineContext kotlinLoop = ExecutorsKt.from(loop::add);
    private final Queue queue = new Queue();

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
        for (int i = 0; i < WAITERS; i++) {
            Object suspended = kotlin.lock(null, new KotlinWaiter(kotlin, context));
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
