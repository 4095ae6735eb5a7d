package com.fastn.verification.benchmarks;

import io.vertx.core.Context;
import io.vertx.core.Vertx;
import java.util.concurrent.CompletableFuture;
import java.util.function.IntSupplier;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * An event loop of Vert.x. What is measured runs there, much of it at once, so that the way there and back is a small part
 * of it.
 */
@State(Scope.Thread)
public class VertxLoop {
    private Vertx vertx = Vertx.vertx();
    private Context context = vertx.getOrCreateContext();

    /** Takes another one for the next row. */
    @Setup(Level.Trial)
    public void open() {
        close();
        vertx = Vertx.vertx();
        context = vertx.getOrCreateContext();
    }

    @TearDown(Level.Trial)
    public void close() {
        vertx.close().await();
    }

    Vertx vertx() {
        return vertx;
    }

    /** Runs it on the loop, and waits for it. */
    int run(IntSupplier task) {
        CompletableFuture<Integer> done = new CompletableFuture<>();
        context.runOnContext(go -> {
            try {
                done.complete(task.getAsInt());
            } catch (Throwable t) {
                done.completeExceptionally(t);
            }
        });
        return done.join();
    }
}
