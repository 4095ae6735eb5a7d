package com.fastn.verification.benchmarks;

import com.fastn.context.FastnContext;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.eventbus.Message;
import java.util.List;

/**
 * An application that answers HTTP by asking on the event bus, as {@code verification/benchmarks/http} loads it. It knows
 * nothing of contexts; with {@code watched} somebody consumes all events and takes a snapshot every second.
 */
public final class HttpApplication {
    private static final List<String> EVENTS =
            List.of("fastn.events.contexts", "fastn.events.counters", "fastn.events.locks");

    private HttpApplication() {}

    /** Serves until the process is ended; prints its port. */
    public static void main(String[] arguments) throws Exception {
        boolean watched = arguments.length > 0 && arguments[0].equals("watched");
        Vertx vertx = Vertx.vertx(new VertxOptions().setEventLoopPoolSize(1));
        vertx.deployVerticle(new Bank())
                .toCompletionStage()
                .toCompletableFuture()
                .get();
        Web web = new Web();
        vertx.deployVerticle(web, new DeploymentOptions())
                .toCompletionStage()
                .toCompletableFuture()
                .get();
        if (watched) {
            EVENTS.forEach(address -> vertx.eventBus().localConsumer(address, frame -> {}));
            vertx.setPeriodic(1_000, id -> vertx.executeBlocking(Watcher::look));
        }
        System.out.println(web.port);
        System.out.flush();
        Thread.currentThread().join();
    }

    /** Apart, so that it is not loaded where the library is not. */
    private static final class Watcher {
        static int look() {
            return FastnContext.status().globalContext().children().size();
        }
    }

    private static final class Web extends VerticleBase {
        private volatile int port;

        @Override
        public Future<?> start() {
            return vertx.createHttpServer()
                    .requestHandler(request -> vertx.eventBus()
                            .<String>request("bank.pay", request.path())
                            .onSuccess(paid -> request.response().end(paid.body()))
                            .onFailure(failure ->
                                    request.response().setStatusCode(500).end()))
                    .listen(0, "127.0.0.1")
                    .onSuccess(server -> port = server.actualPort());
        }
    }

    private static final class Bank extends VerticleBase {
        @Override
        public Future<?> start() {
            return vertx.eventBus()
                    .consumer("bank.pay", (Message<String> message) -> message.reply("paid " + message.body()))
                    .completion();
        }
    }
}
