package com.fastn.context.engine;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.ContextMutex;
import com.fastn.context.ContextRuntime;
import com.fastn.context.FastnContext;
import com.fastn.context.LockGuard;
import com.fastn.context.ManualTicker;
import com.fastn.context.status.LockStatus;
import com.fastn.context.status.LockWaiter;
import com.fastn.context.status.StatusJson;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.context.status.StatusWarning;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The lines of code that took a lock and that wait for one, in all that shows locks. */
class LockPlacesTest {
    private static final String THIS_CLASS = LockPlacesTest.class.getName() + ".";
    private static final String THIS_FILE = "LockPlacesTest\\.java:\\d+";

    private final ManualTicker ticker = new ManualTicker(TestTree.START);
    private @Nullable ContextRuntime made;

    @AfterEach
    void close() {
        if (made != null) {
            made.close();
        }
    }

    private ContextRuntime runtime(boolean strict) {
        made = ContextRuntime.builder()
                .rootName("app")
                .ticker(ticker)
                .strict(strict)
                .build();
        return made;
    }

    private static LockStatus held(StatusSnapshot snapshot) {
        return snapshot.activeLocks().get(0);
    }

    private static LockWaiter waiting(StatusSnapshot snapshot) {
        return snapshot.lockWaiters().get(0);
    }

    private static String message(StatusSnapshot snapshot, String id) {
        StatusWarning found = snapshot.warnings().stream()
                .filter(warning -> warning.id().equals(id))
                .findFirst()
                .orElseThrow();
        return found.message() + " -> " + found.next();
    }

    @Test
    void inStrictModeStatusWarningsAndExplanationNameTheLinesThatTookALockAndThatWaitForIt() {
        ContextRuntime runtime = runtime(true);
        FastnContext settle = runtime.root().child("settle").open();
        FastnContext req = runtime.root().child("req").open();
        ContextMutex<Integer> orders = runtime.root().mutex("orders", 1);
        LockGuard<Integer> guard = MutexTest.ask(settle, orders).join();
        CompletableFuture<LockGuard<Integer>> asked = MutexTest.ask(req, orders);
        ticker.advance(Duration.ofMillis(12_300));

        StatusSnapshot snapshot = StatusJson.readSnapshot(StatusJson.write(runtime.status()));
        assertThat(held(snapshot).heldAt()).startsWith(MutexTest.class.getName() + ".ask(MutexTest.java:");
        assertThat(waiting(snapshot).waitsAt()).startsWith(MutexTest.class.getName() + ".ask(MutexTest.java:");
        assertThat(snapshot.toString())
                .containsPattern("\"orders\" held by settle \\(12\\.3s, taken at MutexTest\\.java:\\d+\\), 1 waiting")
                .containsPattern("req waiting for \"orders\" \\(12\\.3s, asked at MutexTest\\.java:\\d+\\)");
        assertThat(message(snapshot, "lock-long-held"))
                .containsPattern("held by settle, 1 waiting -> what settle is doing since it took the lock at "
                        + "com\\.fastn\\S+MutexTest\\.ask\\(MutexTest\\.java:\\d+\\)$");
        assertThat(message(snapshot, "waiter-stuck"))
                .containsPattern("req stuck waiting \\(12\\.3s\\) for \"orders\" at com\\.fastn\\S+MutexTest\\.ask"
                        + "\\(MutexTest\\.java:\\d+\\), held by settle -> what settle is doing since");
        assertThat(String.valueOf(runtime.explain(req.id())))
                .containsPattern("req  waits for mutex \"orders\" 12\\.3s, asked at MutexTest\\.java:\\d+\n")
                .containsPattern("held 12\\.3s by settle, taken at MutexTest\\.java:\\d+\n");
        asked.cancel(false);
        guard.close();
    }

    @Test
    void aHolderThatHasEndedIsExplainedWithTheLineThatTookItsLock() {
        ContextRuntime runtime = runtime(true);
        FastnContext settle = runtime.root().child("settle").open();
        FastnContext req = runtime.root().child("req").open();
        ContextMutex<Integer> orders = runtime.root().mutex("orders", 1);
        LockGuard<Integer> guard = requireNonNull(taken(settle, orders));
        CompletableFuture<LockGuard<Integer>> asked = MutexTest.ask(req, orders);
        settle.close();
        ticker.advance(Duration.ofSeconds(12));
        assertThat(String.valueOf(runtime.explain(req.id())))
                .containsPattern("has ended, and never gave back mutex \"orders\", held 12s, taken at " + THIS_FILE);
        asked.cancel(false);
        guard.close();
    }

    @SuppressWarnings("MustBeClosedChecker") // the test closes it
    private static @Nullable LockGuard<Integer> taken(FastnContext by, ContextMutex<Integer> lock) {
        try (var ignored = by.makeCurrent()) {
            return lock.tryLock();
        }
    }

    @Test
    void withoutStrictModeTheyAreKnownFromTheFirstLongWaitOn() {
        ContextRuntime runtime = runtime(false);
        ContextMutex<Integer> orders = runtime.root().mutex("orders", 1);
        LockGuard<Integer> first = requireNonNull(taken(runtime.root(), orders));
        CompletableFuture<LockGuard<Integer>> second = MutexTest.ask(runtime.root(), orders);
        ticker.advance(Duration.ofSeconds(6));
        StatusSnapshot before = StatusJson.readSnapshot(StatusJson.write(runtime.status()));
        assertThat(held(before).heldAt()).isNull();
        assertThat(waiting(before).waitsAt()).isNull();
        assertThat(before.toString())
                .contains("\"orders\" held by app (6s), 1 waiting", "app waiting for \"orders\" (6s)");

        first.close();
        second.join().close();
        LockGuard<Integer> third = requireNonNull(taken(runtime.root(), orders));
        StatusSnapshot after = runtime.status();
        assertThat(held(after).heldAt()).startsWith(THIS_CLASS + "taken(");
        assertThat(held(after).withoutPlace().heldAt()).isNull();
        third.close();
    }
}
