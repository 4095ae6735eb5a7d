package com.fastn.status.http;

import java.util.concurrent.CompletionStage;

/** What is answered at one path. */
@FunctionalInterface
public interface HttpRoute {
    /**
     * Begins to answer. Called on the port's event loop, which it must not block.
     *
     * @param question what is asked
     * @return the answer, on any thread
     */
    CompletionStage<HttpReply> answer(HttpQuestion question);
}
