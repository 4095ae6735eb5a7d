package com.fastn.verification.benchmarks;

import com.fastn.context.ContextMutex;
import com.fastn.context.LockGuard;
import com.fastn.context.vertx.FutureContext;
import com.fastn.context.vertx.FutureMutex;
import com.google.common.util.concurrent.CycleDetectingLockFactory;
import com.google.common.util.concurrent.Monitor;
import io.vertx.core.shareddata.Lock;
import io.vertx.core.shareddata.SharedData;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantLock;
import kotlin.Unit;
import kotlin.coroutines.Continuation;
import kotlinx.coroutines.sync.Mutex;
import kotlinx.coroutines.sync.MutexKt;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/**
 * Budget "async lock + release, uncontended". The limit is a holder that is set by one atomic step. Guava and the JDK have
 * locks of threads only: nobody waits here, so what they need for that is not seen.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class LockBenchmark {
    private static final int AT_ONCE = 10_000;

    private final ContextMutex<String> ours =
            Trees.runtime().root().child("service").open().mutex("stock", "value");
    private final Mutex kotlin = MutexKt.Mutex(false);
    private final Continuation<Unit> nobody = new KotlinCaller();
    private final ReentrantLock reentrant = new ReentrantLock();
    private final ReentrantLock cycleDetecting = CycleDetectingLockFactory.newInstance(
                    CycleDetectingLockFactory.Policies.THROW)
            .newReentrantLock("stock");
    private final Monitor monitor = new Monitor();
    private final AtomicReference<@Nullable Object> holder = new AtomicReference<>();

    @Benchmark
    public long ours() {
        LockGuard<String> guard = ours.lock().toCompletableFuture().join();
        guard.close();
        return guard.fence();
    }

    @Benchmark
    public boolean oursTried() {
        try (LockGuard<String> guard = ours.tryLock()) {
            return guard != null;
        }
    }

    @Benchmark
    public Object kotlinMutex() {
        Object locked = kotlin.lock(null, nobody);
        kotlin.unlock(null);
        return locked;
    }

    @Benchmark
    @OperationsPerInvocation(AT_ONCE)
    public int oursOnVertx(VertxLoop loop) {
        return loop.run(() -> {
            FutureMutex<?> mutex = FutureContext.current().mutex("stock");
            int sum = 0;
            for (int i = 0; i < AT_ONCE; i++) {
                LockGuard<?> guard = mutex.lock().result();
                guard.close();
                sum += (int) guard.fence();
            }
            return sum;
        });
    }

    @Benchmark
    @OperationsPerInvocation(AT_ONCE)
    public int vertxLocalLock(VertxLoop loop) {
        SharedData shared = loop.vertx().sharedData();
        return loop.run(() -> {
            int sum = 0;
            for (int i = 0; i < AT_ONCE; i++) {
                Lock lock = shared.getLocalLock("stock").result();
                lock.release();
                sum += lock.hashCode();
            }
            return sum;
        });
    }

    @Benchmark
    public boolean guavaMonitor() {
        monitor.enter();
        boolean mine = monitor.isOccupiedByCurrentThread();
        monitor.leave();
        return mine;
    }

    @Benchmark
    public boolean guavaCycleDetecting() {
        return lockAndUnlock(cycleDetecting);
    }

    @Benchmark
    public boolean reentrantLock() {
        return lockAndUnlock(reentrant);
    }

    private static boolean lockAndUnlock(ReentrantLock lock) {
        lock.lock();
        try {
            return lock.isHeldByCurrentThread();
        } finally {
            lock.unlock();
        }
    }

    @Benchmark
    public boolean limit() {
        Object guard = new Object();
        return holder.compareAndSet(null, guard) && holder.compareAndSet(guard, null);
    }
}
