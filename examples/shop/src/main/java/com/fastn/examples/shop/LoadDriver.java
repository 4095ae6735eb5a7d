package com.fastn.examples.shop;

import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import io.vertx.core.Vertx;
import io.vertx.core.http.PoolOptions;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.client.HttpResponse;
import io.vertx.ext.web.client.WebClient;
import io.vertx.ext.web.client.WebClientOptions;
import java.io.IOException;
import java.util.concurrent.ThreadLocalRandom;

/** The customers: orders over real sockets, at most so many each second and so many at a time. */
public final class LoadDriver extends VerticleBase {
    private static final String[] CUSTOMERS = {"ann", "ben", "cem", "dora", "eli", "fay"};
    private static final String[] ITEMS = {"tea", "coffee", "cocoa"};

    private final String orders;
    private final int perSecond;
    private final int atOnce;
    private WebClient client;
    private int underway;

    /**
     * Makes the customers.
     *
     * @param orders where the shop takes orders
     * @param perSecond how many orders they place each second at most
     * @param atOnce how many of them wait at most; more stay at home
     */
    LoadDriver(String orders, int perSecond, int atOnce) {
        this.orders = orders;
        this.perSecond = perSecond;
        this.atOnce = atOnce;
    }

    /**
     * Places orders until the standard input ends.
     *
     * @param arguments where the shop takes orders, how many each second, how many at once
     * @throws IOException if standard input breaks
     */
    public static void main(String[] arguments) throws IOException {
        LoadDriver load = new LoadDriver(arguments[0], Integer.parseInt(arguments[1]), Integer.parseInt(arguments[2]));
        Vertx.vertx().deployVerticle(load).onFailure(failure -> {
            failure.printStackTrace();
            System.exit(1);
        });
        while (System.in.read() >= 0) {
            // Nothing that is said here is of interest, only that nobody is left to say it.
        }
        System.exit(0);
    }

    @Override
    public Future<?> start() {
        client = WebClient.create(
                vertx, new WebClientOptions().setConnectTimeout(2_000), new PoolOptions().setHttp1MaxSize(atOnce));
        vertx.setPeriodic(1_000 / perSecond, tick -> {
            if (underway < atOnce) {
                underway++;
                buy().onComplete(done -> underway--);
            }
        });
        return Future.succeededFuture();
    }

    private Future<?> buy() {
        JsonObject order = new JsonObject()
                .put("customer", any(CUSTOMERS))
                .put("item", any(ITEMS))
                .put("quantity", ThreadLocalRandom.current().nextInt(1, 4));
        return client.postAbs(orders)
                .timeout(40_000)
                .sendJsonObject(order)
                .compose(placed -> placed.statusCode() == 201 ? lookAgain(placed) : Future.succeededFuture());
    }

    /** Customers look whether their order is really there. */
    private Future<?> lookAgain(HttpResponse<?> placed) {
        return client.getAbs(orders + "/" + placed.bodyAsJsonObject().getString("order"))
                .timeout(40_000)
                .send();
    }

    private static String any(String[] choice) {
        return choice[ThreadLocalRandom.current().nextInt(choice.length)];
    }
}
