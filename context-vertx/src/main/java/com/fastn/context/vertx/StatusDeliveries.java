package com.fastn.context.vertx;

import com.fastn.context.Registration;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.eventbus.DeliveryContext;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.Message;
import io.vertx.core.internal.ContextInternal;
import io.vertx.core.internal.VertxInternal;
import io.vertx.core.json.JsonObject;
import io.vertx.core.tracing.TracingPolicy;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What is delivered to consumers of our addresses and is not for them.
 *
 * <p>Vert.x hands a request to any one consumer of an address. A question about status that falls to a consumer of the
 * application, who wants to hear of changes, is answered in its place, so that the two uses of {@code fastn.status} do not
 * disturb each other. A probe counts consumers, and no consumer sees one.
 */
final class StatusDeliveries {
    static final String PROBE_HEADER = "fastn-probe";
    /** On events that are told to other nodes: whose they are. Who consumes there has had them by reference. */
    static final String FRAME_HEADER = "fastn-frame";

    private static final long LOOK_AGAIN_MILLIS = 20;
    private static final int MOST_LOOKS = 12;

    private final VertxInternal vertx;
    private final ContextInternal home;
    private final Supplier<String> incarnation;
    private final AtomicLong lastProbe = new AtomicLong();
    private final ConcurrentHashMap<String, AtomicInteger> probes = new ConcurrentHashMap<>();
    private final AtomicReference<@Nullable Responder> responder = new AtomicReference<>();

    StatusDeliveries(VertxInternal vertx, ContextInternal home, Supplier<String> incarnation) {
        this.vertx = vertx;
        this.home = home;
        this.incarnation = incarnation;
    }

    /** Answers, on the caller's Vert.x context, the questions that fall to consumers of others. */
    Registration answer(StatusAnswerer answer) {
        ContextInternal here = ContextInternal.current();
        if (here == null) {
            throw new IllegalStateException("only a verticle can answer for status; call this in its start()");
        }
        Responder mine = new Responder(here.unwrap(), answer);
        responder.set(mine);
        return () -> responder.compareAndSet(mine, null);
    }

    /**
     * Takes a question that is about to leave and can be answered here: whoever else it would fall to may hang, and Vert.x would
     * not ask another node then.
     */
    boolean isAnsweredHere(DeliveryContext<Object> delivery) {
        Message<Object> message = delivery.message();
        Responder present = responder.get();
        if (present == null || message.replyAddress() == null || !Addresses.isForAnyNode(message.address())) {
            return false;
        }
        // Of a message that was not delivered yet the message itself does not tell the body. Copied now: the asker may
        // change it as soon as it has asked.
        Object body = delivery.body() instanceof JsonObject json ? json.copy() : delivery.body();
        present.place.runOnContext(there -> present.answer.answer(message, body, true));
        return true;
    }

    /** Takes a delivery that no consumer is to see. */
    boolean isTaken(DeliveryContext<Object> delivery) {
        Message<Object> message = delivery.message();
        if (!Addresses.isOurs(message.address())) {
            return false;
        }
        Responder present = responder.get();
        ContextInternal here = ContextInternal.current();
        boolean own = present != null && here != null && isOf(here.unwrap(), present.place);
        String probe = message.headers().get(PROBE_HEADER);
        if (probe != null) {
            AtomicInteger count = probes.get(probe);
            if (count != null && !own) {
                count.incrementAndGet();
            }
            return true;
        }
        if (incarnation.get().equals(message.headers().get(FRAME_HEADER))) {
            return true;
        }
        boolean question = message.address().equals(Addresses.STATUS) && message.replyAddress() != null;
        if (!question || present == null || own) {
            return false;
        }
        present.place.runOnContext(there -> present.answer.answer(message, message.body(), false));
        return true;
    }

    /** Whether it is the place of whoever answers, or one that it made for a consumer of its own. */
    private static boolean isOf(ContextInternal here, ContextInternal place) {
        return here == place || here.contextData().get(StatusAnswerer.class) == place;
    }

    /** Whether anybody in this Vertx consumes an address, the status verticle included. */
    Future<Boolean> isConsumed(String address) {
        return probe(address, "any").map(true).otherwise(false);
    }

    /**
     * How many consumers of the application an address has in this Vertx. One whose thread is busy is counted only if it is
     * free within a quarter of a second.
     */
    Future<Integer> count(String address) {
        String id = Long.toString(lastProbe.incrementAndGet());
        AtomicInteger count = new AtomicInteger();
        probes.put(id, count);
        Promise<Integer> counted = home.promise();
        probe(address, id)
                .onSuccess(sent -> look(count, 0, MOST_LOOKS, counted))
                .onFailure(nobody -> counted.complete(0));
        return counted.future().onComplete(done -> probes.remove(id));
    }

    private Future<Void> probe(String address, String id) {
        DeliveryOptions local = new DeliveryOptions()
                .setLocalOnly(true)
                .setTracingPolicy(TracingPolicy.IGNORE)
                .addHeader(PROBE_HEADER, id);
        try {
            // Unlike publish, this fails when there is no consumer.
            return vertx.eventBus().publisher(address, local).write(null);
        } catch (RuntimeException e) {
            return home.failedFuture(e);
        }
    }

    private void look(AtomicInteger count, int before, int looksLeft, Promise<Integer> counted) {
        var unused = home.setTimer(LOOK_AGAIN_MILLIS, id -> {
            int now = count.get();
            if (looksLeft == 0 || (now == before && looksLeft < MOST_LOOKS)) {
                counted.complete(now);
            } else {
                look(count, now, looksLeft - 1, counted);
            }
        });
    }

    private record Responder(ContextInternal place, StatusAnswerer answer) {}
}
