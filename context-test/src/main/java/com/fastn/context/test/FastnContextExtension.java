package com.fastn.context.test;

import static java.util.Objects.requireNonNull;

import com.fastn.context.ContextRuntime;
import com.fastn.context.FastnContext;
import com.fastn.context.ManualTicker;
import java.time.Duration;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolutionException;
import org.junit.jupiter.api.extension.ParameterResolver;

/**
 * A JUnit 5 extension that gives each test a runtime of its own, and fails the test that leaves something open in it.
 *
 * <pre>{@code
 * @ExtendWith(FastnContextExtension.class)
 * class CheckoutTest {
 *     @Test
 *     void paysOnce(FastnContext root, ManualTicker time) { ... }
 * }
 * }</pre>
 *
 * <p>A test, or its {@code @BeforeEach} and {@code @AfterEach} methods, may take a {@link ContextRuntime}, its root as a
 * {@link FastnContext}, and a {@link ManualTicker}. The runtime runs on the manual ticker if one of these methods takes it,
 * and on the system's clocks otherwise. The root is the current context of the test's thread.
 *
 * <p>After the test, contexts that are still open, locks that are still held and waits for locks that still go on fail it,
 * each named with its path and age, and so do operations and live counts. The runtime is strict, so the file and the line are
 * told where each was opened. What ends by itself shortly after the test is waited for; see {@link #withGrace}.
 *
 * <p>While the test runs, its runtime is the default one too: code that runs off any context, on a thread of its own, reaches
 * it, and so does a Vertx that the test makes. Where JUnit runs tests or classes concurrently this cannot be, and the default
 * runtime is one for all of them: hand such code a context, wrap its executor with
 * {@link FastnContext#wrapExecutor(java.util.concurrent.Executor)}, or make the class
 * {@link org.junit.jupiter.api.parallel.Isolated}. Of a single class that is concurrent by its own annotation the others are
 * not told; those that may run beside it should be isolated too.
 *
 * <p>A test that gets the extension twice, say from a class above it and by a field, has one runtime, and of the two settings
 * those of the one that is registered later.
 */
public final class FastnContextExtension implements BeforeEachCallback, AfterEachCallback, ParameterResolver {
    private static final Namespace NAMESPACE = Namespace.create(FastnContextExtension.class);
    private static final Duration DEFAULT_GRACE = Duration.ofSeconds(2);

    private final Duration grace;
    private final boolean failOnMisuse;

    /** Makes the extension with its defaults. */
    public FastnContextExtension() {
        this(DEFAULT_GRACE, false);
    }

    private FastnContextExtension(Duration grace, boolean failOnMisuse) {
        this.grace = grace;
        this.failOnMisuse = failOnMisuse;
    }

    /**
     * Makes an extension that waits longer, or shorter, for what ends by itself after the test.
     *
     * @param duration by the system's clock; 2 s unless said
     * @return the extension, for a field with {@code @RegisterExtension}
     */
    public FastnContextExtension withGrace(Duration duration) {
        return new FastnContextExtension(requireNonNull(duration, "duration"), failOnMisuse);
    }

    /**
     * Makes an extension that also fails a test whose runtime counted misuse, such as a guard that was closed twice.
     *
     * @return the extension, for a field with {@code @RegisterExtension}
     */
    public FastnContextExtension failingOnMisuse() {
        return new FastnContextExtension(grace, true);
    }

    @Override
    public void beforeEach(ExtensionContext context) {
        ExtensionContext.Store store = context.getStore(NAMESPACE);
        TestRuntime test = store.get(TestRuntime.class, TestRuntime.class);
        if (test == null) {
            test = TestRuntime.open(context);
            store.put(TestRuntime.class, test);
        }
        test.join(this, grace, failOnMisuse);
    }

    @Override
    public void afterEach(ExtensionContext context) {
        ExtensionContext.Store store = context.getStore(NAMESPACE);
        TestRuntime test = store.get(TestRuntime.class, TestRuntime.class);
        if (test != null && test.leave()) {
            store.remove(TestRuntime.class);
            test.close();
        }
    }

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        Class<?> type = parameter.getParameter().getType();
        if (type != ContextRuntime.class && type != FastnContext.class && type != ManualTicker.class) {
            return false;
        }
        TestRuntime test = context.getStore(NAMESPACE).get(TestRuntime.class, TestRuntime.class);
        // Where there is none yet, the parameter is refused, and that is said.
        return test == null || test.isGivenBy(this);
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
        TestRuntime test = context.getStore(NAMESPACE).get(TestRuntime.class, TestRuntime.class);
        if (test == null) {
            throw new ParameterResolutionException("there is no runtime yet for " + parameter.getParameter() + " of "
                    + parameter.getDeclaringExecutable()
                    + ": each test has its own; take it in the test, in @BeforeEach or in @AfterEach");
        }
        return test.resolve(parameter.getParameter().getType());
    }
}
