package com.fastn.context.vertx;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.ContextBuilder;
import com.fastn.context.ContextCancelledException;
import com.fastn.context.FastnContext;
import com.fastn.context.LiveCount;
import com.fastn.context.engine.EngineRuntime;
import com.fastn.context.status.CallerLink;
import com.fastn.context.status.CancelReason;
import com.fastn.context.status.ContextKind;
import com.fastn.context.status.ContextState;
import com.fastn.context.status.MetricValue;
import com.fastn.context.status.OperationStatus;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.internal.ContextInternal;
import io.vertx.core.spi.context.storage.ContextLocal;
import io.vertx.junit5.VertxExtension;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith({OwnTree.class, VertxExtension.class})
class FutureContextTest {
    // Another library's; registered before the Vertx of the test is made.
    private static final ContextLocal<String> OTHERS = ContextLocal.registerLocal(String.class);

    private Vertx vertx;
    private EngineRuntime runtime;
    private Front front;

    @BeforeEach
    void deploy(Vertx made) {
        vertx = made;
        runtime = (EngineRuntime) FastnVertx.install(vertx).runtime();
        front = Front.deploy(vertx);
    }

    private <T extends @Nullable Object> T inFront(Callable<Future<T>> piece) {
        return Waiting.onDuplicate(front.place(), piece);
    }

    @Test
    void whatABuilderOfTheNeutralFaceDescribesThisOneDoesToo() {
        assertThat(describing(FutureContextBuilder.class))
                .contains("withCaller [class " + CallerLink.class.getName() + "]")
                .containsExactlyInAnyOrderElementsOf(describing(ContextBuilder.class));
    }

    private static List<String> describing(Class<?> builder) {
        return Arrays.stream(builder.getMethods())
                .filter(each -> each.getReturnType() == builder)
                .map(each -> each.getName() + " " + Arrays.toString(each.getParameterTypes()))
                .toList();
    }

    @Test
    void aBuilderHandsEachDescriptionOn() {
        CallerLink caller = new CallerLink("bob", "01a210e21a6a-1ba5a00bda410ecc", 7, "global.till");
        FastnContext child = FutureContext.of(runtime.root())
                .child("described")
                .withMetric("load", 0.5)
                .withMetric("took", Duration.ofMillis(3))
                .withMetric("mood", "fair")
                .withCaller(caller)
                .open();
        assertThat(child.caller()).isEqualTo(caller);
        assertThat(child.subtreeStatus().globalContext().metrics())
                .containsEntry("load", MetricValue.gauge(0.5))
                .containsEntry("took", MetricValue.duration(Duration.ofMillis(3)))
                .containsEntry("mood", MetricValue.text("fair"));
        child.close();
    }

    // --- run

    @Test
    void runRunsAtOnceOnADuplicateAndGivesTheResultOnTheCallersContextAfterTheChildWasClosed() {
        inFront(() -> {
            Context caller = Vertx.currentContext();
            FastnContext before = FastnContext.current();
            AtomicReference<@Nullable FastnContext> child = new AtomicReference<>();
            Future<String> result = FutureContext.current().child("step").run(ctx -> {
                child.set(ctx.context());
                assertThat(FastnContext.current()).isSameAs(ctx.context());
                assertThat(Vertx.currentContext()).isNotSameAs(caller);
                return vertx.timer(1).map(fired -> "done");
            });
            FastnContext opened = requireNonNull(child.get(), "it ran at once");
            assertThat(opened.parent()).isSameAs(before);
            assertThat(FastnContext.current()).isSameAs(before);
            assertThat(opened.state()).isEqualTo(ContextState.ACTIVE);
            return result.map(value -> {
                assertThat(value).isEqualTo("done");
                assertThat(opened.state()).isEqualTo(ContextState.CLOSED);
                assertThat(Vertx.currentContext()).isSameAs(caller);
                assertThat(FastnContext.current()).isSameAs(before);
                return value;
            });
        });
    }

    @Test
    void runCarriesTheLocalsOfOtherLibraries() {
        String seen = inFront(() -> {
            ContextInternal.current().putLocal(OTHERS, "theirs");
            return FutureContext.current()
                    .child("step")
                    .run(ctx -> Future.succeededFuture(ContextInternal.current().getLocal(OTHERS)));
        });
        assertThat(seen).isEqualTo("theirs");
    }

    @Test
    void theDescriptionOfTheBuilderIsOnTheChild() {
        FastnContext child = inFront(() -> FutureContext.current()
                .child("step")
                .withData("note", "hello")
                .withMetric("rows", 3)
                .withMetric("size", MetricValue.bytes(10))
                .withLabel("The Step")
                .withKind(ContextKind.SESSION)
                .withSetting("limit", 7)
                .run(ctx -> {
                    var status = ctx.context().subtreeStatus().globalContext();
                    assertThat(status.label()).isEqualTo("The Step");
                    assertThat(status.metrics()).containsOnlyKeys("rows", "size");
                    assertThat(ctx.context().setting("limit")).isEqualTo(7);
                    return Future.succeededFuture(ctx.context());
                }));
        assertThat(child.kind()).isEqualTo(ContextKind.SESSION);
        assertThat(requireNonNull(child.getData("note")).asText()).isEqualTo("hello");
    }

    @Test
    void workThatThrowsFailsTheResultAndClosesTheChild() {
        IllegalStateException thrown = new IllegalStateException("no");
        Throwable failure = Waiting.failure(vertx.executeBlocking(
                () -> inFront(() -> FutureContext.current().child("step").run(ctx -> {
                    throw thrown;
                }))));
        assertThat(failure).hasCause(thrown);
        assertThat(stepsOpen()).isFalse();
    }

    private boolean stepsOpen() {
        return runtime.root().children().stream()
                .anyMatch(service -> !service.children().isEmpty());
    }

    private Throwable failureInFront(Callable<Future<?>> piece) {
        return inFront(() -> piece.call().transform(done -> Future.succeededFuture(done.cause())));
    }

    @Test
    void workThatGivesNullFailsWithWhatToDo() {
        Throwable failure =
                failureInFront(() -> FutureContext.current().child("step").run(ctx -> nothing()));
        assertThat(failure).isInstanceOf(NullPointerException.class).hasMessageContaining("Future.succeededFuture()");
        assertThat(stepsOpen()).isFalse();
    }

    @SuppressWarnings({"NullAway", "TypeParameterUnusedInFormals"}) // as Java code without annotations may do
    private static <T> Future<T> nothing() {
        return null;
    }

    @Test
    void workThatFailsLaterFailsTheResultWithItsOwnException() {
        IllegalStateException failed = new IllegalStateException("no");
        Throwable failure = failureInFront(() -> FutureContext.current()
                .child("step")
                .run(ctx -> vertx.timer(1).compose(fired -> Future.failedFuture(failed))));
        assertThat(failure).isSameAs(failed);
        assertThat(stepsOpen()).isFalse();
    }

    @Test
    void workInACancelledParentIsNotStarted() {
        AtomicBoolean started = new AtomicBoolean();
        Throwable failure = failureInFront(() -> {
            FutureContext parent =
                    FutureContext.of(FutureContext.current().child("parent").open());
            parent.cancel();
            Future<Void> result = parent.child("step").run(ctx -> {
                started.set(true);
                return Future.succeededFuture();
            });
            parent.context().close();
            return result;
        });
        assertThat(failure).isInstanceOf(ContextCancelledException.class).hasMessageContaining("step");
        assertThat(started).isFalse();
        assertThat(stepsOpen()).isFalse();
    }

    @Test
    void c9_workInAParentThatItsOwnerHasClosedIsNotStarted() {
        Throwable failure = failureInFront(() -> {
            FastnContext parent = FutureContext.current().child("parent").open();
            parent.close();
            return FutureContext.of(parent).child("step").run(ctx -> Future.succeededFuture());
        });
        assertThat(failure).isInstanceOf(ContextCancelledException.class);
    }

    @Test
    void runFromAPlainThreadStartsOnTheVerticleOfTheParent() {
        FastnContext service = Waiting.on(front.place(), () -> Future.succeededFuture(FastnContext.current()));
        Context ranOn = Waiting.result(FutureContext.of(service).child("step").run(ctx -> {
            assertThat(FastnContext.current()).isSameAs(ctx.context());
            return Future.succeededFuture(Vertx.currentContext());
        }));
        assertThat(((ContextInternal) ranOn).unwrap()).isSameAs(front.place());
    }

    @Test
    void runInABlockingTaskStaysOnItsThread() {
        inFront(() -> vertx.executeBlocking(() -> {
            Thread thread = Thread.currentThread();
            AtomicReference<@Nullable Thread> ranOn = new AtomicReference<>();
            var unused = FutureContext.current().child("step").run(ctx -> {
                ranOn.set(Thread.currentThread());
                return Future.succeededFuture();
            });
            assertThat(ranOn.get()).isSameAs(thread);
            return 1;
        }));
    }

    // --- spawn

    @Test
    void spawnReturnsAtOnceAndTheTaskStartsLaterOnTheSameVerticle() {
        inFront(() -> {
            Context caller = Vertx.currentContext();
            AtomicBoolean started = new AtomicBoolean();
            Future<FastnContext> result = FutureContext.current().spawnChild("task", ctx -> {
                started.set(true);
                assertThat(((ContextInternal) Vertx.currentContext()).unwrap()).isSameAs(front.place());
                assertThat(Vertx.currentContext()).isNotSameAs(caller);
                assertThat(FastnContext.current()).isSameAs(ctx.context());
                return vertx.timer(1).map(fired -> ctx.context());
            });
            assertThat(started).isFalse();
            return result.map(child -> {
                assertThat(child.state()).isEqualTo(ContextState.CLOSED);
                assertThat(Vertx.currentContext()).isSameAs(caller);
                return child;
            });
        });
    }

    @Test
    void spawnWithoutAChildRunsInTheContextItself() {
        inFront(() -> {
            FastnContext here = FastnContext.current();
            return FutureContext.current()
                    .spawn(() -> vertx.timer(1).map(fired -> FastnContext.current()))
                    .map(seen -> {
                        assertThat(seen).isSameAs(here);
                        assertThat(here.state()).isEqualTo(ContextState.ACTIVE);
                        return seen;
                    });
        });
    }

    @Test
    void aSpawnedTaskThatThrowsOrGivesNullFailsTheResultAndClosesTheChild() {
        IllegalStateException thrown = new IllegalStateException("no");
        assertThat(failureInFront(() -> FutureContext.current().spawnChild("task", ctx -> {
                    throw thrown;
                })))
                .isSameAs(thrown);
        assertThat(failureInFront(() -> FutureContext.current().spawnChild("task", ctx -> nothing())))
                .isInstanceOf(NullPointerException.class);
        assertThat(stepsOpen()).isFalse();
    }

    @Test
    void spawnBlockingRunsOnAWorkerAndGivesTheResultOnTheCallersContext() {
        inFront(() -> {
            Context caller = Vertx.currentContext();
            AtomicReference<@Nullable FastnContext> seen = new AtomicReference<>();
            return FutureContext.current()
                    .child("blocking")
                    .spawnBlocking(() -> {
                        seen.set(FastnContext.current());
                        return Context.isOnWorkerThread();
                    })
                    .map(onWorker -> {
                        assertThat(onWorker).isTrue();
                        assertThat(requireNonNull(seen.get()).name()).isEqualTo("blocking");
                        assertThat(requireNonNull(seen.get()).state()).isEqualTo(ContextState.CLOSED);
                        assertThat(Vertx.currentContext()).isSameAs(caller);
                        return onWorker;
                    });
        });
        IllegalStateException thrown = new IllegalStateException("no");
        assertThat(failureInFront(
                        () -> FutureContext.current().child("blocking").spawnBlocking(() -> {
                            throw thrown;
                        })))
                .isSameAs(thrown);
    }

    @Test
    void aTaskSpawnedFromAPlainThreadCompletesWithoutAContext() {
        FastnContext service = Waiting.on(front.place(), () -> Future.succeededFuture(FastnContext.current()));
        Future<String> result = FutureContext.of(service)
                .spawnChild("task", ctx -> vertx.timer(1).map(fired -> "done"));
        assertThat(Waiting.result(result)).isEqualTo("done");
    }

    // --- waits

    @Test
    void awaitingShowsTheOperationUntilTheFutureEnds() {
        for (boolean fails : new boolean[] {false, true}) {
            FastnContext child = runtime.root().child("step").open();
            Promise<String> database = Promise.promise();
            Future<String> same = FutureContext.of(child).awaiting("db", database.future());
            assertThat(child.subtreeStatus().globalContext().operations())
                    .extracting(OperationStatus::name)
                    .containsExactly("db");
            if (fails) {
                database.fail("no");
            } else {
                database.complete("row");
                assertThat(Waiting.result(same)).isEqualTo("row");
            }
            assertThat(child.subtreeStatus().globalContext().operations()).isEmpty();
            child.close();
        }
    }

    @Test
    void raceGivesTheResultOrGivesUpWhenCancelled() {
        FastnContext child = runtime.root().child("step").open();
        FutureContext ctx = FutureContext.of(child);
        assertThat(Waiting.result(ctx.race(Future.succeededFuture("x")))).isEqualTo("x");
        IllegalStateException failed = new IllegalStateException("no");
        assertThat(Waiting.failure(ctx.race(Future.failedFuture(failed)))).isSameAs(failed);
        Future<String> hopeless = ctx.race(Promise.<String>promise().future());
        assertThat(hopeless.isComplete()).isFalse();
        child.cancel("enough");
        Throwable failure = Waiting.failure(hopeless);
        assertThat(failure)
                .isInstanceOfSatisfying(
                        ContextCancelledException.class,
                        e -> assertThat(e.reason().message()).isEqualTo("enough"));
        child.close();
    }

    @Test
    void aRaceOnAVertxContextIsGivenUpOnIt() {
        inFront(() -> {
            Context caller = Vertx.currentContext();
            FastnContext child = FutureContext.current().child("step").open();
            Future<String> hopeless =
                    FutureContext.of(child).race(Promise.<String>promise().future());
            new Thread(child::cancel).start();
            return hopeless.transform(done -> {
                assertThat(done.cause()).isInstanceOf(ContextCancelledException.class);
                assertThat(Vertx.currentContext()).isSameAs(caller);
                child.close();
                return Future.succeededFuture();
            });
        });
    }

    @Test
    void cancellationCompletesWithTheReasonOnTheCallersContext() {
        inFront(() -> {
            Context caller = Vertx.currentContext();
            FutureContext child =
                    FutureContext.of(FutureContext.current().child("step").open());
            Future<CancelReason> cancelled = child.cancellation();
            assertThat(cancelled.isComplete()).isFalse();
            assertThat(child.isCancelled()).isFalse();
            new Thread(() -> child.context().cancel("enough")).start();
            return cancelled.map(reason -> {
                assertThat(reason.message()).isEqualTo("enough");
                assertThat(child.isCancelled()).isTrue();
                assertThat(Vertx.currentContext()).isSameAs(caller);
                child.context().close();
                return reason;
            });
        });
    }

    // --- counters

    @Test
    void countingLastsUntilTheFutureEnds() {
        FastnContext child = runtime.root().child("step").open();
        FutureContext ctx = FutureContext.of(child);
        Promise<String> query = Promise.promise();
        Future<String> same = ctx.counting("queries", query.future());
        assertThat(child.getTotal("queries")).isEqualTo(1);
        assertThat(child.getLive("queries")).isEqualTo(1);
        query.complete("x");
        Waiting.result(same);
        assertThat(child.getLive("queries")).isZero();
        assertThat(child.getTotal("queries")).isEqualTo(1);
        child.close();
    }

    @Test
    void whatIsSaidOfAFutureContextIsSaidOfTheContext() {
        FastnContext child = runtime.root().child("step").open();
        FutureContext ctx = FutureContext.of(child);
        ctx.incrementTotal("a");
        ctx.addTotal("a", 2);
        ctx.setData("note", "hello");
        ctx.addMetric("size", MetricValue.bytes(10));
        ctx.touch("request");
        try (LiveCount ignored = ctx.trackLive("b")) {
            assertThat(child.getLive("b")).isEqualTo(1);
        }
        assertThat(child.getTotal("a")).isEqualTo(3);
        assertThat(requireNonNull(child.getData("note")).asText()).isEqualTo("hello");
        assertThat(ctx).isEqualTo(FutureContext.of(child)).hasSameHashCodeAs(FutureContext.of(child));
        assertThat(ctx).isNotEqualTo(FutureContext.of(runtime.root())).hasToString(child.toString());
        child.close();
    }

    @Test
    void aCancelledParentReachesTheWorkOfAllItsChildren() {
        CompletableFuture<CancelReason> told = new CompletableFuture<>();
        inFront(() -> {
            FastnContext parent = FutureContext.current().child("parent").open();
            Future<Void> work = FutureContext.of(parent).child("step").run(ctx -> {
                var unused = ctx.cancellation().onSuccess(told::complete);
                return ctx.race(Promise.<Void>promise().future());
            });
            parent.cancel("enough");
            return work.transform(done -> {
                parent.close();
                return Future.succeededFuture(done.cause());
            });
        });
        assertThat(Waiting.result(told).message()).isEqualTo("enough");
        assertThat(stepsOpen()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void c8_aLoopThatSelectsTheCancellationOfItsContextLeavesNothingOnIt(boolean duplicated) {
        FastnContext service =
                FastnVertx.install(vertx).runtime().root().child("service").open();
        FutureContext ctx = FutureContext.of(service);
        Context place = front.place();
        Context loop = duplicated ? ((ContextInternal) place).duplicate() : place;
        List<WeakReference<Object>> results = new ArrayList<>();
        Waiting.on(loop, () -> {
            Future<CancelReason> first = ctx.cancellation();
            for (int i = 0; i < 1_000; i++) {
                assertThat(FutureContext.of(service).cancellation()).isSameAs(first);
                Promise<CancelReason> step = Promise.promise();
                Future<CancelReason> selected = ctx.select(ctx.cancellation(), step.future());
                step.fail("done");
                results.add(new WeakReference<>(selected));
            }
            return Future.succeededFuture();
        });
        Waiting.until(() -> {
            System.gc();
            return results.stream().allMatch(result -> result.get() == null);
        });
        assertThat(((CompletableFuture<?>) service.cancellation()).getNumberOfDependents())
                .isLessThanOrEqualTo(1);
        Future<CancelReason> told = Waiting.on(loop, () -> Future.succeededFuture(ctx.cancellation()));
        Future<CancelReason> last =
                Waiting.on(loop, () -> Future.succeededFuture(ctx.select(ctx.cancellation(), Future.future(p -> {}))));
        service.cancel("enough");
        assertThat(Waiting.result(told).message()).isEqualTo("enough");
        assertThat(Waiting.result(last).message()).isEqualTo("enough");
        service.close();
    }

    @Test
    void c8_aLoopThatSelectsTheCancellationsOfTwoContextsLeavesNothingOnThem() {
        FastnContext one =
                FastnVertx.install(vertx).runtime().root().child("one").open();
        FastnContext other =
                FastnVertx.install(vertx).runtime().root().child("other").open();
        Waiting.on(front.place(), () -> {
            for (int i = 0; i < 1_000; i++) {
                Promise<CancelReason> step = Promise.promise();
                var unused = FutureContext.of(one)
                        .select(
                                "next",
                                List.of(
                                        FutureContext.of(one).cancellation(),
                                        FutureContext.of(other).cancellation(),
                                        step.future()));
                step.fail("done");
            }
            return Future.succeededFuture();
        });
        for (FastnContext each : List.of(one, other)) {
            assertThat(((CompletableFuture<?>) each.cancellation()).getNumberOfDependents())
                    .isLessThanOrEqualTo(1);
            each.close();
        }
    }
}
