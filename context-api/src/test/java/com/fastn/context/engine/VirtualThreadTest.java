package com.fastn.context.engine;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fastn.context.ContextMutex;
import com.fastn.context.ContextScope;
import com.fastn.context.LockGuard;
import com.fastn.context.status.CauseKind;
import com.fastn.context.status.Explanation;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What is known of a context whose work blocks on a virtual thread, which has no carrier meanwhile. */
class VirtualThreadTest {
    @RegisterExtension
    final TestTree tree = new TestTree();

    private final CountDownLatch answer = new CountDownLatch(1);
    private final AtomicReference<Thread> ran = new AtomicReference<>();

    @BeforeEach
    void onlyWhereThereAreSome() {
        assumeTrue(Runtime.version().feature() >= 21, "virtual threads need Java 21");
    }

    @Test
    void whoHoldsALockAndBlocksIsExplainedByItsStack() {
        ContextMutex<Integer> orders = tree.root.mutex("orders", 1);
        CompletableFuture<Integer> settle = tree.root
                .child("settle")
                .spawnBlocking(() -> {
                    try (LockGuard<Integer> guard = orders.lockBlocking()) {
                        return guard.value() + askTheBank();
                    }
                })
                .toCompletableFuture();
        await().until(this::isBlocked);
        CompletableFuture<LockGuard<Integer>> req;
        try (ContextScope ignored = tree.open("req").makeCurrent()) {
            req = orders.lock().toCompletableFuture();
        }
        tree.pass(Duration.ofSeconds(12));

        Explanation why = requireNonNull(tree.runtime.explain("req"), "explained");
        assertThat(why.root().kind()).isEqualTo(CauseKind.THREAD);
        assertThat(why.headline())
                .matches(
                        "settle: runs on a thread at VirtualThreadTest\\.java:\\d+; req waits for mutex \"orders\" 12s");
        assertThat(why.root().stack())
                .anyMatch(frame -> frame.contains("VirtualThreadTest.askTheBank"))
                .anyMatch(frame -> frame.contains("CountDownLatch.await"));
        assertThat(tree.runtime.explainAll())
                .isNotEmpty()
                .allMatch(each -> each.root().equals(why.root()));

        answer.countDown();
        assertThat(settle).succeedsWithin(Duration.ofSeconds(30)).isEqualTo(3);
        await().untilAsserted(() -> assertThat(req).isCompleted());
        req.join().close();
    }

    /** Parked, and on a thread that is virtual: its class is none that Java 17 knows. */
    private boolean isBlocked() {
        Thread thread = ran.get();
        return thread != null
                && thread.getState() == Thread.State.WAITING
                && thread.getClass().getName().equals("java.lang.VirtualThread");
    }

    private int askTheBank() {
        ran.set(Thread.currentThread());
        try {
            answer.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
        return 2;
    }
}
