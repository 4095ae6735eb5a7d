package com.fastn.context.vertx;

import com.fastn.context.engine.ContextNode;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.vertx.core.internal.ContextInternal;
import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.Map;
import java.util.WeakHashMap;
import org.jspecify.annotations.Nullable;

/**
 * What was current on Vert.x contexts before scopes that were closed while one that was opened inside of them was still
 * open. Whoever closes that one later comes back to what is still open, and not to what was closed meanwhile.
 */
final class ScopesClosedEarly {
    private static final int MOST = 100;

    /** Of each Vert.x context the last first; one that nobody uses any more takes its own with it. */
    @GuardedBy("this")
    private final Map<ContextInternal, ArrayDeque<Closed>> closed = new WeakHashMap<>();

    /** Until the first one nobody looks further. */
    private volatile boolean any;

    private record Closed(ContextNode context, @Nullable ContextNode before) {}

    synchronized void add(ContextInternal place, ContextNode context, @Nullable ContextNode before) {
        ArrayDeque<Closed> here = closed.computeIfAbsent(place, p -> new ArrayDeque<>());
        here.addFirst(new Closed(context, before));
        if (here.size() > MOST) {
            here.removeLast();
        }
        any = true;
    }

    /** {@return the context or, if its scope was closed early, what was current before that} */
    @Nullable
    ContextNode orBefore(ContextInternal place, @Nullable ContextNode context) {
        return any && context != null ? look(place, context) : context;
    }

    private synchronized @Nullable ContextNode look(ContextInternal place, ContextNode context) {
        ArrayDeque<Closed> here = closed.get(place);
        if (here == null) {
            return context;
        }
        ContextNode at = context;
        for (Closed early = take(here, at); early != null; early = at == null ? null : take(here, at)) {
            at = early.before;
        }
        if (here.isEmpty()) {
            closed.remove(place);
        }
        return at;
    }

    private static @Nullable Closed take(ArrayDeque<Closed> here, ContextNode context) {
        for (Iterator<Closed> each = here.iterator(); each.hasNext(); ) {
            Closed scope = each.next();
            if (scope.context == context) {
                each.remove();
                return scope;
            }
        }
        return null;
    }
}
