package com.fastn.context.engine;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.ContextMutex;
import com.fastn.context.LockGuard;
import com.fastn.context.status.CauseKind;
import com.fastn.context.status.Explanation;
import com.fastn.context.status.StatusJson;
import com.fastn.context.status.StatusSnapshot;
import java.util.concurrent.CompletableFuture;
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
}
