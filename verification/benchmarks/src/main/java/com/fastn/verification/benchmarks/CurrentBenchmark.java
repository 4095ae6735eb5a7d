package com.fastn.verification.benchmarks;

import com.fastn.context.ContextRuntime;
import com.fastn.context.ContextScope;
import com.fastn.context.FastnContext;
import com.fastn.context.vertx.FastnVertx;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.ContextKey;
import io.opentelemetry.context.Scope;
import io.vertx.core.Vertx;
import io.vertx.core.internal.ContextInternal;
import io.vertx.core.spi.context.storage.ContextLocal;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.infra.Blackhole;

/** Budget "current()", in a plain thread and in a request on an event loop. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class CurrentBenchmark {
    private static final int CALLS = 1_000;

    // Vert.x wants to know of it before it is started.
    private static final ContextLocal<Object> LOCAL = ContextLocal.registerLocal(Object.class);
    private static final ThreadLocal<Object> THREAD_LOCAL = new ThreadLocal<>();

    /** Something is current in the thread that measures. */
    @State(org.openjdk.jmh.annotations.Scope.Thread)
    public static class Ours {
        final ContextRuntime runtime = Trees.runtime();
        private @Nullable ContextScope scope;

        @Setup
        @SuppressWarnings("MustBeClosedChecker") // closed by the method below, in the same thread
        public void enter() {
            scope = runtime.root().child("request").open().makeCurrent();
        }

        @TearDown
        public void leave() {
            if (scope != null) {
                scope.close();
            }
        }
    }

    /** As above. */
    @State(org.openjdk.jmh.annotations.Scope.Thread)
    public static class OpenTelemetry {
        private @Nullable Scope scope;

        @Setup
        @SuppressWarnings("MustBeClosedChecker") // closed by the method below, in the same thread
        public void enter() {
            scope = Context.root().with(ContextKey.named("request"), "request").makeCurrent();
        }

        @TearDown
        public void leave() {
            if (scope != null) {
                scope.close();
            }
        }
    }

    /** A context of Vert.x that has a value. */
    @State(org.openjdk.jmh.annotations.Scope.Thread)
    public static class VertxLocal {
        private final Vertx vertx = Vertx.vertx();
        final ContextInternal context = (ContextInternal) vertx.getOrCreateContext();

        @Setup
        public void put() {
            context.putLocal(LOCAL, "request");
        }

        @TearDown
        public void close() {
            vertx.close().await();
        }
    }

    /** A duplicated context of an event loop, as each request has one, with something current and a value. */
    @State(org.openjdk.jmh.annotations.Scope.Thread)
    public static class InRequest {
        private final Vertx vertx = Vertx.vertx();
        private final ContextInternal place = ((ContextInternal) vertx.getOrCreateContext()).duplicate();
        private final ContextRuntime runtime = FastnVertx.install(vertx).runtime();

        @Setup
        @SuppressWarnings("MustBeClosedChecker") // with its Vertx
        public void enter() {
            var unused = run(() -> {
                ContextInternal.current().putLocal(LOCAL, "request");
                ContextScope scope = runtime.root().child("request").open().makeCurrent();
                return scope.hashCode();
            });
        }

        int run(IntSupplier task) {
            CompletableFuture<Integer> done = new CompletableFuture<>();
            place.runOnContext(go -> {
                try {
                    done.complete(task.getAsInt());
                } catch (Throwable t) {
                    done.completeExceptionally(t);
                }
            });
            return done.join();
        }

        @TearDown
        public void close() {
            vertx.close().await();
        }
    }

    /** A plain variable of the thread. */
    @State(org.openjdk.jmh.annotations.Scope.Thread)
    public static class Variables {
        volatile Object field = "request";

        @Setup
        public void put() {
            THREAD_LOCAL.set("request");
        }
    }

    @Benchmark
    public FastnContext ours(Ours ours) {
        return FastnContext.current();
    }

    /** Of a request or message, on its event loop: what the calling thread runs in is found first. */
    @Benchmark
    @OperationsPerInvocation(CALLS)
    public int oursOnVertx(InRequest request, Blackhole seen) {
        return request.run(() -> {
            for (int i = 0; i < CALLS; i++) {
                seen.consume(FastnContext.current());
            }
            return CALLS;
        });
    }

    /** The same of a value of one's own. */
    @Benchmark
    @OperationsPerInvocation(CALLS)
    public int vertxLocalOnVertx(InRequest request, Blackhole seen) {
        return request.run(() -> {
            for (int i = 0; i < CALLS; i++) {
                seen.consume(ContextInternal.current().getLocal(LOCAL));
            }
            return CALLS;
        });
    }

    @Benchmark
    public Context openTelemetry(OpenTelemetry openTelemetry) {
        return Context.current();
    }

    @Benchmark
    public Object vertxLocal(VertxLocal vertx) {
        return vertx.context.getLocal(LOCAL);
    }

    @Benchmark
    public Object threadLocal(Variables variables) {
        return THREAD_LOCAL.get();
    }

    @Benchmark
    public Object limit(Variables variables) {
        return variables.field;
    }
}
