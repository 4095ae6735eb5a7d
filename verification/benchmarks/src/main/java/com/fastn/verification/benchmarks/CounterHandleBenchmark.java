package com.fastn.verification.benchmarks;

import com.fastn.context.TotalCounter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** Budget "counter through a handle". */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class CounterHandleBenchmark {
    private final TotalCounter ours =
            Trees.runtime().root().child("service").open().totalCounter("requests");
    private final io.micrometer.core.instrument.Counter micrometer = new SimpleMeterRegistry().counter("requests");
    private final com.codahale.metrics.Counter dropwizard =
            new com.codahale.metrics.MetricRegistry().counter("requests");
    private final LongAdder adder = new LongAdder();

    @Benchmark
    public void ours() {
        ours.increment();
    }

    @Benchmark
    public void micrometer() {
        micrometer.increment();
    }

    @Benchmark
    public void dropwizard() {
        dropwizard.inc();
    }

    @Benchmark
    public void limit() {
        adder.increment();
    }
}
