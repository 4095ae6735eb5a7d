package com.fastn.context.vertx;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.FastnContext;
import com.fastn.context.engine.EngineRuntime;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.Message;
import io.vertx.junit5.VertxExtension;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A verticle that is deployed again and again leaves nothing behind. */
@ExtendWith({OwnTree.class, VertxExtension.class})
class RedeployTest {
    private static final int REDEPLOYS = 1_000;

    /** A verticle with a message, a child, a repetition and a lock of its own. */
    private static final class Busy extends Front {
        final List<WeakReference<FastnContext>> contexts = new CopyOnWriteArrayList<>();

        @Override
        public Future<?> start() {
            FutureContext mine = FutureContext.current();
            contexts.add(new WeakReference<>(mine.context()));
            var ticks = mine.periodic(Duration.ofMillis(1), "tick", tick -> Future.succeededFuture());
            assertThat(ticks).isNotNull();
            return vertx.eventBus()
                    .consumer("busy", (Message<Object> message) -> {
                        contexts.add(new WeakReference<>(FastnContext.current()));
                        FutureContext.current()
                                .child("step")
                                .run(step -> {
                                    contexts.add(new WeakReference<>(step.context()));
                                    return mine.mutex("turns").withLock(value -> vertx.timer(1));
                                })
                                .onComplete(done -> message.reply("done"));
                    })
                    .completion();
        }
    }

    @Test
    void aThousandRedeploysLeaveNoContextNoVerticleAndNothingOpen(Vertx vertx) {
        FastnVertx fastn = FastnVertx.install(vertx);
        EngineRuntime runtime = (EngineRuntime) fastn.runtime();
        List<WeakReference<?>> all = new CopyOnWriteArrayList<>();
        for (int i = 0; i < REDEPLOYS; i++) {
            redeployOnce(vertx, all);
        }
        assertThat(runtime.root().children()).isEmpty();
        assertThat(runtime.openContexts()).isEqualTo(1);
        assertThat(fastn.awaitedReplies().count()).isZero();
        assertThat(fastn.pendingReplies().count()).isZero();
        assertThat(all.size()).isGreaterThanOrEqualTo(4 * REDEPLOYS);
        // One may still be referred to from a stack or a thread's last task.
        Waiting.until(() -> {
            System.gc();
            return all.stream().filter(reference -> reference.get() != null).count() <= 20;
        });
    }

    private static void redeployOnce(Vertx vertx, List<WeakReference<?>> all) {
        Busy busy = new Busy();
        String id = Waiting.result(vertx.deployVerticle(busy));
        Waiting.result(vertx.eventBus().request("busy", "x"));
        Waiting.result(vertx.undeploy(id));
        all.add(new WeakReference<>(busy));
        all.addAll(busy.contexts);
    }
}
