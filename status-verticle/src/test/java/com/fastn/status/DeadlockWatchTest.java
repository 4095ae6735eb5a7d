package com.fastn.status;

import static com.fastn.status.Waiting.await;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.FastnContext;
import com.fastn.context.ManualTicker;
import com.fastn.context.status.NodeIdentity;
import com.fastn.context.status.NodeWaits;
import com.fastn.context.vertx.Addresses;
import com.fastn.context.vertx.FastnVertx;
import com.fastn.context.vertx.FutureContext;
import com.fastn.context.vertx.SharedLock;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.MessageConsumer;
import io.vertx.core.json.JsonObject;
import io.vertx.core.shareddata.Lock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** When a node looks for deadlocks of the cluster, by a clock that is moved by hand. */
class DeadlockWatchTest {
    private static final Duration PATIENCE = Duration.ofSeconds(50);

    private final Vertx one = Vertx.vertx();
    private final Vertx other = Vertx.vertx();
    private final ManualTicker ticker = new ManualTicker(Fixtures.NOW);
    private final NodeIdentity carol = new NodeIdentity("carol", "carol-1");

    /** The runtimes outlive the Vertx of a test: what is begun here is ended here. */
    private final List<Runnable> ends = new ArrayList<>();

    @AfterEach
    void close() {
        ends.forEach(Runnable::run);
        Waiting.result(Future.all(one.close(), other.close()));
    }

    @Test
    void L14_aRingIsToldAsSoonAsWhoWasInTheWayTellsHoweverOldItsWaitsAreByThen() {
        // Of two that wait in a ring the one with the lower incarnation tells.
        boolean inOrder = incarnation(one).compareTo(incarnation(other)) < 0;
        Vertx vertx = inOrder ? one : other;
        FastnVertx bob = FastnVertx.install(inOrder ? other : one);
        FastnVertx fastn = FastnVertx.install(vertx);
        NodeIdentity self = fastn.node();
        NodeDirectory directory = new NodeDirectory(self, BootTime.of(self), Duration.ofHours(1), ticker);
        directory.heard(new Hello(bob.node(), 1, Hello.Kind.ALIVE, null));
        directory.heard(new Hello(carol, 1, Hello.Kind.ALIVE, null));
        AtomicBoolean tells = new AtomicBoolean();
        answer(vertx, bob.node(), () -> true, () -> bob.waits(Duration.ZERO));
        answer(vertx, carol, tells::get, () -> new NodeWaits(carol, List.of(), List.of(), false, List.of()));
        holdAndWait(vertx, "orders", "stock");
        holdAndWait(inOrder ? other : one, "stock", "orders");
        HandTimers timers = new HandTimers(vertx, ticker);
        Context loop = vertx.getOrCreateContext();
        DeadlockWatch watch = new DeadlockWatch(
                timers.vertx(),
                fastn,
                vertx.createSharedWorkerExecutor("looks", 1),
                directory,
                1,
                60_000,
                ticker,
                () -> {});
        run(loop, watch::start);
        await("carol is in the way").until(() -> {
            look(loop, timers);
            return watch.notSearched("global") != null;
        });
        // All that it does at once, because an answer may have been lost, is done.
        for (int i = 0; i < 12; i++) {
            look(loop, timers);
        }
        assertThat(watch.reports()).isEmpty();

        tells.set(true);
        look(loop, timers);

        assertThat(watch.notSearched("global")).isNull();
        assertThat(watch.reports()).hasSize(1);
        run(loop, watch::stop);
    }

    /** The other node has the lock that is waited for, so here somebody has it of whom is not known who he is. */
    private void holdAndWait(Vertx on, String holds, String wants) {
        FastnContext context =
                FastnVertx.install(on).runtime().root().child("holds-" + holds).open();
        Lock others = Waiting.result(on.sharedData().getLock(wants));
        SharedLock.Guard own = Waiting.result(in(context, () -> lock(holds)));
        Future<Void> waits = in(context, () -> lock(wants))
                .onSuccess(SharedLock.Guard::close)
                .mapEmpty();
        ends.add(() -> {
            others.release();
            own.close();
            Waiting.result(waits);
            context.close();
        });
    }

    private static void answer(Vertx vertx, NodeIdentity node, BooleanSupplier tells, Supplier<NodeWaits> waits) {
        MessageConsumer<JsonObject> answers = vertx.eventBus()
                .consumer(Addresses.node(node.incarnation()), question -> {
                    if (tells.getAsBoolean()) {
                        question.reply(NodeWaitsJson.write(waits.get()).toBuffer());
                    } else {
                        question.fail(1, "it tells nothing");
                    }
                });
        Waiting.result(answers.completion());
    }

    /** Has it look once, and waits until the time of its next look is set. */
    private void look(Context loop, HandTimers timers) {
        await("a look is due").until(() -> timers.count() == 1);
        ticker.advance(Duration.ofMillis(1));
        run(loop, timers::goOff);
        await("the look is over").until(() -> timers.count() == 1);
    }

    private static void run(Context loop, Runnable turn) {
        var unused = Turns.on(loop, () -> {
            turn.run();
            return true;
        });
    }

    private static String incarnation(Vertx vertx) {
        return FastnVertx.install(vertx).node().incarnation();
    }

    private static <T> Future<T> in(FastnContext context, Supplier<Future<T>> work) {
        return FutureContext.of(context).spawn(work);
    }

    private static Future<SharedLock.Guard> lock(String name) {
        return FutureContext.current().sharedLock(name).lock(PATIENCE);
    }
}
