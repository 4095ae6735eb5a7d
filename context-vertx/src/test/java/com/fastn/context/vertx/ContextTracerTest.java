package com.fastn.context.vertx;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.FastnContext;
import com.fastn.context.engine.ContextNode;
import com.fastn.context.engine.EngineRuntime;
import com.fastn.context.status.ContextKind;
import com.fastn.context.status.ContextState;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.RequestOptions;
import io.vertx.core.net.NetClient;
import io.vertx.core.spi.VertxTracerFactory;
import io.vertx.core.spi.tracing.SpanKind;
import io.vertx.core.spi.tracing.TagExtractor;
import io.vertx.core.spi.tracing.VertxTracer;
import io.vertx.core.tracing.TracingOptions;
import io.vertx.core.tracing.TracingPolicy;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Enumeration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** The tracer that a user has installed works as it does without ours. */
@ExtendWith(OwnTree.class)
class ContextTracerTest {
    private final List<FastnContext> seen = new CopyOnWriteArrayList<>();
    private @Nullable Vertx open;
    // A client that nothing refers to is closed by the garbage collector.
    private final List<Object> clients = new CopyOnWriteArrayList<>();

    @AfterEach
    void close() {
        if (open != null) {
            Waiting.result(open.close());
        }
        clients.clear();
    }

    private Vertx vertx(VertxTracer<?, ?> tracer) {
        Vertx vertx = Vertx.builder().withTracer(factory(tracer)).build();
        open = vertx;
        return vertx;
    }

    private static VertxTracerFactory factory(VertxTracer<?, ?> tracer) {
        return new VertxTracerFactory() {
            @Override
            public VertxTracer<?, ?> tracer(TracingOptions options) {
                return tracer;
            }
        };
    }

    /** One call of a client to a server of the same Vertx. */
    private Buffer call(Vertx vertx) {
        HttpServer server = Waiting.result(vertx.createHttpServer()
                .requestHandler(request -> {
                    seen.add(FastnContext.current());
                    request.response().setStatusCode(201).end("x");
                })
                .listen(0, "127.0.0.1"));
        HttpClient calling = vertx.createHttpClient();
        clients.add(calling);
        return Waiting.onDuplicate(
                Front.deploy(vertx).place(),
                () -> FutureContext.current()
                        .child("call")
                        .run(ctx -> calling.request(HttpMethod.GET, server.actualPort(), "127.0.0.1", "/x")
                                .compose(HttpClientRequest::send)
                                .compose(response -> response.body())));
    }

    private void nothingIsLeft(Vertx vertx) {
        EngineRuntime runtime = (EngineRuntime) FastnVertx.install(vertx).runtime();
        Waiting.until(() -> runtime.root().subtreeLive("requests") == 0);
        assertThat(seen)
                .isNotEmpty()
                .allSatisfy(context -> assertThat(context.kind()).isEqualTo(ContextKind.REQUEST));
        Waiting.until(() -> runtime.status().globalContext().children().stream()
                .allMatch(service -> service.kind() == ContextKind.SERVICE
                        && service.children().isEmpty()
                        && service.operations().isEmpty()));
    }

    @Test
    void theUsersTracerGetsAllFourCallbacksWithItsOwnPayloads() {
        Recording users = new Recording();
        Vertx vertx = vertx(users);
        call(vertx);
        Waiting.until(() -> users.lines.size() == 4);
        assertThat(users.lines)
                .containsExactlyInAnyOrder(
                        "sendRequest GET -> 1",
                        "receiveRequest GET -> 2",
                        "sendResponse 2 201",
                        "receiveResponse 1 201");
        nothingIsLeft(vertx);
    }

    /** A method is any word that somebody sent on; a name that the application gave to the operation is its own. */
    @Test
    void whatAClientPassesOnAsAMethodIsNoNameOfACall() {
        Vertx vertx = vertx(new Recording());
        assertThat(nameOf(vertx, new RequestOptions().setMethod(HttpMethod.valueOf("BREW-17"))))
                .startsWith("OTHER 127.0.0.1:");
        assertThat(nameOf(vertx, new RequestOptions().setMethod(HttpMethod.PUT).setTraceOperation("price")))
                .startsWith("price 127.0.0.1:");
    }

    /** What the call of a request is called while it is served. */
    private String nameOf(Vertx vertx, RequestOptions request) {
        List<FastnContext> callers = new CopyOnWriteArrayList<>();
        HttpServer server = Waiting.result(vertx.createHttpServer()
                .requestHandler(asked -> asked.response()
                        .end(requireNonNull(((ContextNode) callers.get(0)).latestOperation())
                                .name()))
                .listen(0, "127.0.0.1"));
        HttpClient calling = vertx.createHttpClient();
        clients.add(calling);
        return Waiting.<Buffer>onDuplicate(
                        Front.deploy(vertx).place(),
                        () -> FutureContext.current().child("call").run(ctx -> {
                            callers.add(ctx.context());
                            return calling.request(request.setHost("127.0.0.1").setPort(server.actualPort()))
                                    .compose(HttpClientRequest::send)
                                    .compose(response -> response.body());
                        }))
                .toString();
    }

    @Test
    void theUsersTracerIsToldOfMessagesAsWithoutUs() {
        Recording with = new Recording();
        Recording without = new Recording();
        Vertx vertx = vertx(with);
        talk(vertx);
        Vertx plain = FastnVertx.withoutContexts(
                () -> Vertx.builder().withTracer(factory(without)).build());
        try {
            talk(plain);
        } finally {
            Waiting.result(plain.close());
        }
        Waiting.until(() -> with.lines.size() >= without.lines.size());
        assertThat(kinds(with)).isNotEmpty().containsExactlyInAnyOrderElementsOf(kinds(without));
    }

    /** Of a message Vert.x tells it no end. */
    @Test
    void aUsersTracerThatMakesNoPayloadsIsToldOfMessagesAsWithoutUs() {
        Recording with = withoutPayloads();
        Recording without = withoutPayloads();
        Vertx vertx = vertx(with);
        talk(vertx);
        Vertx plain = FastnVertx.withoutContexts(
                () -> Vertx.builder().withTracer(factory(without)).build());
        try {
            talk(plain);
        } finally {
            Waiting.result(plain.close());
        }
        Waiting.until(() -> with.lines.size() >= without.lines.size());
        assertThat(kinds(with)).isNotEmpty().containsExactlyInAnyOrderElementsOf(kinds(without));
    }

    private static Recording withoutPayloads() {
        return new Recording() {
            @Override
            @Nullable
            Object payload() {
                return null;
            }
        };
    }

    /** Which number a payload has is a matter of who came first. */
    private static List<String> kinds(Recording tracer) {
        return tracer.lines.stream().map(line -> line.replaceAll("\\d", "n")).toList();
    }

    private static void talk(Vertx vertx) {
        Waiting.result(vertx.eventBus()
                .consumer("bank.pay", message -> {
                    if (message.replyAddress() != null) {
                        message.reply("paid");
                    }
                })
                .completion());
        Front front = Front.deploy(vertx);
        Waiting.onDuplicate(front.place(), () -> vertx.eventBus().request("bank.pay", 1));
        Waiting.onDuplicate(
                front.place(), () -> vertx.eventBus().request("nobody", 1).otherwiseEmpty());
        Waiting.onDuplicate(front.place(), () -> {
            vertx.eventBus().send("bank.pay", 2);
            return vertx.eventBus().request("bank.pay", 3);
        });
    }

    @Test
    void aTracerThatIsFoundAsAServiceIsToldThoughOurServiceComesFirst(@TempDir Path services) throws IOException {
        Path file = services.resolve("META-INF/services/io.vertx.core.spi.VertxServiceProvider");
        Files.createDirectories(requireNonNull(file.getParent()));
        Files.writeString(file, FoundFactory.class.getName());
        ClassLoader before = Thread.currentThread().getContextClassLoader();
        Vertx vertx;
        // Its services come before those of the class path, among which is the factory of OpenTelemetry.
        try (URLClassLoader more =
                new URLClassLoader(new URL[] {services.toUri().toURL()}, before) {
                    @Override
                    public Enumeration<URL> getResources(String name) throws IOException {
                        List<URL> ours = new ArrayList<>(Collections.list(findResources(name)));
                        ours.addAll(Collections.list(before.getResources(name)));
                        return Collections.enumeration(ours);
                    }
                }) {
            Thread.currentThread().setContextClassLoader(more);
            vertx = Vertx.vertx(new VertxOptions().setTracingOptions(new TracingOptions()));
        } finally {
            Thread.currentThread().setContextClassLoader(before);
        }
        open = vertx;
        call(vertx);
        Waiting.until(() -> FoundFactory.TRACER.lines.size() == 4);
        nothingIsLeft(vertx);
    }

    /** As the OpenTelemetry module has one. */
    public static final class FoundFactory implements VertxTracerFactory {
        private static final Recording TRACER = new Recording();

        @Override
        public VertxTracer<?, ?> tracer(TracingOptions options) {
            return TRACER;
        }
    }

    @Test
    void aUsersTracerThatMakesNoPayloadsDoesNotDisturbUs() {
        Vertx vertx = vertx(withoutPayloads());
        assertThat(call(vertx).toString()).isEqualTo("x");
        nothingIsLeft(vertx);
    }

    @Test
    void aUsersTracerThatThrowsAtTheEndLeavesNoContextOpen() {
        Recording users = new Recording() {
            @Override
            void ended() {
                throw new IllegalStateException("the user's tracer");
            }
        };
        Vertx vertx = vertx(users);
        open = vertx;
        HttpServer server = Waiting.result(vertx.createHttpServer()
                .requestHandler(request -> {
                    seen.add(FastnContext.current());
                    request.response().end("x");
                })
                .listen(0, "127.0.0.1"));
        // A plain peer: what the tracer throws on the client's side is the user's to suffer.
        NetClient connecting = vertx.createNetClient();
        clients.add(connecting);
        var peer = Waiting.result(connecting.connect(server.actualPort(), "127.0.0.1"));
        Waiting.result(peer.write("GET /x HTTP/1.1\r\nHost: x\r\n\r\n"));
        Waiting.until(() -> !seen.isEmpty());
        nothingIsLeft(vertx);
    }

    @Test
    void anOperationEndsThoughTheUsersTracerThrows() {
        Recording users = new Recording() {
            @Override
            void ended() {
                throw new IllegalStateException("the user's tracer");
            }
        };
        ContextTracer tracer = new ContextTracer(users);
        Vertx vertx = Vertx.vertx();
        open = vertx;
        tracer.bind(FastnVertx.install(vertx));
        Front front = Front.deploy(vertx);
        FastnContext service = Waiting.on(front.place(), () -> {
            Object payload = requireNonNull(tracer.sendRequest(
                    front.place(),
                    SpanKind.RPC,
                    TracingPolicy.PROPAGATE,
                    "x",
                    "query",
                    (k, v) -> {},
                    TagExtractor.empty()));
            try {
                tracer.receiveResponse(front.place(), null, payload, null, TagExtractor.empty());
                return Future.failedFuture("nothing was thrown");
            } catch (IllegalStateException e) {
                return Future.succeededFuture(FastnContext.current());
            }
        });
        assertThat(service.subtreeStatus().globalContext().operations()).isEmpty();
    }

    @Test
    void whatGoesWrongWithUsNeverReachesTheApplication() {
        ContextTracer tracer = new ContextTracer(null);
        Vertx vertx = Vertx.vertx();
        open = vertx;
        tracer.bind(FastnVertx.install(vertx));
        TagExtractor<String> broken = new TagExtractor<>() {
            @Override
            public int len(String request) {
                throw new IllegalStateException("no tags");
            }
        };
        Front front = Front.deploy(vertx);
        Waiting.onDuplicate(front.place(), () -> {
            Context here = requireNonNull(Vertx.currentContext());
            Object received =
                    tracer.receiveRequest(here, SpanKind.RPC, TracingPolicy.PROPAGATE, "x", "GET", List.of(), broken);
            FastnContext request = FastnContext.current();
            assertThat(request.name()).isEqualTo("GET /");
            Object sent =
                    tracer.sendRequest(here, SpanKind.RPC, TracingPolicy.PROPAGATE, "x", "query", (k, v) -> {}, broken);
            tracer.receiveResponse(here, "y", sent, null, broken);
            tracer.sendResponse(here, "y", received, null, broken);
            assertThat(request.state()).isEqualTo(ContextState.CLOSED);
            // Not ours at all.
            tracer.sendResponse(here, "y", "somebody's", null, broken);
            tracer.receiveResponse(here, "y", 17, null, broken);
            return Future.succeededFuture();
        });
    }

    @Test
    void theUsersTracerHearsNothingOfWhatWeSendOurselves() {
        Recording users = new Recording();
        Vertx vertx = vertx(users);
        List<Object> frames = new CopyOnWriteArrayList<>();
        Waiting.result(vertx.eventBus()
                .localConsumer(Addresses.EVENTS_COUNTERS, frames::add)
                .completion());
        FastnVertx.install(vertx).runtime().root().incrementTotal("x");
        Waiting.until(() -> !frames.isEmpty());
        assertThat(users.lines).isEmpty();
    }

    @Test
    void theUsersTracerIsClosedOnce() {
        AtomicInteger closed = new AtomicInteger();
        Recording users = new Recording() {
            @Override
            public void close() {
                closed.incrementAndGet();
            }
        };
        Waiting.result(vertx(users).close());
        open = null;
        assertThat(closed).hasValue(1);
    }

    /** A tracer that writes down what it is told. */
    private static class Recording implements VertxTracer<Object, Object> {
        final List<String> lines = new CopyOnWriteArrayList<>();
        private final AtomicInteger last = new AtomicInteger();

        @Nullable
        Object payload() {
            return last.incrementAndGet();
        }

        void ended() {}

        @Override
        public <R> @Nullable Object receiveRequest(
                Context context,
                SpanKind kind,
                TracingPolicy policy,
                R request,
                String operation,
                Iterable<Map.Entry<String, String>> headers,
                TagExtractor<R> tagExtractor) {
            Object payload = payload();
            lines.add("receiveRequest " + operation + " -> " + payload);
            return payload;
        }

        @Override
        public <R> void sendResponse(
                Context context,
                @Nullable R response,
                @Nullable Object payload,
                @Nullable Throwable failure,
                TagExtractor<R> tagExtractor) {
            lines.add("sendResponse " + payload + status(response, tagExtractor) + (failure == null ? "" : " failed"));
            ended();
        }

        @Override
        public <R> @Nullable Object sendRequest(
                Context context,
                SpanKind kind,
                TracingPolicy policy,
                R request,
                String operation,
                BiConsumer<String, String> headers,
                TagExtractor<R> tagExtractor) {
            Object payload = payload();
            lines.add("sendRequest " + operation + " -> " + payload);
            return payload;
        }

        @Override
        public <R> void receiveResponse(
                Context context,
                @Nullable R response,
                @Nullable Object payload,
                @Nullable Throwable failure,
                TagExtractor<R> tagExtractor) {
            lines.add(
                    "receiveResponse " + payload + status(response, tagExtractor) + (failure == null ? "" : " failed"));
            ended();
        }

        private static <R> String status(@Nullable R response, TagExtractor<R> tags) {
            return response != null && tags.len(response) > 0 ? " " + tags.value(response, 0) : "";
        }
    }
}
