package com.fastn.context;

import java.time.Instant;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The proof of holding a lock, and the way to the value that it protects. Closing it releases the lock, from any thread.
 *
 * @param <T> the type of the value
 */
public interface LockGuard<T extends @Nullable Object> extends AutoCloseable {

    /**
     * {@return the protected value}
     *
     * @throws IllegalStateException if the guard is closed
     */
    T value();

    /**
     * Replaces the protected value.
     *
     * @param value the new value
     * @throws IllegalStateException if the guard is closed
     */
    void set(T value);

    /**
     * Replaces the protected value by what a function makes of it.
     *
     * @param change is given the value
     * @return the new value
     * @throws IllegalStateException if the guard is closed
     */
    T update(UnaryOperator<T> change);

    /** {@return the lock's name} */
    String lockName();

    /** {@return the context that holds the lock} */
    FastnContext context();

    /** {@return when the lock was granted, by the wall clock} */
    Instant acquiredAt();

    /** {@return the number of this grant; it only rises, so that a store can refuse an old holder} */
    long fence();

    /** Releases the lock. A second call has no effect and is counted as misuse. */
    @Override
    void close();
}
