package com.fastn.verification.cluster;

import com.fastn.context.ContextMutex;
import com.fastn.context.FastnContext;
import com.fastn.status.StatusOptions;
import com.fastn.status.StatusVerticle;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.json.JsonObject;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CountDownLatch;

/**
 * A node on its own that the command looks at, with its status port open. It is told on its standard input what to do: {@code open
 * NAME}, {@code close NAME}, {@code lock NAME}, {@code block}; it ends with its input. With the settings of {@link
 * LoopbackCluster#join} it is one of a cluster, and what is called {@code options} there are those of its status verticle.
 */
final class ObservedNode {
    private ObservedNode() {}

    public static void main(String[] arguments) throws IOException {
        JsonObject settings = new JsonObject(arguments.length > 1 ? arguments[1] : "{}");
        Vertx vertx = settings.containsKey("cluster")
                ? LoopbackCluster.join(settings)
                        .toCompletionStage()
                        .toCompletableFuture()
                        .join()
                : Vertx.vertx(new VertxOptions().setEventLoopPoolSize(2).setWorkerPoolSize(2));
        vertx.deployVerticle(new StatusVerticle(
                        new StatusOptions(settings.getJsonObject("options", new JsonObject())).setAlias(arguments[0])))
                .onSuccess(deployed -> System.out.println("ready"))
                .onFailure(failure -> {
                    failure.printStackTrace();
                    System.exit(1);
                });
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                obey(vertx, line.split(" ", 2));
                System.out.println("done");
            }
        }
        Runtime.getRuntime().halt(0);
    }

    private static void obey(Vertx vertx, String[] command) {
        switch (command[0]) {
            case "open" -> {
                FastnContext opened = FastnContext.global().child(command[1]).open();
                opened.touch();
            }
            case "close" ->
                FastnContext.global().children().stream()
                        .filter(child -> child.name().equals(command[1]))
                        .forEach(FastnContext::close);
            case "lock" -> {
                ContextMutex<?> mutex = FastnContext.global().mutex(command[1]);
                mutex.lock().whenComplete((held, failure) -> mutex.lock());
            }
            case "block" -> {
                CountDownLatch forever = new CountDownLatch(1);
                for (int i = 0; i < 8; i++) {
                    vertx.getOrCreateContext().runOnContext(turn -> stand(forever));
                    new Thread(() -> vertx.getOrCreateContext().runOnContext(turn -> stand(forever)), "blocker")
                            .start();
                    vertx.executeBlocking(() -> {
                        stand(forever);
                        return null;
                    });
                }
            }
            default -> throw new IllegalArgumentException(command[0]);
        }
    }

    private static void stand(CountDownLatch forever) {
        try {
            forever.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
