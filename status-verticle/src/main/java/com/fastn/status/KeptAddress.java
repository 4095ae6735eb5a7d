package com.fastn.status;

import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.Message;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * An address that a node consumes for as long as it lives, and registers anew when the cluster manager has forgotten it. What was
 * registered before ends when the new registration is known, so nobody who found the node misses it meanwhile. It belongs to the
 * context on which it was made.
 */
final class KeptAddress {
    /** Of registrations that the cluster manager does not come to an end with, there are not more beside each other. */
    private static final int MOST = 3;

    private final Vertx vertx;
    private final String address;
    private final Handler<Message<Object>> handler;
    // Mutable state, the newest last
    private final Deque<OwnPlaceConsumer> consumers = new ArrayDeque<>();
    private boolean ended;

    private KeptAddress(Vertx vertx, String address, Handler<Message<Object>> handler) {
        this.vertx = vertx;
        this.address = address;
        this.handler = handler;
    }

    /** Begins to consume an address; {@code handler} is called on the context of the caller, or on a duplicate of it. */
    static KeptAddress of(Vertx vertx, String address, Handler<Message<Object>> handler) {
        KeptAddress kept = new KeptAddress(vertx, address, handler);
        kept.consumers.add(OwnPlaceConsumer.of(vertx, address, handler));
        return kept;
    }

    String address() {
        return address;
    }

    /** {@return completes when the cluster manager knows the newest registration} */
    Future<Void> completion() {
        return consumers.getLast().completion();
    }

    /** {@return completes when the address is registered anew, or after a short while} */
    Future<Void> registerAnew() {
        if (ended || consumers.size() >= MOST || !consumers.getLast().wouldFareBetterAnew()) {
            return Future.succeededFuture();
        }
        OwnPlaceConsumer next = OwnPlaceConsumer.of(vertx, address, handler);
        consumers.add(next);
        return SelfCheck.soon(vertx, next.completion().onComplete(done -> {
            if (done.succeeded()) {
                endBefore(next);
            } else if (consumers.remove(next)) {
                var unused = next.unregister();
            }
        }));
    }

    /** Nobody waits for the ends of these: a cluster manager that has just merged was seen never to tell them. */
    private void endBefore(OwnPlaceConsumer newer) {
        while (consumers.contains(newer) && consumers.getFirst() != newer) {
            var unused = consumers.removeFirst().unregister();
        }
    }

    /** {@return completes when the cluster manager has forgotten it} */
    Future<Void> end() {
        ended = true;
        List<Future<Void>> ends = new ArrayList<>();
        for (OwnPlaceConsumer each = consumers.poll(); each != null; each = consumers.poll()) {
            ends.add(each.unregister());
        }
        return Future.join(ends).mapEmpty();
    }

    /** Registers several anew, one after the other, so that one which hangs is in the way of none of the others. */
    static Future<Void> registerAnew(List<KeptAddress> all) {
        Future<Void> done = Future.succeededFuture();
        for (KeptAddress each : all) {
            done = done.compose(before -> each.registerAnew());
        }
        return done;
    }
}
