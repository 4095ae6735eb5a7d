package com.fastn.context.vertx;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fastn.context.FastnContext;
import com.fastn.context.LockGuard;
import com.fastn.context.engine.EngineRuntime;
import com.fastn.context.event.ContextEvent;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.Message;
import io.vertx.core.eventbus.MessageConsumer;
import io.vertx.junit5.VertxExtension;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith({OwnTree.class, VertxExtension.class})
class EventPublisherTest {
    private Vertx vertx;
    private EngineRuntime runtime;
    private FastnContext work;

    @BeforeEach
    void open(Vertx made) {
        vertx = made;
        runtime = (EngineRuntime) FastnVertx.install(vertx).runtime();
        work = runtime.root().child("work").open();
    }

    private Consumer consume(String address) {
        Consumer consumer = new Consumer();
        consumer.registration = vertx.eventBus().localConsumer(address, consumer::take);
        Waiting.result(consumer.registration.completion());
        return consumer;
    }

    private static final class Consumer {
        final List<EventFrame> frames = new CopyOnWriteArrayList<>();
        final List<Long> arrivals = new CopyOnWriteArrayList<>();

        @Nullable
        MessageConsumer<EventFrame> registration;

        void take(Message<EventFrame> message) {
            arrivals.add(System.nanoTime());
            frames.add(message.body());
        }

        void leave() {
            Waiting.result(requireNonNull(registration).unregister());
        }

        List<ContextEvent> events() {
            return frames.stream().flatMap(frame -> frame.events().stream()).toList();
        }

        long last(String counter) {
            return events().stream()
                    .flatMap(event -> event instanceof ContextEvent.CounterChanged c
                                    && c.counter().equals(counter)
                            ? Stream.of(c.total())
                            : Stream.of())
                    .reduce(-1L, (earlier, later) -> later);
        }
    }

    /** A change after which all that was under way before has been decided. */
    private void untilNobodyIsFound() {
        AtomicInteger probes = new AtomicInteger();
        vertx.eventBus().addOutboundInterceptor(delivery -> {
            if (delivery.message().address().equals(Addresses.EVENTS_CONTEXTS)) {
                probes.incrementAndGet();
            }
            delivery.next();
        });
        for (int round = 1; round <= 3; round++) {
            int now = round;
            work.incrementTotal("noise");
            Waiting.until(() -> {
                work.incrementTotal("noise");
                return probes.get() >= now;
            });
        }
    }

    @Test
    void whileNobodyConsumesNoEventIsMade() {
        untilNobodyIsFound();
        assertThat(runtime.hasListeners()).isFalse();
    }

    @Test
    void whoConsumesLaterHearsWhatIsSoAlreadyToo() {
        work.addTotal("old", 5);
        Consumer first = consume(Addresses.EVENTS_COUNTERS);
        Waiting.until(() -> {
            work.incrementTotal("noise");
            return first.last("old") == 5;
        });
        Consumer second = consume(Addresses.EVENTS_COUNTERS);
        Waiting.until(() -> {
            work.incrementTotal("noise");
            return second.last("old") == 5;
        });
    }

    @Test
    void counterChangesArriveWithAbsoluteValues() {
        Consumer consumer = consume(Addresses.EVENTS_COUNTERS);
        work.addTotal("x", 41);
        Waiting.until(() -> consumer.last("x") == 41);
        work.incrementTotal("x");
        Waiting.until(() -> consumer.last("x") == 42);
        assertThat(consumer.events()).allMatch(event -> event instanceof ContextEvent.CounterChanged);
        assertThat(consumer.frames.get(0).node()).isEqualTo(runtime.node().alias());
        assertThat(consumer.frames.get(0).incarnation())
                .isEqualTo(runtime.node().incarnation());
    }

    @Test
    void theFirstFrameHoldsWhatIsSoAlready() {
        work.addTotal("old", 5);
        LockGuard<?> held = Waiting.take(runtime.root().mutex("orders"));
        var waiting = runtime.root().mutex("orders").lock();
        untilNobodyIsFound();
        Consumer counters = consume(Addresses.EVENTS_COUNTERS);
        Consumer locks = consume(Addresses.EVENTS_LOCKS);
        Consumer contexts = consume(Addresses.EVENTS_CONTEXTS);
        runtime.root().setData("wake", 1);
        Waiting.until(() -> !counters.frames.isEmpty() && !locks.frames.isEmpty() && !contexts.frames.isEmpty());
        assertThat(counters.frames.get(0).events())
                .anySatisfy(event -> assertThat(event)
                        .isInstanceOfSatisfying(ContextEvent.CounterChanged.class, changed -> {
                            assertThat(changed.counter()).isEqualTo("old");
                            assertThat(changed.total()).isEqualTo(5);
                            assertThat(changed.path()).isEqualTo(work.path());
                        }));
        assertThat(locks.frames.get(0).events()).hasSize(2);
        assertThat(locks.frames.get(0).events())
                .anyMatch(event -> event instanceof ContextEvent.LockHeld lock
                        && lock.lockName().equals("orders"))
                .anyMatch(event -> event instanceof ContextEvent.WaitStarted);
        assertThat(contexts.frames.get(0).events())
                .anyMatch(event -> event instanceof ContextEvent.Opened opened
                        && opened.contextId() == work.id()
                        && opened.parentId() == runtime.root().id());
        held.close();
        waiting.thenAccept(LockGuard::close);
    }

    @Test
    void changesOfOneMomentTravelTogetherAndTheLastValueWins() {
        Consumer consumer = consume(Addresses.EVENTS_COUNTERS);
        work.incrementTotal("x");
        Waiting.until(() -> consumer.last("x") == 1);
        int before = consumer.frames.size();
        for (int i = 0; i < 10_000; i++) {
            work.incrementTotal("x");
        }
        Waiting.until(() -> consumer.last("x") == 10_001);
        long told = consumer.frames.stream()
                .skip(before)
                .mapToLong(frame -> frame.events().size())
                .sum();
        assertThat(told).isLessThan(1_000);
    }

    @Test
    void framesAreNumberedWithoutHolesAndComeAtMostTenTimesASecond() {
        long began = System.nanoTime();
        Consumer consumer = consume(Addresses.EVENTS_COUNTERS);
        int wanted = 16;
        AtomicInteger number = new AtomicInteger();
        Waiting.until(() -> {
            work.incrementTotal("x-" + number.getAndIncrement() % 7);
            return consumer.frames.size() >= wanted;
        });
        List<EventFrame> frames = new ArrayList<>(consumer.frames.subList(0, wanted));
        for (int i = 1; i < wanted; i++) {
            assertThat(frames.get(i).firstSequence())
                    .isEqualTo(frames.get(i - 1).firstSequence()
                            + frames.get(i - 1).events().size());
        }
        // Frames wait for their turn in a queue, so even the first may arrive late, and some close together.
        long millis = (consumer.arrivals.get(wanted - 1) - began) / 1_000_000;
        assertThat(millis).isGreaterThanOrEqualTo((wanted - 1) * 100L);
    }

    @Test
    void afterTheLastConsumerHasLeftNoEventIsMade() {
        Consumer one = consume(Addresses.EVENTS_COUNTERS);
        Consumer two = consume(Addresses.EVENTS_COUNTERS);
        work.incrementTotal("x");
        Waiting.until(() -> one.last("x") == 1 && two.last("x") == 1);
        assertThat(runtime.hasListeners()).isTrue();
        one.leave();
        work.incrementTotal("x");
        Waiting.until(() -> two.last("x") == 2);
        assertThat(runtime.hasListeners()).isTrue();
        two.leave();
        work.incrementTotal("x");
        Waiting.until(() -> !runtime.hasListeners());
    }

    @Test
    void whoeverConsumesAgainIsToldWhatIsSoByThen() {
        Consumer first = consume(Addresses.EVENTS_COUNTERS);
        work.incrementTotal("x");
        Waiting.until(() -> first.last("x") == 1);
        first.leave();
        work.incrementTotal("x");
        Waiting.until(() -> !runtime.hasListeners());
        work.incrementTotal("x");
        Consumer second = consume(Addresses.EVENTS_COUNTERS);
        Waiting.until(() -> {
            work.incrementTotal("noise");
            return second.last("x") == 3;
        });
        assertThat(second.frames.get(0).firstSequence())
                .isGreaterThan(first.frames.get(0).firstSequence());
    }

    @Test
    void aConsumerMayBeAClusteredOneToo() {
        List<EventFrame> frames = new CopyOnWriteArrayList<>();
        Waiting.result(vertx.eventBus()
                .<EventFrame>consumer(Addresses.EVENTS_COUNTERS, message -> frames.add(message.body()))
                .completion());
        work.incrementTotal("x");
        Waiting.until(() -> !frames.isEmpty());
    }

    @Test
    void watchingIsNoChangeItself() {
        Consumer consumer = consume(Addresses.EVENTS_CONTEXTS);
        work.setData("wake", 1);
        Waiting.until(() -> !consumer.frames.isEmpty());
        Front front = Front.deploy(vertx);
        Waiting.on(front.place(), Future::succeededFuture);
        assertThat(consumer.events()).noneMatch(event -> event.path().toString().contains("fastn"));
    }

    @Test
    void aFrameDoesNotLeaveItsNode() {
        EventFrameCodec codec = new EventFrameCodec();
        EventFrame frame = new EventFrame("alice", "inc", 1, List.of(), 0);
        assertThat(codec.transform(frame)).isSameAs(frame);
        assertThatThrownBy(() -> codec.encodeToWire(Buffer.buffer(), frame))
                .isInstanceOf(UnsupportedOperationException.class)
                .hasMessageContaining("setLocalOnly");
        assertThatThrownBy(() -> codec.decodeFromWire(0, Buffer.buffer()))
                .isInstanceOf(UnsupportedOperationException.class);
    }
}
