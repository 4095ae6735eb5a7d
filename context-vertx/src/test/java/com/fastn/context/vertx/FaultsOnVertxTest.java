package com.fastn.context.vertx;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.FastnContext;
import com.fastn.context.LockGuard;
import com.fastn.context.Thresholds;
import com.fastn.context.engine.EngineRuntime;
import com.fastn.context.status.ContextKind;
import com.fastn.context.status.ContextState;
import com.fastn.context.status.StatusWarning;
import com.fastn.context.status.WarningSeverity;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Faults that are planted in verticles, their messages, their pools and the locks of Vert.x, and the first line of the
 * explanation, which has to name them. What makes the contexts, operations and links here is Vert.x, and not the test.
 */
@ExtendWith(OwnTree.class)
class FaultsOnVertxTest {
    private static final Duration ALLOWED = Duration.ofSeconds(1);

    private final CountDownLatch atEnd = new CountDownLatch(1);
    private final Promise<String> never = Promise.promise();
    private Vertx vertx;
    private EngineRuntime runtime;
    private Front front;

    @BeforeEach
    void start() {
        // A busy machine may well hold up a loop for 50 ms.
        start(600_000);
    }

    /** Begins anew, with so short a time on event loops that one is soon held up. */
    private void startWithImpatientLoops() {
        Waiting.result(vertx.close());
        start(50);
    }

    private void start(long mostMillisOnAnEventLoop) {
        vertx = Vertx.vertx(new VertxOptions()
                .setEventLoopPoolSize(4)
                .setWorkerPoolSize(2)
                .setMaxEventLoopExecuteTime(mostMillisOnAnEventLoop)
                .setMaxEventLoopExecuteTimeUnit(TimeUnit.MILLISECONDS)
                .setBlockedThreadCheckInterval(1_000_000));
        Waiting.endsWithoutGrace(vertx);
        runtime = (EngineRuntime) FastnVertx.install(vertx).runtime();
        front = Front.deploy(vertx);
    }

    @AfterEach
    void stop() {
        atEnd.countDown();
        never.tryFail("the test ends");
        Waiting.result(vertx.close());
    }

    /** Plants a fault, and gives the context that is asked about. */
    private interface Plant extends Function<FaultsOnVertxTest, FastnContext> {}

    private static Arguments scene(String name, Plant plant, String... firstLine) {
        return Arguments.of(name, plant, List.of(firstLine));
    }

    static Stream<Arguments> faults() {
        return Stream.of(
                scene(
                        "two branches of one verticle, of which one holds the lock in a slow query",
                        t -> {
                            t.holdsInAQuery();
                            t.asks(t.front.place());
                            return t.ofFront();
                        },
                        "Front: inside of \"db-query\"",
                        "this or another branch of it waits for mutex \"orders\""),
                scene(
                        "a request that waits for a verticle with two such branches",
                        t -> {
                            t.holdsInAQuery();
                            t.asks(t.front.place());
                            FastnContext req = t.request("req");
                            t.asksIn(req);
                            return req;
                        },
                        "Front: inside of \"db-query\"",
                        "req waits for mutex \"orders\""),
                scene(
                        "a slow query after a message that was sent",
                        t -> {
                            Service audit = Service.deploy(t.vertx, "audit", m -> t.inAQuery("audit-query"));
                            FastnContext pay = t.handles("pay", () -> {
                                t.vertx.eventBus().send("audit", "1");
                                t.inAQuery("db-query");
                            });
                            Waiting.until(() -> t.isInside(audit.only(), "audit-query"));
                            assertThat(audit.only().caller()).isNotNull();
                            return pay;
                        },
                        "Front/pay: inside of \"db-query\""),
                scene(
                        "a slow query after a message that was published",
                        t -> {
                            Service audit = Service.deploy(t.vertx, "audit", m -> t.inAQuery("audit-query"));
                            FastnContext pay = t.handles("pay", () -> {
                                t.vertx.eventBus().publish("audit", "1");
                                t.inAQuery("db-query");
                            });
                            Waiting.until(() -> t.isInside(audit.only(), "audit-query"));
                            assertThat(audit.only().caller()).isNotNull();
                            return pay;
                        },
                        "Front/pay: inside of \"db-query\""),
                scene(
                        "a request to a handler in a slow query, after a message that was sent",
                        t -> {
                            Service.deploy(t.vertx, "audit", message -> t.inAQuery("audit-query"));
                            Service bank = Service.deploy(t.vertx, "bank.pay", m -> t.inAQuery("ledger"));
                            FastnContext pay = t.handles("pay", () -> {
                                t.vertx.eventBus().send("audit", "1");
                                var unused = t.vertx.eventBus().request("bank.pay", "1");
                            });
                            Waiting.until(() -> t.isInside(bank.only(), "ledger"));
                            Waiting.until(() -> t.waitsBehindSomebody(pay));
                            return pay;
                        },
                        "bank.pay: inside of \"ledger\"",
                        "pay waits for a reply of \"bank.pay\""),
                scene(
                        "a holder of a lock of Vert.x in a slow query",
                        t -> {
                            FastnContext settle = t.request("settle");
                            var unused = FutureContext.of(settle)
                                    .<String>spawn(() -> FutureContext.current()
                                            .sharedLock("stock")
                                            .withLock(() -> t.inAQuery("db-query")));
                            Waiting.until(() -> t.isInside(settle, "db-query"));
                            FastnContext req = t.request("req");
                            unused = FutureContext.of(req)
                                    .<String>spawn(() -> FutureContext.current()
                                            .sharedLock("stock")
                                            .withLock(() -> Future.succeededFuture("done")));
                            Waiting.until(
                                    () -> !t.runtime.status().lockWaiters().isEmpty());
                            return req;
                        },
                        "settle: inside of \"db-query\"",
                        "req waits for mutex \"shared:stock\""),
                scene(
                        "a holder whose release is a plain task in the queue of a full worker pool",
                        t -> {
                            FutureMutex<?> orders =
                                    FutureContext.of(t.runtime.root()).mutex("orders");
                            try (var ignored = t.request("settle").makeCurrent()) {
                                orders.lock().onSuccess(guard -> t.releasesBehindAFullPool(guard));
                            }
                            FastnContext req = t.request("req");
                            t.asksIn(req);
                            Waiting.until(
                                    () -> !t.runtime.status().causes().blocked().isEmpty());
                            return req;
                        },
                        "settle: no sign of life for ",
                        ", and holds mutex \"orders\"; pool \"vert.x-worker-thread\" is full for ",
                        "s, with 1 task in its queue that is not known and may be its release; req waits"),
                scene(
                        "an event loop that is held up by a message of another verticle",
                        t -> {
                            t.startWithImpatientLoops();
                            Service report = Service.deploy(t.vertx, "report", message -> t.holdUp());
                            t.vertx.eventBus().send("report", "1");
                            FastnContext about = report.only();
                            // A busy machine may hold up a loop before the handler stands still.
                            Waiting.until(() -> Stream.of("event loop blocked", "at FaultsOnVertxTest.java:")
                                    .allMatch(t.why(about)::contains));
                            return about;
                        },
                        "report: event loop blocked",
                        "at FaultsOnVertxTest.java:"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("faults")
    void theFirstLineNamesWhatWasPlanted(String name, Plant plant, List<String> firstLine) {
        FastnContext about = plant.apply(this);
        String why = why(about);
        assertThat(why.lines().findFirst().orElse("")).as("%s: %s", name, why).contains(firstLine);
    }

    private String why(FastnContext about) {
        return String.valueOf(runtime.explain(about.id()));
    }

    // --- what looks like it and is not

    private static Arguments healthy(String name, Plant plant) {
        return Arguments.of(name, plant);
    }

    static Stream<Arguments> lookAlikes() {
        return Stream.of(
                healthy("two branches of one verticle at one lock, of which one has just begun its query", t -> {
                    t.holdsInAQuery();
                    t.asks(t.front.place());
                    return t.ofFront();
                }),
                healthy("a request to a handler that is at work, whose verticle has other requests", t -> {
                    Service.deploy(t.vertx, "bank.pay", message -> t.inAQuery("ledger"));
                    FastnContext pay = t.handles("pay", () -> {
                        var unused = t.vertx.eventBus().request("bank.pay", "1");
                        unused = t.vertx.eventBus().request("bank.pay", "2");
                    });
                    Waiting.until(() -> t.waitsBehindSomebody(pay));
                    return pay;
                }),
                healthy("a queue for a lock of Vert.x behind one who is at work", t -> {
                    FastnContext settle = t.request("settle");
                    var unused = FutureContext.of(settle)
                            .<String>spawn(() ->
                                    FutureContext.current().sharedLock("stock").withLock(() -> t.inAQuery("db-query")));
                    Waiting.until(() -> t.isInside(settle, "db-query"));
                    for (int i = 0; i < 5; i++) {
                        unused = FutureContext.of(t.request("req" + i))
                                .<String>spawn(() -> FutureContext.current()
                                        .sharedLock("stock")
                                        .withLock(() -> Future.succeededFuture("done")));
                    }
                    Waiting.until(() -> t.runtime.status().lockWaiters().size() == 5);
                    return settle;
                }),
                healthy("a worker that waits in its thread for a lock that is held for a moment", t -> {
                    t.holdsInAQuery();
                    var unused = t.runtime.root().child("report").<String>spawnBlocking(() -> {
                        try (LockGuard<?> guard =
                                t.runtime.root().mutex("orders").lockBlocking()) {
                            return guard.lockName();
                        }
                    });
                    Waiting.until(() -> t.runtime.root().mutex("orders").waiters() == 1);
                    return t.ofFront();
                }));
    }

    /** Nothing of this lasts as long as the thresholds allow, and each is the beginning of a fault. */
    @ParameterizedTest(name = "{0}")
    @MethodSource("lookAlikes")
    void whatIsHealthyIsNotExplainedAndLeavesNoEpisode(String name, Plant plant) {
        // However long a machine that stands still takes over it.
        for (String threshold :
                List.of(Thresholds.WAITER_STUCK, Thresholds.OPERATION_SLOW, Thresholds.LOCK_LONG_HELD)) {
            runtime.root().setSetting(threshold, Duration.ofHours(1));
        }
        FastnContext about = plant.apply(this);
        assertThat(runtime.explainAll()).as(name).isEmpty();
        assertThat(runtime.status().warnings())
                .extracting(StatusWarning::severity)
                .as(name)
                .doesNotContain(WarningSeverity.CRITICAL);
        assertThat(runtime.episodes()).as(name).isEmpty();
        assertThat(about.state()).isEqualTo(ContextState.ACTIVE);
    }

    /**
     * Requests that wait for a lock, for replies and for a worker all the time, for longer than the thresholds and never for
     * long. How long it was is measured: of a machine that stands still nothing is said.
     */
    @Test
    void L15_whatIsBusyAndServesEachSoonIsNotExplainedHoweverLongItGoesOn() {
        Waiting.result(vertx.close());
        start(600_000);
        runtime.root().setSetting(Thresholds.WAITER_STUCK, ALLOWED);
        runtime.root().setSetting(Thresholds.OPERATION_SLOW, ALLOWED);
        Service.deploy(vertx, "stock", message -> message.reply("1"));
        Busy busy = new Busy(FutureContext.of(runtime.root()).mutex("orders"));
        for (int i = 0; i < 8; i++) {
            busy.goesRound(FutureContext.of(request("req" + i)));
        }
        int queues = 0;
        int looks = 0;
        boolean wasSlow = false;
        long began = System.nanoTime();
        while (looks == 0 || queues == 0 || System.nanoTime() - began < 3 * ALLOWED.toNanos()) {
            long before = busy.rounds.get();
            Waiting.until(() -> busy.rounds.get() >= before + 20);
            queues += runtime.status().lockWaiters().size() > 1 ? 1 : 0;
            var explained = runtime.explainAll();
            var episodes = runtime.episodes();
            var warnings = runtime.status().warnings();
            if (busy.longestSinceAsked() > ALLOWED.toNanos() / 2) {
                // An episode of it stays.
                wasSlow = true;
            } else {
                assertThat(explained).isEmpty();
                assertThat(warnings)
                        .extracting(StatusWarning::id)
                        .doesNotContain("waiter-stuck", "operation-slow", "deadlock", "deadlock-suspected");
                looks++;
            }
            assertThat(wasSlow ? List.of() : episodes).isEmpty();
        }
        assertThat(queues).as("looks that saw a queue").isPositive();
        busy.ends();
    }

    /** Contexts that go round through a lock, the bus and a worker. */
    private final class Busy {
        final AtomicLong rounds = new AtomicLong();
        private final FutureMutex<?> orders;
        private final Map<Object, Long> underWay = new ConcurrentHashMap<>();
        private final AtomicLong longest = new AtomicLong();
        private final List<Future<?>> ends = new CopyOnWriteArrayList<>();
        private volatile boolean enough;

        Busy(FutureMutex<?> orders) {
            this.orders = orders;
        }

        void goesRound(FutureContext who) {
            Promise<Void> end = Promise.promise();
            ends.add(end.future());
            again(who, end);
        }

        private void again(FutureContext who, Promise<Void> end) {
            who.<Object>spawn(() -> timed(() -> orders.withLock(value -> vertx.timer(2, TimeUnit.MILLISECONDS)))
                            .compose(x -> timed(() -> vertx.eventBus().request("stock", "1")))
                            .compose(x -> timed(() -> who.child("count").spawnBlocking(() -> 1))))
                    .onComplete(done -> {
                        rounds.incrementAndGet();
                        if (done.failed() || enough) {
                            end.handle(done.mapEmpty());
                        } else {
                            again(who, end);
                        }
                    });
        }

        private <T> Future<Object> timed(Supplier<Future<T>> step) {
            Object key = new Object();
            long began = System.nanoTime();
            underWay.put(key, began);
            return step.get().map(Object.class::cast).onComplete(done -> {
                longest.accumulateAndGet(System.nanoTime() - began, Math::max);
                underWay.remove(key);
            });
        }

        /** How long the longest step was that ended since this was asked, or is under way. */
        long longestSinceAsked() {
            long now = System.nanoTime();
            long oldest = underWay.values().stream()
                    .mapToLong(began -> now - began)
                    .max()
                    .orElse(0);
            return Math.max(oldest, longest.getAndSet(0));
        }

        void ends() {
            enough = true;
            ends.forEach(Waiting::result);
        }
    }

    // --- the pieces

    private Future<String> inAQuery(String name) {
        return FutureContext.current().awaiting(name, never.future());
    }

    private void holdsInAQuery() {
        front.place().runOnContext(now -> {
            var unused = FutureContext.of(runtime.root()).mutex("orders").withLock(value -> inAQuery("db-query"));
        });
        Waiting.until(() -> isInside(ofFront(), "db-query"));
    }

    private void releasesBehindAFullPool(LockGuard<?> guard) {
        for (int thread = 0; thread < 2; thread++) {
            var unused = vertx.executeBlocking(
                    () -> {
                        holdUp();
                        return "done";
                    },
                    false);
        }
        var unused = vertx.executeBlocking(
                () -> {
                    guard.close();
                    return "released";
                },
                false);
    }

    private void asks(Context place) {
        FutureMutex<?> orders = FutureContext.of(runtime.root()).mutex("orders");
        int before = orders.waiters();
        place.runOnContext(now -> orders.lock().onSuccess(LockGuard::close));
        Waiting.until(() -> orders.waiters() == before + 1);
    }

    private void asksIn(FastnContext context) {
        FutureMutex<?> orders = FutureContext.of(runtime.root()).mutex("orders");
        int before = orders.waiters();
        try (var ignored = context.makeCurrent()) {
            orders.lock().onSuccess(LockGuard::close);
        }
        Waiting.until(() -> orders.waiters() == before + 1);
    }

    private FastnContext ofFront() {
        return Waiting.on(front.place(), () -> Future.succeededFuture(FastnContext.current()));
    }

    private FastnContext request(String name) {
        return runtime.root().child(name).withKind(ContextKind.REQUEST).open();
    }

    /** The context of a message to the front verticle, which does something that lasts. */
    private FastnContext handles(String address, Runnable work) {
        Promise<FastnContext> seen = Promise.promise();
        Waiting.on(
                front.place(),
                () -> vertx.eventBus()
                        .consumer(address, message -> {
                            work.run();
                            seen.complete(FastnContext.current());
                        })
                        .completion());
        var unused = vertx.eventBus().request(address, "1");
        return Waiting.result(seen.future());
    }

    private boolean isInside(FastnContext context, String operation) {
        return context.subtreeStatus().globalContext().operations().stream()
                .anyMatch(inside -> inside.name().equals(operation));
    }

    private boolean waitsBehindSomebody(FastnContext context) {
        return !requireNonNull(runtime.explain(context.id())).chain().isEmpty();
    }

    private void holdUp() {
        try {
            atEnd.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
