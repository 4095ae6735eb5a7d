package com.fastn.context.vertx;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fastn.context.CancelReport;
import com.fastn.context.ContextCancelledException;
import com.fastn.context.ContextScope;
import com.fastn.context.FastnContext;
import com.fastn.context.Operation;
import com.fastn.context.Registration;
import com.fastn.context.engine.ContextNode;
import com.fastn.context.event.ContextEvent;
import com.fastn.context.status.ContextState;
import com.fastn.context.status.StatusSnapshot;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.ThreadingModel;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServer;
import io.vertx.core.internal.VertxInternal;
import io.vertx.junit5.VertxExtension;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Cancellation reaches what was begun in Vert.x. */
@ExtendWith({OwnTree.class, VertxExtension.class})
class VertxCancellationTest {
    private static final String KEY = "0123456789abcdef";
    private static final Duration LONG = Duration.ofHours(1);
    private static final String HOST = "127.0.0.1";

    private final CountDownLatch release = new CountDownLatch(1);
    private Vertx vertx;
    private Front front;
    private FastnContext child;
    private HttpClient client;

    @BeforeEach
    void prepare(Vertx made) {
        vertx = made;
        front = Front.deploy(vertx);
        client = vertx.createHttpClient();
        child = Waiting.on(front.place(), () -> Future.succeededFuture(FastnContext.current()))
                .child("work")
                .open();
    }

    @AfterEach
    void leave() {
        release.countDown();
        Waiting.endsWithoutGrace(vertx);
    }

    /** Starts a call for the child, in its verticle. */
    private <T> Future<T> begin(Function<FutureContext, Future<T>> call) {
        CompletableFuture<Future<T>> begun = new CompletableFuture<>();
        front.place().runOnContext(now -> {
            try {
                begun.complete(call.apply(FutureContext.of(child)));
            } catch (Throwable t) {
                begun.completeExceptionally(t);
            }
        });
        return Waiting.result(begun);
    }

    private static void wasGivenUp(Future<?> future, String what) {
        assertThat(Waiting.failure(future))
                .isInstanceOf(ContextCancelledException.class)
                .hasMessageContaining(what)
                .hasMessageContaining("enough");
    }

    @Test
    void aTimerEndsWithItsContextOrInItsTime() {
        Waiting.result(begin(ctx -> ctx.timer(Duration.ofMillis(1))));
        Future<Void> timer = begin(ctx -> ctx.timer(LONG));
        child.cancel("enough");
        wasGivenUp(timer, "a timer");
        wasGivenUp(begin(ctx -> ctx.timer(LONG)), "a timer");
    }

    /** As whoever means "for ever" writes it. */
    @Test
    void aTimeThatNothingCanCountIsALongOne() {
        Duration forever = ChronoUnit.FOREVER.getDuration();
        Future<Void> timer = begin(ctx -> ctx.timer(forever));
        Registration ticks = Waiting.result(
                begin(ctx -> Future.succeededFuture(ctx.periodic(forever, "tick", tick -> Future.succeededFuture()))));
        ticks.close();
        Waiting.result(begin(ctx -> ctx.timer(forever.negated())));
        assertThat(timer.isComplete()).isFalse();
        child.cancel("enough");
        wasGivenUp(timer, "a timer");
    }

    /** What is left of a timer of an hour would be held by its event loop for an hour. */
    @Test
    void aTimerOfACancelledContextIsTakenBackFromVertx() {
        List<WeakReference<Future<Void>>> timers = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            timers.add(new WeakReference<>(begin(ctx -> ctx.timer(LONG))));
        }
        child.cancel("enough");
        Waiting.until(() -> {
            System.gc();
            return timers.stream().allMatch(timer -> timer.get() == null);
        });
    }

    /** Vert.x drops its timers and the replies that it waits for without a word. */
    @Test
    void whatAVerticleBeganInAContextThatGoesOnEndsWithTheVerticle() {
        FastnContext lasting = FastnVertx.install(vertx).runtime().root();
        Service.deploy(vertx, "bank.pay", message -> {});
        List<Future<?>> calls = Waiting.on(front.place(), () -> {
            FutureContext ctx = FutureContext.of(lasting);
            return Future.succeededFuture(List.of(ctx.timer(LONG), ctx.request("bank.pay", 1)));
        });
        child.close();
        Waiting.result(front.undeploy());
        assertThat(calls)
                .allSatisfy(call -> assertThat(Waiting.failure(call))
                        .isInstanceOf(CancellationException.class)
                        .hasMessageContaining("undeployed"));
        // One of its own is cancelled, as all of its work.
        Front other = Front.deploy(vertx);
        Future<Void> own = Waiting.on(
                        other.place(),
                        () -> Future.succeededFuture(
                                List.of(FutureContext.current().timer(LONG))))
                .get(0);
        Waiting.result(other.undeploy());
        assertThat(Waiting.failure(own)).isInstanceOf(ContextCancelledException.class);
    }

    @Test
    void aRepetitionWhoseVerticleIsUndeployedInTheMiddleOfATickTicksNoMore() {
        FastnContext lasting = FastnVertx.install(vertx).runtime().root();
        AtomicInteger ticks = new AtomicInteger();
        Promise<Void> begun = Promise.promise();
        Promise<Void> end = Promise.promise();
        List<Registration> repetition = Waiting.on(
                front.place(),
                () -> Future.succeededFuture(
                        List.of(FutureContext.of(lasting).periodic(Duration.ofMillis(1), "tick", tick -> {
                            ticks.incrementAndGet();
                            begun.tryComplete();
                            return end.future();
                        }))));
        Waiting.result(begun.future());
        child.close();
        Waiting.result(front.undeploy());
        end.complete();
        // On the same event loop, so the next tick would be before it.
        Waiting.on(front.place(), () -> vertx.timer(20));
        assertThat(ticks).hasValue(1);
        assertThat(lasting.children()).isEmpty();
        repetition.get(0).close();
    }

    @Test
    void whatAnUndeployedVerticleBeginsInAContextThatGoesOnIsGivenUpAtOnce() {
        FastnContext lasting = FastnVertx.install(vertx).runtime().root();
        AtomicInteger asked = new AtomicInteger();
        Service.deploy(vertx, "bank.pay", message -> {
            if (!message.body().equals("last")) {
                asked.incrementAndGet();
            }
            message.reply("paid");
        });
        child.close();
        Waiting.result(front.undeploy());
        AtomicInteger ran = new AtomicInteger();
        List<Future<?>> calls = Waiting.on(front.place(), () -> {
            FutureContext ctx = FutureContext.of(lasting);
            return Future.succeededFuture(List.of(
                    ctx.timer(LONG),
                    ctx.request("bank.pay", 1),
                    ctx.blocking(ran::incrementAndGet),
                    ctx.child("spawned").spawnBlocking(ran::incrementAndGet)));
        });
        assertThat(calls)
                .allSatisfy(call -> assertThat(Waiting.failure(call))
                        .isInstanceOf(CancellationException.class)
                        .hasMessageContaining("undeployed"));
        Waiting.result(vertx.eventBus().request("bank.pay", "last"));
        assertThat(asked).hasValue(0);
        assertThat(ran).hasValue(0);
        assertThat(lasting.children()).extracting(FastnContext::name).doesNotContain("spawned");
        assertThat(FastnVertx.install(vertx).workerQueue().count()).isZero();
    }

    private static Stream<Named<Function<FutureContext, Future<?>>>> awaited() {
        return Stream.of(
                Named.of("timer", ctx -> ctx.timer(LONG)),
                Named.of("request", ctx -> ctx.request("bank.pay", 1)),
                Named.of("race", ctx -> ctx.race(Promise.promise().future())),
                Named.of(
                        "blocking",
                        ctx -> ctx.blocking(() -> {
                            new CountDownLatch(1).await();
                            return null;
                        })));
    }

    @ParameterizedTest
    @MethodSource("awaited")
    void aVirtualThreadThatAwaitsIsNotInterruptedAndItsAwaitFails(Function<FutureContext, Future<?>> call) {
        assumeTrue(((VertxInternal) vertx).isVirtualThreadAvailable(), "virtual threads need Java 21");
        Service.deploy(vertx, "bank.pay", message -> {});
        Front virtual = new Front();
        Waiting.result(vertx.deployVerticle(
                virtual, new DeploymentOptions().setThreadingModel(ThreadingModel.VIRTUAL_THREAD)));
        CompletableFuture<Throwable> failure = new CompletableFuture<>();
        CompletableFuture<Boolean> interrupted = new CompletableFuture<>();
        CompletableFuture<Thread> waiting = new CompletableFuture<>();
        CompletableFuture<String> afterwards = new CompletableFuture<>();
        virtual.place().runOnContext(now -> {
            Future<?> future = call.apply(FutureContext.of(child));
            waiting.complete(Thread.currentThread());
            try {
                future.await();
                failure.complete(new AssertionError("it was not given up"));
            } catch (Throwable t) {
                failure.complete(t);
            }
            interrupted.complete(Thread.currentThread().isInterrupted());
            // Its thread, its turn and its context are whole.
            vertx.timer(1).await();
            afterwards.complete(FastnContext.current().name());
        });
        Thread thread = Waiting.result(waiting);
        Waiting.until(() -> thread.getState() == Thread.State.WAITING);
        child.cancel("enough");
        assertThat(Waiting.result(failure)).isInstanceOf(ContextCancelledException.class);
        assertThat(Waiting.result(interrupted)).isFalse();
        assertThat(Waiting.result(afterwards)).isEqualTo("Front");
    }

    @Test
    void aRequestWithoutAReplyEndsAtOnceAndWhoWorksOnItIsCancelled() {
        CompletableFuture<FastnContext> callee = new CompletableFuture<>();
        Service.deploy(vertx, "bank.pay", message -> callee.complete(FastnContext.current()));
        Future<?> asked = begin(ctx -> ctx.request("bank.pay", 1));
        FastnContext working = Waiting.result(callee);
        assertThat(requireNonNull(working.caller()).contextId()).isEqualTo(child.id());
        child.cancel("enough");
        wasGivenUp(asked, "a request to \"bank.pay\"");
        Waiting.until(working::isCancelled);
        assertThat(requireNonNull(working.cancelReason()).message()).contains("its caller work#");
    }

    @Test
    void aCallerThatAsksWithoutOurHelpReachesItsCalleeToo() {
        CompletableFuture<FastnContext> callee = new CompletableFuture<>();
        CompletableFuture<FastnContext> innocent = new CompletableFuture<>();
        Service.deploy(vertx, "bank.pay", message -> callee.complete(FastnContext.current()));
        Service.deploy(vertx, "bank.see", message -> innocent.complete(FastnContext.current()));
        CompletableFuture<FastnContext> caller = new CompletableFuture<>();
        Waiting.onDuplicate(front.place(), () -> {
            var asked = FutureContext.current().child("caller").run(ctx -> {
                caller.complete(ctx.context());
                return vertx.eventBus().request("bank.pay", 1);
            });
            var alsoAsked = FutureContext.current()
                    .child("other")
                    .run(ctx -> vertx.eventBus().request("bank.see", 1));
            return Future.succeededFuture(List.of(asked, alsoAsked));
        });
        FastnContext working = Waiting.result(callee);
        assertThat(Waiting.result(innocent).isCancelled()).isFalse();
        Waiting.result(caller).cancel("enough");
        Waiting.until(working::isCancelled);
        assertThat(Waiting.result(innocent).isCancelled()).isFalse();
    }

    /** A consumer that is held up, and whether each message that it handled then was cancelled when it came to it. */
    private Service heldUp(List<Boolean> cancelled) {
        CountDownLatch held = new CountDownLatch(1);
        Service busy = Service.deploy(
                vertx,
                new DeploymentOptions().setThreadingModel(ThreadingModel.WORKER),
                "bank.busy",
                message -> cancelled.add(FastnContext.current().isCancelled()));
        busy.place().runOnContext(now -> {
            held.countDown();
            try {
                release.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        Waiting.until(() -> held.getCount() == 0);
        return busy;
    }

    private static void cancelsAreRelayed(FastnVertx fastn) {
        // What was to be done on this Vert.x context has been done before this.
        Waiting.on(fastn.home(), () -> Future.succeededFuture());
    }

    /** Where client calls are no operations, the wait for a reply is no less a wait. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aRequestThatStillWaitsForItsConsumerIsCancelledWhenItsTurnComes(boolean clientCalls) {
        FastnVertx fastn = FastnVertx.builder()
                .options(new VertxContextOptions().setClientCalls(clientCalls))
                .install(vertx);
        List<Boolean> cancelled = new CopyOnWriteArrayList<>();
        Service busy = heldUp(cancelled);
        Future<?> asked = begin(ctx -> ctx.request("bank.busy", 1));
        Waiting.until(() -> fastn.awaitedReplies().count() == 1);
        child.cancel("enough");
        wasGivenUp(asked, "bank.busy");
        cancelsAreRelayed(fastn);
        child.close();
        fastn.awaitedReplies().sweep();
        FastnContext free = Waiting.on(front.place(), () -> Future.succeededFuture(FastnContext.current()))
                .child("free")
                .open();
        front.place().runOnContext(now -> FutureContext.of(free).request("bank.busy", 2));
        Waiting.until(() -> fastn.awaitedReplies().count() == 2);
        release.countDown();
        Waiting.until(() -> cancelled.size() == 2);
        assertThat(cancelled).containsExactly(true, false);
        assertThat(requireNonNull(busy.seen.get(0).cancelReason()).message()).contains("its caller work#");
        free.cancel();
        free.close();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aCallerReachesItsCalleeAlsoWhereClientCallsAreNoOperations(boolean clientCalls) {
        FastnVertx.builder()
                .options(new VertxContextOptions().setClientCalls(clientCalls))
                .install(vertx);
        CompletableFuture<FastnContext> callee = new CompletableFuture<>();
        Service.deploy(vertx, "bank.pay", message -> callee.complete(FastnContext.current()));
        Future<?> asked = begin(ctx -> ctx.request("bank.pay", 1));
        FastnContext working = Waiting.result(callee);
        assertThat(requireNonNull(working.caller()).contextId()).isEqualTo(child.id());
        assertThat(child.subtreeStatus().globalContext().operations()).hasSize(clientCalls ? 1 : 0);
        child.cancel("enough");
        wasGivenUp(asked, "bank.pay");
        Waiting.until(working::isCancelled);
    }

    @Test
    void whatACancelledContextAsksForIsCancelledFromTheStart() {
        CompletableFuture<Boolean> cancelled = new CompletableFuture<>();
        Service.deploy(vertx, "bank.pay", message -> {
            cancelled.complete(FastnContext.current().isCancelled());
            message.reply("paid");
        });
        child.cancel("enough");
        Waiting.onDuplicate(front.place(), () -> {
            try (ContextScope scope = child.makeCurrent()) {
                assertThat(scope).isNotNull();
                return vertx.eventBus().request("bank.pay", 1);
            }
        });
        assertThat(Waiting.result(cancelled)).isTrue();
    }

    @Test
    void aCalleeIsLeftAloneWhereThatIsTurnedOff() {
        FastnVertx.builder()
                .options(new VertxContextOptions().setCancelCallees(false))
                .install(vertx);
        CompletableFuture<FastnContext> callee = new CompletableFuture<>();
        Service.deploy(vertx, "bank.pay", message -> callee.complete(FastnContext.current()));
        Future<?> asked = begin(ctx -> ctx.request("bank.pay", 1));
        FastnContext working = Waiting.result(callee);
        child.cancel("enough");
        wasGivenUp(asked, "bank.pay");
        // Whatever was going to be done for it on the event loop of our own has been done after these.
        Waiting.result(vertx.timer(1));
        Waiting.result(vertx.timer(1));
        assertThat(working.isCancelled()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aBlockingTaskIsGivenUpAndInterruptedWhereAsked(boolean interrupt) {
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        CompletableFuture<String> how = new CompletableFuture<>();
        CompletableFuture<FastnContext> in = new CompletableFuture<>();
        Future<String> result = begin(ctx -> interrupt
                ? ctx.blockingInterruptibly(() -> sleeping(begun, goOn, how, in))
                : ctx.blocking(() -> sleeping(begun, goOn, how, in)));
        assertThat(Waiting.result(in)).isSameAs(child);
        child.cancel("enough");
        wasGivenUp(result, "a blocking task");
        if (!interrupt) {
            assertThat(how).isNotDone();
            goOn.countDown();
        }
        assertThat(Waiting.result(how)).isEqualTo(interrupt ? "interrupted" : "to its end");
    }

    private static String sleeping(
            CountDownLatch begun,
            CountDownLatch goOn,
            CompletableFuture<String> how,
            CompletableFuture<FastnContext> in) {
        in.complete(FastnContext.current());
        begun.countDown();
        try {
            goOn.await();
            how.complete("to its end");
        } catch (InterruptedException e) {
            how.complete("interrupted");
        }
        return "done";
    }

    @Test
    void aWorkerThatWasInterruptedForOneTaskIsNotForTheNext() {
        for (int i = 0; i < 50; i++) {
            CountDownLatch begun = new CountDownLatch(1);
            FastnContext one = child.child("one").open();
            CompletableFuture<Boolean> ended = new CompletableFuture<>();
            front.place()
                    .runOnContext(now -> FutureContext.of(one).blockingInterruptibly(() -> {
                        begun.countDown();
                        ended.complete(true);
                        return null;
                    }));
            one.cancel();
            one.close();
            boolean interrupted = Waiting.result(
                    vertx.executeBlocking(() -> Thread.currentThread().isInterrupted(), false));
            assertThat(interrupted).isFalse();
        }
    }

    @Test
    void aBlockingTaskThatHasNotBegunNeverDoes() {
        StoppableTask<String> task = new StoppableTask<>(() -> "ran", true);
        task.stop();
        assertThatThrownBy(task::call).hasMessageContaining("before it began");
    }

    @Test
    void anHttpRequestIsResetAndItsServerHearsOfIt() {
        CompletableFuture<FastnContext> served = new CompletableFuture<>();
        CompletableFuture<Integer> port = new CompletableFuture<>();
        Waiting.result(vertx.deployVerticle(new Front() {
            @Override
            public Future<?> start() {
                return vertx.createHttpServer()
                        .requestHandler(request -> served.complete(FastnContext.current()))
                        .listen(0, HOST)
                        .onSuccess((HttpServer server) -> port.complete(server.actualPort()));
            }
        }));
        Future<?> asked = begin(ctx -> client.request(HttpMethod.GET, Waiting.result(port), HOST, "/slow")
                .map(ctx::resetOnCancel)
                .compose(HttpClientRequest::send));
        FastnContext there = Waiting.result(served);
        child.cancel("enough");
        assertThat(Waiting.failure(asked)).isNotNull();
        Waiting.until(there::isCancelled);
    }

    @Test
    void periodicTicksAreShortChildrenAndEndWithTheirContext() {
        AtomicInteger ticks = new AtomicInteger();
        List<FastnContext> seen = new CopyOnWriteArrayList<>();
        CompletableFuture<Registration> registered = new CompletableFuture<>();
        front.place()
                .runOnContext(now ->
                        registered.complete(FutureContext.of(child).periodic(Duration.ofMillis(1), "tick", ctx -> {
                            seen.add(FastnContext.current());
                            return ticks.incrementAndGet() % 2 == 0
                                    ? Future.failedFuture("no")
                                    : Future.succeededFuture();
                        })));
        Waiting.until(() -> ticks.get() >= 5);
        assertThat(seen).allSatisfy(tick -> {
            assertThat(tick.name()).isEqualTo("tick");
            assertThat(tick.parent()).isSameAs(child);
        });
        Waiting.until(() -> child.getTotal("failed_ticks") >= 2);
        child.cancel();
        int then = Waiting.result(vertx.timer(20).map(later -> ticks.get()));
        Waiting.result(vertx.timer(20));
        assertThat(ticks.get()).isLessThanOrEqualTo(then + 1);
        Waiting.until(() -> child.children().isEmpty());
        assertThatThrownBy(() -> FutureContext.of(child).periodic(Duration.ZERO, "tick", ctx -> null))
                .hasMessageContaining("a millisecond is the shortest");
        Waiting.result(registered).close();
    }

    /** The timer of a connection's repetition would keep what the repetition uses as long as it was to wait. */
    @Test
    void aRepetitionThatIsClosedLeavesNothingUntilItWouldHaveBeenDue() {
        List<WeakReference<Object>> used = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            used.add(new WeakReference<>(repeatOnce()));
        }
        Waiting.until(() -> {
            System.gc();
            return used.stream().allMatch(each -> each.get() == null);
        });
        assertThat(child.state()).isEqualTo(ContextState.ACTIVE);
    }

    private Object repeatOnce() {
        Object uses = new Object();
        Registration ticks = Waiting.on(
                front.place(),
                () -> Future.succeededFuture(
                        FutureContext.of(child).periodic(LONG, "tick", tick -> Future.succeededFuture(uses))));
        ticks.close();
        return uses;
    }

    @Test
    void ticksAreOneLineForWhoLooksHoweverManyThereWere() {
        AtomicInteger ticks = new AtomicInteger();
        List<Integer> open = new CopyOnWriteArrayList<>();
        Registration repetition = Waiting.on(
                front.place(),
                () -> Future.succeededFuture(FutureContext.of(child).periodic(Duration.ofMillis(1), "tick", tick -> {
                    tick.context().incrementTotal("looked");
                    open.add(child.children().size());
                    ticks.incrementAndGet();
                    return Future.succeededFuture();
                })));
        Waiting.until(() -> ticks.get() >= 100);
        repetition.close();
        // A tick that had begun by then has ended after this, as it is on the same event loop.
        Waiting.on(front.place(), () -> Future.succeededFuture());
        Waiting.until(() -> child.children().isEmpty());
        int all = ticks.get();
        assertThat(open).containsOnly(1);
        assertThat(child.subtreeTotal("looked")).isEqualTo(all);
        // One path with the sum, and no row of its own for each.
        StatusSnapshot status = child.subtreeStatus();
        assertThat(status.globalContext().children()).isEmpty();
        assertThat(child.runtime().root().subtreeTotal("looked")).isEqualTo(all);
    }

    @Test
    void theFirstOfSomeFuturesIsSelectedAndTheWaitIsShown() {
        Promise<String> one = Promise.promise();
        Promise<String> other = Promise.promise();
        Future<String> first = begin(ctx -> ctx.select(one.future(), other.future()));
        assertThat(child.subtreeStatus().globalContext().operations())
                .singleElement()
                .satisfies(operation -> assertThat(operation.name()).isEqualTo("select"));
        other.complete("other");
        assertThat(Waiting.result(first)).isEqualTo("other");
        assertThat(Waiting.result(begin(ctx -> ctx.cancelAndReport(Duration.ZERO)))
                        .isComplete())
                .isTrue();
        assertThat(child.isCancelled()).isTrue();
    }

    @Test
    @SuppressWarnings("MustBeClosedChecker") // it is what does not end
    void anUndeployedVerticleWaitsForItsWorkAndTellsWhatDidNotStop() {
        List<CancelReport> reports = new CopyOnWriteArrayList<>();
        FastnVertx.builder()
                .options(new VertxContextOptions().setGrace(LONG).setUnstopped(reports::add))
                .install(vertx);
        FastnContext service = requireNonNull(child.parent());
        Future<Void> undeployed = front.undeploy();
        Waiting.until(child::isCancelled);
        assertThat(undeployed.isComplete()).isFalse();
        child.close();
        Waiting.result(undeployed);
        assertThat(service.state()).isEqualTo(ContextState.CLOSED);
        assertThat(reports).isEmpty();

        FastnVertx.builder()
                .options(new VertxContextOptions()
                        .setGrace(Duration.ofMillis(20))
                        .setUnstopped(reports::add))
                .install(vertx);
        Front stubborn = Front.deploy(vertx);
        FastnContext work = Waiting.on(stubborn.place(), () -> Future.succeededFuture(FastnContext.current()))
                .child("stubborn")
                .open();
        Operation asking = work.operation("db-query");
        Waiting.result(stubborn.undeploy());
        assertThat(reports)
                .singleElement()
                .satisfies(report -> assertThat(report.unstopped())
                        .singleElement()
                        .satisfies(one -> {
                            assertThat(one.contextId()).isEqualTo(work.id());
                            assertThat(one.toString())
                                    .startsWith("global.Front.stubborn#" + work.id() + ": inside \"db-query\"");
                        }));
        asking.close();
        assertThat(work.state()).isEqualTo(ContextState.ACTIVE);
        work.close();
    }

    /** Contexts below one another that close when they are cancelled. */
    private static List<FastnContext> branch(FastnContext top) {
        FastnContext parent = top.child("parent").open();
        FastnContext willing = parent.child("willing").open();
        FastnContext leaf = willing.child("leaf").open();
        // In the wrong order: each is to wait for what is below it.
        parent.onCancel(reason -> parent.close());
        willing.onCancel(reason -> willing.close());
        leaf.onCancel(reason -> leaf.close());
        return List.of(top, parent, willing, leaf);
    }

    /** All are cancelled, those above before those below, before any is closed; and each is closed after those below it. */
    private static void endedInOrder(List<ContextEvent> events, List<FastnContext> fromTheTop) {
        List<Long> ids = fromTheTop.stream().map(FastnContext::id).toList();
        assertThat(idsOf(ContextEvent.Cancelled.class, events, ids)).isEqualTo(ids);
        List<Long> upwards = new ArrayList<>(ids);
        Collections.reverse(upwards);
        assertThat(idsOf(ContextEvent.Closed.class, events, ids)).isEqualTo(upwards);
        List<Class<?>> kinds = events.stream()
                .filter(event -> ids.contains(event.contextId()))
                .<Class<?>>map(ContextEvent::getClass)
                .filter(kind -> kind == ContextEvent.Cancelled.class || kind == ContextEvent.Closed.class)
                .toList();
        assertThat(kinds.subList(0, ids.size())).containsOnly(ContextEvent.Cancelled.class);
    }

    private static List<Long> idsOf(Class<?> kind, List<ContextEvent> events, List<Long> ids) {
        return events.stream()
                .filter(kind::isInstance)
                .map(ContextEvent::contextId)
                .filter(ids::contains)
                .toList();
    }

    @Test
    void anUndeployedVerticleIsCancelledFromTheTopAndClosedFromBelow() {
        FastnVertx.builder().options(new VertxContextOptions().setGrace(LONG)).install(vertx);
        List<FastnContext> contexts = branch(requireNonNull(child.parent()));
        child.close();
        List<ContextEvent> events = new CopyOnWriteArrayList<>();
        Registration listening = FastnVertx.install(vertx).runtime().addListener(events::add);
        Waiting.result(front.undeploy());
        // Its future completes only when all that is in it has ended.
        endedInOrder(events, contexts);
        listening.close();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aVertxThatClosesIsCancelledFromTheTopAndClosedFromBelow(boolean stops) {
        Vertx other = Vertx.vertx();
        FastnVertx fastn = FastnVertx.builder()
                .options(new VertxContextOptions().setGrace(stops ? LONG : Duration.ZERO))
                .install(other);
        List<FastnContext> contexts = new ArrayList<>();
        if (stops) {
            contexts.addAll(branch(fastn.runtime().root().child("top").open()));
            FastnContext top = contexts.get(0);
            top.onCancel(reason -> top.close());
        } else {
            FastnContext last = fastn.runtime().root();
            for (int depth = 0; depth < 4; depth++) {
                last = last.child("stubborn").open();
                contexts.add(last);
            }
        }
        List<ContextEvent> events = new CopyOnWriteArrayList<>();
        Registration listening = fastn.runtime().addListener(events::add);
        Waiting.result(other.close());
        endedInOrder(events, contexts);
        listening.close();
    }

    @Test
    void aMessageThatIsWorkedOnEndsWithItsVerticleInTheEnd() {
        FastnVertx.builder()
                .options(new VertxContextOptions().setGrace(Duration.ofMillis(20)))
                .install(vertx);
        Service bank = Service.deploy(vertx, "bank.pay", message -> {});
        var unused = vertx.eventBus().request("bank.pay", 1);
        FastnContext working = bank.only();
        Waiting.result(bank.undeploy());
        assertThat(working.isCancelled()).isTrue();
        Waiting.until(() -> working.state() == ContextState.CLOSED);
    }

    /** Its context ended with the handler or the reply, so nobody can cancel that any more. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void whatAMessageThatHasEndedWaitsForIsGivenUpWithItsVerticle(boolean replied) {
        List<Future<?>> waits = new CopyOnWriteArrayList<>();
        CountDownLatch over = new CountDownLatch(1);
        Service bank = Service.deploy(vertx, "bank.pay", message -> {
            FutureContext ctx = FutureContext.current();
            waits.add(ctx.timer(LONG));
            waits.add(ctx.blocking(() -> {
                over.await();
                return 1;
            }));
            if (replied) {
                message.reply("paid");
            }
        });
        if (replied) {
            Waiting.result(vertx.eventBus().request("bank.pay", 1));
        } else {
            vertx.eventBus().send("bank.pay", 1);
        }
        FastnContext ended = bank.only();
        Waiting.until(() -> ended.state() == ContextState.CLOSED);
        assertThat(waits).hasSize(2).noneMatch(Future::isComplete);
        Waiting.result(bank.undeploy());
        for (Future<?> wait : waits) {
            assertThat(Waiting.failure(wait)).hasMessageContaining("the verticle that it ran in was undeployed");
        }
        over.countDown();
    }

    /** Vert.x goes on to wait, and nobody else does; who works on it is told all the same. */
    @Test
    void aRequestThatWasGivenUpIsNoOperationAnyMore() {
        Service bank = Service.deploy(vertx, "bank.pay", message -> {});
        Future<?> asked =
                begin(ctx -> ctx.request("bank.pay", 1, new DeliveryOptions().setSendTimeout(LONG.toMillis())));
        FastnContext working = bank.only();
        assertThat(((ContextNode) child).isInOperation()).isTrue();
        child.cancel("enough");
        wasGivenUp(asked, "a request");
        Waiting.until(() -> !((ContextNode) child).isInOperation());
        Waiting.until(working::isCancelled);
        assertThat(FastnVertx.install(vertx).awaitedReplies().count()).isEqualTo(1);
        bank.messages.get(0).reply("late");
        Waiting.until(() -> FastnVertx.install(vertx).awaitedReplies().count() == 0);
    }

    @Test
    void whoFailsToHearOfWhatDidNotStopLeavesNoMessageOpen() {
        FastnVertx.builder()
                .options(new VertxContextOptions()
                        .setGrace(Duration.ofMillis(20))
                        .setUnstopped(report -> {
                            throw new AssertionError("thrown by a test");
                        }))
                .install(vertx);
        Service bank = Service.deploy(vertx, "bank.pay", message -> {});
        var unused = vertx.eventBus().request("bank.pay", 1);
        FastnContext working = bank.only();
        Waiting.result(bank.undeploy());
        assertThat(working.state()).isEqualTo(ContextState.CLOSED);
    }

    @Test
    void aVertxThatClosesWaitsForWorkAndThenEndsAll() {
        Vertx other = Vertx.vertx();
        List<CancelReport> reports = new CopyOnWriteArrayList<>();
        FastnVertx fastn = FastnVertx.builder()
                .options(new VertxContextOptions()
                        .setGrace(Duration.ofMillis(50))
                        .setUnstopped(reports::add))
                .install(other);
        FastnContext top = fastn.runtime().root().child("top").open();
        FastnContext good = top.child("good").open();
        FastnContext bad = top.child("bad").open();
        good.onCancel(reason -> good.close());
        Waiting.result(other.close());
        assertThat(reports)
                .singleElement()
                .satisfies(report -> assertThat(report.unstopped())
                        .singleElement()
                        .satisfies(one -> assertThat(one.contextId()).isEqualTo(bad.id())));
        assertThat(List.of(top, good, bad))
                .allSatisfy(context -> assertThat(context.state()).isEqualTo(ContextState.CLOSED));
    }

    @Test
    void hostileCancellationsAreIgnoredAndCounted() {
        for (String text : List.of(
                "",
                "2",
                "2 a",
                "2 a b",
                "2 a 1",
                "2 a 1,2",
                "2 a :" + KEY,
                "2 a x:" + KEY,
                "2 a 1:" + KEY + "0",
                "2 a 1:",
                "2  1:" + KEY,
                "2 a 1:" + KEY + " 2",
                "2 a 1:" + KEY + ",",
                "3 a 1:" + KEY,
                "1 a " + KEY + " 1",
                "2 a 1:" + "1".repeat(2_000),
                "2 a "
                        + IntStream.rangeClosed(0, CalleeCancellation.MOST_CALLERS)
                                .mapToObj(id -> id + ":" + KEY)
                                .collect(Collectors.joining(",")))) {
            assertThat(CalleeCancellation.read(text)).as(text).isNull();
        }
        assertThat(requireNonNull(CalleeCancellation.read("2 19a-7f 1:" + KEY + ",2:fedcba9876543210"))
                        .keys())
                .isEqualTo(Map.of(1L, KEY, 2L, "fedcba9876543210"));
    }
}
