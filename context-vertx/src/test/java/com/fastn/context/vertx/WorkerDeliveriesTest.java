package com.fastn.context.vertx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fastn.context.engine.Delivery;
import io.vertx.core.internal.ContextInternal;
import io.vertx.core.internal.EventExecutor;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** What is on its way to a worker is run or dropped once, whatever its pool does. */
class WorkerDeliveriesTest {
    private final WorkerDeliveries deliveries = new WorkerDeliveries();
    private final List<String> seen = new ArrayList<>();
    private final List<Runnable> queue = new ArrayList<>();

    private Delivery delivery(String name) {
        return new Delivery() {
            @Override
            public void run() {
                seen.add(name + " run");
            }

            @Override
            public void drop() {
                seen.add(name + " dropped");
                if (name.equals("broken")) {
                    throw new IllegalStateException("cannot be dropped");
                }
            }
        };
    }

    private static ContextInternal place(Consumer<Runnable> pool) {
        EventExecutor executor = new EventExecutor() {
            @Override
            public boolean inThread() {
                return false;
            }

            @Override
            public void execute(Runnable task) {
                pool.accept(task);
            }
        };
        return (ContextInternal) Proxy.newProxyInstance(
                WorkerDeliveriesTest.class.getClassLoader(),
                new Class<?>[] {ContextInternal.class},
                (proxy, method, arguments) -> switch (method.getName()) {
                    case "executor" -> executor;
                    case "dispatch" -> {
                        ((Runnable) arguments[0]).run();
                        yield null;
                    }
                    case "hashCode" -> 1;
                    case "equals" -> proxy == arguments[0];
                    default -> throw new UnsupportedOperationException(method.getName());
                });
    }

    @Test
    void L9_whatAPoolWithoutThreadsDoesNotTakeIsLeftToTheCallerAlone() {
        assertThatThrownBy(() -> deliveries.deliver(
                        place(task -> {
                            queue.add(task);
                            throw new OutOfMemoryError("unable to create native thread");
                        }),
                        delivery("a")))
                .isInstanceOf(OutOfMemoryError.class);
        deliveries.close();
        // Also where the pool has it in its queue, and makes a thread later.
        queue.forEach(Runnable::run);
        assertThat(seen).isEmpty();
    }

    @Test
    void L9_whatAPoolRunsAndThenFailsAtIsDelivered() {
        deliveries.deliver(
                place(task -> {
                    task.run();
                    throw new OutOfMemoryError("unable to create native thread");
                }),
                delivery("a"));
        deliveries.close();
        assertThat(seen).containsExactly("a run");
    }

    @Test
    void L9_whatAPoolThatIsGoneRefusesIsDropped() {
        deliveries.deliver(
                place(task -> {
                    throw new RejectedExecutionException();
                }),
                delivery("a"));
        assertThat(seen).containsExactly("a dropped");
    }

    @Test
    void L9_ofWhatIsDroppedAtTheEndNoneIsLostWithAnother() {
        for (String name : List.of("a", "broken", "b", "c")) {
            deliveries.deliver(place(queue::add), delivery(name));
        }
        deliveries.close();
        queue.forEach(Runnable::run);
        assertThat(seen).containsExactlyInAnyOrder("a dropped", "broken dropped", "b dropped", "c dropped");
    }
}
