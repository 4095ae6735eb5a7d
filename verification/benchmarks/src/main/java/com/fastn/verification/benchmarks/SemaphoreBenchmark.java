package com.fastn.verification.benchmarks;

import com.fastn.context.ContextSemaphore;
import com.fastn.context.PermitGuard;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import kotlin.Unit;
import kotlin.coroutines.Continuation;
import kotlinx.coroutines.sync.SemaphoreKt;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** One permit of four that nobody else wants, taken and given back. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class SemaphoreBenchmark {
    private static final int PERMITS = 4;

    private final ContextSemaphore ours =
            Trees.runtime().root().child("service").open().semaphore("tills", PERMITS);
    private final kotlinx.coroutines.sync.Semaphore kotlin = SemaphoreKt.Semaphore(PERMITS, 0);
    private final Continuation<Unit> nobody = new KotlinCaller();
    private final Semaphore jdk = new Semaphore(PERMITS, true);

    @Benchmark
    public long ours() {
        PermitGuard guard = ours.acquire().toCompletableFuture().join();
        guard.close();
        return guard.fence();
    }

    @Benchmark
    public Object kotlinSemaphore() {
        Object acquired = kotlin.acquire(nobody);
        kotlin.release();
        return acquired;
    }

    @Benchmark
    public int jdkFair() {
        jdk.acquireUninterruptibly();
        int left = jdk.availablePermits();
        jdk.release();
        return left;
    }
}
