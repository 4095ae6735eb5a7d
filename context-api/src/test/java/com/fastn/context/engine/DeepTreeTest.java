package com.fastn.context.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.status.ContextKind;
import com.fastn.context.status.ContextPath;
import com.fastn.context.status.ContextState;
import com.fastn.context.status.ContextStatus;
import com.fastn.context.status.StatusSnapshot;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A chain of contexts, each the child of the one before, on a stack of 256 kB (rule C6). */
class DeepTreeTest {
    private static final int DEPTH = 1_000_000;

    @RegisterExtension
    final TestTree tree = new TestTree();

    private ContextNode chain() {
        return chain(DEPTH);
    }

    private ContextNode chain(int depth) {
        ContextNode deepest = tree.root;
        for (int i = 0; i < depth; i++) {
            deepest = deepest.openChild("n", ContextKind.TASK, null);
        }
        return deepest;
    }

    @Test
    void C6_aDeepChainIsCreatedCancelledAndClosed() throws InterruptedException {
        SmallStack.run(() -> {
            ContextNode deepest = chain();
            AtomicInteger told = new AtomicInteger();
            deepest.onCancel(reason -> told.incrementAndGet());
            tree.root.childNodes().get(0).cancel("stop");
            assertThat(deepest.isCancelled()).isTrue();
            assertThat(told).hasValue(1);

            // From the top down: all of them close at once, with the last.
            for (ContextNode node : tree.nodes()) {
                if (node.parent() != null) {
                    node.close();
                }
            }
            assertThat(deepest.state()).isEqualTo(ContextState.CLOSED);
            assertThat(tree.runtime.openContexts()).isEqualTo(1);
        });
    }

    @Test
    void C6_aSnapshotOfADeepChainCostsTheSamePerNode() throws InterruptedException {
        SmallStack.run(() -> {
            ContextNode deepest = chain();
            StatusSnapshot snapshot = tree.runtime.status();

            ContextStatus last = snapshot.globalContext();
            int depth = 0;
            while (!last.children().isEmpty()) {
                last = last.children().get(0);
                depth++;
            }
            assertThat(depth).isEqualTo(DEPTH);
            assertThat(last.id()).isEqualTo(deepest.id());
            assertThat(last.path()).isEqualTo(deepest.path());
            assertThat(last.path().depth()).isEqualTo(DEPTH + 1);
        });
    }

    @Test
    void C6_countersOfADeepChainRollUp() throws InterruptedException {
        SmallStack.run(() -> {
            ContextNode deepest = chain(100_000);
            deepest.incrementTotal("requests");
            deepest.incrementLive("connections");

            assertThat(tree.root.subtreeTotal("requests")).isEqualTo(1);
            assertThat(tree.root.subtreeLive("connections")).isEqualTo(1);
            ContextStatus top = tree.runtime.status().globalContext();
            assertThat(top.subtreeTotalCounters()).containsEntry("requests", 1L);
        });
    }

    @Test
    void C6_locksSettingsAndSearchesReachThroughADeepChain() throws InterruptedException {
        SmallStack.run(() -> {
            ContextNode deepest = chain();
            assertThat(deepest.setting("unset")).isNull();
            assertThat(tree.runtime.find(deepest.id())).isSameAs(deepest);
            assertThat(tree.runtime.find(deepest.path())).isSameAs(deepest);
            var guard = deepest.mutex("orders").lock().toCompletableFuture().join();
            assertThat(deepest.subtreeStatus().activeLocks())
                    .singleElement()
                    .satisfies(lock -> assertThat(lock.heldByContext()).isEqualTo("n/n"));
            guard.close();
        });
    }

    @Test
    void C6_deepPathsCompareWithoutRecursion() throws InterruptedException {
        SmallStack.run(() -> {
            List<String> names = new ArrayList<>();
            for (int i = 0; i < DEPTH; i++) {
                names.add("n");
            }
            ContextPath path = ContextPath.of(names);
            assertThat(path.names()).isEqualTo(names);
            assertThat(ContextPath.parse(path.toString())).isEqualTo(path).hasSameHashCodeAs(path);
            assertThat(path.child("a")).isGreaterThan(path).matches(p -> p.startsWith(path));
        });
    }
}
