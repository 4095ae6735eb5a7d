package com.fastn.context.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.ContextBuilder;
import com.fastn.context.ContextMutex;
import com.fastn.context.ContextReadWriteLock;
import com.fastn.context.ContextRuntime;
import com.fastn.context.ContextSemaphore;
import com.fastn.context.Counters;
import com.fastn.context.DeadlockPolicy;
import com.fastn.context.FastnContext;
import com.fastn.context.Ticker;
import com.fastn.context.event.ContextListener;
import com.fastn.context.status.CallerLink;
import com.fastn.context.status.ContextKind;
import com.fastn.context.status.ContextPath;
import com.fastn.context.status.MetricValue;
import com.fastn.context.status.Redactor;
import com.fastn.context.status.SnapshotLimits;
import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.lang.reflect.AnnotatedType;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Parameter;
import java.lang.reflect.TypeVariable;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ForkJoinPool;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What must not be null is refused by the name of its parameter, before anything is done. */
@SuppressWarnings("FutureReturnValueIgnored") // the samples give stages, which nobody gets
class NullsTest {
    private static final Map<Class<?>, Object> SAMPLES = new HashMap<>();

    static {
        SAMPLES.put(String.class, "some");
        SAMPLES.put(String[].class, new String[] {"some"});
        SAMPLES.put(int.class, 1);
        SAMPLES.put(long.class, 1L);
        SAMPLES.put(double.class, 1.0);
        SAMPLES.put(boolean.class, true);
        SAMPLES.put(Object.class, "value");
        SAMPLES.put(Duration.class, Duration.ofHours(1));
        SAMPLES.put(MetricValue.class, MetricValue.counter(1));
        SAMPLES.put(ContextPath.class, ContextPath.of("app"));
        SAMPLES.put(ContextKind.class, ContextKind.TASK);
        SAMPLES.put(CallerLink.class, new CallerLink("bob", "1", 7, "app.caller"));
        SAMPLES.put(SnapshotLimits.class, SnapshotLimits.DEFAULT);
        SAMPLES.put(Redactor.class, Redactor.standard());
        SAMPLES.put(OutputStream.class, new ByteArrayOutputStream());
        SAMPLES.put(Throwable.class, new IllegalStateException("some"));
        SAMPLES.put(Ticker.class, Ticker.system());
        SAMPLES.put(DeadlockPolicy.class, DeadlockPolicy.REPORT);
        SAMPLES.put(ContextListener.class, (ContextListener) event -> {});
        SAMPLES.put(Runnable.class, (Runnable) () -> {});
        SAMPLES.put(Callable.class, (Callable<?>) () -> "done");
        SAMPLES.put(Executor.class, (Executor) Runnable::run);
        SAMPLES.put(ExecutorService.class, ForkJoinPool.commonPool());
        SAMPLES.put(Consumer.class, (Consumer<?>) given -> {});
        SAMPLES.put(Function.class, (Function<?, ?>) given -> CompletableFuture.completedFuture("done"));
        SAMPLES.put(Supplier.class, (Supplier<?>) () -> CompletableFuture.completedFuture("done"));
        SAMPLES.put(CompletionStage.class, new CompletableFuture<>());
        SAMPLES.put(Collection.class, List.of(new CompletableFuture<>()));
        SAMPLES.put(List.class, List.of("some"));
    }

    @RegisterExtension
    final TestTree tree = new TestTree();

    static Stream<Arguments> parameters() {
        List<Arguments> all = new ArrayList<>();
        for (Class<?> type : List.of(
                FastnContext.class,
                ContextBuilder.class,
                ContextRuntime.class,
                ContextRuntime.Builder.class,
                Counters.class,
                ContextMutex.class,
                ContextReadWriteLock.class,
                ContextSemaphore.class,
                ContextPath.class,
                SnapshotLimits.class)) {
            for (Method method : type.getMethods()) {
                Parameter[] parameters = method.getParameters();
                for (int i = 0; i < parameters.length; i++) {
                    if (isOurs(method) && mustNotBeNull(parameters[i])) {
                        all.add(Arguments.of(type, method, i));
                    }
                }
            }
        }
        return all.stream();
    }

    private static boolean isOurs(Method method) {
        return !method.isBridge()
                && !method.isSynthetic()
                && !method.getName().equals("equals")
                && method.getDeclaringClass().getName().startsWith("com.fastn.context.");
    }

    private static boolean mustNotBeNull(Parameter parameter) {
        return !parameter.getType().isPrimitive()
                && !isNullable(parameter.getAnnotatedType())
                && !(parameter.getParameterizedType() instanceof TypeVariable<?> variable
                        && Arrays.stream(variable.getAnnotatedBounds()).anyMatch(NullsTest::isNullable));
    }

    private static boolean isNullable(AnnotatedType type) {
        return type.isAnnotationPresent(Nullable.class);
    }

    @ParameterizedTest(name = "{0} {1} {2}")
    @MethodSource("parameters")
    void whatMustNotBeNullIsRefusedByItsName(Class<?> type, Method method, int index) throws Exception {
        FastnContext context = tree.open("context");
        Object target = Modifier.isStatic(method.getModifiers()) ? null : target(type, context);
        List<ContextNode> before = tree.nodes();
        Parameter[] parameters = method.getParameters();
        @Nullable Object[] arguments = new @Nullable Object[parameters.length];
        for (int i = 0; i < arguments.length; i++) {
            Class<?> wanted = parameters[i].getType();
            assertThat(SAMPLES).as("a sample for %s of %s", wanted, method).containsKey(wanted);
            arguments[i] = i == index ? null : SAMPLES.get(wanted);
        }
        assertThat(parameters[index].isNamePresent()).isTrue();

        Throwable thrown = null;
        try {
            method.invoke(target, arguments);
        } catch (InvocationTargetException e) {
            thrown = e.getCause();
        }
        assertThat(thrown).isExactlyInstanceOf(NullPointerException.class).hasMessage(parameters[index].getName());
        assertThat(tree.nodes()).as("open contexts").isEqualTo(before);
        for (ContextNode node : before) {
            assertThat(node.cancelHandlers()).as("handlers of %s", node).isZero();
            assertThat(node.operationsUnderWay()).as("operations of %s", node).isEmpty();
            assertThat(node.waits()).as("waits of %s", node).isEmpty();
            assertThat(node.isCancelled()).isFalse();
            node.lockList().forEach(lock -> assertThat(lock.isBusy()).isFalse());
        }
    }

    private Object target(Class<?> type, FastnContext context) {
        if (type == FastnContext.class) {
            return context;
        }
        if (type == ContextBuilder.class) {
            return context.child("child");
        }
        if (type == ContextRuntime.class) {
            return tree.runtime;
        }
        if (type == ContextRuntime.Builder.class) {
            return ContextRuntime.builder();
        }
        if (type == Counters.class) {
            return tree.runtime.counters();
        }
        if (type == ContextMutex.class) {
            return context.mutex("mutex", 1);
        }
        if (type == ContextReadWriteLock.class) {
            return context.readWriteLock("lock", 1);
        }
        if (type == ContextSemaphore.class) {
            return context.semaphore("semaphore", 2);
        }
        return type == ContextPath.class ? ContextPath.of("app") : SnapshotLimits.DEFAULT;
    }

    @Test
    @SuppressWarnings("NullAway")
    void aNameWithinAPathMustNotBeNull() {
        for (Runnable call : List.<Runnable>of(
                () -> ContextPath.of("app", null),
                () -> ContextPath.of(Arrays.asList("app", null)),
                () -> ContextPath.of("app").child(null))) {
            assertThat(org.assertj.core.api.Assertions.catchThrowable(call::run))
                    .isExactlyInstanceOf(NullPointerException.class)
                    .hasMessage("name");
        }
    }

    @Test
    void theParametersAreFound() {
        assertThat(parameters()).hasSizeGreaterThan(60);
    }
}
