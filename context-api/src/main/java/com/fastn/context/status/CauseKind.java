package com.fastn.context.status;

/** What a context waits for, or what holds up the one that everybody waits for. */
public enum CauseKind {
    /** A mutex or a read-write lock. */
    LOCK,
    /** Permits of a semaphore. */
    PERMITS,
    /** A named operation. */
    OPERATION,
    /** A request that another context serves, on this node or another. */
    REQUEST,
    /** A child that is stuck. */
    CHILD,
    /** A place in a worker pool, behind the tasks that fill it. */
    POOL,
    /** An event loop that somebody holds up. */
    EVENT_LOOP,
    /** Work on a thread at this moment. */
    THREAD,
    /** A context that has ended, and never gave back what it held. */
    ENDED,
    /** Nothing that is known: no operation, no thread, no sign of life. */
    IDLE,
    /** A context that the status does not show, or a node that did not answer. */
    UNKNOWN
}
