package com.fastn.status;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fastn.context.Ticker;
import com.fastn.status.stream.StreamFrame;
import com.fastn.status.stream.StreamFrame.Content;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.MessageConsumer;
import io.vertx.core.json.JsonObject;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.function.BiFunction;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A writer that sends more than it may, to a reader that has no time to read. */
@Timeout(120)
class FrameFloodTest {
    private static final int FRAMES = 2_000;
    private static final int FRAME_BYTES = 64 << 10;
    /** What may wait is 5 MB, and what is sent 131 MB. */
    private static final long MOST_KEPT = 48 << 20;

    private final Vertx vertx = Vertx.vertx(new VertxOptions().setWorkerPoolSize(1));
    private final CountDownLatch busy = new CountDownLatch(1);

    @AfterEach
    void close() {
        busy.countDown();
        Waiting.result(vertx.close());
    }

    @Test
    void S16_ofAFloodOfFramesOnlyWhatAWriterMaySendAheadIsKept() {
        keepsLittle((vertx, loop) -> subscription(vertx, loop, new PeerBytes(Ticker.system())));
        assertThatThrownBy(() -> keepsLittle(FrameFloodTest::hoarder))
                .as("the check has to notice a reader that keeps all")
                .isInstanceOf(AssertionError.class);
    }

    @Test
    void S16_allStreamsTogetherKeepNoMoreThanTheyMay() {
        PeerBytes bytes = new PeerBytes(Ticker.system());
        long others = PeerBytes.MOST - (1 << 20);
        assertThat(bytes.take(others)).isTrue();
        assertThat(bytes.warning("global")).isNull();
        keepsLittle((vertx, loop) -> subscription(vertx, loop, bytes));
        assertThat(bytes.kept()).isLessThanOrEqualTo(PeerBytes.MOST);
        assertThat(bytes.dropped()).isGreaterThanOrEqualTo(FRAMES / 2);
        assertThat(requireNonNull(bytes.warning("global")).message()).startsWith("+" + bytes.dropped() + " frames");

        busy.countDown();
        await().atMost(Duration.ofSeconds(60)).until(() -> bytes.kept() == others);
    }

    /** Opens a reader, and tells where it listens. */
    private interface Reader extends BiFunction<Vertx, Context, CompletableFuture<String>> {}

    private void keepsLittle(Reader reader) {
        var unused = vertx.executeBlocking(
                () -> {
                    busy.await();
                    return null;
                },
                false);
        Context loop = vertx.getOrCreateContext();
        String address = reader.apply(vertx, loop).join();
        long before = usedBytes();
        for (int i = 1; i <= FRAMES; i++) {
            StreamFrame frame = new StreamFrame(1, i, Content.FULL, false, new byte[FRAME_BYTES]);
            vertx.eventBus().send(address, Buffer.buffer(frame.body()), StreamWire.headers("s", frame));
            if (i % 50 == 0) {
                // What is on its way to the loop is of the bus.
                handled(loop);
            }
        }
        assertThat(usedBytes() - before).as("bytes that are kept").isLessThan(MOST_KEPT);
    }

    private static void handled(Context loop) {
        CompletableFuture<Void> turn = new CompletableFuture<>();
        loop.runOnContext(now -> turn.complete(null));
        turn.join();
    }

    private static CompletableFuture<String> subscription(Vertx vertx, Context loop, PeerBytes bytes) {
        CompletableFuture<String> address = new CompletableFuture<>();
        MessageConsumer<JsonObject> writer = vertx.eventBus().consumer("flood.open");
        writer.handler(opened -> {
            opened.reply(new JsonObject()
                    .put(StreamWire.STREAM, "s")
                    .put(StreamWire.CONTROL, "flood.control")
                    .put(StreamWire.LEASE_MILLIS, 600_000));
            // The reader has the reply before it has what is sent from now on.
            loop.runOnContext(now -> address.complete(opened.body().getString(StreamWire.ADDRESS)));
        });
        // Its question waits for long: where the machine is busy the reader would not be open when the flood begins.
        StatusSubscription subscription = new StatusSubscription(
                new HandTimers(vertx).vertx(),
                null,
                "flood.open",
                new JsonObject(),
                view -> {},
                trouble -> {},
                1,
                bytes,
                Ticker.system());
        writer.completion().onComplete(listening -> loop.runOnContext(now -> subscription.open()));
        return address;
    }

    private static CompletableFuture<String> hoarder(Vertx vertx, Context loop) {
        CompletableFuture<String> address = new CompletableFuture<>();
        List<byte[]> all = new ArrayList<>();
        loop.runOnContext(now -> {
            MessageConsumer<Buffer> consumer = vertx.eventBus().consumer("flood.hoarder");
            consumer.handler(frame -> all.add(frame.body().getBytes()));
            consumer.completion().onComplete(listening -> address.complete("flood.hoarder"));
        });
        return address;
    }

    private static long usedBytes() {
        System.gc();
        System.gc();
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }
}
