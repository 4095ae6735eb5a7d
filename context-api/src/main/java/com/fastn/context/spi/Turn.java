package com.fastn.context.spi;

import com.fastn.context.FastnContext;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;

/**
 * The turn of a thread on an execution context that runs one task after the other: until it is over, or given up, nothing else
 * runs there. Its methods are called by the thread whose turn it is.
 */
public interface Turn {

    /**
     * Waits for a stage, and lets others have the turn meanwhile; where that is not possible it returns at once. A thread that
     * is interrupted waits no longer, and is marked as interrupted.
     *
     * @param stage what is waited for; it may not be over when this returns
     */
    void await(CompletionStage<?> stage);

    /**
     * Tells what is run after this turn only.
     *
     * @param completions what {@link ContextBinding#completions} gave
     * @return whether what is handed to it has to wait for this turn to be over
     */
    boolean holdsUp(Executor completions);

    /**
     * Tells who goes on after this turn only.
     *
     * @param context a context
     * @return whether the execution context that it belongs to is the one of this turn
     */
    boolean holdsUp(FastnContext context);
}
