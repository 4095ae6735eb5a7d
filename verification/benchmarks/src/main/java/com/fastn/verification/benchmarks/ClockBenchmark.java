package com.fastn.verification.benchmarks;

import com.fastn.context.Ticker;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** No row of the budgets, but a part of most of them: what one look at the clock costs on this machine. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class ClockBenchmark {
    private final Ticker ticker = Ticker.system();

    @Benchmark
    public long ours() {
        return ticker.nanos();
    }

    @Benchmark
    public long limit() {
        return System.nanoTime();
    }
}
