package com.fastn.verification.benchmarks;

import com.fastn.context.ContextRuntime;
import com.fastn.context.FastnContext;
import com.fastn.context.status.ContextKind;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.sdk.trace.ReadWriteSpan;
import io.opentelemetry.sdk.trace.ReadableSpan;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.SpanProcessor;
import java.util.ArrayList;
import java.util.List;

/** What several benchmarks begin with. */
final class Trees {
    /** How many children a context of a filled tree has. */
    static final int FAN_OUT = 10;

    private Trees() {}

    static ContextRuntime runtime() {
        return ContextRuntime.builder().rootName("benchmark").build();
    }

    /** Opens contexts, each with {@link #FAN_OUT} children, until the tree with its root has that many. */
    static void fill(ContextRuntime runtime, int contexts) {
        List<FastnContext> all = new ArrayList<>(contexts);
        all.add(runtime.root());
        for (int parent = 0; all.size() < contexts; parent++) {
            for (int i = 0; i < FAN_OUT && all.size() < contexts; i++) {
                all.add(all.get(parent)
                        .child("part-" + i)
                        .withKind(ContextKind.TASK)
                        .open());
            }
        }
    }

    static void fill(LinkedNode root, int contexts) {
        List<LinkedNode> all = new ArrayList<>(contexts);
        all.add(root);
        for (int parent = 0; all.size() < contexts; parent++) {
            for (int i = 0; i < FAN_OUT && all.size() < contexts; i++) {
                all.add(all.get(parent).open("part-" + i));
            }
        }
    }

    /** {@return a tracer of the SDK whose spans record and are handed to nobody} */
    static Tracer tracer() {
        // Without any processor the SDK would make no spans at all.
        return SdkTracerProvider.builder()
                .addSpanProcessor(new Uninterested())
                .build()
                .get("benchmark");
    }

    private static final class Uninterested implements SpanProcessor {
        @Override
        public void onStart(Context parent, ReadWriteSpan span) {}

        @Override
        public boolean isStartRequired() {
            return true;
        }

        @Override
        public void onEnd(ReadableSpan span) {}

        @Override
        public boolean isEndRequired() {
            return true;
        }
    }
}
