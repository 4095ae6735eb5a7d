package com.fastn.verification.benchmarks;

import com.fastn.context.ContextMutex;
import com.fastn.context.LockGuard;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import kotlin.Unit;
import kotlin.coroutines.Continuation;
import kotlin.coroutines.EmptyCoroutineContext;
import kotlinx.coroutines.sync.Mutex;
import kotlinx.coroutines.sync.MutexKt;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** Budget "async lock + release, uncontended". The limit is a holder that is set by one atomic step. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class LockBenchmark {
    private final ContextMutex<String> ours =
            Trees.runtime().root().child("service").open().mutex("stock", "value");
    private final Mutex kotlin = MutexKt.Mutex(false);
    private final Continuation<Unit> nobody = new Nobody();
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
    public boolean limit() {
        Object guard = new Object();
        return holder.compareAndSet(null, guard) && holder.compareAndSet(guard, null);
    }

    /** Never resumed: the lock is free. */
    private static final class Nobody implements Continuation<Unit> {
        @Override
        public EmptyCoroutineContext getContext() {
            return EmptyCoroutineContext.INSTANCE;
        }

        @Override
        public void resumeWith(Object result) {
            throw new IllegalStateException("the lock was not free");
        }
    }
}
