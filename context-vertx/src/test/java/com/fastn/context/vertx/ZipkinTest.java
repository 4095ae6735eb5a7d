package com.fastn.context.vertx;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpServer;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.core.spi.VertxServiceProvider;
import io.vertx.tracing.zipkin.HttpSenderOptions;
import io.vertx.tracing.zipkin.ZipkinTracerFactory;
import io.vertx.tracing.zipkin.ZipkinTracingOptions;
import java.io.IOException;
import java.net.URL;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.Enumeration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The application's Zipkin, the real one, works beside ours: its spans arrive where it sends them. */
@ExtendWith(OwnTree.class)
class ZipkinTest {
    private static final String HOST = "127.0.0.1";

    private final List<JsonObject> spans = new CopyOnWriteArrayList<>();
    private final Vertx zipkin = FastnVertx.withoutContexts(Vertx::vertx);
    private ZipkinTracingOptions options;
    private @Nullable Vertx open;
    // One that nobody refers to is closed.
    private @Nullable HttpClient client;

    @BeforeEach
    void collect() {
        HttpServer collector = Waiting.result(zipkin.createHttpServer()
                .requestHandler(request -> request.body().onSuccess(body -> {
                    for (Object span : new JsonArray(body)) {
                        spans.add((JsonObject) span);
                    }
                    request.response().setStatusCode(202).end();
                }))
                .listen(0, HOST));
        options = new ZipkinTracingOptions()
                .setServiceName("shop")
                .setSenderOptions(new HttpSenderOptions()
                        .setSenderEndpoint("http://" + HOST + ":" + collector.actualPort() + "/api/v2/spans"));
    }

    @AfterEach
    void close() {
        if (open != null) {
            Waiting.result(open.close());
        }
        Waiting.result(zipkin.close());
    }

    private enum Installed {
        BY_THE_BUILDER,
        AS_A_SERVICE_BEFORE_OURS,
        AS_A_SERVICE_AFTER_OURS,
        AND_OURS_ONCE_MORE_AFTERWARDS
    }

    private Vertx vertx(Installed how) {
        VertxOptions traced = new VertxOptions().setTracingOptions(options);
        if (how == Installed.BY_THE_BUILDER || how == Installed.AND_OURS_ONCE_MORE_AFTERWARDS) {
            return Vertx.builder()
                    .with(traced)
                    .withTracer(new ZipkinTracerFactory())
                    .build();
        }
        ClassLoader before = Thread.currentThread().getContextClassLoader();
        Thread.currentThread().setContextClassLoader(new Services(how == Installed.AS_A_SERVICE_BEFORE_OURS));
        try {
            return Vertx.vertx(traced);
        } finally {
            Thread.currentThread().setContextClassLoader(before);
        }
    }

    /** Finds the services of Vert.x in an order, and no other tracer, of which Vert.x would take the first. */
    private static final class Services extends ClassLoader {
        private static final String PROVIDERS = "META-INF/services/" + VertxServiceProvider.class.getName();

        private final boolean zipkinFirst;

        Services(boolean zipkinFirst) {
            super(ZipkinTest.class.getClassLoader());
            this.zipkinFirst = zipkinFirst;
        }

        @Override
        public Enumeration<URL> getResources(String name) throws IOException {
            List<URL> found = new ArrayList<>(Collections.list(super.getResources(name)));
            if (name.equals(PROVIDERS)) {
                found.removeIf(url -> url.getPath().contains("vertx-opentelemetry"));
                Comparator<URL> zipkinLast =
                        Comparator.comparing(url -> url.getPath().contains("vertx-zipkin"));
                found.sort(zipkinFirst ? zipkinLast.reversed() : zipkinLast);
            }
            return Collections.enumeration(found);
        }
    }

    @ParameterizedTest
    @EnumSource
    void itsSpansAndOurContextsAreBothSeen(Installed how) {
        Vertx vertx = vertx(how);
        open = vertx;
        if (how == Installed.AND_OURS_ONCE_MORE_AFTERWARDS) {
            FastnVertx.builder().alias("alice").install(vertx);
        }
        client = zipkin.createHttpClient();
        TracedShop.serveOne(vertx, client);
        // The request, the question on the bus, and the answer to it: one trace all the way, ours has not come between.
        Waiting.until(() -> spans.size() >= 3);
        assertThat(spans)
                .extracting(span -> span.getString("traceId"))
                .hasSize(3)
                .containsOnly(spans.get(0).getString("traceId"));
        assertThat(spans)
                .extracting(span -> span.getString("kind"))
                .containsExactlyInAnyOrder("SERVER", "CLIENT", "SERVER");
        assertThat(spans)
                .filteredOn(span -> !span.getString("id").equals(span.getString("traceId")))
                .extracting(span -> span.getString("parentId"))
                .hasSize(2)
                .containsOnly(spans.get(0).getString("traceId"));
    }
}
