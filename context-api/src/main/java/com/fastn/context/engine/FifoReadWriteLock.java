package com.fastn.context.engine;

import static java.util.Objects.requireNonNull;

import com.fastn.context.ContextReadWriteLock;
import com.fastn.context.LockGuard;
import com.fastn.context.ReadGuard;
import com.fastn.context.status.LockType;
import com.google.errorprone.annotations.MustBeClosed;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** A read-write lock: a reader takes one permit, a writer all of them. That makes it writer-preferring (rule L6). */
final class FifoReadWriteLock<T extends @Nullable Object> extends FifoLock<T> implements ContextReadWriteLock<T> {
    /** More readers than there can be objects for. */
    private static final int ALL = Integer.MAX_VALUE;

    FifoReadWriteLock(ContextNode owner, String name, T value) {
        super(owner, name, LockType.RW_LOCK, ALL, value);
    }

    @Override
    public CompletionStage<ReadGuard<T>> readLock() {
        return as(ask(1, null));
    }

    @Override
    public CompletionStage<ReadGuard<T>> readLock(Duration timeout) {
        return as(ask(1, requireNonNull(timeout, "timeout")));
    }

    @Override
    public CompletionStage<LockGuard<T>> writeLock() {
        return as(ask(ALL, null));
    }

    @Override
    public CompletionStage<LockGuard<T>> writeLock(Duration timeout) {
        return as(ask(ALL, requireNonNull(timeout, "timeout")));
    }

    @Override
    @MustBeClosed
    public @Nullable ReadGuard<T> tryReadLock() {
        return tryAsk(1);
    }

    @Override
    @MustBeClosed
    public @Nullable LockGuard<T> tryWriteLock() {
        return tryAsk(ALL);
    }

    @Override
    public <R extends @Nullable Object> CompletionStage<R> withReadLock(
            Function<? super T, ? extends CompletionStage<R>> work) {
        requireNonNull(work, "work");
        return scoped(1, null, work, (code, guard) -> code.apply(guard.value()));
    }

    @Override
    public <R extends @Nullable Object> CompletionStage<R> withReadLock(
            Duration timeout, Function<? super T, ? extends CompletionStage<R>> work) {
        requireNonNull(timeout, "timeout");
        requireNonNull(work, "work");
        return scoped(1, timeout, work, (code, guard) -> code.apply(guard.value()));
    }

    @Override
    public <R extends @Nullable Object> CompletionStage<R> withWriteLock(
            Function<? super LockGuard<T>, ? extends CompletionStage<R>> work) {
        requireNonNull(work, "work");
        return scoped(ALL, null, work, (code, grant) -> code.apply(new ScopedGuard<>(grant)));
    }

    @Override
    public <R extends @Nullable Object> CompletionStage<R> withWriteLock(
            Duration timeout, Function<? super LockGuard<T>, ? extends CompletionStage<R>> work) {
        requireNonNull(timeout, "timeout");
        requireNonNull(work, "work");
        return scoped(ALL, timeout, work, (code, grant) -> code.apply(new ScopedGuard<>(grant)));
    }

    @Override
    @MustBeClosed
    public ReadGuard<T> readLockBlocking() {
        return requireNonNull(askBlocking(1, null), "guard");
    }

    @Override
    @MustBeClosed
    public @Nullable ReadGuard<T> readLockBlocking(Duration timeout) {
        return askBlocking(1, requireNonNull(timeout, "timeout"));
    }

    @Override
    @MustBeClosed
    public LockGuard<T> writeLockBlocking() {
        return requireNonNull(askBlocking(ALL, null), "guard");
    }

    @Override
    @MustBeClosed
    public @Nullable LockGuard<T> writeLockBlocking(Duration timeout) {
        return askBlocking(ALL, requireNonNull(timeout, "timeout"));
    }
}
