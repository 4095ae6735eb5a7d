package com.fastn.context.vertx;

import com.fastn.context.ContextScope;
import com.fastn.context.FastnContext;
import com.fastn.context.Registration;
import com.fastn.context.engine.ContextNode;
import com.fastn.context.spi.ContextBinding;
import com.fastn.context.spi.Turn;
import com.fastn.context.status.CancelReason;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.internal.ContextInternal;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * Where the current context lives on Vert.x threads: in the slot of the Vert.x context. The engine finds this class as a
 * service; it is not for applications.
 *
 * <p>A root Vert.x context is shared by all that its verticle does, so nothing is written on it but the verticle's own
 * context: what is made current while code runs directly on a root is kept by the thread, until the scope ends. The
 * same goes for the bodies of {@code executeBlocking}, which share the Vert.x context of their caller.
 */
public final class VertxBinding implements ContextBinding {
    private static final String NOT_INNERMOST =
            "a ContextScope was closed while it was not the innermost one of its Vert.x context: one that was opened"
                    + " inside of it was left open, or is closed later. Open them in try-with-resources, one inside of"
                    + " the other";

    @SuppressWarnings("ThreadLocalUsage") // the engine has one binding in a process
    private final ThreadLocal<@Nullable ThreadScope> ofThread = new ThreadLocal<>();

    private final ScopesClosedEarly closedEarly = new ScopesClosedEarly();

    /** Made by the service loader. */
    public VertxBinding() {}

    @Override
    public boolean isActive() {
        return ContextInternal.current() != null;
    }

    @Override
    public @Nullable FastnContext current() {
        ContextInternal here = ContextInternal.current();
        if (here == null) {
            return null;
        }
        if (here.isDuplicate()) {
            // On an event loop nothing is kept by the thread but what is current on roots.
            FastnContext ours = Context.isOnEventLoopThread() ? null : ofThread(here);
            if (ours != null) {
                return ours instanceof ContextNode node ? ContextSlot.stillOpen(node) : ours;
            }
            ContextNode mine = ContextSlot.get(here);
            return mine != null ? ContextSlot.stillOpen(mine) : ofRoot(here.unwrap());
        }
        FastnContext ours = ofThread(here);
        return ours != null ? ours : ofRoot(here);
    }

    /** The request or message that has ended here, where a context is the current one in place of it; or that context. */
    static FastnContext endedOr(FastnContext current) {
        ContextInternal here = ContextInternal.current();
        ContextNode mine = here != null && here.isDuplicate() ? ContextSlot.get(here) : null;
        return mine != null && mine != current && ContextSlot.stillOpen(mine) == current ? mine : current;
    }

    /** What this thread has made current for itself at a place. */
    private @Nullable FastnContext ofThread(@Nullable ContextInternal here) {
        for (ThreadScope scope = innermost(); scope != null; scope = scope.around) {
            if (scope.place == here && !scope.closed) {
                return scope.context;
            }
        }
        return null;
    }

    private static @Nullable ContextNode ofRoot(ContextInternal root) {
        ContextNode known = ContextSlot.get(root);
        if (known != null) {
            return known;
        }
        FastnVertx fastn = FastnVertx.installedIn(root.owner());
        return fastn == null ? null : fastn.verticles().of(root);
    }

    @Override
    public ContextScope makeCurrent(FastnContext context) {
        ContextInternal here = ContextInternal.current();
        // The body of an executeBlocking runs on the very Vert.x context of the one who called it, at the same time as
        // that
        // one and as other bodies: what is current there is the thread's own.
        if (here != null
                && here.isDuplicate()
                && here.inThread()
                && context instanceof ContextNode node
                && ContextSlot.isIn(here)) {
            return new SlotScope(here, node);
        }
        ThreadScope scope = new ThreadScope(here, context, stillWanted(here));
        ofThread.set(scope);
        return scope;
    }

    /** The innermost scope, after those that were left open elsewhere and whose contexts have ended. */
    private @Nullable ThreadScope stillWanted(@Nullable ContextInternal here) {
        ThreadScope scope = innermost();
        while (scope != null && scope.place != here && scope.context instanceof ContextNode node && node.isClosed()) {
            scope.closed = true;
            scope = scope.firstOpen();
        }
        return scope;
    }

    /** The scope of this thread that was opened last, of those that are open. */
    private @Nullable ThreadScope innermost() {
        ThreadScope scope = ofThread.get();
        if (scope == null || !scope.closed) {
            return scope;
        }
        // Closed by another thread.
        ThreadScope open = scope.firstOpen();
        if (open == null) {
            ofThread.remove();
        } else {
            ofThread.set(open);
        }
        return open;
    }

    @Override
    public boolean isEventLoop() {
        return Context.isOnEventLoopThread();
    }

    @Override
    public @Nullable Executor completions() {
        return completionsOf(ContextInternal.current());
    }

    static @Nullable Executor completionsOf(@Nullable ContextInternal here) {
        if (here == null) {
            return null;
        }
        if (here.isEventLoopContext()) {
            return task -> execute(here, task);
        }
        FastnVertx fastn = FastnVertx.installedIn(here.owner());
        return new WorkerTurn.Completions(here, fastn == null ? null : fastn.deliveriesTo(here.unwrap()));
    }

    static void execute(ContextInternal context, Runnable task) {
        context.executor().execute(new OnContext(context, task));
    }

    @Override
    public @Nullable Turn turn() {
        return WorkerTurn.ofCaller();
    }

    /** A task that runs with a Vert.x context as the current one: what {@code runOnContext} does, in one object. */
    private record OnContext(ContextInternal context, Runnable task) implements Runnable {
        @Override
        public void run() {
            context.dispatch(task);
        }
    }

    @Override
    public @Nullable Executor tasks(FastnContext context) {
        ContextInternal place = newPlace(context);
        if (place == null) {
            return null;
        }
        FastnVertx fastn = place.isEventLoopContext() ? null : FastnVertx.installedIn(place.owner());
        return fastn == null
                ? task -> place.runOnContext(now -> task.run())
                : new WorkerTurn.Starts(place, fastn.lastingDeliveries());
    }

    @Override
    public @Nullable Executor blockingTasks(FastnContext context) {
        ContextInternal place = newPlace(context);
        if (place == null
                || !(context instanceof ContextNode node)
                || !(node.runtime().environment() instanceof FastnVertx fastn)) {
            return null;
        }
        return task -> runBlocking(fastn.workerQueue(), node, place, task);
    }

    /** Hands a task to the pool of a place, which may refuse it, or lose it when it is closed. */
    private static void runBlocking(WorkerQueue queue, ContextNode context, ContextInternal place, Runnable task) {
        AtomicBoolean begun = new AtomicBoolean();
        Runnable once = () -> {
            if (begun.compareAndSet(false, true)) {
                task.run();
            }
        };
        Runnable tracked = queue.queued(context, place.workerPool().executor(), once);
        // What has not begun never does, and says so at once: a pool that is closed tells nobody what it drops.
        Registration cancelled = context.onCancel(reason -> {
            queue.dropped(tracked);
            once.run();
        });
        Registration undeployed = VerticleEnd.onUndeployed(context, place, () -> {
            if (begun.compareAndSet(false, true)) {
                queue.dropped(tracked);
                // The context is the task's alone: once it is cancelled the task fails instead of beginning.
                context.cancel(CancelReason.Kind.SHUTDOWN, "the verticle that its task was to run in was undeployed");
                task.run();
            }
        });
        Future<?> end;
        try {
            end = place.executeBlocking(
                    () -> {
                        cancelled.close();
                        undeployed.close();
                        tracked.run();
                        return null;
                    },
                    false);
        } catch (RuntimeException e) {
            // The pool is closed.
            cancelled.close();
            undeployed.close();
            queue.dropped(tracked);
            throw e;
        }
        end.onComplete(done -> queue.dropped(tracked));
    }

    /** A duplicated Vert.x context of the verticle that a context belongs to, with it as the current one. */
    static @Nullable ContextInternal newPlace(FastnContext context) {
        if (context instanceof ContextNode node && node.runtime().environment() instanceof FastnVertx fastn) {
            ContextInternal place = fastn.placeOf(node).duplicate();
            ContextSlot.put(place, node);
            return place;
        }
        return null;
    }

    /** A scope on a duplicated Vert.x context, whichever of its threads opens and closes it; it is closed once. */
    private final class SlotScope implements ContextScope {
        private final ContextInternal place;
        private final ContextNode context;
        private final @Nullable ContextNode before;

        SlotScope(ContextInternal place, ContextNode context) {
            this.place = place;
            this.context = context;
            this.before = ContextSlot.enter(place, context);
        }

        @Override
        public void close() {
            ContextNode now = ContextSlot.get(place);
            if (now != context) {
                context.runtime().misuse(NOT_INNERMOST);
                if (now == null || !now.isClosed()) {
                    closedEarly.add(place, context, before);
                    return;
                }
                // What was left open has ended: nobody wants it as the current context of this place.
            }
            ContextSlot.restore(place, closedEarly.orBefore(place, before));
        }
    }

    /**
     * A scope of a thread that runs directly on a root Vert.x context, or runs a blocking task away from the threads of its
     * Vert.x context; each knows the one around it.
     */
    private final class ThreadScope implements ContextScope {
        private final @Nullable ContextInternal place;
        private final FastnContext context;
        private final @Nullable ThreadScope around;
        private volatile boolean closed;

        ThreadScope(@Nullable ContextInternal place, FastnContext context, @Nullable ThreadScope around) {
            this.place = place;
            this.context = context;
            this.around = around;
        }

        @Nullable
        ThreadScope firstOpen() {
            ThreadScope scope = this;
            while (scope != null && scope.closed) {
                scope = scope.around;
            }
            return scope;
        }

        @Override
        public void close() {
            if (closed) {
                return;
            }
            closed = true;
            ThreadScope now = ofThread.get();
            if (now != this && context instanceof ContextNode node) {
                node.runtime().misuse(NOT_INNERMOST);
                closeEndedOnes(now);
            }
            var unused = innermost();
        }

        /** Of what was left open inside of this one nobody wants what has ended. */
        private void closeEndedOnes(@Nullable ThreadScope innermost) {
            for (ThreadScope scope = innermost; scope != null && scope != this; scope = scope.around) {
                if (scope.context instanceof ContextNode node && node.isClosed()) {
                    scope.closed = true;
                }
            }
        }
    }
}
