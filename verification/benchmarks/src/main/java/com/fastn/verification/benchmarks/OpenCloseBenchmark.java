package com.fastn.verification.benchmarks;

import com.fastn.context.FastnContext;
import com.fastn.context.TotalCounter;
import com.fastn.context.status.ContextKind;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
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

/** Budget "open + close child". */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class OpenCloseBenchmark {
    private FastnContext parent = Trees.runtime().root();
    private TotalCounter requests = parent.totalCounter("requests");
    private CompletableJob parentJob = JobKt.Job(null);
    private Tracer tracer = Trees.tracer();
    private Context parentSpan = Context.root();
    private LinkedNode parentNode = new LinkedNode(null, "parent");

    @Setup
    public void open() {
        parent = Trees.runtime().root().child("service").open();
        requests = parent.totalCounter("requests");
        parentJob = JobKt.Job(null);
        tracer = Trees.tracer();
        Span service = tracer.spanBuilder("service").startSpan();
        if (!service.isRecording()) {
            throw new IllegalStateException("the span records nothing");
        }
        parentSpan = Context.root().with(service);
        parentNode = new LinkedNode(null, "service");
    }

    @Benchmark
    public FastnContext oursBare() {
        FastnContext child = parent.child("request").open();
        child.close();
        return child;
    }

    /** With a name for people and a kind, and counted by its service through a handle. */
    @Benchmark
    public FastnContext oursNamedAndCounted() {
        FastnContext child = parent.child("request")
                .withLabel("GET /orders")
                .withKind(ContextKind.REQUEST)
                .open();
        requests.increment();
        child.close();
        return child;
    }

    @Benchmark
    public CompletableJob kotlinJob() {
        CompletableJob child = JobKt.Job(parentJob);
        child.complete();
        return child;
    }

    @Benchmark
    public Span openTelemetrySpan() {
        Span child = tracer.spanBuilder("request").setParent(parentSpan).startSpan();
        child.end();
        return child;
    }

    @Benchmark
    public LinkedNode limit() {
        LinkedNode child = parentNode.open("request");
        child.close();
        return child;
    }
}
