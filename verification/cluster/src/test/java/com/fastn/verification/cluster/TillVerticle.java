package com.fastn.verification.cluster;

import com.fastn.context.vertx.FutureContext;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.VerticleBase;
import io.vertx.core.eventbus.Message;
import java.util.ArrayList;
import java.util.List;

/** Takes the money, except while it is closed: then who wants to pay has to wait. */
final class TillVerticle extends VerticleBase {
    private final List<Runnable> queue = new ArrayList<>();
    private boolean open = true;

    @Override
    public Future<?> start() {
        FutureContext till = FutureContext.current();
        return Future.all(
                consume("till.pay", message -> {
                    queue.add(() -> {
                        till.incrementTotal("payments");
                        message.reply("paid");
                    });
                    serve();
                }),
                consume("till.close", message -> {
                    open = false;
                    message.reply("closed");
                }),
                consume("till.open", message -> {
                    open = true;
                    serve();
                    message.reply("open");
                }));
    }

    private Future<Void> consume(String address, Handler<Message<Object>> handler) {
        return vertx.eventBus().consumer(address, handler).completion();
    }

    private void serve() {
        if (open) {
            List<Runnable> next = List.copyOf(queue);
            queue.clear();
            next.forEach(Runnable::run);
        }
    }
}
