package com.fastn.context;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.JsonNode;
import com.fastn.context.status.CallerLink;
import com.fastn.context.status.CancelReason;
import com.fastn.context.status.ContextKind;
import com.fastn.context.status.ContextPath;
import com.fastn.context.status.ContextState;
import com.fastn.context.status.CounterWindows;
import com.fastn.context.status.MetricValue;
import com.fastn.context.status.SnapshotLimits;
import com.fastn.context.status.StatusSnapshot;
import com.google.errorprone.annotations.MustBeClosed;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A named, timed unit of work with a parent: one node of the tree that a status snapshot shows.
 *
 * <p>A context is opened by a {@link ContextBuilder} and closed once, by its task's end or by {@link #close}. A closed
 * context with open children stays in the tree as {@link ContextState#CLOSING} until the last of them closes. Cancelling
 * it asks it and everything below it to stop. Its total counters survive it, its live counts do not.
 *
 * <p>All methods may be called from any thread. None throws because of the state of the context, but {@link #throwIfCancelled},
 * which is for that: on a closed one, {@code child} gives a context that is closed and cancelled from the start, totals still
 * count, locks fail their stage.
 */
public interface FastnContext extends AutoCloseable {

    /**
     * {@return the root of the tree that the current context belongs to} Off any context it is the root of the default
     * runtime, named {@code global}.
     */
    static FastnContext global() {
        return current().runtime().root();
    }

    /**
     * {@return the context that the caller runs in} Never {@code null}: off any context it is the root of the default
     * runtime.
     */
    static FastnContext current() {
        return ContextEngine.get().current();
    }

    /** {@return a snapshot of the whole tree that the current context belongs to} */
    static StatusSnapshot status() {
        return current().runtime().status();
    }

    /**
     * {@return a snapshot of the whole tree that the current context belongs to, with the contexts that ended last} Those
     * are the ones that were marked with {@link #persist}.
     */
    static StatusSnapshot statusWithRecent() {
        return current().runtime().statusWithRecent();
    }

    /** {@return the name, as given and made safe: at most 256 code points, never empty} */
    String name();

    /** {@return the name for people, by default the name} */
    String label();

    /**
     * {@return the number of this context; no two contexts of a runtime share it} Numbers rise in the order of creation as
     * far as one thread sees it, and a child's is above its parent's. Of contexts that several threads open at the same
     * time, an older one may have a higher number, and some numbers are left out.
     */
    long id();

    /** {@return the names from the root down} */
    ContextPath path();

    /** {@return what this context stands for} */
    ContextKind kind();

    /** {@return the parent, or {@code null} for a root} */
    @Nullable
    FastnContext parent();

    /** {@return the open children, the oldest first; a copy} */
    List<FastnContext> children();

    /** {@return the runtime that this context belongs to} */
    ContextRuntime runtime();

    /** {@return where this context is in its life} */
    ContextState state();

    /** {@return the known caller elsewhere, or {@code null}} */
    @Nullable
    CallerLink caller();

    /** {@return when this context was created, by the wall clock; a label, not a base for arithmetic} */
    Instant createdAt();

    /** {@return when the last sign of life was, by the wall clock; a label, not a base for arithmetic} */
    Instant lastActivity();

    /**
     * {@return since its creation; never negative, at rest once the context is closed} That of an open context is exact, and
     * so is that of one that ended and is remembered ({@link #persist}) or was listened to. The end of any other is read from
     * a clock that ticks every 20 ms, so its duration may be shorter by so much.
     */
    Duration duration();

    /** {@return since the last sign of life; never negative} */
    Duration idleDuration();

    /** Shows a sign of life. Tasks, operations, locks and counters do so by themselves. */
    void touch();

    /**
     * Shows a sign of life and says which: {@code touch("request")} is shown as "last request 0.8s ago".
     *
     * @param activity what happened
     */
    void touch(String activity);

    /**
     * Begins a child.
     *
     * @param name the child's name; any text is accepted and made safe
     * @return a builder that opens the child or spawns a task in it
     */
    ContextBuilder child(String name);

    /**
     * Starts a task in this context, without a child. It returns at once; the task starts later, on the executor of the
     * runtime or, under Vert.x, on a new duplicated context of the same verticle.
     *
     * @param task gives the stage that completes when the task is done
     * @param <T> the type of the result
     * @return completes as the task's stage does; fails if the task throws
     */
    <T extends @Nullable Object> CompletionStage<T> spawn(Supplier<? extends CompletionStage<T>> task);

    /**
     * Starts a task in a new child, which closes when the task's stage completes.
     *
     * @param name the child's name
     * @param task is given the child
     * @param <T> the type of the result
     * @return completes as the task's stage does; fails if the task throws
     */
    <T extends @Nullable Object> CompletionStage<T> spawnChild(
            String name, Function<? super FastnContext, ? extends CompletionStage<T>> task);

    /**
     * {@return a stage that completes with the reason when this context is cancelled} It never completes otherwise.
     * Completing or cancelling it from outside has no effect on the context.
     *
     * <p>It is one stage for all who ask, so what hangs on it runs in the thread that cancels, which on Vert.x may be
     * another event loop; its {@code ..Async} forms run where you say. {@link #onCancel}, {@link #race} and {@code select} of
     * this stage go on where they were called from, as does {@code FutureContext.cancellation()}.
     */
    CompletionStage<CancelReason> cancellation();

    /**
     * Registers a handler for cancellation. It runs once: later, on the Vert.x context or in the thread that cancels, or
     * at once if this context is cancelled already. A handler that throws is logged and harms no other. Off Vert.x, one that
     * does not return for about a second has those behind it run in another thread, so that it may wait for what they stop.
     *
     * @param handler is given the reason
     * @return closing it takes the handler back
     */
    Registration onCancel(Consumer<? super CancelReason> handler);

    /** {@return whether this context was asked to stop} */
    boolean isCancelled();

    /** {@return why this context was asked to stop, or {@code null}} */
    @Nullable
    CancelReason cancelReason();

    /**
     * Does nothing unless this context was asked to stop.
     *
     * @throws ContextCancelledException if it was
     */
    void throwIfCancelled();

    /**
     * Cancels this context and everything below it.
     *
     * <p>Not atomic: while this runs, another thread may see one child cancelled and its sibling not yet. When it
     * returns, all of them are; but on an event loop, which must not be held up, the rest of a subtree that takes longer
     * than a millisecond follows in slices on that loop. It asks work to stop; it does not wait for it.
     *
     * <p>The first reason stays. A second call, off an event loop, cancels what a cancellation that is under way elsewhere
     * has not reached yet, so that all is cancelled when that returns too; on an event loop it has no effect. Neither waits
     * for handlers that run elsewhere. Waits for locks below end before the first handler runs.
     */
    void cancel();

    /**
     * Cancels this context and everything below it, waits for the contexts below it to end, and tells which did not, and
     * what they are doing.
     *
     * <p>What hangs on the stage runs on the Vert.x context that this is called from. Off Vert.x it has a thread of its own, so
     * it may wait for the results of what has ended.
     *
     * @param timeout how long to wait at most; zero or negative tells at once
     * @return completes when everything below has ended or the time is over; fails only where the tree cannot be looked
     *     through, such as for lack of memory
     */
    CompletionStage<CancelReport> cancelAndReport(Duration timeout);

    /**
     * Cancels this context and everything below it, and says why.
     *
     * @param message the reason, for people
     * @see #cancel()
     */
    void cancel(String message);

    /**
     * Cancels this context when it is still open after a time.
     *
     * @param timeout from now; zero or negative cancels at once
     * @return closing it calls the cancellation off
     */
    Registration cancelAfter(Duration timeout);

    /**
     * Waits for a stage or for cancellation, whichever comes first.
     *
     * @param stage what to wait for; it goes on when this context is cancelled
     * @param <T> the type of the result
     * @return completes as the stage does, or fails with a {@link ContextCancelledException}
     */
    <T extends @Nullable Object> CompletionStage<T> race(CompletionStage<T> stage);

    /**
     * Names an asynchronous wait, so that a snapshot shows what this context is inside of, and since when.
     *
     * @param operation the name, such as {@code db-query}
     * @param stage what is waited for
     * @param <T> the type of the result
     * @return completes as the stage does, once the operation is over, so what goes on from here is no part of it; the same
     *     stage if it is that of a lock
     */
    <T extends @Nullable Object> CompletionStage<T> awaiting(String operation, CompletionStage<T> stage);

    /**
     * Waits for the first of some stages to complete, and shows that wait as an operation.
     *
     * @param operation the name, such as {@code reply-or-timeout}
     * @param stages what is waited for; those that lose go on
     * @param <T> the type of the result
     * @return completes as the first of them does, also when that one fails
     * @throws IllegalArgumentException if there are none
     */
    <T extends @Nullable Object> CompletionStage<T> select(
            String operation, Collection<? extends CompletionStage<? extends T>> stages);

    /**
     * Waits for the first of some stages to complete, and shows that wait as "select".
     *
     * @param stages what is waited for; those that lose go on
     * @param <T> the type of the result
     * @return completes as the first of them does, also when that one fails
     * @throws IllegalArgumentException if there are none
     */
    default <T extends @Nullable Object> CompletionStage<T> select(
            Collection<? extends CompletionStage<? extends T>> stages) {
        return select("select", stages);
    }

    /**
     * Waits for the first of two stages to complete, and shows that wait as "select".
     *
     * @param one what is waited for
     * @param other what is waited for too
     * @param <T> the type of the result
     * @return completes as the first of them does, also when that one fails
     */
    default <T extends @Nullable Object> CompletionStage<T> select(
            CompletionStage<? extends T> one, CompletionStage<? extends T> other) {
        return select("select", List.of(requireNonNull(one, "one"), requireNonNull(other, "other")));
    }

    /**
     * Begins a named operation, which lasts until it is closed.
     *
     * @param name such as {@code db-query}
     * @return closing it ends the operation
     */
    @MustBeClosed
    Operation operation(String name);

    /**
     * Stores a value that the status shows; the last value of a key wins.
     *
     * <p>A value has up to 10,000 elements and 60,000 characters, and a context up to 2,000 keys. What is beyond is cut, with
     * how much that is in its place, or not kept, and counted as misuse.
     *
     * @param key the key; {@code note} is shown as free text in the row
     * @param value a String, Number, Boolean, {@code null}, List, Map or {@link JsonNode}; copied
     * @throws IllegalArgumentException if the value is none of these, with the reason
     */
    void setData(String key, @Nullable Object value);

    /**
     * Gives a stored value.
     *
     * @param key the key
     * @return the value as JSON, or {@code null} when there is none
     */
    @Nullable
    JsonNode getData(String key);

    /**
     * Shows a metric in this context's row; the last value of a key wins. A context has up to 2,000 of them; further ones
     * are not kept and counted as misuse.
     *
     * @param key the key, shown with spaces for underscores
     * @param value the value
     */
    void addMetric(String key, MetricValue value);

    /**
     * Shows a count in this context's row.
     *
     * @param key the key
     * @param value the count
     */
    default void addMetric(String key, int value) {
        addMetric(key, MetricValue.counter(value));
    }

    /**
     * Shows a count in this context's row.
     *
     * @param key the key
     * @param value the count
     */
    default void addMetric(String key, long value) {
        addMetric(key, MetricValue.counter(value));
    }

    /**
     * Shows a sampled number in this context's row.
     *
     * @param key the key
     * @param value the sample
     */
    default void addMetric(String key, double value) {
        addMetric(key, MetricValue.gauge(value));
    }

    /**
     * Shows a length of time in this context's row.
     *
     * @param key the key
     * @param value the length
     */
    default void addMetric(String key, Duration value) {
        addMetric(key, MetricValue.duration(value));
    }

    /**
     * Shows a text in this context's row.
     *
     * @param key the key
     * @param value the text
     */
    default void addMetric(String key, String value) {
        addMetric(key, MetricValue.text(value));
    }

    /**
     * Looks a setting up here and then in the ancestors.
     *
     * @param key the key
     * @return the nearest value, or {@code null} when nobody set it
     */
    @Nullable
    Object setting(String key);

    /**
     * Sets a value that this context and everything below it finds with {@link #setting}, such as one of the {@link
     * Thresholds}. Contexts that nobody builds by hand, the root and those of verticles, get theirs this way.
     *
     * @param key the key
     * @param value the value, or {@code null} to have the ancestors' again
     * @throws IllegalArgumentException if the library reads this setting itself and cannot use the value; the message says which
     *     it takes
     */
    void setSetting(String key, @Nullable Object value);

    /**
     * Adds one to a total counter of this path. Totals survive the context and saturate at {@link Long#MAX_VALUE}.
     *
     * @param counter the counter's name
     */
    default void incrementTotal(String counter) {
        addTotal(counter, 1);
    }

    /**
     * Adds to a total counter of this path. Totals survive the context and saturate at {@link Long#MAX_VALUE}.
     *
     * @param counter the counter's name
     * @param n how many; a negative number adds nothing and is counted as misuse
     */
    void addTotal(String counter, long n);

    /**
     * Adds one to a live counter of this path. It falls back by itself when this context closes.
     *
     * @param counter the counter's name
     */
    void incrementLive(String counter);

    /**
     * Takes one from a live counter of this path. What this context did not add is not taken: it stays at 0 and is
     * counted as misuse (rule M3).
     *
     * @param counter the counter's name
     */
    void decrementLive(String counter);

    /**
     * Counts something while it lasts: adds one to the total and to the live counter, and takes the live one back when
     * closed or when this context closes, whichever is first.
     *
     * @param counter the counter's name
     * @return closing it, once or more, ends the count
     */
    @MustBeClosed
    LiveCount trackLive(String counter);

    /**
     * Gives a handle to a total counter of this path, for hot places.
     *
     * @param counter the counter's name
     * @return the handle; it stays valid after this context closed
     */
    TotalCounter totalCounter(String counter);

    /**
     * {@return the total count of this path, over all contexts that ever had it} What a path counted before it was folded for
     * want of room is in {@code __folded__} of its parent; a path that found no room is counted together with others there, and
     * gets their sum (see {@link Counters#folded}).
     *
     * @param counter the counter's name
     */
    long getTotal(String counter);

    /**
     * {@return the live count of this path, over all contexts that have it; of a path that found no room the sum that it is in}
     *
     * @param counter the counter's name
     */
    long getLive(String counter);

    /**
     * {@return the total count of this path and all paths below it}
     *
     * @param counter the counter's name
     */
    long subtreeTotal(String counter);

    /**
     * {@return the live count of this path and all paths below it}
     *
     * @param counter the counter's name
     */
    long subtreeLive(String counter);

    /**
     * {@return how much a total counter of this path, and of all paths below it, grew lately; from the first call on} See {@link
     * Counters#windows(ContextPath, String)}.
     *
     * @param counter the counter's name
     */
    default CounterWindows counterWindows(String counter) {
        return runtime().counters().windows(path(), counter);
    }

    /**
     * Gives the mutex of this name in this context, made at the first call with the value that it protects.
     *
     * @param name the lock's name
     * @param value the first value; a different one in a later call is not taken over and is counted as misuse
     * @param <T> the type of the value
     * @return the one mutex of this name in this context
     * @throws IllegalStateException if a lock of another kind has this name in this context
     */
    <T extends @Nullable Object> ContextMutex<T> mutex(String name, T value);

    /**
     * Gives the mutex of this name in this context, made at the first call, that protects no value.
     *
     * @param name the lock's name
     * @return the one mutex of this name in this context
     * @throws IllegalStateException if a lock of another kind has this name in this context
     */
    ContextMutex<?> mutex(String name);

    /**
     * Gives the read-write lock of this name in this context, made at the first call with the value that it protects.
     *
     * @param name the lock's name
     * @param value the first value; a different one in a later call is not taken over and is counted as misuse
     * @param <T> the type of the value
     * @return the one read-write lock of this name in this context
     * @throws IllegalStateException if a lock of another kind has this name in this context
     */
    <T extends @Nullable Object> ContextReadWriteLock<T> readWriteLock(String name, T value);

    /**
     * Gives the read-write lock of this name in this context, made at the first call, that protects no value.
     *
     * @param name the lock's name
     * @return the one read-write lock of this name in this context
     * @throws IllegalStateException if a lock of another kind has this name in this context
     */
    ContextReadWriteLock<?> readWriteLock(String name);

    /**
     * Gives the semaphore of this name in this context, made at the first call with its permits.
     *
     * @param name the semaphore's name
     * @param permits how many there are; a different number in a later call is not taken over and is counted as misuse
     * @return the one semaphore of this name in this context
     * @throws IllegalArgumentException if there is not at least one permit
     * @throws IllegalStateException if a lock of another kind has this name in this context
     */
    ContextSemaphore semaphore(String name, int permits);

    /** {@return a snapshot of this context and everything below it} */
    StatusSnapshot subtreeStatus();

    /**
     * Takes a snapshot of this context and everything below it that is no larger than asked for; see {@link
     * ContextRuntime#status(SnapshotLimits)}.
     *
     * @param limits how large it may be
     * @return the snapshot
     */
    StatusSnapshot subtreeStatus(SnapshotLimits limits);

    /**
     * Takes a snapshot of the upper levels of this context, within {@link SnapshotLimits#DEFAULT} otherwise.
     *
     * @param maxDepth how many levels; 1 is this context alone
     * @return the snapshot
     * @throws IllegalArgumentException if the depth is below 1
     */
    default StatusSnapshot subtreeStatus(int maxDepth) {
        return subtreeStatus(SnapshotLimits.DEFAULT.withMaxDepth(maxDepth));
    }

    /**
     * Makes this context the current one of the calling thread or Vert.x context until the scope is closed.
     *
     * @return closing it restores the previous one; close it where you opened it
     */
    @MustBeClosed
    ContextScope makeCurrent();

    /**
     * Wraps a task so that it runs in this context, wherever it runs.
     *
     * @param task the task
     * @return the wrapped task
     */
    Runnable wrap(Runnable task);

    /**
     * Wraps a task with a result so that it runs in this context, wherever it runs.
     *
     * @param task the task
     * @param <T> the type of the result
     * @return the wrapped task
     */
    <T extends @Nullable Object> Callable<T> wrapCallable(Callable<T> task);

    /**
     * Wraps an executor so that its tasks run in this context.
     *
     * @param executor runs the tasks
     * @return the wrapped executor
     */
    Executor wrapExecutor(Executor executor);

    /**
     * Wraps an executor service so that its tasks run in this context. It is the same service otherwise: what shuts the one
     * down shuts the other down too.
     *
     * @param executor runs the tasks
     * @return the wrapped executor service
     */
    ExecutorService wrapExecutor(ExecutorService executor);

    /**
     * Says that this context is to be remembered when it ends: it is put into the runtime's list of recent contexts, with how
     * it ended, and counted in the windows of its path ({@link Counters#windows}). It may be said at any time before the end;
     * once is enough.
     *
     * @see ContextRuntime#recent
     */
    void persist();

    /**
     * Says that the work of this context failed, so that it is remembered as failed; the first failure counts. A task that
     * is spawned in a child says so by itself. It does not close the context, and is of no use unless {@link #persist} was
     * said before.
     *
     * @param failure what went wrong; the list of recent contexts shows its class and its message
     */
    void failed(Throwable failure);

    /**
     * Ends this context. Open children keep it in the tree as {@link ContextState#CLOSING}; live counts and operations
     * end now. A second call has no effect, and the root of a runtime ends only with the runtime.
     */
    @Override
    void close();
}
