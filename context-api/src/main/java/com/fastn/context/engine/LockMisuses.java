package com.fastn.context.engine;

/** Uses of a lock that it repaired or bore, in words that name who it was and the way out; each is counted. */
final class LockMisuses {
    private LockMisuses() {}

    static void askedByStranger(FifoLock<?> lock, ContextNode asker) {
        lock.runtime()
                .misuse(
                        lock + " was waited for by a context of another runtime, which no status of this one can lead"
                                + " to: take a lock of the runtime that the work runs in",
                        () -> asker.path() + " of " + asker.runtime().node().alias() + ", at "
                                + Places.describe(Places.caller()));
    }

    static void triedInEnded(FifoLock<?> lock, ContextNode asker) {
        lock.runtime()
                .misuse(
                        lock + " was tried for in a context that was cancelled or has ended, which gets nothing; look"
                                + " at isCancelled() first, or try in a context that is open",
                        () -> asker.path() + ", at " + Places.describe(Places.caller()));
    }

    static void closedTwice(Grant<?> grant) {
        grant.lock
                .runtime()
                .misuse(
                        "a guard of " + grant.lock + " was closed twice; the second time had no effect: close it in"
                                + " one place, such as a try-with-resources, or use withLock",
                        () -> "that of " + grant.by.path() + ", closed again at " + Places.describe(Places.caller()));
    }

    static void closedInsideOfItsScope(Grant<?> grant) {
        grant.lock
                .runtime()
                .misuse(
                        "the work of a withWriteLock of " + grant.lock + " closed its guard, which had no effect: the"
                                + " lock is released when the work has ended",
                        () -> "that of " + grant.by.path() + ", at " + Places.describe(Places.caller()));
    }

    static void openAtTheEnd(Grant<?> grant) {
        grant.lock
                .runtime()
                .misuse(
                        "a guard of " + grant.lock + " was still open when its context ended; it was closed, as"
                                + " setAutoReleaseOnEnd(true) says: close it where its work ends, or use withLock",
                        () -> "that of " + grant.by.path() + Refusals.takenAt(grant));
    }
}
