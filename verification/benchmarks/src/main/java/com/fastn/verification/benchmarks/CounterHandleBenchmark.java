package com.fastn.verification.benchmarks;

import com.fastn.context.TotalCounter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.opentelemetry.api.metrics.LongCounter;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.metrics.InstrumentType;
import io.opentelemetry.sdk.metrics.SdkMeterProvider;
import io.opentelemetry.sdk.metrics.data.AggregationTemporality;
import io.opentelemetry.sdk.metrics.export.CollectionRegistration;
import io.opentelemetry.sdk.metrics.export.MetricReader;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

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
    private final SdkMeterProvider openTelemetryMeters =
            SdkMeterProvider.builder().registerMetricReader(new PatientReader()).build();
    private final LongCounter openTelemetry =
            openTelemetryMeters.get("benchmark").counterBuilder("requests").build();
    private final LongAdder adder = new LongAdder();

    @TearDown
    public void close() {
        openTelemetryMeters.close();
    }

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
    public void openTelemetry() {
        openTelemetry.add(1);
    }

    @Benchmark
    public void limit() {
        adder.increment();
    }

    /** Without a reader OpenTelemetry counts nothing; this one never reads. */
    private static final class PatientReader implements MetricReader {
        @Override
        public void register(CollectionRegistration registration) {}

        @Override
        public AggregationTemporality getAggregationTemporality(InstrumentType type) {
            return AggregationTemporality.CUMULATIVE;
        }

        @Override
        public CompletableResultCode forceFlush() {
            return CompletableResultCode.ofSuccess();
        }

        @Override
        public CompletableResultCode shutdown() {
            return CompletableResultCode.ofSuccess();
        }
    }
}
