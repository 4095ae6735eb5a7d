package com.fastn.context.vertx;

import com.fastn.context.ContextScope;
import com.fastn.context.FastnContext;
import com.fastn.context.engine.ContextNode;
import com.fastn.context.spi.ContextBinding;
import io.vertx.core.Context;
import io.vertx.core.internal.ContextInternal;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * Where the current context lives on Vert.x threads: in the slot of the Vert.x context. The engine finds this class as a
 * service; it is not for applications.
 *
 * <p>A root Vert.x context is shared by all that its verticle does, so nothing is written on it but the verticle's own
 * context: what is made current while code runs directly on a root is kept by the thread, until the scope ends.
 */
public final class VertxBinding implements ContextBinding {
    @SuppressWarnings("ThreadLocalUsage") // the engine has one binding in a process
    private final ThreadLocal<@Nullable OnRoot> onRoot = new ThreadLocal<>();

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
            ContextNode mine = ContextSlot.get(here);
            return mine != null ? ContextSlot.stillOpen(mine) : ofRoot(here.unwrap());
        }
        OnRoot scope = onRoot.get();
        return scope != null && scope.root == here ? scope.context : ofRoot(here);
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
        if (here != null && here.isDuplicate() && context instanceof ContextNode node && ContextSlot.isIn(here)) {
            ContextNode before = ContextSlot.get(here);
            ContextSlot.put(here, node);
            return () -> ContextSlot.restore(here, before);
        }
        OnRoot before = onRoot.get();
        onRoot.set(new OnRoot(here, context));
        return () -> {
            if (before == null) {
                onRoot.remove();
            } else {
                onRoot.set(before);
            }
        };
    }

    @Override
    public boolean isEventLoop() {
        return Context.isOnEventLoopThread();
    }

    @Override
    public @Nullable Executor completions() {
        ContextInternal here = ContextInternal.current();
        return here == null ? null : task -> here.runOnContext(now -> task.run());
    }

    @Override
    public @Nullable Executor tasks(FastnContext context) {
        ContextInternal place = newPlace(context);
        return place == null ? null : task -> place.runOnContext(now -> task.run());
    }

    @Override
    public @Nullable Executor blockingTasks(FastnContext context) {
        ContextInternal place = newPlace(context);
        if (place == null
                || !(context instanceof ContextNode node)
                || !(node.runtime().environment() instanceof FastnVertx fastn)) {
            return null;
        }
        return task -> {
            Runnable tracked = fastn.workerQueue().queued(node, task);
            var unused = place.executeBlocking(
                            () -> {
                                tracked.run();
                                return null;
                            },
                            false)
                    .onComplete(done -> fastn.workerQueue().dropped(tracked));
        };
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

    private record OnRoot(@Nullable ContextInternal root, FastnContext context) {}
}
