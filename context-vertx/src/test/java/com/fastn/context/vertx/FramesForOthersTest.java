package com.fastn.context.vertx;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.event.ContextEvent;
import com.fastn.context.status.ContextPath;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.internal.ContextInternal;
import io.vertx.core.internal.VertxInternal;
import io.vertx.core.json.JsonObject;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(OwnTree.class)
class FramesForOthersTest {
    private static final String ADDRESS = Addresses.EVENTS_CONTEXTS;

    private static EventFrame frame(int sequence) {
        return new EventFrame(
                "alice",
                "19a-7f",
                sequence,
                List.of(new ContextEvent.Changed(sequence, ContextPath.of("global"), "key")),
                0);
    }

    @Test
    void whileThePoolIsBlockedFewFramesWaitForItAndWhatIsDroppedIsTold() {
        Vertx vertx = Vertx.vertx(new VertxOptions().setWorkerPoolSize(1));
        CountDownLatch blocked = new CountDownLatch(1);
        try {
            List<JsonObject> told = new CopyOnWriteArrayList<>();
            vertx.eventBus().<Object>addOutboundInterceptor(delivery -> {
                if (delivery.body() instanceof JsonObject part) {
                    told.add(part);
                }
                delivery.next();
            });
            ContextInternal home = (ContextInternal) vertx.getOrCreateContext();
            FramesForOthers frames = new FramesForOthers((VertxInternal) vertx, home, new WorkerQueue());
            Future<Object> blocking = vertx.executeBlocking(() -> {
                blocked.await();
                return null;
            });
            int all = FramesForOthers.MOST_WAITING + 24;
            Waiting.on(home, () -> {
                for (int i = 0; i < all; i++) {
                    frames.tell(ADDRESS, frame(i));
                }
                return Future.succeededFuture();
            });
            blocked.countDown();
            Waiting.result(blocking);
            // Also when nothing happens afterwards that would be told.
            Waiting.until(() -> told.size() > FramesForOthers.MOST_WAITING);
            assertThat(told).hasSize(FramesForOthers.MOST_WAITING + 1);
            assertThat(told.subList(0, FramesForOthers.MOST_WAITING)).allSatisfy(part -> {
                assertThat(part.getLong("dropped")).isZero();
                assertThat(part.getJsonArray("events")).hasSize(1);
            });
            JsonObject last = told.get(FramesForOthers.MOST_WAITING);
            assertThat(last.getLong("dropped")).isEqualTo(24);
            assertThat(last.getJsonArray("events")).isEmpty();
            assertThat(last.getLong("first_sequence")).isEqualTo(all);
            Waiting.on(home, () -> {
                frames.tell(ADDRESS, frame(all));
                return Future.succeededFuture();
            });
            Waiting.until(() -> told.size() == FramesForOthers.MOST_WAITING + 2);
            assertThat(told.get(FramesForOthers.MOST_WAITING + 1).getLong("dropped"))
                    .isZero();
        } finally {
            blocked.countDown();
            Waiting.result(vertx.close());
        }
    }
}
