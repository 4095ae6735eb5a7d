package com.fastn.status;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fastn.context.ContextRuntime;
import com.fastn.context.ManualTicker;
import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.NodeState;
import com.fastn.context.status.NodeStatus;
import com.fastn.status.stream.Outbox;
import com.fastn.status.stream.StreamFrame;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a reader keeps of the statuses that it was told. */
@Timeout(120)
@SuppressWarnings("MustBeClosedChecker") // the runtime ends with the test
class HeldStatusTest {
    private static final Duration LONG = Duration.ofSeconds(60);
    private static final long MOST = 1 << 20;

    private final Vertx vertx = Vertx.vertx();
    private final HandTimers timers = new HandTimers(vertx);
    private final Context loop = vertx.getOrCreateContext();
    private final ManualTicker ticker = new ManualTicker(Fixtures.NOW);
    private final PeerBytes bytes = new PeerBytes(MOST, ticker);
    private final ContextRuntime bob = ContextRuntime.builder().alias("bob").build();
    private final List<Throwable> troubles = new CopyOnWriteArrayList<>();
    private final Outbox outbox = new Outbox();
    private final AtomicInteger restarts = new AtomicInteger();
    private volatile String reader = "";
    private final StatusSubscription subscription = reader(1, bytes);

    @BeforeEach
    void open() {
        for (int i = 0; i < 50; i++) {
            bob.root().child("job-" + i).open();
        }
        Waiting.result(vertx.eventBus()
                .<JsonObject>consumer("held.open", opened -> {
                    reader = opened.body().getString(StreamWire.ADDRESS);
                    opened.reply(StreamWire.reply()
                            .put(StreamWire.STREAM, "s")
                            .put(StreamWire.CONTROL, "held.control")
                            .put(StreamWire.LEASE_MILLIS, 600_000));
                })
                .completion());
        Waiting.result(vertx.eventBus()
                .<JsonObject>consumer("held.control", said -> {
                    if (said.body().getBoolean(StreamWire.RESTART, false)) {
                        restarts.incrementAndGet();
                        outbox.restart();
                        tell();
                    }
                    if (said.replyAddress() != null) {
                        said.reply(StreamWire.reply());
                    }
                })
                .completion());
        onLoop(() -> {
            subscription.open();
            return null;
        });
        await().atMost(LONG).until(() -> onLoop(subscription::isOpen));
    }

    @AfterEach
    void close() {
        Waiting.result(vertx.close());
        bob.close();
    }

    @Test
    void S16_aStatusThatFindsNoRoomIsLeftOutAndIsThereWhenThereIsRoom() {
        assertThat(bytes.hold(MOST - 1_000, 0)).isTrue();
        tell();
        await().atMost(LONG).until(() -> !troubles.isEmpty());
        assertThat(onLoop(() -> subscription.view() == null)).isTrue();
        assertThat(onLoop(subscription::isOpen)).as("it is known to live").isTrue();
        assertThat(requireNonNull(onLoop(subscription::trouble)))
                .contains("its status is left out")
                .contains("1 MB");
        assertThat(bytes.held()).isEqualTo(MOST - 1_000);
        assertThat(requireNonNull(bytes.warning("global")).message()).startsWith("+1 statuses of other nodes");

        // What changes there meanwhile is not kept either, and costs it no new beginning.
        for (int i = 0; i < 20; i++) {
            bob.root().incrementTotal("orders");
            tell();
            tick();
        }
        assertThat(bytes.held()).isEqualTo(MOST - 1_000);
        assertThat(restarts).hasValue(0);
        assertThat(troubles).hasSize(1);

        assertThat(bytes.hold(0, MOST - 1_000)).isTrue();
        for (int i = 20; i < StatusSubscription.TICKS_LEFT_OUT && restarts.get() == 0; i++) {
            tick();
        }
        await().atMost(LONG).until(() -> onLoop(() -> subscription.view() != null));
        assertThat(restarts).hasValue(1);
        assertThat(onLoop(() -> subscription.trouble() == null)).isTrue();
        long whole = Buffer.buffer(Answers.json(bob.status())).length();
        assertThat(bytes.held()).isBetween(whole / 2, whole * 2);

        onLoop(() -> {
            subscription.close();
            return null;
        });
        assertThat(bytes.held()).isZero();
    }

    @Test
    void S16_whatIsHeldGoesWithTheStatusHoweverMuchIsTold() {
        long most = 0;
        for (int i = 0; i < 300; i++) {
            bob.root().setData("note", String.valueOf((char) ('a' + i % 26)).repeat(2_000));
            tell();
            String note = String.valueOf(bob.status().globalContext().data().get("note"));
            await().atMost(LONG)
                    .pollInterval(Duration.ofMillis(1))
                    .until(() -> note.equals(note(onLoop(subscription::view))));
            outbox.acknowledge(outbox.epoch(), Long.MAX_VALUE);
            most = Math.max(most, bytes.held());
        }
        // Two thousand letters three hundred times, of which those of the last time are there.
        assertThat(most).isLessThan(128 << 10);
    }

    /** Of several nodes each change comes in a frame of its own, and in between the view is not whole. */
    @Test
    void S16_whatSeveralNodesTellIsCountedOnce() {
        onLoop(() -> {
            subscription.close();
            return null;
        });
        List<ContextRuntime> nodes = List.of(bob, node("carol"), node("dave"));
        long whole = nodes.stream()
                .mapToLong(node -> Buffer.buffer(Answers.json(node.status())).length())
                .sum();
        PeerBytes tight = new PeerBytes(whole * 3 / 2, ticker);
        StatusSubscription several = onLoop(() -> reader(nodes.size(), tight));
        onLoop(() -> {
            several.open();
            return null;
        });
        await().atMost(LONG).until(() -> onLoop(several::isOpen));
        long orders = 0;
        for (int i = 0; i < 10; i++) {
            nodes.get(i % 3).root().incrementTotal("orders");
            nodes.get((i + 1) % 3).root().incrementTotal("orders");
            orders += 2;
            for (StreamFrame frame : outbox.tell(rows(nodes))) {
                vertx.eventBus().send(reader, Buffer.buffer(frame.body()), StreamWire.headers("s", frame));
                // It has come, and is read alone.
                Waiting.result(vertx.eventBus().request("held.control", new JsonObject()));
                await().atMost(LONG).pollInterval(Duration.ofMillis(1)).until(() -> tight.kept() == 0);
            }
            outbox.acknowledge(outbox.epoch(), Long.MAX_VALUE);
            long counted = orders;
            await().atMost(LONG)
                    .pollInterval(Duration.ofMillis(1))
                    .until(() -> counted == onLoop(() -> ordersIn(several.view())));
        }
        assertThat(troubles).isEmpty();
        assertThat(tight.held()).isGreaterThan(whole / 2);
        nodes.subList(1, 3).forEach(ContextRuntime::close);
    }

    private static ContextRuntime node(String alias) {
        ContextRuntime node = ContextRuntime.builder().alias(alias).build();
        for (int i = 0; i < 50; i++) {
            node.root().child("job-" + i).open();
        }
        return node;
    }

    private static long ordersIn(@Nullable ClusterStatus view) {
        return view == null ? 0 : view.totalCounters().getOrDefault("orders", 0L);
    }

    private static ClusterStatus rows(List<ContextRuntime> nodes) {
        return new ClusterStatus(
                Fixtures.NOW,
                "bob",
                nodes.stream()
                        .map(node ->
                                new NodeStatus(node.node(), NodeState.UP, Duration.ZERO, null, null, node.status()))
                        .toList());
    }

    @Test
    void S16_roomThatOthersUsedUpIsNoReasonToRefuseWhoNeedsLess() {
        assertThat(bytes.hold(MOST, 0)).isTrue();
        assertThat(bytes.hold(1, 0)).isFalse();
        assertThat(bytes.hold(10, 20)).isTrue();
        assertThat(bytes.held()).isEqualTo(MOST - 10);
        assertThat(bytes.hold(11, 0)).isFalse();
        assertThat(bytes.hold(10, 0)).isTrue();
        ticker.advance(PeerBytes.TOLD_FOR.plusSeconds(1));
        assertThat(bytes.warning("global")).isNull();
    }

    private static String note(@Nullable ClusterStatus view) {
        return view == null
                ? ""
                : String.valueOf(requireNonNull(view.nodes().get(0).snapshot())
                        .globalContext()
                        .data()
                        .get("note"));
    }

    private StatusSubscription reader(int mostNodes, PeerBytes of) {
        return new StatusSubscription(
                timers.vertx(), null, "held.open", new JsonObject(), view -> {}, troubles::add, mostNodes, of, ticker);
    }

    private void tell() {
        NodeStatus row = new NodeStatus(bob.node(), NodeState.UP, Duration.ZERO, null, null, bob.status());
        for (StreamFrame frame : outbox.tell(new ClusterStatus(Fixtures.NOW, "bob", List.of(row)))) {
            vertx.eventBus().send(reader, Buffer.buffer(frame.body()), StreamWire.headers("s", frame));
        }
    }

    /** A second, and what the reader says then has come. */
    private void tick() {
        onLoop(() -> {
            timers.goOff();
            return null;
        });
        Waiting.result(vertx.eventBus().request("held.control", new JsonObject()));
    }

    private <T> T onLoop(Supplier<T> step) {
        CompletableFuture<T> done = new CompletableFuture<>();
        loop.runOnContext(now -> done.complete(step.get()));
        return done.join();
    }
}
