package com.fastn.context.engine;

import static com.fastn.context.engine.Patience.await;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fastn.context.ContextMutex;
import com.fastn.context.ContextScope;
import com.fastn.context.FastnContext;
import com.fastn.context.LockGuard;
import com.fastn.context.status.CauseKind;
import com.fastn.context.status.Explanation;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
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

    /** More than there are carriers, so that each one runs others while it is parked. */
    @Test
    void eachVirtualThreadKeepsItsNestedScopesAcrossParks() {
        int threads = 100;
        CyclicBarrier all = new CyclicBarrier(threads);
        List<CompletableFuture<Void>> done = new ArrayList<>();
        List<ContextNode> contexts = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            ContextNode outer = tree.open("outer" + i);
            ContextNode inner = tree.open(outer, "inner" + i);
            contexts.add(outer);
            contexts.add(inner);
            done.add(onVirtualThread(() -> {
                assertThat(Engine.instance().currentOrNull()).isNull();
                try (ContextScope ignored = outer.makeCurrent()) {
                    all.await();
                    try (ContextScope alsoIgnored = inner.makeCurrent()) {
                        all.await();
                        assertThat(FastnContext.current()).isSameAs(inner);
                        assertThat(inner.threads()).containsExactly(Thread.currentThread());
                    }
                    all.await();
                    assertThat(FastnContext.current()).isSameAs(outer);
                    assertThat(inner.threads()).isEmpty();
                    assertThat(outer.threads()).containsExactly(Thread.currentThread());
                }
                all.await();
                assertThat(Engine.instance().currentOrNull()).isNull();
            }));
        }
        assertThat(done).allSatisfy(each -> assertThat(each).succeedsWithin(Duration.ofSeconds(30)));
        assertThat(contexts).noneMatch(ContextNode::isOnThread);
    }

    @Test
    void whatIsWrappedCarriesItsContextOntoVirtualThreads() throws Exception {
        ContextNode task = tree.open("task");
        List<@Nullable FastnContext> seen = new CopyOnWriteArrayList<>();
        Runnable look = task.wrap(() -> {
            LockSupport.parkNanos(1_000_000);
            seen.add(FastnContext.current());
        });
        assertThat(onVirtualThread(look::run)).succeedsWithin(Duration.ofSeconds(30));
        Callable<FastnContext> ask = task.wrapCallable(() -> {
            LockSupport.parkNanos(1_000_000);
            return FastnContext.current();
        });
        assertThat(onVirtualThread(() -> seen.add(ask.call()))).succeedsWithin(Duration.ofSeconds(30));
        CompletableFuture<Void> last = new CompletableFuture<>();
        task.wrapExecutor(VirtualThreadTest::start).execute(() -> {
            LockSupport.parkNanos(1_000_000);
            seen.add(FastnContext.current());
            last.complete(null);
        });
        assertThat(last).succeedsWithin(Duration.ofSeconds(30));

        assertThat(seen).containsExactly(task, task, task);
        await().until(() -> !task.isOnThread());
    }

    /** What is run there, and fails with what it throws. */
    private interface Code {
        void run() throws Exception;
    }

    private static CompletableFuture<Void> onVirtualThread(Code code) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        start(() -> {
            try {
                code.run();
                done.complete(null);
            } catch (Throwable t) {
                done.completeExceptionally(t);
            }
        });
        return done;
    }

    /** Java 17 compiles this test, and does not know them. */
    private static void start(Runnable code) {
        try {
            Thread.class.getMethod("startVirtualThread", Runnable.class).invoke(null, code);
        } catch (ReflectiveOperationException e) {
            throw new LinkageError("no virtual threads", e);
        }
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
