package com.fastn.verification.cluster;

import io.vertx.core.Completable;
import io.vertx.core.Vertx;
import io.vertx.core.internal.VertxInternal;
import io.vertx.core.spi.cluster.ClusterManager;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A cluster manager as it is, of which is known for how long it has not said where an address, or a node, is. Each address has a
 * member that knows it: while that one is lost, and not taken for lost, others may be answered all the same.
 */
final class ManagerWatch implements InvocationHandler {
    private static final Set<String> LOOKUPS = Set.of("getRegistrations", "getNodeInfo");
    /** What is not answered for longer never will be, and explains nothing any more. */
    private static final long MOST_NANOS = TimeUnit.SECONDS.toNanos(150);

    private final ClusterManager manager;
    private final Map<Object, Long> askedNanos = new ConcurrentHashMap<>();

    private ManagerWatch(ClusterManager manager) {
        this.manager = manager;
    }

    static ClusterManager watched(ClusterManager manager) {
        return (ClusterManager) Proxy.newProxyInstance(
                ManagerWatch.class.getClassLoader(), new Class<?>[] {ClusterManager.class}, new ManagerWatch(manager));
    }

    /** {@return for how many milliseconds the oldest question to it is not answered yet, 0 where there is none} */
    static long silentMillis(Vertx vertx) {
        ManagerWatch watch = (ManagerWatch) Proxy.getInvocationHandler(((VertxInternal) vertx).clusterManager());
        long now = System.nanoTime();
        return watch.askedNanos.values().stream()
                        .mapToLong(asked -> now - asked)
                        .filter(age -> age < MOST_NANOS)
                        .max()
                        .orElse(0)
                / 1_000_000;
    }

    @Override
    public @Nullable Object invoke(Object proxy, Method method, Object @Nullable [] arguments) throws Throwable {
        Object @Nullable [] passed = arguments;
        if (arguments != null && LOOKUPS.contains(method.getName())) {
            int last = arguments.length - 1;
            if (arguments[last] instanceof Completable<?> asking) {
                passed = arguments.clone();
                passed[last] = noted(asking);
            }
        }
        try {
            return method.invoke(manager, passed);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }

    private <T> Completable<T> noted(Completable<T> asking) {
        Object question = new Object();
        askedNanos.put(question, System.nanoTime());
        return (answer, failure) -> {
            askedNanos.remove(question);
            asking.complete(answer, failure);
        };
    }
}
