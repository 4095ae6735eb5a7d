package com.fastn.context.test;

import static org.assertj.core.api.Assertions.as;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.InstanceOfAssertFactories.STRING;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import com.fastn.context.ContextEngine;
import com.fastn.context.ContextRuntime;
import com.fastn.context.ContextScope;
import com.fastn.context.FastnContext;
import com.fastn.context.LockGuard;
import com.fastn.context.ManualTicker;
import com.fastn.context.Operation;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.api.parallel.Isolated;
import org.junit.platform.engine.DiscoverySelector;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.testkit.engine.EngineTestKit;

/** Runs classes of tests in an engine of their own, and looks at what became of them. */
class FastnContextExtensionTest {

    @Test
    void aTestThatLeavesContextsOpenFailsAndEachIsNamedWithPathAndAge() {
        assertThat(failureOf(LeavesContextsOpen.class))
                .startsWith("LeavesContextsOpen.leaks(FastnContext, ManualTicker) left behind:\n")
                .containsPattern(
                        "context global\\.session#\\d+, open for 3s, opened at \\S+\\$LeavesContextsOpen\\.leaks\\(FastnContextExtensionTest\\.java:\\d+\\)\n")
                .containsPattern(
                        "context global\\.session\\.reader#\\d+, open for 2s, inside \"db-query\" for 1.5s, opened at \\S+\n")
                .containsPattern("operation \"db-query\" of global\\.session\\.reader#\\d+, open for 1.5s, opened at"
                        + " \\S+\\.leaks\\(FastnContextExtensionTest\\.java:\\d+\\)\n")
                .contains("Close what open()");
    }

    @Test
    void aTestThatHoldsALockAndOneThatWaitsForItAreBothNamed() {
        assertThat(failureOf(LeavesLockHeld.class))
                .containsPattern("mutex \"orders\", held by global\\.holder#\\d+ for 8s, opened at"
                        + " \\S+\\.lockIn\\(FastnContextExtensionTest\\.java:\\d+\\)\n")
                .containsPattern("a wait of global\\.waiter#\\d+ for \"orders\", for 8s\n");
    }

    @Test
    void aContextThatIsClosedButHasOpenChildrenIsSaidToBeSo() {
        assertThat(failureOf(ClosesTheParentOnly.class)).contains("closed but with open children");
    }

    @Test
    void aContextLeftOpenInTheDefaultRuntimeFailsTheTestThatOpenedItAndNoLaterOne() {
        FastnContext older =
                ContextRuntime.defaultRuntime().root().child("older").open();
        try {
            assertThat(failureOf(LeaksIntoTheDefaultRuntime.class))
                    .contains("global.stray")
                    .doesNotContain("older");
        } finally {
            older.close();
            ContextRuntime.defaultRuntime().root().children().forEach(FastnContext::close);
        }
    }

    @Test
    void aTestThatClosesWhatItOpenedPasses() {
        assertThat(failuresOf(CleansUp.class)).isEmpty();
    }

    @Test
    void whatEndsByItselfShortlyAfterTheTestIsWaitedFor() {
        assertThat(failuresOf(EndsALittleLater.class)).isEmpty();
    }

    @Test
    void unlessSaidItIsWaitedForAWhile() {
        assertThat(failuresOf(EndsBeforeTheSecondLook.class)).isEmpty();
    }

    @Test
    void theFailureOfTheTestItselfComesFirstAndTheLeftoversAreSuppressedInIt() {
        Throwable failure = EngineTestKit.engine("junit-jupiter")
                .selectors(selectClass(FailsAndLeaks.class))
                .execute()
                .testEvents()
                .failed()
                .stream()
                .map(event -> event.getRequiredPayload(org.junit.platform.engine.TestExecutionResult.class)
                        .getThrowable()
                        .orElseThrow())
                .findFirst()
                .orElseThrow();
        assertThat(failure).hasMessage("the test's own");
        assertThat(failure.getSuppressed()).hasSize(1);
        assertThat(failure.getSuppressed()[0]).hasMessageContaining("global.stray");
    }

    @Test
    void misuseFailsATestOnlyWhereThatWasAskedFor() {
        assertThat(failuresOf(MisusesQuietly.class)).isEmpty();
        assertThat(failureOf(MisusesStrictly.class)).contains("misuse: ");
    }

    @Test
    void aParameterWhereThereIsNoTestYetIsRefusedWithTheReason() {
        assertThat(failureOf(TakesARuntimeTooEarly.class)).contains("take it in the test, in @BeforeEach");
    }

    @Nested
    @ExtendWith(FastnContextExtension.class)
    class InjectedParameters {
        private FastnContext rootBefore = FastnContext.global();

        @BeforeEach
        void remember(FastnContext root) {
            rootBefore = root;
        }

        @Test
        void theRootIsThatOfTheRuntimeAndTheCurrentContextOfTheTestsThread(ContextRuntime runtime, FastnContext root) {
            assertThat(root).isSameAs(runtime.root()).isSameAs(rootBefore).isSameAs(FastnContext.current());
            assertThat(runtime)
                    .as("what runs off any context reaches the test's runtime")
                    .isSameAs(ContextRuntime.defaultRuntime());
        }

        @Test
        void theRuntimeRunsOnTheManualTickerWhenTheTestTakesIt(FastnContext root, ManualTicker time) {
            time.advance(Duration.ofMinutes(5));
            assertThat(root.duration()).isEqualTo(Duration.ofMinutes(5));
        }
    }

    @Test
    void aLiveCountThatIsNotTakenBackIsNamedWithTheLineThatAddedIt() {
        assertThat(failureOf(LeavesALiveCount.class))
                .containsPattern("live count \"requests\" of global#\\d+, open for \\S+, opened at"
                        + " \\S+\\.leaks\\(FastnContextExtensionTest\\.java:\\d+\\)");
    }

    @Test
    void afterATestTheDefaultRuntimeOfBeforeIsBack() {
        ContextRuntime before = ContextRuntime.defaultRuntime();
        assertThat(failuresOf(SeenRuntimes.class)).isEmpty();
        assertThat(ContextRuntime.defaultRuntime()).isSameAs(before).isNotIn(SeenRuntimes.SEEN);
    }

    @Test
    void eachTestHasARuntimeOfItsOwn() {
        SeenRuntimes.SEEN.clear();
        assertThat(failuresOf(SeenRuntimes.class)).isEmpty();
        assertThat(SeenRuntimes.SEEN).hasSize(2).doesNotHaveDuplicates();
    }

    @Test
    @Timeout(60)
    void classesThatRunSideBySideLeaveTheDefaultRuntimeAsItIsAndSeeNothingOfEachOther() {
        ContextRuntime before = ContextRuntime.defaultRuntime();
        SideBySide.begin();
        try {
            assertThat(failuresOf(concurrentClasses(EndsFirst.class, EndsLast.class)))
                    .isEmpty();
            assertThat(SideBySide.DEFAULTS).containsOnly(before);
            assertThat(ContextRuntime.defaultRuntime()).isSameAs(before);
        } finally {
            before.root().children().forEach(FastnContext::close);
        }
    }

    @Test
    void aClassThatAsksForTheSameThreadHasTheConcurrentOnesBesideItAllTheSame() {
        SideBySide.begin();
        assertThat(failuresOf(concurrentClasses(InTurn.class))).isEmpty();
        assertThat(SideBySide.DEFAULTS).containsExactly(ContextRuntime.defaultRuntime());
    }

    @Test
    void anIsolatedClassHasTheDefaultRuntimeToItself() {
        SideBySide.begin();
        assertThat(failuresOf(concurrentClasses(Alone.class))).isEmpty();
        assertThat(SideBySide.DEFAULTS)
                .singleElement()
                .isSameAs(SideBySide.runtimeOfTheTest())
                .isNotSameAs(ContextRuntime.defaultRuntime());
    }

    @Test
    void whatIsConcurrentByItsAnnotationRunsInTurnWhereJUnitDoesSo() {
        SideBySide.begin();
        assertThat(failuresOf(ConcurrentIfAnythingIs.class)).isEmpty();
        assertThat(SideBySide.DEFAULTS).singleElement().isSameAs(SideBySide.runtimeOfTheTest());
    }

    @Test
    void anExtensionThatIsRegisteredTwiceGivesOneRuntimeAndLeavesNothingBehind() {
        ContextRuntime before = ContextRuntime.defaultRuntime();
        assertThat(failuresOf(RegisteredTwice.class))
                .singleElement(as(STRING))
                .contains("misuse: ")
                .contains("global.stray");
        assertThat(ContextRuntime.defaultRuntime()).isSameAs(before);
        assertThat(ContextEngine.get().currentOrNull())
                .as("the current context of the thread")
                .isNull();
    }

    private static List<String> failuresOf(Class<?> tests) {
        return failuresOf(EngineTestKit.engine("junit-jupiter").selectors(selectClass(tests)));
    }

    private static EngineTestKit.Builder concurrentClasses(Class<?>... tests) {
        return EngineTestKit.engine("junit-jupiter")
                .selectors(Arrays.stream(tests)
                        .map(DiscoverySelectors::selectClass)
                        .toArray(DiscoverySelector[]::new))
                .configurationParameter("junit.jupiter.execution.parallel.enabled", "true")
                .configurationParameter("junit.jupiter.execution.parallel.mode.default", "same_thread")
                .configurationParameter("junit.jupiter.execution.parallel.mode.classes.default", "concurrent")
                .configurationParameter("junit.jupiter.execution.parallel.config.strategy", "fixed")
                .configurationParameter("junit.jupiter.execution.parallel.config.fixed.parallelism", "4");
    }

    private static List<String> failuresOf(EngineTestKit.Builder tests) {
        var events = tests.execute().testEvents();
        assertThat(events.started().count()).isPositive();
        return events.failed().stream()
                .map(event -> event.getRequiredPayload(org.junit.platform.engine.TestExecutionResult.class)
                        .getThrowable()
                        .map(Throwable::getMessage)
                        .orElse("no reason"))
                .toList();
    }

    private static String failureOf(Class<?> tests) {
        List<String> failures = failuresOf(tests);
        assertThat(failures).hasSize(1);
        return failures.get(0);
    }

    /** No grace: what the fixtures leave behind ends never. */
    abstract static class NoGrace {
        @RegisterExtension
        final FastnContextExtension fastn = new FastnContextExtension().withGrace(Duration.ZERO);
    }

    static class LeavesContextsOpen extends NoGrace {
        @Test
        @SuppressWarnings("MustBeClosedChecker") // the point of the fixture
        void leaks(FastnContext root, ManualTicker time) {
            FastnContext session = root.child("session").open();
            time.advance(Duration.ofSeconds(1));
            FastnContext reader = session.child("reader").open();
            time.advance(Duration.ofMillis(500));
            Operation query = reader.operation("db-query");
            time.advance(Duration.ofMillis(1500));
            assertThat(query.name()).isEqualTo("db-query");
        }
    }

    static class LeavesLockHeld extends NoGrace {
        @Test
        void leaks(FastnContext root, ManualTicker time) {
            lockIn(root.child("holder").open(), root);
            lockIn(root.child("waiter").open(), root);
            time.advance(Duration.ofSeconds(8));
        }

        private static void lockIn(FastnContext context, FastnContext owner) {
            try (ContextScope ignored = context.makeCurrent()) {
                owner.mutex("orders", 0).lock();
            }
        }
    }

    static class LeavesALiveCount extends NoGrace {
        @Test
        @SuppressWarnings("MustBeClosedChecker") // the point of the fixture
        void leaks(FastnContext root) {
            assertThat(root.trackLive("requests")).isNotNull();
        }
    }

    static class ClosesTheParentOnly extends NoGrace {
        @Test
        void leaks(FastnContext root) {
            FastnContext parent = root.child("parent").open();
            parent.child("child").open();
            parent.close();
        }
    }

    static class LeaksIntoTheDefaultRuntime extends NoGrace {
        @Test
        void first() {
            ContextRuntime.defaultRuntime().root().child("stray").open();
        }

        @Test
        void second(FastnContext root) {
            assertThat(root.children()).isEmpty();
        }
    }

    @ExtendWith(FastnContextExtension.class)
    static class CleansUp {
        @Test
        void closes(FastnContext root) {
            try (FastnContext session = root.child("session").open()) {
                LockGuard<Integer> guard =
                        session.mutex("m", 1).lock().toCompletableFuture().join();
                guard.close();
            }
        }
    }

    static class EndsALittleLater {
        /** Longer than any machine takes for it. */
        @RegisterExtension
        final FastnContextExtension fastn = new FastnContextExtension().withGrace(Duration.ofMinutes(1));

        @Test
        void spawns(FastnContext root) {
            CompletableFuture<String> later = new CompletableFuture<>();
            root.spawnChild("task", ctx -> later);
            new Thread(() -> later.complete("done")).start();
        }
    }

    /** By the extension's own look, so that it depends on no clock: the second one comes when the time is over. */
    @ExtendWith(FastnContextExtension.class)
    static class EndsBeforeTheSecondLook {
        @Test
        void opens(ContextRuntime runtime, FastnContext root) {
            FastnContext task = root.child("task").open();
            AtomicInteger looks = new AtomicInteger();
            runtime.setSystemMetrics(() -> {
                if (looks.incrementAndGet() == 2) {
                    task.close();
                }
                return null;
            });
        }
    }

    static class FailsAndLeaks extends NoGrace {
        @Test
        void fails(FastnContext root) {
            root.child("stray").open();
            throw new IllegalStateException("the test's own");
        }
    }

    @ExtendWith(FastnContextExtension.class)
    static class MisusesQuietly {
        @Test
        void misuses(FastnContext root) {
            root.decrementLive("nothing");
        }
    }

    static class MisusesStrictly {
        @RegisterExtension
        final FastnContextExtension fastn = new FastnContextExtension().failingOnMisuse();

        @Test
        void misuses(FastnContext root) {
            root.decrementLive("nothing");
        }
    }

    @ExtendWith(FastnContextExtension.class)
    static class TakesARuntimeTooEarly {
        TakesARuntimeTooEarly(ContextRuntime runtime) {
            assertThat(runtime).isNotNull();
        }

        @Test
        void neverRuns() {}
    }

    /** What two classes see which run at once: the second begins in the first, and ends after it. */
    @ExtendWith(FastnContextExtension.class)
    abstract static class SideBySide {
        static final List<ContextRuntime> DEFAULTS = new CopyOnWriteArrayList<>();
        private static final List<ContextRuntime> OF_TESTS = new CopyOnWriteArrayList<>();
        static volatile CountDownLatch secondBegan = new CountDownLatch(1);
        static volatile CountDownLatch firstEnded = new CountDownLatch(1);

        static void begin() {
            DEFAULTS.clear();
            OF_TESTS.clear();
            secondBegan = new CountDownLatch(1);
            firstEnded = new CountDownLatch(1);
        }

        static ContextRuntime runtimeOfTheTest() {
            assertThat(OF_TESTS).hasSize(1);
            return OF_TESTS.get(0);
        }

        static void look(ContextRuntime runtime) {
            OF_TESTS.add(runtime);
            DEFAULTS.add(ContextRuntime.defaultRuntime());
        }
    }

    static class EndsFirst extends SideBySide {
        @Test
        void leavesAContextInTheDefaultRuntime(ContextRuntime runtime) throws InterruptedException {
            secondBegan.await();
            look(runtime);
            ContextRuntime.defaultRuntime().root().child("stray").open();
        }

        @AfterAll
        static void end() {
            firstEnded.countDown();
        }
    }

    static class EndsLast extends SideBySide {
        @Test
        void looksAfterTheOtherHasEnded(ContextRuntime runtime) throws InterruptedException {
            secondBegan.countDown();
            firstEnded.await();
            look(runtime);
        }
    }

    @Execution(ExecutionMode.SAME_THREAD)
    static class InTurn extends SideBySide {
        @Test
        void looks(ContextRuntime runtime) {
            look(runtime);
        }
    }

    @Isolated
    static class Alone extends SideBySide {
        @Test
        void looks(ContextRuntime runtime) {
            look(runtime);
        }
    }

    @Execution(ExecutionMode.CONCURRENT)
    static class ConcurrentIfAnythingIs extends SideBySide {
        @Test
        void looks(ContextRuntime runtime) {
            look(runtime);
        }
    }

    @ExtendWith(FastnContextExtension.class)
    static class RegisteredTwice {
        @RegisterExtension
        final FastnContextExtension fastn =
                new FastnContextExtension().withGrace(Duration.ZERO).failingOnMisuse();

        @Test
        void misuses(ContextRuntime runtime, FastnContext root) {
            assertThat(runtime).isSameAs(ContextRuntime.defaultRuntime());
            root.decrementLive("nothing");
            root.child("stray").open();
        }
    }

    @ExtendWith(FastnContextExtension.class)
    static class SeenRuntimes {
        static final List<ContextRuntime> SEEN = new ArrayList<>();

        @Test
        void first(ContextRuntime runtime) {
            SEEN.add(runtime);
        }

        @Test
        void second(ContextRuntime runtime) {
            SEEN.add(runtime);
        }
    }
}
