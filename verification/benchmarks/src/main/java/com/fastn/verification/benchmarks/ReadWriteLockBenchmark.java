package com.fastn.verification.benchmarks;

import com.fastn.context.ContextReadWriteLock;
import com.fastn.context.LockGuard;
import com.fastn.context.ReadGuard;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.concurrent.locks.StampedLock;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** A read-write lock that nobody else wants, beside those of threads that the JDK has. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class ReadWriteLockBenchmark {
    private final ContextReadWriteLock<String> ours =
            Trees.runtime().root().child("service").open().readWriteLock("prices", "value");
    private final ReentrantReadWriteLock reentrant = new ReentrantReadWriteLock();
    private final StampedLock stamped = new StampedLock();

    @Benchmark
    public int oursRead() {
        try (ReadGuard<String> guard = ours.readLock().toCompletableFuture().join()) {
            return guard.value().length();
        }
    }

    @Benchmark
    public int oursWrite() {
        try (LockGuard<String> guard = ours.writeLock().toCompletableFuture().join()) {
            return guard.value().length();
        }
    }

    @Benchmark
    public int reentrantRead() {
        reentrant.readLock().lock();
        try {
            return reentrant.getReadLockCount();
        } finally {
            reentrant.readLock().unlock();
        }
    }

    @Benchmark
    public boolean reentrantWrite() {
        reentrant.writeLock().lock();
        try {
            return reentrant.isWriteLocked();
        } finally {
            reentrant.writeLock().unlock();
        }
    }

    @Benchmark
    public long stampedRead() {
        long stamp = stamped.readLock();
        stamped.unlockRead(stamp);
        return stamp;
    }

    @Benchmark
    public long stampedWrite() {
        long stamp = stamped.writeLock();
        stamped.unlockWrite(stamp);
        return stamp;
    }
}
