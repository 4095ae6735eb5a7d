package com.fastn.context;

import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The proof of holding a lock alone, and the way to the value that it protects. Closing it releases the lock, from any
 * thread.
 *
 * @param <T> the type of the value
 */
public interface LockGuard<T extends @Nullable Object> extends ReadGuard<T> {

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
}
