package com.fastn.status;

import io.vertx.core.Future;
import io.vertx.core.ThreadingModel;
import io.vertx.core.internal.ContextInternal;
import io.vertx.core.internal.VertxInternal;
import io.vertx.core.shareddata.LocalMap;
import io.vertx.core.shareddata.Shareable;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
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

    private static final String MAP = "com.fastn.status.places";
    /** Of this class as it was loaded: where a verticle is loaded anew it can do nothing with the places of the former one. */
    private static final String KEY = UUID.randomUUID().toString();

    private final List<Place> places;
    // Mutable state, changed only by the map, for one at a time
    private int users;

    private RegistrationPlaces(VertxInternal vertx) {
        this.places = Stream.generate(() -> new Place(vertx.contextBuilder()
                        .withThreadingModel(ThreadingModel.EVENT_LOOP)
                        // That of whoever comes first would be held by all contexts for as long as there are any.
                        .withClassLoader(VertxInternal.class.getClassLoader())
                        .build()))
                .limit(MOST)
                .toList();
    }

    /** {@return those of a Vertx, which are there until each who took them has {@linkplain #release let them go}} */
    static RegistrationPlaces take(VertxInternal vertx) {
        return all(vertx).compute(KEY, (key, known) -> {
            RegistrationPlaces taken = known == null ? new RegistrationPlaces(vertx) : known;
            taken.users++;
            return taken;
        });
    }

    /** Lets them go, once for each {@link #take}. */
    static void release(VertxInternal vertx) {
        var unused = all(vertx).computeIfPresent(KEY, (key, known) -> --known.users == 0 ? null : known);
    }

    private static LocalMap<String, RegistrationPlaces> all(VertxInternal vertx) {
        return vertx.sharedData().getLocalMap(MAP);
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
