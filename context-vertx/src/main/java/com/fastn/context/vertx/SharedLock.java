package com.fastn.context.vertx;

import static java.util.Objects.requireNonNull;

import com.fastn.context.ContextCancelledException;
import com.fastn.context.ContextMutex;
import com.fastn.context.FastnContext;
import com.fastn.context.LockGuard;
import com.fastn.context.LockTimeoutException;
import com.fastn.context.Operation;
import com.fastn.context.Registration;
import com.fastn.context.SelfDeadlockException;
import com.fastn.context.engine.ContextNode;
import com.fastn.context.engine.Delivery;
import com.fastn.context.engine.EngineRuntime;
import com.fastn.context.status.CancelReason;
import com.fastn.context.status.SharedLockNames;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.internal.ContextInternal;
import io.vertx.core.shareddata.Lock;
import java.time.Duration;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Vert.x's own lock of a name, with its holder and its waiters in the status: cluster-wide where the Vertx is clustered, local
 * otherwise.
 *
 * <p>Those of one Vertx stand in the line of a {@link ContextMutex} of this library first, in the order in which they asked,
 * and its head asks Vert.x. So status, explanation and deadlock detection know them as they know a mutex, which is shown as
 * {@code shared:<name>}; who waits for another node is shown inside of an operation of that name, and an explanation of
 * the cluster goes on at the node that holds it. A local one of a clustered Vertx is shown as {@code shared-local:<name>}.
 * Whoever takes the lock past this class is respected, and not seen.
 */
public final class SharedLock {
    /** What Vert.x waits by default. */
    private static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(10);
    // Beyond it there are no nanoseconds to count.
    private static final Duration LONGEST_TIMEOUT = Duration.ofDays(36_500);

    private final FastnVertx vertx;
    private final String name;
    private final String lineName;
    private final boolean local;
    private final EngineRuntime runtime;
    private final SharedTurns turns;
    private final SharedLines lines;

    /** Makes one; a Vertx that is not clustered has no other locks than its local ones, under one name. */
    SharedLock(FastnContext context, String name, boolean local) {
        this.name = requireNonNull(name, "name");
        if (context instanceof ContextNode node && node.runtime().environment() instanceof FastnVertx fastn) {
            this.vertx = fastn;
            this.local = local && fastn.vertx().isClustered();
            this.lineName = this.local ? SharedLockNames.ofLocal(name) : SharedLockNames.of(name);
            this.runtime = node.runtime();
            this.turns = fastn.remoteWaits().turns();
            this.lines = fastn.sharedLines();
        } else {
            throw new IllegalStateException("the shared lock \"" + name + "\" was asked for in " + context.path()
                    + ", which belongs to no Vertx; take FutureContext.current() on a Vert.x context");
        }
    }

    /** {@return the lock's name in Vert.x} */
    public String name() {
        return name;
    }

    /** {@return the context of this Vertx that holds the lock, or that waits for another node to release it; or {@code null}} */
    public @Nullable FastnContext holder() {
        ContextMutex<?> line = lines.of(lineName);
        return line == null ? null : line.holder();
    }

    /** {@return how many of this Vertx wait behind that one} */
    public int waiters() {
        ContextMutex<?> line = lines.of(lineName);
        return line == null ? 0 : line.waiters();
    }

    /**
     * Asks for the lock, for 10 seconds. Whoever gets the guard closes it.
     *
     * @return as {@link #lock(Duration)}
     */
    public Future<Guard> lock() {
        return lock(DEFAULT_TIMEOUT);
    }

    /**
     * Asks for the lock, for a time. Whoever gets the guard closes it.
     *
     * @param timeout how long to wait in all
     * @return completes with the guard; fails with a {@link LockTimeoutException} when the time runs out in the line of this
     *     Vertx, and as Vert.x does when it runs out there; with a {@link ContextCancelledException} when the asking context is
     *     or becomes cancelled, and with a {@link SelfDeadlockException} at once inside of its own {@link #withLock}
     */
    public Future<Guard> lock(Duration timeout) {
        return lock(requireNonNull(timeout, "timeout"), null);
    }

    private Future<Guard> lock(Duration timeout, SharedTurns.@Nullable Work work) {
        SelfDeadlockException self = selfDeadlock();
        if (self != null) {
            ContextInternal here = ContextInternal.current();
            return here == null ? Future.failedFuture(self) : here.failedFuture(self);
        }
        long began = runtime.ticker().nanos();
        Duration bounded = timeout.compareTo(LONGEST_TIMEOUT) > 0 ? LONGEST_TIMEOUT : timeout;
        SharedLines.Line line = lines.enter(lineName);
        Asking asking = new Asking(line, work, began + bounded.toNanos());
        // In the thread that tells of it: a future would be lost with its Vert.x context, and the line with it.
        CompletionStage<? extends LockGuard<?>> first = line.mutex.lock(bounded);
        var unused = first.whenComplete(asking::isFirst);
        Future<Guard> future = asking.promise.future();
        if (!future.isComplete()) {
            asking.endWithVerticle(first);
        }
        return future;
    }

    /** Nested on one thread, in one context: nobody but the outer work could release what the inner one waits for. */
    private @Nullable SelfDeadlockException selfDeadlock() {
        for (SharedLines.Inside inside = lines.inside().get(); inside != null; inside = inside.around()) {
            if (inside.lineName().equals(lineName) && inside.holder() == FastnContext.current()) {
                return new SelfDeadlockException("the shared lock \"" + name + "\" is held by "
                        + inside.holder().path() + " in a withLock, and was asked for again inside of it; it is not"
                        + " reentrant. Hand down what the work needs, or let another branch ask");
            }
        }
        return null;
    }

    /**
     * One asking, over the line of this Vertx and then that of Vert.x, until the guard is handed over or the asking has failed.
     *
     * <pre>
     *   in line --isFirst()--> asks Vert.x --answered()--> on its way --run()--> held
     *      \                        \--cancelled()--> failed  \--drop()--> failed, and released
     *       \--failed
     * </pre>
     */
    private final class Asking implements Delivery {
        final Promise<Guard> promise;
        private final SharedLines.Line line;
        private final SharedTurns.@Nullable Work work;
        private final long deadlineNanos;
        private final @Nullable Executor place;
        private final AtomicBoolean over = new AtomicBoolean();

        // Set before Vert.x is asked.
        private @Nullable LockGuard<?> head;
        private SharedTurns.@Nullable Turn turn;
        private @Nullable Operation operation;
        private @Nullable Registration onCancel;

        private @Nullable Guard guard;

        // Who writes one of these two looks at the other one then.
        private volatile boolean isAsking;
        private volatile @Nullable CancellationException gone;

        Asking(SharedLines.Line line, SharedTurns.@Nullable Work work, long deadlineNanos) {
            ContextInternal here = ContextInternal.current();
            this.promise = here == null ? Promise.promise() : here.promise();
            this.line = line;
            this.work = work;
            this.deadlineNanos = deadlineNanos;
            this.place = VertxBinding.completionsOf(here);
        }

        /** Ends the asking with the verticle that began it, in a context that is not of that verticle and goes on. */
        void endWithVerticle(CompletionStage<?> first) {
            ContextInternal here = ContextInternal.current();
            FastnContext by = FastnContext.current();
            if (here == null || VerticleEnd.isOfVerticle(by, here)) {
                return;
            }
            Registration undeployed = VerticleEnd.onUndeployed(by, here, () -> {
                CancellationException why = Futures.verticleIsGone(SharedLock.this.toString(), by);
                gone = why;
                first.toCompletableFuture().completeExceptionally(why);
                if (isAsking) {
                    end(why);
                }
            });
            promise.future().onComplete(done -> undeployed.close());
        }

        @SuppressWarnings(
                "MustBeClosedChecker") // closed when Vert.x answers, or nobody waits for the answer any longer
        void isFirst(@Nullable LockGuard<?> first, @Nullable Throwable failure) {
            if (first == null) {
                line.leave(null);
                promise.tryFail(requireNonNull(failure, "a failure"));
                return;
            }
            FastnContext asker = first.context();
            long now = runtime.ticker().nanos();
            long left = Math.max(0, deadlineNanos - now);
            head = first;
            turn = turns.ask(name, !local, first, work, now, now + left);
            operation = asker.operation(lineName);
            onCancel = asker.onCancel(this::cancelled);
            isAsking = true;
            CancellationException why = gone;
            if (why != null) {
                end(why);
                return;
            }
            try {
                vertx.home()
                        .runOnContext(go ->
                                askVertx(Math.max(1, Duration.ofNanos(left).toMillis())));
            } catch (RejectedExecutionException e) {
                end(e);
            }
        }

        /** On a Vert.x context that ends with the Vertx only, so that no answer is lost with the place that asked. */
        private void askVertx(long millis) {
            if (over.get()) {
                return;
            }
            Future<Lock> asked;
            try {
                asked = local
                        ? vertx.vertx().sharedData().getLocalLockWithTimeout(name, millis)
                        : vertx.vertx().sharedData().getLockWithTimeout(name, millis);
            } catch (RuntimeException e) {
                asked = Future.failedFuture(e);
            }
            asked.onComplete(answer -> {
                if (answer.failed()) {
                    end(answer.cause());
                } else {
                    answered(answer.result());
                }
            });
        }

        private void cancelled(CancelReason reason) {
            end(new ContextCancelledException(
                    SharedLock.this + " was not given to " + asker().path() + ", which was cancelled", reason));
        }

        private void answered(Lock lock) {
            Throwable ended = ended();
            if (ended != null) {
                end(ended);
            }
            if (!over.compareAndSet(false, true)) {
                // Nobody waits for it any longer, and others of this Vertx ask for themselves.
                lock.release();
                return;
            }
            SharedTurns.Turn granted = requireNonNull(turn, "turn");
            granted.granted(runtime.ticker().nanos());
            guard = new Guard(lock, granted, line);
            stopAsking();
            if (place == null) {
                // What the application throws when it hears of it is not ours: it has the lock.
                run();
                return;
            }
            try {
                place.execute(this);
            } catch (Throwable e) {
                drop();
            }
        }

        /** Hands it over, unless its context has ended on the way. */
        @Override
        public void run() {
            Throwable ended = ended();
            if (ended != null) {
                giveBack(ended);
            } else if (!promise.tryComplete(guard)) {
                giveBack(new IllegalStateException("it was over already"));
            }
        }

        @Override
        public void drop() {
            Throwable ended = ended();
            giveBack(
                    ended != null
                            ? ended
                            : new CancellationException(SharedLock.this + " was not given to " + asker().path()
                                    + ": the place that asked for it is gone"));
        }

        private void giveBack(Throwable why) {
            Quietly.run(
                    "a shared lock that nobody is left for was not released", requireNonNull(guard, "guard")::release);
            fail(why);
        }

        private void end(Throwable why) {
            if (over.compareAndSet(false, true)) {
                stopAsking();
                requireNonNull(turn, "turn").over();
                line.leave(head);
                fail(why);
            }
        }

        private void fail(Throwable why) {
            Quietly.run("the end of a wait for a shared lock was not told", () -> promise.tryFail(why));
        }

        private void stopAsking() {
            requireNonNull(operation, "operation").close();
            Registration registration = onCancel;
            if (registration != null) {
                registration.close();
            }
        }

        private FastnContext asker() {
            return requireNonNull(head, "head").context();
        }

        private @Nullable Throwable ended() {
            FastnContext asker = asker();
            CancelReason reason = asker.cancelReason();
            if (reason != null) {
                return new ContextCancelledException(
                        SharedLock.this + " was not given to " + asker.path() + ", which was cancelled", reason);
            }
            return asker instanceof ContextNode node && node.isClosed()
                    ? new IllegalStateException(SharedLock.this + " was not given to " + asker.path()
                            + ", which has ended; lock in a context that is open")
                    : gone;
        }
    }

    /**
     * Runs a piece of work while holding the lock, for which it waits 10 seconds, and releases it whatever happens.
     *
     * @param work gives the future that ends the work
     * @param <R> the type of the result
     * @return completes as the work's future does, after the lock was released
     */
    public <R extends @Nullable Object> Future<R> withLock(Supplier<Future<R>> work) {
        return withLock(DEFAULT_TIMEOUT, work);
    }

    /**
     * Runs a piece of work while holding the lock, and releases it whatever happens.
     *
     * @param timeout how long to wait for the lock
     * @param work gives the future that ends the work
     * @param <R> the type of the result
     * @return completes as the work's future does, after the lock was released; fails as {@link #lock(Duration)} does, and with a
     *     {@link CancellationException} where the end of the work was lost with the worker pool of its verticle
     */
    public <R extends @Nullable Object> Future<R> withLock(Duration timeout, Supplier<Future<R>> work) {
        requireNonNull(timeout, "timeout");
        requireNonNull(work, "work");
        SharedTurns.Work scope = new SharedTurns.Work();
        Future<R> result = lock(timeout, scope).compose(guard -> {
            Future<R> done;
            ThreadLocal<SharedLines.@Nullable Inside> inside = lines.inside();
            SharedLines.Inside around = inside.get();
            inside.set(new SharedLines.Inside(lineName, guard.context(), around));
            try {
                done = Futures.given(work.get());
            } catch (Throwable t) {
                done = Future.failedFuture(t);
            } finally {
                if (around == null) {
                    inside.remove();
                } else {
                    inside.set(around);
                }
            }
            scope.gave(done);
            Promise<R> told = Promise.promise();
            Registration lost = Futures.onLost(done, () -> {
                Throwable why = Futures.lost(guard.context(), this.toString());
                try {
                    guard.release();
                } finally {
                    told.tryFail(why);
                }
            });
            done.onComplete(end -> {
                lost.close();
                try {
                    guard.release();
                } finally {
                    Futures.tell(end, told);
                }
            });
            return told.future();
        });
        scope.isTo(result);
        return result;
    }

    @Override
    public String toString() {
        return (local ? "shared local lock \"" : "shared lock \"") + name + "\"";
    }

    /** The holding of a shared lock. */
    public static final class Guard implements AutoCloseable {
        private final Lock lock;
        private final SharedTurns.Turn turn;
        private final SharedLines.Line line;
        private final AtomicBoolean closed = new AtomicBoolean();

        Guard(Lock lock, SharedTurns.Turn turn, SharedLines.Line line) {
            this.lock = lock;
            this.turn = turn;
            this.line = line;
        }

        /** {@return the context that holds it} */
        public FastnContext context() {
            return turn.context();
        }

        /** Releases the lock. A second call has no effect but to be counted as a misuse. */
        @Override
        public void close() {
            if (!release() && context() instanceof ContextNode node) {
                node.runtime()
                        .misuse("a guard of the shared lock \"" + turn.name
                                + "\" was closed twice; the second time had no"
                                + " effect: close it in one place, or use withLock");
            }
        }

        /** {@return whether it was held} */
        private boolean release() {
            if (!closed.compareAndSet(false, true)) {
                return false;
            }
            turn.over();
            try {
                lock.release();
            } finally {
                // Whatever becomes of the lock, those of this Vertx who wait for it ask for themselves.
                line.leave(turn.line);
            }
            return true;
        }
    }
}
