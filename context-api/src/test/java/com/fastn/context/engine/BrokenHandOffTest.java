package com.fastn.context.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.ContextEngine;
import com.fastn.context.ContextReadWriteLock;
import com.fastn.context.DeadlockPolicy;
import com.fastn.context.LockGuard;
import com.fastn.context.ManualTicker;
import com.fastn.context.ReadGuard;
import java.io.PrintStream;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** That no grant is lost where nothing works through which it is told: no thread, no context, no log. */
class BrokenHandOffTest {
    private final BrokenBinding binding = new BrokenBinding();
    private final EngineRuntime runtime = new EngineRuntime(
            new ContextEngine.Settings(
                    "app", "App", "alice", new ManualTicker(TestTree.START), 10_000, 100, false, DeadlockPolicy.REPORT),
            new CurrentContext(binding));
    private final ContextReadWriteLock<Integer> lock = runtime.root().readWriteLock("rw", 1);
    private final LockGuard<Integer> writer =
            lock.writeLock().toCompletableFuture().join();
    private final CompletableFuture<ReadGuard<Integer>> a = lock.readLock().toCompletableFuture();
    private final CompletableFuture<ReadGuard<Integer>> b = lock.readLock().toCompletableFuture();

    @AfterEach
    void close() {
        runtime.close();
    }

    private void bothHaveReadAndGaveBack() {
        assertThat(a).isCompleted();
        assertThat(b).isCompleted();
        a.join().close();
        b.join().close();
        assertThat(lock.holders()).isEmpty();
    }

    @Test
    void L2_noGrantIsLostWhenTheExecutorAndTheContextFail() {
        ContextNode who = (ContextNode) runtime.root().child("who").open();
        CompletableFuture<String> cancelled = new CompletableFuture<>();
        who.onCancel(reason -> cancelled.complete("told"));
        binding.broken = true;
        writer.close();
        binding.broken = false;
        bothHaveReadAndGaveBack();
        who.cancel();
        assertThat(cancelled).isCompletedWithValue("told");
    }

    @Test
    void L2_noGrantIsLostWhenTheContextAndTheLogFail() {
        binding.broken = true;
        PrintStream before = System.err;
        System.setErr(brokenFor(Thread.currentThread(), before));
        try {
            writer.close();
        } finally {
            System.setErr(before);
            binding.broken = false;
        }
        bothHaveReadAndGaveBack();
    }

    private static PrintStream brokenFor(Thread thread, PrintStream others) {
        return new PrintStream(others) {
            @Override
            public void println(@Nullable String line) {
                if (Thread.currentThread() == thread) {
                    throw new IllegalStateException("the log is broken");
                }
                super.println(line);
            }
        };
    }

    /** An environment whose threads are used up, and whose contexts cannot be entered. */
    private static final class BrokenBinding extends NoPlace {
        volatile boolean broken;

        @Override
        public boolean isActive() {
            return broken;
        }

        @Override
        public Executor completions() {
            return task -> {
                throw new OutOfMemoryError("unable to create native thread");
            };
        }

        @Override
        public boolean isEventLoop() {
            return true;
        }
    }
}
