package com.fastn.context.engine;

import static com.fastn.context.engine.Patience.await;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.ContextEngine;
import com.fastn.context.ContextMutex;
import com.fastn.context.ContextScope;
import com.fastn.context.FastnContext;
import com.fastn.context.LockGuard;
import com.fastn.context.ManualTicker;
import com.fastn.context.Registration;
import com.fastn.context.spi.Turn;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A thread that waits for a lock whose holder goes on after that thread's turn, unless he releases it elsewhere. */
class HeldUpTurnTest {
    private final ManualTicker ticker = new ManualTicker(TestTree.START);
    private final VirtualTimers timers = new VirtualTimers(ticker);
    private final EngineRuntime runtime = new EngineRuntime(
            new ContextEngine.Settings("app", "App", "alice", ticker),
            new CurrentContext(new OneTurn()),
            CounterStore.Caps.DEFAULT,
            timers);
    private final ContextMutex<Integer> orders = runtime.root().mutex("orders", 1);
    private final LockGuard<Integer> held = orders.lock().toCompletableFuture().join();
    private final CompletableFuture<String> outcome = new CompletableFuture<>();
    private final Thread worker = new Thread(() -> {
        try (ContextScope ignored = runtime.root().child("request").open().makeCurrent();
                LockGuard<Integer> guard = orders.lockBlocking()) {
            outcome.complete("had " + guard.lockName());
        } catch (Throwable t) {
            outcome.completeExceptionally(t);
        }
    });

    @AfterEach
    void end() throws InterruptedException {
        worker.interrupt();
        worker.join();
        runtime.close();
    }

    private void waits() {
        worker.start();
        await().until(() -> timers.pending() == 1);
        assertThat(orders.waiters()).isEqualTo(1);
    }

    @Test
    void L9_whoIsHeldUpHasFiveSecondsToReleaseItElsewhereByTheTimeOfTheRuntime() {
        waits();
        timers.pass(Duration.ofMillis(4_999));
        assertThat(timers.pending()).isEqualTo(1);
        assertThat(orders.waiters()).isEqualTo(1);
        timers.pass(Duration.ofMillis(1));
        assertThat(outcome)
                .failsWithin(60, TimeUnit.SECONDS)
                .withThrowableThat()
                .havingCause()
                // Rule L15: nobody knows that it is a deadlock, so it is not called one.
                .isExactlyInstanceOf(IllegalStateException.class)
                .withMessage("mutex \"orders\" was asked for by app.request in a way that blocks, on an ordered worker;"
                        + " app, who has it, was not seen to release it within 5s, and may need this worker to go on;"
                        + " use the form that gives a stage, or block in executeBlocking(.., false)");
        assertThat(orders.waiters()).isZero();
        assertThat(runtime.timers().pending()).isZero();
        held.close();
        assertThat(orders.holder()).isNull();
    }

    @Test
    void L9_whoReleasesItElsewhereMeanwhileIsWaitedForAndLeavesNoTimer() {
        waits();
        timers.pass(Duration.ofSeconds(4));
        held.close();
        assertThat(outcome).succeedsWithin(60, TimeUnit.SECONDS).isEqualTo("had orders");
        assertThat(timers.pending()).isZero();
    }

    @Test
    void L4_anInterruptEndsThatWaitAndItsTimer() {
        waits();
        worker.interrupt();
        assertThat(outcome)
                .failsWithin(60, TimeUnit.SECONDS)
                .withThrowableThat()
                .isInstanceOf(CancellationException.class);
        assertThat(orders.waiters()).isZero();
        assertThat(timers.pending()).isZero();
        held.close();
    }

    /** Timers whose time is that of a ticker that is moved by hand. */
    private static final class VirtualTimers extends Timers {
        private final ManualTicker ticker;
        private final List<Timer> waiting = new ArrayList<>();

        private record Timer(long atNanos, Runnable task) {}

        VirtualTimers(ManualTicker ticker) {
            super(() -> Runnable::run);
            this.ticker = ticker;
        }

        void pass(Duration time) {
            ticker.advance(time);
            List<Timer> due;
            synchronized (this) {
                due = waiting.stream()
                        .filter(each -> each.atNanos <= ticker.nanos())
                        .toList();
                waiting.removeAll(due);
            }
            due.forEach(each -> each.task.run());
        }

        @Override
        synchronized Registration after(Duration delay, Runnable task) {
            Timer timer = new Timer(ticker.nanos() + delay.toNanos(), task);
            waiting.add(timer);
            return () -> callOff(timer);
        }

        private synchronized void callOff(Timer timer) {
            waiting.remove(timer);
        }

        @Override
        boolean tick(Duration delay, Runnable task) {
            return false;
        }

        @Override
        synchronized int pending() {
            return waiting.size();
        }
    }

    /** Every thread has the turn of the only execution context, as on a worker verticle. */
    private static final class OneTurn extends NoPlace implements Turn {
        @Override
        public Turn turn() {
            return this;
        }

        @Override
        public void await(CompletionStage<?> stage) {}

        @Override
        public boolean holdsUp(Executor completions) {
            return false;
        }

        @Override
        public boolean holdsUp(FastnContext context) {
            return true;
        }
    }
}
