package com.fastn.context.vertx;

import static java.util.Objects.requireNonNull;

import com.fastn.context.ContextBuilder;
import com.fastn.context.ContextCancelledException;
import com.fastn.context.FastnContext;
import com.fastn.context.engine.ContextNode;
import com.fastn.context.engine.ShownStages;
import com.fastn.context.status.CallerLink;
import com.fastn.context.status.CancelReason;
import com.fastn.context.status.ContextKind;
import com.fastn.context.status.MetricValue;
import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.internal.ContextInternal;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A child that is being described, for code that works with Vert.x futures. Nothing is in the tree until {@link #run}, {@link
 * #open} or one of the {@code spawn} forms is called; a builder is for one child and one thread.
 */
public final class FutureContextBuilder {
    private final ContextBuilder child;

    FutureContextBuilder(ContextBuilder child) {
        this.child = child;
    }

    /**
     * Stores a value on the child.
     *
     * @param key the key; {@code note} is shown as free text in the row
     * @param value a String, Number, Boolean, {@code null}, List, Map or JSON node; copied
     * @return this builder
     * @throws IllegalArgumentException if the value is none of these, with the reason
     */
    @CanIgnoreReturnValue
    public FutureContextBuilder withData(String key, @Nullable Object value) {
        child.withData(key, value);
        return this;
    }

    /**
     * Shows a metric in the child's row.
     *
     * @param key the key
     * @param value the value
     * @return this builder
     */
    @CanIgnoreReturnValue
    public FutureContextBuilder withMetric(String key, MetricValue value) {
        child.withMetric(key, value);
        return this;
    }

    /**
     * Shows a count in the child's row.
     *
     * @param key the key
     * @param value the count
     * @return this builder
     */
    @CanIgnoreReturnValue
    public FutureContextBuilder withMetric(String key, int value) {
        child.withMetric(key, value);
        return this;
    }

    /**
     * Shows a count in the child's row.
     *
     * @param key the key
     * @param value the count
     * @return this builder
     */
    @CanIgnoreReturnValue
    public FutureContextBuilder withMetric(String key, long value) {
        child.withMetric(key, value);
        return this;
    }

    /**
     * Shows a sampled number in the child's row.
     *
     * @param key the key
     * @param value the sample
     * @return this builder
     */
    @CanIgnoreReturnValue
    public FutureContextBuilder withMetric(String key, double value) {
        child.withMetric(key, value);
        return this;
    }

    /**
     * Shows a length of time in the child's row.
     *
     * @param key the key
     * @param value the length
     * @return this builder
     */
    @CanIgnoreReturnValue
    public FutureContextBuilder withMetric(String key, Duration value) {
        child.withMetric(key, value);
        return this;
    }

    /**
     * Shows a text in the child's row.
     *
     * @param key the key
     * @param value the text
     * @return this builder
     */
    @CanIgnoreReturnValue
    public FutureContextBuilder withMetric(String key, String value) {
        child.withMetric(key, value);
        return this;
    }

    /**
     * Sets the name for people.
     *
     * @param label such as "HTTP Proxy" for {@code http-proxy}
     * @return this builder
     */
    @CanIgnoreReturnValue
    public FutureContextBuilder withLabel(String label) {
        child.withLabel(label);
        return this;
    }

    /**
     * Says what the child stands for; a {@link ContextKind#TASK} unless said.
     *
     * @param kind the kind
     * @return this builder
     */
    @CanIgnoreReturnValue
    public FutureContextBuilder withKind(ContextKind kind) {
        child.withKind(kind);
        return this;
    }

    /**
     * Sets a value that the child and everything below it finds with {@link FastnContext#setting}.
     *
     * @param key the key
     * @param value the value
     * @return this builder
     * @throws IllegalArgumentException as {@link FastnContext#setSetting} does
     */
    @CanIgnoreReturnValue
    public FutureContextBuilder withSetting(String key, Object value) {
        child.withSetting(key, value);
        return this;
    }

    /**
     * Says who called the child from elsewhere, for protocols that the library does not know.
     *
     * @param caller the caller
     * @return this builder
     */
    @CanIgnoreReturnValue
    public FutureContextBuilder withCaller(CallerLink caller) {
        child.withCaller(caller);
        return this;
    }

    /**
     * Says that the child is to be remembered when it ends.
     *
     * @return this builder
     * @see FastnContext#persist
     */
    @CanIgnoreReturnValue
    public FutureContextBuilder persist() {
        child.persist();
        return this;
    }

    /**
     * Opens the child. The caller closes it.
     *
     * @return the child
     */
    public FastnContext open() {
        return child.open();
    }

    /**
     * Runs a piece of work in the child, now, where the caller is on a Vert.x context; the child closes when the work's future
     * completes.
     *
     * <p>The work runs on a duplicate of the caller's Vert.x context, with the child as the current context, so that branches
     * do not disturb each other. From a thread outside of Vert.x it is started on the child's verticle instead.
     *
     * @param work is given the child, and gives the future that ends the work
     * @param <T> the type of the result
     * @return completes on the caller's Vert.x context as the work's future does, after the child was closed; fails if the
     *     work throws. Where the end of the work was lost with the worker pool of its verticle, the child is closed all the same
     */
    public <T extends @Nullable Object> Future<T> run(Function<? super FutureContext, Future<T>> work) {
        requireNonNull(work, "work");
        ContextInternal caller = ContextInternal.current();
        if (caller == null || !ContextSlot.isIn(caller)) {
            return spawn(work);
        }
        FastnContext opened = child.open();
        CancelReason cancelled = opened.cancelReason();
        if (cancelled != null) {
            opened.close();
            return caller.failedFuture(
                    new ContextCancelledException("the work in " + opened.path() + " was not started", cancelled));
        }
        // All locals are copied, those of other libraries too.
        ContextInternal scope = caller.duplicate(true);
        ContextNode node = (ContextNode) opened;
        ContextSlot.put(scope, node);
        Promise<T> result = caller.promise();
        Runnable task = () -> {
            Future<T> done;
            node.enterThread();
            try {
                done = Futures.given(work.apply(FutureContext.of(node)));
            } catch (Throwable t) {
                done = Future.failedFuture(t);
            } finally {
                node.leaveThread();
            }
            ShownStages.shownToo(node.runtime(), done, result.future());
            Futures.whenOver(done, () -> Futures.lost(node), (value, failure) -> {
                if (failure != null) {
                    node.failed(failure);
                }
                node.close();
                result.complete(value, failure);
            });
        };
        // In the thread of the caller, which may be that of an executeBlocking.
        scope.dispatch(task);
        return result.future();
    }

    /**
     * Starts a task in the child, which closes when the task's future completes. It returns at once; the task starts later, on
     * a new duplicated context of the same verticle.
     *
     * @param task is given the child
     * @param <T> the type of the result
     * @return completes on the caller's Vert.x context as the task's future does; fails if the task throws, or if it still
     *     waits for a worker when the pool of that goes, with its verticle or with the Vertx
     */
    public <T extends @Nullable Object> Future<T> spawn(Function<? super FutureContext, Future<T>> task) {
        requireNonNull(task, "task");
        return Futures.of(
                child.<T>spawn(opened -> Futures.stage((ContextNode) opened, task.apply(FutureContext.of(opened)))));
    }

    /**
     * Starts a task that blocks in the child, on a worker thread; the child closes when the task returns.
     *
     * @param task is run with the child as the current context
     * @param <T> the type of the result
     * @return completes on the caller's Vert.x context with the task's result; fails if the task throws
     */
    public <T extends @Nullable Object> Future<T> spawnBlocking(Callable<T> task) {
        return Futures.of(child.spawnBlocking(task));
    }
}
