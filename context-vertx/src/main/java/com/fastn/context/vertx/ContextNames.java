package com.fastn.context.vertx;

import com.fastn.context.status.ContextKind;
import org.jspecify.annotations.Nullable;

/** Names the contexts that are made by themselves. */
@FunctionalInterface
public interface ContextNames {
    /**
     * Gives the name of a context that is about to be opened. It is asked once for each, in the thread that opens it, so it
     * has to be quick; what it throws is logged, and the name stays as it was.
     *
     * @param kind what the context stands for: {@code REQUEST}, {@code MESSAGE}, {@code SESSION} or {@code SERVICE}
     * @param name the name that it would have, such as {@code GET /orders/:id}; of a verticle its class's
     * @return the name, of which there must be few over all time; or {@code null} to open none, so that the work runs in the
     *     context around it; a verticle keeps its name then
     */
    @Nullable
    String nameOf(ContextKind kind, String name);
}
