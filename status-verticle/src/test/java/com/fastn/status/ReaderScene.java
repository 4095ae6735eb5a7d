package com.fastn.status;

import static org.awaitility.Awaitility.await;

import com.fastn.context.ManualTicker;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;

/**
 * A reader of a stream, whose clock and timers the test moves. The test is its writer, at one address, where an empty question has
 * to be answered.
 */
final class ReaderScene {
    private static final Duration LONG = Duration.ofSeconds(60);
    private static final Duration SECOND = Duration.ofSeconds(1);

    private final Vertx vertx;
    private final String writer;
    private final HandTimers timers;
    private final ManualTicker ticker = new ManualTicker(Fixtures.NOW);
    private final Context loop;
    private final StatusSubscription subscription;

    ReaderScene(Vertx vertx, String writer) {
        this.vertx = vertx;
        this.writer = writer;
        this.timers = new HandTimers(vertx);
        this.loop = vertx.getOrCreateContext();
        this.subscription = new StatusSubscription(
                timers.vertx(),
                null,
                writer,
                new JsonObject(),
                view -> {},
                trouble -> {},
                1,
                new PeerBytes(ticker),
                ticker);
    }

    void open() {
        run(subscription::open);
    }

    void close() {
        run(subscription::close);
    }

    boolean isOpen() {
        return Turns.on(loop, subscription::isOpen);
    }

    Duration silence() {
        return Turns.on(loop, subscription::silence);
    }

    @Nullable
    String trouble() {
        return Turns.on(loop, subscription::trouble);
    }

    /** A second, and what comes of it has come, mostly. */
    void second() {
        ticker.advance(SECOND);
        run(timers::goOff);
        for (int i = 0; i < 5; i++) {
            Waiting.result(vertx.eventBus().request(writer, new JsonObject()));
            run(() -> {});
            Waiting.result(vertx.executeBlocking(() -> null));
        }
    }

    /** One second after the other, until it is so. */
    void secondsUntil(Callable<Boolean> so) {
        await().atMost(LONG).until(() -> {
            second();
            return so.call();
        });
    }

    private void run(Runnable turn) {
        var unused = Turns.on(loop, () -> {
            turn.run();
            return true;
        });
    }
}
