package com.fastn.context.vertx;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.ContextMutex;
import com.fastn.context.FastnContext;
import com.fastn.context.LockGuard;
import com.fastn.context.engine.EngineRuntime;
import com.fastn.context.status.Cause;
import com.fastn.context.status.CauseKind;
import com.fastn.context.status.ContextKind;
import com.fastn.context.status.Explanation;
import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(OwnTree.class)
class BlockedPlacesTest {
    private final CountDownLatch atEnd = new CountDownLatch(1);
    private Vertx vertx;
    private EngineRuntime runtime;

    @BeforeEach
    void start() {
        vertx = Vertx.vertx(new VertxOptions()
                .setEventLoopPoolSize(4)
                .setWorkerPoolSize(2)
                .setMaxEventLoopExecuteTime(50)
                .setMaxEventLoopExecuteTimeUnit(TimeUnit.MILLISECONDS)
                .setBlockedThreadCheckInterval(1_000_000));
        runtime = (EngineRuntime) FastnVertx.install(vertx).runtime();
    }

    @AfterEach
    void stop() {
        atEnd.countDown();
        runtime.root().children().forEach(FastnContext::cancel);
        Waiting.result(vertx.close());
    }

    /** Answers only when the test ends, and holds up its event loop until then. */
    private final class Bank extends VerticleBase {
        @Override
        public Future<?> start() {
            return vertx.eventBus()
                    .consumer("bank.pay", message -> {
                        holdUp();
                        message.reply("paid");
                    })
                    .completion();
        }
    }

    private void holdUp() {
        try {
            atEnd.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void aRequestWhoseHandlerBlocksItsEventLoopEndsAtThatLoopWithItsStack() {
        Waiting.result(vertx.deployVerticle(new Bank()));
        FastnContext req =
                runtime.root().child("req").withKind(ContextKind.REQUEST).open();
        LockGuard<?> orders = Waiting.take(runtime.root().mutex("orders"));
        FutureContext.of(req)
                .spawn(() -> FutureContext.current()
                        .awaiting(
                                "pay", vertx.eventBus().request("bank.pay", "1").mapEmpty()));
        // A busy machine may hold up a loop before the handler is there.
        Waiting.until(() -> requireNonNull(runtime.explain(req.id())).root().kind() == CauseKind.EVENT_LOOP);

        Explanation why = requireNonNull(runtime.explain(req.id()));
        assertThat(why.chain()).as("%s", why).extracting(Cause::kind).containsExactly(CauseKind.REQUEST);
        assertThat(why.root().kind()).isEqualTo(CauseKind.EVENT_LOOP);
        assertThat(why.root().context().path()).endsWith("bank\\.pay");
        assertThat(why.root().stack()).anyMatch(frame -> frame.contains("BlockedPlacesTest.holdUp"));
        assertThat(why.toString().lines().findFirst().orElse(""))
                .contains("bank.pay: event loop blocked", "at BlockedPlacesTest.java:");
        assertThat(runtime.status().warnings())
                .anyMatch(w -> w.id().equals("place-blocked") && w.message().contains("BlockedPlacesTest.java"));
        assertThat(runtime.explainAll())
                .anyMatch(each -> each.root().context().equals(why.root().context()));

        atEnd.countDown();
        Waiting.until(() -> runtime.status().causes().blocked().isEmpty());
        orders.close();
    }

    @Test
    void aPoolFullOfThoseWhoWaitForTheOneInItsQueueIsNamed() {
        ContextMutex<?> orders = runtime.root().mutex("orders");
        FastnContext settle = runtime.root().child("settle").open();
        LockGuard<?> guard = takeIn(settle, orders);
        for (int i = 0; i < 2; i++) {
            var unused = runtime.root().child("worker" + i).<String>spawnBlocking(() -> {
                try (LockGuard<?> mine = orders.lockBlocking()) {
                    return mine.lockName();
                }
            });
        }
        Waiting.until(() -> orders.waiters() == 2);
        var release = settle.child("release").<String>spawnBlocking(() -> {
            guard.close();
            return "done";
        });
        Waiting.until(() -> !runtime.status().causes().blocked().isEmpty());
        Explanation why = requireNonNull(runtime.explain(settle.id()));
        assertThat(why.toString().lines().findFirst().orElse(""))
                .as("%s", why)
                .contains("the pool is full of those that wait for each other", "settle", "worker");
        assertThat(why.root().kind()).isEqualTo(CauseKind.POOL);
        guard.close();
        Waiting.result(release);
        Waiting.until(() -> runtime.status().causes().blocked().isEmpty());
        assertThat(runtime.explainAll()).isEmpty();
    }

    private static LockGuard<?> takeIn(FastnContext who, ContextMutex<?> mutex) {
        try (var ignored = who.makeCurrent()) {
            return Waiting.take(mutex);
        }
    }

    @Test
    void aBusyPoolAndAShortStayOnAnEventLoopAreNoCause() {
        var running = java.util.stream.IntStream.range(0, 40)
                .mapToObj(i -> runtime.root().child("job" + i).<String>spawnBlocking(() -> {
                    Thread.onSpinWait();
                    return "done";
                }))
                .toList();
        assertThat(runtime.status().causes().isNone()).isTrue();
        running.forEach(each -> Waiting.result(each));
        assertThat(runtime.explainAll()).isEmpty();
    }
}
