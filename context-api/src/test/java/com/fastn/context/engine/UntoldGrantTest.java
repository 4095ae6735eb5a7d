package com.fastn.context.engine;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.ContextMutex;
import com.fastn.context.ContextScope;
import com.fastn.context.FastnContext;
import com.fastn.context.LockGuard;
import com.fastn.context.WarningIds;
import com.fastn.context.status.LockStatus;
import com.fastn.context.status.StatusJson;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.context.status.StatusWarning;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A lock that was granted to one who is not told yet, since his event loop has not come to that. */
@SuppressWarnings("MustBeClosedChecker") // guards are closed by hand
class UntoldGrantTest {
    @RegisterExtension
    final TestTree onLoops = new TestTree(new FakeLoop.Binding());

    @Test
    void L10_whatEndsWithItsContextBeforeAnybodySawTheGuardIsNoMisuse() {
        ContextMutex<Integer> lock = onLoops.root.mutex("m", 1);
        lock.setAutoReleaseOnEnd(true);
        LockGuard<Integer> first = requireNonNull(lock.tryLock());
        ContextNode asks = onLoops.open("asks");
        FakeLoop loop = new FakeLoop();
        List<Throwable> told = new ArrayList<>();
        loop.run(() -> {
            try (ContextScope ignored = asks.makeCurrent()) {
                var unused = lock.lock().whenComplete((guard, failure) -> told.add(failure));
            }
        });
        first.close();
        assertThat(lock.holder()).isSameAs(asks);
        asks.close();
        assertThat(lock.holder()).isNull();
        loop.turn();
        assertThat(told).singleElement().isInstanceOf(IllegalStateException.class);
        assertThat(onLoops.runtime.misuses()).isEmpty();
    }

    @Test
    void aLockThatWasGrantedAndIsNotToldYetIsHeldSinceTheGrantAndNobodyIsBlamedForIt() {
        ContextMutex<Integer> lock = onLoops.root.mutex("orders", 1);
        ContextNode settle = onLoops.open("settle");
        ContextNode request = onLoops.open("req");
        LockGuard<Integer> first = requireNonNull(in(new FakeLoop(), settle, lock::tryLock));
        FakeLoop loop = new FakeLoop();
        CompletionStage<LockGuard<Integer>> asked = in(loop, request, lock::lock);
        onLoops.pass(Duration.ofSeconds(12));
        first.close();
        LockStatus held = lock();
        assertThat(held.heldByContext()).isEqualTo("req");
        assertThat(held.heldDuration()).isZero();
        assertThat(held.told()).isFalse();
        assertThat(onLoops.runtime.status().toString()).contains("req (0s, not told yet)");

        CompletionStage<LockGuard<Integer>> behind = in(loop, settle, lock::lock);
        onLoops.pass(Duration.ofSeconds(11));
        StatusSnapshot late = onLoops.runtime.status();
        assertThat(lock()).returns(Duration.ofSeconds(11), LockStatus::heldDuration);
        assertThat(lock().longHeld()).isFalse();
        assertThat(late.warnings())
                .singleElement()
                .satisfies(warning -> assertThat(warning)
                        .returns(WarningIds.WAITER_STUCK, StatusWarning::id)
                        .returns(
                                "settle stuck waiting (11s) for \"orders\", granted to req",
                                w -> w.message().replaceAll(" at [^,]*", ""))
                        .matches(w -> requireNonNull(w.next()).contains("req is not told yet that it has it")));
        assertThat(requireNonNull(onLoops.runtime.explain("settle")).toString())
                .contains("granted 11s ago to req")
                .contains("was granted mutex \"orders\" 11s ago and is not told yet: its event loop, or the thread that"
                        + " released it, is busy")
                .doesNotContain("no sign of life");

        StatusSnapshot read = StatusJson.readSnapshot(StatusJson.write(late));
        assertThat(read.activeLocks()).isEqualTo(late.activeLocks());
        long version = onLoops.runtime.status().version();
        loop.turn();
        assertThat(lock().told()).isTrue();
        assertThat(lock().heldDuration()).isZero();
        assertThat(onLoops.runtime.status().version())
                .as("that it was told can be seen")
                .isGreaterThan(version);
        asked.toCompletableFuture().join().close();
        loop.turn();
        behind.toCompletableFuture().join().close();
    }

    @Test
    void aLockThatIsOnItsWayToAContextThatHasEndedIsNotLeaked() {
        ContextMutex<Integer> lock = onLoops.root.mutex("orders", 1);
        ContextNode request = onLoops.open("req");
        LockGuard<Integer> first = requireNonNull(lock.tryLock());
        FakeLoop loop = new FakeLoop();
        CompletionStage<LockGuard<Integer>> asked = in(loop, request, lock::lock);
        first.close();
        request.close();
        assertThat(lock().told()).isFalse();
        assertThat(onLoops.runtime.status().warnings()).isEmpty();
        loop.turn();
        assertThat(asked.toCompletableFuture()).isCompletedExceptionally();
        assertThat(lock.holder()).isNull();
    }

    private static <G> G in(FakeLoop loop, FastnContext context, Supplier<G> code) {
        AtomicReference<G> given = new AtomicReference<>();
        loop.run(() -> {
            try (ContextScope ignored = context.makeCurrent()) {
                given.set(code.get());
            }
        });
        return requireNonNull(given.get());
    }

    private LockStatus lock() {
        return onLoops.runtime.status().activeLocks().get(0);
    }
}
