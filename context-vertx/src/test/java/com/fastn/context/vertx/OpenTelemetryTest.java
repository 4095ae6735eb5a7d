package com.fastn.context.vertx;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.FastnContext;
import com.fastn.context.status.FinishedContext;
import io.opentelemetry.api.GlobalOpenTelemetry;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.api.trace.TracerProvider;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.propagation.ContextPropagators;
import io.opentelemetry.sdk.trace.ReadWriteSpan;
import io.opentelemetry.sdk.trace.ReadableSpan;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.SpanProcessor;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.http.HttpClient;
import io.vertx.tracing.opentelemetry.OpenTelemetryOptions;
import io.vertx.tracing.opentelemetry.OpenTelemetryTracingFactory;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The application's OpenTelemetry, the real one, works beside ours. */
@ExtendWith(OwnTree.class)
class OpenTelemetryTest {
    private final Spans spans = new Spans();
    private final SdkTracerProvider tracers =
            SdkTracerProvider.builder().addSpanProcessor(spans).build();
    private @Nullable Vertx open;
    private @Nullable HttpClient client;

    /** All of OpenTelemetry that the module of Vert.x needs; its metrics and logs stay out of this test. */
    private final OpenTelemetry telemetry = new OpenTelemetry() {
        @Override
        public TracerProvider getTracerProvider() {
            return tracers;
        }

        @Override
        public Tracer getTracer(String name) {
            return tracers.get(name);
        }

        @Override
        public ContextPropagators getPropagators() {
            return ContextPropagators.create(W3CTraceContextPropagator.getInstance());
        }
    };

    @AfterEach
    void close() {
        if (open != null) {
            Waiting.result(open.close());
        }
        tracers.close();
    }

    private enum Installed {
        BY_THE_BUILDER,
        AS_A_SERVICE,
        AND_OURS_ONCE_MORE_AFTERWARDS
    }

    private Vertx vertx(Installed how) {
        if (how != Installed.AS_A_SERVICE) {
            return Vertx.builder()
                    .withTracer(new OpenTelemetryTracingFactory(telemetry))
                    .build();
        }
        GlobalOpenTelemetry.resetForTest();
        GlobalOpenTelemetry.set(telemetry);
        try {
            return Vertx.vertx(new VertxOptions().setTracingOptions(new OpenTelemetryOptions()));
        } finally {
            GlobalOpenTelemetry.resetForTest();
        }
    }

    @ParameterizedTest
    @EnumSource
    void spansOfBothAreSeenAndOurContextHasTheIdsOfTheirs(Installed how) {
        Vertx vertx = vertx(how);
        open = vertx;
        if (how == Installed.AND_OURS_ONCE_MORE_AFTERWARDS) {
            FastnVertx.builder().alias("alice").install(vertx);
        }
        client = vertx.createHttpClient();
        TracedShop served = TracedShop.serveOne(vertx, client);
        FastnContext request = served.request();
        FastnContext message = served.message();
        Waiting.until(() ->
                spans.ended.stream().anyMatch(span -> span.getSpanId().equals(text(request, TraceIds.SPAN))));
        SpanData server = spans.ended.stream()
                .filter(span -> span.getSpanId().equals(text(request, TraceIds.SPAN)))
                .findFirst()
                .orElseThrow();
        assertThat(server.getKind()).isEqualTo(SpanKind.SERVER);
        assertThat(text(request, TraceIds.TRACE)).isEqualTo(server.getTraceId());
        // One trace all the way: ours has not come between.
        assertThat(spans.ended).extracting(SpanData::getTraceId).containsOnly(server.getTraceId());
        assertThat(text(message, TraceIds.TRACE)).isEqualTo(server.getTraceId());
        assertThat(text(message, TraceIds.SPAN)).isNotEqualTo(server.getSpanId());
        for (FastnContext ended : List.of(request, message)) {
            Waiting.until(() -> recent(ended) != null);
            assertThat(requireNonNull(recent(ended)).traceId()).isEqualTo(server.getTraceId());
        }
    }

    @Test
    void withoutASpanThereAreNoIds() {
        Vertx vertx = Vertx.vertx();
        open = vertx;
        Service bank = Service.deploy(vertx, "bank.pay", message -> message.reply("paid"));
        Waiting.result(vertx.eventBus().request("bank.pay", 1));
        assertThat(bank.only().getData(TraceIds.TRACE)).isNull();
    }

    private static @Nullable FinishedContext recent(FastnContext context) {
        return context.runtime().recent().stream()
                .filter(ended -> ended.id() == context.id())
                .findFirst()
                .orElse(null);
    }

    private static String text(FastnContext context, String key) {
        return requireNonNull(context.getData(key), key).asText();
    }

    private static final class Spans implements SpanProcessor {
        final List<SpanData> ended = new CopyOnWriteArrayList<>();

        @Override
        public void onStart(Context parent, ReadWriteSpan span) {}

        @Override
        public boolean isStartRequired() {
            return false;
        }

        @Override
        public void onEnd(ReadableSpan span) {
            ended.add(span.toSpanData());
        }

        @Override
        public boolean isEndRequired() {
            return true;
        }
    }
}
