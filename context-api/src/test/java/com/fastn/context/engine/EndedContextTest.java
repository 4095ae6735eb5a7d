package com.fastn.context.engine;

import static com.fastn.context.engine.Failures.assertFailure;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.CancelReport;
import com.fastn.context.ContextCancelledException;
import com.fastn.context.ContextMutex;
import com.fastn.context.ContextScope;
import com.fastn.context.FastnContext;
import com.fastn.context.LiveCount;
import com.fastn.context.LockGuard;
import com.fastn.context.Operation;
import com.fastn.context.status.CancelReason;
import com.fastn.context.status.ContextState;
import com.fastn.context.status.FinishedContext;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What may be done with a context, in each state of its life (rule C9). */
class EndedContextTest {
    @RegisterExtension
    final TestTree tree = new TestTree();

    /** Where a context may be when it is used. */
    enum Life {
        ACTIVE,
        CANCELLED,
        CLOSING,
        CLOSED,
        BORN_DEAD
    }

    private ContextNode contextThatIs(Life life) {
        ContextNode context = tree.open("context");
        switch (life) {
            case ACTIVE -> {}
            case CANCELLED -> context.cancel();
            case CLOSING -> {
                tree.open(context, "child");
                context.close();
            }
            case CLOSED -> context.close();
            case BORN_DEAD -> {
                context.close();
                context = (ContextNode) context.child("late").withLabel("Late").open();
            }
        }
        return context;
    }

    @SuppressWarnings("MustBeClosedChecker") // closed at once
    static Stream<Arguments> uses() {
        return Stream.of(
                use("child", c -> c.child("child").open()),
                use("spawn", c -> c.spawn(() -> CompletableFuture.completedFuture(1))),
                // Waited for, so that the child does not leave while the tree is looked at.
                use(
                        "spawnChild",
                        c -> c.spawnChild("child", child -> CompletableFuture.completedFuture(1))
                                .handle((value, failure) -> value)
                                .toCompletableFuture()
                                .join()),
                use("onCancel", c -> c.onCancel(reason -> {})),
                use("cancellation", c -> c.cancellation()),
                use("cancelAfter", c -> c.cancelAfter(Duration.ofHours(1)).close()),
                use("race", c -> c.race(new CompletableFuture<>())),
                use("awaiting", c -> c.awaiting("wait", CompletableFuture.completedFuture(1))),
                use("setData", c -> c.setData("key", 1)),
                use("addMetric", c -> c.addMetric("key", 1)),
                use("setLabel", c -> c.setLabel("label")),
                use("addTotal", c -> c.addTotal("counter", 2)),
                use("incrementLive", c -> c.incrementLive("counter")),
                use("decrementLive", c -> c.decrementLive("counter")),
                use("mutex", c -> c.mutex("lock").lock()),
                use("trackLive", c -> c.trackLive("counter").close()),
                use("operation", c -> c.operation("operation").close()),
                use("select", c -> c.select(c.cancellation(), new CompletableFuture<>())),
                use("persist", ContextNode::persist),
                use("failed", c -> c.failed(new IllegalStateException("planted"))),
                use("setSetting", c -> c.setSetting("key", "value")),
                use("makeCurrent", c -> c.makeCurrent().close()),
                use("wrap", c -> c.wrap(() -> {}).run()),
                use("semaphore", c -> c.semaphore("permits", 2).acquire()),
                use("readWriteLock", c -> c.readWriteLock("shared", 1).readLock()),
                use("writeLock", c -> c.readWriteLock("shared", 1).writeLock()),
                use("cancelAndReport", c -> c.cancelAndReport(Duration.ZERO)),
                use(
                        "spawnBlocking",
                        c -> c.child("child")
                                .spawnBlocking(() -> 1)
                                .handle((value, failure) -> value)
                                .toCompletableFuture()
                                .join()),
                use("touch", c -> c.touch("request")),
                use("subtreeStatus", c -> c.subtreeStatus()),
                use("closeWhenDone", ContextNode::closeWhenDone),
                use("cancel", ContextNode::cancel),
                use("close", ContextNode::close));
    }

    private static Arguments use(String name, Consumer<ContextNode> use) {
        return Arguments.of(name, use);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("uses")
    void C9_nothingThrowsBecauseOfTheState(String name, Consumer<ContextNode> use) {
        for (Life life : Life.values()) {
            use.accept(contextThatIs(life));
            tree.isWhole();
        }
    }

    @ParameterizedTest
    @EnumSource(Life.class)
    void C9_aChildIsAliveOnlyBelowAnActiveContext(Life life) {
        ContextNode child = tree.open(contextThatIs(life), "child");

        boolean linked = life == Life.ACTIVE || life == Life.CANCELLED;
        assertThat(child.state()).isEqualTo(linked ? ContextState.ACTIVE : ContextState.CLOSED);
        assertThat(child.isCancelled()).isEqualTo(life != Life.ACTIVE);
    }

    @ParameterizedTest
    @EnumSource(Life.class)
    void C9_totalsAlwaysCount(Life life) {
        ContextNode context = contextThatIs(life);
        context.incrementTotal("requests");
        context.totalCounter("requests").add(2);

        assertThat(context.getTotal("requests")).isEqualTo(3);
    }

    @ParameterizedTest
    @EnumSource(Life.class)
    void C9_liveCountsOnlyInAContextThatHasNotEnded(Life life) {
        ContextNode context = contextThatIs(life);
        context.incrementLive("connections");
        long live = life == Life.ACTIVE || life == Life.CANCELLED ? 1 : 0;

        assertThat(context.getLive("connections")).isEqualTo(live);
        try (LiveCount ignored = context.trackLive("connections")) {
            assertThat(context.getLive("connections")).isEqualTo(2 * live);
            assertThat(context.getTotal("connections")).isEqualTo(1);
        }
        assertThat(context.getLive("connections")).isEqualTo(live);
    }

    @ParameterizedTest
    @EnumSource(Life.class)
    void C9_aLockIsGivenToAContextThatIsInTheTreeAndNotCancelled(Life life) {
        ContextNode context = contextThatIs(life);
        CompletableFuture<? extends LockGuard<?>> asked =
                context.mutex("lock").lock().toCompletableFuture();
        try (LockGuard<?> tried = context.mutex("other").tryLock()) {
            assertThat(tried != null).isEqualTo(life == Life.ACTIVE || life == Life.CLOSING);
        }
        if (life == Life.ACTIVE || life == Life.CLOSING) {
            assertThat(tree.runtime.misuses()).isEmpty();
        } else {
            assertThat(tree.runtime.misuses())
                    .anySatisfy(misuse -> assertThat(misuse)
                            .startsWith("1x mutex \"other\" was tried for in a context that was cancelled or has ended")
                            .contains(context.path() + ", at " + EndedContextTest.class.getName()));
        }
        switch (life) {
            case ACTIVE, CLOSING -> {
                assertThat(asked).isCompleted();
                asked.join().close();
            }
            case CANCELLED, BORN_DEAD -> assertFailure(asked).isInstanceOf(ContextCancelledException.class);
            case CLOSED ->
                assertFailure(asked)
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("has ended; lock in a context that is open");
        }
    }

    @ParameterizedTest
    @EnumSource(Life.class)
    void C9_aTaskStartsOnlyWhereItMayRun(Life life) {
        ContextNode context = contextThatIs(life);
        CompletableFuture<Integer> result =
                context.spawn(() -> CompletableFuture.completedFuture(1)).toCompletableFuture();
        switch (life) {
            case ACTIVE, CLOSING ->
                assertThat(result).succeedsWithin(Duration.ofSeconds(60)).isEqualTo(1);
            case CANCELLED, BORN_DEAD -> assertFailure(result).isInstanceOf(ContextCancelledException.class);
            case CLOSED ->
                assertFailure(result)
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("has ended; spawn in a context that is open");
        }
    }

    @ParameterizedTest
    @EnumSource(Life.class)
    void C9_permitsAndSharedLocksAreGivenAsAMutexIs(Life life) {
        ContextNode context = contextThatIs(life);
        boolean given = life == Life.ACTIVE || life == Life.CLOSING;
        List<CompletableFuture<? extends AutoCloseable>> all = List.of(
                context.semaphore("permits", 2).acquire().toCompletableFuture(),
                context.readWriteLock("read", 1).readLock().toCompletableFuture(),
                context.readWriteLock("written", 1).writeLock().toCompletableFuture());

        for (CompletableFuture<? extends AutoCloseable> one : all) {
            if (given) {
                assertThat(one).isCompleted();
            } else {
                assertFailure(one)
                        .isInstanceOf(
                                life == Life.CLOSED ? IllegalStateException.class : ContextCancelledException.class);
            }
        }
        all.stream().filter(one -> !one.isCompletedExceptionally()).forEach(one -> close(one.join()));
    }

    private static void close(AutoCloseable guard) {
        try {
            guard.close();
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    @ParameterizedTest
    @EnumSource(Life.class)
    void C9_anyContextCanBeTheCurrentOne(Life life) {
        ContextNode context = contextThatIs(life);
        try (ContextScope ignored = context.makeCurrent()) {
            assertThat(FastnContext.current()).isSameAs(context);
            assertThat(context.isOnThread()).isTrue();
        }
        assertThat(context.isOnThread()).isFalse();
    }

    @ParameterizedTest
    @EnumSource(Life.class)
    void C9_whatEndedIsRememberedOnlyIfThatWasSaidBefore(Life life) {
        ContextNode context = contextThatIs(life);
        context.persist();
        context.failed(new IllegalStateException("planted"));
        context.children().forEach(FastnContext::close);
        context.close();

        boolean late = life == Life.CLOSED || life == Life.BORN_DEAD;
        assertThat(tree.runtime.recent()).hasSize(late ? 0 : 1);
        assertThat(tree.runtime.misuses().stream().anyMatch(said -> said.contains("persist()")))
                .isEqualTo(late);
        // What failed is kept as long as its own work goes on, also when it was told to stop.
        Class<?> outcome = life == Life.CLOSING ? FinishedContext.Completed.class : FinishedContext.Failed.class;
        assertThat(tree.runtime.recent())
                .allSatisfy(ended -> assertThat(ended.outcome()).isInstanceOf(outcome));
    }

    @ParameterizedTest
    @EnumSource(Life.class)
    void C9_aSettingIsKeptAndDoesNoHarm(Life life) {
        ContextNode context = contextThatIs(life);
        context.setSetting("key", "value");
        assertThat(context.setting("key")).isEqualTo("value");
        assertThat(tree.root.setting("key")).isNull();
    }

    @ParameterizedTest
    @EnumSource(Life.class)
    void C9_aReportOfACancellationAlwaysComes(Life life) {
        ContextNode context = contextThatIs(life);
        CancelReport report =
                context.cancelAndReport(Duration.ZERO).toCompletableFuture().join();
        assertThat(report.unstopped()).hasSize(life == Life.CLOSING ? 1 : 0);
        assertThat(context.isCancelled()).isEqualTo(life != Life.CLOSED);
    }

    @ParameterizedTest
    @EnumSource(Life.class)
    void C9_aSelectIsOverWithTheCancellation(Life life) {
        ContextNode context = contextThatIs(life);
        CompletableFuture<CancelReason> never = new CompletableFuture<>();
        CompletableFuture<CancelReason> first =
                context.select(never, context.cancellation()).toCompletableFuture();
        assertThat(first.isDone()).isEqualTo(life == Life.CANCELLED || life == Life.BORN_DEAD);
        context.cancel();
        assertThat(first.isDone()).isEqualTo(life != Life.CLOSED);
    }

    @ParameterizedTest
    @EnumSource(Life.class)
    void C9_anOperationCanAlwaysBeClosed(Life life) {
        ContextNode context = contextThatIs(life);
        Operation operation;
        try (Operation running = context.operation("query")) {
            operation = running;
            tree.passSeconds(2);
        }
        tree.passSeconds(2);
        assertThat(operation.elapsed()).isEqualTo(Duration.ofSeconds(2));
        assertThat(context.isInOperation()).isFalse();
    }

    /** Also where it could not have been had anyway. */
    @Test
    @SuppressWarnings("MustBeClosedChecker") // closed at the end
    void C9_toTryForALockThatIsHeldInACancelledContextIsCountedToo() {
        ContextMutex<?> lock = tree.root.mutex("held");
        LockGuard<?> guard = lock.tryLock();
        ContextNode cancelled = tree.open("cancelled");
        cancelled.cancel();
        try (var ignored = cancelled.makeCurrent();
                LockGuard<?> tried = lock.tryLock()) {
            assertThat(tried).isNull();
        }
        assertThat(tree.runtime.misuses())
                .singleElement()
                .asString()
                .startsWith("1x mutex \"held\" was tried for in a context that was cancelled or has ended")
                .contains("app.cancelled, at " + EndedContextTest.class.getName());
        assertThat(guard).isNotNull().satisfies(LockGuard::close);
    }
}
