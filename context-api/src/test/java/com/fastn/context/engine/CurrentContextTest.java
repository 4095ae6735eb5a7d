package com.fastn.context.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fastn.context.ContextEngine;
import com.fastn.context.ContextRuntime;
import com.fastn.context.ContextScope;
import com.fastn.context.FastnContext;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class CurrentContextTest {
    @RegisterExtension
    final TestTree tree = new TestTree();

    @Test
    void offAnyContextTheRootOfTheDefaultRuntimeIsCurrent() {
        assertThat(ContextEngine.get().currentOrNull()).isNull();
        assertThat(FastnContext.current())
                .isSameAs(ContextRuntime.defaultRuntime().root())
                .isSameAs(FastnContext.global());
        assertThat(FastnContext.current().path()).hasToString("global");
        assertThat(FastnContext.current().label()).isEqualTo("Global Context");
    }

    @Test
    void aContextIsCurrentUntilItsScopeIsClosed() {
        FastnContext outer = tree.open("outer");
        FastnContext inner = tree.open("inner");
        try (ContextScope first = outer.makeCurrent()) {
            assertThat(FastnContext.current()).isSameAs(outer);
            assertThat(FastnContext.global()).isSameAs(tree.root);
            assertThat(FastnContext.status().globalContext().name()).isEqualTo("app");
            try (ContextScope second = inner.makeCurrent()) {
                assertThat(FastnContext.current()).isSameAs(inner);
                second.close();
                assertThat(FastnContext.current()).isSameAs(outer);
            }
            assertThat(FastnContext.current())
                    .as("closing a scope twice restores once")
                    .isSameAs(outer);
        }
        assertThat(ContextEngine.get().currentOrNull()).isNull();
    }

    @Test
    void theCurrentContextBelongsToOneThread() {
        try (ContextScope ignored = tree.root.makeCurrent()) {
            CompletableFuture<FastnContext> elsewhere =
                    CompletableFuture.supplyAsync(() -> ContextEngine.get().currentOrNull());
            assertThat(elsewhere.join()).isNull();
        }
    }

    @Test
    @SuppressWarnings("MustBeClosedChecker")
    void aScopeThatIsClosedOnAnotherThreadHarmsNeither() throws InterruptedException {
        FastnContext task = tree.open("task");
        CompletableFuture<ContextScope> opened = new CompletableFuture<>();
        AtomicReference<FastnContext> left = new AtomicReference<>();
        CountDownLatch closed = new CountDownLatch(1);
        Thread other = new Thread(() -> {
            opened.complete(task.makeCurrent());
            try {
                closed.await();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
            left.set(FastnContext.current());
        });
        other.start();
        ContextScope theirs = opened.join();
        try (ContextScope ignored = tree.root.makeCurrent()) {
            theirs.close();
            assertThat(FastnContext.current()).isSameAs(tree.root);
        }
        closed.countDown();
        other.join();

        assertThat(left.get()).isSameAs(task);
        assertThat(tree.runtime.misuses())
                .singleElement()
                .asString()
                .contains("a ContextScope was closed on another thread");
    }

    @Test
    @SuppressWarnings("MustBeClosedChecker")
    void inWhateverOrderScopesAreClosedTheInnermostOpenOneIsCurrent() {
        List<List<Integer>> orders = new ArrayList<>();
        permute(new ArrayList<>(), List.of(0, 1, 2, 3), orders);
        assertThat(orders).hasSize(24);
        for (List<Integer> order : orders) {
            List<FastnContext> contexts = new ArrayList<>();
            List<ContextScope> scopes = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                contexts.add(tree.open("c" + i));
                scopes.add(contexts.get(i).makeCurrent());
            }
            List<Integer> open = new ArrayList<>(List.of(0, 1, 2, 3));
            for (Integer each : order) {
                scopes.get(each).close();
                open.remove(each);
                assertThat(ContextEngine.get().currentOrNull())
                        .as("after %d of %s", each, order)
                        .isSameAs(open.isEmpty() ? null : contexts.get(open.get(open.size() - 1)));
                assertThat(((ContextNode) contexts.get(each)).isOnThread()).isFalse();
            }
        }
        assertThat(tree.runtime.misuses())
                .singleElement()
                .asString()
                .contains("x a ContextScope was closed while it was not the innermost one of its thread");
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

    @Test
    @SuppressWarnings("MustBeClosedChecker")
    void aScopeThatWasForgottenDoesNotOutliveItsContextAndTheOneAround() {
        FastnContext outer = tree.open("outer");
        FastnContext inner = tree.open("inner");
        try (ContextScope ignored = outer.makeCurrent()) {
            ContextScope forgotten = inner.makeCurrent();
            assertThat(forgotten).isNotNull();
            inner.close();
        }
        assertThat(ContextEngine.get().currentOrNull()).isNull();
        assertThat(tree.runtime.misuses()).singleElement().asString().startsWith("1x a ContextScope was closed while");
    }

    @Test
    @SuppressWarnings("MustBeClosedChecker")
    void aScopeThatIsClosedLateLeavesThatOfSomebodyElseAlone() {
        FastnContext task = tree.open("task");
        List<ContextScope> kept = new ArrayList<>();
        tree.root.wrap(() -> kept.add(task.makeCurrent())).run();
        assertThat(ContextEngine.get().currentOrNull()).isSameAs(task);
        FastnContext other = tree.open("other");
        try (ContextScope ignored = other.makeCurrent()) {
            kept.forEach(ContextScope::close);
            assertThat(FastnContext.current()).isSameAs(other);
        }
        assertThat(ContextEngine.get().currentOrNull()).isNull();
    }

    @Test
    void wrappedCodeRunsInTheContextWhereverItRuns() throws Exception {
        FastnContext task = tree.open("task");
        List<FastnContext> seen = new ArrayList<>();
        Runnable wrapped = task.wrap(() -> {
            seen.add(FastnContext.current());
        });
        wrapped.run();
        Thread thread = new Thread(wrapped);
        thread.start();
        thread.join();
        task.wrapExecutor(Runnable::run).execute(() -> seen.add(FastnContext.current()));

        assertThat(seen).containsExactly(task, task, task);
        assertThat(task.wrapCallable(FastnContext::current).call()).isSameAs(task);
    }

    @Test
    void allThatIsGivenToAWrappedExecutorServiceRunsInTheContextAndItEndsWithTheWrappedOne() throws Exception {
        FastnContext task = tree.open("task");
        ExecutorService threads = Executors.newSingleThreadExecutor();
        ExecutorService wrapped = task.wrapExecutor(threads);
        List<FastnContext> seen = new CopyOnWriteArrayList<>();
        wrapped.execute(() -> seen.add(FastnContext.current()));
        wrapped.submit(() -> {
                    seen.add(FastnContext.current());
                })
                .get();
        seen.add(wrapped.submit(FastnContext::current).get());
        Callable<FastnContext> look = FastnContext::current;
        seen.add(wrapped.invokeAll(List.of(look)).get(0).get());
        seen.add(wrapped.invokeAny(List.of(look)));
        assertThat(seen).hasSize(5).containsOnly(task);
        Future<FastnContext> failing = wrapped.submit(() -> {
            throw new IllegalStateException("broken");
        });
        assertThat(failing)
                .failsWithin(Duration.ofSeconds(30))
                .withThrowableThat()
                .withMessageContaining("broken");

        assertThat(wrapped.isShutdown()).isFalse();
        wrapped.shutdown();
        assertThat(threads.isShutdown()).isTrue();
        assertThat(wrapped.awaitTermination(30, TimeUnit.SECONDS)).isTrue();
        assertThat(wrapped.isShutdown() && wrapped.isTerminated()).isTrue();
        assertThatThrownBy(() -> wrapped.execute(() -> {})).isInstanceOf(RejectedExecutionException.class);
        assertThat(wrapped.shutdownNow()).isEmpty();
    }

    @Test
    void whatAWrappedExecutorServiceHadNotBegunIsGivenBackAsItWasSubmitted() throws Exception {
        ExecutorService wrapped = tree.open("task").wrapExecutor(Executors.newSingleThreadExecutor());
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch never = new CountDownLatch(1);
        Future<?> first = wrapped.submit(() -> {
            begun.countDown();
            never.await();
            return null;
        });
        assertThat(begun.await(30, TimeUnit.SECONDS)).isTrue();
        Future<String> second = wrapped.submit(() -> "never");
        Runnable third = () -> {};
        wrapped.execute(third);

        List<Runnable> left = wrapped.shutdownNow();
        assertThat(left).hasSize(2);
        assertThat(left.get(0)).isSameAs(second);
        assertThat(left.get(1)).isSameAs(third);
        assertThat(first).failsWithin(Duration.ofSeconds(30));
    }

    @Test
    void wrappedCodeThatThrowsRestoresTheContext() {
        Runnable wrapped = tree.root.wrap(() -> {
            throw new IllegalStateException("broken");
        });

        assertThat(org.assertj.core.api.Assertions.catchThrowable(wrapped::run)).hasMessage("broken");
        assertThat(ContextEngine.get().currentOrNull()).isNull();
    }

    @Test
    void aContextIsKnownToRunWhileItIsCurrentOnAThread() {
        ContextNode task = tree.open("task");
        try (ContextScope ignored = task.makeCurrent()) {
            assertThat(task.isOnThread()).isTrue();
            assertThat(task.subtreeStatus().globalContext().onThread()).isTrue();
        }
        assertThat(task.isOnThread()).isFalse();
    }

    @Test
    void whereAnEnvironmentIsActiveTheCurrentContextLivesThere() {
        TestTree bound = new TestTree(new FakeLoop.Binding());
        FakeLoop loop = new FakeLoop();
        ContextNode task = bound.open("task");
        loop.run(() -> {
            try (ContextScope ignored = task.makeCurrent()) {
                assertThat(bound.runtime.engineCurrent()).isSameAs(task);
                FakeLoop other = new FakeLoop();
                other.run(() -> assertThat(bound.runtime.engineCurrent()).isNull());
            }
            assertThat(bound.runtime.engineCurrent()).isNull();
        });
    }
}
