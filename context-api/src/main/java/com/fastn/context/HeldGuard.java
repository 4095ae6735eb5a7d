package com.fastn.context;

import java.time.Instant;

/** The proof of holding a lock of any kind. Closing it releases what is held, from any thread. */
public interface HeldGuard extends AutoCloseable {

    /** {@return the lock's name} */
    String lockName();

    /** {@return the context that holds the lock} */
    FastnContext context();

    /** {@return when the lock was granted, by the wall clock and to within 20 ms} */
    Instant acquiredAt();

    /** {@return the number of this grant; it only rises, so that a store can refuse an old holder} */
    long fence();

    /** Releases the lock. A second call has no effect and is counted as misuse. */
    @Override
    void close();
}
