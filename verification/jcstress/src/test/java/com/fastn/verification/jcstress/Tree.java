package com.fastn.verification.jcstress;

import com.fastn.context.ContextRuntime;
import com.fastn.context.FastnContext;
import com.fastn.context.engine.Crowd;
import com.fastn.context.status.ContextState;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/** A context that two actors meet at. All of a JVM are below one root, which no actor touches. */
final class Tree {
    private static final ContextRuntime RUNTIME =
            ContextRuntime.builder().alias("races").build();

    private Tree() {}

    static FastnContext plant() {
        return RUNTIME.root().child("top").open();
    }

    /** The same of one in which threads have met: its children are linked in a list for each of several threads. */
    static FastnContext plantCrowded() {
        FastnContext top = plant();
        Crowd.spread(top);
        return top;
    }

    /** Closes what is left, so that the next million of trees finds room. */
    static void fell(FastnContext top) {
        List<FastnContext> all = new ArrayList<>();
        ArrayDeque<FastnContext> open = new ArrayDeque<>();
        open.add(top);
        for (FastnContext at = open.poll(); at != null; at = open.poll()) {
            all.add(at);
            open.addAll(at.children());
        }
        all.forEach(FastnContext::close);
        if (top.state() != ContextState.CLOSED || RUNTIME.root().children().contains(top)) {
            throw new IllegalStateException(top + " is left, though all below it was closed");
        }
    }

    /** {@return the state of a context, whether it is cancelled, and whether its parent knows it} */
    static String fate(FastnContext context) {
        FastnContext parent = context.parent();
        boolean linked = parent != null && parent.children().contains(context);
        return context.state() + (context.isCancelled() ? " cancelled" : " alive") + (linked ? "" : " detached");
    }
}
