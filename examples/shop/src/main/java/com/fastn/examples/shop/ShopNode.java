package com.fastn.examples.shop;

import com.fastn.status.StatusOptions;
import com.fastn.status.StatusVerticle;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.ThreadingModel;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * One node of the shop: alice takes orders, bob keeps the stock, carol takes the money and sends mails.
 *
 * <p>{@code ShopNode bob cluster=shop port=41002 members=41001,41002,41003 auditEvery=40000}. The process says
 * {@code READY} when its verticles run, and ends when its standard input does, so that it never outlives who started it.
 */
public final class ShopNode {
    private static final long CLOSING_SECONDS = 8;

    private ShopNode() {}

    /**
     * Runs a node until the process is told to end.
     *
     * @param arguments the node's name, then settings as {@code key=value}
     */
    public static void main(String[] arguments) {
        String name = arguments[0];
        JsonObject settings = settings(arguments);
        List<Integer> members = Arrays.stream(settings.getString("members").split(","))
                .map(Integer::valueOf)
                .toList();
        Cluster.join(settings.getString("cluster"), Integer.parseInt(settings.getString("port")), members)
                .compose(vertx -> {
                    Runtime.getRuntime().addShutdownHook(new Thread(() -> close(vertx)));
                    return deploy(vertx, name, settings);
                })
                .onSuccess(announcement -> System.out.println("READY " + name + " " + announcement))
                .onFailure(failure -> {
                    failure.printStackTrace();
                    System.exit(1);
                });
        awaitEndOfInput();
        System.exit(0);
    }

    private static Future<String> deploy(Vertx vertx, String name, JsonObject settings) {
        // This is all it takes for the node to be seen.
        Future<?> status = vertx.deployVerticle(new StatusVerticle(new StatusOptions().setAlias(name)));
        return status.compose(deployed -> switch (name) {
            case "alice" -> {
                FrontVerticle front = new FrontVerticle(Integer.parseInt(settings.getString("http", "0")));
                yield vertx.deployVerticle(front).map(id -> front.url());
            }
            case "bob" ->
                vertx.deployVerticle(
                                new InventoryVerticle(),
                                new DeploymentOptions()
                                        .setConfig(new JsonObject()
                                                .put("auditEvery", Long.valueOf(settings.getString("auditEvery", "0")))
                                                .put(
                                                        "auditTakes",
                                                        Long.valueOf(settings.getString("auditTakes", "14000")))))
                        .map(id -> "keeps the stock");
            case "carol" ->
                vertx.deployVerticle(
                                new PaymentVerticle(), new DeploymentOptions().setThreadingModel(ThreadingModel.WORKER))
                        .compose(id -> vertx.deployVerticle(new MailerVerticle()))
                        .map(id -> "takes the money and sends mails");
            default -> Future.failedFuture("there is no node \"" + name + "\"; the shop has alice, bob and carol");
        });
    }

    private static JsonObject settings(String[] arguments) {
        JsonObject settings = new JsonObject();
        for (String argument : List.of(arguments).subList(1, arguments.length)) {
            String[] setting = argument.split("=", 2);
            settings.put(setting[0], setting[1]);
        }
        return settings;
    }

    private static void awaitEndOfInput() {
        try {
            while (System.in.read() >= 0) {
                // Nothing that is said here is of interest, only that nobody is left to say it.
            }
        } catch (IOException e) {
            System.err.println("standard input broke: " + e.getMessage());
        }
    }

    /** Says goodbye to the cluster and removes the node's descriptor. */
    private static void close(Vertx vertx) {
        try {
            vertx.close().await(CLOSING_SECONDS, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            System.err.println("the node did not close within " + CLOSING_SECONDS + " s, and ends without");
        }
    }
}
