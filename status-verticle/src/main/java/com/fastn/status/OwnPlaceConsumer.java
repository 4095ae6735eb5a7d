package com.fastn.status;

import com.fastn.context.vertx.StatusAnswerer;
import com.fastn.status.RegistrationPlaces.Place;
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
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A consumer whose registration waits for no other one that does not end, and makes few threads of the application wait: it is done
 * at one of the {@link RegistrationPlaces}. It has a context of its own, on the event loop of whoever made it; messages are handled
 * where the consumer was made.
 */
final class OwnPlaceConsumer {
    private final ContextInternal home;
    private final ContextInternal own;
    private final RegistrationPlaces places;
    private final MessageConsumer<Object> consumer;
    private final Place place;
    private final Future<Void> registered;
    private final AtomicBoolean released = new AtomicBoolean();
    private final Closeable atUndeploy = this::undeployed;

    private OwnPlaceConsumer(
            ContextInternal home, ContextInternal own, String address, Handler<Message<Object>> handler) {
        this.home = home;
        this.own = own;
        this.places = RegistrationPlaces.take(home.owner());
        this.consumer = made(address);
        this.place = places.free();
        this.registered =
                place.at(() -> consumer.handler(message -> home.duplicate().emit(message, handler))
                        .completion());
        // Vert.x itself ends only what was registered on the context of a deployment, with that.
        // By its id it is known also once it has ended.
        if (home.deploymentID() != null && !home.closeFuture().add(atUndeploy)) {
            var unused = end();
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

    private MessageConsumer<Object> made(String address) {
        ContextInternal before = own.beginDispatch();
        try {
            return own.owner().eventBus().consumer(address);
        } finally {
            own.endDispatch(before);
        }
    }

    /** {@return completes on the context of the caller of {@link #of} when the cluster manager knows the address} */
    Future<Void> completion() {
        return atHome(registered);
    }

    /** {@return whether another registration would not have to wait for what this one waits for} */
    boolean wouldFareBetterAnew() {
        return registered.isComplete() || places.isAnyIdle();
    }

    /** {@return completes there when the cluster manager has forgotten it} */
    Future<Void> unregister() {
        home.closeFuture().remove(atUndeploy);
        return atHome(end());
    }

    /** Where the registration is under way it is taken back after it, at the same place. */
    private Future<Void> end() {
        Future<Void> ended = (registered.isComplete() ? places.free() : place).at(consumer::unregister);
        return released.compareAndSet(false, true)
                ? ended.onComplete(done -> RegistrationPlaces.release(home.owner()))
                : ended;
    }

    /** All of it on its own place, as the threads of the verticle may be gone before it is told. */
    private void undeployed(Completable<Void> told) {
        ContextInternal before = own.beginDispatch();
        try {
            var unused = SelfCheck.soon(home.owner(), end()).onComplete(told);
        } finally {
            own.endDispatch(before);
        }
    }

    private Future<Void> atHome(Future<Void> elsewhere) {
        Promise<Void> told = home.promise();
        elsewhere.onComplete(told);
        return told.future();
    }
}
