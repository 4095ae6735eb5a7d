package com.fastn.status;

import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/** A Vertx whose periodic timers go off when somebody says so, and never by themselves. */
final class HandTimers {
    private final Map<Long, Handler<Long>> timers = new ConcurrentHashMap<>();
    private final AtomicLong ids = new AtomicLong(1_000_000);
    private final Vertx vertx;

    HandTimers(Vertx real) {
        this.vertx = (Vertx) Proxy.newProxyInstance(
                Vertx.class.getClassLoader(), new Class<?>[] {Vertx.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("setPeriodic") && arguments.length == 2) {
                        @SuppressWarnings("unchecked")
                        Handler<Long> handler = (Handler<Long>) arguments[1];
                        long id = ids.incrementAndGet();
                        timers.put(id, handler);
                        return id;
                    }
                    if (method.getName().equals("cancelTimer") && timers.remove((Long) arguments[0]) != null) {
                        return true;
                    }
                    try {
                        return method.invoke(real, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    Vertx vertx() {
        return vertx;
    }

    /** {@return how many of them there are} */
    int count() {
        return timers.size();
    }

    /** Has all of them go off once, on the thread that calls. */
    void goOff() {
        Map.copyOf(timers).forEach((id, handler) -> handler.handle(id));
    }
}
