package com.fastn.context.vertx;

import io.vertx.core.eventbus.Message;
import org.jspecify.annotations.Nullable;

/**
 * Answers questions about status that did not come to its own consumer. A Vert.x context that it made for a consumer of its own has
 * this class as a key of its {@code contextData()}, with the context of its verticle as the value.
 */
@FunctionalInterface
public interface StatusAnswerer {
    /**
     * Answers a question.
     *
     * @param question has the address, the headers, and the way to reply; of one that was asked here it does not tell the body
     * @param body what was asked
     * @param askedHere whether it was asked in this very Vertx, and so by no other node
     */
    void answer(Message<Object> question, @Nullable Object body, boolean askedHere);
}
