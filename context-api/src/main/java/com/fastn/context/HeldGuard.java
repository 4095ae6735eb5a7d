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

    /**
     * Gives the number of this grant, which a store can compare to refuse an old holder. It rises from grant to grant of a
     * lock, and it begins at the microseconds since 1970 at which the lock was made: so it also rises when the lock of a name is
     * made anew in this process or after a restart, unless the wall clock was set back further than the process lived, or the
     * lock was granted more than a million times a second on average. A lock of another process has numbers of its own.
     *
     * @return the number
     */
    long fence();

    /** Releases the lock. A second call has no effect and is counted as misuse. */
    @Override
    void close();
}
