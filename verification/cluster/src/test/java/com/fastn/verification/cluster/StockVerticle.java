package com.fastn.verification.cluster;

import com.fastn.context.vertx.FutureContext;
import com.fastn.context.vertx.FutureMutex;
import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import io.vertx.core.eventbus.DeliveryOptions;

/** Fulfils one order at a time: whoever takes something from the shelf keeps it to himself until it is paid. */
final class StockVerticle extends VerticleBase {
    private static final DeliveryOptions PATIENT = new DeliveryOptions().setSendTimeout(180_000);

    @Override
    public Future<?> start() {
        FutureContext stock = FutureContext.current();
        FutureMutex<?> shelf = stock.mutex("shelf");
        return vertx.eventBus()
                .consumer("stock.take", message -> {
                    FutureContext taking = FutureContext.current();
                    shelf.withLock(free ->
                                    taking.awaiting("pay", vertx.eventBus().request("till.pay", 3, PATIENT)))
                            .onSuccess(paid -> {
                                stock.incrementTotal("taken");
                                message.reply("taken");
                            })
                            .onFailure(failure -> message.fail(1, failure.getMessage()));
                })
                .completion();
    }
}
