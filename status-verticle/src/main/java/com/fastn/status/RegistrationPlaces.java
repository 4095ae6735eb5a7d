package com.fastn.status;

import io.vertx.core.Future;
import io.vertx.core.ThreadingModel;
import io.vertx.core.internal.ContextInternal;
import io.vertx.core.internal.VertxInternal;
import io.vertx.core.shareddata.LocalMap;
import io.vertx.core.shareddata.Shareable;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * The few Vert.x contexts of a Vertx on which we register what we consume.
 *
 * <p>A cluster manager does what one context registers one after the other, Hazelcast's on a thread of the application's worker
 * pool. A registration that it never finishes, as was seen while it merges, holds up all later ones of that context; with a context
 * for each of them, as many threads stand still while all of Hazelcast does. So there are a few: one that is held up is not taken as
 * long as another is free, and however long it lasts no more threads wait than there are places. Threads: any.
 */
final class RegistrationPlaces implements Shareable {
    /** Of the twenty threads that an application has unless it says otherwise. */
    static final int MOST = 4;

    private static final String KEY = "com.fastn.status.places";

    private final List<Place> places;

    private RegistrationPlaces(VertxInternal vertx) {
        this.places = Stream.generate(() -> new Place(vertx.contextBuilder()
                        .withThreadingModel(ThreadingModel.EVENT_LOOP)
                        .build()))
                .limit(MOST)
                .toList();
    }

    /** {@return those of a Vertx} */
    static RegistrationPlaces of(VertxInternal vertx) {
        LocalMap<String, RegistrationPlaces> known = vertx.sharedData().getLocalMap(KEY);
        return known.computeIfAbsent(KEY, key -> new RegistrationPlaces(vertx));
    }

    /** {@return the place with the least under way} */
    Place free() {
        return places.stream().min(Comparator.comparingInt(Place::underWay)).orElseThrow();
    }

    /** {@return whether there is one with nothing under way} */
    boolean isAnyIdle() {
        return free().underWay() == 0;
    }

    /** One of them. */
    static final class Place {
        private final ContextInternal context;
        private final AtomicInteger underWay = new AtomicInteger();

        private Place(ContextInternal context) {
            this.context = context;
        }

        private int underWay() {
            return underWay.get();
        }

        /** Registers something, or takes it back, which is done when the future is. */
        Future<Void> at(Supplier<Future<Void>> work) {
            underWay.incrementAndGet();
            ContextInternal before = context.beginDispatch();
            try {
                return work.get().onComplete(done -> underWay.decrementAndGet());
            } catch (RuntimeException e) {
                underWay.decrementAndGet();
                throw e;
            } finally {
                context.endDispatch(before);
            }
        }
    }
}
