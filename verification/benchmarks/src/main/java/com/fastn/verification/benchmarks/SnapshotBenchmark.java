package com.fastn.verification.benchmarks;

import com.fastn.context.ContextRuntime;
import com.fastn.context.status.StatusSnapshot;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** Budget "snapshot per node". The limit is a walk that makes a small flat record of each node. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class SnapshotBenchmark {
    static final int FEW = 1_000;
    static final int MANY = 100_000;

    /** A thousand. */
    @State(Scope.Benchmark)
    public static class Few {
        final ContextRuntime runtime = Trees.runtime();
        final LinkedNode root = new LinkedNode(null, "benchmark");

        /** Opens them. */
        public Few() {
            Trees.fill(runtime, FEW);
            Trees.fill(root, FEW);
        }
    }

    /** A hundred thousand. */
    @State(Scope.Benchmark)
    public static class Many {
        final ContextRuntime runtime = Trees.runtime();
        final LinkedNode root = new LinkedNode(null, "benchmark");

        /** Opens them. */
        public Many() {
            Trees.fill(runtime, MANY);
            Trees.fill(root, MANY);
        }
    }

    @Benchmark
    @OperationsPerInvocation(FEW)
    public StatusSnapshot oursOf1k(Few few) {
        return few.runtime.status();
    }

    @Benchmark
    @OperationsPerInvocation(MANY)
    public StatusSnapshot oursOf100k(Many many) {
        return many.runtime.status();
    }

    @Benchmark
    @OperationsPerInvocation(FEW)
    public List<LinkedNode.Row> limitOf1k(Few few) {
        return few.root.rows();
    }

    @Benchmark
    @OperationsPerInvocation(MANY)
    public List<LinkedNode.Row> limitOf100k(Many many) {
        return many.root.rows();
    }
}
