package com.fastn.context.engine;

import static com.fastn.context.engine.Patience.await;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import com.fastn.context.ContextRuntime;
import com.fastn.context.FastnContext;
import com.fastn.context.LiveCount;
import com.fastn.context.LockGuard;
import com.fastn.context.ManualTicker;
import com.fastn.context.Operation;
import com.fastn.context.Unclosed;
import com.fastn.context.status.StatusWarning;
import java.lang.ref.PhantomReference;
import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

@SuppressWarnings("MustBeClosedChecker") // what is not closed is the matter here
class StrictModeTest {
    private final ManualTicker ticker = new ManualTicker(TestTree.START);
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final ContextRuntime runtime =
            ContextRuntime.builder().rootName("app").ticker(ticker).strict(true).build();
    private final FastnContext root = runtime.root();

    @AfterEach
    void close() {
        runtime.close();
    }

    private static LockGuard<Integer> guardOf(CompletionStage<LockGuard<Integer>> asked) {
        return asked.toCompletableFuture().join();
    }

    @Test
    void whatWasOpenedAndNotClosedIsToldWithTheLineOfTheCaller() {
        FastnContext session = root.child("session").open();
        ticker.advance(Duration.ofSeconds(2));
        LockGuard<Integer> guard = guardOf(session.mutex("orders", 1).lock());
        LockGuard<Integer> second = session.mutex("stock", 1).tryLock();
        LiveCount count = session.trackLive("requests");
        Operation query = session.operation("db-query");
        ticker.advance(Duration.ofSeconds(1));

        List<Unclosed> unclosed = runtime.unclosed();
        assertThat(unclosed)
                .extracting(Unclosed::kind, Unclosed::name, u -> u.path().toString(), Unclosed::contextId)
                .containsExactlyInAnyOrder(
                        tuple(Unclosed.Kind.CONTEXT, "session", "app.session", session.id()),
                        tuple(Unclosed.Kind.LOCK, "orders", "app.session", session.id()),
                        tuple(Unclosed.Kind.LOCK, "stock", "app.session", session.id()),
                        tuple(Unclosed.Kind.LIVE_COUNT, "requests", "app.session", session.id()),
                        tuple(Unclosed.Kind.OPERATION, "db-query", "app.session", session.id()));
        assertThat(unclosed.get(0).age()).isEqualTo(Duration.ofSeconds(3));
        assertThat(unclosed).allSatisfy(one -> {
            assertThat(one.openedAt().get(0).getClassName()).isEqualTo(StrictModeTest.class.getName());
            assertThat(one.openedAt()).hasSizeLessThanOrEqualTo(16);
            assertThat(one.describe())
                    .containsPattern(
                            "opened at com\\.fastn\\.context\\.engine\\.StrictModeTest"
                                    + "\\.whatWasOpenedAndNotClosedIsToldWithTheLineOfTheCaller\\(StrictModeTest\\.java:\\d+\\)");
        });
        query.close();
        count.close();
        guard.close();
        assertThat(second).isNotNull().satisfies(LockGuard::close);
        session.close();
        assertThat(runtime.unclosed()).isEmpty();
        assertThat(runtime.misuses()).isEmpty();
    }

    @Test
    void theSystemPropertyMakesARuntimeStrictUnlessItsBuilderSaysOtherwise() {
        assertThat(isStrict(ContextRuntime.builder())).as("unless said").isFalse();
        String before = System.setProperty("fastn.context.strict", "true");
        try {
            assertThat(isStrict(ContextRuntime.builder())).isTrue();
            assertThat(isStrict(ContextRuntime.builder().strict(false))).isFalse();
            // The runtime that a Vertx gets.
            EngineRuntime first = Engine.claim("first");
            EngineRuntime second = Engine.claim("second");
            assertThat(second.leaks()).isNotNull();
            Engine.release(second);
            Engine.release(first);
        } finally {
            if (before == null) {
                System.clearProperty("fastn.context.strict");
            } else {
                System.setProperty("fastn.context.strict", before);
            }
        }
    }

    private static boolean isStrict(ContextRuntime.Builder builder) {
        try (ContextRuntime built = builder.alias("strict?").build();
                FastnContext session = built.root().child("session").open()) {
            assertThat(session.isCancelled()).isFalse();
            return !built.unclosed().isEmpty();
        }
    }

    @Test
    void aGuardThatWasWaitedForHasThePlaceWhereItWasAskedFor() {
        LockGuard<Integer> first = guardOf(root.mutex("orders", 1).lock());
        CompletionStage<LockGuard<Integer>> asked = root.mutex("orders", 1).lock();
        long fence = first.fence();
        first.close();
        LockGuard<Integer> second = guardOf(asked);

        assertThat(second.fence()).isEqualTo(fence + 1);
        assertThat(runtime.unclosed())
                .singleElement()
                .satisfies(one -> assertThat(one.place())
                        .contains("aGuardThatWasWaitedForHasThePlaceWhereItWasAskedFor(StrictModeTest.java:"));
        second.close();
        assertThat(root.mutex("orders", 1).holder()).isNull();
    }

    @Test
    void whatClosesByItselfIsNotTracked() {
        CompletableFuture<String> work = new CompletableFuture<>();
        root.child("task").spawn(ctx -> work);
        root.awaiting("query", work);
        root.mutex("orders", 1).withLock(value -> work);
        assertThat(runtime.unclosed()).isEmpty();
        work.complete("done");
    }

    @Test
    void countsAndOperationsEndWithTheirContextButLocksDoNot() {
        FastnContext session = root.child("session").open();
        LiveCount count = session.trackLive("requests");
        Operation query = session.operation("db-query");
        LockGuard<Integer> guard = guardOf(session.mutex("orders", 1).lock());
        session.close();

        assertThat(runtime.unclosed()).extracting(Unclosed::kind).containsExactly(Unclosed.Kind.LOCK);
        assertThat(runtime.status().warnings()).singleElement().satisfies(warning -> {
            assertThat(warning.id()).isEqualTo("lock-leaked");
            assertThat(warning.next()).contains("it was locked at").contains("StrictModeTest.java:");
        });
        guard.close();
        count.close();
        query.close();
        assertThat(runtime.unclosed()).isEmpty();
    }

    @Test
    void L11_aHandleThatIsCollectedUnclosedIsReported() {
        forget();
        await().atMost(Duration.ofSeconds(30)).until(() -> {
            System.gc();
            return runtime.misuses().size() == 3;
        });
        assertThat(runtime.misuses())
                .containsExactly(
                        "1x a handle (live count) was garbage collected without being closed;"
                                + " close it, try-with-resources does",
                        "1x a handle (lock) was garbage collected without being closed;"
                                + " close it, try-with-resources does",
                        "1x a handle (operation) was garbage collected without being closed;"
                                + " close it, try-with-resources does");
        assertThat(runtime.status().warnings())
                .extracting(StatusWarning::id, StatusWarning::message)
                .containsExactlyInAnyOrder(
                        tuple(
                                "lock-leaked",
                                "Leaked lock \"orders\" (0s) held by app, which let its guard go unclosed"),
                        tuple("children-unclosed", "The handle of live count \"requests\" was let go unclosed"),
                        tuple("children-unclosed", "The handle of operation \"db-query\" was let go unclosed"));
        assertThat(runtime.unclosed()).hasSize(3);
    }

    /** The time begins when a reference beside that of the cleaner tells that the guard was collected. */
    @Test
    void L11_aGuardThatWasCollectedIsReportedWithinFiveSeconds() {
        Duration quickest = Duration.ofHours(1);
        // On a machine that stands still one may be late, and not all of them.
        for (int i = 1; i <= 5 && quickest.compareTo(Duration.ofSeconds(5)) > 0; i++) {
            ReferenceQueue<Object> collected = new ReferenceQueue<>();
            PhantomReference<Object> beside = forgotten("orders-" + i, collected);
            try {
                await().atMost(PATIENCE).until(() -> {
                    System.gc();
                    return collected.poll() != null;
                });
            } finally {
                Reference.reachabilityFence(beside);
            }
            long began = System.nanoTime();
            String told = i + "x a handle (lock) was garbage collected";
            await().pollInterval(Duration.ofMillis(1))
                    .atMost(PATIENCE)
                    .until(() -> runtime.misuses().stream().anyMatch(each -> each.startsWith(told)));
            Duration took = Duration.ofNanos(System.nanoTime() - began);
            quickest = took.compareTo(quickest) < 0 ? took : quickest;
        }
        System.out.println("StrictModeTest: reported " + quickest.toMillis() + " ms after the guard was collected");
        assertThat(quickest).isLessThanOrEqualTo(Duration.ofSeconds(5));
    }

    private PhantomReference<Object> forgotten(String name, ReferenceQueue<Object> collected) {
        return new PhantomReference<>(guardOf(root.mutex(name, 1).lock()), collected);
    }

    private void forget() {
        assertThat(guardOf(root.mutex("orders", 1).lock()).value()).isEqualTo(1);
        assertThat(root.trackLive("requests")).isNotNull();
        assertThat(root.operation("db-query").name()).isEqualTo("db-query");
    }

    @Test
    void aContextThatIsForgottenStaysListedWithItsLineForTheTreeKeepsIt() {
        long id = forgetContext();
        WeakReference<Object> garbage = new WeakReference<>(new Object());
        await().atMost(Duration.ofSeconds(30)).until(() -> {
            System.gc();
            return garbage.get() == null;
        });
        assertThat(runtime.unclosed()).singleElement().satisfies(one -> {
            assertThat(one.kind()).isEqualTo(Unclosed.Kind.CONTEXT);
            assertThat(one.contextId()).isEqualTo(id);
            assertThat(one.place()).contains("forgetContext(StrictModeTest.java:");
        });
        assertThat(runtime.misuses()).isEmpty();
    }

    private long forgetContext() {
        return root.child("forgotten").open().id();
    }

    @Test
    void S7_aRuntimeThatClosesSaysInOneLineOfTheLogWhatWasLeftOpenAndWhere() {
        root.child("session\r\nFAKE {}").open();
        List<Operation> kept = new ArrayList<>();
        for (int i = 0; i < 25; i++) {
            ticker.advance(Duration.ofMillis(1));
            kept.add(root.operation("query-" + i));
        }
        String log = CapturedLog.of(runtime::close);
        assertThat(kept).hasSize(25);
        assertThat(log.lines())
                .singleElement()
                .satisfies(line -> assertThat(line)
                        .contains(
                                "the runtime closes, and 26 things were never closed: context app.session\\u{d}\\u{a}FAKE {}")
                        .contains(
                                "S7_aRuntimeThatClosesSaysInOneLineOfTheLogWhatWasLeftOpenAndWhere(StrictModeTest.java:")
                        .contains("query-18")
                        .doesNotContain("query-19")
                        .endsWith("; +6 more"));
        assertThat(CapturedLog.of(runtime::close)).as("a second close").isEmpty();
    }

    @Test
    void aRuntimeInWhichAllWasClosedClosesWithoutAWord() {
        root.child("session").open().close();
        assertThat(CapturedLog.of(runtime::close)).isEmpty();
    }

    @Test
    void withoutStrictModeNothingIsRecordedAndTheEnginesOwnObjectsAreGiven() {
        try (ContextRuntime plain = ContextRuntime.builder().strict(false).build()) {
            plain.root().child("session").open();
            LockGuard<Integer> guard = guardOf(plain.root().mutex("orders", 1).lock());
            Operation query = plain.root().operation("db-query");
            assertThat(guard).isInstanceOf(Grant.class);
            assertThat(query).isInstanceOf(RunningOperation.class);
            assertThat(plain.unclosed()).isEmpty();
        }
    }

    @Test
    void aLockThatEndsWithItsContextIsOpenNoLonger() {
        var lock = root.mutex("orders", 1);
        lock.setAutoReleaseOnEnd(true);
        FastnContext session = root.child("session").open();
        LockGuard<Integer> guard;
        try (var ignored = session.makeCurrent()) {
            guard = lock.tryLock();
        }
        assertThat(guard).isNotNull();
        session.close();
        assertThat(lock.holder()).isNull();
        assertThat(runtime.unclosed()).isEmpty();
    }

    @Test
    void aStrictRuntimeThatIsClosedLeavesNeitherItselfNorAThread() {
        List<ContextRuntime> open = new ArrayList<>();
        long before = cleanerThreads();
        for (int i = 0; i < 10; i++) {
            open.add(ContextRuntime.builder().strict(true).build());
        }
        assertThat(cleanerThreads()).isLessThanOrEqualTo(before + 1);
        open.forEach(ContextRuntime::close);

        WeakReference<ContextRuntime> closed = closedWithAnOperationThatItRefersTo();
        await().atMost(Duration.ofSeconds(60)).until(() -> {
            System.gc();
            return closed.get() == null;
        });
    }

    private static long cleanerThreads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith("Cleaner-"))
                .count();
    }

    private static WeakReference<ContextRuntime> closedWithAnOperationThatItRefersTo() {
        try (ContextRuntime strict = ContextRuntime.builder().strict(true).build()) {
            Operation query = strict.root().operation("db-query");
            strict.root().onCancel(reason -> assertThat(query.name()).isEqualTo("db-query"));
            LockGuard<Operation> guard =
                    requireNonNull(strict.root().mutex("orders", query).tryLock());
            assertThat(guard.value()).isSameAs(query);
            return new WeakReference<>(strict);
        }
    }
}
