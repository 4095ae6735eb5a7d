package com.fastn.context.vertx;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.ContextScope;
import com.fastn.context.FastnContext;
import com.fastn.context.engine.ContextNode;
import com.fastn.context.engine.EngineRuntime;
import com.fastn.context.event.ContextEvent;
import com.fastn.context.status.CallerLink;
import com.fastn.context.status.ContextState;
import com.fastn.context.status.FinishedContext;
import com.fastn.context.status.NodeIdentity;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.ThreadingModel;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.Message;
import io.vertx.core.eventbus.MessageCodec;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What crosses from node to node. */
class BusClusterTest {
    private static TestCluster cluster;

    @BeforeAll
    static void start() {
        cluster = TestCluster.of(2);
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    /** Until all nodes know of a consumer, a request may find none. */
    private static Message<Object> request(Front from, String address) {
        Waiting.until(() -> Waiting.onDuplicate(
                from.place(),
                () -> from.place()
                        .owner()
                        .eventBus()
                        .request(address, "known?", new DeliveryOptions().setSendTimeout(1_000))
                        .map(true)
                        .otherwise(false)));
        return Waiting.onDuplicate(
                from.place(), () -> from.place().owner().eventBus().request(address, "x"));
    }

    @Test
    void aMessageFromAnotherNodeKnowsItsCallerThere() {
        NodeIdentity alice =
                FastnVertx.install(cluster.node(0)).alias("alice of the north").node();
        Service bank = Service.deploy(cluster.node(1), "bank.pay", message -> message.reply("paid"));
        Front front = Front.deploy(cluster.node(0));
        FastnContext caller = Waiting.on(front.place(), () -> Future.succeededFuture(FastnContext.current()));
        request(front, "bank.pay");
        FastnContext context = bank.seen.get(bank.seen.size() - 1);
        assertThat(requireNonNull(context.caller()))
                .isEqualTo(new CallerLink("alice of the north", alice.incarnation(), caller.id(), "global.Front"));
        assertThat(context.runtime())
                .isSameAs(FastnVertx.install(cluster.node(1)).runtime());
        assertThat(context.parent()).isNotSameAs(caller);
        // It ends when its reply has been written, which may have arrived by then.
        Waiting.until(() -> context.state() == ContextState.CLOSED);
        assertThat(context.getTotal("successful_messages")).isEqualTo(bank.seen.size());
    }

    @Test
    void aMessageFromAnotherNodeThatFailedIsRememberedWithItsCallerThere() {
        NodeIdentity alice = FastnVertx.install(cluster.node(0)).node();
        Service.deploy(cluster.node(1), "bank.refuse", message -> {
            if ("known?".equals(message.body())) {
                message.reply("yes");
            } else {
                message.fail(7, "no money");
            }
        });
        Front front = Front.deploy(cluster.node(0));
        FastnContext caller = Waiting.on(front.place(), () -> Future.succeededFuture(FastnContext.current()))
                .child("caller")
                .open();
        knows(front, "bank.refuse");
        front.place().runOnContext(now -> FutureContext.of(caller).request("bank.refuse", "x"));

        EngineRuntime theirs =
                (EngineRuntime) FastnVertx.install(cluster.node(1)).runtime();
        Waiting.until(() -> theirs.recent().stream().anyMatch(BusClusterTest::wasRefused));
        assertThat(theirs.recent())
                .filteredOn(BusClusterTest::wasRefused)
                .extracting(FinishedContext::caller)
                .containsExactly(new CallerLink(
                        alice.alias(),
                        alice.incarnation(),
                        caller.id(),
                        caller.path().toString()));
        caller.close();
    }

    private static boolean wasRefused(FinishedContext ended) {
        return ended.label().equals("bank.refuse") && ended.outcome() instanceof FinishedContext.Failed;
    }

    @Test
    void aCancelledCallerReachesItsCalleeOnAnotherNodeAndNobodyElseDoes() {
        List<FastnContext> working = new CopyOnWriteArrayList<>();
        Service.deploy(cluster.node(1), "bank.slow", message -> {
            if ("known?".equals(message.body())) {
                message.reply("yes");
            } else {
                working.add(FastnContext.current());
            }
        });
        Front front = Front.deploy(cluster.node(0));
        FastnContext caller = Waiting.on(front.place(), () -> Future.succeededFuture(FastnContext.current()))
                .child("caller")
                .open();
        knows(front, "bank.slow");
        front.place().runOnContext(now -> FutureContext.of(caller).request("bank.slow", "x"));
        Waiting.until(() -> !working.isEmpty());
        FastnContext callee = working.get(0);

        EngineRuntime theirs =
                (EngineRuntime) FastnVertx.install(cluster.node(1)).runtime();
        String incarnation = FastnVertx.install(cluster.node(0)).node().incarnation();
        for (String forged : List.of("2 " + incarnation + " " + caller.id() + ":0123456789abcdef", "x".repeat(5_000))) {
            cluster.node(0).eventBus().publish(Addresses.CANCEL, forged);
        }
        Waiting.until(() -> theirs.misuses().stream().anyMatch(what -> what.contains("had not seen the request"))
                && theirs.misuses().stream().anyMatch(what -> what.contains("none that we write")));
        assertThat(callee.isCancelled()).isFalse();

        caller.cancel("enough");
        Waiting.until(callee::isCancelled);
        assertThat(requireNonNull(callee.cancelReason()).message()).contains("its caller caller#");
        caller.close();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aRequestOfAnotherNodeThatStillWaitsForItsConsumerIsCancelledWhenItsTurnComes(boolean cancelledBefore) {
        String address = "bank.busy." + (cancelledBefore ? "before" : "after");
        CountDownLatch held = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        List<Boolean> cancelled = new CopyOnWriteArrayList<>();
        Service busy = Service.deploy(
                cluster.node(1), new DeploymentOptions().setThreadingModel(ThreadingModel.WORKER), address, message -> {
                    if ("known?".equals(message.body())) {
                        message.reply("yes");
                    } else {
                        cancelled.add(FastnContext.current().isCancelled());
                    }
                });
        FastnVertx ours = FastnVertx.install(cluster.node(0));
        FastnVertx theirs = FastnVertx.install(cluster.node(1));
        Front front = Front.deploy(cluster.node(0));
        knows(front, address);
        busy.place().runOnContext(now -> {
            held.countDown();
            try {
                goOn.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        Waiting.until(() -> held.getCount() == 0);
        FastnContext verticle = Waiting.on(front.place(), () -> Future.succeededFuture(FastnContext.current()));
        FastnContext caller = verticle.child("caller").open();
        FastnContext innocent = verticle.child("innocent").open();
        if (cancelledBefore) {
            caller.cancel("enough");
        }
        for (FastnContext each : List.of(caller, innocent)) {
            Waiting.onDuplicate(front.place(), () -> {
                try (ContextScope scope = each.makeCurrent()) {
                    assertThat(scope).isNotNull();
                    var unused = cluster.node(0).eventBus().request(address, "x");
                    return Future.succeededFuture();
                }
            });
        }
        caller.cancel("enough");
        String key = ours.cancellation().keyOf((ContextNode) caller);
        try {
            Waiting.until(
                    () -> theirs.cancellation().heard().contains(ours.node().incarnation(), caller.id(), key));
        } finally {
            goOn.countDown();
        }
        Waiting.until(() -> cancelled.size() == 2);
        assertThat(cancelled).containsExactly(true, false);
        caller.close();
        innocent.close();
    }

    /** As a request over HTTP whose peer has left, and whose handler goes on after a timer. */
    @Test
    void whatACancelledContextThatHasEndedAsksAnotherNodeForIsCancelled() {
        List<FastnContext> working = new CopyOnWriteArrayList<>();
        Service.deploy(cluster.node(1), "bank.late", message -> {
            if ("known?".equals(message.body())) {
                message.reply("yes");
            } else {
                working.add(FastnContext.current());
            }
        });
        Front front = Front.deploy(cluster.node(0));
        knows(front, "bank.late");
        FastnContext caller = Waiting.on(front.place(), () -> Future.succeededFuture(FastnContext.current()))
                .child("caller")
                .open();
        caller.cancel("enough");
        caller.close();
        Waiting.onDuplicate(front.place(), () -> {
            try (ContextScope scope = caller.makeCurrent()) {
                assertThat(scope).isNotNull();
                var unused = cluster.node(0).eventBus().request("bank.late", "x");
                return Future.succeededFuture();
            }
        });
        Waiting.until(() -> !working.isEmpty());
        assertThat(requireNonNull(working.get(0).caller()).contextId()).isEqualTo(caller.id());
        Waiting.until(working.get(0)::isCancelled);
    }

    private static void knows(Front front, String address) {
        Waiting.until(() -> Waiting.onDuplicate(
                front.place(),
                () -> front.place()
                        .owner()
                        .eventBus()
                        .request(address, "known?", new DeliveryOptions().setSendTimeout(1_000))
                        .map(true)
                        .otherwise(false)));
    }

    /** A body that another node never gets to see. */
    private static final class Unsendable {}

    private static final class FailingCodec implements MessageCodec<Unsendable, Unsendable> {
        @Override
        public void encodeToWire(Buffer buffer, Unsendable body) {
            throw new IllegalStateException("it cannot be written");
        }

        @Override
        public Unsendable decodeFromWire(int at, Buffer buffer) {
            return new Unsendable();
        }

        @Override
        public Unsendable transform(Unsendable body) {
            return body;
        }

        @Override
        public String name() {
            return "unsendable";
        }

        @Override
        public byte systemCodecID() {
            return -1;
        }
    }

    @Test
    void aReplyThatCouldNotBeWrittenForAnotherNodeIsNoneAndTheNextOneCounts() {
        cluster.node(1).eventBus().registerDefaultCodec(Unsendable.class, new FailingCodec());
        List<ContextState> states = new CopyOnWriteArrayList<>();
        List<FastnContext> working = new CopyOnWriteArrayList<>();
        Service.deploy(cluster.node(1), "bank.mute", message -> {
            if ("known?".equals(message.body())) {
                message.reply("yes");
                return;
            }
            working.add(FastnContext.current());
            message.reply(new Unsendable());
            states.add(FastnContext.current().state());
            message.fail(1, "no");
        });
        Front front = Front.deploy(cluster.node(0));
        knows(front, "bank.mute");
        Throwable failure = Waiting.failure(Waiting.onDuplicate(
                front.place(),
                () -> Future.succeededFuture(cluster.node(0).eventBus().request("bank.mute", "x"))));
        assertThat(failure).hasMessage("no");
        assertThat(states).containsExactly(ContextState.ACTIVE);
        FastnContext context = working.get(0);
        Waiting.until(() -> context.state() == ContextState.CLOSED);
        assertThat(context.getTotal("failed_messages")).isEqualTo(1);
        long others = context.getTotal("messages") - 1;
        assertThat(context.getTotal("successful_messages")).isEqualTo(others);
    }

    @Test
    void theFirstMessageThatANodeEverGetsIsCancelledToo() {
        try (TestCluster fresh = TestCluster.of(2)) {
            FastnVertx theirs = FastnVertx.install(fresh.node(1));
            Service bank = Service.deploy(fresh.node(1), "bank.first", message -> {});
            Waiting.until(() -> theirs.cancellation().isListening());
            Front front = Front.deploy(fresh.node(0));
            FastnContext caller = Waiting.on(front.place(), () -> Future.succeededFuture(FastnContext.current()))
                    .child("caller")
                    .open();
            // Until the other node is known, nobody is asked.
            Waiting.until(() -> {
                if (bank.seen.isEmpty()) {
                    front.place().runOnContext(now -> FutureContext.of(caller).request("bank.first", "x"));
                }
                return !bank.seen.isEmpty();
            });
            caller.cancel("enough");
            Waiting.until(() -> bank.seen.stream().allMatch(FastnContext::isCancelled));
            caller.close();
        }
    }

    @Test
    void whoWasAskedByOneCallerCannotCancelTheWorkForAnother() {
        List<FastnContext> working = new CopyOnWriteArrayList<>();
        List<Message<Object>> asked = new CopyOnWriteArrayList<>();
        Service.deploy(cluster.node(1), "bank.both", message -> {
            if ("known?".equals(message.body())) {
                message.reply("yes");
            } else {
                asked.add(message);
                working.add(FastnContext.current());
            }
        });
        Front front = Front.deploy(cluster.node(0));
        FastnContext verticle = Waiting.on(front.place(), () -> Future.succeededFuture(FastnContext.current()));
        knows(front, "bank.both");
        FastnContext one = verticle.child("one").open();
        FastnContext other = verticle.child("other").open();
        for (FastnContext caller : List.of(one, other)) {
            int before = working.size();
            front.place().runOnContext(now -> FutureContext.of(caller).request("bank.both", "x"));
            Waiting.until(() -> working.size() > before);
        }
        String incarnation = FastnVertx.install(cluster.node(0)).node().incarnation();
        CallerHeader.Caller seen = callerOf(asked.get(0));
        String key = requireNonNull(seen.key());
        cluster.node(0).eventBus().publish(Addresses.CANCEL, "2 " + incarnation + " " + other.id() + ":" + key);
        // One after the other: when the second has come, the first was read.
        cluster.node(0).eventBus().publish(Addresses.CANCEL, "2 " + incarnation + " " + one.id() + ":" + key);
        Waiting.until(() -> working.get(0).isCancelled());
        assertThat(working.get(1).isCancelled()).isFalse();
        other.cancel("enough");
        Waiting.until(() -> working.get(1).isCancelled());
        one.close();
        other.close();
    }

    /** The other node may want to know who sends, whatever is wanted here. */
    @Test
    void aHeaderIsSentInAClusterAlsoWhereMessagesHaveNoContexts() {
        Service log = Service.deploy(cluster.node(1), "bank.all", message -> message.reply("yes"));
        Front front = Front.deploy(cluster.node(0));
        request(front, "bank.all");
        FastnVertx.builder()
                .options(new VertxContextOptions().setMessages(false))
                .install(cluster.node(0));
        try {
            request(front, "bank.all");
            request(front, "bank.all");
            Message<Object> last = log.messages.get(log.messages.size() - 1);
            assertThat(last.headers().getAll(CallerHeader.NAME)).hasSize(1);
            assertThat(callerOf(last).link().path()).isEqualTo("global.Front");
        } finally {
            FastnVertx.builder().install(cluster.node(0));
        }
    }

    @Test
    void onlyARequestSaysTheKeyOfItsCaller() {
        Service log = Service.deploy(cluster.node(1), "bank.log", message -> {
            if (message.replyAddress() != null) {
                message.reply("yes");
            }
        });
        Front front = Front.deploy(cluster.node(0));
        request(front, "bank.log");
        int before = log.messages.size();
        Waiting.onDuplicate(front.place(), () -> {
            cluster.node(0).eventBus().publish("bank.log", "x");
            return Future.succeededFuture();
        });
        Waiting.until(() -> log.messages.size() > before);
        assertThat(keyOf(log.messages.get(before - 1))).isNotNull();
        assertThat(keyOf(log.messages.get(before))).isNull();
    }

    private static @Nullable String keyOf(Message<Object> message) {
        return callerOf(message).key();
    }

    private static CallerHeader.Caller callerOf(Message<?> message) {
        return requireNonNull(CallerHeader.read(
                message.headers().get(CallerHeader.NAME),
                FastnVertx.install(cluster.node(0)).node(),
                true));
    }

    @Test
    void framesStayOnTheirNodeThoughTheConsumerIsAClusteredOne() {
        List<EventFrame> here = new CopyOnWriteArrayList<>();
        List<EventFrame> there = new CopyOnWriteArrayList<>();
        Waiting.result(cluster.node(0)
                .eventBus()
                .<EventFrame>consumer(Addresses.EVENTS_COUNTERS, message -> here.add(message.body()))
                .completion());
        Waiting.result(cluster.node(1)
                .eventBus()
                .<EventFrame>consumer(Addresses.EVENTS_COUNTERS, message -> there.add(message.body()))
                .completion());
        FastnContext ours = FastnVertx.install(cluster.node(0)).runtime().root();
        FastnContext theirs = FastnVertx.install(cluster.node(1)).runtime().root();
        ours.addTotal("only-here", 41);
        theirs.addTotal("only-there", 42);
        Waiting.until(() -> names(here).contains("only-here") && names(there).contains("only-there"));
        assertThat(names(here)).doesNotContain("only-there");
        assertThat(names(there)).doesNotContain("only-here");
    }

    private static List<String> names(List<EventFrame> frames) {
        return frames.stream()
                .flatMap(frame -> frame.events().stream())
                .map(event -> ((ContextEvent.CounterChanged) event).counter())
                .toList();
    }
}
