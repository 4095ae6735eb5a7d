package com.fastn.context.vertx;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.ContextScope;
import com.fastn.context.FastnContext;
import com.fastn.context.LockGuard;
import com.fastn.context.engine.EngineRuntime;
import io.vertx.core.Context;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.ThreadingModel;
import io.vertx.core.Vertx;
import io.vertx.core.WorkerExecutor;
import io.vertx.core.eventbus.Message;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServer;
import io.vertx.core.internal.ContextInternal;
import io.vertx.junit5.VertxExtension;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Where the current context is found again after a hop. */
@ExtendWith({OwnTree.class, VertxExtension.class})
class CurrentContextTest {
    private EngineRuntime runtime;
    private Front front;

    @BeforeEach
    void deploy(Vertx vertx) {
        runtime = (EngineRuntime) FastnVertx.install(vertx).runtime();
        front = Front.deploy(vertx);
    }

    @AfterEach
    void leave(Vertx vertx) {
        Waiting.endsWithoutGrace(vertx);
    }

    private FastnContext service() {
        return Waiting.on(front.place(), () -> Future.succeededFuture(FastnContext.current()));
    }

    /** Runs a hop in a child, and tells where it arrived. */
    private void staysIn(Callable<Future<FastnContext>> hop) {
        CompletableFuture<FastnContext> child = new CompletableFuture<>();
        FastnContext arrived = Waiting.onDuplicate(
                front.place(),
                () -> FutureContext.current().child("hop").run(ctx -> {
                    child.complete(ctx.context());
                    try {
                        return hop.call();
                    } catch (Exception e) {
                        return Future.failedFuture(e);
                    }
                }));
        assertThat(arrived).isSameAs(Waiting.result(child));
    }

    private static Future<FastnContext> here() {
        return Future.succeededFuture(FastnContext.current());
    }

    @TestFactory
    Stream<DynamicTest> theContextIsCarriedBy(Vertx vertx) {
        vertx.eventBus().consumer("hops", message -> message.reply("there"));
        HttpServer server = Waiting.result(vertx.createHttpServer()
                .requestHandler(request -> request.response().end("there"))
                .listen(0, "127.0.0.1"));
        HttpClient client = vertx.createHttpClient();
        return Stream.<Hop>of(
                        new Hop("the same handler", CurrentContextTest::here),
                        new Hop("runOnContext", () -> {
                            Promise<FastnContext> arrived = Promise.promise();
                            vertx.runOnContext(now -> arrived.complete(FastnContext.current()));
                            return arrived.future();
                        }),
                        new Hop("a timer's handler", () -> {
                            Promise<FastnContext> arrived = Promise.promise();
                            vertx.setTimer(1, id -> arrived.complete(FastnContext.current()));
                            return arrived.future();
                        }),
                        new Hop("a timer's future", () -> vertx.timer(1).compose(fired -> here())),
                        new Hop("the body of executeBlocking", () -> vertx.executeBlocking(FastnContext::current)),
                        new Hop(
                                "the result of executeBlocking",
                                () -> vertx.executeBlocking(() -> 1).compose(one -> here())),
                        new Hop(
                                "composition and a failure on the way",
                                () -> vertx.timer(1)
                                        .compose(fired -> Future.<Void>failedFuture("no"))
                                        .recover(failure -> vertx.timer(1))
                                        .compose(fired -> here())),
                        new Hop(
                                "the future of a reply",
                                () -> vertx.eventBus().request("hops", "x").compose(reply -> here())),
                        new Hop(
                                "the future of a failed request",
                                () -> vertx.eventBus()
                                        .request("nobody", "x")
                                        .map(reply -> FastnContext.global())
                                        .recover(failure -> here())),
                        new Hop(
                                "the response of a client",
                                () -> client.request(HttpMethod.GET, server.actualPort(), "127.0.0.1", "/")
                                        .compose(request -> request.send())
                                        .compose(HttpClientResponse::body)
                                        .compose(body -> here())),
                        new Hop(
                                "the future of a deployment",
                                () -> vertx.deployVerticle(new Front()).compose(id -> here())),
                        new Hop("a lock that is granted later", () -> {
                            LockGuard<?> guard = Waiting.take(runtime.root().mutex("hops"));
                            Future<?> granted = FutureContext.of(runtime.root())
                                    .mutex("hops")
                                    .lock();
                            vertx.setTimer(1, id -> guard.close());
                            return granted.compose(held -> {
                                ((LockGuard<?>) held).close();
                                return here();
                            });
                        }))
                .map(hop -> DynamicTest.dynamicTest(hop.name, () -> staysIn(hop.way)));
    }

    private record Hop(String name, Callable<Future<FastnContext>> way) {}

    @Test
    void aPeriodicTickRunsInTheVerticle(Vertx vertx) {
        FastnContext arrived = Waiting.onDuplicate(
                front.place(),
                () -> FutureContext.current().child("hop").run(ctx -> {
                    Promise<FastnContext> ticked = Promise.promise();
                    vertx.setPeriodic(1, id -> {
                        vertx.cancelTimer(id);
                        ticked.tryComplete(FastnContext.current());
                    });
                    return ticked.future();
                }));
        assertThat(arrived).isSameAs(service());
    }

    @Test
    void concurrentBranchesNeverSeeEachOther(Vertx vertx) {
        int branches = 20;
        int steps = 25;
        AtomicInteger strays = new AtomicInteger();
        FastnContext after = Waiting.onDuplicate(front.place(), () -> {
            FastnContext caller = FastnContext.current();
            List<Future<?>> running = new CopyOnWriteArrayList<>();
            for (int i = 0; i < branches; i++) {
                running.add(FutureContext.current().child("branch-" + i).run(ctx -> {
                    Future<Void> way = Future.succeededFuture();
                    for (int step = 0; step < steps; step++) {
                        boolean blocking = step % 3 == 0;
                        way = way.compose(gone -> blocking
                                        ? vertx.<Void>executeBlocking(() -> {
                                            seen(ctx, strays);
                                            return null;
                                        })
                                        : vertx.timer(1))
                                .onComplete(gone -> seen(ctx, strays));
                    }
                    return way;
                }));
                if (FastnContext.current() != caller) {
                    strays.incrementAndGet();
                }
            }
            return Future.join(running).map(joined -> FastnContext.current());
        });
        assertThat(strays).hasValue(0);
        assertThat(after).isSameAs(service());
    }

    private static void seen(FutureContext expected, AtomicInteger strays) {
        if (FastnContext.current() != expected.context()) {
            strays.incrementAndGet();
        }
    }

    @Test
    void whatIsMadeCurrentInStartStaysThere(Vertx vertx) {
        CompletableFuture<FastnContext> inScope = new CompletableFuture<>();
        CompletableFuture<FastnContext> later = new CompletableFuture<>();
        CompletableFuture<FastnContext> afterScope = new CompletableFuture<>();
        Front other = new Front() {
            @Override
            public Future<?> start() {
                FastnContext child = FastnContext.current().child("setting-up").open();
                try (ContextScope ignored = child.makeCurrent()) {
                    inScope.complete(FastnContext.current());
                    vertx.setTimer(1, id -> later.complete(FastnContext.current()));
                }
                afterScope.complete(FastnContext.current());
                return Future.succeededFuture();
            }
        };
        Waiting.result(vertx.deployVerticle(other));
        FastnContext service = Waiting.result(afterScope);
        assertThat(Waiting.result(inScope).name()).isEqualTo("setting-up");
        assertThat(Waiting.result(inScope).parent()).isSameAs(service);
        assertThat(Waiting.result(later)).isSameAs(service);
        assertThat(Waiting.<FastnContext>onDuplicate(other.place(), CurrentContextTest::here))
                .isSameAs(service);
    }

    @Test
    void scopesOnARequestsContextNestAndRestore() {
        Waiting.onDuplicate(front.place(), () -> {
            FastnContext before = FastnContext.current();
            FastnContext outer = before.child("outer").open();
            FastnContext inner = outer.child("inner").open();
            try (ContextScope first = outer.makeCurrent()) {
                try (ContextScope second = inner.makeCurrent()) {
                    assertThat(FastnContext.current()).isSameAs(inner);
                }
                assertThat(FastnContext.current()).isSameAs(outer);
            }
            assertThat(FastnContext.current()).isSameAs(before);
            return Future.succeededFuture();
        });
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void inWhateverOrderScopesOfAVertxContextAreClosedTheInnermostOpenOneIsCurrent(boolean duplicated) {
        List<List<Integer>> orders = new ArrayList<>();
        permute(new ArrayList<>(), List.of(0, 1, 2, 3), orders);
        assertThat(orders).hasSize(24);
        FastnContext service = service();
        for (List<Integer> order : orders) {
            Callable<Future<Void>> inOrder = () -> {
                closesIn(order, service);
                return Future.succeededFuture();
            };
            if (duplicated) {
                Waiting.onDuplicate(front.place(), inOrder);
            } else {
                Waiting.on(front.place(), inOrder);
            }
        }
        assertThat(runtime.misuses())
                .singleElement()
                .asString()
                .contains("x a ContextScope was closed while it was not the innermost one of its Vert.x context");
    }

    @SuppressWarnings("MustBeClosedChecker")
    private static void closesIn(List<Integer> order, FastnContext service) {
        List<FastnContext> contexts = new ArrayList<>();
        List<ContextScope> scopes = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            contexts.add(service.child("c" + i).open());
            scopes.add(contexts.get(i).makeCurrent());
        }
        List<Integer> open = new ArrayList<>(List.of(0, 1, 2, 3));
        for (Integer each : order) {
            scopes.get(each).close();
            open.remove(each);
            assertThat(FastnContext.current())
                    .as("after %d of %s", each, order)
                    .isSameAs(open.isEmpty() ? service : contexts.get(open.get(open.size() - 1)));
            assertThat(contexts.get(each).subtreeStatus().globalContext().onThread())
                    .isFalse();
        }
        contexts.forEach(FastnContext::close);
    }

    private static void permute(List<Integer> taken, List<Integer> left, List<List<Integer>> into) {
        if (left.isEmpty()) {
            into.add(List.copyOf(taken));
        }
        for (Integer each : left) {
            List<Integer> more = new ArrayList<>(taken);
            more.add(each);
            List<Integer> fewer = new ArrayList<>(left);
            fewer.remove(each);
            permute(more, fewer, into);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    @SuppressWarnings("MustBeClosedChecker")
    void aScopeThatWasForgottenDoesNotOutliveItsContextAndTheOneAround(boolean duplicated) {
        FastnContext service = service();
        Callable<Future<FastnContext>> forgetting = () -> {
            FastnContext outer = service.child("outer").open();
            FastnContext inner = outer.child("inner").open();
            try (ContextScope ignored = outer.makeCurrent()) {
                ContextScope forgotten = inner.makeCurrent();
                assertThat(forgotten).isNotNull();
                inner.close();
            }
            return here();
        };
        FastnContext after =
                duplicated ? Waiting.onDuplicate(front.place(), forgetting) : Waiting.on(front.place(), forgetting);
        assertThat(after).isSameAs(service);
        assertThat(runtime.misuses()).singleElement().asString().startsWith("1x a ContextScope was closed while");
    }

    @Test
    @SuppressWarnings("MustBeClosedChecker")
    void aScopeOfARootThatAnotherThreadClosesIsOverOnItsOwnThread() {
        FastnContext service = service();
        CompletableFuture<ContextScope> opened = new CompletableFuture<>();
        Waiting.on(front.place(), () -> {
            opened.complete(service.child("task").open().makeCurrent());
            return here();
        });
        Waiting.result(opened).close();
        assertThat(service()).isSameAs(service);
        assertThat(runtime.misuses()).singleElement().asString().startsWith("1x a ContextScope was closed while");
    }

    @ParameterizedTest
    @EnumSource(
            value = ThreadingModel.class,
            names = {"EVENT_LOOP", "WORKER"})
    void bodiesOfExecuteBlockingAndTheirCallerAreEachInTheirOwnScope(ThreadingModel model, Vertx vertx) {
        Front caller = new Front();
        Waiting.result(vertx.deployVerticle(caller, new DeploymentOptions().setThreadingModel(model)));
        FastnContext service = Waiting.on(caller.place(), CurrentContextTest::here);
        FastnContext one = service.child("one").open();
        FastnContext other = service.child("other").open();
        FastnContext third = service.child("third").open();
        CyclicBarrier step = new CyclicBarrier(3);
        ContextInternal place = ((ContextInternal) caller.place()).duplicate();
        List<Future<List<FastnContext>>> bodies = new CopyOnWriteArrayList<>();
        // The caller's scope is open while it calls, and until both bodies are inside of theirs.
        List<FastnContext> ofCaller = Waiting.on(place, () -> {
            try (ContextScope mine = third.makeCurrent()) {
                bodies.add(vertx.executeBlocking(() -> inScope(one, step), false));
                bodies.add(vertx.executeBlocking(() -> inScope(other, step), false));
                return Future.succeededFuture(inScope(third, step));
            }
        });
        assertThat(ofCaller).containsExactly(third, third, third);
        // What was current for a body when it began is what its caller had made current; afterwards it is what it then
        // is.
        assertThat(Waiting.result(bodies.get(0)).subList(0, 2)).containsExactly(one, one);
        assertThat(Waiting.result(bodies.get(1)).subList(0, 2)).containsExactly(other, other);
        assertThat(Waiting.<FastnContext>on(place, CurrentContextTest::here)).isSameAs(service);
        assertThat(runtime.misuses()).isEmpty();
    }

    private static List<FastnContext> inScope(FastnContext context, CyclicBarrier step) throws Exception {
        List<FastnContext> seen = new ArrayList<>();
        try (ContextScope ignored = context.makeCurrent()) {
            step.await(60, TimeUnit.SECONDS);
            seen.add(FastnContext.current());
            step.await(60, TimeUnit.SECONDS);
            Callable<FastnContext> wrapped = context.wrapCallable(FastnContext::current);
            seen.add(wrapped.call());
            step.await(60, TimeUnit.SECONDS);
        }
        seen.add(FastnContext.current());
        return seen;
    }

    @Test
    void inTheScopeOfABlockingTaskACallForAnotherContextIsMadeInThatOne(Vertx vertx) {
        CompletableFuture<FastnContext> served = new CompletableFuture<>();
        CompletableFuture<FastnContext> inRun = new CompletableFuture<>();
        FastnContext request = service().child("request").open();
        List<String> callers = new CopyOnWriteArrayList<>();
        vertx.eventBus().<String>consumer("whose", message -> {
            callers.add(String.valueOf(FastnContext.current().caller()));
            message.reply("");
        });
        Waiting.onDuplicate(
                front.place(),
                () -> FutureContext.of(request)
                        .child("outer")
                        .run(outer -> vertx.executeBlocking(() -> {
                                    FastnContext inner =
                                            outer.context().child("inner").open();
                                    try (ContextScope ignored = inner.makeCurrent()) {
                                        inRun.complete(Waiting.result(FutureContext.current()
                                                .child("run")
                                                .run(run -> here())));
                                        served.complete(FastnContext.current());
                                        return outer.request("whose", "")
                                                .compose(reply ->
                                                        FutureContext.current().request("whose", ""));
                                    } finally {
                                        inner.close();
                                    }
                                })
                                .compose(reply -> reply)));
        assertThat(Waiting.result(served).name()).isEqualTo("inner");
        assertThat(Waiting.result(inRun).parent()).isSameAs(Waiting.result(served));
        assertThat(callers)
                .hasSize(2)
                .allSatisfy(caller -> assertThat(caller).contains("outer").doesNotContain("inner"));
    }

    @Test
    @SuppressWarnings("MustBeClosedChecker")
    void aScopeThatABlockingTaskForgotIsNotThatOfTheNextTaskOfItsThread(Vertx vertx) {
        WorkerExecutor one = vertx.createSharedWorkerExecutor("one", 1);
        FastnContext forgotten = service().child("forgotten").open();
        Waiting.onDuplicate(front.place(), () -> one.executeBlocking(forgotten::makeCurrent));
        FastnContext next = Waiting.onDuplicate(front.place(), () -> one.executeBlocking(FastnContext::current));
        assertThat(next).isSameAs(service());
        forgotten.close();
        FastnContext scoped = service().child("scoped").open();
        FastnContext within = Waiting.onDuplicate(
                front.place(), () -> one.executeBlocking(scoped.wrapCallable(FastnContext::current)));
        assertThat(within).isSameAs(scoped);
        assertThat(runtime.misuses()).isEmpty();
    }

    @Test
    void aPlainThreadRunsInTheGlobalContextAndInWhatIsWrapped(Vertx vertx) throws InterruptedException {
        FastnContext child = service().child("child").open();
        List<FastnContext> seen = new CopyOnWriteArrayList<>();
        Thread thread = new Thread(() -> {
            seen.add(FastnContext.current());
            Runnable look = () -> seen.add(FastnContext.current());
            child.wrap(look).run();
            seen.add(FastnContext.current());
        });
        thread.start();
        thread.join();
        assertThat(seen).containsExactly(FastnContext.global(), child, FastnContext.global());
    }

    @Test
    void aVerticleOfASecondVertxHasAContextInItsOwnTree() {
        Vertx second = Vertx.vertx();
        try {
            FastnContext there = Waiting.on(Front.deploy(second).place(), CurrentContextTest::here);
            assertThat(there.runtime()).isSameAs(FastnVertx.install(second).runtime());
            assertThat(there.runtime()).isNotSameAs(runtime);
        } finally {
            Waiting.result(second.close());
        }
    }

    @Test
    void aVertxContextThatBelongsToNoVerticleRunsInTheRoot(Vertx vertx) {
        Context loose = vertx.getOrCreateContext();
        assertThat(Waiting.<FastnContext>on(loose, CurrentContextTest::here)).isSameAs(runtime.root());
    }

    @Test
    void c5_aCancelHandlerRunsOnTheVertxContextThatRegisteredIt(Vertx vertx) {
        FastnContext child = service().child("child").open();
        CompletableFuture<Context> ranOn = new CompletableFuture<>();
        Context registeredOn = Waiting.onDuplicate(front.place(), () -> {
            child.onCancel(reason -> ranOn.complete(Vertx.currentContext()));
            return Future.succeededFuture(Vertx.currentContext());
        });
        child.cancel();
        assertThat(Waiting.result(ranOn)).isSameAs(registeredOn);
    }

    @Test
    void theCurrentContextOfAMessageWhoseContextHasEndedIsItsVerticles(Vertx vertx) {
        CompletableFuture<FastnContext> during = new CompletableFuture<>();
        CompletableFuture<FastnContext> after = new CompletableFuture<>();
        Front server = new Front() {
            @Override
            public Future<?> start() {
                return vertx.eventBus()
                        .consumer("one-way", (Message<String> message) -> {
                            during.complete(FastnContext.current());
                            vertx.setTimer(1, id -> after.complete(FastnContext.current()));
                        })
                        .completion();
            }
        };
        Waiting.result(vertx.deployVerticle(server));
        vertx.eventBus().send("one-way", "x");
        assertThat(Waiting.result(during).name()).isEqualTo("one-way");
        assertThat(Waiting.result(after)).isSameAs(Waiting.result(during).parent());
    }

    /** Such as a deadline that nobody took back: others are served by the one around it. */
    @Test
    void whatIsToldToAMessageThatHasEndedDoesNotReachItsVerticle(Vertx made) {
        List<Message<Object>> asked = new CopyOnWriteArrayList<>();
        CompletableFuture<FastnContext> late = new CompletableFuture<>();
        Service bank = Service.deploy(made, "bank.late", message -> {
            message.reply("paid");
            asked.add(message);
            FutureContext ctx = FutureContext.current();
            ctx.setData("user", "alice");
            ctx.cancel();
            ctx.cancelAndReport(Duration.ZERO)
                    .compose(report -> ctx.child("later").run(child -> {
                        late.complete(child.context());
                        return Future.succeededFuture();
                    }))
                    .onFailure(late::completeExceptionally);
        });
        for (int i = 1; i <= 2; i++) {
            int wanted = i;
            Waiting.result(made.eventBus().request("bank.late", i));
            Waiting.until(() -> asked.size() == wanted);
        }
        FastnContext verticle = requireNonNull(bank.seen.get(0).parent());
        assertThat(Waiting.result(late).parent()).isSameAs(verticle);
        assertThat(verticle.isCancelled()).isFalse();
        assertThat(verticle.getData("user")).isNull();
        assertThat(bank.seen).noneMatch(FastnContext::isCancelled);
    }
}
