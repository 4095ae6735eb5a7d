package com.fastn.verification.benchmarks;

import static java.util.Objects.requireNonNull;

import com.fastn.status.StatusOptions;
import com.fastn.status.StatusVerticle;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.eventbus.DeliveryContext;
import io.vertx.core.eventbus.Message;
import io.vertx.core.spi.tracing.SpanKind;
import io.vertx.core.spi.tracing.TagExtractor;
import io.vertx.core.spi.tracing.VertxTracer;
import io.vertx.core.tracing.TracingPolicy;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.net.URI;
import java.util.Map;
import java.util.function.BiConsumer;

/**
 * An application that answers HTTP by asking on the event bus, as {@code verification/benchmarks/http} loads it. It knows
 * nothing of contexts; with {@code watched} it has a status verticle, and somebody reads its stream. With {@code limit} it has
 * a tracer and interceptors that do nothing: what Vert.x itself takes to be observed, by whomever.
 */
public final class HttpApplication {
    /** Asks for the processor time in nanoseconds that the event loop has had. */
    static final String CPU = "/cpu";

    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

    private HttpApplication() {}

    /** Serves until the process is ended; prints its port, and the one of its status where it is watched. */
    public static void main(String[] arguments) {
        String mode = arguments.length > 0 ? arguments[0] : "";
        boolean watched = mode.equals("watched");
        VertxOptions options = new VertxOptions().setEventLoopPoolSize(1);
        Vertx vertx = mode.equals("limit") ? observedByNobody(options) : Vertx.vertx(options);
        vertx.deployVerticle(new Bank()).await();
        Web web = new Web();
        vertx.deployVerticle(web).await();
        System.out.println(watched ? web.port + " " + Watched.statusPort(vertx) : String.valueOf(web.port));
        System.out.flush();
    }

    private static Vertx observedByNobody(VertxOptions options) {
        Vertx vertx =
                Vertx.builder().with(options).withTracer(any -> new Nobody()).build();
        vertx.eventBus().addOutboundInterceptor(DeliveryContext::next);
        vertx.eventBus().addInboundInterceptor(DeliveryContext::next);
        return vertx;
    }

    /** Wants to be told of all, and makes nothing of it. */
    private static final class Nobody implements VertxTracer<Object, Object> {
        private static final Object TOLD = new Object();

        @Override
        public <R> Object receiveRequest(
                Context context,
                SpanKind kind,
                TracingPolicy policy,
                R request,
                String operation,
                Iterable<Map.Entry<String, String>> headers,
                TagExtractor<R> tagExtractor) {
            return TOLD;
        }

        @Override
        public <R> Object sendRequest(
                Context context,
                SpanKind kind,
                TracingPolicy policy,
                R request,
                String operation,
                BiConsumer<String, String> headers,
                TagExtractor<R> tagExtractor) {
            return TOLD;
        }
    }

    /** Apart, so that it is not loaded where the library is not. */
    private static final class Watched {
        static int statusPort(Vertx vertx) {
            StatusVerticle status =
                    new StatusVerticle(new StatusOptions().setAlias("watched").setDescriptors(false));
            vertx.deployVerticle(status).await();
            return URI.create(requireNonNull(status.url())).getPort();
        }
    }

    private static final class Web extends VerticleBase {
        private volatile int port;

        @Override
        public Future<?> start() {
            return vertx.createHttpServer()
                    .requestHandler(request -> {
                        if (request.path().equals(CPU)) {
                            request.response().end(Long.toString(THREADS.getCurrentThreadCpuTime()));
                            return;
                        }
                        vertx.eventBus()
                                .<String>request("bank.pay", request.path())
                                .onSuccess(paid -> request.response().end(paid.body()))
                                .onFailure(failure ->
                                        request.response().setStatusCode(500).end());
                    })
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
