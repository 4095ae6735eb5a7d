package com.fastn.context.vertx;

import static java.util.Objects.requireNonNull;

import com.fastn.context.ContextMutex;
import com.fastn.context.FastnContext;
import com.fastn.context.LockGuard;
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

    SharedLock(FastnContext context, String name) {
        this.context = context;
        this.name = requireNonNull(name, "name");
        if (context instanceof ContextNode node && node.runtime().environment() instanceof FastnVertx fastn) {
            this.vertx = fastn.vertx();
            this.runtime = node.runtime();
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
        requireNonNull(timeout, "timeout");
        long began = runtime.ticker().nanos();
        return Futures.of(mutex().lock(timeout)).compose(turn -> {
            Duration left = timeout.minusNanos(Math.max(0, runtime.ticker().nanos() - began));
            long millis = Math.max(1, left.toMillis());
            FastnContext asker = turn.context();
            Future<Lock> asked;
            try {
                asked = FutureContext.of(asker)
                        .awaiting(SharedLockNames.of(name), vertx.sharedData().getLockWithTimeout(name, millis));
            } catch (RuntimeException e) {
                turn.close();
                throw e;
            }
            return asked.onFailure(failure -> turn.close()).map(lock -> new Guard(lock, turn));
        });
    }

    /**
     * Runs a piece of work while holding the lock, and releases it whatever happens.
     *
     * @param work gives the future that ends the work
     * @param <R> the type of the result
     * @return completes as the work's future does, after the lock was released
     */
    public <R extends @Nullable Object> Future<R> withLock(Supplier<Future<R>> work) {
        requireNonNull(work, "work");
        return lock().compose(guard -> {
            Future<R> done;
            try {
                done = Futures.given(work.get());
            } catch (Throwable t) {
                done = Future.failedFuture(t);
            }
            return done.onComplete(end -> guard.close());
        });
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
        private final LockGuard<?> turn;
        private final AtomicBoolean closed = new AtomicBoolean();

        Guard(Lock lock, LockGuard<?> turn) {
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
                lock.release();
                turn.close();
            }
        }
    }
}
