package com.fastn.context.status;

/**
 * Why a context is worth looking at before others: what a fold shows first and counts as stuck where it leaves it out (rule
 * M10). The worst comes last.
 *
 * <p>It is found where the context lives, from everything that is known there, and goes with the context from then on: to
 * fold a status a second time, when its lists of waiters and warnings may have lost their ends, forgets nobody.
 */
public enum ContextTrouble {
    /** It was asked to stop and is still there. */
    STOPPING,
    /** It waits for a lock. */
    BLOCKED,
    /** A warning is about it. */
    WARNED,
    /** It waits for a lock, is inside of an operation or holds a lock for too long. */
    STUCK
}
