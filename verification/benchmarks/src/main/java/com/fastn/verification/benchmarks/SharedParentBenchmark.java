package com.fastn.verification.benchmarks;

import com.fastn.context.FastnContext;
import java.util.concurrent.TimeUnit;
import kotlinx.coroutines.CompletableJob;
import kotlinx.coroutines.JobKt;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Threads;

/** Budget "open + close child", 2 threads, one parent. The limit is two threads with a parent each. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Threads(2)
public class SharedParentBenchmark {
    private FastnContext parent = Trees.runtime().root();
    private CompletableJob parentJob = JobKt.Job(null);
    private LinkedNode parentNode = new LinkedNode(null, "service");

    /** What one thread has for itself. */
    @State(Scope.Thread)
    public static class Own {
        LinkedNode parentNode = new LinkedNode(null, "service");
    }

    @Setup
    public void open() {
        parent = Trees.runtime().root().child("service").open();
        parentJob = JobKt.Job(null);
        parentNode = new LinkedNode(null, "service");
    }

    @Benchmark
    public FastnContext ours() {
        FastnContext child = parent.child("request").open();
        child.close();
        return child;
    }

    @Benchmark
    public CompletableJob kotlinJob() {
        CompletableJob child = JobKt.Job(parentJob);
        child.complete();
        return child;
    }

    /** What a monitor of the parent costs that both threads want. */
    @Benchmark
    public LinkedNode monitor() {
        LinkedNode child = parentNode.open("request");
        child.close();
        return child;
    }

    @Benchmark
    public LinkedNode limit(Own own) {
        LinkedNode child = own.parentNode.open("request");
        child.close();
        return child;
    }
}
