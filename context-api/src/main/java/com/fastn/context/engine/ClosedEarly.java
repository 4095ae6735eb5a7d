package com.fastn.context.engine;

import com.fastn.context.FastnContext;
import java.util.ArrayDeque;
import java.util.Iterator;
import org.jspecify.annotations.Nullable;

/**
 * What was current before scopes that were closed while one that was opened inside of them was still open. Whoever closes
 * that one later comes back to what is still open, and not to what was closed meanwhile.
 */
final class ClosedEarly {
    private static final int MOST = 100;

    /** Of one thread, the last first. */
    @SuppressWarnings("ThreadLocalUsage") // one beside the current context; null where nobody closes in a wrong order
    private final ThreadLocal<@Nullable ArrayDeque<Closed>> closed = new ThreadLocal<>();

    /** Until the first one nobody looks further. */
    private volatile boolean any;

    private record Closed(ContextNode context, @Nullable FastnContext before) {}

    void add(ContextNode context, @Nullable FastnContext before) {
        ArrayDeque<Closed> here = closed.get();
        if (here == null) {
            here = new ArrayDeque<>();
            closed.set(here);
        }
        here.addFirst(new Closed(context, before));
        if (here.size() > MOST) {
            here.removeLast();
        }
        any = true;
    }

    /** {@return the context or, if this thread has left it, what was current before that} */
    @Nullable
    FastnContext orBefore(@Nullable FastnContext context) {
        if (!any) {
            return context;
        }
        FastnContext at = context;
        while (at instanceof ContextNode node && !node.isOn(Thread.currentThread())) {
            at = before(node);
        }
        return at;
    }

    private @Nullable FastnContext before(ContextNode context) {
        ArrayDeque<Closed> here = closed.get();
        if (here == null) {
            return null;
        }
        for (Iterator<Closed> each = here.iterator(); each.hasNext(); ) {
            Closed scope = each.next();
            if (scope.context == context) {
                each.remove();
                if (here.isEmpty()) {
                    closed.remove();
                }
                return scope.before;
            }
        }
        return null;
    }
}
