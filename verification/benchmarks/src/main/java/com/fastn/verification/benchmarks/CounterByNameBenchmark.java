package com.fastn.verification.benchmarks;

import com.codahale.metrics.MetricRegistry;
import com.fastn.context.FastnContext;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** Budget "counter by name". The limit is a look into a map, and an adder. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class CounterByNameBenchmark {
    private final FastnContext ours = Trees.runtime().root().child("service").open();
    private final SimpleMeterRegistry micrometer = new SimpleMeterRegistry();
    private final MetricRegistry dropwizard = new MetricRegistry();
    private final ConcurrentHashMap<String, LongAdder> map = new ConcurrentHashMap<>();
    private final LongAdder adder = new LongAdder();
    private final String name = "requests";

    @Benchmark
    public void ours() {
        ours.incrementTotal(name);
    }

    @Benchmark
    public void micrometer() {
        micrometer.counter(name).increment();
    }

    @Benchmark
    public void dropwizard() {
        dropwizard.counter(name).inc();
    }

    @Benchmark
    public void map() {
        map.computeIfAbsent(name, n -> new LongAdder()).increment();
    }

    @Benchmark
    public void limit() {
        adder.increment();
    }
}
