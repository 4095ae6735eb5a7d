package com.fastn.context.event;

/** Is told of every change of a runtime, after it happened and outside of locks, on the thread that made the change. */
@FunctionalInterface
public interface ContextListener {

    /**
     * Takes an event. It should return at once; what it throws is logged and harms nobody.
     *
     * @param event what happened
     */
    void onEvent(ContextEvent event);
}
