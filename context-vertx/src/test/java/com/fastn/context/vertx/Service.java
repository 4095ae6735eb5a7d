package com.fastn.context.vertx;

import com.fastn.context.FastnContext;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.Message;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** A verticle that consumes an address, and remembers in which contexts it did. */
final class Service extends Front {
    final List<FastnContext> seen = new CopyOnWriteArrayList<>();
    final List<Message<Object>> messages = new CopyOnWriteArrayList<>();

    private final String address;
    private final Handler<Message<Object>> handler;

    private Service(String address, Handler<Message<Object>> handler) {
        this.address = address;
        this.handler = handler;
    }

    static Service deploy(Vertx vertx, String address, Handler<Message<Object>> handler) {
        return deploy(vertx, new DeploymentOptions(), address, handler);
    }

    static Service deploy(Vertx vertx, DeploymentOptions options, String address, Handler<Message<Object>> handler) {
        Service service = new Service(address, handler);
        Waiting.result(vertx.deployVerticle(service, options));
        return service;
    }

    @Override
    public Future<?> start() {
        return vertx.eventBus()
                .consumer(address, (Message<Object> message) -> {
                    // In this order: who has seen the context finds the message.
                    messages.add(message);
                    seen.add(FastnContext.current());
                    handler.handle(message);
                })
                .completion();
    }

    /** The context of the one message so far. */
    FastnContext only() {
        Waiting.until(() -> !seen.isEmpty());
        return seen.get(0);
    }
}
