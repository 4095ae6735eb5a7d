package com.fastn.context.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.ContextEngine;
import com.fastn.context.ContextScope;
import com.fastn.context.FastnContext;
import com.fastn.context.Ticker;
import com.fastn.context.spi.ContextBinding;
import com.fastn.context.status.ContextKind;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** How long an event loop is held up by the cancellation of a million children (C7). */
class CancelLoopBlockTest {
    private static final int CHILDREN = 1_000_000;

    private final ExecutorService thread = Executors.newSingleThreadExecutor();
    private final Loop loop = new Loop(thread);

    @AfterEach
    void stop() {
        thread.shutdownNow();
    }

    @Test
    void C7_othersHaveTheirTurnWhileAMillionChildrenAreCancelled() throws Exception {
        EngineRuntime runtime = new EngineRuntime(
                new ContextEngine.Settings("app", "App", "alice", Ticker.system()), new CurrentContext(loop));
        ContextNode server = runtime.root().openChild("server", ContextKind.SERVICE, null);
        for (int i = 0; i < CHILDREN; i++) {
            server.child("request").open();
        }
        // Code that is not compiled yet would be measured otherwise.
        ContextNode few = runtime.root().openChild("few", ContextKind.SERVICE, null);
        for (int i = 0; i < 100_000; i++) {
            few.child("request").open();
        }
        loop.run(few::cancel);
        loop.longestNanos.set(0);
        loop.turns.set(0);

        loop.run(server::cancel);

        assertThat(server.childNodes()).hasSize(CHILDREN).allMatch(ContextNode::isCancelled);
        assertThat(loop.turns.get())
                .as("turns of the loop that the walk was cut into")
                .isGreaterThan(3);
        System.out.printf(
                "a million children: %d turns of the loop, the longest %.2f ms%n",
                loop.turns.get(), loop.longestNanos.get() / 1e6);
        runtime.close();
    }

    /**
     * Each look at the clock takes 0.4 ms, and it is looked at between any two steps of 256 contexts at most: so three steps
     * fill a slice of a millisecond, whatever the machine.
     */
    @Test
    void C7_noTurnOfTheLoopCancelsMoreThanASliceOfAMillionChildren() throws Exception {
        int most = 3 * 256;
        SlowTicker ticker = new SlowTicker();
        EngineRuntime runtime =
                new EngineRuntime(new ContextEngine.Settings("app", "App", "alice", ticker), new CurrentContext(loop));
        ContextNode server = runtime.root().openChild("server", ContextKind.SERVICE, null);
        List<ContextNode> children = new ArrayList<>();
        AtomicInteger handled = new AtomicInteger();
        for (int i = 0; i < CHILDREN; i++) {
            ContextNode child = server.openChild("request", ContextKind.REQUEST, null);
            children.add(child);
            if (i % 10 == 0) {
                child.onCancel(reason -> handled.incrementAndGet());
            }
        }
        AtomicInteger marked = new AtomicInteger();
        AtomicInteger run = new AtomicInteger();
        List<Integer> atOnce = new CopyOnWriteArrayList<>();
        loop.afterEachTurn = () -> {
            // The oldest are met first.
            int now = marked.get();
            while (now < CHILDREN && children.get(now).isCancelled()) {
                now++;
            }
            int markedInThisTurn = now - marked.getAndSet(now);
            int handledInThisTurn = handled.get() - run.getAndSet(handled.get());
            if (Math.max(markedInThisTurn, handledInThisTurn) > most) {
                atOnce.add(Math.max(markedInThisTurn, handledInThisTurn));
            }
        };

        loop.run(server::cancel);

        assertThat(atOnce).as("more than %d in a turn", most).isEmpty();
        assertThat(marked).hasValue(CHILDREN);
        assertThat(handled).hasValue(CHILDREN / 10);
        assertThat(loop.turns.get()).isGreaterThan(CHILDREN / most);
        runtime.close();
    }

    private static final class SlowTicker implements Ticker {
        private final AtomicLong nanos = new AtomicLong();

        @Override
        public long nanos() {
            return nanos.addAndGet(400_000);
        }

        @Override
        public Instant wallTime() {
            return Instant.EPOCH;
        }
    }

    /** An event loop that looks at the clock around each of its turns. */
    private static final class Loop implements ContextBinding {
        private final ExecutorService thread;
        private final ThreadLocal<Boolean> here = ThreadLocal.withInitial(() -> false);
        private final AtomicLong longestNanos = new AtomicLong();
        private final AtomicInteger turns = new AtomicInteger();
        private final AtomicInteger waiting = new AtomicInteger();
        private volatile Runnable afterEachTurn = () -> {};

        Loop(ExecutorService thread) {
            this.thread = thread;
        }

        /** Runs a task, and waits until all that it left for later is done. */
        void run(Runnable task) throws Exception {
            turn(task);
            while (waiting.get() > 0) {
                thread.submit(() -> {}).get(300, TimeUnit.SECONDS);
            }
        }

        private void turn(Runnable task) {
            waiting.incrementAndGet();
            thread.execute(() -> {
                here.set(true);
                long began = System.nanoTime();
                try {
                    task.run();
                } finally {
                    longestNanos.accumulateAndGet(System.nanoTime() - began, Math::max);
                    turns.incrementAndGet();
                    afterEachTurn.run();
                    waiting.decrementAndGet();
                }
            });
        }

        @Override
        public boolean isActive() {
            return here.get();
        }

        @Override
        public @Nullable FastnContext current() {
            return null;
        }

        @Override
        public ContextScope makeCurrent(FastnContext context) {
            throw new UnsupportedOperationException("nothing is made current here");
        }

        @Override
        public @Nullable Executor completions() {
            return here.get() ? this::turn : null;
        }

        @Override
        public boolean isEventLoop() {
            return here.get();
        }

        @Override
        public @Nullable Executor tasks(FastnContext context) {
            return null;
        }

        @Override
        public @Nullable Executor blockingTasks(FastnContext context) {
            return null;
        }
    }
}
