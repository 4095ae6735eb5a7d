package com.fastn.context.vertx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fastn.context.FastnContext;
import com.fastn.context.status.ContextKind;
import com.fastn.context.status.ContextState;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.ThreadingModel;
import io.vertx.core.VerticleBase;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.WebSocket;
import io.vertx.core.http.WebSocketClient;
import io.vertx.core.internal.VertxInternal;
import io.vertx.core.net.NetClient;
import io.vertx.core.net.NetServer;
import io.vertx.core.net.NetSocket;
import io.vertx.junit5.VertxExtension;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A handler that blocks is what most wants to hear that its peer has left, and it holds up all that comes after it. */
@ExtendWith({OwnTree.class, VertxExtension.class})
class SessionsOnWorkersTest {
    private static final String HOST = "127.0.0.1";

    private final CompletableFuture<FastnContext> session = new CompletableFuture<>();
    private final CountDownLatch goOn = new CountDownLatch(1);

    private void work() {
        session.complete(FastnContext.current());
        try {
            goOn.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void hearsOfItWhileItsHandlerRuns() {
        FastnContext mine = Waiting.result(session);
        try {
            assertThat(mine.kind()).isEqualTo(ContextKind.SESSION);
            Waiting.until(mine::isCancelled);
            assertThat(mine.state()).isEqualTo(ContextState.ACTIVE);
        } finally {
            goOn.countDown();
        }
        Waiting.until(() -> mine.state() == ContextState.CLOSED);
    }

    private static void areThere(ThreadingModel model, Vertx vertx) {
        assumeTrue(
                model != ThreadingModel.VIRTUAL_THREAD || ((VertxInternal) vertx).isVirtualThreadAvailable(),
                "virtual threads need Java 21");
    }

    @ParameterizedTest
    @EnumSource(
            value = ThreadingModel.class,
            names = {"WORKER", "VIRTUAL_THREAD"})
    void aSocketThatEndsCancelsItsSessionWhileItsHandlerRuns(ThreadingModel model, Vertx vertx) {
        areThere(model, vertx);
        CompletableFuture<NetServer> server = new CompletableFuture<>();
        Waiting.result(vertx.deployVerticle(
                new VerticleBase() {
                    @Override
                    public Future<?> start() {
                        return vertx.createNetServer()
                                .connectHandler(FastnVertx.sessions(socket -> socket.handler(data -> work())))
                                .listen(0, HOST)
                                .onSuccess(server::complete);
                    }
                },
                new DeploymentOptions().setThreadingModel(model)));
        NetClient client = vertx.createNetClient();
        NetSocket socket = Waiting.result(client.connect(Waiting.result(server).actualPort(), HOST));
        Waiting.result(socket.write("x"));
        Waiting.result(session);
        Waiting.result(socket.close());
        hearsOfItWhileItsHandlerRuns();
        Waiting.result(client.close());
    }

    @ParameterizedTest
    @EnumSource(
            value = ThreadingModel.class,
            names = {"WORKER", "VIRTUAL_THREAD"})
    void aWebSocketThatEndsCancelsItsSessionWhileItsHandlerRuns(ThreadingModel model, Vertx vertx) {
        areThere(model, vertx);
        CompletableFuture<HttpServer> server = new CompletableFuture<>();
        Waiting.result(vertx.deployVerticle(
                new VerticleBase() {
                    @Override
                    public Future<?> start() {
                        return vertx.createHttpServer()
                                .webSocketHandler(socket -> socket.handler(data -> work()))
                                .listen(0, HOST)
                                .onSuccess(server::complete);
                    }
                },
                new DeploymentOptions().setThreadingModel(model)));
        WebSocketClient client = vertx.createWebSocketClient();
        WebSocket socket = Waiting.result(client.connect(Waiting.result(server).actualPort(), HOST, "/"));
        Waiting.result(socket.writeTextMessage("x"));
        Waiting.result(session);
        // It does not wait for the server to close it too.
        Waiting.result(client.close());
        hearsOfItWhileItsHandlerRuns();
    }
}
