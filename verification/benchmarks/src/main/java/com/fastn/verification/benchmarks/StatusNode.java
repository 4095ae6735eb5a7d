package com.fastn.verification.benchmarks;

import com.fastn.context.ContextRuntime;
import com.fastn.context.FastnContext;
import com.fastn.context.vertx.FastnVertx;
import com.fastn.status.StatusOptions;
import com.fastn.status.StatusVerticle;
import io.vertx.core.Vertx;
import java.io.IOException;

/** A node with many contexts, for the command to look at. It lives as long as its standard input is open. */
public final class StatusNode {
    private StatusNode() {}

    /**
     * Runs the node; prints one line when it can be asked.
     *
     * @param arguments how many contexts
     * @throws IOException if its input breaks
     */
    @SuppressWarnings("MustBeClosedChecker") // the contexts end with the process
    public static void main(String[] arguments) throws IOException {
        int contexts = Integer.parseInt(arguments[0]);
        Vertx vertx = Vertx.vertx();
        ContextRuntime runtime = FastnVertx.install(vertx).runtime();
        // As an application has them: some services, with sessions that have a few tasks each.
        FastnContext service = runtime.root().child("service").open();
        FastnContext session = service.child("session").open();
        for (int i = 2; i < contexts; i++) {
            if (i % 100 == 0) {
                service = runtime.root().child("service-" + i / 100).open();
            } else if (i % 10 == 0) {
                session = service.child("session-" + i / 10)
                        .withData("user", "user-" + i)
                        .open();
            } else {
                session.child("task-" + i % 10).open().incrementTotal("steps");
            }
        }
        vertx.deployVerticle(new StatusVerticle(new StatusOptions().setAlias("startup")))
                .toCompletionStage()
                .toCompletableFuture()
                .join();
        System.out.println("ready");
        while (System.in.read() >= 0) {
            // Whoever started it closes this.
        }
        System.exit(0);
    }
}
