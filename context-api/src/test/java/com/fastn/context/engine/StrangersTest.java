package com.fastn.context.engine;

import static com.fastn.context.engine.Patience.await;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fastn.context.ContextEngine;
import com.fastn.context.ContextMutex;
import com.fastn.context.ContextScope;
import com.fastn.context.DeadlockException;
import com.fastn.context.DeadlockPolicy;
import com.fastn.context.LockGuard;
import com.fastn.context.LockTimeoutException;
import com.fastn.context.Registration;
import com.fastn.context.Ticker;
import com.fastn.context.WarningIds;
import com.fastn.context.event.ContextEvent;
import com.fastn.context.status.CauseKind;
import com.fastn.context.status.ContextStatus;
import com.fastn.context.status.ContextTrouble;
import com.fastn.context.status.Explainer;
import com.fastn.context.status.Explanation;
import com.fastn.context.status.LockWaiter;
import com.fastn.context.status.SnapshotLimits;
import com.fastn.context.status.StatusJson;
import com.fastn.context.status.StatusSnapshot;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A lock of one runtime that contexts of another one have and want, such as that of a static field used by two Vertx. */
class StrangersTest {
    @RegisterExtension
    final TestTree tree = new TestTree();

    @Test
    void aHolderOfAnotherRuntimeIsNotTakenForTheContextOfThatId() {
        try (EngineRuntime bob = tree.another()) {
            ContextMutex<Integer> orders = tree.root.mutex("orders", 1);
            ContextNode innocent = tree.open("innocent");
            ContextNode settle = (ContextNode) bob.root().child("settle").open();
            assertThat(settle.id()).as("ids count in each runtime").isEqualTo(innocent.id());
            innocent.awaiting("db-query", new CompletableFuture<String>());
            ContextNode req = tree.open("req");
            LockGuard<Integer> guard = MutexTest.ask(settle, orders).join();
            CompletableFuture<LockGuard<Integer>> asked = MutexTest.ask(req, orders);
            tree.passSeconds(12);

            StatusSnapshot snapshot = StatusJson.readSnapshot(StatusJson.write(tree.runtime.status()));
            assertThat(snapshot.activeLocks()).singleElement().satisfies(lock -> {
                assertThat(lock.heldByContext()).isEqualTo("settle@bob");
                assertThat(lock.holderPath()).isEqualTo(settle.path());
                assertThat(lock.holderId()).isNotEqualTo(innocent.id());
            });
            assertThat(snapshot.toString())
                    .contains("\"orders\" held by settle@bob (12s), 1 waiting")
                    .doesNotContain("HOLDS");
            Explanation why = requireNonNull(tree.runtime.explain(req.id()));
            assertThat(why.root().kind()).isEqualTo(CauseKind.UNKNOWN);
            assertThat(why.toString())
                    .contains("held 12s by settle@bob", "is of another runtime of this process")
                    .doesNotContain("db-query");
            asked.cancel(false);
            guard.close();
        }
    }

    @Test
    void aWaiterOfAnotherRuntimeIsNotTakenForTheContextOfThatIdAndIsCountedAsAMisuse() {
        try (EngineRuntime bob = tree.another()) {
            ContextMutex<Integer> orders = tree.root.mutex("orders", 1);
            ContextNode innocent = tree.open("innocent");
            ContextNode stranger = (ContextNode) bob.root().child("pay").open();
            assertThat(stranger.id()).isEqualTo(innocent.id());
            LockGuard<Integer> guard =
                    MutexTest.ask(tree.open("settle"), orders).join();
            CompletableFuture<LockGuard<Integer>> asked = MutexTest.ask(stranger, orders);
            tree.passSeconds(12);

            assertThat(tree.runtime.status().lockWaiters()).singleElement().satisfies(waiter -> {
                assertThat(waiter.contextName()).isEqualTo("pay@bob");
                assertThat(waiter.contextId()).isNotEqualTo(innocent.id());
            });
            assertThat(requireNonNull(tree.runtime.explain(innocent.id())).chain())
                    .as("it waits for nobody")
                    .isEmpty();
            assertThat(tree.runtime.misuses())
                    .singleElement()
                    .asString()
                    .contains("mutex \"orders\"", "of another runtime", "other.pay of bob");
            stranger.cancel();
            assertThat(asked).as("its own cancellation reaches it").isCompletedExceptionally();
            guard.close();
        }
    }

    @Test
    void L4_theTimeOfAWaiterOfAnotherRuntimeRunsOutThoughThatOfTheLockIsClosed() {
        EngineRuntime bob = tree.another();
        ContextMutex<Integer> orders = bob.root().mutex("orders", 1);
        LockGuard<Integer> guard = MutexTest.ask(bob.root(), orders).join();
        ContextNode pays = tree.open("pay");
        CompletableFuture<LockGuard<Integer>> before;
        CompletableFuture<LockGuard<Integer>> after;
        try (ContextScope ignored = pays.makeCurrent()) {
            before = orders.lock(Duration.ofMillis(500)).toCompletableFuture();
            bob.close();
            after = orders.lock(Duration.ofMillis(10)).toCompletableFuture();
        }
        for (CompletableFuture<LockGuard<Integer>> wait : List.of(before, after)) {
            await().until(wait::isDone);
            assertThatThrownBy(wait::join).hasCauseInstanceOf(LockTimeoutException.class);
        }
        guard.close();
    }

    /** Each Vertx has a root of the same name, and the same services below it. */
    @Test
    void aWarningAboutAStrangerLeavesTheContextOfThatPathAlone() {
        try (EngineRuntime bob = tree.another("app", "bob")) {
            ContextMutex<Integer> orders = tree.root.mutex("orders", 1);
            ContextNode innocent = tree.open(tree.open("server"), "request");
            for (int i = 0; i < 20; i++) {
                tree.open("job");
            }
            ContextNode stranger = (ContextNode)
                    bob.root().child("server").open().child("request").open();
            assertThat(stranger.path()).isEqualTo(innocent.path());
            LockGuard<Integer> guard = MutexTest.ask(stranger, orders).join();
            tree.passSeconds(100);

            StatusSnapshot folded = StatusJson.readSnapshot(
                    StatusJson.write(tree.runtime.status(SnapshotLimits.DEFAULT.withMaxContexts(10))));
            assertThat(row(folded, innocent).trouble()).isNull();
            assertThat(folded.warnings())
                    .filteredOn(warning -> warning.id().equals(WarningIds.LOCK_LONG_HELD))
                    .singleElement()
                    .satisfies(warning -> assertThat(warning.contextId()).isNegative());
            guard.close();
        }
    }

    @Test
    void aStatusOfTheOwnerOfALockShowsItAlsoWhereOnlyStrangersHaveIt() {
        try (EngineRuntime bob = tree.another()) {
            ContextNode stock = tree.open("stock");
            ContextNode other = tree.open("other");
            ContextMutex<Integer> orders = stock.mutex("orders", 1);
            LockGuard<Integer> guard = MutexTest.ask(bob.root(), orders).join();

            assertThat(requireNonNull(tree.runtime.status(stock)).activeLocks()).hasSize(1);
            assertThat(requireNonNull(tree.runtime.status(other)).activeLocks()).isEmpty();
            guard.close();
        }
    }

    private static ContextStatus row(StatusSnapshot snapshot, ContextNode node) {
        ArrayDeque<ContextStatus> open = new ArrayDeque<>(List.of(snapshot.globalContext()));
        while (!open.isEmpty()) {
            ContextStatus row = open.pop();
            if (row.id() == node.id()) {
                return row;
            }
            open.addAll(row.children());
        }
        throw new AssertionError(node + " is not shown");
    }

    @Test
    void eachStrangerIsSomebodyElse() {
        try (EngineRuntime bob = tree.another();
                EngineRuntime carol = tree.another("third", "carol")) {
            List<Long> told = new CopyOnWriteArrayList<>();
            ContextMutex<Integer> orders = tree.root.mutex("orders", 1);
            ContextMutex<Integer> stock = tree.root.mutex("stock", 1);
            ContextNode holder = (ContextNode) bob.root().child("settle").open();
            ContextNode waiter = (ContextNode) carol.root().child("pay").open();
            ContextNode local = tree.open("local");
            assertThat(waiter.id()).isEqualTo(holder.id());
            try (Registration listener = tree.runtime.addListener(event -> {
                if (event instanceof ContextEvent.Lock lock) {
                    told.add(lock.contextId());
                }
            })) {
                assertThat(listener).isNotNull();
                LockGuard<Integer> first = MutexTest.ask(holder, orders).join();
                LockGuard<Integer> second = MutexTest.ask(local, stock).join();
                CompletableFuture<LockGuard<Integer>> asked = MutexTest.ask(local, orders);
                CompletableFuture<LockGuard<Integer>> strange = MutexTest.ask(waiter, stock);
                tree.passSeconds(12);

                StatusSnapshot snapshot = tree.runtime.status();
                Explanation why = requireNonNull(Explainer.of(snapshot).explain(local.id()));
                assertThat(why.chain()).as("no circle").hasSize(1);
                assertThat(why.root().text()).isEqualTo("is of another runtime of this process");
                assertThat(why.toString()).contains("settle@bob").doesNotContain("wait for each other");
                assertThat(snapshot.lockWaiters())
                        .extracting(LockWaiter::contextName)
                        .contains("pay@carol");
                await().untilAsserted(() -> assertThat(told)
                        .filteredOn(id -> id != local.id())
                        .doesNotHaveDuplicates()
                        .hasSize(2)
                        .allSatisfy(id -> assertThat(id).isNegative()));
                asked.cancel(false);
                strange.cancel(false);
                second.close();
                first.close();
            }
        }
    }

    @Test
    void L14_aDeadlockWithAStrangerIsToldOfTheContextsOfThisTree() {
        try (EngineRuntime bob = tree.another()) {
            ContextMutex<Integer> m = tree.root.mutex("m", 1);
            ContextMutex<Integer> n = tree.root.mutex("n", 1);
            ContextNode innocent = tree.open("innocent");
            for (int i = 0; i < 20; i++) {
                tree.open("job");
            }
            ContextNode stranger = (ContextNode) bob.root().child("pay").open();
            ContextNode own = tree.open("own");
            assertThat(stranger.id()).isEqualTo(innocent.id());
            LockGuard<Integer> first = m.lock().toCompletableFuture().join();
            LockGuard<Integer> second = n.lock().toCompletableFuture().join();
            inside(stranger, m, n);
            inside(own, n, m);
            first.close();
            second.close();
            tree.passSeconds(1);

            StatusSnapshot folded = tree.runtime.status(SnapshotLimits.DEFAULT.withMaxContexts(10));
            assertThat(folded.causes().deadlocks()).hasSize(1);
            assertThat(folded.warnings())
                    .filteredOn(warning -> warning.id().equals(WarningIds.DEADLOCK))
                    .singleElement()
                    .satisfies(warning -> {
                        assertThat(warning.contextPath()).isEqualTo("app.own");
                        assertThat(warning.contextId()).isEqualTo(own.id());
                    });
            assertThat(row(folded, own).trouble()).isEqualTo(ContextTrouble.STUCK);
            assertThat(row(folded, innocent).trouble()).isNull();
            stranger.cancel();
            own.cancel();
        }
    }

    @Test
    void L14_aDeadlockOfStrangersOverLocksOfAClosedRuntimeIsFoundAndEndedByItsPolicy() {
        for (boolean closedBefore : new boolean[] {true, false}) {
            // What is put off there is lost, as what its timers still have is when it closes.
            Timers lost = new Timers(() -> Runnable::run) {
                @Override
                boolean tick(Duration delay, Runnable task) {
                    return !closedBefore;
                }
            };
            var settings = new ContextEngine.Settings(
                    "gone", "", "carol", Ticker.system(), 10_000, 100, false, DeadlockPolicy.FAIL_YOUNGEST_WAITER);
            EngineRuntime owner = new EngineRuntime(settings, tree.runtime.current(), CounterStore.Caps.DEFAULT, lost);
            ContextMutex<Integer> m = owner.root().mutex("m", 1);
            ContextMutex<Integer> n = owner.root().mutex("n", 1);
            ContextNode holder = tree.open("holder");
            LockGuard<Integer> first = MutexTest.ask(holder, m).join();
            LockGuard<Integer> second = MutexTest.ask(holder, n).join();
            CompletableFuture<String> one = nested(tree.open("one"), m, n);
            CompletableFuture<String> other = nested(tree.open("other"), n, m);
            if (closedBefore) {
                owner.close();
            }
            first.close();
            second.close();
            owner.close();
            await().until(() -> one.isDone() && other.isDone());
            List<CompletableFuture<String>> failed = Stream.of(one, other)
                    .filter(CompletableFuture::isCompletedExceptionally)
                    .toList();
            assertThat(failed).hasSize(1);
            assertThatThrownBy(failed.get(0)::join)
                    .rootCause()
                    .isInstanceOf(DeadlockException.class)
                    .hasMessageContaining("one@alice holds mutex \"m\"");
        }
    }

    /** Each look at those who wait still is followed by one look for each of their runtimes, however many wait. */
    @Test
    void L14_theLooksAtLocksOfAClosedRuntimeDoNotGrowInNumberWhileStrangersWait() {
        try (EngineRuntime bob = tree.another();
                EngineRuntime dave = tree.another("third", "dave")) {
            EngineRuntime owner = new EngineRuntime(
                    new ContextEngine.Settings("gone", "", "carol", Ticker.system(), 10_000, 100, false),
                    tree.runtime.current());
            ContextMutex<Integer> m = owner.root().mutex("m", 1);
            ContextMutex<Integer> n = owner.root().mutex("n", 1);
            ContextNode holder = tree.open("holder");
            LockGuard<Integer> first = MutexTest.ask(holder, m).join();
            LockGuard<Integer> second = MutexTest.ask(tree.open("last"), n).join();
            owner.close();
            List<CompletableFuture<?>> waits = new ArrayList<>();
            // So whoever wants the other one waits behind one who waits.
            waits.add(MutexTest.ask(holder, n));
            for (int i = 0; i < 20; i++) {
                waits.add(MutexTest.ask(bob.root().child("pay").open(), m));
                waits.add(MutexTest.ask(dave.root().child("pay").open(), m));
            }
            await().during(Duration.ofMillis(300))
                    .until(() -> bob.timers().pending() + dave.timers().pending() <= 4);
            waits.forEach(wait -> wait.cancel(false));
            first.close();
            second.close();
        }
    }

    private static CompletableFuture<String> nested(
            ContextNode by, ContextMutex<Integer> outer, ContextMutex<Integer> inner) {
        try (ContextScope outside = by.makeCurrent()) {
            assertThat(outside).isNotNull();
            return outer.<String>withLock(v -> inner.<String>withLock(w -> CompletableFuture.completedFuture("done")))
                    .toCompletableFuture();
        }
    }

    private static void inside(ContextNode by, ContextMutex<Integer> outer, ContextMutex<Integer> inner) {
        try (ContextScope outside = by.makeCurrent()) {
            assertThat(outside).isNotNull();
            var unused = outer.<Integer>withLock(v -> {
                try (ContextScope again = by.makeCurrent()) {
                    assertThat(again).isNotNull();
                    return inner.<Integer>withLock(CompletableFuture::completedFuture);
                }
            });
        }
    }
}
