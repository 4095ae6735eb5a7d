package com.fastn.context.vertx;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.FastnContext;
import com.fastn.context.status.ContextState;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.internal.ContextInternal;
import io.vertx.core.net.NetClient;
import io.vertx.core.net.NetSocket;
import io.vertx.junit5.VertxExtension;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Requests whose peer leaves before it has a response, and who runs what under which of Vert.x's monitors then. */
@ExtendWith({OwnTree.class, VertxExtension.class})
class CutOffRequestsTest {
    private static final String HOST = "127.0.0.1";

    private Vertx vertx;
    private FastnVertx fastn;
    // Kept in a field: a client that nothing refers to is closed by the garbage collector.
    private NetClient peers;

    @BeforeEach
    void prepare(Vertx made) {
        vertx = made;
        fastn = FastnVertx.install(vertx);
        peers = vertx.createNetClient();
    }

    private int serve(Handler<HttpServerRequest> handler) {
        CompletableFuture<HttpServer> server = new CompletableFuture<>();
        Waiting.result(vertx.deployVerticle(new Front() {
            @Override
            public Future<?> start() {
                return vertx.createHttpServer()
                        .requestHandler(handler)
                        .listen(0, HOST)
                        .onSuccess(server::complete);
            }
        }));
        return Waiting.result(server).actualPort();
    }

    /** Asks, and leaves without an answer once a thread that is none of Vert.x has registered a handler. */
    private FastnContext askAndLeave(Handler<HttpServerRequest> register) {
        CompletableFuture<FastnContext> registered = new CompletableFuture<>();
        int port = serve(request -> {
            FastnContext context = FastnContext.current();
            new Thread(() -> {
                        register.handle(request);
                        registered.complete(context);
                    })
                    .start();
        });
        NetSocket peer = Waiting.result(peers.connect(port, HOST));
        Waiting.result(peer.write("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"));
        FastnContext context = Waiting.result(registered);
        Waiting.result(peer.close());
        return context;
    }

    private static void wasCutOff(FastnContext context) {
        Waiting.until(() -> context.state() == ContextState.CLOSED);
        assertThat(context.isCancelled()).isTrue();
        assertThat(context.getTotal("cancelled_requests")).isEqualTo(1);
        assertThat(context.getTotal("successful_requests")).isZero();
    }

    @Test
    void C4_aCancelHandlerDoesNotRunUnderTheMonitorOfItsConnection() {
        CompletableFuture<Boolean> held = new CompletableFuture<>();
        FastnContext context = askAndLeave(request ->
                fastn.context(request).onCancel(reason -> held.complete(Thread.holdsLock(request.connection()))));
        assertThat(Waiting.result(held)).isFalse();
        wasCutOff(context);
    }

    /** What deadlocks where the event loop has the monitor and waits for a thread that wants it. */
    @Test
    void C4_aCancelHandlerMayWaitForAThreadThatUsesTheRequest() {
        CompletableFuture<Boolean> done = new CompletableFuture<>();
        FastnContext context = askAndLeave(request -> fastn.context(request).onCancel(reason -> {
            CountDownLatch used = new CountDownLatch(1);
            new Thread(() -> {
                        var unused = request.response().ended();
                        used.countDown();
                    })
                    .start();
            try {
                done.complete(used.await(50, TimeUnit.SECONDS));
            } catch (InterruptedException e) {
                done.completeExceptionally(e);
            }
        }));
        assertThat(Waiting.result(done)).isTrue();
        wasCutOff(context);
    }

    /** As some lines of Vert.x tell it; others tell it when they have let go of the monitor. */
    @Test
    void C4_aRequestWhoseEndIsToldUnderTheMonitorOfItsConnectionIsNotCancelledUnderIt() {
        CompletableFuture<HttpServerRequest> asked = new CompletableFuture<>();
        CompletableFuture<HttpContexts.Exchange> begun = new CompletableFuture<>();
        int port = serve(request -> {
            begun.complete(requireNonNull(
                    fastn.requests().begin(requireNonNull(ContextInternal.current()), request, "GET", "/slow")));
            asked.complete(request);
        });
        NetSocket peer = Waiting.result(peers.connect(port, HOST));
        Waiting.result(peer.write("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"));
        HttpConnection connection = Waiting.result(asked).connection();
        HttpContexts.Exchange exchange = Waiting.result(begun);
        CompletableFuture<Boolean> held = new CompletableFuture<>();
        exchange.served().onCancel(reason -> held.complete(Thread.holdsLock(connection)));
        synchronized (connection) {
            fastn.requests().end(exchange, null, new IllegalStateException("the stream was reset"), 0);
        }
        assertThat(Waiting.result(held)).isFalse();
        wasCutOff(exchange.served());
    }
}
