package com.fastn.context.engine;

import com.fastn.context.ContextScope;
import com.fastn.context.FastnContext;
import com.fastn.context.spi.ContextBinding;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/** An environment that nobody runs in and that has no threads: what a test is about it says otherwise. */
abstract class NoPlace implements ContextBinding {
    @Override
    public boolean isActive() {
        return false;
    }

    @Override
    public @Nullable FastnContext current() {
        return null;
    }

    @Override
    public ContextScope makeCurrent(FastnContext context) {
        throw new IllegalStateException("cannot be entered");
    }

    @Override
    public @Nullable Executor completions() {
        return null;
    }

    @Override
    public @Nullable Executor tasks(FastnContext context) {
        return null;
    }

    @Override
    public @Nullable Executor blockingTasks(FastnContext context) {
        return null;
    }
}
