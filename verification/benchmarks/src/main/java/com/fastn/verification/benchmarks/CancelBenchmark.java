package com.fastn.verification.benchmarks;

import com.fastn.context.FastnContext;
import java.util.concurrent.CancellationException;
import java.util.concurrent.TimeUnit;
import kotlinx.coroutines.CompletableJob;
import kotlinx.coroutines.Job;
import kotlinx.coroutines.JobKt;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/**
 * Budget "cancel, per node": a thousand nodes, one below the other or all below one. A tree can be cancelled once, so each
 * call has a new one, made outside of the time; its allocation is in the figures of a profiler. The stack is large because a job cancels its
 * children by recursion, and a thousand of them overflow the usual one.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@OperationsPerInvocation(CancelBenchmark.NODES)
@Fork(jvmArgsAppend = "-Xss64m")
public class CancelBenchmark {
    static final int NODES = 1_000;

    /** Our tree. */
    @State(Scope.Thread)
    public static class Contexts {
        /** Below the other, or all below one. */
        @Param({"wide", "deep"})
        public String shape = "wide";

        FastnContext top = Trees.runtime().root();

        @Setup(Level.Invocation)
        public void open() {
            top = Trees.runtime().root().child("top").open();
            FastnContext at = top;
            for (int i = 1; i < NODES; i++) {
                FastnContext child = at.child("node").open();
                at = shape.equals("deep") ? child : at;
            }
        }
    }

    /** The same of jobs. */
    @State(Scope.Thread)
    public static class Jobs {
        /** Below the other, or all below one. */
        @Param({"wide", "deep"})
        public String shape = "wide";

        CompletableJob top = JobKt.Job(null);

        @Setup(Level.Invocation)
        public void open() {
            top = JobKt.Job(null);
            Job at = top;
            for (int i = 1; i < NODES; i++) {
                CompletableJob child = JobKt.Job(at);
                at = shape.equals("deep") ? child : at;
            }
        }
    }

    /** The same of the smallest nodes. */
    @State(Scope.Thread)
    public static class Nodes {
        /** Below the other, or all below one. */
        @Param({"wide", "deep"})
        public String shape = "wide";

        LinkedNode top = new LinkedNode(null, "top");

        @Setup(Level.Invocation)
        public void open() {
            top = new LinkedNode(null, "top");
            LinkedNode at = top;
            for (int i = 1; i < NODES; i++) {
                LinkedNode child = at.open("node");
                at = shape.equals("deep") ? child : at;
            }
        }
    }

    @Benchmark
    public FastnContext ours(Contexts contexts) {
        contexts.top.cancel("enough");
        return contexts.top;
    }

    @Benchmark
    public Job kotlinJob(Jobs jobs) {
        jobs.top.cancel(new CancellationException("enough"));
        return jobs.top;
    }

    @Benchmark
    public LinkedNode limit(Nodes nodes) {
        nodes.top.cancel();
        return nodes.top;
    }
}
