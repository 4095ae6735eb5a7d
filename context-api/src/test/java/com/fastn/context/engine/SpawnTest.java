package com.fastn.context.engine;

import static com.fastn.context.engine.Failures.assertFailure;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import com.fastn.context.ContextCancelledException;
import com.fastn.context.FastnContext;
import com.fastn.context.status.ContextState;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class SpawnTest {
    private static final Duration SOON = Duration.ofSeconds(30);

    @RegisterExtension
    final TestTree tree = new TestTree();

    @Test
    void spawnReturnsAtOnceAndTheTaskRunsElsewhere() {
        CountDownLatch go = new CountDownLatch(1);
        AtomicReference<Thread> ranOn = new AtomicReference<>();
        CompletableFuture<String> result = tree.root
                .spawnChild("task", child -> {
                    ranOn.set(Thread.currentThread());
                    await(go);
                    return CompletableFuture.completedFuture("done");
                })
                .toCompletableFuture();
        assertThat(result).isNotDone();
        assertThat(tree.root.children()).hasSize(1);
        go.countDown();

        assertThat(result).succeedsWithin(SOON).isEqualTo("done");
        assertThat(ranOn).doesNotHaveValue(Thread.currentThread());
    }

    @Test
    void theChildIsCurrentWhileItsTaskStartsAndIsClosedBeforeItsResultIsTold() {
        AtomicReference<FastnContext> current = new AtomicReference<>();
        AtomicReference<FastnContext> given = new AtomicReference<>();
        CompletionStage<ContextState> stateAtResult = tree.root
                .child("task")
                .spawn(child -> {
                    given.set(child);
                    current.set(FastnContext.current());
                    return CompletableFuture.completedFuture(child);
                })
                .thenApply(FastnContext::state);

        assertThat(stateAtResult.toCompletableFuture()).succeedsWithin(SOON).isEqualTo(ContextState.CLOSED);
        assertThat(current.get()).isSameAs(given.get());
        assertThat(tree.root.children()).isEmpty();
    }

    @Test
    void theChildIsOpenUntilItsStageCompletes() {
        CompletableFuture<String> work = new CompletableFuture<>();
        CountDownLatch started = new CountDownLatch(1);
        CompletableFuture<String> result = tree.root
                .spawnChild("task", child -> {
                    started.countDown();
                    return work;
                })
                .toCompletableFuture();
        await(started);
        assertThat(tree.root.children()).hasSize(1);
        work.complete("done");

        assertThat(result).succeedsWithin(SOON).isEqualTo("done");
        assertThat(tree.root.children()).isEmpty();
    }

    @Test
    void aTaskThatThrowsFailsItsStageAndClosesItsChild() {
        CompletableFuture<Object> result = tree.root
                .spawnChild("task", child -> {
                    throw new IllegalStateException("broken");
                })
                .toCompletableFuture();

        assertThat(result).failsWithin(SOON);
        assertFailure(result).hasMessageContaining("broken");
        assertThat(tree.root.children()).isEmpty();
    }

    @Test
    void aTaskThatThrowsAnErrorClosesItsChildToo() {
        CompletableFuture<Object> result = tree.root
                .spawnChild("task", child -> {
                    throw new StackOverflowError("too deep");
                })
                .toCompletableFuture();

        assertThat(result).failsWithin(SOON);
        assertFailure(result).hasMessageContaining("too deep");
        assertThat(tree.root.children()).isEmpty();
    }

    @Test
    void aStageThatCannotBeWaitedForFailsTheTaskAndClosesItsChild() {
        CompletableFuture<String> stage = new CompletableFuture<>() {
            @Override
            public CompletableFuture<String> whenComplete(BiConsumer<? super String, ? super Throwable> action) {
                throw new UnsupportedOperationException("a stage of its own");
            }
        };
        CompletableFuture<String> result =
                tree.root.spawnChild("task", child -> stage).toCompletableFuture();

        assertThat(result).failsWithin(SOON);
        assertFailure(result).hasMessageContaining("a stage of its own");
        assertThat(tree.root.children()).isEmpty();
    }

    @Test
    @SuppressWarnings("NullAway")
    void aTaskThatGivesNoStageFailsAndClosesItsChild() {
        CompletableFuture<Object> result =
                tree.root.spawnChild("task", child -> null).toCompletableFuture();

        assertThat(result).failsWithin(SOON);
        assertFailure(result).hasMessageContaining("the task gave no stage");
        assertThat(tree.root.children()).isEmpty();
    }

    @Test
    @SuppressWarnings("NullAway")
    void withoutATaskNoChildIsOpened() {
        assertThatNullPointerException()
                .isThrownBy(() -> tree.root.spawnChild("task", null))
                .withMessage("task");
        assertThatNullPointerException()
                .isThrownBy(() -> tree.root.child("task").spawn(null))
                .withMessage("task");
        assertThatNullPointerException()
                .isThrownBy(() -> tree.root.child("task").spawnBlocking(null))
                .withMessage("task");
        assertThat(tree.root.children()).isEmpty();
    }

    @Test
    void aFailureIsToldUnwrapped() {
        CompletableFuture<Object> inner = CompletableFuture.supplyAsync(() -> {
            throw new IllegalArgumentException("inner");
        });
        AtomicReference<Throwable> seen = new AtomicReference<>();
        CompletableFuture<Object> handled = tree.root
                .spawnChild("task", child -> inner)
                .handle((value, failure) -> {
                    seen.set(failure);
                    return value;
                })
                .toCompletableFuture();

        assertThat(handled).succeedsWithin(SOON);
        assertThat(seen.get()).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void spawnWithoutAChildRunsInTheContextItself() {
        FastnContext context = tree.open("context");
        CompletableFuture<FastnContext> result = context.spawn(
                        () -> CompletableFuture.completedFuture(FastnContext.current()))
                .toCompletableFuture();

        assertThat(result).succeedsWithin(SOON).isSameAs(context);
        assertThat(context.state()).isEqualTo(ContextState.ACTIVE);
        assertThat(context.children()).isEmpty();
    }

    @Test
    void spawnBlockingGivesTheValueOrTheFailureOfTheTask() {
        CompletableFuture<String> value =
                tree.root.child("task").spawnBlocking(() -> "value").toCompletableFuture();
        CompletableFuture<String> failure = tree.root
                .child("task")
                .<String>spawnBlocking(() -> {
                    throw new java.io.IOException("no disk");
                })
                .toCompletableFuture();

        assertThat(value).succeedsWithin(SOON).isEqualTo("value");
        assertThat(failure).failsWithin(SOON);
        assertFailure(failure).hasMessageContaining("no disk");
        assertThat(tree.root.children()).isEmpty();
    }

    @Test
    void aTaskOfACancelledContextIsNotStarted() {
        FastnContext context = tree.open("context");
        context.cancel("stop");
        List<String> ran = new ArrayList<>();
        CompletableFuture<Object> result = context.spawnChild("task", child -> {
                    ran.add("ran");
                    return CompletableFuture.completedFuture(null);
                })
                .toCompletableFuture();

        assertThat(result).failsWithin(SOON);
        assertFailure(result)
                .isInstanceOf(ContextCancelledException.class)
                .hasMessage("a task in app.context.task was not started: stop (app.context)");
        assertThat(ran).isEmpty();
        assertThat(context.children()).isEmpty();
    }

    @Test
    void aTaskThatIsCancelledWhileItWaitsForAThreadIsNotStarted() {
        TestTree bound = new TestTree(new FakeLoop.Binding());
        FakeLoop loop = new FakeLoop();
        ContextNode context = bound.open("context");
        List<String> ran = new ArrayList<>();
        loop.run(() -> {
            var unused = context.spawnChild("task", child -> {
                ran.add("ran");
                return CompletableFuture.completedFuture(null);
            });
        });
        context.cancel();
        assertThat(loop.turn()).isEqualTo(1);

        assertThat(ran).isEmpty();
        assertThat(context.children()).isEmpty();
    }

    @Test
    void aLoopThatTakesNoTaskFailsItAndClosesItsChild() {
        TestTree bound = new TestTree(new FakeLoop.Binding());
        FakeLoop gone = new FakeLoop();
        gone.shutDown();
        List<CompletableFuture<Object>> results = new ArrayList<>();
        gone.run(() -> results.add(bound.root
                .spawnChild("task", child -> new CompletableFuture<>())
                .toCompletableFuture()));

        assertThat(results.get(0)).isCompletedExceptionally();
        assertThat(bound.root.children()).isEmpty();
    }

    @Test
    void cancelAsksATaskToStopAndDoesNotStopIt() {
        CountDownLatch started = new CountDownLatch(1);
        CompletableFuture<String> work = new CompletableFuture<>();
        CompletableFuture<String> result = tree.root
                .spawnChild("task", child -> {
                    started.countDown();
                    return work;
                })
                .toCompletableFuture();
        await(started);
        tree.root.children().get(0).cancel();
        assertThat(result).isNotDone();
        work.complete("finished all the same");

        assertThat(result).succeedsWithin(SOON).isEqualTo("finished all the same");
    }

    private static void await(CountDownLatch latch) {
        try {
            assertThat(latch.await(30, java.util.concurrent.TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void theStartOfATaskIsASignOfLife() {
        ContextNode context = tree.open("context");
        tree.passSeconds(5);
        assertThat(context.idleDuration()).isEqualTo(Duration.ofSeconds(5));
        assertThat(context.spawn(() -> CompletableFuture.completedFuture("done"))
                        .toCompletableFuture())
                .succeedsWithin(SOON);
        assertThat(context.idleDuration()).isZero();
    }
}
