package com.fastn.context.vertx;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.FastnContext;
import com.fastn.context.event.ContextEvent;
import com.fastn.context.status.CallerLink;
import com.fastn.context.status.ContextState;
import com.fastn.context.status.NodeIdentity;
import io.vertx.core.Future;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.Message;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

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
        assertThat(context.state()).isEqualTo(ContextState.CLOSED);
        assertThat(context.getTotal("successful_messages")).isEqualTo(bank.seen.size());
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
