package com.fastn.context.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.FastnContext;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Failures of an application whose own code fails when it is asked what happened. */
class HostileFailuresTest {
    @RegisterExtension
    final TestTree tree = new TestTree();

    private enum Broken {
        MESSAGE,
        LOCALIZED,
        TEXT,
        CAUSE,
        STACK,
        NULL_STACK,
        PRINTING
    }

    private static final class Hostile extends RuntimeException {
        private static final long serialVersionUID = 1;
        private final Broken broken;

        Hostile(Broken broken) {
            super("hostile");
            this.broken = broken;
        }

        private void fail(Broken when) {
            if (broken == when) {
                throw new StackOverflowError("hostile " + when);
            }
        }

        @Override
        public @Nullable String getMessage() {
            fail(Broken.MESSAGE);
            return super.getMessage();
        }

        @Override
        public @Nullable String getLocalizedMessage() {
            fail(Broken.LOCALIZED);
            return super.getLocalizedMessage();
        }

        @Override
        public String toString() {
            fail(Broken.TEXT);
            return super.toString();
        }

        @Override
        public synchronized @Nullable Throwable getCause() {
            fail(Broken.CAUSE);
            return super.getCause();
        }

        @Override
        @SuppressWarnings("NullAway") // that is what is tried
        public StackTraceElement[] getStackTrace() {
            fail(Broken.STACK);
            return broken == Broken.NULL_STACK ? null : super.getStackTrace();
        }

        @Override
        public void printStackTrace(java.io.PrintStream out) {
            fail(Broken.PRINTING);
            super.printStackTrace(out);
        }
    }

    static Stream<RuntimeException> failures() {
        List<RuntimeException> all = new ArrayList<>();
        for (Broken broken : Broken.values()) {
            all.add(new Hostile(broken));
            all.add(new IllegalStateException("around", new Hostile(broken)));
            RuntimeException beside = new IllegalStateException("beside");
            beside.addSuppressed(new Hostile(broken));
            all.add(beside);
        }
        return all.stream();
    }

    @ParameterizedTest
    @MethodSource("failures")
    void C3_aHandlerWhoseFailureCannotBeDescribedStopsNoCancellation(RuntimeException failure) {
        FastnContext parent = tree.open("parent");
        List<String> called = new ArrayList<>();
        for (String name : List.of("a", "b")) {
            FastnContext child = tree.open(parent, name);
            child.onCancel(reason -> {
                called.add(name);
                throw failure;
            });
            child.onCancel(reason -> called.add(name + " again"));
        }
        String log = CapturedLog.of(parent::cancel);

        assertThat(called).containsExactlyInAnyOrder("a", "a again", "b", "b again");
        assertThat(parent.children()).allMatch(FastnContext::isCancelled);
        assertThat(log).contains("1 of the cancellation handlers of app.parent.a failed");
    }

    @ParameterizedTest
    @MethodSource("failures")
    void aListenerWhoseFailureCannotBeDescribedHarmsNobody(RuntimeException failure) {
        List<Object> events = new ArrayList<>();
        tree.runtime.addListener(event -> {
            throw failure;
        });
        tree.runtime.addListener(events::add);
        CapturedLog.of(() -> tree.open("task").close());

        assertThat(events).hasSize(2);
    }

    @ParameterizedTest
    @MethodSource("failures")
    void whatIsWaitedForMayFailWithAnything(RuntimeException failure) {
        CompletableFuture<String> work = new CompletableFuture<>();
        CompletableFuture<String> raced = tree.root.race(work).toCompletableFuture();
        try {
            work.completeExceptionally(failure);
        } catch (StackOverflowError e) {
            // The stages of the JDK ask for the text themselves, once all have been told.
            assertThat(e).hasMessageContaining("hostile");
        }
        assertThat(raced).isCompletedExceptionally();
    }

    @ParameterizedTest
    @MethodSource("failures")
    void whatCannotBeDescribedIsLoggedAsSuch(RuntimeException failure) {
        Throwable logged = LoggedFailure.of(failure);
        while (logged != null) {
            // What the log asks for.
            assertThat(logged.toString()).isNotNull();
            assertThat(logged.getStackTrace()).isNotNull();
            for (Throwable each : logged.getSuppressed()) {
                assertThat(each.toString()).isNotNull();
            }
            logged = logged.getCause();
        }
    }
}
