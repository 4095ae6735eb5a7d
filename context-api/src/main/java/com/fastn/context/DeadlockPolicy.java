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
    /** Does not look for them. */
    IGNORE
}
