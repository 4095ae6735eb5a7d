package com.fastn.examples.shop;

import com.fastn.context.vertx.FutureContext;
import com.fastn.context.vertx.FutureMutex;
import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import io.vertx.core.eventbus.Message;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * Keeps the stock. Taking something from a shelf needs a walk to it, so what is looked up and what is changed lie apart in
 * time, and a lock keeps them together.
 *
 * <p>Now and then an audit counts all shelves while it holds that lock. This is the mistake that the status shows: the audit
 * takes long, and meanwhile nobody can order.
 */
final class InventoryVerticle extends VerticleBase {
    private static final Duration WALK = Duration.ofMillis(15);

    private FutureContext inventory;
    private FutureMutex<Stock> stock;

    @Override
    public Future<?> start() {
        inventory = FutureContext.current();
        // The lock belongs to the verticle; who holds it and who waits is shown by the context that asked for it.
        stock = inventory.mutex("stock", new Stock());

        Duration auditEvery = Duration.ofMillis(config().getLong("auditEvery", 0L));
        Duration auditTakes = Duration.ofMillis(config().getLong("auditTakes", 14_000L));
        if (!auditEvery.isZero()) {
            auditIn(auditEvery, auditTakes);
        }
        vertx.eventBus().<JsonObject>consumer("inventory.release", this::release);
        return vertx.eventBus()
                .<JsonObject>consumer("inventory.reserve", this::reserve)
                .completion();
    }

    private void reserve(Message<JsonObject> message) {
        Order order = Order.of(message.body());
        stock.withLock(shelves -> walk().map(there -> shelves.take(order.item(), order.quantity())))
                .onSuccess(left -> {
                    inventory.addTotal("pieces_reserved", order.quantity());
                    message.reply(new JsonObject().put("left", left));
                })
                .onFailure(failure -> message.fail(409, failure.getMessage()));
    }

    private void release(Message<JsonObject> message) {
        Order order = Order.of(message.body());
        stock.withLock(shelves -> walk().map(there -> shelves.putBack(order.item(), order.quantity())))
                .onSuccess(left -> inventory.addTotal("pieces_released", order.quantity()));
    }

    private Future<?> walk() {
        return vertx.timer(WALK.toMillis(), TimeUnit.MILLISECONDS);
    }

    private void auditIn(Duration pause, Duration length) {
        vertx.timer(pause.toMillis(), TimeUnit.MILLISECONDS)
                .compose(due -> inventory.spawnChild("audit", audit -> audit(audit, length)))
                .onComplete(done -> auditIn(pause, length));
    }

    private Future<Integer> audit(FutureContext audit, Duration length) {
        return stock.withLock(
                shelves -> audit.awaiting("count every shelf", vertx.timer(length.toMillis(), TimeUnit.MILLISECONDS))
                        .map(counted -> shelves.pieces()));
    }
}
