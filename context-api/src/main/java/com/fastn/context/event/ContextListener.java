package com.fastn.context.event;

/** Is told of every change of a runtime, after it happened and outside of locks, on the thread that made the change. */
@FunctionalInterface
public interface ContextListener {

    /**
     * Takes an event. It should return at once.
     *
     * <p>It may change the tree. The events of its own changes are told to all on the same thread once this event has been
     * told to all, so every listener hears the events of a thread one after the other and is never called inside of itself.
     * A listener that changes something at the events of its own changes too would be told for ever: after eight such events
     * in a chain, or 10,000 because of one, further ones are told to nobody and counted as misuse.
     *
     * <p>Two threads that change the same at once may be told in either order. So a figure, such as that of a counter, may be
     * older than the one that was told before; a snapshot has the one of its moment. A context that another thread closes while it
     * is being opened is told as closed and, as a rule, not as opened; where it is told as opened behind that, {@link
     * com.fastn.context.ContextRuntime#find(long)} finds it no more. No id is used twice in a runtime.
     *
     * <p>What it throws harms nobody: it is logged once for each registration, and counted as misuse each time.
     *
     * @param event what happened
     */
    void onEvent(ContextEvent event);
}
