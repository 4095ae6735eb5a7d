package com.fastn.context.vertx;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import com.fastn.context.FastnContext;
import com.fastn.context.status.ContextKind;
import com.fastn.context.status.ContextState;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.impl.VertxBootstrapImpl;
import io.vertx.core.internal.VertxBootstrap;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

/** A Vertx whose place for a tracer somebody else has taken from us. */
@ExtendWith(OwnTree.class)
class LostTracerTest {
    private static final String HOST = "127.0.0.1";
    // More than the buffers of two sockets take.
    private static final int LARGE = 64 * 1024 * 1024;
    // Before what is told of the end of a stream is believed.
    private static final Duration SOON = Duration.ofMillis(500);

    private final List<RoutingContext> routings = new CopyOnWriteArrayList<>();
    private final List<Front> verticles = new CopyOnWriteArrayList<>();
    private Vertx vertx;
    private List<String> logged;
    private HttpClient client;

    static Vertx withoutTracer() {
        VertxBootstrapImpl bootstrap = (VertxBootstrapImpl) VertxBootstrap.create();
        bootstrap.init();
        bootstrap.tracer(null);
        return bootstrap.vertx();
    }

    @BeforeEach
    void lose() {
        Logger log = (Logger) LoggerFactory.getLogger(TracerSlot.class);
        ListAppender<ILoggingEvent> lines = new ListAppender<>();
        lines.start();
        log.addAppender(lines);
        try {
            vertx = withoutTracer();
        } finally {
            log.detachAppender(lines);
        }
        client = vertx.createHttpClient();
        logged = lines.list.stream().map(ILoggingEvent::getFormattedMessage).toList();
    }

    @AfterEach
    void close() {
        Waiting.result(vertx.close());
    }

    @Test
    void itIsSaidOnceWithTheWayOut() {
        FastnVertx.install(vertx);
        assertThat(logged)
                .singleElement()
                .asString()
                .contains("it has no tracer of ours")
                .contains("WebContexts.requests()");
    }

    /** Serves, and gives the port. */
    private int serve(boolean observed) {
        return serve(observed, new HttpServerOptions());
    }

    private int serve(boolean observed, HttpServerOptions options) {
        CompletableFuture<HttpServer> server = new CompletableFuture<>();
        Front web = new Front() {
            @Override
            public Future<?> start() {
                Router router = Router.router(vertx);
                if (observed) {
                    router.route().handler(WebContexts.requests());
                }
                router.route("/old/:id").handler(routing -> routing.reroute("/orders/17"));
                router.route("/orders/:id").handler(routings::add);
                return vertx.createHttpServer(options)
                        .requestHandler(router)
                        .listen(0, HOST)
                        .onSuccess(server::complete);
            }
        };
        verticles.add(web);
        Waiting.result(vertx.deployVerticle(web));
        return Waiting.result(server).actualPort();
    }

    private HttpClient client(HttpVersion version) {
        return vertx.createHttpClient(
                new HttpClientOptions().setProtocolVersion(version).setHttp2ClearTextUpgrade(false));
    }

    private Future<Buffer> get(int port, HttpVersion version) {
        return get(port, version, "/orders/17");
    }

    private Future<Buffer> get(int port, HttpVersion version, String path) {
        client = client(version);
        return client.request(HttpMethod.GET, port, HOST, path)
                .compose(request -> request.send().compose(HttpClientResponse::body));
    }

    @Test
    void withoutTheHandlerARequestIsTheVerticles() {
        Future<Buffer> answer = get(serve(false), HttpVersion.HTTP_1_1);
        Waiting.until(() -> !routings.isEmpty());
        assertThat(WebContexts.context(routings.get(0)).kind()).isEqualTo(ContextKind.SERVICE);
        routings.get(0).end("x");
        Waiting.result(answer);
    }

    @Test
    void whoAsksForTheContextOfARequestInstallsNone() {
        Vertx plain = FastnVertx.withoutContexts(Vertx::vertx);
        try {
            Router router = Router.router(plain);
            CompletableFuture<FastnContext> context = new CompletableFuture<>();
            router.route().handler(routing -> {
                context.complete(WebContexts.context(routing));
                routing.end();
            });
            int port = Waiting.result(
                            plain.createHttpServer().requestHandler(router).listen(0, HOST))
                    .actualPort();
            Waiting.result(get(port, HttpVersion.HTTP_1_1));
            assertThat(Waiting.result(context).parent()).isNull();
            assertThat(FastnVertx.installedIn(plain)).isNull();
        } finally {
            Waiting.result(plain.close());
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = HttpVersion.class,
            names = {"HTTP_1_1", "HTTP_2"})
    void withTheHandlerARequestIsAChildOfItsPortUntilItsEnd(HttpVersion version) {
        int port = serve(true);
        Future<Buffer> answer = get(port, version);
        Waiting.until(() -> !routings.isEmpty());
        RoutingContext routing = routings.get(0);
        FastnContext request = WebContexts.context(routing);
        assertThat(request.name()).isEqualTo("GET /orders/:id");
        assertThat(request.kind()).isEqualTo(ContextKind.REQUEST);
        FastnContext listener = requireNonNull(request.parent());
        assertThat(listener.name()).isEqualTo("http:" + port);
        Waiting.result(routing.response().setChunked(true).write("first"));
        assertThat(request.state()).isEqualTo(ContextState.ACTIVE);
        // On its event loop: for a thread that stands still in the middle of it nobody waits.
        Waiting.on(verticles.get(0).place(), () -> routing.response().end("last"));
        Waiting.until(() -> request.state() == ContextState.CLOSED);
        assertThat(Waiting.result(answer).toString()).isEqualTo("firstlast");
        assertThat(request.getTotal("requests")).isEqualTo(1);
        assertThat(request.getTotal("successful_requests")).isEqualTo(1);
        assertThat(listener.getTotal("connections")).isEqualTo(1);
    }

    /** Over HTTP/2 the event loop may tell that a stream was closed before the other thread tells that it has ended the response. */
    @ParameterizedTest
    @ValueSource(strings = {"/orders/17", "/old/17"})
    void aResponseThatAnotherThreadEndsIsNeverCutOffByTheEndOfItsStream(String path) {
        int port = serve(true);
        int requests = 100;
        int late = 0;
        for (int count = 0; count < requests; count++) {
            int next = count;
            Future<Buffer> answer = get(port, HttpVersion.HTTP_2, path);
            Waiting.until(() -> routings.size() > next);
            FastnContext request = WebContexts.context(routings.get(next));
            long began = System.nanoTime();
            Future<Void> sent = routings.get(next).response().end("x");
            boolean soon = System.nanoTime() - began < SOON.toNanos();
            assertThat(Waiting.result(answer).toString()).isEqualTo("x");
            Waiting.until(() -> request.state() == ContextState.CLOSED);
            Waiting.result(sent);
            if (soon) {
                assertThat(request.isCancelled()).isFalse();
            } else {
                // For a thread that stood still in the middle of it nobody waits.
                late++;
            }
        }
        // Those of one path are summed up.
        FastnContext last = WebContexts.context(routings.get(requests - 1));
        assertThat(last.subtreeTotal("successful_requests")).isBetween((long) requests - late, (long) requests);
        assertThat(last.subtreeTotal("cancelled_requests")).isBetween(0L, (long) late);
    }

    /** It has ended for Vert.x before anything of it was sent. */
    @Test
    void aFileThatHttp2DoesNotSendIsACancelledRequestOnceItsPeerLeaves(@TempDir Path directory) throws IOException {
        Path file = Files.writeString(directory.resolve("file"), "x");
        int port = serve(true);
        Future<Buffer> answer = get(port, HttpVersion.HTTP_2);
        Waiting.until(() -> !routings.isEmpty());
        FastnContext request = WebContexts.context(routings.get(0));
        try (RandomAccessFile opened = new RandomAccessFile(file.toFile(), "r")) {
            assertThat(Waiting.failure(routings.get(0).response().sendFile(opened, 0, 1)))
                    .isNotNull();
            Waiting.result(client.close());
            wasCutOff(request);
        }
        assertThat(Waiting.failure(answer)).isNotNull();
    }

    @Test
    void aFileThatItsPeerOfHttp2DoesNotReadToTheEndIsACancelledRequest(@TempDir Path directory) throws IOException {
        assumeFalse(VertxLine.isFiveZero(), "Vert.x 5.0 has one implementation of HTTP/2 only");
        Path file = directory.resolve("large");
        try (RandomAccessFile large = new RandomAccessFile(file.toFile(), "rw")) {
            large.setLength(LARGE);
        }
        int port = serve(true, new HttpServerOptions().setHttp2MultiplexImplementation(true));
        client = client(HttpVersion.HTTP_2);
        HttpClientRequest asked = Waiting.result(client.request(HttpMethod.GET, port, HOST, "/orders/17"));
        asked.response().onSuccess(HttpClientResponse::pause);
        Waiting.result(asked.end());
        Waiting.until(() -> !routings.isEmpty());
        FastnContext request = WebContexts.context(routings.get(0));
        Future<Void> sent = routings.get(0).response().sendFile(file.toString());
        Waiting.result(asked.response());
        assertThat(routings.get(0).response().ended()).isTrue();
        Waiting.result(asked.connection().close());
        wasCutOff(request);
        assertThat(Waiting.failure(sent)).isNotNull();
    }

    private static void wasCutOff(FastnContext request) {
        Waiting.until(() -> request.state() == ContextState.CLOSED);
        assertThat(request.isCancelled()).isTrue();
        assertThat(request.getTotal("cancelled_requests")).isEqualTo(1);
        assertThat(request.getTotal("successful_requests")).isZero();
    }

    @ParameterizedTest
    @EnumSource(
            value = HttpVersion.class,
            names = {"HTTP_1_1", "HTTP_2"})
    void aPeerThatLeavesCancelsItsRequest(HttpVersion version) {
        Future<Buffer> answer = get(serve(true), version);
        Waiting.until(() -> !routings.isEmpty());
        FastnContext request = WebContexts.context(routings.get(0));
        Waiting.result(client.close());
        Waiting.until(() -> request.state() == ContextState.CLOSED);
        assertThat(request.isCancelled()).isTrue();
        assertThat(request.getTotal("cancelled_requests")).isEqualTo(1);
        assertThat(Waiting.failure(answer)).isNotNull();
    }
}
