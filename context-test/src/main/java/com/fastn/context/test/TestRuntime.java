package com.fastn.context.test;

import com.fastn.context.ContextEngine;
import com.fastn.context.ContextRuntime;
import com.fastn.context.ContextScope;
import com.fastn.context.FastnContext;
import com.fastn.context.ManualTicker;
import com.fastn.context.Registration;
import com.fastn.context.Ticker;
import java.lang.reflect.Executable;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.platform.commons.support.AnnotationSupport;
import org.junit.platform.commons.support.HierarchyTraversalMode;

/**
 * The runtime of one test, which is strict, and the default one as well unless other tests may run beside it.
 *
 * <p>Only the thread of the test uses it.
 */
final class TestRuntime {
    private static final Instant MANUAL_START = Instant.parse("2026-01-01T00:00:00Z");

    private final String testName;
    private final ContextRuntime runtime;
    private final @Nullable ManualTicker ticker;
    private final ContextScope scope;
    private final @Nullable Registration asDefault;

    // How many registrations of the extension the test has; one runtime is for all of them.
    private int users;
    private @Nullable Object first;
    private Duration grace = Duration.ZERO;
    private boolean failOnMisuse;

    @SuppressWarnings("MustBeClosedChecker") // closed after the test, by close()
    private TestRuntime(String testName, @Nullable ManualTicker ticker, boolean alone) {
        this.testName = testName;
        this.ticker = ticker;
        this.runtime = ContextRuntime.builder()
                .alias("test")
                .ticker(ticker != null ? ticker : Ticker.system())
                .strict(true)
                .build();
        this.asDefault = alone ? ContextEngine.get().useAsDefault(runtime) : null;
        this.scope = runtime.root().makeCurrent();
    }

    static TestRuntime open(ExtensionContext context) {
        String name = context.getRequiredTestClass().getSimpleName() + "." + context.getDisplayName();
        return new TestRuntime(
                name, takesManualTicker(context) ? new ManualTicker(MANUAL_START) : null, Neighbours.areNone(context));
    }

    /** The wishes of the registration that is nearest to the test count, and it comes last. */
    void join(Object registration, Duration graceOfOne, boolean failOnMisuseOfOne) {
        if (users == 0) {
            first = registration;
        }
        users++;
        grace = graceOfOne;
        failOnMisuse = failOnMisuseOfOne;
    }

    /** JUnit wants one that gives a parameter. */
    boolean isGivenBy(Object registration) {
        return first == registration;
    }

    /** {@return whether nobody is left who uses it, so that it is to be closed} */
    boolean leave() {
        users--;
        return users <= 0;
    }

    Object resolve(Class<?> type) {
        if (type == ContextRuntime.class) {
            return runtime;
        }
        if (type == FastnContext.class) {
            return runtime.root();
        }
        if (ticker == null) {
            throw new IllegalStateException("the runtime of " + testName
                    + " runs on the system's clocks; take the ManualTicker in the test method");
        }
        return ticker;
    }

    /** Fails the test for what it left behind. */
    void close() {
        scope.close();
        List<String> complaints = new ArrayList<>();
        complaints.addAll(Leftovers.afterGrace(runtime, grace).describe());
        if (failOnMisuse) {
            runtime.misuses().forEach(misuse -> complaints.add("misuse: " + misuse));
        }
        if (asDefault != null) {
            asDefault.close();
        }
        runtime.close();
        if (!complaints.isEmpty()) {
            throw new AssertionError(testName + " left behind:\n  - " + String.join("\n  - ", complaints)
                    + "\nClose what open(), lock() and operation() gave (try-with-resources does), and let the test wait for"
                    + " what it spawned.");
        }
    }

    private static boolean takesManualTicker(ExtensionContext context) {
        List<Executable> executables = new ArrayList<>();
        executables.add(context.getRequiredTestMethod());
        for (Object instance : context.getRequiredTestInstances().getAllInstances()) {
            for (var annotation : List.of(BeforeEach.class, AfterEach.class)) {
                executables.addAll(AnnotationSupport.findAnnotatedMethods(
                        instance.getClass(), annotation, HierarchyTraversalMode.TOP_DOWN));
            }
        }
        return executables.stream()
                .flatMap(executable -> Arrays.stream(executable.getParameterTypes()))
                .anyMatch(type -> type == ManualTicker.class);
    }
}
