package com.fastn.context.engine;

import com.fastn.context.FastnContext;
import com.fastn.context.LockGuard;
import java.time.Instant;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * What the work of a {@code withWriteLock} is given: the value, and no way to release the lock. That it is held until the work
 * has ended is what a deadlock is proven by.
 */
record ScopedGuard<T extends @Nullable Object>(Grant<T> grant) implements LockGuard<T> {
    @Override
    public T value() {
        return grant.value();
    }

    @Override
    public void set(T value) {
        grant.set(value);
    }

    @Override
    public T update(UnaryOperator<T> change) {
        return grant.update(change);
    }

    @Override
    public String lockName() {
        return grant.lockName();
    }

    @Override
    public FastnContext context() {
        return grant.context();
    }

    @Override
    public Instant acquiredAt() {
        return grant.acquiredAt();
    }

    @Override
    public long fence() {
        return grant.fence();
    }

    @Override
    public void close() {
        LockMisuses.closedInsideOfItsScope(grant);
    }

    @Override
    public String toString() {
        return "guard of " + grant.lock;
    }
}
