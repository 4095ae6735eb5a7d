package com.fastn.context.vertx;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fastn.context.FastnContext;
import com.fastn.context.LockGuard;
import com.fastn.context.PermitGuard;
import com.fastn.context.Registration;
import com.fastn.context.status.CancelReason;
import com.fastn.context.status.ContextState;
import io.vertx.core.Context;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.ThreadingModel;
import io.vertx.core.Vertx;
import io.vertx.core.internal.VertxInternal;
import io.vertx.core.shareddata.Lock;
import io.vertx.junit5.VertxExtension;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What a verticle keeps while it lives, and what holds up its end. */
@ExtendWith({OwnTree.class, VertxExtension.class})
class VerticleEndTest {
    private static final int CALLS = 1_000;
    private static final int MOST_PINNED = 5;
    private static final Duration LONG = Duration.ofHours(1);

    private final CountDownLatch release = new CountDownLatch(1);

    @AfterEach
    void leave() {
        release.countDown();
    }

    /** Does not return before the end of the test, as a handler that waits for what nobody ends any more. */
    private void block() {
        try {
            var unused = release.await(10, TimeUnit.MINUTES);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Each gives a future that is kept by whatever keeps the call. */
    private static Stream<Named<Function<FutureContext, Future<?>>>> calls() {
        return Stream.of(
                Named.of("a timer that fires", ctx -> ctx.timer(Duration.ofMillis(1))),
                Named.of("a timer whose context is cancelled", ctx -> {
                    FastnContext step = ctx.context().child("step").open();
                    Future<Void> timer = FutureContext.of(step).timer(LONG);
                    step.cancel();
                    step.close();
                    return timer;
                }),
                Named.of("a repetition that is closed", ctx -> {
                    Future<Object> kept = Future.succeededFuture(new Object());
                    Registration ticks = ctx.periodic(LONG, "tick", tick -> kept);
                    ticks.close();
                    return kept;
                }),
                Named.of("a request", ctx -> ctx.request("echo", "x")),
                Named.of("a wait", ctx -> {
                    Promise<String> awaited = Promise.promise();
                    Future<String> race = ctx.race(awaited.future());
                    awaited.complete("x");
                    return race;
                }),
                Named.of("a wait for a lock in a context that is not the verticle's", ctx -> {
                    FastnContext root = ctx.context().runtime().root();
                    List<Future<?>> waits = new ArrayList<>();
                    var unused = FutureContext.of(root).child("step").run(step -> {
                        LockGuard<?> held = Waiting.take(step.mutex("turns").mutex());
                        var wait = step.mutex("turns").lock();
                        waits.add(wait.onSuccess(LockGuard::close));
                        held.close();
                        return wait;
                    });
                    return waits.get(0);
                }),
                Named.of("a blocking task", ctx -> ctx.blocking(() -> "x")));
    }

    /** A verticle that lives for months begins millions of them. */
    @ParameterizedTest
    @MethodSource("calls")
    void whatIsOverIsNotKeptByTheVerticleThatItWasBegunIn(Function<FutureContext, Future<?>> call, Vertx vertx) {
        Service echo = Service.deploy(vertx, "echo", message -> message.reply("x"));
        Front front = Front.deploy(vertx);
        List<WeakReference<Future<?>>> all = new ArrayList<>();
        for (int i = 0; i < CALLS; i++) {
            Future<?> over = Waiting.<Future<?>>on(front.place(), () -> {
                Future<?> begun = call.apply(FutureContext.current());
                return begun.transform(done -> Future.<Future<?>>succeededFuture(begun));
            });
            all.add(new WeakReference<>(over));
            echo.seen.clear();
            echo.messages.clear();
        }
        // Some may still be referred to from a stack or a thread's last task.
        Waiting.until(() -> {
            System.gc();
            return all.stream().filter(future -> future.get() != null).count() <= MOST_PINNED;
        });
        assertThat(contextOf(front).state()).isEqualTo(ContextState.ACTIVE);
    }

    private static FastnContext contextOf(Front front) {
        return Waiting.on(front.place(), () -> Future.succeededFuture(FastnContext.current()));
    }

    /** What waits in a context that is not of its verticle; the locks are held. */
    private static Stream<Named<Function<FutureContext, Future<?>>>> waits() {
        return Stream.of(
                Named.of("race", ctx -> ctx.race(Promise.promise().future())),
                Named.of("lock", ctx -> lasting(ctx).mutex("mutex").lock()),
                Named.of("lock with a time", ctx -> lasting(ctx).mutex("mutex").lock(LONG)),
                Named.of(
                        "lockUnless",
                        ctx -> lasting(ctx)
                                .mutex("mutex")
                                .lockUnless(Promise.promise().future())),
                Named.of("withLock", ctx -> lasting(ctx).mutex("mutex").withLock(value -> Future.succeededFuture())),
                Named.of(
                        "readLock",
                        ctx -> lasting(ctx).readWriteLock("readers", "x").readLock()),
                Named.of(
                        "withWriteLock",
                        ctx -> lasting(ctx)
                                .readWriteLock("readers", "x")
                                .withWriteLock(guard -> Future.succeededFuture())),
                Named.of("acquire", ctx -> lasting(ctx).semaphore("permits", 1).acquire()),
                Named.of(
                        "withPermit",
                        ctx -> lasting(ctx).semaphore("permits", 1).withPermit(Future::succeededFuture)),
                Named.of("a shared lock", ctx -> ctx.sharedLock("shared").lock(LONG)),
                Named.of(
                        "a shared lock that another node has",
                        ctx -> ctx.sharedLock("elsewhere").withLock(LONG, Future::succeededFuture)));
    }

    private static FutureContext lasting(FutureContext ctx) {
        return FutureContext.of(ctx.context().runtime().root());
    }

    private static Stream<Arguments> waitsOnEachModel() {
        return Stream.of(ThreadingModel.EVENT_LOOP, ThreadingModel.WORKER, ThreadingModel.VIRTUAL_THREAD)
                .flatMap(model -> waits().map(wait -> Arguments.of(model, wait)));
    }

    /** The context goes on, and nobody is left whom the end of the wait would be told. */
    @SuppressWarnings("MustBeClosedChecker") // each is closed by the try
    @ParameterizedTest
    @MethodSource("waitsOnEachModel")
    void aWaitThatAVerticleBeganInAContextThatGoesOnEndsWithTheVerticle(
            ThreadingModel model, Function<FutureContext, Future<?>> wait, Vertx vertx) {
        assumeTrue(
                model != ThreadingModel.VIRTUAL_THREAD || ((VertxInternal) vertx).isVirtualThreadAvailable(),
                "virtual threads need Java 21");
        FutureContext root =
                FutureContext.of(FastnVertx.install(vertx).runtime().root());
        FastnContext work = root.context().child("work").open();
        // As a member of the cluster would, it asks Vert.x alone.
        Lock elsewhere = Waiting.result(vertx.sharedData().getLock("elsewhere"));
        SharedLock.Guard shared = Waiting.result(root.sharedLock("shared").lock());
        Front front = new Front();
        Waiting.result(vertx.deployVerticle(front, new DeploymentOptions().setThreadingModel(model)));
        try (LockGuard<?> mutex = Waiting.take(root.mutex("mutex").mutex());
                LockGuard<?> writing =
                        requireNonNull(root.readWriteLock("readers", "x").tryWriteLock());
                PermitGuard permit = requireNonNull(root.semaphore("permits", 1).tryAcquire())) {
            assertThat(List.of(mutex.context(), writing.context(), permit.context()))
                    .containsOnly(root.context());
            for (boolean undeployed : new boolean[] {false, true}) {
                CompletableFuture<Future<?>> begun = new CompletableFuture<>();
                front.place()
                        .runOnContext(
                                now -> FutureContext.of(work).child("step").run(step -> {
                                    Future<?> waiting = wait.apply(step);
                                    begun.complete(waiting);
                                    return waiting;
                                }));
                Future<?> waiting = Waiting.result(begun);
                if (!undeployed) {
                    assertThat(waiting.isComplete()).isFalse();
                    Waiting.result(front.undeploy());
                }
                assertThat(Waiting.failure(waiting))
                        .isExactlyInstanceOf(CancellationException.class)
                        .hasMessageContaining("undeployed");
            }
            assertThat(root.mutex("mutex").waiters()).isZero();
            assertThat(root.readWriteLock("readers", "x").waiters()).isZero();
            assertThat(root.semaphore("permits", 1).waiters()).isZero();
            assertThat(root.sharedLock("shared").waiters()).isZero();
        }
        shared.close();
        elsewhere.release();
        Waiting.until(() -> work.children().isEmpty());
        assertThat(work.isCancelled()).isFalse();
        work.close();
        // Nobody has them who does not know of it.
        Waiting.result(root.mutex("mutex").lock()).close();
        Waiting.result(root.semaphore("permits", 1).acquire()).close();
        Waiting.result(root.sharedLock("shared").lock()).close();
        Waiting.result(root.sharedLock("elsewhere").lock()).close();
    }

    /** Registered off Vert.x, it runs where the cancellation does. */
    @ParameterizedTest
    @EnumSource(value = ThreadingModel.class, mode = EnumSource.Mode.EXCLUDE, names = "EXTERNAL")
    void aHandlerThatNeverReturnsHoldsUpNoUndeploymentForEver(ThreadingModel model, Vertx vertx) {
        assumeTrue(
                model != ThreadingModel.VIRTUAL_THREAD || ((VertxInternal) vertx).isVirtualThreadAvailable(),
                "virtual threads need Java 21");
        Waiting.endsWithoutGrace(vertx);
        Front front = new Front();
        Waiting.result(vertx.deployVerticle(front, new DeploymentOptions().setThreadingModel(model)));
        FastnContext service = contextOf(front);
        FastnContext work = service.child("work").open();
        CompletableFuture<CancelReason> told = new CompletableFuture<>();
        var unused = service.onCancel(reason -> block());
        var unusedToo = work.onCancel(told::complete);
        Waiting.result(front.undeploy());
        assertThat(service.isCancelled()).isTrue();
        assertThat(service.state()).isNotEqualTo(ContextState.ACTIVE);
        // What comes behind it is told by somebody else.
        assertThat(Waiting.result(told).message()).isEqualTo("the verticle was undeployed");
        work.close();
        assertThat(service.state()).isEqualTo(ContextState.CLOSED);
    }

    @Test
    void aHandlerThatNeverReturnsBlocksNoEventLoop(Vertx vertx) {
        Front front = Front.deploy(vertx);
        CompletableFuture<Thread> handlers = new CompletableFuture<>();
        var unused = contextOf(front).onCancel(reason -> {
            handlers.complete(Thread.currentThread());
            block();
        });
        CompletableFuture<Thread> loop = new CompletableFuture<>();
        front.place().runOnContext(now -> loop.complete(Thread.currentThread()));
        Future<Void> undeployed = front.undeploy();
        assertThat(Waiting.result(handlers)).isNotSameAs(Waiting.result(loop));
        release.countDown();
        Waiting.result(undeployed);
    }

    @Test
    void aHandlerThatNeverReturnsHoldsUpNoVertxForEver() {
        Vertx vertx = Vertx.vertx();
        Waiting.endsWithoutGrace(vertx);
        FastnContext beside =
                FastnVertx.install(vertx).runtime().root().child("beside").open();
        FastnContext work =
                FastnVertx.install(vertx).runtime().root().child("work").open();
        CompletableFuture<CancelReason> told = new CompletableFuture<>();
        var unused = beside.onCancel(reason -> block());
        var unusedToo = work.onCancel(told::complete);
        Waiting.result(vertx.close());
        assertThat(Waiting.result(told).message()).isEqualTo("the Vertx closes");
        assertThat(List.of(beside, work)).extracting(FastnContext::state).containsOnly(ContextState.CLOSED);
    }

    /** On a worker, whose thread waits for the very end: what comes behind the handlers must not need that thread. */
    @ParameterizedTest
    @EnumSource(value = ThreadingModel.class, mode = EnumSource.Mode.EXCLUDE, names = "EXTERNAL")
    void aVertxClosesThoughWhoClosesItWaitsForThatInAVerticleOfAnotherOne(ThreadingModel model, Vertx other) {
        assumeTrue(
                model != ThreadingModel.VIRTUAL_THREAD || ((VertxInternal) other).isVirtualThreadAvailable(),
                "virtual threads need Java 21");
        Front front = new Front();
        Waiting.result(other.deployVerticle(front, new DeploymentOptions().setThreadingModel(model)));
        Vertx vertx = Vertx.vertx();
        CompletableFuture<Boolean> onLoop = new CompletableFuture<>();
        FastnVertx fastn = FastnVertx.builder()
                .options(new VertxContextOptions()
                        .setGrace(Duration.ofMillis(1))
                        .setUnstopped(report -> onLoop.complete(Context.isOnEventLoopThread())))
                .install(vertx);
        FastnContext work = fastn.runtime().root().child("work").open();
        FastnContext step = work.child("step").open();
        CompletableFuture<CancelReason> told = new CompletableFuture<>();
        var unused = work.onCancel(told::complete);
        Waiting.on(front.place(), () -> {
            Waiting.result(vertx.close());
            return Future.succeededFuture();
        });
        // The patience of a second may be over before a busy machine has begun it.
        assertThat(Waiting.result(told).message()).isEqualTo("the Vertx closes");
        assertThat(List.of(work, step)).extracting(FastnContext::state).containsOnly(ContextState.CLOSED);
        // It may block, as a handler may.
        assertThat(onLoop).isCompletedWithValue(false);
    }

    /** A handler that is quick has run by the time that the verticle is gone. */
    @Test
    void aHandlerThatReturnsHasRunBeforeTheVerticleIsGone(Vertx vertx) {
        // A machine that does much beside may not begin it within a second; nothing is waited for that has come back.
        FastnVertx.builder()
                .options(new VertxContextOptions().setGrace(Duration.ofMinutes(1)))
                .install(vertx);
        for (int i = 0; i < 100; i++) {
            Front front = Front.deploy(vertx);
            CompletableFuture<CancelReason> told = new CompletableFuture<>();
            var unused = contextOf(front).onCancel(told::complete);
            Waiting.result(front.undeploy());
            assertThat(told).isDone();
        }
    }
}
