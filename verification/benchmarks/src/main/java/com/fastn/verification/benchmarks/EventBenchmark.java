package com.fastn.verification.benchmarks;

import com.fastn.context.ContextRuntime;
import com.fastn.context.FastnContext;
import com.fastn.context.event.ContextEvent;
import com.fastn.context.status.MetricValue;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/**
 * Budget "event, nobody listening": a metric changes, which is an event. What the event costs is the distance to
 * {@link #withoutEvents}, which does the rest of it: a monitor, a comparison and a map. {@link #publishToNobody} is what an event
 * takes that is made and sent before anybody asks whether somebody listens.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class EventBenchmark {
    private static final int MESSAGES = 1_000;

    private final MetricValue even = MetricValue.counter(2);
    private final MetricValue odd = MetricValue.counter(3);
    private final Map<String, MetricValue> map = new LinkedHashMap<>(4);
    private final FastnContext unheard = Trees.runtime().root().child("service").open();
    private final ContextRuntime watchedRuntime = Trees.runtime();
    private final FastnContext watched = watchedRuntime.root().child("service").open();
    private final ContextRuntime heardRuntime = Trees.runtime();
    private final FastnContext heard = heardRuntime.root().child("service").open();
    private int calls;
    private volatile Object[] listeners = {};
    private @Nullable ContextEvent last;

    @Setup
    public void listen() {
        var unused = heardRuntime.addListener(event -> last = event);
        var unusedHook = watchedRuntime.onFirstChange(() -> {});
    }

    private MetricValue next() {
        return (calls++ & 1) == 0 ? even : odd;
    }

    @Benchmark
    public void ours() {
        unheard.addMetric("size", next());
    }

    /** Somebody follows the status, and has looked at the last change or not. */
    @Benchmark
    public void oursWatched() {
        watched.addMetric("size", next());
    }

    @Benchmark
    public @Nullable ContextEvent oursWithAListener() {
        heard.addMetric("size", next());
        return last;
    }

    @Benchmark
    public boolean withoutEvents() {
        MetricValue value = next();
        synchronized (map) {
            return !value.equals(map.put("size", value));
        }
    }

    /** A message of Vert.x that nobody consumes, without this library, on its event loop. */
    @Benchmark
    @OperationsPerInvocation(MESSAGES)
    public int publishToNobody(PlainLoop loop) {
        return loop.run(() -> {
            for (int i = 0; i < MESSAGES; i++) {
                loop.vertx().eventBus().publish("nobody", "size");
            }
            return MESSAGES;
        });
    }

    @Benchmark
    public boolean limit() {
        return listeners.length != 0;
    }
}
