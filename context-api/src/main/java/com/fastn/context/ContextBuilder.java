package com.fastn.context;

import com.fastn.context.status.CallerLink;
import com.fastn.context.status.ContextKind;
import com.fastn.context.status.MetricValue;
import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A child that is being described. Nothing is in the tree until {@code open} or one of the {@code spawn} forms is called;
 * a builder is for one child and one thread.
 */
public interface ContextBuilder {

    /**
     * Stores a value on the child, within the limits of {@link FastnContext#setData}.
     *
     * @param key the key; {@code note} is shown as free text in the row
     * @param value a String, Number, Boolean, {@code null}, List, Map or JSON node; copied
     * @return this builder
     * @throws IllegalArgumentException if the value is none of these, with the reason
     */
    @CanIgnoreReturnValue
    ContextBuilder withData(String key, @Nullable Object value);

    /**
     * Shows a metric in the child's row.
     *
     * @param key the key
     * @param value the value
     * @return this builder
     */
    @CanIgnoreReturnValue
    ContextBuilder withMetric(String key, MetricValue value);

    /**
     * Shows a count in the child's row.
     *
     * @param key the key
     * @param value the count
     * @return this builder
     */
    @CanIgnoreReturnValue
    default ContextBuilder withMetric(String key, int value) {
        return withMetric(key, MetricValue.counter(value));
    }

    /**
     * Shows a count in the child's row.
     *
     * @param key the key
     * @param value the count
     * @return this builder
     */
    @CanIgnoreReturnValue
    default ContextBuilder withMetric(String key, long value) {
        return withMetric(key, MetricValue.counter(value));
    }

    /**
     * Shows a sampled number in the child's row.
     *
     * @param key the key
     * @param value the sample
     * @return this builder
     */
    @CanIgnoreReturnValue
    default ContextBuilder withMetric(String key, double value) {
        return withMetric(key, MetricValue.gauge(value));
    }

    /**
     * Shows a length of time in the child's row.
     *
     * @param key the key
     * @param value the length
     * @return this builder
     */
    @CanIgnoreReturnValue
    default ContextBuilder withMetric(String key, Duration value) {
        return withMetric(key, MetricValue.duration(value));
    }

    /**
     * Shows a text in the child's row.
     *
     * @param key the key
     * @param value the text
     * @return this builder
     */
    @CanIgnoreReturnValue
    default ContextBuilder withMetric(String key, String value) {
        return withMetric(key, MetricValue.text(value));
    }

    /**
     * Sets the name for people.
     *
     * @param label such as "HTTP Proxy" for {@code http-proxy}
     * @return this builder
     */
    @CanIgnoreReturnValue
    ContextBuilder withLabel(String label);

    /**
     * Says what the child stands for; a {@link ContextKind#TASK} unless said.
     *
     * @param kind the kind
     * @return this builder
     */
    @CanIgnoreReturnValue
    ContextBuilder withKind(ContextKind kind);

    /**
     * Sets a value that the child and everything below it finds with {@link FastnContext#setting}.
     *
     * @param key the key
     * @param value the value
     * @return this builder
     * @throws IllegalArgumentException as {@link FastnContext#setSetting} does
     */
    @CanIgnoreReturnValue
    ContextBuilder withSetting(String key, Object value);

    /**
     * Names the known caller of the child on another branch or node.
     *
     * @param caller the link
     * @return this builder
     */
    @CanIgnoreReturnValue
    ContextBuilder withCaller(CallerLink caller);

    /**
     * Says that the child is to be remembered when it ends.
     *
     * @return this builder
     * @see FastnContext#persist
     */
    @CanIgnoreReturnValue
    ContextBuilder persist();

    /**
     * Opens the child. The caller closes it.
     *
     * @return the child
     */
    FastnContext open();

    /**
     * Starts a task in the child, which closes when the task's stage completes. It returns at once; the task starts
     * later, on the executor of the runtime or, under Vert.x, on a new duplicated context of the same verticle.
     *
     * @param task is given the child
     * @param <T> the type of the result
     * @return completes as the task's stage does; fails if the task throws
     */
    <T extends @Nullable Object> CompletionStage<T> spawn(
            Function<? super FastnContext, ? extends CompletionStage<T>> task);

    /**
     * Starts a task that blocks in the child, which closes when the task returns. Under Vert.x it runs on a worker thread.
     *
     * @param task is run with the child as the current context
     * @param <T> the type of the result
     * @return completes with the task's result; fails if the task throws
     */
    <T extends @Nullable Object> CompletionStage<T> spawnBlocking(Callable<T> task);
}
