package com.fastn.verification.benchmarks;

import io.vertx.core.Context;
import io.vertx.core.Vertx;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
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
    private Vertx vertx = make();
    private Context context = vertx.getOrCreateContext();

    /** Takes another one for the next row. */
    @Setup(Level.Trial)
    public void open() {
        close();
        vertx = make();
        context = vertx.getOrCreateContext();
    }

    @TearDown(Level.Trial)
    public void close() {
        vertx.close().await();
    }

    Vertx make() {
        return Vertx.vertx();
    }

    final Vertx vertx() {
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

    /**
     * Runs rounds on the loop, one after the other, and waits for the last.
     *
     * @param round runs what it is given when it is over, in a turn of the loop after the one that it began in
     */
    void runRounds(int rounds, Consumer<Runnable> round) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        context.runOnContext(go -> next(rounds, round, done));
        done.join();
    }

    private static void next(int left, Consumer<Runnable> round, CompletableFuture<Void> done) {
        try {
            if (left == 0) {
                done.complete(null);
            } else {
                round.accept(() -> next(left - 1, round, done));
            }
        } catch (Throwable t) {
            done.completeExceptionally(t);
        }
    }
}
