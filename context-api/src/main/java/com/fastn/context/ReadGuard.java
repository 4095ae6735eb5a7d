package com.fastn.context;

import org.jspecify.annotations.Nullable;

/**
 * The proof of holding a lock, and the way to see the value that it protects.
 *
 * @param <T> the type of the value
 */
public interface ReadGuard<T extends @Nullable Object> extends HeldGuard {

    /**
     * {@return the protected value}
     *
     * @throws IllegalStateException if the guard is closed
     */
    T value();
}
