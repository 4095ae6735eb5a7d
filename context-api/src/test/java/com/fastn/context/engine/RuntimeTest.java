package com.fastn.context.engine;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.CancelReport;
import com.fastn.context.ContextEngine;
import com.fastn.context.ContextRuntime;
import com.fastn.context.DeadlockPolicy;
import com.fastn.context.FastnContext;
import com.fastn.context.ManualTicker;
import com.fastn.context.Registration;
import com.fastn.context.Ticker;
import com.fastn.context.event.ContextEvent;
import com.fastn.context.status.CancelReason;
import com.fastn.context.status.ContextKind;
import com.fastn.context.status.ContextState;
import com.fastn.context.status.StatusSnapshot;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Flow;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The life of runtimes: built, closed, the default one, and those that are claimed by an environment. */
class RuntimeTest {
    private static final Duration LIMIT = Duration.ofMinutes(1);

    @Test
    void aRuntimeIsGlobalUnlessSaid() {
        try (ContextRuntime runtime = ContextRuntime.builder().build()) {
            assertThat(runtime.root().name()).isEqualTo("global");
            assertThat(runtime.root().label()).isEqualTo("Global Context");
            assertThat(runtime.root().kind()).isEqualTo(ContextKind.ROOT);
            assertThat(runtime.root().parent()).isNull();
            assertThat(runtime.node().alias()).isNotEmpty();
            assertThat(runtime.node().incarnation()).matches("[0-9a-f]{12}-[0-9a-f]{16}");
        }
    }

    @Test
    void aRuntimeHasWhatItsBuilderWasToldInAnyOrder() {
        ManualTicker ticker = new ManualTicker(TestTree.START);
        try (ContextRuntime named = ContextRuntime.builder()
                        .rootLabel("The Shop")
                        .rootName("shop")
                        .alias("alice")
                        .ticker(ticker)
                        .build();
                ContextRuntime plain = ContextRuntime.builder().rootName("shop").build()) {
            assertThat(named.root().name()).isEqualTo("shop");
            assertThat(named.root().label()).isEqualTo("The Shop");
            assertThat(named.node().alias()).isEqualTo("alice");
            assertThat(named.root().createdAt()).isEqualTo(TestTree.START);
            assertThat(plain.root().label()).isEqualTo("shop");
            assertThat(plain).isNotSameAs(named);
        }
    }

    @Test
    void theLaterOfTwoIncarnationsSortsLast() {
        ManualTicker ticker = new ManualTicker(TestTree.START);
        try (ContextRuntime first = ContextRuntime.builder().ticker(ticker).build()) {
            ticker.advance(Duration.ofMillis(1));
            try (ContextRuntime second = ContextRuntime.builder().ticker(ticker).build()) {
                assertThat(second.node().incarnation())
                        .isGreaterThan(first.node().incarnation());
            }
        }
    }

    @Test
    void closingCancelsEverythingAndLeavesOpenContextsVisible() {
        ContextRuntime runtime = ContextRuntime.builder().build();
        FastnContext task = runtime.root().child("task").open();
        runtime.close();
        runtime.close();

        assertThat(task.cancelReason())
                .isEqualTo(new CancelReason(CancelReason.Kind.PARENT, "the runtime closes", "global"));
        assertThat(runtime.root().cancelReason()).extracting(CancelReason::kind).isEqualTo(CancelReason.Kind.SHUTDOWN);
        assertThat(runtime.root().state()).isEqualTo(ContextState.CLOSING);
        assertThat(runtime.status().globalContext().children()).hasSize(1);
        task.close();
        assertThat(runtime.root().state()).isEqualTo(ContextState.CLOSED);
    }

    @Test
    void aClosedRuntimeRefusesWorkWithoutThrowing() {
        ContextRuntime runtime = ContextRuntime.builder().build();
        FastnContext ended = runtime.root().child("ended").open();
        ended.close();
        runtime.close();

        assertThat(runtime.root().child("late").open().state()).isEqualTo(ContextState.CLOSED);
        assertThat(runtime.root()
                        .spawnChild("late", c -> CompletableFuture.completedFuture(1))
                        .toCompletableFuture())
                .isCompletedExceptionally();
        assertThat(ended.spawn(() -> CompletableFuture.completedFuture(1)).toCompletableFuture())
                .isCompletedExceptionally();
        assertThat(runtime.root().mutex("late").lock(Duration.ofHours(1)).toCompletableFuture())
                .isCompletedExceptionally();
        ended.cancelAfter(Duration.ofHours(1)).close();
        assertThat(runtime.status().globalContext().children()).isEmpty();
    }

    @Test
    void C3_ofARuntimeThatHadNoTaskBeforeEachHandlerRunsThoughTwoDoNotReturn() throws InterruptedException {
        EngineRuntime runtime =
                (EngineRuntime) ContextRuntime.builder().rootName("app").build();
        CountDownLatch never = new CountDownLatch(1);
        List<CompletableFuture<String>> back = List.of(new CompletableFuture<>(), new CompletableFuture<>());
        back.forEach(each -> runtime.root().onCancel(reason -> each.complete(waited(never))));
        CompletableFuture<String> handled = new CompletableFuture<>();
        runtime.root().onCancel(reason -> handled.complete("handled"));
        CompletableFuture<String> ended = new CompletableFuture<>();
        var unused = runtime.atClose(() -> ended.complete("ended"));
        Thread closer = new Thread(runtime::close);
        closer.setDaemon(true);
        closer.start();

        assertThat(handled).succeedsWithin(LIMIT);
        assertThat(ended).succeedsWithin(LIMIT);
        assertThat(back).noneMatch(CompletableFuture::isDone);
        never.countDown();
        closer.join();
        assertThat(runtime.tasks().isShutdown()).isTrue();
    }

    @Test
    void aPoolThatIsMadeAfterTheEndTakesNoTasks() {
        EngineRuntime runtime =
                (EngineRuntime) ContextRuntime.builder().rootName("app").build();
        runtime.close();
        assertThat(runtime.tasks().isShutdown()).isTrue();
    }

    @Test
    void C3_whoGoesOnWithACancellationBelowDoesNotEndTheRuntimeBeforeItsOwnHandlers() throws InterruptedException {
        EngineRuntime runtime =
                (EngineRuntime) ContextRuntime.builder().rootName("app").build();
        List<String> order = new CopyOnWriteArrayList<>();
        CompletableFuture<String> ended = new CompletableFuture<>();
        var unused = runtime.atClose(() -> {
            order.add("ended");
            ended.complete("ended");
        });
        runtime.root().onCancel(reason -> order.add("handler"));
        FastnContext below = runtime.root().child("below").open();
        CompletableFuture<String> helped = new CompletableFuture<>();
        CompletableFuture<String> rootMarked = new CompletableFuture<>();
        below.onCancel(reason -> ended.join());
        below.onCancel(reason -> {
            helped.complete("another thread goes on");
            rootMarked.join();
        });
        Thread canceller = new Thread(below::cancel);
        canceller.setDaemon(true);
        canceller.start();
        assertThat(helped).succeedsWithin(LIMIT);
        Registration listening = runtime.addListener(event -> {
            if (event instanceof ContextEvent.Cancelled cancelled
                    && cancelled.contextId() == runtime.root().id()) {
                rootMarked.complete("but nothing more");
                ended.join();
            }
        });
        Thread closer = new Thread(runtime::close);
        closer.setDaemon(true);
        closer.start();

        assertThat(ended).succeedsWithin(LIMIT);
        closer.join();
        canceller.join();
        listening.close();
        assertThat(order).containsExactly("handler", "ended");
    }

    @Test
    void C3_aHandlerThatDoesNotReturnHoldsUpNobodyElseAtTheEndOfTheRuntime() throws InterruptedException {
        ContextRuntime runtime = ContextRuntime.builder().rootName("app").build();
        FastnContext server = runtime.root().child("server").open();
        server.child("request").open();
        CountDownLatch never = new CountDownLatch(1);
        CompletableFuture<String> back = new CompletableFuture<>();
        server.onCancel(reason -> back.complete(waited(never)));
        CompletableFuture<CancelReport> report = new CompletableFuture<>();
        FastnContext stopped = runtime.root().child("stopped").open();
        stopped.child("left").open();
        var unused = stopped.cancelAndReport(Duration.ofHours(1)).thenAccept(report::complete);
        CompletableFuture<String> handled = new CompletableFuture<>();
        runtime.root().child("other").open().onCancel(reason -> handled.complete("handled"));
        CompletableFuture<String> ended = new CompletableFuture<>();
        runtime.statusStream().subscribe(new Flow.Subscriber<>() {
            @Override
            public void onSubscribe(Flow.Subscription subscription) {
                subscription.request(Long.MAX_VALUE);
            }

            @Override
            public void onNext(StatusSnapshot snapshot) {}

            @Override
            public void onError(Throwable failure) {
                ended.completeExceptionally(failure);
            }

            @Override
            public void onComplete() {
                ended.complete("ended");
            }
        });
        Thread closing = new Thread(runtime::close);
        closing.setDaemon(true);
        closing.start();

        Duration limit = Duration.ofSeconds(60);
        assertThat(handled).succeedsWithin(limit);
        assertThat(ended).succeedsWithin(limit);
        assertThat(report).succeedsWithin(limit);
        assertThat(runtime.root().state()).isEqualTo(ContextState.CLOSING);
        assertThat(back).isNotDone();
        never.countDown();
        closing.join();
        assertThat(back).isCompleted();
    }

    private static String waited(CountDownLatch latch) {
        try {
            return "came back " + latch.await(120, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void theDefaultRuntimeIsOneAndIsMadeAnewWhenItWasClosed() {
        ContextRuntime first = ContextRuntime.defaultRuntime();
        assertThat(ContextRuntime.defaultRuntime()).isSameAs(first);
        first.close();

        assertThat(ContextRuntime.defaultRuntime()).isNotSameAs(first);
        assertThat(FastnContext.global())
                .isSameAs(ContextRuntime.defaultRuntime().root());
        assertThat(ContextEngine.get().currentOrNull()).isNull();
    }

    @Test
    void runtimesThatAreTheDefaultOneForATimeMayEndInAnyOrder() {
        ContextEngine engine = ContextEngine.get();
        ContextRuntime before = ContextRuntime.defaultRuntime();
        try (ContextRuntime a = ContextRuntime.builder().alias("a").build();
                ContextRuntime b = ContextRuntime.builder().alias("b").build();
                ContextRuntime c = ContextRuntime.builder().alias("c").build()) {
            Registration first = engine.useAsDefault(a);
            Registration second = engine.useAsDefault(b);
            Registration third = engine.useAsDefault(c);
            first.close();
            a.close();
            assertThat(ContextRuntime.defaultRuntime()).isSameAs(c);
            third.close();
            third.close();
            assertThat(ContextRuntime.defaultRuntime()).isSameAs(b);
            second.close();
            assertThat(ContextRuntime.defaultRuntime()).isSameAs(before);
        }
    }

    @Test
    void whatWasMadeInPlaceOfAClosedDefaultRuntimeGoesWithIt() {
        ContextRuntime before = ContextRuntime.defaultRuntime();
        Registration asDefault;
        try (ContextRuntime test = ContextRuntime.builder().alias("test").build()) {
            asDefault = ContextEngine.get().useAsDefault(test);
        }
        ContextRuntime fresh = ContextRuntime.defaultRuntime();
        assertThat(fresh).isNotSameAs(before);
        asDefault.close();
        assertThat(ContextRuntime.defaultRuntime()).isSameAs(before);
        fresh.close();
    }

    @Test
    void theFirstEnvironmentAdoptsTheDefaultRuntimeAndOthersGetTheirOwn() {
        EngineRuntime first = Engine.claim("alice");
        EngineRuntime second = Engine.claim("bob");
        try {
            assertThat(first).isSameAs(ContextRuntime.defaultRuntime());
            assertThat(first.node().alias()).isEqualTo("alice");
            assertThat(second).isNotSameAs(first);
            assertThat(second.node().alias()).isEqualTo("bob");
        } finally {
            Engine.release(second);
            Engine.release(first);
        }
        assertThat(second.root().state()).isEqualTo(ContextState.CLOSED);
        assertThat(first.root().state()).isEqualTo(ContextState.ACTIVE);
    }

    @Test
    void theDefaultRuntimeAndThatOfAnEnvironmentAreAsTheSystemPropertiesSay() {
        withProperties(Map.of("max-depth", "3", "recent-contexts", "2", "deadlock-policy", "ignore"), () -> {
            EngineRuntime first = Engine.claim("alice");
            EngineRuntime second = Engine.claim("bob");
            EngineRuntime fresh = new Engine().defaultRuntime();
            try (ContextRuntime built = ContextRuntime.builder().build();
                    ContextRuntime told = ContextRuntime.builder()
                            .maxDepth(4)
                            .recentContexts(1)
                            .deadlockPolicy(DeadlockPolicy.REPORT)
                            .build()) {
                assertThat(List.of(second, fresh, built)).allSatisfy(runtime -> {
                    assertThat(deepestIn(runtime)).isEqualTo(3);
                    assertThat(runtime.misuses()).singleElement().asString().contains("-Dfastn.context.max-depth");
                    assertThat(rememberedIn(runtime)).isEqualTo(2);
                    assertThat(areDeadlocksToldIn(runtime)).isFalse();
                });
                assertThat(deepestIn(told)).isEqualTo(4);
                assertThat(rememberedIn(told)).isEqualTo(1);
                assertThat(areDeadlocksToldIn(told)).isTrue();
            } finally {
                fresh.close();
                Engine.release(second);
                Engine.release(first);
            }
        });
    }

    @Test
    void aDeadlockPolicyIsSaidInEitherWayOfWritingWords() {
        for (String said : List.of("FAIL_YOUNGEST_WAITER", "fail-youngest-waiter", " Fail-Youngest_waiter ")) {
            withProperties(Map.of("deadlock-policy", said), () -> {
                assertThat(new ContextEngine.Settings("app", "App", null, Ticker.system()).deadlockPolicy())
                        .isEqualTo(DeadlockPolicy.FAIL_YOUNGEST_WAITER);
            });
        }
    }

    @Test
    void aSystemPropertyThatCannotBeIsSaidInTheLogAndTheDefaultCounts() {
        Map<String, String> wrong =
                Map.of("max-depth", "0", "recent-contexts", "many\nmore", "deadlock-policy", "panic");
        withProperties(wrong, () -> {
            AtomicReference<ContextEngine.@Nullable Settings> made = new AtomicReference<>();
            String log =
                    CapturedLog.of(() -> made.set(new ContextEngine.Settings("app", "App", null, Ticker.system())));
            assertThat(made.get())
                    .isEqualTo(new ContextEngine.Settings(
                            "app", "App", null, requireNonNull(made.get()).ticker(), 10_000, 100, false));
            assertThat(log.lines()).hasSize(3);
            assertThat(log)
                    .contains(
                            "fastn.context.max-depth is \"0\", and it wants a whole number from 1 to 2147483647; 10000"
                                    + " counts instead")
                    .contains("fastn.context.recent-contexts is \"many")
                    .contains("it wants one of report, fail-youngest-waiter, cancel-youngest-waiter, ignore; report");
        });
    }

    private static void withProperties(Map<String, String> properties, Runnable test) {
        properties.forEach((key, value) -> System.setProperty("fastn.context." + key, value));
        try {
            test.run();
        } finally {
            properties.keySet().forEach(key -> System.clearProperty("fastn.context." + key));
        }
    }

    private static int deepestIn(ContextRuntime runtime) {
        FastnContext at = runtime.root();
        int depth = 0;
        for (FastnContext below = at.child("n").open();
                below.state() != ContextState.CLOSED;
                below = at.child("n").open()) {
            at = below;
            depth++;
        }
        return depth;
    }

    private static int rememberedIn(ContextRuntime runtime) {
        for (int i = 0; i < 5; i++) {
            runtime.root().child("job").persist().open().close();
        }
        return runtime.recent().size();
    }

    private static boolean areDeadlocksToldIn(ContextRuntime runtime) {
        FastnContext one = runtime.root().child("one").open();
        FastnContext other = runtime.root().child("other").open();
        var first = MutexTest.ask(one, runtime.root().mutex("first", 1)).join();
        var second = MutexTest.ask(other, runtime.root().mutex("second", 1)).join();
        var oneWaits = MutexTest.ask(one, runtime.root().mutex("second", 1));
        var otherWaits = MutexTest.ask(other, runtime.root().mutex("first", 1));
        boolean told = !runtime.status().deadlocks().isEmpty();
        oneWaits.cancel(false);
        otherWaits.cancel(false);
        first.close();
        second.close();
        one.close();
        other.close();
        return told;
    }

    @Test
    void aDefaultRuntimeThatIsGivenBackLivesOnWithWhatWasInItEnded() {
        EngineRuntime claimed = Engine.claim(null);
        FastnContext verticle = claimed.root().child("verticle").open();
        FastnContext below = verticle.child("below").open();
        Engine.release(claimed);

        assertThat(verticle.isCancelled()).isTrue();
        assertThat(verticle.state()).isEqualTo(ContextState.CLOSING);
        assertThat(below.cancelReason()).extracting(CancelReason::message).isEqualTo("the application stops");
        assertThat(claimed.root().isCancelled()).isFalse();
        below.close();
        EngineRuntime again = Engine.claim(null);
        assertThat(again).isSameAs(claimed);
        Engine.release(again);
    }

    @Test
    void whoClaimsTheDefaultRuntimeWhileItIsGivenBackKeepsItsContexts() {
        EngineRuntime claimed = Engine.claim(null);
        FastnContext verticle = claimed.root().child("verticle").open();
        CompletableFuture<EngineRuntime> other = new CompletableFuture<>();
        verticle.onCancel(reason -> other.complete(Engine.claim(null)));
        Engine.release(claimed);

        EngineRuntime next = other.join();
        assertThat(next).as("not the one whose contexts are about to end").isNotSameAs(claimed);
        Engine.release(next);
    }

    @Test
    void misusesAreCountedByWhatWasDone() {
        EngineRuntime runtime = (EngineRuntime) ContextRuntime.builder().build();
        runtime.misuse("b was done");
        runtime.misuse("a was done");
        runtime.misuse("b was done");
        assertThat(runtime.misuses()).containsExactly("1x a was done", "2x b was done");

        for (int i = 0; i < 1_000; i++) {
            runtime.misuse("kind " + i);
        }
        assertThat(runtime.misuses()).hasSize(201).contains("802x others, beyond the first 200 kinds");
        runtime.close();
    }

    @Test
    void aChangeThatIsOverIsInTheVersionForWhoeverAsksThen() throws Exception {
        try (ContextRuntime runtime = ContextRuntime.builder().build()) {
            CyclicBarrier both = new CyclicBarrier(2);
            AtomicLong known = new AtomicLong();
            AtomicLong old = new AtomicLong();
            Callable<Boolean> asker = () -> {
                for (int i = 0; i < 1_000; i++) {
                    if (both.await(60, TimeUnit.SECONDS) == 0) {
                        known.set(runtime.version());
                        runtime.root().incrementTotal("changes");
                    }
                    both.await(60, TimeUnit.SECONDS);
                    if (runtime.version() <= known.get()) {
                        old.incrementAndGet();
                    }
                }
                return true;
            };
            FutureTask<Boolean> other = new FutureTask<>(asker);
            Thread thread = new Thread(other);
            thread.setDaemon(true);
            thread.start();
            asker.call();
            assertThat(other.get(60, TimeUnit.SECONDS)).isTrue();
            assertThat(old.get()).isZero();
        }
    }
}
