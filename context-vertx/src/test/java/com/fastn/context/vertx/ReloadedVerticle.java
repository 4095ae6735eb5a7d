package com.fastn.context.vertx;

import com.fastn.context.FastnContext;
import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import io.vertx.core.eventbus.Message;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;

/**
 * A verticle that {@link RedeployTest} loads anew for each deployment, and that does a little of everything, with values,
 * failures and handlers of its own classes, and leaves open what it can.
 */
public final class ReloadedVerticle extends VerticleBase {
    private static final Duration LONG = Duration.ofHours(1);

    /** Made by its name, of its own loader. */
    public ReloadedVerticle() {}

    /** A value whose class is of this verticle's loader. */
    private record Account(String name) {}

    /** A failure whose class is of this verticle's loader. */
    private static final class Overdrawn extends RuntimeException {
        private static final long serialVersionUID = 1;

        Overdrawn() {
            super("no money");
        }
    }

    @Override
    public Future<?> start() {
        FutureContext mine = FutureContext.current();
        FutureContext outer = FutureContext.of(mine.context().runtime().root());
        List<Object> lasting = new ArrayList<>();
        for (FutureContext each : List.of(mine, outer)) {
            lasting.add(each.timer(LONG).recover(ReloadedVerticle::given));
            lasting.add(each.periodic(LONG, "tick", tick -> Future.succeededFuture()));
            lasting.add(each.request("reloaded.silent", "x").recover(ReloadedVerticle::given));
        }
        mine.setData("account", new Account("a").toString());
        mine.context().onCancel(reason -> lasting.clear());
        FastnContext left = mine.context().child("left").open();
        left.onCancel(reason -> left.close());
        var unused = mine.mutex("turns", new Account("b"));
        return vertx.eventBus()
                .consumer("reloaded.silent", (Message<Object> message) -> lasting.add(message))
                .completion()
                .compose(silent -> vertx.eventBus()
                        .consumer(
                                "reloaded",
                                (Message<Object> message) -> work(mine).onComplete(done -> message.reply("done")))
                        .completion());
    }

    private static <T> Future<T> given(Throwable failure) {
        return Future.failedFuture(new CancellationException(failure.getMessage()));
    }

    private Future<?> work(FutureContext mine) {
        FutureContext message = FutureContext.current();
        return message.child("step")
                .run(step -> mine.mutex("turns", new Account("c"))
                        .withLock(
                                account -> step.awaiting("wait", vertx.timer(1)).map(account)))
                .compose(account -> message.blocking(() -> new Account("d")))
                .compose(account -> message.blockingInterruptibly(() -> new Account("e")))
                .compose(account -> message.child("blocking").spawnBlocking(() -> new Account("f")))
                .compose(account -> message.child("fails").persist().run(child -> Future.failedFuture(new Overdrawn())))
                .otherwiseEmpty();
    }
}
