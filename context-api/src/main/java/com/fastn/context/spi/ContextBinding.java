package com.fastn.context.spi;

import com.fastn.context.ContextScope;
import com.fastn.context.FastnContext;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/** An environment with execution contexts of its own, such as Vert.x. Methods are called from any thread. */
public interface ContextBinding {

    /** {@return whether the calling thread runs in this environment at this moment} */
    boolean isActive();

    /** {@return the current context of this environment, or {@code null}, also when it is not active} */
    @Nullable
    FastnContext current();

    /**
     * Makes a context current in this environment; only called while it is active.
     *
     * @param context the context
     * @return closing it restores the previous one
     */
    ContextScope makeCurrent(FastnContext context);

    /**
     * {@return an executor that runs tasks later on the environment's present execution context, or {@code null} off it}
     * A completion that somebody waits for is handed to it.
     */
    @Nullable
    Executor completions();

    /** {@return whether the calling thread is one that must not be held up, such as an event loop} */
    default boolean isEventLoop() {
        return false;
    }

    /**
     * {@return the turn that the calling thread has on an execution context that runs one task after the other, or {@code null}
     * where a thread that waits holds up nobody}
     */
    default @Nullable Turn turn() {
        return null;
    }

    /**
     * Gives the executor of a new task in a context: on the execution context that belongs to it, with it as the current
     * one.
     *
     * @param context the context that the task runs in
     * @return the executor, or {@code null} when this environment has no place for the context
     */
    @Nullable
    Executor tasks(FastnContext context);

    /**
     * Gives the executor of a new task that blocks.
     *
     * @param context the context that the task runs in
     * @return the executor, or {@code null} when this environment has no place for the context
     */
    @Nullable
    Executor blockingTasks(FastnContext context);
}
