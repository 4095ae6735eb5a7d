package com.fastn.context.engine;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.ContextEngine;
import com.fastn.context.ContextMutex;
import com.fastn.context.ContextScope;
import com.fastn.context.FastnContext;
import com.fastn.context.LockGuard;
import com.fastn.context.ManualTicker;
import com.fastn.context.Ticker;
import com.fastn.context.event.ContextEvent;
import com.fastn.context.status.CauseKind;
import com.fastn.context.status.ContextState;
import com.fastn.context.status.LockStatus;
import com.fastn.context.status.StatusJson;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.context.status.StatusWarning;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a status says of a context that ends while the status is made. */
@SuppressWarnings("MustBeClosedChecker") // guards are closed by hand
class EndedMeanwhileTest {
    /** Asked for the hour once for each status, between the look at the locks and the one at the contexts. */
    private static final class Meanwhile implements Ticker {
        private final ManualTicker ticker = new ManualTicker(TestTree.START);
        private final AtomicReference<Runnable> next = new AtomicReference<>(() -> {});

        @Override
        public long nanos() {
            return ticker.nanos();
        }

        @Override
        public Instant wallTime() {
            next.getAndSet(() -> {}).run();
            return ticker.wallTime();
        }
    }

    private final Meanwhile clock = new Meanwhile();
    private final EngineRuntime runtime = new EngineRuntime(
            new ContextEngine.Settings("app", "App", "alice", clock, Integer.MAX_VALUE, 100, false),
            Engine.instance().currentContext());
    private final FastnContext holder = runtime.root().child("audit").open();
    private final FastnContext waiter = runtime.root().child("order").open();
    private final ContextMutex<Integer> stock = runtime.root().mutex("stock", 1);
    private final LockGuard<Integer> guard;

    EndedMeanwhileTest() {
        try (ContextScope ignored = holder.makeCurrent()) {
            guard = requireNonNull(stock.tryLock());
        }
        try (ContextScope ignored = waiter.makeCurrent()) {
            var unused = stock.lock();
        }
        clock.ticker.advance(Duration.ofMinutes(2));
    }

    @AfterEach
    void close() {
        runtime.close();
    }

    @Test
    void M9_whoGaveBackWhatItHeldAndEndedIsNotShownAsOneThatEndedAndHoldsIt() {
        clock.next.set(() -> {
            guard.close();
            holder.close();
        });
        StatusSnapshot status = runtime.status();
        assertThat(status.activeLocks()).extracting(LockStatus::heldByContext).doesNotContain("audit");
        assertThat(status.warnings()).extracting(StatusWarning::id).doesNotContain("lock-leaked");
        assertThat(runtime.explainAll())
                .allSatisfy(each -> assertThat(each.root().kind()).isNotEqualTo(CauseKind.ENDED));
    }

    @Test
    void M9_norIsItWhereTheTreeIsWrittenMeanwhile() {
        for (int i = 0; i < 1_000; i++) {
            runtime.root().child("item").open();
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream() {
            private boolean begun;

            @Override
            public synchronized void write(byte[] bytes, int offset, int length) {
                if (!begun) {
                    begun = true;
                    guard.close();
                    holder.close();
                }
                super.write(bytes, offset, length);
            }
        };
        runtime.writeStatus(out);
        StatusSnapshot status = StatusJson.readSnapshot(out.toString(StandardCharsets.UTF_8));
        assertThat(holder.state()).isEqualTo(ContextState.CLOSED);
        assertThat(status.globalContext().children()).hasSizeGreaterThan(1_000);
        assertThat(status.activeLocks()).extracting(LockStatus::heldByContext).doesNotContain("audit");
    }

    @Test
    void L10_whoEndsAndKeepsItIsShown() {
        clock.next.set(holder::close);
        StatusSnapshot status = runtime.status();
        assertThat(status.activeLocks()).extracting(LockStatus::heldByContext).containsExactly("audit");
        assertThat(status.warnings()).extracting(StatusWarning::id).contains("lock-leaked");
        assertThat(runtime.explainAll())
                .singleElement()
                .satisfies(each ->
                        assertThat(each.toString()).contains("audit: has ended, and never gave back mutex \"stock\""));
        guard.close();
    }

    /** Of several locks each is released after the other, and whoever is told of the first finds the second one held. */
    @Test
    void L10_whatIsReleasedWithItsContextIsNotCalledLeakedInBetween() {
        ContextMutex<Integer> first = runtime.root().mutex("first", 1);
        ContextMutex<Integer> second = runtime.root().mutex("second", 2);
        first.setAutoReleaseOnEnd(true);
        second.setAutoReleaseOnEnd(true);
        FastnContext ends = runtime.root().child("ends").open();
        try (ContextScope ignored = ends.makeCurrent()) {
            var unused = List.of(requireNonNull(first.tryLock()), requireNonNull(second.tryLock()));
        }
        var unusedWait = second.lock();
        clock.ticker.advance(Duration.ofMinutes(2));
        List<StatusSnapshot> inBetween = new ArrayList<>();
        List<FastnContext> stillHeldBy = new ArrayList<>();
        runtime.addListener(event -> {
            if (event instanceof ContextEvent.LockReleased released
                    && released.lockName().equals("first")) {
                stillHeldBy.addAll(second.holders());
                inBetween.add(runtime.status());
            }
        });
        ends.close();
        assertThat(stillHeldBy).containsExactly(ends);
        assertThat(inBetween).singleElement().satisfies(status -> {
            assertThat(status.warnings()).extracting(StatusWarning::id).doesNotContain("lock-leaked");
            assertThat(status.activeLocks())
                    .extracting(LockStatus::heldByContext)
                    .doesNotContain("ends");
        });
        guard.close();
    }

    @Test
    void L10_whatWasTakenBeforeItWasToBeReleasedWithItsContextIsLeakedAsBefore() {
        stock.setAutoReleaseOnEnd(true);
        holder.close();
        assertThat(runtime.status().warnings()).extracting(StatusWarning::id).contains("lock-leaked");
        guard.close();
    }
}
