package com.fastn.verification.benchmarks;

import com.fastn.context.FastnContext;
import com.fastn.context.TotalCounter;
import com.fastn.context.status.CounterWindows;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/**
 * An addition to a counter before and after its windows (second, minute, hour, day) were asked for, beside a meter that has
 * windows from the start.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class CounterWindowsBenchmark {
    private final TotalCounter unused =
            Trees.runtime().root().child("service").open().totalCounter("requests");
    private final FastnContext service = Trees.runtime().root().child("service").open();
    private final TotalCounter beside = service.totalCounter("requests");
    private final TotalCounter used = service.totalCounter("orders");
    private final com.codahale.metrics.Meter dropwizard = new com.codahale.metrics.MetricRegistry().meter("orders");
    private final LongAdder adder = new LongAdder();

    /** From here on, one of the two counters of the path has windows. */
    @Setup
    public void askForWindows() {
        CounterWindows unused = service.counterWindows("orders");
    }

    @Benchmark
    public void oursUnused() {
        unused.increment();
    }

    @Benchmark
    public void oursBesideUsed() {
        beside.increment();
    }

    @Benchmark
    public void oursUsed() {
        used.increment();
    }

    @Benchmark
    public void dropwizard() {
        dropwizard.mark();
    }

    @Benchmark
    public void limit() {
        adder.increment();
    }
}
