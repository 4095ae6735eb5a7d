package com.fastn.examples.shop;

import com.fastn.context.vertx.FastnVertx;
import com.fastn.context.vertx.FutureContext;
import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.Message;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.http.HttpServer;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.BodyHandler;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/** The shop's face: takes orders over HTTP and has the others fulfil them. */
final class FrontVerticle extends VerticleBase {
    private static final int MOST_ORDERS_KEPT = 1_000;
    private static final int MOST_BODY_BYTES = 4_096;
    private static final Duration LAST_MOVES = Duration.ofSeconds(5);
    private static final DeliveryOptions PATIENT = new DeliveryOptions().setSendTimeout(30_000);

    private final Map<String, JsonObject> orders = new LinkedHashMap<>();
    // The requests that orders came with, until they are fulfilled or refused.
    private final Map<String, FutureContext> underway = new HashMap<>();
    private final int port;
    private FutureContext front;
    private HttpServer server;
    private long lastOrder;

    /**
     * Makes the verticle.
     *
     * @param port where to listen; 0 takes any free port
     */
    FrontVerticle(int port) {
        this.port = port;
    }

    @Override
    public Future<?> start() {
        // Inside start() the current context is the verticle's own: counters on it outlive every request.
        front = FutureContext.current();
        // From this question on the status shows how many there were in the last minute, hour and day.
        front.context().counterWindows("orders");

        Router router = Router.router(vertx);
        router.post("/orders")
                .handler(BodyHandler.create(false).setBodyLimit(MOST_BODY_BYTES))
                .handler(this::placeOrder);
        router.get("/orders/:id").handler(this::showOrder);
        router.delete("/orders/:id").handler(this::giveUpOrder);
        return vertx.createHttpServer()
                .requestHandler(router)
                .listen(port, "127.0.0.1")
                .onSuccess(FastnVertx.listening())
                .onSuccess(listening -> server = listening);
    }

    /** {@return where the shop takes orders; known once the verticle is deployed} */
    String url() {
        return "http://127.0.0.1:" + server.actualPort() + "/orders";
    }

    private void placeOrder(RoutingContext request) {
        Order order;
        try {
            order = Order.of(request.body().asJsonObject());
        } catch (RuntimeException e) {
            refuse(request, 400, "an order looks like {\"customer\":\"ann\",\"item\":\"tea\",\"quantity\":1}");
            return;
        }
        String id = "order-" + ++lastOrder;
        front.incrementTotal("orders");

        // Each request has a context already; the child gives the part that can take long a name of its own.
        FutureContext served = FutureContext.current();
        underway.put(id, served);
        served.child("checkout")
                .withData("order", id)
                .withData("customer", order.customer())
                .run(checkout -> fulfil(checkout, id, order))
                .onComplete(done -> underway.remove(id))
                .onSuccess(receipt -> {
                    front.incrementTotal("successful_orders");
                    keep(id, receipt);
                    // Whoever cares hears of it: the mailer does, and the shop does not wait for it.
                    vertx.eventBus().publish("order.placed", receipt);
                    request.response().setStatusCode(201);
                    request.json(receipt);
                })
                .onFailure(failure -> {
                    front.incrementTotal("failed_orders");
                    refuse(request, status(failure), failure.getMessage());
                });
    }

    private Future<JsonObject> fulfil(FutureContext checkout, String id, Order order) {
        return checkout.awaiting("reserve stock", ask("inventory.reserve", order.toJson()))
                .compose(reserved -> checkout.awaiting(
                                "charge customer",
                                ask("payment.charge", order.toJson().put("order", id)))
                        .onFailure(declined -> vertx.eventBus().send("inventory.release", order.toJson())))
                .map(charged -> order.toJson().put("order", id).put("price", charged.getInteger("price")));
    }

    private Future<JsonObject> ask(String address, JsonObject body) {
        return vertx.eventBus().<JsonObject>request(address, body, PATIENT).map(Message::body);
    }

    private void showOrder(RoutingContext request) {
        JsonObject order = orders.get(request.pathParam("id"));
        if (order == null) {
            refuse(request, 404, "there is no such order");
        } else {
            request.json(order);
        }
    }

    /** A customer gives up an order: all that is done for it is asked to stop, also what others do for it on their nodes. */
    private void giveUpOrder(RoutingContext request) {
        String id = request.pathParam("id");
        FutureContext order = underway.get(id);
        if (order == null) {
            refuse(request, 404, "there is no such order that waits to be fulfilled");
            return;
        }
        order.context().cancel("the customer has changed his mind");
        order.cancelAndReport(LAST_MOVES)
                .onSuccess(
                        report -> request.json(new JsonObject().put("order", id).put("report", report.toString())));
    }

    private void keep(String id, JsonObject receipt) {
        orders.put(id, receipt);
        if (orders.size() > MOST_ORDERS_KEPT) {
            orders.remove(orders.keySet().iterator().next());
        }
    }

    private static int status(Throwable failure) {
        if (failure instanceof ReplyException reply && reply.failureCode() >= 400 && reply.failureCode() < 500) {
            return reply.failureCode();
        }
        return 503;
    }

    private static void refuse(RoutingContext request, int status, String why) {
        request.response().setStatusCode(status);
        request.json(new JsonObject().put("error", why));
    }
}
