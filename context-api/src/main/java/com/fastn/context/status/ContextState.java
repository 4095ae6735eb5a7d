package com.fastn.context.status;

/**
 * Where a context is in its life. Being cancelled is a flag beside it.
 *
 * <pre>
 *  ACTIVE --close(), no open children--------------------------&gt; CLOSED
 *     \----close(), children open--&gt; CLOSING --last child closed---/
 * </pre>
 */
public enum ContextState {
    /** Its work goes on. */
    ACTIVE,
    /** Its own work ended, but children are still open, so it stays in the tree. */
    CLOSING,
    /** Gone from the tree; its total counters stay. */
    CLOSED
}
