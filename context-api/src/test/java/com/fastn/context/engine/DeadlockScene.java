package com.fastn.context.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.ContextEngine;
import com.fastn.context.ContextMutex;
import com.fastn.context.ContextScope;
import com.fastn.context.ContextSemaphore;
import com.fastn.context.DeadlockPolicy;
import com.fastn.context.FastnContext;
import com.fastn.context.LockGuard;
import com.fastn.context.ManualTicker;
import com.fastn.context.PermitGuard;
import com.fastn.context.Ticker;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** A runtime in which contexts wait for each other, for one test. */
final class DeadlockScene implements AfterEachCallback {
    final ManualTicker ticker = new ManualTicker(TestTree.START);
    EngineRuntime runtime = with(DeadlockPolicy.REPORT);

    private EngineRuntime with(DeadlockPolicy policy) {
        return new EngineRuntime(settings(policy, ticker), Engine.instance().currentContext());
    }

    private static ContextEngine.Settings settings(DeadlockPolicy policy, Ticker ticker) {
        return new ContextEngine.Settings("app", "App", "alice", ticker, 10_000, 100, false, policy);
    }

    /** Begins anew with another policy. */
    void restart(DeadlockPolicy policy) {
        runtime.close();
        runtime = with(policy);
    }

    /** Begins anew with another policy, and with a time and timers of the test. */
    void restart(DeadlockPolicy policy, Ticker time, Timers timers) {
        runtime.close();
        runtime = new EngineRuntime(
                settings(policy, time), Engine.instance().currentContext(), CounterStore.Caps.DEFAULT, timers);
    }

    /** Begins anew with another policy; whatever is put off there is among the tasks that are given, for the test to run. */
    ArrayDeque<Runnable> restartWithLooksPutOff(DeadlockPolicy policy) {
        ArrayDeque<Runnable> later = new ArrayDeque<>();
        restart(policy, Ticker.system(), new Timers(() -> later::add) {
            @Override
            boolean tick(Duration delay, Runnable task) {
                later.add(task);
                return true;
            }
        });
        return later;
    }

    @Override
    public void afterEach(ExtensionContext test) {
        runtime.close();
    }

    ContextNode open(String name) {
        return (ContextNode) runtime.root().child(name).open();
    }

    static <T> T in(FastnContext context, Supplier<T> code) {
        try (ContextScope ignored = context.makeCurrent()) {
            return code.get();
        }
    }

    static <T> CompletableFuture<LockGuard<T>> ask(FastnContext who, ContextMutex<T> lock) {
        return in(who, () -> lock.lock().toCompletableFuture());
    }

    static CompletableFuture<PermitGuard> askForOne(ContextNode who, ContextSemaphore permits) {
        return in(who, () -> permits.acquire(1).toCompletableFuture());
    }

    /** Contexts that each hold a lock of a ring and ask for the next one inside of it. */
    List<CompletableFuture<String>> ring(int size) {
        return ring(size, "m");
    }

    List<CompletableFuture<String>> ring(int size, String name) {
        return ring(size, name, result -> {});
    }

    /** The same; something is done with each of their results before the ring is closed, and so before one of them can end. */
    List<CompletableFuture<String>> ring(int size, String name, Consumer<CompletableFuture<String>> before) {
        List<ContextMutex<Object>> locks = new ArrayList<>();
        for (int i = 0; i < size; i++) {
            locks.add(runtime.root().mutex(name + i, (Object) "v"));
        }
        List<CompletableFuture<String>> all = new ArrayList<>();
        List<LockGuard<Object>> first = new ArrayList<>();
        // All take their lock first: each of the ring's locks is held by a helper until everybody stands in line for
        // it.
        for (ContextMutex<Object> lock : locks) {
            first.add(lock.lock().toCompletableFuture().join());
        }
        for (int i = 0; i < size; i++) {
            int next = (i + 1) % size;
            ContextNode who = open("c" + i);
            ContextMutex<Object> own = locks.get(i);
            ContextMutex<Object> other = locks.get(next);
            all.add(in(
                    who,
                    () -> own.<String>withLock(v -> in(
                                    who, () -> other.<String>withLock(w -> CompletableFuture.completedFuture("done"))))
                            .toCompletableFuture()));
        }
        all.forEach(before);
        // The releases are in one thread: each guard lets one in, which queues behind the helper of the next lock.
        first.forEach(LockGuard::close);
        return all;
    }

    /** Two who each hold a lock, and whose child asks for the other one's. */
    List<CompletableFuture<String>> parentsHoldAndChildrenWait() {
        ContextMutex<Integer> m = runtime.root().mutex("m", 1);
        ContextMutex<Integer> n = runtime.root().mutex("n", 1);
        LockGuard<Integer> firstM = m.lock().toCompletableFuture().join();
        LockGuard<Integer> firstN = n.lock().toCompletableFuture().join();
        List<CompletableFuture<String>> all = new ArrayList<>();
        for (boolean up : new boolean[] {true, false}) {
            ContextNode parent = open(up ? "up" : "down");
            ContextNode child = (ContextNode) parent.child("inner").open();
            all.add(in(
                    parent,
                    () -> (up ? m : n)
                            .<String>withLock(v -> in(
                                    child,
                                    () -> (up ? n : m)
                                            .<String>withLock(w -> CompletableFuture.completedFuture("done"))))
                            .toCompletableFuture()));
        }
        firstM.close();
        firstN.close();
        return all;
    }

    static void awaitLatch(CountDownLatch latch) {
        try {
            assertThat(latch.await(60, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
