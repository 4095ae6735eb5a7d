package com.fastn.context.engine;

import com.fastn.context.FastnContext;

/** Brings a context into the state that threads bring it into which meet there. */
public final class Crowd {
    private Crowd() {}

    /**
     * From now on children of the context are linked in a list for each of several threads.
     *
     * @param context the parent
     */
    public static void spread(FastnContext context) {
        ((ContextNode) context).spread();
    }
}
