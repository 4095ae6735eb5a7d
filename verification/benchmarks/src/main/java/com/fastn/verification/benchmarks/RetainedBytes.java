package com.fastn.verification.benchmarks;

import com.fastn.context.FastnContext;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import java.lang.management.ManagementFactory;
import java.lang.ref.Reference;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import kotlinx.coroutines.CompletableJob;
import kotlinx.coroutines.JobKt;

/**
 * Budget "bytes kept per node": how much the heap has grown when many are open, each divided by their number. Names are one
 * shared text, so they are not in it. This is no benchmark of JMH, which measures what is allocated and not what stays.
 */
public final class RetainedBytes {
    private static final int NODES = 400_000;

    private RetainedBytes() {}

    /**
     * Prints a line for each kind of node.
     *
     * @param arguments how many nodes, or nothing
     */
    public static void main(String[] arguments) {
        int nodes = arguments.length == 0 ? NODES : Integer.parseInt(arguments[0]);
        measureAll(nodes).forEach((what, bytes) -> System.out.printf("%-28s %6.1f B%n", what, bytes));
    }

    /** Measures all kinds, in the order in which they are shown. */
    static Map<String, Double> measureAll(int nodes) {
        FastnContext bare = Trees.runtime().root();
        FastnContext labelled = Trees.runtime().root();
        CompletableJob job = JobKt.Job(null);
        Tracer tracer = Trees.tracer();
        Context span = Context.root().with(tracer.spanBuilder("service").startSpan());
        LinkedNode node = new LinkedNode(null, "service");
        List<Object> all = List.of(bare, labelled, job, span, node);
        Map<String, Double> bytes = new LinkedHashMap<>();
        try {
            bytes.put("ours, bare", measure(nodes, () -> bare.child("request").open()));
            bytes.put(
                    "ours, with a label",
                    measure(
                            nodes,
                            () -> labelled.child("request")
                                    .withLabel("GET /orders")
                                    .open()));
            bytes.put("Kotlin Job", measure(nodes, () -> JobKt.Job(job)));
            bytes.put(
                    "OpenTelemetry span",
                    measure(
                            nodes,
                            () -> tracer.spanBuilder("request").setParent(span).startSpan()));
            bytes.put("limit, links and a name", measure(nodes, () -> node.open("request")));
        } finally {
            // What one measure has left stays until the last is done, so that it is the same before and after.
            Reference.reachabilityFence(all);
        }
        return bytes;
    }

    private static double measure(int nodes, Supplier<Object> open) {
        Object[] kept = new Object[nodes];
        try {
            // Classes are loaded and tables made before the count begins.
            kept[0] = open.get();
            long before = used();
            for (int i = 1; i < nodes; i++) {
                kept[i] = open.get();
            }
            return (double) (used() - before) / (nodes - 1);
        } finally {
            // Nobody reads them, so without this the collector takes them as soon as it likes.
            Reference.reachabilityFence(kept);
        }
    }

    private static long used() {
        for (int i = 0; i < 3; i++) {
            System.gc();
        }
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }
}
