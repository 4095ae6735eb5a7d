package com.fastn.context.vertx;

import com.fastn.context.engine.ContextNode;
import com.fastn.context.status.FinishedContext;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.vertx.core.internal.ContextInternal;

/**
 * The trace and span id of the application's own OpenTelemetry, as data of the context that the span is about. Without the
 * OpenTelemetry API on the class path there are none.
 */
final class TraceIds {
    static final String TRACE = FinishedContext.TRACE_ID;
    static final String SPAN = "span_id";

    private static final boolean HAS_API = hasApi();

    private TraceIds() {}

    private static boolean hasApi() {
        try {
            Class.forName("io.opentelemetry.api.trace.Span", false, TraceIds.class.getClassLoader());
            return true;
        } catch (ClassNotFoundException | LinkageError e) {
            return false;
        }
    }

    /** Keeps the ids of the span that is the current one on a Vert.x context. */
    static void keep(ContextInternal place, ContextNode context) {
        if (HAS_API) {
            // OpenTelemetry looks where it is called, and this may not be called there.
            ContextInternal before = place.beginDispatch();
            try {
                Api.keep(context);
            } finally {
                place.endDispatch(before);
            }
        }
    }

    /** Loaded only where the API is. */
    private static final class Api {
        static void keep(ContextNode context) {
            SpanContext span = Span.current().getSpanContext();
            if (span.isValid()) {
                context.setData(TRACE, span.getTraceId());
                context.setData(SPAN, span.getSpanId());
            }
        }
    }
}
