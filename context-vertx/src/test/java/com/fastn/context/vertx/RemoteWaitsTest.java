package com.fastn.context.vertx;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.FastnContext;
import com.fastn.context.Registration;
import com.fastn.context.status.NodeWaits;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.Message;
import io.vertx.junit5.VertxExtension;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith({OwnTree.class, VertxExtension.class})
class RemoteWaitsTest {
    private static final Duration LONG = Duration.ofSeconds(50);

    private Vertx vertx;
    private FastnVertx fastn;
    private FastnContext one;
    private FastnContext two;

    @BeforeEach
    void open(Vertx given) {
        vertx = given;
        fastn = FastnVertx.install(vertx);
        one = fastn.runtime().root().child("one").open();
        two = fastn.runtime().root().child("two").open();
    }

    private static Future<SharedLock.Guard> ask(FastnContext who, String name) {
        return FutureContext.of(who)
                .<SharedLock.Guard>spawn(
                        () -> FutureContext.current().sharedLock(name).lock(LONG));
    }

    private NodeWaits waits() {
        return fastn.waits(Duration.ZERO);
    }

    /** Once all are told of: who is still on the thread that asks is not stuck. */
    private NodeWaits waits(int resources) {
        CompletableFuture<NodeWaits> all = new CompletableFuture<>();
        Waiting.until(() -> {
            NodeWaits read = waits();
            return read.resources().size() == resources && all.complete(read);
        });
        return all.join();
    }

    @Test
    void aWaitAndAHoldKeepTheirNumbersAndNoOtherOnesGetThem() {
        // Past this library, so that it is held by nobody that is seen.
        io.vertx.core.shareddata.Lock stock = Waiting.result(vertx.sharedData().getLockWithTimeout("stock", 10_000));
        SharedLock.Guard orders = Waiting.result(ask(one, "orders"));
        Future<SharedLock.Guard> waiting = ask(one, "stock");
        Waiting.until(() -> !fastn.waitsForOthers().isEmpty());
        NodeWaits first = waits(2);
        NodeWaits second = waits();
        assertThat(first.resources())
                .extracting(NodeWaits.Resource::kind)
                .containsExactlyInAnyOrder(NodeWaits.Kind.SHARED, NodeWaits.Kind.SHARED);
        assertThat(number(first, "orders", true)).isEqualTo(number(second, "orders", true));
        assertThat(number(first, "stock", false)).isEqualTo(number(second, "stock", false));
        assertThat(first.mayBeInACircle(Duration.ZERO)).isTrue();
        assertThat(first.mayBeInACircle(LONG)).isFalse();
        assertThat(fastn.waits(LONG).resources()).as("all are shorter").isEmpty();

        orders.close();
        SharedLock.Guard again = Waiting.result(ask(one, "orders"));
        NodeWaits third = waits(2);
        assertThat(number(third, "orders", true)).isGreaterThan(number(first, "orders", true));
        assertThat(number(third, "stock", false)).isEqualTo(number(first, "stock", false));

        stock.release();
        Waiting.result(waiting).close();
        again.close();
        assertThat(waits().resources()).isEmpty();
        assertThat(fastn.waitsForOthers()).isEmpty();
    }

    @Test
    void D8_aLockOfTheClusterIsToldThoughItsHolderWaitsForNothing() {
        SharedLock.Guard orders = Waiting.result(ask(one, "orders"));
        assertThat(waits().resources())
                .as("who waits for nothing is part of no circle")
                .isEmpty();
        assertThat(waits().sharedHeld()).containsExactly("orders");
        assertThat(fastn.waits(LONG).sharedHeld()).as("however long it is held").containsExactly("orders");
        Future<SharedLock.Guard> behind = ask(two, "orders");
        Waiting.until(() -> FutureContext.of(two).sharedLock("orders").waiters() == 1);
        assertThat(waits().sharedHeld()).as("not by who waits").containsExactly("orders");
        orders.close();
        Waiting.result(behind).close();
        assertThat(waits().sharedHeld()).isEmpty();
    }

    private static long number(NodeWaits waits, String key, boolean hold) {
        NodeWaits.Resource resource = waits.resources().stream()
                .filter(each -> each.key().equals(key))
                .findFirst()
                .orElseThrow(() -> new AssertionError(key + " is not in " + waits));
        return hold ? resource.holds().get(0).number() : resource.waits().get(0).number();
    }

    @Test
    void aReplyIsOwedByWhoWorksOnItAndIsTheSameThingAtBothEnds() {
        AtomicReference<Message<Object>> request = new AtomicReference<>();
        var consumer = vertx.eventBus().consumer("pay", request::set);
        Waiting.result(consumer.completion());
        SharedLock.Guard orders = Waiting.result(ask(one, "orders"));
        Future<Message<Object>> reply = FutureContext.of(one)
                .<Message<Object>>spawn(() -> vertx.eventBus().request("pay", "7"));
        Waiting.until(() -> request.get() != null);
        NodeWaits waits = waits(2);
        assertThat(waits.resources())
                .filteredOn(resource -> resource.kind() == NodeWaits.Kind.REPLY)
                .hasSize(1)
                .allSatisfy(resource -> {
                    assertThat(resource.name()).isEqualTo("request pay");
                    assertThat(resource.waits()).hasSize(1);
                    assertThat(resource.key())
                            .as("nobody learns where a reply could be sent")
                            .matches("[0-9a-f]{24}")
                            .doesNotContain("vertx");
                });
        requireNonNull(request.get()).reply("done");
        Waiting.result(reply);
        Waiting.until(() -> waits().resources().isEmpty());
        orders.close();
    }

    @Test
    void whoIsInLineForALockOfTheClusterWaitsForTheHeadOfTheLine() {
        io.vertx.core.shareddata.Lock stock = Waiting.result(vertx.sharedData().getLockWithTimeout("stock", 10_000));
        SharedLock.Guard orders = Waiting.result(ask(two, "orders"));
        Future<SharedLock.Guard> head = ask(one, "stock");
        Waiting.until(() -> !fastn.waitsForOthers().isEmpty());
        Future<SharedLock.Guard> behind = ask(two, "stock");
        Waiting.until(() -> FutureContext.of(two).sharedLock("stock").waiters() == 1);
        NodeWaits waits = waits(3);
        NodeWaits.Resource line = waits.resources().stream()
                .filter(resource -> resource.kind() == NodeWaits.Kind.LOCK)
                .findFirst()
                .orElseThrow();
        assertThat(line.name()).isEqualTo("shared:stock");
        assertThat(line.holds()).extracting(NodeWaits.Hold::contextId).containsExactly(one.id());
        assertThat(line.waits()).extracting(NodeWaits.Wait::contextId).containsExactly(two.id());
        NodeWaits.Resource shared = waits.resources().stream()
                .filter(resource -> resource.key().equals("stock"))
                .findFirst()
                .orElseThrow();
        assertThat(shared.waits().get(0).inside())
                .as("the place at the head of the line lasts as long as Vert.x is asked")
                .containsExactly(line.holds().get(0).number());
        stock.release();
        Waiting.result(head).close();
        Waiting.result(behind).close();
        orders.close();
    }

    @Test
    void aHookIsRunAtTheNextWaitOnlyAndMayFail() {
        AtomicInteger runs = new AtomicInteger();
        Registration hook = fastn.onNextWaitForOthers(() -> {
            runs.incrementAndGet();
            throw new IllegalStateException("of a test");
        });
        Waiting.result(ask(one, "orders")).close();
        Waiting.result(ask(one, "orders")).close();
        assertThat(runs).hasValue(1);
        hook.close();
        Registration taken = fastn.onNextWaitForOthers(runs::incrementAndGet);
        taken.close();
        Waiting.result(ask(one, "orders")).close();
        assertThat(runs).hasValue(1);
    }
}
