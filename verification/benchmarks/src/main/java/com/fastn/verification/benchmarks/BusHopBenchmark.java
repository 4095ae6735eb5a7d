package com.fastn.verification.benchmarks;

import com.fastn.context.vertx.FastnVertx;
import com.fastn.context.vertx.VertxContextOptions;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.eventbus.DeliveryContext;
import io.vertx.core.eventbus.EventBus;
import io.vertx.core.internal.ContextInternal;
import io.vertx.core.spi.context.storage.ContextLocal;
import io.vertx.core.spi.tracing.VertxTracer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * Budget "context carried over a local bus hop": a verticle sends, another one on the same event loop consumes, many messages
 * at once. What observing costs is the distance to {@code PLAIN}, a Vert.x without this library. {@code OURS} makes a context
 * of each message, which knows its sender, counts it and remembers it; {@code OURS_NO_MESSAGES} observes the same messages
 * and makes none, so the distance of these two is a message's context and its sender. {@code HEADER} is what an application
 * does by hand: two interceptors that carry one word in a header. {@code EMPTY} are two interceptors and a tracer that do
 * nothing: what Vert.x takes for being observed at all.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@OperationsPerInvocation(BusHopBenchmark.MESSAGES)
public class BusHopBenchmark {
    static final int MESSAGES = 1_000;

    // Vert.x wants to know of it before it is started.
    private static final ContextLocal<String> CARRIED = ContextLocal.registerLocal(String.class);
    private static final String WORD = "request-17";

    /** What carries. */
    public enum Bus {
        PLAIN,
        EMPTY,
        HEADER,
        OURS,
        OURS_NO_MESSAGES;

        Vertx open() {
            Supplier<Vertx> maker = () -> Vertx.vertx(new VertxOptions().setEventLoopPoolSize(1));
            if (this == EMPTY) {
                return FastnVertx.withoutContexts(Bus::empty);
            }
            if (this == PLAIN || this == HEADER) {
                Vertx vertx = FastnVertx.withoutContexts(maker);
                if (this == HEADER) {
                    carryByHand(vertx.eventBus());
                }
                return vertx;
            }
            Vertx vertx = maker.get();
            FastnVertx.builder()
                    .options(new VertxContextOptions().setMessages(this == OURS))
                    .install(vertx);
            return vertx;
        }

        private static Vertx empty() {
            Vertx vertx = Vertx.builder()
                    .with(new VertxOptions().setEventLoopPoolSize(1))
                    .withTracer(options -> new VertxTracer<Object, Object>() {})
                    .build();
            vertx.eventBus().addOutboundInterceptor(DeliveryContext::next);
            vertx.eventBus().addInboundInterceptor(DeliveryContext::next);
            return vertx;
        }

        private static void carryByHand(EventBus bus) {
            bus.addOutboundInterceptor(delivery -> {
                if (!delivery.message().address().startsWith("__vertx.reply.")) {
                    delivery.message().headers().set("carried", WORD);
                }
                delivery.next();
            });
            bus.addInboundInterceptor(delivery -> {
                String word = delivery.message().headers().get("carried");
                ContextInternal here = ContextInternal.current();
                if (word != null && here != null) {
                    here.putLocal(CARRIED, word);
                }
                delivery.next();
            });
        }
    }

    @Param
    public Bus bus = Bus.PLAIN;

    private Vertx vertx = Vertx.vertx();
    private Sender sender = new Sender();
    private Consumer consumer = new Consumer();

    @Setup
    public void open() {
        close();
        vertx = bus.open();
        sender = new Sender();
        consumer = new Consumer();
        vertx.deployVerticle(consumer).await();
        vertx.deployVerticle(sender).await();
    }

    @TearDown
    public void close() {
        vertx.close().await();
    }

    @Benchmark
    public int send() {
        return sender.run(done -> {
            consumer.expect(done);
            for (int i = 0; i < MESSAGES; i++) {
                vertx.eventBus().send("hop", WORD);
            }
        });
    }

    @Benchmark
    public int request() {
        return sender.run(done -> {
            int[] left = {MESSAGES};
            for (int i = 0; i < MESSAGES; i++) {
                vertx.eventBus().request("asked", WORD).onComplete(reply -> {
                    if (--left[0] == 0) {
                        done.complete(0);
                    }
                });
            }
        });
    }

    private interface Task {
        void run(CompletableFuture<Integer> done);
    }

    private static final class Sender extends VerticleBase {
        private Context place() {
            return context;
        }

        int run(Task task) {
            CompletableFuture<Integer> done = new CompletableFuture<>();
            place().runOnContext(go -> {
                try {
                    task.run(done);
                } catch (Throwable t) {
                    done.completeExceptionally(t);
                }
            });
            return done.join();
        }
    }

    /** On the same event loop as the sender: nothing of it is shared by threads. */
    private static final class Consumer extends VerticleBase {
        private CompletableFuture<Integer> done = new CompletableFuture<>();
        private int left;

        void expect(CompletableFuture<Integer> all) {
            done = all;
            left = MESSAGES;
        }

        @Override
        public Future<?> start() {
            return vertx.eventBus()
                    .consumer("hop", message -> {
                        if (--left == 0) {
                            done.complete(0);
                        }
                    })
                    .completion()
                    .compose(there -> vertx.eventBus()
                            .consumer("asked", message -> message.reply(WORD))
                            .completion());
        }
    }
}
