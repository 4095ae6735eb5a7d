package com.fastn.examples.shop;

import com.fastn.context.vertx.FutureContext;
import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import io.vertx.core.eventbus.Message;
import io.vertx.core.json.JsonObject;
import java.util.concurrent.TimeUnit;

/** Tells customers that their order was placed. Nobody waits for it. */
final class MailerVerticle extends VerticleBase {
    private static final long DELIVERY_MILLIS = 250;

    private FutureContext mailer;

    @Override
    public Future<?> start() {
        mailer = FutureContext.current();
        return vertx.eventBus()
                .<JsonObject>consumer("order.placed", this::thank)
                .completion();
    }

    private void thank(Message<JsonObject> message) {
        String customer = message.body().getString("customer");
        FutureContext.current()
                .child("mail")
                .withData("to", customer + "@example.org")
                .run(mail -> mail.awaiting("smtp", vertx.timer(DELIVERY_MILLIS, TimeUnit.MILLISECONDS)))
                .onSuccess(sent -> mailer.incrementTotal("mails"));
    }
}
