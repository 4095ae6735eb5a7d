package com.fastn.context;

/** What a runtime does about contexts that wait for each other's locks. */
public enum DeadlockPolicy {
    /** Says it: as a warning, in {@link com.fastn.context.status.StatusSnapshot#deadlocks}, and once in the log. */
    REPORT,
    /**
     * Says it, and where it is proven fails the wait that began last with a {@link DeadlockException}, so that the others go
     * on. A deadlock that is only suspected is left as it is.
     */
    FAIL_YOUNGEST_WAITER,
    /**
     * As {@link #FAIL_YOUNGEST_WAITER}, and cancels the context that waited, with all that is below it and with the reason
     * {@link com.fastn.context.status.CancelReason.Kind#DEADLOCK}: for work of which one part is of no use without the
     * others. The root is never cancelled; of a wait that is asked for in its name only the wait fails.
     */
    CANCEL_YOUNGEST_WAITER,
    /** Does not look for them. */
    IGNORE
}
