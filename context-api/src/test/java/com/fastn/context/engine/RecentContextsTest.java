package com.fastn.context.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fastn.context.ContextRuntime;
import com.fastn.context.ContextScope;
import com.fastn.context.FastnContext;
import com.fastn.context.status.CallerLink;
import com.fastn.context.status.CancelReason;
import com.fastn.context.status.ContextKind;
import com.fastn.context.status.ContextPath;
import com.fastn.context.status.FinishedContext;
import com.fastn.context.status.FinishedContext.Cancelled;
import com.fastn.context.status.FinishedContext.Completed;
import com.fastn.context.status.FinishedContext.Failed;
import com.fastn.context.status.Redactor;
import com.fastn.context.status.SnapshotLimits;
import com.fastn.context.status.StatusJson;
import com.fastn.context.status.StatusSnapshot;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class RecentContextsTest {
    @RegisterExtension
    final TestTree tree = new TestTree();

    @Test
    void aContextThatIsMarkedIsRememberedWhenItEnds() {
        tree.pass(Duration.ofSeconds(5));
        FastnContext job = tree.root
                .child("job")
                .withLabel("Job")
                .withKind(ContextKind.SERVICE)
                .open();
        job.persist();
        job.persist();
        job.addTotal("pages", 3);
        tree.pass(Duration.ofMillis(2_300));
        assertThat(tree.runtime.recent()).isEmpty();
        job.close();
        tree.pass(Duration.ofDays(1));

        assertThat(tree.runtime.recent())
                .containsExactly(new FinishedContext(
                        job.id(),
                        ContextPath.of("app", "job"),
                        "Job",
                        ContextKind.SERVICE,
                        TestTree.START.plusSeconds(5),
                        TestTree.START.plusMillis(7_300),
                        Duration.ofMillis(2_300),
                        new Completed(),
                        Map.of("pages", 3L)));
    }

    @Test
    void aContextThatIsNotMarkedIsForgottenAndCostsNothing() {
        ContextNode job = tree.open("job");
        job.close();

        assertThat(tree.runtime.recent()).isEmpty();
        assertThat(job.extrasOrNull()).isNull();
        assertThat(job.countersOrNull()).isNull();
    }

    @Test
    void aContextThatFailedBeforeItWasMarkedIsRememberedAsFailed() {
        ContextNode job = tree.open("job");
        job.failed(new IllegalStateException("disk full"));
        job.persist();
        job.close();
        ContextNode other = tree.open("other");
        other.failed(new IllegalStateException("nobody asks"));
        other.close();

        assertThat(tree.runtime.recent())
                .singleElement()
                .extracting(FinishedContext::outcome)
                .isEqualTo(new Failed("IllegalStateException: disk full"));
    }

    @Test
    void whoCalledAContextAndItsTraceAreRememberedWithIt() {
        CallerLink caller = new CallerLink("bob", "1-b", 7, "global.front", false);
        FastnContext called =
                tree.root.child("called").withCaller(caller).persist().open();
        called.setData(FinishedContext.TRACE_ID, "4bf92f3577b34da6a3ce929d0e0e4736");
        called.setData("note", "not told");
        called.failed(new IllegalStateException("disk full"));
        called.close();
        // What comes too late is of nobody.
        called.setData(FinishedContext.TRACE_ID, "another");
        tree.root.child("alone").persist().open().close();

        FinishedContext alone = tree.runtime.recent().get(0);
        assertThat(alone.caller()).isNull();
        assertThat(alone.traceId()).isNull();
        FinishedContext ended = tree.runtime.recent().get(1);
        assertThat(ended.caller()).isSameAs(caller);
        assertThat(ended.traceId()).isEqualTo("4bf92f3577b34da6a3ce929d0e0e4736");
        StatusSnapshot whole = tree.runtime.statusWithRecent();
        assertThat(whole.toString())
                .contains(" - ❌ app.called (0ms, failed at 12:00:00Z: \"IllegalStateException: disk full\","
                        + " called by global.front@bob, trace 4bf92f3577b34da6a3ce929d0e0e4736)\n")
                .contains(" - ✅ app.alone (0ms, completed at 12:00:00Z)\n");
        assertThat(StatusJson.readSnapshot(StatusJson.write(whole))).isEqualTo(whole);
    }

    @Test
    void whatEndedOnAnotherDayIsShownWithItsDay() {
        tree.root.child("job").persist().open().close();
        tree.pass(Duration.ofDays(2));

        assertThat(tree.runtime.statusWithRecent().toString())
                .endsWith("\n - ✅ app.job (0ms, completed at 2026-01-01T12:00:00Z)\n");
    }

    @Test
    void S5_aTraceIsShownAsDataAreAndNoMoreOfItThanOfAName() {
        assertThat(traceOf("x".repeat(50_000))).startsWith("xxx").hasSizeLessThanOrEqualTo(256);
        assertThat(traceOf("postgres://joe:hunter2@db/x")).doesNotContain("hunter2");
        assertThat(traceOf(" ")).isNull();
        assertThat(traceOf(7)).isNull();
        assertThat(traceOf(null)).isNull();
        tree.runtime.setRedactor(Redactor.standard().withSecretKeys(Pattern.compile("trace_id")));
        assertThat(traceOf("4bf9")).isEqualTo(Redactor.REDACTED);
        tree.runtime.setRedactor(Redactor.standard().showingOnly(List.of("note")));
        assertThat(traceOf("4bf9")).isEqualTo(Redactor.REDACTED);
    }

    private @Nullable String traceOf(@Nullable Object value) {
        FastnContext job = tree.root.child("job").persist().open();
        job.setData(FinishedContext.TRACE_ID, value);
        job.close();
        return tree.runtime.recent().get(0).traceId();
    }

    @Test
    void theBuilderMarksAChildFromTheStart() {
        tree.root.child("job").persist().open().close();
        assertThat(tree.runtime.recent()).hasSize(1);
    }

    @Test
    void aContextIsRememberedWhenItLeavesTheTreeAndNotBefore() {
        FastnContext parent = tree.root.child("parent").persist().open();
        FastnContext child = parent.child("child").persist().open();
        parent.close();
        assertThat(tree.runtime.recent()).isEmpty();
        tree.passSeconds(3);
        child.close();

        assertThat(tree.runtime.recent()).extracting(f -> f.path().leaf()).containsExactly("parent", "child");
        assertThat(tree.runtime.recent().get(0).duration()).isEqualTo(Duration.ofSeconds(3));
    }

    @Test
    void whatWentWrongIsNotPushedOutByWhatCompletes() {
        try (ContextRuntime few = ContextRuntime.builder().recentContexts(4).build()) {
            end(few, "well-0", null);
            end(few, "wrong-1", new IllegalStateException("full"));
            FastnContext cancelled = few.root().child("cancelled-2").persist().open();
            cancelled.cancel("enough");
            cancelled.close();
            for (int i = 3; i < 10; i++) {
                end(few, "well-" + i, null);
            }
            assertThat(few.recent())
                    .extracting(f -> f.path().leaf())
                    .containsExactly("well-9", "well-8", "cancelled-2", "wrong-1");

            // They have half of the places and more only while there is nothing newer.
            for (int i = 10; i < 14; i++) {
                end(few, "wrong-" + i, new IllegalStateException("full"));
            }
            assertThat(few.recent())
                    .extracting(f -> f.path().leaf())
                    .containsExactly("wrong-13", "wrong-12", "wrong-11", "wrong-10");
            end(few, "well-14", null);
            end(few, "well-15", null);
            end(few, "well-16", null);
            assertThat(few.recent())
                    .extracting(f -> f.path().leaf())
                    .containsExactly("well-16", "well-15", "wrong-13", "wrong-12");
        }
    }

    @Test
    void aListOfOneHasTheNewestWhateverBecameOfIt() {
        try (ContextRuntime one = ContextRuntime.builder().recentContexts(1).build()) {
            end(one, "wrong", new IllegalStateException("full"));
            end(one, "well", null);
            assertThat(one.recent()).extracting(f -> f.path().leaf()).containsExactly("well");
            end(one, "wrong", new IllegalStateException("full"));
            assertThat(one.recent()).extracting(f -> f.path().leaf()).containsExactly("wrong");
        }
    }

    private static void end(ContextRuntime runtime, String name, @Nullable Throwable failure) {
        FastnContext context = runtime.root().child(name).persist().open();
        if (failure != null) {
            context.failed(failure);
        }
        context.close();
    }

    @Test
    void theNewestIsFirstAndTheOldestAreForgotten() {
        try (ContextRuntime few = ContextRuntime.builder().recentContexts(3).build()) {
            for (int i = 0; i < 10; i++) {
                few.root().child("job-" + i).persist().open().close();
            }
            assertThat(few.recent()).extracting(f -> f.path().leaf()).containsExactly("job-9", "job-8", "job-7");
            assertThat(few.counters().windows(few.root().path()).sinceStart()).isEqualTo(10);
        }
    }

    @Test
    void aHundredAreRememberedUnlessSaidAndNoneWhenOff() {
        for (int i = 0; i < 150; i++) {
            tree.root.child("job").persist().open().close();
        }
        assertThat(tree.runtime.recent()).hasSize(100);
        try (ContextRuntime off = ContextRuntime.builder().recentContexts(0).build()) {
            off.root().child("job").persist().open().close();
            assertThat(off.recent()).isEmpty();
            assertThat(off.counters().windows(off.root().path()).sinceStart()).isEqualTo(1);
        }
    }

    @Test
    void aLengthThatCannotBeIsRefusedWithTheReason() {
        assertThatThrownBy(() -> ContextRuntime.builder().recentContexts(-1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("recentContexts takes a number from 0, which remembers none, to 10000, and was given -1");
        assertThatThrownBy(() -> ContextRuntime.builder().recentContexts(10_001))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aTaskThatFailsIsRememberedWithItsFailure() {
        var done = tree.root
                .child("job")
                .persist()
                .spawn(ctx -> CompletableFuture.failedFuture(
                        new CompletionException(new IllegalStateException("out of\nstock"))))
                .toCompletableFuture();
        assertThatThrownBy(done::join).hasCauseInstanceOf(IllegalStateException.class);

        assertThat(tree.runtime.recent())
                .singleElement()
                .extracting(FinishedContext::outcome)
                .isEqualTo(new Failed("IllegalStateException: out of\nstock"));
    }

    @Test
    void aTaskMayMarkItsOwnContext() {
        var done = tree.root.child("job").spawnBlocking(() -> {
            FastnContext.current().persist();
            throw new IllegalStateException();
        });
        assertThatThrownBy(() -> done.toCompletableFuture().join());

        assertThat(tree.runtime.recent())
                .singleElement()
                .extracting(FinishedContext::outcome)
                .isEqualTo(new Failed("IllegalStateException"));
    }

    @Test
    void aContextThatIsClosedByHandSaysItselfThatItFailedAndTheFirstFailureCounts() {
        FastnContext job = tree.root.child("job").persist().open();
        job.failed(new IllegalStateException("x".repeat(10_000)));
        job.failed(new IllegalStateException("second"));
        job.close();

        Failed failed = (Failed) tree.runtime.recent().get(0).outcome();
        assertThat(failed.message()).startsWith("IllegalStateException: xxx").hasSizeLessThanOrEqualTo(256);
    }

    @Test
    void aCancelledContextIsRememberedWithTheReasonAlsoWhenItsTaskFailsByThat() {
        FastnContext quiet = tree.root.child("quiet").persist().open();
        quiet.cancel("enough");
        quiet.close();
        FastnContext thrown = tree.root.child("thrown").persist().open();
        thrown.cancel("enough");
        thrown.failed(new CancellationException());
        thrown.close();
        FastnContext broken = tree.root.child("broken").persist().open();
        broken.cancel("enough");
        broken.failed(new IllegalStateException("on the way out"));
        broken.close();

        assertThat(tree.runtime.recent())
                .extracting(FinishedContext::outcome)
                .containsExactly(
                        new Failed("IllegalStateException: on the way out"),
                        new Cancelled(new CancelReason(CancelReason.Kind.REQUESTED, "enough", "app.thrown")),
                        new Cancelled(new CancelReason(CancelReason.Kind.REQUESTED, "enough", "app.quiet")));
    }

    @Test
    void C9_aContextThatHasEndedIsNotRememberedAnyMore() {
        ContextNode job = tree.open("job");
        job.close();
        job.persist();
        job.child("late").persist().open().close();

        assertThat(tree.runtime.recent()).isEmpty();
        assertThat(tree.runtime.misuses())
                .contains("1x persist() was called on a context that had ended; it is not remembered");
    }

    @Test
    void countersThatGoWithAContextAreFew() {
        FastnContext job = tree.root.child("job").persist().open();
        for (int i = 0; i < 100; i++) {
            job.addTotal("name-" + i, i);
        }
        job.close();

        assertThat(tree.runtime.recent().get(0).pathTotals())
                .hasSize(20)
                .doesNotContainKey("name-0")
                .containsEntry("name-20", 20L);
    }

    @Test
    void onlyWhoAsksForRecentContextsIsTold() {
        tree.root.child("job").persist().open().close();

        assertThat(tree.runtime.status().recent()).isEmpty();
        StatusSnapshot whole = tree.runtime.statusWithRecent();
        assertThat(whole.recent()).isEqualTo(tree.runtime.recent());
        assertThat(whole.toString()).endsWith("\nRecent contexts (1):\n - ✅ app.job (0ms, completed at 12:00:00Z)\n");
        assertThat(StatusJson.readSnapshot(StatusJson.write(whole))).isEqualTo(whole);
        try (ContextScope ignored = tree.root.makeCurrent()) {
            assertThat(FastnContext.statusWithRecent().recent()).hasSize(1);
        }
    }

    @Test
    void C9_aFailureThatCannotEvenSayWhatItIsHarmsNobody() {
        ContextNode task = tree.open("task");
        task.persist();
        task.failed(new IllegalStateException() {
            @Override
            public String getMessage() {
                throw new UnsupportedOperationException("no message");
            }
        });
        task.close();

        assertThat(task.isClosed()).isTrue();
        assertThat(tree.root.children()).isEmpty();
        assertThat(tree.runtime.recent()).hasSize(1);
    }

    @Test
    void M10_theListOfWhatEndedKeepsWithinTheLimitsToo() {
        for (int i = 0; i < 100; i++) {
            tree.root.child("job-" + i).persist().open().close();
            tree.open("open-" + i);
        }
        SnapshotLimits limits = SnapshotLimits.DEFAULT.withMaxBytes(20_000);
        StatusSnapshot status = tree.runtime.statusWithRecent(limits);
        assertThat(StatusJson.write(status).length()).isLessThanOrEqualTo(20_000);
        assertThat(status.recent()).hasSizeBetween(3, 99);
        assertThat(status.recent().get(0).label()).isEqualTo("job-99");
        assertThat(status.warnings()).anyMatch(warning -> warning.message().contains("recent contexts"));
        assertThat(tree.runtime.statusWithRecent(SnapshotLimits.DEFAULT).recent())
                .hasSize(100);
    }
}
