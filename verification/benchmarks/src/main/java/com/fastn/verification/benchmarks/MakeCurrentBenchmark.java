package com.fastn.verification.benchmarks;

import com.fastn.context.ContextScope;
import com.fastn.context.FastnContext;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.ContextKey;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** Budget "make current + restore": inside of something that is current already, as nearly always. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class MakeCurrentBenchmark {
    private static final ThreadLocal<Object> LOCAL = new ThreadLocal<>();

    private FastnContext child = Trees.runtime().root();
    private Context context = Context.root();

    @Setup
    public void open() {
        child = Trees.runtime().root().child("request").open();
        context = Context.root().with(ContextKey.named("request"), "request");
        LOCAL.set("outer");
    }

    @Benchmark
    public FastnContext ours() {
        try (ContextScope scope = child.makeCurrent()) {
            return child;
        }
    }

    @Benchmark
    public Context openTelemetry() {
        try (io.opentelemetry.context.Scope scope = context.makeCurrent()) {
            return context;
        }
    }

    /** Set, and put back what was there: what any of them has to do. */
    @Benchmark
    public Object limit() {
        Object before = LOCAL.get();
        LOCAL.set(child);
        LOCAL.set(before);
        return child;
    }
}
