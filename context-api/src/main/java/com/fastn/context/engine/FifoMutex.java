package com.fastn.context.engine;

import static java.util.Objects.requireNonNull;

import com.fastn.context.ContextMutex;
import com.fastn.context.FastnContext;
import com.fastn.context.LockGuard;
import com.fastn.context.status.LockType;
import com.google.errorprone.annotations.MustBeClosed;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** A mutex: one permit. */
final class FifoMutex<T extends @Nullable Object> extends FifoLock<T> implements ContextMutex<T> {
    FifoMutex(ContextNode owner, String name, T value) {
        super(owner, name, LockType.MUTEX, 1, value);
    }

    @Override
    public CompletionStage<LockGuard<T>> lock() {
        return as(ask(1, null));
    }

    @Override
    public CompletionStage<LockGuard<T>> lock(Duration timeout) {
        return as(ask(1, requireNonNull(timeout, "timeout")));
    }

    @Override
    @MustBeClosed
    public @Nullable LockGuard<T> tryLock() {
        return tryAsk(1);
    }

    @Override
    public <R extends @Nullable Object> CompletionStage<R> withLock(
            Function<? super T, ? extends CompletionStage<R>> work) {
        requireNonNull(work, "work");
        return scoped(1, null, work, (code, guard) -> code.apply(guard.value()));
    }

    @Override
    public <R extends @Nullable Object> CompletionStage<R> withLock(
            Duration timeout, Function<? super T, ? extends CompletionStage<R>> work) {
        requireNonNull(timeout, "timeout");
        requireNonNull(work, "work");
        return scoped(1, timeout, work, (code, guard) -> code.apply(guard.value()));
    }

    @Override
    @MustBeClosed
    public LockGuard<T> lockBlocking() {
        return requireNonNull(askBlocking(1, null), "guard");
    }

    @Override
    @MustBeClosed
    public @Nullable LockGuard<T> lockBlocking(Duration timeout) {
        return askBlocking(1, requireNonNull(timeout, "timeout"));
    }

    @Override
    public @Nullable FastnContext holder() {
        return firstHolder();
    }
}
