package com.fastn.examples.shop;

import com.fastn.context.FastnContext;
import com.fastn.context.Operation;
import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import io.vertx.core.eventbus.Message;
import io.vertx.core.json.JsonObject;

/** Takes the money. The bank's library blocks, so this verticle is deployed on worker threads. */
final class PaymentVerticle extends VerticleBase {
    private final Bank bank = new Bank();

    @Override
    public Future<?> start() {
        return vertx.eventBus()
                .<JsonObject>consumer("payment.charge", this::charge)
                .completion();
    }

    private void charge(Message<JsonObject> message) {
        Order order = Order.of(message.body());
        FastnContext here = FastnContext.current();
        here.setData("customer", order.customer());
        try (Operation ignored = here.operation("bank.charge")) {
            int price = bank.charge(order);
            message.reply(new JsonObject().put("price", price));
        } catch (Bank.DeclinedException e) {
            message.fail(402, e.getMessage());
        }
    }
}
