package com.fastn.context.vertx;

import static java.util.Objects.requireNonNull;

import com.fastn.context.ContextMutex;
import com.fastn.context.FastnContext;
import com.fastn.context.LockTimeoutException;
import com.fastn.context.engine.ContextNode;
import com.fastn.context.engine.EngineRuntime;
import com.fastn.context.status.SharedLockNames;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.shareddata.Lock;
import java.time.Duration;
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
 * the cluster goes on at the node that holds it. Whoever takes the lock past this class is respected, and not seen.
 */
public final class SharedLock {
    /** What Vert.x waits by default. */
    private static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(10);

    private final FastnContext context;
    private final Vertx vertx;
    private final String name;
    private final EngineRuntime runtime;
    private final SharedTurns turns;

    SharedLock(FastnContext context, String name) {
        this.context = context;
        this.name = requireNonNull(name, "name");
        if (context instanceof ContextNode node && node.runtime().environment() instanceof FastnVertx fastn) {
            this.vertx = fastn.vertx();
            this.runtime = node.runtime();
            this.turns = fastn.remoteWaits().turns();
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
        return mutex().holder();
    }

    /** {@return how many of this Vertx wait behind that one} */
    public int waiters() {
        return mutex().waiters();
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
     *     Vertx, and as Vert.x does when it runs out there
     */
    public Future<Guard> lock(Duration timeout) {
        return lock(requireNonNull(timeout, "timeout"), null);
    }

    private Future<Guard> lock(Duration timeout, SharedTurns.@Nullable Work work) {
        long began = runtime.ticker().nanos();
        return Futures.of(mutex().lock(timeout)).compose(line -> {
            long now = runtime.ticker().nanos();
            Duration left = timeout.minusNanos(Math.max(0, now - began));
            long millis = Math.max(1, left.toMillis());
            FastnContext asker = line.context();
            SharedTurns.Turn turn = turns.ask(name, line, work, now, now + left.toNanos());
            Future<Lock> asked;
            try {
                asked = FutureContext.of(asker)
                        .awaiting(SharedLockNames.of(name), vertx.sharedData().getLockWithTimeout(name, millis));
            } catch (RuntimeException e) {
                turn.over();
                line.close();
                throw e;
            }
            return asked.onFailure(failure -> {
                        turn.over();
                        line.close();
                    })
                    .map(lock -> {
                        turn.granted(runtime.ticker().nanos());
                        return new Guard(lock, turn);
                    });
        });
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
     * @return completes as the work's future does, after the lock was released; fails as {@link #lock(Duration)} does
     */
    public <R extends @Nullable Object> Future<R> withLock(Duration timeout, Supplier<Future<R>> work) {
        requireNonNull(timeout, "timeout");
        requireNonNull(work, "work");
        SharedTurns.Work scope = new SharedTurns.Work();
        Future<R> result = lock(timeout, scope).compose(guard -> {
            Future<R> done;
            try {
                done = Futures.given(work.get());
            } catch (Throwable t) {
                done = Future.failedFuture(t);
            }
            scope.gave(done);
            return done.onComplete(end -> guard.close());
        });
        scope.isTo(result);
        return result;
    }

    private ContextMutex<?> mutex() {
        return runtime.root().mutex(SharedLockNames.of(name));
    }

    @Override
    public String toString() {
        return "shared lock \"" + name + "\" of " + context.path();
    }

    /** The holding of a shared lock. */
    public static final class Guard implements AutoCloseable {
        private final Lock lock;
        private final SharedTurns.Turn turn;
        private final AtomicBoolean closed = new AtomicBoolean();

        Guard(Lock lock, SharedTurns.Turn turn) {
            this.lock = lock;
            this.turn = turn;
        }

        /** {@return the context that holds it} */
        public FastnContext context() {
            return turn.context();
        }

        /** Releases the lock. A second call has no effect. */
        @Override
        public void close() {
            if (closed.compareAndSet(false, true)) {
                turn.over();
                lock.release();
                turn.line.close();
            }
        }
    }
}
