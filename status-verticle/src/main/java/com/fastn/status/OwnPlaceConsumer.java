package com.fastn.status;

import com.fastn.context.vertx.StatusAnswerer;
import io.vertx.core.Closeable;
import io.vertx.core.Completable;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.Promise;
import io.vertx.core.ThreadingModel;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.Message;
import io.vertx.core.eventbus.MessageConsumer;
import io.vertx.core.internal.ContextInternal;
import java.util.function.Supplier;

/**
 * A consumer whose registration waits for no other one.
 *
 * <p>A cluster manager does what one Vert.x context registers one after the other, so a registration that it never finishes, as
 * was seen while Hazelcast merges, holds up all later ones of that context, in Hazelcast for up to two minutes. Each of these
 * has a context of its own for that, on the same event loop; messages are handled where the consumer was made.
 */
final class OwnPlaceConsumer {
    private final ContextInternal home;
    private final ContextInternal own;
    private final MessageConsumer<Object> consumer;
    private final Closeable atUndeploy = this::undeployed;

    private OwnPlaceConsumer(
            ContextInternal home, ContextInternal own, String address, Handler<Message<Object>> handler) {
        this.home = home;
        this.own = own;
        this.consumer = there(() -> own.owner()
                .eventBus()
                .consumer(address, message -> home.duplicate().emit(message, handler)));
        // Vert.x itself ends only what was registered on the context of a deployment, with that.
        // By its id it is known also once it has ended.
        if (home.deploymentID() != null && !home.closeFuture().add(atUndeploy)) {
            var unused = there(consumer::unregister);
        }
    }

    /**
     * Registers a consumer, which ends with the verticle of the caller at the latest.
     *
     * @param handler is called on the Vert.x context of the caller, or on a duplicate of it
     */
    static OwnPlaceConsumer of(Vertx vertx, String address, Handler<Message<Object>> handler) {
        ContextInternal home = ((ContextInternal) vertx.getOrCreateContext()).unwrap();
        ContextInternal own = home.owner()
                .contextBuilder()
                .withThreadingModel(ThreadingModel.EVENT_LOOP)
                .withEventLoop(home.nettyEventLoop())
                .withClassLoader(home.classLoader())
                .build();
        own.contextData().put(StatusAnswerer.class, home);
        return new OwnPlaceConsumer(home, own, address, handler);
    }

    /** {@return completes on the context of the caller of {@link #of} when the cluster manager knows the address} */
    Future<Void> completion() {
        return atHome(consumer.completion());
    }

    /** {@return completes there when the cluster manager has forgotten it} */
    Future<Void> unregister() {
        home.closeFuture().remove(atUndeploy);
        return atHome(there(consumer::unregister));
    }

    /** All of it on its own place, as the threads of the verticle may be gone before it is told. */
    private void undeployed(Completable<Void> told) {
        var unused =
                there(() -> SelfCheck.soon(home.owner(), consumer.unregister())).onComplete(told);
    }

    private Future<Void> atHome(Future<Void> elsewhere) {
        Promise<Void> told = home.promise();
        elsewhere.onComplete(told);
        return told.future();
    }

    private <T> T there(Supplier<T> work) {
        ContextInternal before = own.beginDispatch();
        try {
            return work.get();
        } finally {
            own.endDispatch(before);
        }
    }
}
