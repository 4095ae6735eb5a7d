package com.fastn.status;

import com.fastn.context.Ticker;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.EventBus;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * A Vertx whose periodic timers go off when somebody says so, and never by themselves. With a ticker those that go off once do so
 * too, when they are due by it; without one they are left alone. What it asks on its bus is waited for for long: the bus has the
 * real clock, by which a machine that does much beside would time out what the test answers.
 */
final class HandTimers {
    private static final long LONG_MILLIS = 60_000;

    /** In the order in which they were set. */
    private final Map<Long, Timer> timers = new ConcurrentSkipListMap<>();

    private final AtomicLong ids = new AtomicLong(1_000_000);
    private final @Nullable Ticker ticker;
    private final Vertx vertx;

    HandTimers(Vertx real) {
        this(real, null);
    }

    HandTimers(Vertx real, @Nullable Ticker ticker) {
        this.ticker = ticker;
        EventBus bus = patient(real.eventBus());
        this.vertx = (Vertx) Proxy.newProxyInstance(
                Vertx.class.getClassLoader(), new Class<?>[] {Vertx.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("eventBus")) {
                        return bus;
                    }
                    if (method.getName().equals("setPeriodic") && arguments.length == 2) {
                        return set(arguments, true, Long.MIN_VALUE);
                    }
                    if (method.getName().equals("setTimer") && ticker != null) {
                        return set(arguments, false, ticker.nanos() + (long) arguments[0] * 1_000_000);
                    }
                    if (method.getName().equals("cancelTimer") && timers.remove((Long) arguments[0]) != null) {
                        return true;
                    }
                    return invoke(real, method, arguments);
                });
    }

    private long set(Object[] arguments, boolean periodic, long dueNanos) {
        @SuppressWarnings("unchecked")
        Handler<Long> handler = (Handler<Long>) arguments[1];
        long id = ids.incrementAndGet();
        timers.put(id, new Timer(handler, periodic, dueNanos));
        return id;
    }

    private static EventBus patient(EventBus real) {
        return (EventBus) Proxy.newProxyInstance(
                EventBus.class.getClassLoader(), new Class<?>[] {EventBus.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("request") && arguments.length == 3) {
                        DeliveryOptions options = new DeliveryOptions((DeliveryOptions) arguments[2]);
                        return real.request((String) arguments[0], arguments[1], options.setSendTimeout(LONG_MILLIS));
                    }
                    return invoke(real, method, arguments);
                });
    }

    private static @Nullable Object invoke(Object on, Method method, Object @Nullable [] arguments) throws Throwable {
        try {
            return method.invoke(on, arguments);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }

    Vertx vertx() {
        return vertx;
    }

    /** {@return how many of them there are} */
    int count() {
        return timers.size();
    }

    /** Has all of them that are due go off once, on the thread that calls. */
    void goOff() {
        long now = ticker == null ? 0 : ticker.nanos();
        new TreeMap<>(timers).forEach((id, timer) -> {
            // One that went off may have cancelled another.
            boolean goesOff =
                    timer.periodic() ? timers.containsKey(id) : timer.dueNanos() <= now && timers.remove(id, timer);
            if (goesOff) {
                timer.handler().handle(id);
            }
        });
    }

    private record Timer(Handler<Long> handler, boolean periodic, long dueNanos) {}
}
