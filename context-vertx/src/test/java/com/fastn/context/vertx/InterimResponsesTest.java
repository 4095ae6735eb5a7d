package com.fastn.context.vertx;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.CancelReport;
import com.fastn.context.FastnContext;
import com.fastn.context.LockGuard;
import com.fastn.context.Operation;
import com.fastn.context.engine.ContextNode;
import com.fastn.context.engine.EngineRuntime;
import com.fastn.context.status.ContextState;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.MultiMap;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.internal.ContextInternal;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.BodyHandler;
import io.vertx.junit5.VertxExtension;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Requests whose peer hears something before the head of the response: to go on with its body, or what that will want. */
@ExtendWith({OwnTree.class, VertxExtension.class})
class InterimResponsesTest {
    private static final String HOST = "127.0.0.1";

    private final List<Front> verticles = new ArrayList<>();
    private Vertx vertx;
    private EngineRuntime runtime;
    // Kept in a field: a client that nothing refers to is closed by the garbage collector.
    private HttpClient client;
    private UntoldRequests untold;
    private HttpContexts requests;

    @BeforeEach
    void prepare(Vertx made) {
        vertx = made;
        FastnVertx fastn = FastnVertx.install(vertx);
        runtime = (EngineRuntime) fastn.runtime();
        untold = new UntoldRequests(runtime, (ContextInternal) vertx.getOrCreateContext(), fastn.workerQueue());
        requests = new HttpContexts(fastn.verticles(), fastn.automatic(), fastn.listeners(), fastn.sessions(), untold);
        speak(HttpVersion.HTTP_2);
    }

    private void speak(HttpVersion version) {
        client = vertx.createHttpClient(
                new HttpClientOptions().setProtocolVersion(version).setHttp2ClearTextUpgrade(false));
    }

    private int serve(HttpServerOptions options, Handler<HttpServerRequest> handler) {
        CompletableFuture<HttpServer> server = new CompletableFuture<>();
        Front web = new Front() {
            @Override
            public Future<?> start() {
                return vertx.createHttpServer(options)
                        .requestHandler(handler)
                        .listen(0, HOST)
                        .onSuccess(server::complete);
            }
        };
        verticles.add(web);
        Waiting.result(vertx.deployVerticle(web));
        return Waiting.result(server).actualPort();
    }

    /** Sends a body when it is told to. */
    private Future<Buffer> postWhenToldTo(int port) {
        return client.request(HttpMethod.POST, port, HOST, "/orders").compose(request -> {
            request.putHeader(HttpHeaders.EXPECT, HttpHeaders.CONTINUE)
                    .setChunked(true)
                    .continueHandler(go -> request.end("tea"));
            return VertxLine.sendHead(request)
                    .compose(sent -> request.response())
                    .compose(HttpClientResponse::body);
        });
    }

    private Future<Buffer> get(int port) {
        return client.request(HttpMethod.GET, port, HOST, "/orders")
                .compose(request -> request.send().compose(HttpClientResponse::body));
    }

    private static List<Long> outcomes(FastnContext of) {
        return List.of(
                of.getTotal("successful_requests"), of.getTotal("failed_requests"), of.getTotal("cancelled_requests"));
    }

    private static void isAtWork(FastnContext request) {
        assertThat(request.name()).endsWith(" /orders");
        assertThat(request.state()).isEqualTo(ContextState.ACTIVE);
        assertThat(outcomes(request)).containsExactly(0L, 0L, 0L);
    }

    /** What Vert.x says of the end of a request that it told of already. */
    private static boolean isToldAgain(HttpVersion version) {
        return version != HttpVersion.HTTP_2 || VertxLine.isFiveZero();
    }

    @ParameterizedTest
    @EnumSource(
            value = HttpVersion.class,
            names = {"HTTP_1_1", "HTTP_2"})
    void aRequestThatIsToldToGoOnIsAtWorkWhenItsBodyIsThere(HttpVersion version) {
        speak(version);
        CompletableFuture<RoutingContext> held = new CompletableFuture<>();
        CompletableFuture<FastnContext> seen = new CompletableFuture<>();
        Router router = Router.router(vertx);
        router.route().handler(BodyHandler.create(false)).handler(routing -> {
            seen.complete(FastnContext.current());
            held.complete(routing);
        });
        Future<Buffer> answer = postWhenToldTo(serve(new HttpServerOptions(), router));
        FastnContext request = Waiting.result(seen);
        isAtWork(request);
        assertThat(Waiting.result(held).body().asString()).isEqualTo("tea");
        Waiting.result(held).end("x");
        assertThat(Waiting.result(answer).toString()).isEqualTo("x");
        if (isToldAgain(version)) {
            Waiting.until(() -> request.state() == ContextState.CLOSED);
            assertThat(outcomes(request)).containsExactly(1L, 0L, 0L);
        } else {
            isAtWork(request);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aRequestThatHadAnInterimResponseIsCancelledByItsReset(boolean hint) {
        CompletableFuture<FastnContext> seen = new CompletableFuture<>();
        int port = serve(new HttpServerOptions().setHandle100ContinueAutomatically(true), request -> {
            if (hint) {
                request.response().writeEarlyHints(MultiMap.caseInsensitiveMultiMap());
            }
            seen.complete(FastnContext.current());
        });
        HttpClientRequest asked = Waiting.result(client.request(HttpMethod.POST, port, HOST, "/orders"));
        asked.putHeader(HttpHeaders.EXPECT, HttpHeaders.CONTINUE).setChunked(true);
        CompletableFuture<Boolean> told = new CompletableFuture<>();
        asked.continueHandler(go -> told.complete(true));
        Waiting.result(VertxLine.sendHead(asked));
        FastnContext request = Waiting.result(seen);
        assertThat(Waiting.result(told)).isTrue();
        isAtWork(request);
        Waiting.result(asked.reset());
        Waiting.until(() -> request.state() == ContextState.CLOSED);
        assertThat(request.isCancelled()).isTrue();
        assertThat(outcomes(request)).containsExactly(0L, 0L, 1L);
    }

    @Test
    void aRequestThatGaveEarlyHintsIsAtWorkBeforeItsAnswer() {
        CompletableFuture<FastnContext> seen = new CompletableFuture<>();
        CompletableFuture<HttpServerRequest> held = new CompletableFuture<>();
        int port = serve(
                new HttpServerOptions(),
                request -> request.response()
                        .writeEarlyHints(MultiMap.caseInsensitiveMultiMap().add("link", "</shop.css>; rel=preload"))
                        .onSuccess(sent -> {
                            seen.complete(FastnContext.current());
                            held.complete(request);
                        }));
        Future<Buffer> answer = get(port);
        isAtWork(Waiting.result(seen));
        Waiting.result(held).response().end("x");
        assertThat(Waiting.result(answer).toString()).isEqualTo("x");
    }

    /** The router knows the end of what the tracer is not told of. */
    @ParameterizedTest
    @ValueSource(ints = {200, 404})
    void withTheHandlerARequestThatWasToldToGoOnCountsAsWhatItsAnswerIs(int status) {
        CompletableFuture<FastnContext> seen = new CompletableFuture<>();
        Router router = Router.router(vertx);
        router.route().handler(WebContexts.requests());
        router.route().handler(BodyHandler.create(false)).handler(routing -> {
            seen.complete(FastnContext.current());
            isAtWork(FastnContext.current());
            routing.response().setStatusCode(status).end("x");
        });
        Future<Buffer> answer = postWhenToldTo(serve(new HttpServerOptions(), router));
        assertThat(Waiting.result(answer).toString()).isEqualTo("x");
        FastnContext request = Waiting.result(seen);
        Waiting.until(() -> request.state() == ContextState.CLOSED);
        assertThat(outcomes(request)).isEqualTo(status == 200 ? List.of(1L, 0L, 0L) : List.of(0L, 1L, 0L));
        // Taken back a moment after it is closed.
        Waiting.until(() -> runtime.root().subtreeLive("requests") == 0);
    }

    @Test
    void aRequestThatIsCancelledCountsAsWhatItsRouterAnswersThen() {
        CompletableFuture<RoutingContext> held = new CompletableFuture<>();
        CompletableFuture<FastnContext> seen = new CompletableFuture<>();
        Router router = Router.router(vertx);
        router.route().handler(WebContexts.requests());
        router.route().handler(BodyHandler.create(false)).handler(routing -> {
            seen.complete(FastnContext.current());
            held.complete(routing);
        });
        Future<Buffer> answer = postWhenToldTo(serve(new HttpServerOptions(), router));
        FastnContext request = Waiting.result(seen);
        request.cancel();
        Waiting.until(() -> VertxLine.isFiveZero() || request.state() == ContextState.CLOSED);
        RoutingContext routing = Waiting.result(held);
        // On its event loop: for a thread that stands still in the middle of it nobody waits.
        Waiting.on(
                verticles.get(0).place(),
                () -> routing.response().setStatusCode(504).end("late"));
        assertThat(Waiting.result(answer).toString()).isEqualTo("late");
        Waiting.until(() -> outcomes(request).equals(List.of(0L, 1L, 0L)));
        Waiting.until(() -> request.state() == ContextState.CLOSED);
        assertThat(FastnVertx.install(vertx).requests().untold().count()).isZero();
    }

    @Test
    void aRequestOfWhichNobodyTellsTheEndDoesNotHoldUpTheEndOfItsVerticle() {
        CompletableFuture<FastnContext> seen = new CompletableFuture<>();
        int port = serve(new HttpServerOptions(), request -> {
            request.response().writeEarlyHints(MultiMap.caseInsensitiveMultiMap());
            seen.complete(FastnContext.current());
            request.response().end("x");
        });
        List<CancelReport> unstopped = new CopyOnWriteArrayList<>();
        FastnVertx.builder()
                .options(new VertxContextOptions().setGrace(Duration.ofHours(1)).setUnstopped(unstopped::add))
                .install(vertx);
        assertThat(Waiting.result(get(port)).toString()).isEqualTo("x");
        Waiting.result(verticles.get(0).undeploy());
        assertThat(Waiting.result(seen).state()).isEqualTo(ContextState.CLOSED);
        assertThat(unstopped).isEmpty();
    }

    // --- what nobody tells

    private HttpContexts.Exchange exchange() {
        HttpContexts.Exchange exchange = requireNonNull(
                requests.begin((ContextInternal) vertx.getOrCreateContext(), new Object(), "GET", "/orders"));
        requests.end(exchange, null, null, 103);
        isAtWork(exchange.served());
        assertThat(untold.count()).isEqualTo(1);
        return exchange;
    }

    private void isStillThere(HttpContexts.Exchange exchange) {
        untold.end(List.of(exchange));
        isAtWork(exchange.served());
        assertThat(exchange.served().getData("note")).isNull();
        assertThat(untold.count()).isEqualTo(1);
    }

    private void endsNow(HttpContexts.Exchange exchange) {
        ContextNode request = exchange.served();
        untold.end(List.of(exchange));
        assertThat(request.state()).isEqualTo(ContextState.CLOSED);
        assertThat(request.isCancelled()).isFalse();
        assertThat(outcomes(request)).containsExactly(0L, 0L, 0L);
        assertThat(requireNonNull(request.getData("note")).asText()).isEqualTo(UntoldRequests.NOTE);
        assertThat(untold.count()).isZero();
    }

    @Test
    void aRequestOfWhichNobodyTellsTheEndSaysSoAndEndsWithoutAnOutcome() {
        endsNow(exchange());
    }

    @Test
    void aRequestThatIsIdleIsOverdueAfterAWhile() {
        HttpContexts.Exchange exchange = exchange();
        assertThat(untold.overdue(UntoldRequests.PATIENCE)).isEmpty();
        assertThat(untold.overdue(Duration.ZERO)).containsExactly(exchange);
    }

    @Test
    void aRequestThatIsStillAtWorkLastsWithoutANote() {
        HttpContexts.Exchange exchange = exchange();
        try (Operation ignored = exchange.served().operation("db")) {
            isStillThere(exchange);
        }
        FastnContext child = exchange.served().child("step").open();
        isStillThere(exchange);
        child.close();
        endsNow(exchange);
    }

    @Test
    void aRequestThatHoldsALockOrRunsOnAThreadLasts() {
        HttpContexts.Exchange exchange = exchange();
        LockGuard<?> guard;
        try (var ignored = exchange.served().makeCurrent()) {
            guard = Waiting.take(runtime.root().mutex("orders"));
            guard.close();
            isStillThere(exchange);
            guard = Waiting.take(runtime.root().mutex("orders"));
        }
        isStillThere(exchange);
        guard.close();
        endsNow(exchange);
    }

    @Test
    void aFailureThatIsToldAfterwardsIsNotCountedBesides() {
        HttpContexts.Exchange exchange = exchange();
        endsNow(exchange);
        requests.end(exchange, null, new IllegalStateException("the stream was reset"), 0);
        assertThat(outcomes(exchange.served())).containsExactly(0L, 0L, 0L);
    }

    @Test
    void aRequestThatIsCancelledWhileNothingIsOpenInItEnds() {
        HttpContexts.Exchange exchange = exchange();
        Promise<Void> told = Promise.promise();
        exchange.served().onCancel(reason -> told.complete());
        exchange.served().cancel();
        Waiting.result(told.future());
        Waiting.until(() -> exchange.served().state() == ContextState.CLOSED);
        // Until the look a router may tell how it was answered.
        assertThat(untold.overdue(Duration.ZERO)).containsExactly(exchange);
        untold.end(List.of(exchange));
        assertThat(untold.count()).isZero();
        assertThat(exchange.served().getData("note")).isNull();
        assertThat(outcomes(exchange.served())).containsExactly(0L, 0L, 0L);
    }
}
