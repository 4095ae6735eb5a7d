package com.fastn.context.vertx;

import static java.util.Objects.requireNonNull;

import com.fastn.context.CancelReport;
import com.fastn.context.ContextCancelledException;
import com.fastn.context.FastnContext;
import com.fastn.context.LiveCount;
import com.fastn.context.Operation;
import com.fastn.context.Registration;
import com.fastn.context.engine.ContextNode;
import com.fastn.context.status.CancelReason;
import com.fastn.context.status.ContextPath;
import com.fastn.context.status.MetricValue;
import com.google.errorprone.annotations.MustBeClosed;
import io.vertx.core.Future;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.Message;
import io.vertx.core.http.HttpClientRequest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A {@link FastnContext} for code that works with Vert.x futures: its children, waits and locks give a {@link Future} that
 * completes on the Vert.x context of the caller. It holds nothing of its own, so two of the same context are equal.
 */
public final class FutureContext {
    private final FastnContext context;
    // Another one only where that of the caller has ended: what is told to that does not reach the one around it.
    private final FastnContext told;

    private FutureContext(FastnContext context, FastnContext told) {
        this.context = context;
        this.told = told;
    }

    /**
     * {@return the context that the caller runs in} In the {@code start()} of a verticle it is the verticle's. After the response of
     * its request or the reply to its message it is the one around that, for what is begun then; but {@link #cancel}, {@link
     * #cancelAndReport} and {@link #setData} are still those of the one that has ended, so that they do nothing to others.
     */
    public static FutureContext current() {
        FastnContext now = FastnContext.current();
        return new FutureContext(now, VertxBinding.endedOr(now));
    }

    /**
     * Gives the future form of a context.
     *
     * @param context the context
     * @return its future form
     */
    public static FutureContext of(FastnContext context) {
        requireNonNull(context, "context");
        return new FutureContext(context, context);
    }

    /** {@return the context itself, with all that has nothing to do with futures} */
    public FastnContext context() {
        return context;
    }

    /** {@return the context's name} */
    public String name() {
        return context.name();
    }

    /** {@return the names from the root down} */
    public ContextPath path() {
        return context.path();
    }

    // --- children and tasks

    /**
     * Begins a child. The context of a request or message ends by itself, when it is answered; a child that is begun later is
     * one of the verticle.
     *
     * @param name the child's name; any text is accepted and made safe
     * @return a builder that runs or spawns a piece of work in the child
     */
    public FutureContextBuilder child(String name) {
        FastnContext parent = context instanceof ContextNode node ? ContextSlot.stillOpen(node) : context;
        return new FutureContextBuilder(parent.child(name));
    }

    /**
     * Starts a task in this context, without a child. It returns at once; the task starts later, on a new duplicated context
     * of the same verticle.
     *
     * @param task gives the future that ends the task
     * @param <T> the type of the result
     * @return completes as the task's future does; fails if the task throws
     */
    public <T extends @Nullable Object> Future<T> spawn(Supplier<Future<T>> task) {
        requireNonNull(task, "task");
        return Futures.of(context.<T>spawn(() -> Futures.stage(task.get())));
    }

    /**
     * Starts a task in a new child, which closes when the task's future completes; see {@link FutureContextBuilder#spawn}.
     *
     * @param name the child's name
     * @param task is given the child
     * @param <T> the type of the result
     * @return completes as the task's future does; fails if the task throws
     */
    public <T extends @Nullable Object> Future<T> spawnChild(
            String name, Function<? super FutureContext, Future<T>> task) {
        return child(name).spawn(task);
    }

    /**
     * Repeats a short piece of work. Each time runs in a short child of its own, on a Vert.x context of its own; Vert.x's
     * {@code setPeriodic} carries no context. It ends when this context is cancelled or closed, or the verticle of the caller is
     * undeployed.
     *
     * @param every the time between two beginnings; one that is still under way when the next is due is not overtaken, the
     *     next is left out
     * @param name the name of each child
     * @param tick is given the child, and gives the future that ends it; what it fails with is counted as {@code
     *     failed_ticks} here, and the next comes all the same
     * @return closing it ends the repetition
     * @throws IllegalArgumentException if the time is shorter than a millisecond
     * @throws IllegalStateException if this context belongs to no Vertx, and the caller runs on none
     */
    public Registration periodic(
            Duration every, String name, Function<? super FutureContext, ? extends Future<?>> tick) {
        requireNonNull(name, "name");
        return Periodic.start(this, every, name, requireNonNull(tick, "tick"));
    }

    // --- waits

    /**
     * Names an asynchronous wait, so that a snapshot shows what this context is inside of, and since when.
     *
     * @param operation the name, such as {@code db-query}
     * @param future what is waited for
     * @param <T> the type of the result
     * @return the same future
     */
    @SuppressWarnings("MustBeClosedChecker") // closed when the future completes
    public <T extends @Nullable Object> Future<T> awaiting(String operation, Future<T> future) {
        requireNonNull(future, "future");
        Operation running = context.operation(operation);
        return future.onComplete(done -> running.close());
    }

    /**
     * Waits for a future, but no longer than this context is wanted.
     *
     * @param future what is waited for; it is not stopped
     * @param <T> the type of the result
     * @return completes as the future does, or fails with a {@link ContextCancelledException} when this context is cancelled
     *     first, and with a {@link CancellationException} when the verticle of the caller is undeployed first
     */
    public <T extends @Nullable Object> Future<T> race(Future<T> future) {
        requireNonNull(future, "future");
        return VertxCalls.race(context, future);
    }

    /**
     * Waits for the first of some futures to complete, and shows that wait as an operation.
     *
     * @param operation the name, such as {@code reply-or-timeout}
     * @param futures what is waited for; those that lose go on
     * @param <T> the type of the result
     * @return completes as the first of them does, also when that one fails
     * @throws IllegalArgumentException if there are none
     */
    public <T extends @Nullable Object> Future<T> select(
            String operation, Collection<? extends Future<? extends T>> futures) {
        List<CompletionStage<? extends T>> stages = new ArrayList<>();
        futures.forEach(future -> stages.add(ShownCancellation.stageOf(future)));
        return Futures.of(context.<T>select(operation, stages));
    }

    /**
     * Waits for the first of two futures to complete, and shows that wait as "select".
     *
     * @param one what is waited for
     * @param other what is waited for too
     * @param <T> the type of the result
     * @return completes as the first of them does, also when that one fails
     */
    public <T extends @Nullable Object> Future<T> select(Future<? extends T> one, Future<? extends T> other) {
        return this.<T>select("select", List.of(one, other));
    }

    /**
     * Waits for a time, but no longer than this context is wanted.
     *
     * @param time how long; zero or negative is over at once
     * @return completes after the time; when this context is cancelled first the timer is taken back, and this fails at once
     *     with a {@link ContextCancelledException}. When the verticle of the caller is undeployed first, it fails with a {@link
     *     CancellationException}
     * @throws IllegalStateException if this context belongs to no Vertx, and the caller runs on none
     */
    public Future<Void> timer(Duration time) {
        return VertxCalls.timer(context, time).future();
    }

    /**
     * Asks on the event bus, but waits no longer than this context is wanted.
     *
     * @param address the address
     * @param body the body
     * @param <T> the type of the reply's body
     * @return completes with the reply; when this context is cancelled first it fails at once with a {@link
     *     ContextCancelledException}, and who works on the reply is told. When the verticle of the caller is undeployed first, it
     *     fails with a {@link CancellationException}
     * @throws IllegalStateException if this context belongs to no Vertx, and the caller runs on none
     */
    public <T extends @Nullable Object> Future<Message<T>> request(String address, @Nullable Object body) {
        return request(address, body, new DeliveryOptions());
    }

    /**
     * Asks on the event bus, but waits no longer than this context is wanted.
     *
     * @param address the address
     * @param body the body
     * @param options the options of the message
     * @param <T> the type of the reply's body
     * @return as {@link #request(String, Object)}
     * @throws IllegalStateException if this context belongs to no Vertx, and the caller runs on none
     */
    public <T extends @Nullable Object> Future<Message<T>> request(
            String address, @Nullable Object body, DeliveryOptions options) {
        return VertxCalls.request(
                context, requireNonNull(address, "address"), body, requireNonNull(options, "options"));
    }

    /**
     * Runs a task that blocks on a worker thread, in this context, but waits no longer than this context is wanted.
     *
     * @param task the task; when this context is cancelled it goes on to its end, or does not begin
     * @param <T> the type of the result
     * @return completes with the result; fails at once with a {@link ContextCancelledException} when this context is cancelled
     *     first, and with a {@link CancellationException} when the verticle of the caller is undeployed first
     * @throws IllegalStateException if this context belongs to no Vertx, and the caller runs on none
     */
    public <T extends @Nullable Object> Future<T> blocking(Callable<T> task) {
        return VertxCalls.blocking(context, requireNonNull(task, "task"), false);
    }

    /**
     * Runs a task that blocks on a worker thread, as {@link #blocking}, and interrupts its thread when this context is
     * cancelled. An interrupt closes the channels of NIO and of many a database driver that are in use then.
     *
     * @param task the task
     * @param <T> the type of the result
     * @return as {@link #blocking}
     * @throws IllegalStateException if this context belongs to no Vertx, and the caller runs on none
     */
    public <T extends @Nullable Object> Future<T> blockingInterruptibly(Callable<T> task) {
        return VertxCalls.blocking(context, requireNonNull(task, "task"), true);
    }

    /**
     * Has an HTTP request reset when this context is cancelled before its response has ended: {@code
     * client.request(..).map(ctx::resetOnCancel).compose(HttpClientRequest::send)}. Over HTTP/1 that closes the connection.
     *
     * @param request the request
     * @return the same request
     */
    public HttpClientRequest resetOnCancel(HttpClientRequest request) {
        return VertxCalls.resetOnCancel(context, requireNonNull(request, "request"));
    }

    /**
     * Brings what a thread outside of Vert.x completes back to the caller's Vert.x context, where its context is the current
     * one again: a {@code CompletableFuture}, the callback of a driver.
     *
     * @param stage what is waited for
     * @param <T> the type of the result
     * @return completes as the stage does, on the caller's Vert.x context
     */
    public static <T extends @Nullable Object> Future<T> returning(CompletionStage<T> stage) {
        return Futures.of(requireNonNull(stage, "stage"));
    }

    /**
     * {@return completes with the reason when this context is cancelled, and never otherwise} Asked again on the same Vert.x
     * context it is the same future; what is hung on it stays there until then, except by {@link #select}, so that a loop may
     * select it for ever. {@link FastnContext#onCancel} can be taken back.
     */
    public Future<CancelReason> cancellation() {
        return ShownCancellation.of(context);
    }

    /** Cancels this context and everything below it; see {@link FastnContext#cancel()}. */
    public void cancel() {
        told.cancel();
    }

    /**
     * Cancels this context and everything below it, and waits for what is below it to end; see {@link
     * FastnContext#cancelAndReport}.
     *
     * @param timeout how long to wait at most
     * @return completes with what did not stop; fails only where that does
     */
    public Future<CancelReport> cancelAndReport(Duration timeout) {
        return Futures.of(told.cancelAndReport(timeout));
    }

    /** {@return whether this context was asked to stop} */
    public boolean isCancelled() {
        return context.isCancelled();
    }

    // --- locks

    /**
     * Gives the mutex of this name in this context, made at the first call with the value that it protects.
     *
     * @param name the lock's name
     * @param value the first value; a different one in a later call is not taken over and is counted as misuse
     * @param <T> the type of the value
     * @return the one mutex of this name in this context
     * @throws IllegalStateException if a lock of another kind has this name in this context
     */
    public <T extends @Nullable Object> FutureMutex<T> mutex(String name, T value) {
        return new FutureMutex<>(context.mutex(name, value));
    }

    /**
     * Gives the mutex of this name in this context, made at the first call, that protects no value.
     *
     * @param name the lock's name
     * @return the one mutex of this name in this context
     * @throws IllegalStateException if a lock of another kind has this name in this context
     */
    public FutureMutex<?> mutex(String name) {
        return new FutureMutex<>(context.mutex(name));
    }

    /**
     * Gives the read-write lock of this name in this context, made at the first call with the value that it protects.
     *
     * @param name the lock's name
     * @param value the first value; a different one in a later call is not taken over and is counted as misuse
     * @param <T> the type of the value
     * @return the one read-write lock of this name in this context
     * @throws IllegalStateException if a lock of another kind has this name in this context
     */
    public <T extends @Nullable Object> FutureReadWriteLock<T> readWriteLock(String name, T value) {
        return new FutureReadWriteLock<>(context.readWriteLock(name, value));
    }

    /**
     * Gives the read-write lock of this name in this context, made at the first call, that protects no value.
     *
     * @param name the lock's name
     * @return the one read-write lock of this name in this context
     * @throws IllegalStateException if a lock of another kind has this name in this context
     */
    public FutureReadWriteLock<?> readWriteLock(String name) {
        return new FutureReadWriteLock<>(context.readWriteLock(name));
    }

    /**
     * Gives the semaphore of this name in this context, made at the first call with its permits.
     *
     * @param name the semaphore's name
     * @param permits how many there are; a different number in a later call is not taken over and is counted as misuse
     * @return the one semaphore of this name in this context
     * @throws IllegalArgumentException if there is not at least one permit
     * @throws IllegalStateException if a lock of another kind has this name in this context
     */
    public FutureSemaphore semaphore(String name, int permits) {
        return new FutureSemaphore(context.semaphore(name, permits));
    }

    /**
     * Gives Vert.x's own lock of a name, cluster-wide where the Vertx is clustered, with its holder and waiters in the status.
     *
     * @param name the lock's name in Vert.x
     * @return the lock
     * @throws IllegalStateException if this context belongs to no Vertx
     */
    public SharedLock sharedLock(String name) {
        return new SharedLock(context, name, false);
    }

    /**
     * Gives Vert.x's own local lock of a name, which is one of this Vertx also where that is clustered, with its holder and
     * waiters in the status.
     *
     * @param name the lock's name in Vert.x
     * @return the lock
     * @throws IllegalStateException if this context belongs to no Vertx
     */
    public SharedLock sharedLocalLock(String name) {
        return new SharedLock(context, name, true);
    }

    // --- what is shown

    /** Shows a sign of life. */
    public void touch() {
        context.touch();
    }

    /**
     * Shows a sign of life and says which: {@code touch("request")} is shown as "last request 0.8s ago".
     *
     * @param activity what happened
     */
    public void touch(String activity) {
        context.touch(activity);
    }

    /**
     * Stores a value that the status shows; see {@link FastnContext#setData}.
     *
     * @param key the key; {@code note} is shown as free text in the row
     * @param value a String, Number, Boolean, {@code null}, List, Map or JSON node; copied
     */
    public void setData(String key, @Nullable Object value) {
        told.setData(key, value);
    }

    /**
     * Shows a metric in this context's row; the last value of a key wins.
     *
     * @param key the key
     * @param value the value
     */
    public void addMetric(String key, MetricValue value) {
        context.addMetric(key, value);
    }

    /**
     * Shows a count in this context's row.
     *
     * @param key the key
     * @param value the count
     */
    public void addMetric(String key, long value) {
        context.addMetric(key, value);
    }

    /**
     * Adds one to a total counter of this path.
     *
     * @param counter the counter's name
     */
    public void incrementTotal(String counter) {
        context.incrementTotal(counter);
    }

    /**
     * Adds to a total counter of this path.
     *
     * @param counter the counter's name
     * @param n how many; a negative number adds nothing and is counted as misuse
     */
    public void addTotal(String counter, long n) {
        context.addTotal(counter, n);
    }

    /**
     * Counts something while it lasts; see {@link FastnContext#trackLive}.
     *
     * @param counter the counter's name
     * @return closing it, once or more, ends the count
     */
    @MustBeClosed
    public LiveCount trackLive(String counter) {
        return context.trackLive(counter);
    }

    /**
     * Counts something in the total and live counter of a name until a future completes.
     *
     * @param counter the counter's name
     * @param future what lasts
     * @param <T> the type of the result
     * @return the same future
     */
    @SuppressWarnings("MustBeClosedChecker") // closed when the future completes
    public <T extends @Nullable Object> Future<T> counting(String counter, Future<T> future) {
        requireNonNull(future, "future");
        LiveCount live = context.trackLive(counter);
        return future.onComplete(done -> live.close());
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof FutureContext that && that.context == context;
    }

    @Override
    public int hashCode() {
        return System.identityHashCode(context);
    }

    /** {@return the path and id, for logs} */
    @Override
    public String toString() {
        return context.toString();
    }
}
